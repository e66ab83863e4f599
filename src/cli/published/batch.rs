//! One experiment over the clips of a data set.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{Options, inputs};
use crate::cli::checkpoint::{self, Found};
use crate::cli::error::{Interrupted, bad_input};
use crate::cli::interrupt;
use crate::cli::output::print;
use crate::cli::progress::{ProgressReport, residual};
use crate::clip::Clip;
use crate::device::DeviceRequest;
use crate::media::MediaError;
use crate::media::datasets::{ClipRef, Dataset, layer_sigma_px, load};
use crate::metrics::{Quality, mean_square_error};
use crate::noise::Noise;
use crate::physics::Parameter;
use crate::prior::Schedule;
use crate::run::published::{
    ClipFiles, ClipRecord, Experiment, ParameterRecord, SourceRecord, clip_seed, folder,
};
use crate::run::{
    self, DeviceRecord, Learned, Outcome, Residual, ResultsFolder, SolverRecord, Timings,
};
use crate::solver::{
    Measurement, Reference, ReferenceConfig, Solver, SolverError, Unknown, Weight,
};

/// Reconstructs each clip of a data set and writes its published files.
///
/// Everything random of a clip comes from its own seed, in this order: where a video's ten
/// frames start, what [`Experiment::set_up`] draws, x_T, the noise of each step.
///
/// # Errors
/// What stops every clip. A clip that cannot be read, or whose estimate diverges or leaves
/// the bounds of the forward model, is reported; the others go on, and the error at the end
/// names it.
pub fn run(experiment: Experiment, dataset: Dataset, options: Options) -> anyhow::Result<()> {
    experiment.check().map_err(|error| bad_input!("{error}"))?;
    let schedule = Schedule::cosine(Schedule::PUBLISHED_TIMESTEPS).respaced(options.steps)?;
    let (network, clips) = inputs::find(dataset, &options)?;
    if options.results.is_file() {
        let path = options.results.display();
        return Err(bad_input!(
            "--results {path} is a file; it has to be a folder"
        ));
    }
    let folder = ResultsFolder::create(&options.results.join(folder(&experiment)))?;
    let network = open(network, options.device)?;
    let device = network.device();
    eprintln!("device: {device} ({})", device.why);
    let mut batch = Batch {
        experiment,
        options,
        schedule,
        network,
        folder,
        cancel: interrupt::watch()?,
        warned: BTreeSet::new(),
    };
    batch.reconstruct_all(&clips)
}

fn open(found: Found, device: DeviceRequest) -> anyhow::Result<Learned> {
    let learned = found.network.open(device)?.instead_of(found.instead_of);
    if let Some(note) = checkpoint::note(learned.record()) {
        eprintln!("note: {note}");
    }
    if let Some(first) = learned.unused().first() {
        let count = learned.unused().len();
        eprintln!("note: the network has no use for {count} arrays of its file (`{first}`)");
    }
    Ok(learned)
}

struct Batch {
    experiment: Experiment,
    options: Options,
    schedule: Schedule,
    network: Learned,
    folder: ResultsFolder,
    cancel: &'static AtomicBool,
    /// Warnings of the forward model that were told already.
    warned: BTreeSet<String>,
}

/// How a clip ended.
enum End {
    Written(Box<ClipRecord>),
    /// This clip alone; why.
    Failed(String),
    /// With all clips after it; what is kept of this one.
    Stopped(String),
}

/// A solver that has finished or was stopped, with what its result is judged by.
struct Solved {
    solver: Reference,
    outcome: Outcome,
    weight: Weight,
    measurement: Clip,
    target: Option<Clip>,
    truth: Option<Vec<Parameter>>,
    /// For each parameter, whether a network estimated it.
    estimated: Vec<bool>,
    solver_time: Duration,
}

impl Batch {
    /// Whatever ends the batch, what was written and which clips failed is told.
    fn reconstruct_all(&mut self, clips: &[ClipRef]) -> anyhow::Result<()> {
        let (mut records, mut failures) = (Vec::new(), Vec::new());
        let ended = self.reconstruct_each(clips, &mut records, &mut failures);
        print(&summary(&records, &self.folder))?;
        if failures.is_empty() {
            return ended;
        }
        let failed = format!(
            "{} of {} clips were not reconstructed:\n  {}",
            failures.len(),
            clips.len(),
            failures.join("\n  ")
        );
        match ended {
            Ok(()) => Err(anyhow::Error::msg(failed)),
            Err(error) => {
                eprintln!("{failed}");
                Err(error)
            }
        }
    }

    fn reconstruct_each(
        &mut self,
        clips: &[ClipRef],
        records: &mut Vec<ClipRecord>,
        failures: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let total = clips.len();
        for (index, clip) in clips.iter().enumerate() {
            let label = format!("{} of {total}, {}", index + 1, clip.name);
            match self.reconstruct(clip, label)? {
                End::Written(record) => {
                    print(&line(&record))?;
                    records.push(*record);
                }
                End::Failed(reason) => {
                    eprintln!("{} was not reconstructed: {reason}", clip.name);
                    failures.push(format!("{}: {reason}", clip.name));
                }
                End::Stopped(kept) => {
                    let (done, folder) = (records.len(), self.folder.path().display());
                    return Err(Interrupted(format!(
                        "{done} of {total} clips are in {folder}; {kept}"
                    ))
                    .into());
                }
            }
        }
        Ok(())
    }

