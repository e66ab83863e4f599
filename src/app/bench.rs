//! How quickly the window answers, measured in the window itself.

use std::sync::mpsc::Sender;
use std::time::{Duration, Instant as Clock};

use eframe::egui;

use super::Studio;
use crate::run::cpu_time;

/// What was measured; times in milliseconds.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct UiTimings {
    /// From the start of the command to the end of the first frame.
    pub first_frame_ms: f64,
    /// From a moved slider to the residual that belongs to it, for each of many moves.
    pub drag_to_residual_ms: Vec<f64>,
    /// From Start to the first estimate, files and solver included.
    pub start_to_first_x0_ms: f64,
    /// What the window's thread worked for each frame during a run.
    pub frame_while_solving_ms: Vec<f64>,
    /// From Stop to the end of the run.
    pub cancel_ms: Vec<f64>,
    /// Share of a core that the program takes while nothing moves, in percent; none where the
    /// system does not tell.
    pub idle_percent: Option<f64>,
    /// What draws the window.
    pub renderer: String,
}

/// Moves sliders, starts and stops runs, and measures.
pub struct Bench {
    began: Clock,
    stage: Stage,
    timings: UiTimings,
    report: Sender<UiTimings>,
}

enum Stage {
    Loading,
    /// The slider was moved; the answer with this number is awaited.
    Drag {
        since: Clock,
        after: u64,
    },
    Starting {
        since: Clock,
    },
    Solving {
        since: Clock,
    },
    Stopping {
        since: Clock,
    },
    /// What the last run left to do is done.
    Settling {
        since: Clock,
    },
    /// Nothing moves.
    Idle {
        since: Clock,
        cpu: Option<Duration>,
    },
    Over,
}

const DRAGS: usize = 60;
const RUNS: usize = 5;
const SOLVING: Duration = Duration::from_millis(1500);
const SETTLING: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(10);
const LATE: Duration = Duration::from_millis(20);

impl Bench {
    /// `began` is when the program was started.
    pub fn new(began: Clock, report: Sender<UiTimings>) -> Self {
        Self {
            began,
            stage: Stage::Loading,
            timings: UiTimings::default(),
            report,
        }
    }
}

fn since(clock: Clock) -> f64 {
    clock.elapsed().as_secs_f64() * 1e3
}

impl Studio {
    /// Once a frame, after its events were taken in.
    pub(super) fn bench(&mut self, ctx: &egui::Context, frame: &eframe::Frame) {
        let Some(mut bench) = self.bench.take() else {
            return;
        };
        if bench.timings.first_frame_ms == 0.0 && ctx.cumulative_pass_nr() > 0 {
            bench.timings.first_frame_ms = since(bench.began);
            let state = frame.wgpu_render_state();
            bench.timings.renderer = state.map_or("OpenGL".into(), |state| {
                let info = state.adapter.get_info();
                format!("{} ({:?})", info.name, info.backend)
            });
        }
        bench.stage = self.bench_stage(ctx, frame, &mut bench.timings, bench.stage);
        if matches!(bench.stage, Stage::Over) {
            // Whoever asked may be gone.
            let _ = bench.report.send(bench.timings);
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
            return;
        }
        self.bench = Some(bench);
    }

    fn bench_stage(
        &mut self,
        ctx: &egui::Context,
        frame: &eframe::Frame,
        timings: &mut UiTimings,
        stage: Stage,
    ) -> Stage {
        match stage {
            Stage::Loading if self.source.is_some() && self.probe.clips.is_some() => {
                self.bench_drag(ctx, timings)
            }
            Stage::Drag { since: at, after } if self.probe.answered > after => {
                timings.drag_to_residual_ms.push(since(at));
                match timings.drag_to_residual_ms.len() < DRAGS {
                    true => self.bench_drag(ctx, timings),
                    false => self.bench_start(),
                }
            }
            Stage::Starting { since: at } if self.shown_step().is_some() => {
                if timings.start_to_first_x0_ms == 0.0 {
                    timings.start_to_first_x0_ms = since(at);
                }
                ctx.request_repaint_after(SOLVING + LATE);
                Stage::Solving {
                    since: Clock::now(),
                }
            }
            Stage::Solving { since: at } => {
                let worked = frame.info().cpu_usage;
                timings
                    .frame_while_solving_ms
                    .extend(worked.map(|s| f64::from(s) * 1e3));
                match at.elapsed() < SOLVING && self.is_running() {
                    true => {
                        ctx.request_repaint_after(SOLVING.saturating_sub(at.elapsed()) + LATE);
                        Stage::Solving { since: at }
                    }
                    false => {
                        self.worker.cancel();
                        Stage::Stopping {
                            since: Clock::now(),
                        }
                    }
                }
            }
            Stage::Stopping { since: at } if !self.is_running() => {
                timings.cancel_ms.push(since(at));
                match timings.cancel_ms.len() < RUNS {
                    true => self.bench_start(),
                    false => {
                        self.playback.playing = false;
                        ctx.request_repaint_after(SETTLING + LATE);
                        Stage::Settling {
                            since: Clock::now(),
                        }
                    }
                }
            }
            Stage::Settling { since: at } => match at.elapsed() < SETTLING {
                true => {
                    ctx.request_repaint_after(SETTLING.saturating_sub(at.elapsed()) + LATE);
                    Stage::Settling { since: at }
                }
                false => {
                    ctx.request_repaint_after(IDLE + LATE);
                    Stage::Idle {
                        since: Clock::now(),
                        cpu: cpu_time(),
                    }
                }
            },
            Stage::Idle { since: at, cpu } if at.elapsed() >= IDLE => {
                timings.idle_percent = cpu.zip(cpu_time()).map(|(before, after)| {
                    let worked = after.saturating_sub(before).as_secs_f64();
                    100.0 * worked / at.elapsed().as_secs_f64()
                });
                Stage::Over
            }
            Stage::Idle { since: at, cpu } => {
                // Waking up too early must not be the last time.
                ctx.request_repaint_after(IDLE.saturating_sub(at.elapsed()) + LATE);
                Stage::Idle { since: at, cpu }
            }
            waiting => waiting,
        }
    }

    /// Moves the distance a little, as a drag does.
    fn bench_drag(&mut self, ctx: &egui::Context, timings: &UiTimings) -> Stage {
        let moves = timings.drag_to_residual_ms.len() + 1;
        self.kept.setup.dist_mm.value = 5.0 + 0.01 * moves as f64;
        ctx.request_repaint();
        Stage::Drag {
            since: Clock::now(),
            after: self.probe.asked,
        }
    }

    fn bench_start(&mut self) -> Stage {
        self.start();
        Stage::Starting {
            since: Clock::now(),
        }
    }
}
