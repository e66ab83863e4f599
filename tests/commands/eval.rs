//! The published commands, with a network small enough for tests.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::tempdir;
use vdps::clip::{Clip, Shape};
use vdps::media::{self, ReadOptions};
use vdps::physics::{Blur, Dehaze, ForwardModel, Optics, Scatter};

use super::eval_data::{capture, davis, video};
use super::{fails, number, vdps};

const NETWORK: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/golden/unet_dim8_heads16.pt"
);
const SHAPE: Shape = Shape::new(10, 64, 64);

fn on_cpu<'a>(arguments: &[&'a str], steps: &'a str) -> Vec<&'a str> {
    let network = ["--checkpoint", NETWORK, "--device", "cpu", "--steps", steps];
    [arguments, &network].concat()
}

fn succeeds(root: &Path, arguments: &[&str], steps: &str) {
    vdps(root).args(on_cpu(arguments, steps)).assert().success();
}

fn clip(path: PathBuf) -> Clip {
    media::open(&path, &ReadOptions::default()).unwrap().clip
}

fn record(folder: &Path, clip: &str) -> Value {
    let text = fs::read_to_string(folder.join(format!("{clip}_run.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The names in a folder, without `<clip>_`, in alphabetic order.
fn kinds(folder: &Path, clip: &str) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let kind = name.strip_prefix(&format!("{clip}_"));
        kind.unwrap_or_else(|| panic!("{name} is no file of {clip}"))
            .to_owned()
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

const PLAIN: [&str; 4] = ["measurement.gif", "output.gif", "run.json", "target.gif"];

/// Largest difference in levels between a measurement GIF and what it should be.
fn off(found: &Clip, expected: &Clip) -> f32 {
    let levels = |v: f32| (v.clamp(0.0, 1.0) * 255.0).floor();
    let pairs = found.data().iter().zip(expected.data());
    let differences = pairs.map(|(&a, &b)| ((a * 255.0).round() - levels(b)).abs());
    differences.fold(0.0, f32::max)
}

/// Arguments, output folder, and the model where the picture holds the whole measurement.
type Case<'a> = (&'a [&'a str], &'a str, Option<Box<dyn ForwardModel>>);

#[test]
fn known_degradations_write_the_published_files() {
    let root = tempdir().unwrap();
    davis(root.path(), "jet", 0.0);
    let physics = [
        "eval", "--deg", "physics", "--dist", "5.0", "--sigma", "1.0",
    ];
    let cases: [Case; 4] = [
        (
            &physics,
            "physical_forward/5.0/1.0",
            Some(Box::new(
                Scatter::new(SHAPE, Optics::SYNTHETIC, 5.0, 1.0).unwrap(),
            )),
        ),
        (
            &["eval", "--deg", "dehaze"],
            "dehaze",
            Some(Box::new(Dehaze::new(SHAPE).unwrap())),
        ),
        (
            &["eval", "--deg", "blur"],
            "blur",
            Some(Box::new(Blur::new(SHAPE, 3.0).unwrap())),
        ),
        (&["eval", "--deg", "inpaint"], "inpaint", None),
    ];
    for (arguments, name, model) in cases {
        succeeds(
            root.path(),
            &[arguments, &["--dataset", "DAVIS"]].concat(),
            "2",
        );
        let folder = root.path().join("results/results").join(name);
        assert_eq!(kinds(&folder, "jet"), PLAIN, "{name}");
        let gif = |kind: &str| clip(folder.join(format!("jet_{kind}.gif")));
        let (target, measurement) = (gif("target"), gif("measurement"));
        assert_eq!((target.shape(), gif("output").shape()), (SHAPE, SHAPE));
        match model {
            // One level where rounding puts a value on the other side of a level.
            Some(model) => assert!(off(&measurement, &model.apply(&target)) <= 1.0, "{name}"),
            // The signed measurement is cut at mid-grey; of what is brighter half is kept.
            None => {
                let pairs = || measurement.data().iter().zip(target.data());
                let is_bright = |u: f32| u > 0.51;
                let bright = pairs().filter(|&(_, &u)| is_bright(u)).count();
                let kept = pairs().filter(|&(&y, &u)| is_bright(u) && y > 0.0);
                let share = kept.count() as f64 / bright as f64;
                assert!((0.45..0.55).contains(&share), "{share} of {bright}");
                let mut lit = pairs().filter(|&(&y, _)| y > 0.0);
                assert!(lit.all(|(&y, &u)| (y - (2.0 * u - 1.0)).abs() < 5e-3));
            }
        }
        let record = record(&folder, "jet");
        assert_eq!(record["solver"]["settings"]["weight"], "sine_squared");
        assert_eq!(record["solver"]["evaluations"], 2);
        assert_eq!(record["seed"], 0);
        assert_eq!(record["device"]["kind"], "CPU");
        assert_eq!(record["prior"]["sha256"].as_str().unwrap().len(), 64);
        assert_eq!(record["outcome"], "finished");
        assert!(number(&record["quality"]["psnr_db"]) > 0.0);
        let compared = record["measurement_quality"].is_object();
        assert_eq!(compared, name != "inpaint", "{name}");
        assert!(number(&record["residual"]["rms"]) > 0.0);
        assert!(number(&record["timings"]["solver_s"]) > 0.0);
        let parameters = record["parameters"].as_array().unwrap();
        assert!(
            parameters
                .iter()
                .all(|p| p["estimated"] == false && p["value"] == p["truth"])
        );
    }
}

#[test]
fn a_clip_s_result_follows_from_its_seed_alone() {
    let root = tempdir().unwrap();
    davis(root.path(), "jet", 0.0);
    davis(root.path(), "plane", 1.0);
    let outputs = |results: &str, clip: &str| {
        let folder = root.path().join(results);
        let folder = folder.join("results/physical_forward_blind/2.5,5.0/0.5,1.0");
        let read = |kind: &str| fs::read(folder.join(format!("{clip}_{kind}.gif"))).unwrap();
        (
            folder.clone(),
            [read("target"), read("measurement"), read("output")],
        )
    };
    let underscores = [
        "eval_blind",
        "--dist_min",
        "2.5",
        "--dist_max",
        "5",
        "--sigma_min",
        "0.5",
        "--sigma_max",
        "1",
        "--dataset",
        "DAVIS",
    ];
    succeeds(root.path(), &underscores, "1");
    let (folder, both) = outputs("results", "jet");
    assert!(folder.join("plane_output.gif").exists());

    let hyphens = [
        "eval-blind",
        "--dist-min",
        "2.5",
        "--dist-max",
        "5",
        "--sigma-min",
        "0.5",
        "--sigma-max",
        "1",
        "--dataset",
        "davis",
        "--limit",
        "1",
        "--results",
    ];
    succeeds(root.path(), &[&hyphens[..], &["again"]].concat(), "1");
    let (alone, first) = outputs("again", "jet");
    assert!(both == first, "another clip changed this one");
    assert_eq!(kinds(&alone, "jet"), PLAIN);
    succeeds(
        root.path(),
        &[&hyphens[..], &["other", "--seed", "1"]].concat(),
        "1",
    );
    let other = outputs("other", "jet").1;
    assert!(other[0] == first[0] && other[1] != first[1] && other[2] != first[2]);

    let record = record(&folder, "jet");
    assert_eq!(record["solver"]["settings"]["weight"]["constant"], 0.2);
    let parameters = record["parameters"].as_array().unwrap();
    assert_eq!(parameters.len(), 20);
    for parameter in parameters {
        let truth = number(&parameter["truth"]);
        let limits = if parameter["name"] == "distance" {
            2.5..=5.0
        } else {
            0.5..=1.0
        };
        assert!(limits.contains(&truth), "{parameter}");
        assert_eq!(parameter["estimated"], true);
        assert_ne!(parameter["value"], parameter["truth"]);
    }
}

#[test]
fn captures_have_no_target_and_a_broken_one_stops_no_other() {
    let root = tempdir().unwrap();
    capture(root.path(), "a_550um", "Broken", 7, 0.01);
    capture(root.path(), "b_900um", "Golf", 10, 0.015);
    let arguments = ["eval_blind_real", "--dataset", "Real"];
    let run = vdps(root.path())
        .args(on_cpu(&arguments, "1"))
        .assert()
        .code(1);
    let message = String::from_utf8_lossy(&run.get_output().stderr).replace('\n', " ");
    for word in ["1 of 2 clips", "Broken", "ten MAT files"] {
        assert!(message.contains(word), "`{word}` is missing: {message}");
    }
    let folder = root.path().join("results/physical_forward_real");
    assert_eq!(
        kinds(&folder, "Golf"),
        ["measurement.gif", "output.gif", "run.json"]
    );
    let brightest = |clip: &Clip| clip.data().iter().fold(0f32, |m, &v| m.max(v));
    let measurement = clip(folder.join("Golf_measurement.gif"));
    // Stretched to [0, 1], then lowered by 0.1, then cut to whole levels.
    assert_eq!((brightest(&measurement) * 255.0).round(), 229.0);

    let record = record(&folder, "Golf");
    assert_eq!(record["source"]["thickness_um"], 900);
    assert_eq!(record["source"]["layer_sigma_px"], 1.2504);
    assert_eq!(
        (&record["quality"], &record["parameters"][0]["truth"]),
        (&Value::Null, &Value::Null)
    );
    let parameters = record["parameters"].as_array().unwrap();
    assert_eq!(parameters.len(), 11);
    assert_eq!(parameters[0]["unit"], "millimetre");
    assert!((number(&parameters[0]["value"]) - 15.0).abs() < 1e-9);
    assert_eq!(parameters[0]["estimated"], false);
    assert!(
        parameters[1..]
            .iter()
            .all(|p| p["name"] == "sigma" && p["estimated"] == true)
    );
}

#[test]
fn pupils_write_their_point_spread_functions() {
    let root = tempdir().unwrap();
    davis(root.path(), "jet", 0.0);
    for (command, name, ending, frames) in [
        ("eval_blind_zernike", "zernike_results", "png", 1),
        (
            "eval_blind_zernike_varying",
            "zernike_varying_results",
            "gif",
            10,
        ),
    ] {
        succeeds(root.path(), &[command, "--dataset", "DAVIS"], "1");
        let folder = root.path().join("results").join(name);
        let (estimate, truth) = (format!("psf_estimate.{ending}"), format!("psf_gt.{ending}"));
        let expected = [PLAIN[0], PLAIN[1], &estimate, &truth, PLAIN[2], PLAIN[3]];
        assert_eq!(kinds(&folder, "jet"), expected);
        let picture = |kind: &str| clip(folder.join(format!("jet_{kind}")));
        let (estimate, truth) = (picture(&estimate), picture(&truth));
        assert_eq!(truth.shape(), Shape::new(frames, 32, 32));
        assert!(estimate != truth);
        for stretched in [&picture("measurement.gif"), &truth, &estimate] {
            let values = stretched.data();
            assert!(values.contains(&0.0) && values.contains(&1.0));
        }
        let record = record(&folder, "jet");
        assert_eq!(record["solver"]["settings"]["weight"]["constant"], 0.1);
        let parameters = record["parameters"].as_array().unwrap();
        assert_eq!(parameters.len(), 10 * frames);
        assert!(parameters.iter().all(|p| p["estimated"] == true));
    }
}

#[test]
fn videos_are_named_as_published() {
    let root = tempdir().unwrap();
    let data = root.path().join("data");
    if !video(&data.join("UCF101_Test/Golf/v_Golf_g01.avi"), "80x60", 12) {
        return;
    }
    assert!(video(&data.join("VISEM_Test/11/11.avi"), "320x256", 11));
    succeeds(root.path(), &["eval"], "1");
    let folder = root.path().join("results/results/physical_forward/5.0/0.5");
    assert_eq!(kinds(&folder, "Golf"), PLAIN);

    succeeds(
        root.path(),
        &["eval", "--deg", "dehaze", "--dataset", "VISEM"],
        "1",
    );
    let folder = root.path().join("results/results/dehaze");
    assert_eq!(kinds(&folder, "11"), PLAIN);
    let shape = clip(folder.join("11_output.gif")).shape();
    assert_eq!(shape, Shape::new(10, 128, 128));
}

#[test]
fn without_ffmpeg_videos_end_the_run_at_once() {
    let root = tempdir().unwrap();
    let folder = root.path().join("data/UCF101_Test/Golf");
    fs::create_dir_all(&folder).unwrap();
    for name in ["a.avi", "b.avi"] {
        fs::write(folder.join(name), "not opened").unwrap();
    }
    let run = vdps(root.path())
        .args(on_cpu(&["eval"], "1"))
        .env("VDPS_FFMPEG", "no-such-ffmpeg")
        .assert()
        .code(2);
    let message = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
    assert!(
        message.contains("VDPS_FFMPEG") && !message.contains("b.avi"),
        "{message}"
    );
}

#[test]
fn what_is_missing_is_named_with_its_place_its_link_and_the_ways_on() {
    let root = tempdir().unwrap();
    let checkpoint = [
        "none.pt",
        "model-100.1.pt",
        "1BHm6v41HT7AHxV18qYyK_DM5e1n-KIpi",
        "--checkpoint",
        "--prior embedded",
    ];
    let ways_on = [
        "reconstruct INPUT --method instant",
        "vdps demo",
        "vdps simulate",
    ];
    let data = [
        "data/DAVIS_Test",
        "1GkuzyTmId2LjGu3bOQNKTm0MDA8aqTSS",
        "--data",
    ];
    let eval = ["eval", "--dataset", "DAVIS"];
    let named = [&eval[..], &["--checkpoint", "none.pt"]].concat();
    fails(
        root.path(),
        &named,
        2,
        &[&checkpoint[..], &data, &ways_on].concat(),
    );
    let only_data = [&data[..], &ways_on].concat();
    fails(root.path(), &on_cpu(&eval, "1"), 2, &only_data);
    fails(root.path(), &eval, 2, &only_data);
    let visem = ["eval_blind_zernike", "--dataset", "VISEM"];
    fails(root.path(), &visem, 2, &["data/VISEM_Test"]);
    davis(root.path(), "jet", 0.0);
    let missing = [&checkpoint[..], &ways_on].concat();
    fails(root.path(), &named, 2, &missing);
    let named = [&eval[..], &["--prior", "none.pt"]].concat();
    fails(root.path(), &named, 2, &missing);
    let unlearned = [&eval[..], &["--prior", "blocks"]].concat();
    fails(root.path(), &unlearned, 2, &["blocks", "embedded"]);
    fs::write(root.path().join("bad.pt"), "no network").unwrap();
    let damaged = [
        "eval",
        "--dataset",
        "DAVIS",
        "--checkpoint",
        "bad.pt",
        "--device",
        "cpu",
    ];
    fails(root.path(), &damaged, 2, &["bad.pt"]);
}

#[test]
fn without_the_published_checkpoint_the_embedded_network_is_used_and_recorded() {
    let root = tempdir().unwrap();
    davis(root.path(), "jet", 0.0);
    let eval = [
        "eval",
        "--deg",
        "dehaze",
        "--dataset",
        "DAVIS",
        "--steps",
        "1",
    ];
    for (more, instead_of) in [
        (&[][..], Value::from("results/model-100.1.pt")),
        (&["--prior", "embedded"][..], Value::Null),
    ] {
        let arguments = [&eval[..], more].concat();
        let run = vdps(root.path()).args(arguments).assert().success();
        let said = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        let expected = "results/model-100.1.pt is not there: using the embedded prior";
        assert_eq!(said.contains(expected), !instead_of.is_null(), "{said}");
        let record = record(&root.path().join("results/results/dehaze"), "jet");
        assert_eq!(record["prior"]["instead_of"], instead_of);
        assert!(record["prior"]["checkpoint"].is_null());
        assert_eq!(record["solver"]["prior"], "embedded network");
    }
}

#[test]
fn bad_usage_is_refused_before_anything_is_loaded() {
    let root = tempdir().unwrap();
    let fail = |arguments: &[&str], words: &[&str]| fails(root.path(), arguments, 2, words);
    fail(
        &["eval", "--deg", "fog"],
        &["physics", "dehaze", "inpaint", "blur"],
    );
    fail(
        &["eval", "--dataset", "KITTI"],
        &["UCF101", "DAVIS", "VISEM"],
    );
    fail(&["eval", "--dataset", "Real"], &["eval-blind-real"]);
    fail(&["eval_blind_real", "--dataset", "DAVIS"], &["eval-blind"]);
    fail(&["eval", "--dist", "-1"], &["distance is -1 mm"]);
    fail(&["eval", "--sigma", "nan"], &["sigma is NaN px"]);
    fail(&["eval", "--steps", "0"], &["use 1 to 1000"]);
    fail(&["eval", "--limit", "0"], &["--limit"]);
    let three = [
        "eval_blind",
        "--dist_min",
        "2.5",
        "--dist_max",
        "5",
        "--sigma_min",
        "0.5",
    ];
    fail(&three, &["--sigma_max"]);
    let swapped = [&three[..], &["--sigma_max", "0.2"]].concat();
    fail(&swapped, &["sigma", "0.5 and 0.2"]);
    assert!(!root.path().join("results").exists());
    davis(root.path(), "jet", 0.0);
    fs::write(root.path().join("taken"), "").unwrap();
    let taken = ["eval", "--dataset", "DAVIS", "--results", "taken"];
    fail(&on_cpu(&taken, "1"), &["--results taken is a file"]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_clip_keeps_its_estimate_under_another_name() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};

    let root = tempdir().unwrap();
    davis(root.path(), "jet", 0.0);
    davis(root.path(), "bad", 0.0);
    fs::write(root.path().join("data/DAVIS_Test/bad/00003.jpg"), "cut").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_vdps"))
        .current_dir(root.path())
        .args(on_cpu(&["eval", "--dataset", "DAVIS"], "1000"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut seen = String::new();
    while !seen.contains(" of 1000") {
        assert!(
            lines.read_line(&mut seen).unwrap() > 0,
            "it ended by itself: {seen}"
        );
    }
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    lines.read_to_string(&mut seen).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{seen}");
    let summary = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(summary.starts_with("0 clips in"), "{summary}");
    for words in [
        "1 of 2 clips were not reconstructed:\n  bad",
        "0 of 2 clips are in",
        "jet_partial_output.gif",
    ] {
        assert!(seen.contains(words), "`{words}` is missing: {seen}");
    }
    let folder = root.path().join("results/results/physical_forward/5.0/0.5");
    assert_eq!(kinds(&folder, "jet"), ["partial_output.gif", "run.json"]);
    let record = record(&folder, "jet");
    assert_eq!(record["outcome"], "cancelled");
    assert!((1.0..1000.0).contains(&number(&record["solver"]["steps_done"])));
}
