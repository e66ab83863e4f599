//! Opening a capture, also in place of another one.

use std::path::PathBuf;
use std::time::Duration;

use eframe::egui;

use super::map_panel::Chart;
use super::notice::Notice;
use super::probe::Probe;
use super::region::RegionTool;
use super::runs::Runs;
use super::source::{Loading, Read, Wanted};
use super::{Setup, Studio};

/// Captures remembered.
const RECENT: usize = 8;

impl Studio {
    /// Begins to read a capture; the present one stays until it is read.
    pub fn open(&mut self, path: PathBuf, truth: Option<PathBuf>) {
        // What was to start a run was something else.
        self.run_when_loaded = false;
        self.ask_to_read(Wanted::File { path, truth });
    }

    pub(super) fn loaded(&mut self, result: Result<Read, String>) {
        // What was edited while this was read is read next.
        let edited = self.draft.take();
        match result {
            Ok(Read {
                source,
                demo_files,
                again,
            }) => {
                self.draft = edited.filter(|edited| again && *edited != source.cut);
                self.notice = Notice::hint(match again {
                    true => format!("{} is now {}.", source.name(), source.recorded.shape()),
                    false => format!(
                        "{} is open. Choose the forward model, move its sliders until the \
                         residual falls, then start.",
                        source.name()
                    ),
                });
                match (source.demo, &demo_files) {
                    (Some(demo), Some(files)) => {
                        self.kept.setup = Setup::of_demo(demo, files, self.demo_prior.as_ref());
                    }
                    (Some(_), None) => {}
                    (None, _) => {
                        self.tour = None;
                        self.kept.recent.retain(|path| *path != source.path);
                        self.kept.recent.insert(0, source.path.clone());
                        self.kept.recent.truncate(RECENT);
                    }
                }
                self.worker.cancel();
                self.runs = Runs::default();
                self.pinned = None;
                self.probe = Probe {
                    // Answers about the capture before are outdated.
                    asked: self.probe.asked + 1,
                    answered: self.probe.answered,
                    of_truth: source.truth.is_some(),
                    ..Probe::default()
                };
                self.chart = Chart::default();
                self.kept.setup.fit_to(source.recorded.shape());
                self.playback.at = 0.0;
                self.region = RegionTool::default();
                let pace = source.demo.filter(|_| !self.full_speed).map(|demo| {
                    Duration::from_secs_f64(self.kept.playlist.forms_s(demo).clamp(0.0, 3600.0))
                });
                self.source = Some(source);
                if std::mem::take(&mut self.run_when_loaded) {
                    self.start();
                    self.set_pace(pace);
                }
            }
            Err(error) => {
                self.run_when_loaded = false;
                self.notice = Notice::error("The file cannot be opened", error);
            }
        }
    }

    /// Begins to read; what is open stays until it is read.
    pub(super) fn read(&mut self, wanted: Wanted) {
        self.notice = Notice::hint(format!("Reading {} ...", wanted.name()));
        self.loading = Some(Loading::begin(wanted, self.notify.clone()));
    }

    /// Begins to read, unless estimates would be thrown away: then it asks.
    pub(super) fn ask_to_read(&mut self, wanted: Wanted) {
        let would_lose = self.is_running() || self.runs.has_unsaved();
        match would_lose && self.demo().is_none() {
            true => self.asked = Some(wanted),
            false => self.read(wanted),
        }
    }

    pub(super) fn ask_before_replacing(&mut self, ctx: &egui::Context) {
        let Some(wanted) = self.asked.clone() else {
            return;
        };
        let modal = egui::Modal::new(egui::Id::unique("replace")).show(ctx, |ui| {
            ui.heading("The runs of this capture are not saved");
            ui.label(format!(
                "Reading {} ends what runs, and forgets every estimate.",
                wanted.name()
            ));
            ui.horizontal(|ui| {
                if ui.button("Keep them").clicked() {
                    self.asked = None;
                    self.draft = None;
                    self.run_when_loaded = false;
                }
                if ui.button("Open it").clicked() {
                    self.asked = None;
                    self.read(wanted);
                }
            });
        });
        if modal.should_close() {
            self.asked = None;
            self.draft = None;
            self.run_when_loaded = false;
        }
    }
}
