//! What is kept so that a training goes on after it was stopped, or killed.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use super::config::NetworkConfig;
use super::curve::Curve;
use super::optimiser::Optimiser;

#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "{} is no state of a training ({reason}): move it away to begin anew",
        path.display()
    )]
    Unfit { path: PathBuf, reason: String },
}

/// A training between two steps.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub notes: Notes,
    pub parameters: Vec<f32>,
    pub optimiser: Optimiser,
}

/// All but the numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notes {
    /// Steps done.
    pub step: usize,
    pub seed: u64,
    /// Time spent so far.
    pub seconds: f64,
    pub network: NetworkConfig,
    pub curve: Curve,
}

const FILE: &str = "state.safetensors";
const NOTES: &str = "training";
const ROWS: [&str; 4] = ["parameters", "average", "first", "second"];

impl State {
    pub fn path(folder: &Path) -> PathBuf {
        folder.join(FILE)
    }

    /// Replaces the state in `folder`. Whenever the program ends, one of the two is whole.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), StateError> {
        let Optimiser {
            first,
            second,
            average,
        } = &self.optimiser;
        let rows = [&self.parameters, average, first, second];
        let bytes =
            rows.map(|row| -> Vec<u8> { row.iter().flat_map(|v| v.to_le_bytes()).collect() });
        let views = ROWS.iter().zip(&bytes).map(|(name, bytes)| {
            let view = TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes);
            (*name, view.expect("bytes and shape agree"))
        });
        let notes = serde_json::to_string(&self.notes).expect("notes are plain data");
        let notes = HashMap::from([(NOTES.to_owned(), notes)]);
        let views: Vec<_> = views.collect();
        let bytes = safetensors::serialize(views, Some(notes)).expect("names and views are sound");
        replace(&Self::path(folder), &bytes)
    }

    /// The state in `folder`, if there is one.
    ///
    /// # Errors
    /// A file that is damaged or something else.
    pub fn load(folder: &Path) -> Result<Option<Self>, StateError> {
        let path = Self::path(folder);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => {
                let reason = e.to_string();
                return Err(StateError::Unfit { path, reason });
            }
        };
        let read = || -> Result<Self, String> {
            let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| e.to_string())?;
            let notes = header
                .metadata()
                .as_ref()
                .and_then(|notes| notes.get(NOTES));
            let notes = notes.ok_or("it has no notes of a training")?;
            let notes = serde_json::from_str(notes).map_err(|e| e.to_string())?;
            let arrays = SafeTensors::deserialize(&bytes).map_err(|e| e.to_string())?;
            let row = |name: &str| -> Result<Vec<f32>, String> {
                let view = arrays.tensor(name).map_err(|e| e.to_string())?;
                let numbers = view.data().as_chunks::<4>().0;
                Ok(numbers.iter().map(|&b| f32::from_le_bytes(b)).collect())
            };
            let [parameters, average, first, second] = ROWS.map(row);
            let state = Self {
                notes,
                parameters: parameters?,
                optimiser: Optimiser {
                    first: first?,
                    second: second?,
                    average: average?,
                },
            };
            let Optimiser {
                first,
                second,
                average,
            } = &state.optimiser;
            let length = state.parameters.len();
            if [first, second, average]
                .iter()
                .any(|row| row.len() != length)
            {
                return Err("its rows differ in length".into());
            }
            Ok(state)
        };
        read()
            .map(Some)
            .map_err(|reason| StateError::Unfit { path, reason })
    }
}

/// Writes `bytes` beside `path` and moves them there.
///
/// # Errors
/// A file that cannot be written; the old one is then still there.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let beside = path.with_extension("partial");
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|source| StateError::Write {
        path: path.to_owned(),
        source,
    })
}
