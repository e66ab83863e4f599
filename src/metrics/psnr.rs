/// Mean of the squared differences.
///
/// # Panics
/// When the lengths differ.
pub fn mean_square_error(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "values of different counts");
    let squares = a.iter().zip(b).map(|(&a, &b)| {
        let difference = f64::from(a) - f64::from(b);
        difference * difference
    });
    squares.sum::<f64>() / a.len() as f64
}

/// Peak signal-to-noise ratio in dB for a data range of 1; infinite for equal values.
///
/// # Panics
/// When the lengths differ.
pub fn psnr(a: &[f32], b: &[f32]) -> f64 {
    -10.0 * mean_square_error(a, b).log10()
}

/// Root mean square, of a residual for one.
pub fn rms(values: &[f32]) -> f64 {
    let squares = values.iter().map(|&v| f64::from(v) * f64::from(v));
    (squares.sum::<f64>() / values.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_full_scale_is_twenty_decibels() {
        assert!((psnr(&[0.5, 0.25], &[0.6, 0.15]) - 20.0).abs() < 1e-5);
        assert_eq!(psnr(&[0.5], &[0.5]), f64::INFINITY);
    }

    #[test]
    fn rms_of_three_and_four() {
        assert!((rms(&[3.0, -4.0]) - 12.5f64.sqrt()).abs() < 1e-12);
    }
}
