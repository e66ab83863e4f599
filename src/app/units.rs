//! The units that lengths are shown and typed in; what is stored stays in mm and px.

use eframe::egui::emath::format_with_decimals_in_range;
use serde::{Deserialize, Serialize};

use crate::length::{Length, Written};

/// Of distances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DistUnit {
    #[default]
    Millimetre,
    Micrometre,
    Metre,
}

/// Of blur widths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WidthUnit {
    #[default]
    Pixel,
    Micrometre,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Units {
    pub dist: DistUnit,
    pub width: WidthUnit,
}

/// How a stored number is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub symbol: &'static str,
    /// Shown over stored.
    factor: f64,
    decimals: usize,
    /// What is stored for a micrometre.
    per_um: f64,
    /// Whether pixels are stored.
    in_pixels: bool,
}

impl DistUnit {
    pub const ALL: [Self; 3] = [Self::Micrometre, Self::Millimetre, Self::Metre];

    /// Of distances, which are stored in mm.
    pub fn scale(self) -> Scale {
        let (symbol, factor, decimals) = match self {
            Self::Micrometre => ("um", 1e3, 1),
            Self::Millimetre => ("mm", 1.0, 4),
            Self::Metre => ("m", 1e-3, 7),
        };
        Scale {
            symbol,
            factor,
            decimals,
            per_um: 1e-3,
            in_pixels: false,
        }
    }
}

impl WidthUnit {
    pub const ALL: [Self; 2] = [Self::Pixel, Self::Micrometre];

    /// Of widths, which are stored in pixels of this pitch at the object.
    pub fn scale(self, pitch_um: f64) -> Scale {
        let (symbol, factor, decimals) = match self {
            Self::Pixel => ("px", 1.0, 4),
            Self::Micrometre => ("um", pitch_um, 3),
        };
        Scale {
            symbol,
            factor,
            decimals,
            per_um: 1.0 / pitch_um,
            in_pixels: true,
        }
    }
}

impl Scale {
    /// Of phases, which are shown as they are stored.
    pub const RADIAN: Self = Self {
        symbol: "rad",
        factor: 1.0,
        decimals: 3,
        per_um: f64::NAN,
        in_pixels: false,
    };

    /// Without the unit.
    pub fn number(&self, stored: f64) -> String {
        format_with_decimals_in_range(stored * self.factor, 0..=self.decimals)
    }

    pub fn text(&self, stored: f64) -> String {
        format!("{} {}", self.number(stored), self.symbol)
    }

    /// What is stored for what was typed: in the shown unit, or in the one that is typed with it.
    pub fn parse(&self, text: &str) -> Option<f64> {
        let length = Length::parse(text)?;
        match (length.written, length.um()) {
            (Written::Plain, _) => Some(length.value / self.factor),
            (Written::Pixel, _) => self.in_pixels.then_some(length.value),
            (_, um) => um.map(|um| um * self.per_um),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_with_a_unit_means_it_whatever_is_shown() {
        for unit in DistUnit::ALL {
            let scale = unit.scale();
            assert_eq!(scale.parse("500 um"), Some(0.5));
            assert_eq!(scale.parse("0.005m"), Some(5.0));
            assert_eq!(scale.parse("5 mm"), Some(5.0));
            assert_eq!(scale.parse("5 px"), None);
            let shown = scale.text(2.5);
            assert!((scale.parse(&shown).unwrap() - 2.5).abs() < 1e-9, "{shown}");
        }
        assert_eq!(DistUnit::Micrometre.scale().text(2.5), "2500 um");
        assert_eq!(DistUnit::Micrometre.scale().parse("2500"), Some(2.5));
        for unit in WidthUnit::ALL {
            let scale = unit.scale(8.0);
            assert_eq!(scale.parse("12 um"), Some(1.5));
            assert_eq!(scale.parse("1.5px"), Some(1.5));
        }
        assert_eq!(WidthUnit::Micrometre.scale(8.0).text(1.5), "12 um");
        assert_eq!(WidthUnit::Micrometre.scale(8.0).parse("12"), Some(1.5));
        assert_eq!(WidthUnit::Pixel.scale(8.0).parse("wide"), None);
    }
}
