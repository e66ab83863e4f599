//! What a network costs: parameters, arithmetic, memory.

use crate::clip::Shape;

use super::attention::SPATIAL_HEAD_DIM;
use super::config::UNetConfig;

/// Counts over one pass through the network, layer by layer.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    parameters: usize,
    /// Multiplications and additions of matrix products and convolutions.
    flops: u64,
    /// Numbers that have to stay in memory until the backward pass.
    kept: u64,
    /// Numbers of skip connections alive at the bottom of the U.
    skips: u64,
    /// Numbers alive at once inside the widest layer.
    widest: u64,
}

/// Where a layer stands: `[frames, channels, pixels]`.
#[derive(Clone, Copy)]
struct Place {
    frames: usize,
    pixels: usize,
}

impl Place {
    fn cells(self) -> usize {
        self.frames * self.pixels
    }

    fn halved(self) -> Self {
        Self {
            pixels: self.pixels / 4,
            ..self
        }
    }

    fn doubled(self) -> Self {
        Self {
            pixels: self.pixels * 4,
            ..self
        }
    }
}

impl Cost {
    fn add(&mut self, parameters: usize, flops: usize, kept: usize, alive: usize) {
        self.parameters += parameters;
        self.flops += flops as u64;
        self.kept += kept as u64;
        self.widest = self.widest.max(alive as u64);
    }

    fn conv(&mut self, channels: [usize; 2], kernel: usize, outputs: Place) {
        let taps = channels[0] * channels[1] * kernel * kernel;
        let cells = outputs.cells();
        let alive = (channels[0] + channels[1]) * cells;
        self.add(taps + channels[1], 2 * taps * cells, 0, alive);
    }

    /// Kept: the centred and the modulated values, their sigmoid and the output, twice.
    fn resnet(&mut self, [inputs, outputs]: [usize; 2], time_dim: usize, place: Place) {
        self.conv([inputs, outputs], 3, place);
        self.conv([outputs, outputs], 3, place);
        if inputs != outputs {
            self.conv([inputs, outputs], 1, place);
        }
        let time = if time_dim > 0 {
            2 * outputs * (time_dim + 1)
        } else {
            0
        };
        let cells = outputs * place.cells();
        let alive = (inputs + 4 * outputs) * place.cells();
        self.add(4 * outputs + time, 0, 8 * cells, alive);
    }

    /// `scores`: attention scores; `products`: multiply-adds per cell and hidden channel.
    fn attention(
        &mut self,
        channels: usize,
        hidden: usize,
        place: Place,
        products: usize,
        kept: usize,
    ) {
        let cells = place.cells();
        let parameters = channels + 4 * hidden * channels;
        let flops = 2 * cells * (4 * hidden * channels + products * hidden);
        let alive = 3 * channels * cells + kept;
        self.add(parameters, flops, channels * cells + kept, alive);
    }

    fn linear_attention(&mut self, channels: usize, heads: usize, place: Place) {
        let hidden = heads * SPATIAL_HEAD_DIM;
        let kept = 5 * hidden * place.cells();
        self.attention(channels, hidden, place, 2 * SPATIAL_HEAD_DIM, kept);
        self.parameters += channels;
    }

    fn temporal_attention(&mut self, channels: usize, config: &UNetConfig, place: Place) {
        let hidden = config.heads * config.temporal_head_dim;
        let scores = place.pixels * config.heads * place.frames * place.frames;
        let kept = 3 * hidden * place.cells() + 2 * scores;
        self.attention(channels, hidden, place, 2 * place.frames, kept);
    }

    fn spatial_attention(&mut self, channels: usize, heads: usize, place: Place) {
        let hidden = heads * SPATIAL_HEAD_DIM;
        let scores = place.frames * heads * place.pixels * place.pixels;
        let kept = 3 * hidden * place.cells() + 2 * scores;
        self.attention(channels, hidden, place, 2 * place.pixels, kept);
    }

