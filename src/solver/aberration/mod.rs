//! Blind aberrations: the pupil's Zernike coefficients, the exposure and the scene together.
//!
//! Descent on everything at once ends in the solution without blur. The way round it is to
//! look for the aberration first where the scene hardly matters:
//!
//! 1. the **spectrum** of the measurement knows the modulation transfer: descents from many
//!    random starts on a heavy-tailed Whittle likelihood give a pool of
//!    different aberrations;
//! 2. the **border**, beyond which the scene is zero, knows what a spectrum does not: which of
//!    the two mirror images the point spread function is, and its tilt. Each aberration of the
//!    pool is tried with both, on the mean frame, at a few tilts, briefly;
//! 3. the best are refined together with a scene and a concave prior, first on the mean frame,
//!    then on the clip, and **ranked by their posterior**, which tells right from wrong only once
//!    the coefficients are close to right;
//! 4. the first of them, and those whose score is close, **play off**: the tilt is looked for
//!    again ([`scan`]), and they are refined to the noise. There the log-determinant of the
//!    measurement's covariance counts, too: the one best scene alone would underestimate the blur;
//! 5. the winner is refined once more, its scene started anew.
//!
//! [`Verdict`] says what speaks against the result.

// Stencils and matrices read more clearly by index.
#![allow(clippy::needless_range_loop)]

mod contest;
mod joint;
mod playoff;
mod pool;
mod scan;
mod score;
mod search;
mod spectrum;
mod varying;
mod verdict;
mod whittle;

use std::f64::consts::PI;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::adam::rate_share;
use crate::clip::{Clip, Shape};
use crate::noise::Noise;
use crate::physics::zernike::{MODES, PSF_SIZE, Pupil};
use crate::physics::{ForwardModel, ZernikeBlur};
use crate::prior::SpaceTime;

use super::{Finding, Measurement, Progress, Solver, SolverError, positive};
use joint::{Joint, Light, NATS, Rates};
use playoff::Playoff;
use pool::Peak;
use scan::Scan;
pub use search::{Exposure, ZernikeSearch};
pub use varying::{FrameVerdict, Variation, VaryingZernike, VaryingZernikeConfig};
pub use verdict::Verdict;
use whittle::{Point, Whittle};

/// Settings of [`BlindZernike`]; the defaults were chosen on generated scenes,
/// with the published clips in view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlindZernikeConfig {
    /// Random starts of the spectral search.
    pub starts: usize,
    /// Different aberrations that are tried against the border.
    pub pool: usize,
    /// Hypotheses that are refined on the mean frame.
    pub contenders: usize,
    /// Hypotheses that are refined on the clip.
    pub finalists: usize,
    /// Iterations of each finalist, and of each of the last two refinements.
    pub finalist_iterations: usize,
    pub winner_iterations: usize,
    /// Standard deviation of the measurement's noise, as a share of full scale.
    pub noise: f64,
}

impl BlindZernikeConfig {
    /// For a measurement with this noise (standard deviation, full scale being 1).
    pub fn for_noise(noise: f64) -> Self {
        Self {
            starts: 1200,
            pool: 80,
            contenders: 32,
            finalists: 12,
            finalist_iterations: 600,
            winner_iterations: 1200,
            noise: noise.max(NOISE_FLOOR),
        }
    }

    fn check(&self) -> Result<(), SolverError> {
        let counts = [
            ("the number of starts", self.starts),
            ("the size of the pool", self.pool),
            ("the number of contenders", self.contenders),
            ("the number of finalists", self.finalists),
            ("the number of iterations", self.finalist_iterations),
            ("the number of iterations", self.winner_iterations),
        ];
        for (what, count) in counts {
            positive(what, count as f64)?;
        }
        positive("the noise level", self.noise)
    }

    /// The prior's weight at the noise.
    fn weight(&self) -> f64 {
        NATS * self.noise * self.noise
    }
}

