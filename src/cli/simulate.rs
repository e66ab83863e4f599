//! `vdps simulate`: a measurement of a known scene, with its truth.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;

use super::error::{InputError, bad_input};
use super::input_args::InputArgs;
use super::model_args::{BuiltModel, FromFile, ModelArgs, Ranges};
use super::output;
use crate::clip::{Clip, Shape};
use crate::media::{FrameRange, PngDepth, Rounding, WriteOptions};
use crate::noise::Noise;
use crate::run::plan::Physics;
use crate::run::{FileRecord, ModelRecord, ResultsFolder, Sensor};
use crate::scenes::{self, Scene};

/// How many bits the camera's levels have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bits {
    /// measurement.gif: floor(255 y)
    #[value(name = "8")]
    #[serde(rename = "8")]
    Eight,
    /// A folder `measurement` of PNG frames: floor(65535 y)
    #[value(name = "16")]
    #[serde(rename = "16")]
    Sixteen,
    /// Only the real values of measurement.tif
    None,
}

impl Bits {
    /// The largest level.
    fn levels(self) -> Option<u32> {
        match self {
            Self::Eight => Some(255),
            Self::Sixteen => Some(65535),
            Self::None => None,
        }
    }
}

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The scene as amplitudes in [0, 1]: any clip, or a generated one, as in scene:walker
    /// (walker, shapes, leaves, pan, objects, room, water, sky, cells, text)
    pub input: String,

    /// Folder for the results; files of an earlier run are replaced, others stay
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// Of everything that is drawn: the scene, parameters, mask and noise
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,

    /// Print simulation.json to standard output, and nothing else there
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub input_args: InputArgs,

    #[command(flatten)]
    pub model: ModelArgs,

    #[command(flatten)]
    pub sensor: SensorArgs,
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Camera")]
pub struct SensorArgs {
    /// Exposure: what exceeds full scale after it saturates
    #[arg(
        long,
        value_name = "G",
        allow_negative_numbers = true,
        default_value_t = 1.0
    )]
    pub gain: f64,

    /// Photon noise of this many photons a pixel at full scale
    #[arg(long, value_name = "PHOTONS", allow_negative_numbers = true)]
    pub shot: Option<f64>,

    /// Standard deviation of the read noise as a share of full scale
    #[arg(
        long,
        value_name = "SIGMA",
        allow_negative_numbers = true,
        default_value_t = 0.0
    )]
    pub read_noise: f64,

    /// Bits of the levels, which are truncated like those of the published files
    #[arg(long, value_enum, default_value = "8")]
    pub quantise: Bits,
}

/// `simulation.json`.
#[derive(Serialize)]
struct Simulation {
    program: String,
    command_line: Vec<String>,
    /// The file, or the generated scene.
    scene: String,
    input: Option<FileRecord>,
    shape: Shape,
    seed: u64,
    model: ModelRecord,
    sensor: Sensor,
    bits: Bits,
    /// Share of the pixels at or above full scale.
    saturated_share: f64,
    files: Vec<String>,
    /// The flags that hand the same model to `reconstruct`.
    reconstruct_flags: String,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let (truth, pitch_um, input) = args.scene()?;
    let shape = truth.shape();
    if let Some(value) = truth.data().iter().find(|v| !(0.0..=1.0).contains(*v)) {
        return Err(bad_input!(
            "{} holds the value {value}, but amplitudes lie in [0, 1]: scale it first",
            args.input
        ));
    }
    let mut noise = Noise::seeded(args.seed);
    let file = FromFile {
        pitch_um,
        distance_m: None,
        cut: args.input_args.options(),
    };
    let built = args.model.build(shape, file, Ranges::Drawn, &mut noise)?;
    let BuiltModel { physics, setup } = built;
    let Physics::Known(forward) = physics else {
        return Err(bad_input!(
            "a measurement is made with parameters that are given"
        ));
    };
    let model = setup.record(forward.as_ref());
    for warning in &model.warnings {
        eprintln!("note: {warning}");
    }
    let sensor = Sensor {
        gain: args.sensor.gain,
        photons: args.sensor.shot,
        read_noise: args.sensor.read_noise,
    };
    let mut measurement = sensor.expose(&forward.apply(&truth), args.seed)?;
    if let Some(mask) = &setup.mask {
        measurement = measurement.zip(mask, |y, m| y * m);
    }
    let folder = ResultsFolder::create(&args.out)?;
    let saturated = measurement.data().iter().filter(|&&y| y >= 1.0).count();
    let files = args.write(&folder, &truth, &measurement, setup.mask.as_ref(), pitch_um)?;
    let record = Simulation {
        program: format!("vdps {}", env!("CARGO_PKG_VERSION")),
        command_line: std::env::args().collect(),
        scene: args.input.clone(),
        input,
        shape,
        seed: args.seed,
        reconstruct_flags: flags(&model, &args.out) + &sensor_flags(&sensor, &measurement),
        model,
        sensor,
        bits: args.sensor.quantise,
        saturated_share: saturated as f64 / shape.len() as f64,
        files,
    };
    folder.json("simulation.json", &record)?;
    if args.json {
        output::print_json(&record)?;
    } else {
        output::print(&summary(&record, &args))?;
    }
    Ok(())
}

