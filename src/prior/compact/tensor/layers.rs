//! From features to what the network makes of them: `[frames, channels, height, width]`.

use burn::tensor::Tensor;
use burn::tensor::activation::silu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

use super::super::layout::{Block, Conv};
use super::TensorNetwork;

impl TensorNetwork {
    fn conv(&self, conv: Conv, x: Tensor<4>) -> Tensor<4> {
        let side = if conv.taps == 9 { 3 } else { 1 };
        let shape = [conv.outputs, conv.inputs, side, side];
        let weight = self.arrays[&conv.weight].clone().reshape(shape);
        let bias = self.arrays[&conv.bias].clone();
        let pad = side / 2;
        let options = ConvOptions::new([1, 1], [pad, pad], [1, 1], 1);
        conv2d(x, weight, Some(bias), options)
    }

    /// Columns `[inputs, 1]` to `[outputs, 1]`.
    fn linear(&self, conv: Conv, x: Tensor<2>) -> Tensor<2> {
        let weight = self.arrays[&conv.weight].clone();
        let bias = self.arrays[&conv.bias].clone();
        let weight = weight.reshape([conv.outputs, conv.inputs]);
        weight.matmul(x) + bias.reshape([conv.outputs, 1])
    }

    fn block(&self, block: Block, input: Tensor<4>, level: &Tensor<2>) -> Tensor<4> {
        let channels = block.first.outputs;
        let modulation = self.linear(block.level, level.clone());
        let modulation = modulation.reshape([1, 2 * channels, 1, 1]);
        let scale = modulation.clone().narrow(1, 0, channels) + 1.0;
        let shift = modulation.narrow(1, channels, channels);
        let found = self.conv(block.first, shifted(input.clone()));
        self.conv(block.second, silu(found * scale + shift)) + input
    }

    fn stage(&self, stage: &[Block], x: Tensor<4>, level: &Tensor<2>) -> Tensor<4> {
        let blocks = stage.iter();
        blocks.fold(x, |x, &block| self.block(block, x, level))
    }

    /// `features` are those of the evidence, `waves` a column that tells the noise level; four
    /// channels come out.
    pub(super) fn forward(&self, features: Tensor<4>, waves: Tensor<2>) -> Tensor<4> {
        let layout = &self.layout;
        let level = silu(self.linear(layout.embed, waves));
        let mut x = self.conv(layout.enter, features);
        let mut skips = Vec::new();
        for (stage, &reduce) in layout.down.iter().zip(&layout.reduce) {
            x = self.stage(stage, x, &level);
            skips.push(x.clone());
            x = self.conv(reduce, unshuffled(x));
        }
        x = self.stage(&layout.middle, x, &level);
        let ups = layout.up.iter().zip(&layout.enlarge).zip(skips);
        for ((stage, &enlarge), skip) in ups.rev() {
            x = skip + shuffled(self.conv(enlarge, x));
            x = self.stage(stage, x, &level);
        }
        self.conv(layout.leave, x)
    }
}

/// An eighth of the channels from the frame before, an eighth from the one behind, an eighth from
/// the clip's mean; the first and the last frame stand for those beyond them.
fn shifted(x: Tensor<4>) -> Tensor<4> {
    let [frames, channels, height, width] = x.dims();
    let eighth = channels / 8;
    let part = |index: usize| x.clone().narrow(1, index * eighth, eighth);
    let frame = |x: &Tensor<4>, at: usize| x.clone().narrow(0, at, 1);
    let (mut before, mut behind) = (part(0), part(1));
    if frames > 1 {
        let (first, last) = (frame(&before, 0), frame(&behind, frames - 1));
        before = Tensor::cat(vec![first, before.narrow(0, 0, frames - 1)], 0);
        behind = Tensor::cat(vec![behind.narrow(0, 1, frames - 1), last], 0);
    }
    let mean = part(2).mean_dim(0).expand([frames, eighth, height, width]);
    let here = x.clone().narrow(1, 3 * eighth, channels - 3 * eighth);
    Tensor::cat(vec![before, behind, mean, here], 1)
}

/// Each 2 x 2 pixels as four channels of half the size.
pub(super) fn unshuffled(x: Tensor<4>) -> Tensor<4> {
    let [frames, channels, height, width] = x.dims();
    x.reshape([frames, channels, height / 2, 2, width / 2, 2])
        .permute([0, 1, 3, 5, 2, 4])
        .reshape([frames, 4 * channels, height / 2, width / 2])
}

/// The inverse of [`unshuffled`].
pub(super) fn shuffled(x: Tensor<4>) -> Tensor<4> {
    let [frames, channels, height, width] = x.dims();
    x.reshape([frames, channels / 4, 2, 2, height, width])
        .permute([0, 1, 4, 2, 5, 3])
        .reshape([frames, channels / 4, 2 * height, 2 * width])
}
