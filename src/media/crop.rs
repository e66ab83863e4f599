//! Which part of each frame is kept.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::FrameSize;

/// A part of each frame. Written `48x64` (rows x columns, or one number for a square) for the
/// centre, or `48x64+10+20` where the part begins 10 rows down and 20 columns in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crop {
    #[serde(flatten)]
    pub size: FrameSize,
    /// First row and column; the centre where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corner: Option<[usize; 2]>,
}

impl Crop {
    /// The first row and column in frames of this size, or none where it does not fit.
    pub fn corner_in(&self, frame: FrameSize) -> Option<[usize; 2]> {
        let height = frame.height.checked_sub(self.size.height)?;
        let width = frame.width.checked_sub(self.size.width)?;
        let [top, left] = self.corner.unwrap_or([height / 2, width / 2]);
        (top <= height && left <= width).then_some([top, left])
    }
}

impl From<FrameSize> for Crop {
    fn from(size: FrameSize) -> Self {
        Self { size, corner: None }
    }
}

impl fmt::Display for Crop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.size)?;
        match self.corner {
            Some([top, left]) => write!(f, "+{top}+{left}"),
            None => Ok(()),
        }
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a part of a frame: write rows x columns for the centre, as in 48x64, and \
     +ROW+COLUMN where it begins elsewhere, as in 48x64+10+20"
)]
pub struct CropError(String);

impl FromStr for Crop {
    type Err = CropError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let mut parts = text.split('+');
            let size = parts.next()?.parse().ok()?;
            let mut number = || parts.next().map(|part| part.trim().parse().ok());
            let corner = match (number(), number(), number()) {
                (None, ..) => None,
                (Some(Some(top)), Some(Some(left)), None) => Some([top, left]),
                _ => return None,
            };
            Some(Self { size, corner })
        };
        parse().ok_or_else(|| CropError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_written() {
        for text in ["48x64", "48x64+10+20", "3x3+0+0"] {
            assert_eq!(text.parse::<Crop>().unwrap().to_string(), text);
        }
        for wrong in [
            "",
            "+1+2",
            "8x8+1",
            "8x8+1+2+3",
            "8x8+-1+2",
            "8x8+a+2",
            "0x8+1+1",
        ] {
            let message = wrong.parse::<Crop>().expect_err(wrong).to_string();
            assert!(message.contains("48x64+10+20"), "{message}");
        }
    }

    #[test]
    fn a_part_fits_or_does_not() {
        let corner = |text: &str| {
            let crop: Crop = text.parse().unwrap();
            crop.corner_in(FrameSize::new(10, 21))
        };
        assert_eq!(corner("4x6"), Some([3, 7]));
        assert_eq!(corner("4x6+6+15"), Some([6, 15]));
        assert_eq!(corner("4x6+7+0"), None);
        assert_eq!(corner("11x6"), None);
    }
}
