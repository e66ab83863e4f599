//! Which part of a clip is read, as flags.

use std::path::Path;

use crate::media::{Crop, Footage, FrameRange, FrameSize, MediaError, ReadOptions};
use crate::run::{FileRecord, open_recorded};

#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Input")]
pub struct InputArgs {
    /// The frames A to B, numbered from 0, B excluded; A..B:N takes every N-th
    #[arg(long, value_name = "A..B", default_value_t)]
    pub frames: FrameRange,

    /// Keep the centre of each frame (rows x columns, or one number for a square), or with
    /// +ROW+COLUMN the part that begins there, counted from 0; done before --resize
    #[arg(long, value_name = "HxW[+ROW+COLUMN]")]
    pub crop: Option<Crop>,

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
        open_recorded(path, &self.options())
    }
}
