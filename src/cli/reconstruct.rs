//! `vdps reconstruct`: from a measurement to the video behind the layer.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant as Clock;

use anyhow::bail;
use clap::ValueEnum;

use super::error::{Interrupted, bad_input};
use super::input_args::InputArgs;
use super::interrupt;
use super::model_args::{BuiltModel, FromFile, ModelArgs, Ranges, Setup, psfs};
use super::output;
use super::progress::{ProgressReport, residual};
use super::quantity::Gain;
use super::solver_args::SolverArgs;
use crate::clip::Clip;
use crate::media::{Footage, WriteOptions, datasets};
use crate::metrics::{Quality, ShapesDiffer};
use crate::noise::Noise;
use crate::physics::Parameter;
use crate::run::plan::{self, Method, Physics, Prepared, Problem};
use crate::run::{
    BURN_VERSION, DeviceRecord, FileRecord, MeasurementRecord, ModelRecord, Outcome, Residual,
    ResultsFolder, RunOutcome, RunRecord, SolverRecord, Timings, drive,
};
use crate::solver::{Measurement, Progress, Quantisation};

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
pub struct Args {
    /// The measurement: GIF, TIFF, NPY, MAT, a folder of pictures, or a video. Integer formats
    /// are taken as intensities of 0 to 1
    pub input: PathBuf,

    /// Folder for the results; files of an earlier run are replaced, others stay
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

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

    #[command(flatten)]
    pub model: ModelArgs,

    #[command(flatten)]
    pub solver: SolverArgs,
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

/// A measurement with everything that was read or drawn beside it.
struct Loaded {
    problem: Problem,
    /// The problem's forward model and what its trait does not tell.
    setup: Setup,
    input: FileRecord,
    /// As recorded, gain and offset taken out, nothing corrected.
    bare: Clip,
    target: Option<(Footage, FileRecord)>,
    pixel_pitch_um: Option<f64>,
    levels: Option<u32>,
    quantisation: Option<Quantisation>,
    saturated_share: f64,
    exposure: Exposure,
    /// Where everything that is drawn comes from.
    noise: Noise,
}

fn load(args: &Args) -> anyhow::Result<Loaded> {
    let exposure = args.exposure()?;
    let (mut footage, input) = args.input_args.open(&args.input)?;
    if args.normalise {
        footage.clip = datasets::normalise(&footage.clip)
            .ok_or_else(|| bad_input!("--normalise: every value of the measurement is the same"))?;
        footage.levels = None;
    }
    // Ones and zeros were counted, not truncated.
    let levels = footage.levels.filter(|&levels| levels > 1);
    if levels.is_none() && !exposure.fit {
        exposure.check_scale(&footage.clip)?;
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
    let ranges = Ranges::Unknown {
        fit_gain: exposure.fit,
    };
    let BuiltModel { physics, setup } = args.model.build(shape, from_file, ranges, &mut noise)?;
    let Exposure { gain, offset, .. } = exposure;
    let bare = Measurement::exact(footage.clip.clone()).unexposed(gain, offset);
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
            recorded.unexposed(gain, offset)
        }
        _ => bare.clone(),
    };
    let camera = args.noise.unwrap_or(0.0) / gain;
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
        levels,
        quantisation,
        exposure,
        noise,
    })
}

