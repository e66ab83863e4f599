//! `vdps eval-blind-zernike-varying`: a pupil whose unknown aberrations differ from frame to frame.

use super::published::WithTargets;
use crate::run::published::Experiment;

/// Published experiment: reconstruct a test set through an unknown aberration that differs from frame to frame.
///
/// The measurement is made with ten Zernike coefficients for each frame, drawn from 2 N(0, 1)
/// radians; the solver estimates them.
///
/// Writes <clip>_target.gif, <clip>_measurement.gif, <clip>_output.gif, <clip>_psf_gt.gif,
/// <clip>_psf_estimate.gif (8 bits, truncated; measurement and point spread functions are
/// stretched to the full range) and <clip>_run.json into results/zernike_varying_results/.
/// Ctrl-C keeps the clips that are finished, and of the one in progress
/// <clip>_partial_output.gif and its record.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    clips: WithTargets,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    args.clips.run(Experiment::ZernikeVarying)
}
