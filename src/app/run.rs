//! A run as the window knows it.

use super::Setup;
use super::changes;
use super::notice::Notice;
use crate::solver::{Change, TimedChange};
use crate::worker::{Briefing, Conclusion, Ended, Event, EventKind, Preview, RunId, Stepped};

/// Estimates kept at most; every other one is given up when they are full, so that they stay
/// evenly spread over the run.
const KEPT: usize = 128;

pub struct Run {
    pub id: RunId,
    pub name: String,
    /// What it was started with.
    pub setup: Setup,
    /// Changes on the way, those it was started with included.
    pub changes: Vec<TimedChange>,
    /// What it was made into at which step.
    tuned: Vec<(usize, Setup)>,
    /// Sent, and not answered yet.
    pub asked: Option<Setup>,
    /// Sent, and refused.
    pub refused: Option<Setup>,
    pub briefing: Option<Box<Briefing>>,
    pub newest: Option<Stepped>,
    /// Step and residual.
    pub residuals: Vec<[f64; 2]>,
    /// Step and PSNR, where there is a true video.
    pub psnrs: Vec<[f64; 2]>,
    /// In the order of their steps; the last one is the newest.
    pub history: Vec<Preview>,
    /// Only every so many previews are kept.
    stride: usize,
    seen: usize,
    /// Which of the history is shown; the newest where none is chosen.
    pub chosen: Option<usize>,
    pub paused: bool,
    /// A branch does what another run did up to this step.
    pub repeats_up_to: usize,
    /// Whether its estimate was written to disk.
    pub saved: bool,
    pub conclusion: Option<Box<Conclusion>>,
}

impl Run {
    pub fn new(id: RunId, name: String, setup: Setup) -> Self {
        Self {
            id,
            name,
            setup,
            changes: Vec::new(),
            tuned: Vec::new(),
            asked: None,
            refused: None,
            briefing: None,
            newest: None,
            residuals: Vec::new(),
            psnrs: Vec::new(),
            history: Vec::new(),
            stride: 1,
            seen: 0,
            chosen: None,
            paused: false,
            repeats_up_to: 0,
            saved: false,
            conclusion: None,
        }
    }

    /// One that repeats another up to a step and goes on as `after` says, without a name yet.
    pub fn branch(from: &Self, step: usize, after: Setup, new: Vec<TimedChange>) -> Self {
        let before = |at: usize| at <= step;
        let kept = from.changes.iter().filter(|change| before(change.step));
        let tuned = from.tuned.iter().filter(|(at, _)| before(*at));
        Self {
            changes: kept.cloned().chain(new).collect(),
            tuned: tuned.cloned().chain([(step, after)]).collect(),
            repeats_up_to: step,
            ..Self::new(0, String::new(), from.setup.clone())
        }
    }

    pub fn is_running(&self) -> bool {
        self.conclusion.is_none()
    }

    /// What it was made into by its changes up to this step.
    pub fn setup_at(&self, step: usize) -> &Setup {
        let made = self.tuned.iter().rev().find(|(at, _)| *at <= step);
        made.map_or(&self.setup, |(_, setup)| setup)
    }

    /// What it is made into so far.
    pub fn present_setup(&self) -> &Setup {
        self.setup_at(usize::MAX)
    }

    /// Whether it is paused now.
    pub fn toggle_pause(&mut self) -> bool {
        self.paused = !self.paused;
        self.paused
    }

    /// The estimate that is looked at.
    pub fn shown(&self) -> Option<&Preview> {
        let chosen = self.chosen.and_then(|chosen| self.history.get(chosen));
        chosen.or(self.history.last())
    }

    pub fn take_preview(&mut self, preview: Preview) {
        if self
            .history
            .last()
            .is_some_and(|last| last.step == preview.step)
        {
            return;
        }
        // The newest is always there; whether it stays shows when the next one comes.
        if self.history.len() > 1 && !self.seen.is_multiple_of(self.stride) {
            self.history.pop();
        }
        self.seen += 1;
        if let Some(psnr) = preview.psnr_db.filter(|psnr| psnr.is_finite()) {
            self.psnrs.push([preview.step as f64, psnr]);
        }
        self.history.push(preview);
        if self.history.len() > KEPT {
            self.thin();
        }
    }

    /// Gives up every other estimate, but neither the first nor the newest.
    pub fn thin(&mut self) {
        let last = self.history.len().saturating_sub(1);
        let mut index = 0;
        self.history.retain(|_| {
            index += 1;
            index % 2 == 1 || index - 1 == last
        });
        self.chosen = self.chosen.map(|chosen| chosen / 2);
        self.stride *= 2;
    }

    /// What its estimates take in memory.
    pub fn bytes(&self) -> usize {
        let of = |preview: &Preview| 3 * size_of::<f32>() * preview.estimate.shape().len();
        self.history.iter().map(of).sum()
    }

