//! How a capture was exposed, read off its values: black, white, what surrounds the scene.

use crate::clip::Clip;
use crate::physics::Surround;
use crate::solver::Measurement;

/// Where the zero of light was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Black {
    /// The published normalisation cut off what lies below a tenth of the clip's range.
    Published,
    /// The darkest recorded value.
    Darkest,
    /// Given.
    Known,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Exposure {
    pub gain: f64,
    pub offset: f64,
    pub black: Black,
    /// Values at or below this stand for everything darker.
    pub floor: Option<f32>,
}

impl Exposure {
    /// How much brighter than the brightest recorded light a scene may be: blur lowers peaks.
    pub const HEADROOM: f64 = 1.5;
    /// A share of pixels at the lowest value that noise and one darkest pixel do not explain.
    const CUT_SHARE: f64 = 5e-4;
    /// Fewer equal pixels than this are chance in a small clip.
    const CUT_PIXELS: f64 = 4.0;
    /// The published normalisation: (v - low) / (high - low) - 0.1, so black is -1/9 of white.
    const PUBLISHED_BLACK: f64 = -1.0 / 9.0;

    /// For a recording of unknown gain and offset; none where all its values are equal.
    pub fn read(measurement: &Measurement) -> Option<Self> {
        let (low, high) = measurement.values().range();
        // The centre of a truncated recording's lowest level is half a level up.
        let level = measurement.rounding() * 12f64.sqrt();
        let cut = Self::cut(measurement);
        let published = cut && measurement.saturated_share() == 0.0;
        let (black, offset) = if published {
            let white = f64::from(high) + level / 2.0;
            (Black::Published, white * Self::PUBLISHED_BLACK)
        } else {
            (Black::Darkest, f64::from(low))
        };
        let gain = Self::HEADROOM * (f64::from(high) - offset);
        (low < high).then(|| Self {
            gain,
            offset,
            black,
            floor: cut.then_some(low + (level / 2.0) as f32),
        })
    }

    pub fn known(measurement: &Measurement, gain: f64, offset: f64) -> Self {
        let level = measurement.rounding() * 12f64.sqrt();
        let low = measurement.values().range().0;
        Self {
            gain,
            offset,
            black: Black::Known,
            floor: Self::cut(measurement).then_some(low + (level / 2.0) as f32),
        }
    }

    /// Whether many pixels share the lowest value.
    fn cut(measurement: &Measurement) -> bool {
        let values = measurement.values();
        let low = values.range().0;
        let lowest = values.data().iter().filter(|&&v| v <= low).count();
        lowest as f64 >= Self::CUT_PIXELS.max(Self::CUT_SHARE * values.data().len() as f64)
    }

    /// Takes back the residual of cut pixels that are predicted darker than the cut.
    pub fn forgive(&self, recorded: &Clip, predicted: &Clip, residual: &mut Clip) {
        let Some(floor) = self.floor else { return };
        let pairs = recorded.data().iter().zip(predicted.data());
        for (r, (&y, &p)) in residual.data_mut().iter_mut().zip(pairs) {
            if y <= floor && p <= floor {
                *r = 0.0;
            }
        }
    }

    /// What surrounds the scene: dark where all four edges of the frame are darker than what
    /// lies a few pixels within.
    pub fn surround(&self, recorded: &Clip) -> Surround {
        let shape = recorded.shape();
        let (h, w) = (shape.height, shape.width);
        const WITHIN: std::ops::Range<usize> = 4..8;
        if h < 2 * WITHIN.end || w < 2 * WITHIN.end {
            return Surround::Same;
        }
        let light = |row: usize, column: usize| -> f64 {
            let at = |f: &[f32]| f64::from(f[row * w + column]) - self.offset;
            recorded.frames().map(at).sum()
        };
        let row = |y: usize| -> f64 { (0..w).map(|x| light(y, x)).sum() };
        let column = |x: usize| -> f64 { (0..h).map(|y| light(y, x)).sum() };
        let ratio = |edge: f64, within: f64| edge * WITHIN.len() as f64 / within.max(1e-12);
        let ratios = [
            ratio(row(0), WITHIN.map(row).sum()),
            ratio(row(h - 1), WITHIN.map(|i| row(h - 1 - i)).sum()),
            ratio(column(0), WITHIN.map(column).sum()),
            ratio(column(w - 1), WITHIN.map(|i| column(w - 1 - i)).sum()),
        ];
        let dark = ratios.iter().all(|&r| r < 0.95) && ratios.iter().sum::<f64>() < 4.0 * 0.8;
        if dark { Surround::Dark } else { Surround::Same }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::media::datasets::normalise;
    use crate::noise::Noise;
    use crate::solver::Quantisation;

    #[test]
    fn the_published_normalisation_is_recognised_and_undone() {
        let mut noise = Noise::seeded(1);
        let shape = Shape::new(2, 20, 20);
        let data = (0..shape.len()).map(|_| noise.uniform(0.0, 0.6).powi(2) as f32);
        let light = Clip::new(shape, data.collect());
        let halved = normalise(&light)
            .unwrap()
            .map(|v| (v * 127.5).floor() / 255.0);
        let measurement = Measurement::quantised(halved, 255, Quantisation::Floor);
        let exposure = Exposure::read(&measurement).unwrap();
        assert_eq!(exposure.black, Black::Published);
        let (low, high) = light.range();
        for (&v, &y) in light.data().iter().zip(measurement.values().data()) {
            let share = f64::from((v - low) / (high - low));
            let read = (f64::from(y) - exposure.offset) / exposure.gain * Exposure::HEADROOM;
            assert!(
                share < 0.11 || (read - share).abs() < 0.01,
                "{share} {read}"
            );
        }
    }

    #[test]
    fn without_a_cut_the_darkest_value_is_black() {
        let shape = Shape::new(1, 20, 20);
        let data = (0..400).map(|i| 0.2 + i as f32 / 1000.0).collect();
        let measurement = Measurement::exact(Clip::new(shape, data));
        let exposure = Exposure::read(&measurement).unwrap();
        assert_eq!((exposure.black, exposure.floor), (Black::Darkest, None));
        assert!((exposure.offset - 0.2).abs() < 1e-6);
        assert_eq!(exposure.surround(measurement.values()), Surround::Same);
        let flat = Measurement::exact(Clip::filled(shape, 0.3));
        assert_eq!(Exposure::read(&flat), None);
    }

    #[test]
    fn a_cut_pixel_bounds_the_light_from_above_only() {
        let shape = Shape::new(1, 1, 3);
        let recorded = Clip::new(shape, vec![0.0, 0.0, 0.5]);
        let predicted = Clip::new(shape, vec![-0.2, 0.3, 0.4]);
        let mut residual = predicted.zip(&recorded, |p, y| p - y);
        let exposure = Exposure {
            gain: 1.0,
            offset: -0.1,
            black: Black::Published,
            floor: Some(0.0),
        };
        exposure.forgive(&recorded, &predicted, &mut residual);
        assert_eq!(residual.data()[0], 0.0);
        assert!((residual.data()[1] - 0.3).abs() < 1e-6);
        assert!((residual.data()[2] + 0.1).abs() < 1e-6);
    }
}
