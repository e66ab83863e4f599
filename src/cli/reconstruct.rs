//! `vdps reconstruct`: from a measurement to the video behind the layer.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant as Clock;

use super::change::ChangeArg;
use super::checkpoint;
use super::error::Interrupted;
use super::interrupt;
use super::measurement_args::{Loaded, MeasurementArgs};
use super::model_args::{Setup, psfs};
use super::output;
use super::progress::{ProgressReport, residual};
use super::solver_args::SolverArgs;
use crate::clip::Clip;
use crate::device::ComputeDevice;
use crate::media::WriteOptions;
use crate::metrics::{self, Quality, Whiteness};
use crate::physics::Parameter;
use crate::run::plan::{self, Method, Physics, Prepared};
use crate::run::trust::{Facts, Weight, judge};
use crate::run::{
    BURN_VERSION, DeviceRecord, FileRecord, MeasurementRecord, ModelRecord, Outcome, PriorRecord,
    Residual, ResultsFolder, RunOutcome, RunRecord, SolverRecord, Timings, drive,
};
use crate::solver::{Changing, Measurement, Progress, Solver};
use crate::worker::{Briefing, Ended, Job, SavedState};
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

    /// Known settings take another value once STEP steps are done: dist, sigma, coeffs, guidance
    /// or seed, as in 40:dist=5.2; may be given more than once
    #[arg(
        long = "change",
        value_name = "STEP:NAME=VALUE",
        allow_hyphen_values = true
    )]
    #[arg(help_heading = "Method")]
    pub changes: Vec<ChangeArg>,
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
pub(super) fn done(record: &RunRecord, out: &Path) -> anyhow::Result<()> {
    let kept = format!("the estimate reached so far is in {}", out.display());
    match record.outcome {
        RunOutcome::Finished => Ok(()),
        RunOutcome::Cancelled => Err(Interrupted(kept).into()),
        RunOutcome::Failed => bail!("{}; {kept}", record.error.as_deref().unwrap_or_default()),
    }
}

