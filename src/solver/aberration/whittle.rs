//! How likely an aberration makes the spectrum of a measurement, whatever the scene.

use super::spectrum::{CUTOFF, Grid, Spectrum};
use crate::adam::rate_share;
use crate::clip::Clip;
use crate::physics::zernike::{MODES, Pupil, Transfer};

/// Terms of the logarithm of a scene's power spectrum.
pub const TERMS: usize = 11;
/// What they are before anything was measured: mean and standard deviation, for the mean
/// frame; the first is free.
const PRIOR: [(f64, f64); TERMS] = [
    (0.0, 1e3),
    (-2.4, 0.6),
    (0.0, 0.3),
    (0.0, 0.5),
    (0.0, 0.5),
    (0.0, 0.4),
    (0.0, 0.4),
    (0.0, 0.3),
    (0.0, 0.3),
    (0.0, 0.3),
    (0.0, 0.3),
];
/// Standard deviation of a coefficient in radians.
const COEFFICIENT_RAD: f64 = 2.0;
/// Freedom of the heavy-tailed deviation of a scene's spectrum from its smooth shape.
const TAIL: f32 = 1.0;

pub struct Whittle {
    pub(super) grid: Grid,
    pub(super) spectra: Vec<Spectrum>,
    pub(super) pupil: Pupil,
    pub(super) transfer: Transfer,
    /// `TERMS` pictures over the grid.
    terms: Vec<Vec<f32>>,
    /// What each frequency counts.
    counts: Vec<f32>,
}

/// The terms at a frequency in cycles a pixel.
fn scene_terms(u: f32, v: f32, lowest: f32) -> [f32; TERMS] {
    let l = (u.hypot(v).max(lowest) / 0.1).ln();
    let angle = v.atan2(u);
    let (s2, c2) = (2.0 * angle).sin_cos();
    let (s4, c4) = (4.0 * angle).sin_cos();
    let slopes = [l * c2, l * s2, l * c4, l * s4];
    [
        1.0,
        l,
        l * l,
        c2,
        s2,
        c4,
        s4,
        slopes[0],
        slopes[1],
        slopes[2],
        slopes[3],
    ]
}

/// A point of the search: coefficients and, for each spectrum, the scene's terms.
#[derive(Clone, Debug)]
pub struct Point {
    pub coefficients: Vec<f64>,
    pub scene: Vec<f64>,
}

/// Slopes along what a point is made of.
pub struct Slope {
    pub coefficients: Vec<f64>,
    pub scene: Vec<f64>,
}

/// The spectrum of the scene alone, as the optics pass it, and as a windowed frame shows it.
struct Modelled {
    scene: Vec<f32>,
    sharp: Vec<f32>,
    model: Vec<f32>,
}

/// What each frequency counts: nothing where the window mixes in the mean, and where the optics
/// pass nothing, to which there is a soft end.
fn counts(grid: &Grid) -> Vec<f32> {
    // A Hann window leaves under half of the bins independent.
    const INDEPENDENT: f32 = 0.4;
    let lowest = 1.6 / grid.rows.min(grid.columns) as f32;
    let frequencies = grid.radius.iter().zip(&grid.weight);
    frequencies
        .map(|(&r, weight)| match (lowest..=CUTOFF).contains(&r) {
            true => INDEPENDENT * weight / (1.0 + ((r - 0.52) / 0.02).exp()),
            false => 0.0,
        })
        .collect()
}

impl Whittle {
    pub fn new(measured: &Clip) -> Self {
        let shape = measured.shape();
        let grid = Grid::new(shape.height, shape.width);
        let spectra = super::spectrum::spectra(&grid, measured);
        let mut terms = vec![Vec::new(); TERMS];
        for i in 0..grid.len() {
            let at = scene_terms(grid.u[i], grid.v[i], 0.5 / shape.height as f32);
            terms.iter_mut().zip(at).for_each(|(t, v)| t.push(v));
        }
        Self {
            transfer: Transfer::new(grid.rows, grid.columns),
            counts: counts(&grid),
            grid,
            spectra,
            pupil: Pupil::new(),
            terms,
        }
    }

