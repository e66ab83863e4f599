//! The capture that is open.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};

use crate::clip::Clip;
use crate::media::{self, Footage, ReadOptions};
use crate::run::plan;
use crate::solver::{Measurement, Quantisation};
use crate::worker::Notify;

/// A capture as read, with the true video where there is one.
pub struct Source {
    pub path: PathBuf,
    pub truth_path: Option<PathBuf>,
    pub measurement: Arc<Measurement>,
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

/// Reads in a thread of its own: a video may take its time.
pub struct Loading {
    pub path: PathBuf,
    result: Receiver<Result<Source, String>>,
}

impl Loading {
    pub fn begin(path: PathBuf, truth: Option<PathBuf>, notify: Notify) -> Self {
        let (sender, result) = bounded(1);
        let from = path.clone();
        std::thread::spawn(move || {
            let read = std::panic::catch_unwind(|| Source::read(&from, truth.as_deref()));
            let read = read.unwrap_or_else(|_| Err("the program failed while reading it".into()));
            let _ = sender.send(read);
            notify();
        });
        Self { path, result }
    }

    pub fn result(&self) -> Option<Result<Source, String>> {
        self.result.try_recv().ok()
    }
}

const BINS: usize = 64;

impl Source {
    /// # Errors
    /// Files that cannot be read, a truth of another shape.
    pub fn read(path: &Path, truth_path: Option<&Path>) -> Result<Self, String> {
        let open = |path: &Path| {
            media::open(path, &ReadOptions::default()).map_err(|error| error.to_string())
        };
        let Footage {
            clip,
            levels,
            pixel_pitch_um,
            ..
        } = open(path)?;
        let truth = truth_path.map(open).transpose()?;
        if let Some(truth) = &truth
            && truth.clip.shape() != clip.shape()
        {
            return Err(format!(
                "the capture is {}, but the true video {} (frames x rows x columns): choose \
                 another, or none",
                clip.shape(),
                truth.clip.shape()
            ));
        }
        let levels = levels.filter(|&levels| levels > 1);
        let measurement = match levels {
            Some(levels) => Measurement::quantised(clip.clone(), levels, Quantisation::Floor),
            None => Measurement::exact(clip.clone()),
        };
        let range = clip.range();
        Ok(Self {
            path: path.to_owned(),
            truth_path: truth_path.map(Path::to_owned),
            saturated_share: measurement.saturated_share(),
            measurement: Arc::new(measurement),
            histogram: histogram(&clip, range),
            range,
            slowness: plan::slowness(clip.shape()),
            recorded: Arc::new(clip),
            truth: truth.map(|truth| Arc::new(truth.clip)),
            levels,
            pixel_pitch_um,
        })
    }

    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// The kind of numbers in the file.
    pub fn depth(&self) -> String {
        match self.levels {
            Some(levels) => format!("{} levels", u64::from(levels) + 1),
            None => "real numbers".into(),
        }
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
    use crate::clip::Shape;

    #[test]
    fn every_value_is_counted_once() {
        let clip = Clip::new(Shape::new(1, 1, 4), vec![0.0, 0.5, 1.0, 1.0]);
        let counts = histogram(&clip, clip.range());
        assert_eq!((counts[0], counts[32], counts[63]), (1, 1, 2));
        assert_eq!(counts.iter().sum::<u32>(), 4);
    }

    #[test]
    fn a_missing_file_is_named() {
        let Err(error) = Source::read(Path::new("no/such.gif"), None) else {
            panic!("read a file that is not there");
        };
        assert!(error.contains("such.gif"), "{error}");
    }
}
