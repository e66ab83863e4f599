//! `vdps eval`: the published test sets under a known degradation.

use super::published::WithTargets;
use crate::run::published::Experiment;

/// Published experiment: reconstruct a test set whose degradation is known.
///
/// Writes <clip>_target.gif, <clip>_measurement.gif, <clip>_output.gif (8 bits, truncated) and
/// <clip>_run.json into results/results/physical_forward/<dist>/<sigma>/ or
/// results/results/<deg>/. The measurement is made from the target in single precision and not
/// quantised before it is solved. Ctrl-C keeps the clips that are finished, and of the one in
/// progress <clip>_partial_output.gif and its record.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What degrades the clips
    #[arg(long, value_enum, default_value_t = Degradation::Physics)]
    deg: Degradation,

    /// Distance of the scattering layer in millimetres (physics)
    #[arg(
        long,
        value_name = "MM",
        default_value_t = 5.0,
        allow_negative_numbers = true
    )]
    dist: f64,

    /// Blur width of the scattering layer in pixels (physics)
    #[arg(
        long,
        value_name = "PX",
        default_value_t = 0.5,
        allow_negative_numbers = true
    )]
    sigma: f64,

    #[command(flatten)]
    clips: WithTargets,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Degradation {
    /// A dynamic scattering layer
    Physics,
    /// Uniform haze
    Dehaze,
    /// Half of the pixels missing
    Inpaint,
    /// A Gaussian blur of 3 pixels
    Blur,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let experiment = match args.deg {
        Degradation::Physics => Experiment::Scatter {
            dist_mm: args.dist,
            sigma_px: args.sigma,
        },
        Degradation::Dehaze => Experiment::Dehaze,
        Degradation::Inpaint => Experiment::Inpaint,
        Degradation::Blur => Experiment::Blur,
    };
    args.clips.run(experiment)
}
