//! Blind aberrations that differ from frame to frame.
//!
//! Frames that blur nearly one scene in many ways say more of it than frames that blur it in one,
//! so this is better posed than one aberration for the clip:
//!
//! 1. the **spectrum** of each frame alone gives a pool of aberrations, as of a static one;
//! 2. [`shared`]: the best of all frames agree on the **scene's spectrum**, and each frame's pool
//!    is refined under it;
//! 3. [`coherence`]: two frames of one scene, each under the right aberration, agree in phase up
//!    to a shift. Those aberrations are chosen that agree best over all pairs of frames, which
//!    settles mirror images and relative tilts;
//! 4. [`joint`]: descent under the exact model with **one picture for all frames**, over which a
//!    camera may pass ([`canvas`]), and with a loss that forgives what moves. It tells the
//!    choices, and a camera that stays from one that moves, apart;
//! 5. [`refit`]: with the scene about known, each frame's aberration is looked for again;
//! 6. descent with a picture a frame and the space-time prior; what it leaves unexplained is
//!    looked for again under the scene of the frames around.

mod canvas;
mod coherence;
mod joint;
mod refit;
mod shared;
mod verdict;

use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::pool::{self, Peak};
use super::whittle::{Point, Whittle};
use super::{FIRST_WEIGHT, ITERATIONS_A_STEP, NATS, NOISE_FLOOR, PIXELS_PER_RADIAN};
use super::{ZernikeSearch, brightest, canonical, findings, mirror_image, turned};
use crate::adam::rate_share;
use crate::clip::{Clip, Shape};
use crate::noise::Noise;
use crate::physics::zernike::MODES;
use crate::physics::{ForwardModel, ZernikeBlur};
use crate::prior::SpaceTime;
use crate::solver::{Finding, Measurement, Progress, Solver, SolverError, positive};
use canvas::Canvas;
use coherence::{Coherence, Hypothesis, Pair};
use joint::{Joint, Objective, Rates};
use refit::Known;
use shared::Shared;
pub use verdict::FrameVerdict;

/// How an aberration goes from frame to frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variation {
    /// Each frame's has nothing to do with the others'.
    Free,
    /// It changes by about half a radian a coefficient from one frame to the next.
    Smooth,
}

/// Settings of [`VaryingZernike`]; the defaults were chosen on generated scenes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VaryingZernikeConfig {
    /// Random starts of the spectral search in each frame.
    pub starts: usize,
    /// Different aberrations of a frame that are kept.
    pub pool: usize,
    /// How many of them are refined under the shared spectrum.
    pub refined: usize,
    /// Choices of an aberration a frame that are tried on the exact model.
    pub trials: usize,
    /// Iterations of a trial, and of each later descent with one picture.
    pub trial_iterations: usize,
    pub still_iterations: usize,
    /// Iterations of each descent with a picture a frame.
    pub frames_iterations: usize,
    /// Standard deviation of the measurement's noise, as a share of full scale.
    pub noise: f64,
}

impl VaryingZernikeConfig {
    /// For a measurement with this noise (standard deviation, full scale being 1).
    pub fn for_noise(noise: f64) -> Self {
        Self {
            starts: 128,
            pool: 40,
            refined: 10,
            trials: 8,
            trial_iterations: 400,
            still_iterations: 300,
            frames_iterations: 600,
            noise: noise.max(NOISE_FLOOR),
        }
    }

    fn check(&self) -> Result<(), SolverError> {
        let counts = [
            ("the number of starts", self.starts),
            ("the size of the pool", self.pool),
            ("the number of refined aberrations", self.refined),
            ("the number of trials", self.trials),
            ("the number of iterations", self.trial_iterations),
            ("the number of iterations", self.still_iterations),
            ("the number of iterations", self.frames_iterations),
        ];
        for (what, count) in counts {
            positive(what, count as f64)?;
        }
        positive("the noise level", self.noise)
    }
}