/// Smallest noise assumed: 1e-4 of full scale.
const NOISE_FLOOR: f64 = 1e-4;
/// Weights of the prior at which hypotheses are compared while their scenes are coarse.
const FIRST_WEIGHT: f64 = 1e-2;
const COARSE_WEIGHT: f64 = 1e-3;
const MIDDLE_WEIGHT: f64 = 1e-4;
/// A spectrum less likely by this many nats marks a refinement that led astray.
const ASTRAY_NATS: f64 = 10.0;
/// Pixels that a tilt of one radian moves the picture: the pupil's 32 samples over [-1, 1],
/// transformed to 64.
const PIXELS_PER_RADIAN: f64 = 64.0 / (PI * (PSF_SIZE as f64 - 1.0));
/// Standard deviation of a coefficient, in radians.
const COEFFICIENT_RAD: f64 = 2.0;
/// How much more the spectrum counts than its likelihood: it holds the coefficients while the
/// scene, not yet converged, pulls them toward less blur.
const SPECTRAL_SHARE: f64 = 10.0;
/// How much more than once the log-determinant counts in the last refinements: the prior, too,
/// counts each frame's changes several times.
const VOLUME: f64 = 6.0;
/// Residual over noise that the prior's weight is set for, and the least weight's share.
const LEFT: f64 = 0.9;
const EASED: f64 = 0.1;
/// Shift, in pixels, up to which point spread functions are the same.
const REACH_PX: isize = 6;
/// Starts, hypotheses, contenders and iterations in one step.
const STARTS_A_STEP: usize = 12;
const HYPOTHESES_A_STEP: usize = 4;
const CONTENDERS_A_STEP: usize = 4;
const ITERATIONS_A_STEP: usize = 20;

enum Phase {
    /// Descents so far.
    Search(Vec<Peak>),
    /// What is left of the pool, mirrored too, and what was found of the others.
    Border(Vec<Peak>, Vec<Ranked>),
    /// The contenders left, and what was found of the others.
    Contest(Vec<Ranked>, Vec<Ranked>),
    /// Finalists, and which of them is being refined for how many iterations.
    Final(Vec<Ranked>, usize, usize),
    /// A player's place among tilts, the player, the others, and the player's iterations.
    Place(Scan, Box<Ranked>, Playoff, usize),
    /// A player, the others, and the player's iterations: the first half in the playoff, the
    /// second as its winner.
    Refine(Box<Ranked>, Playoff, usize),
}

/// A hypothesis with what speaks against it.
#[derive(Clone)]
struct Ranked {
    score: f64,
    joint: Joint,
    /// Whether its coefficients stay as they are.
    held: bool,
    /// What the prior's last weight is multiplied by.
    eased: f64,
}

impl Ranked {
    /// Whether its point spread function is the same, but for a shift.
    fn is_like(&self, other: &Self) -> bool {
        let pupil = Pupil::new();
        let psf = |ranked: &Self| pupil.psf(&ranked.joint.point.coefficients).values;
        verdict::similarity(&psf(self), &psf(other), REACH_PX) >= 0.95
    }

    /// A prior that leaves more of the measurement than its noise is too strong for the scene;
    /// what it smooths away would be taken for less blur.
    fn ease(&mut self, noise: f64) {
        let left = self.joint.residual_rms() / noise;
        let by = if left > LEFT { 0.9 } else { 1.05 };
        self.eased = (self.eased * by).clamp(EASED, 1.0);
    }
}

/// Finds a static aberration of up to a few waves, its exposure and the scene.
pub struct BlindZernike {
    search: ZernikeSearch,
    config: BlindZernikeConfig,
    measurement: Measurement,
    mean: Measurement,
    lowest: f64,
    whittle: Whittle,
    prior: SpaceTime,
    noise: Noise,
    phase: Phase,
    /// The model at the best hypothesis.
    model: ZernikeBlur,
    progress: Progress,
    best_spectral: f64,
    verdict: Option<Verdict>,
    /// Of the coefficients, in radians, once there is a verdict.
    deviations: Vec<Option<f64>>,
}

