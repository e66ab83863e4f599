//! What the other frames say of a pixel, by a formula: the network's input.
//!
//! Where a scene stands still, the mean of all frames is the best estimate there is. Whether it
//! does is seen in the noise itself: two frames of one scene differ by noise of variance 2 sigma^2,
//! and their mean square over some pixels tells this from a change (as patches are compared in
//! non-local means; Buades, Coll and Morel, 2005). Frames are averaged with weights that fall once
//! they differ by more, at two sizes of neighbourhood.

use super::config::Config;
use super::maps::Maps;
use super::strip::Strip;
use crate::clip::{Clip, Shape};

/// The spread of video about its middle, of which inputs and outputs are scaled.
pub const SPREAD: f32 = 0.25;

/// A neighbourhood over which frames are compared.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    /// The side of a block of pixels that share a weight; 3 x 3 blocks are compared.
    pub(super) side: usize,
    /// An excess of the difference over what noise explains, relative to it, that costs nothing:
    /// about what chance makes of that many pixels.
    pub(super) slack: f32,
    /// How fast weights fall beyond.
    pub(super) rate: f32,
}

pub(super) const SCALES: [Scale; 2] = [
    Scale {
        side: 2,
        slack: 0.2,
        rate: 2.0,
    },
    Scale {
        side: 4,
        slack: 0.1,
        rate: 4.0,
    },
];

/// A clip averaged over its frames.
struct Average {
    scale: Scale,
    /// For each pair of frames, the earlier one first: a weight a block.
    weights: Vec<Vec<f32>>,
    /// For each frame: the sum of weights, a block.
    totals: Vec<Vec<f32>>,
    mean: Clip,
}

/// What enters the network, and what its slopes need on their way back to the clip.
pub struct Evidence {
    clip: Clip,
    sigma: f32,
    averages: [Average; 2],
}

/// The factor by which video under noise of `sigma` has unit variance.
pub fn gain(sigma: f32) -> f32 {
    1.0 / (sigma * sigma + SPREAD * SPREAD).sqrt()
}

impl Evidence {
    /// `clip` is 0 at mid-grey, its sides multiples of 4.
    pub fn of(clip: Clip, sigma: f32) -> Self {
        let averages = SCALES.map(|scale| Average::of(&clip, sigma, scale));
        Self {
            clip,
            sigma,
            averages,
        }
    }

    /// [`Config::INPUTS`] channels at half the size: the clip, its average and what the average
    /// changes (each as the four pixels of a square), the averages' weights, a one, and a frame's
    /// share of the clip.
    pub fn features(&self) -> Maps {
        let Shape {
            frames,
            height,
            width,
        } = self.clip.shape();
        let half = Strip::new(frames, height / 2, width / 2);
        let mut maps = Maps::zeros(half, Config::INPUTS);
        let (gain, inverse) = (gain(self.sigma), 1.0 / self.sigma);
        let x = self.clip.data();
        let [fine, coarse] = self.averages.each_ref().map(|a| a.mean.data());
        let mut corner = |first: usize, value: &dyn Fn(usize) -> f32| {
            for corner in 0..4 {
                let channel = maps.channel_mut(first + corner);
                for frame in 0..frames {
                    for row in 0..half.height {
                        let from = (frame * height + 2 * row + corner / 2) * width + corner % 2;
                        let to = &mut channel[half.pixels(frame, row)];
                        for (i, to) in to.iter_mut().enumerate() {
                            *to = value(from + 2 * i);
                        }
                    }
                }
            }
        };
        corner(0, &|i| gain * x[i]);
        corner(4, &|i| gain * fine[i]);
        corner(8, &|i| inverse * (fine[i] - x[i]));
        corner(12, &|i| inverse * (coarse[i] - x[i]));
        let mut plain = |index: usize, value: &dyn Fn(usize, usize, usize) -> f32| {
            let channel = maps.channel_mut(index);
            for frame in 0..frames {
                for row in 0..half.height {
                    let to = &mut channel[half.pixels(frame, row)];
                    for (column, to) in to.iter_mut().enumerate() {
                        *to = value(frame, row, column);
                    }
                }
            }
        };
        for (index, average) in self.averages.iter().enumerate() {
            let ratio = average.scale.side / 2;
            let across = width / average.scale.side;
            plain(16 + index, &|frame, row, column| {
                1.0 / average.totals[frame][row / ratio * across + column / ratio]
            });
        }
        plain(18, &|_, _, _| 1.0);
        plain(19, &|_, _, _| 1.0 / frames as f32);
        maps
    }

