//! The thread that owns the solver and its device.
//!
//! Commands go in by channel and are obeyed between two steps; [`Worker::cancel`] and
//! [`Worker::pause`] bypass the queue. Events come out by channel, each with its run's number.
//! What is heavy and soon outdated, the present estimate, lies in a [`Slot`] that holds the newest
//! one. A solver that panics becomes an event, and the thread goes on.

mod control;
mod inbox;
pub mod live;
mod map;
mod slot;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant as Clock};

use crossbeam_channel::{Receiver, Sender, unbounded};

use control::{Control, Turn};

pub use live::{
    Live, LiveAnswer, LiveClips, LiveExposure, LiveModel, LiveRequest, MakeModel, Response,
};
pub use map::{Lowest, MakeSurvey, Map, MapAnswer, MapRequest, Mapper};
pub use slot::Slot;

use crate::clip::Clip;
use crate::device::panic_text;
use crate::metrics::Whiteness;
use crate::physics::Parameter;
use crate::prior::PriorError;
use crate::solver::{Change, Finding, Progress, Solver, SolverError};

/// Numbers runs, from 1.
pub type RunId = u64;

/// Called whenever there is something new to look at.
pub type Notify = Arc<dyn Fn() + Send + Sync>;

/// A solver with what surrounds it, on the worker's thread.
pub trait Job: Send {
    fn solver(&mut self) -> &mut dyn Solver;

    /// What is worth knowing before the first step.
    fn briefing(&self) -> Briefing;

    /// What the present estimate should have been measured as.
    fn predicted(&self, estimate: &Clip) -> Clip;

    /// How far a prediction is from what was recorded.
    fn residual(&self, predicted: &Clip) -> Clip;

    /// Of an estimate against the true video, in dB, where there is one.
    fn psnr_db(&self, estimate: &Clip) -> Option<f64>;

    /// Writes the present estimate and all that is known of it into a folder, and returns what
    /// was written there.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    fn save(&self, folder: &Path, state: SavedState) -> anyhow::Result<Vec<String>>;
}

/// How far a run had come when it was saved.
#[derive(Clone, Debug)]
pub struct SavedState {
    pub ended: Option<Ended>,
    pub solver_s: f64,
}

/// Makes a job on the worker's thread, where files are read and devices are opened.
pub type MakeJob = Box<dyn FnOnce() -> anyhow::Result<Box<dyn Job>> + Send>;

/// What a run is about to do.
#[derive(Clone, Debug, Default)]
pub struct Briefing {
    pub method: String,
    pub chosen_because: Option<String>,
    pub prior: String,
    pub device: String,
    /// Why it computes there: what was found, and how it did in its self-test.
    pub device_why: String,
    /// Standard deviation of all noise, in the forward model's units.
    pub noise: f64,
    pub saturated_share: f64,
}

enum Command {
    Start(RunId, MakeJob),
    Save(PathBuf),
    Change(RunId, Vec<Change>),
    Shutdown,
}

/// How a run came to its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    Finished,
    Cancelled,
    /// The estimate of the step before stays.
    Failed(String),
    /// The same, because the device stopped working: another one has to go on.
    DeviceLost(String),
}

#[derive(Debug)]
pub struct Event {
    pub run: RunId,
    pub kind: EventKind,
}

