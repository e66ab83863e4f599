//! From features to what the network makes of them.

use rayon::prelude::*;

use super::activation;
use super::layout::{Block, Conv};
use super::maps::Maps;
use super::network::{Network, here};
use super::shift::Shifted;
use super::strip::Strip;

/// What a block leaves for the way back.
pub(super) struct BlockTape {
    pub(super) input: Maps,
    /// What the first convolution found, its bias added.
    pub(super) found: Maps,
    pub(super) active: Maps,
    pub(super) scale_shift: Vec<f32>,
}

/// What a forward pass leaves for the way back.
pub struct Tape {
    pub(super) features: Maps,
    pub(super) waves: Vec<f32>,
    /// Before and after its activation.
    pub(super) embedded: [Vec<f32>; 2],
    pub(super) down: Vec<Vec<BlockTape>>,
    pub(super) reduced: Vec<Maps>,
    pub(super) middle: Vec<BlockTape>,
    pub(super) enlarged: Vec<Maps>,
    pub(super) up: Vec<Vec<BlockTape>>,
    pub(super) last: Maps,
}

impl Tape {
    pub fn new() -> Self {
        let none = Maps::zeros(Strip::new(0, 0, 0), 0);
        Self {
            features: none.clone(),
            waves: Vec::new(),
            embedded: [Vec::new(), Vec::new()],
            down: Vec::new(),
            reduced: Vec::new(),
            middle: Vec::new(),
            enlarged: Vec::new(),
            up: Vec::new(),
            last: none,
        }
    }
}

impl Network {
    fn block(
        &self,
        block: Block,
        mut input: Maps,
        embedded: &[f32],
        threads: bool,
        tape: Option<&mut Vec<BlockTape>>,
    ) -> Maps {
        let strip = input.strip;
        let scale_shift = self.linear(block.level, embedded);
        let (scale, shift) = scale_shift.split_at(input.channels);
        let mut found = {
            let shifted = Shifted::new(&mut input);
            self.ahead(block.first, &shifted.strips(), strip, threads)
        };
        let mut active = Maps::zeros(strip, input.channels);
        let biases = &self.parameters[block.first.biases()];
        let channels = found.each_mut().zip(active.each_mut()).enumerate();
        each(channels, threads, |(c, (found, active))| {
            activation::modulate(found, active, biases[c], 1.0 + scale[c], shift[c]);
            strip.clear(active);
        });
        let mut out = self.ahead(block.second, &here(&active), strip, threads);
        let biases = &self.parameters[block.second.biases()];
        let channels = out.each_mut().zip(input.each()).enumerate();
        each(channels, threads, |(c, (out, input))| {
            activation::add_bias(out, input, biases[c]);
            strip.clear(out);
        });
        if let Some(tape) = tape {
            tape.push(BlockTape {
                input,
                found,
                active,
                scale_shift,
            });
        }
        out
    }

    /// `features` are [`Config::INPUTS`] channels; four come out.
    pub fn forward(
        &self,
        features: Maps,
        waves: &[f32],
        threads: bool,
        mut tape: Option<&mut Tape>,
    ) -> Maps {
        let layout = &self.layout;
        let embedded = self.embed(waves);
        let level = &embedded[1];
        let mut x = self.ahead(layout.enter, &here(&features), features.strip, threads);
        self.finish(layout.enter, &mut x);
        let mut skips = Vec::new();
        for (stage, &reduce) in layout.down.iter().zip(&layout.reduce) {
            let mut blocks = Vec::new();
            for &block in stage {
                x = self.block(
                    block,
                    x,
                    level,
                    threads,
                    tape.is_some().then_some(&mut blocks),
                );
            }
            let corners = x.unshuffled();
            skips.push(x);
            x = self.ahead(reduce, &here(&corners), corners.strip, threads);
            self.finish(reduce, &mut x);
            if let Some(tape) = &mut tape {
                tape.down.push(blocks);
                tape.reduced.push(corners);
            }
        }
        let mut blocks = Vec::new();
        for &block in &layout.middle {
            x = self.block(
                block,
                x,
                level,
                threads,
                tape.is_some().then_some(&mut blocks),
            );
        }
        if let Some(tape) = &mut tape {
            tape.middle = blocks;
        }
        for (stage, &enlarge) in layout.up.iter().zip(&layout.enlarge).rev() {
            let mut corners = self.ahead(enlarge, &here(&x), x.strip, threads);
            self.finish(enlarge, &mut corners);
            let small = std::mem::replace(&mut x, skips.pop().expect("a skip a level"));
            x.add_shuffled(&corners);
            let mut blocks = Vec::new();
            for &block in stage {
                x = self.block(
                    block,
                    x,
                    level,
                    threads,
                    tape.is_some().then_some(&mut blocks),
                );
            }
            if let Some(tape) = &mut tape {
                tape.enlarged.push(small);
                tape.up.push(blocks);
            }
        }
        let mut out = self.ahead(layout.leave, &here(&x), x.strip, threads);
        self.finish(layout.leave, &mut out);
        if let Some(tape) = tape {
            tape.features = features;
            tape.waves = waves.to_vec();
            tape.embedded = embedded;
            tape.last = x;
        }
        out
    }

    fn finish(&self, conv: Conv, maps: &mut Maps) {
        let strip = maps.strip;
        for (channel, &bias) in maps.each_mut().zip(&self.parameters[conv.biases()]) {
            channel.iter_mut().for_each(|v| *v += bias);
            strip.clear(channel);
        }
    }
}

/// Calls `f` with every item, on all threads where that is wanted.
fn each<T: Send>(items: impl Iterator<Item = T>, threads: bool, f: impl Fn(T) + Sync + Send) {
    if threads {
        items.collect::<Vec<T>>().into_par_iter().for_each(f);
    } else {
        items.for_each(f);
    }
}