    /// The point at these coefficients with a typical scene of the right brightness.
    pub fn start(&self, coefficients: Vec<f64>) -> Point {
        let psf = self.pupil.psf(&coefficients);
        let transfer = self.transfer.of(&psf.values);
        let power: Vec<f32> = transfer.iter().map(|h| h.norm_sqr()).collect();
        let mut scene = Vec::new();
        for spectrum in &self.spectra {
            let (mut sum, mut count) = (0.0, 0.0);
            let shaped: Vec<f32> = power
                .iter()
                .zip(&self.terms[1])
                .map(|(p, l)| p * (PRIOR[1].0 as f32 * l).exp())
                .collect();
            let shaped = self.grid.smooth(&shaped);
            for i in 0..self.grid.len() {
                if (0.04..0.2).contains(&self.grid.radius[i]) {
                    sum += f64::from((spectrum.power[i] / shaped[i].max(1e-20)).max(1e-12).ln());
                    count += 1.0;
                }
            }
            let mut b = PRIOR.map(|(mean, _)| mean);
            b[0] = sum / f64::max(count, 1.0);
            scene.extend(b);
        }
        Point {
            coefficients,
            scene,
        }
    }

    /// Minus the logarithm of the posterior.
    pub fn value(&self, point: &Point) -> f64 {
        let power = self.power(&point.coefficients);
        let scenes = point.scene.chunks_exact(TERMS);
        let mut value = 0.0;
        for (spectrum, b) in self.spectra.iter().zip(scenes) {
            let modelled = self.modelled(b, &power);
            let d = spectrum.freedom;
            let measured = modelled.model.iter().zip(&spectrum.power);
            for ((model, power), &w) in measured.zip(&self.counts) {
                if w > 0.0 {
                    let m = model + spectrum.noise;
                    let ratio = d * power / (TAIL * m);
                    value += f64::from(w * (d * m.ln() + (d + TAIL) * ratio.ln_1p()));
                }
            }
            for (b, (mean, deviation)) in b.iter().zip(PRIOR) {
                value += 0.5 * ((b - mean) / deviation).powi(2);
            }
        }
        let coefficients = point.coefficients[3..].iter();
        value
            + coefficients
                .map(|c| 0.5 * (c / COEFFICIENT_RAD).powi(2))
                .sum::<f64>()
    }

    /// The slopes of [`value`](Self::value).
    pub fn slope(&self, point: &Point) -> Slope {
        let psf = self.pupil.psf(&point.coefficients);
        let transfer = self.transfer.of(&psf.values);
        let power: Vec<f32> = transfer.iter().map(|h| h.norm_sqr()).collect();
        let n = self.grid.len();
        let mut slope_power = vec![0.0f32; n];
        let mut slope_scene = Vec::with_capacity(point.scene.len());
        let scenes = point.scene.chunks_exact(TERMS);
        for (spectrum, b) in self.spectra.iter().zip(scenes) {
            let modelled = self.modelled(b, &power);
            let d = spectrum.freedom;
            let tail = d + TAIL;
            let mut slope_model = vec![0.0f32; n];
            for i in 0..n {
                let w = self.counts[i];
                if w > 0.0 {
                    let m = modelled.model[i] + spectrum.noise;
                    let ratio = d * spectrum.power[i] / (TAIL * m);
                    slope_model[i] = w * (d - tail * ratio / (1.0 + ratio)) / m;
                }
            }
            let slope_sharp = self.grid.smooth_adjoint(&slope_model);
            for i in 0..n {
                slope_power[i] += slope_sharp[i] * modelled.scene[i];
            }
            let logs = slope_sharp.iter().zip(&modelled.sharp);
            let slope_log: Vec<f32> = logs.map(|(a, b)| a * b).collect();
            for ((term, b), (mean, deviation)) in self.terms.iter().zip(b).zip(PRIOR) {
                let along: f32 = term.iter().zip(&slope_log).map(|(t, s)| t * s).sum();
                slope_scene.push(f64::from(along) + (b - mean) / (deviation * deviation));
            }
        }
        let pulled = self.transfer.pull_power(&transfer, &slope_power);
        let mut coefficients = self.pupil.pull(&psf, &pulled);
        // Piston and tilt change nothing here.
        coefficients[..3].fill(0.0);
        for (slope, c) in coefficients.iter_mut().zip(&point.coefficients).skip(3) {
            *slope += c / (COEFFICIENT_RAD * COEFFICIENT_RAD);
        }
        Slope {
            coefficients,
            scene: slope_scene,
        }
    }

