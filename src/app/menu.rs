use std::path::Path;

use eframe::egui::{self, containers::menu::MenuBar};

use super::Studio;
use super::dialog::Chosen;
use super::panes::Layout;

impl Studio {
    pub(super) fn menu(&mut self, ui: &mut egui::Ui) {
        MenuBar::new().ui(ui, |ui| {
            ui.menu_button("File", |ui| self.file_menu(ui));
            ui.menu_button("Edit", |ui| {
                let setup = &self.kept.setup;
                let (can_undo, can_redo) =
                    (self.undoer.has_undo(setup), self.undoer.has_redo(setup));
                let undo = egui::Button::new("Undo").shortcut_text("Ctrl+Z");
                if ui.add_enabled(can_undo, undo).clicked() {
                    self.undo();
                }
                let redo = egui::Button::new("Redo").shortcut_text("Ctrl+Shift+Z");
                if ui.add_enabled(can_redo, redo).clicked() {
                    self.redo();
                }
                if ui.button("Reset the model and method").clicked() {
                    self.kept.setup = super::Setup::default();
                }
            });
            ui.menu_button("View", |ui| {
                for layout in Layout::ALL {
                    ui.radio_value(&mut self.kept.view.layout, layout, layout.label());
                }
                ui.separator();
                if ui
                    .add(egui::Button::new("Whole frame").shortcut_text("Home"))
                    .clicked()
                {
                    self.kept.view.whole();
                }
                let dark = ui.visuals().dark_mode;
                let other = if dark { "Light theme" } else { "Dark theme" };
                if ui.button(other).clicked() {
                    self.set_theme(&ui.ctx().clone(), !dark);
                }
                egui::gui_zoom::zoom_menu_buttons(ui);
                ui.separator();
                ui.horizontal(|ui| {
                    let name = ui.label("Memory for estimates");
                    let range = super::runs::LEAST_MB..=65_536;
                    let memory = egui::DragValue::new(&mut self.kept.history_mb);
                    ui.add(memory.range(range).suffix(" MB"))
                        .labelled_by(name.id)
                        .on_hover_text("When it is full, every other step of the longest run goes");
                });
                ui.weak(self.panes.canvas.about());
            });
            ui.menu_button("Run", |ui| {
                let running = self.is_running();
                let button = |label: &'static str, key| egui::Button::new(label).shortcut_text(key);
                if ui.add(button("Start, pause or go on", "Space")).clicked() {
                    self.toggle_pause();
                }
                if ui.add_enabled(running, button("One step", ".")).clicked() {
                    self.step_once();
                }
                if ui.add_enabled(running, button("Stop", "Esc")).clicked() {
                    self.worker.cancel();
                }
                ui.separator();
                let has_source = self.source.is_some();
                let copy = egui::Button::new("Copy as a command");
                if ui.add_enabled(has_source, copy).clicked()
                    && let Some(command) = self.command(Path::new("results/run"))
                {
                    ui.ctx().copy_text(shell(&command));
                }
            });
            ui.menu_button("Present", |ui| {
                let presenter = egui::Button::new("Presenter mode").shortcut_text("F11");
                if ui.add(presenter).clicked() {
                    self.toggle_presenter(&ui.ctx().clone());
                }
                if ui.button("Play all demos").clicked() {
                    self.begin_tour();
                }
                if ui.button("Playlist ...").clicked() {
                    self.presenter.editing = true;
                }
            });
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let briefing = self.runs.shown().and_then(|run| run.briefing.as_ref());
                let device = briefing.map_or("processor", |briefing| &briefing.device);
                let why = briefing.map_or("Nothing has been computed yet", |b| &b.device_why);
                ui.weak(device).on_hover_text(why);
            });
        });
    }

    fn file_menu(&mut self, ui: &mut egui::Ui) {
        let open = egui::Button::new("Open a capture ...").shortcut_text("Ctrl+O");
        if ui.add(open).clicked() {
            self.choose(Chosen::Capture);
        }
        if ui.button("Open a folder of pictures ...").clicked() {
            self.choose(Chosen::Pictures);
        }
        if ui.button("Demos ...").clicked() {
            self.gallery.open = true;
        }
        let has_source = self.source.is_some();
        let truth = egui::Button::new("Open its true video ...");
        if ui.add_enabled(has_source, truth).clicked() {
            self.choose(Chosen::Truth);
        }
        ui.menu_button("Recent", |ui| {
            if self.kept.recent.is_empty() {
                ui.weak("nothing yet");
            }
            for path in self.kept.recent.clone() {
                if ui.button(path.display().to_string()).clicked() {
                    self.open(path, None);
                }
            }
        });
        ui.separator();
        let can_save = self.runs.can_save();
        let save = egui::Button::new("Save the result ...").shortcut_text("Ctrl+S");
        if ui.add_enabled(can_save, save).clicked() {
            self.choose(Chosen::Folder);
        }
        ui.menu_button("Export", |ui| self.export_menu(ui));
        ui.separator();
        if ui.button("Quit").clicked() {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }
}

/// As one would type it.
pub(super) fn shell(command: &[String]) -> String {
    let plain = |word: &str| {
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_=./,:+".contains(c);
        !word.is_empty() && word.chars().all(safe)
    };
    let quoted = command.iter().map(|word| match plain(word) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    });
    std::iter::once("vdps".to_owned())
        .chain(quoted)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_spaces_are_quoted() {
        let command = ["reconstruct", "my clip.gif", "--dist=2.5..10", "it's"];
        assert_eq!(
            shell(&command.map(String::from)),
            r"vdps reconstruct 'my clip.gif' --dist=2.5..10 'it'\''s'"
        );
    }
}
