use std::fs;

use tempfile::tempdir;
use vdps::clip::{Clip, Shape};
use vdps::media::{ReadOptions, WriteOptions, open, save};
use vdps::physics::{ForwardModel, Optics, Scatter};

use super::{fails, json, number, simulated, vdps};

fn read(path: &std::path::Path) -> Clip {
    open(path, &ReadOptions::default()).unwrap().clip
}

#[test]
fn the_measurement_is_the_model_s_and_its_gif_is_truncated() {
    let root = tempdir().unwrap();
    let record = simulated(root.path(), &["--dist", "4", "--sigma", "12um"]);
    let out = root.path().join("sim");
    let truth = read(&out.join("truth.tif"));
    let model = Scatter::new(truth.shape(), Optics::SYNTHETIC, 4.0, 1.5).unwrap();
    let measured = read(&out.join("measurement.tif"));
    assert_eq!(measured, model.apply(&truth));
    let gif = read(&out.join("measurement.gif"));
    for (level, value) in gif.data().iter().zip(measured.data()) {
        assert_eq!(
            (level * 255.0).round(),
            (value.clamp(0.0, 1.0) * 255.0).floor()
        );
    }
    assert_eq!(record["model"]["parameters"][1]["value"], 1.5);
    let kept: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("simulation.json")).unwrap()).unwrap();
    assert_eq!(kept, record);
}

#[test]
fn a_seed_fixes_everything_that_is_drawn() {
    let bytes = |seed: &str| {
        let root = tempdir().unwrap();
        let drawn = [
            "--dist",
            "2.5..10",
            "--sigma",
            "0.5..2",
            "--read-noise",
            "0.01",
        ];
        let camera = ["--shot", "5000", "--seed", seed];
        let record = simulated(root.path(), &[&drawn[..], &camera].concat());
        assert_eq!(record["model"]["parameters"].as_array().unwrap().len(), 20);
        fs::read(root.path().join("sim/measurement.tif")).unwrap()
    };
    assert!(bytes("1") == bytes("1"));
    assert!(bytes("1") != bytes("2"));
}

#[test]
fn gain_saturates_and_noise_is_as_large_as_asked() {
    let root = tempdir().unwrap();
    let scene = Clip::filled(Shape::new(2, 32, 32), 0.5);
    save(
        &root.path().join("flat.npy"),
        &scene,
        &WriteOptions::default(),
    )
    .unwrap();
    let noisy = [
        "simulate", "flat.npy", "--model", "blur", "--sigma", "0", "--out", "sim",
    ];
    let camera = ["--read-noise", "0.05", "--gain", "2"];
    let record = json(root.path(), &[&noisy[..], &camera].concat());
    let share = number(&record["saturated_share"]);
    assert!((share - 0.5).abs() < 0.1, "{share}");
    let values = read(&root.path().join("sim/measurement.tif"));
    let squares = values.data().iter().map(|v| f64::from(v - 1.0).powi(2));
    let deviation = (squares.sum::<f64>() / values.shape().len() as f64).sqrt();
    assert!((deviation - 0.05).abs() < 0.005, "{deviation}");
}

#[test]
fn small_noise_keeps_its_digits() {
    let root = tempdir().unwrap();
    let record = simulated(root.path(), &["--model", "dehaze", "--read-noise", "2e-5"]);
    let flags = record["reconstruct_flags"].as_str().unwrap();
    assert!(flags.ends_with("--noise 2.000e-5"), "{flags}");
}

#[test]
fn levels_have_the_bits_asked_for() {
    let root = tempdir().unwrap();
    simulated(root.path(), &["--model", "dehaze", "--quantise", "16"]);
    let out = root.path().join("sim");
    let footage = open(&out.join("measurement"), &ReadOptions::default()).unwrap();
    assert_eq!(footage.levels, Some(65535));
    assert!(!out.join("measurement.gif").exists());
    let root = tempdir().unwrap();
    simulated(root.path(), &["--model", "dehaze", "--quantise", "none"]);
    assert!(!root.path().join("sim/measurement.gif").exists());
    assert!(root.path().join("sim/measurement.tif").exists());
}

/// What `simulate` suggests must work, for every model.
#[test]
fn the_flags_it_prints_hand_the_model_to_reconstruct() {
    let models: [&[&str]; 5] = [
        &["--dist", "3..6", "--sigma", "0.5..1"],
        &["--model", "blur", "--sigma", "1"],
        &["--model", "dehaze"],
        &["--model", "inpaint", "--mask", "random:0.5"],
        &[
            "--model",
            "zernike",
            "--coeffs",
            "random",
            "--varying",
            "--quantise",
            "none",
        ],
    ];
    for model in models {
        let root = tempdir().unwrap();
        let record = simulated(root.path(), model);
        let flags = record["reconstruct_flags"].as_str().unwrap();
        let output = vdps(root.path())
            .args(["reconstruct", "sim/measurement.tif", "--out", "r", "--json"])
            .args(["--iterations", "300", "--target", "sim/truth.tif"])
            .args(flags.split(' '))
            .assert()
            .success();
        let run: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
        assert_eq!(run["model"]["parameters"], record["model"]["parameters"]);
        let psnr = number(&run["quality"]["psnr_db"]);
        assert!(psnr > 20.0, "{flags}: {psnr} dB");
    }
}

#[test]
fn bad_scenes_and_cameras_are_bad_input() {
    let root = tempdir().unwrap();
    let folder = root.path();
    let scene = |name, more: &[&'static str]| {
        [
            &["simulate", name, "--model", "dehaze", "--out", "sim"][..],
            more,
        ]
        .concat()
    };
    fails(folder, &scene("scene:dog", &[]), 2, &["dog", "walker"]);
    fails(folder, &scene("none.gif", &[]), 2, &["none.gif"]);
    fails(
        folder,
        &scene("scene:walker", &["--frames", "0..3"]),
        2,
        &["--resize"],
    );
    fails(
        folder,
        &scene("scene:walker", &["--gain", "0"]),
        2,
        &["gain"],
    );
    fails(
        folder,
        &scene("scene:walker", &["--shot", "-3"]),
        2,
        &["photons", "-3"],
    );
    fails(
        folder,
        &scene("scene:walker", &["--quantise", "12"]),
        2,
        &["16"],
    );
    let bright = Clip::filled(Shape::new(1, 8, 8), 1.5);
    save(
        &folder.join("bright.npy"),
        &bright,
        &WriteOptions::default(),
    )
    .unwrap();
    fails(folder, &scene("bright.npy", &[]), 2, &["1.5", "[0, 1]"]);
}
