//! What the published commands share: options, what has to be there, and the run of one
//! experiment over a data set.

mod batch;
mod inputs;
mod options;

pub use batch::run;
pub use options::Options;

use super::error::bad_input;
use crate::media::datasets::Dataset;

/// Refuses captures where a measurement has to be made from a target.
pub fn with_targets(dataset: Dataset) -> anyhow::Result<Dataset> {
    match dataset {
        Dataset::Real => Err(bad_input!(
            "--dataset Real holds captures, which have no target to make a measurement of: \
             use `vdps eval-blind-real`, or UCF101, DAVIS or VISEM"
        )),
        synthetic => Ok(synthetic),
    }
}
