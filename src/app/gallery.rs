//! Where to begin: the bundled captures as cards, and what to do with one's own.

use std::path::Path;

use crossbeam_channel::{Receiver, unbounded};
use eframe::egui::{
    self, Color32, ColorImage, Pos2, Rect, Role, Sense, Stroke, StrokeKind, TextureHandle,
    TextureOptions, Vec2, WidgetInfo,
};

use super::Studio;
use super::dialog::Chosen;
use crate::display::ColourMap;
use crate::run::demos::{DEMOS, Demo};
use crate::worker::Notify;

/// Measurement and truth of each demo, once a thread has decoded them.
#[derive(Default)]
pub(super) struct Gallery {
    /// Shown over an open capture.
    pub open: bool,
    decoding: Option<Receiver<(usize, [ColorImage; 2])>>,
    pictures: [Option<[TextureHandle; 2]>; DEMOS.len()],
}

impl Gallery {
    fn is_complete(&self) -> bool {
        self.pictures.iter().all(Option::is_some)
    }
}

const CARD: Vec2 = Vec2::new(216.0, 180.0);
const GAP: f32 = 12.0;
const HINTS: [&str; 3] = [
    "Open a capture of yours, or click a demo: it starts at once.",
    "Choose what stood before the camera, and move its sliders until the residual falls.",
    "Start (Space). x0 forms in the middle; what to believe of it stands on the right.",
];

impl Gallery {
    fn decode(&mut self, folder: &Path, notify: Notify) {
        let (sender, decoding) = unbounded();
        let folder = folder.to_owned();
        std::thread::spawn(move || {
            for (index, demo) in DEMOS.iter().enumerate() {
                // A demo that cannot be laid down says so when it is opened.
                let Ok(clips) = demo.clips(&folder.join(demo.name)) else {
                    continue;
                };
                let pictures = clips.map(|clip| {
                    let middle = clip.shape().frames / 2;
                    let (frame, width) = (clip.frame(middle), clip.shape().width);
                    // As recorded, so that a veil of haze is one.
                    let low = clip.range().0.min(0.0);
                    let high = frame.iter().copied().fold(low, f32::max);
                    let colour = |value: &f32| {
                        let [r, g, b] = ColourMap::Grey.colour((value - low) / (high - low));
                        Color32::from_rgb(r, g, b)
                    };
                    let size = [width, frame.len() / width];
                    ColorImage::new(size, frame.iter().map(colour).collect())
                });
                let _ = sender.send((index, pictures));
                notify();
            }
        });
        self.decoding = Some(decoding);
    }

    fn take_decoded(&mut self, ctx: &egui::Context) {
        let decoded: Vec<_> = self.decoding.iter().flat_map(Receiver::try_iter).collect();
        for (index, pictures) in decoded {
            let mut which = 0;
            self.pictures[index] = Some(pictures.map(|image| {
                which += 1;
                let name = format!("demo {index} {which}");
                ctx.load_texture(name, image, TextureOptions::NEAREST)
            }));
        }
    }
}

impl Studio {
    /// Whether the pictures of all demos are there.
    pub fn has_gallery_pictures(&self) -> bool {
        self.gallery.is_complete()
    }

    /// What the window shows before anything is open.
    pub(super) fn welcome(&mut self, ui: &mut egui::Ui) {
        if self.loading.is_some() {
            ui.centered_and_justified(|ui| ui.spinner());
            return;
        }
        egui::ScrollArea::vertical().show(ui, |ui| {
            ui.vertical_centered(|ui| {
                ui.add_space(0.04 * ui.available_height());
                ui.heading("Video seen through a scattering layer, reconstructed");
                ui.add_space(6.0);
                for (number, hint) in HINTS.iter().enumerate() {
                    ui.label(format!("{}. {hint}", number + 1));
                }
                ui.add_space(8.0);
                ui.horizontal(|ui| {
                    let width = 330.0;
                    ui.add_space(0.5 * (ui.available_width() - width).max(0.0));
                    ui.label("Drop a capture here, or");
                    if ui
                        .button("Open a capture ...")
                        .on_hover_text("GIF, TIFF, NPY, MAT, a picture, or a video")
                        .clicked()
                    {
                        self.choose(Chosen::Capture);
                    }
                    ui.label("or try a demo:");
                });
                ui.add_space(10.0);
            });
            self.cards(ui);
        });
    }

