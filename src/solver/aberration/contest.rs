//! Which of many aberrations is worth a refinement on the clip: what the mean frame says.

use rayon::prelude::*;

use super::joint::Joint;
use super::pool::{self, Peak};
use super::whittle::Point;
use super::{
    BlindZernike, COARSE_WEIGHT, Descent, FIRST_WEIGHT, MIDDLE_WEIGHT, PIXELS_PER_RADIAN, Ranked,
    SPECTRAL_SHARE, verdict,
};
use crate::physics::zernike::Pupil;
use crate::solver::SolverError;

/// Distances, in pixels of shift, of the 3 x 3 tilts that a hypothesis is tried with, and at which
/// a contender's tilt is pinned.
const TILT_PX: f64 = 2.4;
const PINNED_PX: [f64; 2] = [1.2, 0.5];
/// Shift, in pixels, up to which point spread functions lie in the same place.
const SAME_PLACE_PX: isize = 1;
/// Iterations on a mean frame: of a hypothesis at a tilt, of a contender at one, and of a contender
/// whose coefficients move, too.
const BRIEF_ITERATIONS: usize = 30;
pub(super) const COARSE_ITERATIONS: usize = 80;
const CONTENDER_ITERATIONS: usize = 1000;

impl BlindZernike {
    /// Each aberration at the likeliest of nine tilts against the mean frame.
    pub(super) fn try_border(&self, peaks: &[Peak]) -> Result<Vec<Ranked>, SolverError> {
        let tried = peaks.par_iter().map(|peak| {
            let mut ranked = self.best_tilt(&peak.point, [0.0; 2], TILT_PX, BRIEF_ITERATIONS)?;
            ranked.score = self.border_score(&ranked.joint);
            Ok(ranked)
        });
        tried.collect()
    }

    /// A hypothesis that was moved to the best tilt close by, and refined together with a scene on
    /// the mean frame.
    pub(super) fn try_contender(&self, mut ranked: Ranked) -> Result<Ranked, SolverError> {
        for step_px in PINNED_PX {
            let point = &ranked.joint.point;
            let middle = [point.coefficients[1], point.coefficients[2]];
            ranked = self.best_tilt(point, middle, step_px, COARSE_ITERATIONS)?;
        }
        ranked.joint.restart();
        self.refine(&mut ranked, &contender_descent())?;
        ranked.score = self.contest_score(&ranked.joint);
        Ok(ranked)
    }

    /// The likeliest of 3 x 3 tilts, `step_px` pixels of shift apart, by a brief descent on the
    /// mean frame. With one modulation transfer, posteriors compare fairly.
    fn best_tilt(
        &self,
        point: &Point,
        middle: [f64; 2],
        step_px: f64,
        iterations: usize,
    ) -> Result<Ranked, SolverError> {
        let step = step_px / PIXELS_PER_RADIAN;
        let tried: Result<Vec<Ranked>, SolverError> = (0..9)
            .into_par_iter()
            .map(|i| {
                let by = |k: i32| f64::from(k) * step;
                let tilt = [middle[0] + by(i % 3 - 1), middle[1] + by(i / 3 - 1)];
                let mut point = point.clone();
                point.coefficients[1..3].copy_from_slice(&tilt);
                let mut ranked = self.on_mean_frame(point);
                let weights = (FIRST_WEIGHT, COARSE_WEIGHT);
                self.refine(&mut ranked, &Descent::of_scene(iterations, weights, 0.7))?;
                ranked.score = ranked.joint.nats(&self.prior, COARSE_WEIGHT);
                Ok(ranked)
            })
            .collect();
        let mut tried = tried?;
        tried.sort_by(|a, b| a.score.total_cmp(&b.score));
        Ok(tried.swap_remove(0))
    }

    /// The best contenders that are not the same place of the same aberration, on the clip.
    pub(super) fn finalists(&self, found: Vec<Ranked>) -> Vec<Ranked> {
        let best = distinct(found, SAME_PLACE_PX, self.config.finalists);
        let on_clip = best.into_iter().map(|ranked| {
            let Joint { point, light, .. } = ranked.joint;
            Ranked {
                joint: Joint::new(self.measurement.clone(), point, light, self.lowest),
                ..ranked
            }
        });
        on_clip.collect()
    }
}

