//! Generated scenes: amplitudes of our own making, for demonstrations, tests and benchmarks.
//!
//! A scene is a function of place, time and seed, evaluated in f64 at 4 x 4 points a pixel
//! (and, where exposures are long, at four moments of a frame), so a seed gives the same clip
//! on every machine. The photographic scenes have the contrast, the softness and the spectra
//! of video reduced to 64 x 64.

mod background;
mod camera;
mod cells;
mod figure;
mod leaves;
mod point;
mod room;
mod sample;
mod shapes;
mod sky;
mod text;
mod texture;
mod walker;
mod water;

use std::fmt;
use std::str::FromStr;

use crate::clip::{Clip, Shape};
use crate::noise::Noise;
use background::Background;
use camera::Camera;
use cells::Cells;
use leaves::{Leaf, Leaves};
use point::Point;
use room::Room;
use sample::{Exposure, sharp};
use shapes::{Bar, Disk};
use sky::Sky;
use text::Text;
use walker::Walker;
use water::Water;

/// The shape of a scene where none is asked for.
pub const SHAPE: Shape = Shape::new(10, 64, 64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scene {
    /// A figure walking past a soft background.
    Walker,
    /// A turning striped bar and a drifting chequered disk.
    Shapes,
    /// Opaque textured shapes covering each other, standing still.
    Leaves,
    /// The same before a camera that pans, zooms or shakes.
    Pan,
    /// One to three textured objects moving before a still photograph of leaves.
    Objects,
    /// A person exercising in a cluttered room or in the open, before a still camera.
    Room,
    /// A boat and its wake, moving fast.
    Water,
    /// Aircraft and their smoke in a bright sky.
    Sky,
    /// Swimming cells under the microscope.
    Cells,
    /// Writing and line art of full contrast, still or scrolling.
    Text,
}

#[derive(Debug, thiserror::Error)]
#[error("there is no scene `{0}`: use {names}", names = Scene::names())]
pub struct SceneError(String);

impl FromStr for Scene {
    type Err = SceneError;

    fn from_str(text: &str) -> Result<Self, SceneError> {
        let mut scenes = Self::ALL.into_iter();
        scenes
            .find(|scene| scene.name() == text)
            .ok_or_else(|| SceneError(text.to_owned()))
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Scene {
    pub const ALL: [Self; 10] = [
        Self::Walker,
        Self::Shapes,
        Self::Leaves,
        Self::Pan,
        Self::Objects,
        Self::Room,
        Self::Water,
        Self::Sky,
        Self::Cells,
        Self::Text,
    ];

    /// The scene's name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Walker => "walker",
            Self::Shapes => "shapes",
            Self::Leaves => "leaves",
            Self::Pan => "pan",
            Self::Objects => "objects",
            Self::Room => "room",
            Self::Water => "water",
            Self::Sky => "sky",
            Self::Cells => "cells",
            Self::Text => "text",
        }
    }

    /// Every name, as a message lists them.
    pub fn names() -> String {
        let names = Self::ALL.map(Self::name);
        let (last, others) = names.split_last().expect("there are scenes");
        format!("{} or {last}", others.join(", "))
    }

    /// Amplitudes in [0, 1].
    pub fn render(self, shape: Shape, seed: u64) -> Clip {
        let mut noise = Noise::seeded(seed);
        let noise = &mut noise;
        let width = shape.width as f64 / shape.height as f64;
        match self {
            Self::Walker => {
                let background = Background::drawn(noise);
                let walker = Walker::drawn(noise);
                sharp(shape, &|frame| {
                    let pose = walker.pose(frame);
                    move |p| pose.over(p, background.at(p))
                })
            }
            Self::Shapes => {
                let background = Background::drawn(noise);
                let (bar, disk) = (Bar::drawn(noise), Disk::drawn(noise));
                sharp(shape, &|frame| {
                    move |p| disk.over(p, frame, bar.over(p, frame, background.at(p)))
                })
            }
            Self::Leaves => {
                let leaves = photograph(noise, width, 0.05);
                exposure(noise).still(shape, &|p| leaves.at(p))
            }
            Self::Pan => {
                // The camera's reach and what its zoom adds at the corners.
                let margin = Camera::REACH + (Camera::ZOOM.exp() - 1.0) * 0.5 * (1.0 + width);
                let leaves = photograph(noise, width, margin + 0.2);
                let (camera, exposure) = (Camera::drawn(noise), exposure(noise));
                let centre = Point {
                    x: 0.5 * width,
                    y: 0.5,
                };
                exposure.film(shape, &|time| {
                    let look = camera.look(time, centre);
                    let leaves = &leaves;
                    move |p| leaves.at(look(p))
                })
            }
            Self::Objects => {
                let leaves = photograph(noise, width, 0.05);
                let count = noise.uniform(1.0, 4.0) as usize;
                let movers: Vec<_> = (0..count).map(|_| Mover::drawn(noise, width)).collect();
                exposure(noise).film(shape, &|time| {
                    let now: Vec<_> = movers.iter().map(|mover| mover.at(time)).collect();
                    let leaves = &leaves;
                    move |p| {
                        let mut objects = now.iter();
                        objects
                            .find_map(|object| object.at(p))
                            .unwrap_or_else(|| leaves.at(p))
                    }
                })
            }
            Self::Room => {
                let (room, exposure) = (Room::drawn(noise, width), exposure(noise));
                exposure.film(shape, &|time| room.at(time))
            }
            Self::Water => {
                let (water, exposure) = (Water::drawn(noise, width), exposure(noise));
                exposure.film(shape, &|time| water.at(time))
            }
            Self::Sky => {
                let (sky, exposure) = (Sky::drawn(noise, width), exposure(noise));
                exposure.film(shape, &|time| sky.at(time))
            }
            Self::Cells => {
                let (cells, exposure) = (Cells::drawn(noise, width), exposure(noise));
                exposure.film(shape, &|time| cells.at(time))
            }
            Self::Text => {
                let (text, exposure) = (Text::drawn(noise, width), exposure(noise));
                exposure.film(shape, &|time| text.at(time))
            }
        }
    }
}

/// Leaves over the frame and a margin around it.
fn photograph(noise: &mut Noise, width: f64, margin: f64) -> Leaves {
    let low = Point {
        x: -margin,
        y: -margin,
    };
    let high = Point {
        x: width + margin,
        y: 1.0 + margin,
    };
    let decay = noise.uniform(1.4, 2.7);
    Leaves::drawn(noise, low, high, decay)
}

/// From as sharp as pixels are to soft, with short and long shutters.
fn exposure(noise: &mut Noise) -> Exposure {
    Exposure {
        softness_px: noise.uniform(0.9, 1.6),
        shutter: noise.uniform(0.1, 0.8),
    }
}

/// A leaf that drifts and turns.
struct Mover {
    leaf: Leaf,
    /// Frame heights a frame.
    velocity: Point,
    /// Radians a frame.
    turn: f64,
}

impl Mover {
    fn drawn(noise: &mut Noise, width: f64) -> Self {
        let centre = Point {
            x: noise.uniform(0.2, 0.8) * width,
            y: noise.uniform(0.2, 0.8),
        };
        let radius = noise.uniform(0.1, 0.25);
        let tone = noise.uniform(0.05, 0.95);
        let heading = noise.uniform(0.0, std::f64::consts::TAU);
        let speed = noise.uniform(0.008, 0.045);
        Self {
            leaf: Leaf::drawn(noise, centre, radius, tone),
            velocity: Point { x: 0.0, y: 0.0 }.along(heading, speed),
            turn: noise.uniform(-0.06, 0.06),
        }
    }

    fn at(&self, time: f64) -> Leaf {
        let by = Point {
            x: self.velocity.x * time,
            y: self.velocity.y * time,
        };
        self.leaf.moved(by, self.turn * time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_stay_in_range_and_follow_their_seed() {
        let shape = Shape::new(3, 24, 40);
        for scene in Scene::ALL {
            let clip = scene.render(shape, 1);
            assert_eq!(clip.shape(), shape);
            assert!(clip.data().iter().all(|v| (0.0..=1.0).contains(v)));
            let (low, high) = clip.range();
            assert!(high - low > 0.2, "{scene} is nearly plain");
            assert_eq!(clip, scene.render(shape, 1), "{scene}");
            assert_ne!(clip, scene.render(shape, 2), "{scene}");
        }
    }

    #[test]
    fn all_but_leaves_move() {
        let shape = Shape::new(6, 32, 32);
        for scene in Scene::ALL {
            let moves = |seed| {
                let clip = scene.render(shape, seed);
                let moved = clip.frame(0).iter().zip(clip.frame(5));
                moved.filter(|(a, b)| (*a - *b).abs() > 0.05).count() > 10
            };
            // Some pages of text stand still.
            assert_eq!((1..6).any(moves), scene != Scene::Leaves, "{scene}");
        }
    }

    /// The sum of each of the first scenes' pixels, as they always were: saved runs name their seed.
    #[test]
    fn the_first_scenes_keep_their_pixels() {
        for (scene, expected) in [(Scene::Walker, WALKER_1), (Scene::Shapes, SHAPES_1)] {
            let clip = scene.render(SHAPE, 1);
            let sum: f64 = clip.data().iter().map(|&v| f64::from(v)).sum();
            assert!((sum - expected).abs() < 0.2, "{scene}: {sum}");
        }
    }

    const WALKER_1: f64 = 18_559.757_196;
    const SHAPES_1: f64 = 19_035.407_559;

    #[test]
    fn a_scene_is_the_same_at_any_size() {
        for scene in [Scene::Walker, Scene::Leaves, Scene::Water] {
            let small = scene.render(Shape::new(2, 32, 32), 5);
            let large = scene.render(Shape::new(2, 64, 64), 5);
            let differs = (0..32 * 32).filter(|i| {
                let (row, column) = (i / 32, i % 32);
                let at = |r: usize, c: usize| large.frame(1)[(2 * row + r) * 64 + 2 * column + c];
                let mean = (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) / 4.0;
                (mean - small.frame(1)[*i]).abs() > 0.1
            });
            assert!(differs.count() < 32, "{scene}");
        }
    }

    #[test]
    fn names_are_read_and_written() {
        for scene in Scene::ALL {
            assert_eq!(scene.to_string().parse::<Scene>().unwrap(), scene);
        }
        let message = "dog".parse::<Scene>().unwrap_err().to_string();
        assert!(message.contains("walker, shapes"), "{message}");
        assert!(message.ends_with("cells or text"), "{message}");
    }
}
