use eframe::egui::{self, DragValue};

use super::Studio;
use super::dialog::Chosen;
use super::run::Run;
use super::setup::{Device, Method, Prior};
use crate::solver::Progress;
use crate::worker::Stepped;

impl Studio {
    pub(super) fn run_panel(&mut self, ui: &mut egui::Ui) {
        ui.heading("Run");
        egui::Grid::new("run").num_columns(2).show(ui, |ui| {
            let setup = &mut self.kept.setup;
            let name = ui.label("method");
            egui::ComboBox::from_id_salt("method")
                .selected_text(setup.method.label())
                .show_ui(ui, |ui| {
                    for method in Method::ALL {
                        ui.selectable_value(&mut setup.method, method, method.label())
                            .on_hover_text(method.about());
                    }
                })
                .response
                .labelled_by(name.id)
                .on_hover_text(setup.method.about());
            ui.end_row();
            let name = ui.label("prior");
            egui::ComboBox::from_id_salt("prior")
                .selected_text(setup.prior.label())
                .show_ui(ui, |ui| {
                    for prior in Prior::ALL {
                        ui.selectable_value(&mut setup.prior, prior, prior.label())
                            .on_hover_text(prior.about());
                    }
                })
                .response
                .labelled_by(name.id)
                .on_hover_text("What is known of video before anything is measured");
            ui.end_row();
            if setup.method == Method::Auto {
                let name = ui.label("time");
                let drag = DragValue::new(&mut setup.budget_s)
                    .range(1..=36000)
                    .suffix(" s");
                ui.add(drag)
                    .labelled_by(name.id)
                    .on_hover_text("What the run may take");
                ui.end_row();
            }
            if setup.method == Method::Fast {
                ui.label("answer");
                ui.checkbox(&mut setup.sample, "a sample").on_hover_text(
                    "One of the many videos that explain the measurement, drawn by the seed from \
                     a network, in place of the best answer. Seeds differ where the data say \
                     nothing.",
                );
                ui.end_row();
            }
            if setup.method == Method::Reference {
                let name = ui.label("steps");
                ui.add(DragValue::new(&mut setup.steps).range(2..=1000))
                    .labelled_by(name.id)
                    .on_hover_text("Spread over the published 1000");
                ui.end_row();
                let name = ui.label("guidance");
                ui.add(
                    DragValue::new(&mut setup.guidance)
                        .range(0.0..=20.0)
                        .speed(0.01),
                )
                .labelled_by(name.id)
                .on_hover_text("Multiplies the published weight of the measurement");
                ui.end_row();
            }
            let name = ui.label("seed");
            ui.add(DragValue::new(&mut setup.seed))
                .labelled_by(name.id)
                .on_hover_text("A seed gives the same clip every time");
            ui.end_row();
            if setup.has_network() {
                let name = ui.label("device");
                egui::ComboBox::from_id_salt("device")
                    .selected_text(setup.device.label())
                    .show_ui(ui, |ui| {
                        for device in Device::ALL {
                            ui.selectable_value(&mut setup.device, device, device.label());
                        }
                    })
                    .response
                    .labelled_by(name.id)
                    .on_hover_text(
                        "Where the network computes; a GPU has to reproduce known numbers first",
                    );
                ui.end_row();
            }
        });
        if let Some(briefing) = self.runs.shown().and_then(|run| run.briefing.as_ref())
            && self.kept.setup.has_network()
        {
            ui.weak(format!("{}: {}", briefing.device, briefing.device_why))
                .on_hover_text("The device of the run that is shown, and why it was taken");
        }
        self.expectation(ui);
        if self.kept.setup.prior == Prior::Checkpoint {
            let file = self.kept.setup.checkpoint.as_ref();
            let name = file
                .and_then(|file| file.file_name())
                .map(|name| name.to_string_lossy());
            let label = name.map_or("Choose the network's file ...".into(), |name| {
                name.to_string()
            });
            if ui.button(label).clicked() {
                self.choose(Chosen::Checkpoint);
            }
        }
        ui.add_space(4.0);
        self.buttons(ui);
        self.progress(ui);
        ui.separator();
    }

