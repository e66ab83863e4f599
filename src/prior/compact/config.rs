//! The sizes of a network.

/// Sizes of a compact network; the rest follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Channels at half the video's size, at a quarter, ...: multiples of 8.
    pub widths: Vec<usize>,
    /// Blocks of a stage.
    pub blocks: usize,
}

impl Config {
    /// Numbers the noise level is told by.
    pub const WAVES: usize = 16;
    pub const EMBEDDED: usize = 64;
    /// Channels that enter: see `evidence`.
    pub const INPUTS: usize = 20;

    /// Heights and widths are multiples of it inside.
    pub fn multiple(&self) -> usize {
        1 << self.widths.len()
    }
}
