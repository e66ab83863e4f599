//! Whether two aberrations explain two frames by one scene.
//!
//! Frames Y = H X of one scene X obey Y_a conj(H_b) = Y_b conj(H_a) up to the phase of a shift
//! (H being correlation, its conjugate acts on the spectrum): the phase, which a spectrum alone
//! does not know, tells mirror images apart, and the shift tells relative tilts.

use std::f32::consts::PI;
use std::sync::Arc;

use rayon::prelude::*;
use rustfft::num_complex::Complex32;

use super::shared::Shared;
use crate::clip::Clip;
use crate::solver::aberration::spectrum::Grid;
use crate::solver::aberration::whittle::Whittle;

/// Frames further apart than this are not compared.
pub const REACH_FRAMES: usize = 9;
/// Shifts tried, in pixels, and their distance.
const REACH_PX: f32 = 6.0;
const STEP_PX: f32 = 0.5;
/// Frequencies compared, in cycles a pixel.
const HIGHEST: f32 = 0.45;
/// What whitening adds, as a share of the scene's power.
const DAMPING: f32 = 0.05;
/// The least of what is not coherent.
const LEAST: f32 = 0.01;

/// An aberration of one frame that is tried.
#[derive(Clone)]
pub struct Hypothesis {
    pub coefficients: Vec<f64>,
    transfer: Vec<Complex32>,
}

impl Hypothesis {
    pub fn new(whittle: &Whittle, coefficients: Vec<f64>) -> Self {
        let psf = whittle.pupil.psf(&coefficients);
        Self {
            transfer: whittle.transfer.of(&psf.values),
            coefficients,
        }
    }
}

/// Two frames, and what speaks for each two of their hypotheses, the second's varying fastest.
pub struct Pair {
    pub first: usize,
    pub second: usize,
    pub evidence: Vec<f32>,
}

/// How well two frames agree under two aberrations.
#[derive(Clone, Copy, Debug)]
pub struct Match {
    /// The share of their power that is coherent, at most 1.
    pub share: f32,
    /// Rows and columns by which the second lies off the first, in pixels.
    pub shift_px: [f32; 2],
}

impl Match {
    /// What it says for the two: the logarithm of what is not coherent, negative.
    pub fn evidence(&self) -> f32 {
        -(1.0 - self.share).max(LEAST).ln()
    }
}

/// Spectra of the frames, and the scene's power by which they are compared.
pub struct Coherence {
    whittles: Arc<[Whittle]>,
    window: Vec<f32>,
    /// Spectra of the frames.
    pictures: Vec<Vec<Complex32>>,
    power: Vec<f32>,
    noise: f32,
    /// Places in the grid that are compared.
    band: Vec<usize>,
    shifts: Shifts,
}

impl Coherence {
    pub fn new(shared: &Shared, measured: &Clip) -> Self {
        let whittles = Arc::clone(&shared.whittles);
        let grid = &whittles[0].grid;
        let noises = whittles.iter().map(|w| w.spectra[0].noise);
        let lowest = 1.6 / grid.rows.min(grid.columns) as f32;
        let band = (0..grid.len())
            .filter(|&i| (lowest..=HIGHEST).contains(&grid.radius[i]))
            .collect();
        let mut coherence = Self {
            pictures: Vec::new(),
            power: shared.smooth.iter().map(|log| log.exp()).collect(),
            noise: noises.sum::<f32>() / whittles.len() as f32,
            band,
            window: grid.window(),
            shifts: Shifts::new(grid),
            whittles,
        };
        coherence.pictures = measured.frames().map(|f| coherence.picture(f)).collect();
        coherence
    }

    /// The spectrum of a frame.
    pub fn picture(&self, frame: &[f32]) -> Vec<Complex32> {
        let whittle = &self.whittles[0];
        let total: f32 = self.window.iter().sum();
        let pixels = || frame.iter().zip(&self.window);
        let mean = pixels().map(|(v, w)| v * w).sum::<f32>() / total;
        let tapered: Vec<f32> = pixels().map(|(v, w)| (v - mean) * w).collect();
        let grid = &whittle.grid;
        whittle.transfer.picture(&tapered, grid.rows, grid.columns)
    }

