//! Plug-and-play reconstruction: any denoiser as the prior, in tens of its calls.

mod config;
mod data_step;
mod gauss_newton;
#[cfg(test)]
mod tests;

use self::data_step::{DataStep, Problem};
use super::{Finding, Measurement, Progress, Solver, SolverError, check_shapes, rms};
use crate::clip::Clip;
use crate::noise::Noise;
use crate::physics::ForwardModel;
use crate::prior::Denoiser;

pub use config::{FastConfig, Free};

/// Half-quadratic splitting with a denoiser as the prior (Venkatakrishnan et al., 2013; Zhang
/// et al., 2017), warm-started from another solver.
///
/// First that solver runs. Then each round denoises the video, z = D(x, sigma), and fits it to the data,
///
/// argmin over x of ||A(x) - y||^2 / noise^2 + pull / sigma^2 ||x - z||^2,
///
/// in closed form where the forward model knows one, else by Gauss and Newton's method with
/// conjugate gradients; sigma falls geometrically from round to round. Unknown parameters
/// are variables of the same fit. With a seed, each fit is a draw from the Gaussian
/// that it is the mean of (perturb and optimise, Papandreou and Yuille, 2010), and the result
/// one of many videos that explain the measurement.
///
/// How strongly the denoised video pulls is chosen by the data: short trials leave out a part
/// of the measurement, and the pull that predicts it best is taken.
pub struct Fast {
    first: Box<dyn Solver>,
    model: Box<dyn ForwardModel>,
    measurement: Measurement,
    denoiser: Box<dyn Denoiser>,
    config: FastConfig,
    /// Data and noise of the trials: 1 where a pixel of the measurement is used.
    known: Clip,
    noise: Option<Noise>,
    closed_form: bool,
    /// Where the rounds start: what the first solver found.
    start: Option<(Clip, Vec<f64>)>,
    estimate: Clip,
    data_step: Option<DataStep>,
    /// Mean squared error of the prediction of what was left out, one a trial.
    scores: Vec<f64>,
    evaluations: usize,
    progress: Progress,
}

/// A stretch of rounds: a trial of a pull, or the rounds that count.
#[derive(Clone, Copy)]
struct Stretch {
    rounds: usize,
    pull: f64,
    trial: bool,
}

/// The share of the measurement that a trial leaves out.
const LEFT_OUT: f64 = 0.05;
/// The seed of the choice of pixels to leave out; any will do.
const LEFT_OUT_SEED: u64 = 0x5eed;
/// Conjugate-gradient iterations in one step of the solver.
const ITERATIONS_PER_STEP: usize = 10;

impl Fast {
    /// `first` gives the start, and the parameters' first values; `model` is the same forward model.
    ///
    /// # Errors
    /// Shapes that do not agree, a shape the denoiser cannot take, settings out of range.
    pub fn new(
        first: Box<dyn Solver>,
        model: Box<dyn ForwardModel>,
        measurement: Measurement,
        denoiser: Box<dyn Denoiser>,
        config: FastConfig,
    ) -> Result<Self, SolverError> {
        check_shapes(model.as_ref(), measurement.values())?;
        check_shapes(first.model(), measurement.values())?;
        denoiser.check_shape(measurement.shape())?;
        config.check(&model.parameters())?;
        let shape = measurement.shape();
        let mut known = Clip::filled(shape, 1.0);
        let left_out = (LEFT_OUT * shape.len() as f64).ceil() as usize;
        for index in Noise::seeded(LEFT_OUT_SEED).choose(left_out, shape.len()) {
            known.data_mut()[index] = 0.0;
        }
        let estimate = first.estimate();
        let closed_form = config.free.is_empty()
            && model
                .exact_data_step(&estimate, measurement.values(), 1.0)
                .is_some();
        let mut solver = Self {
            noise: config.seed.map(Noise::seeded),
            start: None,
            data_step: None,
            scores: Vec::new(),
            evaluations: 0,
            progress: Progress {
                done: first.steps_done(),
                total: 0,
                residual_rms: rms(measurement.residual(&model.apply(&estimate)).data()),
            },
            first,
            model,
            measurement,
            denoiser,
            config,
            known,
            closed_form,
            estimate,
        };
        let rounds: usize = (0..=solver.trials())
            .map(|i| solver.stretch(i).rounds)
            .sum();
        solver.progress.total = solver.first.total_steps() + rounds * solver.steps_a_round();
        Ok(solver)
    }

    pub fn config(&self) -> &FastConfig {
        &self.config
    }

    /// The weight of the denoised video: as set, or as the trials chose it, once they are over.
    pub fn pull(&self) -> Option<f64> {
        let choose = || {
            let best = self.scores.iter().zip(&FastConfig::PULLS);
            best.min_by(|a, b| a.0.total_cmp(b.0)).map(|(_, &p)| p)
        };
        match self.config.pull {
            Some(pull) => Some(pull),
            None if self.scores.len() == self.trials() => choose(),
            None => None,
        }
    }

    fn trials(&self) -> usize {
        match self.config.pull {
            Some(_) => 0,
            None => FastConfig::PULLS.len(),
        }
    }

