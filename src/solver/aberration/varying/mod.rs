//! Blind aberrations that differ from frame to frame.
//!
//! Frames that blur nearly one scene in ten ways say more of it than ten that blur it in one,
//! so this is better posed than one aberration for the clip:
//!
//! 1. the **spectrum** of each frame alone gives a pool of aberrations, as of a static one;
//! 2. [`Shared`]: the best of all frames agree on the **scene's spectrum**, and each frame's pool
//!    is refined under it;
//! 3. [`Coherence`]: two frames of one scene, each under the right aberration, agree in phase up
//!    to a shift; the aberrations that agree best over all pairs are chosen, which settles
//!    mirror images and relative tilts;
//! 4. [`Joint`]: descent under the exact model, first with one image for all frames and a loss
//!    that forgives what moves, twice, then with an image a frame and the space-time prior.

pub mod canvas;
pub mod coherence;
pub mod joint;
pub mod refit;
pub mod shared;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::pool::{self, Peak};
use super::whittle::{Point, Whittle};
use super::{FIRST_WEIGHT, ITERATIONS_A_STEP, NATS, NOISE_FLOOR, PIXELS_PER_RADIAN};
use super::{ZernikeSearch, brightest, canonical};
use crate::adam::rate_share;
use crate::clip::{Clip, Shape};
use crate::noise::Noise;
use crate::physics::zernike::MODES;
use crate::physics::{ForwardModel, ZernikeBlur};
use crate::prior::SpaceTime;
use crate::solver::{Finding, Measurement, Progress, Solver, SolverError, positive};
use canvas::Canvas;
use coherence::{Coherence, Hypothesis, Match};
use joint::{Joint, Objective, Rates};
use shared::Shared;

/// How an aberration goes from frame to frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variation {
    /// Each frame's has nothing to do with the others'.
    Free,
    /// It changes little from one frame to the next.
    Smooth,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VaryingZernikeConfig {
    pub starts: usize,
    pub pool: usize,
    pub refined: usize,
    pub still_iterations: [usize; 3],
    pub frames_iterations: usize,
    pub noise: f64,
}

impl VaryingZernikeConfig {
    pub fn for_noise(noise: f64) -> Self {
        Self {
            starts: 128,
            pool: 40,
            refined: 10,
            still_iterations: [400, 300, 300],
            frames_iterations: 600,
            noise: noise.max(NOISE_FLOOR),
        }
    }
}

const STARTS_A_STEP: usize = 16;
const KEPT: usize = 6;
const RAW: usize = 3;
const BENDS: [f32; 3] = [0.03, 0.02, 0.02];

pub enum Phase {
    Pools(Vec<Vec<Peak>>, Vec<Peak>),
    Candidates(Shared, Vec<Vec<Hypothesis>>),
    Pairs(Vec<Vec<Hypothesis>>, Vec<(usize, usize, Vec<f32>)>),
    Trial(Vec<(f32, Joint)>, Vec<(f64, Joint)>, usize),
    Still(Box<Joint>, usize, usize),
    Refit(Box<Joint>, usize, usize),
    Frames(Box<Joint>, usize, usize),
    Repair(Box<Joint>, usize, usize),
}

pub struct VaryingZernike {
    pub search: ZernikeSearch,
    pub variation: Variation,
    pub config: VaryingZernikeConfig,
    pub measurement: Measurement,
    pub whittles: Arc<[Whittle]>,
    pub prior: SpaceTime,
    pub noise: Noise,
    pub phase: Phase,
    pub model: ZernikeBlur,
    pub progress: Progress,
    pub over: bool,
    pub trials: Vec<(f32, f64, Joint)>,
    pub repaired: usize,
    pub log: Vec<(usize, f64, f64, Vec<f64>, Vec<f64>)>,
    pub peaks: Vec<Vec<Peak>>,
    pub pools: Vec<Vec<Hypothesis>>,
    pub coherence: Option<Coherence>,
    pub pictures: Vec<Vec<rustfft::num_complex::Complex32>>,
}

