//! Every reader against damaged files, and every writer against its reader.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::ExtendedColorType;
use proptest::prelude::*;

use super::*;
use crate::clip::Shape;
use crate::noise::Noise;

/// A small valid file of every format and flavour: its name and content.
fn valid_files() -> Vec<(&'static str, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    let data = (0..3 * 5 * 7).map(|i| (i % 13) as f32 / 12.0).collect();
    let clip = Clip::new(Shape::new(3, 5, 7), data);
    for name in ["a.gif", "a.tif", "a.npy"] {
        let path = folder.path().join(name);
        save(&path, &clip, &WriteOptions::default()).unwrap();
        files.push((name, fs::read(path).unwrap()));
    }
    let rgb: Vec<u8> = (0..5 * 7 * 3).map(|i| (i * 11) as u8).collect();
    for name in ["a.png", "a.jpg", "a.bmp"] {
        let path = folder.path().join(name);
        image::save_buffer(&path, &rgb, 7, 5, ExtendedColorType::Rgb8).unwrap();
        files.push((name, fs::read(path).unwrap()));
    }
    let mut packed = std::io::Cursor::new(Vec::new());
    let mut encoder = ::tiff::encoder::TiffEncoder::new(&mut packed)
        .unwrap()
        .with_compression(::tiff::encoder::Compression::Lzw);
    for _ in 0..2 {
        encoder
            .write_image::<::tiff::encoder::colortype::RGB8>(7, 5, &rgb)
            .unwrap();
    }
    files.push(("packed.tif", packed.into_inner()));
    let values: Vec<f64> = (0..24).map(f64::from).collect();
    let array: (&str, &[i32], &[f64]) = ("holo_roi_crop", &[2, 3, 4], &values);
    files.push((
        "a.mat",
        mat::tests::doubles(&[array, ("z", &[1, 1], &[0.01])]),
    ));
    files.push(("packed.mat", mat::tests::scipy_file()));
    files
}

/// Reads `bytes` as a file of this name: a clip or an error, never a panic.
fn read(folder: &Path, name: &str, bytes: &[u8]) -> Result<Footage, MediaError> {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    catch_unwind(AssertUnwindSafe(|| open(&path, &ReadOptions::default())))
        .unwrap_or_else(|_| panic!("reading {name} panicked"))
}

#[test]
fn the_files_are_valid_to_begin_with() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in valid_files() {
        assert!(read(folder.path(), name, &bytes).is_ok(), "{name}");
    }
}

#[test]
fn a_file_cut_short_never_reads_as_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in valid_files() {
        let whole = read(folder.path(), name, &bytes).unwrap().clip;
        let mut refused = 0;
        let cuts = (0..bytes.len()).step_by(bytes.len().div_ceil(80));
        let tried = cuts.len();
        for len in cuts {
            match read(folder.path(), name, &bytes[..len]) {
                Ok(part) => assert!(part.clip.shape().frames <= whole.shape().frames, "{name}"),
                Err(_) => refused += 1,
            }
        }
        assert!(refused * 2 > tried, "{name}: {refused} of {tried} refused");
    }
}

#[test]
fn flipped_bytes_give_a_clip_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut noise = Noise::seeded(20);
    for (name, bytes) in valid_files() {
        for round in 0..100 {
            let mut damaged = bytes.clone();
            for _ in 0..=round % 4 {
                let at = noise.uniform(0.0, bytes.len() as f64) as usize;
                damaged[at.min(bytes.len() - 1)] = noise.uniform(0.0, 256.0) as u8;
            }
            if let Ok(footage) = read(folder.path(), name, &damaged) {
                assert!(!footage.clip.shape().is_empty(), "{name}");
            }
        }
    }
}

