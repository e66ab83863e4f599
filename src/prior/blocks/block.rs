//! Blocks of a clip as spectra: the separable orthonormal cosine transform.

use std::f64::consts::PI;

use crate::clip::{Clip, Shape};

/// The size of a block: frames, rows, columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockSize {
    pub frames: usize,
    pub height: usize,
    pub width: usize,
}

impl BlockSize {
    pub fn len(self) -> usize {
        self.frames * self.height * self.width
    }

    /// The same, no longer along any side than the clip.
    pub fn within(self, shape: Shape) -> Self {
        Self {
            frames: self.frames.min(shape.frames),
            height: self.height.min(shape.height),
            width: self.width.min(shape.width),
        }
    }

    /// How many places along each side of the clip a block can start at.
    pub fn places(self, shape: Shape) -> Shape {
        Shape {
            frames: shape.frames - self.frames + 1,
            height: shape.height - self.height + 1,
            width: shape.width - self.width + 1,
        }
    }
}

/// The cosine transform (DCT-II, orthonormal) of blocks of one size.
pub(super) struct Transform {
    size: BlockSize,
    along_time: Vec<f32>,
    along_columns: Vec<f32>,
    along_rows: Vec<f32>,
}

impl Transform {
    pub fn new(size: BlockSize) -> Self {
        Self {
            size,
            along_time: cosines(size.frames),
            along_columns: cosines(size.height),
            along_rows: cosines(size.width),
        }
    }

    /// The spectrum of the block of `clip` that starts at frame `t`, row `y`, column `x`.
    pub fn forward(&self, clip: &Clip, t: usize, y: usize, x: usize, out: &mut [f32]) {
        let size = self.size;
        let width = clip.shape().width;
        for (k, plane) in out.chunks_exact_mut(size.height * size.width).enumerate() {
            let frame = clip.frame(t + k);
            for (j, row) in plane.chunks_exact_mut(size.width).enumerate() {
                let start = (y + j) * width + x;
                row.copy_from_slice(&frame[start..start + size.width]);
            }
        }
        self.each_axis(out, false);
    }

    /// The block of a spectrum, in place: frames, rows, columns.
    pub fn inverse(&self, spectrum: &mut [f32]) {
        self.each_axis(spectrum, true);
    }

    fn each_axis(&self, block: &mut [f32], inverse: bool) {
        let BlockSize { height, width, .. } = self.size;
        along(block, &self.along_time, height * width, inverse);
        for plane in block.chunks_exact_mut(height * width) {
            along(plane, &self.along_columns, width, inverse);
        }
        for row in block.chunks_exact_mut(width) {
            along(row, &self.along_rows, 1, inverse);
        }
    }
}

/// Multiplies by the square matrix, or its transpose, along the slowest axis of `data`, whose
/// steps are `stride` apart.
fn along(data: &mut [f32], matrix: &[f32], stride: usize, transposed: bool) {
    let n = data.len() / stride;
    if n == 1 {
        return;
    }
    let mut source = [0.0; MOST_LANES];
    let mut done = 0;
    while done < stride {
        let lanes = (stride - done).min(MOST_LANES / n);
        for k in 0..n {
            let from = k * stride + done;
            source[k * lanes..(k + 1) * lanes].copy_from_slice(&data[from..from + lanes]);
        }
        for i in 0..n {
            let to = i * stride + done;
            let out = &mut data[to..to + lanes];
            out.fill(0.0);
            for (k, from) in source.chunks_exact(lanes).take(n).enumerate() {
                let weight = match transposed {
                    false => matrix[i * n + k],
                    true => matrix[k * n + i],
                };
                for (o, s) in out.iter_mut().zip(from) {
                    *o += weight * s;
                }
            }
        }
        done += lanes;
    }
}

/// Values that one pass of [`along`] holds at most.
const MOST_LANES: usize = 128;

/// The n x n matrix of the orthonormal DCT-II, a row a frequency.
fn cosines(n: usize) -> Vec<f32> {
    let entry = |frequency: usize, place: usize| {
        let scale = if frequency == 0 { 1.0 } else { 2f64 };
        let phase = PI * frequency as f64 * (place as f64 + 0.5) / n as f64;
        ((scale / n as f64).sqrt() * phase.cos()) as f32
    };
    (0..n * n).map(|i| entry(i / n, i % n)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    #[test]
    fn the_transform_is_orthonormal_and_inverts() {
        for (frames, height, width) in [(4, 4, 4), (1, 8, 8), (3, 1, 2), (1, 1, 1)] {
            let size = BlockSize {
                frames,
                height,
                width,
            };
            let shape = Shape::new(frames + 1, height + 2, width + 1);
            let clip = Noise::seeded(3).normal_clip(shape);
            let transform = Transform::new(size);
            let mut block = vec![0.0; size.len()];
            transform.forward(&clip, 1, 2, 1, &mut block);
            let pixel = |k: usize| {
                let (t, j, i) = (k / (height * width), k / width % height, k % width);
                clip.frame(1 + t)[(2 + j) * shape.width + 1 + i]
            };
            let energy: f32 = block.iter().map(|v| v * v).sum();
            let expected: f32 = (0..size.len()).map(|k| pixel(k) * pixel(k)).sum();
            assert!((energy / expected - 1.0).abs() < 1e-5);
            transform.inverse(&mut block);
            for (k, v) in block.iter().enumerate() {
                assert!((v - pixel(k)).abs() < 1e-5);
            }
        }
    }
}
