//! Correlation of frames with a point spread function, zero outside the frame.

use rustfft::num_complex::Complex32;

use super::pupil::PSF_SIZE;
use crate::physics::fft::{RealFft2, good_even_size};

/// Samples of the point spread function before the pixel it belongs to; one fewer than
/// half, as "same" padding has it for an even kernel.
const BEFORE: usize = PSF_SIZE / 2 - 1;

/// y[i] = sum_j x[i + j - 15] psf[j] along both axes, and its adjoints.
#[derive(Clone)]
pub struct Correlation {
    height: usize,
    width: usize,
    fft: RealFft2,
}

impl Correlation {
    pub fn new(height: usize, width: usize) -> Self {
        // Half a kernel of zeros beyond the frame keeps the ends apart.
        let beyond = PSF_SIZE / 2;
        Self {
            height,
            width,
            fft: RealFft2::new(
                good_even_size((height + beyond).max(PSF_SIZE)),
                good_even_size((width + beyond).max(PSF_SIZE)),
            ),
        }
    }

    pub fn kernel_spectrum(&self, psf: &[f32]) -> Vec<Complex32> {
        let scale = 1.0 / (self.fft.rows() * self.fft.columns()) as f32;
        let scaled: Vec<f32> = psf.iter().map(|v| v * scale).collect();
        self.spectrum(&scaled, PSF_SIZE, PSF_SIZE)
    }

    pub fn frame_spectrum(&self, frame: &[f32]) -> Vec<Complex32> {
        self.spectrum(frame, self.height, self.width)
    }

    /// The correlation of a frame with the kernel.
    pub fn apply(&self, frame: &[Complex32], kernel: &[Complex32]) -> Vec<f32> {
        let product = multiply(frame, kernel, |x, k| x * k.conj());
        self.crop(product, self.height, self.width, -(BEFORE as isize))
    }

    /// The gradient with respect to the frame: convolution with the kernel.
    pub fn pull_frame(&self, cotangent: &[Complex32], kernel: &[Complex32]) -> Vec<f32> {
        let product = multiply(cotangent, kernel, |v, k| v * k);
        self.crop(product, self.height, self.width, BEFORE as isize)
    }

    /// The gradient with respect to the point spread function.
    pub fn pull_kernel(&self, cotangent: &[Complex32], frame: &[Complex32]) -> Vec<f32> {
        let scale = 1.0 / (self.fft.rows() * self.fft.columns()) as f32;
        let product = multiply(cotangent, frame, |v, x| v.conj() * x * scale);
        self.crop(product, PSF_SIZE, PSF_SIZE, -(BEFORE as isize))
    }

    fn spectrum(&self, picture: &[f32], height: usize, width: usize) -> Vec<Complex32> {
        let mut spectrum = self.fft.forward_rows(0, height, |y, row| {
            row[..width].copy_from_slice(&picture[y * width..(y + 1) * width]);
        });
        self.fft.forward_columns(&mut spectrum);
        spectrum
    }

    /// Transforms back and takes `height` x `width` pixels from (shift, shift), cyclically.
    fn crop(
        &self,
        mut spectrum: Vec<Complex32>,
        height: usize,
        width: usize,
        shift: isize,
    ) -> Vec<f32> {
        self.fft.inverse_columns(&mut spectrum);
        let cyclic =
            |i: usize, size: usize| (i as isize + shift).rem_euclid(size as isize) as usize;
        let mut out = vec![0.0; height * width];
        let rows = self.fft.rows();
        let mut order: Vec<Option<usize>> = vec![None; rows];
        for y in 0..height {
            order[cyclic(y, rows)] = Some(y);
        }
        self.fft.inverse_rows(&spectrum, 0, rows, |source, row| {
            if let Some(y) = order[source] {
                for (x, o) in out[y * width..(y + 1) * width].iter_mut().enumerate() {
                    *o = row[cyclic(x, self.fft.columns())];
                }
            }
        });
        out
    }
}

fn multiply(
    a: &[Complex32],
    b: &[Complex32],
    f: impl Fn(Complex32, Complex32) -> Complex32,
) -> Vec<Complex32> {
    a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()
}
