//! Which frames are wanted, and how large: the options' vocabulary.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Rows and columns of a frame. Written `48x64` (rows x columns), or `64` for a square.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameSize {
    pub height: usize,
    pub width: usize,
}

impl FrameSize {
    pub const fn new(height: usize, width: usize) -> Self {
        Self { height, width }
    }

    pub const fn square(side: usize) -> Self {
        Self::new(side, side)
    }

    /// Pixels of a frame of this size, or none where the number does not fit.
    pub(super) fn pixels(&self) -> Option<usize> {
        self.height.checked_mul(self.width)
    }
}

impl fmt::Display for FrameSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.height, self.width)
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a frame size: write rows x columns, as in 48x64, or 64 for a square")]
pub struct FrameSizeError(String);

impl FromStr for FrameSize {
    type Err = FrameSizeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let side = |part: &str| part.trim().parse().ok().filter(|&n: &usize| n > 0);
        let size = match text.split_once(['x', 'X']) {
            Some((height, width)) => side(height).zip(side(width)),
            None => side(text).map(|n| (n, n)),
        };
        let (height, width) = size.ok_or_else(|| FrameSizeError(text.to_owned()))?;
        Ok(Self::new(height, width))
    }
}

/// The frames `start..end` (end excluded), of which every `stride`-th is kept.
///
/// Written `A..B`, `A..`, `..B` or `..`, each with an optional `:stride`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FrameRange {
    start: usize,
    end: Option<usize>,
    stride: usize,
}

impl FrameRange {
    pub const ALL: Self = Self {
        start: 0,
        end: None,
        stride: 1,
    };

    /// None for an empty range or a stride of nothing.
    pub fn new(start: usize, end: Option<usize>, stride: usize) -> Option<Self> {
        let holds_a_frame = stride > 0 && end.is_none_or(|end| end > start);
        holds_a_frame.then_some(Self { start, end, stride })
    }

    pub fn start(&self) -> usize {
        self.start
    }

    pub fn end(&self) -> Option<usize> {
        self.end
    }

    pub fn stride(&self) -> usize {
        self.stride
    }

    pub(super) fn contains(&self, index: usize) -> bool {
        index >= self.start
            && self.end.is_none_or(|end| index < end)
            && (index - self.start).is_multiple_of(self.stride)
    }
}

impl Default for FrameRange {
    fn default() -> Self {
        Self::ALL
    }
}

impl fmt::Display for FrameRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start > 0 {
            write!(f, "{}", self.start)?;
        }
        f.write_str("..")?;
        if let Some(end) = self.end {
            write!(f, "{end}")?;
        }
        if self.stride != 1 {
            write!(f, ":{}", self.stride)?;
        }
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a range of frames: write A..B (B is excluded), A.. or ..B, \
     with :N at the end for every N-th frame, as in 0..100:10"
)]
pub struct FrameRangeError(String);

impl FromStr for FrameRange {
    type Err = FrameRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |part: &str| part.trim().parse::<usize>().ok();
        let parse = || {
            let (range, stride) = match text.split_once(':') {
                Some((range, stride)) => (range, number(stride)?),
                None => (text, 1),
            };
            let (start, end) = range.split_once("..")?;
            let start = match start.trim() {
                "" => 0,
                start => number(start)?,
            };
            let end = match end.trim() {
                "" => None,
                end => Some(number(end)?),
            };
            Self::new(start, end, stride)
        };
        parse().ok_or_else(|| FrameRangeError(text.to_owned()))
    }
}

impl TryFrom<String> for FrameRange {
    type Error = FrameRangeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<FrameRange> for String {
    fn from(range: FrameRange) -> Self {
        range.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_written() {
        let range = |text: &str| {
            text.parse::<FrameRange>()
                .map(|r| (r.start, r.end, r.stride))
        };
        assert_eq!(range("3..7"), Ok((3, Some(7), 1)));
        assert_eq!(range("3.."), Ok((3, None, 1)));
        assert_eq!(range("..7:2"), Ok((0, Some(7), 2)));
        assert_eq!(range(".."), Ok((0, None, 1)));
        for wrong in [
            "", "3", "7..3", "3..3", "a..b", "0..5:0", "0..5:", "-1..4", "1..=4", "1...4",
        ] {
            let message = range(wrong).expect_err(wrong).to_string();
            assert!(message.contains("A..B"), "{message}");
        }
        for text in ["3..7", "3..", "..7:2", ".."] {
            assert_eq!(text.parse::<FrameRange>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_range_keeps_every_nth_frame_before_its_end() {
        let range: FrameRange = "2..9:3".parse().unwrap();
        let kept: Vec<usize> = (0..20).filter(|&i| range.contains(i)).collect();
        assert_eq!(kept, [2, 5, 8]);
    }

    #[test]
    fn sizes_are_rows_by_columns() {
        assert_eq!("48x64".parse(), Ok(FrameSize::new(48, 64)));
        assert_eq!("64".parse(), Ok(FrameSize::square(64)));
        for wrong in ["", "0", "4x0", "x4", "4x", "4x5x6", "-3"] {
            assert!(wrong.parse::<FrameSize>().is_err(), "{wrong}");
        }
    }
}
