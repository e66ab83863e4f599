//! Network weights as plain named arrays, read from the published program's checkpoints
//! (`torch.save` zip, the averaged `ema` weights) or from safetensors.
//!
//! Files are judged by their content, whatever they are called. Half precision and
//! doubles become f32. A damaged file is an error, never a panic.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use pytorch_reader::{PytorchError, PytorchReader};
use safetensors::tensor::{Dtype, SafeTensors};

use crate::device::panic_text;

/// The published program saves the network's weights under this prefix.
const NETWORK_PREFIX: &str = "denoise_fn.";
/// The averaged weights, which sampling uses.
const AVERAGED_KEY: &str = "ema";

#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    #[error("there is no file {}", .0.display())]
    Absent(PathBuf),
    #[error("{} cannot be read: {source}", path.display())]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{file} is no checkpoint: {reason}")]
    NotACheckpoint { file: String, reason: String },
    #[error("{file} is damaged ({reason}): download or copy it again")]
    Damaged { file: String, reason: String },
    #[error("`{name}` in {file} holds {dtype}, which is no number type weights come in")]
    Dtype {
        file: String,
        name: String,
        dtype: String,
    },
    #[error("these weights do not describe the published network: {0}")]
    Config(String),
    #[error(
        "these weights do not fit the network: {}",
        describe_misfit(missing, misshapen)
    )]
    Misfit {
        /// Names the network needs and the file lacks.
        missing: Vec<String>,
        misshapen: Vec<Misshapen>,
    },
}

/// An array of another shape than the network's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misshapen {
    pub name: String,
    pub expected: Vec<usize>,
    pub found: Vec<usize>,
}

fn describe_misfit(missing: &[String], misshapen: &[Misshapen]) -> String {
    const SHOWN: usize = 5;
    let shape = |m: &Misshapen| format!("{} is {:?}, not {:?}", m.name, m.found, m.expected);
    let mut parts = Vec::new();
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().take(SHOWN).map(String::as_str).collect();
        let more = if missing.len() > SHOWN { ", ..." } else { "" };
        parts.push(format!(
            "{} missing ({}{more})",
            missing.len(),
            names.join(", ")
        ));
    }
    if !misshapen.is_empty() {
        let shapes: Vec<String> = misshapen.iter().take(SHOWN).map(shape).collect();
        let more = if misshapen.len() > SHOWN { ", ..." } else { "" };
        parts.push(format!(
            "{} of the wrong shape ({}{more})",
            misshapen.len(),
            shapes.join("; ")
        ));
    }
    parts.join("; ")
}

/// One named array, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub data: Vec<f32>,
}

/// Named arrays, by the published names without the `ema.` and `denoise_fn.` prefixes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights(BTreeMap<String, Array>);

impl Weights {
    /// Reads a checkpoint of the published program, or safetensors.
    pub fn load(path: &Path) -> Result<Self, WeightsError> {
        let io = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::NotFound => WeightsError::Absent(path.to_owned()),
            _ => WeightsError::Io {
                path: path.to_owned(),
                source,
            },
        };
        let file = path.display().to_string();
        let mut head = Vec::new();
        let length = {
            let reader = File::open(path).map_err(io)?;
            let metadata = reader.metadata().map_err(io)?;
            if metadata.is_dir() {
                return Err(WeightsError::NotACheckpoint {
                    file,
                    reason: "it is a folder; name the file in it".into(),
                });
            }
            reader.take(64).read_to_end(&mut head).map_err(io)?;
            metadata.len()
        };
        match Kind::of(&head) {
            Kind::Safetensors => {
                let bytes = std::fs::read(path).map_err(io)?;
                parse_safetensors(&bytes, &file)
            }
            Kind::Torch => guarded(&file, || parse_torch(path, length, &file)),
            Kind::Other(reason) => Err(WeightsError::NotACheckpoint {
                file,
                reason: reason.into(),
            }),
        }
        .map(Self)
    }

    /// Reads safetensors held in memory.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, WeightsError> {
        parse_safetensors(bytes, "the embedded file").map(Self)
    }

    pub fn get(&self, name: &str) -> Option<&Array> {
        self.0.get(name)
    }

    /// The numbers of the arrays of these names and shapes, one after another.
    ///
    /// # Errors
    /// [`WeightsError::Misfit`] for arrays that are missing or of another shape.
    pub fn row<'a>(
        &self,
        arrays: impl Iterator<Item = (&'a str, &'a [usize])>,
    ) -> Result<Vec<f32>, WeightsError> {
        let (mut missing, mut misshapen, mut found) = (Vec::new(), Vec::new(), Vec::new());
        for (name, shape) in arrays {
            match self.get(name) {
                None => missing.push(name.to_owned()),
                Some(array) if array.shape != shape => misshapen.push(Misshapen {
                    name: name.to_owned(),
                    expected: shape.to_vec(),
                    found: array.shape.clone(),
                }),
                Some(array) => found.push(&array.data[..]),
            }
        }
        if !missing.is_empty() || !misshapen.is_empty() {
            return Err(WeightsError::Misfit { missing, misshapen });
        }
        Ok(found.concat())
    }

    pub fn insert(&mut self, name: impl Into<String>, array: Array) {
        self.0.insert(name.into(), array);
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a file is, by its first bytes.
enum Kind {
    Safetensors,
    Torch,
    Other(&'static str),
}

impl Kind {
    fn of(head: &[u8]) -> Self {
        match head {
            [] => Self::Other("it is empty"),
            h if h.starts_with(b"version https://git-lfs") => {
                Self::Other("it is a Git LFS pointer; fetch the file it stands for (git lfs pull)")
            }
            h if h.starts_with(b"<") => {
                Self::Other("it is a web page; download the file itself, not its page")
            }
            h if h.starts_with(b"PK") || h.first() == Some(&0x80) => Self::Torch,
            h if h.get(8) == Some(&b'{') => Self::Safetensors,
            _ => Self::Other("it is neither a PyTorch checkpoint (.pt) nor safetensors"),
        }
    }
}

/// A panic of a reader on a damaged file, as an error.
fn guarded<T>(
    file: &str,
    read: impl FnOnce() -> Result<T, WeightsError>,
) -> Result<T, WeightsError> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        Err(WeightsError::Damaged {
            file: file.into(),
            reason: panic_text(panic.as_ref()).into(),
        })
    })
}

