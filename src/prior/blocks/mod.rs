//! Block matching in space and time: the project's best prior that learns nothing.

mod block;
mod pass;
mod stack;

use self::block::BlockSize;
use self::pass::Pass;
use super::{Denoiser, PriorError};
use crate::clip::{Clip, Shape};

/// Removes noise by what a clip repeats: blocks of 4 frames x 4 x 4 pixels that look alike,
/// wherever they lie within 5 frames and 5 pixels, are stacked and shrunk together.
///
/// After Dabov et al., "Image denoising by sparse 3-D transform-domain collaborative
/// filtering" (2007), and its extensions to video and volumes, Maggioni et al., "Video
/// denoising, deblocking, and enhancement through separable 4-D nonlocal spatiotemporal
/// transforms" (2012) and "Nonlocal transform-domain filter for volumetric data denoising and
/// reconstruction" (2013). Blocks are not moved along trajectories: the search follows motion
/// because it looks around the reference in every frame.
///
/// Takes clips of any shape; sides shorter than a block shorten the block. The result does not
/// depend on the number of threads.
#[derive(Clone, Debug)]
pub struct BlockMatching {
    wiener: bool,
}

impl BlockMatching {
    const FIRST: Pass = Pass {
        block: cube(4),
        step: cube(2),
        reach: cube(5),
        stack: 32,
        threshold: 2.7,
        fading: 2.0,
    };

    /// One pass: a hard threshold of the stacks' joint spectra at 2.7 sigma.
    pub fn one_stage() -> Self {
        Self { wiener: false }
    }

    /// Two passes: blocks are matched anew on the result of the first, and its stacks' power
    /// drives Wiener filters of the noisy ones. 0.6 to 1.5 dB better on noise, at twice the time.
    pub fn two_stages() -> Self {
        Self { wiener: true }
    }
}

const fn cube(side: usize) -> BlockSize {
    BlockSize {
        frames: side,
        height: side,
        width: side,
    }
}

impl Denoiser for BlockMatching {
    fn name(&self) -> &str {
        "blocks"
    }

    fn denoise(&mut self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError> {
        self.check_shape(noisy.shape())?;
        let sigma = sigma as f32;
        let first = Self::FIRST.run(noisy, None, sigma);
        Ok(match self.wiener {
            false => first,
            true => Self::FIRST.run(noisy, Some(&first), sigma),
        })
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
    use crate::scenes::Scene;

    fn noisy(clean: &Clip, sigma: f32) -> Clip {
        let noise = Noise::seeded(11).normal_clip(clean.shape());
        clean.zip(&noise, |c, n| c + sigma * n)
    }

    fn db(a: &Clip, b: &Clip) -> f64 {
        psnr(a.data(), b.data())
    }

    #[test]
    fn noise_falls_and_more_so_with_two_stages() {
        for (scene, least) in [(Scene::Walker, 8.0), (Scene::Shapes, 8.0)] {
            let clean = scene.render(Shape::new(8, 40, 37), 2);
            let noisy = noisy(&clean, 0.1);
            let one = BlockMatching::one_stage().denoise(&noisy, 0.1).unwrap();
            let two = BlockMatching::two_stages().denoise(&noisy, 0.1).unwrap();
            let (before, one, two) = (db(&noisy, &clean), db(&one, &clean), db(&two, &clean));
            assert!(one > before + least, "{scene}: {before} {one}");
            assert!(two > one + 0.3, "{scene}: {one} {two}");
        }
    }

    #[test]
    fn a_flat_clip_stays() {
        let clip = Clip::filled(Shape::new(5, 9, 11), 0.37);
        for mut blocks in [BlockMatching::one_stage(), BlockMatching::two_stages()] {
            let out = blocks.denoise(&clip, 0.05).unwrap();
            assert!(out.data().iter().all(|v| (v - 0.37).abs() < 1e-5));
        }
    }

    #[test]
    fn scaling_and_lifting_pass_through() {
        let clip = noisy(&Scene::Shapes.render(Shape::new(5, 25, 22), 1), 0.05);
        let out = BlockMatching::one_stage().denoise(&clip, 0.05).unwrap();
        let close = |a: &Clip, b: &Clip, slack: f64| {
            let worst = a.data().iter().zip(b.data());
            let off = worst.filter(|(a, b)| (*a - *b).abs() > 1e-4).count();
            off as f64 <= slack * a.shape().len() as f64
        };
        // Powers of two change no rounding.
        let scaled = BlockMatching::one_stage()
            .denoise(&clip.map(|v| 2.0 * v), 0.1)
            .unwrap();
        assert_eq!(scaled, out.map(|v| 2.0 * v));
        // An offset may move a coefficient across the threshold by rounding, here and there.
        let lifted = BlockMatching::one_stage()
            .denoise(&clip.map(|v| v + 0.5), 0.05)
            .unwrap();
        assert!(close(&lifted.map(|v| v - 0.5), &out, 0.02));
    }

    #[test]
    fn threads_change_nothing() {
        let clip = noisy(&Scene::Walker.render(Shape::new(6, 40, 24), 5), 0.05);
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let mut blocks = BlockMatching::two_stages();
            pool.build()
                .unwrap()
                .install(|| blocks.denoise(&clip, 0.05).unwrap())
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn any_shape_and_any_noise_level_will_do() {
        for (frames, height, width) in [(1, 1, 1), (1, 24, 17), (2, 3, 40), (12, 5, 2), (3, 16, 16)]
        {
            let shape = Shape::new(frames, height, width);
            let clip = noisy(&Clip::filled(shape, 0.5), 0.1);
            for sigma in [1e-30, 1e-12, 1e-3, 0.1, 10.0] {
                let out = BlockMatching::two_stages().denoise(&clip, sigma).unwrap();
                assert!(out.data().iter().all(|v| v.is_finite()), "{shape} {sigma}");
                if sigma < 1e-6 {
                    assert!(db(&out, &clip) > 80.0, "{shape}");
                }
            }
        }
        let still = Scene::Walker.render(Shape::new(1, 48, 48), 2);
        let before = noisy(&still, 0.1);
        let after = BlockMatching::two_stages().denoise(&before, 0.1).unwrap();
        assert!(db(&after, &still) > db(&before, &still) + 6.0);
        let empty = Clip::zeros(Shape::new(0, 4, 4));
        assert!(BlockMatching::one_stage().denoise(&empty, 0.1).is_err());
    }
}
