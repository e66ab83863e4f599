//! What is measured and what is sought, frame by frame.

use rayon::prelude::*;

use crate::clip::{Clip, Shape};
use crate::physics::{FramePhysics, Setting, Slopes};
use crate::prior::Differences;
use crate::solver::Measurement;

/// The measurement by frames, with the physics of a frame and the ranges of its parameters.
pub(super) struct Problem {
    pub shape: Shape,
    pub physics: FramePhysics,
    pub frames: Vec<Measurement>,
    /// Of the distance, in mm, and of the effective width, in px.
    pub dist: Ranges,
    pub width: Ranges,
    /// What a distance must change by to change the fringes noticeably: pitch^2 / wavelength.
    pub depth_mm: f64,
}

/// Where a parameter may lie: one range a frame, or one for the clip whose value all frames
/// share. A range of no length is a known value.
#[derive(Clone, Debug)]
pub(super) struct Ranges(pub Vec<(f64, f64)>);

impl Ranges {
    pub fn of(&self, frame: usize) -> (f64, f64) {
        pick(&self.0, frame)
    }

    pub fn is_known(&self) -> bool {
        self.0.iter().all(|(low, high)| low == high)
    }

    pub fn is_shared(&self) -> bool {
        self.0.len() == 1
    }

    pub fn middle(&self, frame: usize) -> f64 {
        let (low, high) = self.of(frame);
        0.5 * (low + high)
    }

    pub fn clamp(&self, frame: usize, value: f64) -> f64 {
        let (low, high) = self.of(frame);
        value.clamp(low, high)
    }
}

/// What belongs to a frame among values that are one a frame or one for the clip.
pub(super) fn pick<T: Copy>(values: &[T], frame: usize) -> T {
    values[if values.len() == 1 { 0 } else { frame }]
}

/// An estimate: the video, and the distances (mm) and effective widths (px), each one for
/// the clip or one a frame.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub video: Clip,
    pub dist: Vec<f64>,
    pub width: Vec<f64>,
}

impl State {
    pub fn dist(&self, frame: usize) -> f64 {
        pick(&self.dist, frame)
    }

    pub fn width(&self, frame: usize) -> f64 {
        pick(&self.width, frame)
    }
}

impl Problem {
    pub fn setting(&self, state: &State, frame: usize) -> Setting {
        self.physics.setting(state.dist(frame), state.width(frame))
    }

    pub fn settings(&self, state: &State) -> Vec<Setting> {
        let frames = (0..self.shape.frames).into_par_iter();
        frames.map(|f| self.setting(state, f)).collect()
    }

    pub fn residual(&self, frame: usize, predicted: Vec<f32>) -> Vec<f32> {
        let shape = Shape::new(1, self.shape.height, self.shape.width);
        let predicted = Clip::new(shape, predicted);
        self.frames[frame].residual(&predicted).into_data()
    }

    /// Slopes of half the squared residual of one frame.
    pub fn frame_slopes(&self, frame: usize, u: &[f32], setting: &Setting, all: bool) -> Slopes {
        let residual = |predicted| self.residual(frame, predicted);
        self.physics.slopes(u, setting, all, residual)
    }

    /// Slopes of half the squared residual of every frame.
    pub fn slopes(&self, video: &Clip, settings: &[Setting], all: bool) -> Vec<Slopes> {
        let frames = (0..self.shape.frames).into_par_iter();
        let slopes = |f: usize| self.frame_slopes(f, video.frame(f), &settings[f], all);
        frames.map(slopes).collect()
    }

    /// The mean squared residual of a predicted frame.
    pub fn mean_square(&self, frame: usize, predicted: Vec<f32>) -> f64 {
        let residual = self.residual(frame, predicted);
        crate::physics::dot(&residual, &residual) / residual.len() as f64
    }

    /// The mean squared residual of every frame.
    pub fn mean_squares(&self, state: &State) -> Vec<f64> {
        let frames = (0..self.shape.frames).into_par_iter();
        let mean = |f: usize| {
            let predicted = self
                .physics
                .measure(state.video.frame(f), &self.setting(state, f));
            self.mean_square(f, predicted)
        };
        frames.map(mean).collect()
    }

    /// Each frame's share of half the squared residual plus `weight` times the prior.
    pub fn objectives(&self, state: &State, prior: &Differences, weight: f64) -> Vec<f64> {
        let half = 0.5 * self.shape.frame_len() as f64;
        let shares = prior.frame_values(&state.video);
        let data = self.mean_squares(state).into_iter();
        data.zip(shares)
            .map(|(m, r)| half * m + weight * r)
            .collect()
    }
}