fn parse_torch(
    path: &Path,
    file_len: u64,
    file: &str,
) -> Result<BTreeMap<String, Array>, WeightsError> {
    let damaged = |reason: String| WeightsError::Damaged {
        file: file.into(),
        reason,
    };
    let reader =
        PytorchReader::with_top_level_key(path, AVERAGED_KEY).map_err(|error| match error {
            PytorchError::KeyNotFound(_) => WeightsError::NotACheckpoint {
                file: file.into(),
                reason: "it holds no averaged weights (`ema`), as the published program saves"
                    .into(),
            },
            other => damaged(other.to_string()),
        })?;
    let mut left = file_len;
    let mut arrays = BTreeMap::new();
    for (name, tensor) in reader.into_tensors() {
        // No storage is larger than its file: a tensor that claims so (a view repeating
        // one number, say) must not make us ask for its memory.
        let bytes = tensor.byte_len() as u64;
        left = left
            .checked_sub(bytes)
            .ok_or_else(|| damaged(format!("`{name}` claims more numbers than the file holds")))?;
        let number = match tensor.dtype() {
            pytorch_reader::DType::F64 => Number::F64,
            pytorch_reader::DType::F32 => Number::F32,
            pytorch_reader::DType::F16 => Number::F16,
            pytorch_reader::DType::BF16 => Number::Bf16,
            pytorch_reader::DType::I64 => Number::I64,
            pytorch_reader::DType::I32 => Number::I32,
            other => {
                return Err(WeightsError::Dtype {
                    file: file.into(),
                    name,
                    dtype: format!("{other:?}"),
                });
            }
        };
        let raw = tensor.read().map_err(|e| damaged(e.to_string()))?;
        let data = number.decode(&raw);
        let shape = tensor.shape().to_vec();
        arrays.insert(name, checked(shape, data, file)?);
    }
    Ok(unprefixed(arrays))
}

fn parse_safetensors(bytes: &[u8], file: &str) -> Result<BTreeMap<String, Array>, WeightsError> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| WeightsError::Damaged {
        file: file.into(),
        reason: error.to_string(),
    })?;
    let mut arrays = BTreeMap::new();
    for (name, view) in tensors.tensors() {
        let number = match view.dtype() {
            Dtype::F64 => Number::F64,
            Dtype::F32 => Number::F32,
            Dtype::F16 => Number::F16,
            Dtype::BF16 => Number::Bf16,
            Dtype::I64 => Number::I64,
            Dtype::I32 => Number::I32,
            other => {
                return Err(WeightsError::Dtype {
                    file: file.into(),
                    name,
                    dtype: format!("{other:?}"),
                });
            }
        };
        let data = number.decode(view.data());
        arrays.insert(name, checked(view.shape().to_vec(), data, file)?);
    }
    Ok(unprefixed(arrays))
}

/// The number types weights come in.
#[derive(Clone, Copy)]
enum Number {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
}

