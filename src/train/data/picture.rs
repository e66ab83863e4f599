//! Pictures that are looked at from near and far.

use std::path::Path;

use super::film::{fitted, stretched};
use super::{DataError, raster};
use crate::media::{self, FrameSize, ReadOptions};

/// A grey picture, and the same at a half, a quarter, ... of its size.
#[derive(Clone, Debug)]
pub struct Picture {
    levels: Vec<Level>,
}

#[derive(Clone, Debug)]
struct Level {
    size: FrameSize,
    values: Vec<u8>,
}

impl Picture {
    /// From values in [0, 1], row after row.
    pub fn new(size: FrameSize, values: &[f32]) -> Self {
        let byte = |v: &f32| (v * 255.0).round() as u8;
        let mut levels = Vec::new();
        let (mut size, mut values) = (size, values.to_vec());
        loop {
            levels.push(Level {
                size,
                values: values.iter().map(byte).collect(),
            });
            let half = FrameSize::new(size.height / 2, size.width / 2);
            if half.height.min(half.width) < 8 {
                return Self { levels };
            }
            values = raster::averaged(&values, size, half);
            size = half;
        }
    }

    /// A photograph, its shorter side reduced to `side`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(path: &Path, side: usize) -> Result<Self, DataError> {
        let footage = media::open(path, &ReadOptions::default())?;
        let shape = footage.clip.shape();
        let size = FrameSize::new(shape.height, shape.width);
        let small = fitted(size, side);
        let mut values = raster::averaged(footage.clip.frame(0), size, small);
        if footage.levels != Some(255) {
            let bytes = stretched(&values);
            values = bytes
                .iter()
                .map(|&level| f32::from(level) / 255.0)
                .collect();
        }
        Ok(Self::new(small, &values))
    }

    /// Rows and columns at full size.
    pub fn size(&self) -> FrameSize {
        self.levels[0].size
    }

    /// The level whose pixels are the largest that are no larger than `step` pixels of the full
    /// size, and their size in those.
    pub fn level_for(&self, step: f32) -> (usize, f32) {
        let level = (step.max(1.0).log2() as usize).min(self.levels.len() - 1);
        (level, (1u32 << level) as f32)
    }

    /// The value (in [0, 1]) at a place given in pixels of `level`, the first one's centre being
    /// 0.5; beyond its edges the picture is mirrored.
    pub fn at(&self, level: usize, x: f32, y: f32) -> f32 {
        let Level { size, values } = &self.levels[level];
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (across, down) = (x - left, y - top);
        let (l, r) = pair(left as i32, size.width);
        let (t, b) = pair(top as i32, size.height);
        let value = |row: usize, column: usize| f32::from(values[row * size.width + column]);
        let above = value(t, l) + across * (value(t, r) - value(t, l));
        let below = value(b, l) + across * (value(b, r) - value(b, l));
        (above + down * (below - above)) / 255.0
    }
}

/// An index and its next one, mirrored at both ends.
fn pair(index: i32, count: usize) -> (usize, usize) {
    let inside = |i: i32| i >= 0 && (i as usize) < count;
    if inside(index) && inside(index + 1) {
        return (index as usize, index as usize + 1);
    }
    let mirrored = |i: i32| {
        let i = i.rem_euclid(2 * count as i32) as usize;
        if i < count { i } else { 2 * count - 1 - i }
    };
    (mirrored(index), mirrored(index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_read_between_its_pixels_and_mirrored_outside() {
        let values: Vec<f32> = (0..16 * 16).map(|i| (i % 16) as f32 / 15.0).collect();
        let picture = Picture::new(FrameSize::square(16), &values);
        let close = |x: f32, expected: f32| {
            let found = picture.at(0, x, 4.2);
            assert!((found - expected).abs() < 0.003, "{x}: {found}");
        };
        close(0.5, 0.0);
        close(5.0, 4.5 / 15.0);
        close(-2.5, 2.0 / 15.0);
        close(17.5, 14.0 / 15.0);
        assert_eq!(picture.level_for(3.9), (1, 2.0));
        assert_eq!(picture.level_for(0.3), (0, 1.0));
        assert!((picture.at(1, 4.0, 4.0) - 7.5 / 15.0).abs() < 0.003);
    }
}
