//! What speaks against an aberration that was found.

use serde::Serialize;

use crate::physics::zernike::PSF_SIZE;

/// Signals that tell right aberrations from wrong ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Root mean square residual over the noise: 1 where everything is explained.
    pub residual: f64,
    /// Nats by which the best hypothesis with another point spread function is behind; none
    /// where all agree.
    pub rival: Option<f64>,
    /// Nats by which the spectrum alone prefers another aberration.
    pub spectral: f64,
    /// Whether the last refinement led astray and was undone.
    pub held: bool,
    /// Correlation of the point spread function before and after the last refinement.
    pub moved: f64,
    /// Nats by which the border prefers the tilt to those a pixel or so away.
    pub tilt: f64,
}

/// Limits beyond which a signal is a doubt, set on generated scenes.
const RESIDUAL: f64 = 1.1;
const AHEAD_NATS: f64 = 10.0;
const SPECTRAL_NATS: f64 = 45.0;
const MOVED: f64 = 0.97;
const TILT_NATS: f64 = 100.0;

impl Verdict {
    /// Why the aberration may be wrong, a sentence each.
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.residual.is_nan() || self.residual > RESIDUAL {
            doubts.push(format!(
                "the result leaves {:.2} times the noise of the measurement unexplained",
                self.residual
            ));
        }
        // Ahead of its rivals for the scene's sake, behind others in the spectrum: no evidence.
        let ahead = self.rival.map(|rival| rival - self.spectral);
        if ahead.is_some_and(|nats| nats.is_nan() || nats < AHEAD_NATS) {
            doubts.push(
                "another point spread function explains the measurement nearly as well".into(),
            );
        }
        if self.spectral.is_nan() || self.spectral > SPECTRAL_NATS {
            doubts.push(format!(
                "the spectrum of the measurement prefers another aberration by {:.0} nats",
                self.spectral
            ));
        }
        if self.held || self.moved.is_nan() || self.moved < MOVED {
            doubts.push(
                "the point spread function changed when scene and aberration were refined together"
                    .into(),
            );
        }
        if self.tilt.is_nan() || self.tilt < TILT_NATS {
            doubts.push(
                "the frame's border hardly tells the tilt: the scene may be shifted as a whole, \
                 and the point spread function the other way"
                    .into(),
            );
        }
        doubts
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
                    let there = (row + dy) * n + column + dx;
                    sum += a[there as usize] * b[(row * n + column) as usize];
                }
            }
            best = best.max(sum * scale);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: Verdict = Verdict {
        residual: 1.02,
        rival: Some(40.0),
        spectral: 8.0,
        held: false,
        moved: 0.995,
        tilt: 200.0,
    };

    #[test]
    fn each_signal_is_a_doubt_of_its_own() {
        assert!(RIGHT.doubts().is_empty());
        assert!(
            Verdict {
                rival: None,
                ..RIGHT
            }
            .doubts()
            .is_empty()
        );
        let wrong = [
            Verdict {
                residual: 1.5,
                ..RIGHT
            },
            Verdict {
                residual: f64::NAN,
                ..RIGHT
            },
            Verdict {
                rival: Some(3.0),
                ..RIGHT
            },
            Verdict {
                rival: None,
                spectral: 130.0,
                ..RIGHT
            },
            Verdict {
                held: true,
                ..RIGHT
            },
            Verdict {
                moved: 0.8,
                ..RIGHT
            },
            Verdict { tilt: 5.0, ..RIGHT },
        ];
        for verdict in wrong {
            assert_eq!(verdict.doubts().len(), 1, "{verdict:?}");
        }
    }

    #[test]
    fn a_shifted_picture_is_similar_within_reach() {
        let picture = |row: usize, column: usize| {
            let mut psf = vec![0.0f32; PSF_SIZE * PSF_SIZE];
            psf[row * PSF_SIZE + column] = 1.0;
            psf[(row + 2) * PSF_SIZE + column + 1] = 0.5;
            psf
        };
        let (a, b) = (picture(12, 12), picture(13, 10));
        assert!(similarity(&a, &b, 2) > 0.999);
        assert!(similarity(&a, &b, 1) < 0.5);
    }
}
