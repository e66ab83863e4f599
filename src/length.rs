//! Lengths as people type them.

/// What a length is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Plain,
    Micrometre,
    Millimetre,
    Metre,
    Pixel,
}

/// A number with its unit, or without one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Length {
    pub value: f64,
    pub written: Written,
}

impl Length {
    /// `5`, `5mm`, `500 um`, `0.005 m` or `1.5px`; none where it is something else or not finite.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let units = [
            ("um", Written::Micrometre),
            ("µm", Written::Micrometre),
            ("μm", Written::Micrometre),
            ("mm", Written::Millimetre),
            ("px", Written::Pixel),
            ("m", Written::Metre),
        ];
        let suffixed = units
            .into_iter()
            .find_map(|(unit, written)| Some((text.strip_suffix(unit)?, written)));
        let (number, written) = suffixed.unwrap_or((text, Written::Plain));
        let value = number.trim().parse().ok().filter(|v: &f64| v.is_finite())?;
        Some(Self { value, written })
    }

    /// In micrometres, where it is a physical length.
    pub fn um(self) -> Option<f64> {
        match self.written {
            Written::Micrometre => Some(self.value),
            Written::Millimetre => Some(self.value * 1e3),
            Written::Metre => Some(self.value * 1e6),
            Written::Plain | Written::Pixel => None,
        }
    }
}
