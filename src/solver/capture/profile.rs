//! An objective along one parameter, and what it says of it.

/// The best objective found at each value of a parameter, in ascending order of the values.
#[derive(Clone, Debug, Default)]
pub(super) struct Profile {
    pub points: Vec<(f64, f64)>,
}

impl Profile {
    /// Half the 95 % quantile of chi-squared with one degree of freedom.
    const HALF_CHI2: f64 = 1.92;

    pub fn push(&mut self, value: f64, objective: f64) {
        self.points.push((value, objective));
    }

    fn lowest(&self) -> usize {
        let points = self.points.iter().enumerate();
        let lowest = points.min_by(|a, b| a.1.1.total_cmp(&b.1.1));
        lowest.map_or(0, |(i, _)| i)
    }

    /// The minimum of the parabola through the lowest point and its neighbours.
    pub fn minimum(&self) -> f64 {
        let i = self.lowest();
        let (x, _) = self.points[i];
        if i == 0 || i + 1 == self.points.len() {
            return x;
        }
        let [(a, fa), (b, fb), (c, fc)] = [self.points[i - 1], self.points[i], self.points[i + 1]];
        let (left, right) = ((fb - fa) / (b - a), (fc - fb) / (c - b));
        let bend = (right - left) / (c - a);
        if bend <= 0.0 {
            return x;
        }
        (0.5 * (a + b - left / bend)).clamp(a, c)
    }

    /// The values whose objective lies within the 95 % quantile of the lowest, one unit of
    /// log-likelihood being `unit`, by linear interpolation; ends that the range cuts are the
    /// range's.
    pub fn interval(&self, unit: f64) -> (f64, f64) {
        let i = self.lowest();
        let bound = self.points[i].1 + Self::HALF_CHI2 * unit;
        let end = |points: &mut dyn Iterator<Item = (f64, f64)>| -> f64 {
            let (mut x, mut f) = self.points[i];
            for (next, objective) in points {
                if objective > bound {
                    return x + (next - x) * (bound - f) / (objective - f);
                }
                (x, f) = (next, objective);
            }
            x
        };
        let low = end(&mut self.points[..i].iter().rev().copied());
        let high = end(&mut self.points[i + 1..].iter().copied());
        (low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parabola_gives_its_minimum_and_width() {
        let mut profile = Profile::default();
        for i in 0..41 {
            let x = f64::from(i) * 0.25;
            profile.push(x, 3.0 + (x - 4.1).powi(2) / (2.0 * 0.5 * 0.5));
        }
        assert!((profile.minimum() - 4.1).abs() < 1e-9);
        let (low, high) = profile.interval(1.0);
        assert!((low - (4.1 - 0.98)).abs() < 0.06, "{low}");
        assert!((high - (4.1 + 0.98)).abs() < 0.06, "{high}");
    }

    #[test]
    fn a_flat_profile_ends_at_the_range() {
        let profile = Profile {
            points: vec![(2.0, 1.0), (3.0, 0.9), (4.0, 1.1)],
        };
        assert_eq!(profile.interval(1.0), (2.0, 4.0));
        let falling = Profile {
            points: vec![(2.0, 3.0), (3.0, 2.0), (4.0, 1.0)],
        };
        assert_eq!(falling.minimum(), 4.0);
    }
}
