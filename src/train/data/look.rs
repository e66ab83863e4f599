//! How a camera, a codec and the reduction to a few pixels leave a clip.

use std::f32::consts::{PI, TAU};

use super::draw::{chance, octaves, uniform};
use super::raster;
use crate::clip::{Clip, Shape};
use crate::media::FrameSize;
use crate::noise::Noise;

/// Whether a clip has been through a codec already, or is to be left sharp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    Maybe,
    Never,
}

/// The finished clip, in levels: `source` (values in [0, 1], frames as large as `shape`'s or larger)
/// softly compressed, reduced, sharpened or softened, in another light.
pub fn finished(mut source: Clip, shape: Shape, codec: Codec, noise: &mut Noise) -> Vec<u8> {
    let compressed = chance(noise, 0.4);
    let coarseness = uniform(noise, 0.015, 0.09);
    if compressed && codec == Codec::Maybe {
        compress(&mut source, coarseness);
    }
    let mut clip = reduced(&source, shape, chance(noise, 0.6));
    soften(&mut clip, softness(noise));
    let light = Light::drawn(noise, &clip);
    let frames = clip.frames().enumerate();
    frames
        .flat_map(|(time, frame)| {
            let light = light.at(time as f32);
            frame.iter().map(move |&v| (light(v) * 255.0).round() as u8)
        })
        .collect()
}

fn reduced(source: &Clip, shape: Shape, jagged: bool) -> Clip {
    let from = FrameSize::new(source.shape().height, source.shape().width);
    let to = FrameSize::new(shape.height, shape.width);
    let larger = to.height > from.height || to.width > from.width;
    let reduce = if jagged || larger {
        raster::sampled
    } else {
        raster::averaged
    };
    let frames = source.frames().flat_map(|frame| reduce(frame, from, to));
    Clip::new(shape, frames.collect())
}

/// The standard deviation of the blur, in pixels; below 0: sharpened by as much.
fn softness(noise: &mut Noise) -> f32 {
    match noise.uniform(0.0, 1.0) {
        kind if kind < 0.6 => 0.0,
        kind if kind < 0.8 => uniform(noise, 0.2, 0.6),
        kind if kind < 0.85 => uniform(noise, 0.6, 1.2),
        _ => -uniform(noise, 0.3, 0.7),
    }
}

fn soften(clip: &mut Clip, sigma: f32) {
    if sigma == 0.0 {
        return;
    }
    let Shape { height, width, .. } = clip.shape();
    let side: [f32; 3] = [1, 2, 3].map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp());
    let total = 1.0 + 2.0 * side.iter().sum::<f32>();
    for index in 0..clip.shape().frames {
        let frame = clip.frame_mut(index);
        let along = |values: &[f32], count: usize, step: usize, i: usize| {
            let at = (i / step) % count;
            let mut sum = values[i];
            for (k, weight) in side.iter().enumerate() {
                let back = (k + 1).min(at);
                let forth = (k + 1).min(count - 1 - at);
                sum += weight * (values[i - back * step] + values[i + forth * step]);
            }
            sum / total
        };
        let rows: Vec<f32> = (0..height * width)
            .map(|i| along(frame, width, 1, i))
            .collect();
        for (i, value) in frame.iter_mut().enumerate() {
            let soft = along(&rows, height, width, i);
            *value = if sigma > 0.0 {
                soft
            } else {
                (2.0 * *value - soft).clamp(0.0, 1.0)
            };
        }
    }
}

/// Brightness, contrast and gamma, and in a few clips a light that changes.
struct Light {
    gamma: f32,
    contrast: f32,
    middle: f32,
    brightness: f32,
    /// Of the brightness: a frame, and as a wave (amplitude, radians a frame, phase).
    drift: f32,
    flicker: [f32; 3],
}

impl Light {
    fn drawn(noise: &mut Noise, clip: &Clip) -> Self {
        let gamma = (0.25 * noise.normal() as f32).clamp(-0.6, 0.6).exp();
        let middle = clip.data().iter().sum::<f32>() / clip.data().len() as f32;
        let contrast = octaves(noise, 0.75, 1.35);
        let brightness = (0.08 * noise.normal() as f32).clamp(-0.2, 0.2);
        let (drifts, flickers) = (chance(noise, 0.04), chance(noise, 0.03));
        let drift = uniform(noise, -0.03, 0.03);
        let flicker = [
            uniform(noise, 0.02, 0.1),
            uniform(noise, 0.3, PI),
            uniform(noise, 0.0, TAU),
        ];
        Self {
            gamma,
            contrast,
            middle: middle.powf(gamma),
            brightness,
            drift: if drifts { drift } else { 0.0 },
            flicker: if flickers { flicker } else { [0.0; 3] },
        }
    }

    fn at(&self, time: f32) -> impl Fn(f32) -> f32 + use<> {
        let [height, rate, phase] = self.flicker;
        let gain = 1.0 + self.drift * time + height * (rate * time + phase).sin();
        let (gamma, contrast) = (self.gamma, self.contrast);
        let (middle, brightness) = (self.middle, self.brightness);
        move |v| {
            let toned = middle + contrast * (v.max(0.0).powf(gamma) - middle) + brightness;
            (gain * toned).clamp(0.0, 1.0)
        }
    }
}

