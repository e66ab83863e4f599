//! How likely aberrations make the spectra of frames that show nearly the same scene.

use std::sync::Arc;

use rayon::prelude::*;

use crate::adam::rate_share;
use crate::physics::zernike::MODES;
use crate::solver::aberration::COEFFICIENT_RAD;
use crate::solver::aberration::spectrum::CUTOFF;
use crate::solver::aberration::whittle::{Point, Whittle};

/// Terms by which the logarithm of one frame's scene spectrum differs from what all share.
const TERMS: usize = 4;
/// Their standard deviations.
const DEVIATIONS: [f64; TERMS] = [0.2, 0.1, 0.1, 0.1];
/// Freedom of a frame's periodogram and of the tails of its deviations.
const FREEDOM: f32 = 2.0;
const TAIL: f32 = 2.0;
/// Standard deviations of the logarithm: of the scene's spectrum about its smooth shape, and
/// of a periodogram about it.
const SPREAD: f32 = 1.2;
const ERROR: f32 = 0.6;
/// Updates of the scene's spectrum.
const UPDATES: usize = 3;
/// Steps of a descent and its rate in radians.
const STEPS: usize = 80;
const RATE: f64 = 0.06;

/// The power spectrum of a scene that all frames share, free at each frequency, and what the
/// frames measured of it.
pub struct Shared {
    /// One a frame.
    pub whittles: Arc<[Whittle]>,
    /// Logarithm of the scene's power, and of its smooth shape.
    scene: Vec<f32>,
    pub smooth: Vec<f32>,
    terms: Vec<[f32; TERMS]>,
}

/// One frame's coefficients, and how its scene differs from the common one.
#[derive(Clone)]
struct Place {
    coefficients: Vec<f64>,
    scene: [f64; TERMS],
}

impl Shared {
    /// From an aberration of each frame alone: the scene's spectrum that they agree on, most of
    /// them being about right.
    pub fn new(whittles: Arc<[Whittle]>, alone: &[Point]) -> Self {
        let grid = &whittles[0].grid;
        let lowest = 0.5 / grid.rows as f32;
        let terms = (0..grid.len())
            .map(|i| {
                let (u, v) = (grid.u[i], grid.v[i]);
                let l = (u.hypot(v).max(lowest) / 0.1).ln();
                let (s2, c2) = (2.0 * v.atan2(u)).sin_cos();
                [1.0, l, c2, s2]
            })
            .collect();
        let mut smooth = vec![0.0f32; grid.len()];
        let share = 1.0 / whittles.len() as f32;
        for (whittle, point) in whittles.iter().zip(alone) {
            let log = whittle.scene_log(point);
            smooth
                .iter_mut()
                .zip(log)
                .for_each(|(s, l)| *s += share * l);
        }
        let mut shared = Self {
            scene: smooth.clone(),
            whittles,
            smooth,
            terms,
        };
        for _ in 0..UPDATES {
            shared.agree(alone);
        }
        shared
    }

    /// Moves the scene's spectrum to what the frames say of it, far ratios counting less.
    fn agree(&mut self, alone: &[Point]) {
        let ratios: Vec<(Vec<f32>, Vec<f32>)> = alone
            .par_iter()
            .enumerate()
            .map(|(t, point)| self.ratios(t, &point.coefficients))
            .collect();
        for i in 0..self.scene.len() {
            let mut total = 1.0 / (SPREAD * SPREAD);
            let mut sum = (self.smooth[i] - self.scene[i]) * total;
            for (ratio, share) in &ratios {
                let r = ratio[i];
                let w = share[i] * share[i] / (ERROR * ERROR + r * r / 3.0);
                sum += w * r;
                total += w;
            }
            self.scene[i] += sum / total;
        }
    }

