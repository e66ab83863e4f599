use std::fs;

use tempfile::tempdir;

use super::{fails, json, number, simulated, vdps};

/// A clip in the published layout, with a rival whose result is the measurement itself.
fn clip(root: &std::path::Path, name: &str, model: &[&str]) {
    simulated(root, model);
    let folder = root.join("clips").join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::copy(root.join("sim/truth.gif"), folder.join("target.gif")).unwrap();
    let measurement = root.join("sim/measurement.gif");
    fs::copy(&measurement, folder.join("measurement.gif")).unwrap();
    fs::copy(&measurement, folder.join("vdps.gif")).unwrap();
}

#[test]
fn folders_say_their_task_and_are_scored_beside_rivals() {
    let root = tempdir().unwrap();
    let scatter = ["--dist", "5", "--sigma", "1"];
    clip(root.path(), "known_d5_s1_shapes", &scatter);
    clip(root.path(), "dehaze_shapes", &["--model", "dehaze"]);
    let board = json(root.path(), &["score", "clips", "--method", "instant"]);
    let rows = board["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        let ours = number(&row["ours"]["psnr_db"]);
        let rival = &row["rivals"][0];
        assert_eq!(rival["name"], "vdps");
        assert!(ours > number(&rival["psnr_db"]) + 10.0, "{row}");
    }
    assert_eq!(board["gains"][0]["rival"], "vdps");
    assert!(number(&board["gains"][0]["mean_db"]) > 10.0);
    let table = vdps(root.path())
        .args(["score", "clips/dehaze_shapes", "--method", "instant"])
        .args(["--from", "target"])
        .assert()
        .success();
    let table = String::from_utf8_lossy(&table.get_output().stdout).into_owned();
    assert!(table.contains("dehaze_shapes") && table.contains("VDPS"));
}

#[test]
fn priors_are_compared_by_what_they_take_off_noise() {
    let root = tempdir().unwrap();
    clip(root.path(), "dehaze_shapes", &["--model", "dehaze"]);
    let denoise = ["score", "clips", "--denoise", "--csv", "table.csv"];
    let table = json(root.path(), &denoise);
    assert_eq!(table["clips"], serde_json::json!(["dehaze_shapes"]));
    let rows = table["rows"].as_array().unwrap();
    let names: Vec<&str> = rows
        .iter()
        .map(|r| r["denoiser"].as_str().unwrap())
        .collect();
    for name in [
        "noisy",
        "edges",
        "blocks",
        "embedded",
        "embedded and blocks",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    let mean =
        |row: &serde_json::Value, level: usize| number(&row["levels"][level]["mean_psnr_db"]);
    for row in &rows[1..] {
        assert!(
            (0..4).all(|level| mean(row, level) > mean(&rows[0], level) + 1.0),
            "{row}"
        );
    }
    let csv = fs::read_to_string(root.path().join("table.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + rows.len() * 4 * 2);

    let one = vdps(root.path())
        .args(["score", "clips", "--denoise", "--prior", "blocks"])
        .assert()
        .success();
    let text = String::from_utf8_lossy(&one.get_output().stdout).into_owned();
    assert!(text.contains("noisy") && text.contains("blocks"), "{text}");
    assert!(!text.contains("edges"), "{text}");

    // A file is as good as a folder of a clip.
    fs::copy(
        root.path().join("clips/dehaze_shapes/target.gif"),
        root.path().join("mine.gif"),
    )
    .unwrap();
    let mine = json(
        root.path(),
        &["score", "mine.gif", "--denoise", "--prior", "tv"],
    );
    assert_eq!(mine["clips"], serde_json::json!(["mine.gif"]));
    assert_eq!(mean(&mine["rows"][0], 2), mean(&table["rows"][0], 2));
    let mixed = ["score", "clips", "--denoise", "--method", "fast"];
    fails(root.path(), &mixed, 2, &["--denoise", "--method"]);
    let absent = ["score", "clips", "--denoise", "--prior", "none.pt"];
    fails(root.path(), &absent, 2, &["none.pt"]);
}

#[test]
fn folders_without_a_task_or_a_clip_are_refused() {
    let root = tempdir().unwrap();
    fails(root.path(), &["score"], 2, &["DIR"]);
    fails(root.path(), &["score", "nowhere"], 2, &["nowhere"]);
    clip(root.path(), "holiday", &["--model", "dehaze"]);
    fails(root.path(), &["score", "clips"], 2, &["holiday", "known_d"]);
    let builtin = ["score", "--builtin", "--from", "target"];
    fails(root.path(), &builtin, 2, &["--from", "--builtin"]);
}
