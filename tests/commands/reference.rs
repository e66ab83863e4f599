//! `reconstruct --method reference`, with a network small enough for tests.

use std::fs;
use std::path::Path;

use tempfile::tempdir;

use super::{fails, json, number, simulated, vdps};

const NETWORK: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/golden/unet_dim8_heads16.pt"
);

fn command<'a>(model: &[&'a str], steps: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = [
        "reconstruct",
        "sim/measurement.gif",
        "--out",
        "r",
        "--method",
        "reference",
    ];
    let short = ["--frames", "0..4", "--steps", steps];
    [&fixed[..], &short, model, more].concat()
}

fn bytes(root: &Path) -> Vec<u8> {
    fs::read(root.join("r/reconstruction.tif")).unwrap()
}

#[test]
fn a_seed_fixes_the_result_and_the_record_names_the_network() {
    let root = tempdir().unwrap();
    let model = ["--dist", "2", "--sigma", "1"];
    simulated(root.path(), &model);
    let run = |seed| {
        let arguments = command(
            &model,
            "3",
            &["--checkpoint", NETWORK, "--device", "cpu", "--seed", seed],
        );
        (json(root.path(), &arguments), bytes(root.path()))
    };
    let (record, first) = run("1");
    assert_eq!(record["solver"]["method"], "reference");
    assert_eq!(record["solver"]["evaluations"], 3);
    assert_eq!(record["prior"]["sha256"].as_str().unwrap().len(), 64);
    assert!(
        record["prior"]["description"]
            .as_str()
            .unwrap()
            .contains("dim 8")
    );
    assert_eq!(record["device"]["kind"], "CPU");
    assert!(first == run("1").1);
    assert!(first != run("2").1);
}

#[test]
fn guidance_pulls_toward_the_measurement() {
    let root = tempdir().unwrap();
    let model = ["--model", "inpaint", "--mask", "random:0.5"];
    simulated(root.path(), &model);
    let residual = |guidance| {
        let network = ["--checkpoint", NETWORK, "--device", "cpu"];
        let more = [&network[..], &["--guidance", guidance]].concat();
        let arguments = command(&model, "12", &more);
        number(&json(root.path(), &arguments)["residual"]["rms"])
    };
    let (guided, free) = (residual("0.25"), residual("0"));
    assert!(guided < 0.7 * free, "{guided} is not below {free}");
}

#[test]
fn a_missing_checkpoint_that_was_named_says_where_to_get_it_and_how_to_go_on() {
    let root = tempdir().unwrap();
    let model = ["--dist", "2", "--sigma", "1"];
    simulated(root.path(), &model);
    let words = [
        "none.pt",
        "model-100.1.pt",
        "drive.google.com",
        "--checkpoint",
        "--prior embedded",
        "--method instant",
    ];
    for flag in ["--checkpoint", "--prior"] {
        let named = command(&model, "3", &[flag, "none.pt"]);
        fails(root.path(), &named, 2, &words);
    }
}

#[test]
fn the_embedded_network_stands_in_for_a_published_one_and_says_so() {
    let root = tempdir().unwrap();
    let model = ["--dist", "2", "--sigma", "1"];
    simulated(root.path(), &model);
    let run = |more: &[&'static str]| {
        let arguments = command(&model, "3", &[&["--json"][..], more].concat());
        let output = vdps(root.path()).args(arguments).assert().success();
        let record: serde_json::Value =
            serde_json::from_slice(&output.get_output().stdout).unwrap();
        let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        (record, said)
    };
    let (record, said) = run(&[]);
    let expected = "results/model-100.1.pt is not there: using the embedded prior";
    assert!(said.contains(expected), "{said}");
    assert_eq!(record["prior"]["instead_of"], "results/model-100.1.pt");
    assert_eq!(record["solver"]["prior"], "embedded network");
    assert_eq!(record["prior"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(record["device"]["kind"], "CPU");
    let first = bytes(root.path());
    // Asked for, it stands in for nothing.
    let (record, said) = run(&["--prior", "embedded"]);
    assert!(!said.contains("is not there"), "{said}");
    assert!(record["prior"]["instead_of"].is_null());
    assert!(first == bytes(root.path()));
}

#[test]
fn the_published_sampler_needs_something_learned() {
    let root = tempdir().unwrap();
    let model = ["--dist", "2", "--sigma", "1"];
    simulated(root.path(), &model);
    for prior in ["none", "tv", "blocks"] {
        let arguments = command(&model, "3", &["--prior", prior]);
        fails(root.path(), &arguments, 2, &[prior, "--prior embedded"]);
    }
}

#[test]
fn bad_networks_and_settings_are_told_apart() {
    let root = tempdir().unwrap();
    let model = ["--dist", "2", "--sigma", "1"];
    simulated(root.path(), &model);
    let network = ["--checkpoint", NETWORK];
    let with =
        |steps, more: &[&'static str]| command(&model, steps, &[&network[..], more].concat());
    let fail = |more: &[&'static str], words: &[&str]| {
        let more = [&["--device", "cpu"][..], more].concat();
        fails(root.path(), &with("3", &more), 2, words);
    };
    fs::write(root.path().join("bad.pt"), "no network").unwrap();
    let damaged = command(&model, "3", &["--checkpoint", "bad.pt", "--device", "cpu"]);
    fails(root.path(), &damaged, 2, &["bad.pt"]);
    fail(&["--guidance", "nan"], &["guidance"]);
    fail(&["--iterations", "5"], &["instant"]);
    fail(&["--crop", "20"], &["multiples of", "24 x 24"]);
    let absent = with("3", &["--device", "gpu:99"]);
    fails(root.path(), &absent, 2, &["--device cpu"]);
    fails(root.path(), &with("0", &[]), 2, &["use 1 to 1000"]);
}

#[test]
fn a_step_that_fails_keeps_the_result_of_those_before() {
    let root = tempdir().unwrap();
    let model = ["--dist", "2", "--sigma", "1"];
    simulated(root.path(), &model);
    // At the first step the weight is a hundred-thousandth of this; at the second it overflows.
    let explosive = ["--guidance", "1e39", "--device", "cpu", "--json"];
    let arguments = command(
        &model,
        "4",
        &[&["--checkpoint", NETWORK][..], &explosive].concat(),
    );
    let output = vdps(root.path()).args(arguments).assert().code(1);
    let output = output.get_output();
    let message = String::from_utf8_lossy(&output.stderr);
    for part in ["device: ", "no longer finite", "so far is in r"] {
        assert!(message.contains(part), "`{part}` is missing: {message}");
    }
    let kept = fs::read(root.path().join("r/run.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(record["outcome"], "failed");
    assert!(record["error"].as_str().unwrap().contains("guidance"));
    assert!(number(&record["solver"]["steps_done"]) >= 1.0);
    assert!(!bytes(root.path()).is_empty());
}