    /// The slopes of the clip, from those of the features.
    pub fn back(&self, slopes: &Maps) -> Clip {
        let shape = self.clip.shape();
        let Shape {
            frames,
            height,
            width,
        } = shape;
        let half = slopes.strip;
        let (gain, inverse) = (gain(self.sigma), 1.0 / self.sigma);
        let corner = |first: usize| {
            let mut out = Clip::zeros(shape);
            for corner in 0..4 {
                let channel = slopes.channel(first + corner);
                for frame in 0..frames {
                    for row in 0..half.height {
                        let to = (frame * height + 2 * row + corner / 2) * width + corner % 2;
                        let from = &channel[half.pixels(frame, row)];
                        for (i, from) in from.iter().enumerate() {
                            out.data_mut()[to + 2 * i] = *from;
                        }
                    }
                }
            }
            out
        };
        let (by_clip, by_fine) = (corner(0), corner(4));
        let (by_fine_change, by_coarse_change) = (corner(8), corner(12));
        let changes = by_fine_change.zip(&by_coarse_change, |a, b| inverse * (a + b));
        let mut out = by_clip.zip(&changes, |a, b| gain * a - b);
        let means = [
            by_fine.zip(&by_fine_change, |a, b| gain * a + inverse * b),
            by_coarse_change.map(|v| inverse * v),
        ];
        for (index, (average, mean)) in self.averages.iter().zip(&means).enumerate() {
            let ratio = average.scale.side / 2;
            let across = width / average.scale.side;
            let channel = slopes.channel(16 + index);
            let mut totals = average.totals.clone();
            totals.iter_mut().flatten().for_each(|t| *t = 0.0);
            for (frame, totals) in totals.iter_mut().enumerate() {
                for row in 0..half.height {
                    let from = &channel[half.pixels(frame, row)];
                    for (column, from) in from.iter().enumerate() {
                        let block = row / ratio * across + column / ratio;
                        let total = average.totals[frame][block];
                        totals[block] -= from / (total * total);
                    }
                }
            }
            average.add_back(&self.clip, self.sigma, mean, &totals, &mut out);
        }
        out
    }
}

/// Where blocks lie in a frame.
#[derive(Clone, Copy)]
struct Blocks {
    side: usize,
    down: usize,
    across: usize,
}

impl Blocks {
    fn of(shape: Shape, side: usize) -> Self {
        Self {
            side,
            down: shape.height / side,
            across: shape.width / side,
        }
    }

    fn len(self) -> usize {
        self.down * self.across
    }

    /// Calls `f` with each pixel's index in a frame and its block.
    #[inline(always)]
    fn pixels(self, mut f: impl FnMut(usize, usize)) {
        let width = self.across * self.side;
        for row in 0..self.down * self.side {
            let first = row / self.side * self.across;
            for block in 0..self.across {
                for i in 0..self.side {
                    f(row * width + block * self.side + i, first + block);
                }
            }
        }
    }