    /// The squared modulation transfer.
    fn power(&self, coefficients: &[f64]) -> Vec<f32> {
        let transfer = self.transfer.of(&self.pupil.psf(coefficients).values);
        transfer.iter().map(|h| h.norm_sqr()).collect()
    }

    /// What a scene's terms and a squared modulation transfer make of a spectrum.
    fn modelled(&self, terms: &[f64], power: &[f32]) -> Modelled {
        let mut scene = vec![0.0f32; self.grid.len()];
        for (term, &b) in self.terms.iter().zip(terms) {
            let b = b as f32;
            scene.iter_mut().zip(term).for_each(|(s, t)| *s += b * t);
        }
        let bounded = scene.iter_mut();
        bounded.for_each(|s| *s = s.clamp(-60.0, 60.0).exp());
        let sharp: Vec<f32> = scene.iter().zip(power).map(|(s, p)| s * p).collect();
        let model = self.grid.smooth(&sharp);
        Modelled {
            scene,
            sharp,
            model,
        }
    }

    /// Slopes along the coefficients of the logarithm of how much a measurement may vary: half
    /// the log-determinant of its covariance, summed over what moves.
    pub fn volume_slope(&self, point: &Point) -> Vec<f64> {
        let psf = self.pupil.psf(&point.coefficients);
        let transfer = self.transfer.of(&psf.values);
        let power: Vec<f32> = transfer.iter().map(|h| h.norm_sqr()).collect();
        let n = self.grid.len();
        let mut slope_power = vec![0.0f32; n];
        for (g, spectrum) in self.spectra.iter().enumerate() {
            let b = &point.scene[g * TERMS..(g + 1) * TERMS];
            for i in 0..n {
                let terms = self.terms.iter().zip(b);
                let log: f32 = terms.map(|(term, &b)| b as f32 * term[i]).sum();
                let scene = log.clamp(-60.0, 60.0).exp();
                let model = scene * power[i] + spectrum.noise;
                slope_power[i] += self.grid.weight[i] * spectrum.freedom * scene / model;
            }
        }
        let pulled = self.transfer.pull_power(&transfer, &slope_power);
        let mut coefficients = self.pupil.pull(&psf, &pulled);
        coefficients[..3].fill(0.0);
        coefficients
    }

    /// Standard deviations of the coefficients that the spectrum leaves near a point, in
    /// radians, the scene's terms being unknown too; none for piston and tilt, of which it
    /// knows nothing, and where the point is no optimum.
    pub fn deviations(&self, point: &Point) -> Vec<Option<f64>> {
        const STEP: f64 = 1e-2;
        let first = 3;
        let size = MODES.len() - first + point.scene.len();
        let slope = |k: usize, by: f64| -> Vec<f64> {
            let mut moved = point.clone();
            match k + first < MODES.len() {
                true => moved.coefficients[k + first] += by,
                false => moved.scene[k + first - MODES.len()] += by,
            }
            let slope = self.slope(&moved);
            [&slope.coefficients[first..], &slope.scene].concat()
        };
        let mut curvature = vec![0.0; size * size];
        for k in 0..size {
            let (ahead, behind) = (slope(k, STEP), slope(k, -STEP));
            for j in 0..size {
                let second = (ahead[j] - behind[j]) / (2.0 * STEP);
                curvature[k * size + j] += 0.5 * second;
                curvature[j * size + k] += 0.5 * second;
            }
        }
        let factor = cholesky(curvature, size);
        let deviation = |k: usize| -> Option<f64> {
            // The variance is the squared length of L^-1 e_k.
            let factor = factor.as_ref()?;
            let mut solved = vec![0.0; size];
            for i in k..size {
                let known: f64 = (k..i).map(|j| factor[i * size + j] * solved[j]).sum();
                let unit = if i == k { 1.0 } else { 0.0 };
                solved[i] = (unit - known) / factor[i * size + i];
            }
            let variance: f64 = solved.iter().map(|s| s * s).sum();
            variance.is_finite().then_some(variance.sqrt())
        };
        (0..MODES.len())
            .map(|k| k.checked_sub(first).and_then(deviation))
            .collect()
    }

