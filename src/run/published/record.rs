//! The record beside the files of one clip: enough to make them again.

use std::path::PathBuf;

use serde::Serialize;

use super::Experiment;
use crate::clip::Shape;
use crate::metrics::Quality;
use crate::physics::Parameter;
use crate::run::{DeviceRecord, Outcome, PriorRecord, Residual, SolverRecord, Timings};

#[derive(Clone, Debug, Serialize)]
pub struct ClipRecord {
    /// `vdps` and its version.
    pub program: String,
    /// Version of Burn.
    pub burn: &'static str,
    pub command_line: Vec<String>,
    /// A cancelled clip's output is the estimate it had reached.
    pub outcome: Outcome,
    pub experiment: Experiment,
    pub source: SourceRecord,
    /// The one given.
    pub seed: u64,
    /// The one that everything random of this clip was drawn by.
    pub clip_seed: u64,
    pub device: DeviceRecord,
    pub prior: PriorRecord,
    pub solver: SolverRecord,
    pub timings: Timings,
    /// Of the output, before it became levels. Inpainting measures signed video, whose full
    /// scale is 2.
    pub residual: Residual,
    pub parameters: Vec<ParameterRecord>,
    /// What a user should know of the forward model.
    pub warnings: Vec<String>,
    /// The output against the target, before either became levels.
    pub quality: Option<Quality>,
    /// The same of the measurement, for comparison; none for inpainting, whose measurement
    /// is signed video.
    pub measurement_quality: Option<Quality>,
    /// Names of the files written beside this one.
    pub files: Vec<String>,
}

/// Where a clip came from.
#[derive(Clone, Debug, Serialize)]
pub struct SourceRecord {
    pub dataset: String,
    pub clip: String,
    pub path: PathBuf,
    pub sha256: String,
    pub shape: Shape,
    /// Of the layer of a capture.
    pub thickness_um: Option<u32>,
    /// The blur width measured for such layers; the solver does not use it.
    pub layer_sigma_px: Option<f64>,
}

/// A parameter as the solver left it.
#[derive(Clone, Debug, Serialize)]
pub struct ParameterRecord {
    #[serde(flatten)]
    pub parameter: Parameter,
    pub estimated: bool,
    /// What made the measurement; none for captures.
    pub truth: Option<f64>,
}