impl Number {
    /// Little-endian bytes as f32.
    fn decode(self, raw: &[u8]) -> Vec<f32> {
        fn each<const N: usize>(raw: &[u8], f: impl Fn([u8; N]) -> f32) -> Vec<f32> {
            raw.as_chunks::<N>().0.iter().map(|&b| f(b)).collect()
        }
        match self {
            Self::F64 => each(raw, |b| f64::from_le_bytes(b) as f32),
            Self::F32 => each(raw, f32::from_le_bytes),
            Self::F16 => each(raw, |b| f16::from_le_bytes(b).to_f32()),
            Self::Bf16 => each(raw, |b| bf16::from_le_bytes(b).to_f32()),
            Self::I64 => each(raw, |b| i64::from_le_bytes(b) as f32),
            Self::I32 => each(raw, |b| i32::from_le_bytes(b) as f32),
        }
    }
}

fn checked(shape: Vec<usize>, data: Vec<f32>, file: &str) -> Result<Array, WeightsError> {
    let damaged = |reason: &str| WeightsError::Damaged {
        file: file.into(),
        reason: reason.into(),
    };
    let len = shape.iter().try_fold(1usize, |len, &n| len.checked_mul(n));
    if len != Some(data.len()) {
        return Err(damaged("an array is shorter than its shape says"));
    }
    if !data.iter().all(|v| v.is_finite()) {
        return Err(damaged("an array holds infinities or not-a-numbers"));
    }
    Ok(Array { shape, data })
}