impl Args {
    /// The truth, its pixel pitch where its file gives one, and the file's record.
    fn scene(&self) -> anyhow::Result<(Clip, Option<f64>, Option<FileRecord>)> {
        let Some(name) = self.input.strip_prefix("scene:") else {
            let (footage, record) = self.input_args.open(Path::new(&self.input))?;
            return Ok((footage.clip, footage.pixel_pitch_um, Some(record)));
        };
        let scene: Scene = name
            .parse()
            .map_err(|error| InputError(format!("{error}")))?;
        let InputArgs {
            frames,
            crop,
            resize,
            array,
        } = &self.input_args;
        if *frames != FrameRange::ALL || crop.is_some() || array.is_some() {
            return Err(bad_input!(
                "a generated scene is not cut from a file: of the input's flags it takes only \
                 --resize, its size"
            ));
        }
        let shape = resize.map_or(scenes::SHAPE, |size| Shape {
            height: size.height,
            width: size.width,
            ..scenes::SHAPE
        });
        Ok((scene.render(shape, self.seed), None, None))
    }

    fn write(
        &self,
        folder: &ResultsFolder,
        truth: &Clip,
        measurement: &Clip,
        mask: Option<&Clip>,
        pitch_um: Option<f64>,
    ) -> anyhow::Result<Vec<String>> {
        let rounded = WriteOptions {
            pixel_pitch_um: pitch_um.or(self.model.pitch_um),
            ..WriteOptions::default()
        };
        let truncated = WriteOptions {
            rounding: Rounding::Truncate,
            png_depth: PngDepth::Sixteen,
            ..rounded
        };
        let mut files = Vec::new();
        let mut write = |name: &str, clip: &Clip, options: &WriteOptions| {
            files.push(name.to_owned());
            folder.clip(name, clip, options)
        };
        write("truth.gif", truth, &rounded)?;
        write("truth.tif", truth, &rounded)?;
        write("measurement.tif", measurement, &rounded)?;
        match self.sensor.quantise {
            Bits::Eight => write("measurement.gif", measurement, &truncated)?,
            Bits::Sixteen => write("measurement", measurement, &truncated)?,
            Bits::None => {}
        }
        if let Some(mask) = mask {
            write("mask.gif", mask, &rounded)?;
        }
        Ok(files)
    }
}

/// What hands this model to `reconstruct`.
fn flags(model: &ModelRecord, out: &Path) -> String {
    let mut flags = format!("--model {}", model.name);
    let mut list = |flag: &str, wanted: &dyn Fn(&str) -> bool| {
        let values = model.parameters.iter().filter(|p| wanted(&p.name));
        let values: Vec<String> = values.map(|p| p.value.to_string()).collect();
        if !values.is_empty() {
            flags += &format!(" {flag} {}", values.join(","));
        }
    };
    list("--dist", &|name| name == "distance");
    list("--sigma", &|name| name == "sigma");
    if model.name == "zernike" {
        list("--coeffs", &|_| true);
        if model.parameters.iter().any(|p| p.frame.is_some()) {
            flags += " --varying";
        }
    }
    if model.mask.is_some() {
        flags += &format!(" --mask {}", quoted(&out.join("mask.gif")));
    }
    if let Some(geometry) = &model.geometry {
        let optics = geometry.optics;
        flags += &format!(
            " --pitch-um {} --magnification {} --wavelength-nm {}",
            optics.pitch_um, optics.magnification, optics.wavelength_nm
        );
    }
    flags
}

/// A path as a shell takes it for one word.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/\\:._-+,=@%".contains(c);
    if path.chars().all(plain) {
        path
    } else if cfg!(windows) {
        format!("\"{path}\"")
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

/// The camera's gain, and its noise at the mean intensity.
fn sensor_flags(sensor: &Sensor, measurement: &Clip) -> String {
    let mut flags = String::new();
    if sensor.gain != 1.0 {
        flags += &format!(" --gain {}", sensor.gain);
    }
    let values = measurement.data().iter().map(|&y| f64::from(y));
    let mean = values.sum::<f64>().max(0.0) / measurement.shape().len() as f64;
    let shot = sensor
        .photons
        .map_or(0.0, |photons| (mean / photons).sqrt());
    let noise = sensor.read_noise.hypot(shot);
    if noise > 0.0 {
        flags += &format!(" --noise {noise:.3e}");
    }
    flags
}

fn summary(record: &Simulation, args: &Args) -> String {
    let bits = record.bits.levels().map_or("real values".into(), |levels| {
        format!("levels 0 to {levels}, truncated")
    });
    let recorded = match record.bits {
        Bits::Eight => "measurement.gif",
        Bits::Sixteen => "measurement",
        Bits::None => "measurement.tif",
    };
    let out = &args.out;
    format!(
        "measured   {}, {}, {}: {bits}, {:.1} % of the pixels saturated\n\
         results    {}: {}, simulation.json\n\
         try        vdps reconstruct {} {} --target {} --out {}\n",
        record.scene,
        record.model.name,
        record.shape,
        100.0 * record.saturated_share,
        out.display(),
        record.files.join(", "),
        quoted(&out.join(recorded)),
        record.reconstruct_flags,
        quoted(&out.join("truth.tif")),
        quoted(&out.join("reconstruction")),
    )
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_where_a_shell_would_split_them() {
        let quoted = |path: &str| quoted(Path::new(path));
        assert_eq!(quoted("results/a-1.gif"), "results/a-1.gif");
        assert_eq!(quoted("my results/a.gif"), "'my results/a.gif'");
        assert_eq!(quoted("it's $5"), r"'it'\''s $5'");
    }
}
