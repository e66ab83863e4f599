//! What a denoiser's answers say of their own error.

use super::{Denoiser, PriorError};
use crate::clip::Clip;
use crate::noise::Noise;

/// The probe's length in units of the noise: small beside it, large beside rounding.
const PROBE: f32 = 0.1;
/// Least share of the noise's variance that is taken to be left: slopes are no better than that.
const LEAST_SHARE: f64 = 1e-4;

/// The root mean square error that `denoiser` itself expects of its answer `denoised` to `noisy`.
///
/// Of a denoiser that gives means the covariance of what lies beneath is sigma^2 times its
/// derivative (Efron, 2011): what moves along with the noise is what was not told from it. The mean
/// of it over the pixels is probed along one direction of random signs, as in Monte Carlo SURE
/// (Ramani et al., 2008): one more call of the denoiser.
///
/// # Errors
/// Those of the denoiser.
pub fn expected_error(
    denoiser: &mut dyn Denoiser,
    noisy: &Clip,
    denoised: &Clip,
    sigma: f64,
    noise: &mut Noise,
) -> Result<f64, PriorError> {
    let step = PROBE * sigma as f32;
    let signs = noise.normal_clip(noisy.shape()).map(f32::signum);
    let probed = noisy.zip(&signs, |v, s| v + step * s);
    let moved = denoiser
        .denoise(&probed, sigma)?
        .zip(denoised, |b, a| b - a);
    let along = moved.data().iter().zip(signs.data());
    let along: f64 = along.map(|(&m, &s)| f64::from(m * s)).sum();
    let share = along / f64::from(step) / noisy.shape().len() as f64;
    Ok(sigma * share.clamp(LEAST_SHARE, 1.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::metrics::rms;
    use crate::prior::Schedule;
    use crate::prior::compact::{CompactPrior, embedded};
    use crate::scenes::Scene;

    /// Knows that pixels are N(0.5, 0.1), each for itself.
    struct Gaussian;

    const SPREAD: f64 = 0.1;

    impl Denoiser for Gaussian {
        fn name(&self) -> &str {
            "gaussian"
        }

        fn denoise(&mut self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError> {
            let share = SPREAD.powi(2) / (SPREAD.powi(2) + sigma * sigma);
            Ok(noisy.map(|v| 0.5 + share as f32 * (v - 0.5)))
        }

        fn check_shape(&self, _: Shape) -> Result<(), PriorError> {
            Ok(())
        }
    }

    fn expected(denoiser: &mut dyn Denoiser, noisy: &Clip, sigma: f64) -> (Clip, f64) {
        let denoised = denoiser.denoise(noisy, sigma).unwrap();
        let noise = &mut Noise::seeded(7);
        let error = expected_error(denoiser, noisy, &denoised, sigma, noise).unwrap();
        (denoised, error)
    }

    #[test]
    fn of_gaussian_video_it_is_the_posterior_s_spread() {
        let grey = Clip::filled(Shape::new(3, 16, 16), 0.5);
        for sigma in [0.02, 0.2, 2.0f64] {
            let (_, error) = expected(&mut Gaussian, &grey, sigma);
            let spread = (sigma.powi(-2) + SPREAD.powi(-2)).powf(-0.5);
            assert!((error / spread - 1.0).abs() < 1e-2, "{error} {spread}");
        }
    }

    /// What the network does not know of itself it would get wrong in samples.
    #[test]
    fn the_embedded_network_knows_how_wrong_it_is() {
        let schedule = Schedule::cosine(Schedule::PUBLISHED_TIMESTEPS);
        let mut network = CompactPrior::new("embedded", embedded(), schedule);
        let scene = Scene::Leaves.render(Shape::new(5, 32, 32), 2);
        let noise = Noise::seeded(1).normal_clip(scene.shape());
        for sigma in [0.05, 0.2] {
            let noisy = scene.zip(&noise, |u, n| u + sigma * n);
            let (denoised, error) = expected(&mut network, &noisy, f64::from(sigma));
            let wrong = denoised.zip(&scene, |a, b| a - b);
            let ratio = error / rms(wrong.data());
            assert!((0.5..2.0).contains(&ratio), "{sigma}: {ratio}");
        }
    }
}
