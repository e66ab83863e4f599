//! `vdps demo`: a bundled capture, reconstructed at once.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use super::{gui, interrupt, output, reconstruct};
use crate::app::{Opening, Setup};
use crate::run::demos::{DEMOS, Demo};
use crate::run::plan::PriorChoice;

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Which one (--list names them)
    #[arg(value_name = "NAME", default_value = DEMOS[0].name)]
    pub name: String,

    /// Name the demos and say what they show
    #[arg(long)]
    pub list: bool,

    /// What is known of video, as in `reconstruct`
    #[arg(long, value_name = "embedded|none|tv|blocks|FILE")]
    pub prior: Option<PriorChoice>,

    /// Folder for the results; the window lays the captures down in it
    #[arg(long, value_name = "DIR", default_value = "results/demo")]
    pub out: PathBuf,

    /// How fast the window's steps follow each other
    #[arg(long, value_enum, default_value = "watch", conflicts_with = "terminal")]
    pub pace: Pace,

    /// Write a picture of the window (PNG) when the run has ended, at full speed, and close it
    #[arg(long, value_name = "FILE", conflicts_with = "terminal")]
    pub screenshot: Option<PathBuf>,

    /// In the terminal even where there is a display
    #[arg(long)]
    pub terminal: bool,

    /// Print run.json to standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pace {
    /// Half a minute at least, so that one can see the estimate form
    Watch,
    /// As fast as the machine is
    Full,
}

/// The demonstration is one `reconstruct` command, read like any other.
#[derive(Parser)]
#[command(no_binary_name = true)]
struct Command {
    #[command(subcommand)]
    command: gui::Reconstruct,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    if args.list {
        return output::print(&list());
    }
    let demo = Demo::named(&args.name)?;
    if !args.terminal && !args.json && gui::has_display() {
        let opened = gui::open(Opening {
            demo: Some(demo),
            tour: args.screenshot.is_none(),
            full_speed: args.pace == Pace::Full || args.screenshot.is_some(),
            demo_folder: Some(args.out.clone()),
            demo_prior: args.prior.clone(),
            screenshot: args.screenshot,
            ..Opening::default()
        });
        match opened {
            Ok(()) => return Ok(()),
            Err(error) => eprintln!("note: {error:#}"),
        }
    }
    let files = demo.unpack(&args.out)?;
    eprintln!("{} {}", demo.scene, demo.task);
    let setup = Setup::of_demo(demo, &files, args.prior.as_ref());
    let command = setup.command(&files.measurement, Some(&files.truth), &args.out);
    let Command {
        command: gui::Reconstruct::Reconstruct(command),
    } = Command::parse_from(command);
    let record = reconstruct::reconstruct(&command, interrupt::watch()?)?;
    if args.json {
        output::print_json(&record)?;
    } else {
        let opening = format!(
            "open       {}\n",
            args.out.join("reconstruction.gif").display()
        );
        output::print(&(reconstruct::summary(&record, &args.out) + &opening))?;
    }
    reconstruct::done(&record, &args.out)
}

fn list() -> String {
    let line = |demo: &Demo| {
        format!(
            "{:<12} {}: {} {}\n",
            demo.name, demo.title, demo.scene, demo.task
        )
    };
    DEMOS.iter().map(line).collect()
}
