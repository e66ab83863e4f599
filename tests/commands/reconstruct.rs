use std::fs;

use tempfile::tempdir;
use vdps::clip::{Clip, Shape};
use vdps::media::{ReadOptions, WriteOptions, open, save};

use super::{fails, json, number, simulated, vdps};

const SCATTER: [&str; 4] = ["--dist", "5", "--sigma", "1"];

fn command<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let short = [
        "reconstruct",
        "sim/measurement.gif",
        "--out",
        "r",
        "--iterations",
        "60",
    ];
    [&short[..], more].concat()
}

#[test]
fn results_and_their_record_are_complete() {
    let root = tempdir().unwrap();
    simulated(root.path(), &SCATTER);
    let target = [
        "--target",
        "sim/truth.gif",
        "--frames",
        "2..8",
        "--crop",
        "24x28",
    ];
    let record = json(root.path(), &command(&[&SCATTER[..], &target].concat()));

    let out = root.path().join("r");
    let kept = fs::read(out.join("run.json")).unwrap();
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&kept).unwrap(),
        record
    );
    let read = |name: &str| open(&out.join(name), &ReadOptions::default()).unwrap();
    let float = read("reconstruction.tif");
    assert_eq!(float.clip.shape(), Shape::new(6, 24, 28));
    assert_eq!(float.levels, None);
    let rounded = float.clip.map(|v| (v * 255.0).round());
    assert_eq!(
        read("reconstruction.gif").clip.map(|v| (v * 255.0).round()),
        rounded
    );
    let squares = read("residual.tif").clip;
    let squares = squares
        .data()
        .iter()
        .map(|r| f64::from(*r).powi(2))
        .sum::<f64>();
    let rms = (squares / float.clip.shape().len() as f64).sqrt();
    assert!((number(&record["residual"]["rms"]) - rms).abs() < 1e-9);

    assert_eq!(record["outcome"], "finished");
    assert_eq!(record["solver"]["method"], "instant");
    assert_eq!(record["solver"]["steps_done"], 60);
    assert_eq!(record["input"]["levels"], 255);
    assert_eq!(record["input"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(record["measurement"]["quantisation"], "floor");
    assert_eq!(record["model"]["parameters"][0]["unit"], "millimetre");
    assert!((number(&record["model"]["geometry"]["aliasing_limit_mm"]) - 5.774).abs() < 1e-3);
    assert_eq!(record["quality"]["frames"].as_array().unwrap().len(), 6);
    assert!(record["prior"].is_null());
    assert!(number(&record["timings"]["solver_s"]) <= number(&record["timings"]["total_s"]));
    for part in [
        "program",
        "command_line",
        "seed",
        "device",
        "target",
        "measurement_quality",
    ] {
        assert!(!record[part].is_null(), "{part}");
    }
}

#[test]
fn the_reconstruction_is_far_better_than_the_measurement() {
    let root = tempdir().unwrap();
    simulated(root.path(), &SCATTER);
    let target = ["--target", "sim/truth.tif", "--iterations", "400"];
    let arguments = ["reconstruct", "sim/measurement.gif", "--out", "r"];
    let record = json(root.path(), &[&arguments[..], &SCATTER, &target].concat());
    let (ours, bare) = (&record["quality"], &record["measurement_quality"]);
    assert!(
        number(&ours["psnr_db"]) > number(&bare["psnr_db"]) + 15.0,
        "{record}"
    );
    assert!(number(&record["residual"]["rms_levels"]) < 0.5);
}

#[test]
fn half_a_level_is_added_to_truncated_measurements_only() {
    let root = tempdir().unwrap();
    let level = 100.0 / 255.0;
    let flat = Clip::filled(Shape::new(2, 8, 8), level);
    for name in ["m.gif", "m.npy"] {
        save(&root.path().join(name), &flat, &WriteOptions::default()).unwrap();
    }
    let mean = |input: &str, more: &[&str]| {
        let arguments = [
            "reconstruct",
            input,
            "--out",
            "r",
            "--model",
            "blur",
            "--sigma",
            "0",
        ];
        let record = json(root.path(), &[&arguments[..], more].concat());
        let clip = open(
            &root.path().join("r/reconstruction.tif"),
            &ReadOptions::default(),
        );
        let clip = clip.unwrap().clip;
        let sum: f32 = clip.data().iter().sum();
        (sum / clip.shape().len() as f32, record)
    };
    let (truncated, _) = mean("m.gif", &[]);
    assert!(
        (truncated - level - 0.5 / 255.0).abs() < 2e-5,
        "{truncated}"
    );
    let (rounded, _) = mean("m.gif", &["--quantisation", "round"]);
    assert!((rounded - level).abs() < 2e-5, "{rounded}");
    let (exact, record) = mean("m.npy", &["--target", "m.gif"]);
    assert!((exact - level).abs() < 2e-5, "{exact}");
    assert!(record["measurement"]["quantisation"].is_null());
    assert!(
        record["measurement_quality"]["psnr_db"]
            .as_f64()
            .is_none_or(|db| db > 120.0)
    );
}

#[test]
fn the_same_command_gives_the_same_bytes() {
    let root = tempdir().unwrap();
    let inpaint = ["--model", "inpaint", "--mask"];
    let drawn = ["random:0.5", "--seed", "3"];
    simulated(root.path(), &[&inpaint[..], &drawn].concat());
    let bytes = |more: &[&str]| {
        json(root.path(), &command(&[&inpaint[..], more].concat()));
        fs::read(root.path().join("r/reconstruction.tif")).unwrap()
    };
    assert!(bytes(&drawn) == bytes(&drawn));
    // A seed means the same mask to both commands, another seed another one.
    assert!(bytes(&drawn) == bytes(&["sim/mask.gif"]));
    assert!(bytes(&drawn) != bytes(&["random:0.5", "--seed", "4"]));
}

#[test]
fn masks_are_cut_like_the_measurement() {
    let root = tempdir().unwrap();
    simulated(root.path(), &["--model", "inpaint", "--mask", "random:0.5"]);
    let cut = [
        "--model", "inpaint", "--frames", "3..7", "--crop", "16", "--mask",
    ];
    let cut = |mask| json(root.path(), &command(&[&cut[..], &[mask]].concat()));
    let record = cut("sim/mask.gif");
    assert_eq!(record["input"]["shape"]["frames"], 4);
    let clip = open(&root.path().join("sim/mask.gif"), &ReadOptions::default())
        .unwrap()
        .clip;
    let first = Clip::new(Shape::new(1, 32, 32), clip.frame(0).to_vec());
    save(
        &root.path().join("first.png"),
        &first,
        &WriteOptions::default(),
    )
    .unwrap();
    cut("first.png");
}

#[test]
fn zernike_writes_its_point_spread_function() {
    let root = tempdir().unwrap();
    let model = [
        "--model",
        "zernike",
        "--coeffs",
        "0,0,0,1,-1.5,0.5,0,0,0.3,0",
    ];
    simulated(root.path(), &[&model[..], &["--quantise", "none"]].concat());
    let arguments = [
        "reconstruct",
        "sim/measurement.tif",
        "--out",
        "r",
        "--iterations",
        "20",
    ];
    json(root.path(), &[&arguments[..], &model].concat());
    let psf = open(&root.path().join("r/psf.png"), &ReadOptions::default())
        .unwrap()
        .clip;
    assert_eq!(psf.shape(), Shape::new(1, 32, 32));
    assert!(psf.data().contains(&1.0));
}

#[test]
fn what_else_is_in_the_folder_stays() {
    let root = tempdir().unwrap();
    simulated(root.path(), &SCATTER);
    let out = root.path().join("r");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("notes.txt"), "mine").unwrap();
    fs::write(out.join("reconstruction.gif"), "old").unwrap();
    json(root.path(), &command(&SCATTER));
    assert_eq!(fs::read_to_string(out.join("notes.txt")).unwrap(), "mine");
    assert!(
        fs::read(out.join("reconstruction.gif"))
            .unwrap()
            .starts_with(b"GIF89a")
    );
    let names = fs::read_dir(&out).unwrap().map(|e| e.unwrap().file_name());
    assert!(
        names
            .into_iter()
            .all(|name| !name.to_string_lossy().contains("partial"))
    );
}

