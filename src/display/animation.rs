//! How an estimate formed, as a moving picture.

use std::path::Path;
use std::sync::Arc;

use image::{Rgb, RgbImage};

use super::figure::{BLACK, WHITE, painted};
use super::letters::{Side, write};
use super::{Layer, Look, Scene};
use crate::clip::Clip;
use crate::media::{self, MediaError};

/// One estimate of a run.
#[derive(Clone, Debug)]
pub struct Shot {
    pub clip: Arc<Clip>,
    pub caption: String,
}

/// What of each estimate is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrangement {
    /// The frame of this index.
    Frame(usize),
    AllFrames,
}

#[derive(Clone, Debug)]
pub struct Animation {
    /// In the order of their steps, of one shape.
    pub shots: Vec<Shot>,
    pub look: Look,
    pub arrangement: Arrangement,
    /// Pixels of the animation for each pixel of the video; chosen where none is given.
    pub upscaling: Option<usize>,
}

/// How long an estimate is shown, and the last one.
const SECONDS: (f32, f32) = (0.12, 2.0);
const TEXT: u32 = 16;
const CAPTION: u32 = 24;
const GAP: u32 = 2;
/// What is chosen a size for is at most this wide, and a frame of it this large.
const WIDE: (usize, usize) = (800, 512);
/// More estimates are thinned evenly, so that the file stays small enough to be sent.
const MOST: usize = 64;

impl Animation {
    /// Draws it into a GIF or, through ffmpeg, an MP4.
    ///
    /// # Errors
    /// Another ending of `path`, no estimates, no ffmpeg for an MP4, and when writing fails.
    pub fn save(&self, path: &Path) -> Result<(), MediaError> {
        let last = self.shots.len().saturating_sub(1);
        let stride = self.shots.len().div_ceil(MOST).max(1);
        let chosen = (0..self.shots.len()).filter(|index| (last - index).is_multiple_of(stride));
        let pictures = chosen.map(|index| {
            let seconds = if index == last { SECONDS.1 } else { SECONDS.0 };
            (self.picture(&self.shots[index]), seconds)
        });
        media::save_animation(path, &mut { pictures })
    }

    fn picture(&self, shot: &Shot) -> RgbImage {
        let shape = shot.clip.shape();
        let frames = match self.arrangement {
            Arrangement::Frame(frame) => {
                frame.min(shape.frames - 1)..frame.min(shape.frames - 1) + 1
            }
            Arrangement::AllFrames => 0..shape.frames,
        };
        let columns = columns(frames.len(), shape.width, shape.height);
        let chosen = (WIDE.0 / (columns * shape.width)).min(WIDE.1 / shape.width);
        let upscaling = self.upscaling.unwrap_or(chosen).max(1);
        let (width, height) = (shape.width * upscaling, shape.height * upscaling);
        let rows = frames.len().div_ceil(columns);
        let side = |count: usize, length: usize| (count * length) as u32 + (count as u32 - 1) * GAP;
        let mut picture = RgbImage::from_pixel(
            side(columns, width),
            side(rows, height) + CAPTION,
            Rgb(BLACK),
        );
        for (index, frame) in frames.enumerate() {
            let layer = Layer {
                clip: shot.clip.clone(),
                frame,
                look: self.look,
            };
            let place = |index: usize, length: usize| (index * (length + GAP as usize)) as i64;
            image::imageops::replace(
                &mut picture,
                &painted(&Scene::whole(layer), width, height),
                place(index % columns, width),
                place(index / columns, height),
            );
        }
        let below = (picture.height() - CAPTION + 4) as i32;
        write(
            &mut picture,
            &shot.caption,
            (4, below),
            TEXT,
            WHITE,
            Side::Left,
        );
        picture
    }
}

/// In how many columns so many frames make a picture about half as high as it is wide.
fn columns(frames: usize, width: usize, height: usize) -> usize {
    let square = (frames * height) as f64 / width as f64;
    let most = ((2.0 * square).sqrt().ceil() as usize).clamp(1, frames);
    // No emptier last row than need be.
    frames.div_ceil(frames.div_ceil(most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::display::{ColourMap, Range, Transform};
    use crate::media::{ReadOptions, open};

    fn animation(arrangement: Arrangement) -> Animation {
        let shape = Shape::new(10, 8, 8);
        let shot = |level: f32| Shot {
            clip: Arc::new(Clip::filled(shape, level)),
            caption: format!("step {level}"),
        };
        Animation {
            shots: vec![shot(0.0), shot(0.5), shot(1.0)],
            look: Look {
                map: ColourMap::Viridis,
                range: Range::UNIT,
                transform: Transform::Keep,
            },
            arrangement,
            upscaling: Some(4),
        }
    }

    #[test]
    fn ten_frames_stand_in_two_rows() {
        let made = animation(Arrangement::AllFrames);
        let picture = made.picture(&made.shots[0]);
        let wide = 5 * 32 + 4 * GAP;
        assert_eq!(picture.dimensions(), (wide, 2 * 32 + GAP + CAPTION));
        assert_eq!(picture.get_pixel(40, 5).0, [68, 1, 84]);
    }

    #[test]
    fn a_long_run_is_thinned_and_ends_with_its_last_estimate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.gif");
        let mut long = animation(Arrangement::Frame(0));
        let shots = (0..150).map(|step| Shot {
            clip: Arc::new(Clip::filled(Shape::new(1, 8, 8), step as f32 / 149.0)),
            caption: String::new(),
        });
        long.shots = shots.collect();
        long.save(&path).unwrap();
        let clip = open(&path, &ReadOptions::default()).unwrap().clip;
        assert_eq!(clip.shape().frames, 50);
        let yellow = ColourMap::Viridis.colour(1.0).map(f32::from);
        let luma = (0.299 * yellow[0] + 0.587 * yellow[1] + 0.114 * yellow[2]) / 255.0;
        assert!((clip.frame(49)[40] - luma).abs() < 0.01);
    }

    #[test]
    fn each_estimate_is_a_picture_of_the_animation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.gif");
        animation(Arrangement::Frame(3)).save(&path).unwrap();
        let clip = open(&path, &ReadOptions::default()).unwrap().clip;
        assert_eq!(clip.shape(), Shape::new(3, 32 + CAPTION as usize, 32));
        assert!(clip.frame(2)[40] > clip.frame(1)[40] + 0.2);
        assert!(clip.frame(1)[40] > clip.frame(0)[40] + 0.2);
    }
}