impl BlindZernike {
    /// # Errors
    /// A measurement of another shape, frames under 32 pixels a side or
    /// of an odd width, a measurement that is constant or not finite, settings out of range.
    pub fn new(
        search: ZernikeSearch,
        measurement: Measurement,
        config: BlindZernikeConfig,
        seed: u64,
    ) -> Result<Self, SolverError> {
        config.check()?;
        search.check(&measurement)?;
        let shape = search.shape;
        let model = ZernikeBlur::new(shape, vec![0.0; MODES.len()])?;
        let steps = config.starts.div_ceil(STARTS_A_STEP)
            + (2 * config.pool).div_ceil(HYPOTHESES_A_STEP)
            + config.contenders.div_ceil(CONTENDERS_A_STEP)
            + config.finalists * config.finalist_iterations.div_ceil(ITERATIONS_A_STEP)
            + Playoff::MOST * Playoff::steps_a_player(&config)
            + config.winner_iterations.div_ceil(ITERATIONS_A_STEP)
            + 2 * Scan::CLOSE;
        let mean = mean_frame(measurement.values());
        let whittle = Whittle::new(measurement.values());
        Ok(Self {
            whittle,
            prior: SpaceTime::default(),
            noise: Noise::seeded(seed),
            phase: Phase::Search(Vec::new()),
            model,
            progress: Progress {
                done: 0,
                total: steps,
                residual_rms: f64::NAN,
            },
            best_spectral: f64::INFINITY,
            verdict: None,
            deviations: Vec::new(),
            lowest: f64::from(measurement.values().range().0),
            mean: Measurement::exact(mean),
            search,
            config,
            measurement,
        })
    }

    pub fn config(&self) -> &BlindZernikeConfig {
        &self.config
    }

    /// The point spread function of the best hypothesis: 32 x 32 intensities, row after row.
    pub fn psf(&self) -> Vec<f32> {
        self.model.psfs().next().unwrap_or(&[]).to_vec()
    }

    fn light(&self) -> Light {
        self.search.light(self.lowest)
    }

