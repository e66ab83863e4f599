use eframe::egui::{self, DragValue};

use crate::app::Studio;
use crate::worker::LiveExposure;

impl Studio {
    /// Gain and offset of the camera: given, or fitted where the model allows it.
    pub(super) fn exposure_rows(&mut self, ui: &mut egui::Ui) {
        let fitted = self.kept.setup.exposure() == LiveExposure::Fitted;
        let setup = &mut self.kept.setup;
        egui::CollapsingHeader::new("Gain and offset")
            .default_open(setup.fit_gain)
            .show(ui, |ui| {
                if setup.can_fit_gain() {
                    ui.checkbox(&mut setup.fit_gain, "Gain and offset unknown")
                        .on_hover_text(
                            "For real captures: what is recorded of light and of darkness is \
                             found",
                        );
                }
                if fitted {
                    let clips = self.probe.clips.as_ref();
                    let text = clips.map_or(String::new(), |clips| {
                        format!("live: gain {:.3}, offset {:.3}", clips.gain, clips.offset)
                    });
                    ui.weak(text)
                        .on_hover_text("What fits the live view best, in recorded units");
                    return;
                }
                egui::Grid::new("exposure").num_columns(2).show(ui, |ui| {
                    let name = ui.label("gain");
                    let drag = DragValue::new(&mut setup.gain)
                        .range(1e-6..=1e6)
                        .speed(0.01);
                    ui.add(drag).labelled_by(name.id).on_hover_text(
                        "What is recorded of intensity 1, above darkness: a share of full scale \
                         for integer formats, the value itself for real numbers (4095 for counts \
                         of 12 bits)",
                    );
                    ui.end_row();
                    let name = ui.label("offset");
                    let drag = DragValue::new(&mut setup.offset)
                        .range(-1e6..=1e6)
                        .speed(0.005);
                    ui.add(drag)
                        .labelled_by(name.id)
                        .on_hover_text("What is recorded of darkness, in the same units");
                    ui.end_row();
                });
            });
    }
}
