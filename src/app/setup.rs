//! What the panels hold: the flags of `reconstruct`, as values to drag.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::model::{Drawing, Place};
use crate::clip::{Clip, Shape};
use crate::media::{self, ReadOptions};
use crate::noise::Noise;
use crate::physics::zernike::{MODES, Pupil};
use crate::physics::{
    Blur, Dehaze, ForwardModel, GaussianKernel, Inpaint, Optics, Parameter, PerFrame, Scatter,
    ZernikeBlur,
};
use crate::run::plan;
use crate::worker::{LiveExposure, LiveModel, MakeJob, Response};

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
    /// Of the reference method.
    pub steps: usize,
    pub guidance: f64,
    pub seed: u64,
    /// Where networks compute.
    pub device: Device,
}

/// A value that is given, or looked for within a range.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sought {
    /// The value; of an unknown one what the live view shows.
    pub value: f64,
    pub min: f64,
    pub max: f64,
    pub unknown: bool,
    /// The values of each frame, where they differ; empty where they do not.
    pub frames: Vec<f64>,
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
        match (self.unknown, &self.frames[..]) {
            (true, _) => format!("{}..{}", self.min, self.max),
            (false, []) => self.value.to_string(),
            (false, frames) => listed(frames),
        }
    }

    /// What the live view shows: one value for the clip, or one a frame.
    fn values(&self) -> PerFrame {
        match &self.frames[..] {
            [] => PerFrame::Clip(self.value),
            frames => PerFrame::Frames(frames.to_vec()),
        }
    }

    /// The value that serves a frame.
    pub fn of(&self, frame: usize) -> f64 {
        self.frames.get(frame).copied().unwrap_or(self.value)
    }

    /// The same, to change it.
    pub fn of_mut(&mut self, frame: usize) -> &mut f64 {
        self.frames.get_mut(frame).unwrap_or(&mut self.value)
    }

    /// What was known becomes a range around it: the one from before where that holds it.
    pub fn open(&mut self, frame: usize) {
        let value = self.of(frame);
        self.unknown = true;
        if !(self.min < self.max && (self.min..=self.max).contains(&value)) {
            (self.min, self.max) = (0.5 * value, (2.0 * value).max(0.5));
        }
    }

    /// A range of no length is a known value.
    pub fn close(&mut self) {
        (self.unknown, self.value) = (false, self.min);
        self.frames.clear();
    }

    /// What a table of parameters says of this one: a value for the clip, or one a frame.
    fn take(&mut self, name: &str, found: &[Parameter]) -> bool {
        let of = |parameter: &&Parameter| parameter.name == name;
        let values: Vec<f64> = found.iter().filter(of).map(|p| p.value).collect();
        match found.iter().find(of).map(|p| p.frame) {
            None => return false,
            Some(None) => (self.value, self.frames) = (values[0], Vec::new()),
            Some(Some(_)) => self.frames = values,
        }
        true
    }
}

