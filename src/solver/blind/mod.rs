//! The scattering layer with unknown distances and blur widths, solved by search and descent.
//!
//! 1. **Search**: each frame on its own is reconstructed briefly at every distance of its range;
//!    the objective's minimum is the start.
//! 2. **Descent** on video, distances and effective widths together.
//! 3. **Check**: each frame's measurement is predicted from its neighbours' images over the whole
//!    range. Where they point elsewhere, or the search had a close second minimum, the descent
//!    is repeated from there, and each frame keeps the better of both.
//! 4. **Polish** of the video with richer priors, one after the other; the mean of their results
//!    is nearer to the truth than either.
//! 5. **Certainty**: the objective's curvature, and how far a stiffer prior pulls the parameters.

mod certainty;
mod descent;
mod neighbours;
mod priors;
mod problem;
mod report;
mod search;
mod sought;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use self::certainty::Spread;
use self::descent::{Descent, Plan};
use self::problem::{Problem, State};
use self::search::Trial;
use super::finding::Finding;
use super::measurement::Measurement;
use super::{Progress, Solver, SolverError, check_shapes, positive, rms};
use crate::clip::Clip;
use crate::physics::{ForwardModel, Scatter, sigma_of_width_px};
use crate::prior::Differences;

pub use sought::{ScatterSearch, Sought};

/// Smallest noise assumed, so that real-valued data keeps some prior: 1e-4 of full scale.
const NOISE_FLOOR: f64 = 1e-4;
/// Trials of the search in one step.
const TRIALS: usize = 8;
/// Times that doubtful frames are started again.
const ROUNDS: usize = 3;
/// A neighbour's setting this much better, and this far away (over pitch^2 / wavelength), is
/// worth another start.
const SUSPECT_RATIO: f64 = 0.7;
const SUSPECT_DIST: f64 = 2.5;
/// A second minimum of the search whose objective is within this of the best.
const RIVAL_RATIO: f64 = 1.05;
/// The prior's weight that the parameters are pulled with to see how much they owe to it.
const STIFFER: f64 = 3.0;

/// Settings of [`BlindScatter`]; the defaults were chosen on generated scenes,
/// with the published clips in view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlindConfig {
    /// Standard deviation of the measurement's noise, as a share of full scale.
    pub noise: f64,
    /// The prior's final weight over the noise variance, in the joint descent and in the polish.
    pub joint_smoothness: f64,
    pub smoothness: f64,
    /// Iterations of the joint descent, of one that starts doubtful frames again, of the
    /// polish under each of its priors, and of the stiffer prior that the intervals need.
    pub joint_iterations: usize,
    pub repair_iterations: usize,
    pub polish_iterations: usize,
    pub stiff_iterations: usize,
}

impl BlindConfig {
    /// For a measurement with this noise (standard deviation, full scale being 1).
    pub fn for_noise(noise: f64) -> Self {
        Self {
            noise: noise.max(NOISE_FLOOR),
            joint_smoothness: 15.6,
            smoothness: 14.0,
            joint_iterations: 400,
            repair_iterations: 250,
            polish_iterations: 600,
            stiff_iterations: 150,
        }
    }

    fn check(&self) -> Result<(), SolverError> {
        positive("the noise level", self.noise)?;
        positive("the smoothness of the joint descent", self.joint_smoothness)?;
        positive("the smoothness", self.smoothness)?;
        for (what, count) in [
            ("the number of joint iterations", self.joint_iterations),
            ("the number of repair iterations", self.repair_iterations),
            ("the number of polish iterations", self.polish_iterations),
            ("the number of stiff iterations", self.stiff_iterations),
        ] {
            positive(what, count as f64)?;
        }
        Ok(())
    }
}

/// What is done next.
enum Stage {
    /// The next frame to try, and its trials so far.
    Search {
        frame: usize,
        trials: Vec<Trial>,
    },
    Joint(Descent),
    /// The next frame to check.
    Check {
        round: usize,
        frame: usize,
    },
    /// Another start of some frames, and what it has to beat.
    Repair {
        round: usize,
        descent: Descent,
        before: Box<State>,
        frames: Vec<usize>,
    },
    /// The video under one prior of several, and those before it.
    Polish {
        descent: Descent,
        start: Clip,
        done: Vec<Clip>,
    },
    /// The parameters under a stiffer prior.
    Stiffen {
        descent: Descent,
        state: Box<State>,
    },
    Spread,
    Done,
}

