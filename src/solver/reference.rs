//! The published method, step by step.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::mapping::{Mapping, Output};
use super::measurement::Measurement;
use super::{Change, Progress, Solver, SolverError, check_shapes, rms};
use crate::clip::{Clip, Shape};
use crate::noise::Noise;
use crate::physics::ForwardModel;
use crate::prior::{Prior, Schedule, Step};

/// Draws standard normal clips, one a call.
pub type Draw = Box<dyn FnMut(Shape) -> Clip + Send>;

/// Draws what a seed says.
fn seeded_draw(seed: u64) -> Draw {
    let mut noise = Noise::seeded(seed);
    Box::new(move |shape| noise.normal_clip(shape))
}

/// The guidance weight over the diffusion.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// sin^2(pi t / T): known forward models.
    SineSquared,
    /// The same at every step: 1/5 for blind scatter, 1/10 for Zernike.
    Constant(f64),
}

impl Weight {
    fn at(self, step: &Step, timesteps: usize) -> f64 {
        match self {
            Weight::SineSquared => (PI * step.t as f64 / timesteps as f64).sin().powi(2),
            Weight::Constant(weight) => weight,
        }
    }
}

/// A run of consecutive parameters of the forward model that a network estimates.
#[derive(Clone)]
pub struct Unknown {
    /// Index of the first of them in the model's table.
    pub first: usize,
    pub network: Mapping,
}

impl Unknown {
    /// sigma [px] of every frame; `shift` is 1 where the distance is known, else 0.5.
    pub fn sigmas(first: usize, frames: usize, shift: f32, noise: &mut Noise) -> Self {
        Self::scatter(first, frames, shift, noise)
    }

    /// Distance [mm] of every frame.
    pub fn distances(first: usize, frames: usize, noise: &mut Noise) -> Self {
        Self::scatter(first, frames, 2.5, noise)
    }

    fn scatter(first: usize, frames: usize, shift: f32, noise: &mut Noise) -> Self {
        let network = Mapping::seeded(Output::Elu { shift }, 1e-3, 128, 32, frames, noise);
        Self { first, network }
    }

    /// `count` Zernike coefficients [rad]: ten, or ten a frame from a larger network.
    pub fn zernike(count: usize, noise: &mut Noise) -> Self {
        let (inputs, hidden) = if count == 10 { (128, 32) } else { (256, 128) };
        let network = Mapping::seeded(Output::PiTanh, 1e-2, inputs, hidden, count, noise);
        Self { first: 0, network }
    }

    fn range(&self) -> std::ops::Range<usize> {
        self.first..self.first + self.network.outputs()
    }
}

/// The parameters `held`, those that are unknown as their networks have them.
fn values(held: &[f64], unknowns: &[Unknown]) -> Vec<f64> {
    let mut values = held.to_vec();
    for unknown in unknowns {
        values[unknown.range()].copy_from_slice(&unknown.network.values());
    }
    values
}

/// What differs between the published tasks, and what a user may choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceConfig {
    pub weight: Weight,
    /// Multiplies the guidance weight; the published programs use 1.
    pub guidance: f64,
}

impl ReferenceConfig {
    pub fn published(weight: Weight) -> Self {
        Self {
            weight,
            guidance: 1.0,
        }
    }
}

fn checked_guidance(guidance: f64) -> Result<f64, SolverError> {
    match guidance.is_finite() && guidance >= 0.0 {
        true => Ok(guidance),
        false => Err(SolverError::Setting {
            what: "the guidance",
            value: guidance.to_string(),
            expected: "it must be zero or more",
        }),
    }
}

/// Diffusion posterior sampling with the published guidance.
///
/// At each step the network gives x0, the forward model's residual ||y - A(x0)|| is pulled
/// back through the network to x_t, and x_{t-1} is the ordinary reverse step minus the
/// weighted gradient. Unknown parameters descend the mean squared residual of the same
/// A(x0), before x moves.
///
/// On a respaced schedule a step moves the video and the parameters by as much as the steps
/// that it stands for would have together.
pub struct Reference {
    prior: Box<dyn Prior>,
    schedule: Schedule,
    model: Box<dyn ForwardModel>,
    measurement: Measurement,
    config: ReferenceConfig,
    unknowns: Vec<Unknown>,
    draw: Draw,
    /// x_t: signed video with noise.
    state: Clip,
    /// Signed x0 of the last step, and at the end its result.
    estimate: Clip,
    progress: Progress,
}