const STARTS_A_STEP: usize = 16;
/// Aberrations of a frame that are compared with those of others: refined ones, some of them
/// from the frames next to it where the path is smooth, and those of its own spectrum.
const REFINED_KEPT: usize = 6;
const NEIGHBOURS: usize = 4;
const NEIGHBOURS_KEPT: usize = 3;
const ALONE_KEPT: usize = 3;
/// Correlation of modulation transfers above which two refined aberrations are the same.
const SAME: f32 = 0.995;
/// Choices differ if this share of the frames has other point spread functions: less
/// alike than this within this many pixels.
const DIFFERENT_SHARE: f64 = 1.0 / 3.0;
const ALIKE: f64 = 0.95;
const ALIKE_PX: isize = 3;
/// Standard deviation of a smooth path's steps in radians, and how much a step away from it
/// counts beside the coherence, at most.
const STEP_RAD: f64 = 0.5;
const STEP_EVIDENCE: f64 = 0.5;
const MOST_SQUARES: f64 = 8.0;
/// The loss that a camera which moves must save to be believed.
const STAYS_SHARE: f64 = 0.87;
/// Where the loss bends in a trial and later, in units of the measurement, and in noise.
const TRIAL_BEND: f32 = 0.03;
const STILL_BEND: f32 = 0.02;
const NOISE_BEND: f32 = 3.0;
/// Descents with one picture after the trial, and with a picture a frame.
const STILL_ROUNDS: usize = 2;
const FRAMES_ROUNDS: usize = 3;
/// A frame is looked at again where it leaves this much more than most of the better third,
/// or than the noise.
const UNEXPLAINED: f64 = 1.15;
/// Random aberrations tried where a frame is looked at again, and how many fits are refined then
/// and otherwise.
const FRESH: usize = 512;
const REFITS: usize = 2;
const REPAIRS: usize = 8;

enum Phase {
    /// The pools of the frames so far, and the descents of the next one.
    Pools(Vec<Vec<Peak>>, Vec<Peak>),
    /// What is compared of the frames so far.
    Candidates(Box<Shared>, Vec<Vec<Hypothesis>>),
    /// What is compared of all frames, and the pairs so far.
    Pairs(Vec<Vec<Hypothesis>>, Vec<Pair>),
    /// Choices to be tried, how many iterations of the last, and the best so far.
    Trial(Vec<Joint>, usize, Option<Box<Joint>>),
    /// One picture for all frames: its round and iterations.
    Still(Box<Joint>, usize, usize),
    /// The same, each frame being looked for in turn.
    Refit(Box<Joint>, usize, usize),
    /// A picture a frame: its round and iterations.
    Frames(Box<Joint>, usize, usize),
    /// The same, each frame that is unexplained being looked for in turn, and how many were.
    Repair(Box<Joint>, usize, usize, usize),
    Over(Box<Joint>),
}

/// Finds ten Zernike coefficients a frame, the exposure and the scene.
pub struct VaryingZernike {
    search: ZernikeSearch,
    variation: Variation,
    config: VaryingZernikeConfig,
    measurement: Measurement,
    /// One a frame.
    whittles: Arc<[Whittle]>,
    /// Of each frame, once all are found.
    pools: Vec<Vec<Peak>>,
    coherence: Option<Coherence>,
    prior: SpaceTime,
    noise: Noise,
    phase: Phase,
    /// The model at the present estimate.
    model: ZernikeBlur,
    progress: Progress,
    /// Point spread functions when each frame had a picture of its own for the first time.
    early: Vec<Vec<f32>>,
    verdicts: Vec<FrameVerdict>,
    /// Of the coefficients, in radians, once there is a verdict.
    deviations: Vec<Option<f64>>,
}

impl VaryingZernike {
    /// # Errors
    /// A measurement of another shape, frames under 32 pixels a side or of an odd width, a
    /// measurement that is constant or not finite, settings out of range.
    pub fn new(
        search: ZernikeSearch,
        variation: Variation,
        measurement: Measurement,
        config: VaryingZernikeConfig,
        seed: u64,
    ) -> Result<Self, SolverError> {
        config.check()?;
        search.check(&measurement)?;
        let shape = search.shape;
        let frames = shape.frames;
        let steps = |iterations: usize| iterations.div_ceil(ITERATIONS_A_STEP);
        let total = frames * config.starts.div_ceil(STARTS_A_STEP)
            + frames
            + pairs(frames).len()
            + 2 * config.trials * steps(config.trial_iterations)
            + STILL_ROUNDS * (steps(config.still_iterations) + frames)
            + frames
            + FRAMES_ROUNDS * (steps(config.frames_iterations) + frames);
        let one = Shape::new(1, shape.height, shape.width);
        let whittles = measurement
            .values()
            .frames()
            .map(|frame| Whittle::new(&Clip::new(one, frame.to_vec())))
            .collect();
        Ok(Self {
            model: ZernikeBlur::new(shape, vec![0.0; frames * MODES.len()])?,
            whittles,
            pools: Vec::new(),
            coherence: None,
            prior: SpaceTime::default(),
            noise: Noise::seeded(seed),
            phase: Phase::Pools(Vec::new(), Vec::new()),
            progress: Progress {
                done: 0,
                total,
                residual_rms: f64::NAN,
            },
            early: Vec::new(),
            verdicts: Vec::new(),
            deviations: Vec::new(),
            search,
            variation,
            config,
            measurement,
        })
    }

