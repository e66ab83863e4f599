//! Plug-and-play reconstruction: any denoiser as the prior, in tens of its calls.

mod config;
mod data_step;
mod gauss_newton;
mod partial;
mod search;
#[cfg(test)]
mod tests;

use self::data_step::{DataStep, Problem};
use self::partial::Partial;
use self::search::{Candidate, Search, Verdict};
use super::{Change, Finding, Measurement, Progress, Solver, SolverError, check_shapes, rms};
use crate::clip::{Clip, Shape};
use crate::noise::Noise;
use crate::physics::{ForwardModel, dot};
use crate::prior::{Denoiser, expected_error};

pub use config::{FastConfig, Free, LeftOut};

/// Half-quadratic splitting with a denoiser as the prior (Venkatakrishnan et al., 2013; Zhang
/// et al., 2017), warm-started from another solver.
///
/// First that solver runs. Then each round denoises the video, z = D(x, sigma), and fits it to the data,
///
/// argmin over x of ||A(x) - y||^2 / noise^2 + pull / sigma^2 ||x - z||^2,
///
/// in closed form where the forward model knows one, else by Gauss and Newton's method with
/// conjugate gradients; sigma falls geometrically from round to round. Unknown parameters
/// are variables of the same fit.
///
/// Where no closed form does the fit, a round begins beyond where the last one ended, farther along
/// the way it went ([`FastConfig::momentum`]).
///
/// With a seed, each fit is a draw from the Gaussian that it is the mean of (perturb and optimise,
/// Papandreou and Yuille, 2010), and the result one of many videos that explain the measurement.
/// With a network each round then begins by adding noise of its level to the video (decoupled
/// annealing, Zhang et al., 2024): the network says what may lie beneath, and with what spread,
/// and the fit draws from what this and the data say together.
///
/// Which of several denoisers, and how strongly the denoised video pulls, is chosen by the data:
/// short trials leave out a part of the measurement, and what predicts it best is taken.
///
/// So is how far the rounds are to be trusted ([`Fast::rehearsing`]): the result is the mean of
/// where the rounds start and where they end whose counterpart in the trials predicts best
/// (stacking, Wolpert, 1992).
pub struct Fast {
    first: Box<dyn Solver>,
    model: Box<dyn ForwardModel>,
    measurement: Measurement,
    denoisers: Vec<Box<dyn Denoiser>>,
    config: FastConfig,
    trials: Trials,
    noise: Option<Noise>,
    closed_form: bool,
    /// Where the rounds start: what the first solver found.
    start: Option<(Clip, Vec<f64>)>,
    estimate: Clip,
    /// The estimate when the round began.
    before: Option<Clip>,
    data_step: Option<DataStep>,
    evaluations: usize,
    progress: Progress,
}

/// Makes the solver that a problem is started with.
pub type Starter =
    Box<dyn Fn(Box<dyn ForwardModel>, Measurement) -> Result<Box<dyn Solver>, SolverError> + Send>;

/// What the trials work with, and what they found.
struct Trials {
    /// 1 where the measurement is used, 0 where it is left out.
    known: Clip,
    model: Box<dyn ForwardModel>,
    measurement: Measurement,
    starter: Option<Starter>,
    /// The first solver's counterpart, which has not seen what is left out.
    rehearsal: Option<Box<dyn Solver>>,
    rehearsal_steps: usize,
    search: Search,
}

/// A stretch of rounds: a trial of a candidate, or the rounds that count.
#[derive(Clone, Copy)]
struct Stretch {
    rounds: usize,
    candidate: Candidate,
    trial: bool,
}

