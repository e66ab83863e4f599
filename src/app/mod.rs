//! The window.
//!
//! It owns no mathematics: what it shows comes from the worker's events and its newest preview,
//! from the live physics thread, and from files that threads of their own read. Panels are a
//! file each.

mod menu;
mod model_panel;
mod notice;
mod panes;
mod picture;
mod plots;
mod result_panel;
mod run;
mod run_panel;
mod screenshot;
mod setup;
mod source;
mod source_panel;
mod strip;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eframe::egui;
use eframe::egui::util::undoer::Undoer;
use serde::{Deserialize, Serialize};

use crate::clip::Clip;
use crate::worker::{Live, LiveClips, LiveRequest, MakeJob, Notify, Worker};

use notice::Notice;
use panes::View;
use run::Run;
use screenshot::Screenshot;
pub use setup::Setup;
use source::{Loading, Source};

/// Makes a job of a `reconstruct` command.
pub type Plan = Arc<dyn Fn(Vec<String>) -> MakeJob + Send + Sync>;

/// What the window opens with.
#[derive(Default)]
pub struct Opening {
    pub capture: Option<PathBuf>,
    pub truth: Option<PathBuf>,
    /// In place of what the window held when it was last closed.
    pub setup: Option<Setup>,
    /// Start a run as soon as the capture is read.
    pub run: bool,
    /// Write a picture of the window once the run has ended, and close it.
    pub screenshot: Option<PathBuf>,
}

/// What outlives the window.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    setup: Setup,
    view: View,
    recent: Vec<PathBuf>,
    dark: Option<bool>,
}

const STORAGE_KEY: &str = "studio";
const RECENT: usize = 8;

pub struct Studio {
    kept: Kept,
    undoer: Undoer<Setup>,
    plan: Plan,
    worker: Worker,
    live: Live,
    notify: Notify,
    source: Option<Source>,
    loading: Option<Loading>,
    run_when_loaded: bool,
    run: Option<Run>,
    probe: Probe,
    playback: Playback,
    notice: Notice,
    panes: panes::Textures,
    dialog: Option<crossbeam_channel::Receiver<Option<(Chosen, PathBuf)>>>,
    quit: Quit,
    screenshot: Option<Screenshot>,
}

/// What a file dialog was opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chosen {
    Capture,
    Truth,
    Checkpoint,
    Folder,
}

/// Live physics at the sliders' values.
#[derive(Default)]
struct Probe {
    asked: u64,
    /// What was asked about last.
    about: Option<(Setup, usize, usize)>,
    clips: Option<LiveClips>,
    error: Option<String>,
    /// Whether the panes show the sliders' values, or what a run found.
    shown: bool,
}

struct Playback {
    playing: bool,
    /// Frames a second.
    rate: f32,
    /// The frame with what is left over of it.
    at: f32,
}

#[derive(PartialEq, Eq)]
enum Quit {
    No,
    Asked,
    Yes,
}

impl Studio {
    /// # Errors
    /// A system that gives no more threads.
    pub fn new(
        ctx: &egui::Context,
        storage: Option<&dyn eframe::Storage>,
        plan: Plan,
        opening: Opening,
    ) -> std::io::Result<Self> {
        let kept = storage.and_then(|storage| eframe::get_value(storage, STORAGE_KEY));
        let mut kept: Kept = kept.unwrap_or_default();
        if let Some(setup) = opening.setup {
            kept.setup = setup;
        }
        let repaint = ctx.clone();
        let notify: Notify = Arc::new(move || repaint.request_repaint());
        let mut studio = Self {
            worker: Worker::spawn(notify.clone())?,
            live: Live::spawn(notify.clone())?,
            undoer: Undoer::default(),
            plan,
            notify,
            source: None,
            loading: None,
            run_when_loaded: opening.run,
            run: None,
            probe: Probe::default(),
            playback: Playback {
                playing: false,
                rate: 8.0,
                at: 0.0,
            },
            notice: Notice::hint("Open a capture, or choose a demo: File, or drop a file here."),
            panes: panes::Textures::default(),
            dialog: None,
            quit: Quit::No,
            screenshot: opening.screenshot.map(Screenshot::new),
            kept,
        };
        if let Some(dark) = studio.kept.dark {
            studio.set_theme(ctx, dark);
        }
        if let Some(capture) = opening.capture {
            studio.open(capture, opening.truth);
        }
        Ok(studio)
    }