    /// The logarithm of the power spectrum of what stays of the scene at a point.
    pub fn scene_log(&self, point: &Point) -> Vec<f32> {
        let mut log = vec![0.0f32; self.grid.len()];
        for (term, &b) in self.terms.iter().zip(&point.scene[..TERMS]) {
            log.iter_mut()
                .zip(term)
                .for_each(|(l, t)| *l += b as f32 * t);
        }
        log
    }

    /// The modulation transfer at coefficients, which neither tilt nor a mirror changes, for
    /// telling aberrations apart.
    pub fn modulation(&self, coefficients: &[f64]) -> Vec<f32> {
        let mut modulation = self.power(coefficients);
        modulation.iter_mut().for_each(|m| *m = m.sqrt());
        let mean = modulation.iter().sum::<f32>() / modulation.len() as f32;
        modulation.iter_mut().for_each(|m| *m -= mean);
        let norm = modulation.iter().map(|m| m * m).sum::<f32>().sqrt();
        modulation.iter_mut().for_each(|m| *m /= norm);
        modulation
    }

    /// Adam from `point`, and the value it ends at.
    pub fn descend(&self, point: Point, steps: usize, rate: f64) -> (Point, f64) {
        self.adam(point, steps, rate, true)
    }

    /// Coefficients with the likeliest scene, and their value.
    pub fn settle(&self, coefficients: Vec<f64>) -> (Point, f64) {
        self.adam(self.start(coefficients), 100, 0.1, false)
    }

    fn adam(&self, mut point: Point, steps: usize, rate: f64, free: bool) -> (Point, f64) {
        let len = point.coefficients.len() + point.scene.len();
        let (mut first, mut second) = (vec![0.0; len], vec![0.0; len]);
        for i in 0..steps {
            let passed = i as f64 / steps as f64;
            let slope = self.slope(&point);
            let step = rate * rate_share(passed);
            let (b1, b2) = (0.9f64, 0.95f64);
            let (u1, u2) = (1.0 - b1.powi(i as i32 + 1), 1.0 - b2.powi(i as i32 + 1));
            let all = slope.coefficients.iter().chain(&slope.scene);
            let places = point.coefficients.iter_mut().chain(&mut point.scene);
            for (k, (x, g)) in places.zip(all).enumerate() {
                first[k] = b1 * first[k] + (1.0 - b1) * g;
                second[k] = b2 * second[k] + (1.0 - b2) * g * g;
                if k < MODES.len() && !free {
                    continue;
                }
                *x -= step * (first[k] / u1) / ((second[k] / u2).sqrt() + 1e-9);
            }
        }
        let value = self.value(&point);
        (point, value)
    }
}

