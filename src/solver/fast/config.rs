//! Settings of the plug-and-play solver.

use serde::{Deserialize, Serialize};

use crate::physics::{ForwardModel, Parameter};
use crate::solver::{SolverError, positive};

/// Smallest noise assumed, so that real-valued data keeps some prior: 1e-4 of full scale.
const NOISE_FLOOR: f64 = 1e-4;
/// The noise for which the noise levels of the rounds were chosen: 8 bits, rounded.
const BYTE_NOISE: f64 = 0.0012;
/// Rounds where more of them pay.
const THOROUGH: usize = 40;

/// A parameter of the forward model to estimate, and where it may lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Free {
    /// In the order of [`ForwardModel::parameters`](crate::physics::ForwardModel::parameters).
    pub index: usize,
    pub min: f64,
    pub max: f64,
}

/// What the trials leave out of the measurement, to predict it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeftOut {
    /// Places, in all frames: for models that spread the light of each pixel over its
    /// neighbours. What a still scene shows at a place in another frame tells its rounding
    /// error, too, and would favour those who fit that.
    Places,
    /// Pixels, each in one frame: for models where a pixel that is not measured is not seen.
    Pixels,
}

/// Settings of [`Fast`](super::Fast).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FastConfig {
    /// Calls of the denoiser, each followed by a data step; trials come on top.
    pub rounds: usize,
    /// The same where the denoiser is a network, whose answers may be worth more of them.
    pub network_rounds: usize,
    /// Standard deviation of the measurement's noise, as a share of full scale.
    pub noise: f64,
    /// The denoiser's noise level in the first and in the last round, in units of amplitude.
    pub first_sigma: f64,
    pub last_sigma: f64,
    /// Weight of the denoised video against the data: high for still and simple scenes, low for
    /// moving and textured ones. Of several, an odd number of them that rise, trials on the
    /// measurement choose one.
    pub pulls: Vec<f64>,
    /// The weight of the rounds' result against what they start from, from 0 to 1. None lets
    /// the trials say, where they are rehearsed ([`Fast::rehearsing`](super::Fast::rehearsing)),
    /// and else is 1.
    pub share: Option<f64>,
    /// How far what the trials say of the share is believed, from 0 to 1, against a half, where the
    /// denoiser is no network. What a strong blur has lost is not told by the measurement, whole or
    /// in part, and formulas do not know it either.
    pub belief: f64,
    pub left_out: LeftOut,
    /// Conjugate-gradient iterations of a data step without closed form.
    pub iterations: usize,
    /// The share of a round's change that the next one begins with, from 0 up to 1: rounds
    /// without closed form go a long way in small steps (Nesterov, 1983; with denoisers, Kamilov
    /// et al., 2017).
    pub momentum: f64,
    /// Parameters to estimate along the way.
    pub free: Vec<Free>,
    /// Draws one of the videos that fit; none gives the best answer.
    pub seed: Option<u64>,
}

impl FastConfig {
    /// For a measurement with this noise (standard deviation, full scale being 1).
    pub fn for_noise(noise: f64) -> Self {
        let noise = noise.max(NOISE_FLOOR);
        let scale = noise / BYTE_NOISE;
        Self {
            rounds: 20,
            network_rounds: 20,
            noise,
            first_sigma: 0.04 * scale.sqrt(),
            last_sigma: 0.003 * scale.sqrt(),
            pulls: powers_of_two(-2, 2),
            share: None,
            belief: 1.0,
            left_out: LeftOut::Places,
            iterations: 40,
            momentum: 0.6,
            free: Vec::new(),
            seed: None,
        }
    }

    /// The same for a known forward model. Behind a scattering layer more rounds pay, and trials tell
    /// so well how strong the prior should be that they choose from a wide range.
    pub fn for_model(model: &dyn ForwardModel, noise: f64) -> Self {
        let config = Self::for_noise(noise);
        match model.name() {
            "scatter" => Self {
                pulls: powers_of_two(-4, 4),
                rounds: THOROUGH,
                ..config.thorough()
            },
            _ => config,
        }
    }