impl VaryingZernike {
    pub fn new(
        search: ZernikeSearch,
        variation: Variation,
        measurement: Measurement,
        config: VaryingZernikeConfig,
        seed: u64,
    ) -> Result<Self, SolverError> {
        search.check(&measurement)?;
        let shape = search.shape;
        let one = Shape::new(1, shape.height, shape.width);
        let whittles = measurement
            .values()
            .frames()
            .map(|frame| Whittle::new(&Clip::new(one, frame.to_vec())))
            .collect();
        Ok(Self {
            model: ZernikeBlur::new(shape, vec![0.0; shape.frames * MODES.len()])?,
            whittles,
            prior: SpaceTime::default(),
            noise: Noise::seeded(seed),
            phase: Phase::Pools(Vec::new(), Vec::new()),
            progress: Progress { done: 0, total: 1000, residual_rms: f64::NAN },
            over: false, trials: Vec::new(), repaired: 0, log: Vec::new(), pools: Vec::new(), coherence: None, pictures: Vec::new(), peaks: Vec::new(),
            search,
            variation,
            config,
            measurement,
        })
    }

    pub fn pairs(&self) -> Vec<(usize, usize)> {
        let frames = self.search.shape.frames;
        (0..frames)
            .flat_map(|s| (s + 1..frames.min(s + 1 + coherence::REACH_FRAMES)).map(move |t| (s, t)))
            .collect()
    }

    /// Different ones of a frame, with their mirror images.
    fn hypotheses(&self, shared: &Shared, coherence: &Coherence, frame: usize, pool: &[Peak]) -> Vec<Hypothesis> {
        use rayon::prelude::*;
        let mut starts: Vec<Vec<f64>> = pool.iter().take(self.config.refined).map(|p| p.point.coefficients.clone()).collect();
        let mut most = KEPT;
        if self.variation == Variation::Smooth {
            for near in [frame.wrapping_sub(1), frame + 1] {
                if let Some(pool) = self.peaks.get(near) { starts.extend(pool.iter().take(4).map(|p| p.point.coefficients.clone())); most += 3; }
            }
        }
        let mut refined: Vec<(Vec<f64>, f64)> = starts
            .into_par_iter()
            .map(|start| shared.descend(frame, start))
            .collect();
        refined.sort_by(|a, b| a.1.total_cmp(&b.1));
        let whittle = &self.whittles[frame];
        let mut kept: Vec<(Vec<f64>, Vec<f32>)> = Vec::new();
        for (coefficients, _) in refined {
            let modulation = whittle.modulation(&coefficients);
            let same = |(_, other): &(Vec<f64>, Vec<f32>)| -> bool {
                modulation.iter().zip(other).map(|(a, b)| a * b).sum::<f32>() > 0.995
            };
            if kept.len() < most && !kept.iter().any(same) {
                kept.push((coefficients, modulation));
            }
        }
        let raw = pool.iter().take(RAW).map(|p| p.point.coefficients.clone());
        let all = kept.into_iter().map(|k| k.0).chain(raw);
        all.flat_map(|c| [c.clone(), mirror(&c)])
            .map(|c| coherence.hypothesis(c))
            .collect()
    }

    fn still(&self, joint: &mut Joint, round: usize, from: usize, to: usize) -> Result<(), SolverError> {
        let total = self.config.still_iterations[round];
        let mut model = joint.model()?;
        for i in from..to {
                    let passed = i as f64 / total as f64;
                    let first = [3e-3, 1e-3, 1e-3][round];
                    let weight = first * 0.1f64.powf((passed / 0.7).min(1.0));
                    let slower = rate_share(passed);
                    let objective = Objective { weight, bend: Some(BENDS[round]), step_rad: (self.variation == Variation::Smooth).then_some(0.5) };
                    let free = if passed < [0.25, 0.3, 0.3][round] { 0.0 } else { 1.0 };
                    let rates = Rates { scene: 0.03 * slower as f32, coefficients: 0.03 * slower * free };
                    joint.step(&mut model, &self.prior, objective, rates)?;
        }
        Ok(())
    }

    fn limit(&self, rms: &[f64]) -> f64 {
        let mut sorted = rms.to_vec();
        sorted.sort_by(f64::total_cmp);
        1.15 * sorted[sorted.len() / 3].max(self.config.noise)
    }