    fn set_theme(&mut self, ctx: &egui::Context, dark: bool) {
        self.kept.dark = Some(dark);
        ctx.set_theme(match dark {
            true => egui::Theme::Dark,
            false => egui::Theme::Light,
        });
    }

    /// Begins to read a capture; the present one stays until it is read.
    pub fn open(&mut self, path: PathBuf, truth: Option<PathBuf>) {
        self.notice = Notice::hint(format!("Reading {} ...", path.display()));
        self.loading = Some(Loading::begin(path, truth, self.notify.clone()));
    }

    fn loaded(&mut self, result: Result<Source, String>) {
        match result {
            Ok(source) => {
                self.notice = Notice::hint(format!(
                    "{} is open. Choose the forward model, move its sliders until the residual \
                     falls, then start.",
                    source.name()
                ));
                self.kept.recent.retain(|path| *path != source.path);
                self.kept.recent.insert(0, source.path.clone());
                self.kept.recent.truncate(RECENT);
                self.worker.cancel();
                self.run = None;
                self.probe = Probe::default();
                self.playback.at = 0.0;
                self.source = Some(source);
                if std::mem::take(&mut self.run_when_loaded) {
                    self.start();
                }
            }
            Err(error) => {
                self.run_when_loaded = false;
                self.notice = Notice::error("The file cannot be opened", error);
            }
        }
    }

    /// The command that does what the panels say.
    fn command(&self, out: &Path) -> Option<Vec<String>> {
        let source = self.source.as_ref()?;
        let truth = source.truth_path.as_deref();
        Some(self.kept.setup.command(&source.path, truth, out))
    }

    fn start(&mut self) {
        let Some(command) = self.command(Path::new("results/window")) else {
            self.notice = Notice::hint("Open a capture first.");
            return;
        };
        let make = (self.plan)(command);
        let id = self.worker.start(make);
        self.run = Some(Run::new(id));
        self.probe.shown = false;
        self.playback.playing = true;
        self.notice = Notice::hint("Reading the capture and building the solver ...");
    }

    /// The estimate that is shown.
    fn estimate(&self) -> Option<&Arc<Clip>> {
        Some(&self.run.as_ref()?.shown()?.estimate)
    }

    /// Takes in what the threads have done.
    fn drain(&mut self) {
        if let Some(result) = self.loading.as_ref().and_then(Loading::result) {
            self.loading = None;
            self.loaded(result);
        }
        if let Some(preview) = self.worker.preview()
            && let Some(run) = &mut self.run
        {
            run.take_preview(preview);
        }
        let events: Vec<_> = self.worker.events().collect();
        for event in events {
            if let Some(notice) = self.run.as_mut().and_then(|run| run.take(event)) {
                self.notice = notice;
            }
        }
        if let Some(answer) = self.live.answer()
            && answer.id == self.probe.asked
        {
            match answer.result {
                Ok(clips) => (self.probe.clips, self.probe.error) = (Some(clips), None),
                Err(error) => self.probe.error = Some(error),
            }
        }
        self.take_chosen();
    }

