//! A map while it is drawn.

use std::sync::Arc;

use super::{Lowest, Map};
use crate::solver::{Landscape, Survey};

/// The chi-squared value that two parameters exceed in 5 % of cases.
const LIKELY_BOTH: f64 = 5.99;

/// The places of a map, and what is known of them.
pub(super) struct Grid {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    /// All y of the first x, then those of the next.
    values: Vec<Option<f64>>,
}

impl Grid {
    pub fn new(x: (f64, f64), y: Option<(f64, f64)>, intervals: usize) -> Self {
        let axis = |(low, high): (f64, f64)| -> Vec<f64> {
            let share = |i| i as f64 / intervals as f64;
            (0..=intervals)
                .map(|i| low + (high - low) * share(i))
                .collect()
        };
        let (x, y) = (axis(x), y.map_or(vec![0.0], axis));
        Self {
            values: vec![None; x.len() * y.len()],
            x,
            y,
        }
    }

    pub fn at(&self, x: usize, y: usize) -> Option<f64> {
        self.values[x * self.y.len() + y]
    }

    pub fn set(&mut self, x: usize, y: usize, value: f64) {
        self.values[x * self.y.len() + y] = Some(value);
    }

    /// What is known at a place of the level of `stride`, or of the level before.
    fn close_by(&self, x: usize, y: usize, stride: usize) -> f64 {
        let nearest = |i: usize, step: usize| (i + step / 2) / step * step;
        let known = [1, stride, 2 * stride].into_iter().find_map(|step| {
            let last = |axis: &[f64]| axis.len() - 1;
            self.at(
                nearest(x, step).min(last(&self.x)),
                nearest(y, step).min(last(&self.y)),
            )
        });
        known.unwrap_or(f64::INFINITY)
    }

    /// Among the places that are computed.
    fn lowest(&self) -> (f64, f64) {
        let known = self.values.iter().enumerate();
        let known = known.filter_map(|(i, value)| Some((i, (*value)?)));
        let lowest = known.min_by(|a, b| a.1.total_cmp(&b.1));
        let lowest = lowest.map_or(0, |(i, _)| i);
        (self.x[lowest / self.y.len()], self.y[lowest % self.y.len()])
    }

    pub fn map(&self, stride: usize, survey: &Survey) -> Map {
        let places = (0..self.x.len()).flat_map(|x| (0..self.y.len()).map(move |y| (x, y)));
        let landscape = Landscape {
            mean_square: places.map(|(x, y)| self.close_by(x, y, stride)).collect(),
            x: self.x.clone(),
            y: self.y.clone(),
        };
        let count = survey.pixels() as f64;
        let [by_x, by_y] = landscape.profiles();
        let least = by_x.lowest();
        // Where the estimate does not explain the data to the noise, the misfit counts as noise.
        let variance = least.max(survey.rounding().powi(2)).max(f64::MIN_POSITIVE);
        let known = self.values.iter().flatten().count();
        Map {
            done: known as f32 / self.values.len() as f32,
            lowest: Lowest {
                at: self.lowest(),
                residual_rms: least.sqrt(),
                x: by_x.interval(count, variance),
                y: by_y.interval(count, variance),
            },
            likely: landscape.contour(least + LIKELY_BOTH * variance / count),
            refitted: survey.is_refitted(),
            landscape: Arc::new(landscape),
        }
    }
}
