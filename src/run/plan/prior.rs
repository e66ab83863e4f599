//! Which prior a run has.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// What is known of video before the measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriorChoice {
    /// Nothing learned: whichever of the two below serves the method better.
    None,
    /// Total variation in space and time.
    Tv,
    /// Block matching in space and time.
    Blocks,
    /// A diffusion network's checkpoint.
    Checkpoint(PathBuf),
}

impl FromStr for PriorChoice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "none" => Self::None,
            "tv" => Self::Tv,
            "blocks" => Self::Blocks,
            path => Self::Checkpoint(path.into()),
        })
    }
}

impl fmt::Display for PriorChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Tv => f.write_str("tv"),
            Self::Blocks => f.write_str("blocks"),
            Self::Checkpoint(path) => write!(f, "{}", path.display()),
        }
    }
}
