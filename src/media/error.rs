use std::io;
use std::path::{Path, PathBuf};

use super::crop::Crop;
use super::datasets::Dataset;
use super::frames::{FrameRange, FrameSize};

/// What went wrong with a file, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },

    #[error(
        "{}: not a video or picture this program knows; it reads GIF, TIFF, NPY, MAT (v5), \
         PNG, JPEG, BMP, a folder of frames, and AVI, MP4, MOV, MKV or WebM through ffmpeg",
        path.display()
    )]
    UnknownFormat { path: PathBuf },

    #[error("{}: the file is damaged or not what its name says ({format}: {detail})", path.display())]
    Damaged {
        path: PathBuf,
        format: &'static str,
        detail: String,
    },

    #[error("{}: {what} is not supported; {advice}", path.display())]
    Unsupported {
        path: PathBuf,
        what: String,
        advice: &'static str,
    },

    #[error(
        "{}: {what} is more than the {limit_mib} MiB read at once; \
         choose fewer frames, or save a smaller crop",
        path.display()
    )]
    TooLarge {
        path: PathBuf,
        what: String,
        limit_mib: u64,
    },

    #[error("{}: there are no frames in it", path.display())]
    NoFrames { path: PathBuf },

    #[error(
        "{}: this frame is {found} (rows x columns) but the ones before it are {expected}; \
         all frames of a clip must have one size",
        path.display()
    )]
    MixedSizes {
        path: PathBuf,
        found: FrameSize,
        expected: FrameSize,
    },

    #[error(
        "{}: the frames {range} were asked for, but there are {frames} \
         (numbered from 0; the end of a range is excluded)",
        path.display()
    )]
    RangeOutside {
        path: PathBuf,
        range: FrameRange,
        frames: usize,
    },

    #[error(
        "{}: a crop of {crop} (rows x columns) does not fit into frames of {frame}",
        path.display()
    )]
    CropTooLarge {
        path: PathBuf,
        crop: Crop,
        frame: FrameSize,
    },

    #[error(
        "{}: frame {frame} holds {count} values that are not finite (NaN or infinity); \
         replace them before reading",
        path.display()
    )]
    NotFinite {
        path: PathBuf,
        frame: usize,
        count: usize,
    },

    #[error(
        "{}: holds no array named `{name}`; {}",
        path.display(),
        if available.is_empty() {
            "there is no readable numeric array in it".to_owned()
        } else {
            format!("name one of: {}", available.join(", "))
        }
    )]
    NoSuchArray {
        path: PathBuf,
        name: String,
        available: Vec<String>,
    },

    #[error(
        "{}: this is a MAT file of version 7.3 (HDF5), which is not read; \
         save it in MATLAB with save(..., '-v7')",
        path.display()
    )]
    MatV73 { path: PathBuf },

    #[error(
        "{}: reading this video needs the program `ffmpeg`, which was not found; install it \
         (or name it in the environment variable VDPS_FFMPEG), or bring the video in as a GIF, \
         a folder of PNG or JPEG frames, a multi-page TIFF or an NPY array",
        path.display()
    )]
    FfmpegMissing { path: PathBuf },

    #[error("{}: ffmpeg could not read this video: {detail}", path.display())]
    Ffmpeg { path: PathBuf, detail: String },

    #[error(
        "{}: cannot tell the format to write; end the name in .gif, .tif, .tiff or .npy, in .png \
         for a single frame, or give a folder name without an ending for PNG frames",
        path.display()
    )]
    UnknownOutput { path: PathBuf },

    #[error("{}: {detail}", path.display())]
    CannotWrite { path: PathBuf, detail: String },

    #[error(
        "the {dataset} data set is not there: expected {expected} in the folder {}; \
         the data folder is published at {link} and goes into the folder the command is run in \
         (or is named with --data); to go on without it: `vdps reconstruct INPUT ...` takes any \
         video, `vdps demo` needs nothing",
        folder.display()
    )]
    DatasetMissing {
        dataset: Dataset,
        expected: &'static str,
        folder: PathBuf,
        link: &'static str,
    },

    #[error("{}: {detail}", path.display())]
    DatasetClip { path: PathBuf, detail: String },
}

impl MediaError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn damaged(path: &Path, format: &'static str, detail: impl ToString) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            format,
            detail: detail.to_string(),
        }
    }

    pub(super) fn unsupported(path: &Path, what: impl Into<String>, advice: &'static str) -> Self {
        Self::Unsupported {
            path: path.to_owned(),
            what: what.into(),
            advice,
        }
    }
}