fn listed(values: &[f64]) -> String {
    let values: Vec<String> = values.iter().map(f64::to_string).collect();
    values.join(",")
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
                match (&self.drawn, &self.mask) {
                    (Some(drawn), _) => path(&drawn.file()),
                    (None, Some(mask)) => path(mask),
                    (None, None) => format!("random:{}", self.keep_share),
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
                flag("coeffs", listed(&self.known_coefficients()));
                if !self.frame_coefficients.is_empty() {
                    flag("varying", "free".into());
                }
            }
        }
        match self.exposure() {
            LiveExposure::Fitted => flag("gain", "fit".into()),
            LiveExposure::Known { gain, offset } => {
                if gain != 1.0 {
                    flag("gain", gain.to_string());
                }
                if offset != 0.0 {
                    flag("offset", offset.to_string());
                }
            }
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

    /// Ten coefficients for the clip, or ten a frame.
    fn known_coefficients(&self) -> Vec<f64> {
        match &self.frame_coefficients[..] {
            [] => self.coefficients.to_vec(),
            frames => frames.concat(),
        }
    }

    /// The coefficients that serve a frame.
    pub fn coefficients_of(&self, frame: usize) -> &[f64; MODES.len()] {
        let of_frame = self.frame_coefficients.get(frame);
        of_frame.unwrap_or(&self.coefficients)
    }

    /// The same, to change them.
    pub fn coefficients_of_mut(&mut self, frame: usize) -> &mut [f64; MODES.len()] {
        let of_frame = self.frame_coefficients.get_mut(frame);
        of_frame.unwrap_or(&mut self.coefficients)
    }

    /// Whether a slider holds the value of one frame.
    pub fn differs_by_frame(&self) -> bool {
        match self.model {
            Model::Scatter => !(self.dist_mm.frames.is_empty() && self.sigma_px.frames.is_empty()),
            Model::Zernike => !self.frame_coefficients.is_empty(),
            Model::Blur | Model::Dehaze | Model::Inpaint => false,
        }
    }

    /// The values of this frame serve the clip.
    pub fn use_for_all(&mut self, frame: usize) {
        for sought in [&mut self.dist_mm, &mut self.sigma_px] {
            sought.value = sought.of(frame);
            sought.frames.clear();
        }
        self.coefficients = *self.coefficients_of(frame);
        self.frame_coefficients.clear();
    }

    /// The values that a run uses or has found, as far as they belong to this forward model;
    /// whether there are any.
    pub fn take_values(&mut self, found: &[Parameter]) -> bool {
        match self.model {
            Model::Scatter => {
                let dist = self.dist_mm.take("distance", found);
                self.sigma_px.take("sigma", found) && dist
            }
            Model::Zernike => {
                let of_mode = |parameter: &Parameter| parameter.zernike.is_some();
                if found.is_empty() || !found.iter().all(of_mode) {
                    return false;
                }
                let values: Vec<f64> = found.iter().map(|p| p.value).collect();
                let (sets, _) = values.as_chunks();
                match sets {
                    [] => return false,
                    [set] => (self.coefficients, self.frame_coefficients) = (*set, Vec::new()),
                    sets => self.frame_coefficients = sets.to_vec(),
                }
                true
            }
            Model::Blur | Model::Dehaze | Model::Inpaint => false,
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
            steps: self.steps,
            guidance: self.guidance,
            seed: self.seed,
            device: self.device,
            ..other
        };
    }

    /// Gives up values that belong to the frames of a clip of another length, or a drawing of
    /// another size.
    pub fn fit_to(&mut self, shape: Shape, place: Option<Place>) {
        for sought in [&mut self.dist_mm, &mut self.sigma_px] {
            if sought.frames.len() != shape.frames {
                sought.frames.clear();
            }
        }
        if self.frame_coefficients.len() != shape.frames {
            self.frame_coefficients.clear();
        }
        let size = (shape.height, shape.width);
        let drawn = self.drawn.take().filter(|drawn| drawn.size() == size);
        self.drawn = drawn.map(|drawn| drawn.moved_to(place));
    }

    /// A job that finds its mask: a drawn one is written before the run reads it.
    pub fn with_mask(&self, make: MakeJob) -> MakeJob {
        match self.drawn.clone().filter(|_| self.model == Model::Inpaint) {
            Some(drawn) => Box::new(move || {
                drawn.write()?;
                make()
            }),
            None => make,
        }
    }

    /// The mask of missing pixels as a run uses it: 1 where they are measured.
    ///
    /// # Errors
    /// A file that cannot be read.
    fn mask_clip(&self, shape: Shape, read: &ReadOptions) -> anyhow::Result<Clip> {
        Ok(match (&self.drawn, &self.mask) {
            (Some(drawn), _) => drawn.clip(),
            (None, Some(file)) => media::open_mask(file, read)?,
            (None, None) => {
                Inpaint::random_mask(shape, self.keep_share, &mut Noise::seeded(self.seed))
            }
        })
    }

    /// The forward model at the values that the sliders show, with what it makes of a point in
    /// this frame. A file with a mask is cut as `read` says.
    ///
    /// # Errors
    /// Values out of a model's range, a mask that cannot be read or does not fit.
    pub fn live_model(
        &self,
        shape: Shape,
        file_um: Option<f64>,
        read: &ReadOptions,
        frame: usize,
    ) -> anyhow::Result<LiveModel> {
        let taps = |sigma_px| Response::Taps(GaussianKernel::new(sigma_px).taps().to_vec());
        let (model, response): (Box<dyn ForwardModel>, _) = match self.model {
            Model::Scatter => {
                let (dist_mm, sigma_px) = (self.dist_mm.values(), self.sigma_px.values());
                let optics = self.optics(file_um);
                let model = Scatter::new(shape, optics, dist_mm, sigma_px)?;
                (Box::new(model), Some(taps(self.sigma_px.of(frame))))
            }
            Model::Zernike => {
                let model = ZernikeBlur::new(shape, self.known_coefficients())?;
                let coefficients = self.coefficients_of(frame);
                let response = Response::Pupil {
                    phase_rad: model.pupil().wrapped_phase(coefficients),
                    psf: Pupil::psf(model.pupil(), coefficients).values,
                };
                (Box::new(model), Some(response))
            }
            Model::Blur => {
                let model = Blur::new(shape, self.blur_sigma_px)?;
                (Box::new(model), Some(taps(self.blur_sigma_px)))
            }
            Model::Dehaze => (Box::new(Dehaze::new(shape)?), None),
            Model::Inpaint => {
                let model = Inpaint::new(shape, self.mask_clip(shape, read)?)?;
                return Ok(LiveModel {
                    known: Some(model.mask().clone()),
                    model: Box::new(model),
                    response: None,
                });
            }
        };
        Ok(LiveModel {
            model,
            known: None,
            response,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: ReadOptions = ReadOptions {
        frames: media::FrameRange::ALL,
        crop: None,
        resize: None,
        array: None,
    };

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
        setup.fit_gain = false;
        setup.dist_mm.unknown = false;
        setup.dist_mm.frames = vec![5.0, 5.25];
        (setup.gain, setup.offset) = (0.5, 0.125);
        assert!(flags(&setup).contains("--dist=5,5.25 --sigma=1 --pitch-um=24 --gain=0.5"));
        assert!(flags(&setup).contains("--offset=0.125"));
        setup.fit_gain = true;
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
            let made = setup
                .live_model(Shape::new(2, 32, 32), None, &ALL, 1)
                .unwrap();
            assert_eq!(made.model.name(), model.flag());
        }
    }

    #[test]
    fn values_of_each_frame_go_with_their_clip() {
        let mut setup = Setup {
            model: Model::Zernike,
            coefficients_unknown: false,
            frame_coefficients: vec![[0.5; 10]; 2],
            ..Setup::default()
        };
        assert!(flags(&setup).contains("--varying=free"));
        assert_eq!(setup.coefficients_of(1)[0], 0.5);
        setup.dist_mm.frames = vec![4.0, 6.0];
        *setup.dist_mm.of_mut(1) = 6.5;
        assert_eq!((setup.dist_mm.of(0), setup.dist_mm.of(1)), (4.0, 6.5));
        let shape = Shape::new(2, 8, 8);
        let made = setup.live_model(shape, None, &ALL, 1).unwrap();
        assert_eq!(made.model.parameters().len(), 20);
        setup.fit_to(shape, None);
        assert_eq!(setup.dist_mm.frames.len(), 2);
        setup.fit_to(Shape::new(3, 8, 8), None);
        assert!(setup.dist_mm.frames.is_empty() && setup.frame_coefficients.is_empty());
        *setup.dist_mm.of_mut(1) = 7.0;
        assert_eq!(setup.dist_mm.of(0), 7.0);
    }

    #[test]
    fn a_range_opens_around_its_value_and_closes_to_it() {
        let mut dist = Setup::default().dist_mm;
        dist.open(0);
        assert_eq!((dist.min, dist.max), (2.5, 10.0));
        dist.value = 20.0;
        dist.open(0);
        assert_eq!((dist.min, dist.max), (10.0, 40.0));
        dist.max = dist.min;
        dist.close();
        assert_eq!((dist.unknown, dist.value), (false, 10.0));
    }

    #[test]
    fn what_a_run_has_found_is_taken_over() {
        let shape = Shape::new(2, 16, 16);
        let optics = Optics::SYNTHETIC;
        let found = Scatter::new(shape, optics, vec![3.0, 4.0], 1.5).unwrap();
        let mut setup = Setup::default();
        assert!(setup.take_values(&found.parameters()));
        assert_eq!(setup.dist_mm.frames, [3.0, 4.0]);
        assert_eq!(
            (setup.sigma_px.value, setup.sigma_px.frames.len()),
            (1.5, 0)
        );
        assert!(setup.differs_by_frame());
        setup.use_for_all(1);
        assert_eq!(setup.dist_mm.value, 4.0);
        assert!(!setup.differs_by_frame());

        let coefficients: Vec<f64> = (0..20).map(f64::from).collect();
        let found = ZernikeBlur::new(shape, coefficients).unwrap().parameters();
        assert!(!setup.take_values(&found), "of another model");
        setup.model = Model::Zernike;
        assert!(setup.take_values(&found));
        assert_eq!(setup.coefficients_of(1)[0], 10.0);
    }

    #[test]
    fn a_file_with_a_mask_is_what_the_live_view_uses() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mask.png");
        media::write_png(&file, 1, 2, &[1.0, 0.0]).unwrap();
        let setup = Setup {
            model: Model::Inpaint,
            mask: Some(file),
            ..Setup::default()
        };
        let made = setup
            .live_model(Shape::new(2, 1, 2), None, &ALL, 0)
            .unwrap();
        assert_eq!(made.known.unwrap().data(), [1.0, 0.0, 1.0, 0.0]);
        assert!(
            setup
                .live_model(Shape::new(2, 2, 2), None, &ALL, 0)
                .is_err()
        );
    }
}
