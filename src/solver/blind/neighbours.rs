//! Whether a frame's neighbours agree with its distance.

use rayon::prelude::*;

use super::problem::{Problem, State};

/// Frames to each side that predict a frame.
const REACH: usize = 2;
const DISTANCES: usize = 61;
const WIDTHS: usize = 9;

/// What the neighbours of a frame make of its measurement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    /// The least mean squared residual over all settings and neighbours, over the least at
    /// the present setting: well below 1 where the neighbours disagree.
    pub ratio: f64,
    /// Where and from which frame the least one is.
    pub dist: f64,
    pub width: f64,
    pub neighbour: usize,
}

/// Predicts the measurement of `frame` from the images of its neighbours over the whole range
/// of settings; none where it has no neighbour.
pub(super) fn ask(problem: &Problem, state: &State, frame: usize) -> Option<Verdict> {
    let last = (frame + REACH).min(problem.shape.frames - 1);
    let others = (frame.saturating_sub(REACH)..=last).filter(|&k| k != frame);
    let others: Vec<usize> = others.collect();
    let grid = |(low, high): (f64, f64), count: usize| -> Vec<f64> {
        match low == high {
            true => vec![low],
            false => (0..count)
                .map(|i| low + (high - low) * i as f64 / (count - 1) as f64)
                .collect(),
        }
    };
    let dists = grid(problem.dist.of(frame), DISTANCES);
    let widths = grid(problem.width.of(frame), WIDTHS);
    let present = problem.setting(state, frame);
    let here = others.iter().map(|&k| {
        let predicted = problem.physics.measure(state.video.frame(k), &present);
        problem.mean_square(frame, predicted)
    });
    let here = here.min_by(f64::total_cmp)?;
    let places: Vec<(usize, f64)> = others
        .iter()
        .flat_map(|&k| dists.iter().map(move |&d| (k, d)))
        .collect();
    let best = places
        .par_iter()
        .map(|&(neighbour, dist)| {
            let image = state.video.frame(neighbour);
            let predictions = problem.physics.measure_widths(image, dist, &widths);
            let predictions = widths.iter().zip(predictions);
            let results = predictions
                .map(|(&width, predicted)| (problem.mean_square(frame, predicted), width));
            let (square, width) = results.min_by(|a, b| a.0.total_cmp(&b.0))?;
            Some((
                square,
                Verdict {
                    ratio: square / here,
                    dist,
                    width,
                    neighbour,
                },
            ))
        })
        .collect::<Vec<_>>();
    let best = best.into_iter().flatten();
    best.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, v)| v)
}
