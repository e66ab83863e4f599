//! `vdps bench ui`: how quickly the window answers on this machine.

use std::sync::mpsc;
use std::time::Instant as Clock;

use anyhow::{Context, bail};

use super::{gui, output};
use crate::app::{Bench, Method, Opening, Setup, UiTimings};
use crate::device::ComputeDevice;
use crate::run::demos::DEMOS;

/// Open the window, move sliders and start runs in it, and print how quickly it answers.
///
/// It takes about half a minute and needs a display. Nothing is written.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let began = Clock::now();
    if !gui::has_display() {
        bail!("there is no display to open the window on; on a bare machine, use `xvfb-run`");
    }
    let folder = tempfile::tempdir().context("a folder for the capture")?;
    let files = DEMOS[0].unpack(folder.path())?;
    let (report, result) = mpsc::channel();
    gui::open(Opening {
        capture: Some(files.measurement),
        truth: Some(files.truth),
        setup: Some(Setup {
            method: Method::Fast,
            ..Setup::default()
        }),
        bench: Some(Bench::new(began, report)),
        ..Opening::default()
    })?;
    let timings = result
        .try_recv()
        .context("the window was closed before everything was measured")?;
    let machine = ComputeDevice::cpu("it draws the window").to_string();
    if args.json {
        return output::print_json(&serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "machine": machine,
            "timings": timings,
        }));
    }
    output::print(&text(&timings, &machine))
}

fn text(timings: &UiTimings, machine: &str) -> String {
    let row = |what: &str, values: &[f64]| {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        match sorted.last() {
            Some(worst) => format!(
                "{:9.1} ms  {what} (median of {}; worst {worst:.1})\n",
                sorted[sorted.len() / 2],
                sorted.len()
            ),
            None => format!("        -     {what}\n"),
        }
    };
    let mut text = format!("{machine}; drawn by {}\n", timings.renderer);
    text += &row(
        "first frame, from the start of the command",
        &[timings.first_frame_ms],
    );
    text += &row("drag to residual", &timings.drag_to_residual_ms);
    text += &row("start to first x0", &[timings.start_to_first_x0_ms]);
    text += &row("a frame while solving", &timings.frame_while_solving_ms);
    text += &row("cancel", &timings.cancel_ms);
    text += &match timings.idle_percent {
        Some(percent) => format!("{percent:9.1} %   of a core while nothing moves\n"),
        None => "        -     of a core while nothing moves: this system does not tell\n".into(),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_worst_cases_are_told() {
        let timings = UiTimings {
            drag_to_residual_ms: vec![3.0, 9.0, 4.0],
            idle_percent: Some(0.5),
            ..UiTimings::default()
        };
        let text = text(&timings, "a machine");
        assert!(
            text.contains("4.0 ms  drag to residual (median of 3; worst 9.0)"),
            "{text}"
        );
        assert!(
            text.contains("0.5 %") && text.contains("-     cancel"),
            "{text}"
        );
    }
}