    pub fn hypothesis(&self, coefficients: Vec<f64>) -> Hypothesis {
        Hypothesis::new(&self.whittles[0], coefficients)
    }

    /// Two frames, each under an aberration.
    pub fn compare(
        &self,
        (first, a): (&[Complex32], &Hypothesis),
        (second, b): (&[Complex32], &Hypothesis),
    ) -> Match {
        let mut cross = vec![Complex32::ZERO; self.power.len()];
        let mut norm = 0.0f32;
        for &i in &self.band {
            let (h, k) = (a.transfer[i], b.transfer[i]);
            let both = (h.norm_sqr() + k.norm_sqr() + DAMPING) * self.power[i];
            let weight = self.shifts.multiplicity(i) / (both + self.noise);
            let x = first[i] * k.conj();
            let y = second[i] * h.conj();
            cross[i] = x * y.conj() * weight;
            norm += 0.5 * weight * (x.norm_sqr() + y.norm_sqr());
        }
        let (peak, shift_px) = self.shifts.peak(&cross);
        Match {
            share: peak / norm.max(f32::MIN_POSITIVE),
            shift_px,
        }
    }

    /// All hypotheses of one frame against all of another.
    pub fn compare_all(
        &self,
        (first, a): (usize, &[Hypothesis]),
        (second, b): (usize, &[Hypothesis]),
    ) -> Pair {
        let (there, here) = (&self.pictures[first], &self.pictures[second]);
        let evidence = a
            .par_iter()
            .flat_map_iter(|a| {
                let against = b.iter();
                against.map(move |b| self.compare((there, a), (here, b)).evidence())
            })
            .collect();
        Pair {
            first,
            second,
            evidence,
        }
    }

    /// Where each frame lies under one hypothesis a frame, in pixels of rows and columns, by
    /// least squares from the shifts between pairs; their mean is 0.
    pub fn places(&self, chosen: &[&Hypothesis], pairs: &[Pair]) -> Vec<[f64; 2]> {
        const SWEEPS: usize = 100;
        let frames = chosen.len();
        let found: Vec<(usize, usize, Match)> = pairs
            .par_iter()
            .map(|pair| {
                let (s, t) = (pair.first, pair.second);
                let first = (&*self.pictures[s], chosen[s]);
                let second = (&*self.pictures[t], chosen[t]);
                (s, t, self.compare(first, second))
            })
            .collect();
        let mut places = vec![[0.0f64; 2]; frames];
        for _ in 0..SWEEPS {
            for frame in 0..frames {
                let (mut total, mut sum) = (0.0, [0.0; 2]);
                for (s, t, found) in &found {
                    let (other, sign) = match (*s == frame, *t == frame) {
                        (true, _) => (*t, 1.0),
                        (_, true) => (*s, -1.0),
                        _ => continue,
                    };
                    // Matches by chance hardly count.
                    let weight = f64::from(found.share.max(0.0)).powi(4);
                    total += weight;
                    for k in 0..2 {
                        let shift = sign * f64::from(found.shift_px[k]);
                        sum[k] += weight * (places[other][k] + shift);
                    }
                }
                if total > 0.0 {
                    places[frame] = sum.map(|s| s / total);
                }
            }
            for k in 0..2 {
                let mean = places.iter().map(|p| p[k]).sum::<f64>() / frames as f64;
                places.iter_mut().for_each(|p| p[k] -= mean);
            }
        }
        places
    }
}

/// The correlation that a cross spectrum stands for, at small shifts.
struct Shifts {
    rows: usize,
    /// Steps, and the phases of each: along rows of a column, and along columns.
    down: Vec<Vec<Complex32>>,
    right: Vec<Vec<Complex32>>,
    multiplicity: Vec<f32>,
}

