//! The residual over two parameters: where the data point, before a run is spent.

use std::sync::Arc;

use eframe::egui::{self, Color32, TextureHandle, TextureOptions};
use egui_plot::{
    HoverPosition, Line, MarkerShape, Plot, PlotBounds, PlotImage, PlotPoint, Points, VLine,
};
use serde::{Deserialize, Serialize};

use super::Studio;
use super::picture::picture;
use super::probe::Same;
use super::setup::{Model, Setup, Sought};
use super::units::Scale;
use crate::display::ColourMap;
use crate::physics::zernike::MODES;
use crate::solver::{Exposed, Landscape, Plane, Survey};
use crate::worker::{LiveExposure, Map, MapRequest};

/// What the user wants to see of it; it outlives the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MapChoices {
    /// Whether the shown frame alone counts, or the clip.
    one_frame: bool,
    /// Whether every place has a short reconstruction, though there is an estimate.
    refit: bool,
    /// Places of two coefficients among the ten.
    axes: [usize; 2],
}

impl Default for MapChoices {
    fn default() -> Self {
        Self {
            one_frame: true,
            refit: false,
            // Defocus and vertical astigmatism.
            axes: [4, 5],
        }
    }
}

/// The map that is shown, and the question it answers.
#[derive(Default)]
pub struct Chart {
    asked: u64,
    about: Option<About>,
    /// What is to be asked once it has stood still for a while: since when, in s.
    wanted: Option<(About, f64)>,
    map: Option<Map>,
    error: Option<String>,
    texture: Option<TextureHandle>,
    /// The map that the texture was made of.
    drawn: Option<Arc<Landscape>>,
}

/// What a map is of.
#[derive(Clone, Debug, PartialEq)]
struct About {
    plane: Plane,
    x: (f64, f64),
    y: Option<(f64, f64)>,
    frame: Option<usize>,
    exposure: LiveExposure,
    estimate: Option<Same>,
    recorded: Same,
    intervals: usize,
}

/// How long the sliders stand still before a map is drawn, and a run's estimates between two
/// maps, in s.
const PATIENCE_S: f64 = 0.3;
const RUN_PATIENCE_S: f64 = 2.0;
/// Intervals along an axis: of a map, of one while a run wants the processor, and of a curve.
const INTERVALS: usize = 32;
const INTERVALS_RUNNING: usize = 8;
const INTERVALS_CURVE: usize = 64;

