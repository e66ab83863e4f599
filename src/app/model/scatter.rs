//! The scattering layer: distance, width and geometry.

use eframe::egui::{self, ComboBox, DragValue, RangeSlider, Slider, SliderClamping};

use crate::app::Studio;
use crate::app::setup::Sought;
use crate::app::units::{DistUnit, Scale, WidthUnit};
use crate::physics::Optics;

/// What can be asked for, as in [`crate::physics::Scatter`].
const DIST_MM: std::ops::RangeInclusive<f64> = 0.0..=1000.0;
const SIGMA_PX: std::ops::RangeInclusive<f64> = 0.0..=32.0;

/// What is shown of one of the two, and how.
struct Row {
    name: &'static str,
    title: &'static str,
    about: String,
    scale: Scale,
    /// The ends of the slider; more can be typed.
    reach: std::ops::RangeInclusive<f64>,
    bounds: std::ops::RangeInclusive<f64>,
}

impl Studio {
    pub(super) fn scatter(&mut self, ui: &mut egui::Ui) {
        let frame = self.frame();
        let source = self.source.as_ref();
        let file_um = source.and_then(|source| source.pixel_pitch_um);
        let shape = source.map(|source| source.recorded.shape());
        let optics = self.kept.setup.optics(file_um);
        let limit_mm = shape.map(|shape| optics.aliasing_limit_mm(shape.height.min(shape.width)));
        let units = &mut self.kept.units;
        let setup = &mut self.kept.setup;

        let aliases = limit_mm.map_or(String::new(), |limit| {
            let limit = units.dist.scale().text((limit * 100.0).round() / 100.0);
            format!(". Beyond {limit} the propagation kernel aliases at this size and geometry")
        });
        let row = Row {
            name: "distance",
            title: "Distance unknown",
            about: format!("From the object to the layer{aliases}"),
            scale: units.dist.scale(),
            reach: 0.0..=reach_mm(limit_mm, &setup.dist_mm),
            bounds: DIST_MM,
        };
        sought(ui, &row, &mut setup.dist_mm, frame, |ui| {
            unit_chooser(
                ui,
                "distance unit",
                &mut units.dist,
                &DistUnit::ALL,
                |unit| unit.scale().symbol,
            );
        });
        let pitch_um = optics.object_pitch_um();
        let row = Row {
            name: "width",
            title: "Blur width unknown",
            about: "Standard deviation of the layer's blur, at the object".into(),
            scale: units.width.scale(pitch_um),
            reach: 0.0..=setup.sigma_px.max.max(setup.sigma_px.of(frame)).max(6.0),
            bounds: SIGMA_PX,
        };
        sought(ui, &row, &mut setup.sigma_px, frame, |ui| {
            unit_chooser(
                ui,
                "width unit",
                &mut units.width,
                &WidthUnit::ALL,
                |unit| unit.scale(pitch_um).symbol,
            );
        });
        if setup.dist_mm.unknown || setup.sigma_px.unknown {
            ui.horizontal(|ui| {
                ui.label("unknown");
                ui.radio_value(&mut setup.per_frame, true, "for each frame")
                    .on_hover_text("Every frame has a value of its own");
                ui.radio_value(&mut setup.per_frame, false, "for the clip")
                    .on_hover_text("All frames share one value");
            });
        }
        let range_end = setup.dist_mm.max;
        if setup.dist_mm.unknown
            && let Some(warning) = shape
                .and_then(|shape| optics.aliasing_warning(shape.height.min(shape.width), range_end))
        {
            ui.colored_label(
                ui.visuals().warn_fg_color,
                format!("The range ends at {warning}"),
            );
        }
        self.frame_values(ui);
        self.response_pictures(ui);
        self.geometry(ui, optics);
    }

    fn geometry(&mut self, ui: &mut egui::Ui, optics: Optics) {
        let setup = &mut self.kept.setup;
        ui.collapsing("Geometry", |ui| {
            egui::Grid::new("geometry").num_columns(2).show(ui, |ui| {
                let mut pitch = optics.pitch_um;
                let name = ui.label("pixel pitch");
                let drag = DragValue::new(&mut pitch)
                    .range(0.5..=200.0)
                    .speed(0.1)
                    .suffix(" um");
                if ui
                    .add(drag)
                    .labelled_by(name.id)
                    .on_hover_text("Of the camera or display, in micrometres")
                    .changed()
                {
                    setup.pitch_um = Some(pitch);
                }
                ui.end_row();
                let name = ui.label("wavelength");
                let drag = DragValue::new(&mut setup.wavelength_nm).range(100.0..=20000.0);
                ui.add(drag.suffix(" nm"))
                    .labelled_by(name.id)
                    .on_hover_text("Of the light, in nanometres");
                ui.end_row();
                let name = ui.label("magnification");
                let drag = DragValue::new(&mut setup.magnification).range(0.01..=100.0);
                ui.add(drag.speed(0.01))
                    .labelled_by(name.id)
                    .on_hover_text("From the object to the pixels");
                ui.end_row();
            });
        });
    }
}

