//! Convolutions within frames. Frames are the batch: `[frames, channels, height, width]`.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::module::{conv_transpose2d, conv2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};

use super::source::{Source, Start};

/// A convolution with an odd kernel that keeps height and width.
#[derive(Module, Debug)]
pub(super) struct Conv {
    weight: Param<Tensor<4>>,
    bias: Param<Tensor<1>>,
}

impl Conv {
    pub(super) fn new(
        source: &mut Source,
        name: &str,
        [inputs, outputs]: [usize; 2],
        kernel: usize,
    ) -> Self {
        let fan_in = Start::FanIn(inputs * kernel * kernel);
        let shape = [outputs, inputs, kernel, kernel];
        let published = [outputs, inputs, 1, kernel, kernel];
        Self {
            weight: source.param(&format!("{name}.weight"), &published, shape, fan_in),
            bias: source.param(&format!("{name}.bias"), &[outputs], [outputs], fan_in),
        }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [_, _, kernel, _] = self.weight.dims();
        let pad = kernel / 2;
        let options = ConvOptions::new([1, 1], [pad, pad], [1, 1], 1);
        conv2d(x, self.weight.val(), Some(self.bias.val()), options)
    }
}

/// The 4 x 4 kernel and bias of a layer that halves or doubles height and width.
fn resampling(
    source: &mut Source,
    name: &str,
    channels: usize,
) -> (Param<Tensor<4>>, Param<Tensor<1>>) {
    let fan_in = Start::FanIn(channels * 16);
    let published = [channels, channels, 1, 4, 4];
    let shape = [channels, channels, 4, 4];
    let weight = source.param(&format!("{name}.weight"), &published, shape, fan_in);
    let bias = source.param(&format!("{name}.bias"), &[channels], [channels], fan_in);
    (weight, bias)
}

/// Halves height and width with a 4 x 4 kernel.
#[derive(Module, Debug)]
pub(super) struct Downsample {
    weight: Param<Tensor<4>>,
    bias: Param<Tensor<1>>,
}

impl Downsample {
    pub(super) fn new(source: &mut Source, name: &str, channels: usize) -> Self {
        let (weight, bias) = resampling(source, name, channels);
        Self { weight, bias }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let options = ConvOptions::new([2, 2], [1, 1], [1, 1], 1);
        conv2d(x, self.weight.val(), Some(self.bias.val()), options)
    }
}

/// Doubles height and width with a transposed 4 x 4 kernel.
#[derive(Module, Debug)]
pub(super) struct Upsample {
    weight: Param<Tensor<4>>,
    bias: Param<Tensor<1>>,
}

impl Upsample {
    pub(super) fn new(source: &mut Source, name: &str, channels: usize) -> Self {
        let (weight, bias) = resampling(source, name, channels);
        Self { weight, bias }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let options = ConvTransposeOptions::new([2, 2], [1, 1], [0, 0], [1, 1], 1);
        conv_transpose2d(x, self.weight.val(), Some(self.bias.val()), options)
    }
}

/// A 1 x 1 convolution, which is a matrix product.
#[derive(Module, Debug)]
pub(super) struct Pointwise {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

impl Pointwise {
    /// `published_rank` is that of the published weight: 5 for a 3-D convolution, 4 for 2-D.
    pub(super) fn new(
        source: &mut Source,
        name: &str,
        [inputs, outputs]: [usize; 2],
        published_rank: usize,
    ) -> Self {
        let fan_in = Start::FanIn(inputs);
        let mut published = vec![1; published_rank];
        published[..2].copy_from_slice(&[outputs, inputs]);
        let shape = [outputs, inputs];
        Self {
            weight: source.param(&format!("{name}.weight"), &published, shape, fan_in),
            bias: source.param(&format!("{name}.bias"), &[outputs], [outputs], fan_in),
        }
    }

    /// `[frames, inputs, pixels]` to `[frames, outputs, pixels]`.
    pub(super) fn forward_flat(&self, x: Tensor<3>) -> Tensor<3> {
        let outputs = self.bias.dims()[0];
        self.weight.val().unsqueeze::<3>().matmul(x) + self.bias.val().reshape([1, outputs, 1])
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [frames, inputs, height, width] = x.dims();
        let flat = x.reshape([frames, inputs, height * width]);
        let outputs = self.bias.dims()[0];
        self.forward_flat(flat)
            .reshape([frames, outputs, height, width])
    }
}