impl Studio {
    /// The map with its choices, as large as there is room; it is drawn only while this is shown.
    pub(super) fn map_plot(&mut self, ui: &mut egui::Ui) {
        let model = self.kept.setup.model;
        if self.source.is_none() || !matches!(model, Model::Scatter | Model::Zernike | Model::Blur)
        {
            ui.weak(
                "The residual over distance and width, over two coefficients or over the width \
                 of a blur is drawn here, once a capture is open.",
            );
            return;
        }
        self.map_choices(ui);
        if let Some(about) = self.map_about() {
            self.ask_map(ui.ctx(), about);
        }
        if let Some(error) = &self.chart.error {
            ui.colored_label(ui.visuals().error_fg_color, error);
        }
        if self.chart.map.is_none() {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.label("the map is on its way");
            });
            return;
        }
        self.map_text(ui);
        match model {
            Model::Blur => self.curve(ui),
            _ => self.heat_map(ui),
        }
    }

    fn map_choices(&mut self, ui: &mut egui::Ui) {
        let has_estimate = self.estimate().is_some();
        let choices = &mut self.kept.map;
        ui.horizontal_wrapped(|ui| {
            if has_estimate {
                ui.selectable_value(&mut choices.refit, false, "estimate held fixed")
                    .on_hover_text("How well the shown estimate explains the data at other values");
            }
            let mut refit = choices.refit || !has_estimate;
            if ui
                .selectable_label(refit, "refitted at each place")
                .on_hover_text(
                    "Every place of the map has a short reconstruction of the shown frame, 40 \
                     iterations with total variation: needs no run, takes half a minute",
                )
                .clicked()
            {
                refit = true;
            }
            choices.refit = refit && has_estimate;
            if !refit {
                ui.separator();
                ui.selectable_value(&mut choices.one_frame, true, "shown frame");
                ui.selectable_value(&mut choices.one_frame, false, "whole clip");
            }
            if self.kept.setup.model == Model::Zernike {
                ui.separator();
                for (place, axis) in ["across", "up"].into_iter().enumerate() {
                    let name = ui.weak(axis);
                    egui::ComboBox::from_id_salt(("map axis", place))
                        .selected_text(MODES[choices.axes[place]].name)
                        .show_ui(ui, |ui| {
                            for (i, mode) in MODES.iter().enumerate() {
                                let other = choices.axes[1 - place];
                                let choice = &mut choices.axes[place];
                                ui.add_enabled_ui(i != other, |ui| {
                                    ui.selectable_value(choice, i, mode.name);
                                });
                            }
                        })
                        .response
                        .labelled_by(name.id)
                        .on_hover_text("The coefficient along this axis");
                }
            }
        });
    }

    /// What a map would be of now.
    fn map_about(&self) -> Option<About> {
        let source = self.source.as_ref()?;
        let setup = &self.kept.setup;
        let choices = &self.kept.map;
        let before = self.chart.about.as_ref();
        // While frames are played, the map stays that of the frame it was begun for.
        let begun = before.and_then(|before| before.frame);
        let begun = begun.filter(|&frame| self.playback.playing && frame < self.frames());
        let frame = begun.unwrap_or_else(|| self.frame());
        let kept = |pick: fn(&About) -> Option<(f64, f64)>| before.and_then(pick);
        let (plane, x, y) = match setup.model {
            Model::Scatter => {
                let plane = Plane::Scatter(setup.optics(source.pixel_pitch_um));
                let same = before.is_some_and(|before| before.plane == plane);
                let of = |sought: &Sought, before: Option<(f64, f64)>| {
                    window_of(sought, frame, before.filter(|_| same))
                };
                let x = of(&setup.dist_mm, kept(|about| Some(about.x)));
                (plane, x, Some(of(&setup.sigma_px, kept(|about| about.y))))
            }
            Model::Zernike => {
                let mut coefficients_rad = *setup.coefficients_of(frame);
                let axes = choices.axes;
                let [x, y] = axes.map(|axis| {
                    let reach = coefficients_rad[axis].abs().ceil().max(4.0);
                    (-reach, reach)
                });
                // The map goes over them.
                for axis in axes {
                    coefficients_rad[axis] = 0.0;
                }
                let plane = Plane::Zernike {
                    coefficients_rad,
                    axes,
                };
                (plane, x, Some(y))
            }
            Model::Blur => (Plane::Blur, (0.3, setup.blur_sigma_px.max(6.0)), None),
            Model::Dehaze | Model::Inpaint => return None,
        };
        let estimate = self.estimate().filter(|_| !choices.refit);
        let one_frame = choices.one_frame || estimate.is_none() || setup.differs_by_frame();
        let intervals = match y {
            None => INTERVALS_CURVE,
            Some(_) if self.is_running() => INTERVALS_RUNNING,
            Some(_) => INTERVALS,
        };
        Some(About {
            plane,
            x,
            y,
            frame: one_frame.then_some(frame),
            exposure: setup.exposure(),
            estimate: estimate.cloned().map(Same),
            recorded: Same(source.recorded.clone()),
            intervals,
        })
    }

    /// Asks for a map once what it is of has stood still.
    fn ask_map(&mut self, ctx: &egui::Context, about: About) {
        if self.chart.about.as_ref() == Some(&about) {
            self.chart.wanted = None;
            return;
        }
        let now = ctx.input(|input| input.time);
        // A run's estimates follow each other: waiting for the last one would show nothing.
        let followed = |wanted: &About| {
            About {
                estimate: about.estimate.clone(),
                ..wanted.clone()
            } == about
        };
        let since = match &self.chart.wanted {
            Some((wanted, since)) if followed(wanted) => *since,
            _ => now,
        };
        self.chart.wanted = Some((about.clone(), since));
        let patience = match self.is_running() {
            true => RUN_PATIENCE_S,
            false => PATIENCE_S,
        };
        if ctx.input(|input| input.pointer.any_down()) {
            return;
        }
        let left = since + patience - now;
        if left > 0.0 {
            ctx.request_repaint_after(std::time::Duration::from_secs_f64(left));
            return;
        }
        let Some(source) = &self.source else {
            return;
        };
        let estimate = about.estimate.clone().map(|Same(clip)| clip);
        let measurement = source.measurement.clone();
        let (plane, frame, exposure) = (about.plane.clone(), about.frame, about.exposure);
        self.chart.asked += 1;
        let request = MapRequest {
            id: self.chart.asked,
            x: about.x,
            y: about.y,
            intervals: about.intervals,
            survey: Box::new(move || {
                let (measurement, exposed) = match exposure {
                    LiveExposure::Known { gain, offset } => {
                        let measurement = (*measurement).clone().unexposed(gain, offset);
                        (measurement, Exposed::AsGiven)
                    }
                    LiveExposure::Fitted => ((*measurement).clone(), Exposed::Fitted),
                };
                let estimate = estimate.as_deref();
                Ok(Survey::new(plane, &measurement, estimate, frame, exposed)?)
            }),
        };
        self.mapper.ask(request);
        self.chart.about = Some(about);
        self.chart.wanted = None;
    }

    pub(super) fn take_map(&mut self) {
        if let Some(answer) = self.mapper.answer()
            && answer.id == self.chart.asked
        {
            match answer.result {
                Ok(map) => (self.chart.map, self.chart.error) = (Some(map), None),
                Err(error) => self.chart.error = Some(error),
            }
        }
    }

    /// How the axes are written.
    fn map_scales(&self) -> [(String, Scale); 2] {
        let setup = &self.kept.setup;
        let units = self.kept.units;
        let file_um = self.source.as_ref().and_then(|s| s.pixel_pitch_um);
        let width = units.width.scale(setup.optics(file_um).object_pitch_um());
        match setup.model {
            Model::Zernike => self
                .kept
                .map
                .axes
                .map(|axis| (MODES[axis].name.to_owned(), Scale::RADIAN)),
            Model::Blur => [("width".into(), width), (String::new(), width)],
            _ => [
                ("distance".into(), units.dist.scale()),
                ("width".into(), width),
            ],
        }
    }

    fn map_text(&self, ui: &mut egui::Ui) {
        let Some(map) = &self.chart.map else { return };
        let [(x_name, x), (y_name, y)] = self.map_scales();
        let lowest = &map.lowest;
        let part = |name: &str, scale: Scale, at: f64, (low, high): (f64, f64)| {
            format!(
                "{name} {} ({} to {})",
                scale.text(at),
                scale.number(low),
                scale.number(high)
            )
        };
        let of = self.chart.about.as_ref().and_then(|about| about.frame);
        let of = of.map_or(String::new(), |frame| format!("frame {}: ", frame + 1));
        let mut text = format!("{of}lowest at {}", part(&x_name, x, lowest.at.0, lowest.x));
        if map.landscape.y.len() > 1 {
            text += &format!(", {}", part(&y_name, y, lowest.at.1, lowest.y));
        }
        text += &match map.refitted {
            true => format!(": misfit {:.5}", lowest.residual_rms),
            false => format!(": residual {:.5} rms", lowest.residual_rms),
        };
        if map.done < 1.0 {
            text += &format!(", {:.0} % drawn", 100.0 * map.done);
        }
        ui.label(text).on_hover_text(
            "In brackets: 95 % by the noise, or by the misfit where that is larger, to half a \
             step of the map",
        );
    }

    fn heat_map(&mut self, ui: &mut egui::Ui) {
        let (place, [(x_name, x_scale), (y_name, y_scale)]) = (self.map_place(), self.map_scales());
        let Some(map) = &self.chart.map else { return };
        let Map {
            landscape,
            lowest,
            likely,
            ..
        } = map.clone();
        let texture = self.chart.texture(ui.ctx(), &landscape);
        let (x, y) = (span(&landscape.x), span(&landscape.y));
        let colour = ui.visuals().strong_text_color();
        let height = ui.available_height().max(80.0);
        let plot = Plot::new("map")
            .height(height)
            .allow_drag(false)
            .allow_zoom(false)
            .allow_scroll(false)
            .allow_boxed_zoom(false)
            .allow_axis_zoom_drag(false)
            .allow_double_click_reset(false)
            .show_grid(false)
            .grid_spacing(12.0..=60.0)
            .x_axis_formatter(move |mark, _| x_scale.number(mark.value))
            .y_axis_formatter(move |mark, _| y_scale.number(mark.value))
            .label_formatter(move |position| {
                let (HoverPosition::NearDataPoint { position: at, .. }
                | HoverPosition::Elsewhere { position: at }) = *position;
                let value = near(&landscape, at.x, at.y).sqrt();
                Some(format!(
                    "{}, {}: {value:.5}",
                    x_scale.text(at.x),
                    y_scale.text(at.y)
                ))
            });
        // A low plot has no room for more than the numbers.
        let plot = match height > 130.0 {
            true => plot
                .x_axis_label(format!("{x_name} ({})", x_scale.symbol))
                .y_axis_label(format!("{y_name} ({})", y_scale.symbol)),
            false => plot,
        };
        let shown = plot.show(ui, |plot| {
            plot.set_plot_bounds(PlotBounds::from_min_max([x.0, y.0], [x.1, y.1]));
            let middle = PlotPoint::new(0.5 * (x.0 + x.1), 0.5 * (y.0 + y.1));
            let size = egui::vec2((x.1 - x.0) as f32, (y.1 - y.0) as f32);
            plot.image(PlotImage::new("residual", texture, middle, size).allow_hover(false));
            for [from, to] in likely {
                let line = Line::new("95 %", vec![from, to])
                    .color(Color32::WHITE)
                    .width(1.5);
                plot.line(line.allow_hover(false));
            }
            let at = lowest.at;
            for bar in [
                vec![[lowest.x.0, at.1], [lowest.x.1, at.1]],
                vec![[at.0, lowest.y.0], [at.0, lowest.y.1]],
            ] {
                let line = Line::new("width", bar).color(Color32::WHITE).width(2.0);
                plot.line(line.allow_hover(false));
            }
            let mark = |name: &str, (x, y): (f64, f64), shape, radius| {
                Points::new(name, vec![[x, y]])
                    .shape(shape)
                    .radius(radius)
                    .filled(false)
                    .allow_hover(false)
            };
            let circle = mark("lowest", at, MarkerShape::Circle, 6.0);
            plot.points(circle.color(Color32::WHITE));
            plot.points(mark("sliders", place, MarkerShape::Cross, 9.0).color(Color32::BLACK));
            plot.points(mark("sliders", place, MarkerShape::Cross, 7.0).color(colour));
        });
        let response = shown.response;
        response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Image, true, "map of the residual")
        });
        let picked = response.clicked() || response.dragged();
        if let Some(pointer) = response.interact_pointer_pos().filter(|_| picked) {
            let at = shown.transform.value_from_position(pointer);
            self.pick(at.x, at.y);
        }
    }

    fn curve(&mut self, ui: &mut egui::Ui) {
        let [(name, scale), _] = self.map_scales();
        let place = self.map_place().0;
        let Some(map) = &self.chart.map else { return };
        let landscape = map.landscape.clone();
        let lowest = map.lowest;
        let height = ui.available_height().max(80.0);
        let x = span(&landscape.x);
        let plot = Plot::new("width curve")
            .height(height)
            .allow_drag(false)
            .allow_zoom(false)
            .allow_scroll(false)
            .allow_boxed_zoom(false)
            .allow_axis_zoom_drag(false)
            .x_axis_label(format!("{name} ({})", scale.symbol))
            .y_axis_label("log10 of rms")
            .x_axis_formatter(move |mark, _| scale.number(mark.value));
        let shown = plot.show(ui, |plot| {
            plot.set_plot_bounds_x(x.0..=x.1);
            let root = |v: &f64| 0.5 * v.max(1e-24).log10();
            let places = landscape.x.iter().zip(&landscape.mean_square);
            let points: Vec<[f64; 2]> = places.map(|(x, v)| [*x, root(v)]).collect();
            plot.line(Line::new("residual", points));
            let least = lowest.residual_rms.max(1e-12).log10();
            let bar = vec![[lowest.x.0, least], [lowest.x.1, least]];
            plot.line(Line::new("95 %", bar).width(4.0));
            plot.vline(VLine::new("slider", place));
        });
        let response = shown.response;
        response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Image, true, "curve of the residual")
        });
        let picked = response.clicked() || response.dragged();
        if let Some(pointer) = response.interact_pointer_pos().filter(|_| picked) {
            let at = shown.transform.value_from_position(pointer);
            self.pick(at.x, at.y);
        }
    }

    /// Where the sliders stand.
    fn map_place(&self) -> (f64, f64) {
        let (setup, frame) = (&self.kept.setup, self.frame());
        match setup.model {
            Model::Zernike => {
                let coefficients = setup.coefficients_of(frame);
                let [x, y] = self.kept.map.axes.map(|axis| coefficients[axis]);
                (x, y)
            }
            Model::Blur => (setup.blur_sigma_px, 0.0),
            _ => (setup.dist_mm.of(frame), setup.sigma_px.of(frame)),
        }
    }

    /// Moves the sliders to a place of the map.
    fn pick(&mut self, x: f64, y: f64) {
        let (frame, axes) = (self.frame(), self.kept.map.axes);
        let Some(about) = &self.chart.about else {
            return;
        };
        let x = x.clamp(about.x.0, about.x.1);
        let y = about.y.map_or(y, |ends| y.clamp(ends.0, ends.1));
        // Digits beyond what the pointer can tell are in the way of who reads them.
        let tidy = |v: f64| (v * 1e3).round() / 1e3;
        let setup: &mut Setup = &mut self.kept.setup;
        match setup.model {
            Model::Zernike => {
                let coefficients = setup.coefficients_of_mut(frame);
                (coefficients[axes[0]], coefficients[axes[1]]) = (tidy(x), tidy(y));
            }
            Model::Blur => setup.blur_sigma_px = tidy(x),
            _ => {
                *setup.dist_mm.of_mut(frame) = tidy(x);
                *setup.sigma_px.of_mut(frame) = tidy(y);
            }
        }
    }
}

