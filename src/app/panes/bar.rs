//! The controls of the views.

use eframe::egui::{self, ComboBox, DragValue};

use super::view::{ContrastKind, Values};
use super::{Layout, Studio};
use crate::app::probe::Subject;
use crate::display::{ColourMap, Range};

impl Studio {
    pub(super) fn view_bar(&mut self, ui: &mut egui::Ui) {
        ui.horizontal_wrapped(|ui| {
            self.layouts(ui);
            ui.separator();
            if ui
                .button("Whole")
                .on_hover_text(
                    "Undo zoom and pan (Home). Scroll or press + and - to zoom, drag to move.",
                )
                .clicked()
            {
                self.kept.view.whole();
            }
            let on = self.panes.profile.on;
            if ui
                .selectable_label(on, "Profile")
                .on_hover_text(
                    "Draw a line over a pane and see the values along it in all panes (P). With \
                     Shift held down dragging draws it at any time.",
                )
                .clicked()
            {
                self.toggle_profile();
            }
            // Together on the next line where this one is full.
            ui.horizontal(|ui| self.remeasured_at(ui));
        });
        ui.horizontal_wrapped(|ui| self.colours(ui));
    }

    fn layouts(&mut self, ui: &mut egui::Ui) {
        for layout in Layout::ALL {
            let chosen = self.kept.view.layout == layout && self.panes.maximised.is_none();
            let about = match layout {
                Layout::One => "One pane",
                Layout::Two => "Two panes side by side",
                Layout::Four => "Four panes",
                Layout::Wipe => "Two clips in one pane, with a divider to drag between them (W)",
            };
            let button = ui.selectable_label(chosen, layout.short());
            if button.on_hover_text(about).clicked() {
                self.kept.view.layout = layout;
                self.panes.maximised = None;
            }
        }
    }

    fn remeasured_at(&mut self, ui: &mut egui::Ui) {
        if self.runs.shown().is_some_and(|run| run.shown().is_some()) {
            ui.separator();
            ui.label("A at");
            ui.selectable_value(&mut self.probe.shown, false, "run")
                .on_hover_text("Re-measure with what the run uses or has found");
            ui.selectable_value(&mut self.probe.shown, true, "sliders")
                .on_hover_text("Re-measure with what the panel on the left says");
        }
        if self
            .source
            .as_ref()
            .is_some_and(|source| source.truth.is_some())
        {
            ui.separator();
            ui.label("A of");
            ui.selectable_value(&mut self.probe.of_truth, false, "x0")
                .on_hover_text("Re-measure the estimate; before there is one, a first guess");
            ui.selectable_value(&mut self.probe.of_truth, true, "truth")
                .on_hover_text(
                    "Re-measure the true video at the sliders' values: the residual falls to the \
                     noise where they are right",
                );
        }
        if let Some(error) = &self.probe.error {
            ui.colored_label(ui.visuals().error_fg_color, error);
        } else if let Some(clips) = self.probe.clips.as_ref().filter(|_| self.is_probed()) {
            ui.label(format!("residual {:.5} rms", clips.residual_rms))
                .on_hover_text(match self.subject() {
                    Subject::Truth => "Of the true video, re-measured at the sliders' values",
                    Subject::Estimate => "Of the estimate, re-measured at the sliders' values",
                    Subject::FirstGuess => {
                        "Of a first guess made from the measurement, which says little about the \
                         distance: the Map does"
                    }
                });
        }
    }

    fn colours(&mut self, ui: &mut egui::Ui) {
        let view = &mut self.kept.view;
        let choice = |ui: &mut egui::Ui,
                      name: &str,
                      chosen: &str,
                      about: &str,
                      menu: &mut dyn FnMut(&mut egui::Ui)| {
            let label = ui.weak(name);
            ComboBox::from_id_salt(name)
                .width(60.0)
                .selected_text(chosen)
                .show_ui(ui, menu)
                .response
                .labelled_by(label.id)
                .on_hover_text(about);
        };
        choice(
            ui,
            "Colours",
            view.map.label(),
            "Of all panes but the residual, which is blue below zero and red above",
            &mut |ui| {
                for map in [ColourMap::Grey, ColourMap::Viridis] {
                    ui.selectable_value(&mut view.map, map, map.label());
                }
            },
        );
        choice(
            ui,
            "Values",
            view.values.label(),
            "A camera records intensity, the estimate is amplitude: intensity is amplitude squared",
            &mut |ui| {
                for values in Values::ALL {
                    ui.selectable_value(&mut view.values, values, values.label());
                }
            },
        );
        choice(
            ui,
            "Contrast",
            view.contrast.label(),
            "Which values the darkest and the brightest colour stand for; of all frames, so that \
             playing does not flicker",
            &mut |ui| {
                for kind in ContrastKind::ALL {
                    ui.selectable_value(&mut view.contrast, kind, kind.label());
                }
            },
        );
        match view.contrast {
            ContrastKind::Full => {}
            ContrastKind::Percentiles => {
                let (low, high) = &mut view.percentiles;
                let percent = |value| {
                    DragValue::new(value)
                        .speed(0.05)
                        .max_decimals(2)
                        .suffix(" %")
                };
                let darkest = percent(low).range(0.0..=49.0);
                let about = "Darkest colour: this share of the values is below it";
                named(ui, "low percentile", darkest, about);
                let brightest = percent(high).range(51.0..=100.0);
                let about = "Brightest colour: this share of the values is below it";
                named(ui, "high percentile", brightest, about);
            }
            ContrastKind::Fixed => {
                let Range { low, high } = &mut view.fixed;
                let end = |value| DragValue::new(value).speed(0.005).max_decimals(4);
                let about = "Value of the darkest colour, in the unit of each pane";
                named(ui, "low end", end(low), about);
                let about = "Value of the brightest colour, in the unit of each pane";
                named(ui, "high end", end(high), about);
                *high = high.max(*low + 1e-6);
            }
        }
    }
}

/// A field that has no room for a label of its own.
fn named(ui: &mut egui::Ui, name: &str, field: DragValue<'_>, about: &str) {
    let field = ui.add(field).on_hover_text(about);
    ui.ctx()
        .accesskit_node_builder(field.id, |node| node.set_label(name));
}
