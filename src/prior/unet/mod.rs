//! The published space-time U-Net.
//!
//! One clip at a time; frames are the batch of every layer within frames, so tensors are
//! `[frames, channels, height, width]`. Parameters carry their published names.

mod attention;
mod config;
mod constants;
mod conv;
mod cost;
mod norm;
mod position;
mod resnet;
mod slopes;
mod source;
mod time;

pub use config::UNetConfig;
pub use source::Slot;

use std::collections::BTreeSet;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use self::attention::{FramePositions, LinearAttention, SpatialAttention, TemporalAttention};
use self::conv::{Conv, Downsample, Pointwise, Upsample};
use self::position::{RelativePosition, Rotations};
use self::resnet::ResnetBlock;
use self::source::{Outline, Source};
use self::time::TimeEmbedding;
use super::weights::{Array, Weights, WeightsError};
use crate::noise::Noise;

/// Two residual blocks, then attention over the pixels, then over the frames.
#[derive(Module, Debug)]
struct Stage {
    block1: ResnetBlock,
    block2: ResnetBlock,
    spatial: LinearAttention,
    temporal: TemporalAttention,
}

impl Stage {
    fn new(source: &mut Source, name: &str, channels: [usize; 2], config: &UNetConfig) -> Self {
        let outputs = channels[1];
        let (heads, head_dim) = (config.heads, config.temporal_head_dim);
        let time = Some(4 * config.dim);
        Self {
            block1: ResnetBlock::new(source, &format!("{name}.0"), channels, time),
            block2: ResnetBlock::new(source, &format!("{name}.1"), [outputs, outputs], time),
            spatial: LinearAttention::new(source, &format!("{name}.2"), outputs, heads),
            temporal: TemporalAttention::new(
                source,
                &format!("{name}.3"),
                outputs,
                heads,
                head_dim,
            ),
        }
    }

    fn forward(&self, x: Tensor<4>, time: &Tensor<2>, positions: &FramePositions) -> Tensor<4> {
        let x = self.block1.forward(x, time);
        let x = self.block2.forward(x, time);
        let x = self.spatial.forward(x);
        self.temporal.forward(x, positions)
    }
}

#[derive(Module, Debug)]
struct Down {
    stage: Stage,
    resample: Option<Downsample>,
}

#[derive(Module, Debug)]
struct Up {
    stage: Stage,
    resample: Option<Upsample>,
}

#[derive(Module, Debug)]
struct Middle {
    block1: ResnetBlock,
    spatial: SpatialAttention,
    temporal: TemporalAttention,
    block2: ResnetBlock,
}

/// The network: estimates the noise in a clip at a diffusion step.
#[derive(Module, Debug)]
pub struct UNet {
    time: TimeEmbedding,
    position: RelativePosition,
    init_conv: Conv,
    init_temporal: TemporalAttention,
    downs: Vec<Down>,
    middle: Middle,
    ups: Vec<Up>,
    final_block: ResnetBlock,
    final_conv: Pointwise,
    #[module(skip)]
    config: UNetConfig,
}

impl UNet {
    /// A network of the sizes and weights of a checkpoint.
    pub fn from_weights(weights: &Weights, device: &Device) -> Result<Self, WeightsError> {
        Self::from_weights_reporting(weights, device).map(|(net, _)| net)
    }

    /// The same, with the names in the checkpoint that the network has no use for.
    pub fn from_weights_reporting(
        weights: &Weights,
        device: &Device,
    ) -> Result<(Self, Vec<String>), WeightsError> {
        let (config, row) = Self::row(weights)?;
        let slots = Self::slots(&config);
        let known: BTreeSet<&str> = slots.iter().map(|slot| &slot.name[..]).collect();
        let unused = weights
            .names()
            .filter(|name| !known.contains(name) && !constants::is_constant(name))
            .map(str::to_owned)
            .collect();
        Ok((Self::from_row(&config, &row, device), unused))
    }

    /// A network that has learnt nothing, for measuring speed.
    pub fn random(config: &UNetConfig, seed: u64, device: &Device) -> Self {
        Self::from_row(config, &Self::random_row(config, seed), device)
    }

    /// The parameters of a network that has learnt nothing.
    pub fn random_row(config: &UNetConfig, seed: u64) -> Vec<f32> {
        let mut noise = Noise::seeded(seed);
        let slots = Self::slots(config);
        slots
            .iter()
            .flat_map(|slot| slot.draw(&mut noise))
            .collect()
    }

    /// The sizes and the parameters of a checkpoint's network.
    pub fn row(weights: &Weights) -> Result<(UNetConfig, Vec<f32>), WeightsError> {
        let config = UNetConfig::infer(weights)?;
        constants::check(weights, &config)?;
        let slots = Self::slots(&config);
        let row = weights.row(slots.iter().map(|slot| (&slot.name[..], &slot.shape[..])))?;
        Ok((config, row))
    }