    /// Logarithms of a frame's periodogram over its model, and the signal's share of the model.
    fn ratios(&self, frame: usize, coefficients: &[f64]) -> (Vec<f32>, Vec<f32>) {
        let whittle = &self.whittles[frame];
        let psf = whittle.pupil.psf(coefficients);
        let transfer = whittle.transfer.of(&psf.values);
        let place = Place {
            coefficients: Vec::new(),
            scene: [0.0; TERMS],
        };
        let sharp = self.scene_of(&place);
        let sharp: Vec<f32> = sharp
            .iter()
            .zip(&transfer)
            .map(|(s, h)| s * h.norm_sqr())
            .collect();
        let model = whittle.grid.smooth(&sharp);
        let spectrum = &whittle.spectra[0];
        let all = model.iter().zip(&spectrum.power);
        all.map(|(model, power)| {
            let m = model + spectrum.noise;
            ((power / m).max(1e-6).ln(), model / m)
        })
        .unzip()
    }

    fn scene_of(&self, place: &Place) -> Vec<f32> {
        let own = |terms: &[f32; TERMS]| -> f32 {
            let terms = terms.iter().zip(&place.scene);
            terms.map(|(t, &b)| t * b as f32).sum()
        };
        let logs = self.scene.iter().zip(&self.terms);
        logs.map(|(log, terms)| (log + own(terms)).clamp(-60.0, 60.0).exp())
            .collect()
    }

    /// Minus the logarithm of a frame's posterior, and its slope.
    fn slope(&self, frame: usize, place: &Place) -> (f64, Place) {
        let whittle = &self.whittles[frame];
        let (grid, spectrum) = (&whittle.grid, &whittle.spectra[0]);
        let psf = whittle.pupil.psf(&place.coefficients);
        let transfer = whittle.transfer.of(&psf.values);
        let scene = self.scene_of(place);
        let sharp: Vec<f32> = scene
            .iter()
            .zip(&transfer)
            .map(|(s, h)| s * h.norm_sqr())
            .collect();
        let model = grid.smooth(&sharp);
        let n = grid.len();
        let mut value = 0.0;
        let mut slope_model = vec![0.0f32; n];
        let lowest = 1.6 / grid.rows.min(grid.columns) as f32;
        for i in 0..n {
            let r = grid.radius[i];
            if r < lowest || r > CUTOFF {
                continue;
            }
            // A Hann window leaves under half of the bins independent.
            let w = 0.4 * grid.weight[i];
            let m = model[i] + spectrum.noise;
            let ratio = FREEDOM * spectrum.power[i] / (TAIL * m);
            let tail = FREEDOM + TAIL;
            value += f64::from(w * (FREEDOM * m.ln() + tail * ratio.ln_1p()));
            slope_model[i] = w * (FREEDOM - tail * ratio / (1.0 + ratio)) / m;
        }
        let slope_sharp = grid.smooth_adjoint(&slope_model);
        let mut slope_scene = [0.0f64; TERMS];
        let mut slope_power = vec![0.0f32; n];
        for i in 0..n {
            slope_power[i] = slope_sharp[i] * scene[i];
            let log = slope_sharp[i] * sharp[i];
            for (s, t) in slope_scene.iter_mut().zip(&self.terms[i]) {
                *s += f64::from(log * t);
            }
        }
        let pulled = whittle.transfer.pull_power(&transfer, &slope_power);
        let mut coefficients = whittle.pupil.pull(&psf, &pulled);
        // Piston and tilt change nothing here.
        coefficients[..3].fill(0.0);
        for k in 3..MODES.len() {
            let from = place.coefficients[k] / COEFFICIENT_RAD;
            value += 0.5 * from * from;
            coefficients[k] += from / COEFFICIENT_RAD;
        }
        for k in 0..TERMS {
            let from = place.scene[k] / DEVIATIONS[k];
            value += 0.5 * from * from;
            slope_scene[k] += from / DEVIATIONS[k];
        }
        let slope = Place {
            coefficients,
            scene: slope_scene,
        };
        (value, slope)
    }

