//! Builds the solver of a plan.

use std::path::PathBuf;

use serde_json::Value;

use super::choice::{Method, Mix};
use super::prior::PriorChoice;
use super::problem::{Physics, Problem};
use crate::clip::Shape;
use crate::device::{ComputeDevice, DeviceRequest};
use crate::noise::Noise;
use crate::physics::zernike::MODES;
use crate::physics::{ForwardModel, PerFrame, PhysicsError, Scatter, ZernikeBlur};
use crate::prior::{Average, BlockMatching, Denoiser, Edges, Schedule, ScheduleError, Turned, Tv};
use crate::run::{Learned, LearnedError, PriorRecord};
use crate::solver::{
    BlindConfig, BlindScatter, BlindZernike, BlindZernikeConfig, CaptureConfig, CaptureSearch,
    CaptureSolver, Exposure, Fast, FastConfig, Instant, InstantConfig, Linear, LinearConfig,
    Measurement, Reference, ReferenceConfig, ScatterSearch, Solver, SolverError, Sought, Starter,
    Unknown, VaryingZernike, VaryingZernikeConfig, Weight, ZernikeSearch,
};

/// Steps of the published diffusion.
const PUBLISHED_STEPS: usize = Schedule::PUBLISHED_TIMESTEPS;

/// What a user may set beyond the method; what is left out gets the method's own value.
#[derive(Clone, Debug)]
pub struct Settings {
    pub method: Method,
    pub prior: PriorChoice,
    /// The published checkpoint that was not there, where `prior` stands in for it.
    pub instead_of: Option<PathBuf>,
    /// Of the fast method with a compact network.
    pub mix: Mix,
    /// Of the fast method with a network: one of the many videos that explain the measurement,
    /// drawn by the seed, in place of the best answer.
    pub sample: bool,
    /// Of the instant method with known parameters.
    pub iterations: Option<usize>,
    /// Of the reference method.
    pub steps: Option<usize>,
    /// Of the reference method: multiplies the published guidance.
    pub guidance: Option<f64>,
    /// For networks.
    pub device: DeviceRequest,
    /// Of searches with random starts.
    pub seed: u64,
}

