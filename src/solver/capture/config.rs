//! What is searched in a capture, and how.

use serde::{Deserialize, Serialize};

use crate::clip::Shape;
use crate::physics::{Optics, Surround};
use crate::prior::{Concave, SpaceTime};
use crate::solver::{SolverError, positive};

/// What is known of the camera's exposure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gain {
    /// Nothing: black is read off the recording, and white is set by it.
    Fit,
    /// recorded = offset + gain * intensity.
    Fixed { gain: f64, offset: f64 },
}

/// What is known of a capture; ranges of one value mean that it is known.
#[derive(Clone, Debug, PartialEq)]
pub struct CaptureSearch {
    pub shape: Shape,
    pub optics: Optics,
    /// Lowest and highest distance of the layer, in millimetres.
    pub dist_mm: (f64, f64),
    /// Smallest and largest width of the blur, in camera pixels, 0.3 to 8.
    pub sigma_px: (f64, f64),
    pub gain: Gain,
    /// What lies around the scene; none has it told from the edges of the frame.
    pub surround: Option<Surround>,
}

impl CaptureSearch {
    /// Nothing known but the distance's range: blur of 0.5 to 3 pixels.
    pub fn new(shape: Shape, optics: Optics, dist_mm: (f64, f64)) -> Self {
        Self {
            shape,
            optics,
            dist_mm,
            sigma_px: (0.5, 3.0),
            gain: Gain::Fit,
            surround: None,
        }
    }

    pub(super) fn check(&self) -> Result<(), SolverError> {
        let range = |what, (low, high): (f64, f64), least: f64, most: f64, expected| {
            let good = low.is_finite() && high.is_finite() && least <= low && low <= high;
            match good && high <= most {
                true => Ok(()),
                false => Err(SolverError::Setting {
                    what,
                    value: format!("{low}..{high}"),
                    expected,
                }),
            }
        };
        range(
            "the range of distances",
            self.dist_mm,
            0.0,
            1000.0,
            "give it from low to high, in millimetres, 0 to 1000",
        )?;
        range(
            "the range of blur widths",
            self.sigma_px,
            0.3,
            8.0,
            "give it from low to high, in pixels, 0.3 to 8",
        )?;
        if let Gain::Fixed { gain, offset } = self.gain
            && !(gain.is_finite() && gain > 0.0 && offset.is_finite())
        {
            return Err(SolverError::Setting {
                what: "the exposure",
                value: format!("gain {gain}, offset {offset}"),
                expected: "the gain must be above zero and both finite",
            });
        }
        Ok(())
    }
}

/// Settings of [`CaptureSolver`](super::CaptureSolver); the defaults were chosen on the
/// published captures (temporal weight, potentials, first weight) and on simulated ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaptureConfig {
    /// Iterations of the first estimate, and again of the last one.
    pub iterations: usize,
    /// Iterations at each value of a profile.
    pub profile_iterations: usize,
    /// Distances in the profile.
    pub distances: usize,
    /// The prior's final weight over the variance of the residual, both in units of intensity.
    pub smoothness: f64,
    /// The prior's weight at the first iteration.
    pub first_weight: f64,
    /// The prior's weight where distance, blur and place are estimated: a strong prior keeps
    /// detail from taking their part.
    pub profile_weight: f64,
    /// Adam's step, in units of amplitude.
    pub rate: f64,
    pub prior: SpaceTime,
}

impl Default for CaptureConfig {
    fn default() -> Self {
        // Convex: where the model itself is wrong by levels, strong edges are no more certain
        // than weak ones.
        let convex = Concave {
            bend: f32::INFINITY,
            epsilon: 3e-3,
        };
        Self {
            iterations: 150,
            profile_iterations: 20,
            distances: 7,
            smoothness: 20.0,
            first_weight: 3e-2,
            profile_weight: 1e-2,
            rate: 0.03,
            prior: SpaceTime {
                spatial: convex,
                temporal: convex,
                temporal_weight: 0.3,
                ..SpaceTime::default()
            },
        }
    }
}

impl CaptureConfig {
    pub(super) fn check(&self) -> Result<(), SolverError> {
        positive("the number of iterations", self.iterations as f64)?;
        let profile = self.profile_iterations as f64;
        positive("the number of iterations of a profile", profile)?;
        positive("the smoothness", self.smoothness)?;
        positive("the first weight of the prior", self.first_weight)?;
        let weight = self.profile_weight;
        positive("the weight of the prior in profiles", weight)?;
        positive("the step size", self.rate)?;
        if self.distances < 3 {
            return Err(SolverError::Setting {
                what: "the number of distances in the profile",
                value: self.distances.to_string(),
                expected: "it must be at least 3",
            });
        }
        Ok(())
    }
}
