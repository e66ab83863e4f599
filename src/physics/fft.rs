//! Two-dimensional Fourier transforms of real pictures, row pass and column pass apart.
//!
//! A picture that fills only some rows of the transform costs a row pass over those rows
//! alone, and padding by repetition can happen between the passes, where it is a copy.

use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

/// Transforms of `rows` x `columns` real pictures, `columns` even. Nothing is normalised.
///
/// A spectrum holds the `columns / 2 + 1` non-negative horizontal frequencies, and for
/// each of them its `rows` vertical frequencies side by side.
#[derive(Clone)]
pub struct RealFft2 {
    rows: usize,
    columns: usize,
    row_forward: Arc<dyn RealToComplex<f32>>,
    row_inverse: Arc<dyn ComplexToReal<f32>>,
    column_forward: Arc<dyn Fft<f32>>,
    column_inverse: Arc<dyn Fft<f32>>,
}

impl RealFft2 {
    pub fn new(rows: usize, columns: usize) -> Self {
        assert!(columns.is_multiple_of(2), "an even number of columns");
        let mut real = RealFftPlanner::new();
        let mut complex = FftPlanner::new();
        Self {
            rows,
            columns,
            row_forward: real.plan_fft_forward(columns),
            row_inverse: real.plan_fft_inverse(columns),
            column_forward: complex.plan_fft_forward(rows),
            column_inverse: complex.plan_fft_inverse(rows),
        }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Horizontal frequencies that a spectrum holds.
    pub fn half(&self) -> usize {
        self.columns / 2 + 1
    }

    /// Values in a spectrum.
    pub fn spectrum_len(&self) -> usize {
        self.half() * self.rows
    }

    /// How often a value of the spectrum at index `i` stands in the full plane: the columns
    /// between zero and the Nyquist frequency also stand for their mirror images.
    pub fn multiplicity(&self, i: usize) -> f32 {
        let column = i / self.rows;
        if column == 0 || column == self.half() - 1 {
            1.0
        } else {
            2.0
        }
    }

    /// Transforms `count` rows, the first of them at `top`; all others are zero.
    /// `fill(y, row)` writes row `y` of the `count` into a zeroed buffer.
    pub fn forward_rows(
        &self,
        top: usize,
        count: usize,
        mut fill: impl FnMut(usize, &mut [f32]),
    ) -> Vec<Complex32> {
        let mut spectrum = vec![Complex32::ZERO; self.spectrum_len()];
        let mut row = vec![0.0; self.columns];
        let mut out = self.row_forward.make_output_vec();
        let mut scratch = self.row_forward.make_scratch_vec();
        for y in 0..count {
            row.fill(0.0);
            fill(y, &mut row);
            self.row_forward
                .process_with_scratch(&mut row, &mut out, &mut scratch)
                .expect("buffers come from the plan");
            for (column, &value) in out.iter().enumerate() {
                spectrum[column * self.rows + top + y] = value;
            }
        }
        spectrum
    }

    pub fn forward_columns(&self, spectrum: &mut [Complex32]) {
        self.column_forward.process(spectrum);
    }

    pub fn inverse_columns(&self, spectrum: &mut [Complex32]) {
        self.column_inverse.process(spectrum);
    }

    /// Transforms `count` rows back, the first of them at `top`, and hands each to `take(y, row)`.
    pub fn inverse_rows(
        &self,
        spectrum: &[Complex32],
        top: usize,
        count: usize,
        mut take: impl FnMut(usize, &[f32]),
    ) {
        let mut half = self.row_inverse.make_input_vec();
        let mut row = self.row_inverse.make_output_vec();
        let mut scratch = self.row_inverse.make_scratch_vec();
        let last = half.len() - 1;
        for y in 0..count {
            for (column, value) in half.iter_mut().enumerate() {
                *value = spectrum[column * self.rows + top + y];
            }
            // Real rows have real ends; what stands there is rounding noise.
            half[0].im = 0.0;
            half[last].im = 0.0;
            self.row_inverse
                .process_with_scratch(&mut half, &mut row, &mut scratch)
                .expect("buffers come from the plan");
            take(y, &row);
        }
    }
}

/// The next even size at or above `n` without prime factors above 5.
pub fn good_even_size(n: usize) -> usize {
    (n.max(2)..)
        .find(|&m| {
            let mut rest = m;
            for p in [2, 3, 5] {
                while rest % p == 0 {
                    rest /= p;
                }
            }
            rest == 1 && m % 2 == 0
        })
        .expect("powers of two never end")
}
