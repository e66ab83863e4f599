//! The modulation transfer of a point spread function: |OTF|^2 and its gradient.

use rustfft::num_complex::Complex32;

use super::pupil::PSF_SIZE;
use crate::physics::fft::RealFft2;

/// Transforms point spread functions onto a frame's frequency grid.
///
/// Spectra hold the non-negative horizontal frequencies, and for each of them all vertical
/// ones side by side: `rows * (columns / 2 + 1)` values.
pub struct Transfer {
    fft: RealFft2,
}

impl Transfer {
    /// `rows` and `columns` are at least [`PSF_SIZE`], `columns` is even.
    pub fn new(rows: usize, columns: usize) -> Self {
        assert!(rows >= PSF_SIZE && columns >= PSF_SIZE, "a grid under 32");
        Self {
            fft: RealFft2::new(rows, columns),
        }
    }

    /// The transform of a 32 x 32 point spread function.
    pub fn of(&self, psf: &[f32]) -> Vec<Complex32> {
        self.picture(psf, PSF_SIZE, PSF_SIZE)
    }

    /// The transform of a picture no larger than the grid, zero beyond it.
    pub fn picture(&self, picture: &[f32], height: usize, width: usize) -> Vec<Complex32> {
        let mut spectrum = self.fft.forward_rows(0, height, |y, row| {
            row[..width].copy_from_slice(&picture[y * width..(y + 1) * width]);
        });
        self.fft.forward_columns(&mut spectrum);
        spectrum
    }

    /// The gradient with respect to the point spread function of sum_f slope_f |OTF_f|^2, the
    /// sum going over the values that a spectrum holds.
    pub fn pull_power(&self, spectrum: &[Complex32], slope: &[f32]) -> Vec<f64> {
        // Inverse transforms count the columns between the ends twice.
        let mut weighed: Vec<Complex32> = spectrum
            .iter()
            .zip(slope)
            .enumerate()
            .map(|(i, (&h, &s))| h * (2.0 * s / self.fft.multiplicity(i)))
            .collect();
        self.fft.inverse_columns(&mut weighed);
        let mut out = vec![0.0; PSF_SIZE * PSF_SIZE];
        self.fft.inverse_rows(&weighed, 0, PSF_SIZE, |y, row| {
            for (o, v) in out[y * PSF_SIZE..].iter_mut().zip(&row[..PSF_SIZE]) {
                *o = f64::from(*v);
            }
        });
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::physics::zernike::Pupil;

    #[test]
    fn gradient_agrees_with_finite_differences() {
        let (rows, columns) = (40, 36);
        let transfer = Transfer::new(rows, columns);
        let pupil = Pupil::new();
        let slope: Vec<f32> = (0..rows * (columns / 2 + 1))
            .map(|i| (i as f32 * 0.37).sin())
            .collect();
        let at = |c: &[f64]| -> f64 {
            let spectrum = transfer.of(&pupil.psf(c).values);
            let terms = spectrum.iter().zip(&slope);
            terms.map(|(h, &s)| f64::from(h.norm_sqr() * s)).sum()
        };
        let c = [0.0, 0.5, -0.3, 1.0, 2.0, -1.5, 0.7, 1.1, -0.4, 0.9];
        let psf = pupil.psf(&c);
        let pulled = pupil.pull(
            &psf,
            &transfer.pull_power(&transfer.of(&psf.values), &slope),
        );
        for k in 3..10 {
            let moved = |by: f64| {
                let mut c = c;
                c[k] += by;
                at(&c)
            };
            let numeric = (moved(1e-3) - moved(-1e-3)) / 2e-3;
            assert!(
                (numeric - pulled[k]).abs() < 1e-2 * numeric.abs().max(1.0),
                "{k}: {numeric} {}",
                pulled[k]
            );
        }
    }
}