#[derive(Debug)]
pub enum EventKind {
    /// Files were read and the solver was built.
    Started(Box<Briefing>),
    Stepped(Stepped),
    /// The last preview is in the slot.
    Ended(Box<Conclusion>),
    Saved(PathBuf, Result<Vec<String>, String>),
    Changed {
        /// Steps done before.
        step: usize,
        made: Vec<Change>,
        /// Why not all that was asked for was made.
        refused: Option<String>,
    },
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct Stepped {
    pub progress: Progress,
    /// Of the solver alone, pauses left out.
    pub solver_s: f64,
}

/// What a run ends with.
#[derive(Clone, Debug)]
pub struct Conclusion {
    pub ended: Ended,
    pub solver_s: f64,
    pub findings: Vec<Finding>,
    pub notes: Vec<String>,
}

impl Conclusion {
    pub fn is_finished(&self) -> bool {
        self.ended == Ended::Finished
    }
}

/// An estimate under way.
#[derive(Clone, Debug)]
pub struct Preview {
    pub run: RunId,
    /// Steps done.
    pub step: usize,
    pub residual_rms: f64,
    /// Against the true video, where there is one.
    pub psnr_db: Option<f64>,
    pub estimate: Arc<Clip>,
    /// What it should have been measured as.
    pub predicted: Arc<Clip>,
    pub residual: Arc<Clip>,
    pub parameters: Arc<Vec<Parameter>>,
    /// Of the residual.
    pub whiteness: Arc<Whiteness>,
}

/// The least time between two previews; a step that lasts longer has one of its own.
const PREVIEW_EVERY: Duration = Duration::from_millis(40);

/// Owns the worker's thread; dropping it cancels what runs and waits for the step to end.
pub struct Worker {
    commands: Sender<Command>,
    events: Receiver<Event>,
    control: Arc<Control>,
    previews: Arc<Slot<Preview>>,
    thread: Option<JoinHandle<()>>,
    runs: RunId,
}

impl Worker {
    /// # Errors
    /// A system that gives no more threads.
    pub fn spawn(notify: Notify) -> std::io::Result<Self> {
        let (commands, inbox) = unbounded();
        let (outbox, events) = unbounded();
        let control = Arc::new(Control::default());
        let previews = Arc::new(Slot::default());
        let thread = Thread {
            inbox,
            outbox,
            control: control.clone(),
            previews: previews.clone(),
            notify,
            current: None,
            pending: VecDeque::new(),
        };
        let thread = std::thread::Builder::new()
            .name("worker".into())
            .spawn(move || thread.serve())?;
        Ok(Self {
            commands,
            events,
            control,
            previews,
            thread: Some(thread),
            runs: 0,
        })
    }

    /// Cancels what runs, and starts a job after it.
    pub fn start(&mut self, make: MakeJob) -> RunId {
        self.runs += 1;
        self.control.cancel_up_to(self.runs - 1);
        self.control.resume();
        self.send(Command::Start(self.runs, make));
        self.runs
    }

    /// Ends the present run after its step.
    pub fn cancel(&self) {
        self.control.cancel_up_to(self.runs);
    }

    pub fn pause(&self) {
        self.control.pause();
    }

    pub fn resume(&self) {
        self.control.resume();
    }

    /// One more step of a paused run.
    pub fn step_once(&self) {
        self.control.step_once();
    }

    /// Writes the last run's estimate into a folder, between two steps.
    pub fn save(&self, folder: PathBuf) {
        self.send(Command::Save(folder));
        self.control.wake();
    }

    /// Changes settings of the present run from its next step on.
    pub fn change(&self, changes: Vec<Change>) {
        self.send(Command::Change(self.runs, changes));
        self.control.wake();
    }

    pub fn events(&self) -> impl Iterator<Item = Event> + '_ {
        self.events.try_iter()
    }

    /// The newest estimate since the last call.
    pub fn preview(&self) -> Option<Preview> {
        self.previews.take()
    }