    /// The network of these parameters.
    ///
    /// # Panics
    /// When the row is shorter than the arrays in [`slots`](Self::slots) together.
    pub fn from_row(config: &UNetConfig, row: &[f32], device: &Device) -> Self {
        Self::build(&mut Source::row(row, device), config.clone())
    }

    /// The arrays of a network of these sizes, in the order in which a row of parameters holds
    /// them.
    pub fn slots(config: &UNetConfig) -> Vec<Slot> {
        Self::outline(config).slots
    }

    /// What a checkpoint holds beside the parameters, by name: the noise schedule, and the
    /// rotations' frequencies at every attention over the frames.
    pub fn constants(config: &UNetConfig) -> Vec<(String, Array)> {
        constants::constants(config, Self::outline(config).frequencies)
    }

    fn outline(config: &UNetConfig) -> Outline {
        let mut source = Source::blank();
        Self::build(&mut source, config.clone());
        source.outline()
    }

    fn build(source: &mut Source, config: UNetConfig) -> Self {
        let (dim, heads, head_dim) = (config.dim, config.heads, config.temporal_head_dim);
        let time_dim = Some(4 * dim);
        let levels = config.level_channels();
        let last = levels.len() - 1;
        let bottom = levels[last][1];

        let init_temporal = "init_temporal_attn";
        let init_temporal = TemporalAttention::new(source, init_temporal, dim, heads, head_dim);
        let downs = levels.iter().enumerate().map(|(i, &channels)| Down {
            stage: Stage::new(source, &format!("downs.{i}"), channels, &config),
            resample: (i < last)
                .then(|| Downsample::new(source, &format!("downs.{i}.4"), channels[1])),
        });
        let downs = downs.collect();
        let middle = Middle {
            block1: ResnetBlock::new(source, "mid_block1", [bottom, bottom], time_dim),
            spatial: SpatialAttention::new(source, "mid_spatial_attn", bottom, heads),
            temporal: TemporalAttention::new(source, "mid_temporal_attn", bottom, heads, head_dim),
            block2: ResnetBlock::new(source, "mid_block2", [bottom, bottom], time_dim),
        };
        let ups = levels.iter().rev().enumerate();
        let ups = ups.map(|(i, &[inputs, outputs])| Up {
            stage: Stage::new(source, &format!("ups.{i}"), [2 * outputs, inputs], &config),
            resample: (i < last).then(|| Upsample::new(source, &format!("ups.{i}.4"), inputs)),
        });
        let ups = ups.collect();
        Self {
            time: TimeEmbedding::new(source, dim),
            position: RelativePosition::new(source, heads),
            init_conv: Conv::new(source, "init_conv", [1, dim], 7),
            init_temporal,
            downs,
            middle,
            ups,
            final_block: ResnetBlock::new(source, "final_conv.0", [2 * dim, dim], None),
            final_conv: Pointwise::new(source, "final_conv.1", [dim, 1], 5),
            config,
        }
    }

    pub fn config(&self) -> &UNetConfig {
        &self.config
    }

    /// `x` is a noisy clip `[frames, 1, height, width]` at step `t`; the estimate of its
    /// noise has the same shape.
    ///
    /// # Panics
    /// When height or width is no multiple of [`UNetConfig::multiple`].
    pub fn forward(&self, x: Tensor<4>, t: usize) -> Tensor<4> {
        let [frames, _, _, _] = x.dims();
        let head_dim = self.config.temporal_head_dim;
        let bias = self.position.forward(frames);
        let positions = FramePositions {
            rotations: Rotations::new(frames, head_dim, &bias.device().without_autodiff()),
            bias,
        };
        let time = self.time.forward(t);

        let x = self.init_conv.forward(x);
        let first = self.init_temporal.forward(x, &positions);

        let mut x = first.clone();
        let mut skips = Vec::with_capacity(self.downs.len());
        for Down { stage, resample } in &self.downs {
            x = stage.forward(x, &time, &positions);
            skips.push(x.clone());
            if let Some(resample) = resample {
                x = resample.forward(x);
            }
        }

        x = self.middle.block1.forward(x, &time);
        x = self.middle.spatial.forward(x);
        x = self.middle.temporal.forward(x, &positions);
        x = self.middle.block2.forward(x, &time);

        for (Up { stage, resample }, skip) in self.ups.iter().zip(skips.into_iter().rev()) {
            x = stage.forward(Tensor::cat(vec![x, skip], 1), &time, &positions);
            if let Some(resample) = resample {
                x = resample.forward(x);
            }
        }
        let x = self
            .final_block
            .forward(Tensor::cat(vec![x, first], 1), &time);
        self.final_conv.forward(x)
    }
}

#[cfg(test)]
mod tests;
