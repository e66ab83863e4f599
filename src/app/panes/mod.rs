//! Linked pictures: what was recorded, what is estimated, and how far they are apart.

mod bar;
mod canvas;
mod keys;
mod overlay;
mod pane;
mod profile;
mod shown;
mod title;
mod view;
mod wipe;

use eframe::egui::{self, Pos2, Rect, Vec2};

use super::Studio;
use canvas::Canvas;
use profile::Profile;
use shown::Ranges;

pub use shown::Shown;
pub use view::{ContrastKind, Layout, View};

/// What the panes hold while the window is open.
#[derive(Default)]
pub struct Panes {
    pub canvas: Canvas,
    pub profile: Profile,
    ranges: Ranges,
    /// The pane that has all the room.
    pub maximised: Option<usize>,
    /// Where each pane drew its picture last.
    pictures: Vec<(usize, Rect)>,
    /// The pane under the pointer.
    pointed: Option<usize>,
    /// The place under the pointer, in shares of the frame.
    place: Option<Pos2>,
}

/// One pane of those on screen.
#[derive(Clone, Copy, Debug)]
pub struct PaneOf {
    /// Which of [`View::panes`] it is.
    pub index: usize,
    pub left: Shown,
    /// Right of the divider, where there is one.
    pub right: Option<Shown>,
}

impl PaneOf {
    pub fn shows(self) -> impl Iterator<Item = Shown> {
        std::iter::once(self.left).chain(self.right)
    }
}

const GAP: f32 = 6.0;

impl Studio {
    /// The panes on screen.
    pub(in crate::app) fn visible(&self) -> Vec<PaneOf> {
        let view = &self.kept.view;
        let (rows, columns) = view.layout.grid();
        let one = |index| PaneOf {
            index,
            left: view.panes[index],
            right: (view.layout == Layout::Wipe).then_some(view.panes[1]),
        };
        match self.panes.maximised.filter(|&index| index < rows * columns) {
            Some(index) => vec![one(index)],
            None => (0..rows * columns).map(one).collect(),
        }
    }

    /// Rows and columns of the panes on screen.
    pub(in crate::app) fn grid(&self) -> (usize, usize) {
        match self.visible().len() {
            1 => (1, 1),
            _ => self.kept.view.layout.grid(),
        }
    }

    /// What a pane shows and how, in words.
    pub(in crate::app) fn title(&self, shown: Shown) -> String {
        let own = shown.quantity();
        let quantity = own.after(own.shown_as(self.kept.view.values.of(own)));
        format!("{} ({})", shown.label(), quantity.label())
    }

    /// Size of a pixel at the object in micrometres.
    pub(in crate::app) fn pixel_um(&self) -> f64 {
        let file_um = self
            .source
            .as_ref()
            .and_then(|source| source.pixel_pitch_um);
        self.kept.setup.optics(file_um).object_pitch_um()
    }

    pub(super) fn panes(&mut self, ui: &mut egui::Ui) {
        if self.source.is_none() {
            self.welcome(ui);
            return;
        }
        self.view_keys(ui.ctx());
        self.view_bar(ui);
        self.pane_grid(ui);
    }

    /// The panes alone.
    pub(super) fn pane_grid(&mut self, ui: &mut egui::Ui) {
        let (rows, columns) = self.grid();
        let all = ui.available_rect_before_wrap();
        let size = Vec2::new(
            (all.width() - GAP * (columns - 1) as f32) / columns as f32,
            (all.height() - GAP * (rows - 1) as f32) / rows as f32,
        );
        self.point(ui);
        for (number, pane) in self.visible().into_iter().enumerate() {
            let (row, column) = (number / columns, number % columns);
            let corner = all.min + Vec2::new(column as f32, row as f32) * (size + Vec2::splat(GAP));
            let rect = Rect::from_min_size(corner, size);
            let builder = egui::UiBuilder::new()
                .max_rect(rect)
                .id_salt(("pane", pane.index));
            ui.scope_builder(builder, |ui| {
                ui.set_clip_rect(rect.intersect(ui.clip_rect()));
                self.pane(ui, pane, rect);
            });
        }
        ui.advance_cursor_after_rect(all);
    }

    /// Finds the place under the pointer before anything is drawn, so that all panes mark it.
    fn point(&mut self, ui: &egui::Ui) {
        let pictures = std::mem::take(&mut self.panes.pictures);
        let pointer = ui.input(|input| input.pointer.hover_pos());
        let is_free = |at: &Pos2| ui.ctx().layer_id_at(*at) == Some(ui.layer_id());
        let hit = pointer.filter(is_free).and_then(|at| {
            let (index, picture) = pictures.iter().find(|(_, rect)| rect.contains(at))?;
            Some((*index, (at - picture.min) / picture.size()))
        });
        let seen = self.kept.view.seen();
        self.panes.pointed = hit.map(|(index, _)| index);
        self.panes.place = hit.map(|(_, share)| seen.min + share * seen.size());
    }
}
