//! File dialogs, in threads of their own.

use std::path::PathBuf;

use super::{Studio, setup};
use crate::display::animation::Arrangement;

/// What a file dialog was opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Chosen {
    Capture,
    /// A folder of pictures, a frame each.
    Pictures,
    Truth,
    Dark,
    Flat,
    Checkpoint,
    Mask,
    Folder,
    Figure,
    FrameAnimation,
    ClipAnimation,
    /// A file for the plot that is shown.
    Plot,
}

/// A dialog that is open.
pub(super) type Dialog = crossbeam_channel::Receiver<Option<(Chosen, PathBuf)>>;

impl Studio {
    /// Opens a dialog in a thread of its own.
    pub(super) fn choose(&mut self, what: Chosen) {
        if self.dialog.is_some() {
            return;
        }
        let (sender, chosen) = crossbeam_channel::bounded(1);
        let notify = self.notify.clone();
        std::thread::spawn(move || {
            let dialog = rfd::FileDialog::new();
            let path = match what {
                Chosen::Capture | Chosen::Truth | Chosen::Dark | Chosen::Flat => dialog
                    .set_title("Open a video")
                    .add_filter(
                        "video",
                        &[
                            "gif", "tif", "tiff", "npy", "mat", "avi", "mp4", "mov", "mkv", "webm",
                            "png", "jpg", "jpeg", "bmp",
                        ],
                    )
                    .add_filter("any file", &["*"])
                    .pick_file(),
                Chosen::Pictures => dialog.set_title("Open a folder of pictures").pick_folder(),
                Chosen::Checkpoint => dialog
                    .set_title("Choose a trained network")
                    .add_filter("network", &["pt", "safetensors"])
                    .pick_file(),
                Chosen::Mask => dialog
                    .set_title("Choose a mask: white where pixels are measured")
                    .add_filter(
                        "picture or clip",
                        &["png", "bmp", "gif", "tif", "tiff", "npy"],
                    )
                    .add_filter("any file", &["*"])
                    .pick_file(),
                Chosen::Plot => dialog
                    .set_title("Save the plot")
                    .set_file_name("plot.png")
                    .add_filter("picture", &["png"])
                    .add_filter("numbers", &["csv"])
                    .save_file(),
                Chosen::Folder => dialog.set_title("Save into a folder").pick_folder(),
                Chosen::Figure => dialog
                    .set_title("Save a figure")
                    .set_file_name("figure.png")
                    .add_filter("picture", &["png"])
                    .save_file(),
                Chosen::FrameAnimation | Chosen::ClipAnimation => dialog
                    .set_title("Save an animation")
                    .set_file_name("diffusion.gif")
                    .add_filter("animation", &["gif", "mp4"])
                    .save_file(),
            };
            let _ = sender.send(path.map(|path| (what, path)));
            notify();
        });
        self.dialog = Some(chosen);
    }

    pub(super) fn take_chosen(&mut self) {
        let Some(chosen) = self
            .dialog
            .as_ref()
            .and_then(|dialog| dialog.try_recv().ok())
        else {
            return;
        };
        self.dialog = None;
        match chosen {
            Some((Chosen::Capture | Chosen::Pictures, path)) => self.open(path, None),
            Some((Chosen::Truth, truth)) => self.set_truth(Some(truth)),
            Some((which @ (Chosen::Dark | Chosen::Flat), path)) => {
                self.cut(|cut| match which {
                    Chosen::Dark => cut.dark = Some(path),
                    _ => cut.flat = Some(path),
                });
            }
            Some((Chosen::Checkpoint, path)) => {
                self.kept.setup.prior = setup::Prior::Checkpoint;
                self.kept.setup.checkpoint = Some(path);
            }
            Some((Chosen::Mask, path)) => {
                self.kept.setup.drawn = None;
                self.kept.setup.mask = Some(path);
            }
            Some((Chosen::Plot, path)) => self.save_plot(&path),
            Some((Chosen::Folder, folder)) => self.save_result(folder),
            Some((Chosen::Figure, path)) => self.export_figure(path),
            Some((Chosen::FrameAnimation, path)) => {
                let frame = self.frame();
                self.export_animation(path, Arrangement::Frame(frame));
            }
            Some((Chosen::ClipAnimation, path)) => {
                self.export_animation(path, Arrangement::AllFrames);
            }
            None => {}
        }
    }
}