#[test]
fn aliasing_is_warned_about() {
    let root = tempdir().unwrap();
    simulated(root.path(), &SCATTER);
    let output = vdps(root.path())
        .args(command(&["--dist", "12", "--sigma", "1"]))
        .assert()
        .success();
    let notes = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(
        notes.contains("aliases") && notes.contains("7.7 mm"),
        "{notes}"
    );
}

#[test]
fn missing_parameters_may_be_ranges() {
    let root = tempdir().unwrap();
    simulated(root.path(), &SCATTER);
    let fail = |more: &[&str], words: &[&str]| fails(root.path(), &command(more), 2, words);
    fail(&[], &["--dist", "2.5..10"]);
    fail(&["--dist", "5"], &["--sigma", "0.5..2"]);
    fail(&["--dist", "5..2", "--sigma", "1"], &["smaller value"]);
    fail(
        &["--dist", "5", "--sigma", "1", "--per", "clip"],
        &["--per", "range"],
    );
    fail(&["--model", "zernike"], &["--coeffs", "unknown"]);
    fail(&["--model", "zernike", "--coeffs", "random"], &["unknown"]);
    fail(
        &["--model", "blur", "--gain", "fit"],
        &["--gain", "scatter"],
    );
    fail(&["--model", "inpaint"], &["--mask"]);
}

