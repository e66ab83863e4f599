//! A capture as a run takes it: cut, normalised, its dark and flat frames taken out.

use std::path::{Path, PathBuf};

use super::{FileRecord, sha256};
use crate::clip::Clip;
use crate::media::{self, Footage, FrameRange, MediaError, ReadOptions, datasets};
use crate::metrics::ShapesDiffer;
use crate::solver::{FlatField, FlatFieldError, Measurement, Quantisation};

/// The files of a capture, and how they are read.
#[derive(Clone, Debug)]
pub struct CaptureFiles {
    pub input: PathBuf,
    /// The true video, read like the input.
    pub target: Option<PathBuf>,
    pub read: ReadOptions,
    /// Stretched and darkened as the published program does with real captures.
    pub normalise: bool,
    /// Of integer formats.
    pub quantisation: Quantisation,
    /// Recorded without light, and of the light without a scene: every frame, cut like the input.
    pub dark: Option<PathBuf>,
    pub flat: Option<PathBuf>,
}

/// What was recorded.
#[derive(Clone, Debug)]
pub struct Capture {
    /// In recorded values, dark and flat frames taken out.
    pub measurement: Measurement,
    /// The same without corrections; its levels are none where it was normalised.
    pub footage: Footage,
    /// How its levels came about; none for exact data.
    pub quantisation: Option<Quantisation>,
    pub input: FileRecord,
    pub target: Option<(Footage, FileRecord)>,
    pub dark: Option<FileRecord>,
    pub flat: Option<FileRecord>,
}

/// Why a capture cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    #[error(transparent)]
    Media(#[from] MediaError),
    #[error(transparent)]
    Target(#[from] ShapesDiffer),
    #[error(transparent)]
    FlatField(#[from] FlatFieldError),
    #[error("--normalise: every value of the measurement is the same")]
    Plain,
}

impl CaptureFiles {
    /// Reads them all.
    ///
    /// # Errors
    /// Files that cannot be read or cut as asked, a target of another shape, a flat frame
    /// without light.
    pub fn open(&self) -> Result<Capture, CaptureError> {
        let (mut footage, input) = open_recorded(&self.input, &self.read)?;
        if self.normalise {
            footage.clip = datasets::normalise(&footage.clip).ok_or(CaptureError::Plain)?;
            footage.levels = None;
        }
        let shape = footage.clip.shape();
        let target = self.target.as_ref();
        let target = target.map(|path| open_recorded(path, &self.read));
        let target = target.transpose()?;
        if let Some((target, _)) = &target
            && target.clip.shape() != shape
        {
            return Err(CaptureError::Target(ShapesDiffer {
                clip: shape,
                target: target.clip.shape(),
            }));
        }
        let mut measurement = self.recorded(&footage);
        let dark = self.beside(&self.dark)?;
        let flat = self.beside(&self.flat)?;
        if dark.is_some() || flat.is_some() {
            let [d, f] = [&dark, &flat].map(|frame| frame.as_ref().map(|(clip, _)| clip));
            let field = FlatField::new((shape.height, shape.width), d, f)?;
            measurement = measurement.flattened(&field);
        }
        Ok(Capture {
            measurement,
            quantisation: counted(&footage).map(|_| self.quantisation),
            footage,
            input,
            target,
            dark: dark.map(|(_, record)| record),
            flat: flat.map(|(_, record)| record),
        })
    }

    fn recorded(&self, footage: &Footage) -> Measurement {
        let clip = footage.clip.clone();
        let Some(levels) = counted(footage) else {
            return Measurement::exact(clip);
        };
        let recorded = Measurement::quantised(clip, levels, self.quantisation);
        match self.read.resize {
            Some(_) => recorded.resampled(),
            None => recorded,
        }
    }

    /// Its half level is missing as the measurement's is.
    fn beside(&self, path: &Option<PathBuf>) -> Result<Option<(Clip, FileRecord)>, MediaError> {
        let Some(path) = path else {
            return Ok(None);
        };
        let options = ReadOptions {
            frames: FrameRange::ALL,
            ..self.read.clone()
        };
        let (footage, record) = open_recorded(path, &options)?;
        Ok(Some((self.recorded(&footage).values().clone(), record)))
    }
}

/// The largest level; ones and zeros were counted, not truncated.
fn counted(footage: &Footage) -> Option<u32> {
    footage.levels.filter(|&levels| levels > 1)
}

/// Reads a clip, and records which bytes it came from.
///
/// # Errors
/// Those of [`media::open`].
pub fn open_recorded(
    path: &Path,
    options: &ReadOptions,
) -> Result<(Footage, FileRecord), MediaError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::media::WriteOptions;

    #[test]
    fn everything_is_cut_alike_and_a_target_must_have_the_shape() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, shape: Shape| {
            let path = folder.path().join(name);
            let values = (0..shape.len()).map(|i| 0.2 + (i % 7) as f32 / 10.0);
            let clip = Clip::new(shape, values.collect());
            media::save(&path, &clip, &WriteOptions::default()).unwrap();
            path
        };
        let mut files = CaptureFiles {
            input: write("y.npy", Shape::new(4, 8, 8)),
            target: Some(write("x.npy", Shape::new(4, 8, 8))),
            read: ReadOptions {
                frames: "1..3".parse().unwrap(),
                crop: Some("4x5+2+1".parse().unwrap()),
                ..ReadOptions::default()
            },
            normalise: false,
            quantisation: Quantisation::Floor,
            dark: None,
            flat: Some(write("flat.npy", Shape::new(1, 8, 8))),
        };
        let shape = Shape::new(2, 4, 5);
        let capture = files.open().unwrap();
        assert_eq!(capture.measurement.shape(), shape);
        assert_eq!(capture.target.unwrap().0.clip.shape(), shape);
        assert_eq!(capture.input.crop, files.read.crop);
        assert_ne!(capture.measurement.values(), &capture.footage.clip);
        files.target = Some(write("short.npy", Shape::new(4, 8, 5)));
        files.read.crop = Some("4x4".parse().unwrap());
        assert!(files.open().is_ok());
        files.read.crop = None;
        assert!(matches!(files.open(), Err(CaptureError::Target(_))));
    }
}
