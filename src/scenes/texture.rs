//! Surfaces: a tone, with clouds and stripes over it.

use std::f64::consts::TAU;

use super::point::Point;
use crate::noise::Noise;

/// Noise on a lattice, smoothly interpolated, in [-1, 1].
#[derive(Clone, Copy)]
pub struct Lattice(u64);

impl Lattice {
    pub fn drawn(noise: &mut Noise) -> Self {
        Self(noise.uniform(0.0, (1u64 << 52) as f64) as u64)
    }

    pub fn at(self, x: f64, y: f64) -> f64 {
        let (left, top) = (x.floor(), y.floor());
        let ease = |t: f64| t * t * t * (t * (6.0 * t - 15.0) + 10.0);
        let (across, down) = (ease(x - left), ease(y - top));
        let corner = |i: i64, j: i64| self.corner(left as i64 + i, top as i64 + j);
        let mix = |a: f64, b: f64, share: f64| a + share * (b - a);
        mix(
            mix(corner(0, 0), corner(1, 0), across),
            mix(corner(0, 1), corner(1, 1), across),
            down,
        )
    }

    /// Octaves of noise, each of twice the frequency and `persistence` times the contrast of
    /// the one before, scaled to a contrast of about 1.
    pub fn clouds(self, x: f64, y: f64, octaves: u32, persistence: f64) -> f64 {
        let (mut sum, mut power, mut weight, mut scale) = (0.0, 0.0, 1.0, 1.0);
        for octave in 0..octaves {
            let shift = 17.3 * f64::from(octave);
            sum += weight * self.at(x * scale + shift, y * scale - shift);
            power += weight * weight;
            weight *= persistence;
            scale *= 2.0;
        }
        sum / (0.13 * power).sqrt()
    }

    /// SplitMix64 of the place.
    fn corner(self, i: i64, j: i64) -> f64 {
        let mut z = self.0
            ^ (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ (j as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// What a surface looks like.
#[derive(Clone, Copy)]
pub struct Texture {
    tone: f64,
    /// Change of tone over a unit of length.
    slope: Point,
    clouds: Lattice,
    /// Contrast of the clouds.
    contrast: f64,
    /// Of the coarsest cloud, over the frame's height.
    cycles: f64,
    persistence: f64,
    stripes: Option<Stripes>,
}

#[derive(Clone, Copy)]
struct Stripes {
    /// Radians over a unit of length.
    wave: Point,
    contrast: f64,
}

impl Texture {
    const OCTAVES: u32 = 5;

    /// Of a tone between `low` and `high`.
    pub fn drawn(noise: &mut Noise, low: f64, high: f64) -> Self {
        let slope = Point { x: 0.0, y: 0.0 }.along(noise.uniform(0.0, TAU), 0.3);
        let amount = noise.uniform(-1.0, 1.0);
        // Most surfaces are nearly plain, a few are rough.
        let contrast = 0.08 * noise.uniform(0.0, 1.0).powi(3) + 0.004;
        let striped = noise.uniform(0.0, 1.0) < 0.15;
        let direction = noise.uniform(0.0, TAU);
        let stripes = Stripes {
            wave: Point { x: 0.0, y: 0.0 }.along(direction, TAU * noise.uniform(5.0, 14.0)),
            contrast: noise.uniform(0.03, 0.15),
        };
        Self {
            tone: noise.uniform(low, high),
            slope: Point {
                x: amount * slope.x,
                y: amount * slope.y,
            },
            clouds: Lattice::drawn(noise),
            contrast,
            cycles: noise.uniform(2.0, 8.0),
            persistence: noise.uniform(0.5, 0.9),
            stripes: striped.then_some(stripes),
        }
    }

    /// Of this tone.
    pub fn toned(self, tone: f64) -> Self {
        Self { tone, ..self }
    }

    /// As bright on one side as on the other.
    pub fn level(self) -> Self {
        let slope = Point { x: 0.0, y: 0.0 };
        Self { slope, ..self }
    }

    /// With clouds of this contrast.
    pub fn clouded(self, contrast: f64) -> Self {
        Self { contrast, ..self }
    }

    /// Without stripes.
    pub fn plain(self) -> Self {
        Self {
            stripes: None,
            ..self
        }
    }

    pub fn at(&self, p: Point) -> f64 {
        let (x, y) = (p.x * self.cycles, p.y * self.cycles);
        let clouds = self.clouds.clouds(x, y, Self::OCTAVES, self.persistence);
        let stripes = self
            .stripes
            .map_or(0.0, |s| s.contrast * p.dot(s.wave).sin());
        self.tone + p.dot(self.slope) + self.contrast * clouds + stripes
    }
}
