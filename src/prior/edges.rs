//! The denoiser of a prior with a formula: edges that are few, sharp and lasting.

use super::{Concave, Denoiser, Differences, Group, PriorError, Term};
use crate::adam::{Adam, rate_share};
use crate::clip::{Clip, Shape};

/// argmin over u of ||u - noisy||^2 / 2 + 15.6 sigma^2 R(u), R being concave in differences to
/// all eight neighbours, in second differences, and in the changes over 1, 2, 3 and 5 frames:
/// the prior of the polish of unknown scattering layers, with its weight.
///
/// Block matching finds what repeats, this what stays and what is flat: they err in different
/// places, and the mean of the two is closer than either.
#[derive(Clone, Debug)]
pub struct Edges {
    prior: Differences,
}

impl Edges {
    const WEIGHT: f64 = 15.6;
    const ITERATIONS: usize = 40;
    const BETAS: (f32, f32) = (0.9, 0.95);
    /// Adam's first step, in units of the noise.
    const RATE: f64 = 0.4;

    pub fn new() -> Self {
        Self {
            prior: Self::prior(),
        }
    }

    /// R: slanted edges cost no more than straight ones, slopes are not made into stairs, and
    /// changes over time are smooth.
    pub fn prior() -> Differences {
        let term = |lag, group, weight, bend| Term {
            lag,
            group,
            itself: 1.0,
            potential: Concave {
                bend,
                epsilon: 1e-3,
            },
            weight,
        };
        let mut terms = vec![
            term(0, Group::Neighbours, 0.5, 0.1),
            term(0, Group::Curvature, 0.25, 0.1),
        ];
        terms.extend([1, 2, 3, 5].map(|lag| {
            let weight = if lag == 1 { 0.9 } else { 0.6 };
            term(lag, Group::Neighbours, weight, 0.05)
        }));
        Differences { terms }
    }
}

impl Default for Edges {
    fn default() -> Self {
        Self::new()
    }
}

impl Denoiser for Edges {
    fn name(&self) -> &str {
        "edges"
    }

    fn denoise(&mut self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError> {
        self.check_shape(noisy.shape())?;
        let weight = (Self::WEIGHT * sigma * sigma) as f32;
        let mut clip = noisy.clone();
        let mut adam = Adam::new(noisy.shape().len(), Self::BETAS);
        for i in 0..Self::ITERATIONS {
            let pairs = clip.data().iter().zip(noisy.data());
            let mut gradient: Vec<f32> = pairs.map(|(u, z)| u - z).collect();
            self.prior.add_gradient(&clip, weight, &mut gradient);
            let passed = i as f64 / Self::ITERATIONS as f64;
            let rate = Self::RATE * sigma * rate_share(passed);
            adam.step(clip.data_mut(), &gradient, rate as f32);
        }
        Ok(clip)
    }

    fn check_shape(&self, shape: Shape) -> Result<(), PriorError> {
        match shape.is_empty() {
            true => Err(PriorError::Empty(shape)),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::psnr;
    use crate::noise::Noise;

    #[test]
    fn noise_on_a_still_edge_goes_away() {
        let shape = Shape::new(6, 24, 24);
        let mut clip = Clip::filled(shape, 0.3);
        for (i, value) in clip.data_mut().iter_mut().enumerate() {
            if i % shape.width > 11 {
                *value = 0.7;
            }
        }
        let noisy = Noise::seeded(1)
            .normal_clip(shape)
            .zip(&clip, |n, c| c + 0.02 * n);
        let denoised = Edges::new().denoise(&noisy, 0.02).unwrap();
        let before = psnr(noisy.data(), clip.data());
        let after = psnr(denoised.data(), clip.data());
        assert!(after > before + 10.0, "{before} {after}");
    }

    #[test]
    fn without_noise_nothing_changes() {
        let clip = Noise::seeded(2)
            .normal_clip(Shape::new(1, 3, 5))
            .map(|v| 0.5 + 0.1 * v);
        let denoised = Edges::new().denoise(&clip, 1e-7).unwrap();
        let changed = clip.zip(&denoised, |a, b| (a - b).abs());
        assert!(changed.range().1 < 1e-6);
        assert!(
            Edges::new()
                .denoise(&Clip::zeros(Shape::new(0, 3, 3)), 0.1)
                .is_err()
        );
    }
}
