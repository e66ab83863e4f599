use super::psnr::mean_square_error;

/// The affine map of a clip that comes closest to its target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    pub gain: f64,
    pub offset: f64,
    /// Of `gain * a + offset` against the target.
    pub psnr_db: f64,
}

/// Least squares of `gain * a + offset - target`; a constant `a` gets gain 0.
///
/// # Panics
/// When the lengths differ.
pub fn fit(a: &[f32], target: &[f32]) -> Fit {
    let n = a.len() as f64;
    let mean = |values: &[f32]| values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let (mean_a, mean_target) = (mean(a), mean(target));
    let (mut covariance, mut variance) = (0.0, 0.0);
    for (&a, &target) in a.iter().zip(target) {
        let deviation = f64::from(a) - mean_a;
        covariance += deviation * (f64::from(target) - mean_target);
        variance += deviation * deviation;
    }
    let gain = if variance > 0.0 {
        covariance / variance
    } else {
        0.0
    };
    let offset = mean_target - gain * mean_a;
    let mapped: Vec<f32> = a
        .iter()
        .map(|&v| (gain * f64::from(v) + offset) as f32)
        .collect();
    Fit {
        gain,
        offset,
        psnr_db: -10.0 * mean_square_error(&mapped, target).log10(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gain_and_offset_are_found() {
        let a = [0.1, 0.4, 0.35, 0.8];
        let target = a.map(|v| 0.5 * v + 0.2);
        let fit = fit(&a, &target);
        assert!((fit.gain - 0.5).abs() < 1e-6);
        assert!((fit.offset - 0.2).abs() < 1e-6);
        assert!(fit.psnr_db > 120.0);
    }

    #[test]
    fn a_constant_is_moved_to_the_mean() {
        let fit = fit(&[0.3; 4], &[0.0, 1.0, 0.0, 1.0]);
        assert_eq!((fit.gain, fit.offset), (0.0, 0.5));
    }
}
