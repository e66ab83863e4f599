//! Values along a line, in all panes.

use eframe::egui::{self, Pos2, Rect};
use egui_plot::{Legend, Line, Plot, PlotPoints};

use super::{Shown, Studio};
use crate::display::profile;

/// The line, and whether dragging in a pane draws it.
#[derive(Default)]
pub struct Profile {
    pub on: bool,
    /// Both ends, as shares of the frame.
    pub line: Option<[[f32; 2]; 2]>,
}

/// Across the middle, until another is drawn.
const FIRST: [[f32; 2]; 2] = [[0.05, 0.5], [0.95, 0.5]];

impl Profile {
    pub fn toggle(&mut self) {
        self.on = !self.on;
        if self.on {
            self.line.get_or_insert(FIRST);
        }
    }

    /// The line where a picture shows it; `seen` is the part of the frame that `picture` shows.
    pub fn ends(&self, picture: Rect, seen: Rect) -> Option<[Pos2; 2]> {
        let line = self.line.filter(|_| self.on)?;
        Some(line.map(|[x, y]| {
            let share = (Pos2::new(x, y) - seen.min) / seen.size();
            picture.min + share * picture.size()
        }))
    }
}

impl Studio {
    /// Whether a line is drawn whose values [`profile_plot`](Self::profile_plot) shows.
    pub(in crate::app) fn has_profile(&self) -> bool {
        self.panes.profile.on && self.source.is_some()
    }

    /// The values along the line in every clip that the panes show.
    pub(in crate::app) fn profile_plot(&mut self, ui: &mut egui::Ui) {
        let Some(ends) = self.panes.profile.line else {
            ui.weak("Drag a line over a pane with Shift held down, or press Profile.");
            return;
        };
        let pitch_um = self.pixel_um();
        let frame = self.frame();
        let curves: Vec<(String, PlotPoints)> = self
            .shown_panes()
            .into_iter()
            .filter_map(|shown| {
                let layer = self.layer(shown, frame)?;
                let transform = layer.look.transform;
                let samples = profile(&layer.clip, layer.frame, ends);
                let points = samples
                    .into_iter()
                    .map(|[px, value]| [px * pitch_um, f64::from(transform.of(value as f32))]);
                Some((self.title(shown), points.collect()))
            })
            .collect();
        ui.label("values along the line, by micrometres from its first end");
        Plot::new("profile")
            .height(ui.available_height().max(60.0))
            .legend(Legend::default())
            .allow_scroll(false)
            .show(ui, |plot| {
                for (name, points) in curves {
                    plot.line(Line::new(name, points));
                }
            });
    }

    /// What the panes show, each once.
    pub(in crate::app) fn shown_panes(&self) -> Vec<Shown> {
        let mut all = Vec::new();
        for shown in self.visible().into_iter().flat_map(|pane| pane.shows()) {
            if !all.contains(&shown) {
                all.push(shown);
            }
        }
        all
    }
}