    /// The same cards over an open capture.
    pub(super) fn gallery(&mut self, ctx: &egui::Context) {
        if !self.gallery.open {
            return;
        }
        let modal = egui::Modal::new(egui::Id::unique("gallery")).show(ctx, |ui| {
            ui.set_width(3.0 * (CARD.x + GAP));
            ui.heading("Demos");
            ui.label("Each opens in place of the present capture, and starts.");
            ui.add_space(8.0);
            self.cards(ui);
            if ui.button("Close").clicked() {
                self.gallery.open = false;
            }
        });
        if modal.should_close() {
            self.gallery.open = false;
        }
    }

    fn cards(&mut self, ui: &mut egui::Ui) {
        if self.gallery.decoding.is_none() {
            self.gallery.decode(&self.demo_folder, self.notify.clone());
        }
        self.gallery.take_decoded(ui.ctx());
        let columns = ((ui.available_width() + GAP) / (CARD.x + GAP)) as usize;
        let columns = columns.clamp(1, 3);
        let width = columns as f32 * (CARD.x + GAP) - GAP;
        let mut chosen = None;
        for (row, demos) in DEMOS.chunks(columns).enumerate() {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 0.0;
                ui.add_space(0.5 * (ui.available_width() - width).max(0.0));
                for (column, demo) in demos.iter().enumerate() {
                    ui.add_space(if column > 0 { GAP } else { 0.0 });
                    let pictures = self.gallery.pictures[row * columns + column].as_ref();
                    if card(ui, demo, pictures) {
                        chosen = Some(demo);
                    }
                }
            });
            ui.add_space(GAP);
        }
        if let Some(demo) = chosen {
            self.gallery.open = false;
            self.tour = None;
            self.open_demo(demo);
        }
    }
}

/// Whether it was clicked, or chosen by a key.
fn card(ui: &mut egui::Ui, demo: &Demo, pictures: Option<&[TextureHandle; 2]>) -> bool {
    let (rect, response) = ui.allocate_exact_size(CARD, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, demo.title));
    let style = ui.style().interact(&response);
    let (fill, mut stroke) = (style.weak_bg_fill, style.bg_stroke);
    if response.has_focus() {
        stroke = Stroke::new(2.0, ui.visuals().selection.stroke.color);
    }
    ui.painter()
        .rect(rect, 6.0, fill, stroke, StrokeKind::Inside);
    let inner = rect.shrink(8.0);
    let side = 0.5 * (inner.width() - 4.0);
    for half in 0..2 {
        let corner = inner.min + Vec2::new(half as f32 * (side + 4.0), 0.0);
        let place = Rect::from_min_size(corner, Vec2::splat(side));
        match pictures {
            Some(pictures) => {
                let whole = Rect::from_min_max(Pos2::ZERO, Pos2::new(1.0, 1.0));
                let id = pictures[half].id();
                ui.painter().image(id, place, whole, Color32::WHITE);
            }
            None => {
                let faint = ui.visuals().faint_bg_color;
                ui.painter().rect_filled(place, 0.0, faint);
            }
        }
    }
    let text = |size: f32, colour: Color32, text: &str, from: Pos2| {
        let font = egui::FontId::proportional(size);
        let galley = ui
            .painter()
            .layout(text.to_owned(), font, colour, inner.width());
        let height = galley.size().y;
        ui.painter().galley(from, galley, colour);
        from + Vec2::new(0.0, height)
    };
    let visuals = ui.visuals();
    let below = Pos2::new(inner.min.x, inner.min.y + side + 5.0);
    let strong = visuals.strong_text_color();
    let below = text(14.0, strong, demo.title, below);
    let weak = visuals.text_color();
    text(11.0, weak, demo.scene, below);
    response
        .on_hover_text(format!("{} {}", demo.scene, demo.task))
        .clicked()
}
