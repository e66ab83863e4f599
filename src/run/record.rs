//! The record of a run, `run.json`: enough to know what was done, and to do it again.

use std::path::PathBuf;

use serde::Serialize;

use super::Outcome;
use super::trust::Remark;
use crate::clip::{Clip, Shape};
use crate::device::ComputeDevice;
use crate::media::{Crop, FrameRange, FrameSize};
use crate::metrics::{self, Quality};
use crate::physics::{Optics, Parameter};
use crate::solver::{Finding, Quantisation, SolverError, TimedChange};

/// The version of Burn, the tensor library behind every device.
pub const BURN_VERSION: &str = "0.22.1";

/// How a recorded run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunOutcome {
    Finished,
    /// Stopped by the user; the results are those of the last step.
    Cancelled,
    /// A step failed; the results are those of the step before.
    Failed,
}

impl From<&Result<Outcome, SolverError>> for RunOutcome {
    fn from(driven: &Result<Outcome, SolverError>) -> Self {
        match driven {
            Ok(Outcome::Finished) => Self::Finished,
            Ok(Outcome::Cancelled) => Self::Cancelled,
            Err(_) => Self::Failed,
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct RunRecord {
    /// `vdps` and its version.
    pub program: String,
    /// Version of Burn.
    pub burn: &'static str,
    pub command_line: Vec<String>,
    pub outcome: RunOutcome,
    /// Why a step failed.
    pub error: Option<String>,
    pub input: FileRecord,
    pub measurement: MeasurementRecord,
    pub model: ModelRecord,
    pub solver: SolverRecord,
    pub seed: u64,
    pub device: DeviceRecord,
    pub prior: Option<PriorRecord>,
    pub timings: Timings,
    pub residual: Residual,
    /// The parameters that were unknown.
    pub findings: Vec<Finding>,
    /// What to believe of the result, the verdict first.
    pub remarks: Vec<Remark>,
    /// What the result depends on beyond its parameters.
    pub notes: Vec<String>,
    /// Settings that took another value on the way.
    pub changes: Vec<TimedChange>,
    pub target: Option<FileRecord>,
    /// The reconstruction against the target.
    pub quality: Option<Quality>,
    /// The measurement itself against the target, for comparison.
    pub measurement_quality: Option<Quality>,
    /// Names of the files written beside this one.
    pub files: Vec<String>,
}

/// A clip that was read.
#[derive(Clone, Debug, Serialize)]
pub struct FileRecord {
    pub path: PathBuf,
    pub sha256: String,
    /// After choosing frames, cropping and resizing.
    pub shape: Shape,
    /// The largest integer level; none for floating-point data.
    pub levels: Option<u32>,
    pub frames: FrameRange,
    pub crop: Option<Crop>,
    pub resize: Option<FrameSize>,
    pub array: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct MeasurementRecord {
    /// How integer levels came about; none for exact data (floating-point, boolean, normalised).
    pub quantisation: Option<Quantisation>,
    /// Share of the pixels at the largest level; 0 after resampling.
    pub saturated_share: f64,
    /// Stretched and darkened as the published program does with real captures.
    pub normalised: bool,
    /// gain * intensity + offset was recorded.
    pub gain: f64,
    pub offset: f64,
    /// The frames that were taken out of the measurement before gain and offset.
    pub dark: Option<FileRecord>,
    pub flat: Option<FileRecord>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ModelRecord {
    pub name: String,
    pub parameters: Vec<Parameter>,
    pub geometry: Option<Geometry>,
    /// Where an inpainting mask came from.
    pub mask: Option<String>,
    pub warnings: Vec<String>,
}

/// The setup of a propagating model, with what follows from it.
#[derive(Clone, Debug, Serialize)]
pub struct Geometry {
    #[serde(flatten)]
    pub optics: Optics,
    /// Beyond this distance the propagation kernel aliases.
    pub aliasing_limit_mm: f64,
}

/// The method with its settings.
#[derive(Clone, Debug, Serialize)]
pub struct SolverRecord {
    /// `instant`, `fast` or `reference`.
    pub method: String,
    /// Why this method, where the program chose it.
    pub chosen_because: Option<String>,
    /// The prior's name: `tv`, `blocks`, `network`, `embedded network`.
    pub prior: String,
    pub settings: serde_json::Value,
    pub steps: usize,
    pub steps_done: usize,
    /// Network evaluations; each has its gradient in the reference method.
    pub evaluations: usize,
}

#[derive(Clone, Debug, Serialize)]
pub struct DeviceRecord {
    pub name: String,
    pub kind: String,
    pub why: String,
}

impl From<&ComputeDevice> for DeviceRecord {
    fn from(device: &ComputeDevice) -> Self {
        Self {
            name: device.name.clone(),
            kind: device.kind.to_string(),
            why: device.why.clone(),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct PriorRecord {
    pub description: String,
    /// The network's file; none for the one that ships inside.
    pub checkpoint: Option<PathBuf>,
    pub sha256: String,
    /// The published checkpoint that was not there, where this network stands in for it.
    pub instead_of: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Timings {
    /// The solver's steps alone.
    pub solver_s: f64,
    /// From reading the first file to scoring the result.
    pub total_s: f64,
}

/// How far the final estimate is from explaining the measurement.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Residual {
    /// Root mean square of A(x0) - y in recorded values, full scale of integers being 1.
    pub rms: f64,
    /// The same in levels of the measurement, where it has levels.
    pub rms_levels: Option<f64>,
}

impl Residual {
    /// `residual` is A(x0) - y, `levels` the largest level of y.
    pub fn of(residual: &Clip, levels: Option<u32>) -> Self {
        let rms = metrics::rms(residual.data());
        Self {
            rms,
            rms_levels: levels.map(|levels| rms * f64::from(levels)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_burn_version_is_the_one_built_in() {
        let manifest = include_str!("../../Cargo.toml");
        let pinned = format!("burn = {{ version = \"={BURN_VERSION}\"");
        assert!(manifest.contains(&pinned), "{BURN_VERSION}");
    }
}
