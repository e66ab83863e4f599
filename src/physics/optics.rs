//! The geometry of a capture: wavelength and pixel size.

use serde::{Deserialize, Serialize};

use super::PhysicsError;

/// What the propagation needs to know of the setup.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Optics {
    /// Wavelength in nanometres.
    pub wavelength_nm: f64,
    /// Pixel pitch of the camera or display in micrometres.
    pub pitch_um: f64,
    /// Magnification from the object to the pixels: the pitch at the object is
    /// `pitch_um / magnification`.
    pub magnification: f64,
}

impl Optics {
    /// The published synthetic experiments: 532 nm, 8 um pixels.
    pub const SYNTHETIC: Self = Self {
        wavelength_nm: 532.0,
        pitch_um: 8.0,
        magnification: 1.0,
    };

    /// The published real captures: 532 nm, 24 um pixels.
    pub const REAL: Self = Self {
        pitch_um: 24.0,
        ..Self::SYNTHETIC
    };

    /// Pixel pitch at the object in micrometres.
    pub fn object_pitch_um(&self) -> f64 {
        self.pitch_um / self.magnification
    }

    pub fn check(&self) -> Result<(), PhysicsError> {
        for (what, value, unit) in [
            ("wavelength", self.wavelength_nm, "nm"),
            ("pixel pitch", self.pitch_um, "um"),
            ("magnification", self.magnification, "times"),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return Err(PhysicsError::OutOfRange {
                    what: what.into(),
                    value,
                    unit,
                    min: 0.0,
                    max: f64::INFINITY,
                });
            }
        }
        Ok(())
    }

    /// The distance in millimetres beyond which the sampled transfer function aliases
    /// along an axis of `pixels` pixels: N p^2 / lambda with N the padded size.
    pub fn aliasing_limit_mm(&self, pixels: usize) -> f64 {
        let pitch_mm = self.object_pitch_um() * 1e-3;
        2.0 * pixels as f64 * pitch_mm * pitch_mm / (self.wavelength_nm * 1e-6)
    }

    /// What to know of a distance beyond [`aliasing_limit_mm`](Self::aliasing_limit_mm).
    pub fn aliasing_warning(&self, pixels: usize, dist_mm: f64) -> Option<String> {
        let limit = self.aliasing_limit_mm(pixels);
        (dist_mm > limit).then(|| {
            format!(
                "a distance of {dist_mm} mm is beyond {limit:.1} mm, where the propagation \
                 kernel aliases at this size, pitch and wavelength: the far field is then wrong"
            )
        })
    }
}

impl Default for Optics {
    fn default() -> Self {
        Self::SYNTHETIC
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_geometry_aliases_beyond_15_4_mm() {
        let limit = Optics::SYNTHETIC.aliasing_limit_mm(64);
        assert!((limit - 15.398).abs() < 1e-3, "{limit}");
    }
}
