//! Free-space propagation of a real amplitude by the angular spectrum method.
//!
//! The amplitude u (phase 0) is padded by repetition to twice its size and convolved with
//! the kernel whose transfer function is exp(i 2 pi d sqrt(1/lambda^2 - f^2)). That function
//! is even and u is real, so the field is a + i b with a and b real: u convolved with the
//! cosine part and with the sine part. One real transform forward and two back do it.

use std::f64::consts::TAU;

use rustfft::num_complex::Complex32;

use super::fft::RealFft2;
use super::optics::Optics;

/// Propagates frames of one size.
#[derive(Clone)]
pub struct Propagator {
    height: usize,
    width: usize,
    fft: RealFft2,
    /// Phase per millimetre without the carrier, 2 pi (sqrt(1/lambda^2 - f^2) - 1/lambda), in rad/mm.
    phase_per_mm: Vec<f64>,
    /// 1/N where waves propagate, 0 where they are evanescent: those die within micrometres.
    pass: Vec<f32>,
}

/// The transfer function at one distance, normalised for the inverse transform.
#[derive(Clone)]
pub struct Transfer {
    cos: Vec<f32>,
    sin: Vec<f32>,
}

/// The field a + i b of one frame, with the spectrum it came from.
pub struct Field {
    pub a: Vec<f32>,
    pub b: Vec<f32>,
    spectrum: Vec<Complex32>,
}

impl Field {
    pub fn intensity(&self) -> Vec<f32> {
        let parts = self.a.iter().zip(&self.b);
        parts.map(|(a, b)| a * a + b * b).collect()
    }
}

/// Spectra of a cotangent (da, db) of the field.
pub struct FieldCotangent {
    a: Vec<Complex32>,
    b: Vec<Complex32>,
}

impl Propagator {
    pub fn new(height: usize, width: usize, optics: &Optics) -> Self {
        let fft = RealFft2::new(2 * height, 2 * width);
        let per_mm = 1e6 / optics.wavelength_nm;
        let pitch_mm = optics.object_pitch_um() * 1e-3;
        let frequency = |index: usize, size: usize| {
            let signed = index.min(size - index) as f64;
            signed / (size as f64 * pitch_mm)
        };
        let scale = 1.0 / (fft.rows() * fft.columns()) as f32;
        let mut phase_per_mm = Vec::with_capacity(fft.spectrum_len());
        let mut pass = Vec::with_capacity(fft.spectrum_len());
        for column in 0..fft.half() {
            let fx = frequency(column, fft.columns());
            for row in 0..fft.rows() {
                let fy = frequency(row, fft.rows());
                let squared = fx * fx + fy * fy;
                let axial = per_mm * per_mm - squared;
                // sqrt(k^2 - f^2) - k without cancellation.
                let root = axial.max(0.0).sqrt();
                phase_per_mm.push(-TAU * squared / (root + per_mm));
                pass.push(if axial > 0.0 { scale } else { 0.0 });
            }
        }
        Self {
            height,
            width,
            fft,
            phase_per_mm,
            pass,
        }
    }

    pub fn transfer(&self, dist_mm: f64) -> Transfer {
        let mut cos = vec![0.0; self.pass.len()];
        let mut sin = vec![0.0; self.pass.len()];
        let parts = cos.iter_mut().zip(&mut sin);
        let phases = self.phase_per_mm.iter().zip(&self.pass);
        for ((cos, sin), (phase, &pass)) in parts.zip(phases) {
            let (s, c) = sin_cos(phase * dist_mm);
            *cos = c * pass;
            *sin = s * pass;
        }
        Transfer { cos, sin }
    }

    fn top(&self) -> usize {
        self.height / 2
    }

    fn left(&self) -> usize {
        self.width / 2
    }

    /// Propagates one frame of amplitudes.
    pub fn propagate(&self, u: &[f32], transfer: &Transfer) -> Field {
        let (top, left) = (self.top(), self.left());
        let mut spectrum = self.fft.forward_rows(top, self.height, |y, row| {
            let from = &u[y * self.width..(y + 1) * self.width];
            row[..left].fill(from[0]);
            row[left..left + self.width].copy_from_slice(from);
            row[left + self.width..].fill(from[self.width - 1]);
        });
        for column in spectrum.chunks_exact_mut(self.fft.rows()) {
            let (first, last) = (column[top], column[top + self.height - 1]);
            column[..top].fill(first);
            column[top + self.height..].fill(last);
        }
        self.fft.forward_columns(&mut spectrum);
        Field {
            a: self.centre(scaled(&spectrum, &transfer.cos)),
            b: self.centre(scaled(&spectrum, &transfer.sin)),
            spectrum,
        }
    }

    /// Transforms a cotangent of the field.
    pub fn cotangent(&self, da: &[f32], db: &[f32]) -> FieldCotangent {
        FieldCotangent {
            a: self.zero_padded(da),
            b: self.zero_padded(db),
        }
    }

