//! Pixels from functions of place and time.

use rayon::prelude::*;

use super::point::Point;
use crate::clip::{Clip, Shape};

/// Sampling points along each side of a pixel.
const POINTS: usize = 4;

/// Moments of an exposure.
const MOMENTS: usize = 4;

/// The mean of `shade` over each pixel, `shade` being made for each frame.
pub fn sharp<S: Fn(Point) -> f64>(shape: Shape, shade: &(impl Fn(f64) -> S + Sync)) -> Clip {
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

/// How a camera turns a scene into frames.
#[derive(Clone, Copy)]
pub struct Exposure {
    /// Side of the square a pixel averages over, in pixels: 1 is as sharp as pixels are.
    pub softness_px: f64,
    /// The share of the frame interval that the shutter is open.
    pub shutter: f64,
}

impl Exposure {
    /// The mean of `shade` over each pixel's square and the time the shutter is open, `shade`
    /// being made for each moment (in frames).
    pub fn film<S: Fn(Point) -> f64 + Sync>(
        self,
        shape: Shape,
        shade: &(impl Fn(f64) -> S + Sync),
    ) -> Clip {
        let scale = 1.0 / shape.height as f64;
        let mut data = Vec::with_capacity(shape.len());
        for frame in 0..shape.frames {
            let shades: [S; MOMENTS] = std::array::from_fn(|moment| {
                shade(frame as f64 + self.shutter * moment as f64 / MOMENTS as f64)
            });
            let within = |i: usize| self.softness_px * ((i as f64 + 0.5) / POINTS as f64 - 0.5);
            let at = |row: usize, column: usize| {
                let mut sum = 0.0;
                for i in 0..POINTS * POINTS {
                    let (across, down) = (i % POINTS, i / POINTS);
                    // Every row and every column of points sees every moment.
                    sum += shades[(across + down) % MOMENTS](Point {
                        x: (column as f64 + 0.5 + within(across)) * scale,
                        y: (row as f64 + 0.5 + within(down)) * scale,
                    });
                }
                (sum / (POINTS * POINTS) as f64).clamp(0.0, 1.0) as f32
            };
            let rows = (0..shape.height).into_par_iter();
            let rows = rows.flat_map_iter(|row| (0..shape.width).map(move |column| (row, column)));
            data.par_extend(rows.map(|(row, column)| at(row, column)));
        }
        Clip::new(shape, data)
    }

    /// A scene in which nothing moves.
    pub fn still(self, shape: Shape, shade: &(impl Fn(Point) -> f64 + Sync)) -> Clip {
        let one = Shape { frames: 1, ..shape };
        let frame = self.film(one, &|_| shade);
        Clip::new(shape, frame.data().repeat(shape.frames))
    }
}
