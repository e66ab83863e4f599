//! Curves below the panes, in tabs.

use std::path::Path;

use eframe::egui::{self, TextStyle};
use egui_plot::{Legend, Line, LineStyle, Plot, PlotPoints, Points};
use serde::{Deserialize, Serialize};

use super::Studio;
use super::dialog::Chosen;
use super::notice::Notice;
use super::run::Run;
use super::setup::Model;
use crate::physics::Parameter;
use crate::run::curves::{self, Curves, Series, Style};

/// What is drawn below the panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tab {
    Convergence,
    Parameters,
    Spectrum,
    Profile,
    Map,
    Runs,
}

impl Tab {
    const ALL: [Self; 6] = [
        Self::Convergence,
        Self::Parameters,
        Self::Spectrum,
        Self::Profile,
        Self::Map,
        Self::Runs,
    ];

    fn label(self) -> &'static str {
        match self {
            Self::Convergence => "Convergence",
            Self::Parameters => "Parameters",
            Self::Spectrum => "Spectrum",
            Self::Profile => "Line profile",
            Self::Map => "Map",
            Self::Runs => "Runs",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::Convergence => "Residual, and PSNR where there is a true video, by step",
            Self::Parameters => "Values that the run uses or finds, by frame and by step",
            Self::Spectrum => "Power of A(x0) - y by spatial frequency: flat where it is noise",
            Self::Profile => "Values along a line, in all panes: press Profile to draw one",
            Self::Map => "The residual over distance and width, or over two coefficients",
            Self::Runs => "All runs of this capture beside each other",
        }
    }
}

impl Studio {
    pub(super) fn plots(&mut self, ui: &mut egui::Ui) {
        // The panel has the height that the user gave it, whatever it holds.
        let room = ui.available_rect_before_wrap();
        let builder = egui::UiBuilder::new().max_rect(room);
        ui.scope_builder(builder, |ui| {
            ui.set_clip_rect(room.intersect(ui.clip_rect()));
            self.plots_in(ui);
        });
        ui.advance_cursor_after_rect(room);
    }

    fn plots_in(&mut self, ui: &mut egui::Ui) {
        let tab = self.kept.plot;
        let curves = self.curves();
        ui.horizontal_wrapped(|ui| {
            for other in Tab::ALL {
                ui.selectable_value(&mut self.kept.plot, other, other.label())
                    .on_hover_text(other.about());
            }
            if matches!(tab, Tab::Runs | Tab::Map) {
                return;
            }
            ui.separator();
            let can_save = curves.iter().any(|curves| curves.extent().is_some());
            if ui
                .add_enabled(can_save, egui::Button::new("Save ..."))
                .on_hover_text("As a picture (PNG) or as numbers (CSV)")
                .clicked()
            {
                self.choose(Chosen::Plot);
            }
        });
        match tab {
            Tab::Runs => return self.runs_table(ui),
            Tab::Map => return self.map_plot(ui),
            _ => {}
        }
        if curves.is_empty() {
            ui.weak(match tab {
                Tab::Profile => "Drag a line over a pane with Shift held down, or press Profile.",
                _ => "The residual of a run and the parameters it finds are drawn here.",
            });
            return;
        }
        let height = (ui.available_height() - 24.0).max(60.0);
        ui.columns(curves.len(), |columns| {
            for (column, curves) in columns.iter_mut().zip(&curves) {
                let title = format!("{} by {}", curves.title, curves.x);
                column.add(egui::Label::new(title).truncate());
                draw(column, curves, height);
            }
        });
    }

    fn curves(&mut self) -> Vec<Curves> {
        match (self.kept.plot, self.runs.shown()) {
            (Tab::Profile, _) => self.profile_curves(),
            (Tab::Convergence, Some(run)) => convergence(run),
            (Tab::Parameters, Some(run)) => parameters(run),
            (Tab::Spectrum, Some(run)) => spectrum(run),
            (Tab::Runs | Tab::Map, _) | (_, None) => Vec::new(),
        }
    }

