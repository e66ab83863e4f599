//! Starting, pausing, changing, branching and stopping runs.

use std::path::{Path, PathBuf};

use eframe::egui;

use super::changes::{self, between};
use super::notice::Notice;
use super::run::Run;
use super::setup::Setup;
use super::{Pinned, Studio, runs};
use crate::solver::TimedChange;

impl Studio {
    /// The command that does what a setup and its changes say.
    pub(super) fn command_of(
        &self,
        setup: &Setup,
        changes: &[TimedChange],
        out: &Path,
    ) -> Option<Vec<String>> {
        let source = self.source.as_ref()?;
        let truth = source.truth_path.as_deref();
        let mut command = setup.command(&source.path, truth, out);
        // Beside the file they belong to.
        command.splice(2..2, source.cut.flags());
        command.extend(changes.iter().map(changes::flag));
        Some(command)
    }

    /// The command that does what the panels say.
    pub(super) fn command(&self, out: &Path) -> Option<Vec<String>> {
        self.command_of(&self.kept.setup, &[], out)
    }

    /// The command that does again what the run that is looked at did.
    pub(super) fn command_of_run(&self, out: &Path) -> Option<Vec<String>> {
        let run = self.runs.shown()?;
        self.command_of(&run.setup, &run.changes, out)
    }

    pub(super) fn start(&mut self) {
        let Some(id) = self.launch(&self.kept.setup.clone(), &[]) else {
            self.notice = Notice::hint("Open a capture first.");
            return;
        };
        let run = Run::new(id, format!("run {id}"), self.kept.setup.clone());
        self.runs.add(run);
        self.notice = Notice::hint("Reading the capture and building the solver ...");
    }

    /// Hands a run to the worker, and looks at it.
    fn launch(&mut self, setup: &Setup, changes: &[TimedChange]) -> Option<u64> {
        let command = self.command_of(setup, changes, Path::new("results/window"))?;
        let id = self.worker.start(setup.with_mask((self.plan)(command)));
        self.set_pace(None);
        (self.probe.shown, self.probe.of_truth) = (false, false);
        self.playback.playing = true;
        Some(id)
    }