    pub fn config(&self) -> &VaryingZernikeConfig {
        &self.config
    }

    /// What speaks against each frame's result, once the search is over.
    pub fn verdicts(&self) -> &[FrameVerdict] {
        &self.verdicts
    }

    fn best(&self) -> Option<&Joint> {
        match &self.phase {
            Phase::Pools(..) | Phase::Candidates(..) | Phase::Pairs(..) => None,
            Phase::Trial(.., Some(best)) => Some(best),
            Phase::Trial(waiting, ..) => waiting.last(),
            Phase::Still(joint, ..)
            | Phase::Refit(joint, ..)
            | Phase::Frames(joint, ..)
            | Phase::Repair(joint, ..)
            | Phase::Over(joint) => Some(joint),
        }
    }

    fn advance(&mut self) -> Result<(), SolverError> {
        // A step that fails changes nothing: what can fail works on a copy.
        let frames = self.search.shape.frames;
        match &mut self.phase {
            Phase::Pools(done, peaks) => {
                let whittle = &self.whittles[done.len()];
                let count = STARTS_A_STEP.min(self.config.starts - peaks.len());
                peaks.extend(pool::descend(whittle, &mut self.noise, count));
                if peaks.len() == self.config.starts {
                    let pool = pool::distinct(whittle, std::mem::take(peaks), self.config.pool);
                    if pool.is_empty() {
                        return Err(SolverError::Diverged {
                            step: self.progress.done + 1,
                            advice: "check the measurement for values that are huge",
                        });
                    }
                    done.push(pool);
                }
                if done.len() == frames {
                    self.pools = std::mem::take(done);
                    let alone = self.pools.iter().map(|pool| pool[0].point.clone());
                    let alone: Vec<Point> = alone.collect();
                    let shared = Shared::new(Arc::clone(&self.whittles), &alone);
                    self.coherence = Some(Coherence::new(&shared, self.measurement.values()));
                    self.phase = Phase::Candidates(Box::new(shared), Vec::new());
                }
            }
            Phase::Candidates(shared, done) => {
                let next = candidates(
                    shared,
                    &self.pools,
                    done.len(),
                    self.variation,
                    self.config.refined,
                );
                done.push(next);
                if done.len() == frames {
                    self.phase = Phase::Pairs(std::mem::take(done), Vec::new());
                }
            }
            Phase::Pairs(candidates, done) => {
                let all = pairs(frames);
                if let (Some(&(s, t)), Some(coherence)) = (all.get(done.len()), &self.coherence) {
                    done.push(coherence.compare_all((s, &candidates[s]), (t, &candidates[t])));
                }
                if done.len() >= all.len() {
                    let (candidates, pairs) = (std::mem::take(candidates), std::mem::take(done));
                    let trials = self.trials(&candidates, pairs);
                    let most = 2 * self.config.trials;
                    let steps = self.config.trial_iterations.div_ceil(ITERATIONS_A_STEP);
                    self.progress.done += most.saturating_sub(trials.len()) * steps;
                    self.phase = Phase::Trial(trials, 0, None);
                }
            }
            Phase::Trial(waiting, done, best) => {
                let (mut waiting, done, best) = (waiting.clone(), *done, best.clone());
                let total = self.config.trial_iterations;
                let end = (done + ITERATIONS_A_STEP).min(total);
                let Some(mut joint) = waiting.pop() else {
                    return Ok(());
                };
                self.descend(&mut joint, TRIAL, total, done..end)?;
                self.phase = if end < total {
                    waiting.push(joint);
                    Phase::Trial(waiting, end, best)
                } else {
                    let best = match best {
                        Some(best) if loss(&best) <= loss(&joint) => best,
                        _ => Box::new(joint),
                    };
                    match waiting.is_empty() {
                        true => Phase::Refit(best, 0, 0),
                        false => Phase::Trial(waiting, 0, Some(best)),
                    }
                };
            }
            Phase::Still(joint, round, done) => {
                let (mut joint, round, done) = (joint.clone(), *round, *done);
                let total = self.config.still_iterations;
                let end = (done + ITERATIONS_A_STEP).min(total);
                self.descend(&mut joint, STILL, total, done..end)?;
                self.phase = match end < total {
                    true => Phase::Still(joint, round, end),
                    false => Phase::Refit(joint, round, 0),
                };
            }
            Phase::Refit(joint, round, frame) => {
                let (mut joint, round, frame) = (joint.clone(), *round, *frame);
                self.refit(&mut joint, frame)?;
                self.phase = if frame + 1 < frames {
                    Phase::Refit(joint, round, frame + 1)
                } else if round < STILL_ROUNDS {
                    Phase::Still(Box::new(joint.restarted()), round + 1, 0)
                } else {
                    Phase::Frames(Box::new(joint.spread()), 0, 0)
                };
            }
            Phase::Frames(joint, round, done) => {
                let (mut joint, round, done) = (joint.clone(), *round, *done);
                let total = self.config.frames_iterations;
                let end = (done + ITERATIONS_A_STEP).min(total);
                self.descend(&mut joint, self.of_frames(round), total, done..end)?;
                if end < total {
                    self.phase = Phase::Frames(joint, round, end);
                } else {
                    if round == 0 {
                        self.early = joint.psfs();
                    }
                    self.phase = match round + 1 < FRAMES_ROUNDS {
                        true => Phase::Repair(joint, round, 0, 0),
                        false => Phase::Over(joint),
                    };
                }
            }
            Phase::Repair(joint, round, frame, repaired) => {
                let (mut joint, round, frame) = (joint.clone(), *round, *frame);
                let repaired = *repaired + usize::from(self.repair(&mut joint, frame)?);
                self.phase = if frame + 1 < frames {
                    Phase::Repair(joint, round, frame + 1, repaired)
                } else if round == 0 || repaired > 0 {
                    joint.calm();
                    Phase::Frames(joint, round + 1, 0)
                } else {
                    Phase::Over(joint)
                };
            }
            Phase::Over(_) => {}
        }
        if let Phase::Over(joint) = &mut self.phase
            && self.verdicts.is_empty()
        {
            match self.variation {
                Variation::Smooth => {
                    joint.align();
                    canonical(&mut joint.coefficients);
                }
                Variation::Free => joint
                    .coefficients
                    .chunks_exact_mut(MODES.len())
                    .for_each(canonical),
            }
            (self.verdicts, self.deviations) = verdict::judge(
                joint,
                &self.whittles,
                &self.pools,
                &self.early,
                self.config.noise,
            );
        }
        Ok(())
    }

