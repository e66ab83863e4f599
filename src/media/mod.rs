//! Video in and out: one trait each way, a file per format.
//!
//! | format | in | out |
//! |---|---|---|
//! | GIF | yes | 256 exact grey levels, 120 ms a frame |
//! | folder of PNG, JPEG, BMP, TIFF frames | yes, in natural order | PNG, 8 or 16 bit |
//! | TIFF, one page a frame | 8, 16, 32-bit unsigned, 16, 32, 64-bit float, grey or RGB | 32-bit float |
//! | NPY `[H,W]` or `[F,H,W]` | u8, u16, u32, bool, f32, f64 | f32 |
//! | MAT v5 | a named numeric array `[H,W]` or `[H,W,F]` | |
//! | AVI, MP4, MOV, MKV, WebM | through ffmpeg | |
//!
//! Colour becomes Rec. 601 luma. Integer formats are scaled to [0, 1] and not rounded again;
//! floating-point data stays as it is. The loaders of the published data sets
//! ([`datasets`]) round to 8 bits where the published ones do.

mod colour;
mod crop;
pub mod datasets;
mod error;
mod ffmpeg;
mod frames;
mod gif;
mod grey;
mod images;
mod mat;
mod mp4;
mod npy;
mod output;
mod resize;
mod sink;
mod tiff;

#[cfg(test)]
mod corruption;

use std::fs;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

pub use colour::{Reel, save_animation, save_picture};
pub use crop::{Crop, CropError};
pub use error::MediaError;
pub use frames::{FrameRange, FrameRangeError, FrameSize, FrameSizeError};
pub use images::write_png;

use crate::clip::Clip;
use sink::{FrameSink, Origin};

/// A clip as read, with what its file says about it.
#[derive(Clone, Debug)]
pub struct Footage {
    /// Grey frames; in [0, 1] for integer formats, as stored for floating-point ones.
    pub clip: Clip,
    /// The largest level of an integer source (255, 65535, 1 for booleans; the coarsest where
    /// frames differ), none for floating-point data.
    pub levels: Option<u32>,
    /// The size of one pixel of `clip`, where the file gives it (TIFF).
    pub pixel_pitch_um: Option<f64>,
    /// The layer's distance in metres, where the file gives it (`z` of a MAT file).
    pub distance_m: Option<f64>,
    pub source: PathBuf,
}

/// Which part of a video is read, and how large.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadOptions {
    pub frames: FrameRange,
    /// Keep a part of each frame; done before `resize`.
    pub crop: Option<Crop>,
    /// Antialiased bicubic, within the range of each frame's values.
    pub resize: Option<FrameSize>,
    /// The array to read from a MAT file; `holo_roi_crop` when none is named.
    pub array: Option<String>,
}

/// How a value in [0, 1] becomes a level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest level.
    #[default]
    Round,
    /// Down: floor(255 v), as the published GIFs are written.
    Truncate,
}

/// Bits of a level in PNG frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PngDepth {
    #[default]
    Eight,
    Sixteen,
}

/// How a clip is written.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WriteOptions {
    /// Of GIF and PNG levels.
    pub rounding: Rounding,
    pub png_depth: PngDepth,
    /// Recorded in TIFF files.
    pub pixel_pitch_um: Option<f64>,
}

/// Reads one format.
trait VideoReader: Sync {
    /// What the format is called in messages.
    fn name(&self) -> &'static str;

    /// Whether this is the reader for `path`, whose first bytes are `head` (none for a folder).
    fn accepts(&self, path: &Path, head: &[u8]) -> bool;

    /// Hands the frames to `sink` in order, from the very first one, until it has enough.
    fn read(
        &self,
        path: &Path,
        options: &ReadOptions,
        sink: &mut FrameSink,
    ) -> Result<Origin, MediaError>;
}

/// Writes one format.
trait VideoWriter: Sync {
    /// Whether the name of `path` asks for this format.
    fn writes(&self, path: &Path) -> bool;

    /// Writes `clip` to `path`, where nothing is yet.
    fn write(&self, path: &Path, clip: &Clip, options: &WriteOptions) -> Result<(), MediaError>;
}

const READERS: [&dyn VideoReader; 7] = [
    &gif::Gif,
    &tiff::Tiff,
    &npy::Npy,
    &mat::Mat,
    &images::Picture,
    &images::Folder,
    &ffmpeg::Ffmpeg,
];

const WRITERS: [&dyn VideoWriter; 5] = [
    &gif::Gif,
    &tiff::Tiff,
    &npy::Npy,
    &images::Picture,
    &images::Folder,
];

/// Enough of a file's beginning to tell every format.
const HEAD_LEN: u64 = 600;