    /// One to denoise, the others for the data.
    fn steps_a_round(&self) -> usize {
        match self.closed_form {
            true => 2,
            false => 1 + self.config.iterations.div_ceil(ITERATIONS_PER_STEP),
        }
    }

    fn stretch(&self, index: usize) -> Stretch {
        match index < self.trials() {
            true => Stretch {
                rounds: self.config.trial_rounds(),
                pull: FastConfig::PULLS[index],
                trial: true,
            },
            false => Stretch {
                rounds: self.config.rounds,
                pull: self.pull().unwrap_or(FastConfig::PULLS[0]),
                trial: false,
            },
        }
    }

    /// Which stretch step `index` of all rounds belongs to, and which step of it.
    fn locate(&self, mut index: usize) -> (Stretch, usize) {
        for i in 0.. {
            let stretch = self.stretch(i);
            let steps = stretch.rounds * self.steps_a_round();
            if index < steps || i == self.trials() {
                return (stretch, index);
            }
            index -= steps;
        }
        unreachable!("the last stretch holds every later step")
    }

    /// Goes back to what the first solver found.
    fn restart(&mut self) -> Result<(), SolverError> {
        if self.start.is_none() {
            let values = self
                .first
                .model()
                .parameters()
                .iter()
                .map(|p| p.value)
                .collect();
            self.start = Some((self.first.estimate(), values));
        }
        if let Some((video, values)) = &self.start {
            self.model.set_parameters(values)?;
            self.estimate = video.clone();
        }
        Ok(())
    }

    /// One step of the rounds.
    fn round_step(&mut self, stretch: Stretch, index: usize) -> Result<(), SolverError> {
        if index == 0 {
            self.restart()?;
        }
        let (round, part) = (index / self.steps_a_round(), index % self.steps_a_round());
        let sigma = self.config.sigma(round, stretch.rounds);
        if part == 0 {
            let z = self.denoiser.denoise(&self.estimate, sigma)?;
            self.evaluations += usize::from(self.denoiser.is_network());
            let problem = Problem {
                measurement: &self.measurement,
                known: stretch.trial.then_some(&self.known),
                noise: self.config.noise,
                sigma,
                pull: stretch.pull,
                free: &self.config.free,
            };
            let draw = self.noise.as_mut().filter(|_| !stretch.trial);
            let model = self.model.as_mut();
            let step = match self.closed_form {
                true => DataStep::closed_form(model, &problem, &self.estimate, z, draw),
                false => DataStep::gauss_newton(model, &problem, &self.estimate, z, draw)?,
            };
            self.data_step = Some(step);
            return Ok(());
        }
        let last = part + 1 == self.steps_a_round();
        let Some(data_step) = &mut self.data_step else {
            return Ok(());
        };
        let count = match last {
            true => self.config.iterations - (part - 1) * ITERATIONS_PER_STEP,
            false => ITERATIONS_PER_STEP,
        };
        data_step.iterate(self.model.as_ref(), count);
        let video = match last {
            true => data_step.finish(self.model.as_mut(), &self.config.free)?,
            false => data_step.video(),
        };
        if video.data().iter().any(|v| !v.is_finite()) {
            return Err(SolverError::Diverged {
                step: self.progress.done + 1,
                advice: "check the measurement for values that are huge or not finite",
            });
        }
        self.estimate = video;
        if last {
            let predicted = self.model.apply(&self.estimate);
            let residual = self.measurement.residual(&predicted);
            self.progress.residual_rms = rms(residual.data());
            if stretch.trial && round + 1 == stretch.rounds {
                let left_out = residual.zip(&self.known, |r, k| r * (1.0 - k));
                self.scores.push(rms(left_out.data()).powi(2));
            }
        }
        Ok(())
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
            let first = self.first.step()?;
            self.progress.residual_rms = first.residual_rms;
            self.estimate = self.first.estimate();
        } else {
            let (stretch, index) = self.locate(self.progress.done - before);
            self.round_step(stretch, index)?;
        }
        self.progress.done += 1;
        Ok(self.progress)
    }

    fn estimate(&self) -> Clip {
        self.estimate.clone()
    }

    fn model(&self) -> &dyn ForwardModel {
        match self.start {
            Some(_) => self.model.as_ref(),
            None => self.first.model(),
        }
    }

    /// What the first solver found, at the values of the last round; intervals move along.
    fn findings(&self) -> Vec<Finding> {
        let table = self.model().parameters();
        let mut findings = self.first.findings();
        for finding in &mut findings {
            let found = &finding.parameter;
            let same =
                |p: &&crate::physics::Parameter| p.name == found.name && p.frame == found.frame;
            let Some(now) = table.iter().find(same) else {
                continue;
            };
            let (min, max) = (found.min, found.max);
            let moved = now.value - found.value;
            let shift = |v: f64| (v + moved).clamp(min, max);
            finding.interval = finding
                .interval
                .map(|(low, high)| (shift(low), shift(high)));
            finding.parameter.value = now.value;
        }
        findings
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = self.first.notes();
        if self.noise.is_some() {
            notes.push("one of many videos that explain the measurement, drawn by the seed".into());
        }
        notes
    }

    fn evaluations(&self) -> usize {
        self.first.evaluations() + self.evaluations
    }
}
