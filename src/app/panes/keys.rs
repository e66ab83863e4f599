//! Shortcuts of the views.

use eframe::egui::{self, Key, Modifiers, Vec2};

use super::{Layout, Studio};
use crate::app::keys::is_asking;

/// By how much a key zooms.
const ZOOM: f32 = 1.25;

impl Studio {
    pub(super) fn view_keys(&mut self, ctx: &egui::Context) {
        // Typing into a field comes first; a button that was clicked keeps the focus and may.
        if is_asking(ctx) || ctx.text_edit_focused() {
            return;
        }
        let pressed = |key| ctx.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let middle = Vec2::splat(0.5);
        if pressed(Key::Home) {
            self.kept.view.whole();
        }
        if pressed(Key::Plus) || pressed(Key::Equals) {
            self.kept.view.zoom_at(ZOOM, middle);
        }
        if pressed(Key::Minus) {
            self.kept.view.zoom_at(1.0 / ZOOM, middle);
        }
        if pressed(Key::M) {
            let index = self.panes.pointed.unwrap_or(0);
            self.toggle_maximised(index);
        }
        if pressed(Key::P) {
            self.toggle_profile();
        }
        if pressed(Key::W) {
            self.kept.view.layout = match self.kept.view.layout {
                Layout::Wipe => Layout::Four,
                _ => Layout::Wipe,
            };
        }
    }

    /// Gives a pane all the room, or takes it back.
    pub(super) fn toggle_maximised(&mut self, index: usize) {
        self.panes.maximised = match self.panes.maximised {
            Some(_) => None,
            None => Some(index),
        };
    }
}
