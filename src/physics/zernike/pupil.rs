//! The published pupil: Zernike coefficients to a point spread function, and back.

use std::f64::consts::TAU;
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

    /// The phase within half a turn, above -pi and up to pi; not a number outside the disk.
    pub fn wrapped_phase(&self, coefficients_rad: &[f64]) -> Vec<f32> {
        let phase = self.phase(coefficients_rad).into_iter();
        let lit = phase.zip(&self.amplitude);
        lit.map(|(phase, &amplitude)| match amplitude > 0.0 {
            true => (phase - TAU * (phase / TAU - 0.5).ceil()) as f32,
            false => f32::NAN,
        })
        .collect()
    }

    /// |FFT of the pupil|^2, its centre 32 x 32.
    pub fn psf(&self, coefficients_rad: &[f64]) -> Psf {
        let phase = self.phase(coefficients_rad);
        let lit = phase.iter().zip(&self.amplitude);
        let wave: Vec<Complex64> = lit
            .map(|(&p, &a)| match a > 0.0 {
                true => Complex64::from_polar(a, p),
                false => Complex64::ZERO,
            })
            .collect();
        let field = self.transform(&wave, padded, centred);
        let values = field.iter().map(|f| f.norm_sqr() as f32).collect();
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
        let lit: Vec<Complex64> = v
            .iter()
            .zip(&psf.field)
            .map(|(&v, field)| (field * v).conj())
            .collect();
        let back = self.transform(&lit, centred, padded);
        let slope: Vec<f64> = back
            .iter()
            .zip(&psf.wave)
            .map(|(back, wave)| -2.0 * (back * wave).im)
            .collect();
        let along = |mode: &Vec<f64>| mode.iter().zip(&slope).map(|(z, s)| z * s).sum();
        self.basis.iter().map(along).collect()
    }

    /// The transform of a plane that holds a 32 x 32 picture in the rows and columns `from`
    /// and zero elsewhere, taken in the 32 rows and columns `to`.
    fn transform(
        &self,
        picture: &[Complex64],
        from: impl Fn(usize) -> usize,
        to: impl Fn(usize) -> usize,
    ) -> Vec<Complex64> {
        let mut rows = vec![Complex64::ZERO; PSF_SIZE * PADDED];
        for (i, &value) in picture.iter().enumerate() {
            rows[i / PSF_SIZE * PADDED + from(i % PSF_SIZE)] = value;
        }
        self.fft.process(&mut rows);
        let mut columns = vec![Complex64::ZERO; PSF_SIZE * PADDED];
        for column in 0..PSF_SIZE {
            for row in 0..PSF_SIZE {
                columns[column * PADDED + from(row)] = rows[row * PADDED + to(column)];
            }
        }
        self.fft.process(&mut columns);
        (0..PSF_SIZE * PSF_SIZE)
            .map(|i| columns[i % PSF_SIZE * PADDED + to(i / PSF_SIZE)])
            .collect()
    }
}

impl Default for Pupil {
    fn default() -> Self {
        Self::new()
    }
}

/// Where row or column `i` of a picture padded at its centre lies.
fn padded(i: usize) -> usize {
    i + MARGIN
}

/// Where row or column `i` of the centre crop of a centred spectrum lies in the plain one.
fn centred(i: usize) -> usize {
    (i + MARGIN + PADDED / 2) % PADDED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrapped_phase_differs_by_whole_turns_and_ends_at_the_rim() {
        let pupil = Pupil::new();
        let mut coefficients = [0.0; MODES.len()];
        coefficients[4] = 9.0;
        let wrapped = pupil.wrapped_phase(&coefficients);
        for (wrapped, phase) in wrapped.iter().zip(pupil.phase(&coefficients)) {
            if wrapped.is_nan() {
                assert_eq!(phase, 0.0);
                continue;
            }
            let turns = (phase - f64::from(*wrapped)) / TAU;
            assert!((turns - turns.round()).abs() < 1e-6, "{turns}");
            assert!(f64::from(wrapped.abs()) <= TAU / 2.0 + 1e-6);
        }
        let outside = wrapped.iter().filter(|v| v.is_nan()).count() as f64;
        let share = outside / wrapped.len() as f64;
        assert!(
            (share - (1.0 - std::f64::consts::FRAC_PI_4)).abs() < 0.1,
            "{share}"
        );
    }
}
