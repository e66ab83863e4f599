//! The clips of a step.

use super::config::{Crop, Training};
use super::data::Pool;
use super::learner::Example;
use crate::clip::{Clip, Shape};
use crate::noise::Noise;

/// Draws clips from a pool, by seed and step alone: a training that is taken up again sees what it
/// would have seen.
pub struct Batches<'a> {
    pool: &'a Pool,
    training: &'a Training,
}

/// How often a clip runs backwards, is seen in a mirror, stands on its head, is lit otherwise.
const BACKWARDS: f64 = 0.5;
const MIRRORED: f64 = 0.5;
const UPSIDE_DOWN: f64 = 0.1;
const RELIT: f64 = 0.5;

impl<'a> Batches<'a> {
    /// # Errors
    /// Crops that are larger than the pool's clips, or no multiples of `multiple`.
    pub fn new(pool: &'a Pool, training: &'a Training, multiple: usize) -> Result<Self, String> {
        let whole = pool.shape();
        for Crop { shape, .. } in &training.crops {
            let [frames, height, width] = *shape;
            if frames > whole.frames || height > whole.height || width > whole.width {
                return Err(format!(
                    "the crop {frames}x{height}x{width} does not fit into the pool's clips of {whole}"
                ));
            }
            if height % multiple != 0 || width % multiple != 0 {
                return Err(format!(
                    "the sides of the crop {frames}x{height}x{width} are no multiples of {multiple}, \
                     which this network needs"
                ));
            }
        }
        Ok(Self { pool, training })
    }

    /// The clips of step `step`.
    pub fn of(&self, step: usize) -> Vec<Example> {
        let mut noise = Noise::seeded(mixed(self.training.seed, step as u64));
        let shape = self.shape(step, &mut noise);
        (0..self.training.batch)
            .map(|_| self.example(shape, &mut noise))
            .collect()
    }

    fn shape(&self, step: usize, noise: &mut Noise) -> Shape {
        let serving = self.training.crops.iter().filter(|crop| crop.serves(step));
        let total: f64 = serving.clone().map(|crop| crop.weight).sum();
        let mut left = noise.uniform(0.0, total);
        let mut chosen = [1, 1, 1];
        for crop in serving {
            chosen = crop.shape;
            left -= crop.weight;
            if left < 0.0 {
                break;
            }
        }
        let [frames, height, width] = chosen;
        Shape::new(frames, height, width)
    }

    fn example(&self, shape: Shape, noise: &mut Noise) -> Example {
        let whole = self.pool.shape();
        let mut below = |count: usize| (noise.uniform(0.0, count as f64) as usize).min(count - 1);
        let levels = self.pool.clip(below(self.pool.len()));
        let first = below(whole.frames - shape.frames + 1);
        let top = below(whole.height - shape.height + 1);
        let left = below(whole.width - shape.width + 1);
        let vary = self.training.vary;
        let mut chance = |share: f64| noise.uniform(0.0, 1.0) < share && vary;
        let (backwards, mirrored) = (chance(BACKWARDS), chance(MIRRORED));
        let (upside_down, relit) = (chance(UPSIDE_DOWN), chance(RELIT));
        let flipped = |at: usize, length: usize, flip: bool| {
            if flip { length - 1 - at } else { at }
        };
        let (mut gain, mut offset) = (1.0 / 255.0, 0.0);
        if relit {
            let contrast = noise.uniform(0.6, 1.0);
            gain *= contrast;
            offset = noise.uniform(0.0, 1.0 - contrast);
        }
        let mut data = Vec::with_capacity(shape.len());
        for frame in 0..shape.frames {
            let frame = first + flipped(frame, shape.frames, backwards);
            for row in 0..shape.height {
                let row = top + flipped(row, shape.height, upside_down);
                let from = (frame * whole.height + row) * whole.width + left;
                let row = &levels[from..][..shape.width];
                let light = |&level: &u8| (gain * f64::from(level) + offset) as f32;
                if mirrored {
                    data.extend(row.iter().rev().map(light));
                } else {
                    data.extend(row.iter().map(light));
                }
            }
        }
        Example {
            clean: Clip::new(shape, data),
            seed: noise.uniform(0.0, (1u64 << 52) as f64) as u64,
        }
    }
}

/// A seed for each step (SplitMix64).
fn mixed(seed: u64, step: u64) -> u64 {
    let mut z = seed ^ (step + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
