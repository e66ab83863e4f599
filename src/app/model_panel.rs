use eframe::egui::{self, DragValue, Slider};

use super::Studio;
use super::setup::{Model, Sought, Varying};

/// What the coefficients are called, in their order, with (n, m).
const ZERNIKE: [(&str, &str); 10] = [
    ("piston", "0, 0"),
    ("tilt", "1, -1"),
    ("tip", "1, 1"),
    ("oblique astigmatism", "2, -2"),
    ("defocus", "2, 0"),
    ("vertical astigmatism", "2, 2"),
    ("vertical trefoil", "3, -3"),
    ("vertical coma", "3, -1"),
    ("horizontal coma", "3, 1"),
    ("oblique trefoil", "3, 3"),
];

impl Studio {
    pub(super) fn model_panel(&mut self, ui: &mut egui::Ui) {
        let name = ui.heading("Forward model");
        let setup = &mut self.kept.setup;
        egui::ComboBox::from_id_salt("model")
            .selected_text(setup.model.label())
            .width(ui.available_width() - 8.0)
            .show_ui(ui, |ui| {
                for model in Model::ALL {
                    ui.selectable_value(&mut setup.model, model, model.label());
                }
            })
            .response
            .labelled_by(name.id)
            .on_hover_text("What stands between the scene and the camera");
        ui.add_space(4.0);
        match setup.model {
            Model::Scatter => self.scatter(ui),
            Model::Zernike => self.zernike(ui),
            Model::Blur => {
                let slider = Slider::new(&mut setup.blur_sigma_px, 0.3..=8.0).suffix(" px");
                ui.add(slider.text("width"))
                    .on_hover_text("Standard deviation of the blur");
            }
            Model::Dehaze => {
                ui.weak("The published haze: its values are fixed.");
            }
            Model::Inpaint => {
                let slider = Slider::new(&mut setup.keep_share, 0.05..=0.95);
                ui.add(slider.text("share measured")).on_hover_text(
                    "Drawn from the seed; a file of the mask can be given on the command line",
                );
            }
        }
        let setup = &mut self.kept.setup;
        if setup.can_fit_gain() {
            ui.checkbox(&mut setup.fit_gain, "Gain and offset unknown")
                .on_hover_text(
                    "For real captures: what is recorded of light and of darkness is found",
                );
        }
        ui.separator();
    }

    fn scatter(&mut self, ui: &mut egui::Ui) {
        let shape = self.source.as_ref().map(|source| source.recorded.shape());
        let file_um = self
            .source
            .as_ref()
            .and_then(|source| source.pixel_pitch_um);
        let setup = &mut self.kept.setup;
        sought(ui, "Distance", " mm", &mut setup.dist_mm, 0.1..=40.0)
            .on_hover_text("From the object to the layer");
        sought(ui, "Blur width", " px", &mut setup.sigma_px, 0.1..=6.0)
            .on_hover_text("Standard deviation of the layer's blur");
        if setup.dist_mm.unknown || setup.sigma_px.unknown {
            ui.horizontal(|ui| {
                ui.label("unknown");
                ui.radio_value(&mut setup.per_frame, true, "for each frame");
                ui.radio_value(&mut setup.per_frame, false, "for the clip");
            });
        }
        ui.collapsing("Geometry", |ui| {
            egui::Grid::new("geometry").num_columns(2).show(ui, |ui| {
                let optics = setup.optics(file_um);
                let mut pitch = optics.pitch_um;
                let name = ui.label("pixel pitch");
                let drag = DragValue::new(&mut pitch)
                    .range(0.5..=200.0)
                    .speed(0.1)
                    .suffix(" um");
                if ui
                    .add(drag)
                    .labelled_by(name.id)
                    .on_hover_text("Of the camera or display")
                    .changed()
                {
                    setup.pitch_um = Some(pitch);
                }
                ui.end_row();
                let name = ui.label("wavelength");
                let drag = DragValue::new(&mut setup.wavelength_nm).range(100.0..=20000.0);
                ui.add(drag.suffix(" nm")).labelled_by(name.id);
                ui.end_row();
                let name = ui.label("magnification");
                let drag = DragValue::new(&mut setup.magnification).range(0.01..=100.0);
                ui.add(drag.speed(0.01))
                    .labelled_by(name.id)
                    .on_hover_text("From the object to the pixels");
                ui.end_row();
            });
        });
        if let Some(shape) = shape {
            let limit = setup
                .optics(file_um)
                .aliasing_limit_mm(shape.height.min(shape.width));
            let asked = match setup.dist_mm.unknown {
                true => setup.dist_mm.max,
                false => setup.dist_mm.value,
            };
            if asked > limit {
                ui.colored_label(
                    ui.visuals().warn_fg_color,
                    format!("Beyond {limit:.1} mm the propagation aliases on so few pixels."),
                );
            }
        }
    }

    fn zernike(&mut self, ui: &mut egui::Ui) {
        let setup = &mut self.kept.setup;
        ui.horizontal(|ui| {
            ui.radio_value(&mut setup.coefficients_unknown, true, "unknown");
            ui.radio_value(&mut setup.coefficients_unknown, false, "known");
        });
        if setup.coefficients_unknown {
            ui.horizontal_wrapped(|ui| {
                ui.radio_value(&mut setup.varying, Varying::No, "one for the clip");
                ui.radio_value(&mut setup.varying, Varying::Free, "one a frame")
                    .on_hover_text("Each frame's has nothing to do with the others'");
                ui.radio_value(&mut setup.varying, Varying::Smooth, "drifting")
                    .on_hover_text("It changes by about half a radian from frame to frame");
            });
        }
        let title = match setup.coefficients_unknown {
            true => "Coefficients of the live view",
            false => "Coefficients",
        };
        egui::CollapsingHeader::new(title)
            .default_open(true)
            .show(ui, |ui| {
                for (value, (name, order)) in setup.coefficients.iter_mut().zip(ZERNIKE) {
                    ui.add(Slider::new(value, -6.0..=6.0).suffix(" rad").text(name))
                        .on_hover_text(format!("(n, m) = ({order}); unnormalised"));
                }
                if ui.button("All zero").clicked() {
                    setup.coefficients = [0.0; 10];
                }
            });
    }
}

/// A value that is known, or a range that it lies in.
fn sought(
    ui: &mut egui::Ui,
    name: &str,
    unit: &str,
    value: &mut Sought,
    limits: std::ops::RangeInclusive<f64>,
) -> egui::Response {
    let response = ui
        .horizontal(|ui| {
            let name = ui.strong(name);
            ui.checkbox(&mut value.unknown, "unknown")
                .on_hover_text("It is looked for within the range");
            name
        })
        .inner;
    let shown = match value.unknown {
        true => value.min..=value.max,
        false => limits.clone(),
    };
    value.value = value.value.clamp(*shown.start(), *shown.end());
    let label = match value.unknown {
        true => "live view",
        false => "",
    };
    let slider = Slider::new(&mut value.value, shown)
        .suffix(unit)
        .text(label);
    ui.add(slider).labelled_by(response.id);
    if value.unknown {
        ui.horizontal(|ui| {
            let (min, max) = (value.min, value.max);
            let mut drag = |name: &str, value: &mut f64, range| {
                let label = ui.label(name);
                let drag = DragValue::new(value).speed(0.02).suffix(unit).range(range);
                ui.add(drag).labelled_by(label.id);
            };
            drag("from", &mut value.min, *limits.start()..=max);
            drag("to", &mut value.max, min..=*limits.end());
        });
    }
    response
}
