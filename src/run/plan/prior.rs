//! Which prior a run has.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::run::NetworkChoice;

/// What is known of video before the measurement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriorChoice {
    /// Nothing learned: whichever of the two below serves the method better.
    None,
    /// Total variation in space and time.
    Tv,
    /// Block matching in space and time.
    Blocks,
    /// Learned from video.
    Network(NetworkChoice),
}

impl FromStr for PriorChoice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "none" => Self::None,
            "tv" => Self::Tv,
            "blocks" => Self::Blocks,
            "embedded" => Self::Network(NetworkChoice::Embedded),
            path => Self::Network(NetworkChoice::File(path.into())),
        })
    }
}

impl fmt::Display for PriorChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Tv => f.write_str("tv"),
            Self::Blocks => f.write_str("blocks"),
            Self::Network(network) => network.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ["none", "tv", "blocks", "embedded", "results/model.pt"] {
            let choice: PriorChoice = name.parse().unwrap();
            assert_eq!(choice.to_string(), name);
            let learned = matches!(choice, PriorChoice::Network(_));
            assert_eq!(learned, name.parse::<NetworkChoice>().is_ok());
        }
    }
}
