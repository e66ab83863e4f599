//! `vdps score`: how close we come on clips with known targets, beside every rival.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant as Clock;

use super::checkpoint;
use super::denoising::{self, DenoiseArgs};
use super::error::{Interrupted, bad_input};
use super::progress::ProgressReport;
use super::solver_args::SolverArgs;
use super::{interrupt, output};
use crate::noise::Noise;
use crate::run::plan::{self, Problem};
use crate::run::score::{self, Board, Case, ClipFolder, Failure, Row, ScoreError, Solved, Source};
use crate::run::{Outcome, drive};

/// Score reconstructions of clips with known targets, beside every rival's result
///
/// A folder is a clip (or holds clips) in the layout of the authors' published results:
/// target.gif, measurement.gif and a GIF for each rival; its name says the task, as in
/// known_d5_s1_NAME, blind_d2.5-10_s0.5-2_NAME, deblur_NAME, dehaze_NAME, inpaint_NAME,
/// zernike_NAME, real_NAME_550um. --builtin needs no files.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Folders of clips
    #[arg(value_name = "DIR", required_unless_present = "builtin")]
    pub folders: Vec<PathBuf>,

    /// Score our own benchmark: generated scenes through every forward model
    #[arg(long)]
    pub builtin: bool,

    /// Where the measurement comes from: the recorded gif, or the target (in f32, what is drawn
    /// comes from --seed) as the published programs make it
    #[arg(long, value_name = "gif|target", default_value = "gif")]
    pub from: Source,

    /// Only clips whose name holds this, such as `zernike, blind` or `room`
    #[arg(long, value_name = "TEXT", conflicts_with = "denoise")]
    pub only: Option<String>,

    /// Print JSON, and nothing else to standard output
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub denoising: DenoiseArgs,

    #[command(flatten)]
    pub solver: SolverArgs,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    if args.denoising.denoise {
        return denoising::run(&args);
    }
    args.solver.check_belong()?;
    if args.builtin && args.from == Source::Target {
        return Err(bad_input!(
            "--from says where the measurement of a folder comes from; the measurements of \
             --builtin are made as its cases say"
        ));
    }
    let cancel = interrupt::watch()?;
    let mut folders = Vec::new();
    for path in &args.folders {
        folders.extend(ClipFolder::find(path)?);
    }
    let seed = args.solver.seed;
    let mut scored = Scored::default();
    let meant = |name: &str| {
        args.only
            .as_ref()
            .is_none_or(|text| name.contains(&text[..]))
    };
    for folder in folders.iter().filter(|folder| meant(&folder.name())) {
        let case = folder.case(args.from, seed);
        args.add(&mut scored, &folder.name(), case, cancel);
    }
    let builtin = args.builtin.then(|| score::builtin(seed)).into_iter();
    for builtin in builtin.flatten().filter(|builtin| meant(&builtin.name())) {
        args.add(&mut scored, &builtin.name(), builtin.case(), cancel);
    }
    let none = scored.rows.is_empty();
    let board = Board::new(scored.rows, scored.failures);
    if args.json {
        output::print_json(&board)?;
    } else {
        output::print(&board.table())?;
    }
    if cancel.load(Ordering::SeqCst) {
        return Err(Interrupted("the clips above were scored before".into()).into());
    }
    if none {
        anyhow::bail!("no clip could be scored");
    }
    Ok(())
}

/// What is scored so far.
#[derive(Default)]
struct Scored {
    rows: Vec<Row>,
    failures: Vec<Failure>,
    /// Notes that were told already.
    told: BTreeSet<String>,
}

impl Args {
    /// Adds a row, or why there is none; after Ctrl-C nothing.
    fn add(
        &self,
        scored: &mut Scored,
        name: &str,
        case: Result<Case, ScoreError>,
        cancel: &AtomicBool,
    ) {
        if cancel.load(Ordering::SeqCst) {
            return;
        }
        let solve = |problem| self.solve(problem, name, cancel, &mut scored.told);
        let row = case
            .map_err(anyhow::Error::from)
            .and_then(|case| score::score(case, solve));
        match row {
            Ok(row) => scored.rows.push(row),
            Err(error) if error.is::<Interrupted>() => {}
            Err(error) => {
                let failure = Failure {
                    clip: name.to_owned(),
                    error: format!("{error:#}"),
                };
                eprintln!("{name}: {}", failure.error);
                scored.failures.push(failure);
            }
        }
    }

    fn solve(
        &self,
        problem: Problem,
        name: &str,
        cancel: &AtomicBool,
        told: &mut BTreeSet<String>,
    ) -> anyhow::Result<Solved> {
        let (settings, _) = self.solver.settings(&problem.physics)?;
        let started = Clock::now();
        let noise = Noise::seeded(self.solver.seed);
        let mut prepared = plan::prepare(problem, &settings, noise)?;
        let note = prepared.prior.as_ref().and_then(checkpoint::note);
        if let Some(note) = note.filter(|note| told.insert(note.clone())) {
            eprintln!("note: {note}");
        }
        let solver = prepared.solver.as_mut();
        let mut report = ProgressReport::new(name, solver.total_steps(), None);
        let driven = drive(solver, cancel, &mut |progress, _| report.update(progress));
        report.finish();
        if driven? == Outcome::Cancelled {
            return Err(Interrupted(format!("at {name}")).into());
        }
        Ok(Solved {
            estimate: solver.estimate(),
            parameters: solver.model().parameters(),
            findings: solver.findings(),
            notes: solver.notes(),
            method: settings.method.name().to_owned(),
            prior: prepared.prior_name.to_owned(),
            evaluations: solver.evaluations(),
            seconds: started.elapsed().as_secs_f64(),
        })
    }
}
