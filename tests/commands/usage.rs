use std::path::Path;

use super::{fails, vdps};

#[test]
fn without_a_command_there_is_help() {
    let output = vdps(".".as_ref()).assert().success();
    let help = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    for word in ["reconstruct", "simulate", "compare", "demo", "Exit codes"] {
        assert!(help.contains(word), "{help}");
    }
}

#[test]
fn unknown_commands_and_flags_are_bad_usage() {
    let here = ".".as_ref();
    fails(here, &["reconstrct"], 2, &["reconstruct"]);
    fails(here, &["demo", "--fast"], 2, &["--fast"]);
    fails(here, &["reconstruct", "a.gif"], 2, &["--out"]);
    let device = ["reconstruct", "a.gif", "--out", "o", "--device", "cuda"];
    fails(here, &device, 2, &["cuda", "gpu:N"]);
}

#[test]
fn without_a_display_the_window_names_the_command_that_needs_none() {
    let here = Path::new(".");
    let words = ["no display", "vdps reconstruct"];
    match cfg!(all(unix, not(target_os = "macos"))) {
        true => fails(here, &["gui"], 1, &words),
        false => eprintln!("this system does not say whether it has a display"),
    }
}
