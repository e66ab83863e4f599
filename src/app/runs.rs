//! All runs of the capture that is open, and which one is looked at.

use super::notice::Notice;
use super::run::Run;
use super::setup::Setup;
use crate::clip::Clip;
use crate::metrics;
use crate::worker::{Event, Preview, RunId};

/// Runs remembered at most.
const REMEMBERED: usize = 64;
/// What estimates may take in memory at least.
pub const LEAST_MB: u32 = 16;

#[derive(Default)]
pub struct Runs {
    all: Vec<Run>,
    shown: usize,
    /// The one that was started last, whether it is still listed or not.
    newest: Option<RunId>,
}

impl Runs {
    /// The one that is looked at.
    pub fn shown(&self) -> Option<&Run> {
        self.all.get(self.shown)
    }

    pub fn shown_mut(&mut self) -> Option<&mut Run> {
        self.all.get_mut(self.shown)
    }

    /// The one that was started last, while it runs.
    pub fn active(&self) -> Option<&Run> {
        self.all.last().filter(|run| run.is_running())
    }

    pub fn active_mut(&mut self) -> Option<&mut Run> {
        self.all.last_mut().filter(|run| run.is_running())
    }

    /// Whether the run that is looked at is the one that was started last, which the worker still
    /// holds, and has an estimate to save.
    pub fn can_save(&self) -> bool {
        let shown = self.shown();
        shown.is_some_and(|run| Some(run.id) == self.newest && run.shown().is_some())
    }

    /// Whether estimates would be lost that nobody saved.
    pub fn has_unsaved(&self) -> bool {
        let unsaved = |run: &Run| !run.history.is_empty() && !run.saved;
        self.all.iter().any(unsaved)
    }

    pub fn mark_saved(&mut self, id: RunId) {
        if let Some(run) = self.all.iter_mut().find(|run| run.id == id) {
            run.saved = true;
        }
    }

    pub fn all(&self) -> &[Run] {
        &self.all
    }

    pub fn show(&mut self, index: usize) {
        self.shown = index.min(self.all.len().saturating_sub(1));
    }

    pub fn add(&mut self, run: Run) {
        self.newest = Some(run.id);
        self.all.push(run);
        if self.all.len() > REMEMBERED {
            self.all.remove(0);
        }
        self.shown = self.all.len() - 1;
    }

    /// Forgets the run that is looked at, if it is over.
    pub fn forget_shown(&mut self) {
        if self.shown().is_some_and(|run| !run.is_running()) {
            self.all.remove(self.shown);
            self.shown = self.shown.min(self.all.len().saturating_sub(1));
        }
    }

    pub fn take(&mut self, event: Event) -> Option<Notice> {
        let run = self.all.iter_mut().find(|run| run.id == event.run)?;
        run.take(event)
    }

    /// Takes in an estimate, and keeps all of them within so many bytes.
    pub fn take_preview(&mut self, preview: Preview, limit_bytes: usize) {
        let Some(run) = self.all.iter_mut().find(|run| run.id == preview.run) else {
            return;
        };
        run.take_preview(preview);
        while self.all.iter().map(Run::bytes).sum::<usize>() > limit_bytes {
            let longest = self.all.iter_mut().max_by_key(|run| run.history.len());
            if let Some(run) = longest.filter(|run| run.history.len() > 2) {
                run.thin();
                continue;
            }
            // Of old runs the last estimates go, too; never that of the run under way.
            let shown = self.shown;
            let mut others = self.all.iter_mut().enumerate();
            let oldest = others.find(|(index, run)| {
                *index != shown && !run.is_running() && !run.history.is_empty()
            });
            match oldest {
                Some((_, run)) => drop(run.history.remove(0)),
                None => break,
            }
        }
    }

    /// The last estimates of runs that differ from the shown one in their seed only, its own
    /// among them.
    pub fn other_seeds(&self) -> Vec<&Run> {
        let Some(shown) = self.shown() else {
            return Vec::new();
        };
        let seedless = |run: &Run| Setup {
            seed: 0,
            ..run.present_setup().clone()
        };
        let is_like = |run: &&Run| {
            let finished = run.conclusion.as_ref().is_some_and(|c| c.is_finished());
            finished && run.changes == shown.changes && seedless(run) == seedless(shown)
        };
        let mut runs: Vec<&Run> = self.all.iter().filter(is_like).collect();
        let seed = |run: &Run| run.present_setup().seed;
        runs.sort_by_key(|run| seed(run));
        runs.dedup_by_key(|run| seed(run));
        runs
    }

    /// How far the estimates of several seeds are from each other, and how many seeds there are.
    pub fn spread(&self) -> Option<(Clip, usize)> {
        let runs = self.other_seeds();
        let estimates = runs.iter().filter_map(|run| run.history.last());
        let estimates: Vec<&Clip> = estimates.map(|last| last.estimate.as_ref()).collect();
        (estimates.len() > 1).then(|| (metrics::spread(&estimates), estimates.len()))
    }
}
