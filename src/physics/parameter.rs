//! The parameters of a forward model: names, units, bounds, values.

use serde::Serialize;

/// What a parameter is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    Millimetre,
    Pixel,
    Radian,
    None,
}

impl Unit {
    pub fn symbol(self) -> &'static str {
        match self {
            Unit::Millimetre => "mm",
            Unit::Pixel => "px",
            Unit::Radian => "rad",
            Unit::None => "",
        }
    }
}

/// One number that a forward model depends on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameter {
    /// What it is called: `distance`, `sigma`, `astigmatism (2,-2)`.
    pub name: String,
    /// The frame it belongs to, or none where one value serves the clip.
    pub frame: Option<usize>,
    pub unit: Unit,
    pub value: f64,
    /// The values it may take.
    pub min: f64,
    pub max: f64,
    /// The same as a Zernike coefficient, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zernike: Option<super::zernike::Aberration>,
}

impl Parameter {
    /// The name, and the frame it belongs to: `distance of frame 3`.
    pub fn label(&self) -> String {
        match self.frame {
            Some(frame) => format!("{} of frame {frame}", self.name),
            None => self.name.clone(),
        }
    }
}

/// A value for the whole clip, or one for each frame.
#[derive(Clone, Debug, PartialEq)]
pub enum PerFrame {
    Clip(f64),
    Frames(Vec<f64>),
}

impl PerFrame {
    /// What belongs to `frame` among things made one for each value.
    pub(super) fn pick<'a, T>(&self, frame: usize, made: &'a [T]) -> &'a T {
        match self {
            PerFrame::Clip(_) => &made[0],
            PerFrame::Frames(_) => &made[frame],
        }
    }

    pub fn as_slice(&self) -> &[f64] {
        match self {
            PerFrame::Clip(value) => std::slice::from_ref(value),
            PerFrame::Frames(values) => values,
        }
    }

    pub fn as_mut_slice(&mut self) -> &mut [f64] {
        match self {
            PerFrame::Clip(value) => std::slice::from_mut(value),
            PerFrame::Frames(values) => values,
        }
    }

    /// The frame that the `index`-th value belongs to.
    pub(super) fn frame_of(&self, index: usize) -> Option<usize> {
        matches!(self, PerFrame::Frames(_)).then_some(index)
    }

    /// Adds up one gradient a frame into one gradient a value.
    pub(super) fn gather(&self, per_frame: impl Iterator<Item = f64>) -> Vec<f64> {
        match self {
            PerFrame::Clip(_) => vec![per_frame.sum()],
            PerFrame::Frames(_) => per_frame.collect(),
        }
    }
}

impl From<f64> for PerFrame {
    fn from(value: f64) -> Self {
        PerFrame::Clip(value)
    }
}

impl From<Vec<f64>> for PerFrame {
    fn from(values: Vec<f64>) -> Self {
        PerFrame::Frames(values)
    }
}
