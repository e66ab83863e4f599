//! The forward model as flags, shared by `reconstruct` and `simulate`.

use clap::ValueEnum;

use super::error::bad_input;
use super::quantity::{Coefficients, Lengths, MaskSource};
use crate::clip::{Clip, Shape};
use crate::media::{self, ReadOptions};
use crate::noise::Noise;
use crate::physics::zernike::MODES;
use crate::physics::{Blur, Dehaze, ForwardModel, Inpaint, Optics, PerFrame, Scatter, ZernikeBlur};
use crate::run::plan::{AberrationUnknown, Physics};
use crate::run::{Geometry, ModelRecord};
use crate::solver::{ScatterSearch, Sought, Variation};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModelName {
    /// Propagation to a dynamic scattering layer that blurs: needs --dist and --sigma, known
    /// or as ranges
    Scatter,
    /// Gaussian blur of amplitudes
    Blur,
    /// Uniform haze
    Dehaze,
    /// Missing pixels: needs --mask
    Inpaint,
    /// Blur by an aberrated pupil: needs --coeffs
    Zernike,
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Forward model")]
pub struct ModelArgs {
    /// What stands between the scene and the camera
    #[arg(long, value_enum, default_value = "scatter")]
    pub model: ModelName,

    /// Distance from the object to the layer: mm, or with a unit (5mm, 500um, 0.005m); one
    /// for the clip, or one for each frame with commas between them. A range (2.5..10) is an
    /// unknown distance within it
    #[arg(long, value_name = "MM", allow_hyphen_values = true)]
    pub dist: Option<Lengths>,

    /// Width of the blur: pixels, or with a unit (8um); one for the clip, or one for each
    /// frame with commas between them; 3 pixels for --model blur. A range (0.5..2) is an
    /// unknown width within it
    #[arg(long, value_name = "PX", allow_hyphen_values = true)]
    pub sigma: Option<Lengths>,

    /// What a range of --dist or --sigma means: one unknown value for each frame, or one for
    /// the clip [default: frame]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub per: Option<Per>,

    /// Zernike coefficients in radians, C0 to C9, unnormalised: piston, tilt, tip, oblique
    /// astigmatism, defocus, vertical astigmatism, vertical trefoil, vertical coma,
    /// horizontal coma, oblique trefoil; or `unknown`
    #[arg(long, value_name = "C0,..,C9", allow_hyphen_values = true)]
    pub coeffs: Option<Coefficients>,

    /// The aberration differs from frame to frame: ten coefficients a frame, frame after frame.
    /// Where they are unknown or random, `--varying=smooth` says that they change little from
    /// one frame to the next
    #[arg(
        long,
        value_enum,
        value_name = "HOW",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "free"
    )]
    pub varying: Option<Varying>,

    /// Which pixels are measured: a clip or picture of ones and zeros (white and black), or
    /// random:SHARE, drawn from --seed. Files are cut like the input; with --resize they must
    /// have the size asked for
    #[arg(long, value_name = "FILE|random:0.5")]
    pub mask: Option<MaskSource>,

    /// Pixel pitch of the camera or display in micrometres; where the file gives none, 8, and
    /// 24 (the published captures') where the distance is a MAT file's z
    #[arg(long, value_name = "UM", allow_negative_numbers = true)]
    pub pitch_um: Option<f64>,

    /// Magnification from the object to the pixels
    #[arg(
        long,
        value_name = "TIMES",
        allow_negative_numbers = true,
        default_value_t = 1.0
    )]
    pub magnification: f64,

    /// Wavelength in nanometres
    #[arg(
        long,
        value_name = "NM",
        allow_negative_numbers = true,
        default_value_t = 532.0
    )]
    pub wavelength_nm: f64,
}

/// What ranges of parameters mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ranges {
    /// Values are drawn from them.
    Drawn,
    /// The value is unknown; the flag asks for gain and offset to be found as well.
    Unknown { fit_gain: bool },
}

/// What an unknown value serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Per {
    /// Every frame has its own
    Frame,
    /// The clip has one
    Clip,
}

/// How an aberration goes from frame to frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Varying {
    /// Each frame's has nothing to do with the others'
    Free,
    /// It changes by about half a radian a coefficient from one frame to the next
    Smooth,
}

/// What a file says about the setup.
#[derive(Clone, Debug, Default)]
pub struct FromFile {
    pub pitch_um: Option<f64>,
    pub distance_m: Option<f64>,
    /// Which part of it was read; masks from files are cut alike.
    pub cut: ReadOptions,
}

/// A forward model, and what its trait does not tell.
pub struct BuiltModel {
    pub physics: Physics,
    pub setup: Setup,
}

