//! The measurement of a run as flags: what was recorded, how, and through which forward model.

use std::path::PathBuf;

use clap::ValueEnum;

use super::error::bad_input;
use super::input_args::InputArgs;
use super::model_args::{BuiltModel, FromFile, ModelArgs, Ranges, Setup};
use super::quantity::Gain;
use crate::clip::Clip;
use crate::media::Footage;
use crate::noise::Noise;
use crate::run::plan::Problem;
use crate::run::{Capture, CaptureFiles, FileRecord};
use crate::solver::{Measurement, Quantisation};

/// What recorded values may become when gain and offset are taken out of them; more says that
/// their scale is another one.
const PLAUSIBLE: std::ops::RangeInclusive<f32> = -0.5..=4.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Levels {
    /// Truncated, like the published files: half a level is added
    Floor,
    /// Rounded to the nearest level
    Round,
}

#[derive(Clone, Debug, clap::Args)]
pub struct MeasurementArgs {
    /// The measurement: GIF, TIFF, NPY, MAT, a folder of pictures, or a video. Integer formats
    /// are taken as intensities of 0 to 1
    pub input: PathBuf,

    /// The true video, to score the result: read with the same frames, crop and size
    #[arg(long, value_name = "CLIP")]
    pub target: Option<PathBuf>,

    #[command(flatten)]
    pub input_args: InputArgs,

    /// First clip min-max to [0,1], minus 0.1, negatives to 0, as the published program treats
    /// real captures; the measurement then counts as exact
    #[arg(long, help_heading = "Input")]
    pub normalise: bool,

    /// How an integer measurement was made; real-valued and boolean ones are exact
    #[arg(long, value_enum, default_value = "floor", help_heading = "Input")]
    pub quantisation: Levels,

    /// What is recorded of intensity 1, above darkness: a share of full scale for integer
    /// formats, the value itself for floating-point ones (4095 for counts of 12 bits); fit where
    /// it is unknown, as for captures [default: 1]
    #[arg(long, value_name = "G|fixed|fit", help_heading = "Input")]
    #[arg(allow_negative_numbers = true)]
    pub gain: Option<Gain>,

    /// What is recorded of darkness, in the same units [default: 0]
    #[arg(long, value_name = "O", help_heading = "Input")]
    #[arg(allow_negative_numbers = true)]
    pub offset: Option<f64>,

    /// Standard deviation of the camera's noise besides that of its levels, in the units of
    /// --gain: a share of full scale for integer formats [default: 0]
    #[arg(long, value_name = "SIGMA", help_heading = "Input")]
    #[arg(allow_negative_numbers = true)]
    pub noise: Option<f64>,

    /// What the camera records without light, averaged over its frames: in place of --offset.
    /// Cut like the input
    #[arg(long, value_name = "CLIP", help_heading = "Input")]
    pub dark: Option<PathBuf>,

    /// What the camera records of the light without a scene, averaged over its frames: uneven
    /// light and dust are divided out. Cut like the input
    #[arg(long, value_name = "CLIP", help_heading = "Input")]
    pub flat: Option<PathBuf>,

    #[command(flatten)]
    pub model: ModelArgs,
}

/// A measurement with everything that was read or drawn beside it.
pub struct Loaded {
    pub problem: Problem,
    /// The problem's forward model and what its trait does not tell.
    pub setup: Setup,
    pub input: FileRecord,
    /// As recorded, gain and offset taken out, nothing corrected.
    pub bare: Clip,
    pub target: Option<(Footage, FileRecord)>,
    pub pixel_pitch_um: Option<f64>,
    pub levels: Option<u32>,
    pub quantisation: Option<Quantisation>,
    pub saturated_share: f64,
    pub exposure: Exposure,
    pub dark: Option<FileRecord>,
    pub flat: Option<FileRecord>,
    /// Where everything that is drawn comes from.
    pub noise: Noise,
}