    /// The best choices of a candidate a frame, each with a camera that stays and with one that
    /// moves; the best last.
    fn trials(&self, candidates: &[Vec<Hypothesis>], mut pairs: Vec<Pair>) -> Vec<Joint> {
        let Some(coherence) = &self.coherence else {
            return Vec::new();
        };
        let smooth = self.variation == Variation::Smooth;
        for pair in pairs
            .iter_mut()
            .filter(|p| smooth && p.second == p.first + 1)
        {
            let (first, second) = (&candidates[pair.first], &candidates[pair.second]);
            let both = first
                .iter()
                .flat_map(|a| second.iter().map(move |b| (a, b)));
            for (evidence, (a, b)) in pair.evidence.iter_mut().zip(both) {
                let squares = squares_apart(&a.coefficients, &b.coefficients).min(MOST_SQUARES);
                *evidence -= (STEP_EVIDENCE * squares) as f32;
            }
        }
        let psfs: Vec<Vec<Vec<f32>>> = candidates
            .iter()
            .zip(&*self.whittles)
            .map(|(list, whittle)| {
                let psf = |h: &Hypothesis| whittle.pupil.psf(&h.coefficients).values;
                list.iter().map(psf).collect()
            })
            .collect();
        let differ = |a: &[usize], b: &[usize]| -> bool {
            let other = |t: usize| {
                let (a, b) = (&psfs[t][a[t]], &psfs[t][b[t]]);
                super::verdict::similarity(a, b, ALIKE_PX) < ALIKE
            };
            let others = (0..a.len()).filter(|&t| a[t] != b[t] && other(t)).count();
            others as f64 >= DIFFERENT_SHARE * a.len() as f64
        };
        let counts: Vec<usize> = candidates.iter().map(Vec::len).collect();
        let mut kept: Vec<Vec<usize>> = Vec::new();
        for choice in coherence::choices(&counts, &pairs) {
            if kept.len() < self.config.trials && kept.iter().all(|other| differ(other, &choice)) {
                kept.push(choice);
            }
        }
        let mut trials = Vec::new();
        for choice in kept {
            let chosen: Vec<&Hypothesis> = choice
                .iter()
                .zip(candidates)
                .map(|(&pick, list)| &list[pick])
                .collect();
            let places = coherence.places(&chosen, &pairs);
            let mut coefficients = Vec::new();
            for (hypothesis, [down, right]) in chosen.iter().zip(places) {
                let start = coefficients.len();
                coefficients.extend_from_slice(&hypothesis.coefficients);
                coefficients[start + 1] = -right / PIXELS_PER_RADIAN;
                coefficients[start + 2] = -down / PIXELS_PER_RADIAN;
            }
            let light = self.search.light(self.lowest());
            let joint = |coefficients: Vec<f64>, canvas: Canvas| {
                let mut joint = Joint::new(self.measurement.clone(), coefficients, light, canvas);
                if smooth {
                    joint.align();
                }
                joint
            };
            let stays = Canvas::still(self.search.shape);
            trials.push(joint(coefficients.clone(), stays));
            if choice.len() > 1 {
                let moves = Canvas::passing(self.search.shape, &mut coefficients);
                trials.push(joint(coefficients, moves));
            }
        }
        trials.reverse();
        trials
    }

