//! What the panels hold: the flags of `reconstruct`, as values to drag.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::clip::Shape;
use crate::noise::Noise;
use crate::physics::zernike::MODES;
use crate::physics::{
    Blur, Dehaze, ForwardModel, Inpaint, Optics, PhysicsError, Scatter, ZernikeBlur,
};
use crate::run::plan;

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
    pub coefficients_unknown: bool,
    pub varying: Varying,
    /// Share of the pixels that are measured, where no file says which.
    pub keep_share: f64,
    pub mask: Option<PathBuf>,
    pub fit_gain: bool,
    /// Of the camera; the file's, else the method's, where there is none.
    pub pitch_um: Option<f64>,
    pub wavelength_nm: f64,
    pub magnification: f64,
    pub method: Method,
    pub prior: Prior,
    pub checkpoint: Option<PathBuf>,
    pub budget_s: u32,
    /// Of the reference method.
    pub steps: usize,
    pub guidance: f64,
    pub seed: u64,
    /// Where networks compute.
    pub device: Device,
}

/// A value that is given, or looked for within a range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sought {
    /// The value; of an unknown one what the live view shows.
    pub value: f64,
    pub min: f64,
    pub max: f64,
    pub unknown: bool,
}

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

impl Default for Setup {
    fn default() -> Self {
        Self {
            model: Model::Scatter,
            dist_mm: Sought {
                value: 5.0,
                min: 2.5,
                max: 10.0,
                unknown: false,
            },
            sigma_px: Sought {
                value: 1.0,
                min: 0.5,
                max: 2.0,
                unknown: false,
            },
            per_frame: true,
            blur_sigma_px: Blur::PUBLISHED_SIGMA_PX,
            coefficients: [0.0; MODES.len()],
            coefficients_unknown: true,
            varying: Varying::No,
            keep_share: 0.5,
            mask: None,
            fit_gain: false,
            pitch_um: None,
            wavelength_nm: Optics::SYNTHETIC.wavelength_nm,
            magnification: 1.0,
            method: Method::Auto,
            prior: Prior::None,
            checkpoint: None,
            budget_s: 120,
            steps: 100,
            guidance: 1.0,
            seed: 0,
            device: Device::Auto,
        }
    }
}

impl Sought {
    fn flag(&self) -> String {
        match self.unknown {
            true => format!("{}..{}", self.min, self.max),
            false => self.value.to_string(),
        }
    }
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

    fn flag(self) -> &'static str {
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

    fn flag(self) -> &'static str {
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

    fn flag(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }
}

impl Setup {
    /// Whether a network computes.
    pub fn has_network(&self) -> bool {
        self.method == Method::Reference
            || (self.prior == Prior::Checkpoint && self.method != Method::Instant)
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

    /// The `reconstruct` command that does the same, without the program's name.
    pub fn command(&self, input: &Path, truth: Option<&Path>, out: &Path) -> Vec<String> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let mut flags = vec!["reconstruct".into(), path(input)];
        let mut flag = |name: &str, value: String| flags.push(format!("--{name}={value}"));
        if let Some(truth) = truth {
            flag("target", path(truth));
        }
        flag("model", self.model.flag().into());
        match self.model {
            Model::Scatter => {
                flag("dist", self.dist_mm.flag());
                flag("sigma", self.sigma_px.flag());
                let unknown = self.dist_mm.unknown || self.sigma_px.unknown;
                if unknown && !self.per_frame {
                    flag("per", "clip".into());
                }
                self.lengths().for_each(|(name, value)| flag(name, value));
            }
            Model::Blur => flag("sigma", self.blur_sigma_px.to_string()),
            Model::Dehaze => {}
            Model::Inpaint => flag(
                "mask",
                match &self.mask {
                    Some(mask) => path(mask),
                    None => format!("random:{}", self.keep_share),
                },
            ),
            Model::Zernike if self.coefficients_unknown => {
                flag("coeffs", "unknown".into());
                match self.varying {
                    Varying::No => {}
                    Varying::Free => flag("varying", "free".into()),
                    Varying::Smooth => flag("varying", "smooth".into()),
                }
            }
            Model::Zernike => {
                let listed: Vec<String> = self.coefficients.iter().map(f64::to_string).collect();
                flag("coeffs", listed.join(","));
            }
        }
        if self.can_fit_gain() && self.fit_gain {
            flag("gain", "fit".into());
        }
        flag("method", self.method.flag().into());
        match (self.prior, &self.checkpoint) {
            (Prior::None, _) | (Prior::Checkpoint, None) => {}
            (Prior::Tv, _) => flag("prior", "tv".into()),
            (Prior::Blocks, _) => flag("prior", "blocks".into()),
            (Prior::Checkpoint, Some(file)) => flag("prior", path(file)),
        }
        match self.method {
            Method::Auto => flag("budget", format!("{}s", self.budget_s)),
            Method::Reference => {
                flag("steps", self.steps.to_string());
                flag("guidance", self.guidance.to_string());
            }
            Method::Instant | Method::Fast => {}
        }
        if self.has_network() && self.device != Device::Auto {
            flag("device", self.device.flag().into());
        }
        flag("seed", self.seed.to_string());
        flag("out", path(out));
        flags
    }

