//! The program as users run it.

mod blind;
mod checks;
mod compare;
mod demo;
mod eval;
mod eval_data;
mod reconstruct;
mod reference;
mod sample;
mod score;
mod simulate;
mod train;
mod usage;

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

/// The program, to be run in a folder of its own.
fn vdps(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vdps"));
    command.current_dir(folder);
    // No window opens, wherever the tests run.
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command
}

/// Runs a command that must succeed with nothing but JSON on standard output.
fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = vdps(folder)
        .args(arguments)
        .arg("--json")
        .assert()
        .success();
    serde_json::from_slice(&output.get_output().stdout).expect("standard output is pure JSON")
}

/// Runs a command that must fail with this code and all of these words.
fn fails(folder: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    let output = vdps(folder).args(arguments).assert().code(code);
    let output = output.get_output();
    let message = String::from_utf8_lossy(&output.stderr).replace('\n', " ");
    for word in words {
        assert!(message.contains(word), "`{word}` is missing: {message}");
    }
    assert!(output.stdout.is_empty(), "errors belong on standard error");
}

/// Simulates a small capture of a generated scene into `sim`.
fn simulated(folder: &Path, model: &[&str]) -> Value {
    let scene = ["simulate", "scene:shapes", "--resize", "32", "--out", "sim"];
    json(folder, &[&scene[..], model].concat())
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}