    fn lowest(&self) -> f64 {
        f64::from(self.measurement.values().range().0)
    }

    fn bend(&self, of: f32) -> f32 {
        of.max(NOISE_BEND * self.config.noise as f32)
    }

    fn step_rad(&self) -> Option<f64> {
        (self.variation == Variation::Smooth).then_some(STEP_RAD)
    }

    /// The descent with a picture a frame. Later rounds go on from scenes that are about right.
    fn of_frames(&self, round: usize) -> Plan {
        let last = NATS * self.config.noise * self.config.noise;
        let first = if round == 0 { FIRST_WEIGHT } else { 1e-3 };
        let first = first.max(last);
        Plan {
            weight: first,
            falls_to: last / first,
            bend: None,
            frozen: 0.4,
            coefficients: 0.02,
            camera_px: 0.01,
        }
    }

    /// Some iterations of `total`.
    fn descend(
        &self,
        joint: &mut Joint,
        plan: Plan,
        total: usize,
        iterations: std::ops::Range<usize>,
    ) -> Result<(), SolverError> {
        let mut model = joint.model()?;
        for i in iterations {
            let passed = i as f64 / total as f64;
            let slower = rate_share(passed);
            let free = if passed < plan.frozen { 0.0 } else { slower };
            let objective = Objective {
                weight: plan.weight * plan.falls_to.powf((passed / 0.7).min(1.0)),
                bend: plan.bend.map(|bend| self.bend(bend)),
                step_rad: self.step_rad(),
            };
            let rates = Rates {
                scene: 0.03 * slower as f32,
                coefficients: plan.coefficients * free,
                camera_px: plan.camera_px * free,
            };
            joint.step(&mut model, &self.prior, objective, rates)?;
        }
        Ok(())
    }

    /// Looks for a frame's aberration under the scene that all frames share.
    fn refit(&self, joint: &mut Joint, frame: usize) -> Result<(), SolverError> {
        const BETTER: f64 = 0.95;
        let shown = joint.full().frame(frame).to_vec();
        let known = self.known(joint, frame, shown);
        let present = known.fit(joint.of_frame(frame).to_vec())?;
        let found = self.look_again(&known, joint, frame, &[], REFITS)?;
        let better = match found.1 < BETTER * present.1 {
            true => found.0,
            false => present.0,
        };
        self.put(joint, frame, &better);
        Ok(())
    }

    /// Looks for an unexplained frame's aberration under the scene of the frames around that are
    /// explained; false where it is explained or where no other is.
    fn repair(&mut self, joint: &mut Joint, frame: usize) -> Result<bool, SolverError> {
        let rms = joint.residual_rms();
        let limit = self.unexplained(&rms);
        let explained = |t: &usize| rms[*t] <= limit;
        let before = (0..frame).rev().find(explained);
        let after = (frame + 1..rms.len()).find(explained);
        let Some((near, far)) = before.zip(after).or(before.or(after).map(|t| (t, t))) else {
            return Ok(false);
        };
        if explained(&frame) {
            return Ok(false);
        }
        let share = match near == far {
            true => 0.0,
            false => (frame - near) as f32 / (far - near) as f32,
        };
        let between = joint.scene.frame(near).iter().zip(joint.scene.frame(far));
        let between: Vec<f32> = between.map(|(a, b)| a + share * (b - a)).collect();
        joint.scene.frame_mut(frame).copy_from_slice(&between);
        let shown = joint.full().frame(frame).to_vec();
        let known = self.known(joint, frame, shown);
        let present = known.fit(joint.of_frame(frame).to_vec())?;
        let mut noise = self.noise.clone();
        let fresh: Vec<Vec<f64>> = (0..FRESH).map(|_| pool::start(&mut noise)).collect();
        let found = self.look_again(&known, joint, frame, &fresh, REPAIRS)?;
        self.noise = noise;
        let better = if found.1 < present.1 { found } else { present };
        self.put(joint, frame, &better.0);
        Ok(true)
    }

