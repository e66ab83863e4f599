//! A diffusion network as a denoiser.

use super::{Denoiser, Prior, PriorError, Schedule};
use crate::clip::{Clip, Shape};

/// The amplitudes in `noisy`, under noise of standard deviation `sigma`, by one estimate of noise:
/// `predict(x_t, t)`.
///
/// The network knows x_t = sqrt(abar) (2u - 1) + sqrt(1 - abar) eps. An amplitude u under noise of
/// standard deviation sigma is such a video, scaled by sqrt(abar), at the t where
/// sqrt((1 - abar) / abar) = 2 sigma; the nearest step of the schedule is asked.
pub fn denoised(
    schedule: &Schedule,
    noisy: &Clip,
    sigma: f64,
    predict: impl FnOnce(&Clip, usize) -> Result<Clip, PriorError>,
) -> Result<Clip, PriorError> {
    let level = 2.0 * sigma;
    // Noise levels rise along the schedule.
    let steps = schedule.steps();
    let above = steps.partition_point(|s| f64::from(s.sqrt_recipm1) < level);
    let below = above.saturating_sub(1);
    let above = above.min(steps.len() - 1);
    let apart = |i: usize| (f64::from(steps[i].sqrt_recipm1) / level).ln().abs();
    let step = if apart(below) < apart(above) {
        &steps[below]
    } else {
        &steps[above]
    };
    let signal = step.alpha_bar.sqrt();
    let eps = predict(&noisy.map(|u| signal * (2.0 * u - 1.0)), step.t)?;
    Ok(noisy.zip(&eps, |u, e| u - 0.5 * step.sqrt_recipm1 * e))
}

/// Removes noise by one evaluation of a network that estimates it, as [`denoised`] does.
pub struct DiffusionDenoiser {
    name: String,
    prior: Box<dyn Prior>,
    schedule: Schedule,
}

impl DiffusionDenoiser {
    /// `schedule` is the one the network was trained on, at its full length.
    pub fn new(name: impl Into<String>, prior: Box<dyn Prior>, schedule: Schedule) -> Self {
        Self {
            name: name.into(),
            prior,
            schedule,
        }
    }
}

impl Denoiser for DiffusionDenoiser {
    fn name(&self) -> &str {
        &self.name
    }

    fn denoise(&mut self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError> {
        denoised(&self.schedule, noisy, sigma, |x_t, t| {
            self.prior.predict(x_t, t)
        })
    }

    fn check_shape(&self, shape: Shape) -> Result<(), PriorError> {
        self.prior.check_shape(shape)
    }

    fn is_network(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;
    use crate::prior::Pullback;

    /// Knows that every amplitude is 0.3, and says so at whatever noise it is told.
    struct Knows(Schedule);

    impl Prior for Knows {
        fn predict(&self, x_t: &Clip, t: usize) -> Result<Clip, PriorError> {
            let step = self.0.step(t);
            let clean = step.alpha_bar.sqrt() * (2.0 * 0.3 - 1.0);
            let noise = (1.0 - step.alpha_bar).sqrt();
            let eps = x_t.map(|v| (v - clean) / noise);
            // Noise of the level it was told has unit variance.
            let squares: f32 = eps.data().iter().map(|v| v * v).sum();
            let rms = (squares / eps.data().len() as f32).sqrt();
            assert!((rms - 1.0).abs() < 0.05, "{rms} at {t}");
            Ok(eps)
        }

        fn predict_with_pullback(
            &self,
            _: &Clip,
            _: usize,
        ) -> Result<(Clip, Pullback), PriorError> {
            unreachable!("a denoiser needs no gradient")
        }

        fn check_shape(&self, _: Shape) -> Result<(), PriorError> {
            Ok(())
        }

        fn memory_bytes(&self, _: Shape) -> u64 {
            0
        }

        fn describe(&self) -> String {
            "a flat world".into()
        }
    }

    #[test]
    fn the_network_is_told_the_noise_it_gets() {
        let schedule = Schedule::cosine(1000);
        let prior = Box::new(Knows(schedule.clone()));
        let mut denoiser = DiffusionDenoiser::new("flat", prior, schedule);
        let noise = Noise::seeded(2).normal_clip(Shape::new(4, 32, 32));
        for sigma in [0.01, 0.1, 0.7] {
            let noisy = noise.map(|n| 0.3 + sigma * n);
            let out = denoiser.denoise(&noisy, f64::from(sigma)).unwrap();
            let worst = out.data().iter().map(|v| (v - 0.3).abs());
            assert!(worst.fold(0.0, f32::max) < 1e-4);
        }
        assert!(denoiser.is_network());
    }
}