    /// Asks the live thread what the sliders mean, once they or the estimate have changed.
    fn ask_live(&mut self) {
        let Some(source) = &self.source else {
            return;
        };
        let estimate = self.estimate().cloned();
        let mark = |clip: &Arc<Clip>| Arc::as_ptr(clip).addr();
        let about = (
            self.kept.setup.clone(),
            estimate.as_ref().map_or(0, mark),
            mark(&source.recorded),
        );
        if self.probe.about.as_ref() == Some(&about) {
            return;
        }
        if let Some((setup, ..)) = &self.probe.about
            && *setup != about.0
        {
            self.probe.shown = true;
        }
        self.probe.asked += 1;
        let (setup, shape) = (self.kept.setup.clone(), source.recorded.shape());
        let file_um = source.pixel_pitch_um;
        self.live.ask(LiveRequest {
            id: self.probe.asked,
            fit_gain: setup.fit_gain && setup.can_fit_gain(),
            model: Box::new(move || Ok(setup.forward_model(shape, file_um)?)),
            estimate,
            measurement: source.measurement.clone(),
        });
        self.probe.about = Some(about);
    }

    /// Opens a dialog in a thread of its own.
    fn choose(&mut self, what: Chosen) {
        if self.dialog.is_some() {
            return;
        }
        let (sender, chosen) = crossbeam_channel::bounded(1);
        let notify = self.notify.clone();
        std::thread::spawn(move || {
            let dialog = rfd::FileDialog::new();
            let path = match what {
                Chosen::Capture | Chosen::Truth => dialog
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
                Chosen::Checkpoint => dialog
                    .set_title("Choose a trained network")
                    .add_filter("network", &["pt", "safetensors"])
                    .pick_file(),
                Chosen::Folder => dialog.set_title("Save into a folder").pick_folder(),
            };
            let _ = sender.send(path.map(|path| (what, path)));
            notify();
        });
        self.dialog = Some(chosen);
    }

    fn take_chosen(&mut self) {
        let Some(chosen) = self
            .dialog
            .as_ref()
            .and_then(|dialog| dialog.try_recv().ok())
        else {
            return;
        };
        self.dialog = None;
        match chosen {
            Some((Chosen::Capture, path)) => self.open(path, None),
            Some((Chosen::Truth, truth)) => {
                if let Some(source) = &self.source {
                    self.open(source.path.clone(), Some(truth));
                }
            }
            Some((Chosen::Checkpoint, path)) => {
                self.kept.setup.prior = setup::Prior::Checkpoint;
                self.kept.setup.checkpoint = Some(path);
            }
            Some((Chosen::Folder, folder)) => self.worker.save(folder),
            None => {}
        }
    }

    fn undo(&mut self) {
        if let Some(before) = self.undoer.undo(&self.kept.setup) {
            self.kept.setup = before.clone();
        }
    }

    fn redo(&mut self) {
        if let Some(after) = self.undoer.redo(&self.kept.setup) {
            self.kept.setup = after.clone();
        }
    }

    fn is_running(&self) -> bool {
        self.run.as_ref().is_some_and(Run::is_running)
    }

    fn toggle_pause(&mut self) {
        match &mut self.run {
            Some(run) if run.is_running() => match run.toggle_pause() {
                true => self.worker.pause(),
                false => self.worker.resume(),
            },
            _ => self.start(),
        }
    }

    fn step_once(&mut self) {
        if let Some(run) = &mut self.run
            && run.is_running()
        {
            if !run.paused {
                run.toggle_pause();
                self.worker.pause();
            }
            self.worker.step_once();
        }
    }

    fn keys(&mut self, ctx: &egui::Context) {
        use egui::{Key, KeyboardShortcut, Modifiers};
        let pressed = |modifiers, key| {
            ctx.input_mut(|input| input.consume_shortcut(&KeyboardShortcut::new(modifiers, key)))
        };
        if pressed(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z) {
            self.redo();
        } else if pressed(Modifiers::COMMAND, Key::Z) {
            self.undo();
        } else if pressed(Modifiers::COMMAND, Key::O) {
            self.choose(Chosen::Capture);
        } else if pressed(Modifiers::COMMAND, Key::S) && self.run.is_some() {
            self.choose(Chosen::Folder);
        }
        // Typing into a field comes first.
        if ctx.egui_wants_keyboard_input() {
            return;
        }
        if pressed(Modifiers::NONE, Key::Space) {
            self.toggle_pause();
        } else if pressed(Modifiers::NONE, Key::Escape) {
            self.worker.cancel();
        } else if pressed(Modifiers::NONE, Key::Period) {
            self.step_once();
        } else if pressed(Modifiers::NONE, Key::ArrowRight) {
            self.show_frame(1);
        } else if pressed(Modifiers::NONE, Key::ArrowLeft) {
            self.show_frame(-1);
        }
    }

