//! The network's three attentions: linear over the pixels of a frame, full over the pixels
//! of a frame (at the lowest resolution), full over the frames at each pixel.
//!
//! All are residual, with a normalisation over channels in front, whose gain goes into
//! the projection weights. `x` is `[frames, channels, height, width]`.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;

use super::constants::frequencies_name;
use super::conv::Pointwise;
use super::norm::whiten_channels;
use super::position::Rotations;
use super::source::{Source, Start};

/// Channels of a head in attention over pixels; fixed in the published network.
pub(super) const SPATIAL_HEAD_DIM: usize = 32;

/// Gain and projections to queries, keys and values, `[3 * heads * head dim, channels]`.
#[derive(Module, Debug)]
struct Projections {
    gamma: Param<Tensor<1>>,
    to_qkv: Param<Tensor<2>>,
}

impl Projections {
    /// `norm` and `attend` are the published names; `rank` is 4 if the published
    /// projection is a convolution, 2 if it is a linear layer.
    fn new(
        source: &mut Source,
        norm: &str,
        attend: &str,
        channels: usize,
        hidden: usize,
        rank: usize,
    ) -> Self {
        let mut published = vec![1; rank];
        published[..2].copy_from_slice(&[3 * hidden, channels]);
        let gain = [1, channels, 1, 1, 1];
        Self {
            gamma: source.param(&format!("{norm}.gamma"), &gain, [channels], Start::Ones),
            to_qkv: source.param(
                &format!("{attend}.to_qkv.weight"),
                &published,
                [3 * hidden, channels],
                Start::FanIn(channels),
            ),
        }
    }

    /// Weights of queries, keys and values, `[1, heads * head dim, channels]` each, for
    /// input that is whitened but not yet multiplied by the gain.
    fn weights(&self) -> [Tensor<3>; 3] {
        let [rows, channels] = self.to_qkv.dims();
        let all = self.to_qkv.val() * self.gamma.val().reshape([1, channels]);
        let part = |i: usize| {
            let rows = rows / 3;
            all.clone().narrow(0, i * rows, rows).unsqueeze::<3>()
        };
        [part(0), part(1), part(2)]
    }
}

/// Linear attention over the pixels of each frame.
#[derive(Module, Debug)]
pub(super) struct LinearAttention {
    projections: Projections,
    to_out: Pointwise,
}

impl LinearAttention {
    pub(super) fn new(source: &mut Source, name: &str, channels: usize, heads: usize) -> Self {
        let hidden = heads * SPATIAL_HEAD_DIM;
        let (norm, attend) = (format!("{name}.fn.norm"), format!("{name}.fn.fn"));
        Self {
            projections: Projections::new(source, &norm, &attend, channels, hidden, 4),
            to_out: Pointwise::new(source, &format!("{attend}.to_out"), [hidden, channels], 4),
        }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [frames, channels, height, width] = x.dims();
        let pixels = height * width;
        let [query, key, value] = self.projections.weights();
        let [_, hidden, _] = query.dims();
        let heads = hidden / SPATIAL_HEAD_DIM;

        let white = whiten_channels(x.clone().reshape([frames, channels, pixels]));
        let split = |flat: Tensor<3>| flat.reshape([frames, heads, SPATIAL_HEAD_DIM, pixels]);
        // Queries with their channels last, where softmax is one pass over memory.
        let q = white.clone().swap_dims(1, 2).matmul(query.swap_dims(1, 2));
        let q = softmax(q.reshape([frames, pixels, heads, SPATIAL_HEAD_DIM]), 3);
        let k = softmax(split(key.matmul(white.clone())), 3);
        let v = split(value.matmul(white));

        let scale = (SPATIAL_HEAD_DIM as f64).powf(-0.5);
        let context = v.matmul(k.swap_dims(2, 3)) * scale;
        let out = context.matmul(q.permute([0, 2, 3, 1]));
        let out = self
            .to_out
            .forward_flat(out.reshape([frames, hidden, pixels]));
        x + out.reshape([frames, channels, height, width])
    }
}

/// Full attention over the pixels of each frame.
#[derive(Module, Debug)]
pub(super) struct SpatialAttention {
    projections: Projections,
    to_out: Param<Tensor<2>>,
}