    fn whole(config: &UNetConfig, shape: Shape) -> Self {
        let mut cost = Self::default();
        let (dim, heads) = (config.dim, config.heads);
        let time_dim = 4 * dim;
        let mut place = Place {
            frames: shape.frames,
            pixels: shape.frame_len(),
        };
        cost.parameters += 32 * heads;
        cost.parameters += time_dim * (dim + 1) + time_dim * (time_dim + 1);
        cost.conv([1, dim], 7, place);
        cost.temporal_attention(dim, config, place);
        cost.skips += (dim * place.cells()) as u64;

        let levels = config.level_channels();
        let last = levels.len() - 1;
        for (i, &[inputs, outputs]) in levels.iter().enumerate() {
            cost.resnet([inputs, outputs], time_dim, place);
            cost.resnet([outputs, outputs], time_dim, place);
            cost.linear_attention(outputs, heads, place);
            cost.temporal_attention(outputs, config, place);
            cost.skips += (outputs * place.cells()) as u64;
            if i < last {
                place = place.halved();
                cost.conv([outputs, outputs], 4, place);
                cost.kept += (outputs * 5 * place.cells()) as u64;
            }
        }
        let [_, bottom] = levels[last];
        cost.resnet([bottom, bottom], time_dim, place);
        cost.spatial_attention(bottom, heads, place);
        cost.temporal_attention(bottom, config, place);
        cost.resnet([bottom, bottom], time_dim, place);

        for (i, &[inputs, outputs]) in levels.iter().rev().enumerate() {
            cost.kept += (2 * outputs * place.cells()) as u64;
            cost.resnet([2 * outputs, inputs], time_dim, place);
            cost.resnet([inputs, inputs], time_dim, place);
            cost.linear_attention(inputs, heads, place);
            cost.temporal_attention(inputs, config, place);
            if i < last {
                cost.conv([inputs, inputs], 4, place);
                place = place.doubled();
                cost.kept += (inputs * place.cells()) as u64;
            }
        }
        cost.kept += (2 * dim * place.cells()) as u64;
        cost.resnet([2 * dim, dim], 0, place);
        cost.conv([dim, 1], 1, place);
        cost
    }
}

impl UNetConfig {
    pub fn parameter_count(&self) -> usize {
        Cost::whole(self, Shape::new(1, self.multiple(), self.multiple())).parameters
    }

    /// Floating-point operations of one prediction, in matrix products and convolutions.
    pub fn flops_estimate(&self, shape: Shape) -> u64 {
        Cost::whole(self, shape).flops
    }

    /// Memory of one prediction in bytes, weights included; `with_gradient` when its
    /// activations are kept for the pullback. Networks of dim 32 to 128 on clips of 4x64x64
    /// to 10x128x128, measured on the CPU, took this within a tenth.
    pub fn memory_estimate(&self, shape: Shape, with_gradient: bool) -> u64 {
        let cost = Cost::whole(self, shape);
        let activations = if with_gradient {
            cost.kept + 2 * cost.widest
        } else {
            cost.skips + cost.widest
        };
        4 * (cost.parameters as u64 + activations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_network_costs_what_was_published() {
        let config = UNetConfig::published_ucf();
        let millions = config.parameter_count() as f64 / 1e6;
        assert!((millions - 59.0).abs() < 0.1, "{millions} M");
        let gflop = config.flops_estimate(Shape::new(10, 64, 64)) as f64 / 1e9;
        assert!((gflop - 407.0).abs() < 8.0, "{gflop} GFLOP");
    }

    #[test]
    fn gradients_need_more_memory_and_larger_clips_too() {
        let config = UNetConfig::published_ucf();
        let small = Shape::new(10, 64, 64);
        let large = Shape::new(10, 128, 128);
        let memory = |shape, gradient| config.memory_estimate(shape, gradient);
        assert!(memory(small, true) > 2 * memory(small, false));
        assert!(memory(large, true) > 3 * memory(small, true));
    }
}
