//! The network as what it is for: noisy video in, clean video out, with slopes.
//!
//! Inputs and outputs are scaled so that the network sees and gives numbers of unit variance at
//! every noise level (Karras et al., 2022, table 1): with `s` the spread of video about mid-grey,
//!
//! ```text
//! D(x) = c_skip x + c_out F,  c_skip = s^2 / (sigma^2 + s^2),  c_out = sigma s / sqrt(sigma^2 + s^2)
//! ```

use super::config::Config;
use super::evidence::{Evidence, SPREAD};
use super::forward::Tape;
use super::maps::Maps;
use super::network::Network;
use super::strip::Strip;
use crate::clip::{Clip, Shape};

/// Noise levels the network is trained for; others are taken as the nearest.
pub const LEVELS: std::ops::RangeInclusive<f32> = 0.002..=20.0;

pub(super) const MID_GREY: f32 = 0.5;

/// The shares of input and network in a result.
pub(super) fn shares(sigma: f32) -> [f32; 2] {
    let total = sigma * sigma + SPREAD * SPREAD;
    [SPREAD * SPREAD / total, sigma * SPREAD / total.sqrt()]
}

/// The noise level as the network is told it: sines and cosines of its logarithm.
pub fn waves(sigma: f32) -> Vec<f32> {
    let level = sigma.ln() / 10.0;
    let half = Config::WAVES / 2;
    let phase = |i: usize| std::f32::consts::PI * (i + 1) as f32 * level;
    let sines = (0..half).map(|i| phase(i).sin());
    sines.chain((0..half).map(|i| phase(i).cos())).collect()
}

impl Network {
    /// The mean of what video may lie under noise of `sigma` (in amplitudes): an estimate of the
    /// amplitudes in `noisy`. Frames of any size.
    pub fn denoise(&self, noisy: &Clip, sigma: f32) -> Clip {
        let framed = Framed::of(noisy.shape(), self.multiple());
        let (sigma, x) = prepared(&framed, noisy, sigma);
        let evidence = Evidence::of(x.clone(), sigma);
        let found = self.forward(evidence.features(), &waves(sigma), true, None);
        framed.cut(&result(&x, &found, sigma))
    }

    /// The same, with what carries slopes of the result back to `noisy`.
    pub fn denoise_with_pullback(
        self: &std::sync::Arc<Self>,
        noisy: &Clip,
        sigma: f32,
    ) -> (Clip, impl FnOnce(&Clip) -> Clip + Send + use<>) {
        let framed = Framed::of(noisy.shape(), self.multiple());
        let (sigma, x) = prepared(&framed, noisy, sigma);
        let evidence = Evidence::of(x.clone(), sigma);
        let mut tape = Tape::new();
        let found = self.forward(evidence.features(), &waves(sigma), true, Some(&mut tape));
        let denoised = framed.cut(&result(&x, &found, sigma));
        let network = self.clone();
        let pullback = move |slopes: &Clip| {
            let slopes = framed.cut_back(slopes);
            let [skip, share] = shares(sigma);
            let corners = spread(&slopes.map(|v| share * v));
            let features = network.back_through(tape, &corners, None, true);
            let through = evidence.back(&features);
            framed.frame_back(&slopes.zip(&through, |direct, through| skip * direct + through))
        };
        (denoised, pullback)
    }

    /// What the network gets wrong, squared and scaled to unit variance, on video whose sides are
    /// multiples of [`multiple`](Self::multiple); the slopes of it are added to `gradient`.
    ///
    /// Runs on the calling thread alone: clips of a batch are the work of different threads.
    pub fn learn_from(&self, clean: &Clip, noise: &Clip, sigma: f32, gradient: &mut [f32]) -> f64 {
        let clean = clean.map(|u| u - MID_GREY);
        let x = clean.zip(noise, |u, n| u + sigma * n);
        let evidence = Evidence::of(x.clone(), sigma);
        let mut tape = Tape::new();
        let found = self.forward(evidence.features(), &waves(sigma), false, Some(&mut tape));
        let [skip, share] = shares(sigma);
        let wrong = gathered(&found, x.shape())
            .zip(&clean.zip(&x, |u, x| (u - skip * x) / share), |f, t| f - t);
        let count = wrong.data().len() as f32;
        let squares: f64 = wrong.data().iter().map(|v| f64::from(v * v)).sum();
        let slopes = spread(&wrong.map(|v| 2.0 * v / count));
        self.back_through(tape, &slopes, Some(gradient), false);
        squares / f64::from(count)
    }

