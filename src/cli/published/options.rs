use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::run;
use crate::cli::error::bad_input;
use crate::device::DeviceRequest;
use crate::media::datasets::Dataset;
use crate::prior::Schedule;
use crate::run::NetworkChoice;
use crate::run::published::Experiment;

/// What every command that makes its measurements takes.
#[derive(Clone, Debug, clap::Args)]
pub struct WithTargets {
    /// UCF101, DAVIS or VISEM
    #[arg(long, value_name = "NAME", default_value_t = Dataset::Ucf101)]
    dataset: Dataset,

    #[command(flatten)]
    options: Options,
}

impl WithTargets {
    /// Runs an experiment over the data set.
    ///
    /// # Errors
    /// Captures, which have no target to make a measurement of, and those of [`run`].
    pub fn run(self, experiment: Experiment) -> anyhow::Result<()> {
        if self.dataset == Dataset::Real {
            return Err(bad_input!(
                "--dataset Real holds captures, which have no target to make a measurement of: \
                 use `vdps eval-blind-real`, or UCF101, DAVIS or VISEM"
            ));
        }
        run(experiment, self.dataset, self.options)
    }
}

/// What the published programs have no flags for.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Run")]
pub struct Options {
    /// The trained network: a published checkpoint, safetensors, or a compact network
    /// [default: results/model-100.1.pt, for VISEM results/model-100.2.pt; embedded where that
    /// is not there]
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,

    /// The same as --checkpoint FILE, or the small network inside
    #[arg(long, value_name = "embedded|FILE", conflicts_with = "checkpoint")]
    pub prior: Option<NetworkChoice>,

    /// The published data folder, with DAVIS_Test, UCF101_Test, VISEM_Test, Real_Test in it
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,

    /// The folder below which the published output folders are made
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results: PathBuf,

    /// Diffusion steps, 1 to 1000
    ///
    /// Fewer than the published 1000 are spread evenly over them: the network and the
    /// guidance weight are told the original step, the noise between two steps follows
    /// from the published noise levels (DDPM respacing).
    #[arg(long, value_name = "N", default_value_t = Schedule::PUBLISHED_TIMESTEPS)]
    pub steps: usize,

    /// Multiplies the guidance weight
    ///
    /// A step of a shorter walk is guided as the steps it stands for would be together.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub guidance: f64,

    /// Everything random follows from it
    ///
    /// Each clip has a seed of its own, made from this one and the clip's path in the data
    /// folder, so its result depends neither on --limit nor on the other clips.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,

    /// Reconstruct the first N clips only, in the order of their paths
    #[arg(long, value_name = "N")]
    pub limit: Option<NonZeroUsize>,

    /// auto, cpu, gpu, gpu:N or software (a software Vulkan driver)
    #[arg(long, default_value_t)]
    pub device: DeviceRequest,
}
