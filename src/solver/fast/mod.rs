//! Plug-and-play reconstruction: any denoiser as the prior, in tens of its calls.

mod gauss_newton;

use serde::{Deserialize, Serialize};

use self::gauss_newton::GaussNewton;
use super::{Finding, Measurement, Progress, Solver, SolverError, check_shapes, rms};
use crate::clip::Clip;
use crate::noise::Noise;
use crate::physics::ForwardModel;
use crate::prior::Denoiser;

/// Smallest noise assumed, as a share of full scale.
const NOISE_FLOOR: f64 = 1e-4;

/// Settings of [`Fast`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FastConfig {
    /// Calls of the denoiser, each followed by a data step.
    pub rounds: usize,
    /// Standard deviation of the measurement's noise, as a share of full scale.
    pub noise: f64,
    /// The denoiser's noise level at the first and the last round, in units of amplitude.
    pub first_sigma: f64,
    pub last_sigma: f64,
    /// Weight of the denoised video against the data.
    pub pull: f64,
    /// Conjugate-gradient iterations of a data step.
    pub iterations: usize,
    /// Parameters of the forward model to estimate along the way: index, and range.
    pub free: Vec<(usize, f64, f64)>,
    /// Draws one of the videos that fit, where there is a seed; none gives the best answer.
    pub seed: Option<u64>,
}

impl FastConfig {
    /// For a measurement with this noise (standard deviation, full scale being 1).
    pub fn for_noise(noise: f64) -> Self {
        Self {
            rounds: 20,
            noise: noise.max(NOISE_FLOOR),
            first_sigma: 0.04,
            last_sigma: 0.003,
            pull: 0.3,
            iterations: 40,
            free: Vec::new(),
            seed: None,
        }
    }

    fn sigma(&self, round: usize) -> f64 {
        let share = round as f64 / (self.rounds - 1).max(1) as f64;
        self.first_sigma * (self.last_sigma / self.first_sigma).powf(share)
    }
}

const ITERATIONS_PER_STEP: usize = 10;

pub struct Fast {
    first: Box<dyn Solver>,
    model: Box<dyn ForwardModel>,
    measurement: Measurement,
    denoiser: Box<dyn Denoiser>,
    config: FastConfig,
    estimate: Clip,
    data_step: Option<GaussNewton>,
    progress: Progress,
}

impl Fast {
    pub fn new(
        first: Box<dyn Solver>,
        model: Box<dyn ForwardModel>,
        measurement: Measurement,
        denoiser: Box<dyn Denoiser>,
        config: FastConfig,
    ) -> Result<Self, SolverError> {
        check_shapes(model.as_ref(), measurement.values())?;
        denoiser.check_shape(measurement.shape())?;
        let estimate = first.estimate();
        let per_round = 1 + config.iterations.div_ceil(ITERATIONS_PER_STEP);
        let progress = Progress {
            done: first.steps_done(),
            total: first.total_steps() + config.rounds * per_round,
            residual_rms: rms(measurement.residual(&model.apply(&estimate)).data()),
        };
        Ok(Self { first, model, measurement, denoiser, config, estimate, data_step: None, progress })
    }
}

impl Solver for Fast {
    fn name(&self) -> &'static str {
        "fast"
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
        let before = self.first.total_steps();
        if self.progress.done < before {
            let p = self.first.step()?;
            self.progress.done = p.done;
            self.progress.residual_rms = p.residual_rms;
            self.estimate = self.first.estimate();
            return Ok(self.progress);
        }
        let per_round = 1 + self.config.iterations.div_ceil(ITERATIONS_PER_STEP);
        let (round, part) = ((self.progress.done - before) / per_round, (self.progress.done - before) % per_round);
        let sigma = self.config.sigma(round);
        if part == 0 {
            let z = self.denoiser.denoise(&self.estimate, sigma)?;
            let weight = self.config.pull * (self.config.noise / sigma).powi(2);
            self.data_step = Some(GaussNewton::new(self.model.as_mut(), &self.measurement, None, self.estimate.clone(), &z, weight, &self.config.free)?);
        } else {
            let d = self.data_step.as_mut().unwrap();
            d.iterate(self.model.as_ref(), ITERATIONS_PER_STEP);
            if part + 1 == per_round {
                self.estimate = d.video();
                self.progress.residual_rms = rms(self.measurement.residual(&self.model.apply(&self.estimate)).data());
            }
        }
        self.progress.done += 1;
        Ok(self.progress)
    }

    fn estimate(&self) -> Clip {
        self.estimate.clone()
    }

    fn model(&self) -> &dyn ForwardModel {
        self.model.as_ref()
    }
}