    /// Writes what the present tab draws, as its name asks: a PNG picture or a CSV table.
    pub fn save_plot(&mut self, path: &Path) {
        let Some(path) = self.complete(path.to_owned(), "png") else {
            return;
        };
        let plots = self.curves();
        let is_table = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        let written = match is_table {
            true => std::fs::write(&path, curves::csv(&plots)).map_err(|error| error.to_string()),
            false => curves::save_png(&plots, &path).map_err(|error| error.to_string()),
        };
        self.notice = match written {
            Ok(()) => Notice::hint(format!("The plot is in {}.", path.display())),
            Err(error) => Notice::error("The plot cannot be saved", error),
        };
    }
}

fn draw(ui: &mut egui::Ui, curves: &Curves, height: f32) {
    let plot = Plot::new((&curves.title, &curves.x))
        .height(height)
        .show_background(false);
    // Names would only hide a single curve, or many.
    let plot = match curves.series.len() {
        2..=4 => plot.legend(
            Legend::default()
                .background_alpha(0.5)
                .text_style(TextStyle::Small),
        ),
        _ => plot,
    };
    plot.show(ui, |plot| {
        for series in &curves.series {
            let name = series.name.as_str();
            let points = || PlotPoints::new(series.points.clone());
            match series.style {
                Style::Line => plot.line(Line::new(name, points())),
                Style::Dashed => {
                    plot.line(Line::new(name, points()).style(LineStyle::dashed_loose()));
                }
                Style::Marks => plot.points(Points::new(name, points()).radius(3.0)),
                Style::Bars => {
                    for pair in series.points.chunks_exact(2) {
                        plot.line(Line::new(name, PlotPoints::new(pair.to_vec())));
                    }
                }
            }
        }
    });
}

fn convergence(run: &Run) -> Vec<Curves> {
    let logarithm = |&[step, rms]: &[f64; 2]| [step, rms.max(1e-12).log10()];
    let residuals: Vec<[f64; 2]> = run.residuals.iter().map(logarithm).collect();
    let mut series = Vec::new();
    let noise = run.briefing.as_ref().map_or(0.0, |briefing| briefing.noise);
    if let (true, Some(last)) = (noise > 0.0, residuals.last()) {
        let level = noise.log10();
        let points = vec![[0.0, level], [last[0], level]];
        series.push(Series::new("noise", Style::Dashed, points));
    }
    series.insert(0, Series::new("residual", Style::Line, residuals));
    let mut all = vec![Curves {
        title: "residual (log10 of its rms)".into(),
        x: "step".into(),
        y: "log10 rms".into(),
        series,
    }];
    if !run.psnrs.is_empty() {
        all.push(Curves {
            title: "PSNR against the true video (dB)".into(),
            x: "step".into(),
            y: "dB".into(),
            series: vec![Series::new("PSNR", Style::Line, run.psnrs.clone())],
        });
    }
    all
}

/// What is drawn together: Zernike coefficients are one quantity, others are told by their names.
fn quantity(parameter: &Parameter) -> String {
    let name = match parameter.zernike {
        Some(_) => "coefficients",
        None => &parameter.name,
    };
    format!("{name} ({})", parameter.unit.symbol())
}

fn parameters(run: &Run) -> Vec<Curves> {
    let Some(shown) = run.shown() else {
        return Vec::new();
    };
    let mut quantities: Vec<String> = Vec::new();
    for parameter in shown.parameters.iter() {
        let quantity = quantity(parameter);
        if !quantities.contains(&quantity) {
            quantities.push(quantity);
        }
    }
    let mut all = Vec::new();
    for name in &quantities {
        all.push(by_place(run, name));
        // A value that stands still needs no curve.
        let by_step = by_step(run, name);
        let moves = |series: &Series| series.points.iter().any(|p| p[1] != series.points[0][1]);
        if by_step.series.iter().any(moves) {
            all.push(by_step);
        }
    }
    all
}

