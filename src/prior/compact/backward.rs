//! From the slopes of what came out to those of parameters and features.

use super::activation;
use super::forward::{BlockTape, Tape};
use super::kernel::Windows;
use super::layout::{Block, Conv};
use super::maps::Maps;
use super::network::{Network, here};
use super::shift::Shifted;
use super::vectors::dispatch;

impl Network {
    /// Adds the slopes of a convolution's parameters.
    fn learn(&self, conv: Conv, inputs: &[&[f32]], slopes: &Maps, gradient: &mut [f32]) {
        let strip = slopes.strip;
        let window = strip.window();
        let taps = if conv.taps == 9 {
            &window[..]
        } else {
            &window[4..5]
        };
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

    fn block_back(
        &self,
        block: Block,
        tape: BlockTape,
        mut slopes: Maps,
        embedded: &[f32],
        embedded_slopes: &mut [f32],
        gradient: Option<&mut [f32]>,
        threads: bool,
    ) -> Maps {
        let BlockTape {
            mut input,
            found,
            active,
            scale_shift,
        } = tape;
        let strip = input.strip;
        let channels = input.channels;
        let mut inner = self.back(block.second, &slopes, threads);
        let mut sums = vec![[0.0f32; 2]; channels];
        for c in 0..channels {
            let (scale, shift) = (1.0 + scale_shift[c], scale_shift[channels + c]);
            let inner = inner.channel_mut(c);
            strip.clear(inner);
            sums[c] = activation::modulate_back(inner, found.channel(c), scale, shift);
        }
        let shifted = Shifted::new(&mut input);
        if let Some(gradient) = gradient {
            self.learn(block.second, &here(&active), &slopes, gradient);
            self.learn(block.first, &shifted.strips(), &inner, gradient);
            for (c, [scale, shift]) in sums.into_iter().enumerate() {
                for (row, slope) in [(c, scale), (channels + c, shift)] {
                    gradient[block.level.bias + row] += slope;
                    let from = block.level.weight + row * embedded.len();
                    let weights = &self.parameters[from..][..embedded.len()];
                    let row = &mut gradient[from..][..embedded.len()];
                    for i in 0..embedded.len() {
                        row[i] += slope * embedded[i];
                        embedded_slopes[i] += slope * weights[i];
                    }
                }
            }
        }
        let seen = self.back(block.first, &inner, threads);
        Shifted::add_back(&seen, &mut slopes);
        slopes.clear();
        slopes
    }

    /// The way back from the slopes of what came out to those of the parameters, which are added to
    /// `gradient`, and of the features.
    pub fn back_through(
        &self,
        tape: Tape,
        slopes: &Maps,
        mut gradient: Option<&mut [f32]>,
        threads: bool,
    ) -> Maps {
        let layout = &self.layout;
        let Tape {
            features,
            waves,
            embedded,
            down,
            reduced,
            middle,
            enlarged,
            up,
            last,
        } = tape;
        let level = &embedded[1];
        let mut level_slopes = vec![0.0; level.len()];
        let mut x = self.back(layout.leave, slopes, threads);
        x.clear();
        if let Some(gradient) = gradient.as_deref_mut() {
            self.learn(layout.leave, &here(&last), slopes, gradient);
        }
        let mut skips = Vec::new();
        let ups = layout.up.iter().zip(&layout.enlarge);
        for ((stage, &enlarge), (blocks, small)) in ups.zip(up.into_iter().zip(enlarged).rev()) {
            for (&block, tape) in stage.iter().zip(blocks).rev() {
                x = self.block_back(
                    block,
                    tape,
                    x,
                    level,
                    &mut level_slopes,
                    gradient.as_deref_mut(),
                    threads,
                );
            }
            let corners = x.unshuffled();
            skips.push(x);
            if let Some(gradient) = gradient.as_deref_mut() {
                self.learn(enlarge, &here(&small), &corners, gradient);
            }
            x = self.back(enlarge, &corners, threads);
            x.clear();
        }
        for (&block, tape) in layout.middle.iter().zip(middle).rev() {
            x = self.block_back(
                block,
                tape,
                x,
                level,
                &mut level_slopes,
                gradient.as_deref_mut(),
                threads,
            );
        }
        let downs = layout.down.iter().zip(&layout.reduce);
        for ((stage, &reduce), (blocks, corners)) in downs.zip(down.into_iter().zip(reduced)).rev()
        {
            if let Some(gradient) = gradient.as_deref_mut() {
                self.learn(reduce, &here(&corners), &x, gradient);
            }
            let corner_slopes = self.back(reduce, &x, threads);
            x = skips.pop().expect("a skip a level");
            x.add_shuffled(&corner_slopes);
            for (&block, tape) in stage.iter().zip(blocks).rev() {
                x = self.block_back(
                    block,
                    tape,
                    x,
                    level,
                    &mut level_slopes,
                    gradient.as_deref_mut(),
                    threads,
                );
            }
        }
        if let Some(gradient) = gradient {
            self.learn(layout.enter, &here(&features), &x, gradient);
            let embed = layout.embed;
            for (row, (slope, &before)) in level_slopes.iter().zip(&embedded[0]).enumerate() {
                let slope = slope * activation::silu_slope(before);
                gradient[embed.bias + row] += slope;
                let weights = &mut gradient[embed.weight + row * waves.len()..][..waves.len()];
                weights
                    .iter_mut()
                    .zip(&waves)
                    .for_each(|(g, w)| *g += slope * w);
            }
        }
        let mut out = self.back(layout.enter, &x, threads);
        out.clear();
        out
    }
}