    /// Flags of the geometry that differ from what is assumed.
    fn lengths(&self) -> impl Iterator<Item = (&'static str, String)> {
        let usual = Self::default();
        let pitch = self.pitch_um.map(|pitch| ("pitch-um", pitch.to_string()));
        let wavelength = (self.wavelength_nm != usual.wavelength_nm)
            .then(|| ("wavelength-nm", self.wavelength_nm.to_string()));
        let magnification = (self.magnification != usual.magnification)
            .then(|| ("magnification", self.magnification.to_string()));
        [pitch, wavelength, magnification].into_iter().flatten()
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

    /// The forward model at the values that the sliders show.
    ///
    /// # Errors
    /// Values out of a model's range.
    pub fn forward_model(
        &self,
        shape: Shape,
        file_um: Option<f64>,
    ) -> Result<Box<dyn ForwardModel>, PhysicsError> {
        Ok(match self.model {
            Model::Scatter => Box::new(Scatter::new(
                shape,
                self.optics(file_um),
                self.dist_mm.value,
                self.sigma_px.value,
            )?),
            Model::Zernike => Box::new(ZernikeBlur::new(shape, self.coefficients.to_vec())?),
            Model::Blur => Box::new(Blur::new(shape, self.blur_sigma_px)?),
            Model::Dehaze => Box::new(Dehaze::new(shape)?),
            Model::Inpaint => {
                let mut noise = Noise::seeded(self.seed);
                let mask = Inpaint::random_mask(shape, self.keep_share, &mut noise);
                Box::new(Inpaint::new(shape, mask)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(setup: &Setup) -> String {
        setup
            .command(Path::new("y.gif"), None, Path::new("out"))
            .join(" ")
    }

    #[test]
    fn a_setup_is_a_command() {
        let mut setup = Setup::default();
        assert_eq!(
            flags(&setup),
            "reconstruct y.gif --model=scatter --dist=5 --sigma=1 --method=auto --budget=120s \
             --seed=0 --out=out"
        );
        setup.dist_mm.unknown = true;
        setup.per_frame = false;
        setup.fit_gain = true;
        setup.pitch_um = Some(24.0);
        setup.method = Method::Instant;
        assert_eq!(
            flags(&setup),
            "reconstruct y.gif --model=scatter --dist=2.5..10 --sigma=1 --per=clip --pitch-um=24 \
             --gain=fit --method=instant --seed=0 --out=out"
        );
        setup.model = Model::Zernike;
        setup.varying = Varying::Smooth;
        assert!(flags(&setup).contains("--coeffs=unknown --varying=smooth --gain=fit"));
    }

    #[test]
    fn every_model_can_be_made() {
        for model in Model::ALL {
            let setup = Setup {
                model,
                ..Setup::default()
            };
            let made = setup.forward_model(Shape::new(2, 32, 32), None).unwrap();
            assert_eq!(made.name(), model.flag());
        }
    }
}
