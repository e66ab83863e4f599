//! Opening a capture in place of another one.

use eframe::egui;

use super::Studio;
use super::notice::Notice;
use super::source::{Loading, Wanted};

impl Studio {
    /// Begins to read; what is open stays until it is read.
    pub(super) fn read(&mut self, wanted: Wanted) {
        self.notice = Notice::hint(format!("Reading {} ...", wanted.name()));
        self.loading = Some(Loading::begin(wanted, self.notify.clone()));
    }

    /// Begins to read, unless a run would be thrown away: then it asks.
    pub(super) fn ask_to_read(&mut self, wanted: Wanted) {
        match self.is_running() && self.demo().is_none() {
            true => self.asked = Some(wanted),
            false => self.read(wanted),
        }
    }

    pub(super) fn ask_before_replacing(&mut self, ctx: &egui::Context) {
        let Some(wanted) = self.asked.clone() else {
            return;
        };
        let modal = egui::Modal::new(egui::Id::unique("replace")).show(ctx, |ui| {
            ui.heading("A run is under way");
            ui.label(format!(
                "Opening {} ends it; its estimate is lost unless it is saved.",
                wanted.name()
            ));
            ui.horizontal(|ui| {
                if ui.button("Go on with the run").clicked() {
                    self.asked = None;
                    self.run_when_loaded = false;
                }
                if ui.button("Open it").clicked() {
                    self.asked = None;
                    self.read(wanted);
                }
            });
        });
        if modal.should_close() {
            self.asked = None;
            self.run_when_loaded = false;
        }
    }
}