#[test]
fn bad_values_are_bad_usage() {
    let root = tempdir().unwrap();
    simulated(root.path(), &SCATTER);
    let fail = |more: &[&str], words: &[&str]| fails(root.path(), &command(more), 2, words);
    let with = |more: &[&'static str]| [&SCATTER[..], more].concat();
    fail(&["--dist", "five", "--sigma", "1"], &["five"]);
    fail(&["--dist", "5px", "--sigma", "1"], &["mm"]);
    fail(&["--dist", "-5", "--sigma", "1"], &["distance", "-5 mm"]);
    fail(&["--dist", "5", "--sigma", "99"], &["sigma", "32"]);
    fail(&["--dist", "5,6,7", "--sigma", "1"], &["distance", "10"]);
    fail(
        &["--model", "zernike", "--coeffs", "1,2"],
        &["2 values", "10"],
    );
    fail(
        &["--model", "zernike", "--varying", "--coeffs", "1,2"],
        &["100"],
    );
    fail(
        &["--model", "inpaint", "--mask", "random:2"],
        &["random:0.5"],
    );
    fail(&["--model", "inpaint", "--mask", "none.png"], &["none.png"]);
    fail(&["--model", "dehaze", "--dist", "5"], &["--dist", "dehaze"]);
    fail(&["--model", "fog"], &["fog", "dehaze"]);
    fail(&with(&["--pitch-um", "0"]), &["pixel pitch"]);
    fail(&with(&["--noise", "-1"]), &["--noise"]);
    fail(&with(&["--steps", "8"]), &["--steps", "reference"]);
    fail(&with(&["--device", "cpu"]), &["--device", "reference"]);
    fail(&with(&["--gain", "nan"]), &["--gain", "above 0"]);
    fail(&with(&["--offset", "inf"]), &["--offset"]);
    fail(&with(&["--frames", "0..99"]), &["..99", "10"]);
    fail(&with(&["--frames", "5..5"]), &["A..B"]);
    fail(&with(&["--crop", "64"]), &["64x64", "32x32"]);
    fail(&with(&["--target", "none.gif"]), &["none.gif"]);
    let zero = [
        "reconstruct",
        "sim/measurement.gif",
        "--out",
        "r",
        "--iterations",
        "0",
    ];
    fails(
        root.path(),
        &[&zero[..], &SCATTER].concat(),
        2,
        &["iterations"],
    );
}

#[test]
fn bad_files_are_bad_input() {
    let root = tempdir().unwrap();
    let folder = root.path();
    simulated(folder, &SCATTER);
    fs::write(folder.join("text.gif"), "not a picture").unwrap();
    let fail = |input: &str, out: &str, more: &[&str], words: &[&str]| {
        let arguments = ["reconstruct", input, "--out", out];
        fails(folder, &[&arguments[..], &SCATTER, more].concat(), 2, words);
    };
    fail("none.gif", "r", &[], &["none.gif"]);
    fail("text.gif", "r", &[], &["text.gif", "GIF"]);
    fail(
        "sim/measurement.gif",
        "text.gif",
        &[],
        &["text.gif", "--out"],
    );
    let other = Clip::zeros(Shape::new(2, 32, 32));
    save(&folder.join("other.npy"), &other, &WriteOptions::default()).unwrap();
    let target = ["--target", "other.npy"];
    fail(
        "sim/measurement.gif",
        "r",
        &target,
        &["10x32x32", "2x32x32"],
    );
}

#[cfg(unix)]
#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let root = tempdir().unwrap();
    simulated(root.path(), &SCATTER);
    fs::create_dir_all(root.path().join("r/reconstruction.tif/in the way")).unwrap();
    let words = ["not written", "reconstruction.tif"];
    fails(root.path(), &command(&SCATTER), 1, &words);
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_was_computed() {
    use std::process::{Command, Stdio};
    use std::time::Duration;

    let root = tempdir().unwrap();
    simulated(root.path(), &SCATTER);
    let child = Command::new(env!("CARGO_BIN_EXE_vdps"))
        .current_dir(root.path())
        .args(["reconstruct", "sim/measurement.gif", "--out", "r", "--json"])
        .args(["--iterations", "100000000"])
        .args(SCATTER)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !root.path().join("r").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(500));
    let signal = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(signal.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("so far is in r"), "{message}");
    let record: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(record["outcome"], "cancelled");
    assert!(number(&record["solver"]["steps_done"]) > 10.0);
    for name in [
        "reconstruction.gif",
        "reconstruction.tif",
        "residual.tif",
        "run.json",
    ] {
        assert!(root.path().join("r").join(name).is_file(), "{name}");
    }
}