    fn advance(&mut self) -> Result<(), SolverError> {
        let frames = self.search.shape.frames;
        match &mut self.phase {
            Phase::Pools(done, peaks) => {
                let whittle = &self.whittles[done.len()];
                let count = STARTS_A_STEP.min(self.config.starts - peaks.len());
                peaks.extend(pool::descend(whittle, &mut self.noise, count));
                if peaks.len() == self.config.starts {
                    let peaks = std::mem::take(peaks);
                    done.push(pool::distinct(whittle, peaks, self.config.pool));
                }
                if done.len() == frames {
                    let pools = std::mem::take(done);
                    let alone: Vec<Point> = pools.iter().map(|p| p[0].point.clone()).collect();
                    let shared = Shared::new(Arc::clone(&self.whittles), &alone);
                    let coherence = Coherence::new(&shared);
                    self.pictures = self.measurement.values().frames().map(|f| coherence.picture(f)).collect();
                    self.pools = pools.iter().map(|pool| pool.iter().flat_map(|p| { let c = &p.point.coefficients; [c.clone(), mirror(c)] }).map(|c| coherence.hypothesis(c)).collect()).collect();
                    self.peaks = pools;
                    self.coherence = Some(coherence);
                    self.phase = Phase::Candidates(shared, Vec::new());
                }
            }
            Phase::Candidates(..) => {
                let Phase::Candidates(shared, mut list) =
                    std::mem::replace(&mut self.phase, Phase::Pools(Vec::new(), Vec::new()))
                else {
                    unreachable!()
                };
                let t = list.len();
                list.push(self.hypotheses(&shared, self.coherence.as_ref().unwrap(), t, &self.peaks[t]));
                self.phase = if list.len() == frames {
                    Phase::Pairs(list, Vec::new())
                } else {
                    Phase::Candidates(shared, list)
                };
            }
            Phase::Pairs(..) => {
                let all = self.pairs();
                let Phase::Pairs(list, pairs) = &mut self.phase else { unreachable!() };
                let coherence = self.coherence.as_ref().unwrap();
                if let Some(&(s, t)) = all.get(pairs.len()) {
                    let evidence = coherence.compare_all((&self.pictures[s], &list[s]), (&self.pictures[t], &list[t]));
                    pairs.push((s, t, evidence));
                }
                if pairs.len() == all.len() {
                    let counts: Vec<usize> = list.iter().map(Vec::len).collect();
                    if self.variation == Variation::Smooth {
                        for (s, t, evidence) in pairs.iter_mut() {
                            if *t == *s + 1 {
                                for (i, e) in evidence.iter_mut().enumerate() {
                                    let (a, b) = (&list[*s][i / counts[*t]], &list[*t][i % counts[*t]]);
                                    *e -= smoothness(&a.coefficients, &b.coefficients) as f32;
                                }
                            }
                        }
                    }
                    let ranked = coherence::choose(&counts, pairs);
                    let mut kept: Vec<(f32, Vec<usize>)> = Vec::new();
                    for (score, picks) in ranked {
                        let differs = |other: &Vec<usize>| -> bool {
                            let n = (0..frames).filter(|&t| {
                                let p = |k: usize| self.whittles[t].pupil.psf(&list[t][k].coefficients).values;
                                picks[t] != other[t] && super::verdict::similarity(&p(picks[t]), &p(other[t]), 3) < 0.95
                            }).count();
                            3 * n >= frames
                        };
                        if kept.iter().all(|k| differs(&k.1)) { kept.push((score, picks)); }
                        if kept.len() == 8 { break; }
                    }
                    let mut finalists = Vec::new();
                    for (score, picks) in kept {
                    let found: Vec<(usize, usize, Match)> = all
                        .iter()
                        .map(|&(s, t)| {
                            let pair = coherence.compare((&self.pictures[s], &list[s][picks[s]]), (&self.pictures[t], &list[t][picks[t]]));
                            (s, t, pair)
                        })
                        .collect();
                    let places = coherence::places(frames, &found);
                    let mut all = Vec::new();
                    for (t, &pick) in picks.iter().enumerate() {
                        let mut c = list[t][pick].coefficients.clone();
                        c[1] = -places[t][1] / PIXELS_PER_RADIAN;
                        c[2] = -places[t][0] / PIXELS_PER_RADIAN;
                        all.extend(c);
                    }
                    if self.variation == Variation::Smooth { align(&mut all); }
                    let canvas = Canvas::new(self.search.shape, camera(&mut all, frames));
                    let lowest = f64::from(self.measurement.values().range().0);
                    let light = self.search.light(lowest);
                    let joint = Joint::new(self.measurement.clone(), all, light, canvas, 1);
                    finalists.push((score, joint));
                    }
                    finalists.reverse();
                    self.phase = Phase::Trial(finalists, Vec::new(), 0);
                }
            }
            Phase::Trial(waiting, _, i) => {
                let (score, mut joint) = waiting.last().unwrap().clone();
                let i = *i;
                let end = i + ITERATIONS_A_STEP;
                self.still(&mut joint, 0, i, end)?;
                let Phase::Trial(waiting, done, i) = &mut self.phase else { unreachable!() };
                *waiting.last_mut().unwrap() = (score, joint);
                *i = end;
                if end >= self.config.still_iterations[0] {
                    let (score, joint) = waiting.pop().unwrap();
                    let loss = joint.loss(BENDS[0]);
                    self.trials.push((score, loss, joint.clone()));
                    done.push((loss, joint));
                    *i = 0;
                    if waiting.is_empty() {
                        let mut done = std::mem::take(done);
                        done.sort_by(|a, b| a.0.total_cmp(&b.0));
                        let joint = done.swap_remove(0).1;
                        self.phase = Phase::Refit(Box::new(joint), 0, 0);
                    }
                }
            }
            Phase::Still(joint, round, done) => {
                let (mut joint, round) = (joint.clone(), *round);
                let total = self.config.still_iterations[round];
                let from = *done;
                let end = (from + ITERATIONS_A_STEP).min(total);
                self.still(&mut joint, round, from, end)?;
                self.phase = if end < total {
                    Phase::Still(joint, round, end)
                } else {
                    Phase::Refit(joint, round, 0)
                };
            }
            Phase::Refit(joint, round, t) => {
                let (mut joint, round, t) = (joint.clone(), *round, *t);
                let full = joint.full();
                let scene = Clip::new(Shape::new(1, full.shape().height, full.shape().width), full.frame(t).to_vec());
                let known = refit::Known { measured: self.measurement.frame(t), scene: &scene, light: joint.light, bend: BENDS[1] };
                let present = known.fit(joint.of_frame(t).to_vec(), 120, 0.08)?;
                let coherence = self.coherence.as_ref().unwrap();
                let mut tried = self.pools[t].clone();
                tried.push(coherence.hypothesis(joint.of_frame(t).to_vec()));
                if self.variation == Variation::Smooth { for u in [t.wrapping_sub(1), t + 1] { if u < frames { tried.push(coherence.hypothesis(joint.of_frame(u).to_vec())); } } }
                let best = known.best(coherence, &tried, 2)?;
                let better = if best.1 < 0.95 * present.1 { best.clone() } else { present.clone() };
                self.log.push((t, present.1, best.1, present.0.clone(), best.0.clone()));
                joint.of_frame_mut(t).copy_from_slice(&better.0);
                if self.variation == Variation::Smooth { align(&mut joint.coefficients); }
                self.phase = if t + 1 < frames {
                    Phase::Refit(joint, round, t + 1)
                } else if round + 1 < self.config.still_iterations.len() {
                    Phase::Still(Box::new(joint.restarted(1)), round + 1, 0)
                } else {
                    Phase::Frames(Box::new(joint.spread()), 0, 0)
                };
            }
            Phase::Frames(joint, round, done) => {
                let (mut joint, round) = (joint.clone(), *round);
                let total = self.config.frames_iterations;
                let end = (*done + ITERATIONS_A_STEP).min(total);
                let mut model = joint.model()?;
                let last = NATS * self.config.noise * self.config.noise;
                for i in *done..end {
                    let passed = i as f64 / total as f64;
                    let first = [FIRST_WEIGHT, 1e-3][round.min(1)].max(last);
                    let weight = first * (last / first).powf((passed / 0.7).min(1.0));
                    let slower = rate_share(passed);
                    let objective = Objective { weight, bend: None, step_rad: (self.variation == Variation::Smooth).then(|| std::env::var("STEP").map_or(0.5, |v| v.parse().unwrap())) };
                    let free = if passed < 0.4 { 0.0 } else { 1.0 };
                    let rates = Rates { scene: 0.03 * slower as f32, coefficients: 0.02 * slower * free };
                    joint.step(&mut model, &self.prior, objective, rates)?;
                }
                self.phase = if end < total { Phase::Frames(joint, round, end) }
                    else if round < 3 { Phase::Repair(joint, round, 0) }
                    else { self.over = true; Phase::Frames(joint, round, end) };
            }
            Phase::Repair(joint, round, t) => {
                let (mut joint, round, t) = (joint.clone(), *round, *t);
                let rms = joint.residual_rms();
                let limit = self.limit(&rms);
                let good: Vec<usize> = (0..frames).filter(|&u| rms[u] <= limit).collect();
                let before = good.iter().copied().filter(|&u| u < t).max();
                let after = good.iter().copied().find(|&u| u > t);
                if rms[t] > limit && let Some((near, far)) = before.zip(after).or(before.or(after).map(|u| (u, u))) {
                    let share = if near == far { 0.0 } else { (t - near) as f32 / (far - near) as f32 };
                    let mut between = joint.scene.clone();
                    let mixed: Vec<f32> = joint.scene.frame(near).iter().zip(joint.scene.frame(far)).map(|(a, b)| a + share * (b - a)).collect();
                    between.frame_mut(t).copy_from_slice(&mixed);
                    let full = joint.canvas.frames(&between);
                    let scene = Clip::new(Shape::new(1, full.shape().height, full.shape().width), full.frame(t).to_vec());
                    let known = refit::Known { measured: self.measurement.frame(t), scene: &scene, light: joint.light, bend: BENDS[1] };
                    let present = known.fit(joint.of_frame(t).to_vec(), 120, 0.08)?;
                    let coherence = self.coherence.as_ref().unwrap();
                    let mut tried = self.pools[t].clone();
                    tried.push(coherence.hypothesis(joint.of_frame(t).to_vec()));
                    for _ in 0..512 { let c: Vec<f64> = (0..10).map(|k| if k == 0 { 0.0 } else { 2.0 * self.noise.normal() }).collect(); tried.push(coherence.hypothesis(c)); }
                    if self.variation == Variation::Smooth { for u in [t.wrapping_sub(1), t + 1] { if u < frames { tried.push(coherence.hypothesis(joint.of_frame(u).to_vec())); } } }
                    let best = known.best(coherence, &tried, 8)?;
                    self.log.push((t, present.1, best.1, present.0.clone(), best.0.clone()));
                    let better = if best.1 < present.1 { best } else { present };
                    joint.of_frame_mut(t).copy_from_slice(&better.0);
                    joint.scene.frame_mut(t).copy_from_slice(&mixed);
                }
                if self.variation == Variation::Smooth { align(&mut joint.coefficients); }
                self.phase = if t + 1 < frames {
                    Phase::Repair(joint, round, t + 1)
                } else if round < 2 {
                    joint.calm();
                    Phase::Frames(joint, round + 1, 0)
                } else {
                    self.over = true;
                    Phase::Frames(joint, round, self.config.frames_iterations)
                };
            }
        }
        Ok(())
    }
}

