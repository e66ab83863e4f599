//! `verify`, `devices` and `bench`.

use tempfile::tempdir;

use super::{fails, json, number, vdps};

#[test]
fn verify_compares_every_part_with_built_in_numbers() {
    let folder = tempdir().unwrap();
    let report = json(folder.path(), &["verify", "--device", "cpu", "--small"]);
    assert_eq!(number(&report["failed"]), 0.0);
    let checks = report["checks"].as_array().unwrap();
    for part in ["scatter_blind", "zernike_varying", "inpaint", "network"] {
        let row = checks
            .iter()
            .find(|row| row["what"].as_str().unwrap().starts_with(part))
            .unwrap_or_else(|| panic!("no check of {part}"));
        assert!(number(&row["error"]) <= number(&row["tolerance"]));
    }
}

#[test]
fn verify_prints_a_line_a_check() {
    let folder = tempdir().unwrap();
    let arguments = ["verify", "--device", "cpu", "--small"];
    let output = vdps(folder.path()).args(arguments).assert().success();
    let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(text.contains("ok "), "{text}");
    assert!(text.contains("(small cases only), 0 failed"), "{text}");
}

#[test]
fn verify_names_a_golden_file_that_is_not_there() {
    let folder = tempdir().unwrap();
    let arguments = ["verify", "--device", "cpu", "--golden", "nowhere"];
    let output = vdps(folder.path()).args(arguments).assert().code(2);
    let text = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(text.contains("schedule_1000.safetensors"), "{text}");
}

#[test]
fn devices_lists_the_processor_and_says_what_is_chosen() {
    let folder = tempdir().unwrap();
    let report = json(folder.path(), &["devices"]);
    let devices = report["devices"].as_array().unwrap();
    assert!(devices.iter().any(|device| device["request"] == "cpu"));
    let names: Vec<_> = devices.iter().map(|device| &device["name"]).collect();
    assert!(names.contains(&&report["chosen"]), "{report}");
    assert!(!report["why"].as_str().unwrap().is_empty());
}

#[test]
fn bench_times_every_part() {
    let folder = tempdir().unwrap();
    let arguments = [
        "bench", "--device", "cpu", "--dim", "8", "--size", "16", "--runs", "1",
    ];
    let report = json(folder.path(), &arguments);
    let timings = report["timings"].as_array().unwrap();
    assert!(timings.iter().all(|row| number(&row["seconds"]) > 0.0));
    for part in ["scatter", "instant", "network", "guided step"] {
        let named = |row: &serde_json::Value| row["what"].as_str().unwrap().contains(part);
        assert!(timings.iter().any(named), "no timing of {part}");
    }
}

#[test]
fn sizes_and_devices_that_do_not_exist_are_refused() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    fails(
        at,
        &["bench", "--device", "cpu", "--dim", "8", "--size", "30"],
        2,
        &["32 x 32"],
    );
    fails(at, &["verify", "--device", "tpu"], 2, &["auto", "gpu:N"]);
    fails(at, &["verify", "--device", "gpu:99"], 2, &["no GPU 99"]);
}

#[test]
fn a_closed_pipe_is_no_error() {
    use std::process::{Command, Stdio};

    let bench: Vec<_> = "bench --device cpu --dim 8 --size 16 --runs 1"
        .split(' ')
        .collect();
    let verify = ["verify", "--device", "cpu", "--small"];
    for arguments in [&["devices"][..], &verify, &bench] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_vdps"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        assert!(child.wait().unwrap().success(), "{arguments:?}");
    }
}
