//! Blind aberrations: the pupil's Zernike coefficients, the exposure and the scene together.
//!
//! Descent on everything at once ends in the solution without blur. The way round it is to
//! look for the aberration first where the scene hardly matters:
//!
//! 1. the **spectrum** of the measurement knows the modulation transfer: descents from many
//!    random starts on a heavy-tailed Whittle likelihood ([`whittle`]) give a pool of
//!    different aberrations;
//! 2. the **border**, beyond which the scene is zero, knows what a spectrum does not: which of
//!    the two mirror images the point spread function is, and its tilt. Each aberration of the
//!    pool is tried with both, on the mean frame, over a grid of tilts;
//! 3. the best are refined with a concave prior, first on the mean frame, then on the clip,
//!    and **ranked by their posterior**;
//! 4. the winner is refined to the noise, its scene started anew in between.
//!
//! [`verdict`] says what speaks against the result.

mod joint;
mod pool;
mod spectrum;
mod verdict;
mod whittle;

use std::f64::consts::PI;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::clip::{Clip, Shape};
use crate::noise::Noise;
use crate::physics::zernike::{MODES, PSF_SIZE, Pupil};
use crate::physics::{ForwardModel, ZernikeBlur};
use crate::prior::SpaceTime;

use super::{Finding, Measurement, Progress, Solver, SolverError};
use joint::{Joint, Light, NATS, Rates};
use pool::Peak;
use verdict::Verdict;
use whittle::Whittle;

/// How the recorded values came from the forward model's intensities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exposure {
    /// value = gain * intensity + offset, both known.
    Known { gain: f64, offset: f64 },
    /// Unknown; the result's brightness is then free, and chosen to stay within [0, 1].
    Fitted,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct ZernikeSearch {
    pub shape: Shape,
    /// Ten coefficients a frame rather than ten for the clip.
    pub varying: bool,
    pub exposure: Exposure,
}

/// Settings of [`BlindZernike`]; the defaults were chosen on generated scenes.
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
    /// Iterations of each finalist, and of each of the winner's two last refinements.
    pub finalist_iterations: usize,
    pub winner_iterations: usize,
    /// Standard deviation of the measurement's noise, as a share of full scale.
    pub noise: f64,
}

impl BlindZernikeConfig {
    /// For a measurement with this noise (standard deviation, full scale being 1).
    pub fn for_noise(noise: f64) -> Self {
        Self {
            starts: 512,
            pool: 24,
            contenders: 24,
            finalists: 6,
            finalist_iterations: 1000,
            winner_iterations: 1500,
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
            if count == 0 {
                return Err(SolverError::Setting {
                    what,
                    value: count.to_string(),
                    expected: "it must be above zero",
                });
            }
        }
        match self.noise.is_finite() && self.noise > 0.0 {
            true => Ok(()),
            false => Err(SolverError::Setting {
                what: "the noise level",
                value: self.noise.to_string(),
                expected: "it must be above zero",
            }),
        }
    }

    /// The prior's weight at the noise.
    fn weight(&self) -> f64 {
        NATS * self.noise * self.noise
    }
}

/// Smallest noise assumed: 1e-4 of full scale.
const NOISE_FLOOR: f64 = 1e-4;
/// Gain assumed where it is fitted; the scene's brightness takes up what differs.
const GAIN: f32 = 0.55;
/// Weights of the prior at which hypotheses are compared while their scenes are coarse.
const FIRST_WEIGHT: f64 = 1e-2;
const COARSE_WEIGHT: f64 = 1e-3;
const MIDDLE_WEIGHT: f64 = 2e-4;
/// Tilts tried, in pixels of shift along each axis: 5 x 5.
const TILT_STEP_PX: f64 = 1.5;
const TILT_REACH: i32 = 2;
/// Pixels that a tilt of one radian moves the picture: the pupil's 32 samples over [-1, 1],
/// transformed to 64.
const PIXELS_PER_RADIAN: f64 = 64.0 / (PI * (PSF_SIZE as f64 - 1.0));
/// Standard deviation of a coefficient, in radians.
const COEFFICIENT_RAD: f64 = 2.0;
const COARSE_ITERATIONS: usize = 80;
const CONTENDER_ITERATIONS: usize = 300;
/// Starts, contenders and iterations in one step.
const STARTS_A_STEP: usize = 8;
const CONTENDERS_A_STEP: usize = 2;
const ITERATIONS_A_STEP: usize = 20;

