//! The window.
//!
//! It owns no mathematics: what it shows comes from the worker's events and its newest preview,
//! from the live physics thread, and from files that threads of their own read. Panels are a
//! file each.

mod bench;
mod capture_setup;
mod changes;
mod cut_panel;
mod demo_setup;
mod dialog;
mod export;
mod figure;
mod gallery;
mod keys;
mod map_panel;
mod map_plot;
mod menu;
mod model;
mod notice;
mod opening;
mod panes;
mod picture;
mod playback;
mod playlist;
mod plots;
mod presenter;
mod probe;
mod quit;
mod region;
mod result_panel;
mod run;
mod run_control;
mod run_panel;
mod runs;
mod runs_table;
mod screenshot;
mod setup;
mod source;
mod source_panel;
mod strip;
mod tour;
mod units;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use eframe::egui;
use eframe::egui::util::undoer::Undoer;
use serde::{Deserialize, Serialize};

use crate::clip::Clip;
use crate::run::demos::Demo;
use crate::run::plan::PriorChoice;
use crate::worker::{Ended, EventKind, Live, MakeJob, Mapper, Notify, Worker};

pub use bench::{Bench, UiTimings};
pub use capture_setup::CaptureSetup;
use dialog::Dialog;
use export::{ExportChoice, Exports};
use gallery::Gallery;
use map_panel::{Chart, MapChoices};
pub use model::Drawing;
use model::{Brush, Manager, Preset, PsfScale, ResponsePicture};
use notice::Notice;
use panes::View;
use playback::Playback;
use playlist::{Playlist, Tour};
use presenter::Presenter;
use probe::Probe;
use quit::Quit;
use region::RegionTool;
use runs::Runs;
use screenshot::Screenshot;
pub use setup::{Device, Method, Model, Prior, Setup};
use source::{Loading, Source, Wanted};
use units::Units;

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
    /// A bundled capture to open and run, in place of a file.
    pub demo: Option<&'static Demo>,
    /// Go on to the next demo unless somebody takes over.
    pub tour: bool,
    /// Do not slow demos down to be watched.
    pub full_speed: bool,
    /// Where the bundled captures go; a folder for temporary files where there is none.
    pub demo_folder: Option<PathBuf>,
    /// The prior that demos run with, in place of the usual one.
    pub demo_prior: Option<PriorChoice>,
    /// Write a picture of the window once the run has ended, and close it.
    pub screenshot: Option<PathBuf>,
    /// Move sliders and start runs, measure how quickly the window answers, and close it.
    pub bench: Option<Bench>,
}

/// What outlives the window.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    setup: Setup,
    view: View,
    export: ExportChoice,
    recent: Vec<PathBuf>,
    dark: Option<bool>,
    /// What is drawn below the panes.
    plot: plots::Tab,
    /// What the estimates of all runs may take in memory.
    history_mb: u32,
    units: Units,
    psf_scale: PsfScale,
    presets: Vec<Preset>,
    map: MapChoices,
    /// What presenter mode shows, unlike `view`.
    stage: View,
    playlist: Playlist,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            setup: Setup::default(),
            view: View::default(),
            export: ExportChoice::default(),
            recent: Vec::new(),
            dark: None,
            plot: plots::Tab::Convergence,
            history_mb: 512,
            units: Units::default(),
            psf_scale: PsfScale::default(),
            presets: Vec::new(),
            map: MapChoices::default(),
            stage: presenter::stage(),
            playlist: Playlist::default(),
        }
    }
}

const STORAGE_KEY: &str = "studio";

pub struct Studio {
    kept: Kept,
    undoer: Undoer<Setup>,
    plan: Plan,
    worker: Worker,
    live: Live,
    mapper: Mapper,
    notify: Notify,
    source: Option<Source>,
    loading: Option<Loading>,
    run_when_loaded: bool,
    /// To be read once the user agrees that the run ends.
    asked: Option<Wanted>,
    /// How the capture is to be read, where that was edited.
    draft: Option<CaptureSetup>,
    region: RegionTool,
    demo_folder: PathBuf,
    demo_prior: Option<PriorChoice>,
    gallery: Gallery,
    tour: Option<Tour>,
    tour_turn: playlist::Turn,
    /// The least time of the present run.
    pace: Option<Duration>,
    full_speed: bool,
    presenter: Presenter,
    runs: Runs,
    probe: Probe,
    chart: Chart,
    brush: Brush,
    response_picture: ResponsePicture,
    presets: Manager,
    playback: Playback,
    trust: result_panel::Trust,
    pinned: Option<Pinned>,
    notice: Notice,
    panes: panes::Panes,
    exports: Exports,
    dialog: Option<Dialog>,
    quit: Quit,
    screenshot: Option<Screenshot>,
    bench: Option<Bench>,
}