    fn best(&self) -> Option<&Ranked> {
        let lowest = |list: &'_ [Ranked]| -> Option<usize> {
            let order = |&a: &usize, &b: &usize| list[a].score.total_cmp(&list[b].score);
            (0..list.len()).min_by(order)
        };
        match &self.phase {
            Phase::Search(_) => None,
            Phase::Border(_, found) => lowest(found).map(|i| &found[i]),
            Phase::Contest(_, found) if !found.is_empty() => lowest(found).map(|i| &found[i]),
            Phase::Contest(waiting, _) => waiting.last(),
            Phase::Final(list, at, _) => list.get(*at).or_else(|| list.first()),
            Phase::Place(_, player, ..) | Phase::Refine(player, ..) => Some(player),
        }
    }

    fn on_mean_frame(&self, point: Point) -> Ranked {
        Ranked {
            score: f64::INFINITY,
            joint: Joint::new(self.mean.clone(), point, self.light(), self.lowest),
            held: false,
            eased: 1.0,
        }
    }

    /// A whole descent on the mean frame.
    fn refine(&self, ranked: &mut Ranked, descent: &Descent) -> Result<(), SolverError> {
        let mut model = ranked.joint.model()?;
        for i in 0..descent.iterations {
            self.iterate(&mut ranked.joint, &mut model, descent, i)?;
        }
        Ok(())
    }

    fn iterate(
        &self,
        joint: &mut Joint,
        model: &mut ZernikeBlur,
        descent: &Descent,
        i: usize,
    ) -> Result<(), SolverError> {
        let (weight, rates) = descent.at(i);
        joint.step(model, &self.prior, &self.whittle, weight, rates)
    }

    fn finalist_descent(&self) -> Descent {
        Descent {
            iterations: self.config.finalist_iterations,
            weights: (FIRST_WEIGHT, self.config.weight()),
            scene: 0.03,
            coefficients: 0.02,
            tilt: 0.002,
            fallen: 0.4,
            frozen: 0.4,
            share: SPECTRAL_SHARE,
            volume: 0.0,
        }
    }

    fn player_descent(&self, player: &Ranked) -> Descent {
        let descent = self.finalist_descent();
        let (first, last) = descent.weights;
        Descent {
            iterations: self.config.winner_iterations,
            weights: (first, player.eased * last),
            frozen: if player.held { 1.0 } else { 0.5 },
            volume: VOLUME,
            tilt: 0.006,
            ..descent
        }
    }

    fn advance(&mut self) -> Result<(), SolverError> {
        // The phase is replaced as the last thing, so that a step that fails changes nothing.
        match &self.phase {
            Phase::Search(peaks) => {
                let mut noise = self.noise.clone();
                let count = STARTS_A_STEP.min(self.config.starts - peaks.len());
                let mut peaks = peaks.clone();
                peaks.extend(pool::descend(&self.whittle, &mut noise, count));
                self.noise = noise;
                self.phase = if peaks.len() < self.config.starts {
                    Phase::Search(peaks)
                } else {
                    let pool = pool::distinct(&self.whittle, peaks, self.config.pool);
                    if pool.is_empty() {
                        return Err(SolverError::Diverged {
                            step: self.progress.done + 1,
                            advice: "check the measurement for values that are huge",
                        });
                    }
                    self.best_spectral = pool[0].value;
                    let waiting = pool.iter().flat_map(mirrored).rev().collect();
                    Phase::Border(waiting, Vec::new())
                };
            }
            Phase::Border(waiting, found) => {
                let (mut waiting, mut found) = (waiting.clone(), found.clone());
                let rest = waiting.len().saturating_sub(HYPOTHESES_A_STEP);
                found.extend(self.try_border(&waiting.split_off(rest))?);
                self.phase = if waiting.is_empty() {
                    let mut contenders = contest::distinct(found, REACH_PX, self.config.contenders);
                    contenders.reverse();
                    Phase::Contest(contenders, Vec::new())
                } else {
                    Phase::Border(waiting, found)
                };
            }
            Phase::Contest(waiting, found) => {
                let (mut waiting, mut found) = (waiting.clone(), found.clone());
                let rest = waiting.len().saturating_sub(CONTENDERS_A_STEP);
                let next = waiting.split_off(rest);
                let tried: Result<Vec<Ranked>, SolverError> = next
                    .into_par_iter()
                    .map(|one| self.try_contender(one))
                    .collect();
                found.extend(tried?);
                self.phase = if waiting.is_empty() {
                    Phase::Final(self.finalists(found), 0, 0)
                } else {
                    Phase::Contest(waiting, found)
                };
            }
            Phase::Final(list, at, done) => {
                let (mut list, mut at, mut done) = (list.clone(), *at, *done);
                let descent = self.finalist_descent();
                let mut model = list[at].joint.model()?;
                let end = (done + ITERATIONS_A_STEP).min(descent.iterations);
                for i in done..end {
                    self.iterate(&mut list[at].joint, &mut model, &descent, i)?;
                }
                done = end;
                if done == descent.iterations {
                    list[at].score = self.settled_score(&list[at].joint)?;
                    (at, done) = (at + 1, 0);
                }
                self.phase = if at == list.len() {
                    list.sort_by(|a, b| a.score.total_cmp(&b.score));
                    let scan = Scan::of_frame(&list[0].joint);
                    let first = Box::new(list[0].clone());
                    let playoff = Playoff::new(list);
                    self.progress.done += playoff.absent() * Playoff::steps_a_player(&self.config);
                    Phase::Place(scan, first, playoff, 0)
                } else {
                    Phase::Final(list, at, done)
                };
            }
            Phase::Place(scan, player, playoff, done) => {
                let (mut scan, mut player) = (scan.clone(), player.clone());
                scan.advance(self)?;
                let over = *done == 2 * self.config.winner_iterations;
                if scan.is_finished() && over {
                    self.verdict = Some(self.judge(&player, playoff, &scan));
                    self.deviations = self.whittle.deviations(&player.joint.point);
                    canonical(&mut player.joint.point.coefficients);
                } else if scan.is_finished() {
                    player.joint.point.coefficients[1..3].copy_from_slice(&scan.best());
                    if let Some(next) = scan.next(&player.joint) {
                        scan = next;
                    } else {
                        player.joint.restart();
                        self.phase = Phase::Refine(player, playoff.clone(), *done);
                        return Ok(());
                    }
                }
                self.phase = Phase::Place(scan, player, playoff.clone(), *done);
            }
            Phase::Refine(player, playoff, done) => {
                let (mut player, mut playoff, done) = (player.clone(), playoff.clone(), *done);
                let descent = self.player_descent(&player);
                let mut model = player.joint.model()?;
                let rest = descent.iterations - done % descent.iterations;
                let end = done + ITERATIONS_A_STEP.min(rest);
                for i in done..end {
                    let i = i % descent.iterations;
                    self.iterate(&mut player.joint, &mut model, &descent, i)?;
                }
                // Once the weight has fallen, the first time round.
                let fallen = descent.fallen * descent.iterations as f64;
                if end <= descent.iterations && (end - 1) as f64 > fallen {
                    player.ease(self.config.noise);
                }
                self.phase = if end == descent.iterations {
                    self.undo_if_astray(&mut player, playoff.origin());
                    player.score = self.settled_score(&player.joint)?;
                    match playoff.next(*player) {
                        Some(next) => Phase::Place(Scan::of_frame(&next.joint), next, playoff, 0),
                        None => {
                            let winner = playoff.winner();
                            Phase::Place(Scan::close_by(&winner.joint), winner, playoff, end)
                        }
                    }
                } else if end == 2 * descent.iterations {
                    Phase::Place(Scan::close_by(&player.joint), player, playoff, end)
                } else {
                    Phase::Refine(player, playoff, end)
                };
            }
        }
        Ok(())
    }

    /// Undoes a refinement that led astray, so that only the scene is refined.
    fn undo_if_astray(&self, player: &mut Ranked, origin: &Ranked) {
        let spectral = |joint: &Joint| self.whittle.value(&joint.point);
        if spectral(&player.joint) > spectral(&origin.joint) + ASTRAY_NATS {
            player.joint.point = origin.joint.point.clone();
            player.joint.light = origin.joint.light;
            player.held = true;
        }
    }

    fn judge(&self, winner: &Ranked, playoff: &Playoff, scan: &Scan) -> Verdict {
        let pupil = Pupil::new();
        let psf = |ranked: &Ranked| pupil.psf(&ranked.joint.point.coefficients).values;
        let spectral = self.whittle.value(&winner.joint.point);
        Verdict {
            residual: winner.joint.residual_rms() / self.config.noise,
            rival: playoff.lead(winner),
            spectral: spectral - self.best_spectral,
            held: winner.held,
            moved: verdict::similarity(&psf(playoff.origin()), &psf(winner), REACH_PX),
            tilt: scan.margin(),
        }
    }

    /// What speaks against the result, once the search is over.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }
}