impl Reference {
    /// `measurement` is what [`ForwardModel::linearise_signed`] predicts. `draw` gives x_T
    /// first, then the noise of each step in order.
    ///
    /// # Errors
    /// Shapes that do not fit, a network that cannot take them, or unknowns whose starting
    /// values the model refuses.
    pub fn new(
        prior: Box<dyn Prior>,
        schedule: Schedule,
        model: Box<dyn ForwardModel>,
        measurement: Measurement,
        config: ReferenceConfig,
        unknowns: Vec<Unknown>,
        mut draw: Draw,
    ) -> Result<Self, SolverError> {
        check_shapes(model.as_ref(), measurement.values())?;
        prior.check_shape(model.shape())?;
        checked_guidance(config.guidance)?;
        let state = draw(model.shape());
        let mut solver = Self {
            progress: Progress {
                done: 0,
                total: schedule.len(),
                residual_rms: f64::NAN,
            },
            estimate: Clip::zeros(model.shape()),
            prior,
            schedule,
            model,
            measurement,
            config,
            unknowns,
            draw,
            state,
        };
        solver.set_unknowns()?;
        Ok(solver)
    }

    /// Hands the networks' present values to the forward model.
    fn set_unknowns(&mut self) -> Result<(), SolverError> {
        if self.unknowns.is_empty() {
            return Ok(());
        }
        let held = self.held();
        Ok(self.model.set_parameters(&values(&held, &self.unknowns))?)
    }

    /// The model's parameters at present.
    fn held(&self) -> Vec<f64> {
        self.model.parameters().iter().map(|p| p.value).collect()
    }

    /// Moves the unknown parameters against the gradient of the mean squared residual of `x0`:
    /// by `slopes`, and as many times more as a step stands for further ones of the original
    /// schedule. The model keeps its values.
    fn descend(&mut self, x0: &Clip, slopes: Vec<f64>) -> Result<(), SolverError> {
        if self.unknowns.is_empty() {
            return Ok(());
        }
        let held = self.held();
        let moved = self.descended(&held, x0, slopes);
        self.model.set_parameters(&held)?;
        self.unknowns = moved?;
        Ok(())
    }

    fn descended(
        &mut self,
        held: &[f64],
        x0: &Clip,
        mut slopes: Vec<f64>,
    ) -> Result<Vec<Unknown>, SolverError> {
        let mut moved = self.unknowns.clone();
        let further = self.schedule.stride().round() as usize - 1;
        for pass in 0..=further {
            for unknown in &mut moved {
                unknown.network.descend(&slopes[unknown.range()]);
            }
            if pass < further {
                self.model.set_parameters(&values(held, &moved))?;
                let linearised = self.model.linearise_signed(x0);
                let residual = self.measurement.residual(&linearised.measurement);
                let scale = 2.0 / residual.shape().len() as f64;
                slopes = (linearised.pullback)(&residual, true).parameters;
                slopes.iter_mut().for_each(|slope| *slope *= scale);
            }
        }
        Ok(moved)
    }

    /// The input of the next step, x_t.
    pub fn state(&self) -> &Clip {
        &self.state
    }

    /// Signed x0 of the last step.
    pub fn signed_estimate(&self) -> &Clip {
        &self.estimate
    }
}

