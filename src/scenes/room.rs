//! A person moving before a cluttered place that stands still, as sports clips show it.

use super::camera::Camera;
use super::figure::Figure;
use super::leaves::{Leaf, Leaves};
use super::point::Point;
use super::texture::Texture;
use crate::noise::Noise;

pub struct Room {
    wall: Texture,
    /// The far part of an open place, in the wall's stead.
    outdoors: Option<Leaves>,
    floor: Texture,
    /// Where the floor begins.
    edge: f64,
    furniture: Vec<Panel>,
    clutter: Vec<Leaf>,
    /// Where the camera is not on a stand.
    hand: Option<Camera>,
    /// The width of black bars at both sides.
    bars: f64,
    width: f64,
    figures: Vec<Figure>,
}

/// An upright rectangle with a frame.
struct Panel {
    low: Point,
    high: Point,
    inside: Texture,
    frame: f64,
    thickness: f64,
}

impl Panel {
    fn drawn(noise: &mut Noise, width: f64, floor: f64) -> Self {
        let tall = noise.uniform(0.0, 1.0) < 0.3;
        let (x, y) = (noise.uniform(-0.1, width), noise.uniform(0.0, floor));
        let size = match tall {
            true => (noise.uniform(0.02, 0.12), noise.uniform(0.4, 1.0)),
            false => (noise.uniform(0.06, 0.3), noise.uniform(0.05, 0.3)),
        };
        Self {
            low: Point { x, y },
            high: Point {
                x: x + size.0,
                y: y + size.1,
            },
            inside: Texture::drawn(noise, 0.05, 0.95),
            frame: noise.uniform(0.05, 0.95),
            thickness: noise.uniform(0.0, 0.03),
        }
    }

    fn at(&self, p: Point) -> Option<f64> {
        let inset = (p.x - self.low.x)
            .min(self.high.x - p.x)
            .min(p.y - self.low.y)
            .min(self.high.y - p.y);
        match inset {
            d if d < 0.0 => None,
            d if d < self.thickness => Some(self.frame),
            _ => Some(self.inside.at(p.minus(self.low))),
        }
    }
}

impl Room {
    pub fn drawn(noise: &mut Noise, width: f64) -> Self {
        let edge = noise.uniform(0.6, 0.9);
        let open = noise.uniform(0.0, 1.0) < 0.35;
        let low = Point {
            x: -0.05,
            y: noise.uniform(0.05, 0.35),
        };
        let high = Point {
            x: width + 0.05,
            y: 1.05,
        };
        let outdoors = open.then(|| Leaves::drawn(noise, low, high, 2.6));
        let count = noise.uniform(3.0, 10.0) * width;
        let furniture = match open {
            true => Vec::new(),
            false => (0..count as usize)
                .map(|_| Panel::drawn(noise, width, edge))
                .collect(),
        };
        let count = noise.uniform(5.0, 30.0) * width;
        let clutter = (0..count as usize).map(|_| {
            let centre = Point {
                x: noise.uniform(0.0, width),
                y: edge + 0.12 * noise.normal(),
            };
            let radius = 0.012 / noise.uniform(0.1, 1.0);
            {
                let tone = noise.uniform(0.05, 0.95);
                Leaf::drawn(noise, centre, radius, tone)
            }
        });
        let clutter = clutter.collect();
        let barred = noise.uniform(0.0, 1.0) < 0.2;
        let bars = noise.uniform(0.05, 0.14) * width;
        let figures = if noise.uniform(0.0, 1.0) < 0.25 { 2 } else { 1 };
        let figures = (0..figures).map(|_| {
            let x = noise.uniform(0.3, 0.7) * width;
            let ground = noise.uniform(edge.max(0.8), 1.1);
            Figure::drawn(noise, x, ground)
        });
        let figures = figures.collect();
        let rough = noise.uniform(0.004, 0.03);
        let by_hand = noise.uniform(0.0, 1.0) < 0.35;
        let camera = Camera::drawn(noise);
        Self {
            wall: Texture::drawn(noise, 0.3, 0.9).plain().clouded(rough),
            hand: by_hand.then_some(camera),
            outdoors,
            floor: Texture::drawn(noise, 0.1, 0.7),
            edge,
            furniture,
            clutter,
            bars: if barred { bars } else { 0.0 },
            width,
            figures,
        }
    }

    /// The place and its people, `time` frames after the start.
    pub fn at(&self, time: f64) -> impl Fn(Point) -> f64 + Sync + use<'_> {
        let poses: Vec<_> = self.figures.iter().map(|f| f.pose(time)).collect();
        let centre = Point {
            x: 0.5 * self.width,
            y: 0.5,
        };
        let look = self.hand.as_ref().map(|hand| hand.look(time, centre));
        move |p| {
            if p.x < self.bars || p.x > self.width - self.bars {
                return 0.0;
            }
            let p = look.as_ref().map_or(p, |look| look(p));
            let mut people = poses.iter();
            people
                .find_map(|pose| pose.at(p))
                .unwrap_or_else(|| self.empty(p))
        }
    }

    fn empty(&self, p: Point) -> f64 {
        if let Some(shade) = self.clutter.iter().find_map(|leaf| leaf.at(p)) {
            return shade;
        }
        if p.y > self.edge {
            return self.floor.at(p);
        }
        if let Some(leaves) = &self.outdoors
            && leaves.covers(p)
        {
            return leaves.at(p);
        }
        let mut furniture = self.furniture.iter();
        furniture
            .find_map(|panel| panel.at(p))
            .unwrap_or_else(|| self.wall.at(p))
    }
}