/// What a forward model's trait does not tell of it.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Of models that involve lengths.
    pub optics: Option<Optics>,
    /// 1 where pixels are measured.
    pub mask: Option<Clip>,
    mask_source: Option<MaskSource>,
}

impl BuiltModel {
    fn known(model: impl ForwardModel + 'static) -> Self {
        Self::of(Physics::Known(Box::new(model)))
    }

    fn of(physics: Physics) -> Self {
        Self {
            physics,
            setup: Setup::default(),
        }
    }
}

impl Setup {
    /// What a pixel covers of the object.
    pub fn object_pitch_um(&self) -> f64 {
        self.optics.unwrap_or(Optics::SYNTHETIC).object_pitch_um()
    }

    /// The mask, where it was drawn and no file holds it.
    pub fn drawn_mask(&self) -> Option<&Clip> {
        match self.mask_source {
            Some(MaskSource::Random(_)) => self.mask.as_ref(),
            _ => None,
        }
    }

    /// `model` has the parameter values that are to be recorded.
    pub fn record(&self, model: &dyn ForwardModel) -> ModelRecord {
        let shape = model.shape();
        let shorter = shape.height.min(shape.width);
        ModelRecord {
            name: model.name().to_owned(),
            parameters: model.parameters(),
            geometry: self.optics.map(|optics| Geometry {
                optics,
                aliasing_limit_mm: optics.aliasing_limit_mm(shorter),
            }),
            mask: self.mask_source.as_ref().map(ToString::to_string),
            warnings: model.warnings(),
        }
    }
}

/// The point spread functions of a model that has them: side by side, the number of their
/// rows first.
pub fn psfs(model: &dyn ForwardModel) -> Option<(usize, Vec<f32>)> {
    if model.name() != "zernike" {
        return None;
    }
    let values = model.parameters().iter().map(|p| p.value).collect();
    let model = ZernikeBlur::new(model.shape(), values).ok()?;
    Some(side_by_side(model.psfs()))
}

impl ModelArgs {
    /// The model for clips of this shape; what is drawn comes from `noise`. Where ranges are
    /// drawn from, every parameter is known.
    pub fn build(
        &self,
        shape: Shape,
        file: FromFile,
        ranges: Ranges,
        noise: &mut Noise,
    ) -> anyhow::Result<BuiltModel> {
        self.check_flags_belong(ranges)?;
        let published = match (&self.dist, file.distance_m) {
            (None, Some(_)) => Optics::REAL,
            _ => Optics::SYNTHETIC,
        };
        let optics = Optics {
            wavelength_nm: self.wavelength_nm,
            pitch_um: self
                .pitch_um
                .or(file.pitch_um)
                .unwrap_or(published.pitch_um),
            magnification: self.magnification,
        };
        optics.check()?;
        match self.model {
            ModelName::Scatter => self.scatter(shape, optics, file.distance_m, ranges, noise),
            ModelName::Blur => self.blur(shape, optics, ranges, noise),
            ModelName::Dehaze => Ok(BuiltModel::known(Dehaze::new(shape)?)),
            ModelName::Inpaint => self.inpaint(shape, &file.cut, noise),
            ModelName::Zernike => self.zernike(shape, ranges, noise),
        }
    }

    fn scatter(
        &self,
        shape: Shape,
        optics: Optics,
        distance_m: Option<f64>,
        ranges: Ranges,
        noise: &mut Noise,
    ) -> anyhow::Result<BuiltModel> {
        let missing = |flag: &str, what: &str| {
            bad_input!(
                "--model scatter needs {flag}: {what}, as in --dist 5 --sigma 1; where it is \
                 unknown, a range it lies in, as in --dist 2.5..10 --sigma 0.5..2"
            )
        };
        let frames = shape.frames;
        let drawn = ranges == Ranges::Drawn;
        let dist_mm = match (&self.dist, distance_m) {
            (Some(dist), _) => match dist.millimetre_range()?.filter(|_| !drawn) {
                Some((min, max)) => Sought::Within { min, max },
                None => Sought::Known(per_frame(dist.millimetres(frames, noise)?)),
            },
            (None, Some(metres)) => {
                let (dist_mm, pitch_um) = (metres * 1e3, optics.pitch_um);
                eprintln!(
                    "note: the distance is the file's z, {dist_mm} mm (else --dist); the pixel \
                     pitch is {pitch_um} um (else --pitch-um)"
                );
                Sought::Known(dist_mm.into())
            }
            (None, None) => {
                return Err(missing("--dist", "the distance from object to layer in mm"));
            }
        };
        let Some(sigma) = &self.sigma else {
            return Err(missing(
                "--sigma",
                "the width of the layer's blur in pixels",
            ));
        };
        let pitch_um = optics.object_pitch_um();
        let sigma_px = match sigma.pixel_range(pitch_um)?.filter(|_| !drawn) {
            Some((min, max)) => Sought::Within { min, max },
            None => Sought::Known(per_frame(sigma.pixels(pitch_um, frames, noise)?)),
        };
        let physics = match (dist_mm, sigma_px, ranges) {
            (
                Sought::Known(dist_mm),
                Sought::Known(sigma_px),
                Ranges::Drawn | Ranges::Unknown { fit_gain: false },
            ) => Physics::Known(Box::new(Scatter::new(shape, optics, dist_mm, sigma_px)?)),
            (dist_mm, sigma_px, _) => {
                let unknown = ScatterSearch {
                    shape,
                    optics,
                    dist_mm,
                    sigma_px,
                    per_frame: self.per != Some(Per::Clip),
                };
                match ranges {
                    Ranges::Unknown { fit_gain: true } => Physics::Capture(unknown),
                    _ => Physics::Scatter(unknown),
                }
            }
        };
        if self.per.is_some() && physics.is_known() && !drawn {
            return Err(bad_input!(
                "--per says what a range of --dist or --sigma means, but neither is a range"
            ));
        }
        let setup = Setup {
            optics: Some(optics),
            ..Setup::default()
        };
        Ok(BuiltModel { physics, setup })
    }

