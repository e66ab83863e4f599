//! The distance of a frame on its own, by trying many.

use std::f64::consts::PI;

use rayon::prelude::*;

use super::problem::Problem;
use crate::clip::{Clip, Shape};
use crate::prior::{Concave, SpaceTime};
use crate::solver::adam::Adam;

/// Isotropic total variation of one frame.
fn prior() -> SpaceTime {
    SpaceTime {
        spatial: Concave {
            bend: f32::INFINITY,
            epsilon: 3e-3,
        },
        lags: Vec::new(),
        ..SpaceTime::default()
    }
}

const ITERATIONS: usize = 40;
const RATE: f64 = 0.05;
const BETAS: (f32, f32) = (0.9, 0.95);
const WEIGHTS: (f64, f64) = (2e-2, 1e-3);

/// What a short reconstruction at one setting ended with.
pub struct Trial {
    pub dist: f64,
    pub objective: f64,
    pub image: Vec<f32>,
}

/// Short reconstructions of one frame at each distance and one width.
pub fn trials(problem: &Problem, frame: usize, dists: &[f64], width: f64) -> Vec<Trial> {
    let shape = Shape::new(1, problem.shape.height, problem.shape.width);
    let prior = prior();
    let start = problem.frames[frame].values().map(|y| y.clamp(0.0, 1.0).sqrt());
    let trial = |&dist: &f64| {
        let setting = problem.physics.setting(dist, width);
        let mut image = start.clone();
        let mut adam = Adam::new(shape.len(), BETAS);
        for i in 0..ITERATIONS {
            let passed = i as f64 / ITERATIONS as f64;
            let weight = WEIGHTS.0 * (WEIGHTS.1 / WEIGHTS.0).powf((passed / 0.7).min(1.0));
            let share = 0.5 * (1.0 + (PI * passed).cos()) + 0.02;
            let slopes = problem.frame_slopes(frame, image.data(), &setting, false);
            let mut gradient = slopes.video;
            prior.add_gradient(&image, weight as f32, &mut gradient);
            adam.step(image.data_mut(), &gradient, (RATE * share) as f32);
            for value in image.data_mut() {
                *value = value.clamp(0.0, 1.0);
            }
        }
        let slopes = problem.frame_slopes(frame, image.data(), &setting, false);
        Trial {
            dist,
            objective: slopes.cost + WEIGHTS.1 * prior.value(&image),
            image: Clip::into_data(image),
        }
    };
    dists.par_iter().map(trial).collect()
}
