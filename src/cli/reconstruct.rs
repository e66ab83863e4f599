//! `vdps reconstruct`: from a measurement to the video behind the layer.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant as Clock;

use anyhow::bail;
use clap::ValueEnum;

use super::checkpoint;
use super::error::{Interrupted, bad_input};
use super::input_args::InputArgs;
use super::interrupt;
use super::model_args::{BuiltModel, Draws, FromFile, ModelArgs};
use super::output;
use super::progress::{ProgressReport, residual};
use crate::clip::Clip;
use crate::device::{self, ComputeDevice, DeviceRequest};
use crate::media::{WriteOptions, datasets};
use crate::metrics::{Quality, ShapesDiffer};
use crate::noise::Noise;
use crate::prior::{NetworkPrior, Prior, Schedule};
use crate::run::{
    BURN_VERSION, DeviceRecord, FileRecord, MeasurementRecord, ModelRecord, Outcome, PriorRecord,
    Residual, ResultsFolder, RunOutcome, RunRecord, SolverRecord, Timings, check_memory, drive,
    sha256,
};
use crate::solver::{
    Instant, InstantConfig, Measurement, Progress, Quantisation, Reference, ReferenceConfig,
    Solver, Weight,
};

/// What recorded values may become when gain and offset are taken out of them; more says that
/// their scale is another one.
const PLAUSIBLE: std::ops::RangeInclusive<f32> = -0.5..=4.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// Seconds, no network: maximum a posteriori with total variation in space and time
    Instant,
    /// The published sampler with the authors' trained network: hours without a GPU
    Reference,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Levels {
    /// Truncated, like the published files: half a level is added
    Floor,
    /// Rounded to the nearest level
    Round,
}

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The measurement: GIF, TIFF, NPY, MAT, a folder of pictures, or a video. Integer formats
    /// are taken as intensities of 0 to 1
    pub input: PathBuf,

    /// Folder for the results; files of an earlier run are replaced, others stay
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    #[arg(long, value_enum, default_value = "instant")]
    pub method: Method,

    /// The true video, to score the result: read with the same frames, crop and size
    #[arg(long, value_name = "CLIP")]
    pub target: Option<PathBuf>,

    /// Print run.json to standard output, and nothing else there
    #[arg(long)]
    pub json: bool,

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
    /// formats, the value itself for floating-point ones (4095 for counts of 12 bits)
    #[arg(long, value_name = "G", default_value_t = 1.0, help_heading = "Input")]
    #[arg(allow_negative_numbers = true)]
    pub gain: f64,

    /// What is recorded of darkness, in the same units
    #[arg(long, value_name = "O", default_value_t = 0.0, help_heading = "Input")]
    #[arg(allow_negative_numbers = true)]
    pub offset: f64,

    #[command(flatten)]
    pub model: ModelArgs,

    #[command(flatten)]
    pub solver: SolverArgs,
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Method")]
pub struct SolverArgs {
    /// instant: iterations [default: 500]
    #[arg(long, value_name = "N")]
    pub iterations: Option<usize>,

    /// instant: standard deviation of the camera's noise besides that of its levels, in the
    /// units of --gain: a share of full scale for integer formats [default: 0]
    #[arg(long, value_name = "SIGMA", allow_negative_numbers = true)]
    pub noise: Option<f64>,

    /// reference: the trained network [default: results/model-100.1.pt, from 128 pixels on
    /// results/model-100.2.pt]
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,

    /// reference: steps, evenly spread over the published 1000 [default: 1000]
    #[arg(long, value_name = "N")]
    pub steps: Option<usize>,

    /// reference: multiplies the published guidance [default: 1]
    #[arg(long, value_name = "G", allow_negative_numbers = true)]
    pub guidance: Option<f64>,

    /// reference: auto, cpu, gpu, gpu:N or software [default: auto]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<DeviceRequest>,

    /// Of everything that is drawn: masks, and the noise of the reference method
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let cancel = interrupt::watch()?;
    let record = reconstruct(&args, cancel)?;
    if args.json {
        output::print_json(&record)?;
    } else {
        output::print(&summary(&record, &args.out))?;
    }
    done(&record, &args.out)
}

/// An error for a run that was stopped or failed.
pub(super) fn done(record: &RunRecord, out: &std::path::Path) -> anyhow::Result<()> {
    let kept = format!("the estimate reached so far is in {}", out.display());
    match record.outcome {
        RunOutcome::Finished => Ok(()),
        RunOutcome::Cancelled => Err(Interrupted(kept).into()),
        RunOutcome::Failed => bail!("{}; {kept}", record.error.as_deref().unwrap_or_default()),
    }
}