/// Where the slider of distances ends: somewhat beyond the distance where the kernel aliases, at
/// a round number, and never below what is asked for.
fn reach_mm(limit_mm: Option<f64>, dist_mm: &Sought) -> f64 {
    let wanted = limit_mm.map_or(40.0, |limit| 1.3 * limit);
    let decade = 10f64.powf(wanted.log10().floor());
    let round = [1.0, 2.0, 3.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * decade)
        .find(|round| *round >= wanted);
    let asked = dist_mm.frames.iter().copied().fold(dist_mm.value, f64::max);
    round
        .unwrap_or(wanted)
        .max(dist_mm.max)
        .max(asked)
        .min(*DIST_MM.end())
}

fn unit_chooser<U: Copy + PartialEq>(
    ui: &mut egui::Ui,
    name: &'static str,
    unit: &mut U,
    all: &[U],
    symbol: impl Fn(U) -> &'static str,
) {
    ComboBox::from_id_salt(name)
        .selected_text(symbol(*unit))
        .width(40.0)
        .show_ui(ui, |ui| {
            for &other in all {
                ui.selectable_value(unit, other, symbol(other));
            }
        })
        .response
        .on_hover_text(format!("The {name}; what is typed may have one of its own"))
        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::ComboBox, true, name));
}

/// A value that is known, or a range that it lies in with the live view's value.
fn sought(
    ui: &mut egui::Ui,
    row: &Row,
    value: &mut Sought,
    frame: usize,
    unit: impl FnOnce(&mut egui::Ui),
) {
    ui.horizontal(|ui| {
        if ui
            .checkbox(&mut value.unknown, row.title)
            .on_hover_text("It is looked for between the two handles; equal ones mean known")
            .changed()
            && value.unknown
        {
            value.open(frame);
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), unit);
    });
    if value.unknown {
        let (mut min, mut max) = (value.min, value.max);
        let (scale, typed) = (row.scale, row.scale);
        let slider = RangeSlider::new(&mut min, &mut max, row.reach.clone())
            .clamping(SliderClamping::Never)
            // The first digit of a bound would already be one.
            .update_while_editing(false)
            .custom_formatter(move |v, _| scale.number(v))
            .custom_parser(move |text| typed.parse(text))
            .text(row.name);
        let response = ui.add(slider).on_hover_text(format!(
            "{}, in {}: the range it lies in. Drag, use the arrow keys, or type",
            row.about, row.scale.symbol
        ));
        let (start, end) = (*row.bounds.start(), *row.bounds.end());
        (value.min, value.max) = (min.clamp(start, end), max.clamp(start, end));
        let held = response.is_pointer_button_down_on();
        if value.min >= value.max && !held {
            value.close();
        }
    }
    let (label, reach, clamping) = match value.unknown {
        true => {
            let label = format!("live {}", row.name);
            (label, value.min..=value.max, SliderClamping::Always)
        }
        false => (
            row.name.to_owned(),
            row.reach.clone(),
            SliderClamping::Never,
        ),
    };
    let (scale, typed) = (row.scale, row.scale);
    let at = value.of_mut(frame);
    let slider = Slider::new(at, reach)
        .clamping(clamping)
        .custom_formatter(move |v, _| scale.text(v))
        .custom_parser(move |text| typed.parse(text))
        .text(label);
    ui.add(slider).on_hover_text(format!(
        "{}. The live view measures with this value",
        row.about
    ));
    *at = at.clamp(*row.bounds.start(), *row.bounds.end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slider_reaches_beyond_the_limit_and_what_is_asked() {
        let asked = |value: f64| Sought {
            value,
            ..Sought::default()
        };
        assert_eq!(reach_mm(Some(15.4), &asked(5.0)), 30.0);
        assert_eq!(reach_mm(Some(138.6), &asked(5.0)), 200.0);
        assert_eq!(reach_mm(None, &asked(5.0)), 50.0);
        assert_eq!(reach_mm(Some(15.4), &asked(70.0)), 70.0);
    }
}
