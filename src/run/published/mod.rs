//! The published experiments: what each one measures and does not know, the seed of each
//! clip, and the files that come out.

mod experiment;
mod files;
mod record;
mod seed;

pub use experiment::{Experiment, Limits, Setup, SetupError};
pub use files::{ClipFiles, folder};
pub use record::{ClipRecord, ParameterRecord, SourceRecord};
pub use seed::clip_seed;
