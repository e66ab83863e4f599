//! `vdps gui`: the window.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use clap::Parser;
use eframe::{NativeOptions, Renderer, egui};

use super::reconstruct::{self, Reconstruction};
use crate::app::{Opening, Plan, Studio};
use crate::worker::Job;

/// Names the folder of what outlives the window.
const APP: &str = "vdps-studio";

/// Open the window: load a capture, move the sliders, watch the estimate form
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// A capture to open
    pub file: Option<PathBuf>,

    /// Its true video, where there is one
    #[arg(long, value_name = "CLIP", requires = "file")]
    pub target: Option<PathBuf>,

    /// Start a run with what the window held last, at once
    #[arg(long, requires = "file")]
    pub run: bool,

    /// Write a picture of the window (PNG) when the run has ended, and close it
    #[arg(long, value_name = "FILE")]
    pub screenshot: Option<PathBuf>,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    if !has_display() {
        bail!(
            "there is no display to open a window on; `vdps reconstruct` does the same in the terminal"
        );
    }
    open(Opening {
        capture: args.file,
        truth: args.target,
        run: args.run,
        screenshot: args.screenshot,
        demo_folder: eframe::storage_dir(APP).map(|folder| folder.join("demos")),
        ..Opening::default()
    })
}

/// Whether a window can be shown.
pub(super) fn has_display() -> bool {
    let named = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(all(unix, not(target_os = "macos"))) || named("DISPLAY") || named("WAYLAND_DISPLAY")
}

/// Shows the window until it is closed: drawn by wgpu, by OpenGL where that finds no adapter.
pub(super) fn open(opening: Opening) -> anyhow::Result<()> {
    let mut opening = Some(opening);
    let mut failed = String::new();
    for renderer in [Renderer::Wgpu, Renderer::Glow] {
        let options = NativeOptions {
            renderer,
            viewport: egui::ViewportBuilder::default()
                .with_title("VDPS Studio")
                .with_app_id(APP)
                .with_inner_size([1280.0, 800.0])
                .with_min_inner_size([900.0, 600.0]),
            ..NativeOptions::default()
        };
        let creator: eframe::AppCreator<'_> = Box::new(|context| {
            let opening = opening.take().unwrap_or_default();
            let studio = Studio::new(&context.egui_ctx, context.storage, plan(), opening)?;
            Ok(Box::new(studio))
        });
        match eframe::run_native(APP, options, creator) {
            Ok(()) => return Ok(()),
            Err(error) => failed += &format!("\n  {renderer:?}: {error}"),
        }
    }
    Err(anyhow!(
        "the window cannot be opened; `vdps reconstruct` does the same in the terminal.{failed}"
    ))
}

/// A `reconstruct` command of the window, read like one that was typed.
#[derive(Parser)]
#[command(no_binary_name = true)]
struct Command {
    #[command(subcommand)]
    command: Reconstruct,
}

#[derive(clap::Subcommand)]
pub(super) enum Reconstruct {
    Reconstruct(Box<reconstruct::Args>),
}

/// How commands become jobs.
pub fn plan() -> Plan {
    Arc::new(|command| {
        Box::new(move || {
            let Command {
                command: Reconstruct::Reconstruct(args),
            } = Command::try_parse_from(&command)?;
            let command_line = std::iter::once("vdps".to_owned()).chain(command).collect();
            let run = Reconstruction::prepare(&args, command_line)?;
            Ok(Box::new(run) as Box<dyn Job>)
        })
    })
}