/// The lower factor L of a symmetric matrix L L^T, row after row; none where it is not
/// positive.
fn cholesky(mut matrix: Vec<f64>, size: usize) -> Option<Vec<f64>> {
    for i in 0..size {
        for j in 0..=i {
            let known: f64 = (0..j)
                .map(|k| matrix[i * size + k] * matrix[j * size + k])
                .sum();
            let rest = matrix[i * size + j] - known;
            matrix[i * size + j] = if i > j {
                rest / matrix[j * size + j]
            } else if rest > 0.0 {
                rest.sqrt()
            } else {
                return None;
            };
        }
    }
    Some(matrix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::physics::{ForwardModel, ZernikeBlur};
    use crate::scenes::Scene;

    const TRUTH: [f64; 10] = [0.0, 0.0, 0.0, -0.9, 1.9, 0.7, 0.4, 0.2, 1.1, -1.8];

    fn measured() -> Clip {
        let shape = Shape::new(4, 48, 48);
        let scene = Scene::Shapes.render(shape, 3);
        let y = ZernikeBlur::new(shape, TRUTH.to_vec())
            .unwrap()
            .apply(&scene);
        y.map(|v| (v * 120.0).round() / 120.0)
    }

    #[test]
    fn gradient_agrees_with_finite_differences() {
        let whittle = Whittle::new(&measured());
        let mut point = whittle.start(vec![0.0, 0.0, 0.0, 0.5, 1.0, -0.8, 0.3, 1.2, -0.4, 0.6]);
        point.scene[3] = 0.2;
        let slope = whittle.slope(&point);
        for k in [3, 4, 8] {
            let at = |by: f64| {
                let mut moved = point.clone();
                moved.coefficients[k] += by;
                whittle.value(&moved)
            };
            let numeric = (at(1e-3) - at(-1e-3)) / 2e-3;
            let analytic = slope.coefficients[k];
            assert!(
                (numeric - analytic).abs() < 0.02 * numeric.abs().max(5.0),
                "{k}: {numeric} {analytic}"
            );
        }
        for k in [0, 1, 3, 7] {
            let at = |by: f64| {
                let mut moved = point.clone();
                moved.scene[k] += by;
                whittle.value(&moved)
            };
            let numeric = (at(1e-3) - at(-1e-3)) / 2e-3;
            let analytic = slope.scene[k];
            assert!(
                (numeric - analytic).abs() < 0.02 * numeric.abs().max(5.0),
                "{k}: {numeric} {analytic}"
            );
        }
    }

    #[test]
    fn a_mirror_and_a_tilt_leave_the_likelihood() {
        let whittle = Whittle::new(&measured());
        let value = |coefficients: Vec<f64>| {
            let mut point = whittle.start(TRUTH.to_vec());
            point.coefficients = coefficients;
            whittle.value(&point)
        };
        let truth = value(TRUTH.to_vec());
        let mirrored = TRUTH
            .iter()
            .zip(&MODES)
            .map(|(c, m)| if m.n == 3 { -c } else { *c });
        // The crop to 32 x 32 is off centre by a pixel, so this is not exact.
        assert!((value(mirrored.collect()) - truth).abs() < 2.0);
        let mut tilted = TRUTH.to_vec();
        tilted[1] = 1.0;
        assert!((value(tilted) - truth).abs() < 2.0);
        let mut other = TRUTH.to_vec();
        other[4] = 0.2;
        assert!(value(other) > truth + 5.0);
    }

    #[test]
    fn deviations_are_small_where_the_spectrum_speaks() {
        let whittle = Whittle::new(&measured());
        let (point, _) = whittle.descend(whittle.start(TRUTH.to_vec()), 150, 0.05);
        let deviations = whittle.deviations(&point);
        assert!(deviations[..3].iter().all(Option::is_none));
        let known: Vec<f64> = deviations[3..].iter().flatten().copied().collect();
        assert_eq!(known.len(), 7, "{deviations:?}");
        assert!(known.iter().all(|d| (1e-4..2.0).contains(d)), "{known:?}");
    }

    #[test]
    fn cholesky_refuses_what_is_not_positive() {
        let factor = cholesky(vec![4.0, 2.0, 2.0, 5.0], 2).unwrap();
        assert_eq!((factor[0], factor[2], factor[3]), (2.0, 1.0, 2.0));
        assert!(cholesky(vec![1.0, 2.0, 2.0, 1.0], 2).is_none());
    }
}
