//! Where the readers put their frames: choosing, checking, cropping and resizing as they come,
//! so that a long or large video never has to be in memory as a whole.

use std::path::{Path, PathBuf};

use super::resize::{self, cropped};
use super::{Footage, FrameSize, MediaError, ReadOptions};
use crate::clip::{Clip, Shape};

/// The most pixels one frame may have (11585 x 11585), checked before it is allocated.
pub(super) const MAX_FRAME_PIXELS: usize = 1 << 27;

/// The most bytes a clip may take in memory, and the most read of a file that has to be read whole.
pub(super) const MAX_CLIP_BYTES: u64 = 1 << 31;

/// One decoded grey frame.
pub(super) struct Frame {
    pub size: FrameSize,
    /// Row after row.
    pub values: Vec<f32>,
    /// The largest level of an integer format, whose values are in [0, 1].
    pub levels: Option<u32>,
}

/// What a file says about itself apart from its frames.
#[derive(Default)]
pub(super) struct Origin {
    pub pixel_pitch_um: Option<f64>,
    pub distance_m: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    More,
    /// Everything asked for has arrived: the reader should stop.
    Enough,
}

/// Who gets the frames as they come, with the largest level of an integer format.
type Taker<'a> = &'a mut dyn FnMut(FrameSize, &[f32], Option<u32>);

/// Takes the frames of one clip in order, the first one first.
pub(super) struct FrameSink<'a> {
    path: &'a Path,
    options: &'a ReadOptions,
    /// Where frames go that are not kept here.
    onward: Option<Taker<'a>>,
    seen: usize,
    source_size: Option<FrameSize>,
    kept_size: Option<FrameSize>,
    levels: Option<Option<u32>>,
    data: Vec<f32>,
}

/// Checks a size before anything of it is allocated.
pub(super) fn check_frame_size(path: &Path, size: FrameSize) -> Result<usize, MediaError> {
    match size.pixels() {
        Some(0) => Err(MediaError::NoFrames {
            path: path.to_owned(),
        }),
        Some(pixels) if pixels <= MAX_FRAME_PIXELS => Ok(pixels),
        _ => Err(MediaError::TooLarge {
            path: path.to_owned(),
            what: format!("a frame of {size} pixels"),
            limit_mib: (MAX_FRAME_PIXELS as u64 * 4) >> 20,
        }),
    }
}

impl<'a> FrameSink<'a> {
    pub fn new(path: &'a Path, options: &'a ReadOptions) -> Self {
        Self {
            path,
            options,
            onward: None,
            seen: 0,
            source_size: None,
            kept_size: None,
            levels: None,
            data: Vec::new(),
        }
    }

    /// Keeps no frame, but hands each one on.
    pub fn passing_on(path: &'a Path, options: &'a ReadOptions, onward: Taker<'a>) -> Self {
        Self {
            onward: Some(onward),
            ..Self::new(path, options)
        }
    }

    /// Whether the next frame will be kept, for readers that can skip one cheaply.
    pub fn wants_next(&self) -> bool {
        self.options.frames.contains(self.seen)
    }

    /// Takes the next frame of `source` (the clip, or this frame's own file);
    /// `decode` is called only where the frame is wanted.
    pub fn offer(
        &mut self,
        source: &Path,
        decode: impl FnOnce() -> Result<Frame, MediaError>,
    ) -> Result<Wanted, MediaError> {
        if self.wants_next() {
            self.keep(source, decode()?)?;
        }
        self.seen += 1;
        let done = self
            .options
            .frames
            .end()
            .is_some_and(|end| self.seen >= end);
        Ok(if done { Wanted::Enough } else { Wanted::More })
    }

    fn keep(&mut self, source: &Path, frame: Frame) -> Result<(), MediaError> {
        let pixels = check_frame_size(source, frame.size)?;
        debug_assert_eq!(pixels, frame.values.len());
        let expected = *self.source_size.get_or_insert(frame.size);
        if frame.size != expected {
            return Err(MediaError::MixedSizes {
                path: source.to_owned(),
                found: frame.size,
                expected,
            });
        }
        let count = frame.values.iter().filter(|v| !v.is_finite()).count();
        if count > 0 {
            return Err(MediaError::NotFinite {
                path: source.to_owned(),
                frame: self.seen,
                count,
            });
        }
        let coarser = match self.levels {
            None => frame.levels,
            Some(before) => before.into_iter().chain(frame.levels).min(),
        };
        self.levels = Some(coarser);
        let levels = frame.levels;
        let (size, values) = self.fit(source, frame)?;
        self.kept_size = Some(size);
        if let Some(onward) = &mut self.onward {
            onward(size, &values, levels);
            return Ok(());
        }
        if (self.data.len() + values.len()) as u64 * 4 > MAX_CLIP_BYTES {
            return Err(MediaError::TooLarge {
                path: self.path.to_owned(),
                what: format!("the clip up to frame {}", self.seen),
                limit_mib: MAX_CLIP_BYTES >> 20,
            });
        }
        self.data.extend_from_slice(&values);
        Ok(())
    }

    fn fit(&self, source: &Path, frame: Frame) -> Result<(FrameSize, Vec<f32>), MediaError> {
        let Frame {
            mut size,
            mut values,
            ..
        } = frame;
        if let Some(crop) = self.options.crop {
            values = cropped(&values, size, 1, crop).ok_or(MediaError::CropTooLarge {
                path: source.to_owned(),
                crop,
                frame: size,
            })?;
            size = crop.size;
        }
        if let Some(to) = self.options.resize.filter(|&to| to != size) {
            check_frame_size(source, to)?;
            values = resize::bicubic(&values, size, to);
            size = to;
        }
        Ok((size, values))
    }

    /// The clip, once the reader has handed over everything it had or was told to stop.
    pub fn finish(self, origin: Origin) -> Result<Footage, MediaError> {
        let path: PathBuf = self.path.to_owned();
        if self.seen == 0 {
            return Err(MediaError::NoFrames { path });
        }
        let range = self.options.frames;
        let size = match self.kept_size {
            Some(size) if range.end().is_none_or(|end| end <= self.seen) => size,
            _ => {
                return Err(MediaError::RangeOutside {
                    path,
                    range,
                    frames: self.seen,
                });
            }
        };
        let frames = self.data.len() / (size.height * size.width);
        // Pixels keep their size on the object only where they were not resampled.
        let scale = match (self.options.resize, self.source_size) {
            (Some(to), Some(from)) => {
                let from = self.options.crop.map_or(from, |crop| crop.size);
                let (rows, columns) = (
                    from.height as f64 / to.height as f64,
                    from.width as f64 / to.width as f64,
                );
                (rows == columns).then_some(rows)
            }
            _ => Some(1.0),
        };
        Ok(Footage {
            clip: Clip::new(Shape::new(frames, size.height, size.width), self.data),
            levels: self.levels.flatten(),
            pixel_pitch_um: origin.pixel_pitch_um.zip(scale).map(|(pitch, s)| pitch * s),
            distance_m: origin.distance_m,
            source: path,
        })
    }
}
