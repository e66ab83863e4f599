//! Figures of limbs on swinging joints.

use std::f32::consts::{PI, TAU};

use super::surface::Surface;
use crate::noise::Noise;
use crate::train::data::draw::{chance, signed, uniform};

/// A person, roughly: a trunk, a head, arms and legs of two limbs each, in lengths of the trunk.
#[derive(Clone)]
pub struct Figure<'a> {
    trunk: Swing,
    /// Upper and lower limb: left arm, right arm, left leg, right leg.
    limbs: [[Swing; 2]; 4],
    stout: f32,
    head: f32,
    shirt: [Surface<'a>; 3],
    trousers: [Surface<'a>; 2],
    skin: [Surface<'a>; 2],
}

/// An angle from straight down that changes as a pendulum's.
#[derive(Clone, Copy)]
struct Swing {
    middle: f32,
    amplitude: f32,
    /// Radians a frame.
    rate: f32,
    phase: f32,
}

impl Swing {
    fn at(self, time: f32) -> f32 {
        self.middle + self.amplitude * (self.rate * time + self.phase).sin()
    }
}

/// A straight limb with round ends, as it is at one moment.
pub struct Limb<'f, 'a> {
    from: [f32; 2],
    /// Unit vector.
    along: [f32; 2],
    length: f32,
    /// At both ends.
    radius: [f32; 2],
    surface: &'f Surface<'a>,
}

impl Limb<'_, '_> {
    /// The distance from the limb's outline, negative inside, and where on it the place lies:
    /// along it, and across in -1 to 1.
    pub fn distance(&self, [x, y]: [f32; 2]) -> (f32, [f32; 2]) {
        let (dx, dy) = (x - self.from[0], y - self.from[1]);
        let along = dx * self.along[0] + dy * self.along[1];
        let across = dy * self.along[0] - dx * self.along[1];
        let share = (along / self.length).clamp(0.0, 1.0);
        let radius = self.radius[0] + share * (self.radius[1] - self.radius[0]);
        let past = along - share * self.length;
        (past.hypot(across) - radius, [along, across / radius])
    }

    /// The surface at a place on the limb, in lengths of the trunk times `size`.
    pub fn tone(&self, [along, across]: [f32; 2], size: f32) -> f32 {
        self.surface
            .at([across * self.radius[0] * size, along * size])
    }
}

impl<'a> Figure<'a> {
    /// How far from the hip a figure reaches, in lengths of the trunk.
    pub const REACH: f32 = 2.4;

    pub fn drawn(noise: &mut Noise, material: &mut impl FnMut(&mut Noise) -> Surface<'a>) -> Self {
        let rate = uniform(noise, 0.12, 1.0);
        let phase = uniform(noise, 0.0, TAU);
        // From nearly still to jumping jacks.
        let vigour = uniform(noise, 0.0, 1.2);
        let swing = |noise: &mut Noise, middle: f32, amplitude: f32, late: f32| Swing {
            middle,
            amplitude: vigour * amplitude * uniform(noise, 0.3, 1.2),
            rate,
            phase: phase + late + uniform(noise, -0.4, 0.4),
        };
        let mirrored = chance(noise, 0.4);
        let late = if mirrored { 0.0 } else { PI };
        let lean = signed(noise, 0.25);
        let lying = chance(noise, 0.15);
        let tilt = if lying { signed(noise, 0.5 * PI) } else { 0.0 };
        let trunk_middle = PI + tilt + lean * uniform(noise, 0.0, 1.0);
        let trunk = swing(noise, trunk_middle, 0.15, 0.0);
        let limb = |noise: &mut Noise, spread: f32, side: f32, bend: f32, late: f32| {
            let upper = tilt + side * uniform(noise, 0.0, spread);
            let bend = side * uniform(noise, -bend, bend);
            [
                swing(noise, upper, 0.8 * side, late),
                swing(noise, upper + bend, 1.0 * side, late + 0.6),
            ]
        };
        let limbs = [
            limb(noise, 2.6, -1.0, 1.6, 0.0),
            limb(noise, 2.6, 1.0, 1.6, late),
            limb(noise, 0.7, -1.0, 0.8, late),
            limb(noise, 0.7, 1.0, 0.8, 0.0),
        ];
        let (shirt, trousers, skin) = (material(noise), material(noise), material(noise));
        Self {
            trunk,
            limbs,
            stout: uniform(noise, 0.75, 1.35),
            head: uniform(noise, 0.2, 0.27),
            shirt: std::array::from_fn(|_| shirt.shifted(noise)),
            trousers: std::array::from_fn(|_| trousers.shifted(noise)),
            skin: std::array::from_fn(|_| skin.shifted(noise)),
        }
    }

    /// The limbs `time` frames from the middle of the clip, from the back to the front; the hip
    /// is at the origin.
    pub fn limbs(&self, time: f32) -> Vec<Limb<'_, 'a>> {
        let down = |angle: f32| [angle.sin(), angle.cos()];
        let on = |from: [f32; 2], along: [f32; 2], length: f32| {
            [from[0] + along[0] * length, from[1] + along[1] * length]
        };
        let limb = |from, along, length, radius: [f32; 2], surface| Limb {
            from,
            along,
            length,
            radius: radius.map(|r| r * self.stout),
            surface,
        };
        let up = down(self.trunk.at(time));
        let aside = [-up[1], up[0]];
        let mut limbs = Vec::with_capacity(10);
        let arm = |limbs: &mut Vec<_>, which: usize, side: f32| {
            let [upper, lower] = self.limbs[which].map(|swing| down(swing.at(time)));
            let shoulder = on(on([0.0; 2], up, 0.9), aside, side * 0.2 * self.stout);
            let elbow = on(shoulder, upper, 0.55);
            limbs.push(limb(shoulder, upper, 0.55, [0.1, 0.08], &self.shirt[which]));
            limbs.push(limb(elbow, lower, 0.55, [0.08, 0.06], &self.skin[0]));
        };
        let leg = |limbs: &mut Vec<_>, which: usize, side: f32| {
            let [upper, lower] = self.limbs[2 + which].map(|swing| down(swing.at(time)));
            let hip = on([0.0; 2], aside, side * 0.12 * self.stout);
            let knee = on(hip, upper, 0.75);
            limbs.push(limb(hip, upper, 0.75, [0.15, 0.1], &self.trousers[which]));
            limbs.push(limb(knee, lower, 0.75, [0.1, 0.07], &self.trousers[which]));
        };
        arm(&mut limbs, 0, -1.0);
        leg(&mut limbs, 0, -1.0);
        leg(&mut limbs, 1, 1.0);
        limbs.push(limb([0.0; 2], up, 0.88, [0.2, 0.24], &self.shirt[2]));
        let chin = on([0.0; 2], up, 1.12);
        limbs.push(limb(chin, up, 0.12, [self.head; 2], &self.skin[1]));
        arm(&mut limbs, 1, 1.0);
        limbs
    }
}
