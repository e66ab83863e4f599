//! What temporal attention knows of frame positions: rotations, and a learnt bias.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::source::{Source, Start};

const BUCKETS: usize = 32;
/// Distances below this have a bucket each.
const EXACT: usize = 8;
const MAX_DISTANCE: f64 = 32.0;
/// Channels of a head beyond these are not rotated.
const MAX_ROTATED: usize = 32;

/// A learnt addition to the attention scores for each head and each distance in frames.
#[derive(Module, Debug)]
pub(super) struct RelativePosition {
    embedding: Param<Tensor<2>>,
}

impl RelativePosition {
    pub(super) fn new(source: &mut Source, heads: usize) -> Self {
        let shape = [BUCKETS, heads];
        let name = "time_rel_pos_bias.relative_attention_bias.weight";
        Self {
            embedding: source.param(name, &shape, shape, Start::Normal),
        }
    }

    /// `[1, heads, frames (query), frames (key)]`.
    pub(super) fn forward(&self, frames: usize) -> Tensor<4> {
        let [_, heads] = self.embedding.dims();
        let indices: Vec<i32> = (0..frames)
            .flat_map(|query| (0..frames).map(move |key| bucket(query, key) as i32))
            .collect();
        let data = TensorData::new(indices, [frames * frames]);
        let indices = Tensor::<1, Int>::from_data(data, &self.embedding.device());
        self.embedding
            .val()
            .select(0, indices)
            .reshape([frames, frames, heads])
            .permute([2, 0, 1])
            .unsqueeze::<4>()
    }
}

/// T5's buckets, both directions: sixteen for keys at or before the query, sixteen after.
fn bucket(query: usize, key: usize) -> usize {
    let side = if query < key { BUCKETS / 2 } else { 0 };
    let distance = query.abs_diff(key);
    if distance < EXACT {
        return side + distance;
    }
    let octave = (distance as f64 / EXACT as f64).ln() / (MAX_DISTANCE / EXACT as f64).ln();
    side + (EXACT + (octave * EXACT as f64) as usize).min(BUCKETS / 2 - 1)
}

/// What turns queries (also scaled by 1/sqrt(head dim)) and keys by their frame's angle,
/// `[frames, head dim, head dim]` each: `turned = matrix * plain`. Applied to the
/// projection weights it costs nothing per pixel.
pub(super) struct Rotations {
    pub(super) query: Tensor<3>,
    pub(super) key: Tensor<3>,
}

impl Rotations {
    pub(super) fn new(frames: usize, head_dim: usize, device: &Device) -> Self {
        let matrix = |scale: f64| {
            let data = rotation_matrices(frames, head_dim, scale);
            Tensor::from_data(TensorData::new(data, [frames, head_dim, head_dim]), device)
        };
        Self {
            query: matrix((head_dim as f64).powf(-0.5)),
            key: matrix(1.0),
        }
    }
}

/// The angle by which each pair of channels turns from frame to frame: 10000^(-2i/dim).
pub(super) fn frequencies(head_dim: usize) -> impl Iterator<Item = f64> {
    let rotated = head_dim.min(MAX_ROTATED);
    (0..rotated / 2).map(move |i| 10000f64.powf(-((2 * i) as f64) / rotated as f64))
}

/// Rotations of the interleaved pairs (0, 1), (2, 3), ... by frame * frequency.
fn rotation_matrices(frames: usize, head_dim: usize, scale: f64) -> Vec<f32> {
    let rotated = head_dim.min(MAX_ROTATED);
    let mut data = vec![0.0; frames * head_dim * head_dim];
    for (frame, matrix) in data.chunks_exact_mut(head_dim * head_dim).enumerate() {
        for (pair, frequency) in frequencies(head_dim).enumerate() {
            let (sin, cos) = (frame as f64 * frequency).sin_cos();
            let (a, b) = (2 * pair, 2 * pair + 1);
            matrix[a * head_dim + a] = (scale * cos) as f32;
            matrix[a * head_dim + b] = (-scale * sin) as f32;
            matrix[b * head_dim + b] = (scale * cos) as f32;
            matrix[b * head_dim + a] = (scale * sin) as f32;
        }
        for fixed in rotated..head_dim {
            matrix[fixed * head_dim + fixed] = scale as f32;
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_exact_near_and_logarithmic_far() {
        assert_eq!(bucket(5, 5), 0);
        assert_eq!(bucket(7, 0), 7);
        assert_eq!(bucket(0, 7), 23);
        assert_eq!(bucket(8, 0), 8);
        // 8 + floor(ln(9/8) / ln 4 * 8) = 8, 8 + floor(ln(12/8) / ln 4 * 8) = 10.
        assert_eq!(bucket(9, 0), 8);
        assert_eq!(bucket(12, 0), 10);
        assert_eq!(bucket(1000, 0), 15);
        assert_eq!(bucket(0, 1000), 31);
    }

    #[test]
    fn rotated_products_depend_on_the_distance_alone() {
        let dim = 4;
        let all = rotation_matrices(6, dim, 1.0);
        let turn = |frame: usize, v: [f32; 4]| {
            let m = &all[frame * dim * dim..][..dim * dim];
            let row = |r: usize| (0..dim).map(|c| m[r * dim + c] * v[c]).sum::<f32>();
            [row(0), row(1), row(2), row(3)]
        };
        let dot = |a: [f32; 4], b: [f32; 4]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
        let (q, k) = ([0.3, -1.0, 0.7, 2.0], [1.1, 0.4, -0.2, 0.9]);
        let near = dot(turn(2, q), turn(0, k));
        let far = dot(turn(5, q), turn(3, k));
        assert!((near - far).abs() < 1e-6);
        assert!((near - dot(q, k)).abs() > 0.1);
    }
}
