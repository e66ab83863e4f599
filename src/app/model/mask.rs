//! Missing pixels: at random, from a file, or by brush.

use eframe::egui::{self, Color32, Rect, Sense, Slider, TextureHandle, TextureOptions, Vec2};

use super::drawing::Drawing;
use crate::app::Studio;
use crate::app::dialog::Chosen;
use crate::app::picture::picture;
use crate::clip::Clip;
use crate::display::ColourMap;

/// The brush, and the picture under it.
pub struct Brush {
    radius_px: f32,
    erases: bool,
    /// Where it was before, in pixels of the frame.
    last: Option<[f32; 2]>,
    texture: Option<TextureHandle>,
    /// What the picture was made of.
    made_of: Option<(usize, usize, Drawing)>,
}

impl Default for Brush {
    fn default() -> Self {
        Self {
            radius_px: 3.0,
            erases: false,
            last: None,
            texture: None,
            made_of: None,
        }
    }
}

impl Studio {
    pub(super) fn inpaint(&mut self, ui: &mut egui::Ui) {
        let (drawn, file) = (
            self.kept.setup.drawn.is_some(),
            self.kept.setup.mask.is_some(),
        );
        let size = self.source.as_ref().map(|source| {
            let shape = source.recorded.shape();
            (shape.height, shape.width)
        });
        ui.horizontal(|ui| {
            ui.label("mask");
            let setup = &mut self.kept.setup;
            if ui
                .radio(!drawn && !file, "random")
                .on_hover_text("A share of the pixels of the clip, drawn from the seed")
                .clicked()
            {
                (setup.drawn, setup.mask) = (None, None);
            }
            if ui
                .radio(!drawn && file, "file")
                .on_hover_text("A picture or clip: white where pixels are measured, else black")
                .clicked()
            {
                self.choose(Chosen::Mask);
            }
            let brush = egui::RadioButton::new(drawn, "brush");
            if ui
                .add_enabled(size.is_some(), brush)
                .on_hover_text("Paint over what is missing, the same in all frames")
                .on_disabled_hover_text("Open a capture first")
                .clicked()
                && let Some((height, width)) = size
                && !drawn
            {
                self.kept.setup.drawn = Some(Drawing::new(height, width));
            }
        });
        match (drawn, &self.kept.setup.mask) {
            (true, _) => self.canvas(ui),
            (false, Some(file)) => {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                let text = ui.label(name).on_hover_text(file.display().to_string());
                let again = ui.button("Another file ...").labelled_by(text.id);
                if again.on_hover_text("Choose another mask").clicked() {
                    self.choose(Chosen::Mask);
                }
            }
            (false, None) => {
                let slider = Slider::new(&mut self.kept.setup.keep_share, 0.05..=0.95);
                ui.add(slider.text("share measured"))
                    .on_hover_text("Of the pixels of the clip; which ones, the seed says");
            }
        }
    }

    /// The shown frame, to be painted over.
    fn canvas(&mut self, ui: &mut egui::Ui) {
        let frame = self.frame();
        let (Some(source), Some(drawing)) = (&self.source, &mut self.kept.setup.drawn) else {
            return;
        };
        let brush = &mut self.brush;
        ui.horizontal(|ui| {
            ui.selectable_value(&mut brush.erases, false, "paint")
                .on_hover_text("The brush marks missing pixels");
            ui.selectable_value(&mut brush.erases, true, "erase")
                .on_hover_text("The brush marks measured pixels; so does the right button");
            if ui
                .button("Clear mask")
                .on_hover_text("Every pixel is measured")
                .clicked()
            {
                drawing.clear();
            }
        });
        ui.add(
            Slider::new(&mut brush.radius_px, 0.5..=20.0)
                .suffix(" px")
                .text("brush radius"),
        )
        .on_hover_text("In pixels of the frame");
        let (height, width) = drawing.size();
        let across = ui.available_width().min(320.0);
        let scale = across / width as f32;
        let size = Vec2::new(across, scale * height as f32);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        let at = response
            .interact_pointer_pos()
            .map(|at| ((at - rect.min) / scale).into());
        let erases = brush.erases || ui.input(|input| input.pointer.secondary_down());
        if let Some(at) = at {
            drawing.stroke(brush.last.unwrap_or(at), at, brush.radius_px, erases);
        }
        let ended = brush.last.is_some() && at.is_none();
        brush.last = at;
        if ended || response.clicked() {
            // So that a copied command finds it; a run writes it again where that failed.
            let drawing = drawing.clone();
            std::thread::spawn(move || drawing.write());
        }
        let texture = brush.picture(ui.ctx(), &source.recorded, frame, source.range, drawing);
        let whole = Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
        ui.painter().image(texture, rect, whole, Color32::WHITE);
        if let Some(pointer) = response.hover_pos() {
            let stroke = ui.visuals().selection.stroke;
            let radius = brush.radius_px * scale;
            let painter = ui.painter().with_clip_rect(rect);
            painter.circle_stroke(pointer, radius, stroke);
        }
        response
            .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, "mask to paint on"));
        ui.weak(format!(
            "{:.1} % of the pixels measured",
            100.0 * drawing.share()
        ));
    }
}

impl Brush {
    fn picture(
        &mut self,
        ctx: &egui::Context,
        clip: &std::sync::Arc<Clip>,
        frame: usize,
        range: (f32, f32),
        drawing: &Drawing,
    ) -> egui::TextureId {
        let mark = std::sync::Arc::as_ptr(clip).addr();
        let current = |made: &(usize, usize, Drawing)| {
            made.0 == mark && made.1 == frame && made.2 == *drawing
        };
        if let Some(texture) = self.texture.as_ref()
            && self.made_of.as_ref().is_some_and(current)
        {
            return texture.id();
        }
        let width = clip.shape().width;
        let mut image = picture(clip.frame(frame), width, range, ColourMap::Grey);
        for (i, pixel) in image.pixels.iter_mut().enumerate() {
            if !drawing.is_measured(i / width, i % width) {
                *pixel = Color32::from_rgb(150 + pixel.r() / 3, pixel.g() / 3, pixel.b() / 3);
            }
        }
        self.made_of = Some((mark, frame, drawing.clone()));
        match &mut self.texture {
            Some(texture) => texture.set(image, TextureOptions::NEAREST),
            None => {
                let made = ctx.load_texture("mask", image, TextureOptions::NEAREST);
                self.texture = Some(made);
            }
        }
        self.texture
            .as_ref()
            .map_or_else(Default::default, |texture| texture.id())
    }
}