    fn reconstruct(&mut self, clip: &ClipRef, label: String) -> anyhow::Result<End> {
        let nothing = || End::Stopped(format!("nothing was written of {}", clip.name));
        if self.cancel.load(Ordering::SeqCst) {
            return Ok(nothing());
        }
        let started = Instant::now();
        let seed = clip_seed(self.options.seed, &self.options.data, &clip.path);
        let mut noise = Noise::seeded(seed);
        let sample = match load(clip, &mut noise) {
            Ok(sample) => sample,
            // Without ffmpeg no other video can be read either.
            Err(error @ MediaError::FfmpegMissing { .. }) => return Err(error.into()),
            Err(error) => return Ok(End::Failed(error.to_string())),
        };
        let setup = match self.experiment.set_up(sample, &mut noise) {
            Ok(setup) => setup,
            Err(error) => {
                let path = clip.path.display();
                return Ok(End::Failed(format!("{path}: {error}")));
            }
        };
        let shape = setup.model.shape();
        self.network.check(shape)?;
        for warning in setup.model.warnings() {
            if self.warned.insert(warning.clone()) {
                eprintln!("warning: {warning}");
            }
        }

        let estimated = estimated(setup.model.parameters().len(), &setup.unknowns);
        let mut solver = Reference::new(
            self.network.prior(),
            self.schedule.clone(),
            setup.model,
            Measurement::exact(setup.measurement.clone()),
            ReferenceConfig {
                weight: setup.weight,
                guidance: self.options.guidance,
            },
            setup.unknowns,
            Box::new(move |shape| noise.normal_clip(shape)),
        )?;
        let mut progress = ProgressReport::new(label, solver.total_steps(), None);
        let solving = Instant::now();
        let outcome = run::drive(&mut solver, self.cancel, &mut |p, _| progress.update(p));
        let solver_time = solving.elapsed();
        progress.finish();
        let outcome = match outcome {
            Ok(Outcome::Cancelled) if solver.steps_done() == 0 => return Ok(nothing()),
            Ok(outcome) => outcome,
            Err(error) => {
                return match failure_of_one_clip(&error) {
                    Some(reason) => Ok(End::Failed(reason)),
                    None => Err(error.into()),
                };
            }
        };
        let (done, steps) = (solver.steps_done(), solver.total_steps());
        let solved = Solved {
            solver,
            outcome,
            weight: setup.weight,
            measurement: setup.measurement,
            target: setup.target,
            truth: setup.truth,
            estimated,
            solver_time,
        };
        let record = self.write(clip, seed, solved, started)?;
        Ok(match outcome {
            Outcome::Finished => End::Written(Box::new(record)),
            Outcome::Cancelled => End::Stopped(format!(
                "of {}, stopped after {done} of {steps} steps, {} is kept",
                clip.name,
                record.files.join(", ")
            )),
        })
    }

    fn write(
        &self,
        clip: &ClipRef,
        clip_seed: u64,
        solved: Solved,
        started: Instant,
    ) -> anyhow::Result<ClipRecord> {
        let Solved {
            solver,
            measurement,
            ..
        } = &solved;
        let (target, truth) = (solved.target.as_ref(), solved.truth.as_deref());
        let (model, output) = (solver.model(), solver.estimate());
        let parameters = model.parameters();
        let against_target = |clip: &Clip| target.map(|t| Quality::of(clip, t)).transpose();
        let quality = against_target(&output)?;
        let measurement_quality = match self.experiment {
            // Signed video with holes is no picture to compare with amplitudes.
            Experiment::Inpaint => None,
            _ => against_target(measurement)?,
        };
        let explained = model.linearise_signed(solver.signed_estimate()).measurement;
        let square = mean_square_error(explained.data(), measurement.data());

        let files = ClipFiles {
            experiment: &self.experiment,
            outcome: solved.outcome,
            name: &clip.name,
            target,
            measurement,
            output: &output,
            truth,
            estimate: &parameters,
        }
        .write(&self.folder)?;
        let sha256 = run::sha256(&clip.path).map_err(|source| MediaError::Io {
            path: clip.path.clone(),
            source,
        })?;
        let record = ClipRecord {
            program: format!("vdps {}", env!("CARGO_PKG_VERSION")),
            burn: run::BURN_VERSION,
            command_line: std::env::args().collect(),
            outcome: solved.outcome,
            experiment: self.experiment.clone(),
            source: SourceRecord {
                dataset: clip.dataset.to_string(),
                clip: clip.name.clone(),
                path: clip.path.clone(),
                sha256,
                shape: output.shape(),
                thickness_um: clip.thickness_um,
                layer_sigma_px: clip.thickness_um.and_then(layer_sigma_px),
            },
            seed: self.options.seed,
            clip_seed,
            device: DeviceRecord::from(self.network.device()),
            prior: self.network.record().clone(),
            solver: SolverRecord {
                method: "reference".into(),
                chosen_because: None,
                prior: self.network.name().into(),
                settings: serde_json::to_value(ReferenceConfig {
                    weight: solved.weight,
                    guidance: self.options.guidance,
                })?,
                steps: solver.total_steps(),
                steps_done: solver.steps_done(),
                evaluations: solver.evaluations(),
            },
            timings: Timings {
                solver_s: solved.solver_time.as_secs_f64(),
                total_s: started.elapsed().as_secs_f64(),
            },
            residual: Residual {
                rms: square.sqrt(),
                rms_levels: None,
            },
            warnings: model.warnings(),
            parameters: parameters
                .into_iter()
                .enumerate()
                .map(|(i, parameter)| ParameterRecord {
                    parameter,
                    estimated: solved.estimated[i],
                    truth: truth.map(|table| table[i].value),
                })
                .collect(),
            quality,
            measurement_quality,
            files,
        };
        self.folder
            .json(&format!("{}_run.json", clip.name), &record)?;
        Ok(record)
    }
}

