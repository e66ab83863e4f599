//! All frames side by side, and playing them.

use eframe::egui::{self, Sense, Stroke, StrokeKind, Vec2};

use super::Studio;
use super::panes::Shown;

const HEIGHT: f32 = 52.0;

impl Studio {
    pub(super) fn strip(&mut self, ui: &mut egui::Ui) {
        if self.source.is_none() {
            return;
        }
        ui.horizontal(|ui| {
            let label = if self.playback.playing {
                "Hold"
            } else {
                "Play"
            };
            if ui
                .button(label)
                .on_hover_text("Plays the frames in a loop")
                .clicked()
            {
                self.playback.playing = !self.playback.playing;
            }
            let rate = egui::DragValue::new(&mut self.playback.rate).range(1.0..=60.0);
            let rate = ui.add(rate);
            let name = ui.label("frames/s");
            rate.labelled_by(name.id);
            ui.separator();
            ui.label(format!("frame {} of {}", self.frame() + 1, self.frames()));
            self.steps(ui);
        });
        let frames = |shown| self.clip(shown).map(|clip| (shown, clip.shape()));
        let Some((shown, shape)) = frames(Shown::Estimate).or_else(|| frames(Shown::Measurement))
        else {
            return;
        };
        let size = Vec2::new(HEIGHT * shape.width as f32 / shape.height as f32, HEIGHT);
        egui::ScrollArea::horizontal()
            .id_salt("frames")
            .show(ui, |ui| {
                ui.horizontal(|ui| {
                    for frame in 0..shape.frames {
                        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
                        if !ui.is_rect_visible(rect) {
                            continue;
                        }
                        if let Some(layer) = self.layer(shown, frame) {
                            self.panes.canvas.thumbnail(ui, frame, rect, &layer);
                        }
                        if frame == self.frame() {
                            let stroke = Stroke::new(2.0, ui.visuals().selection.bg_fill);
                            ui.painter()
                                .rect_stroke(rect, 0.0, stroke, StrokeKind::Outside);
                        }
                        if response
                            .on_hover_text(format!("frame {}", frame + 1))
                            .clicked()
                        {
                            self.playback.at = frame as f32;
                            self.playback.playing = false;
                        }
                    }
                });
            });
    }

    /// Back through the estimates of a run.
    fn steps(&mut self, ui: &mut egui::Ui) {
        let Some(run) = self.runs.shown_mut() else {
            return;
        };
        if run.history.len() < 2 {
            return;
        }
        ui.separator();
        let last = run.history.len() - 1;
        let mut at = run.chosen.unwrap_or(last).min(last);
        let step = run.history[at].step;
        let slider = egui::Slider::new(&mut at, 0..=last)
            .show_value(false)
            .text(format!("estimate of step {step}"));
        if ui
            .add(slider)
            .on_hover_text("Goes back through the estimates of this run")
            .changed()
        {
            run.chosen = (at < last).then_some(at);
        }
        if run.chosen.is_some() && ui.button("Newest").clicked() {
            run.chosen = None;
        }
    }
}
