//! An articulated figure at its exercises, clothed and shaded.

use std::f64::consts::TAU;

use super::point::Point;
use super::texture::Texture;
use crate::noise::Noise;

/// A swinging joint: its angle from straight down, in radians.
#[derive(Clone, Copy)]
struct Joint {
    middle: f64,
    swing: f64,
    phase: f64,
}

impl Joint {
    fn drawn(noise: &mut Noise, middle: (f64, f64), swing: (f64, f64)) -> Self {
        Self {
            middle: noise.uniform(middle.0, middle.1),
            swing: noise.uniform(swing.0, swing.1),
            phase: noise.uniform(0.0, TAU),
        }
    }

    fn at(self, turn: f64) -> f64 {
        self.middle + self.swing * (turn + self.phase).sin()
    }
}

pub struct Figure {
    hip: Point,
    /// The length of the body over the frame's height.
    height: f64,
    /// Turns a frame.
    pace: f64,
    /// How far it sways and jumps, over its height.
    sway: Point,
    lean: Joint,
    /// Upper, lower; left, right.
    arms: [[Joint; 2]; 2],
    legs: [[Joint; 2]; 2],
    skin: Texture,
    shirt: Texture,
    trousers: Texture,
    hair: Texture,
    stocky: f64,
}

impl Figure {
    /// Standing on `ground`, at `x`.
    pub fn drawn(noise: &mut Noise, x: f64, ground: f64) -> Self {
        let height = noise.uniform(0.55, 0.95);
        // Some hardly move, most do, a few are quick.
        let pace = noise.uniform(0.02, 0.12);
        let lively = noise.uniform(0.3, 1.0);
        let arm = |noise: &mut Noise, side: f64| {
            let upper = Joint::drawn(noise, (0.1, 1.6), (0.2 * lively, 1.2 * lively));
            let lower = Joint::drawn(noise, (0.2, 1.4), (0.1, 1.0 * lively));
            [upper, lower].map(|joint| Joint {
                middle: side * joint.middle,
                ..joint
            })
        };
        let arms = [arm(noise, -1.0), arm(noise, 1.0)];
        let leg = |noise: &mut Noise, side: f64| {
            let upper = Joint::drawn(noise, (0.02, 0.3), (0.0, 0.35 * lively));
            let lower = Joint::drawn(noise, (-0.15, 0.1), (0.0, 0.3 * lively));
            [upper, lower].map(|joint| Joint {
                middle: side * joint.middle,
                ..joint
            })
        };
        let legs = [leg(noise, -1.0), leg(noise, 1.0)];
        Self {
            hip: Point {
                x,
                y: ground - 0.48 * height,
            },
            height,
            pace,
            sway: Point {
                x: noise.uniform(0.0, 0.06) * lively,
                y: noise.uniform(0.0, 0.05) * lively,
            },
            lean: Joint::drawn(noise, (-0.15, 0.15), (0.0, 0.2 * lively)),
            arms,
            legs,
            skin: Texture::drawn(noise, 0.35, 0.8).plain(),
            shirt: Texture::drawn(noise, 0.05, 0.95),
            trousers: Texture::drawn(noise, 0.05, 0.7),
            hair: Texture::drawn(noise, 0.03, 0.4).plain(),
            stocky: noise.uniform(0.8, 1.3),
        }
    }

    /// `time` frames after the start.
    pub fn pose(&self, time: f64) -> Pose<'_> {
        let turn = TAU * self.pace * time;
        let h = self.height;
        let hip = Point {
            x: self.hip.x + h * self.sway.x * turn.sin(),
            y: self.hip.y - h * self.sway.y * (0.5 - 0.5 * (2.0 * turn).cos()),
        };
        let lean = self.lean.at(turn);
        let neck = hip.along(lean + TAU / 2.0, 0.3 * h);
        let head = neck.along(0.6 * lean + TAU / 2.0, 0.09 * h);
        let across = |from: Point, share: f64| Point {
            x: from.x + share * h,
            y: from.y,
        };
        let thick = h * self.stocky;
        let mut parts = Vec::new();
        for (side, arm) in [-1.0, 1.0].into_iter().zip(&self.arms) {
            let shoulder = across(neck, side * 0.07 * self.stocky);
            let upper = arm[0].at(turn);
            let elbow = shoulder.along(upper, 0.16 * h);
            let hand = elbow.along(upper + arm[1].at(turn), 0.15 * h);
            parts.push(Part::new(elbow, hand, 0.022 * thick, &self.skin));
            parts.push(Part::new(shoulder, elbow, 0.028 * thick, &self.shirt));
        }
        parts.push(Part::new(
            head.along(lean + TAU / 2.0, 0.03 * h),
            head.along(lean + TAU / 2.0, 0.035 * h),
            0.05 * h,
            &self.hair,
        ));
        parts.push(Part::new(head, neck, 0.048 * h, &self.skin));
        parts.push(Part::new(hip, neck, 0.08 * thick, &self.shirt));
        for (side, leg) in [-1.0, 1.0].into_iter().zip(&self.legs) {
            let top = across(hip, side * 0.04 * self.stocky);
            let upper = leg[0].at(turn);
            let knee = top.along(upper, 0.24 * h);
            let foot = knee.along(upper + leg[1].at(turn), 0.24 * h);
            parts.push(Part::new(top, knee, 0.042 * thick, &self.trousers));
            parts.push(Part::new(knee, foot, 0.03 * thick, &self.trousers));
        }
        Pose(parts)
    }
}

/// A figure at a moment: its parts from the front.
pub struct Pose<'a>(Vec<Part<'a>>);

struct Part<'a> {
    from: Point,
    to: Point,
    radius: f64,
    texture: &'a Texture,
}

impl<'a> Part<'a> {
    fn new(from: Point, to: Point, radius: f64, texture: &'a Texture) -> Self {
        Self {
            from,
            to,
            radius,
            texture,
        }
    }
}

impl Pose<'_> {
    /// The figure's shade at `p`, none beside it.
    pub fn at(&self, p: Point) -> Option<f64> {
        let distance = |part: &Part| p.distance_to(part.from, part.to) / part.radius;
        let mut parts = self.0.iter().map(|part| (part, distance(part)));
        let (part, off_axis) = parts.find(|(_, off_axis)| *off_axis < 1.0)?;
        // Round limbs are darker toward their edges.
        let light = 1.0 - 0.3 * off_axis * off_axis;
        Some(light * part.texture.at(p.minus(part.from)))
    }
}