impl MeasurementArgs {
    /// Reads the measurement and its target, and sets up the model; what is drawn comes from
    /// `seed`.
    ///
    /// # Errors
    /// Files that cannot be read, and flags that do not go with them.
    pub fn load(&self, seed: u64) -> anyhow::Result<Loaded> {
        let exposure = self.exposure()?;
        let Capture {
            measurement,
            footage,
            quantisation,
            input,
            target,
            dark,
            flat,
        } = self.files().open()?;
        if quantisation.is_none() && !exposure.fit {
            exposure.check_scale(&footage.clip)?;
        }
        let shape = footage.clip.shape();
        let mut noise = Noise::seeded(seed);
        let from_file = FromFile {
            pitch_um: footage.pixel_pitch_um,
            distance_m: footage.distance_m,
            cut: self.input_args.options(),
        };
        let ranges = Ranges::Unknown {
            fit_gain: exposure.fit,
        };
        let BuiltModel { physics, setup } =
            self.model.build(shape, from_file, ranges, &mut noise)?;
        let Exposure { gain, offset, .. } = exposure;
        let bare = Measurement::exact(footage.clip.clone()).unexposed(gain, offset);
        let measurement = measurement.unexposed(gain, offset);
        let camera = self.noise.unwrap_or(0.0) / gain;
        Ok(Loaded {
            saturated_share: measurement.saturated_share(),
            problem: Problem {
                physics,
                noise: camera.hypot(measurement.rounding()),
                measurement: match &setup.mask {
                    Some(mask) => masked(&measurement, mask),
                    None => measurement,
                },
                mask: setup.mask.clone(),
            },
            bare: bare.values().clone(),
            pixel_pitch_um: footage.pixel_pitch_um,
            setup,
            input,
            target,
            levels: quantisation.and(footage.levels),
            quantisation,
            exposure,
            dark,
            flat,
            noise,
        })
    }

    fn files(&self) -> CaptureFiles {
        CaptureFiles {
            input: self.input.clone(),
            target: self.target.clone(),
            read: self.input_args.options(),
            normalise: self.normalise,
            quantisation: match self.quantisation {
                Levels::Floor => Quantisation::Floor,
                Levels::Round => Quantisation::Round,
            },
            dark: self.dark.clone(),
            flat: self.flat.clone(),
        }
    }

    /// Gain and offset; those of a measurement whose gain is to be found are 1 and 0.
    fn exposure(&self) -> anyhow::Result<Exposure> {
        let fit = self.gain == Some(Gain::Fit);
        if fit && self.offset.is_some() {
            return Err(bad_input!(
                "--gain fit finds the offset too: leave --offset out"
            ));
        }
        if self.dark.is_some() && self.offset.is_some() {
            return Err(bad_input!(
                "the dark frame says what is recorded of darkness: give --dark or --offset"
            ));
        }
        if self.normalise && (self.dark.is_some() || self.flat.is_some()) {
            return Err(bad_input!(
                "--normalise stretches the measurement away from its dark and flat frames: \
                 leave it out, and give --gain fit where the exposure is unknown"
            ));
        }
        let gain = match self.gain {
            Some(Gain::Fixed(gain)) => gain,
            Some(Gain::Fit) | None => 1.0,
        };
        let offset = self.offset.unwrap_or(0.0);
        if !(gain.is_finite() && gain > 0.0) {
            return Err(bad_input!("--gain is {gain}; it must be above 0"));
        }
        if !offset.is_finite() {
            return Err(bad_input!("--offset is {offset}; it must be a number"));
        }
        match self.noise {
            Some(noise) if !(noise.is_finite() && noise >= 0.0) => Err(bad_input!(
                "--noise is {noise}; it is a standard deviation, 0 or more"
            )),
            _ => Ok(Exposure { gain, offset, fit }),
        }
    }
}

/// gain * intensity + offset was recorded.
#[derive(Clone, Copy, Debug)]
pub struct Exposure {
    pub gain: f64,
    pub offset: f64,
    /// Both are to be found.
    pub fit: bool,
}

impl Exposure {
    /// Values that nothing says the scale of must have the model's.
    fn check_scale(&self, recorded: &Clip) -> anyhow::Result<()> {
        let Self { gain, offset, .. } = self;
        let (low, high) = recorded.range();
        let bare = |v: f32| ((f64::from(v) - offset) / gain) as f32;
        if PLAUSIBLE.contains(&bare(low)) && PLAUSIBLE.contains(&bare(high)) {
            return Ok(());
        }
        Err(bad_input!(
            "the measurement's values range from {low} to {high}, but with --gain {gain} and \
             --offset {offset} about {offset} to {} was expected: give what was recorded of \
             intensity 1 as --gain and of darkness as --offset (--gain 4095 for counts of 12 \
             bits), or --normalise",
            gain + offset
        ))
    }
}

/// Nothing was measured where the mask is 0, and amplitudes do not saturate.
fn masked(measurement: &Measurement, mask: &Clip) -> Measurement {
    Measurement::exact(measurement.values().zip(mask, |y, m| y * m))
}
