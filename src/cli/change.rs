//! `--change`: a setting that takes another value on the way.

use std::str::FromStr;

use super::error::InputError;
use super::quantity::{Coefficients, Lengths};
use crate::noise::Noise;
use crate::solver::{Change, TimedChange};

/// `40:guidance=2`: once 40 steps are done.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeArg {
    step: usize,
    what: What,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    Done(Change),
    /// Widths in micrometres need the pixel pitch.
    Sigma(Lengths),
}

impl FromStr for ChangeArg {
    type Err = InputError;

    fn from_str(text: &str) -> Result<Self, InputError> {
        let wrong = || {
            InputError(format!(
                "`{text}` is no change: write STEP:NAME=VALUE, as in 40:dist=5.2 or 60:guidance=2; \
                 NAME is dist, sigma, coeffs, guidance or seed"
            ))
        };
        let (step, rest) = text.split_once(':').ok_or_else(wrong)?;
        let (name, value) = rest.split_once('=').ok_or_else(wrong)?;
        let step = step.trim().parse().map_err(|_| wrong())?;
        let number = || value.trim().parse::<f64>().map_err(|_| wrong());
        let what = match name.trim() {
            "guidance" => What::Done(Change::Guidance(number()?)),
            "seed" => What::Done(Change::Seed(value.trim().parse().map_err(|_| wrong())?)),
            "dist" => {
                let lengths: Lengths = value.parse()?;
                let mm = lengths.millimetres(1, &mut Noise::seeded(0))?;
                match (lengths.millimetre_range()?, &mm[..]) {
                    (None, [mm]) => What::Done(Change::Distance(*mm)),
                    _ => return Err(wrong()),
                }
            }
            "sigma" => What::Sigma(value.parse()?),
            "coeffs" => match value.parse()? {
                Coefficients::Listed(listed) => What::Done(Change::Coefficients(listed)),
                Coefficients::Random | Coefficients::Unknown => return Err(wrong()),
            },
            _ => return Err(wrong()),
        };
        Ok(Self { step, what })
    }
}

impl ChangeArg {
    /// `pitch_um` turns widths in micrometres into pixels.
    ///
    /// # Errors
    /// A width that is not one number.
    pub fn timed(&self, pitch_um: f64) -> Result<TimedChange, InputError> {
        let change = match &self.what {
            What::Done(change) => change.clone(),
            What::Sigma(lengths) => {
                let px = lengths.pixels(pitch_um, 1, &mut Noise::seeded(0))?;
                match (lengths.pixel_range(pitch_um)?, &px[..]) {
                    (None, [px]) => Change::Sigma(*px),
                    _ => return Err(InputError("a change of sigma is one width".into())),
                }
            }
        };
        Ok(TimedChange {
            step: self.step,
            change,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_understood_and_nonsense_is_not() {
        let timed = |text: &str| {
            text.parse::<ChangeArg>()
                .unwrap()
                .timed(8.0)
                .unwrap()
                .change
        };
        assert_eq!(timed("3:dist=500um"), Change::Distance(0.5));
        assert_eq!(timed("3:sigma=16um"), Change::Sigma(2.0));
        for text in [
            "dist=5",
            "3:dist",
            "3:dist=1..2",
            "x:dist=1",
            "3:flux=1",
            "3:seed=-1",
        ] {
            let error = text.parse::<ChangeArg>().unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
