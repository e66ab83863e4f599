//! The divider between two clips in one pane.

use eframe::egui::{self, Color32, CursorIcon, Key, Rect, Sense, Stroke, WidgetInfo, pos2};

use super::Studio;
use super::overlay::LINE;

/// How far the divider can be grabbed from, in points.
const GRAB: f32 = 6.0;

impl Studio {
    /// Dragged, or moved with the arrow keys once it has focus.
    pub(super) fn divider(&mut self, ui: &egui::Ui, picture: Rect) {
        let wipe = &mut self.kept.view.wipe;
        let x = egui::lerp(picture.x_range(), *wipe);
        let grab = Rect::from_x_y_ranges(x - GRAB..=x + GRAB, picture.y_range());
        let response = ui
            .interact(grab, ui.scope_id().with("divider"), Sense::click_and_drag())
            .on_hover_cursor(CursorIcon::ResizeHorizontal);
        if let Some(pointer) = response
            .interact_pointer_pos()
            .filter(|_| response.dragged())
        {
            *wipe = (pointer.x - picture.left()) / picture.width();
        }
        if response.has_focus() {
            // The arrows would otherwise go on to the next control.
            let arrows = egui::EventFilter {
                horizontal_arrows: true,
                ..egui::EventFilter::default()
            };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
            let step = ui.input(|input| {
                let presses = |key| input.num_presses(key) as f32;
                presses(Key::ArrowRight) - presses(Key::ArrowLeft)
            });
            *wipe += 0.02 * step;
        }
        *wipe = wipe.clamp(0.0, 1.0);
        let value = f64::from(*wipe);
        response.widget_info(|| WidgetInfo::slider(true, value, "wipe divider"));
        let held = response.hovered() || response.dragged() || response.has_focus();
        let colour = if held { LINE } else { Color32::WHITE };
        let painter = ui.painter();
        painter.vline(x, picture.y_range(), Stroke::new(3.0, Color32::BLACK));
        painter.vline(x, picture.y_range(), Stroke::new(1.5, colour));
        painter.circle(
            pos2(x, picture.center().y),
            5.0,
            colour,
            Stroke::new(1.0, Color32::BLACK),
        );
    }
}
