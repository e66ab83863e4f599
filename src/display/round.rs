//! Round numbers: lengths of scale bars, scales that stand still, short text.

use super::Range;

const STEPS: [f64; 4] = [1.0, 2.0, 5.0, 10.0];

/// The largest of 1, 2 and 5 times a power of ten that is not above `value`, which is above 0.
pub fn round_down(value: f64) -> f64 {
    let decade = 10f64.powf(value.log10().floor());
    let fits = |step: &&f64| **step * decade <= value * (1.0 + 1e-12);
    STEPS.iter().rev().find(fits).unwrap_or(&STEPS[0]) * decade
}

/// The smallest of 1, 2 and 5 times a power of ten that is not below `value`, which is above 0.
pub fn round_up(value: f64) -> f64 {
    let decade = 10f64.powf(value.log10().floor());
    let fits = |step: &&f64| **step * decade >= value * (1.0 - 1e-12);
    STEPS.iter().find(fits).unwrap_or(&STEPS[3]) * decade
}

/// A scale for residuals of this rms: four times as far each way, in steps of 1, 2 and 5 so that
/// it stands still while the residual falls.
pub fn signed_range(rms: f64) -> Range {
    let wanted = match rms.is_finite() {
        true => (4.0 * rms).clamp(1e-6, 1e6),
        false => 1.0,
    };
    let high = round_up(wanted) as f32;
    Range { low: -high, high }
}

/// Three significant digits without trailing zeros.
pub fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let digits = 2 - value.abs().log10().floor() as i32;
    if !(0..=8).contains(&digits) {
        return format!("{value:.2e}");
    }
    let text = format!("{value:.*}", digits as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_1_2_or_5() {
        assert_eq!(round_down(154.0), 100.0);
        assert_eq!(round_down(99.0), 50.0);
        assert_eq!(round_down(0.2), 0.2);
        assert_eq!(round_up(1200.0), 2000.0);
        assert_eq!(round_up(5.0), 5.0);
        assert_eq!(round_up(0.06), 0.1);
    }

    #[test]
    fn residuals_have_round_scales() {
        assert_eq!(signed_range(0.001).high, 0.005);
        assert_eq!(signed_range(0.3).low, -2.0);
        assert!(signed_range(f64::NAN).high.is_finite());
    }

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 1.0, 0.12345, -0.005, 123.4, 1e-9, 4.0e7].map(short);
        assert_eq!(
            shown,
            ["0", "1", "0.123", "-0.005", "123", "1.00e-9", "4.00e7"]
        );
    }
}
