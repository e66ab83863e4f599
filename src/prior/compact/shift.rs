//! Looking beyond a frame: some channels of a convolution's input come from the frame before, some
//! from the one behind, some are the mean of the clip (after Lin, Gan and Han, 2019).

use super::maps::Maps;
use super::strip::Strip;

/// Which channels look where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Before,
    Behind,
    Everywhere,
    Here,
}

fn look(channel: usize, channels: usize) -> Look {
    match 8 * channel / channels {
        0 => Look::Before,
        1 => Look::Behind,
        2 => Look::Everywhere,
        _ => Look::Here,
    }
}

/// Features as a convolution over space and time sees them.
pub struct Shifted<'a> {
    maps: &'a Maps,
    means: Vec<Vec<f32>>,
}

impl<'a> Shifted<'a> {
    /// Copies the first and the last frame of the channels that look beyond them.
    pub fn new(maps: &'a mut Maps) -> Self {
        let (strip, channels) = (maps.strip, maps.channels);
        let mut means = Vec::new();
        for (index, channel) in maps.each_mut().enumerate() {
            let (start, frame) = (strip.start(), strip.frame());
            let last = start + strip.span() - frame;
            match look(index, channels) {
                Look::Before => channel.copy_within(start..start + frame, start - frame),
                Look::Behind => channel.copy_within(last..last + frame, last + frame),
                Look::Everywhere => means.push(mean(channel, strip)),
                Look::Here => {}
            }
        }
        Self { maps, means }
    }

    /// What kernels read.
    pub fn strips(&self) -> Vec<&[f32]> {
        let (strip, channels) = (self.maps.strip, self.maps.channels);
        let mut means = self.means.iter();
        let each = self.maps.each().enumerate();
        each.map(|(index, channel)| match look(index, channels) {
            Look::Before => strip.before(channel),
            Look::Behind => strip.behind(channel),
            Look::Everywhere => strip.here(means.next().expect("a mean for each")),
            Look::Here => strip.here(channel),
        })
        .collect()
    }

    /// Adds to `slopes` of the features what `seen`, the slopes of what was seen, say of them.
    pub fn add_back(seen: &Maps, slopes: &mut Maps) {
        let (strip, channels) = (seen.strip, seen.channels);
        let (start, span, frame) = (strip.start(), strip.span(), strip.frame());
        let add = |to: &mut [f32], from: &[f32]| {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        };
        for (index, slope) in slopes.each_mut().enumerate() {
            let seen = &seen.channel(index)[start..][..span];
            let slope = &mut slope[start..][..span];
            match look(index, channels) {
                Look::Before => {
                    add(slope, &seen[frame..]);
                    add(&mut slope[..frame], &seen[..frame]);
                }
                Look::Behind => {
                    add(&mut slope[frame..], seen);
                    add(&mut slope[span - frame..], &seen[span - frame..]);
                }
                Look::Everywhere => {
                    let mut sum = vec![0.0; frame];
                    seen.chunks_exact(frame)
                        .for_each(|seen| add(&mut sum, seen));
                    let share = 1.0 / strip.frames as f32;
                    sum.iter_mut().for_each(|s| *s *= share);
                    slope
                        .chunks_exact_mut(frame)
                        .for_each(|slope| add(slope, &sum));
                }
                Look::Here => add(slope, seen),
            }
        }
    }
}

/// The clip's mean, in every frame.
fn mean(channel: &[f32], strip: Strip) -> Vec<f32> {
    let (start, frame) = (strip.start(), strip.frame());
    let mut sum = vec![0.0; frame];
    for from in channel[start..][..strip.span()].chunks_exact(frame) {
        sum.iter_mut().zip(from).for_each(|(s, v)| *s += v);
    }
    let share = 1.0 / strip.frames as f32;
    sum.iter_mut().for_each(|s| *s *= share);
    let mut out = vec![0.0; strip.len()];
    for to in out[start..][..strip.span()].chunks_exact_mut(frame) {
        to.copy_from_slice(&sum);
    }
    out
}