/// Side of a codec's block.
const BLOCK: usize = 8;

/// Rounds the cosine transform of each block as codecs do: the finer a wave, the more coarsely.
fn compress(clip: &mut Clip, coarseness: f32) {
    let basis: [[f32; BLOCK]; BLOCK] = std::array::from_fn(|k| {
        let norm: f32 = if k == 0 { 0.125 } else { 0.25 };
        std::array::from_fn(|i| {
            norm.sqrt() * ((2 * i + 1) as f32 * k as f32 * PI / (2 * BLOCK) as f32).cos()
        })
    });
    let Shape { height, width, .. } = clip.shape();
    for index in 0..clip.shape().frames {
        let frame = clip.frame_mut(index);
        // What does not fill a block at the right and at the bottom stays as it is.
        for top in (0..height.saturating_sub(BLOCK - 1)).step_by(BLOCK) {
            for left in (0..width.saturating_sub(BLOCK - 1)).step_by(BLOCK) {
                compress_block(frame, top * width + left, width, &basis, coarseness);
            }
        }
        frame.iter_mut().for_each(|v| *v = v.clamp(0.0, 1.0));
    }
}

fn compress_block(
    frame: &mut [f32],
    corner: usize,
    width: usize,
    basis: &[[f32; BLOCK]; BLOCK],
    coarseness: f32,
) {
    let mut block = [[0.0; BLOCK]; BLOCK];
    for (i, row) in block.iter_mut().enumerate() {
        row.copy_from_slice(&frame[corner + i * width..][..BLOCK]);
    }
    let mut waves = transformed(&transformed(&block, basis), basis);
    for (j, row) in waves.iter_mut().enumerate() {
        for (i, wave) in row.iter_mut().enumerate() {
            let step = coarseness * (1.0 + 0.6 * (i + j) as f32);
            *wave = (*wave / step).round() * step;
        }
    }
    let back: [[f32; BLOCK]; BLOCK] = std::array::from_fn(|i| std::array::from_fn(|k| basis[k][i]));
    let block = transformed(&transformed(&waves, &back), &back);
    for (i, row) in block.iter().enumerate() {
        frame[corner + i * width..][..BLOCK].copy_from_slice(row);
    }
}

/// The transform of each row, transposed; twice, it is that of rows and columns.
fn transformed(
    block: &[[f32; BLOCK]; BLOCK],
    basis: &[[f32; BLOCK]; BLOCK],
) -> [[f32; BLOCK]; BLOCK] {
    std::array::from_fn(|k| {
        std::array::from_fn(|row| {
            let products = basis[k].iter().zip(&block[row]).map(|(b, v)| b * v);
            products.sum()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip() -> Clip {
        let shape = Shape::new(2, 20, 28);
        let value =
            |i: usize| 0.5 + 0.4 * ((i % 28) as f32 * 0.7).sin() * ((i / 28) as f32 * 0.4).cos();
        Clip::new(shape, (0..shape.len()).map(value).collect())
    }

    #[test]
    fn compression_errs_by_less_than_its_steps_and_is_still_where_the_clip_is() {
        let mut still = clip();
        let first = still.frame(0).to_vec();
        still.frame_mut(1).copy_from_slice(&first);
        let before = still.clone();
        compress(&mut still, 1e-6);
        let error = still.zip(&before, |a, b| (a - b).abs());
        assert!(error.data().iter().all(|&e| e < 1e-4));
        compress(&mut still, 0.05);
        let error = still.zip(&before, |a, b| (a - b).abs());
        let (_, most) = error.range();
        assert!(most > 0.005 && most < 0.3, "{most}");
        assert_eq!(still.frame(0), still.frame(1));
    }

    #[test]
    fn softening_keeps_the_mean_and_lowers_the_contrast() {
        let spread = |clip: &Clip| {
            let mean = clip.data().iter().sum::<f32>() / clip.data().len() as f32;
            let squares = clip.data().iter().map(|v| (v - mean).powi(2));
            (mean, squares.sum::<f32>())
        };
        let (mut soft, mut sharp) = (clip(), clip());
        soften(&mut soft, 0.8);
        soften(&mut sharp, -0.5);
        let (mean, contrast) = spread(&clip());
        assert!((spread(&soft).0 - mean).abs() < 0.01);
        assert!(spread(&soft).1 < 0.9 * contrast && spread(&sharp).1 > contrast);
    }

    #[test]
    fn the_look_follows_its_seed() {
        let shape = Shape::new(2, 10, 14);
        let look = |seed| finished(clip(), shape, Codec::Maybe, &mut Noise::seeded(seed));
        assert_eq!(look(1).len(), shape.len());
        assert_eq!(look(1), look(1));
        assert_ne!(look(1), look(2));
    }
}