enum Phase {
    /// Descents so far.
    Search(Vec<Peak>),
    /// The pool, mirrored too, and what was found of it.
    Border(Vec<Peak>, Vec<Ranked>),
    Contest(Vec<Ranked>, Vec<Ranked>),
    /// Finalists, and which of them is being refined for how many iterations.
    Final(Vec<Ranked>, usize, usize),
    /// The winner, the others, and the winner's iterations.
    Winner(Ranked, Vec<Ranked>, usize),
}

/// A hypothesis with minus its log-posterior.
#[derive(Clone)]
struct Ranked {
    nats: f64,
    joint: Joint,
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
    /// The model at the best hypothesis, and a second one to work with.
    model: ZernikeBlur,
    worker: ZernikeBlur,
    progress: Progress,
    best_spectral: f64,
    verdict: Option<Verdict>,
}

impl BlindZernike {
    /// # Errors
    /// A varying aberration, a measurement of another shape, frames under 32 pixels a side or
    /// of an odd width, a measurement that is constant or not finite, settings out of range.
    pub fn new(
        search: ZernikeSearch,
        measurement: Measurement,
        config: BlindZernikeConfig,
        seed: u64,
    ) -> Result<Self, SolverError> {
        config.check()?;
        let shape = search.shape;
        if measurement.shape() != shape {
            return Err(SolverError::Shape {
                given: measurement.shape(),
                needed: shape,
            });
        }
        let refuse = |what, value: String, expected| SolverError::Setting {
            what,
            value,
            expected,
        };
        if search.varying {
            return Err(refuse(
                "the blind aberration",
                "varying".into(),
                "this method finds one aberration for the clip; give each stretch of frames in \
                 which it stays to a search of its own, or use the reference method",
            ));
        }
        if shape.height < PSF_SIZE || shape.width < PSF_SIZE || !shape.width.is_multiple_of(2) {
            return Err(refuse(
                "the frame",
                format!("{}x{}", shape.height, shape.width),
                "a blind aberration needs at least 32 pixels a side and an even width: crop or \
                 resize the clip",
            ));
        }
        let (low, high) = measurement.values().range();
        let finite = measurement.values().data().iter().all(|v| v.is_finite());
        if !finite || high - low < 1e-6 {
            return Err(refuse(
                "the measurement",
                format!("{low} to {high}"),
                "it must be finite and not of one brightness: nothing in it shows the aberration",
            ));
        }
        if let Exposure::Known { gain, offset } = search.exposure {
            if !(gain.is_finite() && gain > 0.0 && offset.is_finite()) {
                return Err(refuse(
                    "the exposure",
                    format!("gain {gain}, offset {offset}"),
                    "a known gain is above zero, and a known offset finite",
                ));
            }
        }
        let model = ZernikeBlur::new(shape, vec![0.0; MODES.len()])?;
        let steps = config.starts.div_ceil(STARTS_A_STEP)
            + 2 * config.pool
            + config.contenders.div_ceil(CONTENDERS_A_STEP)
            + config.finalists * config.finalist_iterations.div_ceil(ITERATIONS_A_STEP)
            + 2 * config.winner_iterations.div_ceil(ITERATIONS_A_STEP);
        let mean = mean_frame(measurement.values());
        let whittle = Whittle::new(measurement.values());
        Ok(Self {
            whittle,
            prior: SpaceTime::default(),
            noise: Noise::seeded(seed),
            phase: Phase::Search(Vec::new()),
            worker: ZernikeBlur::new(shape, vec![0.0; MODES.len()])?,
            model,
            progress: Progress {
                done: 0,
                total: steps,
                residual_rms: f64::NAN,
            },
            best_spectral: f64::INFINITY,
            verdict: None,
            lowest: f64::from(low),
            mean: Measurement::exact(mean),
            search,
            config,
            measurement,
        })
    }

