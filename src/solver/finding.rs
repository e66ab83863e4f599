//! What a solver found out about unknown parameters.

use serde::Serialize;

use crate::physics::Parameter;

/// An estimated parameter, with what is known of its error.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The parameter at its estimate; `min` and `max` are the range it was searched in.
    pub parameter: Parameter,
    /// The interval that holds the truth with 95 % probability, if the model is right; none
    /// where no interval could be computed.
    pub interval: Option<(f64, f64)>,
    /// Why this value may be wrong, a sentence each; none where nothing speaks against it.
    pub doubts: Vec<String>,
}
