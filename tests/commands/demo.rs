use std::fs;

use tempfile::tempdir;
use vdps::media::{ReadOptions, open};

use super::{fails, json, number, vdps};

#[test]
fn the_bundled_capture_is_reconstructed_from_anywhere() {
    let root = tempdir().unwrap();
    let record = json(root.path(), &["demo"]);
    assert!(number(&record["quality"]["psnr_db"]) > 44.0, "{record}");
    assert!(number(&record["measurement_quality"]["psnr_db"]) < 20.0);
    assert_eq!(record["outcome"], "finished");
    let out = root.path().join("results/demo");
    for name in [
        "measurement.gif",
        "truth.gif",
        "reconstruction.gif",
        "run.json",
    ] {
        assert!(out.join(name).is_file(), "{name}");
    }
}

#[test]
fn it_says_how_good_it_is_and_where_the_files_are() {
    let root = tempdir().unwrap();
    let output = vdps(root.path())
        .args(["demo", "--out", "shown"])
        .assert()
        .success();
    let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    for word in [
        "PSNR",
        "SSIM",
        "the measurement:",
        "reconstruction.gif",
        "shown",
    ] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn a_file_where_the_results_should_go_is_bad_usage() {
    let root = tempdir().unwrap();
    fs::write(root.path().join("out"), "").unwrap();
    fails(root.path(), &["demo", "--out", "out"], 2, &["out", "--out"]);
}

/// The command in `data/demo/README.md` makes the bundled files again.
#[test]
fn the_bundled_capture_can_be_made_again() {
    let root = tempdir().unwrap();
    let command = "simulate scene:walker --seed 1 --model scatter --dist 5 --sigma 1 --out sim";
    vdps(root.path())
        .args(command.split(' '))
        .assert()
        .success();
    let bundled = concat!(env!("CARGO_MANIFEST_DIR"), "/data/demo/");
    let truth = fs::read(root.path().join("sim/truth.gif")).unwrap();
    assert!(truth == fs::read(format!("{bundled}truth.gif")).unwrap());

    let levels = |path: &std::path::Path| open(path, &ReadOptions::default()).unwrap().clip;
    let made = levels(&root.path().join("sim/measurement.gif"));
    let kept = levels(format!("{bundled}measurement.gif").as_ref());
    assert_eq!(made.shape(), kept.shape());
    let differences = made.zip(&kept, |a, b| ((a - b) * 255.0).round().abs());
    assert!(differences.data().iter().all(|&d| d <= 1.0));
    let differing = differences.data().iter().filter(|&&d| d > 0.0).count();
    assert!(
        differing * 1000 <= made.shape().len(),
        "{differing} pixels differ"
    );
}
