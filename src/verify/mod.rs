//! Whether this program, on this device, computes the published method.
//!
//! Golden numbers were computed once in 64-bit arithmetic from the method's description.
//! A small set is built in; a folder of the full set can be checked as well.

mod golden;
mod models;
mod network;
mod samplers;
mod schedule;

use std::path::Path;

pub use golden::Golden;
pub use models::forward_models;
pub use network::network;
pub use samplers::{sampler, samplers};
pub use schedule::schedule;

use crate::device::{ComputeDevice, Kind, NETWORK, NETWORK_NUMBERS};
use crate::physics::PhysicsError;
use crate::prior::{NetworkPrior, PriorError, Weights, WeightsError};
use crate::solver::SolverError;

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("{file} holds no usable array `{name}`")]
    Missing { name: String, file: String },
    #[error("{file} is damaged: `{name}` has the shape {found:?}, not {expected}")]
    Shape {
        name: String,
        file: String,
        found: Vec<usize>,
        expected: String,
    },
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(transparent)]
    Prior(#[from] PriorError),
    #[error(transparent)]
    Physics(#[from] PhysicsError),
    #[error(transparent)]
    Solver(#[from] SolverError),
}

/// One comparison with golden numbers.
#[derive(Clone, Debug)]
pub struct Check {
    pub what: String,
    /// The largest difference; relative to the largest golden value unless `what` says otherwise.
    pub error: f64,
    pub tolerance: f64,
}

impl Check {
    /// Not-a-numbers fail, too.
    pub fn passed(&self) -> bool {
        self.error <= self.tolerance
    }

    fn relative(what: impl Into<String>, expected: &[f32], found: &[f32], tolerance: f64) -> Self {
        let scale = expected.iter().fold(0.0, |m, e| f64::from(e.abs()).max(m));
        Self {
            what: what.into(),
            error: differences(expected, found)[0] / scale,
            tolerance,
        }
    }
}

/// Absolute differences, the largest first; infinite where the lengths differ.
fn differences(expected: &[f32], found: &[f32]) -> Vec<f64> {
    if expected.len() != found.len() || expected.is_empty() {
        return vec![f64::INFINITY];
    }
    let pairs = expected.iter().zip(found);
    let mut all: Vec<f64> = pairs.map(|(e, f)| f64::from(e - f).abs()).collect();
    // Not-a-numbers sort above everything.
    all.sort_by(|a, b| b.total_cmp(a));
    all
}

/// Receives each comparison as it is made.
pub type Report<'a> = &'a mut dyn FnMut(Check);

/// How much is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Forward models and the smallest network case.
    Small,
    Full,
}

const MODELS: &[u8] = include_bytes!("../../assets/selftest/forward_models.safetensors");
const SAMPLERS: &[u8] = include_bytes!("../../assets/selftest/samplers_8step.safetensors");

/// Compares with the built-in numbers.
///
/// # Errors
/// A device that fails; a wrong result is a [`Check`] that has not passed.
pub fn builtin(device: &ComputeDevice, extent: Extent, report: Report) -> Result<(), VerifyError> {
    forward_models(&Golden::embedded("forward models", MODELS)?, report)?;
    let prior = NetworkPrior::from_weights(&Weights::from_safetensors(NETWORK)?, device.clone())?;
    let numbers = Golden::embedded("network numbers", NETWORK_NUMBERS)?;
    network("heads 32", &prior, &numbers, extent, report)?;
    if extent == Extent::Full {
        let golden = Golden::embedded("sampler", SAMPLERS)?;
        let fresh = || {
            Ok(NetworkPrior::from_weights(
                &Weights::from_safetensors(NETWORK)?,
                device.clone(),
            )?)
        };
        samplers(&golden, &fresh, report)?;
    }
    Ok(())
}

/// Compares with a folder of golden files: `schedule_1000`, `forward_models` and
/// `samplers_8step.safetensors`, and for heads 32 and 16 `unet_dim8_heads*.pt` with
/// `unet_dim8_heads*_io.safetensors`.
///
/// # Errors
/// A file that is absent or damaged, or a device that fails.
pub fn directory(
    dir: &Path,
    device: &ComputeDevice,
    extent: Extent,
    report: Report,
) -> Result<(), VerifyError> {
    let file = |name: &str| dir.join(name);
    schedule(&Golden::load(&file("schedule_1000.safetensors"))?, report)?;
    forward_models(&Golden::load(&file("forward_models.safetensors"))?, report)?;
    let load = |name: &str| NetworkPrior::load(&file(name), device.clone());
    for heads in [32, 16] {
        let prior = load(&format!("unet_dim8_heads{heads}.pt"))?;
        let numbers = Golden::load(&file(&format!("unet_dim8_heads{heads}_io.safetensors")))?;
        network(&format!("heads {heads}"), &prior, &numbers, extent, report)?;
    }
    if extent == Extent::Full {
        let golden = Golden::load(&file("samplers_8step.safetensors"))?;
        samplers(&golden, &|| Ok(load("unet_dim8_heads32.pt")?), report)?;
    }
    Ok(())
}

/// How much is sensible on a device: software GPUs take minutes for the large cases.
pub fn sensible_extent(device: &ComputeDevice) -> Extent {
    match device.kind {
        Kind::SoftwareGpu => Extent::Small,
        _ => Extent::Full,
    }
}

#[cfg(test)]
mod tests;
