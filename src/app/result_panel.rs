use std::sync::Arc;

use eframe::egui;

use super::Studio;
use super::runs::Runs;
use crate::clip::Clip;
use crate::metrics;
use crate::run::trust::{Facts, Remark, Weight, judge};
use crate::solver::Finding;
use crate::worker::RunId;

/// What to believe of a result, made once for each result.
#[derive(Default)]
pub struct Trust {
    about: Option<(RunId, usize, usize)>,
    remarks: Vec<Remark>,
    /// Standard deviation over the estimates of several seeds.
    pub spread: Option<Arc<Clip>>,
}

impl Trust {
    fn update(&mut self, runs: &Runs) {
        let Some(run) = runs.shown() else {
            *self = Self::default();
            return;
        };
        let (Some(shown), Some(conclusion)) = (run.shown(), &run.conclusion) else {
            *self = Self::default();
            return;
        };
        let about = (run.id, shown.step, runs.other_seeds().len());
        if self.about == Some(about) {
            return;
        }
        let spread = runs.spread();
        let briefing = run.briefing.as_ref();
        let last = run
            .history
            .last()
            .is_some_and(|last| last.step == shown.step);
        self.remarks = judge(&Facts {
            finished: conclusion.is_finished() && last,
            residual_rms: shown.residual_rms,
            noise: briefing.map_or(0.0, |briefing| briefing.noise),
            whiteness: &shown.whiteness,
            saturated_share: briefing.map_or(0.0, |briefing| briefing.saturated_share),
            findings: &conclusion.findings,
            seeds: spread
                .as_ref()
                .map(|(spread, count)| (metrics::rms(spread.data()), *count)),
        });
        self.spread = spread.map(|(spread, _)| Arc::new(spread));
        self.about = Some(about);
    }
}

impl Studio {
    pub(super) fn result_panel(&mut self, ui: &mut egui::Ui) {
        self.trust.update(&self.runs);
        ui.heading("Result");
        let Some(run) = self.runs.shown() else {
            ui.weak("Start a run: the residual, what was found and what to believe stand here.");
            return;
        };
        let Some(shown) = run.shown() else {
            return;
        };
        egui::Grid::new("result").num_columns(2).show(ui, |ui| {
            ui.weak("estimate");
            ui.label(format!("{}, step {}", run.name, shown.step));
            ui.end_row();
            ui.weak("residual");
            let noise = run.briefing.as_ref().map(|briefing| briefing.noise);
            let times = noise
                .filter(|&noise| noise > 0.0)
                .map(|noise| shown.residual_rms / noise);
            let times = times.map_or(String::new(), |times| format!(", {times:.2} x noise"));
            ui.label(match shown.residual_rms.is_finite() {
                true => format!("{:.5} rms{times}", shown.residual_rms),
                false => "searching ...".into(),
            })
            .on_hover_text("Root mean square of A(x0) - y, beside the noise that is known of");
            ui.end_row();
            ui.weak("structure left");
            ui.label(format!("{:.0} %", 100.0 * shown.whiteness.worst().abs()))
                .on_hover_text(
                    "Correlation of the residual with its neighbour (right, below or in the next \
                     frame): noise has none",
                );
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
        ui.add_space(4.0);
        ui.strong("What to believe");
        for (index, remark) in self.trust.remarks.iter().enumerate() {
            self::remark(ui, remark, index == 0);
        }
        for note in &conclusion.notes {
            ui.label(note);
        }
        if !conclusion.findings.is_empty() {
            ui.add_space(4.0);
            ui.strong("Found");
            findings(ui, &conclusion.findings);
        }
    }
}

fn remark(ui: &mut egui::Ui, remark: &Remark, is_verdict: bool) {
    let visuals = ui.visuals();
    let (sign, colour) = match remark.weight {
        Weight::Reassuring => ("+", visuals.text_color()),
        Weight::Careful => ("!", visuals.warn_fg_color),
        Weight::Alarming => ("x", visuals.error_fg_color),
    };
    // The sign says it where colours cannot.
    let text = match is_verdict {
        true => egui::RichText::new(&remark.text).strong(),
        false => egui::RichText::new(format!("{sign}  {}", remark.text)),
    };
    ui.label(text.color(colour));
    if !remark.advice.is_empty() {
        ui.indent(&remark.text, |ui| ui.weak(remark.advice));
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
