//! Named arrays of golden numbers.

use std::path::Path;

use super::VerifyError;
use crate::clip::{Clip, Shape};
use crate::prior::Weights;

/// Arrays of one golden file.
pub struct Golden {
    arrays: Weights,
    file: String,
}

impl Golden {
    /// # Errors
    /// A file that is absent or no safetensors file.
    pub fn load(path: &Path) -> Result<Self, VerifyError> {
        Ok(Self {
            arrays: Weights::load(path)?,
            file: path.display().to_string(),
        })
    }

    /// Numbers that the program carries with it.
    pub fn embedded(name: &str, bytes: &[u8]) -> Result<Self, VerifyError> {
        Ok(Self {
            arrays: Weights::from_safetensors(bytes)?,
            file: format!("built-in {name}"),
        })
    }

    pub fn has(&self, name: &str) -> bool {
        self.arrays.get(name).is_some()
    }

    pub fn values(&self, name: &str) -> Result<&[f32], VerifyError> {
        let array = self.arrays.get(name).ok_or_else(|| self.missing(name))?;
        Ok(&array.data)
    }

    pub fn doubles(&self, name: &str) -> Result<Vec<f64>, VerifyError> {
        Ok(self.values(name)?.iter().map(|&v| v.into()).collect())
    }

    /// An array whose last three axes are frames, rows, columns.
    pub fn clip(&self, name: &str) -> Result<Clip, VerifyError> {
        let mut clips = self.clips(name)?;
        match (clips.pop(), clips.is_empty()) {
            (Some(clip), true) => Ok(clip),
            _ => Err(self.missing(name)),
        }
    }

    /// All clips of an array whose last three axes are frames, rows, columns.
    pub fn clips(&self, name: &str) -> Result<Vec<Clip>, VerifyError> {
        let array = self.arrays.get(name).ok_or_else(|| self.missing(name))?;
        let [.., frames, height, width] = array.shape[..] else {
            return Err(self.missing(name));
        };
        let shape = Shape::new(frames, height, width);
        if shape.is_empty() {
            return Err(self.missing(name));
        }
        let clips = array.data.chunks_exact(shape.len());
        Ok(clips.map(|data| Clip::new(shape, data.to_vec())).collect())
    }

    pub(super) fn missing(&self, name: &str) -> VerifyError {
        VerifyError::Missing {
            name: name.into(),
            file: self.file.clone(),
        }
    }
}
