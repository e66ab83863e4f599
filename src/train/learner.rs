//! What the trainer asks of a network.

use crate::clip::{Clip, Shape};
use crate::prior::PriorError;

/// One array of a network, in the order in which parameters lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// Its name in checkpoints.
    pub name: String,
    /// Its shape in checkpoints.
    pub shape: Vec<usize>,
}

/// A clip to learn from.
pub struct Example {
    /// Amplitudes in [0, 1].
    pub clean: Clip,
    /// Of all that is drawn for it: the noise and its level.
    pub seed: u64,
}

/// A network that can be trained.
///
/// All parameters lie in one row on the host, where the trainer changes them: optimiser, average
/// and checkpoints are the same for every network on every device.
pub trait Learner {
    /// The network's arrays; their sizes add up to the number of parameters.
    fn arrays(&self) -> Vec<Array>;

    fn parameters(&self) -> &[f32];

    /// Lets `change` change the parameters.
    fn change(&mut self, change: &mut dyn FnMut(&mut [f32]));

    /// The mean loss over `batch`; the slopes of that mean are added to `gradient`.
    ///
    /// # Errors
    /// A device that failed, or clips of a shape the network cannot take.
    fn learn(&mut self, batch: &[Example], gradient: &mut [f32]) -> Result<f64, PriorError>;

    /// The amplitudes under noise of standard deviation `sigma`, as the network estimates them.
    fn denoise(&self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError>;

    /// Files for those who use the network, with these parameters after `step` steps: names and
    /// contents.
    fn files(&self, parameters: &[f32], step: usize) -> Vec<(String, Vec<u8>)>;

    /// Sides of clips are multiples of it.
    fn multiple(&self) -> usize;

    /// Bytes that learning from one clip of this size takes.
    fn memory_bytes(&self, shape: Shape) -> u64;

    /// One line for people.
    fn describe(&self) -> String;
}
