//! A measurement, with what is known of how it was recorded.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::clip::{Clip, Shape};

/// How an integer recording came from the real values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quantisation {
    /// Truncated, as the published programs write their files: half a level is missing.
    #[default]
    Floor,
    /// Rounded to the nearest level.
    Round,
}

/// What a camera or a file recorded: values, and which of them only bound the truth.
#[derive(Clone, Debug)]
pub struct Measurement {
    values: Clip,
    /// Recorded values at or above this are saturated: the truth is this or more.
    ceiling: Option<f32>,
    /// Standard deviation of the rounding, as a share of full scale.
    rounding: f64,
}

impl Measurement {
    /// Real-valued data, nothing saturated.
    pub fn exact(values: Clip) -> Self {
        Self {
            values,
            ceiling: None,
            rounding: 0.0,
        }
    }

    /// An integer recording scaled to [0, 1], `levels` being its largest integer (255 for
    /// 8 bits). Half a level is added where the recording was truncated; the largest level
    /// counts as saturated.
    pub fn quantised(values: Clip, levels: u32, quantisation: Quantisation) -> Self {
        let half = match quantisation {
            Quantisation::Floor => 0.5 / levels as f32,
            Quantisation::Round => 0.0,
        };
        Self {
            values: values.map(|v| v + half),
            ceiling: Some(1.0),
            rounding: 1.0 / (f64::from(levels) * 12f64.sqrt()),
        }
    }

    /// The same in the forward model's units, where gain * intensity + offset was recorded;
    /// `gain` is above 0.
    pub fn unexposed(self, gain: f64, offset: f64) -> Self {
        let intensity = |v: f32| ((f64::from(v) - offset) / gain) as f32;
        Self {
            values: self.values.map(intensity),
            ceiling: self.ceiling.map(intensity),
            rounding: self.rounding / gain,
        }
    }

    /// The same after resampling, which mixes saturated pixels with others: nothing is known
    /// to be saturated.
    pub fn resampled(self) -> Self {
        Self {
            ceiling: None,
            ..self
        }
    }

    /// The same with 0 recorded where `known` is 0.
    pub(crate) fn only(&self, known: &Clip) -> Self {
        Self {
            values: self.values.zip(known, |y, k| y * k),
            ..*self
        }
    }

    /// One frame of the same recording.
    pub fn frame(&self, index: usize) -> Self {
        let shape = self.shape();
        Self {
            values: Clip::new(
                Shape::new(1, shape.height, shape.width),
                self.values.frame(index).to_vec(),
            ),
            ..*self
        }
    }

    pub fn values(&self) -> &Clip {
        &self.values
    }

    pub fn shape(&self) -> Shape {
        self.values.shape()
    }

    /// Standard deviation of the rounding error as a share of full scale: a level over
    /// sqrt(12), or 0 for real-valued data.
    pub fn rounding(&self) -> f64 {
        self.rounding
    }

    /// The share of pixels that are saturated.
    pub fn saturated_share(&self) -> f64 {
        let Some(ceiling) = self.ceiling else {
            return 0.0;
        };
        let saturated = self.values.data().iter().filter(|&&v| v >= ceiling);
        saturated.count() as f64 / self.values.shape().len() as f64
    }

    /// The slope of [`residual`](Self::residual): 0 where a saturated pixel is predicted above its
    /// ceiling, 1 elsewhere.
    pub fn slope(&self, predicted: &Clip) -> Clip {
        let ceiling = self.ceiling.unwrap_or(f32::INFINITY);
        predicted.zip(&self.values, |p, y| {
            if y >= ceiling && p >= ceiling {
                0.0
            } else {
                1.0
            }
        })
    }

    /// The measurement nearest to `predicted` of those that agree with the record: the values,
    /// and at saturated pixels the prediction where it is above the ceiling. `predicted` is
    /// asked for only where something is saturated.
    pub(crate) fn agreeing(&self, predicted: impl FnOnce() -> Clip) -> Cow<'_, Clip> {
        match self.ceiling {
            Some(ceiling) if self.values.data().iter().any(|&y| y >= ceiling) => {
                let bounded = |p: f32, y: f32| if y >= ceiling { y.max(p) } else { y };
                Cow::Owned(predicted().zip(&self.values, bounded))
            }
            _ => Cow::Borrowed(&self.values),
        }
    }

    /// `predicted` - measured, and 0 where a saturated pixel is predicted above its ceiling.
    pub fn residual(&self, predicted: &Clip) -> Clip {
        let ceiling = self.ceiling.unwrap_or(f32::INFINITY);
        predicted.zip(&self.values, |p, y| {
            if y >= ceiling && p >= ceiling {
                0.0
            } else {
                p - y
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saturated_pixels_bound_from_below_only() {
        let shape = Shape::new(1, 1, 3);
        let recorded = Clip::new(shape, vec![1.0, 1.0, 0.5]);
        let measurement = Measurement::quantised(recorded, 255, Quantisation::Floor);
        let predicted = Clip::new(shape, vec![1.3, 0.9, 0.5]);
        let residual = measurement.residual(&predicted);
        assert_eq!(residual.data()[0], 0.0);
        assert!(residual.data()[1] < -0.09);
        assert!((residual.data()[2] + 0.5 / 255.0).abs() < 1e-6);
        assert!((measurement.saturated_share() - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(measurement.resampled().saturated_share(), 0.0);
    }

    #[test]
    fn the_agreeing_measurement_yields_only_above_the_ceiling() {
        let shape = Shape::new(1, 1, 3);
        let recorded = Clip::new(shape, vec![1.0, 1.0, 0.5]);
        let measurement = Measurement::quantised(recorded, 255, Quantisation::Round);
        let predicted = Clip::new(shape, vec![1.3, 0.9, 0.7]);
        let agreeing = measurement.agreeing(|| predicted.clone());
        assert_eq!(agreeing.data(), [1.3, 1.0, 0.5]);
        let exact = Measurement::exact(predicted.clone());
        assert_eq!(exact.agreeing(|| unreachable!()).as_ref(), &predicted);
    }

    #[test]
    fn gain_and_offset_are_taken_out_of_everything() {
        let shape = Shape::new(1, 1, 2);
        let recorded = Clip::new(shape, vec![1.0, 0.6]);
        for quantisation in [Quantisation::Floor, Quantisation::Round] {
            let bare = Measurement::quantised(recorded.clone(), 255, quantisation);
            let measurement = bare.clone().unexposed(2.0, 0.1);
            assert_eq!(measurement.saturated_share(), 0.5);
            assert_eq!(measurement.rounding(), bare.rounding() / 2.0);
            let intensity = (bare.values().data()[1] - 0.1) / 2.0;
            assert!((measurement.values().data()[1] - intensity).abs() < 1e-7);
            let predicted = Clip::new(shape, vec![0.5, 0.25]);
            assert_eq!(measurement.residual(&predicted).data()[0], 0.0);
        }
    }
}
