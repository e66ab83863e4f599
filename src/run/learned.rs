//! Trained networks, wherever they come from: the one that ships inside, or a file's.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::{fmt, io};

use super::memory::{MemoryError, check_memory};
use super::record::PriorRecord;
use crate::clip::Shape;
use crate::device::{self, ComputeDevice, DeviceError, DeviceRequest};
use crate::hash::{sha256, sha256_of};
use crate::prior::compact::{self, CompactPrior, Network};
use crate::prior::{
    Denoiser, DiffusionDenoiser, NetworkPrior, Prior, PriorError, Schedule, Weights, WeightsError,
};

/// Which trained network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkChoice {
    /// The small one that ships inside.
    Embedded,
    /// A file's: a published checkpoint or a compact network.
    File(PathBuf),
}

impl NetworkChoice {
    /// The network, on the device asked for.
    ///
    /// # Errors
    /// Those of [`Learned::embedded`] and [`Learned::load`].
    pub fn open(&self, request: DeviceRequest) -> Result<Learned, LearnedError> {
        match self {
            Self::Embedded => Learned::embedded(request),
            Self::File(path) => Learned::load(path, request),
        }
    }
}

/// A prior that is no network.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no trained network: give `embedded` or a network's file")]
pub struct NotANetwork(String);

impl FromStr for NetworkChoice {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        match text {
            "embedded" => Ok(Self::Embedded),
            "none" | "tv" | "blocks" => Err(NotANetwork(text.to_owned())),
            path => Ok(Self::File(path.into())),
        }
    }
}

