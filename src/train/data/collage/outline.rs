//! The outlines of bodies, as distances from them.

use std::f32::consts::TAU;

use crate::noise::Noise;
use crate::train::data::draw::{chance, uniform};

/// An outline about the origin that reaches no further than 1.
#[derive(Clone, Debug)]
pub enum Outline {
    Ellipse { narrow: f32 },
    Polygon(Vec<[f32; 2]>),
}

impl Outline {
    pub fn drawn(noise: &mut Noise) -> Self {
        if chance(noise, 0.45) {
            return Self::Ellipse {
                narrow: uniform(noise, 0.3, 1.0),
            };
        }
        if chance(noise, 0.35) {
            let narrow = uniform(noise, 0.15, 1.0);
            let (x, y) = (1.0 / narrow.hypot(1.0), narrow / narrow.hypot(1.0));
            return Self::Polygon(vec![[-x, -y], [x, -y], [x, y], [-x, y]]);
        }
        let corners = uniform(noise, 3.0, 10.0) as usize;
        let ragged = uniform(noise, 0.0, 0.6);
        let corner = |i: usize| {
            let angle = TAU * (i as f32 + uniform(noise, -0.35, 0.35)) / corners as f32;
            let radius = 1.0 - ragged * uniform(noise, 0.0, 1.0);
            [radius * angle.cos(), radius * angle.sin()]
        };
        Self::Polygon((0..corners).map(corner).collect())
    }

    /// The distance from the outline, negative inside.
    pub fn distance(&self, [x, y]: [f32; 2]) -> f32 {
        match self {
            Self::Ellipse { narrow } => {
                let (u, v) = (x, y / narrow);
                let level = u.hypot(v);
                // Exact on the axes and near the outline, which is where it counts.
                let slope = u.hypot(v / narrow) / level.max(1e-6);
                (level - 1.0) / slope.max(1e-6)
            }
            Self::Polygon(corners) => {
                let mut nearest = f32::INFINITY;
                let mut inside = false;
                let mut before = corners[corners.len() - 1];
                for &corner in corners {
                    let (from, along) = (
                        [x - before[0], y - before[1]],
                        [corner[0] - before[0], corner[1] - before[1]],
                    );
                    let length = along[0] * along[0] + along[1] * along[1];
                    let share =
                        ((from[0] * along[0] + from[1] * along[1]) / length).clamp(0.0, 1.0);
                    let (dx, dy) = (from[0] - share * along[0], from[1] - share * along[1]);
                    nearest = nearest.min(dx * dx + dy * dy);
                    let crosses = (corner[1] > y) != (before[1] > y);
                    if crosses && x < before[0] + along[0] * (y - before[1]) / along[1] {
                        inside = !inside;
                    }
                    before = corner;
                }
                if inside {
                    -nearest.sqrt()
                } else {
                    nearest.sqrt()
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_negative_inside_and_grow_outside() {
        let square = Outline::Polygon(vec![[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]);
        assert!((square.distance([0.0, 0.2]) + 0.3).abs() < 1e-6);
        assert!((square.distance([0.9, 0.8]) - 0.5).abs() < 1e-6);
        let ellipse = Outline::Ellipse { narrow: 0.5 };
        assert!((ellipse.distance([1.2, 0.0]) - 0.2).abs() < 1e-5);
        assert!((ellipse.distance([0.0, 0.45]) + 0.05).abs() < 1e-5);
        let mut noise = Noise::seeded(3);
        for _ in 0..50 {
            let outline = Outline::drawn(&mut noise);
            assert!(outline.distance([0.0, 0.0]) < 0.0, "{outline:?}");
            assert!(outline.distance([1.01, 1.01]) > 0.0, "{outline:?}");
        }
    }
}
