use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::RunId;

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
    pub fn wait(&self, run: RunId) -> Turn {
        let mut wish = self.wish();
        loop {
            if run <= wish.cancelled_up_to {
                return Turn::Cancelled;
            }
            if std::mem::take(&mut wish.command) {
                return Turn::Command;
            }
            if !wish.paused {
                return Turn::Step;
            }
            if wish.single_steps > 0 {
                wish.single_steps -= 1;
                return Turn::Step;
            }
            let woken = self.changed.wait(wish);
            wish = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paused_run_steps_when_told_and_a_cancelled_one_never() {
        let control = Control::default();
        assert_eq!(control.wait(1), Turn::Step);
        control.pause();
        control.step_once();
        control.wake();
        assert_eq!(
            (control.wait(1), control.wait(1)),
            (Turn::Command, Turn::Step)
        );
        control.step_once();
        control.cancel_up_to(1);
        assert_eq!(control.wait(1), Turn::Cancelled);
        assert!(control.is_cancelled(1) && !control.is_cancelled(2));
    }

    #[test]
    fn a_resumed_run_has_no_single_steps_left() {
        let control = Control::default();
        control.pause();
        control.step_once();
        control.resume();
        assert_eq!(control.wait(1), Turn::Step);
        assert!(!control.is_paused());
        control.pause();
        std::thread::scope(|scope| {
            scope.spawn(|| control.cancel_up_to(1));
            assert_eq!(control.wait(1), Turn::Cancelled);
        });
    }
}
