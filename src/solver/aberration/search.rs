//! What is looked for: an aberration, and how the measurement was exposed.

use serde::{Deserialize, Serialize};

use super::joint::Light;
use crate::clip::Shape;
use crate::physics::zernike::PSF_SIZE;
use crate::solver::{Measurement, SolverError};

/// How the recorded values came from the forward model's intensities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exposure {
    /// value = gain * intensity + offset, both known.
    Known { gain: f64, offset: f64 },
    /// Unknown; the result's brightness is then free, and chosen to stay within [0, 1].
    Fitted,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct ZernikeSearch {
    pub shape: Shape,
    pub exposure: Exposure,
}

/// Gain assumed where it is fitted; the scene's brightness takes up what differs.
const GAIN: f32 = 0.55;

impl ZernikeSearch {
    /// What a measurement must be for an aberration to be found from it.
    pub(super) fn check(&self, measurement: &Measurement) -> Result<(), SolverError> {
        let shape = self.shape;
        if measurement.shape() != shape {
            return Err(SolverError::Shape {
                given: measurement.shape(),
                needed: shape,
            });
        }
        let refuse = |what, value: String, expected| SolverError::Setting {
            what,
            value,
            expected,
        };
        if shape.height < PSF_SIZE || shape.width < PSF_SIZE || !shape.width.is_multiple_of(2) {
            return Err(refuse(
                "the frame",
                format!("{}x{}", shape.height, shape.width),
                "a blind aberration needs at least 32 pixels a side and an even width: crop or \
                 resize the clip",
            ));
        }
        let (low, high) = measurement.values().range();
        let finite = measurement.values().data().iter().all(|v| v.is_finite());
        if !finite || high - low < 1e-6 {
            return Err(refuse(
                "the measurement",
                format!("{low} to {high}"),
                "it must be finite and not of one brightness: nothing in it shows the aberration",
            ));
        }
        if let Exposure::Known { gain, offset } = self.exposure
            && !(gain.is_finite() && gain > 0.0 && offset.is_finite())
        {
            return Err(refuse(
                "the exposure",
                format!("gain {gain}, offset {offset}"),
                "a known gain is above zero, and a known offset finite",
            ));
        }
        Ok(())
    }

    /// The exposure to begin with, for a measurement whose smallest value is `lowest`.
    pub(super) fn light(&self, lowest: f64) -> Light {
        match self.exposure {
            Exposure::Known { gain, offset } => Light {
                gain: gain as f32,
                offset,
                fitted: false,
            },
            Exposure::Fitted => Light {
                gain: GAIN,
                offset: (-0.03f64).min(lowest),
                fitted: true,
            },
        }
    }

    /// What a fitted exposure, gain and offset, leaves open.
    pub(super) fn note(&self, (gain, offset): (f64, f64)) -> Option<String> {
        (self.exposure == Exposure::Fitted).then(|| {
            format!(
                "the measurement is about {gain:.3} times the intensity plus {offset:.3}; the \
                 gain and with it the brightness of the scene are assumed, not measured"
            )
        })
    }
}
