//! The published pupil: Zernike coefficients to a point spread function, and back.

use std::sync::Arc;

use rustfft::num_complex::Complex64;
use rustfft::{Fft, FftPlanner};

use super::mode::MODES;

/// Samples across the pupil, and across the point spread function.
pub const PSF_SIZE: usize = 32;
/// Samples across the padded pupil.
const PADDED: usize = 2 * PSF_SIZE;
/// Where the centre part of a padded picture begins.
const MARGIN: usize = (PADDED - PSF_SIZE) / 2;

/// A disk of 32 x 32 samples over [-1, 1]^2, amplitude 1/32^2, phase sum c_k Z_k.
#[derive(Clone)]
pub struct Pupil {
    /// One picture a mode, zero outside the disk.
    basis: Vec<Vec<f64>>,
    amplitude: Vec<f64>,
    fft: Arc<dyn Fft<f64>>,
}

/// A point spread function with what its gradient needs.
#[derive(Clone)]
pub struct Psf {
    /// 32 x 32 intensities; they sum to about 3.1 whatever the coefficients are.
    pub values: Vec<f32>,
    field: Vec<Complex64>,
    wave: Vec<Complex64>,
}

impl Pupil {
    pub fn new() -> Self {
        let at = |i: usize| 2.0 * i as f64 / (PSF_SIZE - 1) as f64 - 1.0;
        let picture = |f: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
            let pixels = (0..PSF_SIZE).flat_map(|row| (0..PSF_SIZE).map(move |col| (row, col)));
            pixels
                .map(|(row, col)| {
                    // The published code counts theta from the row axis.
                    let (x, y) = (at(row), at(col));
                    let rho = (x * x + y * y).sqrt();
                    if rho <= 1.0 { f(rho, y.atan2(x)) } else { 0.0 }
                })
                .collect()
        };
        Self {
            basis: MODES
                .iter()
                .map(|mode| picture(&|rho, theta| mode.value(rho, theta)))
                .collect(),
            amplitude: picture(&|_, _| 1.0 / (PSF_SIZE * PSF_SIZE) as f64),
            fft: FftPlanner::new().plan_fft_forward(PADDED),
        }
    }

    /// The polynomials on the pupil grid, row after row.
    pub fn basis(&self) -> &[Vec<f64>] {
        &self.basis
    }

    /// The phase in radians on the pupil grid, zero outside the disk.
    pub fn phase(&self, coefficients_rad: &[f64]) -> Vec<f64> {
        let mut phase = vec![0.0; PSF_SIZE * PSF_SIZE];
        for (c, mode) in coefficients_rad.iter().zip(&self.basis) {
            for (p, z) in phase.iter_mut().zip(mode) {
                *p += c * z;
            }
        }
        phase
    }

    /// |FFT of the pupil|^2, its centre 32 x 32.
    pub fn psf(&self, coefficients_rad: &[f64]) -> Psf {
        let phase = self.phase(coefficients_rad);
        let lit = phase.iter().zip(&self.amplitude);
        let wave: Vec<Complex64> = lit.map(|(&p, &a)| Complex64::from_polar(a, p)).collect();
        let mut field = vec![Complex64::ZERO; PADDED * PADDED];
        for (row, line) in wave.chunks_exact(PSF_SIZE).enumerate() {
            let start = (row + MARGIN) * PADDED + MARGIN;
            field[start..start + PSF_SIZE].copy_from_slice(line);
        }
        self.transform(&mut field);
        let values = (0..PSF_SIZE * PSF_SIZE)
            .map(|i| field[centred(i)].norm_sqr() as f32)
            .collect();
        Psf {
            values,
            field,
            wave,
        }
    }

    /// The gradient of <v, psf> with respect to the coefficients.
    pub fn pull(&self, psf: &Psf, v: &[f64]) -> Vec<f64> {
        // With P the field, d<v, |P|^2> = 2 Re <v P, F(i wave dphase)>: one adjoint
        // transform, which is the conjugate of a forward one.
        let mut back = vec![Complex64::ZERO; PADDED * PADDED];
        for (i, &v) in v.iter().enumerate() {
            let at = centred(i);
            back[at] = (psf.field[at] * v).conj();
        }
        self.transform(&mut back);
        let slope: Vec<f64> = psf
            .wave
            .iter()
            .enumerate()
            .map(|(i, wave)| {
                let (row, col) = (i / PSF_SIZE + MARGIN, i % PSF_SIZE + MARGIN);
                -2.0 * (back[row * PADDED + col] * wave).im
            })
            .collect();
        let along = |mode: &Vec<f64>| mode.iter().zip(&slope).map(|(z, s)| z * s).sum();
        self.basis.iter().map(along).collect()
    }

    fn transform(&self, plane: &mut [Complex64]) {
        self.fft.process(plane);
        transpose(plane);
        self.fft.process(plane);
        transpose(plane);
    }
}

impl Default for Pupil {
    fn default() -> Self {
        Self::new()
    }
}

/// Where pixel `i` of the centre crop of a centred spectrum lies in the plain one.
fn centred(i: usize) -> usize {
    let unshift = |index: usize| (index + MARGIN + PADDED / 2) % PADDED;
    unshift(i / PSF_SIZE) * PADDED + unshift(i % PSF_SIZE)
}

fn transpose(plane: &mut [Complex64]) {
    for row in 0..PADDED {
        for col in 0..row {
            plane.swap(row * PADDED + col, col * PADDED + row);
        }
    }
}
