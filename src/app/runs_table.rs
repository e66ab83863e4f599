//! Runs beside each other.

use eframe::egui;

use super::Studio;
use super::changes;
use super::menu::shell;
use super::run::Run;
use super::setup::{Model, Setup};
use crate::worker::Ended;

impl Studio {
    pub(super) fn runs_table(&mut self, ui: &mut egui::Ui) {
        if self.runs.all().is_empty() {
            ui.weak("Runs of this capture are listed here: click one to look at it again.");
            return;
        }
        self.runs_bar(ui);
        let mut wanted = None;
        egui::ScrollArea::both()
            .id_salt("runs")
            .auto_shrink(false)
            .show(ui, |ui| {
                egui::Grid::new("runs table")
                    .num_columns(7)
                    .striped(true)
                    .spacing([18.0, 4.0])
                    .show(ui, |ui| {
                        for title in [
                            "run",
                            "method",
                            "parameters",
                            "steps",
                            "residual",
                            "PSNR",
                            "time",
                        ] {
                            ui.strong(title);
                        }
                        ui.end_row();
                        let shown = self.runs.shown().map(|run| run.id);
                        for (index, run) in self.runs.all().iter().enumerate() {
                            let name = ui
                                .selectable_label(shown == Some(run.id), &run.name)
                                .on_hover_text("Look at this run");
                            if name.clicked() {
                                wanted = Some(index);
                            }
                            row(ui, run);
                            ui.end_row();
                        }
                    });
            });
        if let Some(index) = wanted {
            self.runs.show(index);
        }
    }

    fn runs_bar(&mut self, ui: &mut egui::Ui) {
        let branch = self.branch_changes();
        let command = self.command_of_run(std::path::Path::new("results/run"));
        let mut forget = false;
        let mut go = false;
        let mut take = None;
        let mut pin = false;
        let pinned = self.pinned.as_ref().map(|pinned| pinned.name.clone());
        ui.horizontal(|ui| {
            if let Some(run) = self.runs.shown_mut() {
                let name = ui.label("name");
                ui.add(egui::TextEdit::singleline(&mut run.name).desired_width(180.0))
                    .labelled_by(name.id);
                let label = match run.shown() {
                    Some(shown) => format!("Branch from step {}", shown.step),
                    None => "Branch".into(),
                };
                let button = ui.add_enabled(branch.is_ok(), egui::Button::new(label));
                let button = button.on_hover_text(
                    "Repeats this run up to the estimate that is shown, and goes on with what the \
                     panels say",
                );
                go = match branch {
                    Ok(_) => button,
                    Err(why) => button.on_disabled_hover_text(why),
                }
                .clicked();
                if ui
                    .button("Panels as in this run")
                    .on_hover_text("Sets the sliders to what this run ended with")
                    .clicked()
                {
                    take = Some(run.present_setup().clone());
                }
                if let Some(command) = command
                    && ui
                        .button("Copy its command")
                        .on_hover_text("The command line that does this run again")
                        .clicked()
                {
                    ui.ctx().copy_text(shell(&command));
                }
                let about = match pinned {
                    Some(name) => format!("Pinned now: {name}. "),
                    None => String::new(),
                };
                pin = ui
                    .add_enabled(
                        run.shown().is_some(),
                        egui::Button::new("Pin this estimate"),
                    )
                    .on_hover_text(format!(
                        "{about}Puts the estimate that is shown aside, so that a pane or the wipe \
                         can compare it with another step or run"
                    ))
                    .clicked();
                forget = ui
                    .add_enabled(!run.is_running(), egui::Button::new("Forget"))
                    .on_hover_text("Takes this run off the list and frees its memory")
                    .clicked();
            }
        });
        if go {
            self.branch();
        }
        if let Some(setup) = take {
            self.kept.setup = setup;
            self.fit_setup();
        }
        if pin {
            self.pin();
        }
        if forget {
            self.runs.forget_shown();
        }
    }
}

fn row(ui: &mut egui::Ui, run: &Run) {
    let method = match &run.briefing {
        Some(briefing) => format!("{}, {}", briefing.method, briefing.prior),
        None => "-".into(),
    };
    ui.label(method);
    let mut parameters = parameters(&run.setup);
    for timed in &run.changes {
        parameters += &format!("; from step {}: ", timed.step + 1);
        parameters += &changes::words(&timed.change);
    }
    ui.label(parameters);
    ui.label(match run.newest {
        Some(newest) => format!("{} of {}", newest.progress.done, newest.progress.total),
        None => "-".into(),
    });
    let last = run.history.last();
    ui.label(last.map_or("-".into(), |last| format!("{:.5}", last.residual_rms)));
    let psnr = last.and_then(|last| last.psnr_db);
    ui.label(psnr.map_or("-".into(), |psnr| format!("{psnr:.2} dB")));
    let ended = match run.conclusion.as_ref().map(|conclusion| &conclusion.ended) {
        None => "running",
        Some(Ended::Finished) => "",
        Some(Ended::Cancelled) => "stopped",
        Some(Ended::Failed(_) | Ended::DeviceLost(_)) => "failed",
    };
    let seconds = run.newest.map_or(0.0, |newest| newest.solver_s);
    ui.label(format!("{seconds:.1} s {ended}"));
}

/// What a run was told, shortly.
fn parameters(setup: &Setup) -> String {
    let mut text = match setup.model {
        Model::Scatter => {
            let of = |sought: &super::setup::Sought, unit: &str| match sought.unknown {
                true => format!("{} to {} {unit}", sought.min, sought.max),
                false => format!("{} {unit}", sought.value),
            };
            format!(
                "{}, {}",
                of(&setup.dist_mm, "mm"),
                of(&setup.sigma_px, "px")
            )
        }
        Model::Blur => format!("blur {} px", setup.blur_sigma_px),
        Model::Zernike if setup.coefficients_unknown => "unknown aberration".into(),
        Model::Zernike => "known aberration".into(),
        Model::Dehaze => "haze".into(),
        Model::Inpaint => "missing pixels".into(),
    };
    text += &format!(", seed {}", setup.seed);
    text
}