/// What to tell of a step that failed because of its clip; none where every clip would fail.
fn failure_of_one_clip(error: &SolverError) -> Option<String> {
    match error {
        SolverError::Diverged { .. } => Some(error.to_string()),
        // Settings were checked before the first step: what the networks estimated.
        SolverError::Physics(error) => Some(format!("its estimate went too far: {error}")),
        _ => None,
    }
}

fn estimated(parameters: usize, unknowns: &[Unknown]) -> Vec<bool> {
    let mut estimated = vec![false; parameters];
    for unknown in unknowns {
        estimated[unknown.first..][..unknown.network.outputs()].fill(true);
    }
    estimated
}

/// What a user sees of a clip that was written.
fn line(record: &ClipRecord) -> String {
    let mut parts = vec![residual(record.residual.rms, None)];
    if let Some(quality) = &record.quality {
        parts.extend(quality.psnr_db.map(|db| format!("{db:.2} dB")));
        parts.extend(quality.ssim.map(|ssim| format!("SSIM {ssim:.3}")));
    }
    parts.push(format!("{:.0} s", record.timings.total_s));
    format!("{}: {}\n", record.source.clip, parts.join(", "))
}

fn summary(records: &[ClipRecord], folder: &ResultsFolder) -> String {
    let (count, folder) = (records.len(), folder.path().display());
    let qualities = || records.iter().filter_map(|record| record.quality.as_ref());
    let psnr_db = mean(qualities().filter_map(|quality| quality.psnr_db));
    let ssim = mean(qualities().filter_map(|quality| quality.ssim));
    let mean = match psnr_db.zip(ssim) {
        Some((psnr_db, ssim)) => format!(", {psnr_db:.2} dB and SSIM {ssim:.3} on average"),
        None => String::new(),
    };
    let clips = if count == 1 { "clip" } else { "clips" };
    format!("{count} {clips} in {folder}{mean}\n")
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), v| (sum + v, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::device::ComputeDevice;
    use crate::physics::{Optics, Scatter};
    use crate::prior::{NetworkPrior, PriorError, UNet, UNetConfig};
    use crate::solver::{Mapping, Output};

    /// A solver whose network for sigma takes steps of this length.
    fn solver(rate: f32) -> Reference {
        let config = UNetConfig {
            dim: 8,
            multipliers: vec![1],
            heads: 1,
            temporal_head_dim: 2,
        };
        let shape = Shape::new(1, 8, 8);
        let device = ComputeDevice::cpu("test");
        let net = UNet::random(&config, 1, device.burn());
        let mut noise = Noise::seeded(2);
        let output = Output::Elu { shift: 1.0 };
        Reference::new(
            Box::new(NetworkPrior::new(net, device)),
            Schedule::cosine(4),
            Box::new(Scatter::new(shape, Optics::SYNTHETIC, 5.0, 1.0).unwrap()),
            Measurement::exact(Clip::filled(shape, 0.25)),
            ReferenceConfig::published(Weight::Constant(0.2)),
            vec![Unknown {
                first: 1,
                network: Mapping::new(output, rate, &[0.5], &[0.5], &[0.0]),
            }],
            Box::new(move |shape| noise.normal_clip(shape)),
        )
        .unwrap()
    }

    #[test]
    fn an_estimate_beyond_the_bounds_fails_its_clip_alone() {
        let ends = |rate| {
            let mut solver = solver(rate);
            run::drive(&mut solver, &AtomicBool::new(false), &mut |_, _| {})
        };
        // Up the slope or down it, one of the two ends beyond the largest sigma.
        let error = ends(1e3).and(ends(-1e3)).unwrap_err();
        let reason = failure_of_one_clip(&error).unwrap();
        assert!(
            reason.contains("sigma") && reason.contains("32"),
            "{reason}"
        );

        let device = SolverError::Prior(PriorError::Device("lost".into()));
        assert_eq!(failure_of_one_clip(&device), None);
    }
}