    /// Adam from a frame's coefficients, and the value it ends at.
    pub fn descend(&self, frame: usize, coefficients: Vec<f64>) -> (Vec<f64>, f64) {
        let mut place = Place {
            coefficients,
            scene: [0.0; TERMS],
        };
        let len = MODES.len() + TERMS;
        let (mut first, mut second) = (vec![0.0; len], vec![0.0; len]);
        let mut value = f64::INFINITY;
        for i in 0..STEPS {
            let (now, slope) = self.slope(frame, &place);
            value = now;
            let step = RATE * rate_share(i as f64 / STEPS as f64);
            let (b1, b2) = (0.9f64, 0.95f64);
            let (u1, u2) = (1.0 - b1.powi(i as i32 + 1), 1.0 - b2.powi(i as i32 + 1));
            let slopes = slope.coefficients.iter().chain(&slope.scene);
            let places = place.coefficients.iter_mut().chain(&mut place.scene);
            for (k, (x, g)) in places.zip(slopes).enumerate() {
                let step = if k < MODES.len() { step } else { 0.2 * step };
                first[k] = b1 * first[k] + (1.0 - b1) * g;
                second[k] = b2 * second[k] + (1.0 - b2) * g * g;
                *x -= step * (first[k] / u1) / ((second[k] / u2).sqrt() + 1e-9);
            }
        }
        (place.coefficients, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::{Clip, Shape};
    use crate::noise::Noise;
    use crate::physics::{ForwardModel, ZernikeBlur};
    use crate::scenes::Scene;

    const FRAMES: usize = 4;

    fn made() -> (Shared, Vec<f64>) {
        let shape = Shape::new(FRAMES, 48, 48);
        let mut noise = Noise::seeded(5);
        let truth: Vec<f64> = (0..FRAMES * MODES.len()).map(|_| noise.normal()).collect();
        let model = ZernikeBlur::new(shape, truth.clone()).unwrap();
        let measured = model.apply(&Scene::Leaves.render(shape, 3));
        let one = Shape::new(1, 48, 48);
        let whittles: Arc<[Whittle]> = measured
            .frames()
            .map(|frame| Whittle::new(&Clip::new(one, frame.to_vec())))
            .collect();
        let alone: Vec<Point> = whittles
            .iter()
            .zip(truth.chunks_exact(MODES.len()))
            .map(|(whittle, c)| whittle.settle(c.to_vec()).0)
            .collect();
        (Shared::new(whittles, &alone), truth)
    }

    #[test]
    fn slopes_agree_with_finite_differences() {
        let (shared, truth) = made();
        let place = Place {
            coefficients: truth[10..20].iter().map(|c| c + 0.2).collect(),
            scene: [0.1, -0.05, 0.02, 0.08],
        };
        let (_, slope) = shared.slope(1, &place);
        let analytic: Vec<f64> = [&slope.coefficients[3..], &slope.scene].concat();
        for (k, analytic) in analytic.into_iter().enumerate() {
            let at = |by: f64| {
                let mut moved = place.clone();
                match k + 3 < MODES.len() {
                    true => moved.coefficients[k + 3] += by,
                    false => moved.scene[k + 3 - MODES.len()] += by,
                }
                shared.slope(1, &moved).0
            };
            let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
            let scale = numeric.abs().max(20.0);
            assert!(
                (numeric - analytic).abs() < 0.02 * scale,
                "{k}: {numeric} {analytic}"
            );
        }
    }

    #[test]
    fn the_shared_spectrum_prefers_what_is_right() {
        let (shared, truth) = made();
        let right = truth[20..30].to_vec();
        let mut wrong = right.clone();
        wrong[4] += 1.5;
        wrong[7] -= 1.0;
        let (found, value) = shared.descend(2, right);
        let apart: f64 = (3..10).map(|k| (found[k] - truth[20 + k]).powi(2)).sum();
        assert!(apart.sqrt() < 0.8, "{found:?}");
        let place = Place {
            coefficients: wrong,
            scene: [0.0; TERMS],
        };
        assert!(shared.slope(2, &place).0 > value + 20.0);
    }
}
