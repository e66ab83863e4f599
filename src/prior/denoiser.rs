//! Denoisers as priors: what a plug-and-play solver asks of one.

use super::PriorError;
use crate::clip::{Clip, Shape};

/// Removes white Gaussian noise from video.
///
/// A denoiser is a prior by what it does to noise (Venkatakrishnan et al., 2013): a solver
/// needs no more of it than this.
pub trait Denoiser: Send {
    /// Its name on the command line: `tv`, `blocks`, a network's file.
    fn name(&self) -> &str;

    /// The video under noise of standard deviation `sigma`, in units of amplitude, above 0.
    ///
    /// The clip holds amplitudes, of which noise may have pushed some out of [0, 1].
    ///
    /// # Errors
    /// A device that failed, or a shape the denoiser cannot take.
    fn denoise(&mut self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError>;

    /// Whether clips of this shape can be denoised.
    fn check_shape(&self, shape: Shape) -> Result<(), PriorError>;

    /// Another series of calls begins: what changes from call to call starts anew.
    fn begin(&mut self) {}

    /// Whether a call evaluates a network, for the count of evaluations.
    fn is_network(&self) -> bool {
        false
    }
}