/// Coefficients move for long: how well a mean frame is explained tells a right aberration
/// from a wrong one only once it is within a hundredth or so of what it will be.
fn contender_descent() -> Descent {
    Descent {
        iterations: CONTENDER_ITERATIONS,
        weights: (FIRST_WEIGHT, MIDDLE_WEIGHT),
        fallen: 0.3,
        scene: 0.04,
        coefficients: 0.02,
        tilt: 0.006,
        frozen: 0.25,
        share: SPECTRAL_SHARE,
        volume: 0.0,
    }
}

/// The `count` best of some hypotheses, the best first, whose point spread functions differ, shifts
/// of up to `reach_px` pixels aside.
pub(super) fn distinct(mut found: Vec<Ranked>, reach_px: isize, count: usize) -> Vec<Ranked> {
    const SAME: f64 = 0.98;
    found.sort_by(|a, b| a.score.total_cmp(&b.score));
    let pupil = Pupil::new();
    let psf = |ranked: &Ranked| pupil.psf(&ranked.joint.point.coefficients).values;
    let alike = |a: &[f32], b: &[f32]| verdict::similarity(a, b, reach_px) >= SAME;
    pool::unlike(found, psf, alike, count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::solver::aberration::tests::leaves;
    use crate::solver::aberration::{BlindZernikeConfig, REACH_PX};

    const TRUTH: [f64; 10] = [0.0, 0.4, -0.7, 0.5, 1.4, -0.6, 0.3, 0.9, 0.2, -0.7];

    fn solver() -> BlindZernike {
        let shape = Shape::new(2, 64, 64);
        let (search, measurement) = leaves(shape, &TRUTH);
        let config = BlindZernikeConfig::for_noise(measurement.rounding());
        BlindZernike::new(search, measurement, config, 0).unwrap()
    }

    /// The truth with some coefficients moved.
    fn beside(moved: &[(usize, f64)]) -> Vec<f64> {
        let mut coefficients = TRUTH.to_vec();
        moved.iter().for_each(|&(k, by)| coefficients[k] += by);
        coefficients
    }

    fn similarity(coefficients: &[f64]) -> f64 {
        let psf = |c: &[f64]| Pupil::new().psf(c).values;
        verdict::similarity(&psf(&TRUTH), &psf(coefficients), REACH_PX)
    }

    /// What is close to right comes closer, and the mirror image, which the spectrum takes for as
    /// good, falls behind.
    #[test]
    fn a_contender_close_to_the_truth_gains() {
        let solver = solver();
        let contender = |moved: &[(usize, f64)]| {
            let coefficients = beside(moved);
            let before = similarity(&coefficients);
            let point = solver.whittle.settle(coefficients).0;
            let ranked = solver.try_contender(solver.on_mean_frame(point)).unwrap();
            let after = similarity(&ranked.joint.point.coefficients);
            (before, after, ranked.score)
        };
        let (before, after, right) = contender(&[(1, 1.5), (3, 0.5), (4, -0.6), (7, 0.6)]);
        assert!(before < 0.985 && after > before + 0.002, "{before} {after}");
        let mirror: Vec<(usize, f64)> = (6..10).map(|k| (k, -2.0 * TRUTH[k])).collect();
        let (_, other, wrong) = contender(&mirror);
        assert!(other < before, "{other} {before}");
        assert!(right + 5.0 < wrong, "{right} {wrong}");
    }

    /// A shifted point spread function is the same within reach, another one never.
    #[test]
    fn the_best_of_those_alike_is_kept() {
        let solver = solver();
        let ranked = |score: f64, moved: &[(usize, f64)]| {
            let coefficients = beside(moved);
            let mut ranked = solver.on_mean_frame(solver.whittle.start(coefficients));
            ranked.score = score;
            ranked
        };
        let found = || {
            let shifted = ranked(2.0, &[(1, 3.0 / PIXELS_PER_RADIAN)]);
            vec![ranked(3.0, &[(4, 1.5)]), shifted, ranked(1.0, &[])]
        };
        let scores = |kept: Vec<Ranked>| kept.iter().map(|r| r.score).collect::<Vec<_>>();
        assert_eq!(scores(distinct(found(), REACH_PX, 3)), [1.0, 3.0]);
        assert_eq!(scores(distinct(found(), SAME_PLACE_PX, 3)), [1.0, 2.0, 3.0]);
        assert_eq!(scores(distinct(found(), SAME_PLACE_PX, 2)), [1.0, 2.0]);
    }
}
