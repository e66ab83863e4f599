//! The folder a run writes into.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::clip::Clip;
use crate::media::{self, MediaError, WriteOptions};

/// Why results could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    #[error("{} is a file; results go into a folder: give another --out", .0.display())]
    NotAFolder(PathBuf),
    #[error("cannot write {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the result was not written")]
    Media(#[source] MediaError),
}

impl ResultsError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// A folder for the files of one run. Files of the same names are replaced, each only once
/// its successor is complete; everything else in the folder stays.
#[derive(Clone, Debug)]
pub struct ResultsFolder(PathBuf);

impl ResultsFolder {
    /// Makes the folder, and those above it.
    ///
    /// # Errors
    /// When a file is in the way, or the folder cannot be made.
    pub fn create(path: &Path) -> Result<Self, ResultsError> {
        if path.exists() && !path.is_dir() {
            return Err(ResultsError::NotAFolder(path.to_owned()));
        }
        fs::create_dir_all(path).map_err(ResultsError::io(path))?;
        Ok(Self(path.to_owned()))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a file of this name in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a clip; the ending of `name` picks the format.
    pub fn clip(
        &self,
        name: &str,
        clip: &Clip,
        options: &WriteOptions,
    ) -> Result<(), ResultsError> {
        media::save(&self.file(name), clip, options).map_err(ResultsError::Media)
    }

    /// Writes a grey picture; values in [0, 1].
    pub fn picture(
        &self,
        name: &str,
        height: usize,
        width: usize,
        values: &[f32],
    ) -> Result<(), ResultsError> {
        media::write_png(&self.file(name), height, width, values).map_err(ResultsError::Media)
    }

    pub fn json(&self, name: &str, value: &impl Serialize) -> Result<(), ResultsError> {
        let path = self.file(name);
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| ResultsError::io(&path)(error.into()))?;
        self.bytes(name, format!("{text}\n").as_bytes())
    }

    pub fn bytes(&self, name: &str, bytes: &[u8]) -> Result<(), ResultsError> {
        let path = self.file(name);
        let partial = self.file(&format!(".{name}.{}.partial", std::process::id()));
        let moved = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, &path));
        if moved.is_err() {
            // The first error is the one worth telling.
            let _ = fs::remove_file(&partial);
        }
        moved.map_err(ResultsError::io(&path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_same_name_are_replaced() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b");
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("run.json"), "old").unwrap();
        fs::write(path.join("notes.txt"), "mine").unwrap();
        let folder = ResultsFolder::create(&path).unwrap();
        folder.json("run.json", &[1, 2]).unwrap();
        assert_eq!(fs::read_to_string(path.join("notes.txt")).unwrap(), "mine");
        let text = fs::read_to_string(path.join("run.json")).unwrap();
        assert_eq!(serde_json::from_str::<Vec<u8>>(&text).unwrap(), [1, 2]);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 2);
    }

    #[test]
    fn a_file_in_the_way_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("out");
        fs::write(&path, "").unwrap();
        let error = ResultsFolder::create(&path).unwrap_err();
        assert!(matches!(error, ResultsError::NotAFolder(_)), "{error}");
    }
}