    fn frames(&self) -> usize {
        self.source
            .as_ref()
            .map_or(1, |source| source.recorded.shape().frames)
    }

    /// The frame that is shown.
    fn frame(&self) -> usize {
        (self.playback.at as usize).min(self.frames() - 1)
    }

    fn show_frame(&mut self, by: isize) {
        let frames = self.frames() as isize;
        self.playback.playing = false;
        self.playback.at = (self.frame() as isize + by).rem_euclid(frames) as f32;
    }

    fn play(&mut self, ctx: &egui::Context) {
        if self.playback.playing && self.frames() > 1 {
            let passed = ctx.input(|input| input.stable_dt).min(0.2);
            let frames = self.frames() as f32;
            self.playback.at = (self.playback.at + passed * self.playback.rate) % frames;
            let left = 1.0 - self.playback.at.fract();
            ctx.request_repaint_after(Duration::from_secs_f32(left / self.playback.rate));
        }
    }

    /// A running computation is not thrown away without a word.
    fn ask_before_quitting(&mut self, ctx: &egui::Context) {
        if ctx.input(|input| input.viewport().close_requested())
            && self.is_running()
            && self.quit == Quit::No
        {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            self.quit = Quit::Asked;
        }
        if self.quit != Quit::Asked {
            return;
        }
        let modal = egui::Modal::new(egui::Id::unique("quit")).show(ctx, |ui| {
            ui.heading("A run is under way");
            ui.label("Its estimate is lost unless it is saved.");
            ui.horizontal(|ui| {
                if ui.button("Go on").clicked() {
                    self.quit = Quit::No;
                }
                if ui.button("Quit").clicked() {
                    self.quit = Quit::Yes;
                    ctx.send_viewport_cmd(egui::ViewportCommand::Close);
                }
            });
        });
        if modal.should_close() {
            self.quit = Quit::No;
        }
    }
}

impl eframe::App for Studio {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.drain();
        let dropped = ctx.input(|input| {
            let file = input.raw.dropped_files.first()?;
            Some(file.path().to_owned())
        });
        if let Some(path) = dropped {
            self.open(path, None);
        }
        self.keys(ctx);
        self.play(ctx);
        let now = ctx.input(|input| input.time);
        self.undoer.feed_state(now, &self.kept.setup);
        self.ask_before_quitting(ctx);
        let settled = match &self.run {
            Some(run) => !run.is_running(),
            None => !self.run_when_loaded && self.loading.is_none(),
        };
        if let Some(screenshot) = self.screenshot.as_mut().filter(|_| settled) {
            screenshot.advance(ctx);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        egui::Panel::top("menu").show(ui, |ui| self.menu(ui));
        egui::Panel::bottom("notice").show(ui, |ui| self.notice.show(ui));
        let panel = |panel: egui::Panel| panel.resizable(true).default_size(290.0);
        panel(egui::Panel::left("setup")).show(ui, |ui| {
            egui::ScrollArea::vertical().show(ui, |ui| {
                self.source_panel(ui);
                self.model_panel(ui);
            });
        });
        panel(egui::Panel::right("run")).show(ui, |ui| {
            egui::ScrollArea::vertical().show(ui, |ui| {
                self.run_panel(ui);
                self.result_panel(ui);
            });
        });
        egui::Panel::bottom("plots")
            .resizable(true)
            .default_size(170.0)
            .min_size(110.0)
            .show(ui, |ui| self.plots(ui));
        egui::Panel::bottom("strip").show(ui, |ui| self.strip(ui));
        egui::CentralPanel::default().show(ui, |ui| self.panes(ui));
        self.ask_live();
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        eframe::set_value(storage, STORAGE_KEY, &self.kept);
    }
}
