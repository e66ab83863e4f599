//! `vdps eval-blind`: a layer that nobody knows, different in each frame.

use super::published::WithTargets;
use crate::run::published::{Experiment, Limits};

/// Published experiment: reconstruct a test set through an unknown scattering layer.
///
/// The limits only make the measurement: each frame draws a distance and a sigma between
/// them, and the solver is not told. Equal limits tell it the value of that one; with both
/// pairs equal sigma is still estimated, as in the published program.
///
/// Writes <clip>_target.gif, <clip>_measurement.gif, <clip>_output.gif (8 bits, truncated) and
/// <clip>_run.json into
/// results/results/physical_forward_blind/<dist_min>,<dist_max>/<sigma_min>,<sigma_max>/.
/// Ctrl-C keeps the clips that are finished, and of the one in progress
/// <clip>_partial_output.gif and its record.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Smallest distance of the layer in millimetres
    #[arg(long = "dist_min", visible_alias = "dist-min", value_name = "MM")]
    #[arg(allow_negative_numbers = true)]
    dist_min: f64,

    /// Largest distance
    #[arg(long = "dist_max", visible_alias = "dist-max", value_name = "MM")]
    #[arg(allow_negative_numbers = true)]
    dist_max: f64,

    /// Smallest blur width of the layer in pixels
    #[arg(long = "sigma_min", visible_alias = "sigma-min", value_name = "PX")]
    #[arg(allow_negative_numbers = true)]
    sigma_min: f64,

    /// Largest blur width
    #[arg(long = "sigma_max", visible_alias = "sigma-max", value_name = "PX")]
    #[arg(allow_negative_numbers = true)]
    sigma_max: f64,

    #[command(flatten)]
    clips: WithTargets,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let experiment = Experiment::ScatterBlind {
        dist_mm: Limits {
            min: args.dist_min,
            max: args.dist_max,
        },
        sigma_px: Limits {
            min: args.sigma_min,
            max: args.sigma_max,
        },
    };
    args.clips.run(experiment)
}
