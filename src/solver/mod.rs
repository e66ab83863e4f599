//! Stepwise reconstruction.
//!
//! A solver is a state machine: [`Solver::step`] does one step and says how far it is, and
//! [`Solver::estimate`] gives the present video when asked. Nothing here sleeps, prints,
//! spawns or reads a clock, so cancelling, pausing and previewing belong to the caller
//! and cost nothing.

mod aberration;
mod blind;
mod capture;
mod change;
mod fast;
mod finding;
mod flat_field;
mod instant;
mod landscape;
mod linear;
mod mapping;
mod measurement;
mod reference;

use crate::clip::{Clip, Shape};
use crate::physics::{ForwardModel, PhysicsError};
use crate::prior::PriorError;

pub use aberration::{
    BlindZernike, BlindZernikeConfig, Exposure, FrameVerdict, Variation, VaryingZernike,
    VaryingZernikeConfig, Verdict, ZernikeSearch,
};
pub use blind::{BlindConfig, BlindScatter, ScatterSearch, Sought};
pub use capture::{CaptureConfig, CaptureSearch, CaptureSolver, Gain};
pub use change::{Change, Changing, TimedChange};
pub use fast::{Fast, FastConfig, Free, LeftOut, Starter};
pub use finding::Finding;
pub use flat_field::{FlatField, FlatFieldError};
pub use instant::{Instant, InstantConfig};
pub use landscape::{Exposed, Landscape, Plane, Profile, Survey, landscape};
pub use linear::{Linear, LinearConfig};
pub use mapping::{Mapping, Output};
pub use measurement::{Measurement, Quantisation};
pub use reference::{Draw, Reference, ReferenceConfig, Unknown, Weight};

#[derive(Debug, thiserror::Error)]
pub enum SolverError {
    #[error(
        "the measurement is {given}, but the forward model is for {needed} (frames x rows x columns)"
    )]
    Shape { given: Shape, needed: Shape },
    #[error("{what} is {value}; {expected}")]
    Setting {
        what: &'static str,
        value: String,
        expected: &'static str,
    },
    #[error("{0} cannot be changed while this method runs: start it again with the new value")]
    Fixed(&'static str),
    #[error("the estimate is no longer finite at step {step}: {advice}")]
    Diverged { step: usize, advice: &'static str },
    #[error(transparent)]
    Physics(#[from] PhysicsError),
    #[error(transparent)]
    Prior(#[from] PriorError),
}

/// How far a solver is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Steps done.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
    /// Root mean square of A(x0) - y at the step's estimate, in units of the measurement;
    /// saturated pixels count only where they are predicted too dark.
    pub residual_rms: f64,
}

impl Progress {
    pub fn is_finished(&self) -> bool {
        self.done >= self.total
    }
}

/// A reconstruction in progress.
pub trait Solver: Send {
    /// The method's name on the command line: `instant`, `reference`.
    fn name(&self) -> &'static str;

    /// How far it is; before the first step the residual may not be a number yet.
    fn progress(&self) -> Progress;

    /// Steps in all.
    fn total_steps(&self) -> usize {
        self.progress().total
    }

    /// Steps done.
    fn steps_done(&self) -> usize {
        self.progress().done
    }

    /// Does one step. After the last one this changes nothing and repeats the last progress.
    ///
    /// # Errors
    /// A device or a forward model that failed; the estimate stays that of the step before.
    fn step(&mut self) -> Result<Progress, SolverError>;

    /// Changes a setting from the next step on.
    ///
    /// # Errors
    /// What this solver cannot change, or a value out of its range; nothing changes then.
    fn change(&mut self, change: &Change) -> Result<(), SolverError> {
        Err(change.refused())
    }

    /// The present estimate: amplitudes in [0, 1].
    fn estimate(&self) -> Clip;

    /// The forward model with its present parameter values.
    fn model(&self) -> &dyn ForwardModel;

    /// Gain and offset that were found: measurement = gain * A(estimate) + offset. A model that
    /// holds them itself has 1 and 0.
    fn exposure(&self) -> (f64, f64) {
        (1.0, 0.0)
    }

    /// What is known of the parameters that were unknown; empty where all were given.
    fn findings(&self) -> Vec<Finding> {
        Vec::new()
    }

    /// What the result depends on beyond its parameters, a sentence each: doubts about the
    /// whole of it, and freedoms that the measurement leaves.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Network evaluations so far.
    fn evaluations(&self) -> usize {
        0
    }
}

fn check_shapes(model: &dyn ForwardModel, measurement: &Clip) -> Result<(), SolverError> {
    let (given, needed) = (measurement.shape(), model.shape());
    if given != needed {
        return Err(SolverError::Shape { given, needed });
    }
    Ok(())
}

/// Refuses a setting that is not finite and above zero.
fn positive(what: &'static str, value: f64) -> Result<(), SolverError> {
    match value.is_finite() && value > 0.0 {
        true => Ok(()),
        false => Err(SolverError::Setting {
            what,
            value: value.to_string(),
            expected: "it must be above zero",
        }),
    }
}

/// Euclidean norm, in f64.
fn norm(values: &[f32]) -> f64 {
    let squares = values.iter().map(|&v| f64::from(v) * f64::from(v));
    squares.sum::<f64>().sqrt()
}

/// Root mean square, in f64.
fn rms(values: &[f32]) -> f64 {
    norm(values) / (values.len() as f64).sqrt()
}
