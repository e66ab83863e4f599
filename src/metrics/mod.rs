//! How close a clip is to its target, and how well it explains a measurement.
//!
//! All of it is in f64, with a data range of 1, as the published numbers are.

mod agreement;
mod aligned;
mod fit;
mod psf;
mod psnr;
mod ssim;
mod whiteness;

pub use agreement::spread;
pub use aligned::{Alignment, aligned};
pub use fit::{Fit, fit};
pub use psf::{PsfMatch, psf_correlation};
pub use psnr::{mean_square_error, psnr, rms};
pub use ssim::{SsimError, ssim};
pub use whiteness::Whiteness;

use serde::{Deserialize, Serialize};

use crate::clip::{Clip, Shape};

/// Two clips that cannot be compared pixel by pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the clip is {clip} and its target {target} (frames x rows x columns): they must agree; \
     choose frames, crop or resize so that they do"
)]
pub struct ShapesDiffer {
    pub clip: Shape,
    pub target: Shape,
}

/// A clip against its target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Over the whole clip; none where the clips are equal.
    pub psnr_db: Option<f64>,
    /// Mean over the frames; none for frames smaller than its window.
    pub ssim: Option<f64>,
    /// After the best gain and offset onto the target, for captures of unknown scale.
    pub fitted_psnr_db: Option<f64>,
    pub fitted_gain: f64,
    pub fitted_offset: f64,
    pub frames: Vec<FrameQuality>,
}

/// One frame against its target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameQuality {
    pub psnr_db: Option<f64>,
    pub ssim: Option<f64>,
}

impl Quality {
    /// # Errors
    /// Clips of different shapes.
    pub fn of(clip: &Clip, target: &Clip) -> Result<Self, ShapesDiffer> {
        let (a, b) = (clip.shape(), target.shape());
        if a != b {
            return Err(ShapesDiffer { clip: a, target: b });
        }
        let pairs = clip.frames().zip(target.frames());
        let frames: Vec<FrameQuality> = pairs
            .map(|(frame, target)| FrameQuality {
                psnr_db: finite(psnr(frame, target)),
                ssim: ssim(frame, target, a.width).ok(),
            })
            .collect();
        let similarities: Option<Vec<f64>> = frames.iter().map(|f| f.ssim).collect();
        let fit = fit(clip.data(), target.data());
        Ok(Self {
            psnr_db: finite(psnr(clip.data(), target.data())),
            ssim: similarities.map(|all| all.iter().sum::<f64>() / all.len() as f64),
            fitted_psnr_db: finite(fit.psnr_db),
            fitted_gain: fit.gain,
            fitted_offset: fit.offset,
            frames,
        })
    }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_clips_have_no_finite_psnr_and_full_similarity() {
        let shape = Shape::new(2, 12, 12);
        let data = (0..shape.len()).map(|i| (i % 7) as f32 / 7.0).collect();
        let clip = Clip::new(shape, data);
        let quality = Quality::of(&clip, &clip).unwrap();
        assert_eq!((quality.psnr_db, quality.fitted_psnr_db), (None, None));
        assert!((quality.ssim.unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(quality.frames.len(), 2);
    }

    #[test]
    fn the_clip_is_scored_as_a_whole_and_frame_by_frame() {
        let shape = Shape::new(2, 11, 11);
        let target = Clip::zeros(shape);
        let mut clip = target.clone();
        clip.frame_mut(1).fill(0.1);
        let quality = Quality::of(&clip, &target).unwrap();
        assert!((quality.psnr_db.unwrap() - 23.0103).abs() < 1e-4);
        assert_eq!(quality.frames[0].psnr_db, None);
        assert!((quality.frames[1].psnr_db.unwrap() - 20.0).abs() < 1e-4);
    }

    #[test]
    fn other_shapes_are_refused_with_both_named() {
        let clip = Clip::zeros(Shape::new(1, 12, 12));
        let target = Clip::zeros(Shape::new(2, 12, 12));
        let message = Quality::of(&clip, &target).unwrap_err().to_string();
        assert!(message.contains("1x12x12") && message.contains("2x12x12"));
    }

    #[test]
    fn small_frames_have_no_similarity() {
        let clip = Clip::zeros(Shape::new(1, 4, 12));
        assert_eq!(Quality::of(&clip, &clip).unwrap().ssim, None);
    }
}
