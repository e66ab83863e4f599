//! Structural similarity (Wang et al. 2004), with the window of the published scores:
//! Gaussian of standard deviation 1.5, cut at 3.5 of them (11 x 11), population
//! covariance, data range 1; only pixels whose window lies inside the frame count.

/// Half the window: int(3.5 * 1.5 + 0.5).
const RADIUS: usize = 5;
const WINDOW: usize = 2 * RADIUS + 1;
const SIGMA_PX: f64 = 1.5;
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("structural similarity needs frames of at least {WINDOW} x {WINDOW} pixels")]
pub struct SsimError;

/// Mean structural similarity of two frames of `width` columns.
///
/// # Errors
/// Frames smaller than the window.
///
/// # Panics
/// When the lengths differ, or are not whole rows.
pub fn ssim(a: &[f32], b: &[f32], width: usize) -> Result<f64, SsimError> {
    assert_eq!(a.len(), b.len(), "frames of different sizes");
    assert_eq!(a.len() % width.max(1), 0, "a frame is whole rows");
    if width < WINDOW || a.len() / width < WINDOW {
        return Err(SsimError);
    }
    let taps = taps();
    let local_mean = |f: &dyn Fn(f64, f64) -> f64| {
        let pairs = a.iter().zip(b);
        let values: Vec<f64> = pairs.map(|(&a, &b)| f(a.into(), b.into())).collect();
        filter(&values, width, &taps)
    };
    let mean_a = local_mean(&|a, _| a);
    let mean_b = local_mean(&|_, b| b);
    let square_a = local_mean(&|a, _| a * a);
    let square_b = local_mean(&|_, b| b * b);
    let product = local_mean(&|a, b| a * b);
    let total: f64 = (0..mean_a.len())
        .map(|i| {
            let (ma, mb) = (mean_a[i], mean_b[i]);
            let (va, vb) = (square_a[i] - ma * ma, square_b[i] - mb * mb);
            let covariance = product[i] - ma * mb;
            ((2.0 * ma * mb + C1) * (2.0 * covariance + C2))
                / ((ma * ma + mb * mb + C1) * (va + vb + C2))
        })
        .sum();
    Ok(total / mean_a.len() as f64)
}

fn taps() -> [f64; WINDOW] {
    let weight = |i: usize| {
        let t = (i as f64 - RADIUS as f64) / SIGMA_PX;
        (-0.5 * t * t).exp()
    };
    let sum: f64 = (0..WINDOW).map(weight).sum();
    std::array::from_fn(|i| weight(i) / sum)
}

/// The separable weighted mean of every window inside the frame.
fn filter(values: &[f64], width: usize, taps: &[f64; WINDOW]) -> Vec<f64> {
    let rows: Vec<f64> = values
        .chunks_exact(width)
        .flat_map(|row| row.windows(WINDOW).map(|window| weigh(window, taps)))
        .collect();
    let width = width - WINDOW + 1;
    let height = rows.len() / width;
    let mut out = vec![0.0; (height - WINDOW + 1) * width];
    for (y, line) in out.chunks_exact_mut(width).enumerate() {
        for (row, tap) in rows[y * width..].chunks_exact(width).zip(taps) {
            for (sum, value) in line.iter_mut().zip(row) {
                *sum += tap * value;
            }
        }
    }
    out
}

fn weigh(window: &[f64], taps: &[f64; WINDOW]) -> f64 {
    window.iter().zip(taps).map(|(v, t)| v * t).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames that any language reproduces exactly.
    fn frame(factor: usize, modulus: usize) -> Vec<f32> {
        let value = |i: usize| (i * factor % modulus) as f32 / modulus as f32;
        (0..16 * 19).map(value).collect()
    }

    /// `skimage.metrics.structural_similarity(a, b, gaussian_weights=True, sigma=1.5,
    /// use_sample_covariance=False, data_range=1)` of the same frames, in f64.
    #[test]
    fn agrees_with_scikit_image() {
        let (a, b) = (frame(7, 23), frame(11, 29));
        let mixed: Vec<f32> = a.iter().zip(&b).map(|(a, b)| 0.75 * a + 0.25 * b).collect();
        for (other, expected) in [(&b, SKIMAGE_B), (&mixed, SKIMAGE_MIXED)] {
            let got = ssim(&a, other, 19).unwrap();
            assert!((got - expected).abs() < 1e-6, "{got} is not {expected}");
        }
    }

    const SKIMAGE_B: f64 = 0.061942914858867326;
    const SKIMAGE_MIXED: f64 = 0.9288186432941912;

    #[test]
    fn constant_frames_compare_by_their_means() {
        let got = ssim(&[0.25; 121], &[0.75; 121], 11).unwrap();
        let expected = (2.0 * 0.25 * 0.75 + C1) / (0.25f64.powi(2) + 0.75f64.powi(2) + C1);
        assert!((got - expected).abs() < 1e-9);
        assert!(ssim(&[0.0; 110], &[0.0; 110], 11).is_err());
    }
}