/// What is known of one frame besides its estimate.
#[derive(Clone, Debug, Default)]
struct Suspicion {
    /// The second minimum of the search, with its objective over the best, and its image.
    rival: Option<(f64, f64, Vec<f32>)>,
    /// Whether it has been tried.
    rival_tried: bool,
    /// What the neighbours say.
    verdict: Option<neighbours::Verdict>,
}

/// Estimates the video together with the distances and blur widths of the scattering layer.
///
/// Every value is a maximum a posteriori estimate within the ranges asked for; the result
/// depends on nothing random.
pub struct BlindScatter {
    problem: Problem,
    config: BlindConfig,
    state: State,
    model: Scatter,
    stage: Stage,
    suspicions: Vec<Suspicion>,
    /// The search's objectives and images by frame, until a distance is chosen.
    trials: Vec<Vec<Trial>>,
    /// The estimate under a stiffer prior.
    stiff: Option<State>,
    spread: Option<Spread>,
    steps: StepCounts,
    progress: Progress,
}

/// Steps of each stage.
struct StepCounts {
    search: usize,
    joint: usize,
    check: usize,
    repair: usize,
    polish: usize,
    certainty: usize,
}

impl StepCounts {
    fn of(problem: &Problem, config: &BlindConfig) -> Self {
        let frames = problem.shape.frames;
        let searches = (0..frames).map(|f| search::distances(problem, f).len().div_ceil(TRIALS));
        let known = problem.dist.is_known() && problem.width.is_known();
        Self {
            search: searches.sum(),
            joint: config.joint_iterations,
            check: frames,
            repair: config.repair_iterations,
            polish: priors::polish().len() * config.polish_iterations,
            certainty: if known {
                0
            } else {
                config.stiff_iterations + 1
            },
        }
    }

    /// Before the check of a round, counted from 0.
    fn before_check(&self, round: usize) -> usize {
        self.search + self.joint + round * (self.check + self.repair)
    }

    fn before_polish(&self) -> usize {
        self.before_check(ROUNDS) + self.check
    }

    fn before_certainty(&self) -> usize {
        self.before_polish() + self.polish
    }

    fn total(&self) -> usize {
        self.before_certainty() + self.certainty
    }
}

impl BlindScatter {
    /// # Errors
    /// A measurement of another shape than the search's; ranges that are empty or out of bounds;
    /// settings that are not positive.
    pub fn new(
        search: ScatterSearch,
        measurement: Measurement,
        config: BlindConfig,
    ) -> Result<Self, SolverError> {
        config.check()?;
        let (dist, width) = search.ranges()?;
        let shape = search.shape;
        let model = Scatter::new(
            shape,
            search.optics,
            search.start(&dist, |d| d),
            search.start(&width, sigma_of_width_px),
        )?;
        check_shapes(&model, measurement.values())?;
        let middles =
            |ranges: &problem::Ranges| (0..ranges.0.len()).map(|f| ranges.middle(f)).collect();
        let state = State {
            video: model.first_guess(measurement.values()),
            dist: middles(&dist),
            width: middles(&width),
        };
        let pitch_mm = search.optics.object_pitch_um() * 1e-3;
        let problem = Problem {
            shape,
            physics: search.physics(),
            frames: (0..shape.frames).map(|f| measurement.frame(f)).collect(),
            dist,
            width,
            depth_mm: pitch_mm * pitch_mm / (search.optics.wavelength_nm * 1e-6),
        };
        let steps = StepCounts::of(&problem, &config);
        let residual = measurement.residual(&model.apply(&state.video));
        let progress = Progress {
            done: 0,
            total: steps.total(),
            residual_rms: rms(residual.data()),
        };
        Ok(Self {
            suspicions: vec![Suspicion::default(); shape.frames],
            stage: Stage::Search {
                frame: 0,
                trials: Vec::new(),
            },
            trials: Vec::new(),
            stiff: None,
            spread: None,
            problem,
            config,
            state,
            model,
            steps,
            progress,
        })
    }

