//! A mask of missing pixels, drawn with a brush.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::clip::{Clip, Shape};
use crate::media::{self, MediaError};

/// Which pixels of every frame are measured.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Runs", into = "Runs")]
pub struct Drawing {
    width: usize,
    measured: Vec<bool>,
}

/// A drawing as it is kept: how many pixels in a row are measured, then how many are missing, and
/// so on.
#[derive(Clone, Serialize, Deserialize)]
struct Runs {
    width: usize,
    lengths: Vec<usize>,
}

impl From<Drawing> for Runs {
    fn from(drawing: Drawing) -> Self {
        let mut lengths = vec![0];
        let mut measured = true;
        for pixel in drawing.measured {
            if pixel != measured {
                measured = pixel;
                lengths.push(0);
            }
            if let Some(last) = lengths.last_mut() {
                *last += 1;
            }
        }
        Self {
            width: drawing.width,
            lengths,
        }
    }
}

impl From<Runs> for Drawing {
    fn from(runs: Runs) -> Self {
        let runs_of = runs.lengths.iter().enumerate();
        let measured = runs_of.flat_map(|(i, &length)| std::iter::repeat_n(i % 2 == 0, length));
        Self {
            width: runs.width.max(1),
            measured: measured.collect(),
        }
    }
}

impl Drawing {
    /// Every pixel is measured.
    pub fn new(height: usize, width: usize) -> Self {
        Self {
            width,
            measured: vec![true; height * width],
        }
    }

    /// Every pixel is measured again.
    pub fn clear(&mut self) {
        self.measured.fill(true);
    }

    /// Rows and columns.
    pub fn size(&self) -> (usize, usize) {
        (self.measured.len() / self.width, self.width)
    }

    /// Share of the pixels that are measured.
    pub fn share(&self) -> f64 {
        let kept = self.measured.iter().filter(|measured| **measured).count();
        kept as f64 / self.measured.len().max(1) as f64
    }

    pub fn is_measured(&self, row: usize, column: usize) -> bool {
        self.measured[row * self.width + column]
    }

    /// Marks the pixels whose middle lies within `radius_px` of the way between two points, in
    /// pixels from the upper left corner.
    pub fn stroke(&mut self, from: [f32; 2], to: [f32; 2], radius_px: f32, measured: bool) {
        let along = [to[0] - from[0], to[1] - from[1]];
        let square = along[0] * along[0] + along[1] * along[1];
        for (i, pixel) in self.measured.iter_mut().enumerate() {
            let (row, column) = (i / self.width, i % self.width);
            let at = [column as f32 + 0.5 - from[0], row as f32 + 0.5 - from[1]];
            let share = (at[0] * along[0] + at[1] * along[1]) / square.max(1e-12);
            let share = share.clamp(0.0, 1.0);
            let off = [at[0] - share * along[0], at[1] - share * along[1]];
            if off[0].hypot(off[1]) <= radius_px {
                *pixel = measured;
            }
        }
    }

    /// One frame: 1 where it is measured.
    pub fn clip(&self) -> Clip {
        let (height, width) = self.size();
        let values = self.measured.iter().map(|&measured| f32::from(measured));
        Clip::new(Shape::new(1, height, width), values.collect())
    }

    /// Where the drawing lies for `reconstruct`: each has a name of its own.
    pub fn file(&self) -> PathBuf {
        let own = || std::env::temp_dir().join("vdps-studio");
        let folder = eframe::storage_dir("vdps-studio").unwrap_or_else(own);
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        folder.join(format!("masks/{:016x}.png", hasher.finish()))
    }

    /// Writes it there, unless it is there.
    ///
    /// # Errors
    /// A disk that cannot be written to.
    pub fn write(&self) -> Result<(), MediaError> {
        let file = self.file();
        if file.is_file() {
            return Ok(());
        }
        let (height, width) = self.size();
        media::write_png(&file, height, width, self.clip().data())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stroke_covers_its_way_and_can_be_erased() {
        let mut drawing = Drawing::new(6, 8);
        drawing.stroke([1.5, 2.5], [5.5, 2.5], 0.6, false);
        let missing = |drawing: &Drawing| -> Vec<(usize, usize)> {
            let pixels = (0..6).flat_map(|row| (0..8).map(move |column| (row, column)));
            pixels
                .filter(|&(row, column)| !drawing.is_measured(row, column))
                .collect()
        };
        let expected: Vec<_> = (1..=5).map(|column| (2, column)).collect();
        assert_eq!(missing(&drawing), expected);
        assert!((drawing.share() - 43.0 / 48.0).abs() < 1e-9);
        drawing.stroke([3.5, 2.5], [3.5, 2.5], 0.6, true);
        assert!(drawing.is_measured(2, 3) && !drawing.is_measured(2, 4));
        assert_eq!(drawing.clip().frame(0)[2 * 8 + 4], 0.0);
    }

    #[test]
    fn a_kept_drawing_is_the_same() {
        let mut drawing = Drawing::new(5, 7);
        drawing.stroke([0.0, 0.0], [3.0, 4.0], 1.5, false);
        let text = serde_json::to_string(&drawing).unwrap();
        assert!(text.len() < 100, "{text}");
        assert_eq!(serde_json::from_str::<Drawing>(&text).unwrap(), drawing);
        let whole = Drawing::new(2, 2);
        let text = serde_json::to_string(&whole).unwrap();
        assert_eq!(serde_json::from_str::<Drawing>(&text).unwrap(), whole);
        assert_ne!(whole.file(), drawing.file());
    }
}
