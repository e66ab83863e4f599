//! Which frames and which part of them are used, and the frames that are taken out.

use eframe::egui::{self, DragValue};

use super::Studio;
use super::capture_setup::CaptureSetup;
use super::dialog::Chosen;
use super::source::Source;
use crate::clip::Shape;
use crate::media::{Crop, FrameRange, FrameSize};

impl Studio {
    /// What is changed here is read anew as soon as the hand is off it.
    pub(super) fn cut_panel(&mut self, ui: &mut egui::Ui) {
        let Some(source) = &self.source else {
            return;
        };
        let running = self.is_running();
        let (whole, before) = (source.whole, source.cut.clone());
        let truth = source.truth_path.clone();
        let mut cut = self.draft.clone().unwrap_or_else(|| before.clone());
        let mut choose = None;
        let mut without_truth = false;
        let inner = ui.add_enabled_ui(!running, |ui| {
            ui.collapsing("Frames and region", |ui| {
                frames(ui, &mut cut, whole.frames);
                region(ui, &mut cut, whole);
                ui.horizontal(|ui| {
                    ui.toggle_value(&mut self.region.on, "Draw region")
                        .on_hover_text("Drag a rectangle on any picture; only that part is used");
                    let all = egui::Button::new("All of the frame");
                    if ui
                        .add_enabled(cut.region.is_some(), all)
                        .on_hover_text("Use the whole frame again")
                        .clicked()
                    {
                        cut.region = None;
                    }
                });
                resize(ui, &mut cut, whole);
            });
            ui.collapsing("Dark, flat and true frames", |ui| {
                let fields = [
                    (
                        "dark frames",
                        Chosen::Dark,
                        "Recorded without light, with the same exposure: subtracted",
                    ),
                    (
                        "flat frames",
                        Chosen::Flat,
                        "Recorded of the light without a scene: uneven light is divided out",
                    ),
                ];
                for ((what, which, about), file) in
                    fields.into_iter().zip([&mut cut.dark, &mut cut.flat])
                {
                    let name = file.as_ref().and_then(|file| file.file_name());
                    let name = name.map(|name| name.to_string_lossy().into_owned());
                    match beside(ui, what, name, about) {
                        Some(Beside::Choose) => choose = Some(which),
                        Some(Beside::Remove) => *file = None,
                        None => {}
                    }
                }
                let name = truth.as_ref().and_then(|truth| truth.file_name());
                let name = name.map(|name| name.to_string_lossy().into_owned());
                let about = "What was really there, to score the result; cut like the capture";
                match beside(ui, "true video", name, about) {
                    Some(Beside::Choose) => choose = Some(Chosen::Truth),
                    Some(Beside::Remove) => without_truth = true,
                    None => {}
                }
                let apart = cut.dark.is_none() && cut.flat.is_none();
                let normalise = egui::Checkbox::new(&mut cut.normalise, "stretch to 0 to 1");
                ui.add_enabled(apart, normalise)
                    .on_hover_text(
                        "Minimum to maximum of the clip onto 0 to 1, less 0.1, as the published \
                         program treats captures",
                    )
                    .on_disabled_hover_text("Not together with dark or flat frames");
            });
        });
        inner
            .response
            .on_disabled_hover_text("Stop the run to read the capture otherwise");
        if cut != before {
            self.draft = Some(cut);
        } else if self.draft.is_some() && self.loading.is_none() {
            self.draft = None;
        }
        if let Some(which) = choose {
            self.choose(which);
        }
        if without_truth {
            self.set_truth(None);
        }
        self.read_again(ui.ctx());
    }

    /// Changes how the open capture is read.
    pub fn cut(&mut self, change: impl FnOnce(&mut CaptureSetup)) {
        if let Some(source) = &self.source {
            let cut = self.draft.get_or_insert_with(|| source.cut.clone());
            change(cut);
        }
    }

    /// The shape of the open capture, as it is cut.
    pub fn capture_shape(&self) -> Option<Shape> {
        Some(self.source.as_ref()?.recorded.shape())
    }

    fn read_again(&mut self, ctx: &egui::Context) {
        let busy = self.loading.is_some() || self.is_running() || self.asked.is_some();
        if busy || ctx.egui_is_using_pointer() || ctx.egui_wants_keyboard_input() {
            return;
        }
        if let (Some(cut), Some(source)) = (self.draft.clone(), &self.source) {
            self.ask_to_read(source.again(cut));
        }
    }

