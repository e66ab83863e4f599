//! Values along a line, in all panes.

use eframe::egui::{Pos2, Rect};

use super::{Shown, Studio};
use crate::app::plots::Tab;
use crate::display::profile;
use crate::run::curves::{Curves, Series, Style};

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
    pub(super) fn toggle_profile(&mut self) {
        let profile = &mut self.panes.profile;
        profile.on = !profile.on;
        if profile.on {
            profile.line.get_or_insert(FIRST);
            self.kept.plot = Tab::Profile;
        }
    }

    /// The values along the line in every clip that the panes show: a plot for each quantity.
    pub(in crate::app) fn profile_curves(&mut self) -> Vec<Curves> {
        let Some(ends) = self.panes.profile.line else {
            return Vec::new();
        };
        let (pixel_um, frame) = (self.pixel_um(), self.frame());
        let mut plots: Vec<Curves> = Vec::new();
        for shown in self.shown_panes() {
            let Some(layer) = self.layer(shown, frame) else {
                continue;
            };
            let transform = layer.look.transform;
            let points = profile(&layer.clip, layer.frame, ends)
                .into_iter()
                .map(|[px, value]| [px * pixel_um, f64::from(transform.of(value as f32))]);
            let series = Series::new(shown.label(), Style::Line, points.collect());
            let quantity = shown.quantity().after(transform).label();
            match plots.iter_mut().find(|plot| plot.y == quantity) {
                Some(plot) => plot.series.push(series),
                None => plots.push(Curves {
                    title: quantity.into(),
                    x: "um".into(),
                    y: quantity.into(),
                    series: vec![series],
                }),
            }
        }
        plots
    }

    /// What the panes show, each once.
    fn shown_panes(&self) -> Vec<Shown> {
        let mut all = Vec::new();
        for shown in self.visible().into_iter().flat_map(|pane| pane.shows()) {
            if !all.contains(&shown) {
                all.push(shown);
            }
        }
        all
    }
}
