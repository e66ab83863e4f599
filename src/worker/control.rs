use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as Clock};

use super::{RunId, Worker};
use crate::solver::Progress;

/// What the window wants of the present run, read between two steps.
#[derive(Default)]
pub struct Control {
    wish: Mutex<Wish>,
    changed: Condvar,
}

#[derive(Default)]
struct Wish {
    cancelled_up_to: RunId,
    paused: bool,
    /// Steps allowed in spite of the pause.
    single_steps: usize,
    /// A command came in.
    command: bool,
    /// The least time that a whole run takes, so that it can be watched.
    pace: Option<Duration>,
    /// When the last step was allowed.
    stepped: Option<Clock>,
    /// Steps of the present run that only searched, without an estimate to watch.
    searched: usize,
}

impl Worker {
    /// Spreads each run over this time at least, from the next step on: the first steps, which
    /// change most, take the largest part of it. What a run computes stays the same.
    pub fn set_pace(&self, run: Option<Duration>) {
        self.control.change(|wish| wish.pace = run);
    }
}

/// The least time between the step after `done` and the one before it: falls as 1 / steps, and
/// sums to `run` over all `total` steps.
fn least_gap(run: Duration, done: usize, total: usize) -> Duration {
    /// Steps of about the same length at the start.
    const FIRST: f64 = 8.0;
    let (done, total) = (done as f64, total as f64);
    let sum = ((FIRST + total) / FIRST).ln();
    let share = ((FIRST + done + 1.0) / (FIRST + done)).ln() / sum.max(f64::MIN_POSITIVE);
    run.mul_f64(share.min(1.0))
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    Step,
    Cancelled,
    /// Look at the commands first.
    Command,
}

impl Control {
    fn wish(&self) -> MutexGuard<'_, Wish> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Wish)) {
        change(&mut self.wish());
        self.changed.notify_all();
    }

    pub fn cancel_up_to(&self, run: RunId) {
        self.change(|wish| wish.cancelled_up_to = wish.cancelled_up_to.max(run));
    }

    pub fn pause(&self) {
        self.change(|wish| wish.paused = true);
    }

    pub fn resume(&self) {
        self.change(|wish| (wish.paused, wish.single_steps) = (false, 0));
    }

    pub fn step_once(&self) {
        self.change(|wish| wish.single_steps += 1);
    }

    /// A paused run looks at its commands.
    pub fn wake(&self) {
        self.change(|wish| wish.command = true);
    }

    pub fn is_cancelled(&self, run: RunId) -> bool {
        run <= self.wish().cancelled_up_to
    }

    pub fn is_paused(&self) -> bool {
        self.wish().paused
    }

    /// Waits until the run may step, or should not.
    pub fn wait(&self, run: RunId, progress: &Progress) -> Turn {
        let mut wish = self.wish();
        loop {
            if run <= wish.cancelled_up_to {
                return Turn::Cancelled;
            }
            if std::mem::take(&mut wish.command) {
                return Turn::Command;
            }
            if wish.single_steps > 0 {
                wish.single_steps -= 1;
                wish.stepped = Some(Clock::now());
                return Turn::Step;
            }
            if progress.done == 0 || !progress.residual_rms.is_finite() {
                wish.searched = progress.done;
            }
            let shown = progress.done.saturating_sub(wish.searched);
            let left = match (wish.paused, wish.pace, wish.stepped) {
                (true, ..) => None,
                (false, Some(pace), Some(stepped)) if shown > 0 => {
                    let total = progress.total.saturating_sub(wish.searched);
                    let gap = least_gap(pace, shown, total);
                    Some(gap.saturating_sub(stepped.elapsed()))
                }
                (false, ..) => Some(Duration::ZERO),
            };
            wish = match left {
                None => {
                    let woken = self.changed.wait(wish);
                    woken.unwrap_or_else(PoisonError::into_inner)
                }
                Some(Duration::ZERO) => {
                    wish.stepped = Some(Clock::now());
                    return Turn::Step;
                }
                Some(left) => {
                    let woken = self.changed.wait_timeout(wish, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Progress = Progress {
        done: 1,
        total: 100,
        residual_rms: 0.0,
    };

    #[test]
    fn a_paused_run_steps_when_told_and_a_cancelled_one_never() {
        let control = Control::default();
        assert_eq!(control.wait(1, &AT_ONCE), Turn::Step);
        control.pause();
        control.step_once();
        control.wake();
        assert_eq!(
            (control.wait(1, &AT_ONCE), control.wait(1, &AT_ONCE)),
            (Turn::Command, Turn::Step)
        );
        control.step_once();
        control.cancel_up_to(1);
        assert_eq!(control.wait(1, &AT_ONCE), Turn::Cancelled);
        assert!(control.is_cancelled(1) && !control.is_cancelled(2));
    }

    #[test]
    fn a_resumed_run_has_no_single_steps_left() {
        let control = Control::default();
        control.pause();
        control.step_once();
        control.resume();
        assert_eq!(control.wait(1, &AT_ONCE), Turn::Step);
        assert!(!control.is_paused());
        control.pause();
        std::thread::scope(|scope| {
            scope.spawn(|| control.cancel_up_to(1));
            assert_eq!(control.wait(1, &AT_ONCE), Turn::Cancelled);
        });
    }

    #[test]
    fn a_paced_run_waits_and_still_obeys() {
        let control = Control::default();
        control.change(|wish| wish.pace = Some(Duration::from_secs(3600)));
        assert_eq!(control.wait(1, &AT_ONCE), Turn::Step);
        std::thread::scope(|scope| {
            scope.spawn(|| control.wake());
            assert_eq!(control.wait(1, &AT_ONCE), Turn::Command);
            scope.spawn(|| control.change(|wish| wish.pace = None));
            assert_eq!(control.wait(1, &AT_ONCE), Turn::Step);
            control.change(|wish| wish.pace = Some(Duration::from_secs(3600)));
            scope.spawn(|| control.cancel_up_to(1));
            assert_eq!(control.wait(1, &AT_ONCE), Turn::Cancelled);
        });
    }

    #[test]
    fn steps_that_only_search_are_not_slowed() {
        let control = Control::default();
        control.change(|wish| wish.pace = Some(Duration::from_secs(3600)));
        for done in 0..50 {
            let searching = Progress {
                done,
                residual_rms: f64::NAN,
                ..AT_ONCE
            };
            assert_eq!(control.wait(1, &searching), Turn::Step);
        }
        assert_eq!(control.wish().searched, 49);
    }

    #[test]
    fn the_gaps_of_a_paced_run_fall_and_sum_to_its_time() {
        let gap = |done| least_gap(Duration::from_secs(30), done, 2000).as_secs_f64();
        let sum: f64 = (0..2000).map(gap).sum();
        assert!((sum - 30.0).abs() < 1e-3, "{sum}");
        assert!(gap(0) > 0.5 && gap(1) < gap(0) && gap(1000) < 0.02);
    }
}
