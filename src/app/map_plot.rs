//! The map of the residual, drawn.

use std::sync::Arc;

use eframe::egui::{self, Color32, TextureOptions};
use egui_plot::{
    HoverPosition, Line, MarkerShape, Plot, PlotBounds, PlotImage, PlotPoint, PlotResponse, Points,
    VLine,
};

use super::Studio;
use super::map_panel::Chart;
use super::picture::picture;
use super::setup::Model;
use super::units::Scale;
use crate::display::ColourMap;
use crate::physics::zernike::MODES;
use crate::solver::Landscape;
use crate::worker::Map;

impl Studio {
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

    pub(super) fn map_text(&self, ui: &mut egui::Ui) {
        let Some(map) = &self.chart.map else { return };
        let [(x_name, x), (y_name, y)] = self.map_scales();
        let lowest = &map.lowest;
        let part = |name: &str, scale: Scale, at: f64, (low, high): (f64, f64)| {
            // The map tells no more digits.
            let tidy = |v: f64| (v * 1e3).round() / 1e3;
            format!(
                "{name} {} ({} to {})",
                scale.text(tidy(at)),
                scale.number(tidy(low)),
                scale.number(tidy(high))
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

    pub(super) fn heat_map(&mut self, ui: &mut egui::Ui) {
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
        self.pick_on(&shown, "map of the residual");
    }

    /// A click or a drag on a plot moves the sliders there.
    fn pick_on(&mut self, shown: &PlotResponse<()>, name: &str) {
        let response = &shown.response;
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, name));
        let picked = response.clicked() || response.dragged();
        if let Some(pointer) = response.interact_pointer_pos().filter(|_| picked) {
            let at = shown.transform.value_from_position(pointer);
            self.pick(at.x, at.y);
        }
    }

    pub(super) fn curve(&mut self, ui: &mut egui::Ui) {
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
        self.pick_on(&shown, "curve of the residual");
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
