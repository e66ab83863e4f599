//! A slide under the microscope: swimming cells with tails, some out of focus, and debris.

use std::f64::consts::TAU;

use super::point::Point;
use super::texture::{Lattice, Texture};
use crate::noise::Noise;

pub struct Cells {
    ground: Texture,
    grain: Lattice,
    cells: Vec<Cell>,
    /// Of everything, frame heights a frame.
    drift: Point,
}

struct Cell {
    start: Point,
    heading: f64,
    /// Frame heights a frame.
    speed: f64,
    /// Of the head, frame heights.
    radius: f64,
    narrow: f64,
    brightness: f64,
    /// How far out of focus: 0 is sharp.
    defocus: f64,
    tail: f64,
    /// Radians a frame.
    beat: f64,
    phase: f64,
}

impl Cell {
    fn drawn(noise: &mut Noise, width: f64) -> Self {
        let swims = noise.uniform(0.0, 1.0) < 0.6;
        let focused = noise.uniform(0.0, 1.0) < 0.75;
        let speed = noise.uniform(0.002, 0.018);
        let dark = noise.uniform(0.0, 1.0) < 0.15;
        let brightness = noise.uniform(0.3, 0.7);
        let defocus = noise.uniform(0.5, 1.0);
        Self {
            start: Point {
                x: noise.uniform(-0.05, width + 0.05),
                y: noise.uniform(-0.05, 1.05),
            },
            heading: noise.uniform(0.0, TAU),
            speed: if swims { speed } else { 0.0 },
            radius: noise.uniform(0.014, 0.026),
            narrow: noise.uniform(0.55, 1.0),
            brightness: if dark { -0.5 * brightness } else { brightness },
            defocus: if focused { 0.0 } else { defocus },
            tail: noise.uniform(0.08, 0.2),
            beat: noise.uniform(0.6, 1.6),
            phase: noise.uniform(0.0, TAU),
        }
    }

    /// What it adds to the light at `p`.
    fn at(&self, p: Point, time: f64, drift: Point) -> f64 {
        let heading = self.heading + 0.15 * (0.25 * time + self.phase).sin();
        let swum = self.start.along(self.heading, self.speed * time);
        let from = Point {
            x: p.x - swum.x - drift.x * time,
            y: p.y - swum.y - drift.y * time,
        };
        if from.dot(from) > 0.07 {
            return 0.0;
        }
        let forward = Point { x: 0.0, y: 0.0 }.along(heading, 1.0);
        let along = from.dot(forward);
        let across = from.x * forward.y - from.y * forward.x;
        let radius = self.radius * (1.0 + 1.5 * self.defocus);
        let r = (along / radius).hypot(across / (radius * self.narrow));
        let ring = |at: f64, width: f64| (-((r - at) / width).powi(2)).exp();
        if self.defocus > 0.0 {
            let light = ring(1.0, 0.35) - 0.5 * ring(1.8, 0.5) + 0.3 * ring(0.0, 0.4);
            return 0.35 * self.brightness * light / self.defocus;
        }
        let head = ring(0.0, 1.0) - 0.25 * ring(1.9, 0.6);
        let behind = -along / self.tail;
        let mut light = self.brightness * head;
        if (0.0..1.0).contains(&behind) {
            let wave = 7.0 * behind - self.beat * time + self.phase;
            let off = across - 0.018 * behind * wave.sin();
            light -= 0.13 * (1.0 - behind) * (-(off / 0.008).powi(2)).exp();
        }
        light
    }
}

impl Cells {
    pub fn drawn(noise: &mut Noise, width: f64) -> Self {
        let count = noise.uniform(20.0, 60.0) * width;
        let heading = noise.uniform(0.0, TAU);
        let speed = noise.uniform(0.0, 0.003);
        let contrast = noise.uniform(0.01, 0.04);
        Self {
            ground: Texture::drawn(noise, 0.4, 0.5)
                .plain()
                .level()
                .clouded(contrast),
            grain: Lattice::drawn(noise),
            cells: (0..count as usize)
                .map(|_| Cell::drawn(noise, width))
                .collect(),
            drift: Point { x: 0.0, y: 0.0 }.along(heading, speed),
        }
    }

    /// What is seen `time` frames after the start.
    pub fn at(&self, time: f64) -> impl Fn(Point) -> f64 + Sync + use<'_> {
        move |p| {
            let grain = 0.01 * self.grain.at(40.0 * p.x, 40.0 * p.y);
            let cells = self.cells.iter().map(|cell| cell.at(p, time, self.drift));
            self.ground.at(p) + grain + cells.sum::<f64>()
        }
    }
}
