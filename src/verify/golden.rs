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

    #[cfg(test)]
    pub(super) fn held(arrays: Weights) -> Self {
        Self {
            arrays,
            file: "test".into(),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.arrays.get(name).is_some()
    }

    pub fn values(&self, name: &str) -> Result<&[f32], VerifyError> {
        let array = self.arrays.get(name).ok_or_else(|| self.missing(name))?;
        Ok(&array.data)
    }

    /// The first number of an array.
    pub fn scalar(&self, name: &str) -> Result<f64, VerifyError> {
        let first = self.values(name)?.first().copied();
        first.map(f64::from).ok_or_else(|| self.missing(name))
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

    /// The same, which has to be of this shape.
    pub fn clip_of(&self, name: &str, shape: Shape) -> Result<Clip, VerifyError> {
        let clip = self.clip(name)?;
        match clip.shape() == shape {
            true => Ok(clip),
            false => Err(self.misshapen(name, format!("a clip of {shape}"))),
        }
    }

    /// All clips of an array whose last three axes are frames, rows, columns.
    pub fn clips(&self, name: &str) -> Result<Vec<Clip>, VerifyError> {
        let array = self.arrays.get(name).ok_or_else(|| self.missing(name))?;
        let [.., frames, height, width] = array.shape[..] else {
            return Err(self.missing(name));
        };
        if array.data.is_empty() {
            return Err(self.missing(name));
        }
        let shape = Shape::new(frames, height, width);
        let clips = array.data.chunks_exact(shape.len());
        Ok(clips.map(|data| Clip::new(shape, data.to_vec())).collect())
    }

    pub(super) fn missing(&self, name: &str) -> VerifyError {
        VerifyError::Missing {
            name: name.into(),
            file: self.file.clone(),
        }
    }

    pub(super) fn misshapen(&self, name: &str, expected: String) -> VerifyError {
        let array = self.arrays.get(name);
        VerifyError::Shape {
            name: name.into(),
            file: self.file.clone(),
            found: array.map(|array| array.shape.clone()).unwrap_or_default(),
            expected,
        }
    }
}
