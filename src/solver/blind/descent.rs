//! Joint descent on video, distances and widths.

use super::problem::{Problem, Ranges, State};
use crate::adam::{Adam, rate_share};
use crate::physics::Setting;
use crate::prior::Differences;

/// How a descent goes.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub iterations: usize,
    /// Adam's step in amplitude.
    pub rate: f64,
    /// Adam's step in distance, over pitch^2 / wavelength, and in width, in px; 0 where the
    /// parameters rest.
    pub dist_rate: f64,
    pub width_rate: f64,
    /// The prior's weight falls geometrically from the first to the last over the first 70 %.
    pub weights: (f64, f64),
    pub prior: Differences,
}

/// The prior's weight after a share of the iterations.
pub(super) fn weight_at((first, last): (f64, f64), passed: f64) -> f64 {
    let first = first.max(last);
    first * (last / first).powf((passed / 0.7).min(1.0))
}

/// A descent under way.
pub(super) struct Descent {
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

    /// One iteration; the mean squared residual before it, or none, with nothing changed,
    /// where the slopes are not finite.
    pub fn step(&mut self, problem: &Problem, state: &mut State) -> Option<f64> {
        let plan = &self.plan;
        let moves = plan.dist_rate > 0.0 || plan.width_rate > 0.0;
        let settings = match self.settings.take() {
            Some(settings) => settings,
            None => problem.settings(state),
        };
        let slopes = problem.slopes(&state.video, &settings, moves);
        let cost: f64 = slopes.iter().map(|s| s.cost).sum();
        let passed = self.done as f64 / plan.iterations as f64;
        let mut gradient: Vec<f32> = Vec::with_capacity(state.video.shape().len());
        slopes.iter().for_each(|s| gradient.extend(&s.video));
        let weight = weight_at(plan.weights, passed) as f32;
        plan.prior.add_gradient(&state.video, weight, &mut gradient);
        if !cost.is_finite() || gradient.iter().any(|g| !g.is_finite()) {
            return None;
        }
        let share = rate_share(passed);
        let rate = (plan.rate * share) as f32;
        self.video.step(state.video.data_mut(), &gradient, rate);
        for value in state.video.data_mut() {
            *value = value.clamp(0.0, 1.0);
        }
        if moves {
            let by_dist = plan.dist_rate * problem.depth_mm * share;
            let dist = slopes.iter().map(|s| s.dist);
            descend(
                &mut self.dist,
                &mut state.dist,
                &problem.dist,
                dist,
                by_dist,
            );
            let by_width = plan.width_rate * share;
            let width = slopes.iter().map(|s| s.width);
            descend(
                &mut self.width,
                &mut state.width,
                &problem.width,
                width,
                by_width,
            );
        } else {
            self.settings = Some(settings);
        }
        self.done += 1;
        Some(2.0 * cost / state.video.shape().len() as f64)
    }
}

/// Moves parameters within their ranges; slopes are one a frame.
fn descend(
    adam: &mut Adam,
    values: &mut [f64],
    ranges: &Ranges,
    slopes: impl Iterator<Item = f64>,
    rate: f64,
) {
    if ranges.is_known() {
        return;
    }
    let gathered: Vec<f32> = match values.len() {
        1 => vec![slopes.sum::<f64>() as f32],
        _ => slopes.map(|s| s as f32).collect(),
    };
    let mut moves = vec![0.0; values.len()];
    adam.step(&mut moves, &gathered, rate as f32);
    for (i, (value, by)) in values.iter_mut().zip(moves).enumerate() {
        *value = ranges.clamp(i, *value + f64::from(by));
    }
}