/// A descent's plan.
#[derive(Clone, Copy)]
struct Descent {
    iterations: usize,
    /// The prior's weight at first and at last, and the share of the iterations that it falls in.
    weights: (f64, f64),
    fallen: f64,
    scene: f32,
    coefficients: f64,
    tilt: f64,
    /// The share of the iterations that move the scene alone.
    frozen: f64,
    /// What the spectrum's likelihood and the log-determinant count.
    share: f64,
    volume: f64,
}

impl Descent {
    /// All but the scene of a mean frame rests.
    fn of_scene(iterations: usize, weights: (f64, f64), fallen: f64) -> Self {
        Self {
            iterations,
            weights,
            fallen,
            scene: 0.06,
            coefficients: 0.0,
            tilt: 0.0,
            frozen: 1.0,
            share: 0.0,
            volume: 0.0,
        }
    }

    fn at(&self, i: usize) -> (f64, Rates) {
        let passed = i as f64 / self.iterations as f64;
        let (first, last) = self.weights;
        let first = first.max(last);
        let weight = first * (last / first).powf((passed / self.fallen).min(1.0));
        let slower = rate_share(passed);
        let free = if passed < self.frozen { 0.0 } else { slower };
        let rates = Rates {
            scene: self.scene * slower as f32,
            coefficients: self.coefficients * free,
            tilt: self.tilt * free,
            share: self.share,
            volume: self.volume,
        };
        (weight, rates)
    }
}

/// Coefficients, and those whose point spread function is the mirror image.
fn mirror_image(coefficients: &[f64]) -> [Vec<f64>; 2] {
    let modes = coefficients.iter().zip(&MODES);
    let other = modes.map(|(c, mode)| if mode.n % 2 == 1 { -c } else { *c });
    [coefficients.to_vec(), other.collect()]
}

/// An aberration, and the one whose point spread function is the mirror image.
fn mirrored(peak: &Peak) -> [Peak; 2] {
    mirror_image(&peak.point.coefficients).map(|coefficients| {
        let mut peak = peak.clone();
        peak.point.coefficients = coefficients;
        peak
    })
}

