//! What is to be reconstructed: a measurement, and what is known of how it came about.

use crate::clip::{Clip, Shape};
use crate::physics::ForwardModel;
use crate::solver::{Measurement, ScatterSearch, Variation};

/// A forward model, with what is unknown of it.
pub enum Physics {
    /// Every parameter is given.
    Known(Box<dyn ForwardModel>),
    /// A scattering layer of unknown distance or blur width.
    Scatter(ScatterSearch),
    /// A capture through such a layer, recorded with unknown gain and offset.
    Capture(ScatterSearch),
    /// A blur by an unknown aberration.
    Aberration(AberrationUnknown),
}

/// An unknown aberration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AberrationUnknown {
    pub shape: Shape,
    /// How ten coefficients a frame go from frame to frame; none where the clip has ten.
    pub varying: Option<Variation>,
    /// Whether the measurement's gain and offset are unknown too.
    pub fit_gain: bool,
}

impl Physics {
    /// The model's name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Known(model) => model.name(),
            Self::Scatter(_) | Self::Capture(_) => "scatter",
            Self::Aberration(_) => "zernike",
        }
    }

    pub fn shape(&self) -> Shape {
        match self {
            Self::Known(model) => model.shape(),
            Self::Scatter(unknown) | Self::Capture(unknown) => unknown.shape,
            Self::Aberration(unknown) => unknown.shape,
        }
    }

    pub fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }
}

/// A reconstruction to be done.
pub struct Problem {
    pub physics: Physics,
    /// In the forward model's units.
    pub measurement: Measurement,
    /// Standard deviation of all noise in the measurement, in the forward model's units.
    pub noise: f64,
    /// 1 where pixels are measured, where some are not.
    pub mask: Option<Clip>,
}
