//! A turning striped bar and a drifting chequered disk.

use std::f64::consts::TAU;

use super::point::Point;
use crate::noise::Noise;

#[derive(Clone, Copy)]
pub struct Bar {
    centre: Point,
    angle: f64,
    turning: f64,
    tone: f64,
}

impl Bar {
    pub fn drawn(noise: &mut Noise) -> Self {
        Self {
            centre: Point {
                x: noise.uniform(0.3, 0.4),
                y: noise.uniform(0.35, 0.6),
            },
            angle: noise.uniform(0.0, TAU),
            turning: noise.uniform(0.06, 0.12),
            tone: noise.uniform(0.6, 0.8),
        }
    }

    pub fn over(&self, p: Point, frame: f64, below: f64) -> f64 {
        let (sin, cos) = (self.angle + self.turning * frame).sin_cos();
        let from = p.minus(self.centre);
        let (along, across) = (cos * from.x + sin * from.y, cos * from.y - sin * from.x);
        if along.abs() < 0.26 && across.abs() < 0.09 {
            self.tone + 0.18 * (TAU * 9.0 * along).sin()
        } else {
            below
        }
    }
}

#[derive(Clone, Copy)]
pub struct Disk {
    centre: Point,
    drift: Point,
    tone: f64,
}

impl Disk {
    pub fn drawn(noise: &mut Noise) -> Self {
        Self {
            centre: Point {
                x: noise.uniform(0.6, 0.75),
                y: noise.uniform(0.3, 0.6),
            },
            drift: Point {
                x: noise.uniform(-0.02, -0.01),
                y: noise.uniform(-0.012, 0.012),
            },
            tone: noise.uniform(0.5, 0.65),
        }
    }

    pub fn over(&self, p: Point, frame: f64, below: f64) -> f64 {
        let from = Point {
            x: p.x - self.centre.x - self.drift.x * frame,
            y: p.y - self.centre.y - self.drift.y * frame,
        };
        if from.norm() >= 0.16 {
            return below;
        }
        let light = ((from.x / 0.08).floor() + (from.y / 0.08).floor()).rem_euclid(2.0) == 0.0;
        self.tone + if light { 0.25 } else { -0.25 }
    }
}
