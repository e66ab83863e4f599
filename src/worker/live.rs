//! What the sliders mean for the present estimate, without any run.

use std::sync::Arc;
use std::thread::JoinHandle;

use super::inbox::Inbox;
use super::{Notify, Slot, guarded};
use crate::clip::Clip;
use crate::metrics;
use crate::physics::ForwardModel;
use crate::solver::Measurement;

/// Makes the forward model on the live thread: a point spread function may take a while.
pub type MakeModel = Box<dyn FnOnce() -> anyhow::Result<LiveModel> + Send>;

/// A forward model, and what is shown of it.
pub struct LiveModel {
    pub model: Box<dyn ForwardModel>,
    /// 1 where pixels are measured, where some are not.
    pub known: Option<Clip>,
    pub response: Option<Response>,
}

/// What a model makes of a point.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// Square pictures, row after row: the phase of the pupil (rad, within half a turn, not a
    /// number outside of the pupil) and the intensities of its point spread function.
    Pupil { phase_rad: Vec<f32>, psf: Vec<f32> },
    /// Weights of neighbouring pixels along one axis; their number is odd.
    Taps(Vec<f32>),
}

/// gain * intensity + offset was recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LiveExposure {
    Known {
        gain: f64,
        offset: f64,
    },
    /// Both are fitted before prediction and measurement are compared.
    Fitted,
}

/// A question: how does this estimate measure, and how far is that from what was recorded?
pub struct LiveRequest {
    /// Comes back with the answer.
    pub id: u64,
    pub model: MakeModel,
    /// Where there is none yet, the model's first guess is measured.
    pub estimate: Option<Arc<Clip>>,
    /// As recorded, gain and offset not taken out.
    pub measurement: Arc<Measurement>,
    pub exposure: LiveExposure,
}

/// A(x0) and A(x0) - y.
#[derive(Clone, Debug)]
pub struct LiveAnswer {
    pub id: u64,
    pub result: Result<LiveClips, String>,
}

#[derive(Clone, Debug)]
pub struct LiveClips {
    /// In the forward model's units where gain and offset are known, else as recorded.
    pub predicted: Arc<Clip>,
    pub residual: Arc<Clip>,
    pub residual_rms: f64,
    /// The forward model's, a sentence each.
    pub warnings: Vec<String>,
    pub response: Option<Response>,
    /// Of the measurement: those that are known, or those that were fitted.
    pub gain: f64,
    pub offset: f64,
}

/// The thread of live physics: the newest request wins, and an outdated one is never begun.
pub struct Live {
    inbox: Inbox<LiveRequest>,
    answers: Arc<Slot<LiveAnswer>>,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    /// # Errors
    /// A system that gives no more threads.
    pub fn spawn(notify: Notify) -> std::io::Result<Self> {
        let inbox: Inbox<LiveRequest> = Inbox::default();
        let answers = Arc::new(Slot::default());
        let (theirs, slot) = (inbox.clone(), answers.clone());
        let thread = std::thread::Builder::new()
            .name("live physics".into())
            .spawn(move || {
                while let Some(request) = theirs.next() {
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
        self.inbox.put(request);
    }

    pub fn answer(&self) -> Option<LiveAnswer> {
        self.answers.take()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.inbox.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the live thread does with a request; `vdps bench` times it.
///
/// # Errors
/// A forward model that cannot be made.
pub fn answer(request: LiveRequest) -> anyhow::Result<LiveClips> {
    let LiveModel {
        model,
        known,
        response,
    } = (request.model)()?;
    let (mut gain, mut offset) = match request.exposure {
        LiveExposure::Known { gain, offset } => (gain, offset),
        LiveExposure::Fitted => (1.0, 0.0),
    };
    let measurement = as_measured(&request.measurement, (gain, offset), known.as_ref());
    let mut predicted = match &request.estimate {
        Some(estimate) => model.apply(estimate),
        None => model.apply(&model.first_guess(measurement.values())),
    };
    if request.exposure == LiveExposure::Fitted {
        let fit = metrics::fit(predicted.data(), measurement.values().data());
        (gain, offset) = (fit.gain, fit.offset);
        predicted = predicted.map(|v| (gain * f64::from(v) + offset) as f32);
    }
    let residual = measurement.residual(&predicted);
    Ok(LiveClips {
        residual_rms: metrics::rms(residual.data()),
        predicted: Arc::new(predicted),
        residual: Arc::new(residual),
        warnings: model.warnings(),
        response,
        gain,
        offset,
    })
}

/// The measurement as a run compares with it: gain and offset taken out, and only what was
/// measured, which saturates nowhere.
pub fn as_measured(
    recorded: &Measurement,
    (gain, offset): (f64, f64),
    known: Option<&Clip>,
) -> Measurement {
    let measurement = match (gain, offset) {
        (1.0, 0.0) => recorded.clone(),
        _ => recorded.clone().unexposed(gain, offset),
    };
    match known {
        Some(known) => Measurement::exact(measurement.values().zip(known, |y, k| y * k)),
        None => measurement,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::noise::Noise;
    use crate::physics::{Dehaze, Inpaint};

    fn ask(model: LiveModel, estimate: &Clip, recorded: Clip, exposure: LiveExposure) -> LiveClips {
        let request = LiveRequest {
            id: 1,
            model: Box::new(move || Ok(model)),
            estimate: Some(Arc::new(estimate.clone())),
            measurement: Arc::new(Measurement::exact(recorded)),
            exposure,
        };
        answer(request).unwrap()
    }

    fn plain(model: impl ForwardModel + 'static) -> LiveModel {
        LiveModel {
            model: Box::new(model),
            known: None,
            response: None,
        }
    }

    #[test]
    fn gain_and_offset_are_taken_out_or_fitted() {
        let shape = Shape::new(2, 6, 6);
        let scene = Noise::seeded(1).normal_clip(shape).map(f32::abs);
        let haze = || plain(Dehaze::new(shape).unwrap());
        let bare = Dehaze::new(shape).unwrap().apply(&scene);
        let recorded = bare.map(|v| 4.0 * v + 0.5);
        let wrong = LiveExposure::Known {
            gain: 1.0,
            offset: 0.0,
        };
        assert!(ask(haze(), &scene, recorded.clone(), wrong).residual_rms > 0.5);
        let right = LiveExposure::Known {
            gain: 4.0,
            offset: 0.5,
        };
        let known = ask(haze(), &scene, recorded.clone(), right);
        assert!(known.residual_rms < 1e-6, "{}", known.residual_rms);
        assert_eq!(*known.predicted, bare);
        let fitted = ask(haze(), &scene, recorded, LiveExposure::Fitted);
        assert!(fitted.residual_rms < 1e-5, "{}", fitted.residual_rms);
        assert!((fitted.gain - 4.0).abs() < 1e-3 && (fitted.offset - 0.5).abs() < 1e-3);
    }

    #[test]
    fn missing_pixels_leave_no_residual() {
        let shape = Shape::new(1, 8, 8);
        let recorded = Clip::filled(shape, 0.5);
        let mask = Inpaint::random_mask(shape, 0.5, &mut Noise::seeded(3));
        let model = LiveModel {
            known: Some(mask.clone()),
            ..plain(Inpaint::new(shape, mask).unwrap())
        };
        let exposure = LiveExposure::Known {
            gain: 1.0,
            offset: 0.0,
        };
        let estimate = Clip::filled(shape, 0.5);
        assert_eq!(ask(model, &estimate, recorded, exposure).residual_rms, 0.0);
    }
}