impl Shifts {
    fn new(grid: &Grid) -> Self {
        let half = grid.columns / 2 + 1;
        let steps = (2.0 * REACH_PX / STEP_PX) as usize + 1;
        let phases = |frequency: &dyn Fn(usize) -> f32, count: usize| {
            (0..steps)
                .map(|k| {
                    let by = Self::px(k);
                    let phase = |i| Complex32::from_polar(1.0, 2.0 * PI * frequency(i) * by);
                    (0..count).map(phase).collect()
                })
                .collect()
        };
        Self {
            rows: grid.rows,
            down: phases(&|row| grid.v[row], grid.rows),
            right: phases(&|column| grid.u[column * grid.rows], half),
            multiplicity: grid.weight.iter().map(|w| 2.0 * w).collect(),
        }
    }

    fn px(step: usize) -> f32 {
        step as f32 * STEP_PX - REACH_PX
    }

    /// 2 for values that stand for their mirror image, too.
    fn multiplicity(&self, i: usize) -> f32 {
        self.multiplicity[i]
    }

    /// The largest value, and its rows and columns in pixels.
    fn peak(&self, cross: &[Complex32]) -> (f32, [f32; 2]) {
        let mut best = (f32::NEG_INFINITY, [0.0; 2]);
        let mut line = vec![Complex32::ZERO; cross.len() / self.rows];
        for (y, down) in self.down.iter().enumerate() {
            for (sum, column) in line.iter_mut().zip(cross.chunks_exact(self.rows)) {
                let (mut re, mut im) = (0.0f32, 0.0f32);
                for (c, p) in column.iter().zip(down) {
                    re += c.re * p.re - c.im * p.im;
                    im += c.re * p.im + c.im * p.re;
                }
                *sum = Complex32::new(re, im);
            }
            for (x, right) in self.right.iter().enumerate() {
                let terms = line.iter().zip(right);
                let value: f32 = terms.map(|(c, p)| c.re * p.re - c.im * p.im).sum();
                if value > best.0 {
                    best = (value, [Self::px(y), Self::px(x)]);
                }
            }
        }
        best
    }
}

