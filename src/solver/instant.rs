//! Reconstruction without a learned prior, in seconds.

use serde::{Deserialize, Serialize};

use super::measurement::Measurement;
use super::{Change, Progress, Solver, SolverError, check_shapes, positive, rms};
use crate::adam::{Adam, rate_share};
use crate::clip::Clip;
use crate::physics::ForwardModel;
use crate::prior::TotalVariation;

/// Smallest noise assumed, so that real-valued data keeps some prior: 1e-4 of full scale.
const NOISE_FLOOR: f64 = 1e-4;

/// Settings of [`Instant`]; the defaults were chosen on simulated and published scatter
/// clips and serve every forward model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstantConfig {
    pub iterations: usize,
    /// Standard deviation of the measurement's noise, as a share of full scale.
    pub noise: f64,
    /// The final weight of total variation over the noise variance.
    pub smoothness: f64,
    /// The weight of total variation at the first iteration; it falls geometrically over
    /// the first 70 % of the iterations.
    pub first_weight: f64,
    /// Adam's step, in units of amplitude.
    pub rate: f64,
}

impl InstantConfig {
    /// For a measurement with this noise (standard deviation, full scale being 1).
    pub fn for_noise(noise: f64) -> Self {
        Self {
            iterations: 500,
            noise: noise.max(NOISE_FLOOR),
            smoothness: 47.0,
            first_weight: 1e-2,
            rate: 0.06,
        }
    }

    fn check(&self) -> Result<(), SolverError> {
        positive("the number of iterations", self.iterations as f64)?;
        positive("the noise level", self.noise)?;
        positive("the smoothness", self.smoothness)?;
        positive("the first weight of total variation", self.first_weight)?;
        positive("the step size", self.rate)
    }

    fn final_weight(&self) -> f64 {
        self.smoothness * self.noise * self.noise
    }

    /// The weight of total variation at iteration `i`.
    fn weight(&self, i: usize) -> f64 {
        let last = self.final_weight();
        let first = self.first_weight.max(last);
        let passed = i as f64 / (0.7 * self.iterations as f64);
        first * (last / first).powf(passed.min(1.0))
    }

    /// Adam's step at iteration `i`: half a cosine, down to 2 %.
    fn rate(&self, i: usize) -> f64 {
        let passed = i as f64 / self.iterations as f64;
        self.rate * rate_share(passed)
    }
}

/// Maximum a posteriori estimate: minimises ||A(u) - y||^2 / 2 + mu TV(u) over amplitudes
/// u in [0, 1], TV being isotropic in space and time.
///
/// The weight mu starts high, which finds the large structures first and avoids the wrong
/// minima of phase-free data, and ends at `smoothness` times the noise variance.
pub struct Instant {
    model: Box<dyn ForwardModel>,
    measurement: Measurement,
    config: InstantConfig,
    prior: TotalVariation,
    estimate: Clip,
    adam: Adam,
    progress: Progress,
}

impl Instant {
    const BETAS: (f32, f32) = (0.9, 0.95);
    /// Smoothing of the total variation, in units of amplitude.
    const EPSILON: f32 = 1e-3;

    /// # Errors
    /// A measurement of another shape than the model's, or settings that are not positive.
    pub fn new(
        model: Box<dyn ForwardModel>,
        measurement: Measurement,
        config: InstantConfig,
    ) -> Result<Self, SolverError> {
        check_shapes(model.as_ref(), measurement.values())?;
        config.check()?;
        let estimate = model.first_guess(measurement.values());
        let progress = Progress {
            done: 0,
            total: config.iterations,
            residual_rms: rms(measurement.residual(&model.apply(&estimate)).data()),
        };
        Ok(Self {
            adam: Adam::new(estimate.shape().len(), Self::BETAS),
            prior: TotalVariation {
                epsilon: Self::EPSILON,
            },
            model,
            measurement,
            config,
            estimate,
            progress,
        })
    }

    pub fn config(&self) -> &InstantConfig {
        &self.config
    }
}

impl Solver for Instant {
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
        let i = self.progress.done;
        let linearised = self.model.linearise(&self.estimate);
        let residual = self.measurement.residual(&linearised.measurement);
        let mut gradient = (linearised.pullback)(&residual, false).video.into_data();
        drop(linearised);
        let weight = self.config.weight(i) as f32;
        self.prior
            .add_gradient(&self.estimate, weight, &mut gradient);
        let residual_rms = rms(residual.data());
        if !residual_rms.is_finite() || gradient.iter().any(|g| !g.is_finite()) {
            return Err(SolverError::Diverged {
                step: i + 1,
                advice: "check the measurement for values that are huge or not finite",
            });
        }
        let rate = self.config.rate(i) as f32;
        self.adam.step(self.estimate.data_mut(), &gradient, rate);
        for value in self.estimate.data_mut() {
            *value = value.clamp(0.0, 1.0);
        }
        self.progress.done += 1;
        self.progress.residual_rms = residual_rms;
        Ok(self.progress)
    }

    fn change(&mut self, change: &Change) -> Result<(), SolverError> {
        change.apply_to(self.model.as_mut())
    }

    fn estimate(&self) -> Clip {
        self.estimate.clone()
    }

    fn model(&self) -> &dyn ForwardModel {
        self.model.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::physics::Dehaze;

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let shape = Shape::new(2, 4, 4);
        let mut values = Clip::filled(shape, 0.7);
        values.data_mut()[3] = f32::INFINITY;
        let model = Box::new(Dehaze::new(shape).unwrap());
        let config = InstantConfig::for_noise(0.0);
        let mut solver = Instant::new(model, Measurement::exact(values), config).unwrap();
        let before = solver.estimate();
        let error = solver.step().unwrap_err();
        assert!(
            matches!(error, SolverError::Diverged { step: 1, .. }),
            "{error}"
        );
        assert_eq!((solver.estimate(), solver.steps_done()), (before, 0));
    }
}
