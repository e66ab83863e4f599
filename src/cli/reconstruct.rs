//! `vdps reconstruct`: from a measurement to the video behind the layer.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant as Clock;

use super::error::Interrupted;
use super::interrupt;
use super::measurement_args::{Loaded, MeasurementArgs};
use super::model_args::psfs;
use super::output;
use super::progress::{ProgressReport, residual};
use super::solver_args::SolverArgs;
use crate::clip::Clip;
use crate::media::WriteOptions;
use crate::metrics::Quality;
use crate::physics::Parameter;
use crate::run::plan::{self, Method, Physics, Prepared};
use crate::run::{
    BURN_VERSION, DeviceRecord, FileRecord, MeasurementRecord, ModelRecord, Outcome, Residual,
    ResultsFolder, RunOutcome, RunRecord, SolverRecord, Timings, drive,
};
use crate::solver::Progress;
use anyhow::bail;

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub measurement: MeasurementArgs,

    /// Folder for the results; files of an earlier run are replaced, others stay
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// Print run.json to standard output, and nothing else there
    #[arg(long)]
    pub json: bool,

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

/// Reconstructs and writes every result, also of a run that ends early after its first step.
pub(super) fn reconstruct(args: &Args, cancel: &AtomicBool) -> anyhow::Result<RunRecord> {
    let started = Clock::now();
    args.solver.check_belong()?;
    let loaded = args.measurement.load(args.solver.seed)?;
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
    let name = args
        .measurement
        .input
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
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
    let (found_gain, found_offset) = solver.exposure();
    let recorded = |v: f32| (found_gain * f64::from(v) + found_offset) as f32;
    let predicted = solver.model().apply(&estimate).map(recorded);
    let residual = measurement.residual(&predicted);
    let residual = residual.map(|r| (gain * f64::from(r)) as f32);
    let files = write_clips(&folder, &estimate, &residual, loaded.pixel_pitch_um)?;
    let mut files: Vec<String> = files.map(String::from).to_vec();
    if solver.model().name() == "capture" {
        // What a display showed.
        let intensity = estimate.map(|u| u * u);
        for name in ["intensity.gif", "intensity.tif"] {
            folder.clip(name, &intensity, &WriteOptions::default())?;
            files.push(name.into());
        }
    }
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
            normalised: args.measurement.normalise,
            gain,
            offset: loaded.exposure.offset,
            dark: loaded.dark,
            flat: loaded.flat,
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
        let label = finding.parameter.label();
        let Parameter { unit, value, .. } = &finding.parameter;
        let interval = finding
            .interval
            .map_or("interval unknown".into(), |(low, high)| {
                format!("{low:.3} to {high:.3}")
            });
        text += &format!(
            "found      {label}: {value:.3} {} ({interval})\n",
            unit.symbol()
        );
        for doubt in &finding.doubts {
            text += &format!("doubt      {label}: {doubt}\n");
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