/// A trend in the tilts that is unlikely for tilts and likely for a scene that moves, which it
/// looks like: pixels a frame along columns and rows. It is taken from the tilts.
fn camera(coefficients: &mut [f64], frames: usize) -> [f64; 2] {
    // Variance of a tilt over that of a velocity, in frames squared.
    const RATIO: f64 = 1.7;
    let count = MODES.len();
    let time = |t: usize| t as f64 - 0.5 * (frames as f64 - 1.0);
    let squares: f64 = (0..frames).map(|t| time(t).powi(2)).sum();
    let mut velocity = [0.0; 2];
    for (k, v) in velocity.iter_mut().enumerate() {
        let tilts = |t: usize| coefficients[t * count + k + 1] * PIXELS_PER_RADIAN;
        let trend = (0..frames).map(|t| time(t) * tilts(t)).sum::<f64>() / (squares + RATIO);
        *v = trend;
    }
    for (k, v) in velocity.iter().enumerate() {
        for t in 0..frames {
            coefficients[t * count + k + 1] -= time(t) * v / PIXELS_PER_RADIAN;
        }
    }
    velocity
}

fn evens(coefficients: &mut [f64]) {
    for (c, mode) in coefficients.iter_mut().zip(&MODES) {
        if mode.n % 2 == 0 { *c = -*c; }
    }
}

