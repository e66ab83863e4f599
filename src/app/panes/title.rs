//! The line above a pane: what it shows, and the button that gives it all the room.

use eframe::egui::{self, Align, Rect, Role, Stroke, StrokeKind, Vec2, WidgetInfo, vec2};

use super::{PaneOf, Shown, Studio};
use crate::display::short;

impl Studio {
    pub(super) fn titles(&mut self, ui: &mut egui::Ui, pane: PaneOf) {
        ui.horizontal(|ui| {
            let places = [(pane.index, pane.left)]
                .into_iter()
                .chain(pane.right.map(|right| (1, right)));
            for (place, shown) in places {
                let name = ui.weak(format!("pane {}", place + 1));
                egui::ComboBox::from_id_salt(("shown", place))
                    .selected_text(shown.label())
                    .show_ui(ui, |ui| {
                        for other in Shown::ALL {
                            let chosen = &mut self.kept.view.panes[place];
                            ui.selectable_value(chosen, other, other.label());
                        }
                    })
                    .response
                    .labelled_by(name.id);
                if shown == Shown::Residual {
                    self.residual_scale(ui);
                    continue;
                }
                let own = shown.quantity();
                let quantity = own.after(own.shown_as(self.kept.view.values.of(own)));
                ui.weak(quantity.label());
            }
            ui.with_layout(egui::Layout::right_to_left(Align::Center), |ui| {
                let maximised = self.panes.maximised.is_some();
                let (name, about) = match maximised {
                    true => ("Back", "Back to all panes (M, or double-click)"),
                    false => (
                        "Maximise",
                        "Give this pane all the room (M, or double-click)",
                    ),
                };
                if self.kept.view.layout.grid() == (1, 1) {
                    return;
                }
                let size = Vec2::splat(ui.spacing().interact_size.y - 2.0);
                let button = ui
                    .add_sized(size, egui::Button::new(""))
                    .on_hover_text(about);
                button.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
                frames(ui, button.rect.shrink(4.0), maximised);
                if button.clicked() {
                    self.toggle_maximised(pane.index);
                }
            });
        });
    }

    fn residual_scale(&mut self, ui: &mut egui::Ui) {
        let label = ui.weak("\u{b1}");
        let end = egui::DragValue::new(&mut self.kept.view.residual_end)
            .speed(0.001)
            .range(0.0..=1e6)
            .max_decimals(6)
            .custom_formatter(|end, _| match end {
                0.0 => "fits".into(),
                _ => short(end),
            });
        ui.add(end).labelled_by(label.id).on_hover_text(
            "End of the residual's scale each way, in intensity; 0 fits it to the residual's rms: \
             four times as far",
        );
    }
}

/// Sign of a button: one frame, or the four that it goes back to.
fn frames(ui: &egui::Ui, room: Rect, several: bool) {
    let stroke = Stroke::new(1.2, ui.visuals().text_color());
    let frame = |rect: Rect| {
        ui.painter()
            .rect_stroke(rect, 1.0, stroke, StrokeKind::Inside)
    };
    if !several {
        frame(room);
        return;
    }
    let size = 0.5 * room.size();
    for corner in [
        vec2(0.0, 0.0),
        vec2(1.0, 0.0),
        vec2(0.0, 1.0),
        vec2(1.0, 1.0),
    ] {
        frame(Rect::from_min_size(room.min + corner * size, size));
    }
}