/// Reconstructs and writes every result, also of a run that ends early after its first step.
pub(super) fn reconstruct(args: &Args, cancel: &AtomicBool) -> anyhow::Result<RunRecord> {
    let started = Clock::now();
    args.solver.check_belong(args.method)?;
    args.check_exposure()?;
    let (mut footage, input) = args.input_args.open(&args.input)?;
    if args.normalise {
        footage.clip = datasets::normalise(&footage.clip)
            .ok_or_else(|| bad_input!("--normalise: every value of the measurement is the same"))?;
        footage.levels = None;
    }
    // Ones and zeros were counted, not truncated.
    let levels = footage.levels.filter(|&levels| levels > 1);
    if levels.is_none() {
        args.check_scale(&footage.clip)?;
    }
    let shape = footage.clip.shape();
    let target = args.target.as_ref().map(|path| args.input_args.open(path));
    let target = target.transpose()?;
    if let Some((target, _)) = &target
        && target.clip.shape() != shape
    {
        return Err(ShapesDiffer {
            clip: shape,
            target: target.clip.shape(),
        }
        .into());
    }

    let mut noise = Noise::seeded(args.solver.seed);
    let from_file = FromFile {
        pitch_um: footage.pixel_pitch_um,
        distance_m: footage.distance_m,
        cut: args.input_args.options(),
    };
    let built = args
        .model
        .build(shape, from_file, Draws::Refused, &mut noise)?;
    let model = built.record();
    for warning in &model.warnings {
        eprintln!("note: {warning}");
    }
    let bare = Measurement::exact(footage.clip.clone()).unexposed(args.gain, args.offset);
    let quantisation = levels.map(|_| match args.quantisation {
        Levels::Floor => Quantisation::Floor,
        Levels::Round => Quantisation::Round,
    });
    let measurement = match (levels, quantisation) {
        (Some(levels), Some(quantisation)) => {
            let recorded = Measurement::quantised(footage.clip, levels, quantisation);
            let recorded = match input.resize {
                Some(_) => recorded.resampled(),
                None => recorded,
            };
            recorded.unexposed(args.gain, args.offset)
        }
        _ => bare.clone(),
    };
    let saturated_share = measurement.saturated_share();
    let noise_level = args.noise_level(&measurement);
    let measurement = match &built.mask {
        Some(mask) => masked(&measurement, mask),
        None => measurement,
    };

    let psfs = built.psfs.clone();
    let drawn_mask = built.drawn_mask().cloned();
    let has_mask = built.mask.is_some();
    let prepared = args.prepare(built, measurement.clone(), noise_level, noise)?;
    let Prepared {
        mut solver,
        device,
        prior,
    } = prepared;
    let nothing_done = || Interrupted("before the first step; nothing was written".into());
    if cancel.load(Ordering::SeqCst) {
        return Err(nothing_done().into());
    }
    let folder = ResultsFolder::create(&args.out)?;
    let name = args.input.file_stem().unwrap_or_default().to_string_lossy();
    // The published sampler's residual of missing pixels is that of signed video.
    let signed = args.method == Method::Reference && has_mask;
    let shown = levels.filter(|_| !signed);
    let mut report = ProgressReport::new(name, solver.total_steps(), shown);
    let solving = Clock::now();
    let driven = drive(solver.as_mut(), cancel, &mut |progress, _| {
        report.update(&Progress {
            residual_rms: args.gain * progress.residual_rms,
            ..*progress
        })
    });
    let solver_s = solving.elapsed().as_secs_f64();
    report.finish();
    let outcome = RunOutcome::from(&driven);
    let error = match driven {
        Err(error) if solver.steps_done() == 0 => return Err(error.into()),
        Ok(Outcome::Cancelled) if solver.steps_done() == 0 => return Err(nothing_done().into()),
        driven => driven.err().map(|error| error.to_string()),
    };

    let estimate = solver.estimate();
    let predicted = solver.model().apply(&estimate);
    let residual = measurement.residual(&predicted);
    let residual = residual.map(|r| (args.gain * f64::from(r)) as f32);
    let files = write_clips(&folder, &estimate, &residual, footage.pixel_pitch_um)?;
    let mut files: Vec<String> = files.map(String::from).to_vec();
    if let Some((side, values)) = &psfs {
        folder.picture("psf.png", *side, values.len() / side, values)?;
        files.push("psf.png".into());
    }
    if let Some(mask) = &drawn_mask {
        folder.clip("mask.gif", mask, &WriteOptions::default())?;
        files.push("mask.gif".into());
    }
    let quality = |clip: &Clip| match &target {
        Some((target, _)) => Quality::of(clip, &target.clip).map(Some),
        None => Ok(None),
    };
    let record = RunRecord {
        program: format!("vdps {}", env!("CARGO_PKG_VERSION")),
        burn: BURN_VERSION,
        command_line: std::env::args().collect(),
        outcome,
        error,
        measurement: MeasurementRecord {
            quantisation,
            saturated_share,
            normalised: args.normalise,
            gain: args.gain,
            offset: args.offset,
        },
        solver: args
            .solver
            .record(args.method, solver.as_ref(), noise_level),
        seed: args.solver.seed,
        device: DeviceRecord::from(&device),
        prior,
        residual: Residual::of(&residual, levels),
        quality: quality(&estimate)?,
        measurement_quality: quality(bare.values())?,
        target: target.map(|(_, record)| record),
        model,
        input,
        files,
        timings: Timings {
            solver_s,
            total_s: started.elapsed().as_secs_f64(),
        },
    };
    folder.json("run.json", &record)?;
    Ok(record)
}

