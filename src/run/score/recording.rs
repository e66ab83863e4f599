//! From a forward model's output to what a camera or a file holds of it.

use super::error::ScoreError;
use crate::clip::Clip;
use crate::run::Sensor;
use crate::solver::{Measurement, Quantisation};

/// How a measurement was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recording {
    /// Real-valued, free of noise.
    Exact,
    /// Truncated to 8 bits, saturating at full scale, as the published files are.
    EightBit,
    /// With read noise of 1 % of full scale, then truncated to 8 bits.
    Noisy,
}

/// A measurement in the forward model's units.
pub struct Recorded {
    pub measurement: Measurement,
    /// Standard deviation of all noise in it.
    pub noise: f64,
    /// As a picture.
    pub bare: Clip,
}

const READ_NOISE: f64 = 0.01;

impl Recording {
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::EightBit => "8 bit",
            Self::Noisy => "noisy",
        }
    }

    /// Records gain * `values`; the gain is known, so the result is in the units of `values`.
    pub fn record(self, values: &Clip, gain: f64, seed: u64) -> Result<Recorded, ScoreError> {
        if self == Self::Exact {
            return Ok(Recorded::exact(values.clone()));
        }
        let camera = Sensor {
            gain,
            photons: None,
            read_noise: self.read_noise(),
        };
        let levels = truncated(&camera.expose(values, seed)?);
        let measurement = Measurement::quantised(levels.clone(), 255, Quantisation::Floor);
        Ok(Recorded {
            noise: measurement.rounding().hypot(self.read_noise()) / gain,
            measurement: measurement.unexposed(gain, 0.0),
            bare: levels,
        })
    }

    pub fn read_noise(self) -> f64 {
        if self == Self::Noisy { READ_NOISE } else { 0.0 }
    }
}

impl Recorded {
    /// Real-valued data.
    pub fn exact(values: Clip) -> Self {
        Self {
            bare: values.map(|v| v.clamp(0.0, 1.0)),
            measurement: Measurement::exact(values),
            noise: 0.0,
        }
    }

    /// A truncated 8-bit file, in [0, 1].
    pub fn file(levels: Clip) -> Self {
        let measurement = Measurement::quantised(levels.clone(), 255, Quantisation::Floor);
        Self {
            noise: measurement.rounding(),
            measurement,
            bare: levels,
        }
    }

    /// Values stretched to fill an 8-bit file, with noise of standard deviation `read_noise` in
    /// the file's units: gain and offset are lost, and the largest level is no saturation.
    pub fn stretched(values: &Clip, read_noise: f64, seed: u64) -> Result<Self, ScoreError> {
        let (low, high) = values.range();
        let scale = (high - low).max(f32::MIN_POSITIVE);
        let camera = Sensor {
            gain: 1.0,
            photons: None,
            read_noise,
        };
        let filled = values.map(|v| (v - low) / scale);
        Ok(Self::stretched_file(
            truncated(&camera.expose(&filled, seed)?),
            read_noise,
        ))
    }

    /// A file that such values were written to.
    pub fn stretched_file(levels: Clip, read_noise: f64) -> Self {
        let made = Self::file(levels);
        Self {
            noise: made.noise.hypot(read_noise),
            measurement: made.measurement.resampled(),
            bare: made.bare,
        }
    }
}

/// Levels of 8 bits: floor(255 v) / 255 within [0, 1].
pub fn truncated(values: &Clip) -> Clip {
    values.map(|v| (255.0 * v).floor().clamp(0.0, 255.0) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;

    fn ramp() -> Clip {
        let shape = Shape::new(1, 16, 16);
        Clip::new(shape, (0..256).map(|i| i as f32 / 200.0).collect())
    }

    #[test]
    fn files_are_unbiased_but_for_what_saturates() {
        let recorded = Recording::EightBit.record(&ramp(), 0.5, 1).unwrap();
        let errors = recorded.measurement.residual(&ramp());
        let mean = errors.data().iter().sum::<f32>() / 256.0;
        assert!(mean.abs() < 1e-3, "{mean}");
        let rms = crate::metrics::rms(errors.data());
        assert!((rms / recorded.noise - 1.0).abs() < 0.15, "{rms}");
        let saturating = Recording::EightBit.record(&ramp(), 1.0, 1).unwrap();
        assert!(saturating.measurement.saturated_share() > 0.2);
    }

    #[test]
    fn noise_is_as_large_as_said() {
        let clip = Clip::filled(Shape::new(1, 64, 64), 0.5);
        let recorded = Recording::Noisy.record(&clip, 1.0, 3).unwrap();
        let rms = crate::metrics::rms(recorded.measurement.residual(&clip).data());
        assert!((rms / recorded.noise - 1.0).abs() < 0.05, "{rms}");
        assert_eq!(Recording::Exact.record(&clip, 1.0, 3).unwrap().noise, 0.0);
    }

    #[test]
    fn stretching_fills_the_range_and_saturates_nothing() {
        let values = ramp().map(|v| 3.0 * v + 0.4);
        let recorded = Recorded::stretched(&values, 0.0, 1).unwrap();
        assert_eq!(recorded.bare.range(), (0.0, 1.0));
        assert_eq!(recorded.measurement.saturated_share(), 0.0);
    }
}
