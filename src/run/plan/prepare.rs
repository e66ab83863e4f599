//! Builds the solver of a plan.

use std::path::PathBuf;

use serde_json::Value;

use super::choice::Method;
use super::prior::PriorChoice;
use super::problem::{Extent, Physics, Problem, ScatterUnknown};
use crate::clip::Shape;
use crate::device::{self, ComputeDevice, DeviceError, DeviceRequest};
use crate::noise::Noise;
use crate::physics::zernike::MODES;
use crate::physics::{ForwardModel, PerFrame, PhysicsError, Scatter, ZernikeBlur};
use crate::prior::{NetworkPrior, Prior, PriorError, Schedule, ScheduleError};
use crate::run::{MemoryError, PriorRecord, check_memory, sha256};
use crate::solver::{
    Instant, InstantConfig, Measurement, Reference, ReferenceConfig, Solver, SolverError, Unknown,
    Weight,
};

/// Steps of the published diffusion.
const PUBLISHED_STEPS: usize = Schedule::PUBLISHED_TIMESTEPS;

/// What a user may set beyond the method; what is left out gets the method's own value.
#[derive(Clone, Debug)]
pub struct Settings {
    pub method: Method,
    pub prior: PriorChoice,
    /// Of the instant method with known parameters.
    pub iterations: Option<usize>,
    /// Of the reference method.
    pub steps: Option<usize>,
    /// Of the reference method: multiplies the published guidance.
    pub guidance: Option<f64>,
    /// For networks.
    pub device: DeviceRequest,
}

impl Settings {
    pub fn new(method: Method, prior: PriorChoice) -> Self {
        Self {
            method,
            prior,
            iterations: None,
            steps: None,
            guidance: None,
            device: DeviceRequest::default(),
        }
    }
}