    /// The same for a forward model with closed form, which fits the data to their noise however
    /// small it is. Real-valued data leave the prior what the model takes away, not what noise
    /// does: the levels of the rounds do not fall with the noise.
    pub fn for_closed_form(model: &dyn ForwardModel, noise: f64) -> Self {
        let (left_out, belief) = match model.name() {
            "inpaint" | "dehaze" => (LeftOut::Pixels, 1.0),
            _ => (LeftOut::Places, 0.5),
        };
        let config = Self {
            left_out,
            belief,
            // Exact steps overshoot with it.
            momentum: 0.0,
            ..Self::for_noise(noise)
        };
        match noise < NOISE_FLOOR {
            true => Self {
                noise,
                first_sigma: 0.02,
                last_sigma: 0.002,
                ..config
            },
            false => config,
        }
    }

    /// The same with twice the rounds where a network denoises, which a compact one's answers are
    /// worth.
    pub fn thorough(self) -> Self {
        Self {
            network_rounds: THOROUGH,
            ..self
        }
    }

    /// The same, to draw one of the videos that fit, with a network: many rounds from noise that
    /// hides everything the network was not taught down to what nobody sees.
    pub fn drawing(self, seed: u64) -> Self {
        Self {
            rounds: 50,
            network_rounds: 50,
            first_sigma: 1.0,
            last_sigma: 0.002,
            pulls: vec![1.0],
            seed: Some(seed),
            ..self
        }
    }

    /// Sets the noise, and the noise levels of the rounds with it.
    pub(super) fn set_noise(&mut self, noise: f64) {
        let scale = (noise / self.noise).sqrt();
        self.noise = noise;
        self.first_sigma *= scale;
        self.last_sigma *= scale;
    }

    /// The rounds with a denoiser that is a network, or is none.
    pub(super) fn rounds_with(&self, network: bool) -> usize {
        match network {
            true => self.network_rounds,
            false => self.rounds,
        }
    }

    /// A third of the rounds, seven at most: enough to tell candidates apart.
    pub(super) fn trial_rounds(&self) -> usize {
        self.rounds.div_ceil(3).min(7)
    }

    /// The denoiser's noise level in a round of a stretch of `rounds`.
    pub(super) fn sigma(&self, round: usize, rounds: usize) -> f64 {
        if rounds == 1 {
            return self.last_sigma;
        }
        let share = round as f64 / (rounds - 1) as f64;
        self.first_sigma * (self.last_sigma / self.first_sigma).powf(share)
    }

    pub(super) fn check(&self, parameters: &[Parameter]) -> Result<(), SolverError> {
        let refuse = |what, value: String, expected| {
            Err(SolverError::Setting {
                what,
                value,
                expected,
            })
        };
        let numbers = [
            ("the number of rounds", self.rounds as f64),
            ("a network's number of rounds", self.network_rounds as f64),
            ("the number of iterations", self.iterations as f64),
            ("the noise level", self.noise),
            ("the first round's noise level", self.first_sigma),
            ("the last round's noise level", self.last_sigma),
        ];
        let pulls = self.pulls.iter();
        let pulls = pulls.map(|&pull| ("the pull of the denoised video", pull));
        let shares = [
            (
                "the weight of the rounds against their start",
                self.share.unwrap_or(1.0),
            ),
            ("the belief in the trials", self.belief),
            ("the momentum", self.momentum),
        ];
        if self.pulls.len().is_multiple_of(2) || !self.pulls.is_sorted_by(|a, b| a < b) {
            return refuse(
                "the pulls of the denoised video",
                format!("{:?}", self.pulls),
                "they must rise, and be an odd number",
            );
        }
        for (what, value) in shares {
            if !(0.0..=1.0).contains(&value) {
                return refuse(what, value.to_string(), "it must lie between 0 and 1");
            }
        }
        for (what, value) in numbers.into_iter().chain(pulls) {
            positive(what, value)?;
        }
        for free in &self.free {
            let Some(parameter) = parameters.get(free.index) else {
                return refuse(
                    "a free parameter's index",
                    free.index.to_string(),
                    "the forward model has fewer parameters",
                );
            };
            let inside = parameter.min <= free.min && free.max <= parameter.max;
            if !(inside && free.min < free.max) {
                return refuse(
                    "a free parameter's range",
                    format!("{} to {}", free.min, free.max),
                    "it must rise, within the bounds of the forward model's parameter",
                );
            }
        }
        Ok(())
    }
}

/// 2 to the power of each of `least` to `most`.
pub(super) fn powers_of_two(least: i32, most: i32) -> Vec<f64> {
    (least..=most)
        .map(|power| f64::from(power).exp2())
        .collect()
}
