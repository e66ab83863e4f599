//! How far a distance and a width may be off.

use super::descent::Plan;
use super::problem::{Problem, State};
use crate::prior::Differences;

/// Half the step of the second differences: in distance over pitch^2 / wavelength, and in
/// effective width in px.
const DIST_STEP: f64 = 0.05;
const WIDTH_STEP: f64 = 0.02;

/// The settings at which the video is fitted anew; the first is the estimate itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shift {
    None,
    Dist(f64),
    Width(f64),
}

pub(super) const SHIFTS: [Shift; 5] = [
    Shift::None,
    Shift::Dist(-DIST_STEP),
    Shift::Dist(DIST_STEP),
    Shift::Width(-WIDTH_STEP),
    Shift::Width(WIDTH_STEP),
];

impl Shift {
    /// The estimate with every distance or every width moved.
    pub fn of(self, state: &State, problem: &Problem) -> State {
        let mut state = state.clone();
        match self {
            Shift::None => {}
            Shift::Dist(by) => {
                let by = by * problem.depth_mm;
                state.dist.iter_mut().for_each(|d| *d += by);
            }
            Shift::Width(by) => {
                let least = WIDTH_STEP;
                state
                    .width
                    .iter_mut()
                    .for_each(|w| *w = (*w + by).max(least));
            }
        }
        state
    }

    /// Whether anything is learnt from it.
    pub fn is_of_use(self, problem: &Problem) -> bool {
        match self {
            Shift::None => true,
            Shift::Dist(_) => !problem.dist.is_known(),
            Shift::Width(_) => !problem.width.is_known(),
        }
    }
}

/// A fit of the video alone at fixed settings.
pub(super) fn refit(prior: &Differences, weight: f64, iterations: usize) -> Plan {
    Plan {
        iterations,
        rate: 0.01,
        dist_rate: 0.0,
        width_rate: 0.0,
        weights: (weight, weight),
        prior: prior.clone(),
    }
}

/// Standard deviations of the distances (mm) and widths (px) from the objectives of each
/// frame at each of [`SHIFTS`]: the noise over the root of the objective's second difference.
pub(super) struct Spread {
    pub dist: Vec<f64>,
    pub width: Vec<f64>,
}

pub(super) fn spread(problem: &Problem, noise: f64, objectives: &[Vec<f64>]) -> Spread {
    let deviation = |shared: bool, from: usize, step: f64| -> Vec<f64> {
        let bends: Vec<f64> = (0..problem.shape.frames)
            .map(|f| objectives[from][f] + objectives[from + 1][f] - 2.0 * objectives[0][f])
            .map(|difference| difference / (step * step))
            .collect();
        let bends = match shared {
            true => vec![bends.iter().sum()],
            false => bends,
        };
        let deviation = |bend: f64| match bend > 0.0 {
            true => noise / bend.sqrt(),
            false => f64::INFINITY,
        };
        bends.into_iter().map(deviation).collect()
    };
    let dist_step = DIST_STEP * problem.depth_mm;
    Spread {
        dist: deviation(problem.dist.is_shared(), 1, dist_step),
        width: deviation(problem.width.is_shared(), 3, WIDTH_STEP),
    }
}
