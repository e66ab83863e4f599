//! Parameters that are unknown, from the command line.

use std::fs;

use tempfile::tempdir;

use super::{fails, json, number, simulated};

const RANGES: [&str; 4] = ["--dist", "3..8", "--sigma", "0.5..2"];

#[test]
fn ranges_are_found_within_them_and_mapped() {
    let root = tempdir().unwrap();
    let at = root.path();
    simulated(at, &["--dist", "5", "--sigma", "1"]);
    let run = ["reconstruct", "sim/measurement.gif", "--out", "r"];
    let more = ["--method", "instant", "--per", "clip"];
    let record = json(at, &[&run[..], &RANGES, &more].concat());
    let findings = record["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 2);
    let found = |i: usize| number(&findings[i]["parameter"]["value"]);
    assert!((found(0) - 5.0).abs() < 0.2, "{record}");
    assert!((found(1) - 1.0).abs() < 0.3, "{record}");
    assert_eq!(number(&findings[0]["parameter"]["min"]), 3.0);
    assert!(number(&record["residual"]["rms_levels"]) < 0.5);

    let map = ["landscape", "sim/measurement.gif", "--out", "map"];
    let estimate = ["--estimate", "r/reconstruction.tif", "--points", "21"];
    let lowest = json(at, &[&map[..], &RANGES, &estimate].concat());
    assert!((number(&lowest["dist_mm"]) - 5.0).abs() < 0.5, "{lowest}");
    let table = fs::read_to_string(at.join("map/landscape.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + 21 * 21);
    assert!(fs::metadata(at.join("map/landscape.png")).unwrap().len() > 1000);
    let known = ["--dist", "5", "--sigma", "1"];
    fails(at, &[&map[..], &known, &estimate].concat(), 2, &["ranges"]);
}

#[test]
fn fast_improves_on_instant_and_repeats_itself() {
    let root = tempdir().unwrap();
    let at = root.path();
    simulated(at, &["--dist", "5", "--sigma", "1"]);
    let run = |out, more: &[&'static str]| {
        let arguments = ["reconstruct", "sim/measurement.gif", "--out", out];
        let known = ["--dist", "5", "--sigma", "1", "--target", "sim/truth.tif"];
        json(at, &[&arguments[..], &known, more].concat())
    };
    let psnr = |record: &serde_json::Value| number(&record["quality"]["psnr_db"]);
    let instant = run("i", &["--method", "instant"]);
    let fast = run("f", &["--method", "fast"]);
    assert_eq!(fast["solver"]["method"], "fast");
    assert_eq!(fast["solver"]["prior"], "blocks and edges");
    assert!(psnr(&fast) > psnr(&instant) - 0.5, "{fast}");
    run("g", &["--method", "fast"]);
    let clip = |out: &str| fs::read(at.join(out).join("reconstruction.tif")).unwrap();
    assert!(clip("f") == clip("g"));
    let auto = run("a", &["--budget", "1s"]);
    assert_eq!(auto["solver"]["method"], "instant");
    assert!(
        auto["solver"]["chosen_because"]
            .as_str()
            .unwrap()
            .contains("1 s")
    );
}

#[test]
fn what_does_not_go_together_is_refused() {
    let root = tempdir().unwrap();
    let at = root.path();
    simulated(at, &["--dist", "5", "--sigma", "1"]);
    let fail = |more: &[&str], words: &[&str]| {
        let arguments = ["reconstruct", "sim/measurement.gif", "--out", "r"];
        fails(at, &[&arguments[..], more].concat(), 2, words);
        assert!(!at.join("r").exists());
    };
    let with = |more: &[&'static str]| [&RANGES[..], more].concat();
    fail(&with(&["--iterations", "9"]), &["iterations"]);
    fail(
        &with(&["--method", "instant", "--prior", "blocks"]),
        &["blocks", "fast"],
    );
    fail(&with(&["--method", "fast", "--gain", "fit"]), &["instant"]);
    fail(&with(&["--gain", "fit", "--offset", "0"]), &["--offset"]);
    fail(
        &with(&["--method", "fast", "--budget", "9s"]),
        &["--budget"],
    );
    fail(&with(&["--prior", "none.pt"]), &["none.pt"]);
    fail(&["--model", "blur", "--sigma", "1..3"], &["blur", "known"]);
    fail(
        &[
            "--model",
            "zernike",
            "--coeffs",
            "unknown",
            "--varying=wild",
        ],
        &["wild", "smooth"],
    );
}

#[test]
fn an_aberration_a_frame_is_found_and_reported() {
    let root = tempdir().unwrap();
    let at = root.path();
    let model = ["--model", "zernike", "--varying=smooth"];
    let random = ["--coeffs", "random"];
    simulated(at, &[&model[..], &random].concat());
    let run = [
        "reconstruct",
        "sim/measurement.gif",
        "--out",
        "r",
        "--frames",
        "0..3",
    ];
    let unknown = [
        "--coeffs", "unknown", "--gain", "fit", "--method", "instant",
    ];
    let record = json(at, &[&run[..], &model, &unknown].concat());
    let findings = record["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 30);
    for (i, finding) in findings.iter().enumerate() {
        assert_eq!(finding["parameter"]["frame"], i / 10);
    }
    assert_eq!(record["solver"]["settings"]["variation"], "smooth");
}

#[test]
fn captures_are_offered_as_amplitude_and_intensity() {
    let root = tempdir().unwrap();
    let at = root.path();
    simulated(at, &["--dist", "5", "--sigma", "1", "--gain", "0.5"]);
    let run = [
        "reconstruct",
        "sim/measurement.gif",
        "--out",
        "r",
        "--gain",
        "fit",
    ];
    let record = json(
        at,
        &[&run[..], &["--dist", "5", "--sigma", "0.5..2"]].concat(),
    );
    assert_eq!(record["solver"]["method"], "instant");
    assert_eq!(record["model"]["name"], "capture");
    let open = |name: &str| {
        let path = at.join("r").join(name);
        vdps::media::open(&path, &Default::default()).unwrap().clip
    };
    let (amplitude, intensity) = (open("reconstruction.tif"), open("intensity.tif"));
    let off = amplitude.zip(&intensity, |u, i| (u * u - i).abs());
    assert!(off.range().1 < 1e-6);
    let gain = record["findings"].as_array().unwrap().iter();
    let gain = gain.filter(|f| f["parameter"]["name"] == "gain").count();
    assert_eq!(gain, 1);
}