/// Why a plan cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("{0}")]
    DoNotFit(String),
    #[error(transparent)]
    Solver(#[from] SolverError),
    #[error(transparent)]
    Physics(#[from] PhysicsError),
    #[error(transparent)]
    Prior(#[from] PriorError),
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Memory(#[from] MemoryError),
    #[error("cannot read {path}: {source}")]
    Checkpoint {
        path: PathBuf,
        source: std::io::Error,
    },
}

/// A solver that is ready to step, and what it stands on.
pub struct Prepared {
    pub solver: Box<dyn Solver>,
    /// The prior's name: `tv`, `blocks`, `network`.
    pub prior_name: &'static str,
    pub device: ComputeDevice,
    pub prior: Option<PriorRecord>,
    /// The solver's settings, for the record.
    pub settings: Value,
}

/// Builds the solver; what is drawn comes from `noise`.
///
/// # Errors
/// A method, a prior and a problem that do not go together; everything that the solver, the
/// checkpoint and the device refuse.
pub fn prepare(problem: Problem, settings: &Settings, noise: Noise) -> Result<Prepared, PlanError> {
    match settings.method {
        Method::Instant => instant(problem, settings),
        Method::Fast => unimplemented!(),
        Method::Reference => reference(problem, settings, noise),
    }
}

fn instant(problem: Problem, settings: &Settings) -> Result<Prepared, PlanError> {
    if !matches!(settings.prior, PriorChoice::None | PriorChoice::Tv) {
        return Err(PlanError::DoNotFit(format!(
            "the instant method knows formulas only, such as total variation: {} is for the \
             fast method",
            settings.prior
        )));
    }
    let (solver, settings) = instant_solver(problem, settings.iterations)?;
    Ok(Prepared {
        solver,
        prior_name: "tv",
        device: ComputeDevice::cpu("the instant method computes on the processor"),
        prior: None,
        settings,
    })
}

fn instant_solver(
    problem: Problem,
    iterations: Option<usize>,
) -> Result<(Box<dyn Solver>, Value), PlanError> {
    let Problem {
        physics,
        measurement,
        noise,
        ..
    } = problem;
    match physics {
        Physics::Known(model) => {
            let defaults = InstantConfig::for_noise(noise);
            let config = InstantConfig {
                iterations: iterations.unwrap_or(defaults.iterations),
                ..defaults
            };
            let record = recorded(&config);
            Ok((Box::new(Instant::new(model, measurement, config)?), record))
        }
        _ => unimplemented!(),
    }
}

/// Settings as JSON; a struct of numbers and names always has one.
fn recorded(settings: &impl serde::Serialize) -> Value {
    serde_json::to_value(settings).unwrap_or(Value::Null)
}

/// The published sampler on the network of `settings.prior`.
fn reference(
    problem: Problem,
    settings: &Settings,
    mut noise: Noise,
) -> Result<Prepared, PlanError> {
    let PriorChoice::Checkpoint(checkpoint) = &settings.prior else {
        return Err(PlanError::DoNotFit(format!(
            "the reference method samples from a trained network, but its prior is {}",
            settings.prior
        )));
    };
    let Problem {
        physics,
        measurement,
        mask,
        ..
    } = problem;
    let shape = physics.shape();
    let Unknowns {
        model,
        networks,
        weight,
    } = unknowns(physics, &mut noise)?;
    let config = ReferenceConfig {
        guidance: settings.guidance.unwrap_or(1.0),
        ..ReferenceConfig::published(weight)
    };
    let schedule = Schedule::cosine(PUBLISHED_STEPS);
    let schedule = schedule.respaced(settings.steps.unwrap_or(PUBLISHED_STEPS))?;
    let (network, device) = load(checkpoint, shape, settings.device)?;
    let prior = PriorRecord {
        description: network.describe(),
        sha256: sha256(checkpoint).map_err(|source| PlanError::Checkpoint {
            path: checkpoint.clone(),
            source,
        })?,
        checkpoint: checkpoint.clone(),
    };
    // The published sampler measures signed video where pixels are missing.
    let measurement = match &mask {
        Some(mask) => {
            Measurement::exact(measurement.values().zip(mask, |y, m| (2.0 * y - 1.0) * m))
        }
        None => measurement,
    };
    let record = recorded(&config);
    let draw = Box::new(move |shape| noise.normal_clip(shape));
    let prior_of_solver = Box::new(network);
    let solver = Reference::new(
        prior_of_solver,
        schedule,
        model,
        measurement,
        config,
        networks,
        draw,
    )?;
    Ok(Prepared {
        solver: Box::new(solver),
        prior_name: "network",
        device,
        prior: Some(prior),
        settings: record,
    })
}

/// A network that is sure to take clips of this shape, on a tested device.
fn load(
    checkpoint: &std::path::Path,
    shape: Shape,
    request: DeviceRequest,
) -> Result<(NetworkPrior, ComputeDevice), PlanError> {
    let device = device::open(request)?;
    let network = NetworkPrior::load(checkpoint, device.clone())?;
    network.check_shape(shape)?;
    check_memory(&network, shape, &device)?;
    Ok((network, device))
}

/// A forward model whose unknown parameters the published estimating networks hold.
struct Unknowns {
    model: Box<dyn ForwardModel>,
    networks: Vec<Unknown>,
    weight: Weight,
}

fn unknowns(physics: Physics, noise: &mut Noise) -> Result<Unknowns, PlanError> {
    let refused = |what: &str| {
        PlanError::DoNotFit(format!(
            "the published method estimates distances, blur widths and coefficients frame by \
             frame, but not {what}: choose the instant or the fast method"
        ))
    };
    match physics {
        Physics::Known(model) => Ok(Unknowns {
            model,
            networks: Vec::new(),
            weight: Weight::SineSquared,
        }),
        Physics::Scatter(unknown) if !unknown.per_frame => Err(refused("one value for the clip")),
        Physics::Scatter(unknown) => scatter_unknowns(unknown, noise),
        Physics::Aberration(unknown) if unknown.fit_gain => Err(refused("a gain and an offset")),
        Physics::Aberration(unknown) => {
            let frames = match unknown.varying {
                true => unknown.shape.frames,
                false => 1,
            };
            let count = MODES.len() * frames;
            Ok(Unknowns {
                model: Box::new(ZernikeBlur::new(unknown.shape, vec![0.0; count])?),
                networks: vec![Unknown::zernike(count, noise)],
                weight: Weight::Constant(0.1),
            })
        }
        Physics::Capture(_) => Err(refused("a gain and an offset")),
        Physics::Blur { .. } => Err(refused("the width of a blur without a layer")),
    }
}

/// The published estimates start from their own values and are not bounded by the ranges.
fn scatter_unknowns(unknown: ScatterUnknown, noise: &mut Noise) -> Result<Unknowns, PlanError> {
    let ScatterUnknown { shape, optics, .. } = unknown;
    let middle = |extent: &Extent| match extent {
        Extent::Known(values) => values.clone(),
        Extent::Range { min, max } => PerFrame::Frames(vec![(min + max) / 2.0; shape.frames]),
    };
    let (dist_mm, sigma_px) = (middle(&unknown.dist_mm), middle(&unknown.sigma_px));
    let distances = dist_mm.as_slice().len();
    let mut networks = Vec::new();
    if !unknown.dist_mm.is_known() {
        networks.push(Unknown::distances(0, shape.frames, noise));
    }
    if !unknown.sigma_px.is_known() {
        let shift = if unknown.dist_mm.is_known() { 1.0 } else { 0.5 };
        networks.push(Unknown::sigmas(distances, shape.frames, shift, noise));
    }
    Ok(Unknowns {
        model: Box::new(Scatter::new(shape, optics, dist_mm, sigma_px)?),
        networks,
        weight: Weight::Constant(0.2),
    })
}