/// Reads a clip; the format is told from the file's content, for videos also from its name.
///
/// # Errors
/// When the file is missing, damaged, too large or of no known format, when the frames or the
/// crop asked for are not in it, and when float data holds NaN or infinity.
pub fn open(path: &Path, options: &ReadOptions) -> Result<Footage, MediaError> {
    read_into(FrameSink::new(path, options), path, options)
}

/// Reads a clip that may be longer than memory: `take` gets each frame as it is decoded, row
/// after row, and the largest level of an integer source as in [`Footage::levels`].
///
/// # Errors
/// Those of [`open`].
pub fn stream(
    path: &Path,
    options: &ReadOptions,
    take: &mut dyn FnMut(FrameSize, &[f32], Option<u32>),
) -> Result<(), MediaError> {
    read_into(FrameSink::passing_on(path, options, take), path, options).map(drop)
}

fn read_into(
    mut sink: FrameSink,
    path: &Path,
    options: &ReadOptions,
) -> Result<Footage, MediaError> {
    let head = head_of(path)?;
    let reader = READERS
        .iter()
        .find(|reader| reader.accepts(path, &head))
        .ok_or_else(|| MediaError::UnknownFormat {
            path: path.to_owned(),
        })?;
    guarded(path, reader.name(), || {
        let origin = reader.read(path, options, &mut sink)?;
        sink.finish(origin)
    })
}

/// Reads a mask for a measurement that was cut like this. A mask of one frame serves every frame,
/// whichever were chosen. Resampling would make values between 0 and 1, so a mask for resized
/// frames is taken as it is, and so is one that has the size of the cut frames already.
///
/// # Errors
/// Those of [`open`].
pub fn open_mask(path: &Path, cut: &ReadOptions) -> Result<Clip, MediaError> {
    let read = |frames, crop| {
        let options = ReadOptions {
            frames,
            crop,
            resize: None,
            array: cut.array.clone(),
        };
        Ok(open(path, &options)?.clip)
    };
    let mask = read(FrameRange::ALL, None)?;
    let size = FrameSize::new(mask.shape().height, mask.shape().width);
    let cropped = |crop: &Crop| cut.resize.is_none() && crop.size != size;
    let crop = cut.crop.filter(cropped);
    let mask = match crop {
        Some(_) => read(FrameRange::ALL, crop)?,
        None => mask,
    };
    if mask.shape().frames == 1 || cut.frames == FrameRange::ALL {
        return Ok(mask);
    }
    read(cut.frames, crop)
}

/// Writes a clip; the ending of `path` picks the format: `.gif`, `.tif` or `.tiff`, `.npy`,
/// `.png` for a single frame, none for a folder of PNG frames.
///
/// The file appears under its name only once it is complete; missing folders are made.
///
/// # Errors
/// When no format has that ending, when the format cannot hold the clip, and when writing fails.
pub fn save(path: &Path, clip: &Clip, options: &WriteOptions) -> Result<(), MediaError> {
    let writer = WRITERS
        .iter()
        .find(|writer| writer.writes(path))
        .ok_or_else(|| MediaError::UnknownOutput {
            path: path.to_owned(),
        })?;
    if clip.shape().is_empty() {
        return Err(MediaError::CannotWrite {
            path: path.to_owned(),
            detail: format!("a clip of {} has nothing to write", clip.shape()),
        });
    }
    output::replace(path, |partial| writer.write(partial, clip, options))
}

fn head_of(path: &Path) -> Result<Vec<u8>, MediaError> {
    let mut head = Vec::new();
    if !fs::metadata(path).map_err(MediaError::io(path))?.is_dir() {
        let file = fs::File::open(path).map_err(MediaError::io(path))?;
        file.take(HEAD_LEN)
            .read_to_end(&mut head)
            .map_err(MediaError::io(path))?;
    }
    Ok(head)
}

/// Turns a panic of a format library, which damaged files can cause, into an error.
fn guarded<T>(
    path: &Path,
    format: &'static str,
    read: impl FnOnce() -> Result<T, MediaError>,
) -> Result<T, MediaError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(MediaError::damaged(
            path,
            format,
            "the decoder gave up on it",
        ))
    })
}

/// The ending of a file's name in lower case, empty where there is none.
fn extension(path: &Path) -> String {
    let extension = path.extension().unwrap_or_default();
    extension.to_string_lossy().to_ascii_lowercase()
}

/// A value in [0, 1] (outside it: clipped) as one of `white + 1` levels.
fn to_level(value: f32, white: u16, rounding: Rounding) -> u16 {
    let scaled = value.clamp(0.0, 1.0) * f32::from(white);
    match rounding {
        Rounding::Round => scaled.round() as u16,
        Rounding::Truncate => scaled as u16,
    }
}
