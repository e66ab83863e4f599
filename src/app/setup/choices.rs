//! What can be chosen, with what it is called.

use serde::{Deserialize, Serialize};

use crate::run::plan;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Model {
    Scatter,
    Zernike,
    Blur,
    Dehaze,
    Inpaint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Varying {
    No,
    Free,
    Smooth,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    Auto,
    Instant,
    Fast,
    Reference,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Device {
    Auto,
    Cpu,
    Gpu,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Prior {
    None,
    Tv,
    Blocks,
    Checkpoint,
}

impl Model {
    pub const ALL: [Self; 5] = [
        Self::Scatter,
        Self::Zernike,
        Self::Blur,
        Self::Dehaze,
        Self::Inpaint,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Self::Scatter => "Scattering layer",
            Self::Zernike => "Aberration",
            Self::Blur => "Gaussian blur",
            Self::Dehaze => "Haze",
            Self::Inpaint => "Missing pixels",
        }
    }

    pub(super) fn flag(self) -> &'static str {
        match self {
            Self::Scatter => "scatter",
            Self::Zernike => "zernike",
            Self::Blur => "blur",
            Self::Dehaze => "dehaze",
            Self::Inpaint => "inpaint",
        }
    }
}

impl Method {
    pub const ALL: [Self; 4] = [Self::Auto, Self::Instant, Self::Fast, Self::Reference];

    pub fn label(self) -> &'static str {
        match self {
            Self::Auto => "Automatic",
            Self::Instant => "Instant",
            Self::Fast => "Fast",
            Self::Reference => "Reference (diffusion)",
        }
    }

    /// The engine's method; none where the engine chooses.
    pub fn planned(self) -> Option<plan::Method> {
        match self {
            Self::Auto => None,
            Self::Instant => Some(plan::Method::Instant),
            Self::Fast => Some(plan::Method::Fast),
            Self::Reference => Some(plan::Method::Reference),
        }
    }

    /// What it needs and how long it takes.
    pub fn about(self) -> &'static str {
        match self {
            Self::Auto => "Chooses by the task and the time it may take, and says why.",
            Self::Instant => "Seconds, no network: formulas and closed forms.",
            Self::Fast => "Half a minute: a denoiser in the loop, begun at the instant result.",
            Self::Reference => {
                "The published sampler. Needs the authors' trained network; hours without a GPU."
            }
        }
    }

    pub(super) fn flag(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Instant => "instant",
            Self::Fast => "fast",
            Self::Reference => "reference",
        }
    }
}

impl Prior {
    pub const ALL: [Self; 4] = [Self::None, Self::Tv, Self::Blocks, Self::Checkpoint];

    pub fn label(self) -> &'static str {
        match self {
            Self::None => "Nothing learned",
            Self::Tv => "Total variation",
            Self::Blocks => "Block matching",
            Self::Checkpoint => "Trained network",
        }
    }
}

impl Device {
    pub const ALL: [Self; 3] = [Self::Auto, Self::Cpu, Self::Gpu];

    pub fn label(self) -> &'static str {
        match self {
            Self::Auto => "Automatic",
            Self::Cpu => "Processor",
            Self::Gpu => "GPU",
        }
    }

    pub(super) fn flag(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }
}
