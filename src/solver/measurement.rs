//! A measurement, with what is known of how it was recorded.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::FlatField;
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
    ceiling: Ceiling,
    /// Standard deviation of the rounding, as a share of full scale.
    rounding: f64,
}

/// Recorded values at or above it are saturated: the truth is this or more.
#[derive(Clone, Debug)]
enum Ceiling {
    None,
    Same(f32),
    /// Of each pixel of a frame.
    PerPixel(Vec<f32>),
}

impl Ceiling {
    fn map(self, f: impl Fn(f32) -> f32) -> Self {
        match self {
            Self::None => Self::None,
            Self::Same(ceiling) => Self::Same(f(ceiling)),
            Self::PerPixel(ceilings) => Self::PerPixel(ceilings.into_iter().map(f).collect()),
        }
    }

    /// That of the pixel at this place of a clip.
    fn at(&self, index: usize) -> f32 {
        match self {
            Self::None => f32::INFINITY,
            Self::Same(ceiling) => *ceiling,
            Self::PerPixel(ceilings) => ceilings[index % ceilings.len()],
        }
    }
}

impl Measurement {
    /// Real-valued data, nothing saturated.
    pub fn exact(values: Clip) -> Self {
        Self {
            values,
            ceiling: Ceiling::None,
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
            ceiling: Ceiling::Same(1.0),
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

    /// The same in even light: (value - dark) / light. The noise is taken to be what it was,
    /// light being 1 on average.
    ///
    /// # Panics
    /// When the frames are of another size.
    pub fn flattened(self, field: &FlatField) -> Self {
        let frame = self.shape().frame_len();
        assert_eq!(field.dark.len(), frame);
        let even = |i: usize, v: f32| (v - field.dark[i % frame]) / field.light[i % frame];
        let ceiling = match self.ceiling {
            Ceiling::None => Ceiling::None,
            ceiling => Ceiling::PerPixel((0..frame).map(|i| even(i, ceiling.at(i))).collect()),
        };
        let values = self.values.data().iter().enumerate();
        Self {
            values: Clip::new(
                self.values.shape(),
                values.map(|(i, &v)| even(i, v)).collect(),
            ),
            ceiling,
            rounding: self.rounding,
        }
    }

    /// The same after resampling, which mixes saturated pixels with others: nothing is known
    /// to be saturated.
    pub fn resampled(self) -> Self {
        Self {
            ceiling: Ceiling::None,
            ..self
        }
    }

    /// The same with 0 recorded where `known` is 0.
    pub(crate) fn only(&self, known: &Clip) -> Self {
        Self {
            values: self.values.zip(known, |y, k| y * k),
            ceiling: self.ceiling.clone(),
            rounding: self.rounding,
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
            ceiling: self.ceiling.clone(),
            rounding: self.rounding,
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
        let saturated = self.bounded().filter(|&(y, ceiling)| y >= ceiling);
        saturated.count() as f64 / self.values.shape().len() as f64
    }

    /// Every value with its ceiling.
    fn bounded(&self) -> impl Iterator<Item = (f32, f32)> {
        let values = self.values.data().iter().enumerate();
        values.map(|(i, &y)| (y, self.ceiling.at(i)))
    }

    /// `f` of the prediction, the value and its ceiling at every pixel.
    fn with(&self, predicted: &Clip, f: impl Fn(f32, f32, f32) -> f32) -> Clip {
        assert_eq!(predicted.shape(), self.shape());
        let pixels = predicted.data().iter().zip(self.bounded());
        let values = pixels.map(|(&p, (y, ceiling))| f(p, y, ceiling));
        Clip::new(self.shape(), values.collect())
    }

    /// The slope of [`residual`](Self::residual): 0 where a saturated pixel is predicted above its
    /// ceiling, 1 elsewhere.
    pub fn slope(&self, predicted: &Clip) -> Clip {
        self.with(predicted, |p, y, ceiling| {
            f32::from(!(y >= ceiling && p >= ceiling))
        })
    }

    /// The measurement nearest to `predicted` of those that agree with the record: the values,
    /// and at saturated pixels the prediction where it is above the ceiling. `predicted` is
    /// asked for only where something is saturated.
    pub(crate) fn agreeing(&self, predicted: impl FnOnce() -> Clip) -> Cow<'_, Clip> {
        if !self.bounded().any(|(y, ceiling)| y >= ceiling) {
            return Cow::Borrowed(&self.values);
        }
        let bounded = |p: f32, y: f32, ceiling: f32| if y >= ceiling { y.max(p) } else { y };
        Cow::Owned(self.with(&predicted(), bounded))
    }

    /// `predicted` - measured, and 0 where a saturated pixel is predicted above its ceiling.
    pub fn residual(&self, predicted: &Clip) -> Clip {
        self.with(predicted, |p, y, ceiling| {
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

    #[test]
    fn even_light_is_a_ceiling_of_each_pixel() {
        let shape = Shape::new(2, 1, 2);
        let recorded = Clip::new(shape, vec![1.0, 0.6, 0.2, 1.0]);
        let dark = Clip::filled(shape, 0.1);
        let flat = Clip::new(shape, vec![0.2, 0.4, 0.2, 0.4]);
        let field = FlatField::new((1, 2), Some(&dark), Some(&flat)).unwrap();
        let measurement = Measurement::quantised(recorded, 255, Quantisation::Round);
        let measurement = measurement.flattened(&field);
        // Light of 0.5 and 1.5.
        for (value, even) in measurement
            .values()
            .data()
            .iter()
            .zip([1.8, 1.0 / 3.0, 0.2, 0.6])
        {
            assert!((value - even).abs() < 1e-6, "{value} {even}");
        }
        assert_eq!(measurement.saturated_share(), 0.5);
        let predicted = Clip::new(shape, vec![1.9, 1.9, 1.9, 0.5]);
        let residual = measurement.residual(&predicted);
        assert_eq!(residual.data()[0], 0.0);
        assert!(residual.data()[1..3].iter().all(|r| *r > 1.0));
        assert!((residual.data()[3] + 0.1).abs() < 1e-6);
        assert_eq!(measurement.frame(1).saturated_share(), 0.5);
    }
}
