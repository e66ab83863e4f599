//! The part of each frame that is used, drawn on a picture.

use eframe::egui::{self, Color32, Pos2, Rect, Response, Stroke, StrokeKind};

use super::Studio;
use crate::clip::Shape;
use crate::media::{Crop, FrameSize};

/// The tool that draws it.
#[derive(Default)]
pub(super) struct RegionTool {
    pub on: bool,
    /// Where the drag began, as a share of the frames shown.
    from: Option<Pos2>,
}

/// Least rows and columns: a slip of the hand is no region.
const LEAST_PX: usize = 4;

impl Studio {
    /// Draws the region on a picture at `image`, of which the part `seen` (in shares) is shown,
    /// and says whether the tool took the pointer.
    pub(super) fn draw_region(
        &mut self,
        ui: &egui::Ui,
        response: &Response,
        image: Rect,
        seen: Rect,
    ) -> bool {
        if !self.region.on {
            return false;
        }
        let share = |at: Pos2| {
            let at = image.clamp(at);
            seen.min + (at - image.min) / image.size() * seen.size()
        };
        let place = |share: Pos2| image.min + (share - seen.min) / seen.size() * image.size();
        if response.hovered() {
            ui.set_cursor_icon(egui::CursorIcon::Crosshair);
        }
        if response.drag_started() {
            let origin = ui.input(|input| input.pointer.press_origin());
            self.region.from = origin.map(share);
        }
        let (Some(from), Some(pointer)) = (self.region.from, response.interact_pointer_pos())
        else {
            return true;
        };
        let to = share(pointer);
        if response.dragged() {
            let drawn = Rect::from_two_pos(place(from), place(to));
            let stroke = Stroke::new(2.0, ui.visuals().selection.stroke.color);
            ui.painter()
                .rect_filled(drawn, 0.0, Color32::from_white_alpha(40));
            ui.painter()
                .rect_stroke(drawn, 0.0, stroke, StrokeKind::Inside);
        }
        if response.drag_stopped() {
            self.region = RegionTool::default();
            if let Some(source) = &self.source {
                let drawn = Rect::from_two_pos(from, to);
                if let Some(region) = region(drawn, source.cut.region, source.whole) {
                    self.cut(|cut| cut.region = Some(region));
                }
            }
        }
        true
    }
}

/// What was drawn, in shares of what is shown, as a part of the file's frames.
fn region(drawn: Rect, shown: Option<Crop>, whole: Shape) -> Option<Crop> {
    let whole = FrameSize::new(whole.height, whole.width);
    let shown = shown.unwrap_or(whole.into());
    let [top, left] = shown.corner_in(whole)?;
    let span = |from: f32, to: f32, count: usize| {
        let pixel = |share: f32| (share * count as f32).round() as usize;
        let (from, to) = (pixel(from), pixel(to).min(count));
        (from, to.saturating_sub(from))
    };
    let (row, height) = span(drawn.min.y, drawn.max.y, shown.size.height);
    let (column, width) = span(drawn.min.x, drawn.max.x, shown.size.width);
    (height >= LEAST_PX && width >= LEAST_PX).then_some(Crop {
        size: FrameSize::new(height, width),
        corner: Some([top + row, left + column]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_within_a_region_counts_from_the_files_corner() {
        let whole = Shape::new(1, 40, 80);
        let drawn = Rect::from_min_max(Pos2::new(0.25, 0.5), Pos2::new(0.75, 1.0));
        let text = |shown| region(drawn, shown, whole).unwrap().to_string();
        assert_eq!(text(None), "20x40+20+20");
        let shown = "20x40+20+20".parse().unwrap();
        assert_eq!(text(Some(shown)), "10x20+30+30");
        let slip = Rect::from_min_max(Pos2::new(0.5, 0.5), Pos2::new(0.51, 0.9));
        assert_eq!(region(slip, None, whole), None);
    }
}
