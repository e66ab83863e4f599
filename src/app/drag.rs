//! How long a step of a slider takes to show; `vdps bench` prints it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::setup::{Model, Setup};
use crate::clip::{Clip, Shape};
use crate::noise::Noise;
use crate::solver::Measurement;
use crate::worker::{Live, LiveRequest};

/// A slider that is dragged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dragged {
    /// The distance of a scattering layer.
    Distance,
    /// The defocus of an aberration.
    Defocus,
}

impl Dragged {
    pub const ALL: [Self; 2] = [Self::Distance, Self::Defocus];

    pub fn label(self) -> &'static str {
        match self {
            Self::Distance => "distance of a scattering layer",
            Self::Defocus => "defocus of an aberration",
        }
    }

    fn move_to(self, setup: &mut Setup, share: f64) {
        match self {
            Self::Distance => setup.dist_mm.value = 2.5 + 7.5 * share,
            Self::Defocus => {
                setup.model = Model::Zernike;
                setup.coefficients[4] = 4.0 * share - 2.0;
            }
        }
    }
}

/// The times from a slider's step to the answer of the live thread, with an estimate of this
/// shape, each step after the answer to the one before.
///
/// # Errors
/// A system that gives no more threads, a forward model that cannot be made.
pub fn drag_latencies(what: Dragged, shape: Shape, steps: usize) -> anyhow::Result<Vec<Duration>> {
    let (answered, answers) = crossbeam_channel::bounded(1);
    let live = Live::spawn(Arc::new(move || {
        let _ = answered.try_send(());
    }))?;
    let scene: Clip = Noise::seeded(1).normal_clip(shape);
    let scene = Arc::new(scene.map(|v| (0.5 + 0.2 * v).clamp(0.0, 1.0)));
    let measurement = Arc::new(Measurement::exact((*scene).clone()));
    let step = |i: usize| {
        let mut setup = Setup::default();
        what.move_to(&mut setup, i as f64 / steps.max(1) as f64);
        let began = Instant::now();
        live.ask(LiveRequest {
            id: i as u64,
            exposure: setup.exposure(),
            model: Box::new(move || setup.live_model(shape, None, 0)),
            estimate: Some(scene.clone()),
            measurement: measurement.clone(),
        });
        answers.recv()?;
        let took = began.elapsed();
        if let Some(Err(error)) = live.answer().map(|answer| answer.result) {
            anyhow::bail!(error);
        }
        Ok(took)
    };
    (0..steps).map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_answered() {
        for what in Dragged::ALL {
            let times = drag_latencies(what, Shape::new(2, 16, 16), 5).unwrap();
            assert_eq!(times.len(), 5);
        }
    }
}
