//! The soft background of the plain scenes.

use std::f64::consts::TAU;

use super::point::Point;
use crate::noise::Noise;

/// A vertical slope and a few long waves.
#[derive(Clone, Copy)]
pub struct Background {
    top: f64,
    slope: f64,
    waves: [(Point, f64); 4],
}

impl Background {
    pub fn drawn(noise: &mut Noise) -> Self {
        Self {
            top: noise.uniform(0.2, 0.35),
            slope: noise.uniform(0.05, 0.2),
            waves: std::array::from_fn(|_| {
                let direction = noise.uniform(0.0, TAU);
                let cycles = noise.uniform(0.6, 2.2);
                let wave = Point { x: 0.0, y: 0.0 }.along(direction, cycles * TAU);
                (wave, noise.uniform(0.0, TAU))
            }),
        }
    }

    pub fn at(&self, p: Point) -> f64 {
        let waves = self.waves.iter();
        let waves: f64 = waves
            .map(|(wave, phase)| (p.dot(*wave) + phase).sin())
            .sum();
        self.top + self.slope * p.y + 0.035 * waves
    }
}
