use eframe::egui;

use super::Studio;
use crate::solver::Finding;

impl Studio {
    pub(super) fn result_panel(&mut self, ui: &mut egui::Ui) {
        ui.heading("Result");
        let Some(run) = &self.run else {
            ui.weak("Start a run: the residual, what was found and what to believe stand here.");
            return;
        };
        let Some(shown) = run.shown() else {
            return;
        };
        egui::Grid::new("result").num_columns(2).show(ui, |ui| {
            ui.weak("residual");
            let noise = run.briefing.as_ref().map(|briefing| briefing.noise);
            let times = noise
                .filter(|&noise| noise > 0.0)
                .map(|noise| shown.residual_rms / noise);
            let times = times.map_or(String::new(), |times| format!(", {times:.2} x noise"));
            ui.label(format!("{:.5} rms{times}", shown.residual_rms))
                .on_hover_text("Root mean square of A(x0) - y, beside the noise that is known of");
            ui.end_row();
            if let Some(psnr) = shown.psnr_db {
                ui.weak("PSNR");
                ui.label(format!("{psnr:.2} dB"))
                    .on_hover_text("Against the true video");
                ui.end_row();
            }
        });
        let Some(conclusion) = &run.conclusion else {
            return;
        };
        if !conclusion.findings.is_empty() {
            ui.strong("Found");
            findings(ui, &conclusion.findings);
        }
        ui.strong("What to believe");
        let mut doubted = false;
        for finding in &conclusion.findings {
            for doubt in &finding.doubts {
                doubted = true;
                let text = format!("{}: {doubt}", finding.parameter.label());
                ui.colored_label(ui.visuals().warn_fg_color, text);
            }
        }
        for note in &conclusion.notes {
            ui.label(note);
        }
        if !doubted && !conclusion.findings.is_empty() {
            ui.label("Nothing speaks against the values found.");
        }
    }
}

fn findings(ui: &mut egui::Ui, findings: &[Finding]) {
    egui::Grid::new("findings")
        .num_columns(3)
        .striped(true)
        .show(ui, |ui| {
            for finding in findings {
                let parameter = &finding.parameter;
                ui.label(parameter.label());
                ui.label(format!(
                    "{:.3} {}",
                    parameter.value,
                    parameter.unit.symbol()
                ));
                match finding.interval {
                    Some((low, high)) => ui.weak(format!("{low:.3} to {high:.3}")),
                    None => ui.weak("-"),
                };
                ui.end_row();
            }
        });
}