    /// Residuals above this are unexplained.
    fn unexplained(&self, rms: &[f64]) -> f64 {
        let mut sorted = rms.to_vec();
        sorted.sort_by(f64::total_cmp);
        UNEXPLAINED * sorted[sorted.len() / 3].max(self.config.noise)
    }

    fn known(&self, joint: &Joint, frame: usize, shown: Vec<f32>) -> Known {
        let shape = self.search.shape;
        Known {
            measured: self.measurement.frame(frame),
            scene: Clip::new(Shape::new(1, shape.height, shape.width), shown),
            light: joint.light,
            bend: self.bend(STILL_BEND),
        }
    }

    /// The best of a frame's pool, its present aberration, those next to it where the path is
    /// smooth, and others; with its loss.
    fn look_again(
        &self,
        known: &Known,
        joint: &Joint,
        frame: usize,
        others: &[Vec<f64>],
        refined: usize,
    ) -> Result<(Vec<f64>, f64), SolverError> {
        let pool = self.pools[frame].iter();
        let mut tried: Vec<Vec<f64>> = pool
            .flat_map(|peak| mirror_image(&peak.point.coefficients))
            .collect();
        tried.push(joint.of_frame(frame).to_vec());
        if self.variation == Variation::Smooth {
            let next = [frame.wrapping_sub(1), frame + 1];
            let next = next.into_iter().filter(|&t| t < joint.frames());
            tried.extend(next.map(|t| joint.of_frame(t).to_vec()));
        }
        tried.extend_from_slice(others);
        match &self.coherence {
            Some(coherence) => known.best(coherence, tried, refined),
            None => known.fit(joint.of_frame(frame).to_vec()),
        }
    }

    fn put(&self, joint: &mut Joint, frame: usize, coefficients: &[f64]) {
        joint.of_frame_mut(frame).copy_from_slice(coefficients);
        if self.variation == Variation::Smooth {
            joint.align();
        }
    }
}

/// A descent on the exact model.
#[derive(Clone, Copy)]
struct Plan {
    /// The prior's first weight, and the share of it that is left at last.
    weight: f64,
    falls_to: f64,
    /// Where the loss bends unless the noise is large; nowhere for least squares.
    bend: Option<f32>,
    /// The share of the iterations that move the pictures alone.
    frozen: f64,
    /// Rates in radians and pixels.
    coefficients: f64,
    camera_px: f64,
}

/// With one picture for all frames.
const TRIAL: Plan = Plan {
    weight: 3e-3,
    falls_to: 0.1,
    bend: Some(TRIAL_BEND),
    frozen: 0.25,
    coefficients: 0.03,
    camera_px: 0.015,
};
const STILL: Plan = Plan {
    weight: 1e-3,
    bend: Some(STILL_BEND),
    frozen: 0.3,
    ..TRIAL
};

/// What a trial is judged by.
fn loss(trial: &Joint) -> f64 {
    let share = if trial.canvas.moves() {
        STAYS_SHARE
    } else {
        1.0
    };
    trial.loss() / share
}

/// Frames that are compared.
fn pairs(frames: usize) -> Vec<(usize, usize)> {
    let with = |s: usize| s + 1..frames.min(s + 1 + coherence::REACH_FRAMES);
    (0..frames)
        .flat_map(|s| with(s).map(move |t| (s, t)))
        .collect()
}

/// What is compared of a frame: different aberrations with their mirror images.
fn candidates(
    shared: &Shared,
    pools: &[Vec<Peak>],
    frame: usize,
    variation: Variation,
    refined: usize,
) -> Vec<Hypothesis> {
    let of = |t: usize, count: usize| {
        let peaks = pools[t].iter().take(count);
        peaks.map(|peak| peak.point.coefficients.clone())
    };
    let mut starts: Vec<Vec<f64>> = of(frame, refined).collect();
    let mut most = REFINED_KEPT;
    if variation == Variation::Smooth {
        for t in [frame.wrapping_sub(1), frame + 1] {
            if t < pools.len() {
                starts.extend(of(t, NEIGHBOURS));
                most += NEIGHBOURS_KEPT;
            }
        }
    }
    let mut descended: Vec<(Vec<f64>, f64)> = starts
        .into_par_iter()
        .map(|start| shared.descend(frame, start))
        .collect();
    descended.sort_by(|a, b| a.1.total_cmp(&b.1));
    let whittle = &shared.whittles[frame];
    let descended = descended.into_iter().map(|(coefficients, _)| coefficients);
    let kept = pool::different(whittle, descended, Vec::as_slice, SAME, most);
    kept.into_iter()
        .chain(of(frame, ALONE_KEPT))
        .flat_map(|coefficients| mirror_image(&coefficients))
        .map(|coefficients| Hypothesis::new(whittle, coefficients))
        .collect()
}

