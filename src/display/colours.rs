use std::sync::LazyLock;

use plotters::style::colors::colormaps::{ColorMap, ViridisRGB};
use serde::{Deserialize, Serialize};

/// How values become colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ColourMap {
    Grey,
    /// Dark blue to yellow, even in lightness (van der Walt and Smith, 2015).
    Viridis,
    /// Blue below zero, white at it, red above: for residuals.
    Diverging,
}

/// Colours of a map, evenly spaced from the low to the high end of its range. With 256 of them
/// the levels of an 8-bit file in their full range keep their colours.
pub type Table = [[u8; 3]; 256];

static TABLES: LazyLock<[Table; 3]> = LazyLock::new(|| {
    ColourMap::ALL.map(|map| std::array::from_fn(|i| map.formula(i as f32 / 255.0)))
});

const BELOW: [f32; 3] = [33.0, 102.0, 172.0];
const MIDDLE: [f32; 3] = [247.0, 247.0, 247.0];
const ABOVE: [f32; 3] = [178.0, 24.0, 43.0];

fn mix(a: [f32; 3], b: [f32; 3], share: f32) -> [u8; 3] {
    std::array::from_fn(|i| (a[i] + share * (b[i] - a[i])).round() as u8)
}

impl ColourMap {
    pub const ALL: [Self; 3] = [Self::Grey, Self::Viridis, Self::Diverging];

    /// Of a value that is not finite.
    pub const NOT_FINITE: [u8; 3] = [255, 0, 255];

    pub fn label(self) -> &'static str {
        match self {
            Self::Grey => "grey",
            Self::Viridis => "viridis",
            Self::Diverging => "signed",
        }
    }

    pub fn table(self) -> &'static Table {
        &TABLES[self as usize]
    }

    /// The colour at a share of the range, 0 to 1, between those of the table.
    pub fn colour(self, share: f32) -> [u8; 3] {
        if !share.is_finite() {
            return Self::NOT_FINITE;
        }
        let table = self.table();
        let at = share.clamp(0.0, 1.0) * (table.len() - 1) as f32;
        let below = (at as usize).min(table.len() - 2);
        mix(
            table[below].map(f32::from),
            table[below + 1].map(f32::from),
            at - below as f32,
        )
    }

    fn formula(self, share: f32) -> [u8; 3] {
        match self {
            Self::Grey => [(255.0 * share).round() as u8; 3],
            Self::Viridis => {
                let colour = ViridisRGB.get_color(share);
                [colour.0, colour.1, colour.2]
            }
            Self::Diverging if share < 0.5 => mix(BELOW, MIDDLE, 2.0 * share),
            Self::Diverging => mix(MIDDLE, ABOVE, 2.0 * share - 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_middle_of_the_maps() {
        assert_eq!(ColourMap::Grey.colour(-1.0), [0; 3]);
        assert_eq!(ColourMap::Grey.colour(2.0), [255; 3]);
        assert_eq!(ColourMap::Viridis.colour(0.0), [68, 1, 84]);
        assert_eq!(ColourMap::Diverging.colour(0.0), [33, 102, 172]);
        let middle = ColourMap::Diverging.colour(0.5);
        assert!(middle.iter().all(|&level| level >= 246), "{middle:?}");
        assert_eq!(ColourMap::Grey.colour(f32::NAN), ColourMap::NOT_FINITE);
    }

    #[test]
    fn the_levels_of_an_8_bit_file_stay_apart() {
        for level in 0..=255u8 {
            let colour = ColourMap::Grey.colour(f32::from(level) / 255.0);
            assert_eq!(colour, [level; 3]);
        }
    }
}