/// Reconstructs and writes every result, also of a run that ends early after its first step.
pub(super) fn reconstruct(args: &Args, cancel: &AtomicBool) -> anyhow::Result<RunRecord> {
    let started = Clock::now();
    args.solver.check_belong()?;
    let loaded = load(args)?;
    let Loaded { problem, setup, .. } = loaded;
    if let Physics::Known(model) = &problem.physics {
        model.warnings().iter().for_each(|w| eprintln!("note: {w}"));
    }
    let (settings, chosen_because) = args.solver.settings(&problem.physics)?;
    if let Some(why) = &chosen_because {
        eprintln!("method: {} ({why})", settings.method.name());
    }
    let measurement = problem.measurement.clone();
    let was_known = problem.physics.is_known();
    let Prepared {
        mut solver,
        prior_name,
        device,
        prior,
        settings: solver_settings,
    } = plan::prepare(problem, &settings, loaded.noise)?;
    if prior.is_some() {
        eprintln!("device: {device} ({})", device.why);
    }
    let nothing_done = || Interrupted("before the first step; nothing was written".into());
    if cancel.load(Ordering::SeqCst) {
        return Err(nothing_done().into());
    }
    let folder = ResultsFolder::create(&args.out)?;
    let name = args.input.file_stem().unwrap_or_default().to_string_lossy();
    // The published sampler's residual of missing pixels is that of signed video.
    let signed = settings.method == Method::Reference && setup.mask.is_some();
    let shown = loaded.levels.filter(|_| !signed);
    let mut report = ProgressReport::new(name, solver.total_steps(), shown);
    let solving = Clock::now();
    let gain = loaded.exposure.gain;
    let driven = drive(solver.as_mut(), cancel, &mut |progress, _| {
        report.update(&Progress {
            residual_rms: gain * progress.residual_rms,
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
    let residual = residual.map(|r| (gain * f64::from(r)) as f32);
    let files = write_clips(&folder, &estimate, &residual, loaded.pixel_pitch_um)?;
    let mut files: Vec<String> = files.map(String::from).to_vec();
    if let Some((side, values)) = psfs(solver.model()) {
        folder.picture("psf.png", side, values.len() / side, &values)?;
        files.push("psf.png".into());
    }
    if let Some(mask) = setup.drawn_mask() {
        folder.clip("mask.gif", mask, &WriteOptions::default())?;
        files.push("mask.gif".into());
    }
    let model = setup.record(solver.model());
    if !was_known {
        model.warnings.iter().for_each(|w| eprintln!("note: {w}"));
    }
    let quality = |clip: &Clip| match &loaded.target {
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
            quantisation: loaded.quantisation,
            saturated_share: loaded.saturated_share,
            normalised: args.normalise,
            gain,
            offset: loaded.exposure.offset,
        },
        solver: SolverRecord {
            method: settings.method.name().into(),
            chosen_because,
            prior: prior_name.into(),
            settings: solver_settings,
            steps: solver.total_steps(),
            steps_done: solver.steps_done(),
            evaluations: solver.evaluations(),
        },
        seed: args.solver.seed,
        device: DeviceRecord::from(&device),
        prior,
        residual: Residual::of(&residual, loaded.levels),
        findings: solver.findings(),
        notes: solver.notes(),
        quality: quality(&estimate)?,
        measurement_quality: quality(&loaded.bare)?,
        target: loaded.target.map(|(_, record)| record),
        model,
        input: loaded.input,
        files,
        timings: Timings {
            solver_s,
            total_s: started.elapsed().as_secs_f64(),
        },
    };
    folder.json("run.json", &record)?;
    Ok(record)
}

impl Args {
    /// Gain and offset; those of a measurement whose gain is to be found are 1 and 0.
    fn exposure(&self) -> anyhow::Result<Exposure> {
        let fit = self.gain == Some(Gain::Fit);
        if fit && self.offset.is_some() {
            return Err(bad_input!(
                "--gain fit finds the offset too: leave --offset out"
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
#[derive(Clone, Copy)]
struct Exposure {
    gain: f64,
    offset: f64,
    /// Both are to be found.
    fit: bool,
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
    let SolverRecord {
        method,
        prior,
        steps_done,
        ..
    } = &record.solver;
    let mut text = format!(
        "method     {method} with {prior}, {model}, {shape}: {steps_done} steps in {:.1} s on {}\n",
        record.timings.solver_s, record.device.name
    );
    text += &format!("fit        {}", residual(record.residual.rms, levels));
    if record.measurement.saturated_share > 0.0 {
        let percent = 100.0 * record.measurement.saturated_share;
        text += &format!(", {percent:.1} % of the pixels saturated");
    }
    text += "\n";
    text += &found(record);
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

/// The parameters that were unknown, and what speaks against them.
fn found(record: &RunRecord) -> String {
    let mut text = String::new();
    for finding in &record.findings {
        let Parameter {
            name,
            frame,
            unit,
            value,
            ..
        } = &finding.parameter;
        let frame = frame.map_or(String::new(), |frame| format!(" of frame {frame}"));
        let interval = finding
            .interval
            .map_or("interval unknown".into(), |(low, high)| {
                format!("{low:.3} to {high:.3}")
            });
        text += &format!(
            "found      {name}{frame}: {value:.3} {} ({interval})\n",
            unit.symbol()
        );
        for doubt in &finding.doubts {
            text += &format!("doubt      {name}{frame}: {doubt}\n");
        }
    }
    for note in &record.notes {
        text += &format!("note       {note}\n");
    }
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
