//! What the published commands share: options, what has to be there, and the run of one
//! experiment over a data set.

mod batch;
mod inputs;
mod options;

pub use batch::run;
pub use options::{Options, WithTargets};
