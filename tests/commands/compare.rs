use std::fs;

use tempfile::tempdir;
use vdps::clip::{Clip, Shape};
use vdps::media::{WriteOptions, save};

use super::{fails, json, number, vdps};

fn ramp(shape: Shape, offset: f32) -> Clip {
    let data = (0..shape.len()).map(|i| (i % 61) as f32 / 100.0 + offset);
    Clip::new(shape, data.collect())
}

#[test]
fn scores_are_given_per_frame_over_the_clip_and_fitted() {
    let root = tempdir().unwrap();
    let shape = Shape::new(3, 16, 16);
    let options = WriteOptions::default();
    save(&root.path().join("a.npy"), &ramp(shape, 0.1), &options).unwrap();
    save(&root.path().join("b.npy"), &ramp(shape, 0.0), &options).unwrap();

    let scores = json(root.path(), &["compare", "a.npy", "b.npy"]);
    assert!((number(&scores["psnr_db"]) - 20.0).abs() < 1e-4);
    assert!(number(&scores["fitted_psnr_db"]) > 100.0);
    assert!((number(&scores["fitted_offset"]) + 0.1).abs() < 1e-5);
    assert_eq!(scores["frames"].as_array().unwrap().len(), 3);
    let ssim = number(&scores["ssim"]);
    assert!((0.5..1.0).contains(&ssim), "{ssim}");

    let output = vdps(root.path())
        .args(["compare", "a.npy", "b.npy"])
        .assert()
        .success();
    let table = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(
        table.contains("clip    20.00") && table.contains("fitted"),
        "{table}"
    );
}

#[test]
fn equal_clips_say_so() {
    let root = tempdir().unwrap();
    let clip = ramp(Shape::new(1, 12, 12), 0.0);
    save(&root.path().join("a.npy"), &clip, &WriteOptions::default()).unwrap();
    let scores = json(root.path(), &["compare", "a.npy", "a.npy"]);
    assert!(scores["psnr_db"].is_null());
    assert!((number(&scores["ssim"]) - 1.0).abs() < 1e-12);
}

#[test]
fn what_cannot_be_compared_is_bad_input() {
    let root = tempdir().unwrap();
    let options = WriteOptions::default();
    for (name, frames) in [("a.npy", 2), ("b.npy", 3)] {
        let clip = ramp(Shape::new(frames, 12, 14), 0.0);
        save(&root.path().join(name), &clip, &options).unwrap();
    }
    fs::write(root.path().join("c.npy"), "no array").unwrap();
    let folder = root.path();
    fails(
        folder,
        &["compare", "a.npy", "b.npy"],
        2,
        &["2x12x14", "3x12x14"],
    );
    fails(folder, &["compare", "a.npy", "none.npy"], 2, &["none.npy"]);
    fails(folder, &["compare", "a.npy", "c.npy"], 2, &["c.npy"]);
    let cut = ["compare", "a.npy", "b.npy", "--frames", "0..9"];
    fails(folder, &cut, 2, &["..9", "there are 2"]);
    // The same two, cut to the same frames, can be compared.
    json(folder, &["compare", "a.npy", "b.npy", "--frames", "0..2"]);
}
