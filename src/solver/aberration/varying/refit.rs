//! One frame's aberration where its scene is known.

use rayon::prelude::*;

use super::coherence::Coherence;
use super::joint;
use crate::adam::rate_share;
use crate::clip::{Clip, Shape};
use crate::physics::zernike::MODES;
use crate::physics::{ForwardModel, ZernikeBlur};
use crate::solver::aberration::PIXELS_PER_RADIAN;
use crate::solver::aberration::joint::{Light, Moments};
use crate::solver::{Measurement, SolverError};

/// Steps of a fit, and its rate in radians.
const STEPS: usize = 120;
const RATE: f64 = 0.08;
/// The same of brief ones, and how many of them there are for each that goes further.
const BRIEF_STEPS: usize = 40;
const BRIEF_RATE: f64 = 0.12;
const BRIEF_SHARE: usize = 8;

/// A frame, what it shows, and how it was exposed.
pub struct Known {
    pub measured: Measurement,
    pub scene: Clip,
    pub light: Light,
    /// Where the loss bends, in units of the measurement.
    pub bend: f32,
}

impl Known {
    /// The scene as an eye without aberration sees it, in units of the measurement.
    fn sharp(&self) -> Result<Clip, SolverError> {
        let model = ZernikeBlur::new(self.scene.shape(), vec![0.0; MODES.len()])?;
        let (gain, offset) = (self.light.gain, self.light.offset as f32);
        Ok(model.apply(&self.scene).map(|a| gain * a + offset))
    }

    /// The best of some aberrations, whatever their tilts, and its loss: those that agree best in
    /// phase are fitted briefly, and the best `refined` of these further.
    pub fn best(
        &self,
        coherence: &Coherence,
        tried: Vec<Vec<f64>>,
        refined: usize,
    ) -> Result<(Vec<f64>, f64), SolverError> {
        let sharp = coherence.picture(self.sharp()?.frame(0));
        let there = coherence.picture(self.measured.values().frame(0));
        let plain = coherence.hypothesis(vec![0.0; MODES.len()]);
        let mut matched: Vec<(f32, Vec<f64>)> = tried
            .into_par_iter()
            .map(|coefficients| {
                let hypothesis = coherence.hypothesis(coefficients);
                let found = coherence.compare((&sharp, &plain), (&there, &hypothesis));
                let mut coefficients = hypothesis.coefficients;
                coefficients[1] -= f64::from(found.shift_px[1]) / PIXELS_PER_RADIAN;
                coefficients[2] -= f64::from(found.shift_px[0]) / PIXELS_PER_RADIAN;
                (found.share, coefficients)
            })
            .collect();
        matched.sort_by(|a, b| b.0.total_cmp(&a.0));
        matched.truncate(BRIEF_SHARE * refined);
        let matched = matched.into_iter().map(|(_, coefficients)| coefficients);
        let mut fitted = self.fit_all(matched.collect(), BRIEF_STEPS, BRIEF_RATE)?;
        fitted.truncate(refined);
        let fitted = fitted.into_iter().map(|(coefficients, _)| coefficients);
        let mut fitted = self.fit_all(fitted.collect(), STEPS, RATE)?;
        Ok(fitted.swap_remove(0))
    }

    /// The best first.
    fn fit_all(
        &self,
        starts: Vec<Vec<f64>>,
        steps: usize,
        rate: f64,
    ) -> Result<Vec<(Vec<f64>, f64)>, SolverError> {
        let fitted: Result<Vec<(Vec<f64>, f64)>, SolverError> = starts
            .into_par_iter()
            .map(|start| self.adam(start, steps, rate))
            .collect();
        let mut fitted = fitted?;
        fitted.sort_by(|a, b| a.1.total_cmp(&b.1));
        Ok(fitted)
    }

    /// The optimum near coefficients, and its loss.
    pub fn fit(&self, coefficients: Vec<f64>) -> Result<(Vec<f64>, f64), SolverError> {
        self.adam(coefficients, STEPS, RATE)
    }

    /// Adam from coefficients, and the loss it ends at.
    fn adam(
        &self,
        mut coefficients: Vec<f64>,
        steps: usize,
        rate: f64,
    ) -> Result<(Vec<f64>, f64), SolverError> {
        let shape: Shape = self.scene.shape();
        let mut model = ZernikeBlur::new(shape, coefficients.clone())?;
        let mut moments = Moments::new(coefficients.len());
        let (gain, offset) = (self.light.gain, self.light.offset as f32);
        let mut loss = f64::INFINITY;
        for i in 0..steps {
            model.set_parameters(&coefficients)?;
            let linearised = model.linearise(&self.scene);
            let predicted = linearised.measurement.map(|a| gain * a + offset);
            let residual = self.measured.residual(&predicted);
            let bent;
            (loss, bent) = joint::bent(&residual, self.bend);
            let pulled = (linearised.pullback)(&bent, true);
            let slope: Vec<f64> = pulled
                .parameters
                .iter()
                .map(|p| f64::from(gain) * p)
                .collect();
            drop(linearised);
            let rate = rate * rate_share(i as f64 / steps as f64);
            let rate_of = |k: usize| if k == 0 { 0.0 } else { rate };
            moments.move_others(coefficients.iter_mut(), &slope, rate_of, i as i32 + 1);
        }
        Ok((coefficients, loss))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;
    use crate::physics::zernike::Pupil;
    use crate::scenes::Scene;
    use crate::solver::aberration::pool;
    use crate::solver::aberration::varying::shared::Shared;
    use crate::solver::aberration::verdict::similarity;
    use crate::solver::aberration::whittle::Whittle;

    /// With the scene known, an aberration is found from afar.
    #[test]
    fn a_known_scene_tells_the_aberration() {
        let shape = Shape::new(1, 64, 64);
        let truth = vec![0.0, 1.1, -2.0, 0.8, 1.9, -0.6, 0.9, -1.2, 0.4, 0.7];
        let scene = Scene::Leaves.render(shape, 8);
        let gain = 0.6;
        let measured = ZernikeBlur::new(shape, truth.clone())
            .unwrap()
            .apply(&scene);
        let measured = measured.map(|v| gain * v - 0.02);
        let whittle = Whittle::new(&measured);
        let alone = [whittle.settle(truth.clone()).0];
        let shared = Shared::new([whittle].into(), &alone);
        let coherence = Coherence::new(&shared, &measured);
        let known = Known {
            measured: Measurement::exact(measured),
            scene,
            light: Light {
                gain,
                offset: -0.02,
                fitted: true,
            },
            bend: 0.02,
        };
        let mut noise = Noise::seeded(2);
        let tried: Vec<Vec<f64>> = (0..200).map(|_| pool::start(&mut noise)).collect();
        let (found, loss) = known.best(&coherence, tried, 8).unwrap();
        let pupil = Pupil::new();
        let psf = |c: &[f64]| pupil.psf(c).values;
        let same = similarity(&psf(&found), &psf(&truth), 0);
        assert!(same > 0.99, "{same} {loss} {found:?}");
        let (_, floor) = known.fit(truth).unwrap();
        assert!(loss < 0.01 + 10.0 * floor, "{loss} {floor}");
    }
}