    /// The sum over 3 x 3 blocks, those beyond the frame left out.
    fn sums(self, values: &[f32]) -> Vec<f32> {
        let Self { down, across, .. } = self;
        let mut rows = vec![0.0; values.len()];
        for (out, row) in rows
            .chunks_exact_mut(across)
            .zip(values.chunks_exact(across))
        {
            for (i, out) in out.iter_mut().enumerate() {
                let (from, to) = (i.saturating_sub(1), (i + 2).min(across));
                *out = row[from..to].iter().sum();
            }
        }
        let mut out = vec![0.0; values.len()];
        for row in 0..down {
            for other in row.saturating_sub(1)..(row + 2).min(down) {
                let source = &rows[other * across..][..across];
                let target = &mut out[row * across..][..across];
                target.iter_mut().zip(source).for_each(|(t, s)| *t += s);
            }
        }
        out
    }

    /// One over the number of pixels in the 3 x 3 blocks about each.
    fn shares(self) -> Vec<f32> {
        let each = (self.side * self.side) as f32;
        let counts = self.sums(&vec![each; self.len()]);
        counts.into_iter().map(|count| 1.0 / count).collect()
    }
}

/// Where the pair of frames `a < b` stands among all pairs.
fn pair(a: usize, b: usize) -> usize {
    b * (b - 1) / 2 + a
}

impl Average {
    fn of(clip: &Clip, sigma: f32, scale: Scale) -> Self {
        let shape = clip.shape();
        let blocks = Blocks::of(shape, scale.side);
        let shares = blocks.shares();
        let noise = 1.0 / (2.0 * sigma * sigma);
        let mut weights = Vec::new();
        let mut totals = vec![vec![1.0; blocks.len()]; shape.frames];
        for b in 0..shape.frames {
            for a in 0..b {
                let (first, second) = (clip.frame(a), clip.frame(b));
                let mut squares = vec![0.0; blocks.len()];
                blocks.pixels(|pixel, block| {
                    let apart = first[pixel] - second[pixel];
                    squares[block] += apart * apart;
                });
                let mut weight = blocks.sums(&squares);
                for (weight, share) in weight.iter_mut().zip(&shares) {
                    let excess = *weight * share * noise - 1.0 - scale.slack;
                    *weight = (-scale.rate * excess.max(0.0)).exp();
                }
                for frame in [a, b] {
                    let pairs = totals[frame].iter_mut().zip(&weight);
                    pairs.for_each(|(total, weight)| *total += weight);
                }
                weights.push(weight);
            }
        }
        let mut mean = clip.clone();
        for b in 0..shape.frames {
            for a in 0..b {
                let weight = &weights[pair(a, b)];
                for (to, from) in [(a, b), (b, a)] {
                    let (to, from) = (mean.frame_mut(to), clip.frame(from));
                    blocks.pixels(|pixel, block| to[pixel] += weight[block] * from[pixel]);
                }
            }
        }
        for (frame, totals) in totals.iter().enumerate() {
            let mean = mean.frame_mut(frame);
            blocks.pixels(|pixel, block| mean[pixel] /= totals[block]);
        }
        Self {
            scale,
            weights,
            totals,
            mean,
        }
    }

