//! The loop that teaches a network, a step at a time.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::batch::Batches;
use super::config::{NetworkConfig, Training};
use super::curve::{Curve, NOISE_LEVELS, Point};
use super::data::Pool;
use super::learner::Learner;
use super::optimiser::Optimiser;
use super::state::{Notes, State, StateError, replace};
use crate::clip::{Clip, Shape};
use crate::noise::Noise;
use crate::prior::PriorError;
use crate::run::ChartError;

#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Prior(#[from] PriorError),
    #[error(transparent)]
    Chart(#[from] ChartError),
    #[error("{0}")]
    Sense(String),
    #[error(
        "the loss is no number any more at step {step}: a smaller training.rate or a longer \
         training.warmup may help; the state of step {saved} is still in {}",
        folder.display()
    )]
    Diverged {
        step: usize,
        saved: usize,
        folder: PathBuf,
    },
}

/// A step is not taken where the loss is so many times that of the last ones, by their median.
const OUTLIER: f64 = 5.0;

/// A training under way.
pub struct Trainer<'a> {
    learner: Box<dyn Learner>,
    training: &'a Training,
    network: &'a NetworkConfig,
    batches: Batches<'a>,
    validation: &'a Pool,
    folder: PathBuf,
    optimiser: Optimiser,
    step: usize,
    saved: usize,
    seconds: f64,
    curve: Curve,
}

impl<'a> Trainer<'a> {
    /// Takes up the training whose state is in `folder`, or begins one.
    ///
    /// # Errors
    /// A state of another network or seed, crops that do not fit the pool's clips.
    pub fn new(
        mut learner: Box<dyn Learner>,
        network: &'a NetworkConfig,
        training: &'a Training,
        clips: &'a Pool,
        validation: &'a Pool,
        folder: &Path,
    ) -> Result<Self, TrainError> {
        let batches =
            Batches::new(clips, training, learner.multiple()).map_err(TrainError::Sense)?;
        let mut optimiser = Optimiser::new(learner.parameters());
        let (mut step, mut seconds, mut curve) = (0, 0.0, Curve::default());
        if let Some(state) = State::load(folder)? {
            let State {
                notes,
                parameters,
                optimiser: old,
            } = state;
            if notes.network != *network
                || notes.seed != training.seed
                || parameters.len() != learner.parameters().len()
            {
                return Err(TrainError::Sense(format!(
                    "{} holds the training of another network or seed: give another --out, or move \
                     it away",
                    folder.display()
                )));
            }
            learner.change(&mut |p| p.copy_from_slice(&parameters));
            optimiser = old;
            (step, seconds, curve) = (notes.step, notes.seconds, notes.curve);
        }
        Ok(Self {
            learner,
            training,
            network,
            batches,
            validation,
            folder: folder.to_owned(),
            optimiser,
            step,
            saved: step,
            seconds,
            curve,
        })
    }

    /// Steps done.
    pub fn step(&self) -> usize {
        self.step
    }

    pub fn is_done(&self) -> bool {
        self.step >= self.training.steps
    }

    pub fn curve(&self) -> &Curve {
        &self.curve
    }

