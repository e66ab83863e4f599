//! `vdps score --denoise`: priors compared by what they take off noise.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::Context;

use super::error::{Interrupted, bad_input};
use super::progress::ProgressReport;
use super::score::Args;
use super::{checkpoint, interrupt, output};
use crate::media::{self, ReadOptions};
use crate::prior::{Average, BlockMatching, Denoiser, Edges, Tv};
use crate::run::plan::PriorChoice;
use crate::run::score::{Clean, ClipFolder, Contestant, DenoisingTable};
use crate::run::{Learned, NetworkChoice};
use crate::scenes::{SHAPE, Scene};

/// Weights that total variation is tried with; its own is 0.55.
const TV_WEIGHTS: [f64; 6] = [0.35, 0.45, 0.55, 0.7, 0.85, 1.0];

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Denoising")]
pub struct DenoiseArgs {
    /// Compare priors alone: noise of 10, 25, 50 and 100 levels of 255 is added to each target, or
    /// to any video file in a folder's place, and every prior, or the one of --prior, takes it off
    #[arg(
        long,
        conflicts_with_all = [
            "from", "method", "budget", "iterations", "checkpoint", "steps", "guidance",
        ]
    )]
    pub denoise: bool,

    /// Write the numbers of every clip, too
    #[arg(long, value_name = "FILE.csv", requires = "denoise")]
    pub csv: Option<PathBuf>,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let cancel = interrupt::watch()?;
    let clips = clips(args)?;
    let mut contestants = match &args.solver.prior {
        Some(prior) => vec![contestant(prior, args, &clips)?],
        None => all(args, &clips)?,
    };
    let seed = args.solver.seed;
    let mut report: Option<ProgressReport> = None;
    let table = DenoisingTable::of(&clips, &mut contestants, seed, &mut |done, total, at| {
        let report = report.get_or_insert_with(|| ProgressReport::new("denoising", total, None));
        report.advance(done, at);
        !cancel.load(Ordering::SeqCst)
    })?;
    if let Some(report) = report {
        report.finish();
    }
    let table = table.ok_or_else(|| Interrupted("there is no table yet".into()))?;
    if let Some(path) = &args.denoising.csv {
        std::fs::write(path, table.csv()).with_context(|| path.display().to_string())?;
    }
    match args.json {
        true => output::print_json(&table),
        false => output::print(&table.table()),
    }
}

/// Files as they are and the targets of folders, then our own scenes where they are asked for.
fn clips(args: &Args) -> anyhow::Result<Vec<Clean>> {
    let mut clips = Vec::new();
    for path in &args.folders {
        if path.is_file() {
            let name = path.file_name().unwrap_or_default();
            clips.push(Clean {
                name: name.to_string_lossy().into_owned(),
                clip: media::open(path, &ReadOptions::default())?.clip,
            });
            continue;
        }
        for folder in ClipFolder::find(path)? {
            clips.push(Clean {
                name: folder.name(),
                clip: folder.target()?,
            });
        }
    }
    if args.builtin {
        clips.extend(Scene::ALL.map(|scene| Clean {
            name: scene.name().into(),
            clip: scene.render(SHAPE, args.solver.seed),
        }));
    }
    Ok(clips)
}

fn blocks() -> Box<dyn Denoiser> {
    Box::new(BlockMatching::one_stage())
}

fn edges() -> Box<dyn Denoiser> {
    Box::new(Edges::new())
}

fn mean(first: Box<dyn Denoiser>, second: Box<dyn Denoiser>) -> Box<dyn Denoiser> {
    Box::new(Average::new(first, second, 0.5))
}

fn best_tv() -> Contestant {
    let variant = |weight: f64| -> (String, Box<dyn Denoiser>) {
        (weight.to_string(), Box::new(Tv::weighing(weight)))
    };
    Contestant::best_of("tv (its best weight)", TV_WEIGHTS.map(variant).into())
}

/// Everything that ships.
fn all(args: &Args, clips: &[Clean]) -> anyhow::Result<Vec<Contestant>> {
    let embedded = network(&NetworkChoice::Embedded, args, clips)?;
    let with_blocks = mean(embedded.denoiser(), blocks());
    Ok(vec![
        best_tv(),
        Contestant::new("edges", edges()),
        Contestant::new("blocks", blocks()),
        Contestant::new("none (edges and blocks)", mean(edges(), blocks())),
        Contestant::new("embedded", embedded.denoiser()),
        Contestant::new("embedded and blocks", with_blocks),
    ])
}

fn contestant(prior: &PriorChoice, args: &Args, clips: &[Clean]) -> anyhow::Result<Contestant> {
    Ok(match prior {
        PriorChoice::None => Contestant::new("none (edges and blocks)", mean(edges(), blocks())),
        PriorChoice::Tv => best_tv(),
        PriorChoice::Blocks => Contestant::new("blocks", blocks()),
        PriorChoice::Network(choice) => {
            let learned = network(choice, args, clips)?;
            Contestant::new(choice.to_string(), learned.denoiser())
        }
    })
}

/// A network that takes all of the clips.
fn network(choice: &NetworkChoice, args: &Args, clips: &[Clean]) -> anyhow::Result<Learned> {
    let found = checkpoint::named(choice.clone())?;
    let learned = found.network.open(args.solver.device.unwrap_or_default())?;
    for Clean { name, clip } in clips {
        let fits = learned.check(clip.shape());
        fits.map_err(|error| bad_input!("{name}: {error}"))?;
    }
    Ok(learned)
}
