//! How the run converges.

use eframe::egui;
use egui_plot::{HLine, Legend, Line, MarkerShape, Plot, PlotPoints, Points};

use super::Studio;
use super::run::Run;

impl Studio {
    pub(super) fn plots(&mut self, ui: &mut egui::Ui) {
        ui.columns(2, |columns| {
            self.map_plot(&mut columns[1]);
            self.run_plots(&mut columns[0]);
        });
    }

    fn run_plots(&self, ui: &mut egui::Ui) {
        let Some(run) = &self.run else {
            ui.weak("The residual of a run and the parameters it finds are drawn here.");
            return;
        };
        let height = (ui.available_height() - 24.0).max(60.0);
        ui.columns(2, |columns| {
            columns[0].label("residual (log10 of its rms) by step");
            residuals(&mut columns[0], run, height);
            columns[1].label("parameters by frame");
            parameters(&mut columns[1], run, height);
        });
    }
}

fn residuals(ui: &mut egui::Ui, run: &Run, height: f32) {
    let points: PlotPoints = run
        .residuals
        .iter()
        .map(|&[step, rms]| [step, rms.max(1e-12).log10()])
        .collect();
    Plot::new("residuals").height(height).show(ui, |plot| {
        plot.line(Line::new("residual", points));
        let noise = run.briefing.as_ref().map(|briefing| briefing.noise);
        if let Some(noise) = noise.filter(|&noise| noise > 0.0) {
            plot.hline(HLine::new("noise", noise.log10()));
        }
    });
}

fn parameters(ui: &mut egui::Ui, run: &Run, height: f32) {
    let Some(shown) = run.shown() else {
        return;
    };
    let mut series: Vec<(String, Vec<[f64; 2]>)> = Vec::new();
    for parameter in shown.parameters.iter() {
        let name = format!("{} ({})", parameter.name, parameter.unit.symbol());
        let frame = parameter.frame.map_or(0.0, |frame| frame as f64);
        match series.iter_mut().find(|(other, _)| *other == name) {
            Some((_, points)) => points.push([frame, parameter.value]),
            None => series.push((name, vec![[frame, parameter.value]])),
        }
    }
    Plot::new("parameters")
        .height(height)
        .legend(Legend::default())
        .show(ui, |plot| {
            for (name, points) in series {
                let marks = Points::new(name.clone(), points.clone())
                    .shape(MarkerShape::Circle)
                    .radius(3.0);
                plot.points(marks);
                if points.len() > 1 {
                    plot.line(Line::new(name, points));
                }
            }
        });
}
