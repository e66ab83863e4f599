//! What speaks against an aberration that was found.

use serde::Serialize;

use crate::physics::zernike::PSF_SIZE;

/// Signals that tell right aberrations from wrong ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Root mean square residual over the noise.
    pub residual: f64,
    /// The prior's value a pixel.
    pub roughness: f64,
    /// Nats by which the best finalist with another point spread function is behind.
    pub rival: Option<f64>,
    /// Nats by which the spectrum alone prefers another aberration.
    pub spectral: f64,
    /// Correlation of the point spread function before and after the last refinement.
    pub moved: f64,
}

impl Verdict {
    pub fn doubts(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The largest correlation of two point spread functions over shifts of up to `reach` pixels.
pub fn similarity(a: &[f32], b: &[f32], reach: isize) -> f64 {
    let n = PSF_SIZE as isize;
    let centred = |psf: &[f32]| -> Vec<f64> {
        let mean = psf.iter().map(|&v| f64::from(v)).sum::<f64>() / psf.len() as f64;
        psf.iter().map(|&v| f64::from(v) - mean).collect()
    };
    let (a, b) = (centred(a), centred(b));
    let norm = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
    let scale = 1.0 / (norm(&a) * norm(&b)).max(f64::MIN_POSITIVE);
    let mut best = f64::NEG_INFINITY;
    for dy in -reach..=reach {
        for dx in -reach..=reach {
            let mut sum = 0.0;
            for row in 0.max(-dy)..n.min(n - dy) {
                for column in 0.max(-dx)..n.min(n - dx) {
                    sum += a[((row + dy) * n + column + dx) as usize] * b[(row * n + column) as usize];
                }
            }
            best = best.max(sum * scale);
        }
    }
    best
}
