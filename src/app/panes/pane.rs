//! One pane: its title, its picture, and what the pointer does to it.

use eframe::egui::{
    self, Align, CursorIcon, Pos2, Rect, Response, Role, Sense, WidgetInfo, pos2, vec2,
};

use super::overlay::{LINE, bar_width, colour_bar, crosshair, line, scale_bar, words};
use super::{PaneOf, Shown, Studio};
use crate::app::plots::Tab;
use crate::display::{Layer, Scene, length, short};

impl Studio {
    pub(super) fn pane(&mut self, ui: &mut egui::Ui, pane: PaneOf, whole: Rect) {
        self.titles(ui, pane);
        // Of the pane, however long its title is.
        let rect = ui.available_rect_before_wrap().intersect(whole);
        let response = ui.allocate_rect(rect, Sense::click_and_drag());
        response.widget_info(|| {
            WidgetInfo::labeled(
                Role::Image,
                true,
                format!("picture of {}", pane.left.label()),
            )
        });
        if response.double_clicked() {
            self.toggle_maximised(pane.index);
        }
        let frame = self.frame();
        let left = self.layer(pane.left, frame);
        let right = pane.right.and_then(|right| self.layer(right, frame));
        // A wipe with one side shows that.
        let (layer, beyond) = match (left, right) {
            (Some(layer), Some(beyond)) => (layer, Some((beyond, self.kept.view.wipe))),
            (Some(layer), None) | (None, Some(layer)) => (layer, None),
            (None, None) => return nothing(ui, rect, pane.left),
        };
        let bars = match &beyond {
            Some((beyond, _)) if beyond.look != layer.look => 2.0,
            _ => 1.0,
        };
        let picture = fitted(&layer, rect, bars * bar_width(ui));
        if picture.width() < 1.0 || picture.height() < 1.0 {
            return;
        }
        self.panes.pictures.push((pane.index, picture));
        if !self.draw_region(ui, &response, picture, self.kept.view.seen()) {
            self.move_view(ui, &response, picture);
        }
        let scene = Scene {
            layer,
            beyond,
            seen: self.kept.view.window(),
        };
        self.panes.canvas.paint(ui, pane.index, picture, &scene);
        self.over(ui, &scene, picture);
        let missing = pane.shows().find(|&shown| self.clip(shown).is_none());
        match (scene.beyond, missing) {
            (Some(_), _) => self.divider(ui, picture),
            (None, Some(missing)) => {
                let at = picture.left_top() + vec2(-6.0, 34.0);
                words(ui, at, picture, missing.missing().into());
            }
            (None, None) => {}
        }
    }

    /// What dragging and scrolling do.
    fn move_view(&mut self, ui: &egui::Ui, response: &Response, picture: Rect) {
        let view = &mut self.kept.view;
        let share = |at: Pos2| {
            let seen = view.seen();
            seen.min + (at - picture.min) / picture.size() * seen.size()
        };
        let profile = &mut self.panes.profile;
        let draws = profile.on || ui.input(|input| input.modifiers.shift);
        let origin = ui.input(|input| input.pointer.press_origin());
        let ends = origin.zip(response.interact_pointer_pos());
        match ends {
            Some((from, to)) if draws && response.dragged() => {
                let inside = |at: Pos2| share(at).clamp(Pos2::ZERO, pos2(1.0, 1.0)).into();
                profile.line = Some([inside(from), inside(to)]);
                profile.on = true;
                self.kept.plot = Tab::Profile;
            }
            _ if response.dragged() => view.drag(response.drag_delta() / picture.size()),
            _ => {}
        }
        let Some(pointer) = response.hover_pos().filter(|at| picture.contains(*at)) else {
            return;
        };
        if draws {
            ui.ctx().set_cursor_icon(CursorIcon::Crosshair);
        }
        let turned = ui.input(|input| input.smooth_scroll_delta.y) / 200.0
            + ui.input(|input| input.zoom_delta()).ln();
        if turned != 0.0 {
            view.zoom_at(turned.exp(), (pointer - picture.min) / picture.size());
        }
    }

    /// Bars, the profile's line, and the value at the place pointed at.
    fn over(&mut self, ui: &egui::Ui, scene: &Scene, picture: Rect) {
        let seen = self.kept.view.seen();
        let pixel_um = self.pixel_um();
        let seen_px = seen.width() * scene.layer.size()[0] as f32;
        scale_bar(ui, picture, f64::from(seen_px) * pixel_um);
        colour_bar(ui, &scene.layer.look, picture);
        if let Some((beyond, _)) = &scene.beyond
            && beyond.look != scene.layer.look
        {
            let beside = picture.translate(vec2(bar_width(ui), 0.0));
            colour_bar(ui, &beyond.look, beside);
        }
        let painter = ui
            .painter()
            .with_clip_rect(picture.intersect(ui.clip_rect()));
        if let Some(ends) = self.panes.profile.ends(picture, seen) {
            line(&painter, ends, LINE);
        }
        let Some(place) = self.panes.place.filter(|&place| seen.contains(place)) else {
            return;
        };
        let share = (place - seen.min) / seen.size();
        let at = picture.min + share * picture.size();
        crosshair(&painter, at);
        let layer = match &scene.beyond {
            Some((beyond, wipe)) if share.x >= *wipe => beyond,
            _ => &scene.layer,
        };
        let [columns, rows] = layer.size();
        let pixel = |share: f32, count: usize| ((share * count as f32) as usize).min(count - 1);
        let (row, column) = (pixel(place.y, rows), pixel(place.x, columns));
        let value = layer
            .look
            .transform
            .of(layer.values()[row * columns + column]);
        let mut text = short(f64::from(value));
        if ui.rect_contains_pointer(picture) {
            let um = |index: usize| length((index as f64 + 0.5) * pixel_um);
            text = format!(
                "{text}   x {}, y {}   column {column}, row {row}",
                um(column),
                um(row)
            );
        }
        words(ui, at, picture, text);
    }
}

/// The largest rectangle of the frame's proportions that leaves room for its colour bars.
fn fitted(layer: &Layer, room: Rect, bars: f32) -> Rect {
    let [columns, rows] = layer.size().map(|side| side as f32);
    let scale = ((room.width() - bars) / columns).min(room.height() / rows);
    let size = vec2(columns, rows) * scale.max(0.0);
    Rect::from_center_size(room.center() - vec2(0.5 * bars, 0.0), size)
}

/// In place of a picture.
fn nothing(ui: &mut egui::Ui, rect: Rect, shown: Shown) {
    let room = rect.shrink2(vec2(16.0, 0.4 * rect.height()));
    let builder = egui::UiBuilder::new()
        .max_rect(room)
        .layout(egui::Layout::top_down(Align::Center));
    ui.scope_builder(builder, |ui| ui.weak(shown.missing()));
}
