//! Captures that are part of the program, to begin with: simulated from our own scenes
//! (`data/demo/README.md` says how).

use std::path::{Path, PathBuf};

use super::{ResultsError, ResultsFolder};
use crate::clip::Clip;
use crate::media::{self, MediaError, ReadOptions};

/// A bundled capture with its truth.
pub struct Demo {
    /// On the command line.
    pub name: &'static str,
    pub title: &'static str,
    /// What the camera saw, in plain words.
    pub scene: &'static str,
    /// What is computed, in plain words.
    pub task: &'static str,
    pub behind: Behind,
    measurement: &'static [u8],
    truth: &'static [u8],
    /// Which pixels were measured.
    mask: Option<&'static [u8]>,
}

/// What stands between a demo's scene and the camera, as far as it is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Behind {
    Layer { dist_mm: f64, sigma_px: f64 },
    UnknownLayer,
    UnknownAberration,
    Haze,
    Blur { sigma_px: f64 },
    MissingPixels,
}

/// Where a demo's files lie.
#[derive(Clone, Debug)]
pub struct DemoFiles {
    pub measurement: PathBuf,
    pub truth: PathBuf,
    pub mask: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("there is no demo `{0}`: use {names}", names = Demo::names())]
    Unknown(String),
    #[error(transparent)]
    Results(#[from] ResultsError),
    #[error(transparent)]
    Media(#[from] MediaError),
}

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../data/demo/", $name))
    };
}

/// In the order in which they are shown.
pub static DEMOS: [Demo; 6] = [
    Demo {
        name: "scatter",
        title: "Through a scattering layer",
        scene: "A figure walks behind a layer that scatters light, 5 mm away.",
        task: "Distance and blur are known; the video behind the layer is not.",
        behind: Behind::Layer {
            dist_mm: 5.0,
            sigma_px: 1.0,
        },
        measurement: file!("measurement.gif"),
        truth: file!("truth.gif"),
        mask: None,
    },
    Demo {
        name: "blind",
        title: "Through an unknown layer",
        scene: "Someone exercises in a room; in each frame the layer is at another distance.",
        task: "Distance and blur of every frame are found together with the video.",
        behind: Behind::UnknownLayer,
        measurement: file!("blind/measurement.gif"),
        truth: file!("blind/truth.gif"),
        mask: None,
    },
    Demo {
        name: "aberration",
        title: "Unknown aberration",
        scene: "Writing and circles, seen through optics that are badly out of shape.",
        task: "The shape of the wavefront is found together with the video.",
        behind: Behind::UnknownAberration,
        measurement: file!("aberration/measurement.gif"),
        truth: file!("aberration/truth.gif"),
        mask: None,
    },
    Demo {
        name: "haze",
        title: "Haze",
        scene: "A boat and its wake in haze.",
        task: "The haze's veil is taken off, down to the camera's rounding.",
        behind: Behind::Haze,
        measurement: file!("haze/measurement.gif"),
        truth: file!("haze/truth.gif"),
        mask: None,
    },
    Demo {
        name: "blur",
        title: "Out of focus",
        scene: "Swimming cells under a microscope, 1.5 pixels out of focus.",
        task: "The blur's width is known; what it took away is put back.",
        behind: Behind::Blur { sigma_px: 1.5 },
        measurement: file!("blur/measurement.gif"),
        truth: file!("blur/truth.gif"),
        mask: None,
    },
    Demo {
        name: "missing",
        title: "Missing pixels",
        scene: "Drifting things, of which the camera saw three pixels in ten.",
        task: "The other seven are filled in from their neighbours in space and time.",
        behind: Behind::MissingPixels,
        measurement: file!("missing/measurement.gif"),
        truth: file!("missing/truth.gif"),
        mask: Some(file!("missing/mask.gif")),
    },
];

impl Demo {
    /// # Errors
    /// A name that no demo has.
    pub fn named(name: &str) -> Result<&'static Self, DemoError> {
        let found = DEMOS.iter().find(|demo| demo.name == name);
        found.ok_or_else(|| DemoError::Unknown(name.to_owned()))
    }

    /// Every name, as a message lists them.
    pub fn names() -> String {
        let names = DEMOS.each_ref().map(|demo| demo.name);
        let (last, others) = names.split_last().expect("there are demos");
        format!("{} or {last}", others.join(", "))
    }

    /// Writes its files into a folder, which is made.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub fn unpack(&self, folder: &Path) -> Result<DemoFiles, ResultsError> {
        let folder = ResultsFolder::create(folder)?;
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.file(name);
            // A run under way may be reading what is there already.
            if std::fs::read(&path).is_ok_and(|there| there == bytes) {
                return Ok(path);
            }
            folder.bytes(name, bytes).map(|()| path)
        };
        Ok(DemoFiles {
            measurement: write("measurement.gif", self.measurement)?,
            truth: write("truth.gif", self.truth)?,
            mask: self.mask.map(|mask| write("mask.gif", mask)).transpose()?,
        })
    }

    /// What was measured and what was there, of the same shape.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub fn clips(&self, folder: &Path) -> Result<[Clip; 2], DemoError> {
        let files = self.unpack(folder)?;
        let open = |path| media::open(path, &ReadOptions::default()).map(|footage| footage.clip);
        Ok([open(&files.measurement)?, open(&files.truth)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_demo_is_read_and_small() {
        let root = tempfile::tempdir().unwrap();
        let mut bytes = 0;
        for demo in &DEMOS {
            let folder = root.path().join(demo.name);
            let [measurement, truth] = demo.clips(&folder).unwrap();
            assert_eq!(measurement.shape(), truth.shape(), "{}", demo.name);
            assert!(measurement.shape().frames == 10, "{}", demo.name);
            let masked = demo.unpack(&folder).unwrap().mask.is_some();
            assert_eq!(masked, folder.join("mask.gif").is_file());
            assert!(Demo::named(demo.name).is_ok());
            bytes += demo.measurement.len() + demo.truth.len();
        }
        assert!(bytes < 400_000, "{bytes} bytes");
        let Err(error) = Demo::named("unicorn") else {
            panic!("there is none");
        };
        assert!(error.to_string().contains("scatter, blind"), "{error}");
    }
}
