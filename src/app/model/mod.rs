//! The forward model's panel.

mod drawing;
mod exposure;
mod mask;
mod presets;
mod response;
mod scatter;
mod zernike;

use eframe::egui::{self, Slider};

use super::Studio;
use super::setup::Model;

pub use drawing::Drawing;
pub use mask::Brush;
pub use presets::{Manager, Preset};
pub use response::{PsfScale, ResponsePicture};

impl Studio {
    pub(super) fn model_panel(&mut self, ui: &mut egui::Ui) {
        let name = ui
            .horizontal(|ui| {
                let name = ui.heading("Forward model");
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    self.presets_menu(ui);
                });
                name
            })
            .inner;
        let setup = &mut self.kept.setup;
        egui::ComboBox::from_id_salt("model")
            .selected_text(setup.model.label())
            .width(ui.available_width() - 8.0)
            .show_ui(ui, |ui| {
                for model in Model::ALL {
                    ui.selectable_value(&mut setup.model, model, model.label());
                }
            })
            .response
            .labelled_by(name.id)
            .on_hover_text("What stands between the scene and the camera");
        ui.add_space(4.0);
        // Rail, value and the longest name share the panel's width; together they must stay below
        // it, or the panel would grow with them.
        ui.spacing_mut().slider_width = (ui.available_width() - 205.0).clamp(60.0, 240.0);
        match self.kept.setup.model {
            Model::Scatter => self.scatter(ui),
            Model::Zernike => {
                self.response_pictures(ui);
                self.zernike(ui);
            }
            Model::Blur => {
                let width = &mut self.kept.setup.blur_sigma_px;
                let slider = Slider::new(width, 0.3..=8.0).suffix(" px");
                ui.add(slider.text("width")).on_hover_text(
                    "Standard deviation of the blur in pixels. The published blur is 3 px wide",
                );
                self.response_pictures(ui);
            }
            Model::Dehaze => {
                ui.weak("The published haze: its values are fixed.");
            }
            Model::Inpaint => self.inpaint(ui),
        }
        self.exposure_rows(ui);
        self.run_values(ui);
        if let Some(clips) = &self.probe.clips {
            for warning in &clips.warnings {
                ui.colored_label(ui.visuals().warn_fg_color, warning);
            }
        }
        ui.separator();
    }

    /// Offers what the shown estimate of a run was made with.
    fn run_values(&mut self, ui: &mut egui::Ui) {
        let shown = self.runs.shown().and_then(|run| run.shown());
        let Some(parameters) = shown.map(|shown| shown.parameters.clone()) else {
            return;
        };
        let mut taken = self.kept.setup.clone();
        if !taken.take_values(&parameters) || taken == self.kept.setup {
            return;
        }
        if ui
            .button("Take over the run's values")
            .on_hover_text(
                "The sliders and the live view start from what the run uses or has found, for \
                 each frame where it differs",
            )
            .clicked()
        {
            self.kept.setup = taken;
            self.probe.shown = true;
        }
    }

    /// Whether the sliders hold the values of one frame.
    fn frame_values(&mut self, ui: &mut egui::Ui) {
        let (frame, frames) = (self.frame(), self.frames());
        let setup = &mut self.kept.setup;
        let before = setup.differs_by_frame();
        let looked_for = match setup.model {
            Model::Zernike => setup.coefficients_unknown,
            _ => setup.dist_mm.unknown || setup.sigma_px.unknown,
        };
        if (frames < 2 || looked_for) && !before {
            return;
        }
        let mut differs = before;
        let text = match before {
            true => format!("values of frame {}", frame + 1),
            false => "a value for each frame".to_owned(),
        };
        ui.checkbox(&mut differs, text).on_hover_text(
            "The sliders then hold the values of the frame that is shown; without it, one value \
             serves all frames",
        );
        match (before, differs) {
            (false, true) => setup.differ_by_frame(frames),
            (true, false) => setup.use_for_all(frame),
            _ => {}
        }
    }
}
