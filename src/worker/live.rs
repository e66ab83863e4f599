//! What the sliders mean for the present estimate, without any run.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::{Notify, Slot, guarded};
use crate::clip::Clip;
use crate::metrics;
use crate::physics::ForwardModel;
use crate::solver::Measurement;

/// Makes the forward model on the live thread: a point spread function may take a while.
pub type MakeModel = Box<dyn FnOnce() -> anyhow::Result<Box<dyn ForwardModel>> + Send>;

/// A question: how does this estimate measure, and how far is that from what was recorded?
pub struct LiveRequest {
    /// Comes back with the answer.
    pub id: u64,
    pub model: MakeModel,
    /// Where there is none yet, the model's first guess is measured.
    pub estimate: Option<Arc<Clip>>,
    /// In the forward model's units.
    pub measurement: Arc<Measurement>,
    /// Whether gain and offset are fitted before the two are compared.
    pub fit_gain: bool,
}

/// A(x0) and A(x0) - y.
#[derive(Clone, Debug)]
pub struct LiveAnswer {
    pub id: u64,
    pub result: Result<LiveClips, String>,
}

#[derive(Clone, Debug)]
pub struct LiveClips {
    pub predicted: Arc<Clip>,
    pub residual: Arc<Clip>,
    pub residual_rms: f64,
}

#[derive(Default)]
struct Inbox {
    newest: Option<LiveRequest>,
    closed: bool,
}

/// The thread of live physics: the newest request wins, and an outdated one is never begun.
pub struct Live {
    inbox: Arc<(Mutex<Inbox>, Condvar)>,
    answers: Arc<Slot<LiveAnswer>>,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    /// # Errors
    /// A system that gives no more threads.
    pub fn spawn(notify: Notify) -> std::io::Result<Self> {
        let inbox: Arc<(Mutex<Inbox>, Condvar)> = Arc::default();
        let answers = Arc::new(Slot::default());
        let (theirs, slot) = (inbox.clone(), answers.clone());
        let thread = std::thread::Builder::new()
            .name("live physics".into())
            .spawn(move || {
                while let Some(request) = next(&theirs) {
                    let id = request.id;
                    let result = guarded(|| answer(request).map_err(|error| format!("{error:#}")));
                    slot.put(LiveAnswer { id, result });
                    notify();
                }
            })?;
        Ok(Self {
            inbox,
            answers,
            thread: Some(thread),
        })
    }

    pub fn ask(&self, request: LiveRequest) {
        self.change(|inbox| inbox.newest = Some(request));
    }

    pub fn answer(&self) -> Option<LiveAnswer> {
        self.answers.take()
    }

    fn change(&self, change: impl FnOnce(&mut Inbox)) {
        let (inbox, changed) = &*self.inbox;
        change(&mut inbox.lock().unwrap_or_else(PoisonError::into_inner));
        changed.notify_all();
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.change(|inbox| inbox.closed = true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The newest request, once there is one; none when the window is closed.
fn next(inbox: &(Mutex<Inbox>, Condvar)) -> Option<LiveRequest> {
    let (inbox, changed) = inbox;
    let mut inbox = inbox.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if inbox.closed {
            return None;
        }
        if let Some(request) = inbox.newest.take() {
            return Some(request);
        }
        inbox = changed.wait(inbox).unwrap_or_else(PoisonError::into_inner);
    }
}

fn answer(request: LiveRequest) -> anyhow::Result<LiveClips> {
    let model = (request.model)()?;
    let mut predicted = match &request.estimate {
        Some(estimate) => model.apply(estimate),
        None => model.apply(&model.first_guess(request.measurement.values())),
    };
    if request.fit_gain {
        let recorded = request.measurement.values();
        let fit = metrics::fit(predicted.data(), recorded.data());
        predicted = predicted.map(|v| (fit.gain * f64::from(v) + fit.offset) as f32);
    }
    let residual = request.measurement.residual(&predicted);
    Ok(LiveClips {
        residual_rms: metrics::rms(residual.data()),
        predicted: Arc::new(predicted),
        residual: Arc::new(residual),
    })
}