impl fmt::Display for NetworkChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Why a trained network cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LearnedError {
    #[error(transparent)]
    Prior(#[from] PriorError),
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Memory(#[from] MemoryError),
    #[error("cannot read {path}: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
}

impl From<WeightsError> for LearnedError {
    fn from(error: WeightsError) -> Self {
        Self::Prior(error.into())
    }
}

/// A trained network on the device that computes it. Copies share its weights.
pub struct Learned {
    kind: Kind,
    device: ComputeDevice,
    record: PriorRecord,
}

enum Kind {
    /// Of the published architecture.
    Published(Box<NetworkPrior>),
    /// Of our own.
    Compact(Box<CompactPrior>),
}

impl Learned {
    /// The network that ships inside.
    ///
    /// # Errors
    /// A device that fails.
    pub fn embedded(request: DeviceRequest) -> Result<Self, LearnedError> {
        let prior = CompactPrior::new("embedded", compact::embedded(), published_schedule());
        let (prior, device) = placed(prior, request)?;
        let record = PriorRecord {
            description: prior.describe(),
            checkpoint: None,
            sha256: sha256_of(compact::EMBEDDED_FILE),
            instead_of: None,
        };
        Ok(Self {
            kind: Kind::Compact(Box::new(prior)),
            device,
            record,
        })
    }

    /// The network in a file: a published checkpoint or a compact network, told apart by the
    /// arrays in it.
    ///
    /// # Errors
    /// A file that cannot be read or holds neither; a device that fails.
    pub fn load(path: &Path, request: DeviceRequest) -> Result<Self, LearnedError> {
        let weights = Weights::load(path)?;
        let (kind, device) = if Network::is_in(&weights) {
            let name = path.display().to_string();
            let network = Arc::new(Network::from_weights(&weights)?);
            let prior = CompactPrior::new(name, network, published_schedule());
            let (prior, device) = placed(prior, request)?;
            (Kind::Compact(Box::new(prior)), device)
        } else {
            let device = device::open(request)?;
            let prior = NetworkPrior::from_weights(&weights, device.clone())?;
            (Kind::Published(Box::new(prior)), device)
        };
        let unreadable = |source| LearnedError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let mut loaded = Self {
            record: PriorRecord {
                description: String::new(),
                checkpoint: Some(path.to_owned()),
                sha256: sha256(path).map_err(unreadable)?,
                instead_of: None,
            },
            kind,
            device,
        };
        loaded.record.description = loaded.shared().describe();
        Ok(loaded)
    }

    /// Whether clips of this shape can be computed here: their sides, and the memory they take.
    ///
    /// # Errors
    /// When not; the message says what to do.
    pub fn check(&self, shape: Shape) -> Result<(), LearnedError> {
        let prior = self.shared();
        prior.check_shape(shape)?;
        Ok(check_memory(prior, shape, &self.device)?)
    }

    /// As an estimate of noise, for samplers.
    pub fn prior(&self) -> Box<dyn Prior> {
        match &self.kind {
            Kind::Published(prior) => Box::new(copy(prior)),
            Kind::Compact(prior) => prior.clone(),
        }
    }

    /// As a denoiser, for plug-and-play.
    pub fn denoiser(&self) -> Box<dyn Denoiser> {
        match &self.kind {
            Kind::Published(prior) => {
                let file = self.record.checkpoint.as_deref().unwrap_or(Path::new(""));
                let name = file.display().to_string();
                let schedule = published_schedule();
                Box::new(DiffusionDenoiser::new(
                    name,
                    Box::new(copy(prior)),
                    schedule,
                ))
            }
            Kind::Compact(prior) => prior.clone(),
        }
    }

    /// What it is called in a record and in a table.
    pub fn name(&self) -> &'static str {
        match (&self.kind, &self.record.checkpoint) {
            (Kind::Published(_), _) => "network",
            (Kind::Compact(_), None) => "embedded network",
            (Kind::Compact(_), Some(_)) => "compact network",
        }
    }

    pub fn is_compact(&self) -> bool {
        matches!(self.kind, Kind::Compact(_))
    }

    pub fn device(&self) -> &ComputeDevice {
        &self.device
    }

    pub fn record(&self) -> &PriorRecord {
        &self.record
    }

    /// The same, standing in for a published checkpoint that is not there.
    pub fn instead_of(mut self, absent: Option<PathBuf>) -> Self {
        self.record.instead_of = absent;
        self
    }

    /// What a published checkpoint holds that its network has no use for.
    pub fn unused(&self) -> &[String] {
        match &self.kind {
            Kind::Published(prior) => prior.unused(),
            Kind::Compact(_) => &[],
        }
    }

    fn shared(&self) -> &dyn Prior {
        match &self.kind {
            Kind::Published(prior) => prior.as_ref(),
            Kind::Compact(prior) => prior.as_ref(),
        }
    }
}

fn copy(prior: &NetworkPrior) -> NetworkPrior {
    NetworkPrior::new(prior.net().clone(), prior.device().clone())
}

fn published_schedule() -> Schedule {
    Schedule::cosine(Schedule::PUBLISHED_TIMESTEPS)
}

/// A compact network where it was asked for; by itself it stays on the processor, for which it is
/// written.
fn placed(
    prior: CompactPrior,
    request: DeviceRequest,
) -> Result<(CompactPrior, ComputeDevice), LearnedError> {
    match request {
        DeviceRequest::Auto | DeviceRequest::Cpu => {
            let device = ComputeDevice::cpu("small networks compute there");
            Ok((prior, device))
        }
        DeviceRequest::Gpu(_) | DeviceRequest::Software => {
            let device = device::open(request)?;
            Ok((prior.on(&device)?, device))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fs;

    use super::*;
    use crate::clip::Clip;
    use crate::prior::compact::CompactConfig;

    const PUBLISHED: &[u8] = include_bytes!("../../tests/golden/unet_dim8_heads16.pt");

    /// A folder with one file of either kind, named alike.
    fn files() -> (tempfile::TempDir, [PathBuf; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let config = CompactConfig {
            widths: vec![8, 16],
            blocks: 1,
        };
        let compact = Network::random(&config, 3).to_safetensors(HashMap::new());
        let paths = ["a.model", "b.model"].map(|name| folder.path().join(name));
        fs::write(&paths[0], PUBLISHED).unwrap();
        fs::write(&paths[1], compact).unwrap();
        (folder, paths)
    }

    #[test]
    fn the_content_of_a_file_tells_its_kind() {
        let (_folder, paths) = files();
        let shape = Shape::new(2, 16, 16);
        for (path, compact) in paths.iter().zip([false, true]) {
            let learned = Learned::load(path, DeviceRequest::Cpu).unwrap();
            assert_eq!(learned.is_compact(), compact);
            assert_eq!(learned.record().checkpoint.as_ref(), Some(path));
            assert_eq!(learned.record().sha256.len(), 64);
            learned.check(shape).unwrap();
            let grey = Clip::filled(shape, 0.5);
            let predicted = learned.prior().predict(&grey, 500).unwrap();
            assert!(predicted.data().iter().all(|v| v.is_finite()));
            let denoised = learned.denoiser().denoise(&grey, 0.1).unwrap();
            assert_eq!(denoised.shape(), shape);
        }
    }

    #[test]
    fn the_embedded_one_is_recorded_with_what_it_stands_in_for() {
        let absent = PathBuf::from("results/model.pt");
        let learned = Learned::embedded(DeviceRequest::Auto).unwrap();
        let learned = learned.instead_of(Some(absent.clone()));
        let record = learned.record();
        assert_eq!(record.instead_of, Some(absent));
        assert_eq!((&record.checkpoint, record.sha256.len()), (&None, 64));
        assert_eq!(learned.name(), "embedded network");
    }
}
