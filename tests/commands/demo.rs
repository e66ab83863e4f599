use std::fs;
use std::path::Path;

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

/// The others reach what `data/demo/README.md` says, less a decibel or two.
#[test]
fn every_other_demo_is_reconstructed_by_its_name() {
    let root = tempdir().unwrap();
    for (name, least_db) in [
        ("blind", 37.0),
        ("haze", 50.0),
        ("blur", 37.0),
        ("missing", 25.5),
    ] {
        let record = json(root.path(), &["demo", name, "--out", name]);
        let psnr_db = number(&record["quality"]["psnr_db"]);
        assert!(psnr_db > least_db, "{name}: {psnr_db}");
        assert_eq!(record["solver"]["method"], "fast");
        assert!(root.path().join(name).join("reconstruction.gif").is_file());
    }
}

#[test]
fn the_unknown_aberration_is_found() {
    let root = tempdir().unwrap();
    let record = json(root.path(), &["demo", "aberration"]);
    assert!(number(&record["quality"]["psnr_db"]) > 25.0, "{record}");
    assert!(number(&record["measurement_quality"]["psnr_db"]) < 8.0);
}

#[test]
fn demos_are_listed_and_a_wrong_name_says_which_there_are() {
    let root = tempdir().unwrap();
    let output = vdps(root.path())
        .args(["demo", "--list"])
        .assert()
        .success();
    let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert_eq!(text.lines().count(), 6);
    fails(
        root.path(),
        &["demo", "unicorn"],
        2,
        &["unicorn", "blind", "missing"],
    );
    assert!(!root.path().join("results").exists());
}

/// The commands in `data/demo/README.md` make the bundled files again.
#[test]
fn the_bundled_captures_can_be_made_again() {
    let root = tempdir().unwrap();
    let bundled = concat!(env!("CARGO_MANIFEST_DIR"), "/data/demo");
    let readme = fs::read_to_string(format!("{bundled}/README.md")).unwrap();
    let rows = readme
        .lines()
        .filter(|line| line.contains("`vdps simulate"));
    let mut made = 0;
    for row in rows {
        let name = row.split('`').nth(1).unwrap();
        let command = row
            .split('`')
            .find(|part| part.starts_with("vdps simulate"));
        let command = command.unwrap().replace("DIR", name);
        let words = command.split(' ').skip(1);
        vdps(root.path()).args(words).assert().success();
        let folder = root.path().join(name);
        let kept = match name {
            "scatter" => Path::new(bundled).to_owned(),
            _ => Path::new(bundled).join(name),
        };
        for file in ["truth.gif", "mask.gif"] {
            if file == "truth.gif" || kept.join(file).is_file() {
                let bytes = |folder: &Path| fs::read(folder.join(file)).unwrap();
                assert!(bytes(&folder) == bytes(&kept), "{name}: {file}");
            }
        }
        agrees(
            &folder.join("measurement.gif"),
            &kept.join("measurement.gif"),
        );
        made += 1;
    }
    assert_eq!(made, 6);
}

/// To one level, in nearly all pixels.
fn agrees(made: &Path, kept: &Path) {
    let clip = |path| open(path, &ReadOptions::default()).unwrap().clip;
    let (made, kept) = (clip(made), clip(kept));
    assert_eq!(made.shape(), kept.shape());
    let differences = made.zip(&kept, |a, b| ((a - b) * 255.0).round().abs());
    assert!(differences.data().iter().all(|&d| d <= 1.0));
    let differing = differences.data().iter().filter(|&&d| d > 0.0).count();
    assert!(
        differing * 1000 <= made.shape().len(),
        "{differing} pixels differ"
    );
}
