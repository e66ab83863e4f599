//! Small pictures beside controls and in plots; panes are drawn by `display`.

use eframe::egui::{Color32, ColorImage};

use crate::display::ColourMap;

/// Values in rows of `width`, from the low to the high end of a range.
pub fn picture(
    values: &[f32],
    width: usize,
    (low, high): (f32, f32),
    map: ColourMap,
) -> ColorImage {
    let scale = 1.0 / (high - low).max(f32::MIN_POSITIVE);
    let colour = |value: &f32| {
        let [red, green, blue] = map.colour((value - low) * scale);
        Color32::from_rgb(red, green, blue)
    };
    ColorImage::new(
        [width, values.len() / width],
        values.iter().map(colour).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_a_picture_row_after_row() {
        let values = [0.0, 1.0, 2.0, 4.0, 8.0, 4.0];
        let made = picture(&values, 3, (0.0, 4.0), ColourMap::Grey);
        assert_eq!(made.size, [3, 2]);
        assert_eq!(made.pixels[1], Color32::from_gray(64));
        assert_eq!(made.pixels[4], Color32::WHITE);
    }
}
