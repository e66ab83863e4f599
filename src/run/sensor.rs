//! What a camera adds to a measurement: gain, photon noise, read noise.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, Poisson, StandardNormal};
use serde::Serialize;

use crate::clip::Clip;

/// The seed's stream of sensor noise, apart from the one that parameters are drawn from.
const STREAM: u64 = 1;

/// A camera; the default one is ideal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sensor {
    /// Exposure: what is multiplied by it and then exceeds 1 saturates when quantised.
    pub gain: f64,
    /// Photons a pixel collects at full scale, for photon noise; none for no such noise.
    pub photons: Option<f64>,
    /// Standard deviation of the read noise as a share of full scale.
    pub read_noise: f64,
}

#[derive(Debug, thiserror::Error)]
#[error("{what} is {value}; it must be {expected}")]
pub struct SensorError {
    pub what: &'static str,
    pub value: f64,
    pub expected: &'static str,
}

impl Default for Sensor {
    fn default() -> Self {
        Self {
            gain: 1.0,
            photons: None,
            read_noise: 0.0,
        }
    }
}

impl Sensor {
    /// The intensity of the light as the camera reads it out, before it becomes levels.
    ///
    /// # Errors
    /// A gain or a number of photons that is not above zero, or negative read noise.
    pub fn expose(&self, intensity: &Clip, seed: u64) -> Result<Clip, SensorError> {
        self.check()?;
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        rng.set_stream(STREAM);
        let mut read = intensity.clone();
        for value in read.data_mut() {
            let mut v = f64::from(*value) * self.gain;
            if let Some(photons) = self.photons {
                v = collected(v * photons, &mut rng) / photons;
            }
            if self.read_noise > 0.0 {
                let normal: f64 = StandardNormal.sample(&mut rng);
                v += self.read_noise * normal;
            }
            *value = v as f32;
        }
        Ok(read)
    }

    fn check(&self) -> Result<(), SensorError> {
        let check = |what, value: f64, valid: bool, expected| match value.is_finite() && valid {
            true => Ok(()),
            false => Err(SensorError {
                what,
                value,
                expected,
            }),
        };
        check("the gain", self.gain, self.gain > 0.0, "above 0")?;
        if let Some(photons) = self.photons {
            let valid = photons > 0.0 && photons <= 1e12;
            check(
                "the number of photons",
                photons,
                valid,
                "above 0, at most 1e12",
            )?;
        }
        let valid = self.read_noise >= 0.0;
        check("the read noise", self.read_noise, valid, "0 or more")
    }
}

/// A Poisson draw; no light gives no photons.
fn collected(expected: f64, rng: &mut ChaCha12Rng) -> f64 {
    Poisson::new(expected).map_or(0.0, |photons| photons.sample(rng))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;

    fn moments(clip: &Clip) -> (f64, f64) {
        let n = clip.shape().len() as f64;
        let values = || clip.data().iter().map(|&v| f64::from(v));
        let mean = values().sum::<f64>() / n;
        (mean, values().map(|v| (v - mean).powi(2)).sum::<f64>() / n)
    }

    #[test]
    fn an_ideal_camera_changes_nothing() {
        let clip = Clip::new(Shape::new(1, 1, 3), vec![0.0, 0.3, 1.2]);
        assert_eq!(Sensor::default().expose(&clip, 3).unwrap(), clip);
    }

    #[test]
    fn photon_noise_has_the_variance_of_the_counts_and_read_noise_adds() {
        let clip = Clip::filled(Shape::new(4, 64, 64), 0.25);
        let sensor = Sensor {
            gain: 2.0,
            photons: Some(200.0),
            read_noise: 0.02,
        };
        let (mean, variance) = moments(&sensor.expose(&clip, 1).unwrap());
        assert!((mean - 0.5).abs() < 2e-3, "{mean}");
        let expected = 0.5 / 200.0 + 0.02 * 0.02;
        assert!((variance / expected - 1.0).abs() < 0.05, "{variance}");
    }

    #[test]
    fn a_seed_repeats_and_another_does_not() {
        let clip = Clip::filled(Shape::new(1, 8, 8), 0.5);
        let sensor = Sensor {
            read_noise: 0.1,
            ..Sensor::default()
        };
        let expose = |seed| sensor.expose(&clip, seed).unwrap();
        assert_eq!(expose(1), expose(1));
        assert_ne!(expose(1), expose(2));
    }

    #[test]
    fn impossible_cameras_are_refused() {
        let clip = Clip::zeros(Shape::new(1, 1, 1));
        let gain = Sensor {
            gain: 0.0,
            ..Sensor::default()
        };
        assert!(gain.expose(&clip, 0).is_err());
        let photons = Sensor {
            photons: Some(-1.0),
            ..Sensor::default()
        };
        assert!(photons.expose(&clip, 0).is_err());
        let noise = Sensor {
            read_noise: f64::NAN,
            ..Sensor::default()
        };
        assert!(noise.expose(&clip, 0).is_err());
    }
}
