//! Figures and animations of what the panes show, written in threads of their own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crossbeam_channel::{Receiver, Sender, unbounded};
use eframe::egui;
use serde::{Deserialize, Serialize};

use super::Studio;
use super::dialog::Chosen;
use super::notice::Notice;
use super::panes::Shown;
use crate::display::animation::{Animation, Arrangement, Shot};
use crate::media::MediaError;

/// What is chosen for exports; it outlives the window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ExportChoice {
    /// Pixels of the picture for each pixel of the video; 0 chooses it.
    pub upscaling: usize,
}

/// What the threads that write say.
pub(super) struct Exports {
    said: Sender<Notice>,
    heard: Receiver<Notice>,
}

impl Default for Exports {
    fn default() -> Self {
        let (said, heard) = unbounded();
        Self { said, heard }
    }
}

const LARGEST: usize = 16;

impl ExportChoice {
    pub fn upscaling(&self) -> Option<usize> {
        (self.upscaling > 0).then_some(self.upscaling)
    }
}

impl Studio {
    pub(super) fn export_menu(&mut self, ui: &mut egui::Ui) {
        let figure = egui::Button::new("Figure (PNG) ...");
        let about = "The panes as they are now, with colour bars, scale bar and the run's values";
        let has_source = self.source.is_some();
        if ui
            .add_enabled(has_source, figure)
            .on_hover_text(about)
            .clicked()
        {
            self.choose(Chosen::Figure);
        }
        let has_run = self.runs.shown().is_some_and(|run| !run.history.is_empty());
        let about = "How the estimate formed: each kept estimate of the run";
        for (text, chosen) in [
            (
                "Animation of this frame (GIF, MP4) ...",
                Chosen::FrameAnimation,
            ),
            (
                "Animation of all frames (GIF, MP4) ...",
                Chosen::ClipAnimation,
            ),
        ] {
            let button = ui.add_enabled(has_run, egui::Button::new(text));
            if button.on_hover_text(about).clicked() {
                self.choose(chosen);
            }
        }
        ui.horizontal(|ui| {
            let name = ui.label("Enlarged");
            let upscaling = egui::DragValue::new(&mut self.kept.export.upscaling)
                .range(0..=LARGEST)
                .custom_formatter(|value, _| match value as usize {
                    0 => "to fit".into(),
                    times => format!("{times} times"),
                })
                .custom_parser(|text| text.trim_end_matches("times").trim().parse().ok());
            ui.add(upscaling)
                .labelled_by(name.id)
                .on_hover_text("Pixels of the picture for each pixel of the video; 0 chooses it");
        });
    }

    /// A name with its ending; none where a file of that name, which the dialog did not ask about,
    /// would be replaced.
    pub(super) fn complete(&mut self, path: PathBuf, ending: &str) -> Option<PathBuf> {
        let completed = with_ending(path.clone(), ending);
        if completed != path && completed.exists() {
            self.notice = Notice::error(
                format!("{} is there already", completed.display()),
                "choose another name, or give this one with its ending to replace it",
            );
            return None;
        }
        Some(completed)
    }

    /// Writes the panes as they are shown into a PNG file.
    pub fn export_figure(&mut self, path: PathBuf) {
        let Some(path) = self.complete(path, "png") else {
            return;
        };
        let Some(figure) = self.figure() else {
            self.notice = Notice::hint("Open a capture first: there is nothing to draw yet.");
            return;
        };
        self.write("figure", path, move |path| figure.save(path));
    }

    /// Writes each kept estimate of the run into a GIF or MP4 file.
    pub fn export_animation(&mut self, path: PathBuf, arrangement: Arrangement) {
        let Some(path) = self.complete(path, "gif") else {
            return;
        };
        let newest = self.runs.shown().and_then(|run| run.history.last());
        let newest = newest.map(|preview| preview.estimate.clone());
        let (Some(newest), Some(run)) = (newest, self.runs.shown()) else {
            self.notice = Notice::hint("Start a run first: there is no estimate to show yet.");
            return;
        };
        let shots = run.history.iter().map(|preview| Shot {
            clip: preview.estimate.clone(),
            caption: format!(
                "step {}, residual {:.5} rms",
                preview.step, preview.residual_rms
            ),
        });
        let shots = shots.collect();
        let animation = Animation {
            shots,
            look: self.look(Shown::Estimate, &newest),
            arrangement,
            upscaling: self.kept.export.upscaling(),
        };
        self.write("animation", path, move |path| animation.save(path));
    }

    /// What the threads have written, or could not.
    pub(super) fn take_exported(&mut self) {
        if let Some(notice) = self.exports.heard.try_iter().last() {
            self.notice = notice;
        }
    }

    fn write(
        &mut self,
        what: &'static str,
        path: PathBuf,
        save: impl FnOnce(&Path) -> Result<(), MediaError> + Send + 'static,
    ) {
        self.notice = Notice::hint(format!("Writing {} ...", path.display()));
        let (said, notify) = (self.exports.said.clone(), self.notify.clone());
        let thread = std::thread::Builder::new().name(format!("export {what}"));
        let spawned = thread.spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(|| save(&path)));
            let notice = match result {
                Ok(Ok(())) => Notice::hint(format!("The {what} is in {}", path.display())),
                Ok(Err(error)) => Notice::error(
                    format!("The {what} could not be written"),
                    error.to_string(),
                ),
                Err(_) => Notice::error(
                    format!("The {what} could not be written"),
                    "the program failed while drawing it",
                ),
            };
            let _ = said.send(notice);
            notify();
        });
        if let Err(error) = spawned {
            let text = format!("The {what} could not be written");
            self.notice = Notice::error(text, error.to_string());
        }
    }
}

fn with_ending(path: PathBuf, ending: &str) -> PathBuf {
    match path.extension() {
        Some(_) => path,
        None => path.with_extension(ending),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_an_ending_gets_one() {
        assert_eq!(with_ending("a/b".into(), "png"), Path::new("a/b.png"));
        assert_eq!(with_ending("b.mp4".into(), "gif"), Path::new("b.mp4"));
    }
}
