//! The capture that is open.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};

use super::capture_setup::CaptureSetup;
use crate::clip::{Clip, Shape};
use crate::run::demos::{Demo, DemoFiles};
use crate::run::{Capture, CaptureError, plan};
use crate::solver::Measurement;
use crate::worker::Notify;

/// A capture as read, with the true video where there is one.
pub struct Source {
    pub path: PathBuf,
    pub truth_path: Option<PathBuf>,
    /// The bundled capture that it is.
    pub demo: Option<&'static Demo>,
    pub cut: CaptureSetup,
    /// The shape before anything was cut.
    pub whole: Shape,
    pub measurement: Arc<Measurement>,
    /// The measurement's values: what the run will use.
    pub recorded: Arc<Clip>,
    pub truth: Option<Arc<Clip>>,
    /// Largest level of an integer format.
    pub levels: Option<u32>,
    pub pixel_pitch_um: Option<f64>,
    pub saturated_share: f64,
    /// How many values lie in each of equal bins from the smallest to the largest.
    pub histogram: Vec<u32>,
    pub range: (f32, f32),
    /// How much longer clips of this shape take here than the nominal times.
    pub slowness: f64,
}

/// What is to be read.
#[derive(Clone)]
pub enum Wanted {
    File {
        path: PathBuf,
        truth: Option<PathBuf>,
    },
    Demo {
        demo: &'static Demo,
        /// Where its files go.
        folder: PathBuf,
    },
    /// The open capture once more, read otherwise.
    Again {
        path: PathBuf,
        truth: Option<PathBuf>,
        demo: Option<&'static Demo>,
        cut: CaptureSetup,
        whole: Shape,
    },
}

/// A capture, and what its demo needs beside it.
pub struct Read {
    pub source: Source,
    pub demo_files: Option<DemoFiles>,
    /// The open capture was read again.
    pub again: bool,
}

/// Reads in a thread of its own: a video may take its time.
pub struct Loading {
    /// What the user calls it.
    pub name: String,
    result: Receiver<Result<Read, String>>,
}

impl Wanted {
    pub fn name(&self) -> String {
        match self {
            Self::File { path, .. } | Self::Again { path, .. } => name(path),
            Self::Demo { demo, .. } => demo.title.to_owned(),
        }
    }

    /// # Errors
    /// Files that cannot be read, a truth of another shape.
    pub fn read(&self) -> Result<Read, String> {
        let cut = CaptureSetup::default();
        match self {
            Self::File { path, truth } => {
                let source = Source::read(path, truth.as_deref(), cut, None)?;
                Ok(Read {
                    source,
                    demo_files: None,
                    again: false,
                })
            }
            Self::Demo { demo, folder } => {
                let files = demo.unpack(folder).map_err(|error| error.to_string())?;
                let source = Source::read(&files.measurement, Some(&files.truth), cut, None)?;
                Ok(Read {
                    source: Source {
                        demo: Some(demo),
                        ..source
                    },
                    demo_files: Some(files),
                    again: false,
                })
            }
            Self::Again {
                path,
                truth,
                demo,
                cut,
                whole,
            } => {
                let source = Source::read(path, truth.as_deref(), cut.clone(), Some(*whole))?;
                Ok(Read {
                    source: Source {
                        demo: *demo,
                        ..source
                    },
                    demo_files: None,
                    again: true,
                })
            }
        }
    }
}

impl Loading {
    pub fn begin(wanted: Wanted, notify: Notify) -> Self {
        let (sender, result) = bounded(1);
        let name = wanted.name();
        std::thread::spawn(move || {
            let read = std::panic::catch_unwind(|| wanted.read());
            let read = read.unwrap_or_else(|_| Err("the program failed while reading it".into()));
            let _ = sender.send(read);
            notify();
        });
        Self { name, result }
    }

    pub fn result(&self) -> Option<Result<Read, String>> {
        self.result.try_recv().ok()
    }
}

const BINS: usize = 64;

impl Source {
    /// `whole` is the shape before cutting, where it is known already.
    fn read(
        path: &Path,
        truth_path: Option<&Path>,
        cut: CaptureSetup,
        whole: Option<Shape>,
    ) -> Result<Self, String> {
        let Capture {
            measurement,
            footage,
            quantisation,
            target,
            ..
        } = cut.files(path, truth_path).open().map_err(said)?;
        let recorded = measurement.values().clone();
        let range = recorded.range();
        Ok(Self {
            path: path.to_owned(),
            truth_path: truth_path.map(Path::to_owned),
            demo: None,
            whole: whole.unwrap_or(recorded.shape()),
            cut,
            saturated_share: measurement.saturated_share(),
            measurement: Arc::new(measurement),
            histogram: histogram(&recorded, range),
            range,
            slowness: plan::slowness(recorded.shape()),
            recorded: Arc::new(recorded),
            truth: target.map(|(truth, _)| Arc::new(truth.clip)),
            levels: quantisation.and(footage.levels),
            pixel_pitch_um: footage.pixel_pitch_um,
        })
    }

    pub fn name(&self) -> String {
        self.demo
            .map_or_else(|| name(&self.path), |demo| demo.title.to_owned())
    }

    /// Itself, read otherwise.
    pub fn again(&self, cut: CaptureSetup) -> Wanted {
        Wanted::Again {
            path: self.path.clone(),
            truth: self.truth_path.clone(),
            demo: self.demo,
            cut,
            whole: self.whole,
        }
    }

    /// The kind of numbers in the file.
    pub fn depth(&self) -> String {
        match self.levels {
            Some(levels) => format!("{} levels", u64::from(levels) + 1),
            None => "real numbers".into(),
        }
    }
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// In the window's words.
fn said(error: CaptureError) -> String {
    match error {
        CaptureError::Target(shapes) => format!(
            "the capture is {}, but the true video {} (frames x rows x columns): choose another, \
             or none",
            shapes.clip, shapes.target
        ),
        CaptureError::Plain => "every value is the same: there is nothing to normalise".into(),
        CaptureError::Media(error) => error.to_string(),
        CaptureError::FlatField(error) => error.to_string(),
    }
}

fn histogram(clip: &Clip, (low, high): (f32, f32)) -> Vec<u32> {
    let mut counts = vec![0; BINS];
    let scale = BINS as f32 / (high - low).max(f32::MIN_POSITIVE);
    for value in clip.data() {
        let bin = ((value - low) * scale) as usize;
        counts[bin.min(BINS - 1)] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_counted_once() {
        let clip = Clip::new(Shape::new(1, 1, 4), vec![0.0, 0.5, 1.0, 1.0]);
        let counts = histogram(&clip, clip.range());
        assert_eq!((counts[0], counts[32], counts[63]), (1, 1, 2));
        assert_eq!(counts.iter().sum::<u32>(), 4);
    }

    #[test]
    fn a_missing_file_is_named() {
        let wanted = Wanted::File {
            path: "no/such.gif".into(),
            truth: None,
        };
        let Err(error) = wanted.read() else {
            panic!("read a file that is not there");
        };
        assert!(error.contains("such.gif"), "{error}");
    }
}