    pub fn config(&self) -> &BlindZernikeConfig {
        &self.config
    }

    /// Gain and offset of value = gain * A(estimate) + offset, as far as known by now.
    pub fn exposure(&self) -> (f64, f64) {
        let Some(best) = self.best() else {
            let light = self.light();
            return (f64::from(light.gain), light.offset);
        };
        let scale = best.joint.estimate.brightest_scale();
        let light = best.joint.light;
        (f64::from(light.gain) * f64::from(scale), light.offset)
    }

    /// The point spread function of the best hypothesis: 32 x 32 intensities, row after row.
    pub fn psf(&self) -> Vec<f32> {
        self.model.psfs().next().unwrap_or(&[]).to_vec()
    }

    fn light(&self) -> Light {
        match self.search.exposure {
            Exposure::Known { gain, offset } => Light {
                gain: gain as f32,
                offset,
                fitted: false,
            },
            Exposure::Fitted => Light {
                gain: GAIN,
                offset: (-0.03f64).min(self.lowest),
                fitted: true,
            },
        }
    }

    fn best(&self) -> Option<&Ranked> {
        let lowest = |list: &'_ [Ranked]| -> Option<usize> {
            let order = |&a: &usize, &b: &usize| list[a].nats.total_cmp(&list[b].nats);
            (0..list.len()).min_by(order)
        };
        match &self.phase {
            Phase::Search(_) => None,
            Phase::Border(_, found) => lowest(found).map(|i| &found[i]),
            Phase::Contest(_, found) if !found.is_empty() => lowest(found).map(|i| &found[i]),
            Phase::Contest(waiting, _) => waiting.first(),
            Phase::Final(list, at, _) => list.get(*at).or_else(|| list.first()),
            Phase::Winner(winner, ..) => Some(winner),
        }
    }

    /// Every tilt of one aberration against the mean frame; the two best.
    fn try_border(&self, peak: &Peak) -> Result<Vec<Ranked>, SolverError> {
        let tilts = -TILT_REACH..=TILT_REACH;
        let places: Vec<(i32, i32)> = tilts
            .clone()
            .flat_map(|y| tilts.clone().map(move |x| (x, y)))
            .collect();
        let tried: Result<Vec<Ranked>, SolverError> = places
            .into_par_iter()
            .map(|(x, y)| {
                let mut point = peak.point.clone();
                let tilt = |steps: i32| f64::from(steps) * TILT_STEP_PX / PIXELS_PER_RADIAN;
                point.coefficients[1] = tilt(x);
                point.coefficients[2] = tilt(y);
                let joint = Joint::new(self.mean.clone(), point, self.light(), self.lowest);
                let mut ranked = Ranked {
                    nats: f64::INFINITY,
                    joint,
                };
                let descent = Descent {
                    iterations: COARSE_ITERATIONS,
                    weights: (FIRST_WEIGHT, COARSE_WEIGHT),
                    scene: 0.06,
                    coefficients: 0.0,
                    tilt: 0.0,
                    frozen: 1.0,
                };
                self.refine(&mut ranked, &descent)?;
                Ok(ranked)
            })
            .collect();
        let mut tried = tried?;
        tried.sort_by(|a, b| a.nats.total_cmp(&b.nats));
        tried.truncate(2);
        Ok(tried)
    }

    /// A whole descent on the mean frame.
    fn refine(&self, ranked: &mut Ranked, descent: &Descent) -> Result<(), SolverError> {
        let mut model = ranked.joint.model()?;
        for i in 0..descent.iterations {
            self.iterate(&mut ranked.joint, &mut model, descent, i)?;
        }
        ranked.nats = self.nats(&ranked.joint, descent.weights.1);
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

    /// Minus the log-posterior: the scene's, the spectrum's and the tilt's.
    fn nats(&self, joint: &Joint, weight: f64) -> f64 {
        let spectral = self.whittle.slope(&joint.point, Whittle::WHOLE_BAND).value;
        let tilt = &joint.point.coefficients[1..3];
        let tilt: f64 = tilt.iter().map(|t| (t / COEFFICIENT_RAD).powi(2)).sum();
        joint.nats(&self.prior, weight) + spectral + 0.5 * tilt
    }

    fn finalist_descent(&self) -> Descent {
        Descent {
            iterations: self.config.finalist_iterations,
            weights: (FIRST_WEIGHT, self.config.weight()),
            scene: 0.03,
            coefficients: 0.02,
            tilt: 0.02,
            frozen: 0.2,
        }
    }

    fn winner_descent(&self) -> Descent {
        Descent {
            iterations: self.config.winner_iterations,
            frozen: 0.15,
            ..self.finalist_descent()
        }
    }

    fn advance(&mut self) -> Result<(), SolverError> {
        // Taken out, so that a step that fails leaves what was there.
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
                    Phase::Border(pool.iter().flat_map(mirrored).rev().collect(), Vec::new())
                };
            }
            Phase::Border(waiting, found) => {
                let mut waiting = waiting.clone();
                let mut found = found.clone();
                if let Some(peak) = waiting.pop() {
                    found.extend(self.try_border(&peak)?);
                }
                self.phase = if waiting.is_empty() {
                    found.sort_by(|a, b| a.nats.total_cmp(&b.nats));
                    found.truncate(self.config.contenders);
                    Phase::Contest(found, Vec::new())
                } else {
                    Phase::Border(waiting, found)
                };
            }
            Phase::Contest(waiting, found) => {
                let count = CONTENDERS_A_STEP.min(waiting.len());
                let descent = Descent {
                    iterations: CONTENDER_ITERATIONS,
                    weights: (COARSE_WEIGHT, MIDDLE_WEIGHT),
                    scene: 0.03,
                    coefficients: 0.02,
                    tilt: 0.03,
                    frozen: 0.1,
                };
                let refined: Result<Vec<Ranked>, SolverError> = waiting[..count]
                    .to_vec()
                    .into_par_iter()
                    .map(|mut ranked| {
                        self.refine(&mut ranked, &descent)?;
                        Ok(ranked)
                    })
                    .collect();
                let mut found = found.clone();
                found.extend(refined?);
                let waiting = waiting[count..].to_vec();
                self.phase = if waiting.is_empty() {
                    let finalists = self.finalists(found);
                    Phase::Final(finalists, 0, 0)
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
                    list[at].nats = self.nats(&list[at].joint, descent.weights.1);
                    (at, done) = (at + 1, 0);
                }
                self.phase = if at == list.len() {
                    list.sort_by(|a, b| a.nats.total_cmp(&b.nats));
                    let mut winner = list[0].clone();
                    winner.joint.restart();
                    Phase::Winner(winner, list, 0)
                } else {
                    Phase::Final(list, at, done)
                };
            }
            Phase::Winner(winner, list, done) => {
                let (mut winner, list, done) = (winner.clone(), list.clone(), *done);
                let descent = self.winner_descent();
                let total = 2 * descent.iterations;
                let mut model = winner.joint.model()?;
                let end = (done + ITERATIONS_A_STEP).min(total);
                for i in done..end {
                    if i == descent.iterations {
                        winner.joint.restart();
                    }
                    let i = i % descent.iterations;
                    self.iterate(&mut winner.joint, &mut model, &descent, i)?;
                }
                if end == total {
                    winner.nats = self.nats(&winner.joint, descent.weights.1);
                    self.verdict = Some(self.judge(&winner, &list));
                }
                self.phase = Phase::Winner(winner, list, end);
            }
        }
        Ok(())
    }

    /// The best contenders that are not the same place of the same aberration, on the clip.
    fn finalists(&self, mut found: Vec<Ranked>) -> Vec<Ranked> {
        found.sort_by(|a, b| a.nats.total_cmp(&b.nats));
        let pupil = Pupil::new();
        let mut kept: Vec<(Ranked, Vec<f32>)> = Vec::new();
        for ranked in found {
            let psf = pupil.psf(&ranked.joint.point.coefficients).values;
            if kept.iter().all(|(_, other)| verdict::similarity(&psf, other, 0) < 0.98) {
                let joint = Joint::new(
                    self.measurement.clone(),
                    ranked.joint.point,
                    ranked.joint.light,
                    self.lowest,
                );
                let nats = ranked.nats;
                kept.push((Ranked { nats, joint }, psf));
            }
            if kept.len() == self.config.finalists {
                break;
            }
        }
        kept.into_iter().map(|(ranked, _)| ranked).collect()
    }

    fn judge(&self, winner: &Ranked, finalists: &[Ranked]) -> Verdict {
        let pupil = Pupil::new();
        let psf_of = |ranked: &Ranked| pupil.psf(&ranked.joint.point.coefficients).values;
        let psf = psf_of(winner);
        let other = finalists
            .iter()
            .find(|other| verdict::similarity(&psf_of(other), &psf, 3) < 0.95);
        let spectral = self.whittle.slope(&winner.joint.point, Whittle::WHOLE_BAND);
        let pixels = self.search.shape.len() as f64;
        Verdict {
            residual: winner.joint.residual_rms() / self.config.noise,
            roughness: self.prior.value(&winner.joint.estimate) / pixels,
            rival: other.map(|other| other.nats - finalists[0].nats),
            spectral: spectral.value - self.best_spectral,
            moved: verdict::similarity(&psf_of(&finalists[0]), &psf, 3),
        }
    }

    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }
}

