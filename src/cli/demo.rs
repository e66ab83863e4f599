//! `vdps demo`: a bundled capture, reconstructed at once.

use std::path::PathBuf;

use clap::Parser;

use super::{gui, interrupt, output, reconstruct};
use crate::app::{Opening, Setup};
use crate::run::ResultsFolder;

/// Simulated by us; `data/demo/README.md` says how.
const MEASUREMENT: &[u8] = include_bytes!("../../data/demo/measurement.gif");
const TRUTH: &[u8] = include_bytes!("../../data/demo/truth.gif");

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Folder for the results
    #[arg(long, value_name = "DIR", default_value = "results/demo")]
    pub out: PathBuf,

    /// Write a picture of the window (PNG) when the run has ended, and close it
    #[arg(long, value_name = "FILE", conflicts_with = "terminal")]
    pub screenshot: Option<PathBuf>,

    /// In the terminal even where there is a display
    #[arg(long)]
    pub terminal: bool,

    /// Print run.json to standard output, and nothing else there
    #[arg(long)]
    pub json: bool,
}

/// The demonstration is one `reconstruct` command, read like any other.
#[derive(Parser)]
struct Reconstruct {
    #[command(flatten)]
    args: reconstruct::Args,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let folder = ResultsFolder::create(&args.out)?;
    folder.bytes("measurement.gif", MEASUREMENT)?;
    folder.bytes("truth.gif", TRUTH)?;
    let (measurement, truth) = (folder.file("measurement.gif"), folder.file("truth.gif"));
    if !args.terminal && !args.json && gui::has_display() {
        let opened = gui::open(Opening {
            capture: Some(measurement.clone()),
            truth: Some(truth.clone()),
            setup: Some(Setup::default()),
            run: true,
            screenshot: args.screenshot,
            bench: None,
        });
        match opened {
            Ok(()) => return Ok(()),
            Err(error) => eprintln!("note: {error:#}"),
        }
    }
    eprintln!("a figure walks behind a scattering layer 5 mm away; reconstructing the scene");
    let command = Reconstruct::parse_from([
        "reconstruct".as_ref(),
        measurement.as_os_str(),
        "--target".as_ref(),
        truth.as_os_str(),
        "--out".as_ref(),
        args.out.as_os_str(),
        "--dist=5".as_ref(),
        "--sigma=1".as_ref(),
    ]);
    let record = reconstruct::reconstruct(&command.args, interrupt::watch()?)?;
    if args.json {
        output::print_json(&record)?;
    } else {
        let opening = format!(
            "open       {}\n",
            folder.file("reconstruction.gif").display()
        );
        output::print(&(reconstruct::summary(&record, &args.out) + &opening))?;
    }
    reconstruct::done(&record, &args.out)
}
