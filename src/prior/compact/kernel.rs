//! The two kernels that all of the network's arithmetic is made of: strips correlated with small
//! windows, and the gradient of the windows.

use pulp::{Simd, WithSimd};

/// Output channels a kernel computes at once: channel counts are multiples of it.
pub const BLOCK: usize = 4;

/// Vectors of pixels a kernel computes at once. With [`BLOCK`] they make eight sums, as many as
/// keep two multipliers of four cycles busy; more do not fit 16 registers.
const VECTORS: usize = 2;

/// Input channels whose windows' gradients are computed at once.
const PAIR: usize = 2;

/// Pixels whose share of a gradient is summed at once: few enough for the fastest cache.
const SEGMENT: usize = 1024;

/// `outputs[o] = sum over i, tap of weights[o][i][tap] * inputs[i] moved by tap`.
pub struct Correlate<'a> {
    /// Offsets of a window's places.
    pub taps: &'a [isize],
    /// Strips, of which pixels from `start` on count.
    pub inputs: &'a [&'a [f32]],
    pub start: usize,
    pub span: usize,
    /// `[outputs / BLOCK][inputs][taps][BLOCK]`
    pub weights: &'a [f32],
    /// Strips of pixels from `start` on, at least 32 longer than `span`.
    pub outputs: &'a mut [&'a mut [f32]],
}

impl WithSimd for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.taps.len() {
            1 => self.rows::<S, 1>(simd),
            _ => self.rows::<S, 3>(simd),
        }
    }
}

impl Correlate<'_> {
    /// Takes the `ROW` places of a window's row together.
    #[inline(always)]
    fn rows<S: Simd, const ROW: usize>(self, simd: S) {
        let run = VECTORS * S::F32_LANES;
        let per_block = self.inputs.len() * self.taps.len() * BLOCK;
        for at in (0..self.span).step_by(run) {
            let blocks = self.weights.chunks_exact(per_block);
            for (outputs, weights) in self.outputs.chunks_exact_mut(BLOCK).zip(blocks) {
                let mut sums = [[simd.splat_f32s(0.0); VECTORS]; BLOCK];
                let windows = weights.chunks_exact(self.taps.len() * BLOCK);
                for (input, window) in self.inputs.iter().zip(windows) {
                    let window = window.as_chunks::<BLOCK>().0.as_chunks::<ROW>().0;
                    for (taps, weights) in self.taps.as_chunks::<ROW>().0.iter().zip(window) {
                        let from = (self.start + at).wrapping_add_signed(taps[0]);
                        let row = &input[from..][..run + ROW - 1];
                        for (place, weights) in weights.iter().enumerate() {
                            let pixels = S::as_simd_f32s(&row[place..][..run]).0;
                            let pixels: [S::f32s; VECTORS] = std::array::from_fn(|v| pixels[v]);
                            for (sums, &weight) in sums.iter_mut().zip(weights) {
                                let weight = simd.splat_f32s(weight);
                                for (sum, &pixels) in sums.iter_mut().zip(&pixels) {
                                    *sum = simd.mul_add_e_f32s(weight, pixels, *sum);
                                }
                            }
                        }
                    }
                }
                for (output, sums) in outputs.iter_mut().zip(&sums) {
                    let output = &mut output[at..][..run];
                    S::as_mut_simd_f32s(output).0.copy_from_slice(sums);
                }
            }
        }
    }
}

/// The gradient of the weights of [`Correlate`]: adds to `gradient[o][i][tap]` the sum over pixels
/// of `slopes[o] * inputs[i] moved by tap`.
pub struct Windows<'a> {
    pub taps: &'a [isize],
    /// Strips, an even number of them.
    pub inputs: &'a [&'a [f32]],
    /// The slopes of the outputs, as strips that are zero beside the pixels.
    pub slopes: &'a [&'a [f32]],
    pub start: usize,
    pub span: usize,
    /// `[outputs][inputs][taps]`
    pub gradient: &'a mut [f32],
}

impl WithSimd for Windows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let window = self.taps.len();
        for from in (0..self.span).step_by(SEGMENT) {
            let count = (self.span - from).min(SEGMENT).div_ceil(lanes);
            let start = self.start + from;
            for (block, slopes) in self.slopes.chunks_exact(BLOCK).enumerate() {
                let slopes: [&[S::f32s]; BLOCK] = std::array::from_fn(|o| {
                    S::as_simd_f32s(&slopes[o][start..][..count * lanes]).0
                });
                let slopes = slopes.map(|s| &s[..count]);
                for (pair, inputs) in self.inputs.chunks_exact(PAIR).enumerate() {
                    for (place, &tap) in self.taps.iter().enumerate() {
                        let moved = start.wrapping_add_signed(tap);
                        let pixels: [&[S::f32s]; PAIR] = std::array::from_fn(|i| {
                            S::as_simd_f32s(&inputs[i][moved..][..count * lanes]).0
                        });
                        let pixels = pixels.map(|p| &p[..count]);
                        let mut sums = [[simd.splat_f32s(0.0); PAIR]; BLOCK];
                        for at in 0..count {
                            let pixels = pixels.map(|p| p[at]);
                            for (sums, slopes) in sums.iter_mut().zip(&slopes) {
                                for (sum, pixels) in sums.iter_mut().zip(pixels) {
                                    *sum = simd.mul_add_e_f32s(slopes[at], pixels, *sum);
                                }
                            }
                        }
                        for (o, sums) in sums.iter().enumerate() {
                            let row = (block * BLOCK + o) * self.inputs.len() + pair * PAIR;
                            for (i, &sum) in sums.iter().enumerate() {
                                self.gradient[(row + i) * window + place] +=
                                    simd.reduce_sum_f32s(sum);
                            }
                        }
                    }
                }
            }
        }
    }
}