#[test]
fn no_name_makes_a_file_what_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "a.gif", "a.tif", "a.npy", "a.png", "a.jpg", "a.bmp", "a.mat", "a", "a.txt",
    ] {
        for bytes in [b"".as_slice(), b"\0", b"hello, this is a letter"] {
            let error = read(folder.path(), name, bytes).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
    let error = open(&folder.path().join("none.gif"), &ReadOptions::default());
    assert!(matches!(error, Err(MediaError::Io { .. })));
    fs::create_dir(folder.path().join("empty")).unwrap();
    let error = open(&folder.path().join("empty"), &ReadOptions::default());
    assert!(matches!(error, Err(MediaError::NoFrames { .. })));
}

#[test]
fn crop_comes_before_resize_and_both_must_make_sense() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let data = (0..8 * 8)
        .map(|i| if i % 8 < 4 { 1.0 } else { 3.0 })
        .collect();
    let clip = Clip::new(Shape::new(1, 8, 8), data);
    let write = WriteOptions {
        pixel_pitch_um: Some(5.0),
        ..WriteOptions::default()
    };
    save(&path, &clip, &write).unwrap();
    let read = |crop: &str, resize: &str| {
        let options = ReadOptions {
            crop: Some(crop.parse().unwrap()),
            resize: Some(resize.parse().unwrap()),
            ..ReadOptions::default()
        };
        open(&path, &options)
    };
    let footage = read("8x4", "4x2").unwrap();
    assert_eq!(footage.clip.shape(), Shape::new(1, 4, 2));
    assert!(footage.clip.data()[0] < 1.2 && footage.clip.data()[1] > 2.8);
    assert_eq!(footage.pixel_pitch_um, Some(10.0));
    assert_eq!(read("8x4", "4x4").unwrap().pixel_pitch_um, None);
    let corner = read("2x4+6+3", "2x4").unwrap().clip;
    assert_eq!(corner.data(), [1.0, 3.0, 3.0, 3.0, 1.0, 3.0, 3.0, 3.0]);
    let error = read("9x4", "4x2").unwrap_err().to_string();
    assert!(error.contains("9x4") && error.contains("8x8"), "{error}");
    let error = read("4x4+5+0", "4x4").unwrap_err().to_string();
    assert!(error.contains("4x4+5+0"), "{error}");
    assert!(matches!(
        read("8", "60000"),
        Err(MediaError::TooLarge { .. })
    ));
}

fn clips() -> impl Strategy<Value = Clip> {
    (1..4usize, 1..9usize, 1..9usize).prop_flat_map(|(frames, height, width)| {
        let shape = Shape::new(frames, height, width);
        let values = prop::collection::vec(-0.25f32..1.25, shape.len());
        values.prop_map(move |values| Clip::new(shape, values))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn what_is_written_is_read(clip in clips(), deep: bool) {
        let folder = tempfile::tempdir().unwrap();
        let png_depth = if deep { PngDepth::Sixteen } else { PngDepth::Eight };
        let options = WriteOptions { png_depth, ..WriteOptions::default() };
        let png_step = if deep { 1.0 / 65535.0 } else { 1.0 / 255.0 };
        for (name, step) in [
            ("a.tif", None),
            ("a.npy", None),
            ("a.gif", Some(1.0 / 255.0)),
            ("frames", Some(png_step)),
        ] {
            let path = folder.path().join(name);
            save(&path, &clip, &options).unwrap();
            let found = open(&path, &ReadOptions::default()).unwrap().clip;
            match step {
                None => prop_assert_eq!(&found, &clip),
                Some(step) => {
                    prop_assert_eq!(found.shape(), clip.shape());
                    for (a, b) in found.data().iter().zip(clip.data()) {
                        prop_assert!((a - b.clamp(0.0, 1.0)).abs() <= 0.501 * step);
                    }
                }
            }
        }
    }

    #[test]
    fn any_bytes_after_any_signature_are_survived(
        which in 0..9usize,
        keep in 0..64usize,
        noise in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (name, bytes) = &valid_files()[which];
        let bytes = [&bytes[..keep.min(bytes.len())], &noise].concat();
        let _ = read(folder.path(), name, &bytes);
    }
}
