//! Fast water: a boat with its growing wake, filmed by a camera that follows.

use super::camera::Camera;
use super::point::Point;
use super::texture::{Lattice, Texture};
use crate::noise::Noise;

pub struct Water {
    horizon: f64,
    sky: Texture,
    shore: Texture,
    shore_height: f64,
    /// Of the open water.
    tone: f64,
    waves: Lattice,
    contrast: f64,
    foam: Lattice,
    boat: Point,
    /// Frame heights a frame.
    velocity: Point,
    turn: f64,
    /// How fast the wake spreads, frame heights a frame.
    spread: f64,
    camera: Camera,
    width: f64,
}

impl Water {
    /// Frames that foam lasts.
    const WAKE: usize = 14;

    pub fn drawn(noise: &mut Noise, width: f64) -> Self {
        let side = if noise.uniform(0.0, 1.0) < 0.5 {
            -1.0
        } else {
            1.0
        };
        Self {
            horizon: noise.uniform(0.05, 0.3),
            sky: Texture::drawn(noise, 0.75, 0.98).plain(),
            shore: Texture::drawn(noise, 0.1, 0.4).plain(),
            shore_height: noise.uniform(0.02, 0.1),
            tone: noise.uniform(0.3, 0.6),
            waves: Lattice::drawn(noise),
            contrast: noise.uniform(0.02, 0.06),
            foam: Lattice::drawn(noise),
            boat: Point {
                x: (0.5 - 0.15 * side) * width,
                y: noise.uniform(0.45, 0.65),
            },
            velocity: Point {
                x: side * noise.uniform(0.015, 0.05),
                y: noise.uniform(0.0, 0.02),
            },
            turn: noise.uniform(0.1, 0.3),
            spread: noise.uniform(0.014, 0.032),
            camera: Camera::drawn(noise),
            width,
        }
    }

    fn boat(&self, time: f64) -> Point {
        let path = |rate: f64, phase: f64| {
            let turned = self.turn * time + phase;
            rate * (turned.sin() - phase.sin()) / self.turn
        };
        Point {
            x: self.boat.x + path(self.velocity.x, 0.0),
            y: self.boat.y + path(self.velocity.y, 0.4),
        }
    }

    /// What is seen `time` frames after the start.
    pub fn at(&self, time: f64) -> impl Fn(Point) -> f64 + Sync + use<'_> {
        let centre = Point {
            x: 0.5 * self.width,
            y: 0.5,
        };
        let look = self.camera.look(time, centre);
        let boat = self.boat(time);
        let wake: [Point; Self::WAKE] = std::array::from_fn(|age| self.boat(time - age as f64));
        move |p| {
            let p = look(p);
            let depth = p.y - self.horizon;
            if depth < 0.0 {
                return match depth > -self.shore_height {
                    true => self.shore.at(p),
                    false => self.sky.at(p),
                };
            }
            let from = p.minus(boat);
            if from.x.abs() < 0.035 && from.y.abs() < 0.012
                || (from.x.abs() < 0.014 && (-0.055..0.0).contains(&from.y))
            {
                return 0.08 + 2.0 * from.x.abs();
            }
            // Waves shrink toward the horizon and roll.
            let scale = 1.0 / (depth + 0.12);
            let surface = self
                .waves
                .clouds(2.5 * p.x * scale, 7.0 * scale - 0.35 * time, 4, 0.75);
            let water = self.tone + 0.25 * depth + self.contrast * surface;
            let foam = self.foam(p, time, &wake);
            water + foam * (0.95 - water)
        }
    }

    /// The share of foam at `p`, in [0, 1].
    fn foam(&self, p: Point, time: f64, wake: &[Point]) -> f64 {
        let nearest = wake.iter().enumerate().map(|(age, place)| {
            let age = age as f64;
            let radius = 0.025 + self.spread * age;
            let from = p.minus(*place);
            let off = (from.x * from.x + 2.0 * from.y * from.y) / (radius * radius);
            (1.0 - age / Self::WAKE as f64) * (-off).exp()
        });
        let share = nearest.fold(0.0, f64::max);
        if share < 0.02 {
            return 0.0;
        }
        let drift = 0.25 * time;
        let boil = self
            .foam
            .clouds(11.0 * p.x + drift, 11.0 * p.y - 0.6 * drift, 4, 0.8);
        (2.4 * share + 0.5 * boil * share.sqrt() - 0.25).clamp(0.0, 1.0)
    }
}
