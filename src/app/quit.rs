//! Closing the window.

use eframe::egui;

use super::Studio;

#[derive(PartialEq, Eq)]
pub(super) enum Quit {
    No,
    Asked,
    Yes,
}

impl Studio {
    /// A running computation is not thrown away without a word.
    pub(super) fn ask_before_quitting(&mut self, ctx: &egui::Context) {
        if ctx.input(|input| input.viewport().close_requested())
            && self.is_running()
            && self.demo().is_none()
            && self.quit == Quit::No
        {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            self.quit = Quit::Asked;
        }
        if self.quit != Quit::Asked {
            return;
        }
        let modal = egui::Modal::new(egui::Id::unique("quit")).show(ctx, |ui| {
            ui.heading("A run is under way");
            ui.label("Its estimate is lost unless it is saved.");
            ui.horizontal(|ui| {
                if ui.button("Go on").clicked() {
                    self.quit = Quit::No;
                }
                if ui.button("Quit").clicked() {
                    self.quit = Quit::Yes;
                    ctx.send_viewport_cmd(egui::ViewportCommand::Close);
                }
            });
        });
        if modal.should_close() {
            self.quit = Quit::No;
        }
    }
}
