//! `vdps train`: prepared, stopped, killed and taken up again.

use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use super::{fails, vdps};

/// A small network on small generated clips; `steps` in all.
fn configuration(folder: &Path, name: &str, steps: usize) {
    let text = format!(
        r#"
[network]
kind = "compact"
widths = [8, 16]
blocks = 1

[training]
seed = 3
steps = {steps}
batch = 3
warmup = 5
decay_from = 20
crops = [
    {{ shape = [3, 8, 8], until = 15 }},
    {{ shape = [4, 16, 16], from = 10 }},
]
validate_every = 25
validate_clips = 2
save_every = 10

[data]
folder = "clips"
shape = [4, 16, 16]
clips = 6
validation_clips = 2

[[data.source]]
kind = "scenes"
"#
    );
    std::fs::write(folder.join(name), text).unwrap();
}

fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    configuration(folder.path(), "small.toml", 60);
    vdps(folder.path())
        .args(["train", "--prepare", "small.toml"])
        .assert()
        .success();
    folder
}

/// The network, and the curve.
fn results(folder: &Path) -> [Vec<u8>; 2] {
    ["prior.safetensors", "curve.csv"].map(|name| std::fs::read(folder.join(name)).unwrap())
}

#[test]
fn a_seed_trains_the_same_network_whether_stopped_killed_or_left_alone() {
    let folder = prepared();
    let train = |out: &str, more: &[&str]| {
        let arguments = [&["train", "small.toml", "--out", out], more].concat();
        vdps(folder.path()).args(arguments).assert().success();
    };
    train("alone", &[]);
    let alone = results(&folder.path().join("alone"));
    assert!(folder.path().join("alone/curve.png").exists());

    train("stopped", &["--until", "37"]);
    assert_ne!(results(&folder.path().join("stopped")), alone);
    train("stopped", &[]);
    assert!(results(&folder.path().join("stopped")) == alone);

    // Killed as soon as there is a state, wherever it then is.
    let mut child = begun(folder.path(), "killed");
    let state = folder.path().join("killed/state.safetensors");
    let started = Instant::now();
    while !state.exists() && child.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(120), "no state");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    train("killed", &[]);
    assert!(results(&folder.path().join("killed")) == alone);
}

fn begun(folder: &Path, out: &str) -> Child {
    Process::new(env!("CARGO_BIN_EXE_vdps"))
        .current_dir(folder)
        .args(["train", "small.toml", "--out", out])
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn what_is_missing_or_of_another_training_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fails(folder, &["train", "none.toml"], 2, &["none.toml"]);
    configuration(folder, "small.toml", 60);
    let train = &["train", "small.toml"];
    fails(folder, train, 2, &["train.npy", "vdps train --prepare"]);

    let folder = prepared();
    let folder = folder.path();
    let until = ["train", "small.toml", "--until", "2", "--out", "out"];
    vdps(folder).args(until).assert().success();
    let text = std::fs::read_to_string(folder.join("small.toml")).unwrap();
    std::fs::write(
        folder.join("other.toml"),
        text.replace("[8, 16]", "[16, 16]"),
    )
    .unwrap();
    let other = ["train", "other.toml", "--out", "out"];
    fails(folder, &other, 1, &["another network", "--out"]);

    // To begin with the weights of another training takes its sizes, said or not.
    let from = |name: &str, sizes: &str| {
        let start = "[training]\nstart = \"out/prior.safetensors\"";
        let text = text.replace("[training]", start);
        let text = text.replace("widths = [8, 16]\nblocks = 1\n", sizes);
        std::fs::write(folder.join(name), text).unwrap();
    };
    from("wider.toml", "widths = [16, 16]\n");
    let wider = ["train", "wider.toml", "--out", "wider"];
    fails(folder, &wider, 2, &["[8, 16]", "1 blocks", "leave out"]);
    from("like.toml", "");
    let like = ["train", "like.toml", "--until", "2", "--out", "like"];
    vdps(folder).args(like).assert().success();

    std::fs::write(folder.join("out/state.safetensors"), "damaged").unwrap();
    let again = ["train", "small.toml", "--out", "out"];
    fails(folder, &again, 1, &["state.safetensors", "move it away"]);
}
