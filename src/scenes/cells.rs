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
    /// One in two near one of `crowds`, the others anywhere.
    fn drawn(noise: &mut Noise, width: f64, crowds: &[Point]) -> Self {
        let anywhere = Point {
            x: noise.uniform(-0.05, width + 0.05),
            y: noise.uniform(-0.05, 1.05),
        };
        let crowd = noise.uniform(0.0, 2.0 * crowds.len() as f64) as usize;
        let (right, down) = (noise.normal(), noise.normal());
        let start = crowds.get(crowd).map_or(anywhere, |crowd| Point {
            x: crowd.x + 0.1 * right,
            y: crowd.y + 0.1 * down,
        });
        let swims = noise.uniform(0.0, 1.0) < 0.6;
        let focused = noise.uniform(0.0, 1.0) < 0.75;
        let speed = noise.uniform(0.002, 0.018);
        let dark = noise.uniform(0.0, 1.0) < 0.15;
        let brightness = noise.uniform(0.3, 0.7);
        let defocus = noise.uniform(0.5, 1.0);
        Self {
            start,
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

    /// `time` frames after the start, in a liquid that has moved by `drifted`.
    fn seen(&self, time: f64, drifted: Point) -> Seen<'_> {
        let swum = self.start.along(self.heading, self.speed * time);
        let heading = self.heading + 0.15 * (0.25 * time + self.phase).sin();
        Seen {
            cell: self,
            place: Point {
                x: swum.x + drifted.x,
                y: swum.y + drifted.y,
            },
            forward: Point { x: 0.0, y: 0.0 }.along(heading, 1.0),
            turn: self.phase - self.beat * time,
        }
    }
}

/// A cell at a moment.
struct Seen<'a> {
    cell: &'a Cell,
    place: Point,
    forward: Point,
    /// Of the tail's wave, in radians.
    turn: f64,
}

impl Seen<'_> {
    /// Beyond this a cell adds nothing: a tail's length and a ring's width, squared.
    const FAR: f64 = 0.07;
    /// Beyond this a head adds nothing, in its radii.
    const HALO: f64 = 6.0;

    /// What it adds to the light at `p`.
    fn at(&self, p: Point) -> f64 {
        let from = p.minus(self.place);
        if from.dot(from) > Self::FAR {
            return 0.0;
        }
        let cell = self.cell;
        let along = from.dot(self.forward);
        let across = from.x * self.forward.y - from.y * self.forward.x;
        let radius = cell.radius * (1.0 + 1.5 * cell.defocus);
        let r = (along / radius).hypot(across / (radius * cell.narrow));
        let ring = |at: f64, width: f64| match r < Self::HALO {
            true => (-((r - at) / width).powi(2)).exp(),
            false => 0.0,
        };
        if cell.defocus > 0.0 {
            let light = ring(1.0, 0.35) - 0.5 * ring(1.8, 0.5) + 0.3 * ring(0.0, 0.4);
            return 0.35 * cell.brightness * light / cell.defocus;
        }
        let head = ring(0.0, 1.0) - 0.2 * ring(1.9, 0.6) + 0.25 * ring(0.0, 2.6);
        let mut light = cell.brightness * head;
        let behind = -along / cell.tail;
        if (0.0..1.0).contains(&behind) && across.abs() < 0.05 {
            let off = across - 0.018 * behind * (7.0 * behind + self.turn).sin();
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
        let contrast = noise.uniform(0.01, 0.05);
        let crowds: [Point; 4] = std::array::from_fn(|_| Point {
            x: noise.uniform(0.0, width),
            y: noise.uniform(0.0, 1.0),
        });
        Self {
            ground: Texture::drawn(noise, 0.4, 0.5)
                .plain()
                .level()
                .clouded(contrast),
            grain: Lattice::drawn(noise),
            cells: (0..count as usize)
                .map(|_| Cell::drawn(noise, width, &crowds))
                .collect(),
            drift: Point { x: 0.0, y: 0.0 }.along(heading, speed),
        }
    }

    /// What is seen `time` frames after the start.
    pub fn at(&self, time: f64) -> impl Fn(Point) -> f64 + Sync + use<'_> {
        let drifted = Point {
            x: self.drift.x * time,
            y: self.drift.y * time,
        };
        let cells = self.cells.iter().map(|cell| cell.seen(time, drifted));
        let cells: Vec<_> = cells.collect();
        move |p| {
            let grain = 0.01 * self.grain.at(40.0 * p.x, 40.0 * p.y);
            let light = cells.iter().map(|cell| cell.at(p));
            self.ground.at(p) + grain + light.sum::<f64>()
        }
    }
}
