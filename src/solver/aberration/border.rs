//! Where the frame lies under a point spread function: the tilt that fits the border.

use crate::clip::Clip;
use crate::physics::zernike::{Correlation, PSF_SIZE};

/// Pixels that a tilt of one radian moves the picture: 64 samples over a turn, times the
/// phase step of the pupil's 32 samples over [-1, 1].
pub const PIXELS_PER_RADIAN: f64 = 64.0 / std::f64::consts::TAU * 2.0 / (PSF_SIZE as f64 - 1.0);
/// Largest shift looked at, in pixels.
const REACH: usize = 7;
/// The border's width, in pixels, and the weight of what lies inside.
const BAND: usize = 10;
const INSIDE: f64 = 0.05;

/// A place of the frame with what is left of the measurement there.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Tilt along columns (1,-1) and rows (1,1), in radians.
    pub tilt_rad: [f64; 2],
    /// Weighed mean square of what a smooth scene with this border leaves.
    pub misfit: f64,
    pub offset: f64,
}

/// Fits a smooth scene, zero outside the frame, and an offset for every shift of up to
/// `REACH` pixels; the best places first, no two of them next to each other.
pub fn places(picture: &[f32], height: usize, width: usize, psf: &[f32]) -> Vec<Place> {
    let (tall, wide) = (height + 2 * REACH, width + 2 * REACH);
    let correlation = Correlation::new(tall, wide);
    let kernel = correlation.kernel_spectrum(psf);
    let centred = |i: usize, n: usize| 2.0 * (i as f32 + 0.5) / n as f32 - 1.0;
    let regressors: Vec<Vec<f32>> = (0..6)
        .map(|k| {
            let mut scene = vec![0.0f32; tall * wide];
            for row in 0..height {
                for column in 0..width {
                    let (y, x) = (centred(row, height), centred(column, width));
                    let value = [1.0, x, y, x * y, x * x, y * y][k];
                    scene[(row + REACH) * wide + column + REACH] = value;
                }
            }
            correlation.apply(&correlation.frame_spectrum(&scene), &kernel)
        })
        .collect();
    let weight = |row: usize, column: usize| {
        let deep = row
            .min(height - 1 - row)
            .min(column)
            .min(width - 1 - column);
        if deep < BAND { 1.0 } else { INSIDE }
    };
    let mut found = Vec::new();
    for top in 0..=2 * REACH {
        for left in 0..=2 * REACH {
            const N: usize = 8;
            let mut gram = [[0.0f64; N]; N];
            for row in 0..height {
                for column in 0..width {
                    let w = weight(row, column);
                    let at = (row + top) * wide + column + left;
                    let mut v = [0.0f64; N];
                    for (v, r) in v.iter_mut().zip(&regressors) {
                        *v = f64::from(r[at]);
                    }
                    v[6] = 1.0;
                    v[7] = f64::from(picture[row * width + column]);
                    for i in 0..N {
                        for j in i..N {
                            gram[i][j] += w * v[i] * v[j];
                        }
                    }
                }
            }
            let (misfit, offset) = least_squares(&mut gram);
            let shift = |i: usize| (i as f64 - REACH as f64) / PIXELS_PER_RADIAN;
            found.push(Place {
                tilt_rad: [shift(left), shift(top)],
                misfit: misfit / (height * width) as f64,
                offset,
            });
        }
    }
    found.sort_by(|a, b| a.misfit.total_cmp(&b.misfit));
    let mut apart: Vec<Place> = Vec::new();
    for place in found {
        let near = |other: &Place| {
            let d = |k: usize| (place.tilt_rad[k] - other.tilt_rad[k]) * PIXELS_PER_RADIAN;
            d(0).hypot(d(1)) < 1.6
        };
        if !apart.iter().any(near) {
            apart.push(place);
        }
        if apart.len() == 3 {
            break;
        }
    }
    apart
}

/// The squared rest of the last column after the others, and the coefficient of the last but
/// one, by elimination of the upper half of a Gram matrix.
fn least_squares<const N: usize>(gram: &mut [[f64; N]; N]) -> (f64, f64) {
    for i in 0..N - 1 {
        let pivot = gram[i][i].max(1e-12);
        for j in i + 1..N {
            let factor = gram[i][j] / pivot;
            for k in j..N {
                gram[j][k] -= factor * gram[i][k];
            }
        }
    }
    let offset = gram[N - 2][N - 1] / gram[N - 2][N - 2].max(1e-12);
    (gram[N - 1][N - 1].max(0.0), offset)
}

/// The mean over the frames.
pub fn mean_frame(clip: &Clip) -> Vec<f32> {
    let mut mean = vec![0.0f32; clip.shape().frame_len()];
    for frame in clip.frames() {
        mean.iter_mut().zip(frame).for_each(|(m, v)| *m += v);
    }
    let scale = 1.0 / clip.shape().frames as f32;
    mean.iter_mut().for_each(|m| *m *= scale);
    mean
}
