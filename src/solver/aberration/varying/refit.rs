//! One frame's aberration where its scene is known.

use rayon::prelude::*;

use super::coherence::{Coherence, Hypothesis};
use crate::adam::rate_share;
use crate::clip::{Clip, Shape};
use crate::physics::zernike::MODES;
use crate::physics::{ForwardModel, ZernikeBlur};
use crate::solver::aberration::PIXELS_PER_RADIAN;
use crate::solver::aberration::joint::{Light, Moments};
use crate::solver::{Measurement, SolverError};

const STEPS: usize = 120;
const RATE: f64 = 0.08;

/// A frame, what it shows, and how it was exposed.
pub struct Known<'a> {
    pub measured: Measurement,
    pub scene: &'a Clip,
    pub light: Light,
    /// Where the loss bends.
    pub bend: f32,
}

impl Known<'_> {
    /// The scene as an eye without aberration sees it, in units of the measurement.
    pub fn sharp(&self) -> Result<Clip, SolverError> {
        let model = ZernikeBlur::new(self.scene.shape(), vec![0.0; MODES.len()])?;
        let (gain, offset) = (self.light.gain, self.light.offset as f32);
        Ok(model.apply(self.scene).map(|a| gain * a + offset))
    }

    /// The best of some hypotheses, whatever their tilts, and its loss.
    pub fn best(
        &self,
        coherence: &Coherence,
        tried: &[Hypothesis],
        refined: usize,
    ) -> Result<(Vec<f64>, f64), SolverError> {
        let sharp = coherence.picture(self.sharp()?.frame(0));
        let there = coherence.picture(self.measured.values().frame(0));
        let plain = coherence.hypothesis(vec![0.0; MODES.len()]);
        let mut matched: Vec<(f32, Vec<f64>)> = tried
            .par_iter()
            .map(|hypothesis| {
                let found = coherence.compare((&sharp, &plain), (&there, hypothesis));
                let mut coefficients = hypothesis.coefficients.clone();
                coefficients[1] -= f64::from(found.shift_px[1]) / PIXELS_PER_RADIAN;
                coefficients[2] -= f64::from(found.shift_px[0]) / PIXELS_PER_RADIAN;
                (found.share, coefficients)
            })
            .collect();
        matched.sort_by(|a, b| b.0.total_cmp(&a.0));
        matched.truncate(8 * refined);
        let fitted: Result<Vec<(Vec<f64>, f64)>, SolverError> = matched
            .into_par_iter()
            .map(|(_, coefficients)| self.fit(coefficients, 40, 0.12))
            .collect();
        let mut fitted = fitted?;
        fitted.sort_by(|a, b| a.1.total_cmp(&b.1));
        fitted.truncate(refined);
        let fitted: Result<Vec<(Vec<f64>, f64)>, SolverError> = fitted
            .into_par_iter()
            .map(|(coefficients, _)| self.fit(coefficients, STEPS, RATE))
            .collect();
        let best = fitted?.into_iter().min_by(|a, b| a.1.total_cmp(&b.1));
        Ok(best.unwrap_or_else(|| (vec![0.0; MODES.len()], f64::INFINITY)))
    }

    /// Adam from coefficients, and the loss it ends at.
    pub fn fit(&self, mut coefficients: Vec<f64>, steps: usize, rate: f64) -> Result<(Vec<f64>, f64), SolverError> {
        let shape: Shape = self.scene.shape();
        let mut model = ZernikeBlur::new(shape, coefficients.clone())?;
        let mut moments = Moments::new(coefficients.len());
        let (gain, offset) = (self.light.gain, self.light.offset as f32);
        let mut loss = f64::INFINITY;
        for i in 0..steps {
            model.set_parameters(&coefficients)?;
            let linearised = model.linearise(self.scene);
            let predicted = linearised.measurement.map(|a| gain * a + offset);
            let residual = self.measured.residual(&predicted);
            loss = residual.data().iter().map(|r| self.loss(*r)).sum();
            let bent = residual.map(|r| r / (1.0 + (r / self.bend).powi(2)));
            let pulled = (linearised.pullback)(&bent, true);
            let slope: Vec<f64> = pulled.parameters.iter().map(|p| f64::from(gain) * p).collect();
            drop(linearised);
            let rate = rate * rate_share(i as f64 / steps as f64);
            let rate_of = |k: usize| if k == 0 { 0.0 } else { rate };
            moments.move_others(coefficients.iter_mut(), &slope, rate_of, i as i32 + 1);
        }
        Ok((coefficients, loss))
    }

    fn loss(&self, residual: f32) -> f64 {
        let (r, b) = (f64::from(residual), f64::from(self.bend));
        0.5 * b * b * (r / b).powi(2).ln_1p()
    }
}