/// The ends of an axis: the range of what is unknown, else the surroundings of the value, which
/// stay while it moves within them.
fn window_of(sought: &Sought, frame: usize, before: Option<(f64, f64)>) -> (f64, f64) {
    if sought.unknown && sought.min < sought.max {
        return (sought.min, sought.max);
    }
    let value = sought.of(frame);
    let around = (0.4 * value, (1.6 * value).max(0.4 * value + 0.5));
    match before {
        Some((low, high)) if (low..=high).contains(&value) => (low, high),
        _ => around,
    }
}

/// From half a cell before the first value to half a cell behind the last.
fn span(axis: &[f64]) -> (f64, f64) {
    let (first, last) = (axis[0], axis[axis.len() - 1]);
    let half = 0.5 * (last - first) / (axis.len() - 1).max(1) as f64;
    (first - half, last + half)
}

/// The mean squared residual at the place of the grid that is closest.
fn near(map: &Landscape, x: f64, y: f64) -> f64 {
    let index = |axis: &[f64], at: f64| {
        let (low, high) = span(axis);
        let share = (at - low) / (high - low);
        ((share * axis.len() as f64) as usize).min(axis.len() - 1)
    };
    map.at(index(&map.x, x), index(&map.y, y))
}

impl Chart {
    /// The map as a picture, made anew when it has changed: the logarithm of the residual.
    fn texture(&mut self, ctx: &egui::Context, map: &Arc<Landscape>) -> egui::TextureId {
        if let (Some(texture), Some(drawn)) = (&self.texture, &self.drawn)
            && Arc::ptr_eq(drawn, map)
        {
            return texture.id();
        }
        let (columns, rows) = (map.x.len(), map.y.len());
        let level = |v: f64| v.max(1e-24).log10() as f32;
        // The largest y is the first row of a picture.
        let places = (0..rows)
            .rev()
            .flat_map(|y| (0..columns).map(move |x| (x, y)));
        let levels: Vec<f32> = places.map(|(x, y)| level(map.at(x, y))).collect();
        let finite = levels.iter().copied().filter(|v| v.is_finite());
        let ends = (f32::INFINITY, f32::NEG_INFINITY);
        let range = finite.fold(ends, |(low, high), v| (low.min(v), high.max(v)));
        let image = picture(&levels, columns, range, ColourMap::Viridis);
        self.drawn = Some(map.clone());
        match &mut self.texture {
            Some(texture) => {
                texture.set(image, TextureOptions::NEAREST);
                texture.id()
            }
            None => {
                let made = ctx.load_texture("map", image, TextureOptions::NEAREST);
                self.texture.insert(made).id()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_of_a_known_value_stays_while_it_moves_within() {
        let mut dist = Setup::default().dist_mm;
        let first = window_of(&dist, 0, None);
        assert!(first.0 < 5.0 && first.1 > 5.0);
        dist.value = 6.0;
        assert_eq!(window_of(&dist, 0, Some(first)), first);
        dist.value = 20.0;
        assert_ne!(window_of(&dist, 0, Some(first)), first);
        dist.unknown = true;
        assert_eq!(window_of(&dist, 0, Some(first)), (2.5, 10.0));
    }

    #[test]
    fn the_closest_place_is_read() {
        let map = Landscape {
            x: vec![1.0, 2.0, 3.0],
            y: vec![0.0, 10.0],
            mean_square: vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
        };
        assert_eq!(span(&map.x), (0.5, 3.5));
        assert_eq!(near(&map, 2.4, 9.0), 3.0);
        assert_eq!(near(&map, 9.0, -9.0), 4.0);
    }
}
