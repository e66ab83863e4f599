//! A bar of round length, to tell sizes by.

use super::round::{round_down, short};

#[derive(Clone, Debug, PartialEq)]
pub struct ScaleBar {
    /// Of the width that is seen.
    pub share: f64,
    pub label: String,
}

/// How much of the width the bar takes at most.
const LONGEST: f64 = 0.3;

impl ScaleBar {
    /// For a picture that is this wide in micrometres, which is above 0.
    pub fn fitting(width_um: f64) -> Self {
        let um = round_down(LONGEST * width_um);
        Self {
            share: um / width_um,
            label: length(um),
        }
    }
}

/// A length in the unit that suits it.
pub fn length(um: f64) -> String {
    let size = um.abs();
    match () {
        () if size >= 1000.0 => format!("{} mm", short(um / 1000.0)),
        () if size >= 1.0 || size == 0.0 => format!("{} um", short(um)),
        () => format!("{} nm", short(um * 1000.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_round_and_fit() {
        let bar = ScaleBar::fitting(64.0 * 8.0);
        assert_eq!(bar.label, "100 um");
        assert!((bar.share - 100.0 / 512.0).abs() < 1e-12);
        assert_eq!(ScaleBar::fitting(7000.0).label, "2 mm");
        assert_eq!(ScaleBar::fitting(2.0).label, "500 nm");
    }
}