/// A solver that is ready to step, and what it stands on.
struct Prepared {
    solver: Box<dyn Solver>,
    device: ComputeDevice,
    prior: Option<PriorRecord>,
}

impl Args {
    fn prepare(
        &self,
        built: BuiltModel,
        measurement: Measurement,
        noise_level: f64,
        noise: Noise,
    ) -> anyhow::Result<Prepared> {
        match self.method {
            Method::Instant => {
                let config = self.solver.instant_config(noise_level);
                Ok(Prepared {
                    solver: Box::new(Instant::new(built.model, measurement, config)?),
                    device: ComputeDevice::cpu("the instant method computes on the processor"),
                    prior: None,
                })
            }
            Method::Reference => self.solver.reference(built, measurement, noise),
        }
    }

    fn check_exposure(&self) -> anyhow::Result<()> {
        let Self { gain, offset, .. } = self;
        if !(gain.is_finite() && *gain > 0.0) {
            return Err(bad_input!("--gain is {gain}; it must be above 0"));
        }
        if !offset.is_finite() {
            return Err(bad_input!("--offset is {offset}; it must be a number"));
        }
        Ok(())
    }

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

    /// Standard deviation of all noise in the model's units.
    fn noise_level(&self, measurement: &Measurement) -> f64 {
        let camera = self.solver.noise.unwrap_or(0.0) / self.gain;
        camera.hypot(measurement.rounding())
    }
}

impl SolverArgs {
    const PUBLISHED: usize = Schedule::PUBLISHED_TIMESTEPS;

    /// Settings of the other method are mistakes, not decoration.
    fn check_belong(&self, method: Method) -> anyhow::Result<()> {
        use Method::{Instant, Reference};
        let given = [
            ("--iterations", self.iterations.is_some(), Instant),
            ("--noise", self.noise.is_some(), Instant),
            ("--checkpoint", self.checkpoint.is_some(), Reference),
            ("--steps", self.steps.is_some(), Reference),
            ("--guidance", self.guidance.is_some(), Reference),
            ("--device", self.device.is_some(), Reference),
        ];
        for (flag, present, belongs) in given {
            if present && belongs != method {
                let name = |m: Method| m.to_possible_value().map(|v| v.get_name().to_owned());
                return Err(bad_input!(
                    "{flag} is a setting of --method {}, not of {}",
                    name(belongs).unwrap_or_default(),
                    name(method).unwrap_or_default()
                ));
            }
        }
        match self.noise {
            Some(noise) if !(noise.is_finite() && noise >= 0.0) => Err(bad_input!(
                "--noise is {noise}; it is a standard deviation, 0 or more"
            )),
            _ => Ok(()),
        }
    }

    fn instant_config(&self, noise_level: f64) -> InstantConfig {
        let defaults = InstantConfig::for_noise(noise_level);
        InstantConfig {
            iterations: self.iterations.unwrap_or(defaults.iterations),
            ..defaults
        }
    }

    fn reference_config(&self) -> ReferenceConfig {
        ReferenceConfig {
            guidance: self.guidance.unwrap_or(1.0),
            ..ReferenceConfig::published(Weight::SineSquared)
        }
    }

    fn record(&self, method: Method, solver: &dyn Solver, noise_level: f64) -> SolverRecord {
        match method {
            Method::Instant => SolverRecord::Instant {
                settings: self.instant_config(noise_level),
                steps_done: solver.steps_done(),
            },
            Method::Reference => SolverRecord::Reference {
                settings: self.reference_config(),
                steps: solver.total_steps(),
                steps_done: solver.steps_done(),
                evaluations: solver.evaluations(),
            },
        }
    }