#[test]
fn a_known_gain_is_taken_out() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    let coefficients = "0,0.3,0.2,1,2,-1,0.5,0.3,-0.7,0.4";
    let aberration = ["--model", "zernike", "--coeffs", coefficients];
    simulated(at, &[&aberration[..], &["--gain", "0.3"]].concat());
    let target = ["--target", "sim/truth.tif", "--out", "out"];
    let command = |gain: &'static str| {
        let arguments = ["reconstruct", "sim/measurement.gif", "--gain", gain];
        json(at, &[&arguments[..], &aberration, &target].concat())
    };
    let psnr = |run: &serde_json::Value| number(&run["quality"]["psnr_db"]);
    let known = command("0.3");
    assert!(psnr(&known) > 25.0, "{}", psnr(&known));
    assert!(psnr(&command("1")) < 15.0);
    assert_eq!(number(&known["measurement"]["gain"]), 0.3);
    let levels = number(&known["residual"]["rms_levels"]);
    assert!(levels < 1.0, "the residual is in recorded levels: {levels}");
    let refused = [
        "reconstruct",
        "sim/measurement.gif",
        "--gain",
        "-1",
        "--out",
        "out",
    ];
    fails(
        at,
        &[&refused[..], &aberration].concat(),
        2,
        &["gain is -1"],
    );
}

#[test]
fn counts_need_their_scale_and_then_give_the_same() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    let noisy = ["--read-noise", "0.01", "--quantise", "none"];
    simulated(at, &[&SCATTER[..], &noisy].concat());
    let sim = at.join("sim/measurement.tif");
    let measured = open(&sim, &ReadOptions::default()).unwrap().clip;
    let counts = measured.map(|y| 100.0 + 4095.0 * y);
    save(&at.join("counts.npy"), &counts, &WriteOptions::default()).unwrap();
    let arguments = |input, more: &[&'static str]| {
        let fixed = [
            "reconstruct",
            input,
            "--target",
            "sim/truth.tif",
            "--out",
            "r",
        ];
        [&fixed[..], &SCATTER, &["--iterations", "150"], more].concat()
    };
    let words = ["--gain 4095", "--offset", "--normalise"];
    fails(at, &arguments("counts.npy", &[]), 2, &words);
    assert!(!at.join("r").exists());

    let plain = json(at, &arguments("sim/measurement.tif", &["--noise", "0.01"]));
    let scale = ["--gain", "4095", "--offset", "100", "--noise", "40.95"];
    let scaled = json(at, &arguments("counts.npy", &scale));
    let close = |pointer: &str, ratio: f64, tolerance: f64| {
        let value = |run: &serde_json::Value| number(run.pointer(pointer).unwrap());
        let (plain, scaled) = (value(&plain), value(&scaled));
        assert!(
            (scaled / plain / ratio - 1.0).abs() < tolerance,
            "{pointer}: {scaled} against {plain}"
        );
    };
    close("/solver/settings/noise", 1.0, 1e-9);
    close("/residual/rms", 4095.0, 1e-2);
    close("/quality/psnr_db", 1.0, 1e-2);
    close("/measurement_quality/psnr_db", 1.0, 1e-3);
}