/// Drops the prefixes of the published checkpoints, and what is not `ema` where both are held.
fn unprefixed(arrays: BTreeMap<String, Array>) -> BTreeMap<String, Array> {
    let averaged = format!("{AVERAGED_KEY}.");
    let any = |prefix: &str| arrays.keys().any(|name| name.starts_with(prefix));
    let strip_averaged = any(&averaged);
    arrays
        .into_iter()
        .filter_map(|(name, array)| {
            let name = match (strip_averaged, name.strip_prefix(&averaged)) {
                (true, Some(rest)) => rest.to_owned(),
                (true, None) => return None,
                (false, _) => name,
            };
            let name = name
                .strip_prefix(NETWORK_PREFIX)
                .unwrap_or(&name)
                .to_owned();
            Some((name, array))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;
    use safetensors::tensor::TensorView;
    use std::collections::HashMap;

    const CHECKPOINT: &[u8] = include_bytes!("../../tests/golden/unet_dim8_heads16.pt");

    fn array(shape: &[usize], data: &[f32]) -> Array {
        Array {
            shape: shape.to_vec(),
            data: data.to_vec(),
        }
    }

    fn safetensors(entries: &[(&str, Dtype, &[usize], &[u8])]) -> Vec<u8> {
        let views: HashMap<&str, TensorView> = entries
            .iter()
            .map(|&(name, dtype, shape, raw)| {
                (name, TensorView::new(dtype, shape.to_vec(), raw).unwrap())
            })
            .collect();
        safetensors::serialize(views, None).unwrap()
    }

    fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    fn load_bytes(bytes: &[u8]) -> Result<Weights, WeightsError> {
        Weights::load(written(bytes).path())
    }

    #[test]
    fn a_published_checkpoint_gives_its_averaged_weights() {
        let weights = load_bytes(CHECKPOINT).unwrap();
        assert_eq!(weights.len(), 312);
        assert_eq!(
            weights.get("init_conv.weight").unwrap().shape,
            [8, 1, 1, 7, 7]
        );
        assert_eq!(weights.get("betas").unwrap().data.len(), 1000);
        assert!(
            weights
                .names()
                .all(|name| !name.starts_with(NETWORK_PREFIX))
        );
    }

    #[test]
    fn every_float_type_is_read_as_f32() {
        let f64s: Vec<u8> = [0.5f64, -2.0]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        let f16s: Vec<u8> = [0.5, -2.0]
            .iter()
            .flat_map(|&v| f16::from_f32(v).to_le_bytes())
            .collect();
        let bf16s: Vec<u8> = [0.5, -2.0]
            .iter()
            .flat_map(|&v| bf16::from_f32(v).to_le_bytes())
            .collect();
        let bytes = safetensors(&[
            ("double", Dtype::F64, &[2], &f64s),
            ("half", Dtype::F16, &[2], &f16s),
            ("brain", Dtype::BF16, &[1, 2], &bf16s),
        ]);
        let weights = Weights::from_safetensors(&bytes).unwrap();
        assert_eq!(weights.get("double"), Some(&array(&[2], &[0.5, -2.0])));
        assert_eq!(weights.get("half"), Some(&array(&[2], &[0.5, -2.0])));
        assert_eq!(weights.get("brain"), Some(&array(&[1, 2], &[0.5, -2.0])));
    }

    #[test]
    fn prefixes_are_dropped_and_unaveraged_weights_ignored() {
        let (one, two) = (1f32.to_le_bytes(), 2f32.to_le_bytes());
        let bytes = safetensors(&[
            ("ema.denoise_fn.w", Dtype::F32, &[1], &one),
            ("model.denoise_fn.w", Dtype::F32, &[1], &two),
        ]);
        let weights = Weights::from_safetensors(&bytes).unwrap();
        assert_eq!(weights.names().collect::<Vec<_>>(), ["w"]);
        assert_eq!(weights.get("w").unwrap().data, [1.0]);
        let bytes = safetensors(&[("denoise_fn.w", Dtype::F32, &[1], &two)]);
        let weights = Weights::from_safetensors(&bytes).unwrap();
        assert_eq!(weights.get("w").unwrap().data, [2.0]);
    }

    #[test]
    fn shapes_whose_size_no_machine_can_count_are_errors() {
        let huge = 1 << 40;
        assert!(checked(vec![huge, 0], Vec::new(), "f").is_ok());
        for shape in [vec![huge, huge], vec![1 << 32, 1 << 32]] {
            let error = checked(shape, Vec::new(), "f").unwrap_err();
            assert!(matches!(error, WeightsError::Damaged { .. }), "{error}");
        }
    }

    #[test]
    fn what_is_no_checkpoint_is_named() {
        let says = |bytes: &[u8], text: &str| {
            let message = load_bytes(bytes).unwrap_err().to_string();
            assert!(message.contains(text), "{message}");
        };
        says(b"", "empty");
        says(
            b"version https://git-lfs.github.com/spec/v1\noid",
            "git lfs pull",
        );
        says(b"<!DOCTYPE html><html>", "web page");
        says(b"some text that is long enough", "neither");
        says(b"PK\x03\x04", "damaged");
        let integers = [1u8, 2];
        let bytes = safetensors(&[("w", Dtype::U8, &[2], &integers)]);
        says(&bytes, "U8");
        let infinite = f32::INFINITY.to_le_bytes();
        says(
            &safetensors(&[("w", Dtype::F32, &[1], &infinite)]),
            "infinities",
        );

        let folder = tempfile::tempdir().unwrap();
        let message = Weights::load(folder.path()).unwrap_err().to_string();
        assert!(message.contains("folder"), "{message}");
        let absent = Weights::load(&folder.path().join("model.pt"));
        assert!(matches!(absent, Err(WeightsError::Absent(_))));
    }

    /// Any cut or flipped byte gives weights or an error, never a panic or an abort.
    #[test]
    fn damaged_checkpoints_are_errors() {
        let mut noise = Noise::seeded(3);
        let file = tempfile::NamedTempFile::new().unwrap();
        let load = |bytes: &[u8]| {
            std::fs::write(file.path(), bytes).unwrap();
            Weights::load(file.path())
        };
        for _ in 0..20 {
            let length = noise.uniform(0.0, CHECKPOINT.len() as f64) as usize;
            assert!(load(&CHECKPOINT[..length]).is_err(), "cut to {length}");
        }
        assert!(load(&CHECKPOINT[..CHECKPOINT.len() - 1]).is_err());

        // The pickle, the tensors, and the zip's directory at the end.
        let whole = CHECKPOINT.len() as f64;
        for (from, to, times) in [(0.0, 9e4, 60), (9e4, whole, 20), (whole - 5e4, whole, 40)] {
            for _ in 0..times {
                let mut bytes = CHECKPOINT.to_vec();
                let at = noise.uniform(from, to) as usize;
                bytes[at] ^= 1 << (noise.uniform(0.0, 8.0) as u32);
                let _ = load(&bytes);
            }
        }
    }

    #[test]
    fn damaged_safetensors_are_errors() {
        let values: Vec<u8> = (0..64u32).flat_map(|v| (v as f32).to_le_bytes()).collect();
        let good = safetensors(&[
            ("denoise_fn.a", Dtype::F32, &[4, 8], &values[..128]),
            ("denoise_fn.b", Dtype::F32, &[32], &values[128..]),
        ]);
        assert!(Weights::from_safetensors(&good).is_ok());
        for length in 0..good.len() {
            assert!(Weights::from_safetensors(&good[..length]).is_err());
        }
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bytes = good.clone();
                bytes[at] ^= 1 << bit;
                if let Ok(weights) = Weights::from_safetensors(&bytes) {
                    let sizes_agree = |name: &str| {
                        let array = weights.get(name).unwrap();
                        array.shape.iter().product::<usize>() == array.data.len()
                    };
                    assert!(weights.names().all(sizes_agree));
                }
            }
        }
    }
}
