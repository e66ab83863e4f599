//! How much a clip surprises the network: what tells a scene from a wrong guess of it.

use super::network::Network;
use crate::clip::Clip;
use crate::noise::Noise;

/// Noise levels at which surprise is measured, in amplitudes.
const LEVELS: [f32; 6] = [0.015, 0.03, 0.06, 0.12, 0.24, 0.48];

impl Network {
    /// Minus the logarithm of the clip's probability, in nats, up to a constant that all clips of
    /// its shape share.
    ///
    /// Adding noise little by little takes away what is known of a clip, and the error of the best
    /// estimate is the rate of it: `-ln p(x) = const + integral of |x - D(x + sigma n)|^2 / sigma^2
    /// d ln sigma` (Guo, Shamai and Verdu, 2005; Kong, Brekelmans and Ver Steeg, 2023). The noise is
    /// drawn from `seed`: clips that are compared should share it.
    pub fn surprise_nats(&self, clip: &Clip, seed: u64) -> f64 {
        let mut noise = Noise::seeded(seed);
        let apart = std::f64::consts::LN_2;
        let nats = LEVELS.map(|sigma| {
            let noise = noise.normal_clip(clip.shape());
            let noisy = clip.zip(&noise, |u, n| u + sigma * n);
            let wrong = self.denoise(&noisy, sigma).zip(clip, |d, u| d - u);
            let squares: f64 = wrong.data().iter().map(|v| f64::from(v * v)).sum();
            squares / f64::from(sigma * sigma) * apart
        });
        nats.iter().sum()
    }
}
