//! What the other frames say of a pixel, as tensors: all pairs of frames at once.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;

use super::super::evidence::{SCALES, Scale, gain};
use super::layers::unshuffled;

/// A clip averaged over its frames, and one over the sum of weights at half the clip's size.
struct Average {
    mean: Tensor<4>,
    share: Tensor<4>,
}

/// `x` is `[frames, 1, height, width]`, 0 at mid-grey, its sides multiples of 4; the features are
/// [`INPUTS`](super::super::CompactConfig::INPUTS) channels at half the size.
pub(super) fn features(x: Tensor<4>, sigma: f32) -> Tensor<4> {
    let [frames, _, height, width] = x.dims();
    let [fine, coarse] = SCALES.map(|scale| average(&x, sigma, scale));
    let (gain, inverse) = (gain(sigma), 1.0 / sigma);
    let corners = vec![
        x.clone() * gain,
        fine.mean.clone() * gain,
        (fine.mean - x.clone()) * inverse,
        (coarse.mean - x) * inverse,
    ];
    let corners = unshuffled(Tensor::cat(corners, 1));
    let one = Tensor::ones(
        [frames, 1, height / 2, width / 2],
        &corners.device().without_autodiff(),
    );
    let plain = one.clone() / frames as f32;
    Tensor::cat(vec![corners, fine.share, coarse.share, one, plain], 1)
}

fn average(x: &Tensor<4>, sigma: f32, scale: Scale) -> Average {
    let [frames, _, height, width] = x.dims();
    let Scale { side, slack, rate } = scale;
    let (down, across) = (height / side, width / side);
    let (count, pairs) = (down * across, frames * frames);
    // [blocks, frames, pixels of a block].
    let blocks = x
        .clone()
        .reshape([frames, down, side, across, side])
        .permute([1, 3, 0, 2, 4])
        .reshape([count, frames, side * side]);

    // Of each pair of frames: the mean square over 3 x 3 blocks, those beyond the frame left out.
    let apart = blocks.clone().unsqueeze_dim::<4>(2) - blocks.clone().unsqueeze_dim(1);
    let squares = apart.square().mean_dim(3).reshape([down, across, pairs]);
    let squares = squares.permute([2, 0, 1]).reshape([pairs, 1, down, across]);
    let around = AvgPoolOptions::new([3, 3])
        .with_stride([1, 1])
        .with_padding([1, 1])
        .with_count_include_pad(false);
    let squares = avg_pool2d(squares, around)
        .reshape([pairs, count])
        .swap_dims(0, 1)
        .reshape([count, frames, frames]);

    let excess = relu(squares / (2.0 * sigma * sigma) - (1.0 + slack));
    let weights = (excess * -rate).exp();
    let totals = weights.clone().sum_dim(2);
    let mean = weights.matmul(blocks) / totals.clone();
    let mean = mean
        .reshape([down, across, frames, side, side])
        .permute([2, 0, 3, 1, 4])
        .reshape([frames, 1, height, width]);

    let ratio = side / 2;
    let share = totals
        .recip()
        .reshape([down, across, frames])
        .permute([2, 0, 1])
        .reshape([frames, down, 1, across, 1])
        .expand([frames, down, ratio, across, ratio])
        .reshape([frames, 1, height / 2, width / 2]);
    Average { mean, share }
}
