//! From the slopes of what came out to those of parameters and features.

use super::activation;
use super::forward::{BlockTape, Tape};
use super::kernel::Windows;
use super::layout::{Block, Conv};
use super::maps::Maps;
use super::network::{Network, here, places};
use super::shift::Shifted;
use super::vectors::dispatch;

impl Network {
    /// The way back from the slopes of what came out to those of the parameters, which are added to
    /// `gradient`, and of the features.
    pub fn back_through(
        &self,
        tape: Tape,
        slopes: &Maps,
        gradient: Option<&mut [f32]>,
        threads: bool,
    ) -> Maps {
        let level = &tape.embedded[1];
        let way = WayBack {
            network: self,
            level_slopes: vec![0.0; level.len()],
            level: level.clone(),
            gradient,
            threads,
        };
        way.walk(tape, slopes)
    }
}

/// A walk through the network from its end.
struct WayBack<'a> {
    network: &'a Network,
    /// What blocks are told of the noise level, and its slopes so far.
    level: Vec<f32>,
    level_slopes: Vec<f32>,
    /// Of the parameters, where it is wanted.
    gradient: Option<&'a mut [f32]>,
    threads: bool,
}

impl WayBack<'_> {
    fn walk(mut self, tape: Tape, slopes: &Maps) -> Maps {
        let layout = &self.network.layout;
        let Tape {
            features,
            waves,
            embedded: [before, _],
            down,
            reduced,
            middle,
            enlarged,
            up,
            last,
        } = tape;
        self.learn(layout.leave, &here(&last), slopes);
        let mut x = self.back(layout.leave, slopes);
        x.clear();
        let mut skips = Vec::new();
        let ups = layout.up.iter().zip(&layout.enlarge);
        for ((stage, &enlarge), (tapes, small)) in ups.zip(up.into_iter().zip(enlarged).rev()) {
            x = self.stage(stage, tapes, x);
            let corners = x.unshuffled();
            skips.push(x);
            self.learn(enlarge, &here(&small), &corners);
            x = self.back(enlarge, &corners);
            x.clear();
        }
        x = self.stage(&layout.middle, middle, x);
        let downs = layout.down.iter().zip(&layout.reduce);
        for ((stage, &reduce), (tapes, corners)) in downs.zip(down.into_iter().zip(reduced)).rev() {
            self.learn(reduce, &here(&corners), &x);
            let corners = self.back(reduce, &x);
            x = skips.pop().expect("a skip a level");
            x.add_shuffled(&corners);
            x = self.stage(stage, tapes, x);
        }
        self.learn(layout.enter, &here(&features), &x);
        self.learn_embedding(&waves, &before);
        let mut out = self.back(layout.enter, &x);
        out.clear();
        out
    }

    fn stage(&mut self, blocks: &[Block], tapes: Vec<BlockTape>, mut slopes: Maps) -> Maps {
        for (&block, tape) in blocks.iter().zip(tapes).rev() {
            slopes = self.block(block, tape, slopes);
        }
        slopes
    }

    fn block(&mut self, block: Block, tape: BlockTape, mut slopes: Maps) -> Maps {
        let BlockTape {
            mut input,
            found,
            active,
            scale_shift,
        } = tape;
        let (strip, channels) = (input.strip, input.channels);
        let (scales, shifts) = scale_shift.split_at(channels);
        let mut inner = self.back(block.second, &slopes);
        let mut sums = vec![0.0; 2 * channels];
        for (c, inner) in inner.each_mut().enumerate() {
            strip.clear(inner);
            let (scale, shift) = (1.0 + scales[c], shifts[c]);
            [sums[c], sums[channels + c]] =
                activation::modulate_back(inner, found.channel(c), scale, shift);
        }
        let shifted = Shifted::new(&mut input);
        self.learn(block.second, &here(&active), &slopes);
        self.learn(block.first, &shifted.strips(), &inner);
        self.learn_level(block.level, &sums);
        let seen = self.back(block.first, &inner);
        Shifted::add_back(&seen, &mut slopes);
        slopes.clear();
        slopes
    }

    /// The slopes of a convolution's inputs.
    fn back(&self, conv: Conv, slopes: &Maps) -> Maps {
        self.network.back(conv, slopes, self.threads)
    }

    /// Adds the slopes of a convolution's parameters.
    fn learn(&mut self, conv: Conv, inputs: &[&[f32]], slopes: &Maps) {
        let Some(gradient) = &mut self.gradient else {
            return;
        };
        let strip = slopes.strip;
        let window = strip.window();
        let taps = places(&window, conv.taps);
        let strips = here(slopes);
        dispatch(Windows {
            taps,
            inputs,
            slopes: &strips,
            start: strip.origin(),
            span: strip.span(),
            gradient: &mut gradient[conv.weights()],
        });
        for (g, slopes) in gradient[conv.biases()].iter_mut().zip(&strips) {
            *g += activation::sum(&slopes[strip.origin()..][..strip.span()]);
        }
    }

    /// Adds the slopes of what turns the noise level into scales and shifts.
    fn learn_level(&mut self, level: Conv, slopes: &[f32]) {
        let Some(gradient) = &mut self.gradient else {
            return;
        };
        let parameters = &self.network.parameters[level.weights()];
        let rows = parameters.chunks_exact(level.inputs);
        let learnt = gradient[level.weights()].chunks_exact_mut(level.inputs);
        for ((row, learnt), slope) in rows.zip(learnt).zip(slopes) {
            let told = self.level.iter().zip(&mut self.level_slopes);
            for ((weight, learnt), (told, told_slope)) in row.iter().zip(learnt).zip(told) {
                *learnt += slope * told;
                *told_slope += slope * weight;
            }
        }
        let biases = gradient[level.biases()].iter_mut().zip(slopes);
        biases.for_each(|(learnt, slope)| *learnt += slope);
    }

    /// Adds the slopes of what the noise level is told with; `before` is that before its activation.
    fn learn_embedding(&mut self, waves: &[f32], before: &[f32]) {
        let Some(gradient) = &mut self.gradient else {
            return;
        };
        let embed = self.network.layout.embed;
        for (row, (slope, &before)) in self.level_slopes.iter().zip(before).enumerate() {
            let slope = slope * activation::silu_slope(before);
            gradient[embed.bias + row] += slope;
            let learnt = &mut gradient[embed.weight + row * waves.len()..][..waves.len()];
            let pairs = learnt.iter_mut().zip(waves);
            pairs.for_each(|(learnt, wave)| *learnt += slope * wave);
        }
    }
}
