use serde::{Deserialize, Serialize};

/// What the values of a clip are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Quantity {
    /// Of the light's field at the object: the estimate and the true video.
    Amplitude,
    /// What a camera records: amplitude squared, in units of full scale.
    Intensity,
    /// Of two intensities, with a sign.
    Difference,
    /// Standard deviation of an amplitude.
    Deviation,
}

/// What is done to a value before its colour is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transform {
    Keep,
    Square,
    /// Of the value, or of 0 where it is negative.
    Root,
}

impl Quantity {
    pub fn label(self) -> &'static str {
        match self {
            Self::Amplitude => "amplitude",
            Self::Intensity => "intensity",
            Self::Difference => "intensity difference",
            Self::Deviation => "amplitude deviation",
        }
    }

    /// What makes `wanted` of this quantity; differences and deviations stay what they
    /// are.
    pub fn shown_as(self, wanted: Self) -> Transform {
        match (self, wanted) {
            (Self::Amplitude, Self::Intensity) => Transform::Square,
            (Self::Intensity, Self::Amplitude) => Transform::Root,
            _ => Transform::Keep,
        }
    }

    /// What it is after `transform`.
    pub fn after(self, transform: Transform) -> Self {
        match transform {
            Transform::Keep => self,
            Transform::Square => Self::Intensity,
            Transform::Root => Self::Amplitude,
        }
    }
}

impl Transform {
    pub fn of(self, value: f32) -> f32 {
        match self {
            Self::Keep => value,
            Self::Square => value * value,
            // Not `max`, which would hide what is not a number.
            Self::Root if value < 0.0 => 0.0,
            Self::Root => value.sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amplitude_is_the_root_of_its_intensity() {
        let there = Quantity::Amplitude.shown_as(Quantity::Intensity);
        let back = Quantity::Intensity.shown_as(Quantity::Amplitude);
        assert_eq!(back.of(there.of(0.5)), 0.5);
        assert_eq!(Transform::Root.of(-0.1), 0.0);
        assert!(Transform::Root.of(f32::NAN).is_nan());
        assert_eq!(
            Quantity::Difference.shown_as(Quantity::Amplitude),
            Transform::Keep
        );
        assert_eq!(
            Quantity::Amplitude.after(Transform::Square),
            Quantity::Intensity
        );
    }
}
