//! A grey video clip in memory: the one currency of every layer.

use std::fmt;

/// The size of a clip: frames, then rows, then columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Shape {
    pub frames: usize,
    pub height: usize,
    pub width: usize,
}

impl Shape {
    pub const fn new(frames: usize, height: usize, width: usize) -> Self {
        Self {
            frames,
            height,
            width,
        }
    }

    /// Pixels in one frame.
    pub const fn frame_len(&self) -> usize {
        self.height * self.width
    }

    /// Pixels in the whole clip.
    pub const fn len(&self) -> usize {
        self.frames * self.frame_len()
    }

    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Shape {
    /// `10x64x64`: frames x rows x columns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.frames, self.height, self.width)
    }
}

/// Grey video, frame after frame, each frame row after row.
///
/// What a value means (amplitude, intensity, signed [-1, 1] video) is said by
/// whoever holds the clip; the clip itself only knows its shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    shape: Shape,
    data: Vec<f32>,
}

impl Clip {
    /// Wraps `data`, which holds `shape.len()` values.
    ///
    /// # Panics
    /// When the length does not match: that is a mistake in the program, not in its input.
    pub fn new(shape: Shape, data: Vec<f32>) -> Self {
        assert_eq!(
            data.len(),
            shape.len(),
            "a {shape} clip needs {} values",
            shape.len()
        );
        Self { shape, data }
    }

    pub fn zeros(shape: Shape) -> Self {
        Self::filled(shape, 0.0)
    }

    pub fn filled(shape: Shape, value: f32) -> Self {
        Self {
            shape,
            data: vec![value; shape.len()],
        }
    }

    pub fn shape(&self) -> Shape {
        self.shape
    }

    pub fn data(&self) -> &[f32] {
        &self.data
    }

    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    pub fn into_data(self) -> Vec<f32> {
        self.data
    }

    pub fn frame(&self, index: usize) -> &[f32] {
        let n = self.shape.frame_len();
        &self.data[index * n..(index + 1) * n]
    }

    pub fn frame_mut(&mut self, index: usize) -> &mut [f32] {
        let n = self.shape.frame_len();
        &mut self.data[index * n..(index + 1) * n]
    }

    pub fn frames(&self) -> impl ExactSizeIterator<Item = &[f32]> + Clone {
        self.data.chunks_exact(self.shape.frame_len().max(1))
    }

    /// The smallest and the largest value.
    pub fn range(&self) -> (f32, f32) {
        let start = (f32::INFINITY, f32::NEG_INFINITY);
        let wider = |(low, high): (f32, f32), &v| (low.min(v), high.max(v));
        self.data.iter().fold(start, wider)
    }

    /// The same shape, each value passed through `f`.
    pub fn map(&self, f: impl Fn(f32) -> f32) -> Self {
        Self {
            shape: self.shape,
            data: self.data.iter().map(|&v| f(v)).collect(),
        }
    }

    /// Combines two clips of one shape value by value.
    ///
    /// # Panics
    /// When the shapes differ.
    pub fn zip(&self, other: &Self, f: impl Fn(f32, f32) -> f32) -> Self {
        assert_eq!(self.shape, other.shape, "clips of different shapes");
        let data = self.data.iter().zip(&other.data);
        Self {
            shape: self.shape,
            data: data.map(|(&a, &b)| f(a, b)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_consecutive_rows() {
        let clip = Clip::new(Shape::new(2, 1, 3), vec![0., 1., 2., 3., 4., 5.]);
        assert_eq!(clip.frame(1), &[3., 4., 5.]);
        assert_eq!(clip.frames().len(), 2);
        assert_eq!(clip.shape().to_string(), "2x1x3");
    }

    #[test]
    #[should_panic(expected = "different shapes")]
    fn zip_refuses_other_shapes() {
        let a = Clip::zeros(Shape::new(1, 1, 2));
        a.zip(&Clip::zeros(Shape::new(1, 2, 1)), |a, b| a + b);
    }
}