    /// Inside, heights and widths are multiples of it.
    pub fn multiple(&self) -> usize {
        self.layout.multiple
    }
}

/// The nearest level the network is trained for.
pub(super) fn level_within(sigma: f32) -> f32 {
    sigma.clamp(*LEVELS.start(), *LEVELS.end())
}

fn prepared(framed: &Framed, noisy: &Clip, sigma: f32) -> (f32, Clip) {
    let x = framed.frame(&noisy.map(|u| u - MID_GREY));
    (level_within(sigma), x)
}

fn result(x: &Clip, found: &Maps, sigma: f32) -> Clip {
    let [skip, share] = shares(sigma);
    let found = gathered(found, x.shape());
    x.zip(&found, |x, f| skip * x + share * f + MID_GREY)
}

/// Four channels as a clip of twice their size.
fn gathered(corners: &Maps, shape: Shape) -> Clip {
    let mut whole = Maps::zeros(Strip::new(shape.frames, shape.height, shape.width), 1);
    whole.add_shuffled(corners);
    let strip = whole.strip;
    let rows = (0..shape.frames).flat_map(|f| (0..shape.height).map(move |r| (f, r)));
    let data = rows.flat_map(|(f, r)| whole.channel(0)[strip.pixels(f, r)].to_vec());
    Clip::new(shape, data.collect())
}

/// A clip as four channels of half its size.
fn spread(clip: &Clip) -> Maps {
    let shape = clip.shape();
    let mut whole = Maps::zeros(Strip::new(shape.frames, shape.height, shape.width), 1);
    let strip = whole.strip;
    for (index, row) in clip.data().chunks_exact(shape.width).enumerate() {
        let (frame, row_index) = (index / shape.height, index % shape.height);
        whole.channel_mut(0)[strip.pixels(frame, row_index)].copy_from_slice(row);
    }
    whole.unshuffled()
}

/// Clips of any size in frames whose sides are multiples of something: edges are mirrored outward.
pub(super) struct Framed {
    inner: Shape,
    outer: Shape,
}

impl Framed {
    pub(super) fn of(inner: Shape, multiple: usize) -> Self {
        let outer = Shape {
            frames: inner.frames,
            height: inner.height.next_multiple_of(multiple),
            width: inner.width.next_multiple_of(multiple),
        };
        Self { inner, outer }
    }

    /// For each pixel of the larger clip, the one it shows.
    fn shown(&self) -> impl Iterator<Item = usize> + use<> {
        let Self { inner, outer } = *self;
        let mirrored = |at: usize, length: usize| {
            let period = 2 * length;
            let at = at % period;
            if at < length { at } else { period - 1 - at }
        };
        (0..outer.len()).map(move |i| {
            let (row, column) = (i / outer.width % outer.height, i % outer.width);
            let frame = i / outer.frame_len();
            (frame * inner.height + mirrored(row, inner.height)) * inner.width
                + mirrored(column, inner.width)
        })
    }

    pub(super) fn frame(&self, clip: &Clip) -> Clip {
        Clip::new(self.outer, self.shown().map(|i| clip.data()[i]).collect())
    }

    /// The slopes of what [`frame`](Self::frame) was given.
    pub(super) fn frame_back(&self, slopes: &Clip) -> Clip {
        let mut out = Clip::zeros(self.inner);
        for (i, slope) in self.shown().zip(slopes.data()) {
            out.data_mut()[i] += slope;
        }
        out
    }

    pub(super) fn cut(&self, clip: &Clip) -> Clip {
        let Self { inner, outer } = self;
        let rows = clip.data().chunks_exact(outer.width).enumerate();
        let rows = rows.filter(|(i, _)| i % outer.height < inner.height);
        let data = rows.flat_map(|(_, row)| row[..inner.width].iter().copied());
        Clip::new(*inner, data.collect())
    }

    /// The slopes of what [`cut`](Self::cut) was given.
    pub(super) fn cut_back(&self, slopes: &Clip) -> Clip {
        let Self { inner, outer } = self;
        let mut out = Clip::zeros(*outer);
        for (i, row) in slopes.data().chunks_exact(inner.width).enumerate() {
            let at = (i / inner.height * outer.height + i % inner.height) * outer.width;
            out.data_mut()[at..][..inner.width].copy_from_slice(row);
        }
        out
    }
}
