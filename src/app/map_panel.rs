//! The residual over two parameters: where the data point, before a run is spent.

use std::sync::Arc;

use eframe::egui::{self, TextureHandle};
use serde::{Deserialize, Serialize};

use super::Studio;
use super::probe::Same;
use super::setup::{Model, Setup, Sought};
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
    pub axes: [usize; 2],
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
    pub about: Option<About>,
    /// What is to be asked once it has stood still for a while: since when, in s.
    wanted: Option<(About, f64)>,
    pub map: Option<Map>,
    error: Option<String>,
    pub texture: Option<TextureHandle>,
    /// The map that the texture was made of.
    pub drawn: Option<Arc<Landscape>>,
}

/// What a map is of.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    plane: Plane,
    x: (f64, f64),
    y: Option<(f64, f64)>,
    pub frame: Option<usize>,
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
        let mapped = matches!(model, Model::Scatter | Model::Zernike | Model::Blur);
        if self.source.is_none() || !mapped {
            ui.weak(match mapped {
                true => "Open a capture: its residual is drawn here at other values.",
                false => "This forward model has no values to draw the residual over.",
            });
            return;
        }
        ui.horizontal_wrapped(|ui| {
            self.map_choices(ui);
            ui.separator();
            if let Some(error) = &self.chart.error {
                ui.colored_label(ui.visuals().error_fg_color, error);
            } else if self.chart.map.is_none() {
                ui.spinner();
                ui.label("the map is on its way");
            } else {
                self.map_text(ui);
            }
        });
        if let Some(about) = self.map_about() {
            self.ask_map(ui.ctx(), about);
        }
        match model {
            _ if self.chart.map.is_none() => {}
            Model::Blur => self.curve(ui),
            _ => self.heat_map(ui),
        }
    }

    fn map_choices(&mut self, ui: &mut egui::Ui) {
        let has_estimate = self.estimate().is_some();
        let choices = &mut self.kept.map;
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

    /// Where the sliders stand.
    pub(super) fn map_place(&self) -> (f64, f64) {
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
    pub(super) fn pick(&mut self, x: f64, y: f64) {
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
}
