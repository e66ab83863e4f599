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
    /// Whatever suits the method.
    Auto,
    None,
    Tv,
    Blocks,
    /// The network that ships inside.
    Embedded,
    /// A network's file.
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
                "The published sampler. With the authors' trained network hours without a GPU; \
                 with the built-in one, which is small, a minute."
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
    pub const ALL: [Self; 6] = [
        Self::Auto,
        Self::None,
        Self::Tv,
        Self::Blocks,
        Self::Embedded,
        Self::Checkpoint,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Self::Auto => "Automatic",
            Self::None => "Nothing learned",
            Self::Tv => "Total variation",
            Self::Blocks => "Block matching",
            Self::Embedded => "Built-in network",
            Self::Checkpoint => "Network from a file",
        }
    }

    /// What it knows, and what it is for.
    pub fn about(self) -> &'static str {
        match self {
            Self::Auto => "Whatever suits the method.",
            Self::None => "Block matching and sharp edges; the instant method has formulas.",
            Self::Tv => "Video is flat with few edges.",
            Self::Blocks => "Video repeats itself, in space and time.",
            Self::Embedded => {
                "A small network trained on video, for the fast and the reference method; it \
                 computes on the processor."
            }
            Self::Checkpoint => {
                "A published checkpoint, or a small network of the built-in one's kind."
            }
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