/// Reconstructs and writes every result, also of a run that ends early after its first step.
pub(super) fn reconstruct(args: &Args, cancel: &AtomicBool) -> anyhow::Result<RunRecord> {
    let mut run = Reconstruction::prepare(args, std::env::args().collect())?;
    for note in run.notes() {
        eprintln!("{note}");
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
    let mut report = ProgressReport::new(name, run.solver.total_steps(), run.shown_levels());
    let solving = Clock::now();
    let gain = run.gain();
    let driven = drive(&mut run.solver, cancel, &mut |progress, _| {
        report.update(&Progress {
            residual_rms: gain * progress.residual_rms,
            ..*progress
        })
    });
    let solver_s = solving.elapsed().as_secs_f64();
    report.finish();
    let outcome = RunOutcome::from(&driven);
    let error = match driven {
        Err(error) if run.solver.steps_done() == 0 => return Err(error.into()),
        Ok(Outcome::Cancelled) if run.solver.steps_done() == 0 => return Err(nothing_done().into()),
        driven => driven.err().map(|error| error.to_string()),
    };
    let record = run.save(&folder, outcome, error, solver_s)?;
    for warning in run.found_warnings(&record) {
        eprintln!("note: {warning}");
    }
    Ok(record)
}

/// A reconstruction that is ready to step, with all that its record will say.
pub struct Reconstruction {
    pub solver: Changing,
    /// In the forward model's units.
    pub measurement: Measurement,
    /// As recorded, gain and offset taken out, nothing corrected.
    pub bare: Clip,
    pub target: Option<Clip>,
    pub device: ComputeDevice,
    pub prior_name: &'static str,
    /// What it needs to know of the program's choices: the method and why.
    pub method: Method,
    pub chosen_because: Option<String>,
    /// Standard deviation of all noise in the measurement, in the forward model's units.
    pub noise: f64,
    seed: u64,
    /// The command that does the same.
    command_line: Vec<String>,
    started: Clock,
    was_known: bool,
    warnings: Vec<String>,
    setup: Setup,
    prior: Option<PriorRecord>,
    solver_settings: serde_json::Value,
    recorded: MeasurementRecord,
    levels: Option<u32>,
    input: FileRecord,
    target_record: Option<FileRecord>,
    pixel_pitch_um: Option<f64>,
}

impl Reconstruction {
    /// Reads what the flags name, chooses the method and builds its solver.
    ///
    /// # Errors
    /// Files that cannot be read, flags that do not go together, devices that fail.
    pub fn prepare(args: &Args, command_line: Vec<String>) -> anyhow::Result<Self> {
        let started = Clock::now();
        args.solver.check_belong()?;
        let loaded = args.measurement.load(args.solver.seed)?;
        let Loaded { problem, setup, .. } = loaded;
        let warnings = match &problem.physics {
            Physics::Known(model) => model.warnings(),
            _ => Vec::new(),
        };
        let (settings, chosen_because) = args.solver.settings(&problem.physics)?;
        let measurement = problem.measurement.clone();
        let (was_known, noise) = (problem.physics.is_known(), problem.noise);
        let Prepared {
            solver,
            prior_name,
            device,
            prior,
            settings: solver_settings,
        } = plan::prepare(problem, &settings, loaded.noise)?;
        let pitch_um = setup.object_pitch_um();
        let changes = args.changes.iter().map(|change| change.timed(pitch_um));
        let solver = Changing::new(solver, changes.collect::<Result<_, _>>()?)?;
        let (target, target_record) = loaded.target.map(|(t, r)| (t.clip, r)).unzip();
        Ok(Self {
            solver,
            measurement,
            bare: loaded.bare,
            target,
            device,
            prior_name,
            method: settings.method,
            chosen_because,
            noise,
            seed: args.solver.seed,
            command_line,
            started,
            was_known,
            warnings,
            setup,
            prior,
            solver_settings,
            recorded: MeasurementRecord {
                quantisation: loaded.quantisation,
                saturated_share: loaded.saturated_share,
                normalised: args.measurement.normalise,
                gain: loaded.exposure.gain,
                offset: loaded.exposure.offset,
                dark: loaded.dark,
                flat: loaded.flat,
            },
            levels: loaded.levels,
            input: loaded.input,
            target_record,
            pixel_pitch_um: loaded.pixel_pitch_um,
        })
    }

    /// What is worth saying before the first step.
    fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.warnings.iter().map(|w| format!("note: {w}")).collect();
        if let Some(why) = &self.chosen_because {
            notes.push(format!("method: {} ({why})", self.method.name()));
        }
        if let Some(prior) = &self.prior {
            notes.extend(checkpoint::note(prior).map(|note| format!("note: {note}")));
            notes.push(format!("device: {} ({})", self.device, self.device.why));
        }
        notes
    }

    /// Warnings of parameters that were found, not given.
    fn found_warnings<'a>(&self, record: &'a RunRecord) -> &'a [String] {
        match self.was_known {
            true => &[],
            false => &record.model.warnings,
        }
    }

    /// What was recorded of one unit of the forward model.
    pub fn gain(&self) -> f64 {
        self.recorded.gain
    }

    /// Levels in which a residual is shown. The published sampler's residual of missing pixels is
    /// that of signed video.
    pub fn shown_levels(&self) -> Option<u32> {
        let signed = self.method == Method::Reference && self.setup.mask.is_some();
        self.levels.filter(|_| !signed)
    }

    /// What the present estimate should have been measured as, in the measurement's units.
    pub fn predicted(&self, estimate: &Clip) -> Clip {
        let (gain, offset) = self.solver.exposure();
        let model = self.solver.model();
        let predicted = model.apply(estimate);
        predicted.map(|v| (gain * f64::from(v) + offset) as f32)
    }

    /// Writes the present estimate and all that is known of it.
    ///
    /// # Errors
    /// A folder that cannot be written to.
    pub fn save(
        &self,
        folder: &ResultsFolder,
        outcome: RunOutcome,
        error: Option<String>,
        solver_s: f64,
    ) -> anyhow::Result<RunRecord> {
        let solver = &self.solver;
        let gain = self.gain();
        let estimate = solver.estimate();
        let unscaled = self.measurement.residual(&self.predicted(&estimate));
        let residual = unscaled.map(|r| (gain * f64::from(r)) as f32);
        let files = write_clips(folder, &estimate, &residual, self.pixel_pitch_um)?;
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
        if let Some(mask) = self.setup.drawn_mask() {
            folder.clip("mask.gif", mask, &WriteOptions::default())?;
            files.push("mask.gif".into());
        }
        let quality = |clip: &Clip| match &self.target {
            Some(target) => Quality::of(clip, target).map(Some),
            None => Ok(None),
        };
        let findings = solver.findings();
        let record = RunRecord {
            program: format!("vdps {}", env!("CARGO_PKG_VERSION")),
            burn: BURN_VERSION,
            command_line: self.command_line.clone(),
            outcome,
            error,
            measurement: self.recorded.clone(),
            solver: SolverRecord {
                method: self.method.name().into(),
                chosen_because: self.chosen_because.clone(),
                prior: self.prior_name.into(),
                settings: self.solver_settings.clone(),
                steps: solver.total_steps(),
                steps_done: solver.steps_done(),
                evaluations: solver.evaluations(),
            },
            seed: self.seed,
            device: DeviceRecord::from(&self.device),
            prior: self.prior.clone(),
            residual: Residual::of(&residual, self.levels),
            remarks: judge(&Facts {
                finished: outcome == RunOutcome::Finished,
                residual_rms: metrics::rms(unscaled.data()),
                noise: self.noise,
                whiteness: &Whiteness::of(&unscaled),
                saturated_share: self.recorded.saturated_share,
                findings: &findings,
                seeds: None,
            }),
            findings,
            notes: solver.notes(),
            changes: solver.made().to_vec(),
            quality: quality(&estimate)?,
            measurement_quality: quality(&self.bare)?,
            target: self.target_record.clone(),
            model: self.setup.record(solver.model()),
            input: self.input.clone(),
            files,
            timings: Timings {
                solver_s,
                total_s: self.started.elapsed().as_secs_f64(),
            },
        };
        folder.json("run.json", &record)?;
        Ok(record)
    }
}

