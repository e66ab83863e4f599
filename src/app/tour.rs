//! Demos in the window: opened, slowed to be watched, followed by the next.

use std::time::Duration;

use eframe::egui::{self, Event, Key};

use super::Studio;
use super::notice::Notice;
use super::playlist::{Tour, Turn};
use super::source::Wanted;
use crate::run::demos::Demo;

impl Studio {
    /// Opens a bundled capture with its model, and starts.
    pub(super) fn open_demo(&mut self, demo: &'static Demo) {
        let folder = self.demo_folder.join(demo.name);
        self.run_when_loaded = true;
        self.ask_to_read(Wanted::Demo { demo, folder });
    }

    /// The demos from the present one on, or from the first.
    pub(super) fn begin_tour(&mut self) {
        self.tour = Some(Tour::default());
        if self.demo().is_none() && self.loading.is_none() {
            self.next_demo();
        }
    }

    pub(super) fn demo(&self) -> Option<&'static Demo> {
        self.source.as_ref().and_then(|source| source.demo)
    }

    pub(super) fn next_demo(&mut self) {
        match self.kept.playlist.next(self.demo()) {
            Some(demo) => self.open_demo(demo),
            None => {
                self.tour = None;
                self.notice = Notice::hint("No demo is chosen: see Present, Playlist.");
            }
        }
    }

    /// Follows the tour; what it waits for is in `self.tour_turn`.
    pub(super) fn follow_tour(&mut self, ctx: &egui::Context) {
        let Some(tour) = &mut self.tour else {
            return;
        };
        let now = ctx.input(|input| input.time);
        if is_touched(ctx) {
            if !self.presenter.on {
                self.tour = None;
                self.notice = Notice::hint(
                    "The demos stop here, since you take over. Present, Play all demos lets \
                     them go on.",
                );
                return;
            }
            tour.touch(now);
        }
        let busy = self.loading.is_some() || self.runs.active().is_some();
        let turn = tour.turn(now, busy, &self.kept.playlist);
        match turn {
            Turn::Watch => {}
            Turn::Result(left) | Turn::Held(left) => {
                ctx.request_repaint_after(Duration::from_secs_f64(left.min(1.0)));
            }
            Turn::GoOn => {
                if self.runs.active().is_some_and(|run| run.paused) {
                    self.toggle_pause();
                }
                ctx.request_repaint();
            }
            Turn::Next => self.next_demo(),
        }
        self.tour_turn = turn;
    }

    /// What a demo is, how it is slowed, and what comes after it.
    pub(super) fn demo_bar(&mut self, ui: &mut egui::Ui) {
        let Some(demo) = self.demo() else {
            return;
        };
        egui::Panel::top("demo").show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.strong(demo.title);
                ui.label(demo.scene);
                ui.label(demo.task);
            });
            ui.horizontal(|ui| {
                self.pace_control(ui);
                self.tour_control(ui);
            });
        });
    }

    pub(super) fn pace_control(&mut self, ui: &mut egui::Ui) {
        let Some(pace) = self.pace.filter(|_| self.is_running()) else {
            return;
        };
        ui.weak(format!(
            "slowed to be watched: {:.0} s at least",
            pace.as_secs_f64()
        ))
        .on_hover_text("The solver waits between steps; what it computes stays the same");
        if ui
            .button("Full speed")
            .on_hover_text("Do not wait between steps")
            .clicked()
        {
            self.set_pace(None);
        }
    }

    pub(super) fn tour_control(&mut self, ui: &mut egui::Ui) {
        if self.tour.is_none() {
            if ui
                .button("Play all demos")
                .on_hover_text("One after the other, until you touch something")
                .clicked()
            {
                self.begin_tour();
            }
            return;
        }
        match self.tour_turn {
            Turn::Result(left) => ui.weak(format!("next demo in {left:.0} s")),
            Turn::Held(left) => ui.weak(format!("held; goes on in {left:.0} s untouched")),
            _ => ui.weak("the next demo follows by itself"),
        };
        if ui
            .button("Next demo")
            .on_hover_text("Without waiting")
            .clicked()
        {
            self.tour = Some(Tour::default());
            self.next_demo();
        }
    }

    pub(super) fn set_pace(&mut self, pace: Option<Duration>) {
        self.pace = pace;
        self.worker.set_pace(pace);
    }
}

/// Whether somebody is there. F11 only changes how the demos are shown.
fn is_touched(ctx: &egui::Context) -> bool {
    let touches = |event: &Event| match event {
        Event::Key { key, pressed, .. } => *pressed && *key != Key::F11,
        Event::PointerButton { pressed, .. } => *pressed,
        Event::Text(_) | Event::MouseWheel { .. } | Event::Touch { .. } => true,
        Event::AccessKitActionRequest(_) => true,
        _ => false,
    };
    ctx.input(|input| input.events.iter().any(touches))
}
