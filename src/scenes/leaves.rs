//! Dead leaves: opaque textured shapes of many sizes covering each other, which have the
//! edges, the scale invariance and the spectrum of photographs (Lee, Mumford and Huang 2001).

use std::f64::consts::TAU;

use super::point::Point;
use super::texture::{Lattice, Texture};
use crate::noise::Noise;

#[derive(Clone, Copy)]
enum Outline {
    Ellipse,
    Rectangle,
    /// A disk whose radius waves around it.
    Blob {
        lobes: f64,
        depth: f64,
        phase: f64,
    },
}

/// An opaque textured shape.
#[derive(Clone, Copy)]
pub struct Leaf {
    centre: Point,
    /// Half its length.
    radius: f64,
    /// Its width over its length.
    narrow: f64,
    angle: f64,
    outline: Outline,
    texture: Texture,
}

impl Leaf {
    /// Of half length `radius`, at `centre`, its tone about `tone`.
    pub fn drawn(noise: &mut Noise, centre: Point, radius: f64, tone: f64) -> Self {
        let kind = noise.uniform(0.0, 1.0);
        let upright = noise.uniform(0.0, 1.0) < 0.5;
        let angle = noise.uniform(0.0, TAU);
        let blob = Outline::Blob {
            lobes: noise.uniform(2.0, 6.0).floor(),
            depth: noise.uniform(0.1, 0.35),
            phase: noise.uniform(0.0, TAU),
        };
        Self {
            centre,
            radius,
            narrow: noise.uniform(0.35, 1.0),
            outline: match kind {
                k if k < 0.35 => Outline::Ellipse,
                k if k < 0.65 => Outline::Rectangle,
                _ => blob,
            },
            angle: match (kind < 0.65, upright) {
                (true, true) => (angle / TAU * 4.0).floor() * TAU / 4.0,
                _ => angle,
            },
            texture: Texture::drawn(noise, 0.0, 1.0).toned(tone),
        }
    }

    /// The shade at `p`, none outside.
    pub fn at(&self, p: Point) -> Option<f64> {
        let from = p.minus(self.centre);
        if from.dot(from) > 2.0 * self.radius * self.radius {
            return None;
        }
        let (sin, cos) = self.angle.sin_cos();
        let own = Point {
            x: (cos * from.x + sin * from.y) / self.radius,
            y: (cos * from.y - sin * from.x) / (self.radius * self.narrow),
        };
        let inside = match self.outline {
            Outline::Ellipse => own.dot(own) < 1.0,
            Outline::Rectangle => own.x.abs() < 1.0 && own.y.abs() < 1.0,
            Outline::Blob {
                lobes,
                depth,
                phase,
            } => own.norm() < 1.0 + depth * ((lobes * own.y.atan2(own.x) + phase).sin() - 1.0),
        };
        // The texture moves and turns with the shape.
        inside.then(|| {
            self.texture.at(Point {
                x: own.x * self.radius,
                y: own.y * self.radius * self.narrow,
            })
        })
    }

    /// The same, moved and turned.
    pub fn moved(self, by: Point, turned: f64) -> Self {
        Self {
            centre: Point {
                x: self.centre.x + by.x,
                y: self.centre.y + by.y,
            },
            angle: self.angle + turned,
            ..self
        }
    }
}

/// A rectangle from `low` to `high` covered with leaves.
pub struct Leaves {
    leaves: Vec<Leaf>,
    ground: Texture,
    low: Point,
    size: Point,
    columns: usize,
    rows: usize,
    /// The leaves that may cover each tile, from the front.
    tiles: Vec<Vec<u32>>,
}

impl Leaves {
    const TILE: f64 = 0.06;
    const SMALLEST: f64 = 0.012;
    const LARGEST: f64 = 0.45;

    /// Leaves whose number falls with their size to the power `-decay`: 3 is scale invariant,
    /// less has fewer small ones.
    pub fn drawn(noise: &mut Noise, low: Point, high: Point, decay: f64) -> Self {
        let size = high.minus(low);
        let ground = Texture::drawn(noise, 0.1, 0.9);
        let light = Lattice::drawn(noise);
        let radius = |share: f64| {
            let power = 1.0 - decay;
            let (a, b) = (Self::SMALLEST.powf(power), Self::LARGEST.powf(power));
            (a + share * (b - a)).powf(1.0 / power)
        };
        // Enough to cover the rectangle twice over.
        let mut uncovered = 2.0 * size.x * size.y;
        let mut leaves = Vec::new();
        while uncovered > 0.0 {
            let centre = Point {
                x: noise.uniform(low.x, high.x),
                y: noise.uniform(low.y, high.y),
            };
            let share = noise.uniform(0.0, 1.0);
            let radius = radius(share);
            let spread = Self::spread(radius);
            let tone = spread * noise.uniform(0.04, 0.96)
                + (1.0 - spread) * (0.5 + 0.2 * light.at(2.0 * centre.x, 2.0 * centre.y));
            let leaf = Leaf::drawn(noise, centre, radius, tone);
            uncovered -= 2.0 * leaf.radius * leaf.radius * leaf.narrow;
            leaves.push(leaf);
        }
        let count = |length: f64| (length / Self::TILE).ceil().max(1.0) as usize;
        let mut made = Self {
            leaves,
            ground,
            low,
            size,
            columns: count(size.x),
            rows: count(size.y),
            tiles: Vec::new(),
        };
        made.tiles = vec![Vec::new(); made.columns * made.rows];
        for (index, leaf) in made.leaves.iter().enumerate() {
            let reach = 1.5 * leaf.radius;
            let around = |d: f64| Point {
                x: leaf.centre.x + d,
                y: leaf.centre.y + d,
            };
            let (left, top) = made.tile(around(-reach));
            let (right, bottom) = made.tile(around(reach));
            for row in top..=bottom {
                for column in left..=right {
                    made.tiles[row * made.columns + column].push(index as u32);
                }
            }
        }
        made
    }

    /// How much of the whole range of tones leaves of one size have; small things differ less
    /// from what is around them than large ones do.
    fn spread(radius: f64) -> f64 {
        (0.35 + radius / 0.2).min(1.0)
    }

    fn tile(&self, p: Point) -> (usize, usize) {
        let from = p.minus(self.low);
        let index = |length: f64, count: usize| ((length / Self::TILE) as usize).min(count - 1);
        (index(from.x, self.columns), index(from.y, self.rows))
    }

    /// Whether `p` lies in the rectangle.
    pub fn covers(&self, p: Point) -> bool {
        let from = p.minus(self.low);
        (0.0..self.size.x).contains(&from.x) && (0.0..self.size.y).contains(&from.y)
    }

    /// The shade at `p`; places outside the rectangle look as its nearest edge is tiled.
    pub fn at(&self, p: Point) -> f64 {
        let (column, row) = self.tile(p);
        let mut near = self.tiles[row * self.columns + column].iter();
        near.find_map(|&index| self.leaves[index as usize].at(p))
            .unwrap_or_else(|| self.ground.at(p))
    }
}
