//! What a denoiser makes of its own doubt.

use crate::clip::Clip;
use crate::noise::Noise;
use crate::physics::dot;
use crate::prior::{Denoiser, PriorError};

/// What may lie beneath noise, as a Gaussian.
pub(super) struct Beneath {
    pub mean: Clip,
    /// Standard deviation, one for all pixels.
    pub rms: f64,
}

/// The probe's length in units of the noise: small beside it, large beside rounding.
const PROBE: f32 = 0.1;
/// Least share of the noise's variance that is taken to be left: a network's slopes are no
/// better than that.
const LEAST_SHARE: f64 = 1e-4;

/// Adds noise of `sigma` to `video` and asks what lies beneath.
///
/// A denoiser that gives means tells their covariance, too: it is sigma^2 times its derivative
/// (Efron, 2011). Its mean over the pixels is probed along one random direction of signs, as in
/// Monte Carlo SURE (Ramani et al., 2008).
pub(super) fn beneath(
    denoiser: &mut dyn Denoiser,
    video: &Clip,
    sigma: f64,
    noise: &mut Noise,
) -> Result<Beneath, PriorError> {
    let shape = video.shape();
    let scale = sigma as f32;
    let noisy = video.zip(&noise.normal_clip(shape), |u, n| u + scale * n);
    let mean = denoiser.denoise(&noisy, sigma)?;
    let signs = noise.normal_clip(shape).map(f32::signum);
    let probed = noisy.zip(&signs, |v, s| v + PROBE * scale * s);
    let change = denoiser.denoise(&probed, sigma)?.zip(&mean, |b, a| b - a);
    let slope = dot(change.data(), signs.data()) / f64::from(PROBE * scale);
    let share = (slope / shape.len() as f64).clamp(LEAST_SHARE, 1.0);
    Ok(Beneath {
        mean,
        rms: sigma * share.sqrt(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::prior::Schedule;
    use crate::prior::compact::{CompactPrior, embedded};
    use crate::scenes::Scene;
    use crate::solver::fast::tests::Gaussian;

    #[test]
    fn of_gaussian_video_everything_is_known() {
        let video = Clip::filled(Shape::new(3, 16, 16), 0.5);
        for sigma in [0.02, 0.2, 2.0] {
            let noise = &mut Noise::seeded(1);
            let beneath = beneath(&mut Gaussian, &video, sigma, noise).unwrap();
            let spread = Gaussian::SPREAD;
            let expected = (sigma.powi(-2) + spread.powi(-2)).powf(-0.5);
            assert!(
                (beneath.rms / expected - 1.0).abs() < 1e-2,
                "{}",
                beneath.rms
            );
        }
    }

    /// What the network does not know of itself it would get wrong in samples.
    #[test]
    fn the_embedded_network_knows_how_wrong_it_is() {
        let scene = Scene::Leaves.render(Shape::new(5, 32, 32), 2);
        let schedule = Schedule::cosine(Schedule::PUBLISHED_TIMESTEPS);
        let mut network = CompactPrior::new("embedded", embedded(), schedule);
        for sigma in [0.05, 0.2] {
            let noise = &mut Noise::seeded(1);
            let beneath = beneath(&mut network, &scene, sigma, noise).unwrap();
            let wrong = beneath.mean.zip(&scene, |a, b| a - b);
            let wrong = crate::metrics::rms(wrong.data());
            let ratio = beneath.rms / wrong;
            assert!((0.5..2.0).contains(&ratio), "{sigma}: {ratio}");
        }
    }
}