    /// How long a run takes here: by the last one of its kind, else by the nominal times.
    fn expectation(&self, ui: &mut egui::Ui) {
        let setup = &self.kept.setup;
        ui.weak(setup.method.about());
        let (Some(source), Some(method)) = (&self.source, setup.method.planned()) else {
            return;
        };
        let like = |run: &&Run| {
            run.setup.method == setup.method
                && run.setup.model == setup.model
                && run.setup.task() == setup.task()
                && run.setup.device == setup.device
                && run.setup.prior == setup.prior
                && run.setup.checkpoint == setup.checkpoint
        };
        let measured = self.runs.all().iter().rev().filter(like).find_map(|run| {
            let Stepped { progress, solver_s } = run.newest?;
            let steps = match setup.method {
                Method::Reference => setup.steps,
                _ => progress.total,
            };
            (progress.done > 1).then(|| solver_s / progress.done as f64 * steps as f64)
        });
        let (seconds, why) = match (measured, setup.method) {
            (Some(seconds), _) => (seconds, "by the steps of the last run"),
            // A network's size decides, which only a step can tell.
            (None, _) if setup.has_network() => return,
            (None, Method::Reference) => return,
            (None, _) => (
                setup.task().nominal_s(method, &setup.unfiled_prior(method)) * source.slowness,
                "by the speed of the forward model here",
            ),
        };
        ui.weak(format!("About {} here, {why}.", duration(seconds)));
    }

    fn buttons(&mut self, ui: &mut egui::Ui) {
        let running = self.is_running();
        let paused = self.runs.active().is_some_and(|run| run.paused);
        ui.horizontal(|ui| {
            let label = match (running, paused) {
                (false, _) => "Start",
                (true, false) => "Pause",
                (true, true) => "Resume",
            };
            let start = egui::Button::new(label);
            if ui
                .add_enabled(self.source.is_some(), start)
                .on_hover_text("Space")
                .on_disabled_hover_text("Open a capture first")
                .clicked()
            {
                self.toggle_pause();
            }
            let step = egui::Button::new("Step");
            if ui
                .add_enabled(running, step)
                .on_hover_text("One step, then wait (.)")
                .clicked()
            {
                self.step_once();
            }
            let stop = egui::Button::new("Stop");
            if ui
                .add_enabled(running, stop)
                .on_hover_text("Ends after the present step; the estimate stays (Esc)")
                .clicked()
            {
                self.worker.cancel();
            }
            let restart = egui::Button::new("Restart");
            if ui
                .add_enabled(running, restart)
                .on_hover_text("Ends this run and begins anew with what the panels say")
                .clicked()
            {
                self.start();
            }
        });
    }

    fn progress(&self, ui: &mut egui::Ui) {
        if self.needs_restart() {
            ui.colored_label(
                ui.visuals().warn_fg_color,
                "The run goes on with what it was started with: Restart uses what the panels say.",
            );
        }
        let Some(run) = self.runs.active().or(self.runs.shown()) else {
            return;
        };
        let Some(stepped) = run.newest else {
            if run.is_running() {
                ui.horizontal(|ui| {
                    ui.spinner();
                    ui.label("preparing");
                });
            }
            return;
        };
        let Progress { done, total, .. } = stepped.progress;
        let share = done as f32 / total.max(1) as f32;
        ui.add(egui::ProgressBar::new(share).text(format!("step {done} of {total}")));
        let rate = done as f64 / stepped.solver_s.max(1e-3);
        let left = (total - done) as f64 / rate;
        let time = match (run.is_running(), self.pace) {
            (true, None) => format!("{rate:.1} steps/s, about {left:.0} s left"),
            (true, Some(_)) => format!("{rate:.1} steps/s, slowed to be watched"),
            (false, _) => format!("{:.1} s in all", stepped.solver_s),
        };
        ui.weak(time);
    }
}

/// A time as one says it.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{:.0} s", s.max(1.0)),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}
