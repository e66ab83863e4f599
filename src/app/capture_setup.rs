//! How the capture that is open is read; it belongs to that capture, not to the next one.

use std::path::{Path, PathBuf};

use crate::media::{Crop, FrameRange, FrameSize, ReadOptions};
use crate::run::CaptureFiles;
use crate::solver::Quantisation;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaptureSetup {
    pub frames: FrameRange,
    pub region: Option<Crop>,
    pub resize: Option<FrameSize>,
    pub dark: Option<PathBuf>,
    pub flat: Option<PathBuf>,
    pub normalise: bool,
}

impl CaptureSetup {
    /// Which part of each file is read.
    pub fn read(&self) -> ReadOptions {
        ReadOptions {
            frames: self.frames,
            crop: self.region,
            resize: self.resize,
            array: None,
        }
    }

    /// The files that `reconstruct` reads with the same flags.
    pub fn files(&self, input: &Path, target: Option<&Path>) -> CaptureFiles {
        CaptureFiles {
            input: input.to_owned(),
            target: target.map(Path::to_owned),
            read: self.read(),
            normalise: self.normalise,
            quantisation: Quantisation::Floor,
            dark: self.dark.clone(),
            flat: self.flat.clone(),
        }
    }

    /// As flags of `reconstruct`.
    pub fn flags(&self) -> Vec<String> {
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        let frames = (self.frames != FrameRange::ALL).then(|| self.frames.to_string());
        let given = [
            ("frames", frames),
            ("crop", self.region.map(|region| region.to_string())),
            ("resize", self.resize.map(|size| size.to_string())),
            ("dark", self.dark.as_ref().map(path)),
            ("flat", self.flat.as_ref().map(path)),
        ];
        let given = given
            .into_iter()
            .filter_map(|(name, value)| Some(format!("--{name}={}", value?)));
        let normalise = self.normalise.then(|| "--normalise".to_owned());
        given.chain(normalise).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_becomes_a_flag() {
        assert!(CaptureSetup::default().flags().is_empty());
        let setup = CaptureSetup {
            frames: "2..8:2".parse().unwrap(),
            region: Some("32x48+4+8".parse().unwrap()),
            resize: Some("64".parse().unwrap()),
            dark: None,
            flat: Some("my flat.tif".into()),
            normalise: true,
        };
        assert_eq!(
            setup.flags().join(" "),
            "--frames=2..8:2 --crop=32x48+4+8 --resize=64x64 --flat=my flat.tif --normalise"
        );
    }
}
