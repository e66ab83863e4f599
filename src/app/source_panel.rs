use eframe::egui;
use egui_plot::{Bar, BarChart, Plot};

use super::Studio;
use super::dialog::Chosen;
use super::source::Source;

impl Studio {
    pub(super) fn source_panel(&mut self, ui: &mut egui::Ui) {
        ui.heading("Capture");
        ui.horizontal(|ui| {
            if ui
                .button("Open ...")
                .on_hover_text("GIF, TIFF, NPY, MAT, pictures, or a video; or drop it here")
                .clicked()
            {
                self.choose(Chosen::Capture);
            }
            if ui
                .button("Folder ...")
                .on_hover_text("A folder of pictures, a frame each, in the order of their names")
                .clicked()
            {
                self.choose(Chosen::Pictures);
            }
            if ui
                .button("Demos ...")
                .on_hover_text("Bundled captures that start at once")
                .clicked()
            {
                self.gallery.open = true;
            }
        });
        // Cut short: a long name must not widen the panel.
        if let Some(loading) = &self.loading {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.add(egui::Label::new(&loading.name).truncate());
            });
        }
        if let Some(source) = &self.source {
            facts(ui, source);
            histogram(ui, source);
        }
        self.cut_panel(ui);
        ui.separator();
    }
}

fn facts(ui: &mut egui::Ui, source: &Source) {
    let name = egui::RichText::new(source.name()).strong();
    ui.add(egui::Label::new(name).truncate())
        .on_hover_text(source.path.display().to_string());
    let shape = source.recorded.shape();
    egui::Grid::new("facts").num_columns(2).show(ui, |ui| {
        let mut row = |what: &str, value: String| {
            ui.weak(what);
            ui.label(value);
            ui.end_row();
        };
        row("size", format!("{} x {} px", shape.height, shape.width));
        row("frames", shape.frames.to_string());
        row("depth", source.depth());
        row(
            "values",
            format!("{:.3} to {:.3}", source.range.0, source.range.1),
        );
        row(
            "saturated",
            format!("{:.1} %", 100.0 * source.saturated_share),
        );
        if let Some(pitch) = source.pixel_pitch_um {
            row("pixel pitch", format!("{pitch} um, from the file"));
        }
        if let Some(truth) = &source.truth_path {
            row(
                "true video",
                truth
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into(),
            );
        }
    });
    if source.saturated_share > 0.02 {
        ui.colored_label(
            ui.visuals().warn_fg_color,
            "Many pixels are saturated: record darker where you can.",
        );
    }
}

fn histogram(ui: &mut egui::Ui, source: &Source) {
    let (low, high) = source.range;
    let width = f64::from(high - low) / source.histogram.len() as f64;
    let bars = source.histogram.iter().enumerate().map(|(i, &count)| {
        let middle = f64::from(low) + (i as f64 + 0.5) * width;
        // Logarithmic, so that saturated and dark pixels show.
        Bar::new(middle, f64::from(count).ln_1p()).width(width)
    });
    Plot::new("histogram")
        .height(60.0)
        .show_axes([true, false])
        .show_grid(false)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .show(ui, |plot| {
            plot.bar_chart(BarChart::new("values", bars.collect()));
        });
}
