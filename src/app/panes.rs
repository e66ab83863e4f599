//! Linked pictures: what was recorded, what is estimated, and how far they are apart.

use std::collections::HashMap;
use std::sync::Arc;

use eframe::egui::{self, Color32, Pos2, Rect, Sense, TextureHandle, TextureOptions, Vec2};
use serde::{Deserialize, Serialize};

use super::Studio;
use super::picture::{ColourMap, picture};
use crate::clip::Clip;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Shown {
    Measurement,
    Estimate,
    Remeasured,
    Residual,
    Truth,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    One,
    Two,
    Four,
}

/// How the panes are looked at; it outlives the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    pub layout: Layout,
    pub panes: [Shown; 4],
    pub map: ColourMap,
    /// Pixels of a frame seen across: 1 shows all.
    pub zoom: f32,
    /// The middle, as shares of the frame.
    pub middle: [f32; 2],
}

impl Default for View {
    fn default() -> Self {
        Self {
            layout: Layout::Four,
            panes: [
                Shown::Measurement,
                Shown::Estimate,
                Shown::Remeasured,
                Shown::Residual,
            ],
            map: ColourMap::Grey,
            zoom: 1.0,
            middle: [0.5, 0.5],
        }
    }
}

impl View {
    const CLOSEST: f32 = 16.0;

    pub fn whole(&mut self) {
        (self.zoom, self.middle) = (1.0, [0.5, 0.5]);
    }

    /// The part of a frame that is seen, in shares of it.
    fn seen(&self) -> Rect {
        let half = 0.5 / self.zoom;
        let middle = self.middle.map(|at| at.clamp(half, 1.0 - half));
        Rect::from_center_size(middle.into(), Vec2::splat(2.0 * half))
    }

    /// Zooms by a factor, keeping what is at `share` of the pane where it is.
    fn zoom_at(&mut self, factor: f32, share: Vec2) {
        let before = self.seen();
        let fixed = before.min + share * before.size();
        self.zoom = (self.zoom * factor).clamp(1.0, Self::CLOSEST);
        let size = 1.0 / self.zoom;
        let middle = fixed - (share - Vec2::splat(0.5)) * size;
        self.middle = [middle.x, middle.y];
        let seen = self.seen();
        self.middle = seen.center().into();
    }

    /// Moves by a share of the pane.
    fn drag(&mut self, share: Vec2) {
        let middle = self.seen().center() - share / self.zoom;
        self.middle = [middle.x, middle.y];
        self.middle = self.seen().center().into();
    }
}

impl Shown {
    pub const ALL: [Self; 5] = [
        Self::Measurement,
        Self::Estimate,
        Self::Remeasured,
        Self::Residual,
        Self::Truth,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Self::Measurement => "Measurement",
            Self::Estimate => "Estimate x0",
            Self::Remeasured => "Re-measured A(x0)",
            Self::Residual => "Residual A(x0) - y",
            Self::Truth => "True video",
        }
    }

    /// What its values are.
    fn quantity(self) -> &'static str {
        match self {
            Self::Measurement | Self::Remeasured => "intensity",
            Self::Residual => "intensity",
            Self::Estimate | Self::Truth => "amplitude",
        }
    }
}

impl Layout {
    pub const ALL: [Self; 3] = [Self::One, Self::Two, Self::Four];

    pub fn label(self) -> &'static str {
        match self {
            Self::One => "One pane",
            Self::Two => "Two panes",
            Self::Four => "Four panes",
        }
    }

    fn grid(self) -> (usize, usize) {
        match self {
            Self::One => (1, 1),
            Self::Two => (1, 2),
            Self::Four => (2, 2),
        }
    }
}

/// What a texture was made of.
#[derive(Clone, Copy, PartialEq)]
struct Made {
    clip: usize,
    frame: usize,
    map: ColourMap,
    range: (f32, f32),
}