/// The values at the estimate that is shown, by frame or by coefficient.
fn by_place(run: &Run, name: &str) -> Curves {
    let parameters = run.shown().map_or(&[][..], |shown| &shown.parameters[..]);
    let of_this = || {
        let these = parameters.iter().filter(|p| quantity(p) == name);
        these.enumerate()
    };
    let is_zernike = of_this().any(|(_, p)| p.zernike.is_some());
    let has_frames = of_this().any(|(_, p)| p.frame.is_some());
    let place = |index: usize, parameter: &Parameter| match parameter.frame {
        Some(frame) if !is_zernike => frame as f64 + 1.0,
        _ => index as f64,
    };
    let values = of_this().map(|(i, p)| [place(i, p), p.value]).collect();
    let mut series = vec![Series::new("value", Style::Marks, values)];
    let findings = run.conclusion.iter().flat_map(|ended| &ended.findings);
    let these = findings.filter(|finding| quantity(&finding.parameter) == name);
    let intervals = these.enumerate().filter_map(|(index, finding)| {
        let (low, high) = finding.interval?;
        let at = place(index, &finding.parameter);
        Some([[at, low], [at, high]])
    });
    let intervals: Vec<[f64; 2]> = intervals.flatten().collect();
    if !intervals.is_empty() {
        series.push(Series::new("95 % interval", Style::Bars, intervals));
    }
    let x = match (is_zernike, has_frames) {
        (true, true) => "coefficient, frame after frame",
        (true, false) => "coefficient",
        (false, _) => "frame",
    };
    if let Some((low, high)) = sought(run, name) {
        let last = series[0].points.last().map_or(1.0, |point| point[0]);
        let first = series[0].points.first().map_or(0.0, |point| point[0]);
        for level in [low, high] {
            let points = vec![[first, level], [last, level]];
            series.push(Series::new("range", Style::Dashed, points));
        }
    }
    Curves {
        title: name.to_owned(),
        x: x.into(),
        y: name.into(),
        series,
    }
}

/// The range in which an unknown value is looked for.
fn sought(run: &Run, name: &str) -> Option<(f64, f64)> {
    if run.setup.model != Model::Scatter {
        return None;
    }
    let sought = match name.split(' ').next()? {
        "distance" => &run.setup.dist_mm,
        "sigma" => &run.setup.sigma_px,
        _ => return None,
    };
    sought.unknown.then_some((sought.min, sought.max))
}

/// How the values came about: a line for each.
fn by_step(run: &Run, name: &str) -> Curves {
    let mut series: Vec<Series> = Vec::new();
    for preview in &run.history {
        let these = preview.parameters.iter().filter(|p| quantity(p) == name);
        for (index, parameter) in these.enumerate() {
            if series.len() <= index {
                let label = match parameter.frame {
                    Some(frame) if parameter.zernike.is_none() => format!("frame {}", frame + 1),
                    _ => parameter.label(),
                };
                series.push(Series::new(label, Style::Line, Vec::new()));
            }
            series[index]
                .points
                .push([preview.step as f64, parameter.value]);
        }
    }
    Curves {
        title: name.to_owned(),
        x: "step".into(),
        y: name.into(),
        series,
    }
}

fn spectrum(run: &Run) -> Vec<Curves> {
    let Some(shown) = run.shown() else {
        return Vec::new();
    };
    let bands = &shown.whiteness.spectrum;
    let frequency = |band: usize| (band as f64 + 0.5) * 0.5 / bands.len() as f64;
    let powers = bands.iter().enumerate();
    let points: Vec<[f64; 2]> = powers
        .filter_map(|(band, power)| Some([frequency(band), power.filter(|&p| p > 0.0)?.log10()]))
        .collect();
    vec![Curves {
        title: "power of the residual (log10; white noise is 0)".into(),
        x: "cycles a pixel".into(),
        y: "log10 power".into(),
        series: vec![
            Series::new("residual", Style::Line, points),
            Series::new("white", Style::Dashed, vec![[0.0, 0.0], [0.5, 0.0]]),
        ],
    }]
}
