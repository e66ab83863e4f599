//! `vdps eval-blind-real`: captures through a real layer.

use super::error::bad_input;
use super::published::{self, Options};
use crate::media::datasets::Dataset;
use crate::run::published::Experiment;

/// Published experiment: reconstruct captures through a real scattering layer.
///
/// Pixels are 24 um; the distance comes with the capture (`z` in metres), the blur width is
/// estimated. A capture is stretched to [0, 1] over its ten frames and lowered by 0.1.
///
/// Writes <clip>_measurement.gif, <clip>_output.gif (8 bits, truncated) and <clip>_run.json
/// into results/physical_forward_real/; there is no target.
/// Ctrl-C keeps the clips that are finished, and of the one in progress
/// <clip>_partial_output.gif and its record.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Real
    #[arg(long, value_name = "NAME", default_value_t = Dataset::Real)]
    dataset: Dataset,

    #[command(flatten)]
    options: Options,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    if args.dataset != Dataset::Real {
        return Err(bad_input!(
            "--dataset {} holds no captures: eval-blind-real takes Real only; \
             `vdps eval-blind` simulates a layer for the other sets",
            args.dataset
        ));
    }
    published::run(Experiment::ScatterReal, args.dataset, args.options)
}
