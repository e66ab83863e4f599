//! Presenter mode: full screen, large type, for a projector.

use eframe::egui::{self, ProgressBar, RichText, ViewportCommand};

use super::Studio;
use super::panes::{ContrastKind, Layout, Shown, View};
use super::playlist::Tour;

/// The window as the audience sees it.
#[derive(Default)]
pub(super) struct Presenter {
    pub on: bool,
    /// The playlist is being edited.
    pub editing: bool,
}

/// What an audience sees first.
pub(super) fn stage() -> View {
    View {
        layout: Layout::Two,
        panes: [
            Shown::Measurement,
            Shown::Estimate,
            Shown::Truth,
            Shown::Residual,
        ],
        // As recorded, so that a veil of haze is one.
        contrast: ContrastKind::Fixed,
        ..View::default()
    }
}

impl Studio {
    pub(super) fn toggle_presenter(&mut self, ctx: &egui::Context) {
        self.presenter.on = !self.presenter.on;
        let on = self.presenter.on;
        std::mem::swap(&mut self.kept.view, &mut self.kept.stage);
        ctx.send_viewport_cmd(ViewportCommand::Fullscreen(on));
        if on && self.tour.is_none() && (self.source.is_none() || self.demo().is_some()) {
            self.begin_tour();
        }
    }

    pub(super) fn present(&mut self, ui: &mut egui::Ui) {
        let height = ui.ctx().content_rect().height();
        let (huge, large) = (height / 22.0, height / 36.0);
        // The panes' own titles as well.
        for font in ui.style_mut().text_styles.values_mut() {
            font.size = font.size.max(height / 50.0);
        }
        egui::Panel::top("presenter title").show(ui, |ui| {
            ui.add_space(0.3 * large);
            ui.label(RichText::new(self.headline()).size(huge).strong());
            ui.label(RichText::new(self.story()).size(large));
            ui.add_space(0.3 * large);
        });
        egui::Panel::bottom("presenter numbers").show(ui, |ui| {
            ui.add_space(0.3 * large);
            self.numbers(ui, huge);
            ui.add_space(0.3 * large);
            ui.horizontal(|ui| self.presenter_controls(ui));
            self.notice.show(ui);
        });
        egui::CentralPanel::default().show(ui, |ui| match self.source {
            Some(_) => self.pane_grid(ui),
            None => {
                ui.centered_and_justified(|ui| ui.spinner());
            }
        });
    }

    fn headline(&self) -> String {
        match &self.source {
            Some(source) => source.name(),
            None => "VDPS Studio".into(),
        }
    }

    /// What is being done, in plain words.
    fn story(&self) -> String {
        if let Some(demo) = self.demo() {
            return format!("{} {}", demo.scene, demo.task);
        }
        let setup = &self.kept.setup;
        format!("{}, {}", setup.model.label(), setup.method.label())
    }

    fn numbers(&self, ui: &mut egui::Ui, size: f32) {
        let Some(run) = self.runs.shown() else {
            ui.label(RichText::new(" ").size(size));
            return;
        };
        let number = |ui: &mut egui::Ui, text: String| {
            ui.label(RichText::new(text).size(size).monospace());
        };
        let progress = run.newest.map(|stepped| stepped.progress);
        ui.columns(3, |columns| {
            let step = match progress {
                Some(progress) => format!("step {} of {}", progress.done, progress.total),
                None => "preparing".into(),
            };
            number(&mut columns[0], step);
            if let Some(shown) = run.shown() {
                let residual = match shown.residual_rms {
                    rms if rms.is_finite() => format!("residual {rms:.4}"),
                    _ => "searching ...".into(),
                };
                number(&mut columns[1], residual);
                if let Some(psnr) = shown.psnr_db {
                    number(&mut columns[2], format!("PSNR {psnr:.1} dB"));
                }
            }
        });
        if let Some(progress) = progress {
            let share = progress.done as f32 / progress.total.max(1) as f32;
            ui.add(ProgressBar::new(share).desired_height(0.3 * size));
        }
    }

    fn presenter_controls(&mut self, ui: &mut egui::Ui) {
        if ui
            .button("Leave")
            .on_hover_text("Back to the panels (Esc or F11)")
            .clicked()
        {
            self.toggle_presenter(&ui.ctx().clone());
        }
        if ui
            .button("Playlist ...")
            .on_hover_text("Which demos are shown, and for how long")
            .clicked()
        {
            self.presenter.editing = true;
        }
        if self.source.is_some() {
            let label = match self.runs.active() {
                None => "Start",
                Some(run) if run.paused => "Resume",
                Some(_) => "Pause",
            };
            if ui.button(label).on_hover_text("Space").clicked() {
                self.toggle_pause();
            }
        }
        self.pace_control(ui);
        self.tour_control(ui);
        if self.tour.is_some()
            && ui
                .button("Stay")
                .on_hover_text("Do not go on to the next demo")
                .clicked()
        {
            self.tour = None;
        }
    }

    pub(super) fn edit_playlist(&mut self, ctx: &egui::Context) {
        if !self.presenter.editing {
            return;
        }
        let modal = egui::Modal::new(egui::Id::unique("playlist")).show(ctx, |ui| {
            ui.heading("Playlist");
            ui.label("Presenter mode shows these demos one after the other, for ever.");
            ui.add_space(6.0);
            self.kept.playlist.edit(ui);
            ui.add_space(6.0);
            ui.horizontal(|ui| {
                if ui.button("Play the playlist").clicked() {
                    self.presenter.editing = false;
                    if !self.presenter.on {
                        self.toggle_presenter(ctx);
                    }
                    self.tour = Some(Tour::default());
                    if self.demo().is_none() {
                        self.next_demo();
                    }
                }
                if ui.button("Close").clicked() {
                    self.presenter.editing = false;
                }
            });
        });
        if modal.should_close() {
            self.presenter.editing = false;
        }
    }
}