/// A descent's plan.
struct Descent {
    iterations: usize,
    /// The prior's weight at first and from 70 % of the iterations.
    weights: (f64, f64),
    scene: f32,
    coefficients: f64,
    tilt: f64,
    /// The share of the iterations that move the scene alone.
    frozen: f64,
}

impl Descent {
    fn at(&self, i: usize) -> (f64, Rates) {
        let passed = i as f64 / self.iterations as f64;
        let (first, last) = self.weights;
        let first = first.max(last);
        let weight = first * (last / first).powf((passed / 0.7).min(1.0));
        let slower = 0.5 * (1.0 + (PI * passed).cos()) + 0.02;
        let free = if passed < self.frozen { 0.0 } else { slower };
        let rates = Rates {
            scene: self.scene * slower as f32,
            coefficients: self.coefficients * free,
            tilt: self.tilt * free,
        };
        (weight, rates)
    }
}

/// An aberration, and the one whose point spread function is the mirror image.
fn mirrored(peak: &Peak) -> [Peak; 2] {
    let mut other = peak.clone();
    for (coefficient, mode) in other.point.coefficients.iter_mut().zip(&MODES) {
        if mode.n % 2 == 1 {
            *coefficient = -*coefficient;
        }
    }
    [peak.clone(), other]
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

/// What brings a scene of free brightness into [0, 1].
trait Brightness {
    /// Its brightest amplitude, or 1 where that is less.
    fn brightest_scale(&self) -> f32;
}

impl Brightness for Clip {
    fn brightest_scale(&self) -> f32 {
        self.range().1.max(1.0)
    }
}

impl Solver for BlindZernike {
    fn name(&self) -> &'static str {
        "instant"
    }

    fn total_steps(&self) -> usize {
        self.progress.total
    }

    fn steps_done(&self) -> usize {
        self.progress.done
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
        let scale = 1.0 / estimate.brightest_scale();
        let one = estimate.map(|v| v * scale);
        if one.shape() == self.search.shape {
            return one;
        }
        Clip::new(
            self.search.shape,
            one.data().repeat(self.search.shape.frames),
        )
    }

    fn model(&self) -> &dyn ForwardModel {
        &self.model
    }

    fn findings(&self) -> Vec<Finding> {
        let doubts = self.verdict.as_ref().map(Verdict::doubts).unwrap_or_default();
        let parameters = self.model.parameters().into_iter();
        parameters
            .map(|parameter| Finding {
                parameter,
                interval: None,
                doubts: doubts.clone(),
            })
            .collect()
    }

    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}