/// The share of the measurement that a trial leaves out.
const LEFT_OUT: f64 = 0.05;
/// The seed of the choice of what to leave out; any will do.
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
        let known = known_in_trials(measurement.shape(), config.left_out);
        let estimate = first.estimate();
        let closed_form = config.free.is_empty()
            && model
                .exact_data_step(&estimate, measurement.values(), 1.0)
                .is_some();
        let mut solver = Self {
            noise: config.seed.map(Noise::seeded),
            start: None,
            before: None,
            data_step: None,
            trials: Trials {
                model: Box::new(Partial::new(model.boxed(), known.clone())),
                measurement: measurement.only(&known),
                known,
                starter: None,
                rehearsal: None,
                rehearsal_steps: 0,
                search: Search::new(denoisers.len(), config.pulls.clone()),
            },
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
            closed_form,
            estimate,
        };
        solver.count_steps();
        Ok(solver)
    }

    /// Lets the trials begin where `starter` gets without what they leave out, which makes them
    /// a fair test of the rounds against their start: the rounds get the weight in the result
    /// that they deserve there. `starter` makes the like of the first solver.
    ///
    /// # Errors
    /// Those of `starter`.
    pub fn rehearsing(mut self, starter: Starter) -> Result<Self, SolverError> {
        let rehearsal = self.trials.rehearse(&starter)?;
        self.trials.rehearsal_steps = rehearsal.total_steps();
        self.trials.starter = Some(starter);
        self.count_steps();
        Ok(self)
    }

    /// Counts the steps in all; as many as there can be until the trials have chosen a denoiser.
    fn count_steps(&mut self) {
        let rounds = self.trials() * self.config.trial_rounds() + self.final_rounds();
        let starts = self.first.total_steps() + self.trials.rehearsal_steps;
        self.progress.total = starts + rounds * self.steps_a_round();
    }

    /// The rounds that count.
    fn final_rounds(&self) -> usize {
        let with = |denoiser: &dyn Denoiser| self.config.rounds_with(denoiser.is_network());
        match self.chosen() {
            Some(chosen) => with(self.denoisers[chosen.denoiser].as_ref()),
            None => {
                let each = self.denoisers.iter().map(|d| with(d.as_ref()));
                each.max().unwrap_or(self.config.rounds)
            }
        }
    }

    pub fn config(&self) -> &FastConfig {
        &self.config
    }

    /// The denoiser's name and the weight of what it says, once any trials are over.
    pub fn prior(&self) -> Option<(&str, f64)> {
        let chosen = self.chosen()?;
        Some((self.denoisers[chosen.denoiser].name(), chosen.pull))
    }

    /// Trials to run: none where there is nothing to find out.
    fn trials(&self) -> usize {
        match self.trials.search.trials() {
            1 if self.trials.starter.is_none() => 0,
            count => count,
        }
    }

    fn chosen(&self) -> Option<Candidate> {
        match self.trials() {
            0 => Some(self.trials.search.candidate(0)),
            _ => self.trials.search.best().map(|(candidate, _)| candidate),
        }
    }

    /// The weight of the rounds' result against their start.
    pub fn share(&self) -> f64 {
        match (&self.noise, self.config.share, &self.trials.starter) {
            (Some(_), ..) | (None, None, None) => 1.0,
            (None, Some(share), _) => share,
            (None, None, Some(_)) => {
                let Some((chosen, verdict)) = self.trials.search.best() else {
                    return 1.0;
                };
                let belief = match self.denoisers[chosen.denoiser].is_network() {
                    true => 1.0,
                    false => self.config.belief,
                };
                0.5 + belief * (verdict.share - 0.5)
            }
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
        let trial = index < self.trials();
        let tried = |index| self.trials.search.candidate(index);
        Stretch {
            rounds: match trial {
                true => self.config.trial_rounds(),
                false => self.final_rounds(),
            },
            candidate: match trial {
                true => tried(index),
                false => self.chosen().unwrap_or_else(|| tried(0)),
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

    /// Takes over what the first solver found.
    fn take_over(&mut self) -> Result<(), SolverError> {
        let parameters = self.first.model().parameters();
        let values: Vec<f64> = parameters.iter().map(|p| p.value).collect();
        let (gain, offset) = self.first.exposure();
        if (gain, offset) != (1.0, 0.0) {
            self.measurement = self.measurement.clone().unexposed(gain, offset);
            self.trials.measurement = self.measurement.only(&self.trials.known);
            self.config.set_noise(self.config.noise / gain);
        }
        self.model.set_parameters(&values)?;
        self.trials.model.set_parameters(&values)?;
        self.start = Some((self.first.estimate(), values));
        Ok(())
    }

    /// Goes back to where a stretch starts.
    fn restart(&mut self, trial: bool) -> Result<(), SolverError> {
        self.before = None;
        self.denoisers.iter_mut().for_each(|d| d.begin());
        let Some((video, values)) = &self.start else {
            return Ok(());
        };
        self.model.set_parameters(values)?;
        self.trials.model.set_parameters(values)?;
        self.estimate = match &self.trials.rehearsal {
            Some(rehearsal) if trial => rehearsal.estimate(),
            _ => video.clone(),
        };
        Ok(())
    }

    /// Where a round begins: from the estimate, carried on along the way of the round before. What is
    /// drawn has no way.
    fn carried_on(&self) -> Clip {
        match (&self.before, &self.noise) {
            (Some(before), None) => {
                let momentum = self.config.momentum as f32;
                let onward = |u: f32, b: f32| u + momentum * (u - b);
                self.estimate.zip(before, onward)
            }
            _ => self.estimate.clone(),
        }
    }

    fn rehearsal_step(&mut self) -> Result<(), SolverError> {
        if let (None, Some(starter)) = (&self.trials.rehearsal, &self.trials.starter) {
            self.trials.rehearsal = Some(self.trials.rehearse(starter)?);
        }
        if let Some(rehearsal) = &mut self.trials.rehearsal {
            self.progress.residual_rms = rehearsal.step()?.residual_rms;
        }
        Ok(())
    }

    /// One step of the rounds.
    fn round_step(&mut self, stretch: Stretch, index: usize) -> Result<(), SolverError> {
        if index == 0 {
            self.restart(stretch.trial)?;
        }
        let (round, part) = (index / self.steps_a_round(), index % self.steps_a_round());
        let sigma = self.config.sigma(round, stretch.rounds);
        if part == 0 {
            let from = self.carried_on();
            let denoiser = self.denoisers[stretch.candidate.denoiser].as_mut();
            let drawing = self.noise.as_mut().filter(|_| !stretch.trial);
            let (z, sigma) = match drawing.filter(|_| denoiser.is_network()) {
                Some(noise) => {
                    let added = noise.normal_clip(from.shape());
                    let noisy = from.zip(&added, |u, n| u + sigma as f32 * n);
                    let mean = denoiser.denoise(&noisy, sigma)?;
                    let spread = expected_error(denoiser, &noisy, &mean, sigma, noise)?;
                    self.evaluations += 2;
                    (mean, spread)
                }
                None => {
                    self.evaluations += usize::from(denoiser.is_network());
                    (denoiser.denoise(&from, sigma)?, sigma)
                }
            };
            let (model, measurement) = match stretch.trial {
                true => (self.trials.model.as_mut(), &self.trials.measurement),
                false => (self.model.as_mut(), &self.measurement),
            };
            let problem = Problem {
                measurement,
                noise: self.config.noise,
                sigma,
                pull: stretch.candidate.pull,
                free: &self.config.free,
            };
            let draw = self.noise.as_mut().filter(|_| !stretch.trial);
            let step = match self.closed_form {
                true => DataStep::closed_form(model, &problem, z, draw),
                false => DataStep::gauss_newton(model, &problem, &from, z, draw)?,
            };
            self.data_step = Some(step);
            self.before = Some(self.estimate.clone());
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
        let model = match stretch.trial {
            true => self.trials.model.as_mut(),
            false => self.model.as_mut(),
        };
        data_step.iterate(model, count);
        let mut video = match last {
            true => data_step.finish(model, &self.config.free)?,
            false => data_step.video(),
        };
        if video.data().iter().any(|v| !v.is_finite()) {
            return Err(SolverError::Diverged {
                step: self.progress.done + 1,
                advice: "check the measurement for values that are huge or not finite",
            });
        }
        let complete = last && round + 1 == stretch.rounds;
        if complete
            && !stretch.trial
            && let Some((start, _)) = &self.start
        {
            let share = self.share() as f32;
            video = start.zip(&video, |s, v| s + share * (v - s));
        }
        self.estimate = video;
        if last {
            let predicted = self.model.apply(&self.estimate);
            let residual = self.measurement.residual(&predicted);
            self.progress.residual_rms = self.first.exposure().0 * rms(residual.data());
            if complete && stretch.trial {
                self.judge(&residual);
            }
        }
        Ok(())
    }

    /// Judges a trial by the `residual` of what it ended with.
    fn judge(&mut self, residual: &Clip) {
        let left_out = |residual: &Clip| residual.zip(&self.trials.known, |r, k| r * (1.0 - k));
        let after = left_out(residual);
        let mut verdict = Verdict {
            error: dot(after.data(), after.data()),
            share: 1.0,
        };
        if let Some(rehearsal) = &self.trials.rehearsal {
            let predicted = self.model.apply(&rehearsal.estimate());
            let before = left_out(&self.measurement.residual(&predicted));
            let change = after.zip(&before, |a, b| a - b);
            let length = dot(change.data(), change.data());
            let along = -dot(before.data(), change.data());
            let share = if length > 0.0 { along / length } else { 1.0 };
            verdict.share = share.clamp(0.0, 1.0);
            let mean = before.zip(&change, |b, c| b + verdict.share as f32 * c);
            verdict.error = dot(mean.data(), mean.data());
        }
        self.trials.search.judge(verdict);
        self.count_steps();
    }
}

impl Trials {
    fn rehearse(&self, starter: &Starter) -> Result<Box<dyn Solver>, SolverError> {
        starter(self.model.boxed(), self.measurement.clone())
    }
}

/// 0 for what a trial leaves out, 1 elsewhere.
fn known_in_trials(shape: Shape, left_out: LeftOut) -> Clip {
    let (size, repeats) = match left_out {
        LeftOut::Places => (shape.frame_len(), shape.frames),
        LeftOut::Pixels => (shape.len(), 1),
    };
    let mut known = vec![1.0; size];
    let count = (LEFT_OUT * size as f64).ceil() as usize;
    for index in Noise::seeded(LEFT_OUT_SEED).choose(count, size) {
        known[index] = 0.0;
    }
    Clip::new(shape, known.repeat(repeats))
}

impl Solver for Fast {
    fn name(&self) -> &'static str {
        "fast"
    }

    fn progress(&self) -> Progress {
        self.progress
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
            if self.start.is_none() {
                self.take_over()?;
            }
            match (self.progress.done - before).checked_sub(self.trials.rehearsal_steps) {
                None => self.rehearsal_step()?,
                Some(index) => {
                    let (stretch, index) = self.locate(index);
                    self.round_step(stretch, index)?;
                }
            }
        }
        self.progress.done += 1;
        Ok(self.progress)
    }

    fn change(&mut self, change: &Change) -> Result<(), SolverError> {
        self.first.change(change)?;
        change.apply_to(self.model.as_mut())?;
        change.apply_to(self.trials.model.as_mut())?;
        if let Some(rehearsal) = &mut self.trials.rehearsal {
            rehearsal.change(change)?;
        }
        if let Some((_, values)) = &mut self.start {
            *values = self.model.parameters().iter().map(|p| p.value).collect();
        }
        Ok(())
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
                "the prior is {name} with weight {pull}, chosen by {} trials that predict a part \
                 of the measurement from the rest",
                self.trials()
            ));
        }
        let share = self.share();
        if self.start.is_some() && share < 1.0 {
            notes.push(format!(
                "the rounds have a weight of {share:.2} against what they started from"
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