    /// What a branch at the step that is looked at would change, or why there can be none.
    pub(super) fn branch_changes(&self) -> Result<(usize, Vec<TimedChange>), &'static str> {
        let run = self.runs.shown().ok_or("There is no run to branch from.")?;
        let step = run.shown().ok_or("The run has no estimate yet.")?.step;
        let total = run.newest.map_or(0, |newest| newest.progress.total);
        if step >= total {
            return Err("Go back to an earlier estimate first: a run ends at its last step.");
        }
        match between(run.setup_at(step), &self.kept.setup) {
            None => Err("The panels differ from the run in what no run can change: start anew."),
            Some(changes) if changes.is_empty() => {
                Err("Move a slider of a known value first; of the reference method also the seed.")
            }
            Some(changes) => {
                let timed = |change| TimedChange { step, change };
                Ok((step, changes.into_iter().map(timed).collect()))
            }
        }
    }

    /// Goes another way from the step that is looked at: the run is repeated up to there, which
    /// gives the same estimates, and goes on with what the panels say.
    pub(super) fn branch(&mut self) {
        let (step, new) = match self.branch_changes() {
            Ok(found) => found,
            Err(why) => {
                self.notice = Notice::hint(why);
                return;
            }
        };
        let after = self.kept.setup.clone();
        let Some(from) = self.runs.shown() else {
            return;
        };
        let mut branch = Run::branch(from, step, after, new);
        let from = from.name.clone();
        let Some(id) = self.launch(&branch.setup, &branch.changes) else {
            return;
        };
        branch.id = id;
        branch.name = format!("run {id}, {from} from step {step}");
        self.runs.add(branch);
        self.notice = Notice::hint(format!(
            "Repeating the run up to step {step}; from there it goes another way."
        ));
    }

    /// Puts the estimate that is shown aside, to compare others with.
    pub(super) fn pin(&mut self) {
        let Some((run, shown)) = self.runs.shown().and_then(|run| Some((run, run.shown()?))) else {
            return;
        };
        let name = format!("{}, step {}", run.name, shown.step);
        self.notice = Notice::hint(format!(
            "Pinned: {name}. Choose it in a pane or on one side of the wipe."
        ));
        let clip = shown.estimate.clone();
        self.pinned = Some(Pinned { name, clip });
    }

    /// Hands edits of known values to the run under way, once the mouse is released.
    pub(super) fn apply_edits(&mut self, ctx: &egui::Context) {
        // Not while a value is dragged or typed.
        if ctx.input(|input| input.pointer.any_down()) || ctx.text_edit_focused() {
            return;
        }
        let setup = &self.kept.setup;
        let Some(run) = self.runs.active_mut() else {
            return;
        };
        if run.asked.is_some() || run.briefing.is_none() || run.refused.as_ref() == Some(setup) {
            return;
        }
        // What a branch does again is not to be changed.
        if run.newest.map_or(0, |newest| newest.progress.done) <= run.repeats_up_to
            && run.repeats_up_to > 0
        {
            return;
        }
        let changes = between(run.present_setup(), setup).unwrap_or_default();
        if !changes.is_empty() {
            run.asked = Some(setup.clone());
            self.worker.change(changes);
        }
    }

    /// Whether the panels say something that the run under way cannot be changed to.
    pub(super) fn needs_restart(&self) -> bool {
        self.runs.active().is_some_and(|run| {
            let setup = &self.kept.setup;
            between(run.present_setup(), setup).is_none() || run.refused.as_ref() == Some(setup)
        })
    }

    pub(super) fn is_running(&self) -> bool {
        self.runs.active().is_some()
    }

    pub(super) fn toggle_pause(&mut self) {
        match self.runs.active_mut() {
            Some(run) => match run.toggle_pause() {
                true => self.worker.pause(),
                false => self.worker.resume(),
            },
            None => self.start(),
        }
    }

    pub(super) fn step_once(&mut self) {
        if let Some(run) = self.runs.active_mut() {
            if !run.paused {
                run.toggle_pause();
                self.worker.pause();
            }
            self.worker.step_once();
        }
    }

    /// What the panels hold, to be set from outside.
    pub fn setup_mut(&mut self) -> &mut Setup {
        &mut self.kept.setup
    }

    /// Root mean square of the live residual, once it is that of what the sliders say.
    pub fn live_residual_rms(&self) -> Option<f64> {
        let is_new = self.probe.answered == self.probe.asked && self.probe.error.is_none();
        let clips = self.probe.clips.as_ref().filter(|_| is_new);
        Some(clips?.residual_rms)
    }

    /// The values that the run which is shown ended with, of all parameters of a name.
    pub fn found(&self, name: &str) -> Vec<f64> {
        let conclusion = self.runs.shown().and_then(|run| run.conclusion.as_ref());
        let findings = conclusion.iter().flat_map(|ended| &ended.findings);
        let these = findings.filter(|finding| finding.parameter.name == name);
        these.map(|finding| finding.parameter.value).collect()
    }

    /// What the window says happened last.
    pub fn notice(&self) -> String {
        self.notice.words()
    }

    /// The step of the estimate that is shown.
    pub fn shown_step(&self) -> Option<usize> {
        Some(self.runs.shown()?.shown()?.step)
    }

    /// Goes back to the kept estimate nearest to a step.
    pub fn show_step(&mut self, step: usize) {
        if let Some(run) = self.runs.shown_mut() {
            let places = 0..run.history.len();
            run.chosen = places.min_by_key(|&place| run.history[place].step.abs_diff(step));
        }
    }

    /// Writes the last run's estimate, and all that is known of it, into a folder.
    pub fn save_result(&mut self, folder: PathBuf) {
        self.notice = Notice::hint(format!("Saving into {} ...", folder.display()));
        self.worker.save(folder);
    }

    /// What runs may keep in memory.
    pub(super) fn history_bytes(&self) -> usize {
        self.kept.history_mb.max(runs::LEAST_MB) as usize * 1_000_000
    }
}