    pub(super) fn set_truth(&mut self, truth: Option<std::path::PathBuf>) {
        let Some(source) = &self.source else {
            return;
        };
        let Source {
            path, demo, cut, ..
        } = source;
        self.ask_to_read(super::source::Wanted::Again {
            path: path.clone(),
            truth,
            demo: *demo,
            cut: cut.clone(),
            whole: source.whole,
        });
    }
}

fn frames(ui: &mut egui::Ui, cut: &mut CaptureSetup, count: usize) {
    let range = cut.frames;
    let (mut first, mut last) = (range.start() + 1, range.end().unwrap_or(count).min(count));
    let mut stride = range.stride();
    ui.horizontal(|ui| {
        let name = ui.label("first frame");
        ui.add(DragValue::new(&mut first).range(1..=last))
            .labelled_by(name.id)
            .on_hover_text("The first one that is used, counted from 1");
        let name = ui.label("last");
        ui.add(DragValue::new(&mut last).range(first..=count))
            .labelled_by(name.id)
            .on_hover_text("The last one that is used");
        let name = ui.label("every");
        ui.add(DragValue::new(&mut stride).range(1..=count))
            .labelled_by(name.id)
            .on_hover_text("1 uses all of them, 2 every other one");
    });
    let end = (last < count).then_some(last);
    if let Some(range) = FrameRange::new(first - 1, end, stride) {
        cut.frames = range;
    }
}

fn region(ui: &mut egui::Ui, cut: &mut CaptureSetup, whole: Shape) {
    let frame = FrameSize::new(whole.height, whole.width);
    let shown = cut.region.unwrap_or(frame.into());
    let [mut top, mut left] = shown.corner_in(frame).unwrap_or_default();
    let FrameSize {
        mut height,
        mut width,
    } = shown.size;
    let field = |ui: &mut egui::Ui, name: &str, value: &mut usize, range, about: &str| {
        let name = ui.label(name);
        ui.add(DragValue::new(value).range(range))
            .labelled_by(name.id)
            .on_hover_text(about);
    };
    egui::Grid::new("region").num_columns(4).show(ui, |ui| {
        let (rows, columns) = (0..=whole.height - 1, 0..=whole.width - 1);
        field(ui, "top", &mut top, rows, "First row, in px from 0");
        field(ui, "left", &mut left, columns, "First column, in px from 0");
        ui.end_row();
        let (rows, columns) = (1..=whole.height - top, 1..=whole.width - left);
        field(ui, "height", &mut height, rows, "Rows, in px");
        field(ui, "width", &mut width, columns, "Columns, in px");
        ui.end_row();
    });
    let region = Crop {
        size: FrameSize::new(
            height.min(whole.height - top),
            width.min(whole.width - left),
        ),
        corner: Some([top, left]),
    };
    if region.size == frame {
        cut.region = None;
    } else if region.corner_in(frame) != shown.corner_in(frame) || region.size != shown.size {
        cut.region = Some(region);
    }
}

fn resize(ui: &mut egui::Ui, cut: &mut CaptureSetup, whole: Shape) {
    let shown = cut
        .region
        .map_or(FrameSize::new(whole.height, whole.width), |region| {
            region.size
        });
    ui.horizontal(|ui| {
        let mut on = cut.resize.is_some();
        ui.checkbox(&mut on, "resize to")
            .on_hover_text("Resamples each frame, without aliasing; large frames take long");
        let mut size = cut.resize.unwrap_or(shown);
        ui.add_enabled_ui(on, |ui| {
            let name = ui.label("rows");
            ui.add(DragValue::new(&mut size.height).range(4..=1024))
                .labelled_by(name.id)
                .on_hover_text("Of the resized frame, in px");
            let name = ui.label("columns");
            ui.add(DragValue::new(&mut size.width).range(4..=1024))
                .labelled_by(name.id)
                .on_hover_text("Of the resized frame, in px");
        });
        cut.resize = on.then_some(size);
    });
}

enum Beside {
    Choose,
    Remove,
}

/// A file beside the capture.
fn beside(ui: &mut egui::Ui, what: &str, name: Option<String>, about: &str) -> Option<Beside> {
    let mut wish = None;
    ui.horizontal(|ui| {
        ui.label(what).on_hover_text(about);
        match name {
            None => {
                let label = format!("Choose {what} ...");
                if ui.button(label).on_hover_text(about).clicked() {
                    wish = Some(Beside::Choose);
                }
            }
            Some(name) => {
                ui.weak(name);
                if ui.button(format!("Without {what}")).clicked() {
                    wish = Some(Beside::Remove);
                }
            }
        }
    });
    wish
}