/// An estimate that others are compared with.
struct Pinned {
    /// Which run and step it is of.
    name: String,
    clip: Arc<Clip>,
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
        kept.playlist.complete();
        let repaint = ctx.clone();
        let notify: Notify = Arc::new(move || repaint.request_repaint());
        let mut studio = Self {
            worker: Worker::spawn(notify.clone())?,
            live: Live::spawn(notify.clone())?,
            mapper: Mapper::spawn(notify.clone())?,
            undoer: Undoer::default(),
            plan,
            notify,
            source: None,
            loading: None,
            run_when_loaded: false,
            asked: None,
            draft: None,
            region: RegionTool::default(),
            demo_folder: opening
                .demo_folder
                .unwrap_or_else(|| std::env::temp_dir().join("vdps-demos")),
            demo_prior: opening.demo_prior,
            gallery: Gallery::default(),
            tour: opening.tour.then(Tour::default),
            tour_turn: playlist::Turn::Watch,
            pace: None,
            full_speed: opening.full_speed,
            presenter: Presenter::default(),
            runs: Runs::default(),
            probe: Probe::default(),
            chart: Chart::default(),
            brush: Brush::default(),
            response_picture: ResponsePicture::default(),
            presets: Manager::default(),
            playback: Playback {
                playing: false,
                rate: 8.0,
                at: 0.0,
                since: None,
            },
            trust: result_panel::Trust::default(),
            pinned: None,
            notice: Notice::hint("Open a capture, or choose a demo: File, or drop a file here."),
            panes: panes::Panes::default(),
            exports: Exports::default(),
            dialog: None,
            quit: Quit::No,
            screenshot: opening.screenshot.map(Screenshot::new),
            bench: opening.bench,
            kept,
        };
        if let Some(dark) = studio.kept.dark {
            studio.set_theme(ctx, dark);
        }
        if let Some(capture) = opening.capture {
            studio.open(capture, opening.truth);
            studio.run_when_loaded = opening.run;
        } else if let Some(demo) = opening.demo {
            studio.open_demo(demo);
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

    /// The estimate that is shown.
    fn estimate(&self) -> Option<&Arc<Clip>> {
        Some(&self.runs.shown()?.shown()?.estimate)
    }

    /// Takes in what the threads have done.
    fn drain(&mut self) {
        if let Some(result) = self.loading.as_ref().and_then(Loading::result) {
            self.loading = None;
            self.loaded(result);
        }
        if let Some(preview) = self.worker.preview() {
            self.runs.take_preview(preview, self.history_bytes());
        }
        let events: Vec<_> = self.worker.events().collect();
        for event in events {
            if let EventKind::Ended(conclusion) = &event.kind
                && matches!(conclusion.ended, Ended::DeviceLost(_))
            {
                self.kept.setup.device = Device::Cpu;
            }
            if let EventKind::Saved(folder, result) = &event.kind {
                self.notice = notice::of_saving(folder, result);
                if result.is_ok() {
                    self.runs.mark_saved(event.run);
                }
            }
            if let Some(notice) = self.runs.take(event) {
                self.notice = notice;
            }
        }
        if let Some(answer) = self.live.answer()
            && answer.id == self.probe.asked
        {
            self.probe.answered = answer.id;
            match answer.result {
                Ok(clips) => (self.probe.clips, self.probe.error) = (Some(clips), None),
                Err(error) => self.probe.error = Some(error),
            }
        }
        self.take_map();
        self.take_chosen();
        self.take_exported();
    }

    fn undo(&mut self) {
        if let Some(before) = self.undoer.undo(&self.kept.setup) {
            self.kept.setup = before.clone();
            self.fit_setup();
        }
    }

    /// What a setup says of single frames and pixels must be of the capture that is open.
    fn fit_setup(&mut self) {
        if let Some(source) = &self.source {
            self.kept.setup.fit_to(source.recorded.shape());
        }
    }

    fn redo(&mut self) {
        if let Some(after) = self.undoer.redo(&self.kept.setup) {
            self.kept.setup = after.clone();
            self.fit_setup();
        }
    }
}

impl eframe::App for Studio {
    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        self.drain();
        self.bench(ctx, frame);
        let dropped = ctx.input(|input| {
            let file = input.raw.dropped_files.first()?;
            Some(file.path().to_owned())
        });
        if let Some(path) = dropped {
            self.open(path, None);
        }
        self.follow_tour(ctx);
        self.keys(ctx);
        self.play(ctx);
        let now = ctx.input(|input| input.time);
        self.undoer.feed_state(now, &self.kept.setup);
        self.ask_before_quitting(ctx);
        self.ask_before_replacing(ctx);
        self.gallery(ctx);
        self.edit_playlist(ctx);
        let settled = match self.runs.shown() {
            Some(_) => !self.is_running(),
            None => !self.run_when_loaded && self.loading.is_none(),
        };
        self.apply_edits(ctx);
        if let Some(screenshot) = self.screenshot.as_mut().filter(|_| settled) {
            screenshot.advance(ctx);
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        self.panes.canvas.begin(frame, &self.notify);
        if self.presenter.on {
            self.present(ui);
            self.ask_live();
            return;
        }
        egui::Panel::top("menu").show(ui, |ui| self.menu(ui));
        self.demo_bar(ui);
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
        if self.source.is_some() {
            egui::Panel::bottom("plots")
                .resizable(true)
                .default_size(200.0)
                .min_size(110.0)
                .show(ui, |ui| self.plots(ui));
            egui::Panel::bottom("strip").show(ui, |ui| self.strip(ui));
        }
        egui::CentralPanel::default().show(ui, |ui| self.panes(ui));
        self.presets_window(ui.ctx());
        self.ask_live();
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        let mut kept = self.kept.clone();
        if self.presenter.on {
            std::mem::swap(&mut kept.view, &mut kept.stage);
        }
        eframe::set_value(storage, STORAGE_KEY, &kept);
    }
}