/// One texture for each place, remade only when what it shows has changed.
#[derive(Default)]
pub struct Textures(HashMap<(&'static str, usize), (Made, TextureHandle)>);

impl Textures {
    pub fn of(
        &mut self,
        ctx: &egui::Context,
        place: (&'static str, usize),
        clip: &Arc<Clip>,
        frame: usize,
        range: (f32, f32),
        map: ColourMap,
    ) -> egui::TextureId {
        let made = Made {
            clip: Arc::as_ptr(clip).addr(),
            frame,
            map,
            range,
        };
        let image = || picture(clip.frame(frame), clip.shape().width, range, map);
        match self.0.get_mut(&place) {
            Some((before, texture)) => {
                if *before != made {
                    texture.set(image(), TextureOptions::NEAREST);
                    *before = made;
                }
                texture.id()
            }
            None => {
                let name = format!("{} {}", place.0, place.1);
                let texture = ctx.load_texture(name, image(), TextureOptions::NEAREST);
                let id = texture.id();
                self.0.insert(place, (made, texture));
                id
            }
        }
    }
}

impl Studio {
    /// The clip of a pane, with the range of its colours.
    pub(super) fn clip(&self, shown: Shown) -> Option<(Arc<Clip>, (f32, f32))> {
        let source = self.source.as_ref()?;
        let recorded = (source.recorded.clone(), source.range);
        let preview = self.run.as_ref().and_then(|run| run.shown());
        match shown {
            Shown::Measurement => Some(recorded),
            Shown::Estimate => Some((preview?.estimate.clone(), (0.0, 1.0))),
            Shown::Truth => Some((source.truth.clone()?, (0.0, 1.0))),
            Shown::Remeasured | Shown::Residual => {
                let probe = self.probe.clips.as_ref();
                let probed = self.probe.shown || preview.is_none();
                match (shown, probe.filter(|_| probed), preview) {
                    (Shown::Remeasured, Some(probe), _) => Some((
                        probe.predicted.clone(),
                        self.kept.setup.bare_range(source.range),
                    )),
                    (_, Some(probe), _) => {
                        Some((probe.residual.clone(), signed(probe.residual_rms)))
                    }
                    (Shown::Remeasured, None, Some(preview)) => Some((
                        preview.predicted.clone(),
                        self.kept.setup.bare_range(source.range),
                    )),
                    (_, None, Some(preview)) => {
                        Some((preview.residual.clone(), signed(preview.residual_rms)))
                    }
                    (_, None, None) => None,
                }
            }
        }
    }

    pub(super) fn panes(&mut self, ui: &mut egui::Ui) {
        if self.source.is_none() {
            self.welcome(ui);
            return;
        }
        self.view_bar(ui);
        let (rows, columns) = self.kept.view.layout.grid();
        let all = ui.available_rect_before_wrap();
        let gap = 6.0;
        let size = Vec2::new(
            (all.width() - gap * (columns - 1) as f32) / columns as f32,
            (all.height() - gap * (rows - 1) as f32) / rows as f32,
        );
        for place in 0..rows * columns {
            let (row, column) = (place / columns, place % columns);
            let corner = all.min + Vec2::new(column as f32, row as f32) * (size + Vec2::splat(gap));
            let rect = Rect::from_min_size(corner, size);
            let builder = egui::UiBuilder::new()
                .max_rect(rect)
                .id_salt(("pane", place));
            ui.scope_builder(builder, |ui| {
                ui.set_clip_rect(rect.intersect(ui.clip_rect()));
                self.pane(ui, place, rect);
            });
        }
        ui.advance_cursor_after_rect(all);
    }

    fn view_bar(&mut self, ui: &mut egui::Ui) {
        ui.horizontal_wrapped(|ui| {
            let view = &mut self.kept.view;
            for layout in Layout::ALL {
                ui.selectable_value(&mut view.layout, layout, layout.label());
            }
            ui.separator();
            for map in [ColourMap::Grey, ColourMap::Viridis] {
                ui.selectable_value(&mut view.map, map, map.label());
            }
            ui.separator();
            if ui
                .button("Whole frame")
                .on_hover_text("Undo zoom and pan")
                .clicked()
            {
                view.whole();
            }
            if self.run.as_ref().is_some_and(|run| run.shown().is_some()) {
                ui.separator();
                ui.label("A at");
                ui.selectable_value(&mut self.probe.shown, false, "the run's values")
                    .on_hover_text("Re-measure with what the run uses or has found");
                ui.selectable_value(&mut self.probe.shown, true, "the sliders' values")
                    .on_hover_text("Re-measure with what the panel on the left says");
            }
            if let Some(error) = &self.probe.error {
                ui.colored_label(ui.visuals().error_fg_color, error);
            } else if let Some(clips) = self.probe.clips.as_ref().filter(|_| self.is_probed()) {
                ui.label(format!("residual {:.5} rms", clips.residual_rms))
                    .on_hover_text("Of the estimate, re-measured at the sliders' values");
            }
        });
    }

    fn is_probed(&self) -> bool {
        self.probe.shown || self.run.as_ref().is_none_or(|run| run.shown().is_none())
    }

    fn pane(&mut self, ui: &mut egui::Ui, place: usize, pane: Rect) {
        let shown = self.kept.view.panes[place];
        ui.horizontal(|ui| {
            let name = ui.weak(format!("pane {}", place + 1));
            egui::ComboBox::from_id_salt(("shown", place))
                .selected_text(shown.label())
                .show_ui(ui, |ui| {
                    for other in Shown::ALL {
                        ui.selectable_value(&mut self.kept.view.panes[place], other, other.label());
                    }
                })
                .response
                .labelled_by(name.id);
            ui.weak(shown.quantity());
            if shown == Shown::Residual
                && let Some((_, (_, high))) = self.clip(shown)
            {
                ui.weak(format!("-{high} to {high}"));
            }
        });
        // Of the pane, however long its title is.
        let rect = ui.available_rect_before_wrap().intersect(pane);
        let response = ui.allocate_rect(rect, Sense::click_and_drag());
        let Some((clip, range)) = self.clip(shown) else {
            let empty = match shown {
                Shown::Truth => "no true video is open",
                _ => "nothing yet",
            };
            ui.painter().text(
                rect.center(),
                egui::Align2::CENTER_CENTER,
                empty,
                egui::TextStyle::Body.resolve(ui.style()),
                ui.visuals().weak_text_color(),
            );
            return;
        };
        let shape = clip.shape();
        let map = match shown {
            Shown::Residual => ColourMap::Diverging,
            _ => self.kept.view.map,
        };
        let frame = self.frame().min(shape.frames - 1);
        let texture = self
            .panes
            .of(ui.ctx(), ("pane", place), &clip, frame, range, map);
        let scale = (rect.width() / shape.width as f32).min(rect.height() / shape.height as f32);
        let size = Vec2::new(shape.width as f32, shape.height as f32) * scale;
        let image = Rect::from_center_size(rect.center(), size);
        let seen = self.kept.view.seen();
        ui.painter().image(texture, image, seen, Color32::WHITE);
        if response.dragged() {
            self.kept.view.drag(response.drag_delta() / size);
        }
        if response.double_clicked() {
            self.kept.view.whole();
        }
        if let Some(pointer) = response.hover_pos().filter(|at| image.contains(*at)) {
            let share = (pointer - image.min) / size;
            let turned = ui.input(|input| input.smooth_scroll_delta.y) / 200.0
                + ui.input(|input| input.zoom_delta()).ln();
            if turned != 0.0 {
                self.kept.view.zoom_at(turned.exp(), share);
            }
            read_out(ui, pointer, seen.min + share * seen.size(), &clip, frame);
        }
    }

    fn welcome(&mut self, ui: &mut egui::Ui) {
        ui.vertical_centered(|ui| {
            ui.add_space(0.3 * ui.available_height());
            ui.heading("Video seen through a scattering layer, reconstructed");
            ui.label("Drop a capture here, or");
            ui.add_space(8.0);
            if ui.button("Open a capture ...").clicked() {
                self.choose(super::dialog::Chosen::Capture);
            }
        });
    }
}

/// A scale for residuals of this rms: four times as far each way, in steps of 1, 2 and 5 so that
/// it stands still while the residual falls.
fn signed(rms: f64) -> (f32, f32) {
    let wanted = if rms.is_finite() {
        (4.0 * rms).clamp(1e-6, 1e6)
    } else {
        1.0
    };
    let decade = 10f64.powf(wanted.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|step| step * decade >= wanted);
    let high = (step.unwrap_or(10.0) * decade) as f32;
    (-high, high)
}

/// The pixel under the pointer.
fn read_out(ui: &egui::Ui, pointer: Pos2, at: Pos2, clip: &Clip, frame: usize) {
    let shape = clip.shape();
    let pixel = |share: f32, count: usize| ((share * count as f32) as usize).min(count - 1);
    let (row, column) = (pixel(at.y, shape.height), pixel(at.x, shape.width));
    let value = clip.frame(frame)[row * shape.width + column];
    let text = format!("row {row}, column {column}: {value:.4}");
    let painter = ui.painter();
    let font = egui::TextStyle::Small.resolve(ui.style());
    let galley = painter.layout_no_wrap(text, font, Color32::WHITE);
    let place = pointer + Vec2::new(12.0, -20.0);
    let back = Rect::from_min_size(place, galley.size()).expand(3.0);
    painter.rect_filled(back, 3.0, Color32::from_black_alpha(190));
    painter.galley(place, galley, Color32::WHITE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residuals_have_round_scales() {
        assert_eq!(signed(0.001), (-0.005, 0.005));
        assert_eq!(signed(0.3), (-2.0, 2.0));
        assert!(signed(f64::NAN).1.is_finite());
    }

    #[test]
    fn zooming_keeps_what_is_under_the_pointer() {
        let mut view = View::default();
        let share = Vec2::new(0.75, 0.5);
        view.zoom_at(2.0, share);
        let seen = view.seen();
        assert!(
            (seen.min.x + 0.75 * seen.width() - 0.75).abs() < 1e-6,
            "{seen:?}"
        );
        view.drag(Vec2::new(100.0, 0.0));
        assert_eq!(view.seen().min.x, 0.0);
        view.zoom_at(0.1, share);
        assert_eq!(
            view.seen(),
            Rect::from_min_max(Pos2::ZERO, Pos2::new(1.0, 1.0))
        );
    }
}
