//! A run as the window knows it.

use crate::worker::{Briefing, Conclusion, Ended, Event, EventKind, Preview, RunId, Stepped};

use super::notice::Notice;

/// Estimates kept at most; every other one is given up when they are full, so that they stay
/// evenly spread over the run.
const KEPT: usize = 128;

pub struct Run {
    pub id: RunId,
    pub briefing: Option<Box<Briefing>>,
    pub newest: Option<Stepped>,
    /// Step and residual.
    pub residuals: Vec<[f64; 2]>,
    /// In the order of their steps; the last one is the newest.
    pub history: Vec<Preview>,
    /// Only every so many previews are kept.
    stride: usize,
    seen: usize,
    /// Which of the history is shown; the newest where none is chosen.
    pub chosen: Option<usize>,
    pub paused: bool,
    pub conclusion: Option<Box<Conclusion>>,
}

impl Run {
    pub fn new(id: RunId) -> Self {
        Self {
            id,
            briefing: None,
            newest: None,
            residuals: Vec::new(),
            history: Vec::new(),
            stride: 1,
            seen: 0,
            chosen: None,
            paused: false,
            conclusion: None,
        }
    }

    pub fn is_running(&self) -> bool {
        self.conclusion.is_none()
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
        if preview.run != self.id {
            return;
        }
        // The newest is always there; whether it stays shows when the next one comes.
        if self.history.len() > 1 && !self.seen.is_multiple_of(self.stride) {
            self.history.pop();
        }
        self.seen += 1;
        self.history.push(preview);
        if self.history.len() > KEPT {
            let mut index = 0;
            self.history.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.chosen = self.chosen.map(|chosen| chosen / 2);
            self.stride *= 2;
        }
    }

    /// Takes in an event, and says what the user should read of it.
    pub fn take(&mut self, event: Event) -> Option<Notice> {
        if event.run != self.id {
            return None;
        }
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
            EventKind::Ended(conclusion) => {
                let notice = match &conclusion.ended {
                    Ended::Finished => Notice::hint(format!(
                        "Finished in {:.1} s. Read on the right what to believe; save it with \
                         File, Save.",
                        conclusion.solver_s
                    )),
                    Ended::Cancelled => Notice::hint("Stopped. The last estimate is kept."),
                    Ended::Failed(error) => Notice::error("The run failed", error.clone()),
                };
                self.conclusion = Some(conclusion);
                Some(notice)
            }
            EventKind::Saved(folder, Ok(files)) => Some(Notice::hint(format!(
                "Saved {} files into {}",
                files.len() + 1,
                folder.display()
            ))),
            EventKind::Saved(folder, Err(error)) => Some(Notice::error(
                format!("Nothing could be saved into {}", folder.display()),
                error,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clip::{Clip, Shape};

    fn preview(step: usize) -> Preview {
        let clip = Arc::new(Clip::zeros(Shape::new(1, 1, 1)));
        Preview {
            run: 1,
            step,
            residual_rms: 0.1,
            psnr_db: None,
            estimate: clip.clone(),
            predicted: clip.clone(),
            residual: clip,
            parameters: Arc::default(),
        }
    }

    #[test]
    fn the_history_stays_bounded_even_and_holds_the_newest() {
        let mut run = Run::new(1);
        for step in 1..=1000 {
            run.take_preview(preview(step));
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
    }

    #[test]
    fn what_belongs_to_another_run_is_left_alone() {
        let mut run = Run::new(2);
        run.take_preview(preview(1));
        assert!(run.history.is_empty());
    }
}
