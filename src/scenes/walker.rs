//! A figure of sticks that walks.

use std::f64::consts::TAU;

use super::point::Point;
use crate::noise::Noise;

pub struct Walker {
    /// Where the hip starts.
    hip: Point,
    /// Frame heights a frame.
    speed: f64,
    /// Of the gait, in turns.
    phase: f64,
    tone: f64,
    /// Stripes of the shirt over the frame's height.
    stripes: f64,
}

impl Walker {
    /// Turns of the gait a frame.
    const GAIT: f64 = 0.085;

    pub fn drawn(noise: &mut Noise) -> Self {
        Self {
            hip: Point {
                x: noise.uniform(0.3, 0.4),
                y: noise.uniform(0.54, 0.58),
            },
            speed: noise.uniform(0.02, 0.028),
            phase: noise.uniform(0.0, 1.0),
            tone: noise.uniform(0.72, 0.85),
            stripes: noise.uniform(14.0, 18.0),
        }
    }

    pub fn pose(&self, frame: f64) -> Pose {
        let turn = TAU * (self.phase + Self::GAIT * frame);
        let hip = Point {
            x: self.hip.x + self.speed * frame,
            y: self.hip.y + 0.012 * (2.0 * turn).cos(),
        };
        let neck = Point {
            x: hip.x + 0.015,
            y: hip.y - 0.24,
        };
        let leg = |turn: f64| {
            let thigh = 0.5 * turn.sin();
            let knee = hip.along(thigh, 0.18);
            let bend = 0.35 * (1.0 + (turn + 0.9).cos());
            (hip, knee, knee.along(thigh - bend, 0.18))
        };
        let arm = |turn: f64| {
            let upper = 0.6 * turn.sin();
            let elbow = neck.along(upper, 0.13);
            (neck, elbow, elbow.along(upper + 0.5, 0.12))
        };
        let half = 0.5 * TAU;
        Pose {
            far: [leg(turn + half), arm(turn)],
            near: [leg(turn), arm(turn + half)],
            hip,
            neck,
            tone: self.tone,
            stripes: self.stripes,
        }
    }
}

/// A limb: where it starts, bends and ends.
type Limb = (Point, Point, Point);

pub struct Pose {
    far: [Limb; 2],
    near: [Limb; 2],
    hip: Point,
    neck: Point,
    tone: f64,
    stripes: f64,
}

impl Pose {
    pub fn over(&self, p: Point, background: f64) -> f64 {
        let touches = |limb: &Limb| {
            let distance = p
                .distance_to(limb.0, limb.1)
                .min(p.distance_to(limb.1, limb.2));
            distance < 0.028
        };
        let head = Point {
            x: self.neck.x + 0.01,
            y: self.neck.y - 0.1,
        };
        if self.near.iter().any(touches) {
            self.tone
        } else if p.distance_to(self.hip, self.neck) < 0.055 {
            let stripe = (TAU * self.stripes * (p.y - self.hip.y)).sin();
            self.tone - 0.12 + 0.15 * stripe
        } else if p.minus(head).norm() < 0.062 {
            self.tone + 0.1
        } else if self.far.iter().any(touches) {
            self.tone - 0.22
        } else {
            background
        }
    }
}
