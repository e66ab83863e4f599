//! The command line: a file per command, and what commands share.
//!
//! A command parses its flags, builds a solver from the layers below, drives it and
//! writes files; it computes nothing itself. Progress goes to standard error, results to
//! files, and only what a user may want to pipe to standard output.

mod bench;
mod bench_ui;
mod change;
mod checkpoint;
mod compare;
mod demo;
mod denoising;
mod devices;
pub mod error;
mod eval;
mod eval_blind;
mod eval_blind_real;
mod eval_blind_zernike;
mod eval_blind_zernike_varying;
pub mod gui;
mod input_args;
pub mod interrupt;
mod landscape;
mod measurement_args;
mod model_args;
mod output;
pub mod progress;
mod published;
mod quantity;
mod reconstruct;
mod sample;
mod score;
mod simulate;
mod solver_args;
mod train;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Reconstructs video seen through a dynamic scattering layer.
#[derive(Parser)]
#[command(name = "vdps", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 bad usage or input, 130 stopped by Ctrl-C."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Reconstruct the video behind a scattering layer, a blur, haze or missing pixels
    Reconstruct(Box<reconstruct::Args>),
    /// Make a measurement of a known scene, with its truth
    ///
    /// Parameters may be drawn from --seed: --dist 2.5..10 and --sigma 0.5..2 draw one for each
    /// frame (for the blur one for the clip), --coeffs random twice a standard normal.
    Simulate(Box<simulate::Args>),
    /// Score a clip against its target: PSNR and SSIM
    Compare(compare::Args),
    Score(Box<score::Args>),
    Sample(sample::Args),
    Landscape(Box<landscape::Args>),
    Gui(gui::Args),
    /// Reconstruct a bundled capture at once
    Demo(demo::Args),
    Train(train::Args),
    Devices(devices::Args),
    Verify(verify::Args),
    Bench(bench::Args),
    Eval(eval::Args),
    #[command(visible_alias = "eval_blind")]
    EvalBlind(eval_blind::Args),
    #[command(visible_alias = "eval_blind_real")]
    EvalBlindReal(eval_blind_real::Args),
    #[command(visible_alias = "eval_blind_zernike")]
    EvalBlindZernike(eval_blind_zernike::Args),
    #[command(visible_alias = "eval_blind_zernike_varying")]
    EvalBlindZernikeVarying(eval_blind_zernike_varying::Args),
}

/// Runs the command given to the program.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let result: anyhow::Result<()> = match cli.command {
        None if gui::has_display() => gui::run(gui::Args::default()),
        None => Cli::command().print_help().map_err(Into::into),
        Some(command) => match command {
            Command::Reconstruct(args) => reconstruct::run(*args),
            Command::Simulate(args) => simulate::run(*args),
            Command::Compare(args) => compare::run(args),
            Command::Landscape(args) => landscape::run(*args),
            Command::Score(args) => score::run(*args),
            Command::Sample(args) => sample::run(args),
            Command::Demo(args) => demo::run(args),
            Command::Gui(args) => gui::run(args),
            Command::Train(args) => train::run(args),
            Command::Devices(args) => devices::run(args),
            Command::Verify(args) => verify::run(args),
            Command::Bench(args) => bench::run(args),
            Command::Eval(args) => eval::run(args),
            Command::EvalBlind(args) => eval_blind::run(args),
            Command::EvalBlindReal(args) => eval_blind_real::run(args),
            Command::EvalBlindZernike(args) => eval_blind_zernike::run(args),
            Command::EvalBlindZernikeVarying(args) => eval_blind_zernike_varying::run(args),
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error::report(&error),
    }
}
