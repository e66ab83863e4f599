use std::fs;
use std::sync::Mutex;

use super::*;
use crate::clip::{Clip, Shape};
use crate::media::{self, WriteOptions};

/// A video of a pattern that moves, of its own for each `kind`.
fn video(path: &Path, frames: usize, kind: usize) {
    let shape = Shape::new(frames, 24, 32);
    let value = |i: usize| {
        let (frame, row, column) = (i / (24 * 32), i / 32 % 24, i % 32);
        let wave = (column + frame + 7 * kind) as f32 * 0.4;
        0.5 + 0.2 * wave.sin() + 0.2 * ((row * (kind + 1)) as f32 * 0.5).cos()
    };
    let clip = Clip::new(shape, (0..shape.len()).map(value).collect());
    media::save(path, &clip, &WriteOptions::default()).unwrap();
}

fn description(sources: &str) -> Description {
    let head = "folder = 'made'\nshape = [4, 16, 16]\nclips = 6\nvalidation_clips = 3\n";
    toml::from_str(&format!("{head}{sources}")).unwrap()
}

const VIDEOS: &str = "[[source]]\nkind = 'videos'\npath = 'mine'\n";

fn folder_of_videos(count: usize) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("mine")).unwrap();
    for i in 0..count {
        video(&root.path().join(format!("mine/{i}.gif")), 30, i);
    }
    root
}

#[test]
fn a_folder_of_videos_becomes_two_pools_that_share_no_video() {
    let root = folder_of_videos(2);
    fs::write(
        root.path().join("mine/broken.gif"),
        "GIF89a and nothing more",
    )
    .unwrap();
    let warnings = Mutex::new(Vec::new());
    let prepared = prepare(&description(VIDEOS), root.path(), &|progress| {
        if let Progress::Warning(text) = progress {
            warnings.lock().unwrap().push(text.to_owned());
        }
    });
    let prepared = prepared.unwrap();
    let warnings = warnings.into_inner().unwrap();
    assert!(
        warnings.len() == 1 && warnings[0].contains("broken.gif"),
        "{warnings:?}"
    );
    let train = Pool::open(&prepared.train).unwrap();
    let validation = Pool::open(&prepared.validation).unwrap();
    assert_eq!((train.len(), validation.len()), (6, 3));
    assert_eq!(train.shape(), Shape::new(4, 16, 16));
    assert_eq!(
        (
            prepared.sources[0].train_clips,
            prepared.sources[0].name.as_str()
        ),
        (6, "mine")
    );

    // Each pool is the same whatever the other video holds.
    let contents = |path: &Path| fs::read(path).unwrap();
    let (first_train, first_validation) =
        (contents(&prepared.train), contents(&prepared.validation));
    let mut changed = [false; 2];
    for i in 0..2 {
        let path = root.path().join(format!("mine/{i}.gif"));
        video(&path, 30, 5);
        prepare(&description(VIDEOS), root.path(), &|_| {}).unwrap();
        changed[0] |= contents(&prepared.train) != first_train;
        let both = contents(&prepared.train) != first_train
            && contents(&prepared.validation) != first_validation;
        changed[1] |= both;
        video(&path, 30, i);
    }
    assert_eq!(changed, [true, false]);
}

#[test]
fn a_pool_repeats_from_its_seed() {
    let root = folder_of_videos(1);
    let sources = format!("{VIDEOS}[[source]]\nkind = 'collage'\n[[source]]\nkind = 'scenes'\n");
    let made = |seed| {
        let description = Description {
            seed,
            ..description(&sources)
        };
        let prepared = prepare(&description, root.path(), &|_| {}).unwrap();
        [prepared.train, prepared.validation].map(|path| fs::read(path).unwrap())
    };
    let first = made(1);
    assert_eq!(first, made(1));
    assert_ne!(first, made(2));
}

#[test]
fn a_folder_without_videos_is_an_error_that_says_so() {
    let root = folder_of_videos(0);
    fs::write(root.path().join("mine/notes.txt"), "").unwrap();
    let refused = || {
        let error = prepare(&description(VIDEOS), root.path(), &|_| {}).unwrap_err();
        assert!(matches!(error, DataError::NoVideos { .. }));
        error.to_string()
    };
    let message = refused();
    assert!(
        message.contains("mine") && message.contains("MP4"),
        "{message}"
    );
    video(&root.path().join("mine/short.gif"), 3, 0);
    let message = refused();
    assert!(message.contains("4 frames"), "{message}");
}

#[test]
fn a_video_too_short_to_divide_leaves_nothing_to_validate_with() {
    let root = folder_of_videos(0);
    video(&root.path().join("mine/a.gif"), 5, 0);
    let error = prepare(&description(VIDEOS), root.path(), &|_| {}).unwrap_err();
    assert!(error.to_string().contains("validate"), "{error}");
    let with_scenes = format!("{VIDEOS}[[source]]\nkind = 'scenes'\n");
    let prepared = prepare(&description(&with_scenes), root.path(), &|_| {}).unwrap();
    assert_eq!(prepared.sources[1].validation_clips, 3);
}