    /// Teaches one step; validates and saves when it is time. The validation, if there was one.
    ///
    /// # Errors
    /// A device that failed, a loss that is no number, files that cannot be written.
    pub fn advance(&mut self) -> Result<Option<Point>, TrainError> {
        let started = Instant::now();
        let batch = self.batches.of(self.step);
        let mut gradient = vec![0.0; self.learner.parameters().len()];
        let loss = self.learner.learn(&batch, &mut gradient)?;
        if !loss.is_finite() || gradient.iter().any(|g| !g.is_finite()) {
            return Err(TrainError::Diverged {
                step: self.step,
                saved: self.saved,
                folder: self.folder.clone(),
            });
        }
        // A network without normalisation now and then blows up on a clip; following that slope would
        // cost what hundreds of steps have learnt.
        let usual = self.curve.recent_loss().unwrap_or(f64::INFINITY);
        if loss < OUTLIER * usual {
            let (optimiser, training, step) = (&mut self.optimiser, self.training, self.step);
            self.learner
                .change(&mut |p| optimiser.step(training, step, p, &gradient));
        }
        self.step += 1;
        self.curve.losses.push(loss);
        let last = self.is_done();
        let mut point = None;
        if last || self.step.is_multiple_of(self.training.validate_every) {
            let psnr_db = self.validate()?;
            let seconds = self.seconds + started.elapsed().as_secs_f64();
            let step = self.step;
            let found = Point {
                step,
                seconds,
                psnr_db,
            };
            self.curve.points.push(found.clone());
            point = Some(found);
        }
        self.seconds += started.elapsed().as_secs_f64();
        if last || point.is_some() || self.step.is_multiple_of(self.training.save_every) {
            self.save()?;
        }
        Ok(point)
    }

    /// Writes the state, the averaged network and the curve.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub fn save(&mut self) -> Result<(), TrainError> {
        let state = State {
            notes: Notes {
                step: self.step,
                seed: self.training.seed,
                seconds: self.seconds,
                network: self.network.clone(),
                curve: self.curve.clone(),
            },
            parameters: self.learner.parameters().to_vec(),
            optimiser: self.optimiser.clone(),
        };
        state.save(&self.folder)?;
        for (name, bytes) in self.learner.files(&self.optimiser.average, self.step) {
            replace(&self.folder.join(name), &bytes)?;
        }
        self.curve.save(&self.folder)?;
        self.saved = self.step;
        Ok(())
    }

    /// PSNR of the averaged network at each noise level, the mean over the first validation clips.
    fn validate(&mut self) -> Result<Vec<f64>, TrainError> {
        let current = self.learner.parameters().to_vec();
        let average = &self.optimiser.average;
        self.learner.change(&mut |p| p.copy_from_slice(average));
        let found = self.psnr();
        self.learner.change(&mut |p| p.copy_from_slice(&current));
        found
    }

    fn psnr(&self) -> Result<Vec<f64>, TrainError> {
        let count = self.training.validate_clips.min(self.validation.len());
        let multiple = self.learner.multiple();
        let mut sums = vec![0.0; NOISE_LEVELS.len()];
        for index in 0..count {
            let clean = middle(self.validation, index, multiple);
            for (level, sum) in NOISE_LEVELS.iter().zip(&mut sums) {
                let sigma = f64::from(*level) / 255.0;
                let mut noise = Noise::seeded(index as u64);
                let noise = noise.normal_clip(clean.shape());
                let noisy = clean.zip(&noise, |u, n| u + sigma as f32 * n);
                let denoised = self.learner.denoise(&noisy, sigma)?;
                let squares = denoised.zip(&clean, |a, b| (a - b) * (a - b));
                let mean = squares.data().iter().map(|&v| f64::from(v)).sum::<f64>()
                    / clean.data().len() as f64;
                *sum += -10.0 * mean.log10();
            }
        }
        Ok(sums.into_iter().map(|sum| sum / count as f64).collect())
    }
}

/// The largest middle of a clip whose sides are multiples of `multiple`, at most 64.
fn middle(pool: &Pool, index: usize, multiple: usize) -> Clip {
    let whole = pool.shape();
    let side = |length: usize| length.min(64) / multiple * multiple;
    let shape = Shape {
        frames: whole.frames,
        height: side(whole.height),
        width: side(whole.width),
    };
    let (top, left) = (
        (whole.height - shape.height) / 2,
        (whole.width - shape.width) / 2,
    );
    let levels = pool.clip(index);
    let rows = (0..shape.frames).flat_map(|f| (0..shape.height).map(move |r| (f, r)));
    let data = rows.flat_map(|(frame, row)| {
        let from = (frame * whole.height + top + row) * whole.width + left;
        levels[from..][..shape.width]
            .iter()
            .map(|&v| f32::from(v) / 255.0)
    });
    Clip::new(shape, data.collect())
}
