//! Frames as pictures: colour maps and their ranges.

use eframe::egui::{Color32, ColorImage};

/// How values become colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ColourMap {
    Grey,
    Viridis,
    /// Blue below zero, white at it, red above: for residuals.
    Diverging,
}

/// Key colours of viridis (van der Walt and Smith, 2015), evenly spaced.
const VIRIDIS: [[f32; 3]; 9] = [
    [68.0, 1.0, 84.0],
    [72.0, 40.0, 120.0],
    [62.0, 74.0, 137.0],
    [49.0, 104.0, 142.0],
    [38.0, 130.0, 142.0],
    [31.0, 158.0, 137.0],
    [53.0, 183.0, 121.0],
    [109.0, 205.0, 89.0],
    [253.0, 231.0, 37.0],
];
const BELOW: [f32; 3] = [33.0, 102.0, 172.0];
const MIDDLE: [f32; 3] = [247.0, 247.0, 247.0];
const ABOVE: [f32; 3] = [178.0, 24.0, 43.0];

fn mix(a: [f32; 3], b: [f32; 3], share: f32) -> Color32 {
    let channel = |i: usize| (a[i] + share * (b[i] - a[i])).round() as u8;
    Color32::from_rgb(channel(0), channel(1), channel(2))
}

impl ColourMap {
    pub fn label(self) -> &'static str {
        match self {
            Self::Grey => "grey",
            Self::Viridis => "viridis",
            Self::Diverging => "signed",
        }
    }

    /// The colour at a share of the range, 0 to 1; what is not finite is magenta.
    pub fn colour(self, share: f32) -> Color32 {
        if !share.is_finite() {
            return Color32::from_rgb(255, 0, 255);
        }
        let share = share.clamp(0.0, 1.0);
        match self {
            Self::Grey => Color32::from_gray((255.0 * share).round() as u8),
            Self::Viridis => {
                let at = share * (VIRIDIS.len() - 1) as f32;
                let below = (at as usize).min(VIRIDIS.len() - 2);
                mix(VIRIDIS[below], VIRIDIS[below + 1], at - below as f32)
            }
            Self::Diverging if share < 0.5 => mix(BELOW, MIDDLE, 2.0 * share),
            Self::Diverging => mix(MIDDLE, ABOVE, 2.0 * share - 1.0),
        }
    }
}

/// A frame of `width` columns as a picture, `low` to `high` being the map's range.
pub fn picture(frame: &[f32], width: usize, (low, high): (f32, f32), map: ColourMap) -> ColorImage {
    let scale = 1.0 / (high - low).max(f32::MIN_POSITIVE);
    let colours: Vec<Color32> = (0..=255).map(|i| map.colour(i as f32 / 255.0)).collect();
    let colour = |&value: &f32| {
        let share = (value - low) * scale;
        match share.is_finite() {
            true => colours[(255.0 * share.clamp(0.0, 1.0)).round() as usize],
            false => map.colour(share),
        }
    };
    ColorImage::new(
        [width, frame.len() / width],
        frame.iter().map(colour).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_middle_of_the_maps() {
        assert_eq!(ColourMap::Grey.colour(0.0), Color32::BLACK);
        assert_eq!(ColourMap::Grey.colour(2.0), Color32::WHITE);
        assert_eq!(
            ColourMap::Viridis.colour(1.0),
            Color32::from_rgb(253, 231, 37)
        );
        assert_eq!(ColourMap::Diverging.colour(0.5), Color32::from_gray(247));
        assert_eq!(
            ColourMap::Grey.colour(f32::NAN),
            Color32::from_rgb(255, 0, 255)
        );
    }

    #[test]
    fn a_frame_becomes_a_picture_row_after_row() {
        let made = picture(
            &[0.0, 1.0, 2.0, 4.0, 8.0, 4.0],
            3,
            (0.0, 4.0),
            ColourMap::Grey,
        );
        assert_eq!(made.size, [3, 2]);
        assert_eq!(made.pixels[1], Color32::from_gray(64));
        assert_eq!(made.pixels[4], Color32::WHITE);
    }
}
