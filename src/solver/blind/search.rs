//! The distance of a frame on its own, by trying many.

use rayon::prelude::*;

use super::descent::weight_at;
use super::problem::Problem;
use crate::adam::{Adam, rate_share};
use crate::clip::Shape;
use crate::prior::{Concave, Differences, Group, Term};

const ITERATIONS: usize = 40;
const RATE: f64 = 0.05;
const BETAS: (f32, f32) = (0.9, 0.95);
/// Of the prior, at the first and the last iteration.
const WEIGHTS: (f64, f64) = (2e-2, 1e-3);
/// Between two distances, over pitch^2 / wavelength: 0.3 mm at 8 um and 532 nm.
const SPACING: f64 = 2.5;

/// The distances to try for a frame, in mm, evenly from end to end of its range.
pub(super) fn distances(problem: &Problem, frame: usize) -> Vec<f64> {
    let (low, high) = problem.dist.of(frame);
    let parts = ((high - low) / (SPACING * problem.depth_mm)).ceil() as usize;
    let at = |i: usize| low + (high - low) * i as f64 / parts.max(1) as f64;
    (0..=parts).map(at).collect()
}

/// What a short reconstruction at one setting ended with.
#[derive(Clone)]
pub(super) struct Trial {
    pub dist: f64,
    pub objective: f64,
    pub image: Vec<f32>,
}

/// Short reconstructions of one frame at each distance and one effective width: minima of
/// half the squared residual plus isotropic total variation, after a few iterations.
pub(super) fn trials(problem: &Problem, frame: usize, dists: &[f64], width: f64) -> Vec<Trial> {
    let shape = Shape::new(1, problem.shape.height, problem.shape.width);
    let prior = Differences {
        terms: vec![Term {
            lag: 0,
            group: Group::Axes,
            potential: Concave {
                bend: f32::INFINITY,
                epsilon: 3e-3,
            },
            weight: 1.0,
            itself: 1.0,
        }],
    };
    let measured = problem.frames[frame].values();
    let start = measured.map(|y| y.clamp(0.0, 1.0).sqrt());
    let trial = |&dist: &f64| {
        let setting = problem.physics.setting(dist, width);
        let mut image = start.clone();
        let mut adam = Adam::new(shape.len(), BETAS);
        for i in 0..ITERATIONS {
            let passed = i as f64 / ITERATIONS as f64;
            let slopes = problem.frame_slopes(frame, image.data(), &setting, false);
            let mut gradient = slopes.video;
            let weight = weight_at(WEIGHTS, passed) as f32;
            prior.add_gradient(&image, weight, &mut gradient);
            let rate = (RATE * rate_share(passed)) as f32;
            adam.step(image.data_mut(), &gradient, rate);
            for value in image.data_mut() {
                *value = value.clamp(0.0, 1.0);
            }
        }
        let slopes = problem.frame_slopes(frame, image.data(), &setting, false);
        Trial {
            dist,
            objective: slopes.cost + WEIGHTS.1 * prior.value(&image),
            image: image.into_data(),
        }
    };
    dists.par_iter().map(trial).collect()
}

/// What the objectives over distance say.
pub(super) struct Choice {
    /// Of the best trial.
    pub index: usize,
    /// The minimum of the parabola through the best trial and its neighbours, in mm.
    pub dist: f64,
    /// The next best minimum apart from this one, with its objective over the best.
    pub rival: Option<(f64, f64)>,
}

/// The best distance of evenly spaced ones.
pub(super) fn choose(dists: &[f64], objectives: &[f64]) -> Choice {
    let better = |&a: &usize, &b: &usize| objectives[a].total_cmp(&objectives[b]);
    let last = dists.len() - 1;
    let index = (0..=last).min_by(better).unwrap_or(0);
    let mut dist = dists[index];
    if index > 0 && index < last {
        let [before, here, after] = [index - 1, index, index + 1].map(|i| objectives[i]);
        let bend = before - 2.0 * here + after;
        if bend > 0.0 {
            dist += 0.5 * (dists[index] - dists[index - 1]) * (before - after) / bend;
        }
    }
    let lower = |i: usize, j: usize| objectives[i] <= objectives[j];
    let is_minimum = |&i: &usize| (i == 0 || lower(i, i - 1)) && (i == last || lower(i, i + 1));
    let minima = (0..=last).filter(is_minimum);
    let rival = minima.filter(|i| i.abs_diff(index) > 1).min_by(better);
    Choice {
        index,
        dist,
        rival: rival.map(|i| (dists[i], objectives[i] / objectives[index])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parabola_refines_and_the_rival_is_another_minimum() {
        let dists: Vec<f64> = (0..8).map(f64::from).collect();
        let near = |d: f64| (d - 2.25).powi(2) + 1.0;
        let mut objectives: Vec<f64> = dists.iter().map(|&d| near(d)).collect();
        objectives[6] = 2.0;
        let choice = choose(&dists, &objectives);
        assert_eq!(choice.index, 2);
        assert!((choice.dist - 2.25).abs() < 1e-9);
        let (rival, ratio) = choice.rival.unwrap();
        assert_eq!(rival, 6.0);
        assert!((ratio - 2.0 / near(2.0)).abs() < 1e-12);
        assert!(super::choose(&[3.0], &[1.0]).rival.is_none());
    }
}
