//! Which part of a clip is read, as flags.

use std::path::Path;

use crate::media::{self, Footage, FrameRange, FrameSize, MediaError, ReadOptions};
use crate::run::{FileRecord, sha256};

#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Input")]
pub struct InputArgs {
    /// The frames A to B, numbered from 0, B excluded; A..B:N takes every N-th
    #[arg(long, value_name = "A..B", default_value_t)]
    pub frames: FrameRange,

    /// Keep the centre of each frame (rows x columns, or one number for a square); done
    /// before --resize
    #[arg(long, value_name = "HxW")]
    pub crop: Option<FrameSize>,

    /// Resize each frame (rows x columns, or one number for a square)
    #[arg(long, value_name = "HxW")]
    pub resize: Option<FrameSize>,

    /// The array to read from a MAT file
    #[arg(long, value_name = "NAME")]
    pub array: Option<String>,
}

impl InputArgs {
    pub fn options(&self) -> ReadOptions {
        ReadOptions {
            frames: self.frames,
            crop: self.crop,
            resize: self.resize,
            array: self.array.clone(),
        }
    }

    /// Reads a clip, and records which bytes it came from.
    pub fn open(&self, path: &Path) -> Result<(Footage, FileRecord), MediaError> {
        open(path, &self.options())
    }
}

/// Reads a clip, and records which bytes it came from.
pub fn open(path: &Path, options: &ReadOptions) -> Result<(Footage, FileRecord), MediaError> {
    let footage = media::open(path, options)?;
    let sha256 = sha256(path).map_err(|source| MediaError::Io {
        path: path.to_owned(),
        source,
    })?;
    let record = FileRecord {
        path: path.to_owned(),
        sha256,
        shape: footage.clip.shape(),
        levels: footage.levels,
        frames: options.frames,
        crop: options.crop,
        resize: options.resize,
        array: options.array.clone(),
    };
    Ok((footage, record))
}