    fn reference(
        &self,
        built: BuiltModel,
        measurement: Measurement,
        mut noise: Noise,
    ) -> anyhow::Result<Prepared> {
        let shape = built.model.shape();
        let steps = self.steps.unwrap_or(Self::PUBLISHED);
        let schedule = Schedule::cosine(Self::PUBLISHED).respaced(steps)?;
        let checkpoint = checkpoint::locate(self.checkpoint.as_deref(), shape)?;
        let device = device::open(self.device.unwrap_or_default())?;
        eprintln!("device: {device} ({})", device.why);
        let network = NetworkPrior::load(&checkpoint, device.clone())?;
        network.check_shape(shape)?;
        check_memory(&network, shape, &device)?;
        let prior = PriorRecord {
            description: network.describe(),
            sha256: sha256(&checkpoint)?,
            checkpoint,
        };
        // The published sampler measures signed video where pixels are missing.
        let measurement = match &built.mask {
            Some(mask) => {
                Measurement::exact(measurement.values().zip(mask, |y, m| (2.0 * y - 1.0) * m))
            }
            None => measurement,
        };
        let solver = Reference::new(
            Box::new(network),
            schedule,
            built.model,
            measurement,
            self.reference_config(),
            Vec::new(),
            Box::new(move |shape| noise.normal_clip(shape)),
        )?;
        Ok(Prepared {
            solver: Box::new(solver),
            device,
            prior: Some(prior),
        })
    }
}

/// Nothing was measured where the mask is 0, and amplitudes do not saturate.
fn masked(measurement: &Measurement, mask: &Clip) -> Measurement {
    Measurement::exact(measurement.values().zip(mask, |y, m| y * m))
}

fn write_clips(
    folder: &ResultsFolder,
    estimate: &Clip,
    residual: &Clip,
    pixel_pitch_um: Option<f64>,
) -> anyhow::Result<[&'static str; 3]> {
    let options = WriteOptions {
        pixel_pitch_um,
        ..WriteOptions::default()
    };
    let names = ["reconstruction.gif", "reconstruction.tif", "residual.tif"];
    for (name, clip) in names.into_iter().zip([estimate, estimate, residual]) {
        folder.clip(name, clip, &options)?;
    }
    Ok(names)
}

/// What a user wants to know at once.
pub(super) fn summary(record: &RunRecord, out: &std::path::Path) -> String {
    let FileRecord { shape, levels, .. } = &record.input;
    let levels = record.measurement.quantisation.and(*levels);
    let ModelRecord { name: model, .. } = &record.model;
    let (method, steps) = match record.solver {
        SolverRecord::Instant { steps_done, .. } => ("instant", steps_done),
        SolverRecord::Reference { steps_done, .. } => ("reference", steps_done),
    };
    let mut text = format!(
        "method     {method}, {model}, {shape}: {steps} steps in {:.1} s on {}\n",
        record.timings.solver_s, record.device.name
    );
    text += &format!("fit        {}", residual(record.residual.rms, levels));
    if record.measurement.saturated_share > 0.0 {
        let percent = 100.0 * record.measurement.saturated_share;
        text += &format!(", {percent:.1} % of the pixels saturated");
    }
    text += "\n";
    if let (Some(quality), Some(bare)) = (&record.quality, &record.measurement_quality) {
        let db = |psnr: Option<f64>| psnr.map_or("equal".into(), |v| format!("{v:.2} dB"));
        let share = |ssim: Option<f64>| ssim.map_or("-".into(), |v| format!("{v:.3}"));
        text += &format!(
            "quality    PSNR {}, SSIM {} (the measurement: {}, {})\n",
            db(quality.psnr_db),
            share(quality.ssim),
            db(bare.psnr_db),
            share(bare.ssim)
        );
    }
    text += &format!(
        "results    {}: {}, run.json\n",
        out.display(),
        record.files.join(", ")
    );
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::clip::Shape;
    use crate::media;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn cancelled_before_the_first_step_nothing_is_written() {
        let root = tempfile::tempdir().unwrap();
        let (input, out) = (root.path().join("m.npy"), root.path().join("r"));
        let clip = Clip::filled(Shape::new(2, 8, 8), 0.7);
        media::save(&input, &clip, &WriteOptions::default()).unwrap();
        let flags = ["", "--model", "dehaze", "--out"].map(AsRef::as_ref);
        let flags = [&flags[..], &[out.as_os_str(), input.as_os_str()]].concat();
        let args = Flags::parse_from(flags).args;
        let error = reconstruct(&args, &AtomicBool::new(true)).unwrap_err();
        assert!(error.is::<Interrupted>(), "{error}");
        assert!(!out.exists());
        assert!(reconstruct(&args, &AtomicBool::new(false)).is_ok());
        assert!(out.join("run.json").is_file());
    }
}
