//! Generated scenes: amplitudes of our own making, for demonstrations and tests.
//!
//! A scene is a function of place, time and seed, evaluated in f64 at 4 x 4 points a pixel,
//! so a seed gives the same clip on every machine.

use std::f64::consts::TAU;
use std::fmt;
use std::str::FromStr;

use rayon::prelude::*;

use crate::clip::{Clip, Shape};
use crate::noise::Noise;

/// The shape of a scene where none is asked for.
pub const SHAPE: Shape = Shape::new(10, 64, 64);

/// Sampling points along each side of a pixel.
const POINTS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// A figure walking past a soft background.
    Walker,
    /// A turning striped bar and a drifting chequered disk.
    Shapes,
}

#[derive(Debug, thiserror::Error)]
#[error("there is no scene `{0}`: use walker or shapes")]
pub struct SceneError(String);

impl FromStr for Scene {
    type Err = SceneError;

    fn from_str(text: &str) -> Result<Self, SceneError> {
        match text {
            "walker" => Ok(Self::Walker),
            "shapes" => Ok(Self::Shapes),
            other => Err(SceneError(other.to_owned())),
        }
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Walker => "walker",
            Self::Shapes => "shapes",
        })
    }
}

impl Scene {
    /// Amplitudes in [0, 1].
    pub fn render(self, shape: Shape, seed: u64) -> Clip {
        let mut noise = Noise::seeded(seed);
        let background = Background::drawn(&mut noise);
        match self {
            Self::Walker => {
                let walker = Walker::drawn(&mut noise);
                sampled(shape, &|frame| {
                    let pose = walker.pose(frame);
                    move |p| pose.over(p, background.at(p))
                })
            }
            Self::Shapes => {
                let (bar, disk) = (Bar::drawn(&mut noise), Disk::drawn(&mut noise));
                sampled(shape, &|frame| {
                    move |p| disk.over(p, frame, bar.over(p, frame, background.at(p)))
                })
            }
        }
    }
}

/// A place: x to the right, y downward, the frame's height being 1.
#[derive(Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
}

impl Point {
    fn minus(self, other: Self) -> Self {
        Self {
            x: self.x - other.x,
            y: self.y - other.y,
        }
    }

    /// From here along a direction, its angle measured from straight down.
    fn along(self, angle: f64, length: f64) -> Self {
        Self {
            x: self.x + length * angle.sin(),
            y: self.y + length * angle.cos(),
        }
    }

    fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y
    }

    fn norm(self) -> f64 {
        self.dot(self).sqrt()
    }

    /// Distance to the line from `a` to `b`.
    fn distance_to(self, a: Self, b: Self) -> f64 {
        let (along, from) = (b.minus(a), self.minus(a));
        let share = (from.dot(along) / along.dot(along)).clamp(0.0, 1.0);
        let foot = Self {
            x: share * along.x,
            y: share * along.y,
        };
        from.minus(foot).norm()
    }
}

/// The mean of `shade` over each pixel, `shade` being made for each frame.
fn sampled<S: Fn(Point) -> f64>(shape: Shape, shade: &(impl Fn(f64) -> S + Sync)) -> Clip {
    let scale = 1.0 / (shape.height * POINTS) as f64;
    let frames = (0..shape.frames).into_par_iter();
    let data = frames.flat_map_iter(|frame| {
        let shade = shade(frame as f64);
        let at = move |row: usize, column: usize| {
            let mut sum = 0.0;
            for i in 0..POINTS * POINTS {
                sum += shade(Point {
                    x: ((column * POINTS + i % POINTS) as f64 + 0.5) * scale,
                    y: ((row * POINTS + i / POINTS) as f64 + 0.5) * scale,
                });
            }
            (sum / (POINTS * POINTS) as f64).clamp(0.0, 1.0) as f32
        };
        (0..shape.frame_len()).map(move |i| at(i / shape.width, i % shape.width))
    });
    Clip::new(shape, data.collect())
}

/// A vertical slope and a few long waves.
#[derive(Clone, Copy)]
struct Background {
    top: f64,
    slope: f64,
    waves: [(Point, f64); 4],
}

impl Background {
    fn drawn(noise: &mut Noise) -> Self {
        Self {
            top: noise.uniform(0.2, 0.35),
            slope: noise.uniform(0.05, 0.2),
            waves: std::array::from_fn(|_| {
                let direction = noise.uniform(0.0, TAU);
                let cycles = noise.uniform(0.6, 2.2);
                let wave = Point { x: 0.0, y: 0.0 }.along(direction, cycles * TAU);
                (wave, noise.uniform(0.0, TAU))
            }),
        }
    }

    fn at(&self, p: Point) -> f64 {
        let waves = self.waves.iter();
        let waves: f64 = waves
            .map(|(wave, phase)| (p.dot(*wave) + phase).sin())
            .sum();
        self.top + self.slope * p.y + 0.035 * waves
    }
}

struct Walker {
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

    fn drawn(noise: &mut Noise) -> Self {
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

    fn pose(&self, frame: f64) -> Pose {
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

struct Pose {
    far: [Limb; 2],
    near: [Limb; 2],
    hip: Point,
    neck: Point,
    tone: f64,
    stripes: f64,
}

impl Pose {
    fn over(&self, p: Point, background: f64) -> f64 {
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

#[derive(Clone, Copy)]
struct Bar {
    centre: Point,
    angle: f64,
    turning: f64,
    tone: f64,
}

impl Bar {
    fn drawn(noise: &mut Noise) -> Self {
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

    fn over(&self, p: Point, frame: f64, below: f64) -> f64 {
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
struct Disk {
    centre: Point,
    drift: Point,
    tone: f64,
}

impl Disk {
    fn drawn(noise: &mut Noise) -> Self {
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

    fn over(&self, p: Point, frame: f64, below: f64) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_move_stay_in_range_and_follow_their_seed() {
        for scene in [Scene::Walker, Scene::Shapes] {
            let clip = scene.render(SHAPE, 1);
            assert!(clip.data().iter().all(|v| (0.0..=1.0).contains(v)));
            let moved = clip.frame(0).iter().zip(clip.frame(1));
            assert!(moved.filter(|(a, b)| (*a - *b).abs() > 0.05).count() > 50);
            assert_eq!(clip, scene.render(SHAPE, 1));
            assert_ne!(clip, scene.render(SHAPE, 2));
        }
    }

    #[test]
    fn a_scene_is_the_same_at_any_size() {
        let small = Scene::Walker.render(Shape::new(2, 32, 32), 5);
        let large = Scene::Walker.render(Shape::new(2, 64, 64), 5);
        let differs = (0..32 * 32).filter(|i| {
            let (row, column) = (i / 32, i % 32);
            let at = |r: usize, c: usize| large.frame(1)[(2 * row + r) * 64 + 2 * column + c];
            let mean = (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4.0;
            (mean - small.frame(1)[*i]).abs() > 0.1
        });
        assert!(differs.count() < 32);
    }

    #[test]
    fn names_are_read_and_written() {
        for scene in [Scene::Walker, Scene::Shapes] {
            assert_eq!(scene.to_string().parse::<Scene>().unwrap(), scene);
        }
        let message = "dog".parse::<Scene>().unwrap_err().to_string();
        assert!(message.contains("walker"), "{message}");
    }
}
