//! What is drawn over and beside a picture: colour bar, scale bar, the place pointed at.

use eframe::egui::{
    self, Align2, Color32, FontId, Mesh, Painter, Pos2, Rect, Stroke, TextStyle, Vec2, pos2, vec2,
};

use crate::display::{Look, ScaleBar, short};

/// Of lines and handles that can be moved.
pub const LINE: Color32 = Color32::from_rgb(255, 170, 40);

const GAP: f32 = 5.0;
const COLOURS: f32 = 9.0;
const PLATE: Color32 = Color32::from_black_alpha(190);

/// Width of a colour bar with its numbers and the gap before it.
pub fn bar_width(ui: &egui::Ui) -> f32 {
    // Seven digits.
    GAP + COLOURS + 4.2 * small(ui).size
}

/// At the right of `picture`, in the column that is kept for it.
pub fn colour_bar(ui: &egui::Ui, look: &Look, picture: Rect) {
    let corner = picture.right_top() + vec2(GAP, 0.0);
    let bar = Rect::from_min_size(corner, vec2(COLOURS, picture.height()));
    let mut mesh = Mesh::default();
    const STOPS: u32 = 32;
    for stop in 0..=STOPS {
        let share = stop as f32 / STOPS as f32;
        let [r, g, b] = look.map.colour(share);
        let y = egui::lerp(bar.bottom()..=bar.top(), share);
        let colour = Color32::from_rgb(r, g, b);
        mesh.colored_vertex(pos2(bar.left(), y), colour);
        mesh.colored_vertex(pos2(bar.right(), y), colour);
        if stop > 0 {
            let at = 2 * stop;
            mesh.add_triangle(at - 2, at - 1, at);
            mesh.add_triangle(at - 1, at, at + 1);
        }
    }
    let painter = ui.painter();
    painter.add(mesh);
    let font = small(ui);
    let colour = ui.visuals().weak_text_color();
    let (low, high) = (f64::from(look.range.low), f64::from(look.range.high));
    let x = bar.right() + 3.0;
    let number = |value: f64, y: f32, anchor: Align2| {
        painter.text(pos2(x, y), anchor, short(value), font.clone(), colour);
    };
    number(high, bar.top(), Align2::LEFT_TOP);
    number(low, bar.bottom(), Align2::LEFT_BOTTOM);
    if bar.height() > 5.0 * font.size {
        let middle = f64::midpoint(low, high);
        number(middle, bar.center().y, Align2::LEFT_CENTER);
    }
}

/// In the lower left corner of a picture that is `width_um` wide at the object.
pub fn scale_bar(ui: &egui::Ui, picture: Rect, width_um: f64) {
    if !(width_um.is_finite() && width_um > 0.0) || picture.height() < 60.0 {
        return;
    }
    let bar = ScaleBar::fitting(width_um);
    let length = bar.share as f32 * picture.width();
    let painter = ui.painter();
    let text = painter.layout_no_wrap(bar.label, small(ui), Color32::WHITE);
    let size = vec2(length.max(text.size().x) + 10.0, text.size().y + 10.0);
    let plate = Rect::from_min_size(picture.left_bottom() + vec2(5.0, -5.0 - size.y), size);
    painter.rect_filled(plate, 3.0, PLATE);
    let middle = plate.center().x;
    painter.galley(
        pos2(middle - 0.5 * text.size().x, plate.top() + 2.0),
        text,
        Color32::WHITE,
    );
    let y = plate.bottom() - 4.0;
    let ends = [
        pos2(middle - 0.5 * length, y),
        pos2(middle + 0.5 * length, y),
    ];
    painter.line_segment(ends, Stroke::new(2.5, Color32::WHITE));
}

/// Marks the place that the pointer is at in one of the panes.
pub fn crosshair(painter: &Painter, at: Pos2) {
    for (colour, width) in [(Color32::BLACK, 3.0), (Color32::WHITE, 1.0)] {
        let stroke = Stroke::new(width, colour);
        for arm in [vec2(1.0, 0.0), vec2(0.0, 1.0)] {
            painter.line_segment([at - 7.0 * arm, at - 2.5 * arm], stroke);
            painter.line_segment([at + 2.5 * arm, at + 7.0 * arm], stroke);
        }
    }
}

/// Words beside a place, within `bounds`.
pub fn words(ui: &egui::Ui, at: Pos2, bounds: Rect, text: String) {
    let painter = ui.painter();
    let galley = painter.layout_no_wrap(text, small(ui), Color32::WHITE);
    let size = galley.size() + Vec2::splat(6.0);
    let mut corner = at + vec2(12.0, -8.0 - size.y);
    if corner.x + size.x > bounds.right() {
        corner.x = at.x - 12.0 - size.x;
    }
    corner = corner.max(bounds.min);
    let plate = Rect::from_min_size(corner, size);
    painter.rect_filled(plate, 3.0, PLATE);
    painter.galley(corner + Vec2::splat(3.0), galley, Color32::WHITE);
}

/// A line that shows on dark and on bright pictures.
pub fn line(painter: &Painter, ends: [Pos2; 2], colour: Color32) {
    painter.line_segment(ends, Stroke::new(3.5, Color32::BLACK));
    painter.line_segment(ends, Stroke::new(1.5, colour));
    for end in ends {
        painter.circle(end, 3.0, colour, Stroke::new(1.0, Color32::BLACK));
    }
}

fn small(ui: &egui::Ui) -> FontId {
    TextStyle::Small.resolve(ui.style())
}
