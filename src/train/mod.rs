//! Training a prior: data, networks that learn, and the loop that teaches them.
//!
//! | file | holds |
//! |---|---|
//! | `config` | what a training is, as its TOML file says it |
//! | `data/` | from a description of footage to pools of short clips |
//! | `batch` | clips of a pool, cropped, mirrored and lit for a step |
//! | `learner` | what the loop asks of a network |
//! | `compact` | the compact network as a learner |
//! | `optimiser` | AdamW, and the average of the parameters |
//! | `trainer` | the loop, a step at a time |
//! | `state` | what is kept so that a training goes on after it was stopped |
//! | `curve` | how it went |

mod batch;
mod compact;
mod config;
mod curve;
pub mod data;
mod learner;
mod optimiser;
mod state;
mod trainer;

pub use batch::Batches;
pub use compact::CompactLearner;
pub use config::{Config, ConfigError, Crop, NetworkConfig, Training};
pub use curve::{Curve, Point};
pub use learner::{Array, Example, Learner};
pub use state::StateError;
pub use trainer::{TrainError, Trainer};