/// Squared distance but for tilt and the sign that changes nothing, as evidence.
fn smoothness(a: &[f64], b: &[f64]) -> f64 {
    let mut flipped = b.to_vec();
    evens(&mut flipped);
    let w: f64 = std::env::var("SMW").map_or(0.5, |v| v.parse().unwrap());
    w * distance(a, b).min(distance(a, &flipped)).min(8.0)
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    (3..MODES.len()).map(|k| (a[k] - b[k]).powi(2)).sum()
}

/// Of the two signs that change nothing, the one nearer to the frame before.
fn align(coefficients: &mut [f64]) {
    let count = MODES.len();
    for t in 1..coefficients.len() / count {
        let (before, now) = coefficients.split_at_mut(t * count);
        let (before, now) = (&before[(t - 1) * count..], &mut now[..count]);
        let mut flipped = now.to_vec();
        evens(&mut flipped);
        if distance(before, &flipped) < distance(before, now) {
            now.copy_from_slice(&flipped);
        }
    }
}

pub fn mirror(coefficients: &[f64]) -> Vec<f64> {
    let modes = coefficients.iter().zip(&MODES);
    modes
        .map(|(c, mode)| if mode.n % 2 == 1 { -c } else { *c })
        .collect()
}

#[path = "/root/lab/vary/src/vexp.rs"]
pub mod vexp;
