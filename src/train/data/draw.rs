//! Draws that descriptions of pictures are made of.

use crate::noise::Noise;

pub fn chance(noise: &mut Noise, probability: f64) -> bool {
    noise.uniform(0.0, 1.0) < probability
}

/// An index below `count`, which is at least 1.
pub fn index(noise: &mut Noise, count: usize) -> usize {
    (noise.uniform(0.0, count as f64) as usize).min(count - 1)
}

pub fn uniform(noise: &mut Noise, low: f32, high: f32) -> f32 {
    noise.uniform(f64::from(low), f64::from(high)) as f32
}

/// From `low` to `high`, both above 0, each octave as often.
pub fn octaves(noise: &mut Noise, low: f32, high: f32) -> f32 {
    uniform(noise, low.ln(), high.ln()).exp()
}

/// Of either sign, each as often.
pub fn signed(noise: &mut Noise, magnitude: f32) -> f32 {
    if chance(noise, 0.5) {
        magnitude
    } else {
        -magnitude
    }
}

/// An index, each as often as its weight says; the weights are not all 0.
pub fn weighted(noise: &mut Noise, weights: impl Iterator<Item = f64> + Clone) -> usize {
    let total: f64 = weights.clone().sum();
    let mut left = noise.uniform(0.0, total);
    let mut last = 0;
    for (index, weight) in weights.enumerate() {
        if weight > 0.0 {
            last = index;
            if left < weight {
                return index;
            }
        }
        left -= weight;
    }
    last
}

/// A seed of its own for each clip of each purpose (SplitMix64 of the three).
pub fn seed_of(seed: u64, purpose: u64, index: u64) -> u64 {
    let mut z = seed
        ^ purpose.wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
        ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for factor in [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
        z = (z ^ (z >> 30)).wrapping_mul(factor);
    }
    z ^ (z >> 31)
}
