//! What happens between convolutions, number by number.

use super::vectors::dispatch;

/// e^x to 2e-7, in a form compilers turn into vectors: 2^k from the exponent's bits, the rest from
/// a polynomial (Cephes).
#[inline(always)]
fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to an integer
    let x = x.clamp(-87.0, 87.0);
    let k = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = x - k * 0.693_359_4 + k * 2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let p = p * r * r + r + 1.0;
    p * f32::from_bits(((k as i32 + 127) << 23) as u32)
}

#[inline(always)]
pub fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

#[inline(always)]
pub fn silu_slope(x: f32) -> f32 {
    let s = 1.0 / (1.0 + exp(-x));
    s * (1.0 + x * (1.0 - s))
}

/// Adds the bias to what was found; `active` is the activation of it, scaled and shifted.
pub fn modulate(found: &mut [f32], active: &mut [f32], bias: f32, scale: f32, shift: f32) {
    dispatch(
        #[inline(always)]
        || {
            for (found, active) in found.iter_mut().zip(active) {
                *found += bias;
                *active = silu(*found * scale + shift);
            }
        },
    );
}

/// Turns the slopes of `active` into those of what was found; the slopes of scale and shift.
pub fn modulate_back(slopes: &mut [f32], found: &[f32], scale: f32, shift: f32) -> [f32; 2] {
    const LANES: usize = 16;
    dispatch(
        #[inline(always)]
        || {
            let (mut by_scale, mut by_shift) = ([0.0f32; LANES], [0.0f32; LANES]);
            let mut step = |slope: &mut f32, found: f32, lane: usize| {
                let inner = *slope * silu_slope(found * scale + shift);
                by_scale[lane] += inner * found;
                by_shift[lane] += inner;
                *slope = inner * scale;
            };
            let (slopes, last) = slopes.as_chunks_mut::<LANES>();
            let (found, end) = found.as_chunks::<LANES>();
            for (slopes, found) in slopes.iter_mut().zip(found) {
                for lane in 0..LANES {
                    step(&mut slopes[lane], found[lane], lane);
                }
            }
            for (lane, (slope, &found)) in last.iter_mut().zip(end).enumerate() {
                step(slope, found, lane);
            }
            [by_scale.iter().sum(), by_shift.iter().sum()]
        },
    )
}

pub fn add_bias(out: &mut [f32], input: &[f32], bias: f32) {
    dispatch(
        #[inline(always)]
        || {
            for (out, input) in out.iter_mut().zip(input) {
                *out += input + bias;
            }
        },
    );
}

/// The sum of all, in sixteen lanes.
pub fn sum(values: &[f32]) -> f32 {
    dispatch(
        #[inline(always)]
        || {
            let mut lanes = [0.0f32; 16];
            let (chunks, rest) = values.as_chunks::<16>();
            for chunk in chunks {
                lanes.iter_mut().zip(chunk).for_each(|(lane, v)| *lane += v);
            }
            lanes.iter().sum::<f32>() + rest.iter().sum::<f32>()
        },
    )
}