impl Settings {
    pub fn new(method: Method, prior: PriorChoice) -> Self {
        Self {
            method,
            prior,
            instead_of: None,
            mix: Mix::default(),
            sample: false,
            iterations: None,
            steps: None,
            guidance: None,
            device: DeviceRequest::default(),
            seed: 0,
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
    Schedule(#[from] ScheduleError),
    #[error(transparent)]
    Learned(#[from] LearnedError),
}

/// A solver that is ready to step, and what it stands on.
pub struct Prepared {
    pub solver: Box<dyn Solver>,
    /// The prior's name: `tv`, `blocks`, `network`, `embedded network`.
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
        Method::Fast => fast(problem, settings),
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
    let started = started(problem, settings.iterations, settings.seed)?;
    Ok(Prepared {
        solver: started.solver,
        prior_name: started.prior_name,
        device: ComputeDevice::cpu("the instant method computes on the processor"),
        prior: None,
        settings: started.settings,
    })
}

/// The instant solver of a problem, with what the fast one needs to go on from it.
struct Started {
    solver: Box<dyn Solver>,
    /// The prior's name.
    prior_name: &'static str,
    settings: Value,
    measurement: Measurement,
    /// Settings of the fast method's rounds.
    rounds: FastConfig,
    /// Makes its like for other data, where all is known.
    starter: Option<Starter>,
}

fn started(problem: Problem, iterations: Option<usize>, seed: u64) -> Result<Started, PlanError> {
    let Problem {
        physics,
        measurement,
        noise,
        ..
    } = problem;
    if iterations.is_some() && !physics.is_known() {
        return Err(PlanError::DoNotFit(
            "the number of iterations can be set only where every parameter is known: the search \
             for unknown ones has stages of its own"
                .into(),
        ));
    }
    let for_later = measurement.clone();
    let mut rounds = FastConfig::for_noise(noise);
    let mut starter: Option<Starter> = None;
    let (solver, prior_name, settings): (Box<dyn Solver>, _, _) = match physics {
        Physics::Known(model) if has_closed_form(model.as_ref(), &measurement) => {
            let defaults = LinearConfig::for_model(model.as_ref(), noise);
            let config = LinearConfig {
                iterations: iterations.unwrap_or(defaults.iterations),
                ..defaults
            };
            let settings = recorded(&config);
            rounds = FastConfig::for_closed_form(model.as_ref(), config.noise);
            let start: Starter = Box::new(move |model, measurement| {
                Ok(Box::new(Linear::new(model, measurement, config.clone())?))
            });
            let solver = start(model, measurement)?;
            starter = Some(start);
            (solver, "space-time", settings)
        }
        Physics::Known(model) => {
            let defaults = InstantConfig::for_noise(noise);
            let config = InstantConfig {
                iterations: iterations.unwrap_or(defaults.iterations),
                ..defaults
            };
            let settings = recorded(&config);
            rounds = FastConfig::for_model(model.as_ref(), noise);
            let start: Starter = Box::new(move |model, measurement| {
                Ok(Box::new(Instant::new(model, measurement, config.clone())?))
            });
            let solver = start(model, measurement)?;
            starter = Some(start);
            (solver, "tv", settings)
        }
        Physics::Scatter(search) => {
            let config = BlindConfig::for_noise(noise);
            let settings = recorded(&config);
            let solver = BlindScatter::new(search, measurement, config)?;
            (Box::new(solver), "space-time", settings)
        }
        Physics::Capture(search) => {
            let search = capture(search)?;
            let config = CaptureConfig::default();
            let settings = recorded(&config);
            let solver = CaptureSolver::new(search, measurement, config)?;
            (Box::new(solver), "space-time", settings)
        }
        Physics::Aberration(unknown) => {
            let search = ZernikeSearch {
                shape: unknown.shape,
                exposure: match unknown.fit_gain {
                    true => Exposure::Fitted,
                    false => Exposure::Known {
                        gain: 1.0,
                        offset: 0.0,
                    },
                },
            };
            let (solver, settings): (Box<dyn Solver>, _) = match unknown.varying {
                Some(variation) => {
                    let config = VaryingZernikeConfig::for_noise(noise);
                    let settings = serde_json::json!({
                        "variation": variation,
                        "search": recorded(&config),
                    });
                    let solver = VaryingZernike::new(search, variation, measurement, config, seed)?;
                    (Box::new(solver), settings)
                }
                None => {
                    let config = BlindZernikeConfig::for_noise(noise);
                    let settings = recorded(&config);
                    let solver = BlindZernike::new(search, measurement, config, seed)?;
                    (Box::new(solver), settings)
                }
            };
            (solver, "space-time", settings)
        }
    };
    Ok(Started {
        solver,
        prior_name,
        settings,
        measurement: for_later,
        rounds,
        starter,
    })
}

/// Whether the model knows its regularised inverse.
fn has_closed_form(model: &dyn ForwardModel, measurement: &Measurement) -> bool {
    let values = measurement.values();
    model.is_affine() && model.exact_data_step(values, values, 1.0).is_some()
}

/// A capture has one distance and one blur width.
fn capture(search: ScatterSearch) -> Result<CaptureSearch, PlanError> {
    let one = |sought: &Sought, what: &str| match *sought {
        Sought::Known(PerFrame::Clip(value)) => Ok((value, value)),
        Sought::Known(PerFrame::Frames(_)) => Err(PlanError::DoNotFit(format!(
            "a capture of unknown gain has one {what} for the clip, but one for each frame is given"
        ))),
        Sought::Within { min, max } => Ok((min, max)),
    };
    Ok(CaptureSearch {
        sigma_px: one(&search.sigma_px, "blur width")?,
        ..CaptureSearch::new(
            search.shape,
            search.optics,
            one(&search.dist_mm, "distance")?,
        )
    })
}

/// Plug-and-play, started from the instant solver, whose parameters stay as they are: moved along
/// with the rounds they gain up to 2 dB on some aberrations, but lose their way on noisy or moving
/// clips.
fn fast(problem: Problem, settings: &Settings) -> Result<Prepared, PlanError> {
    let shape = problem.physics.shape();
    if matches!(problem.physics, Physics::Capture(_)) {
        return Err(PlanError::DoNotFit(
            "the fast method trusts the forward model to the noise, which no model of a real \
             capture deserves: choose the instant method"
                .into(),
        ));
    }
    let model = problem.physics.name();
    let Denoisers {
        denoisers,
        prior_name,
        device,
        prior,
        mix,
    } = denoisers(settings, shape, model)?;
    let started = started(problem, None, settings.seed)?;
    let config = match (settings.sample, mix) {
        (true, _) => started.rounds.drawing(settings.seed),
        (false, Some(_)) => started.rounds.thorough(),
        (false, _) => started.rounds,
    };
    let record = serde_json::json!({
        "start": started.settings,
        "rounds": config,
        "mix": mix,
    });
    let model = started.solver.model().boxed();
    let mut solver = Fast::new(
        started.solver,
        model,
        started.measurement,
        denoisers,
        config,
    )?;
    if let Some(starter) = started.starter.filter(|_| !settings.sample) {
        solver = solver.rehearsing(starter)?;
    }
    Ok(Prepared {
        solver: Box::new(solver),
        prior_name,
        device,
        prior,
        settings: record,
    })
}

/// The denoisers that trials choose from.
struct Denoisers {
    denoisers: Vec<Box<dyn Denoiser>>,
    prior_name: &'static str,
    device: ComputeDevice,
    prior: Option<PriorRecord>,
    /// Of a compact network.
    mix: Option<Mix>,
}

fn denoisers(settings: &Settings, shape: Shape, model: &str) -> Result<Denoisers, PlanError> {
    let unlearned = |denoisers, prior_name| Denoisers {
        denoisers,
        prior_name,
        device: ComputeDevice::cpu("the fast method computes on the processor"),
        prior: None,
        mix: None,
    };
    let blocks = || Box::new(BlockMatching::one_stage());
    let formulas = || Box::new(Average::new(Box::new(Edges::new()), blocks(), 0.5));
    if settings.sample && !matches!(settings.prior, PriorChoice::Network(_)) {
        return Err(PlanError::DoNotFit(format!(
            "a sample is drawn from a learned prior, which {} is not: give --prior embedded or a \
             trained network's file",
            settings.prior
        )));
    }
    let learned = match &settings.prior {
        PriorChoice::None => {
            let both: Vec<Box<dyn Denoiser>> = vec![formulas(), Box::new(Edges::new())];
            return Ok(unlearned(both, "blocks and edges"));
        }
        PriorChoice::Blocks => return Ok(unlearned(vec![blocks()], "blocks")),
        PriorChoice::Tv => return Ok(unlearned(vec![Box::new(Tv::default())], "tv")),
        PriorChoice::Network(_) => learned(settings, shape)?,
    };
    // The mean of two answers is no answer of either's, and what is probed must not turn.
    let mix = (learned.is_compact() && !settings.sample).then_some(settings.mix);
    let turned = || Box::new(Turned::new(learned.denoiser()));
    let finer = || Box::new(BlockMatching::two_stages());
    let both = || Box::new(Average::new(Box::new(Edges::new()), finer(), 0.5));
    let thirds = || Box::new(Average::new(turned(), both(), 1.0 / 3.0));
    let halves = || Box::new(Average::new(turned(), finer(), 0.5));
    Ok(Denoisers {
        denoisers: match mix {
            None => vec![learned.denoiser()],
            Some(Mix::Alone) => vec![turned()],
            Some(Mix::WithFormulas) => match model {
                // What an aberration has lost no part of the measurement shows: trials mislead.
                "zernike" => vec![thirds()],
                // At the noise levels that noisy blurs ask for the edge prior is far behind.
                "blur" => vec![halves(), formulas()],
                _ => vec![thirds(), formulas()],
            },
        },
        prior_name: learned.name(),
        device: learned.device().clone(),
        prior: Some(learned.record().clone()),
        mix,
    })
}

/// The network of `settings.prior`, sure to take clips of this shape.
fn learned(settings: &Settings, shape: Shape) -> Result<Learned, PlanError> {
    let PriorChoice::Network(network) = &settings.prior else {
        return Err(PlanError::DoNotFit(format!(
            "the reference method samples from a learned prior, which {} is not: give --prior \
             embedded or a trained network's file",
            settings.prior
        )));
    };
    let learned = network.open(settings.device)?;
    learned.check(shape)?;
    Ok(learned.instead_of(settings.instead_of.clone()))
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
    let learned = learned(settings, problem.physics.shape())?;
    let Problem {
        physics,
        measurement,
        mask,
        ..
    } = problem;
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
    // The published sampler measures signed video where pixels are missing.
    let measurement = match &mask {
        Some(mask) => {
            Measurement::exact(measurement.values().zip(mask, |y, m| (2.0 * y - 1.0) * m))
        }
        None => measurement,
    };
    let record = recorded(&config);
    let draw = Box::new(move |shape| noise.normal_clip(shape));
    let solver = Reference::new(
        learned.prior(),
        schedule,
        model,
        measurement,
        config,
        networks,
        draw,
    )?;
    Ok(Prepared {
        solver: Box::new(solver),
        prior_name: learned.name(),
        device: learned.device().clone(),
        prior: Some(learned.record().clone()),
        settings: record,
    })
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
                Some(_) => unknown.shape.frames,
                None => 1,
            };
            let count = MODES.len() * frames;
            Ok(Unknowns {
                model: Box::new(ZernikeBlur::new(unknown.shape, vec![0.0; count])?),
                networks: vec![Unknown::zernike(count, noise)],
                weight: Weight::Constant(0.1),
            })
        }
        Physics::Capture(_) => Err(refused("a gain and an offset")),
    }
}

/// The published estimates start from their own values and are not bounded by the ranges.
fn scatter_unknowns(unknown: ScatterSearch, noise: &mut Noise) -> Result<Unknowns, PlanError> {
    let ScatterSearch { shape, optics, .. } = unknown;
    let middle = |extent: &Sought| match extent {
        Sought::Known(values) => values.clone(),
        Sought::Within { min, max } => PerFrame::Frames(vec![(min + max) / 2.0; shape.frames]),
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