    /// Takes in an event of this run, and says what the user should read of it.
    pub fn take(&mut self, event: Event) -> Option<Notice> {
        match event.kind {
            EventKind::Started(briefing) => {
                let why = briefing.chosen_because.as_ref();
                let why = why.map_or(String::new(), |why| format!(" ({why})"));
                let notice = format!("{} with {}{why}", briefing.method, briefing.prior);
                self.briefing = Some(briefing);
                Some(Notice::hint(notice))
            }
            EventKind::Stepped(stepped) => {
                let progress = stepped.progress;
                if progress.residual_rms.is_finite() {
                    self.residuals
                        .push([progress.done as f64, progress.residual_rms]);
                }
                self.newest = Some(stepped);
                None
            }
            EventKind::Changed {
                step,
                made,
                refused,
            } => Some(self.changed(step, made, refused)),
            EventKind::Ended(conclusion) => {
                let notice = match &conclusion.ended {
                    Ended::Finished => Notice::hint(format!(
                        "Finished in {:.1} s. Read on the right what to believe; save it with \
                         File, Save.",
                        conclusion.solver_s
                    )),
                    Ended::Cancelled => Notice::hint("Stopped. The last estimate is kept."),
                    Ended::Failed(error) => Notice::error(
                        match self.history.is_empty() {
                            true => "The run failed",
                            false => "The run failed; its last estimate is kept and can be saved",
                        },
                        error.clone(),
                    ),
                    Ended::DeviceLost(error) => Notice::error(
                        "The device failed; the last estimate is kept, and Start goes on on the \
                         processor",
                        error.clone(),
                    ),
                };
                self.conclusion = Some(conclusion);
                Some(notice)
            }
            // Told to the user whether the run is still listed or not.
            EventKind::Saved(..) => None,
        }
    }

    fn changed(&mut self, step: usize, made: Vec<Change>, refused: Option<String>) -> Notice {
        let asked = self.asked.take();
        let words: Vec<String> = made.iter().map(changes::words).collect();
        let mut setup = self.present_setup().clone();
        if let Some(asked) = &asked {
            made.iter()
                .for_each(|change| changes::take(&mut setup, asked, change));
        }
        if !made.is_empty() {
            self.tuned.push((step, setup));
        }
        let timed = made.into_iter().map(|change| TimedChange { step, change });
        self.changes.extend(timed);
        match refused {
            Some(error) => {
                self.refused = asked;
                Notice::error(
                    "Not everything can be changed while this run goes on",
                    error,
                )
            }
            None => Notice::hint(format!("From step {} on: {}.", step + 1, words.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clip::{Clip, Shape};
    use crate::metrics::Whiteness;

    pub fn preview(run: RunId, step: usize) -> Preview {
        let clip = Arc::new(Clip::zeros(Shape::new(1, 1, 1)));
        Preview {
            run,
            step,
            residual_rms: 0.1,
            psnr_db: None,
            estimate: clip.clone(),
            predicted: clip.clone(),
            whiteness: Arc::new(Whiteness::of(&clip)),
            residual: clip,
            parameters: Arc::default(),
        }
    }

    fn run() -> Run {
        Run::new(1, "run 1".into(), Setup::default())
    }

    #[test]
    fn the_history_stays_bounded_even_and_holds_the_newest() {
        let mut run = run();
        for step in 1..=1000 {
            run.take_preview(preview(1, step));
            assert!(run.history.len() <= KEPT);
            assert_eq!(run.shown().unwrap().step, step);
        }
        let steps: Vec<usize> = run.history.iter().map(|preview| preview.step).collect();
        assert_eq!(steps[0], 1);
        let gaps: Vec<usize> = steps.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let widest = *gaps.iter().max().unwrap();
        assert!(widest <= 16 && steps.len() > KEPT / 3, "{steps:?}");
        run.chosen = Some(0);
        assert_eq!(run.shown().unwrap().step, 1);
        let newest = run.history.last().unwrap().step;
        while run.history.len() > 2 {
            run.thin();
            assert_eq!(run.history.last().unwrap().step, newest);
        }
    }

    #[test]
    fn a_branch_keeps_what_came_before_it() {
        let mut run = run();
        for (step, mm) in [(10, 6.0), (20, 7.0)] {
            let mut setup = Setup::default();
            setup.dist_mm.value = mm;
            run.asked = Some(setup);
            run.changed(step, vec![Change::Distance(mm)], None);
        }
        assert_eq!(run.setup_at(9).dist_mm.value, 5.0);
        assert_eq!(run.setup_at(15).dist_mm.value, 6.0);
        assert_eq!(run.present_setup().dist_mm.value, 7.0);
        let mut after = Setup::default();
        after.dist_mm.value = 8.0;
        let new = TimedChange {
            step: 15,
            change: Change::Distance(8.0),
        };
        let branch = Run::branch(&run, 15, after, vec![new]);
        let values: Vec<&Change> = branch.changes.iter().map(|timed| &timed.change).collect();
        assert_eq!(values, [&Change::Distance(6.0), &Change::Distance(8.0)]);
        assert_eq!(branch.present_setup().dist_mm.value, 8.0);
        assert_eq!(branch.setup.dist_mm.value, 5.0);
        // What was changed at that very step is kept, too.
        let at_change = Run::branch(&run, 10, Setup::default(), Vec::new());
        assert_eq!(at_change.changes, run.changes[..1]);
    }

    #[test]
    fn of_a_refused_list_only_what_was_made_is_remembered() {
        let mut run = run();
        let mut asked = Setup::default();
        (asked.dist_mm.value, asked.sigma_px.value) = (6.0, 3.0);
        run.asked = Some(asked.clone());
        run.changed(7, vec![Change::Distance(6.0)], Some("no".into()));
        let present = run.present_setup();
        assert_eq!((present.dist_mm.value, present.sigma_px.value), (6.0, 1.0));
        assert_eq!(run.refused, Some(asked));
    }
}
