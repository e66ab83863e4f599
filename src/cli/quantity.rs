//! Numbers with units, as flags give them.

use std::str::FromStr;

use super::error::InputError;
use crate::length::{Length, Written};
use crate::noise::Noise;

/// One length, one for each frame (`5,5.2,5.4`), or a range to draw them from (`2.5..10`).
#[derive(Clone, Debug, PartialEq)]
pub struct Lengths {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Listed(Vec<Length>),
    Drawn(Length, Length),
}

impl FromStr for Lengths {
    type Err = InputError;

    fn from_str(text: &str) -> Result<Self, InputError> {
        let kind = match text.split_once("..") {
            Some((low, high)) => Length::parse(low)
                .zip(Length::parse(high))
                .map(|(low, high)| Kind::Drawn(low, high)),
            None => text
                .split(',')
                .map(Length::parse)
                .collect::<Option<_>>()
                .map(Kind::Listed),
        };
        let kind = kind.ok_or_else(|| {
            InputError(format!(
                "`{text}` is not a length: write a number such as 5, 5mm or 8um, \
                 or one for each frame with commas between them"
            ))
        })?;
        Ok(Self {
            text: text.to_owned(),
            kind,
        })
    }
}

impl Lengths {
    /// The ends of the range in millimetres, where it is one.
    pub fn millimetre_range(&self) -> Result<Option<(f64, f64)>, InputError> {
        self.range(|length| self.as_millimetres(length))
    }

    /// The ends of the range in pixels of this pitch at the object, where it is one.
    pub fn pixel_range(&self, pitch_um: f64) -> Result<Option<(f64, f64)>, InputError> {
        self.range(|length| Ok(length.um().map_or(length.value, |um| um / pitch_um)))
    }

    fn range(
        &self,
        convert: impl Fn(Length) -> Result<f64, InputError>,
    ) -> Result<Option<(f64, f64)>, InputError> {
        let Kind::Drawn(low, high) = self.kind else {
            return Ok(None);
        };
        let (low, high) = (convert(low)?, convert(high)?);
        if low > high {
            let text = &self.text;
            return Err(InputError(format!(
                "{text}: a range starts with the smaller value"
            )));
        }
        Ok(Some((low, high)))
    }

    fn as_millimetres(&self, length: Length) -> Result<f64, InputError> {
        match length.written {
            Written::Plain => Ok(length.value),
            _ => length.um().map(|um| um * 1e-3).ok_or_else(|| {
                InputError(format!(
                    "--dist {}: a distance is in mm, um or m",
                    self.text
                ))
            }),
        }
    }

    /// In millimetres, which plain numbers mean; ranges give one draw a frame.
    pub fn millimetres(&self, frames: usize, noise: &mut Noise) -> Result<Vec<f64>, InputError> {
        self.values(|length| self.as_millimetres(length), frames, noise)
    }

    /// In pixels of this pitch at the object, which plain numbers mean.
    pub fn pixels(
        &self,
        pitch_um: f64,
        frames: usize,
        noise: &mut Noise,
    ) -> Result<Vec<f64>, InputError> {
        let convert = |length: Length| Ok(length.um().map_or(length.value, |um| um / pitch_um));
        self.values(convert, frames, noise)
    }

    fn values(
        &self,
        convert: impl Fn(Length) -> Result<f64, InputError>,
        frames: usize,
        noise: &mut Noise,
    ) -> Result<Vec<f64>, InputError> {
        if let Kind::Listed(lengths) = &self.kind {
            return lengths.iter().map(|&length| convert(length)).collect();
        }
        let range = self.range(convert)?;
        let draw = |(low, high)| (0..frames).map(|_| noise.uniform(low, high)).collect();
        Ok(range.map_or_else(Vec::new, draw))
    }
}

/// Zernike coefficients in radians, `random` ones (2 N(0, 1)), or `unknown` ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Coefficients {
    Listed(Vec<f64>),
    Random,
    Unknown,
}

impl FromStr for Coefficients {
    type Err = InputError;

    fn from_str(text: &str) -> Result<Self, InputError> {
        if text == "random" {
            return Ok(Self::Random);
        }
        if text == "unknown" {
            return Ok(Self::Unknown);
        }
        let number = |part: &str| part.trim().parse().ok();
        let values: Option<Vec<f64>> = text.split(',').map(number).collect();
        values.map(Self::Listed).ok_or_else(|| {
            InputError(format!(
                "`{text}` are not Zernike coefficients: write ten numbers in radians with \
                 commas between them, in the order C0 to C9"
            ))
        })
    }
}

/// What is recorded of intensity 1, above darkness; or that it is to be found out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gain {
    Fixed(f64),
    Fit,
}

impl FromStr for Gain {
    type Err = InputError;

    fn from_str(text: &str) -> Result<Self, InputError> {
        match text {
            "fit" => Ok(Self::Fit),
            "fixed" => Ok(Self::Fixed(1.0)),
            _ => text.parse().map(Self::Fixed).map_err(|_| {
                InputError(format!(
                    "`{text}` is no gain: write a number above 0, `fixed` (1), or `fit` where \
                     it is unknown"
                ))
            }),
        }
    }
}