    pub fn config(&self) -> &BlindConfig {
        &self.config
    }

    fn joint_weight(&self) -> f64 {
        self.config.joint_smoothness * self.config.noise.powi(2)
    }

    fn weight(&self) -> f64 {
        self.config.smoothness * self.config.noise.powi(2)
    }

    fn joint_plan(&self, iterations: usize, first_weight: f64) -> Plan {
        Plan {
            iterations,
            rate: 0.03,
            dist_rate: 0.166,
            width_rate: 0.03,
            weights: (first_weight, self.joint_weight()),
            prior: priors::joint(),
        }
    }

    fn polish_plan(&self, prior: Differences) -> Plan {
        Plan {
            iterations: self.config.polish_iterations,
            rate: 0.1,
            dist_rate: 0.0,
            width_rate: 0.0,
            weights: (2e-4, self.weight()),
            prior,
        }
    }

    /// The first of the polishes.
    fn polish(&self) -> Stage {
        let prior = priors::polish().swap_remove(0);
        Stage::Polish {
            descent: Descent::new(self.polish_plan(prior), &self.state),
            start: self.state.video.clone(),
            done: Vec::new(),
        }
    }

    fn is_known(&self) -> bool {
        self.problem.dist.is_known() && self.problem.width.is_known()
    }

    /// Some trials of one frame; the video shows the best so far.
    fn search(&mut self, frame: usize, mut trials: Vec<Trial>) -> Stage {
        let dists = search::distances(&self.problem, frame);
        let end = (trials.len() + TRIALS).min(dists.len());
        let width = self.problem.width.middle(frame);
        trials.extend(search::trials(
            &self.problem,
            frame,
            &dists[trials.len()..end],
            width,
        ));
        let best = trials
            .iter()
            .min_by(|a, b| a.objective.total_cmp(&b.objective));
        if let Some(best) = best {
            self.state
                .video
                .frame_mut(frame)
                .copy_from_slice(&best.image);
        }
        if end < dists.len() {
            return Stage::Search { frame, trials };
        }
        self.trials.push(trials);
        if frame + 1 < self.problem.shape.frames {
            return Stage::Search {
                frame: frame + 1,
                trials: Vec::new(),
            };
        }
        self.choose();
        let plan = self.joint_plan(self.config.joint_iterations, 1e-3);
        Stage::Joint(Descent::new(plan, &self.state))
    }

    /// Takes the best trials as the start.
    fn choose(&mut self) {
        let trials = std::mem::take(&mut self.trials);
        let objectives = |of: &[Trial]| of.iter().map(|t| t.objective).collect::<Vec<f64>>();
        let shared = self.problem.dist.is_shared().then(|| {
            let dists = search::distances(&self.problem, 0);
            let mut sums = vec![0.0; dists.len()];
            for frame in &trials {
                sums.iter_mut()
                    .zip(objectives(frame))
                    .for_each(|(s, o)| *s += o);
            }
            search::choose(&dists, &sums)
        });
        if let Some(choice) = &shared {
            self.state.dist[0] = self.problem.dist.clamp(0, choice.dist);
        }
        for (f, trials) in trials.iter().enumerate() {
            let index = match &shared {
                Some(choice) => choice.index,
                None => {
                    let dists: Vec<f64> = trials.iter().map(|t| t.dist).collect();
                    let choice = search::choose(&dists, &objectives(trials));
                    self.state.dist[f] = self.problem.dist.clamp(f, choice.dist);
                    self.suspicions[f].rival = choice.rival.and_then(|(dist, ratio)| {
                        let trial = trials.iter().find(|t| t.dist == dist)?;
                        Some((dist, ratio, trial.image.clone()))
                    });
                    choice.index
                }
            };
            self.state
                .video
                .frame_mut(f)
                .copy_from_slice(&trials[index].image);
        }
    }

    fn after_joint(&self) -> Stage {
        if self.problem.dist.is_known() || self.problem.dist.is_shared() {
            return self.polish();
        }
        Stage::Check { round: 0, frame: 0 }
    }

