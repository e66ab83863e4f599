//! Text in pictures, with letters that are built in, so that every machine draws the same.

use std::sync::Once;

use image::RgbImage;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, register_font};

pub(crate) const FONT: &str = "sans-serif";

/// Makes [`FONT`] known to `plotters`.
pub(crate) fn built_in_letters() {
    static REGISTERED: Once = Once::new();
    // The font is a part of the program: it either always parses or never.
    REGISTERED.call_once(|| {
        let font = register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT);
        assert!(font.is_ok(), "the built-in font is damaged");
    });
}

/// Which side of a text its place is at; its top is at the place's height.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Middle,
}

/// Width of a text in pixels.
pub(super) fn width_of(text: &str, size: u32) -> u32 {
    built_in_letters();
    let font = (FONT, size).into_font();
    font.box_size(text).map_or(0, |(width, _)| width)
}

/// Writes into a picture; what does not fit is cut off.
pub(super) fn write(
    picture: &mut RgbImage,
    text: &str,
    (x, y): (i32, i32),
    size: u32,
    colour: [u8; 3],
    side: Side,
) {
    built_in_letters();
    let dimensions = picture.dimensions();
    let horizontal = match side {
        Side::Left => HPos::Left,
        Side::Middle => HPos::Center,
    };
    let style = (FONT, size)
        .into_font()
        .color(&RGBColor(colour[0], colour[1], colour[2]))
        .pos(Pos::new(horizontal, VPos::Top));
    let area = BitMapBackend::with_buffer(picture, dimensions).into_drawing_area();
    let drawn = area.draw_text(text, &style, (x, y));
    debug_assert!(drawn.is_ok(), "{text}: {drawn:?}");
}