impl Job for Reconstruction {
    fn solver(&mut self) -> &mut dyn Solver {
        &mut self.solver
    }

    fn briefing(&self) -> Briefing {
        Briefing {
            method: self.method.name().into(),
            chosen_because: self.chosen_because.clone(),
            prior: match self.prior.as_ref().and_then(|p| p.instead_of.as_ref()) {
                Some(absent) => format!("{} in place of {}", self.prior_name, absent.display()),
                None => self.prior_name.into(),
            },
            device: self.device.to_string(),
            device_why: self.device.why.clone(),
            saturated_share: self.recorded.saturated_share,
            noise: self.noise,
        }
    }

    fn predicted(&self, estimate: &Clip) -> Clip {
        self.predicted(estimate)
    }

    fn residual(&self, predicted: &Clip) -> Clip {
        self.measurement.residual(predicted)
    }

    fn psnr_db(&self, estimate: &Clip) -> Option<f64> {
        let target = self.target.as_ref()?;
        Some(metrics::psnr(estimate.data(), target.data()))
    }

    fn save(&self, folder: &Path, state: SavedState) -> anyhow::Result<Vec<String>> {
        let folder = ResultsFolder::create(folder)?;
        let (outcome, error) = match state.ended {
            Some(Ended::Finished) => (RunOutcome::Finished, None),
            Some(Ended::Failed(error) | Ended::DeviceLost(error)) => {
                (RunOutcome::Failed, Some(error))
            }
            // Saved under way: what is there is what a cancelled run leaves.
            Some(Ended::Cancelled) | None => (RunOutcome::Cancelled, None),
        };
        let record = self.save(&folder, outcome, error, state.solver_s)?;
        Ok(record.files)
    }
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
pub(super) fn summary(record: &RunRecord, out: &Path) -> String {
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
    }
    for (index, remark) in record.remarks.iter().enumerate() {
        match (index, remark.weight) {
            (0, _) => text += &format!("believe    {}\n", remark.text),
            (_, Weight::Reassuring) => {}
            _ => text += &format!("doubt      {} {}\n", remark.text, remark.advice),
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
