//! The residual block: two normalised 3 x 3 convolutions, the first told the time.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::silu;

use super::conv::{Conv, Pointwise};
use super::norm::{GroupNorm, Modulation};
use super::source::{Source, Start};

#[derive(Module, Debug)]
struct Block {
    proj: Conv,
    norm: GroupNorm,
}

impl Block {
    fn new(source: &mut Source, name: &str, channels: [usize; 2]) -> Self {
        Self {
            proj: Conv::new(source, &format!("{name}.proj"), channels, 3),
            norm: GroupNorm::new(source, &format!("{name}.norm"), channels[1]),
        }
    }

    fn forward(&self, x: Tensor<4>, modulation: Option<Modulation>) -> Tensor<4> {
        silu(self.norm.forward(self.proj.forward(x), modulation))
    }
}

/// Scale and shift from the time embedding.
#[derive(Module, Debug)]
struct TimeProjection {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

impl TimeProjection {
    fn new(source: &mut Source, name: &str, time_dim: usize, channels: usize) -> Self {
        let shape = [2 * channels, time_dim];
        let fan_in = Start::FanIn(time_dim);
        Self {
            weight: source.param(&format!("{name}.weight"), &shape, shape, fan_in),
            bias: source.param(&format!("{name}.bias"), &shape[..1], [shape[0]], fan_in),
        }
    }

    fn forward(&self, time: &Tensor<2>) -> Modulation {
        let both = self
            .weight
            .val()
            .matmul(silu(time.clone()))
            .squeeze_dim::<1>(1);
        let both = both + self.bias.val();
        let mut halves = both.chunk(2, 0).into_iter();
        let mut next = || halves.next().expect("two halves");
        Modulation {
            scale: next(),
            shift: next(),
        }
    }
}

#[derive(Module, Debug)]
pub(super) struct ResnetBlock {
    time: Option<TimeProjection>,
    block1: Block,
    block2: Block,
    shortcut: Option<Pointwise>,
}

impl ResnetBlock {
    /// `time_dim` is the length of the time embedding, if the block is told the time.
    pub(super) fn new(
        source: &mut Source,
        name: &str,
        [inputs, outputs]: [usize; 2],
        time_dim: Option<usize>,
    ) -> Self {
        Self {
            time: time_dim
                .map(|dim| TimeProjection::new(source, &format!("{name}.mlp.1"), dim, outputs)),
            block1: Block::new(source, &format!("{name}.block1"), [inputs, outputs]),
            block2: Block::new(source, &format!("{name}.block2"), [outputs, outputs]),
            shortcut: (inputs != outputs)
                .then(|| Pointwise::new(source, &format!("{name}.res_conv"), [inputs, outputs], 5)),
        }
    }

    /// `x` is `[frames, inputs, height, width]`, `time` a column `[time_dim, 1]`.
    pub(super) fn forward(&self, x: Tensor<4>, time: &Tensor<2>) -> Tensor<4> {
        let modulation = self
            .time
            .as_ref()
            .map(|projection| projection.forward(time));
        let hidden = self.block1.forward(x.clone(), modulation);
        let hidden = self.block2.forward(hidden, None);
        let shortcut = match &self.shortcut {
            Some(shortcut) => shortcut.forward(x),
            None => x,
        };
        hidden + shortcut
    }
}
