//! What is measured and what is sought, frame by frame.

use rayon::prelude::*;

use crate::clip::{Clip, Shape};
use crate::physics::{FramePhysics, Setting, Slopes};
use crate::solver::Measurement;

/// The measurement by frames, with the physics of a frame and the ranges of its parameters.
pub struct Problem {
    pub shape: Shape,
    pub physics: FramePhysics,
    pub frames: Vec<Measurement>,
    pub dist: Sought,
    pub width: Sought,
}

/// One of the two parameters: where it may lie, one range a frame or one for the clip. A
/// range of no length is a known value.
#[derive(Clone, Debug)]
pub struct Sought {
    pub ranges: Vec<(f64, f64)>,
}

impl Sought {
    pub fn range(&self, frame: usize) -> (f64, f64) {
        pick(&self.ranges, frame)
    }

    pub fn is_known(&self) -> bool {
        self.ranges.iter().all(|(low, high)| low == high)
    }

    pub fn is_shared(&self) -> bool {
        self.ranges.len() == 1
    }
}

/// What belongs to a frame among values that are one a frame or one for the clip.
pub fn pick<T: Copy>(values: &[T], frame: usize) -> T {
    values[if values.len() == 1 { 0 } else { frame }]
}

/// An estimate: the video, and the distances (mm) and effective widths (px), each one for
/// the clip or one a frame.
#[derive(Clone, Debug)]
pub struct State {
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

    /// The slopes of half the squared residual of one frame.
    pub fn frame_slopes(
        &self,
        frame: usize,
        u: &[f32],
        setting: &Setting,
        parameters: bool,
    ) -> Slopes {
        let residual = |predicted| self.residual(frame, predicted);
        self.physics.slopes(u, setting, parameters, residual)
    }

    pub fn residual(&self, frame: usize, predicted: Vec<f32>) -> Vec<f32> {
        let shape = Shape::new(1, self.shape.height, self.shape.width);
        let predicted = Clip::new(shape, predicted);
        self.frames[frame].residual(&predicted).into_data()
    }

    /// The slopes of every frame.
    pub fn slopes(&self, video: &Clip, settings: &[Setting], parameters: bool) -> Vec<Slopes> {
        let frames = (0..self.shape.frames).into_par_iter();
        let slopes = |f: usize| self.frame_slopes(f, video.frame(f), &settings[f], parameters);
        frames.map(slopes).collect()
    }
}