    /// Adds to `out` the slopes of the clip, from those of the mean and of the totals.
    fn add_back(&self, clip: &Clip, sigma: f32, mean: &Clip, totals: &[Vec<f32>], out: &mut Clip) {
        let shape = clip.shape();
        let blocks = Blocks::of(shape, self.scale.side);
        let shares = blocks.shares();
        let noise = 1.0 / (2.0 * sigma * sigma);
        // Of the sums of weighted frames.
        let mut sums = mean.clone();
        for frame in 0..shape.frames {
            let (sum, totals) = (sums.frame_mut(frame), &self.totals[frame]);
            blocks.pixels(|pixel, block| sum[pixel] /= totals[block]);
            let to = out.frame_mut(frame);
            to.iter_mut().zip(&*sum).for_each(|(to, s)| *to += s);
        }
        for b in 0..shape.frames {
            for a in 0..b {
                let weight = &self.weights[pair(a, b)];
                let mut slope: Vec<f32> = (0..blocks.len())
                    .map(|block| totals[a][block] + totals[b][block])
                    .collect();
                for (to, from) in [(a, b), (b, a)] {
                    let (sum, mean) = (sums.frame(to), self.mean.frame(to));
                    let (source, out) = (clip.frame(from), out.frame_mut(from));
                    blocks.pixels(|pixel, block| {
                        out[pixel] += weight[block] * sum[pixel];
                        slope[block] += sum[pixel] * (source[pixel] - mean[pixel]);
                    });
                }
                for ((slope, weight), share) in slope.iter_mut().zip(weight).zip(&shares) {
                    // A weight of exactly 1 is one that does not fall yet.
                    let falls = if *weight < 1.0 { -self.scale.rate } else { 0.0 };
                    *slope *= falls * weight * noise * share;
                }
                let slope = blocks.sums(&slope);
                let (first, second) = (clip.frame(a), clip.frame(b));
                let mut by_first = vec![0.0; shape.frame_len()];
                blocks.pixels(|pixel, block| {
                    by_first[pixel] = 2.0 * slope[block] * (first[pixel] - second[pixel]);
                });
                let first = out.frame_mut(a).iter_mut().zip(&by_first);
                first.for_each(|(to, by)| *to += by);
                let second = out.frame_mut(b).iter_mut().zip(&by_first);
                second.for_each(|(to, by)| *to -= by);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    #[test]
    fn frames_of_a_still_scene_are_averaged_and_others_are_not() {
        let shape = Shape::new(5, 16, 24);
        let mut noise = Noise::seeded(1);
        let scene = noise.normal_clip(Shape { frames: 1, ..shape });
        let still = Clip::new(shape, scene.data().repeat(5));
        let sigma = 0.1;
        let noisy = still.zip(&noise.normal_clip(shape), |u, n| u + sigma * n);
        let apart = |a: &Clip, b: &Clip| {
            let squares = a.zip(b, |a, b| (a - b) * (a - b));
            (squares.data().iter().sum::<f32>() / shape.len() as f32).sqrt()
        };
        let evidence = Evidence::of(noisy.clone(), sigma);
        for average in &evidence.averages {
            assert!(apart(&average.mean, &still) < 1.1 * sigma / 5f32.sqrt());
        }
        // Another scene in every frame.
        let changing = noise.normal_clip(shape);
        let evidence = Evidence::of(changing.clone(), sigma);
        for average in &evidence.averages {
            assert!(apart(&average.mean, &changing) < 1e-3);
        }
    }

    #[test]
    fn slopes_agree_with_finite_differences() {
        let shape = Shape::new(3, 8, 12);
        let mut noise = Noise::seeded(2);
        let clip = noise.normal_clip(shape).map(|v| 0.12 * v);
        let direction = noise.normal_clip(shape);
        let sigma = 0.1;
        let mut weights = Evidence::of(clip.clone(), sigma).features();
        for channel in weights.each_mut() {
            channel.iter_mut().for_each(|v| *v = noise.normal() as f32);
        }
        weights.clear();
        let value = |step: f32| -> f64 {
            let moved = clip.zip(&direction, |c, d| c + step * d);
            let features = Evidence::of(moved, sigma).features();
            let strips = features.each().zip(weights.each());
            let products = strips.flat_map(|(f, w)| f.iter().zip(w));
            products.map(|(&f, &w)| f64::from(f) * f64::from(w)).sum()
        };
        let numeric = (value(1e-4) - value(-1e-4)) / 2e-4;
        let slopes = Evidence::of(clip.clone(), sigma).back(&weights);
        let products = slopes.data().iter().zip(direction.data());
        let analytic: f64 = products.map(|(&s, &d)| f64::from(s) * f64::from(d)).sum();
        assert!(
            (numeric - analytic).abs() < 1e-2 * analytic.abs(),
            "{numeric} {analytic}"
        );
    }
}
