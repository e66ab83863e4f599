//! `reconstruct --method reference`, with a network small enough for tests.

use std::fs;
use std::path::Path;

use tempfile::tempdir;

use super::{fails, json, number, simulated};

const NETWORK: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/golden/unet_dim8_heads16.pt"
);

fn command<'a>(model: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    let fixed = [
        "reconstruct", "sim/measurement.gif", "--out", "r", "--method", "reference", "--device",
        "cpu", "--steps", "3", "--frames", "0..4",
    ];
    [&fixed[..], model, more].concat()
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
        let arguments = command(&model, &["--checkpoint", NETWORK, "--seed", seed]);
        (json(root.path(), &arguments), bytes(root.path()))
    };
    let (record, first) = run("1");
    assert_eq!(record["solver"]["method"], "reference");
    assert_eq!(record["solver"]["evaluations"], 3);
    assert_eq!(record["prior"]["sha256"].as_str().unwrap().len(), 64);
    assert!(record["prior"]["description"].as_str().unwrap().contains("dim 8"));
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
        let more = ["--checkpoint", NETWORK, "--steps", "12", "--guidance", guidance];
        let arguments = command(&model, &[]);
        // A later flag of the same name would be refused.
        let kept = arguments.into_iter().filter(|a| !["--steps", "3"].contains(a));
        let arguments: Vec<&str> = kept.chain(more).collect();
        number(&json(root.path(), &arguments)["residual"]["rms"])
    };
    let (guided, free) = (residual("1"), residual("0"));
    assert!(guided < 0.9 * free, "{guided} is not below {free}");
}

#[test]
fn a_missing_checkpoint_says_where_to_get_it_and_how_to_go_on() {
    let root = tempdir().unwrap();
    let model = ["--dist", "2", "--sigma", "1"];
    simulated(root.path(), &model);
    let words = ["model-100.1.pt", "drive.google.com", "--checkpoint", "--method instant"];
    fails(root.path(), &command(&model, &[]), 2, &words);
    let named = command(&model, &["--checkpoint", "none.pt"]);
    fails(root.path(), &named, 2, &["none.pt"]);
}

#[test]
fn bad_networks_and_settings_are_told_apart() {
    let root = tempdir().unwrap();
    let model = ["--dist", "2", "--sigma", "1"];
    simulated(root.path(), &model);
    let network = ["--checkpoint", NETWORK];
    let with = |more: &[&'static str]| command(&model, &[&network[..], more].concat());
    fs::write(root.path().join("bad.pt"), "no network").unwrap();
    let damaged = command(&model, &["--checkpoint", "bad.pt"]);
    fails(root.path(), &damaged, 1, &["bad.pt"]);
    fails(root.path(), &with(&["--guidance", "nan"]), 2, &["guidance"]);
    fails(root.path(), &with(&["--iterations", "5"]), 2, &["instant"]);
    fails(root.path(), &with(&["--crop", "20"]), 2, &["multiples of", "24 x 24"]);
    fails(root.path(), &with(&["--device", "gpu:99"]), 1, &["--device cpu"]);
    let steps: Vec<&str> = with(&[]).into_iter().map(|a| if a == "3" { "0" } else { a }).collect();
    fails(root.path(), &steps, 2, &["use 1 to 1000"]);
}