/// The other coefficients with the same point spread function: all even modes turned round.
fn turned(coefficients: &[f64]) -> Vec<f64> {
    let modes = coefficients.iter().zip(&MODES);
    modes
        .map(|(c, mode)| if mode.n % 2 == 0 { -c } else { *c })
        .collect()
}

/// Of the two coefficient sets with the same point spread functions, ten or ten a frame, that
/// with defocus above 0 on the whole.
fn canonical(coefficients: &mut [f64]) {
    let count = MODES.len();
    let defocus = MODES.iter().position(|mode| (mode.n, mode.m) == (2, 0));
    let sum: f64 = defocus.map_or(0.0, |k| coefficients.iter().skip(k).step_by(count).sum());
    for frame in coefficients.chunks_exact_mut(count) {
        if sum < 0.0 {
            let other = turned(frame);
            frame.copy_from_slice(&other);
        }
        frame[0] = 0.0;
    }
}

/// Coefficients with their intervals, and what speaks against each by its place.
fn findings(
    model: &ZernikeBlur,
    deviations: &[Option<f64>],
    doubts: impl Fn(usize) -> Vec<String>,
) -> Vec<Finding> {
    let parameters = model.parameters().into_iter().zip(deviations);
    parameters
        .enumerate()
        .map(|(i, (parameter, deviation))| Finding {
            interval: deviation.map(|d| {
                let half = 1.96 * d;
                (parameter.value - half, parameter.value + half)
            }),
            parameter,
            doubts: doubts(i),
        })
        .collect()
}

fn mean_frame(clip: &Clip) -> Clip {
    let shape = clip.shape();
    let mut mean = vec![0.0f32; shape.frame_len()];
    for frame in clip.frames() {
        mean.iter_mut().zip(frame).for_each(|(m, v)| *m += v);
    }
    let scale = 1.0 / shape.frames as f32;
    mean.iter_mut().for_each(|m| *m *= scale);
    Clip::new(Shape::new(1, shape.height, shape.width), mean)
}

/// What a scene of free brightness is divided by to stay within [0, 1].
fn brightest(clip: &Clip) -> f32 {
    clip.range().1.max(1.0)
}

