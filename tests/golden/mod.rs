//! Golden numbers of the published method, cut down to what the tests need.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use vdps::clip::{Clip, Shape};

/// Named f32 arrays of one golden file.
pub struct Golden(HashMap<String, (Vec<usize>, Vec<f32>)>);

/// The path of a file beside this module.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

impl Golden {
    pub fn load(name: &str) -> Self {
        let bytes = std::fs::read(path(name)).expect("golden files are committed");
        let tensors = SafeTensors::deserialize(&bytes).expect("a safetensors file");
        let decode = |bytes: &[u8]| -> Vec<f32> {
            let words = bytes.chunks_exact(4);
            words
                .map(|w| f32::from_le_bytes(w.try_into().unwrap()))
                .collect()
        };
        let floats = tensors
            .iter()
            .filter(|(_, view)| view.dtype() == safetensors::Dtype::F32);
        Self(
            floats
                .map(|(name, view)| {
                    (
                        name.to_owned(),
                        (view.shape().to_vec(), decode(view.data())),
                    )
                })
                .collect(),
        )
    }

    pub fn values(&self, name: &str) -> &[f32] {
        &self.0.get(name).unwrap_or_else(|| panic!("no {name}")).1
    }

    pub fn doubles(&self, name: &str) -> Vec<f64> {
        self.values(name).iter().map(|&v| f64::from(v)).collect()
    }

    /// An array whose last three axes are frames, rows, columns.
    pub fn clip(&self, name: &str) -> Clip {
        let (shape, data) = self.0.get(name).unwrap_or_else(|| panic!("no {name}"));
        let [.., frames, height, width] = shape[..] else {
            panic!("{name} is no video: {shape:?}");
        };
        Clip::new(Shape::new(frames, height, width), data.clone())
    }
}

/// The largest difference, relative to the largest expected value.
pub fn worst(expected: &[f32], found: &[f32]) -> f64 {
    assert_eq!(expected.len(), found.len());
    let difference = expected
        .iter()
        .zip(found)
        .map(|(e, f)| f64::from(e - f).abs());
    let scale = expected.iter().fold(0.0, |m, e| f64::from(e.abs()).max(m));
    difference.fold(0.0, f64::max) / scale
}
