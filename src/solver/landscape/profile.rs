//! One parameter of a landscape, the other at its best.

/// Half of the chi-squared value that one parameter exceeds in 5 % of cases.
const LIKELY: f64 = 1.92;

/// A parameter's profile: the least mean squared residual over the other one.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile<'a> {
    pub values: &'a [f64],
    pub mean_square: Vec<f64>,
}

impl Profile<'_> {
    pub fn lowest(&self) -> f64 {
        self.mean_square
            .iter()
            .copied()
            .fold(f64::INFINITY, f64::min)
    }

    /// Log-likelihood relative to the best, of `count` pixels with this noise variance.
    pub fn log_likelihood(&self, index: usize, count: f64, variance: f64) -> f64 {
        -count * (self.mean_square[index] - self.lowest()) / (2.0 * variance)
    }

    /// Where the likelihood is within a factor of e^1.92 of the highest: 95 % for one parameter,
    /// the other at its best.
    pub fn interval(&self, count: f64, variance: f64) -> (f64, f64) {
        let likely = (0..self.values.len())
            .filter(|&i| self.log_likelihood(i, count, variance) > -LIKELY)
            .map(|i| self.values[i]);
        let ends = (f64::INFINITY, f64::NEG_INFINITY);
        let (low, high) = likely.fold(ends, |(low, high), v| (low.min(v), high.max(v)));
        // The map tells nothing between its steps.
        let half = match self.values {
            [first, second, ..] => (second - first) / 2.0,
            _ => 0.0,
        };
        (low - half, high + half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_noise_makes_the_interval_narrower() {
        let values: Vec<f64> = (0..=20).map(|i| f64::from(i) * 0.1).collect();
        let profile = Profile {
            mean_square: values.iter().map(|v| 1.0 + (v - 1.0f64).powi(2)).collect(),
            values: &values,
        };
        // 100 (v - 1)^2 / 2 < 1.92 within 0.196 of 1, to half a step.
        let (low, high) = profile.interval(100.0, 1.0);
        assert!((low - 0.85).abs() < 1e-9 && (high - 1.15).abs() < 1e-9);
        let (low, high) = profile.interval(100.0, 10.0);
        assert!((low - 0.35).abs() < 1e-9 && (high - 1.65).abs() < 1e-9);
    }
}