    fn send(&self, command: Command) {
        // The thread ends only when this is dropped.
        let _ = self.commands.send(command);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.cancel();
        self.send(Command::Shutdown);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Thread {
    inbox: Receiver<Command>,
    outbox: Sender<Event>,
    control: Arc<Control>,
    previews: Arc<Slot<Preview>>,
    notify: Notify,
    /// The last run, kept so that its estimate can be saved.
    current: Option<(RunId, Box<dyn Job>, SavedState)>,
    /// Commands that came during a run and wait for its end.
    pending: VecDeque<Command>,
}

impl Thread {
    fn serve(mut self) {
        loop {
            let next = self.pending.pop_front();
            let Some(command) = next.or_else(|| self.inbox.recv().ok()) else {
                return;
            };
            match command {
                Command::Start(run, make) => self.run(run, make),
                Command::Save(folder) => self.save(folder),
                // The run it was meant for is over.
                Command::Change(..) => {}
                Command::Shutdown => return,
            }
        }
    }

    fn tell(&self, run: RunId, kind: EventKind) {
        // Nobody listens any more once the window is closed.
        let _ = self.outbox.send(Event { run, kind });
        (self.notify)();
    }

    fn run(&mut self, run: RunId, make: MakeJob) {
        let end = |this: &Self, ended| {
            let conclusion = Conclusion {
                ended,
                solver_s: 0.0,
                findings: Vec::new(),
                notes: Vec::new(),
            };
            this.tell(run, EventKind::Ended(Box::new(conclusion)));
        };
        if self.control.is_cancelled(run) {
            return end(self, Ended::Cancelled);
        }
        let job = match guarded(|| make().map_err(|error| format!("{error:#}"))) {
            Ok(job) => job,
            Err(message) => return end(self, Ended::Failed(message)),
        };
        self.tell(run, EventKind::Started(Box::new(job.briefing())));
        let state = SavedState {
            ended: None,
            solver_s: 0.0,
        };
        self.current = Some((run, job, state));
        let ended = self.steps(run);
        self.show_last(run);
        let Some((_, job, state)) = &mut self.current else {
            return;
        };
        state.ended = Some(ended.clone());
        let solver = job.solver();
        let conclusion = Conclusion {
            ended,
            solver_s: state.solver_s,
            findings: solver.findings(),
            notes: solver.notes(),
        };
        self.tell(run, EventKind::Ended(Box::new(conclusion)));
    }

    /// Steps the present run to its end.
    fn steps(&mut self, run: RunId) -> Ended {
        let mut shown: Option<Clock> = None;
        loop {
            // Saving does not wait for the run to end.
            while let Ok(command) = self.inbox.try_recv() {
                match command {
                    Command::Save(folder) => self.save(folder),
                    Command::Change(of, changes) if of == run => self.change(changes),
                    Command::Change(..) => {}
                    later => self.pending.push_back(later),
                }
            }
            let Some((_, job, state)) = &mut self.current else {
                return Ended::Cancelled;
            };
            match self.control.wait(run, &job.solver().progress()) {
                Turn::Cancelled => return Ended::Cancelled,
                Turn::Command => continue,
                Turn::Step => {}
            }
            let started = Clock::now();
            let stepped = guarded(|| Ok(job.solver().step()));
            state.solver_s += started.elapsed().as_secs_f64();
            let solver_s = state.solver_s;
            let progress = match stepped {
                Ok(Ok(progress)) => progress,
                Ok(Err(SolverError::Prior(error @ PriorError::Device(_)))) => {
                    return Ended::DeviceLost(error.to_string());
                }
                Ok(Err(error)) => return Ended::Failed(error.to_string()),
                Err(message) => return Ended::Failed(message),
            };
            let finished = progress.is_finished();
            let due = shown.is_none_or(|shown| shown.elapsed() >= PREVIEW_EVERY);
            if finished || due || self.control.is_paused() {
                match guarded(|| Ok(preview(run, job.as_mut(), &progress))) {
                    Ok(preview) => self.previews.put(preview),
                    Err(message) => return Ended::Failed(message),
                }
                shown = Some(Clock::now());
            }
            self.tell(run, EventKind::Stepped(Stepped { progress, solver_s }));
            if finished {
                return Ended::Finished;
            }
        }
    }

    /// Shows the estimate that a run ended with, however it ended.
    fn show_last(&mut self, run: RunId) {
        let Some((_, job, _)) = &mut self.current else {
            return;
        };
        let progress = job.solver().progress();
        if progress.done > 0 && !progress.is_finished() {
            // A solver that broke down may not have one any more: the last one shown stays.
            if let Ok(preview) = guarded(|| Ok(preview(run, job.as_mut(), &progress))) {
                self.previews.put(preview);
            }
        }
    }

    /// Makes changes in their order, but for those that are refused.
    fn change(&mut self, changes: Vec<Change>) {
        let Some((run, job, _)) = &mut self.current else {
            return;
        };
        let run = *run;
        let solver = job.solver();
        let step = solver.steps_done();
        let (mut made, mut refused) = (Vec::new(), None);
        for change in changes {
            let tried = guarded(|| solver.change(&change).map_err(|error| error.to_string()));
            match tried {
                Ok(()) => made.push(change),
                Err(error) => refused = Some(error),
            }
        }
        self.tell(
            run,
            EventKind::Changed {
                step,
                made,
                refused,
            },
        );
    }

    fn save(&mut self, folder: PathBuf) {
        let Some((run, job, state)) = &self.current else {
            return;
        };
        let (run, state) = (*run, state.clone());
        let saved = guarded(|| {
            job.save(&folder, state)
                .map_err(|error| format!("{error:#}"))
        });
        self.tell(run, EventKind::Saved(folder, saved));
    }
}

fn preview(run: RunId, job: &mut dyn Job, progress: &Progress) -> Preview {
    let solver = job.solver();
    let estimate = solver.estimate();
    let parameters = solver.model().parameters();
    let predicted = job.predicted(&estimate);
    let residual = job.residual(&predicted);
    Preview {
        run,
        step: progress.done,
        residual_rms: progress.residual_rms,
        psnr_db: job.psnr_db(&estimate),
        estimate: Arc::new(estimate),
        whiteness: Arc::new(Whiteness::of(&residual)),
        residual: Arc::new(residual),
        predicted: Arc::new(predicted),
        parameters: Arc::new(parameters),
    }
}

/// What `work` returns, or its error or panic as a message.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic_text(panic.as_ref());
        Err(format!("the program failed inside: {said}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::physics::{Dehaze, ForwardModel};

    /// Counts to `total`; panics or fails at a step where it should.
    struct Counter {
        model: Dehaze,
        done: usize,
        total: usize,
        panics_at: usize,
        fails_at: usize,
    }

    impl Counter {
        fn job(total: usize, panics_at: usize, fails_at: usize) -> MakeJob {
            Box::new(move || {
                Ok(Box::new(Self {
                    model: Dehaze::new(Shape::new(1, 4, 4))?,
                    done: 0,
                    total,
                    panics_at,
                    fails_at,
                }) as Box<dyn Job>)
            })
        }
    }

    impl Solver for Counter {
        fn name(&self) -> &'static str {
            "counter"
        }

        fn progress(&self) -> Progress {
            Progress {
                done: self.done,
                total: self.total,
                residual_rms: 1.0 / self.done as f64,
            }
        }

        fn step(&mut self) -> Result<Progress, SolverError> {
            let step = self.done + 1;
            assert!(step != self.panics_at, "out of order");
            if step == self.fails_at {
                let advice = "look elsewhere";
                return Err(SolverError::Diverged { step, advice });
            }
            std::thread::sleep(Duration::from_millis(1));
            self.done = step;
            Ok(self.progress())
        }

        fn change(&mut self, change: &Change) -> Result<(), SolverError> {
            match change {
                Change::Seed(seed) => self.done = *seed as usize,
                _ => return Err(SolverError::Fixed(change.subject())),
            }
            Ok(())
        }

        fn estimate(&self) -> Clip {
            Clip::filled(self.model.shape(), self.done as f32)
        }

        fn model(&self) -> &dyn ForwardModel {
            &self.model
        }
    }

    impl Job for Counter {
        fn solver(&mut self) -> &mut dyn Solver {
            self
        }

        fn briefing(&self) -> Briefing {
            Briefing::default()
        }

        fn predicted(&self, estimate: &Clip) -> Clip {
            estimate.clone()
        }

        fn residual(&self, predicted: &Clip) -> Clip {
            predicted.clone()
        }

        fn psnr_db(&self, _: &Clip) -> Option<f64> {
            None
        }

        fn save(&self, folder: &Path, _: SavedState) -> anyhow::Result<Vec<String>> {
            anyhow::ensure!(folder.ends_with("good"), "the disk is full");
            Ok(vec![format!("{} steps", self.done)])
        }
    }

    fn worker() -> Worker {
        Worker::spawn(Arc::new(|| ())).unwrap()
    }

    /// Waits for the first event that `wanted` makes something of.
    fn wait<T>(worker: &Worker, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
        let started = Clock::now();
        loop {
            if let Some(found) = worker.events().find_map(&mut wanted) {
                return found;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "nothing came");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn end(worker: &Worker, of: RunId) -> Ended {
        wait(worker, |event| match event.kind {
            EventKind::Ended(conclusion) if event.run == of => Some(conclusion.ended),
            _ => None,
        })
    }

    fn save(worker: &Worker, folder: &str) -> Result<Vec<String>, String> {
        worker.save(folder.into());
        wait(worker, |event| match event.kind {
            EventKind::Saved(_, result) => Some(result),
            _ => None,
        })
    }

    #[test]
    fn a_run_steps_to_its_end_and_shows_its_last_estimate() {
        let mut worker = worker();
        let run = worker.start(Counter::job(30, 0, 0));
        assert_eq!(end(&worker, run), Ended::Finished);
        let preview = worker.preview().unwrap();
        assert_eq!((preview.run, preview.step), (run, 30));
        assert_eq!(preview.estimate.data()[0], 30.0);
        assert_eq!(save(&worker, "good"), Ok(vec!["30 steps".into()]));
        assert_eq!(save(&worker, "bad"), Err("the disk is full".into()));
    }

    #[test]
    fn what_fails_is_told_and_the_worker_goes_on() {
        let mut worker = worker();
        let nothing: MakeJob = Box::new(|| anyhow::bail!("no such file"));
        let run = worker.start(nothing);
        assert_eq!(end(&worker, run), Ended::Failed("no such file".into()));
        for (job, said) in [
            (Counter::job(9, 5, 0), "out of order"),
            (Counter::job(9, 0, 3), "look elsewhere"),
        ] {
            let run = worker.start(job);
            let Ended::Failed(message) = end(&worker, run) else {
                panic!("it ended otherwise");
            };
            assert!(message.contains(said), "{message}");
            // The last estimate is still there.
            assert!(save(&worker, "good").is_ok());
        }
        let run = worker.start(Counter::job(3, 0, 0));
        assert_eq!(end(&worker, run), Ended::Finished);
    }

    #[test]
    fn pause_step_save_and_cancel_reach_a_run_under_way() {
        let mut worker = worker();
        worker.start(Counter::job(usize::MAX, 0, 0));
        wait(&worker, |event| {
            matches!(event.kind, EventKind::Stepped(_)).then_some(())
        });
        worker.pause();
        let before = save(&worker, "good").unwrap();
        assert_eq!(save(&worker, "good").unwrap(), before);
        worker.step_once();
        wait(&worker, |event| {
            matches!(event.kind, EventKind::Stepped(_)).then_some(())
        });
        assert_ne!(save(&worker, "good").unwrap(), before);
        worker.change(vec![Change::Seed(1000), Change::Guidance(2.0)]);
        let refused = wait(&worker, |event| match event.kind {
            EventKind::Changed { made, refused, .. } => Some((made, refused)),
            _ => None,
        });
        assert_eq!(refused.0, [Change::Seed(1000)]);
        assert!(refused.1.unwrap().contains("the guidance"));
        assert_eq!(save(&worker, "good"), Ok(vec!["1000 steps".into()]));
        // A new run takes the place of the present one.
        let next = worker.start(Counter::job(usize::MAX, 0, 0));
        assert_eq!(end(&worker, next - 1), Ended::Cancelled);
        worker.cancel();
        assert_eq!(end(&worker, next), Ended::Cancelled);
    }
}
