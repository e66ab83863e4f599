//! Plug-and-play reconstruction: any denoiser as the prior, in tens of its calls.

mod config;
mod data_step;
mod gauss_newton;
#[cfg(test)]
mod tests;

use self::data_step::{DataStep, Problem};
use super::{Finding, Measurement, Progress, Solver, SolverError, check_shapes, rms};
use crate::clip::{Clip, Shape};
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
/// Which of several denoisers, and how strongly the denoised video pulls, is chosen by the data:
/// short trials leave out a part of the measurement, and what predicts it best is taken.
pub struct Fast {
    first: Box<dyn Solver>,
    model: Box<dyn ForwardModel>,
    measurement: Measurement,
    denoisers: Vec<Box<dyn Denoiser>>,
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

/// A prior that the rounds can use.
#[derive(Clone, Copy)]
struct Candidate {
    denoiser: usize,
    pull: f64,
}

/// A stretch of rounds: a trial of a candidate, or the rounds that count.
#[derive(Clone, Copy)]
struct Stretch {
    rounds: usize,
    candidate: Candidate,
    trial: bool,
}

/// The share of the measurement's places that a trial leaves out.
const LEFT_OUT: f64 = 0.05;
/// The seed of the choice of places to leave out; any will do.
const LEFT_OUT_SEED: u64 = 0x5eed;
/// Conjugate-gradient iterations in one step of the solver.
const ITERATIONS_PER_STEP: usize = 10;

impl Fast {
    /// `first` gives the start, and the parameters' first values; `model` is the same forward
    /// model. Of several denoisers trials choose one.
    ///
    /// # Errors
    /// Shapes that do not agree, a shape a denoiser cannot take, settings out of range, no
    /// denoiser.
    pub fn new(
        first: Box<dyn Solver>,
        model: Box<dyn ForwardModel>,
        measurement: Measurement,
        denoisers: Vec<Box<dyn Denoiser>>,
        config: FastConfig,
    ) -> Result<Self, SolverError> {
        check_shapes(model.as_ref(), measurement.values())?;
        check_shapes(first.model(), measurement.values())?;
        if denoisers.is_empty() {
            return Err(SolverError::Setting {
                what: "the number of denoisers",
                value: "0".into(),
                expected: "it takes one at least",
            });
        }
        for denoiser in &denoisers {
            denoiser.check_shape(measurement.shape())?;
        }
        config.check(&model.parameters())?;
        let known = known_in_trials(measurement.shape());
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
            denoisers,
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

    /// The denoiser's name and the weight of what it says, once any trials are over.
    pub fn prior(&self) -> Option<(&str, f64)> {
        let chosen = self.chosen()?;
        Some((self.denoisers[chosen.denoiser].name(), chosen.pull))
    }

    fn candidates(&self) -> Vec<Candidate> {
        let pulls = match &self.config.pull {
            Some(pull) => std::slice::from_ref(pull),
            None => &FastConfig::PULLS,
        };
        let denoisers = 0..self.denoisers.len();
        denoisers
            .flat_map(|denoiser| pulls.iter().map(move |&pull| Candidate { denoiser, pull }))
            .collect()
    }

    /// Trials to run: none where there is no choice.
    fn trials(&self) -> usize {
        match self.candidates().len() {
            1 => 0,
            several => several,
        }
    }

    fn chosen(&self) -> Option<Candidate> {
        if self.scores.len() < self.trials() {
            return None;
        }
        let candidates = self.candidates();
        let scored = self.scores.iter().zip(&candidates);
        let best = scored.min_by(|a, b| a.0.total_cmp(b.0));
        Some(best.map_or(candidates[0], |(_, &best)| best))
    }

    /// One to denoise, the others for the data.
    fn steps_a_round(&self) -> usize {
        match self.closed_form {
            true => 2,
            false => 1 + self.config.iterations.div_ceil(ITERATIONS_PER_STEP),
        }
    }

    fn stretch(&self, index: usize) -> Stretch {
        let trial = index < self.trials();
        let candidates = self.candidates();
        Stretch {
            rounds: match trial {
                true => self.config.trial_rounds(),
                false => self.config.rounds,
            },
            candidate: match trial {
                true => candidates[index],
                false => self.chosen().unwrap_or(candidates[0]),
            },
            trial,
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
            let estimate = self.first.estimate();
            let (gain, offset) = self.first.exposure();
            if (gain, offset) != (1.0, 0.0) {
                self.measurement = self.measurement.clone().unexposed(gain, offset);
                self.config.set_noise(self.config.noise / gain);
            }
            self.start = Some((estimate, values));
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
            let denoiser = &mut self.denoisers[stretch.candidate.denoiser];
            let z = denoiser.denoise(&self.estimate, sigma)?;
            self.evaluations += usize::from(denoiser.is_network());
            let problem = Problem {
                measurement: &self.measurement,
                known: stretch.trial.then_some(&self.known),
                noise: self.config.noise,
                sigma,
                pull: stretch.candidate.pull,
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
            self.progress.residual_rms = self.first.exposure().0 * rms(residual.data());
            if stretch.trial && round + 1 == stretch.rounds {
                let left_out = residual.zip(&self.known, |r, k| r * (1.0 - k));
                self.scores.push(rms(left_out.data()).powi(2));
            }
        }
        Ok(())
    }
}

/// 0 at the places that a trial leaves out, 1 elsewhere.
///
/// A place is left out of every frame: what a still scene shows there in another frame would
/// tell its rounding error, too, and so favour those who fit that.
fn known_in_trials(shape: Shape) -> Clip {
    let places = shape.frame_len();
    let left_out = (LEFT_OUT * places as f64).ceil() as usize;
    let mut known = vec![1.0; places];
    for place in Noise::seeded(LEFT_OUT_SEED).choose(left_out, places) {
        known[place] = 0.0;
    }
    Clip::new(shape, known.repeat(shape.frames))
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

    fn exposure(&self) -> (f64, f64) {
        self.first.exposure()
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = self.first.notes();
        if let (Some((name, pull)), true) = (self.prior(), self.trials() > 0) {
            notes.push(format!(
                "the prior is {name} with weight {pull}, which of {} predicted best what a trial \
                 left out",
                self.trials()
            ));
        }
        if self.noise.is_some() {
            notes.push("one of many videos that explain the measurement, drawn by the seed".into());
        }
        notes
    }

    fn evaluations(&self) -> usize {
        self.first.evaluations() + self.evaluations
    }
}
