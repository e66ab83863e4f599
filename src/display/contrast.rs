use serde::{Deserialize, Serialize};

use super::Transform;
use crate::clip::Clip;

/// The values at the two ends of a colour map.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    pub low: f32,
    pub high: f32,
}

/// How the range of colours is chosen. Always of all frames of a clip, so that playing it does
/// not flicker.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Contrast {
    /// From the smallest to the largest value.
    Full,
    /// From one percentile to another, 0 to 100: what few pixels do is left out.
    Percentiles {
        low: f64,
        high: f64,
    },
    Fixed(Range),
}

impl Contrast {
    pub const PERCENTILES: Self = Self::Percentiles {
        low: 0.1,
        high: 99.9,
    };

    /// Values looked at for a percentile; of a larger clip evenly spread ones.
    const SAMPLE: usize = 1 << 17;

    /// The range for a clip after `transform`, over all its frames; values that are not finite
    /// do not count.
    pub fn range(self, clip: &Clip, transform: Transform) -> Range {
        let finite = |&value: &f32| Some(transform.of(value)).filter(|v| v.is_finite());
        let data = clip.data();
        match self {
            Self::Fixed(range) => range,
            Self::Full => {
                let (low, high) = data
                    .iter()
                    .filter_map(finite)
                    .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| {
                        (low.min(value), high.max(value))
                    });
                Range { low, high }.or_unit()
            }
            Self::Percentiles { low, high } => {
                // Odd, so that it meets every column of a picture of even width.
                let stride = (data.len() / Self::SAMPLE) | 1;
                let mut values: Vec<f32> = data.iter().step_by(stride).filter_map(finite).collect();
                let mut at = |percent: f64| {
                    let last = values.len().checked_sub(1)?;
                    let index = (percent.clamp(0.0, 100.0) / 100.0 * last as f64).round();
                    let (_, value, _) =
                        values.select_nth_unstable_by(index as usize, f32::total_cmp);
                    Some(*value)
                };
                match (at(low), at(high)) {
                    (Some(low), Some(high)) => Range { low, high }.or_unit(),
                    _ => Range::UNIT,
                }
            }
        }
    }
}

impl Range {
    pub const UNIT: Self = Self {
        low: 0.0,
        high: 1.0,
    };

    fn or_unit(self) -> Self {
        match self.low.is_finite() && self.high.is_finite() {
            true => self,
            false => Self::UNIT,
        }
    }

    /// What a value is multiplied with, once `low` is taken off, to become a share.
    pub fn scale(self) -> f32 {
        1.0 / (self.high - self.low).max(f32::MIN_POSITIVE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;

    fn ramp() -> Clip {
        let mut data: Vec<f32> = (0..1000).map(|i| i as f32 / 999.0).collect();
        data[500] = f32::NAN;
        data[999] = 40.0;
        Clip::new(Shape::new(10, 10, 10), data)
    }

    #[test]
    fn percentiles_leave_out_a_hot_pixel_and_what_is_not_finite() {
        let full = Contrast::Full.range(&ramp(), Transform::Keep);
        assert_eq!((full.low, full.high), (0.0, 40.0));
        let range = Contrast::Percentiles {
            low: 1.0,
            high: 99.0,
        }
        .range(&ramp(), Transform::Keep);
        assert!((range.low - 0.01).abs() < 2e-3, "{range:?}");
        assert!((range.high - 0.99).abs() < 2e-3, "{range:?}");
    }

    #[test]
    fn a_range_is_that_of_what_is_shown() {
        let range = Contrast::Full.range(&ramp(), Transform::Square);
        assert_eq!(range.high, 1600.0);
    }

    #[test]
    fn a_clip_without_values_still_has_a_range() {
        let nothing = Clip::filled(Shape::new(1, 2, 2), f32::NAN);
        for contrast in [Contrast::Full, Contrast::PERCENTILES] {
            let range = contrast.range(&nothing, Transform::Keep);
            assert_eq!(range, Range::UNIT);
            assert!(range.scale().is_finite());
        }
    }
}