impl Solver for Reference {
    fn name(&self) -> &'static str {
        "reference"
    }

    fn progress(&self) -> Progress {
        self.progress
    }

    fn step(&mut self) -> Result<Progress, SolverError> {
        if self.progress.is_finished() {
            return Ok(self.progress);
        }
        let step = *self
            .schedule
            .step(self.schedule.len() - 1 - self.progress.done);
        let (recip, recipm1) = (step.sqrt_recip, step.sqrt_recipm1);

        // The model keeps the values that the step's residual was computed with.
        self.set_unknowns()?;
        let (eps, through_network) = self.prior.predict_with_pullback(&self.state, step.t)?;
        let unclamped = self.state.zip(&eps, |x, e| step.clean(x, e));
        let x0 = unclamped.map(|v| v.clamp(-1.0, 1.0));

        let linearised = self.model.linearise_signed(&x0);
        let residual = self.measurement.residual(&linearised.measurement);
        let norm = super::norm(residual.data());
        let direction = residual.map(|r| {
            if norm > 0.0 {
                (f64::from(r) / norm) as f32
            } else {
                0.0
            }
        });
        let slopes = (linearised.pullback)(&direction, !self.unknowns.is_empty());
        drop(linearised);

        // d x0 / d x_t: the clamp passes what it did not change, and x_t acts both
        // directly and through the network.
        let passed = slopes.video.zip(
            &unclamped,
            |g, v| {
                if (-1.0..=1.0).contains(&v) { g } else { 0.0 }
            },
        );
        let through = through_network(&passed.map(|g| -recipm1 * g))?;
        let gradient = passed.zip(&through, |g, t| recip * g + t);

        let mut out = x0.zip(&self.state, |x0, x| step.mean(x0, x));
        let last = self.progress.done + 1 == self.progress.total;
        if !last {
            let noise = (self.draw)(out.shape());
            out = out.zip(&noise, |o, z| o + step.noise_scale() * z);
        }
        let weight = self.config.weight.at(&step, self.schedule.timesteps());
        let weight = (self.config.guidance * self.schedule.stride() * weight) as f32;
        let next = out.zip(&gradient, |o, g| o - weight * g);
        let finite = norm.is_finite()
            && next.data().iter().all(|v| v.is_finite())
            && slopes.parameters.iter().all(|g| g.is_finite());
        if !finite {
            return Err(SolverError::Diverged {
                step: self.progress.done + 1,
                advice: "try a smaller guidance, more steps, or another checkpoint",
            });
        }
        // From the gradient of the norm to that of the mean square.
        let scale = 2.0 * norm / residual.shape().len() as f64;
        let mean_square = slopes.parameters.iter().map(|g| g * scale).collect();
        self.descend(&x0, mean_square)?;
        self.state = next;
        // The result is the last step's video before its guidance.
        self.estimate = if last { out } else { x0 };
        self.progress.done += 1;
        self.progress.residual_rms = rms(residual.data());
        Ok(self.progress)
    }

    fn change(&mut self, change: &Change) -> Result<(), SolverError> {
        match *change {
            Change::Guidance(guidance) => {
                self.config.guidance = checked_guidance(guidance)?;
            }
            Change::Seed(seed) => self.draw = seeded_draw(seed),
            // Networks give the parameters that are unknown.
            _ if !self.unknowns.is_empty() => return Err(change.refused()),
            _ => change.apply_to(self.model.as_mut())?,
        }
        Ok(())
    }

    fn estimate(&self) -> Clip {
        self.estimate.map(|x| ((x + 1.0) / 2.0).clamp(0.0, 1.0))
    }

    fn model(&self) -> &dyn ForwardModel {
        self.model.as_ref()
    }

    fn evaluations(&self) -> usize {
        self.progress.done
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;
    use crate::physics::{Optics, Scatter};
    use crate::prior::{PriorError, Pullback};
    use crate::run::{Outcome, drive};

    /// Finds a share of what it is given to be noise, as a function of t says.
    struct Shares<F>(F);

    impl<F: Fn(usize) -> f32 + Send + Sync> Prior for Shares<F> {
        fn predict(&self, x_t: &Clip, t: usize) -> Result<Clip, PriorError> {
            let share = (self.0)(t);
            Ok(x_t.map(|x| share * x))
        }

        fn predict_with_pullback(
            &self,
            x_t: &Clip,
            t: usize,
        ) -> Result<(Clip, Pullback), PriorError> {
            let share = (self.0)(t);
            let through = move |v: &Clip| Ok(v.map(|v| share * v));
            Ok((x_t.map(|x| share * x), Box::new(through)))
        }

        fn check_shape(&self, _shape: Shape) -> Result<(), PriorError> {
            Ok(())
        }

        fn memory_bytes(&self, _shape: Shape) -> u64 {
            0
        }

        fn describe(&self) -> String {
            "a share".into()
        }
    }

    /// With a prior that finds no noise in anything, and breaks down after `good` predictions.
    fn solver(good: usize) -> Reference {
        let calls = AtomicUsize::new(0);
        let prior = Shares(move |_| {
            let works = calls.fetch_add(1, Ordering::SeqCst) < good;
            if works { 0.0 } else { f32::NAN }
        });
        on_schedule(Box::new(prior), Schedule::cosine(1000).respaced(5).unwrap())
    }

    fn on_schedule(prior: Box<dyn Prior>, schedule: Schedule) -> Reference {
        let shape = Shape::new(2, 8, 8);
        let mut noise = Noise::seeded(1);
        let scatter = Scatter::new(shape, Optics::SYNTHETIC, 1.0, vec![1.0; 2]).unwrap();
        Reference::new(
            prior,
            schedule,
            Box::new(scatter),
            Measurement::exact(Clip::filled(shape, 0.3)),
            ReferenceConfig::published(Weight::Constant(0.2)),
            vec![Unknown::sigmas(1, 2, 1.0, &mut noise)],
            Box::new(move |shape| noise.normal_clip(shape)),
        )
        .unwrap()
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let mut solver = solver(2);
        let start = solver.unknowns[0].network.values();
        solver.step().unwrap();
        solver.step().unwrap();
        let held = |solver: &Reference| {
            (
                solver.state().clone(),
                solver.signed_estimate().clone(),
                solver.unknowns[0].network.values(),
                solver.steps_done(),
            )
        };
        let before = held(&solver);
        assert_ne!(before.2, start);
        let error = solver.step().unwrap_err();
        assert!(
            matches!(error, SolverError::Diverged { step: 3, .. }),
            "{error}"
        );
        assert_eq!(held(&solver), before);
    }

    /// The first step of a walk of 5 steps is guided, and moves what is unknown, as the 200 steps
    /// of the original schedule would together.
    #[test]
    fn a_step_counts_for_all_that_it_stands_for() {
        let whole = Schedule::cosine(1000);
        let first_step = |schedule: &Schedule, guidance: f64| {
            // A third of what it is given is video.
            let of = whole.clone();
            let prior = Shares(move |t| {
                let signal = of.step(t).alpha_bar;
                (1.0 - signal.sqrt() / 3.0) / (1.0 - signal).sqrt()
            });
            let mut solver = on_schedule(Box::new(prior), schedule.clone());
            let start = solver.unknowns[0].network.values();
            solver.change(&Change::Guidance(guidance)).unwrap();
            solver.step().unwrap();
            let now = solver.unknowns[0].network.values();
            let moved = start.iter().zip(&now).map(|(a, b)| (a - b).abs()).sum();
            (solver.state().clone(), moved)
        };
        let guided_by = |schedule: &Schedule| {
            let [(free, moved), (guided, _)] = [0.0, 1.0].map(|g| first_step(schedule, g));
            let by = guided.zip(&free, |g, f| g - f);
            let moved: f64 = moved;
            (rms(by.data()), moved)
        };
        let (one, moved_once) = guided_by(&whole);
        let (many, moved_often) = guided_by(&whole.respaced(5).unwrap());
        assert!((many / one / 200.0 - 1.0).abs() < 1e-2, "{many} {one}");
        // Adam's steps are alike until it nears the best value.
        assert!(
            moved_often > 20.0 * moved_once,
            "{moved_often} {moved_once}"
        );
    }

    #[test]
    fn cancelling_midway_keeps_the_estimate_reached() {
        let mut solver = solver(usize::MAX);
        let cancel = AtomicBool::new(false);
        let mut seen = Vec::new();
        let outcome = drive(&mut solver, &cancel, &mut |progress, solver| {
            seen.push(solver.estimate());
            cancel.store(progress.done == 3, Ordering::SeqCst);
        });
        assert_eq!(outcome.unwrap(), Outcome::Cancelled);
        assert_eq!(solver.steps_done(), 3);
        assert_eq!(seen.last(), Some(&solver.estimate()));
    }
}
