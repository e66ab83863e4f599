//! The parameters of a network, and the step all of its arithmetic is made of.

use rayon::prelude::*;

use super::activation;
use super::config::Config;
use super::kernel::{BLOCK, Correlate};
use super::layout::{Block, Conv, Layout, Start};
use super::maps::Maps;
use super::strip::Strip;
use super::vectors::dispatch;
use crate::clip::Shape;
use crate::noise::Noise;

/// Pixels a thread takes at once: a multiple of what kernels compute at once.
const PIECE: usize = 1024;

/// Parameters, and the same in the orders in which kernels read them.
pub struct Network {
    pub layout: Layout,
    pub parameters: Vec<f32>,
    /// Each convolution's weights as [`Correlate`] wants them, where its parameters lie.
    forward: Vec<f32>,
    /// The same of the convolution that carries slopes back.
    backward: Vec<f32>,
}

impl Network {
    pub fn new(layout: Layout, parameters: Vec<f32>) -> Self {
        let blank = vec![0.0; parameters.len()];
        let mut network = Self {
            layout,
            parameters,
            forward: blank.clone(),
            backward: blank,
        };
        network.pack();
        network
    }

    /// The sizes it has.
    pub fn config(&self) -> Config {
        let Layout {
            enter,
            reduce,
            middle,
            ..
        } = &self.layout;
        let deeper = reduce.iter().map(|conv| conv.outputs);
        Config {
            widths: std::iter::once(enter.outputs).chain(deeper).collect(),
            blocks: middle.len(),
        }
    }

    /// Changes parameters.
    pub fn change(&mut self, change: impl FnOnce(&mut [f32])) {
        change(&mut self.parameters);
        self.pack();
    }

    /// Memory an evaluation with its slopes takes, in bytes, the parameters included.
    pub fn memory_bytes(&self, shape: Shape) -> u64 {
        let half = shape.frames * shape.height.div_ceil(2) * shape.width.div_ceil(2);
        let Layout {
            down, middle, up, ..
        } = &self.layout;
        let levels = down.iter().chain([middle]).enumerate();
        let levels = levels.chain(up.iter().enumerate());
        // A block keeps three sets of features.
        let kept = |(level, stage): (usize, &Vec<Block>)| -> usize {
            let each = stage.iter().map(|block| 3 * block.first.outputs);
            each.sum::<usize>() * (half >> (2 * level))
        };
        let numbers: usize = levels.map(kept).sum();
        let width = self.layout.enter.outputs;
        4 * (numbers + 8 * width * half + 4 * self.parameters.len()) as u64
    }

    fn pack(&mut self) {
        let Self {
            layout,
            parameters,
            forward,
            backward,
        } = self;
        for conv in layout.convolutions() {
            let range = conv.weights();
            let weights = &parameters[range.clone()];
            let (ahead, back) = (&mut forward[range.clone()], &mut backward[range]);
            let Conv {
                inputs,
                outputs,
                taps,
                ..
            } = conv;
            for o in 0..outputs {
                for i in 0..inputs {
                    for tap in 0..taps {
                        let weight = weights[(o * inputs + i) * taps + tap];
                        let place = |o: usize, i: usize, inputs: usize, tap: usize| {
                            ((o / BLOCK * inputs + i) * taps + tap) * BLOCK + o % BLOCK
                        };
                        ahead[place(o, i, inputs, tap)] = weight;
                        back[place(i, o, outputs, taps - 1 - tap)] = weight;
                    }
                }
            }
        }
    }

    pub(super) fn embed(&self, waves: &[f32]) -> [Vec<f32>; 2] {
        let embed = self.layout.embed;
        let before = self.linear(embed, waves);
        let after = before.iter().map(|&v| activation::silu(v)).collect();
        [before, after]
    }

    pub(super) fn linear(&self, conv: Conv, x: &[f32]) -> Vec<f32> {
        let rows = self.parameters[conv.weights()].chunks_exact(conv.inputs);
        let biases = &self.parameters[conv.biases()];
        rows.zip(biases)
            .map(|(row, bias)| bias + row.iter().zip(x).map(|(w, v)| w * v).sum::<f32>())
            .collect()
    }

    fn correlate(
        weights: &[f32],
        taps: usize,
        inputs: &[&[f32]],
        strip: Strip,
        outputs: usize,
        threads: bool,
    ) -> Maps {
        let mut out = Maps::zeros(strip, outputs);
        let window = strip.window();
        let taps = places(&window, taps);
        let (origin, span) = (strip.origin(), strip.span());
        let mut strips: Vec<&mut [f32]> = out.each_mut().map(|s| &mut s[strip.start()..]).collect();
        if !threads || span <= PIECE {
            dispatch(Correlate {
                taps,
                inputs,
                start: origin,
                span,
                weights,
                outputs: &mut strips,
            });
            return out;
        }
        let count = span.div_ceil(PIECE);
        let mut pieces: Vec<Vec<&mut [f32]>> =
            (0..count).map(|_| Vec::with_capacity(outputs)).collect();
        for strip in strips {
            let mut rest = strip;
            for piece in &mut pieces[..count - 1] {
                let (head, tail) = rest.split_at_mut(PIECE);
                piece.push(head);
                rest = tail;
            }
            pieces[count - 1].push(rest);
        }
        pieces
            .par_iter_mut()
            .enumerate()
            .for_each(|(index, outputs)| {
                let from = index * PIECE;
                let span = PIECE.min(span - from);
                dispatch(Correlate {
                    taps,
                    inputs,
                    start: origin + from,
                    span,
                    weights,
                    outputs,
                });
            });
        out
    }

    pub(super) fn ahead(&self, conv: Conv, inputs: &[&[f32]], strip: Strip, threads: bool) -> Maps {
        Self::correlate(
            &self.forward[conv.weights()],
            conv.taps,
            inputs,
            strip,
            conv.outputs,
            threads,
        )
    }

    /// The slopes of a convolution's inputs.
    pub(super) fn back(&self, conv: Conv, slopes: &Maps, threads: bool) -> Maps {
        let strips = here(slopes);
        Self::correlate(
            &self.backward[conv.weights()],
            conv.taps,
            &strips,
            slopes.strip,
            conv.inputs,
            threads,
        )
    }

    /// A network that has learnt nothing.
    pub fn random(config: &Config, seed: u64) -> Self {
        let layout = Layout::new(config);
        let mut noise = Noise::seeded(seed);
        let mut parameters = vec![0.0; layout.count()];
        for slot in &layout.slots {
            if let Start::Inputs(count) = slot.start {
                let scale = (count as f64).sqrt().recip();
                let values = &mut parameters[slot.range()];
                values
                    .iter_mut()
                    .for_each(|p| *p = (scale * noise.normal()) as f32);
            }
        }
        Self::new(layout, parameters)
    }
}

/// Strips as kernels read them.
pub(super) fn here(maps: &Maps) -> Vec<&[f32]> {
    let strip = maps.strip;
    maps.each().map(|channel| strip.here(channel)).collect()
}

/// The places that a convolution of so many looks at: the whole window, or its middle.
pub(super) fn places(window: &[isize; 9], count: usize) -> &[isize] {
    if count == 9 { window } else { &window[4..5] }
}