#[test]
fn normalising_is_the_published_treatment_of_captures() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    let shape = Shape::new(2, 8, 8);
    let ramp: Vec<f32> = (0..shape.len())
        .map(|i| 300.0 + 10.0 * (i % 64) as f32)
        .collect();
    let ramp = Clip::new(shape, ramp);
    save(&at.join("m.npy"), &ramp, &WriteOptions::default()).unwrap();
    let arguments = [
        "reconstruct",
        "m.npy",
        "--normalise",
        "--model",
        "blur",
        "--sigma",
        "0",
        "--out",
        "r",
    ];
    let record = json(at, &arguments);
    assert_eq!(record["measurement"]["normalised"], true);
    let clip = open(&at.join("r/reconstruction.tif"), &ReadOptions::default());
    let expected = ramp.map(|v| ((v - 300.0) / 630.0 - 0.1).max(0.0));
    for (found, expected) in clip.unwrap().clip.data().iter().zip(expected.data()) {
        assert!(
            (found - expected).abs() < 2e-3,
            "{found} against {expected}"
        );
    }
    let flat = Clip::filled(shape, 7.0);
    save(&at.join("m.npy"), &flat, &WriteOptions::default()).unwrap();
    fails(at, &arguments, 2, &["--normalise", "the same"]);
}

#[test]
fn booleans_are_exact_and_resized_levels_do_not_saturate() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    let header = format!(
        "{:<117}\n",
        "{'descr': '|b1', 'fortran_order': False, 'shape': (2, 8, 8), }"
    );
    let ones = [
        &b"\x93NUMPY\x01\x00\x76\x00"[..],
        header.as_bytes(),
        &[1; 128],
    ];
    fs::write(at.join("m.npy"), ones.concat()).unwrap();
    let white = Clip::filled(Shape::new(2, 8, 8), 1.0);
    save(&at.join("m.gif"), &white, &WriteOptions::default()).unwrap();
    let measurement = |input, more: &[&'static str]| {
        let fixed = [
            "reconstruct",
            input,
            "--model",
            "blur",
            "--sigma",
            "0",
            "--iterations",
            "5",
        ];
        let record = json(at, &[&fixed[..], &["--out", "r"], more].concat());
        record["measurement"].clone()
    };
    assert!(measurement("m.npy", &[])["quantisation"].is_null());
    assert_eq!(number(&measurement("m.gif", &[])["saturated_share"]), 1.0);
    let resized = measurement("m.gif", &["--resize", "4"]);
    assert_eq!(number(&resized["saturated_share"]), 0.0);
    assert_eq!(resized["quantisation"], "floor");
}

#[test]
fn a_drawn_mask_is_kept_and_a_grey_one_refused() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    simulated(at, &["--model", "inpaint", "--mask", "random:0.5"]);
    let inpaint = |more: &[&'static str]| {
        let flags = [&["--model", "inpaint", "--mask"][..], more].concat();
        command(&flags)
    };
    let record = json(at, &inpaint(&["random:0.5"]));
    let files = record["files"].as_array().unwrap();
    assert!(files.contains(&"mask.gif".into()), "{files:?}");
    let bytes = |path: &str| fs::read(at.join(path)).unwrap();
    assert!(bytes("r/mask.gif") == bytes("sim/mask.gif"));

    let mask = |side, value| {
        let clip = Clip::filled(Shape::new(1, side, side), value);
        save(&at.join("mask.png"), &clip, &WriteOptions::default()).unwrap();
    };
    mask(32, 0.5);
    fails(at, &inpaint(&["mask.png"]), 2, &["mask holds the value"]);
    let resized = inpaint(&["mask.png", "--resize", "16"]);
    mask(32, 1.0);
    fails(at, &resized, 2, &["mask is 1x32x32", "10x16x16"]);
    mask(16, 1.0);
    json(at, &resized);
}