impl Solver for BlindZernike {
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
        if self.verdict.is_none() {
            self.advance()?;
        }
        if let Some(best) = self.best() {
            let coefficients = best.joint.point.coefficients.clone();
            let residual = best.joint.residual_rms();
            self.model.set_parameters(&coefficients)?;
            self.progress.residual_rms = residual;
        }
        self.progress.done = match self.verdict {
            // Smaller pools than planned finish early.
            Some(_) => self.progress.total,
            None => (self.progress.done + 1).min(self.progress.total - 1),
        };
        Ok(self.progress)
    }

    fn estimate(&self) -> Clip {
        let Some(best) = self.best() else {
            return self.model.first_guess(self.measurement.values());
        };
        let estimate = &best.joint.estimate;
        let scale = 1.0 / brightest(estimate);
        let one = estimate.map(|v| v * scale);
        if one.shape() == self.search.shape {
            return one;
        }
        Clip::new(
            self.search.shape,
            one.data().repeat(self.search.shape.frames),
        )
    }

    fn exposure(&self) -> (f64, f64) {
        let Some(best) = self.best() else {
            let light = self.light();
            return (f64::from(light.gain), light.offset);
        };
        let scale = brightest(&best.joint.estimate);
        let light = best.joint.light;
        (f64::from(light.gain) * f64::from(scale), light.offset)
    }

    fn model(&self) -> &dyn ForwardModel {
        &self.model
    }

    fn findings(&self) -> Vec<Finding> {
        let Some(verdict) = &self.verdict else {
            return Vec::new();
        };
        let doubts = verdict.doubts();
        findings(&self.model, &self.deviations, |_| doubts.clone())
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = vec![
            "flipping the signs of all coefficients of even n (piston, astigmatism, defocus) \
             gives the same point spread function; the solution with defocus above 0 is given"
                .to_owned(),
            "piston changes nothing and is given as 0".to_owned(),
            "tilt and tip shift the picture and are told by the frame's border alone: they have \
             no interval"
                .to_owned(),
        ];
        notes.extend(self.search.note(self.exposure()));
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes::Scene;
    use crate::solver::Quantisation;

    const SHAPE: Shape = Shape::new(2, 32, 32);

    fn measurement() -> Measurement {
        let scene = Scene::Shapes.render(SHAPE, 1);
        let truth = vec![0.0, 0.5, -0.5, 0.3, 1.2, -0.6, 0.2, 0.4, 0.1, -0.7];
        let y = ZernikeBlur::new(SHAPE, truth).unwrap().apply(&scene);
        let (low, high) = y.range();
        Measurement::exact(y.map(|v| (v - low) / (high - low)))
    }

    /// Leaves behind an aberration as a camera of 8 bits truncates them, and the search for it.
    pub fn leaves(shape: Shape, truth: &[f64]) -> (ZernikeSearch, Measurement) {
        let model = ZernikeBlur::new(shape, truth.to_vec()).unwrap();
        let recorded = model.apply(&Scene::Leaves.render(shape, 4));
        let recorded = recorded.map(|v| (v * 80.0).floor() / 255.0);
        let search = ZernikeSearch { shape, ..search() };
        (
            search,
            Measurement::quantised(recorded, 255, Quantisation::Floor),
        )
    }

    fn search() -> ZernikeSearch {
        ZernikeSearch {
            shape: SHAPE,
            exposure: Exposure::Fitted,
        }
    }

    fn brief() -> BlindZernikeConfig {
        BlindZernikeConfig {
            starts: 10,
            pool: 2,
            contenders: 2,
            finalists: 2,
            finalist_iterations: 25,
            winner_iterations: 25,
            ..BlindZernikeConfig::for_noise(1e-3)
        }
    }

    fn run(seed: u64) -> BlindZernike {
        let mut solver = BlindZernike::new(search(), measurement(), brief(), seed).unwrap();
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
        let (a, b) = (run(1), run(1));
        assert_eq!(a.estimate(), b.estimate());
        assert_eq!(a.findings(), b.findings());
        assert_eq!(a.findings().len(), MODES.len());
        assert_ne!(run(2).findings(), a.findings());
        let value = |k: usize| a.findings()[k].parameter.value;
        assert!(value(0) == 0.0 && value(4) >= 0.0);
        assert_eq!(a.psf().len(), PSF_SIZE * PSF_SIZE);
        // The exposure belongs to the estimate.
        let (gain, offset) = a.exposure();
        let predicted = a.model().apply(&a.estimate());
        let predicted = predicted.map(|v| (gain * f64::from(v) + offset) as f32);
        let residual = measurement().residual(&predicted);
        assert!(crate::solver::rms(residual.data()) < 0.1);
    }

    #[test]
    fn after_the_last_step_nothing_changes() {
        let mut solver = run(3);
        let (estimate, progress) = (solver.estimate(), solver.progress);
        assert_eq!(solver.step().unwrap(), progress);
        assert_eq!(solver.estimate(), estimate);
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let refused = |search: ZernikeSearch, measurement, config| {
            let solver = BlindZernike::new(search, measurement, config, 0);
            solver.err().expect("a refusal").to_string()
        };
        let small = Shape::new(2, 16, 32);
        let tiny = ZernikeSearch {
            shape: small,
            ..search()
        };
        let clip = Measurement::exact(Clip::zeros(small));
        assert!(refused(tiny, clip, brief()).contains("32 pixels"));
        let flat = Measurement::exact(Clip::filled(SHAPE, 0.4));
        assert!(refused(search(), flat, brief()).contains("one brightness"));
        let other = Measurement::exact(Clip::zeros(small));
        assert!(refused(search(), other, brief()).contains("16x32"));
        let none = BlindZernikeConfig {
            starts: 0,
            ..brief()
        };
        assert!(refused(search(), measurement(), none).contains("starts"));
        let exposure = Exposure::Known {
            gain: 0.0,
            offset: 0.0,
        };
        let dark = ZernikeSearch {
            exposure,
            ..search()
        };
        assert!(refused(dark, measurement(), brief()).contains("gain"));
    }
}