    /// Asks the neighbours of one frame; after the last one, decides what is started again.
    fn check(&mut self, round: usize, frame: usize) -> Stage {
        self.suspicions[frame].verdict = neighbours::ask(&self.problem, &self.state, frame);
        if frame + 1 < self.problem.shape.frames {
            return Stage::Check {
                round,
                frame: frame + 1,
            };
        }
        let before = Box::new(self.state.clone());
        let mut frames = Vec::new();
        if round < ROUNDS {
            for f in 0..self.problem.shape.frames {
                if self.restart(f, &before) {
                    frames.push(f);
                }
            }
        }
        if frames.is_empty() {
            return self.polish();
        }
        let plan = self.joint_plan(self.config.repair_iterations, 3e-4);
        let descent = Descent::new(plan, &self.state);
        Stage::Repair {
            round,
            descent,
            before,
            frames,
        }
    }

    /// Moves a doubtful frame to where something better may be; whether it was doubtful.
    fn restart(&mut self, f: usize, before: &State) -> bool {
        let least = SUSPECT_DIST * self.problem.depth_mm;
        let here = self.state.dist(f);
        let image = self.state.video.frame_mut(f);
        if let Some(v) = &self.suspicions[f].verdict
            && v.ratio < SUSPECT_RATIO
            && (v.dist - here).abs() > least
        {
            self.state.dist[f] = v.dist;
            if !self.problem.width.is_shared() {
                self.state.width[f] = v.width;
            }
            image.copy_from_slice(before.video.frame(v.neighbour));
            return true;
        }
        if self.suspicions[f].rival_tried {
            return false;
        }
        let Some((dist, ratio, rival)) = &self.suspicions[f].rival else {
            return false;
        };
        let elsewhere = *ratio < RIVAL_RATIO && (dist - here).abs() > least;
        if elsewhere {
            image.copy_from_slice(rival);
            self.state.dist[f] = *dist;
            if !self.problem.width.is_shared() {
                self.state.width[f] = self.problem.width.middle(f);
            }
        }
        self.suspicions[f].rival_tried = true;
        elsewhere
    }

    /// Each frame that was started again keeps the better of its two results.
    fn judge(&mut self, round: usize, before: &State, frames: &[usize]) -> Stage {
        let (prior, weight) = (priors::joint(), self.joint_weight());
        let old = self.problem.objectives(before, &prior, weight);
        let new = self.problem.objectives(&self.state, &prior, weight);
        let mut any = false;
        for &f in frames {
            if new[f] < old[f] {
                any = true;
                continue;
            }
            self.state
                .video
                .frame_mut(f)
                .copy_from_slice(before.video.frame(f));
            self.state.dist[f] = before.dist[f];
            if !self.problem.width.is_shared() {
                self.state.width[f] = before.width[f];
            }
        }
        match any {
            true => Stage::Check {
                round: round + 1,
                frame: 0,
            },
            false => self.polish(),
        }
    }

    /// The next polish; after the last one the estimate is the mean of all of them.
    fn after_polish(&mut self, start: &Clip, mut done: Vec<Clip>) -> Stage {
        done.push(self.state.video.clone());
        if let Some(prior) = priors::polish().into_iter().nth(done.len()) {
            self.state.video = start.clone();
            let descent = Descent::new(self.polish_plan(prior), &self.state);
            return Stage::Polish {
                descent,
                start: start.clone(),
                done,
            };
        }
        let share = 1.0 / done.len() as f32;
        let sum = done.into_iter().reduce(|a, b| a.zip(&b, |a, b| a + b));
        if let Some(sum) = sum {
            self.state.video = sum.map(|v| v * share);
        }
        if self.is_known() {
            return Stage::Done;
        }
        let weight = STIFFER * self.weight();
        let plan = Plan {
            iterations: self.config.stiff_iterations,
            rate: 0.02,
            dist_rate: 0.05,
            width_rate: 0.01,
            weights: (weight, weight),
            prior: priors::joint(),
        };
        let descent = Descent::new(plan, &self.state);
        Stage::Stiffen {
            descent,
            state: Box::new(self.state.clone()),
        }
    }

