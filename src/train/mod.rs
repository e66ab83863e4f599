//! Training a prior: data, networks that learn, and the loop that teaches them.
//!
//! | file | holds |
//! |---|---|
//! | `config` | what a training is, as its TOML file says it |
//! | `data/` | from a description of footage to pools of short clips |
//! | `batch` | clips of a pool, cropped, mirrored and lit for a step |
//! | `learner` | what the loop asks of a network |
//! | `compact`, `compact_tensor` | the compact network as a learner, on processors and on GPUs |
//! | `published` | the published network as a learner |
//! | `torch/` | checkpoints as the published program saves them |
//! | `sums` | slopes, added up where they are found |
//! | `optimiser` | AdamW, and the average of the parameters |
//! | `trainer` | the loop, a step at a time |
//! | `state` | what is kept so that a training goes on after it was stopped |
//! | `curve` | how it went |

mod batch;
mod compact;
mod compact_tensor;
mod config;
mod curve;
pub mod data;
mod learner;
mod optimiser;
mod published;
mod state;
mod sums;
mod torch;
mod trainer;

pub use batch::Batches;
pub use compact::CompactLearner;
pub use compact_tensor::CompactTensorLearner;
pub use config::{Config, ConfigError, Crop, NetworkConfig, Training};
pub use curve::{Curve, Point};
pub use learner::{Array, Example, Learner};
pub use published::PublishedLearner;
pub use state::StateError;
pub use torch::Checkpoint;
pub use trainer::{TrainError, Trainer};