    fn blur(
        &self,
        shape: Shape,
        optics: Optics,
        ranges: Ranges,
        noise: &mut Noise,
    ) -> anyhow::Result<BuiltModel> {
        let pitch_um = optics.object_pitch_um();
        let Some(sigma) = &self.sigma else {
            return Ok(BuiltModel::known(Blur::new(
                shape,
                Blur::PUBLISHED_SIGMA_PX,
            )?));
        };
        if let (Some((min, max)), Ranges::Unknown { .. }) = (sigma.pixel_range(pitch_um)?, ranges) {
            return Err(bad_input!(
                "--sigma {min}..{max}: a blur without a layer must be known; give its width, or \
                 try several and compare their residuals"
            ));
        }
        // One draw serves the clip.
        match sigma.pixels(pitch_um, 1, noise)?[..] {
            [sigma_px] => Ok(BuiltModel::known(Blur::new(shape, sigma_px)?)),
            _ => Err(bad_input!("--model blur takes one --sigma for the clip")),
        }
    }

    fn inpaint(
        &self,
        shape: Shape,
        cut: &ReadOptions,
        noise: &mut Noise,
    ) -> anyhow::Result<BuiltModel> {
        let mask = match &self.mask {
            None => {
                return Err(bad_input!(
                    "--model inpaint needs --mask: a file that is white where pixels are \
                     measured, or random:0.5"
                ));
            }
            Some(MaskSource::Random(keep)) => Inpaint::random_mask(shape, *keep, noise),
            Some(MaskSource::File(path)) => media::open_mask(path, cut)?,
        };
        let model = Inpaint::new(shape, mask)?;
        let setup = Setup {
            mask: Some(model.mask().clone()),
            mask_source: self.mask.clone(),
            ..Setup::default()
        };
        Ok(BuiltModel {
            physics: Physics::Known(Box::new(model)),
            setup,
        })
    }

    fn zernike(
        &self,
        shape: Shape,
        ranges: Ranges,
        noise: &mut Noise,
    ) -> anyhow::Result<BuiltModel> {
        let count = match self.varying {
            Some(_) => MODES.len() * shape.frames,
            None => MODES.len(),
        };
        let coefficients = match (&self.coeffs, ranges) {
            (None, _) => {
                return Err(bad_input!(
                    "--model zernike needs --coeffs: ten Zernike coefficients in radians \
                     (with --varying ten for each frame), or `unknown`"
                ));
            }
            (Some(Coefficients::Unknown), Ranges::Unknown { fit_gain }) => {
                return Ok(BuiltModel::of(Physics::Aberration(AberrationUnknown {
                    shape,
                    varying: self.varying.map(|how| match how {
                        Varying::Free => Variation::Free,
                        Varying::Smooth => Variation::Smooth,
                    }),
                    fit_gain,
                })));
            }
            (Some(Coefficients::Unknown), Ranges::Drawn) => {
                return Err(bad_input!(
                    "--coeffs unknown is for `reconstruct`; `random` draws some"
                ));
            }
            (Some(Coefficients::Random), Ranges::Unknown { .. }) => {
                return Err(bad_input!(
                    "--coeffs random is for `simulate`; give the ten numbers that it wrote, or \
                     `unknown`"
                ));
            }
            (Some(Coefficients::Random), Ranges::Drawn) => {
                self.random_coefficients(shape.frames, noise)
            }
            (Some(Coefficients::Listed(values)), _) if values.len() != count => {
                return Err(bad_input!(
                    "--coeffs holds {} values; {count} are needed ({})",
                    values.len(),
                    match self.varying {
                        Some(_) => format!("ten for each of {} frames", shape.frames),
                        None => "ten for the clip; with --varying ten for each frame".into(),
                    }
                ));
            }
            (Some(Coefficients::Listed(values)), _) => values.clone(),
        };
        Ok(BuiltModel::known(ZernikeBlur::new(shape, coefficients)?))
    }