/// The squared distance of two aberrations in radians, but for tilt, which moves the picture.
fn squares_between(a: &[f64], b: &[f64]) -> f64 {
    (3..MODES.len()).map(|k| (a[k] - b[k]).powi(2)).sum()
}

/// The same, but for the sign of even modes too, which changes nothing.
fn squares_apart(a: &[f64], b: &[f64]) -> f64 {
    squares_between(a, b).min(squares_between(a, &turned(b)))
}

impl Solver for VaryingZernike {
    fn name(&self) -> &'static str {
        "instant"
    }

    fn progress(&self) -> Progress {
        self.progress
    }

    fn step(&mut self) -> Result<Progress, SolverError> {
        if self.progress.is_finished() {
            return Ok(self.progress);
        }
        self.advance()?;
        if let Some(best) = self.best() {
            let coefficients = best.coefficients.clone();
            let squares = best.residual_rms().iter().map(|r| r * r).sum::<f64>();
            self.progress.residual_rms = (squares / best.frames() as f64).sqrt();
            self.model.set_parameters(&coefficients)?;
        }
        self.progress.done = match &self.phase {
            // Fewer trials and repairs than planned finish early.
            Phase::Over(_) => self.progress.total,
            _ => (self.progress.done + 1).min(self.progress.total - 1),
        };
        Ok(self.progress)
    }

    fn estimate(&self) -> Clip {
        let Some(best) = self.best() else {
            return self.model.first_guess(self.measurement.values());
        };
        let scene = best.full();
        let scale = 1.0 / brightest(&scene);
        scene.map(|v| (v * scale).max(0.0))
    }

    fn exposure(&self) -> (f64, f64) {
        let Some(best) = self.best() else {
            let light = self.search.light(self.lowest());
            return (f64::from(light.gain), light.offset);
        };
        let scale = brightest(&best.full());
        (
            f64::from(best.light.gain) * f64::from(scale),
            best.light.offset,
        )
    }

    fn model(&self) -> &dyn ForwardModel {
        &self.model
    }

    fn findings(&self) -> Vec<Finding> {
        if self.verdicts.is_empty() {
            return Vec::new();
        }
        let doubts: Vec<Vec<String>> = self.verdicts.iter().map(FrameVerdict::doubts).collect();
        findings(&self.model, &self.deviations, |i| {
            doubts[i / MODES.len()].clone()
        })
    }

    fn notes(&self) -> Vec<String> {
        let sign = match self.variation {
            Variation::Free => {
                "in each frame, flipping the signs of all coefficients of even n (piston, \
                 astigmatism, defocus) gives the same point spread function; the solution with \
                 defocus above 0 is given"
            }
            Variation::Smooth => {
                "flipping the signs of all coefficients of even n (piston, astigmatism, defocus) \
                 in all frames gives the same point spread functions; the solution with defocus \
                 above 0 on average is given"
            }
        };
        let mut notes = vec![
            sign.to_owned(),
            "piston changes nothing and is given as 0".to_owned(),
            "tilt and tip shift the picture: a scene that moves as a whole is told from them by \
             the frame's border alone, and they have no interval"
                .to_owned(),
        ];
        if let Some(best) = self.best().filter(|best| best.canvas.moves()) {
            let [right, down] = best.canvas.motion_px();
            notes.push(format!(
                "the scene, or most of it, is taken to move by {right:.2} columns and {down:.2} \
                 rows a frame"
            ));
        }
        notes.extend(self.search.note(self.exposure()));
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes::Scene;
    use crate::solver::Exposure;

    const SHAPE: Shape = Shape::new(3, 32, 32);

    fn measurement() -> Measurement {
        let mut noise = Noise::seeded(3);
        let truth: Vec<f64> = (0..30).map(|_| 0.7 * noise.normal()).collect();
        let y = ZernikeBlur::new(SHAPE, truth).unwrap();
        let y = y.apply(&Scene::Leaves.render(SHAPE, 1));
        let (low, high) = y.range();
        Measurement::exact(y.map(|v| (v - low) / (high - low)))
    }

    fn search() -> ZernikeSearch {
        ZernikeSearch {
            shape: SHAPE,
            exposure: Exposure::Fitted,
        }
    }

    fn brief() -> VaryingZernikeConfig {
        VaryingZernikeConfig {
            starts: 10,
            pool: 4,
            refined: 3,
            trials: 2,
            trial_iterations: 30,
            still_iterations: 25,
            frames_iterations: 25,
            ..VaryingZernikeConfig::for_noise(1e-3)
        }
    }

    fn run(variation: Variation, seed: u64) -> VaryingZernike {
        let solver = VaryingZernike::new(search(), variation, measurement(), brief(), seed);
        let mut solver = solver.unwrap();
        let mut last = 0;
        loop {
            let progress = solver.step().unwrap();
            assert!(progress.done > last && progress.total == solver.total_steps());
            last = progress.done;
            assert_eq!(solver.estimate().shape(), SHAPE);
            let (low, high) = solver.estimate().range();
            assert!(low >= 0.0 && high <= 1.0);
            if progress.is_finished() {
                return solver;
            }
        }
    }

    #[test]
    fn a_seed_gives_the_same_result_and_reports_it() {
        for variation in [Variation::Free, Variation::Smooth] {
            let (a, b) = (run(variation, 1), run(variation, 1));
            assert_eq!(a.estimate(), b.estimate());
            assert_eq!(a.findings(), b.findings());
            assert_eq!(a.verdicts().len(), SHAPE.frames);
            assert_eq!(a.findings().len(), SHAPE.frames * MODES.len());
            assert_ne!(run(variation, 2).findings(), a.findings());
            let findings = a.findings();
            let defocus: Vec<f64> = (0..3)
                .map(|t| findings[10 * t + 4].parameter.value)
                .collect();
            match variation {
                Variation::Free => assert!(defocus.iter().all(|&d| d >= 0.0)),
                Variation::Smooth => assert!(defocus.iter().sum::<f64>() >= 0.0),
            }
            // The exposure belongs to the estimate.
            let (gain, offset) = a.exposure();
            let predicted = a.model().apply(&a.estimate());
            let predicted = predicted.map(|v| (gain * f64::from(v) + offset) as f32);
            let residual = measurement().residual(&predicted);
            assert!(crate::solver::rms(residual.data()) < 0.1);
        }
    }

    #[test]
    fn after_the_last_step_nothing_changes() {
        let mut solver = run(Variation::Free, 3);
        let (estimate, progress) = (solver.estimate(), solver.progress);
        assert_eq!(solver.step().unwrap(), progress);
        assert_eq!(solver.estimate(), estimate);
    }

    #[test]
    fn one_frame_is_no_exception() {
        let shape = Shape::new(1, 32, 32);
        let search = ZernikeSearch { shape, ..search() };
        let one = measurement().frame(0);
        let mut solver = VaryingZernike::new(search, Variation::Free, one, brief(), 1).unwrap();
        while !solver.step().unwrap().is_finished() {}
        assert_eq!(solver.findings().len(), MODES.len());
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let refused = |config| {
            let solver = VaryingZernike::new(search(), Variation::Free, measurement(), config, 0);
            solver.err().expect("a refusal").to_string()
        };
        let none = VaryingZernikeConfig {
            trials: 0,
            ..brief()
        };
        assert!(refused(none).contains("trials"));
        let silent = VaryingZernikeConfig {
            noise: 0.0,
            ..brief()
        };
        assert!(refused(silent).contains("noise"));
    }

    #[test]
    fn signs_that_change_nothing_are_no_distance() {
        let a = [0.0, 0.3, -0.2, 0.5, 1.0, -0.4, 0.3, 0.2, -0.3, 0.4];
        let b = turned(&a);
        assert_eq!(squares_apart(&a, &b), 0.0);
        let pupil = crate::physics::zernike::Pupil::new();
        let (a_psf, b_psf) = (pupil.psf(&a).values, pupil.psf(&b).values);
        let off = a_psf.iter().zip(&b_psf).map(|(a, b)| (a - b).abs());
        assert!(off.fold(0.0, f32::max) < 1e-6);
        let mut path = [a.to_vec(), b.clone(), b].concat();
        canonical(&mut path);
        assert!(path[4] < 0.0 && path[14] > 0.0);
    }
}