/// A time, as in `30s` or `2min`; plain numbers are seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget(pub std::time::Duration);

impl FromStr for Budget {
    type Err = InputError;

    fn from_str(text: &str) -> Result<Self, InputError> {
        let seconds = text.parse::<f64>().ok();
        let plain = seconds.and_then(|s| std::time::Duration::try_from_secs_f64(s).ok());
        let duration = plain.or_else(|| humantime::parse_duration(text).ok());
        let above_zero = duration.filter(|duration| !duration.is_zero());
        above_zero.map(Self).ok_or_else(|| {
            InputError(format!(
                "`{text}` is no time: write it as in 30s, 2min or 1h"
            ))
        })
    }
}

/// A mask from a file, or a random one that keeps a share of the pixels.
#[derive(Clone, Debug, PartialEq)]
pub enum MaskSource {
    File(std::path::PathBuf),
    Random(f64),
}

impl FromStr for MaskSource {
    type Err = InputError;

    fn from_str(text: &str) -> Result<Self, InputError> {
        let Some(share) = text.strip_prefix("random:") else {
            return Ok(Self::File(text.into()));
        };
        let share = share.parse().ok();
        let share = share.filter(|keep: &f64| *keep > 0.0 && *keep <= 1.0);
        share.map(Self::Random).ok_or_else(|| {
            InputError(format!(
                "`{text}`: after random: comes the share of pixels that are measured, \
                 above 0 and at most 1, as in random:0.5"
            ))
        })
    }
}

impl std::fmt::Display for MaskSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Random(share) => write!(f, "random:{share}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(text: &str) -> Lengths {
        text.parse().unwrap()
    }

    #[test]
    fn distances_are_millimetres_unless_they_say_otherwise() {
        let mut noise = Noise::seeded(0);
        let mut mm = |text: &str| lengths(text).millimetres(3, &mut noise).unwrap();
        assert_eq!(mm("5"), [5.0]);
        assert_eq!(mm("5mm, 5200um,0.0054 m"), [5.0, 5.2, 5.4]);
        let drawn = mm("2.5..10mm");
        assert_eq!(drawn.len(), 3);
        assert!(drawn.iter().all(|d| (2.5..10.0).contains(d)));
        assert!(lengths("5px").millimetres(1, &mut noise).is_err());
        assert!(lengths("5..2").millimetres(1, &mut noise).is_err());
    }

    #[test]
    fn widths_are_pixels_unless_they_say_otherwise() {
        let mut noise = Noise::seeded(0);
        let mut px = |text: &str| lengths(text).pixels(8.0, 1, &mut noise).unwrap();
        assert_eq!(px("1.5"), [1.5]);
        assert_eq!(px("1.5px"), [1.5]);
        assert_eq!(px("12um"), [1.5]);
        assert_eq!(px("12µm"), [1.5]);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for wrong in ["", "five", "5,", "5km", "nan", "1..", "inf"] {
            assert!(wrong.parse::<Lengths>().is_err(), "{wrong}");
        }
        for wrong in ["", "1,2,x", "Random"] {
            assert!(wrong.parse::<Coefficients>().is_err(), "{wrong}");
        }
        for wrong in ["random:", "random:0", "random:1.5", "random:nan"] {
            assert!(wrong.parse::<MaskSource>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn ranges_have_ends_in_the_asked_unit() {
        let mm = |text: &str| lengths(text).millimetre_range();
        assert_eq!(mm("2500um..10").unwrap(), Some((2.5, 10.0)));
        assert_eq!(mm("5").unwrap(), None);
        assert!(mm("5..2").is_err());
        assert!(mm("1px..2px").is_err());
        let px = lengths("8um..2").pixel_range(8.0).unwrap();
        assert_eq!(px, Some((1.0, 2.0)));
    }

    #[test]
    fn gains_and_budgets_say_what_they_take() {
        assert_eq!("fit".parse::<Gain>().unwrap(), Gain::Fit);
        assert_eq!("fixed".parse::<Gain>().unwrap(), Gain::Fixed(1.0));
        assert_eq!("4095".parse::<Gain>().unwrap(), Gain::Fixed(4095.0));
        assert!("free".parse::<Gain>().is_err());
        let seconds = |text: &str| text.parse::<Budget>().unwrap().0.as_secs_f64();
        assert_eq!(
            (seconds("90"), seconds("2min"), seconds("1.5")),
            (90.0, 120.0, 1.5)
        );
        for wrong in ["", "0", "-3", "soon", "nan"] {
            assert!(wrong.parse::<Budget>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn coefficients_may_be_negative_and_random() {
        let listed = "-1,2.5".parse::<Coefficients>().unwrap();
        assert_eq!(listed, Coefficients::Listed(vec![-1.0, 2.5]));
        assert_eq!(
            "random".parse::<Coefficients>().unwrap(),
            Coefficients::Random
        );
    }
}