    /// One step of a descent on the estimate.
    fn descend(&mut self, descent: &mut Descent) -> Result<(), SolverError> {
        let square = descent.step(&self.problem, &mut self.state);
        self.progress.residual_rms = square.ok_or_else(|| self.diverged())?.sqrt();
        Ok(())
    }

    fn diverged(&self) -> SolverError {
        SolverError::Diverged {
            step: self.progress.done + 1,
            advice: "check the measurement for values that are huge or not finite",
        }
    }

    /// Does one step of `stage`; the stage to go on with, where that is another one.
    fn advance(&mut self, stage: &mut Stage) -> Result<Option<Stage>, SolverError> {
        use std::mem::take;
        let next = match stage {
            Stage::Search { frame, trials } => self.search(*frame, take(trials)),
            Stage::Check { round, frame } => self.check(*round, *frame),
            Stage::Joint(descent) => {
                self.descend(descent)?;
                if !descent.is_finished() {
                    return Ok(None);
                }
                self.after_joint()
            }
            Stage::Repair {
                round,
                descent,
                before,
                frames,
            } => {
                self.descend(descent)?;
                if !descent.is_finished() {
                    return Ok(None);
                }
                self.judge(*round, before, frames)
            }
            Stage::Polish {
                descent,
                start,
                done,
            } => {
                self.descend(descent)?;
                if !descent.is_finished() {
                    return Ok(None);
                }
                self.after_polish(start, take(done))
            }
            Stage::Stiffen { descent, state } => {
                let square = descent.step(&self.problem, state);
                square.ok_or_else(|| self.diverged())?;
                if !descent.is_finished() {
                    return Ok(None);
                }
                self.stiff = Some(State::clone(state));
                Stage::Spread
            }
            Stage::Spread => {
                self.spread = Some(certainty::spread(
                    &self.problem,
                    &self.model,
                    &self.state,
                    (&priors::polish()[0], self.weight()),
                    self.config.noise,
                ));
                Stage::Done
            }
            Stage::Done => return Ok(None),
        };
        Ok(Some(next))
    }

    /// Steps done at least when `stage` comes next.
    fn steps_before(&self, stage: &Stage) -> usize {
        let steps = &self.steps;
        match stage {
            Stage::Search { .. } => 0,
            Stage::Joint(_) => steps.search,
            Stage::Check { round, frame } => steps.before_check(*round) + frame,
            Stage::Repair { round, .. } => steps.before_check(*round) + steps.check,
            Stage::Polish { done, .. } => {
                steps.before_polish() + done.len() * self.config.polish_iterations
            }
            Stage::Stiffen { .. } => steps.before_certainty(),
            Stage::Spread => steps.total() - 1,
            Stage::Done => steps.total(),
        }
    }

    fn update_model(&mut self) -> Result<(), SolverError> {
        let sigmas = self.state.width.iter().map(|&w| sigma_of_width_px(w));
        let values: Vec<f64> = self.state.dist.iter().copied().chain(sigmas).collect();
        let present = self.model.parameters();
        if present.iter().map(|p| p.value).eq(values.iter().copied()) {
            return Ok(());
        }
        Ok(self.model.set_parameters(&values)?)
    }
}

impl Solver for BlindScatter {
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
        let mut stage = std::mem::replace(&mut self.stage, Stage::Done);
        let next = self.advance(&mut stage);
        let (stage, failure) = match next {
            Ok(next) => (next.unwrap_or(stage), None),
            Err(error) => (stage, Some(error)),
        };
        self.stage = stage;
        if let Some(error) = failure {
            return Err(error);
        }
        self.update_model()?;
        let least = self.steps_before(&self.stage);
        self.progress.done = (self.progress.done + 1).max(least);
        Ok(self.progress)
    }

    fn estimate(&self) -> Clip {
        self.state.video.clone()
    }

    fn model(&self) -> &dyn ForwardModel {
        &self.model
    }

    fn findings(&self) -> Vec<Finding> {
        self.report()
    }

    fn notes(&self) -> Vec<String> {
        self.model.warnings()
    }
}
