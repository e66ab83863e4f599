//! Joint descent on video, distances and widths.

use std::f64::consts::PI;

use super::problem::{Problem, Sought, State};
use crate::physics::Setting;
use crate::prior::SpaceTime;
use crate::solver::adam::Adam;

pub trait Penalty: Send + Sync { fn add_gradient(&self, clip: &crate::clip::Clip, weight: f32, gradient: &mut [f32]); }
impl Penalty for SpaceTime { fn add_gradient(&self, clip: &crate::clip::Clip, weight: f32, gradient: &mut [f32]) { SpaceTime::add_gradient(self, clip, weight, gradient) } }
/// How a descent goes.
#[derive(Clone)]
pub struct Plan {
    pub iterations: usize,
    /// Adam's steps in amplitude, mm and px; the last two are 0 where the parameters rest.
    pub rate: f64,
    pub dist_rate: f64,
    pub width_rate: f64,
    /// The prior's weight falls geometrically from the first to the last over the first 70 %.
    pub first_weight: f64,
    pub last_weight: f64,
    pub prior: std::sync::Arc<dyn Penalty>,
}

/// A descent under way.
pub struct Descent {
    plan: Plan,
    done: usize,
    video: Adam,
    dist: Adam,
    width: Adam,
    /// At the present parameters, while they rest.
    settings: Option<Vec<Setting>>,
}

impl Descent {
    const BETAS: (f32, f32) = (0.9, 0.99);

    pub fn new(plan: Plan, state: &State) -> Self {
        let adam = |len| Adam::new(len, Self::BETAS);
        Self {
            plan,
            done: 0,
            video: adam(state.video.shape().len()),
            dist: adam(state.dist.len()),
            width: adam(state.width.len()),
            settings: None,
        }
    }

    pub fn is_finished(&self) -> bool {
        self.done >= self.plan.iterations
    }

    fn parameters_rest(&self) -> bool {
        self.plan.dist_rate == 0.0 && self.plan.width_rate == 0.0
    }

    fn weight(&self) -> f64 {
        let (first, last) = (self.plan.first_weight, self.plan.last_weight);
        let passed = self.done as f64 / (0.7 * self.plan.iterations as f64);
        first * (last / first).powf(passed.min(1.0))
    }

    /// One iteration; the mean squared residual before it, or none where that is not finite.
    pub fn step(&mut self, problem: &Problem, state: &mut State) -> Option<f64> {
        let moves = !self.parameters_rest();
        let settings = match self.settings.take() {
            Some(settings) => settings,
            None => problem.settings(state),
        };
        let slopes = problem.slopes(&state.video, &settings, moves);
        let cost: f64 = slopes.iter().map(|s| s.cost).sum();
        if !cost.is_finite() {
            return None;
        }
        let mut gradient: Vec<f32> = Vec::with_capacity(state.video.shape().len());
        slopes.iter().for_each(|s| gradient.extend(&s.video));
        let weight = self.weight() as f32;
        self.plan
            .prior
            .add_gradient(&state.video, weight, &mut gradient);
        let passed = self.done as f64 / self.plan.iterations as f64;
        let share = 0.5 * (1.0 + (PI * passed).cos()) + 0.02;
        self.video
            .step(state.video.data_mut(), &gradient, (self.plan.rate * share) as f32);
        for value in state.video.data_mut() {
            *value = value.clamp(0.0, 1.0);
        }
        if moves {
            let dist: Vec<f64> = slopes.iter().map(|s| s.dist).collect();
            let width: Vec<f64> = slopes.iter().map(|s| s.width).collect();
            let (by_dist, by_width) = (self.plan.dist_rate * share, self.plan.width_rate * share);
            descend(&mut self.dist, &mut state.dist, &problem.dist, &dist, by_dist);
            descend(&mut self.width, &mut state.width, &problem.width, &width, by_width);
        } else {
            self.settings = Some(settings);
        }
        self.done += 1;
        Some(2.0 * cost / state.video.shape().len() as f64)
    }
}

/// Moves parameters within their ranges; slopes are one a frame.
fn descend(adam: &mut Adam, values: &mut [f64], sought: &Sought, slopes: &[f64], rate: f64) {
    if sought.is_known() || rate == 0.0 {
        return;
    }
    let gathered: Vec<f32> = match sought.is_shared() {
        true => vec![slopes.iter().sum::<f64>() as f32],
        false => slopes.iter().map(|&s| s as f32).collect(),
    };
    let mut moved: Vec<f32> = vec![0.0; values.len()];
    adam.step(&mut moved, &gathered, rate as f32);
    for (i, (value, by)) in values.iter_mut().zip(moved).enumerate() {
        let (low, high) = sought.range(i);
        *value = (*value + f64::from(by)).clamp(low, high);
    }
}