/// Haze and a wide blur: the published tasks beside scattering.
#[test]
fn haze_and_a_wide_blur_are_undone() {
    for (model, gained_db) in [
        (&["--model", "dehaze"][..], 20.0),
        (&["--model", "blur", "--sigma", "3"], 4.0),
    ] {
        let root = tempdir().unwrap();
        simulated(root.path(), model);
        let arguments = [
            "reconstruct",
            "sim/measurement.gif",
            "--target",
            "sim/truth.tif",
            "--out",
            "r",
        ];
        let record = json(root.path(), &[&arguments[..], model].concat());
        let psnr = |quality: &str| number(&record[quality]["psnr_db"]);
        let (ours, bare) = (psnr("quality"), psnr("measurement_quality"));
        assert!(ours > bare + gained_db, "{model:?}: {ours} after {bare} dB");
    }
}

/// Dark and flat frames undo a camera's darkness and uneven light.
#[test]
fn dark_and_flat_frames_make_the_light_even() {
    let root = tempdir().unwrap();
    simulated(root.path(), &SCATTER);
    let read = |name: &str| {
        let file = root.path().join(name);
        open(&file, &ReadOptions::default()).unwrap().clip
    };
    let write = |name: &str, clip: &Clip| {
        save(&root.path().join(name), clip, &WriteOptions::default()).unwrap();
    };
    let even = read("sim/measurement.gif");
    let shape = even.shape();
    let lamp = |i: usize| 0.7 + 0.6 * (i % shape.width) as f32 / (shape.width - 1) as f32;
    let lit = |clip: &Clip| {
        let values = clip.data().iter().enumerate();
        Clip::new(shape, values.map(|(i, v)| lamp(i) * v + 0.05).collect())
    };
    write("even.npy", &even);
    write("uneven.npy", &lit(&even));
    write("dark.npy", &Clip::filled(shape, 0.05));
    write("flat.npy", &lit(&Clip::filled(shape, 0.8)));
    let run = |input: &str, more: &[&str]| {
        let short = ["reconstruct", input, "--out", input, "--iterations", "60"];
        let out = format!("{}-out", input.trim_end_matches(".npy"));
        let mut command = [&short[..], &SCATTER, more].concat();
        command[3] = &out;
        let record = json(root.path(), &command);
        (record, read(&format!("{out}/reconstruction.tif")))
    };
    let frames = ["--dark", "dark.npy", "--flat", "flat.npy"];
    let (_, plain) = run("even.npy", &[]);
    let (record, corrected) = run("uneven.npy", &frames);
    let off = plain.zip(&corrected, |a, b| (a - b).abs());
    assert!(off.range().1 < 5e-3, "{}", off.range().1);
    assert_eq!(record["measurement"]["dark"]["path"], "dark.npy");
    assert_eq!(record["measurement"]["flat"]["shape"]["height"], 32);

    let wrong = |more: &[&str], words: &[&str]| {
        let short = ["reconstruct", "uneven.npy", "--out", "w"];
        let command = [&short[..], &SCATTER, more].concat();
        fails(root.path(), &command, 2, words);
    };
    wrong(
        &["--dark", "dark.npy", "--offset", "0.1"],
        &["--dark or --offset"],
    );
    wrong(
        &["--dark", "flat.npy", "--flat", "dark.npy"],
        &["exchanged"],
    );
    write("small.npy", &Clip::filled(Shape::new(1, 8, 8), 0.5));
    wrong(&["--flat", "small.npy"], &["flat frame is 8x8"]);
    wrong(&["--flat", "flat.npy", "--normalise"], &["--normalise"]);
}
