//! Small aircraft drawing smoke across a bright sky: thin detail of low contrast.

use std::f64::consts::TAU;

use super::point::Point;
use super::texture::{Lattice, Texture};
use crate::noise::Noise;

pub struct Sky {
    ground: Texture,
    smoke: Lattice,
    /// Its tone against the sky.
    darkness: f64,
    planes: Vec<Plane>,
}

struct Plane {
    start: Point,
    /// Frame heights a frame.
    velocity: Point,
    length: f64,
    tone: f64,
}

impl Sky {
    pub fn drawn(noise: &mut Noise, width: f64) -> Self {
        let heading = noise.uniform(0.0, TAU);
        let speed = noise.uniform(0.003, 0.018);
        let count = noise.uniform(2.0, 6.0) as usize;
        let planes = (0..count).map(|_| Plane {
            start: Point {
                x: noise.uniform(0.15, 0.85) * width,
                y: noise.uniform(0.15, 0.8),
            },
            velocity: Point { x: 0.0, y: 0.0 }.along(
                heading + 0.1 * noise.normal(),
                speed * noise.uniform(0.8, 1.2),
            ),
            length: noise.uniform(0.05, 0.1),
            tone: noise.uniform(0.1, 0.4),
        });
        let planes = planes.collect();
        Self {
            ground: Texture::drawn(noise, 0.6, 0.92).plain(),
            smoke: Lattice::drawn(noise),
            darkness: noise.uniform(0.15, 0.45),
            planes,
        }
    }

    /// What is seen `time` frames after the start.
    pub fn at(&self, time: f64) -> impl Fn(Point) -> f64 + Sync + use<'_> {
        move |p| {
            let mut shade = self.ground.at(p);
            for plane in &self.planes {
                let place = Point {
                    x: plane.start.x + plane.velocity.x * time,
                    y: plane.start.y + plane.velocity.y * time,
                };
                let from = p.minus(place);
                let speed = plane.velocity.norm();
                let along = from.dot(plane.velocity) / speed;
                let across = (from.x * plane.velocity.y - from.y * plane.velocity.x) / speed;
                let body = along.abs() < 0.5 * plane.length && across.abs() < 0.007;
                let wings = along.abs() < 0.01 && across.abs() < 0.6 * plane.length;
                if body || wings {
                    return plane.tone;
                }
                if along < 0.0 {
                    // Smoke stands in the air, spreads and thins behind the plane.
                    let behind = -along;
                    let width = 0.012 + 0.14 * behind;
                    let boil = self.smoke.clouds(9.0 * p.x, 9.0 * p.y, 4, 0.7);
                    let off = across / width + 0.35 * boil;
                    let density = (-off * off).exp() / (1.0 + 1.2 * behind);
                    shade -= self.darkness * density * (0.8 + 0.25 * boil) * shade;
                }
            }
            shade
        }
    }
}
