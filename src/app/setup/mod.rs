//! What the panels hold: the flags of `reconstruct`, as values to drag.

mod choices;
mod command;
mod frames;
mod live;
mod sought;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::model::Drawing;
use crate::physics::zernike::MODES;
use crate::physics::{Blur, Optics};
use crate::run::{NetworkChoice, plan};
use crate::worker::LiveExposure;

pub use choices::{Device, Method, Model, Prior, Varying};
pub use sought::Sought;

/// Everything of a run but its files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Setup {
    pub model: Model,
    pub dist_mm: Sought,
    pub sigma_px: Sought,
    /// Whether an unknown distance or width is one of each frame, or of the clip.
    pub per_frame: bool,
    pub blur_sigma_px: f64,
    /// In radians.
    pub coefficients: [f64; MODES.len()],
    /// The same of each frame, where they differ; empty where they do not.
    pub frame_coefficients: Vec<[f64; MODES.len()]>,
    pub coefficients_unknown: bool,
    pub varying: Varying,
    /// Share of the pixels that are measured, where no file and no drawing says which.
    pub keep_share: f64,
    pub mask: Option<PathBuf>,
    /// Comes before a file.
    pub drawn: Option<Drawing>,
    pub fit_gain: bool,
    /// What is recorded of intensity 1 above darkness, and of darkness, where they are not fitted.
    pub gain: f64,
    pub offset: f64,
    /// Of the camera; the file's, else the method's, where there is none.
    pub pitch_um: Option<f64>,
    pub wavelength_nm: f64,
    pub magnification: f64,
    pub method: Method,
    pub prior: Prior,
    pub checkpoint: Option<PathBuf>,
    pub budget_s: u32,
    /// Of the fast method: a draw from what the prior and the data leave, not the best answer.
    pub sample: bool,
    /// Of the reference method.
    pub steps: usize,
    pub guidance: f64,
    pub seed: u64,
    /// Where networks compute.
    pub device: Device,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            model: Model::Scatter,
            dist_mm: Sought {
                value: 5.0,
                min: 2.5,
                max: 10.0,
                ..Sought::default()
            },
            sigma_px: Sought {
                value: 1.0,
                min: 0.5,
                max: 2.0,
                ..Sought::default()
            },
            per_frame: true,
            blur_sigma_px: Blur::PUBLISHED_SIGMA_PX,
            coefficients: [0.0; MODES.len()],
            frame_coefficients: Vec::new(),
            coefficients_unknown: true,
            varying: Varying::No,
            keep_share: 0.5,
            mask: None,
            drawn: None,
            fit_gain: false,
            gain: 1.0,
            offset: 0.0,
            pitch_um: None,
            wavelength_nm: Optics::SYNTHETIC.wavelength_nm,
            magnification: 1.0,
            method: Method::Auto,
            prior: Prior::Auto,
            checkpoint: None,
            budget_s: 120,
            sample: false,
            steps: 100,
            guidance: 1.0,
            seed: 0,
            device: Device::Auto,
        }
    }
}

impl Setup {
    /// Whether a network computes that may do so on a GPU.
    pub fn has_network(&self) -> bool {
        match self.method {
            Method::Reference => self.prior != Prior::Embedded,
            Method::Auto | Method::Fast => self.prior == Prior::Checkpoint,
            Method::Instant => false,
        }
    }

    /// The prior of a run by `method`; that of a file counts as the embedded one.
    pub fn unfiled_prior(&self, method: plan::Method) -> plan::PriorChoice {
        use plan::PriorChoice;
        match self.prior {
            Prior::Auto => plan::usual_prior(method, self.task(), self.model.flag()),
            Prior::None => PriorChoice::None,
            Prior::Tv => PriorChoice::Tv,
            Prior::Blocks => PriorChoice::Blocks,
            Prior::Embedded | Prior::Checkpoint => PriorChoice::Network(NetworkChoice::Embedded),
        }
    }

    /// How hard the problem is.
    pub fn task(&self) -> plan::Task {
        match self.model {
            Model::Scatter if self.fit_gain => plan::Task::Capture,
            Model::Scatter if self.dist_mm.unknown || self.sigma_px.unknown => plan::Task::Scatter,
            Model::Zernike if self.coefficients_unknown => plan::Task::Aberration {
                varying: self.varying != Varying::No,
            },
            _ => plan::Task::Known,
        }
    }

    /// Whether gain and offset can be found for this model.
    pub fn can_fit_gain(&self) -> bool {
        match self.model {
            Model::Scatter => true,
            Model::Zernike => self.coefficients_unknown,
            Model::Blur | Model::Dehaze | Model::Inpaint => false,
        }
    }

    /// `file_um`: the pixel pitch that the file gives.
    pub fn optics(&self, file_um: Option<f64>) -> Optics {
        Optics {
            wavelength_nm: self.wavelength_nm,
            pitch_um: self
                .pitch_um
                .or(file_um)
                .unwrap_or(Optics::SYNTHETIC.pitch_um),
            magnification: self.magnification,
        }
    }

    pub fn exposure(&self) -> LiveExposure {
        match self.can_fit_gain() && self.fit_gain {
            true => LiveExposure::Fitted,
            false => LiveExposure::Known {
                gain: self.gain,
                offset: self.offset,
            },
        }
    }

    /// Whether what was recorded has another scale than the forward model's measurement.
    pub fn is_exposed(&self) -> bool {
        match self.exposure() {
            LiveExposure::Known { gain, offset } => (gain, offset) != (1.0, 0.0),
            LiveExposure::Fitted => false,
        }
    }

    /// The forward model of another setup, with its geometry and exposure; the method, what it
    /// starts from and the seed stay.
    pub fn take_model(&mut self, other: &Self) {
        let other = other.clone();
        *self = Self {
            method: self.method,
            prior: self.prior,
            checkpoint: self.checkpoint.take(),
            budget_s: self.budget_s,
            sample: self.sample,
            steps: self.steps,
            guidance: self.guidance,
            seed: self.seed,
            device: self.device,
            ..other
        };
    }
}