    /// The gradient with respect to the amplitudes.
    pub fn pull_amplitude(&self, cotangent: &FieldCotangent, transfer: &Transfer) -> Vec<f32> {
        let mut spectrum: Vec<Complex32> = cotangent
            .a
            .iter()
            .zip(&cotangent.b)
            .zip(transfer.cos.iter().zip(&transfer.sin))
            .map(|((a, b), (&c, &s))| a * c + b * s)
            .collect();
        self.fft.inverse_columns(&mut spectrum);
        // The adjoint of repeating the border: what reached the padding belongs to it.
        let (top, left) = (self.top(), self.left());
        let bottom = top + self.height - 1;
        for column in spectrum.chunks_exact_mut(self.fft.rows()) {
            let above: Complex32 = column[..top].iter().sum();
            let below: Complex32 = column[bottom + 1..].iter().sum();
            column[top] += above;
            column[bottom] += below;
        }
        let mut out = vec![0.0; self.height * self.width];
        let end = left + self.width;
        self.fft
            .inverse_rows(&spectrum, top, self.height, |y, row| {
                let to = &mut out[y * self.width..(y + 1) * self.width];
                to.copy_from_slice(&row[left..end]);
                to[0] += row[..left].iter().sum::<f32>();
                to[self.width - 1] += row[end..].iter().sum::<f32>();
            });
        out
    }

    /// The gradient with respect to the distance in millimetres.
    pub fn pull_distance(
        &self,
        field: &Field,
        cotangent: &FieldCotangent,
        transfer: &Transfer,
    ) -> f64 {
        let mut total = 0.0;
        for (i, s) in field.spectrum.iter().enumerate() {
            let with = |g: &Complex32| g.re * s.re + g.im * s.im;
            let along =
                with(&cotangent.b[i]) * transfer.cos[i] - with(&cotangent.a[i]) * transfer.sin[i];
            total += f64::from(along * self.fft.multiplicity(i)) * self.phase_per_mm[i];
        }
        total
    }

    fn centre(&self, mut spectrum: Vec<Complex32>) -> Vec<f32> {
        self.fft.inverse_columns(&mut spectrum);
        let mut out = vec![0.0; self.height * self.width];
        let left = self.left();
        self.fft
            .inverse_rows(&spectrum, self.top(), self.height, |y, row| {
                out[y * self.width..(y + 1) * self.width]
                    .copy_from_slice(&row[left..left + self.width]);
            });
        out
    }

    fn zero_padded(&self, frame: &[f32]) -> Vec<Complex32> {
        let left = self.left();
        let mut spectrum = self.fft.forward_rows(self.top(), self.height, |y, row| {
            row[left..left + self.width]
                .copy_from_slice(&frame[y * self.width..(y + 1) * self.width]);
        });
        self.fft.forward_columns(&mut spectrum);
        spectrum
    }
}

/// Sine and cosine to 1e-7 of a phase of up to 1e9 rad: the turns are taken off in f64, the
/// rest is a Taylor series in f32. Without a branch, so that many are computed at once.
#[inline(always)]
fn sin_cos(phase: f64) -> (f32, f32) {
    /// Adding and subtracting it rounds to a whole number.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let quarters = phase * (4.0 / TAU) + ROUND;
    let quadrant = quarters.to_bits() as u32;
    let x = (phase - (quarters - ROUND) * (TAU / 4.0)) as f32;
    let q = x * x;
    let s =
        x + x * q * (-1.0 / 6.0 + q * (1.0 / 120.0 + q * (-1.0 / 5040.0 + q * (1.0 / 362_880.0))));
    let c = 1.0
        + q * (-0.5
            + q * (1.0 / 24.0 + q * (-1.0 / 720.0 + q * (1.0 / 40_320.0 - q / 3_628_800.0))));
    let swap = quadrant & 1 == 1;
    let (sin, cos) = if swap { (c, s) } else { (s, c) };
    let sign = |value: f32, flip: u32| f32::from_bits(value.to_bits() ^ (flip << 31));
    (
        sign(sin, (quadrant >> 1) & 1),
        sign(cos, ((quadrant + 1) >> 1) & 1),
    )
}

fn scaled(spectrum: &[Complex32], by: &[f32]) -> Vec<Complex32> {
    spectrum.iter().zip(by).map(|(s, &k)| s * k).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_sines_agree_with_the_library() {
        for i in -200_000..200_000 {
            let phase = f64::from(i) * 0.37 + 1e-3 * f64::from(i % 1000);
            let (s, c) = sin_cos(phase);
            let (exact_s, exact_c) = phase.sin_cos();
            assert!(
                (f64::from(s) - exact_s).abs() < 2e-7,
                "sin {phase}: {s} {exact_s}"
            );
            assert!(
                (f64::from(c) - exact_c).abs() < 2e-7,
                "cos {phase}: {c} {exact_c}"
            );
        }
    }
}
