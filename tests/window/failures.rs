//! What goes wrong becomes a notice, and nothing is lost.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vdps::app::{Opening, Plan, Setup};
use vdps::clip::{Clip, Shape};
use vdps::physics::{Dehaze, ForwardModel};
use vdps::prior::PriorError;
use vdps::solver::{Progress, Solver, SolverError};
use vdps::worker::{Briefing, Job, SavedState};

use super::{Harness, click, demo, sees, until, window_with, with_demo};
use vdps::app::Studio;

/// How a solver breaks down at its fifth step.
#[derive(Clone, Copy)]
enum Breakdown {
    Panic,
    DeviceLost,
    Diverged,
}

struct Breaking {
    model: Dehaze,
    done: usize,
    how: Breakdown,
}

impl Solver for Breaking {
    fn name(&self) -> &'static str {
        "breaking"
    }

    fn progress(&self) -> Progress {
        Progress {
            done: self.done,
            total: 9,
            residual_rms: 0.1,
        }
    }

    fn step(&mut self) -> Result<Progress, SolverError> {
        if self.done == 4 {
            return Err(match self.how {
                Breakdown::Panic => panic!("an index out of bounds"),
                Breakdown::DeviceLost => PriorError::Device("the GPU is gone".into()).into(),
                Breakdown::Diverged => SolverError::Diverged {
                    step: 5,
                    advice: "try a smaller guidance",
                },
            });
        }
        self.done += 1;
        Ok(self.progress())
    }

    fn estimate(&self) -> Clip {
        Clip::filled(self.model.shape(), 0.1 * self.done as f32)
    }

    fn model(&self) -> &dyn ForwardModel {
        &self.model
    }
}

impl Job for Breaking {
    fn solver(&mut self) -> &mut dyn Solver {
        self
    }

    fn briefing(&self) -> Briefing {
        Briefing::default()
    }

    fn predicted(&self, estimate: &Clip) -> Clip {
        estimate.clone()
    }

    fn residual(&self, predicted: &Clip) -> Clip {
        predicted.clone()
    }

    fn psnr_db(&self, _: &Clip) -> Option<f64> {
        None
    }

    fn save(&self, folder: &Path, _: SavedState) -> anyhow::Result<Vec<String>> {
        anyhow::ensure!(!folder.ends_with("full"), "no space left on device");
        Ok(vec![format!("{} steps", self.done)])
    }
}

/// Every run breaks down like this.
fn breaking(how: Breakdown) -> Harness<'static, Studio> {
    let plan: Plan = Arc::new(move |_| {
        Box::new(move || {
            let model = Dehaze::new(Shape::new(10, 64, 64))?;
            let job = Breaking {
                model,
                done: 0,
                how,
            };
            Ok(Box::new(job) as Box<dyn Job>)
        })
    });
    let mut window = window_with(
        plan,
        Opening {
            capture: Some(demo("measurement.gif")),
            setup: Some(Setup::default()),
            ..Opening::default()
        },
    );
    until(&mut window, "the capture is read", |window| {
        sees(window, "measurement.gif is open")
    });
    click(&mut window, "Start");
    window
}

#[test]
fn a_solver_that_breaks_down_leaves_its_last_estimate() {
    for (how, said) in [
        (Breakdown::Panic, "an index out of bounds"),
        (Breakdown::DeviceLost, "the GPU is gone"),
        (Breakdown::Diverged, "try a smaller guidance"),
    ] {
        let mut window = breaking(how);
        until(&mut window, said, |window| sees(window, said));
        assert_eq!(window.state().shown_step(), Some(4));
        assert!(sees(&window, "is kept"));
        window.state_mut().save_result(PathBuf::from("somewhere"));
        until(&mut window, "the files", |window| sees(window, "Saved"));
        // The worker is there again.
        click(&mut window, "Start");
        until(&mut window, "the next breakdown", |window| {
            sees(window, said) && sees(window, "run 2")
        });
    }
}

#[test]
fn after_a_lost_gpu_the_processor_goes_on() {
    let mut window = breaking(Breakdown::DeviceLost);
    until(&mut window, "the loss", |window| {
        sees(window, "the GPU is gone")
    });
    assert_eq!(
        window.state_mut().setup_mut().device,
        vdps::app::Device::Cpu
    );
}

#[test]
fn a_full_disk_is_a_notice_and_the_estimate_stays() {
    let mut window = breaking(Breakdown::Diverged);
    until(&mut window, "the end", |window| {
        sees(window, "The run failed")
    });
    window.state_mut().save_result(PathBuf::from("full"));
    until(&mut window, "the notice", |window| {
        sees(window, "no space left on device")
    });
    assert_eq!(window.state().shown_step(), Some(4));
}

#[test]
fn a_capture_that_vanished_and_too_large_a_run_are_notices() {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("capture.gif");
    std::fs::copy(demo("measurement.gif"), &capture).unwrap();
    let mut window = with_demo();
    window.state_mut().open(capture.clone(), None);
    until(&mut window, "the capture", |window| {
        sees(window, "capture.gif is open")
    });
    std::fs::remove_file(&capture).unwrap();
    click(&mut window, "Start");
    until(&mut window, "the notice", |window| {
        sees(window, "The run failed")
    });
    assert!(sees(&window, "capture.gif"));

    let plan: Plan = Arc::new(|_| {
        Box::new(|| anyhow::bail!("the run needs 90 GiB of memory, and 8 GiB are free"))
    });
    let mut window = window_with(
        plan,
        Opening {
            capture: Some(demo("measurement.gif")),
            run: true,
            ..Opening::default()
        },
    );
    until(&mut window, "the notice", |window| sees(window, "90 GiB"));
}