impl SpatialAttention {
    pub(super) fn new(source: &mut Source, name: &str, channels: usize, heads: usize) -> Self {
        let hidden = heads * SPATIAL_HEAD_DIM;
        let (norm, attend) = (format!("{name}.fn.norm"), format!("{name}.fn.fn.fn"));
        Self {
            projections: Projections::new(source, &norm, &attend, channels, hidden, 2),
            to_out: source.param(
                &format!("{attend}.to_out.weight"),
                &[channels, hidden],
                [channels, hidden],
                Start::FanIn(hidden),
            ),
        }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [frames, channels, height, width] = x.dims();
        let pixels = height * width;
        let [query, key, value] = self.projections.weights();
        let [_, hidden, _] = query.dims();
        let heads = hidden / SPATIAL_HEAD_DIM;

        let white = whiten_channels(x.clone().reshape([frames, channels, pixels]));
        let split = |flat: Tensor<3>| flat.reshape([frames, heads, SPATIAL_HEAD_DIM, pixels]);
        let scale = (SPATIAL_HEAD_DIM as f64).powf(-0.5);
        let q = split((query * scale).matmul(white.clone()));
        let k = split(key.matmul(white.clone()));
        let v = split(value.matmul(white));

        let attention = softmax(q.swap_dims(2, 3).matmul(k), 3);
        let out = v.matmul(attention.swap_dims(2, 3));
        let out = self
            .to_out
            .val()
            .unsqueeze::<3>()
            .matmul(out.reshape([frames, hidden, pixels]));
        x + out.reshape([frames, channels, height, width])
    }
}

/// Full attention over the frames, at each pixel.
#[derive(Module, Debug)]
pub(super) struct TemporalAttention {
    projections: Projections,
    to_out: Param<Tensor<2>>,
}

/// What every temporal attention shares: rotations, and the position bias
/// `[1, heads, frames, frames]`.
pub(super) struct FramePositions {
    pub(super) rotations: Rotations,
    pub(super) bias: Tensor<4>,
}

impl TemporalAttention {
    pub(super) fn new(
        source: &mut Source,
        name: &str,
        channels: usize,
        heads: usize,
        head_dim: usize,
    ) -> Self {
        let hidden = heads * head_dim;
        let (norm, attend) = (format!("{name}.fn.norm"), format!("{name}.fn.fn.fn"));
        source.frequencies(frequencies_name(&attend));
        Self {
            projections: Projections::new(source, &norm, &attend, channels, hidden, 2),
            to_out: source.param(
                &format!("{attend}.to_out.weight"),
                &[channels, hidden],
                [channels, hidden],
                Start::FanIn(hidden),
            ),
        }
    }

    pub(super) fn forward(&self, x: Tensor<4>, positions: &FramePositions) -> Tensor<4> {
        let [frames, channels, height, width] = x.dims();
        let pixels = height * width;
        let [query, key, value] = self.projections.weights();
        let [_, hidden, _] = query.dims();
        let [_, heads, _, _] = positions.bias.dims();
        let head_dim = hidden / heads;

        let turned = |weight: Tensor<3>, rotation: &Tensor<3>| {
            let plain = weight.reshape([1, heads, head_dim, channels]);
            let turn = rotation.clone().unsqueeze_dim::<4>(1);
            turn.matmul(plain).reshape([frames, hidden, channels])
        };
        let query = turned(query, &positions.rotations.query);
        let key = turned(key, &positions.rotations.key);

        let white = whiten_channels(x.clone().reshape([frames, channels, pixels])).swap_dims(1, 2);
        // Tokens are frames: [pixels, heads, frames, head dim].
        let tokens = |weight: Tensor<3>| {
            white
                .clone()
                .matmul(weight.swap_dims(1, 2))
                .reshape([frames, pixels, heads, head_dim])
                .permute([1, 2, 0, 3])
        };
        let (q, k, v) = (tokens(query), tokens(key), tokens(value));
        let scores = q.matmul(k.swap_dims(2, 3)) + positions.bias.clone();
        let out = softmax(scores, 3).matmul(v);

        let out = out.permute([2, 0, 1, 3]).reshape([frames, pixels, hidden]);
        let out = self
            .to_out
            .val()
            .unsqueeze::<3>()
            .matmul(out.swap_dims(1, 2));
        x + out.reshape([frames, channels, height, width])
    }
}
