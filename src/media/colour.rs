//! Colour pictures out: figures and animations.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use gif::{Encoder, Frame, Repeat};
use image::RgbImage;

use super::{MediaError, extension, mp4, output};

/// Colour pictures of one size and for how long each is shown, in seconds.
pub type Reel<'a> = &'a mut dyn Iterator<Item = (RgbImage, f32)>;

/// Writes a picture as PNG. The file appears under its name only once it is complete.
///
/// # Errors
/// When writing fails.
pub fn save_picture(path: &Path, picture: &RgbImage) -> Result<(), MediaError> {
    output::replace(path, |partial| {
        output::to_file(partial, |file| {
            picture.write_with_encoder(image::codecs::png::PngEncoder::new(file))
        })
    })
}

/// Writes an animation, as GIF or, through ffmpeg, as MP4: the ending of `path` says which.
///
/// # Errors
/// Another ending, no pictures or pictures of several sizes, no ffmpeg for an MP4, and when
/// writing fails.
pub fn save_animation(path: &Path, reel: Reel) -> Result<(), MediaError> {
    match extension(path).as_str() {
        "gif" => output::replace(path, |partial| write_gif(partial, reel)),
        "mp4" => output::replace(path, |partial| mp4::write(partial, reel)),
        _ => Err(MediaError::CannotWrite {
            path: path.to_owned(),
            detail: "an animation is a GIF or an MP4: end its name in .gif or .mp4".into(),
        }),
    }
}

pub(super) fn first_of(path: &Path, reel: Reel) -> Result<(RgbImage, f32), MediaError> {
    reel.next().ok_or_else(|| MediaError::CannotWrite {
        path: path.to_owned(),
        detail: "there are no pictures to write".into(),
    })
}

fn write_gif(path: &Path, reel: Reel) -> Result<(), MediaError> {
    let first = first_of(path, reel)?;
    let (width, height) = first.0.dimensions();
    let side = |length: u32| {
        u16::try_from(length).map_err(|_| MediaError::CannotWrite {
            path: path.to_owned(),
            detail: format!("a GIF holds at most 65535 rows and columns, not {width}x{height}"),
        })
    };
    let (width, height) = (side(width)?, side(height)?);
    output::to_file(path, |file| {
        let mut encoder = Encoder::new(file, width, height, &[])?;
        encoder.set_repeat(Repeat::Infinite)?;
        for (picture, seconds) in std::iter::once(first).chain(reel) {
            let (palette, buffer) = indexed(&picture);
            encoder.write_frame(&Frame {
                // In hundredths of a second.
                delay: (100.0 * seconds).round() as u16,
                width: picture.width() as u16,
                height: picture.height() as u16,
                palette: Some(palette),
                buffer: buffer.into(),
                ..Frame::default()
            })?;
        }
        encoder.into_inner().map(drop)
    })
}

/// A palette and an index into it for each pixel. Exact for up to 256 colours; of more, the
/// lowest bits are given up until they are that few.
fn indexed(picture: &RgbImage) -> (Vec<u8>, Vec<u8>) {
    let coarse = |pixel: &image::Rgb<u8>, bits: u32| {
        let kept = 0xff_u8 << bits;
        pixel.0.map(|level| match bits {
            0 => level,
            _ => (level & kept) | (1 << (bits - 1)),
        })
    };
    let few = |&bits: &u32| {
        let mut colours = BTreeSet::new();
        picture.pixels().all(|pixel| {
            colours.insert(coarse(pixel, bits));
            colours.len() <= 256
        })
    };
    // With two bits a channel there are 64 colours.
    let bits = (0..=6).find(few).unwrap_or(6);
    let mut palette = Vec::new();
    let mut places = HashMap::new();
    let indices = picture.pixels().map(|pixel| {
        let colour = coarse(pixel, bits);
        *places.entry(colour).or_insert_with(|| {
            palette.extend(colour);
            (palette.len() / 3 - 1) as u8
        })
    });
    let indices = indices.collect();
    (palette, indices)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{ReadOptions, open};

    fn picture(shade: u8) -> RgbImage {
        RgbImage::from_fn(20, 10, |x, y| {
            image::Rgb([shade, (x * 12) as u8, (y * 25) as u8])
        })
    }

    #[test]
    fn few_colours_are_exact_and_many_are_near() {
        let (palette, indices) = indexed(&picture(7));
        for (pixel, &index) in picture(7).pixels().zip(&indices) {
            assert_eq!(pixel.0, palette[3 * usize::from(index)..][..3]);
        }
        let many = RgbImage::from_fn(64, 64, |x, y| {
            image::Rgb([(4 * x) as u8, (4 * y) as u8, (x + y) as u8])
        });
        let (palette, indices) = indexed(&many);
        assert!(palette.len() <= 3 * 256);
        for (pixel, &index) in many.pixels().zip(&indices) {
            let near = &palette[3 * usize::from(index)..][..3];
            assert!(pixel.0.iter().zip(near).all(|(a, b)| a.abs_diff(*b) <= 32));
        }
    }

    #[test]
    fn an_animation_has_all_its_pictures() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.gif");
        let mut reel = [10, 90, 250].map(|shade| (picture(shade), 0.2)).into_iter();
        save_animation(&path, &mut reel).unwrap();
        let footage = open(&path, &ReadOptions::default()).unwrap();
        assert_eq!(footage.clip.shape().to_string(), "3x10x20");
        let error = save_animation(&folder.path().join("run.webm"), &mut std::iter::empty());
        assert!(error.unwrap_err().to_string().contains(".gif or .mp4"));
    }
}