    /// 2 N(0, 1) rad, as in the published experiments; along a smooth path, the later frames'
    /// differ from those before by 0.5 N(0, 1) rad.
    fn random_coefficients(&self, frames: usize, noise: &mut Noise) -> Vec<f64> {
        let mut draw =
            |scale: f64| -> Vec<f64> { MODES.iter().map(|_| scale * noise.normal()).collect() };
        let mut all = draw(2.0);
        if let Some(how) = self.varying {
            for frame in 1..frames {
                let next = match how {
                    Varying::Free => draw(2.0),
                    Varying::Smooth => {
                        let before = &all[(frame - 1) * MODES.len()..];
                        before.iter().zip(draw(0.5)).map(|(c, d)| c + d).collect()
                    }
                };
                all.extend(next);
            }
        }
        all
    }

    /// Flags of another model are mistakes, not decoration.
    fn check_flags_belong(&self, ranges: Ranges) -> anyhow::Result<()> {
        use ModelName::{Blur, Inpaint, Scatter, Zernike};
        let given = [
            ("--dist", self.dist.is_some(), &[Scatter][..]),
            ("--sigma", self.sigma.is_some(), &[Scatter, Blur]),
            ("--per", self.per.is_some(), &[Scatter]),
            ("--coeffs", self.coeffs.is_some(), &[Zernike]),
            ("--varying", self.varying.is_some(), &[Zernike]),
            ("--mask", self.mask.is_some(), &[Inpaint]),
        ];
        let value = self.model.to_possible_value();
        let name = value.as_ref().map_or("", |value| value.get_name());
        for (flag, present, models) in given {
            if present && !models.contains(&self.model) {
                return Err(bad_input!(
                    "{flag} says nothing to --model {name}: leave it out, or choose another model"
                ));
            }
        }
        if self.per.is_some() && ranges == Ranges::Drawn {
            return Err(bad_input!(
                "--per is for `reconstruct`; `simulate` draws one value a frame from a range"
            ));
        }
        let unknown = match self.model {
            Scatter => true,
            Zernike => self.coeffs == Some(Coefficients::Unknown),
            _ => false,
        };
        if ranges == (Ranges::Unknown { fit_gain: true }) && !unknown {
            return Err(bad_input!(
                "--gain fit is for --model scatter, and for --model zernike with --coeffs \
                 unknown: give the gain as a number"
            ));
        }
        Ok(())
    }
}

fn per_frame(values: Vec<f64>) -> PerFrame {
    match values[..] {
        [value] => PerFrame::Clip(value),
        _ => PerFrame::Frames(values),
    }
}

/// Square pictures in a row, each scaled to its largest value; the number of rows first.
fn side_by_side<'a>(psfs: impl ExactSizeIterator<Item = &'a [f32]>) -> (usize, Vec<f32>) {
    let psfs: Vec<&[f32]> = psfs.collect();
    let side = psfs.first().map_or(0, |psf| psf.len().isqrt());
    let row = |y: usize| {
        psfs.iter().flat_map(move |psf| {
            let largest = psf.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
            psf[y * side..(y + 1) * side]
                .iter()
                .map(move |v| v / largest)
        })
    };
    (side, (0..side).flat_map(row).collect())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        model: ModelArgs,
    }

    #[test]
    fn a_distance_from_the_file_comes_with_the_published_captures_pitch() {
        let optics = |flags: &[&str], pitch_um| {
            let flags = [&["", "--sigma", "1"], flags].concat();
            let file = FromFile {
                pitch_um,
                distance_m: Some(0.01),
                ..FromFile::default()
            };
            let model = Flags::parse_from(flags).model;
            let noise = &mut Noise::seeded(0);
            let built = model.build(
                Shape::new(1, 8, 8),
                file,
                Ranges::Unknown { fit_gain: false },
                noise,
            );
            let BuiltModel { physics, setup } = built.unwrap();
            let Physics::Known(model) = physics else {
                panic!("everything is given");
            };
            (model.parameters()[0].value, setup.optics.unwrap().pitch_um)
        };
        assert_eq!(optics(&[], None), (10.0, 24.0));
        assert_eq!(optics(&["--pitch-um", "6"], None), (10.0, 6.0));
        assert_eq!(optics(&[], Some(4.5)), (10.0, 4.5));
        assert_eq!(optics(&["--dist", "5"], None), (5.0, 8.0));
    }
}
