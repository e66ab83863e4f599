//! The network's two normalisations, both with epsilon 1e-5 and biased variances.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::source::{Source, Start};

const EPSILON: f64 = 1e-5;
pub(super) const GROUPS: usize = 8;

/// Zero mean and unit variance over the channels of each pixel, `[frames, channels, pixels]`.
///
/// The learnt gain `gamma` is not applied here: whoever follows is a linear map and
/// takes it into its weights.
pub(super) fn whiten_channels(x: Tensor<3>) -> Tensor<3> {
    let centred = x.clone() - x.mean_dim(1);
    let variance = centred.clone().square().mean_dim(1);
    centred * (variance + EPSILON).sqrt().recip()
}

/// GroupNorm with eight groups, followed by an optional scale and shift per channel.
/// Its statistics run over the group's channels, all pixels and **all frames** of the clip.
#[derive(Module, Debug)]
pub(super) struct GroupNorm {
    weight: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
}

/// Gain minus one, and offset, per channel.
pub(super) struct Modulation {
    pub(super) scale: Tensor<1>,
    pub(super) shift: Tensor<1>,
}

impl GroupNorm {
    pub(super) fn new(source: &mut Source, name: &str, channels: usize) -> Self {
        let shape = [channels];
        Self {
            weight: source.param(&format!("{name}.weight"), &shape, shape, Start::Ones),
            bias: source.param(&format!("{name}.bias"), &shape, shape, Start::Zeros),
        }
    }

    pub(super) fn forward(&self, x: Tensor<4>, modulation: Option<Modulation>) -> Tensor<4> {
        let [frames, channels, height, width] = x.dims();
        let (members, pixels) = (channels / GROUPS, height * width);
        let over_group = |sums: Tensor<4>| {
            let sums = sums.reshape([frames, GROUPS, members]);
            (sums.mean_dim(2).mean_dim(0) / pixels as f64).reshape([1, GROUPS, 1, 1])
        };
        let rows = x.reshape([frames, channels, 1, pixels]);
        let mean = over_group(rows.clone().sum_dim(3));
        let grouped = rows.reshape([frames, GROUPS, members, pixels]);
        let centred = grouped - mean;
        // A product of row and column adds up the squares without storing them.
        let rows = centred.clone().reshape([frames, channels, 1, pixels]);
        let variance = over_group(rows.clone().matmul(rows.swap_dims(2, 3)));
        let gain = (variance + EPSILON).sqrt().recip();

        // One gain and one offset per channel, so that each pixel is touched once.
        let (mut weight, mut bias) = (self.weight.val(), self.bias.val());
        if let Some(Modulation { scale, shift }) = modulation {
            let scale = scale + 1.0;
            weight = weight * scale.clone();
            bias = bias * scale + shift;
        }
        let gain = gain * weight.reshape([1, GROUPS, members, 1]);
        (centred * gain + bias.reshape([1, GROUPS, members, 1]))
            .reshape([frames, channels, height, width])
    }
}