/// Choices of one hypothesis a frame that agree over all pairs, the best first: hill climbs
/// from every hypothesis.
pub fn choices(counts: &[usize], pairs: &[Pair]) -> Vec<Vec<usize>> {
    const SWEEPS: usize = 6;
    let frames = counts.len();
    // What each frame is compared with, and whether it is the first of the two.
    let mut with: Vec<Vec<(usize, &[f32], bool)>> = vec![Vec::new(); frames];
    for pair in pairs {
        with[pair.first].push((pair.second, &pair.evidence, true));
        with[pair.second].push((pair.first, &pair.evidence, false));
    }
    let evidence =
        |of: usize, mine: usize, (other, pair, first): (usize, &[f32], bool), theirs| match first {
            true => pair[mine * counts[other] + theirs],
            false => pair[theirs * counts[of] + mine],
        };
    let climb = |start: usize, pick: usize| -> (f32, Vec<usize>) {
        let mut picks: Vec<Option<usize>> = vec![None; frames];
        picks[start] = Some(pick);
        let total_of = |frame: usize, mine: usize, picks: &[Option<usize>]| -> f32 {
            let placed = with[frame].iter();
            placed
                .filter_map(|&pair| Some(evidence(frame, mine, pair, picks[pair.0]?)))
                .sum()
        };
        // From the start outwards, then all again.
        let mut order: Vec<usize> = (0..frames).collect();
        order.sort_by_key(|&t| t.abs_diff(start));
        for sweep in 0..=SWEEPS {
            for &frame in &order {
                if sweep > 0 || frame != start {
                    let score = |mine: &usize| total_of(frame, *mine, &picks);
                    let best = (0..counts[frame]).max_by(|a, b| score(a).total_cmp(&score(b)));
                    picks[frame] = best;
                }
            }
        }
        let picks: Vec<Option<usize>> = picks.into_iter().map(|p| Some(p.unwrap_or(0))).collect();
        let all = picks.iter().enumerate();
        let total = all
            .map(|(t, pick)| total_of(t, pick.unwrap_or(0), &picks))
            .sum();
        (total, picks.into_iter().flatten().collect())
    };
    let mut climbed: Vec<(f32, Vec<usize>)> = (0..frames)
        .flat_map(|frame| (0..counts[frame]).map(move |pick| (frame, pick)))
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|(frame, pick)| climb(frame, pick))
        .collect();
    climbed.sort_by(|a, b| b.0.total_cmp(&a.0));
    climbed.dedup_by(|a, b| a.1 == b.1);
    climbed.into_iter().map(|(_, picks)| picks).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::physics::{ForwardModel, ZernikeBlur};
    use crate::scenes::Scene;
    use crate::solver::aberration::{PIXELS_PER_RADIAN, mirror_image};

    const A: [f64; 10] = [0.0, 0.0, 0.0, 0.8, 1.5, -0.6, 0.9, -1.2, 0.4, 0.7];
    const B: [f64; 10] = [0.0, 0.0, 0.0, -1.1, 0.7, 0.9, -0.4, 1.0, 1.3, -0.5];

    /// Two frames of one scene, the second moved by a tilt of so many pixels.
    fn made(right: f64, down: f64) -> Coherence {
        let shape = Shape::new(2, 64, 64);
        let mut coefficients = [A, B].concat();
        coefficients[11] = right / PIXELS_PER_RADIAN;
        coefficients[12] = down / PIXELS_PER_RADIAN;
        let scene = Scene::Leaves.render(Shape::new(1, 64, 64), 4);
        let scene = Clip::new(shape, scene.data().repeat(2));
        let measured = ZernikeBlur::new(shape, coefficients).unwrap().apply(&scene);
        let one = Shape::new(1, 64, 64);
        let whittles: Arc<[Whittle]> = measured
            .frames()
            .map(|frame| Whittle::new(&Clip::new(one, frame.to_vec())))
            .collect();
        let alone = [A, B].map(|c| c.to_vec());
        let alone: Vec<_> = whittles
            .iter()
            .zip(alone)
            .map(|(w, c)| w.settle(c).0)
            .collect();
        Coherence::new(&Shared::new(whittles, &alone), &measured)
    }

    #[test]
    fn the_right_aberrations_agree_and_tell_the_tilt() {
        let coherence = made(2.0, -1.5);
        let list = |c: [f64; 10]| mirror_image(&c).map(|c| coherence.hypothesis(c));
        let (a, b) = (list(A), list(B));
        let pair = coherence.compare_all((0, &a), (1, &b));
        let others = pair.evidence[1..].iter().fold(0.0, |a: f32, &e| a.max(e));
        assert!(others < 0.7 * pair.evidence[0], "{:?}", pair.evidence);
        let places = coherence.places(&[&a[0], &b[0]], &[pair]);
        let apart = [0, 1].map(|k| places[1][k] - places[0][k]);
        assert!(
            (apart[0] - 1.5).abs() < 0.6 && (apart[1] + 2.0).abs() < 0.6,
            "{apart:?}"
        );
    }

    #[test]
    fn a_choice_agrees_over_all_pairs() {
        // Three frames of two hypotheses: 0 with 1 with 0 agree, all others hardly.
        let wanted = [0, 1, 0];
        let pair = |first: usize, second: usize| Pair {
            first,
            second,
            evidence: (0..4)
                .map(
                    |i| match (i / 2 == wanted[first], i % 2 == wanted[second]) {
                        (true, true) => 2.0,
                        _ => 0.1 * i as f32,
                    },
                )
                .collect(),
        };
        let choices = choices(&[2, 2, 2], &[pair(0, 1), pair(0, 2), pair(1, 2)]);
        assert_eq!(choices[0], wanted);
        assert_eq!(
            choices.len(),
            choices
                .iter()
                .collect::<std::collections::HashSet<_>>()
                .len()
        );
    }
}
