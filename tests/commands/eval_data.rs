//! Small data folders laid out like the published one.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A clip of DAVIS: ten JPEG frames that move with `phase`.
pub fn davis(root: &Path, clip: &str, phase: f64) {
    let folder = root.join("data/DAVIS_Test").join(clip);
    fs::create_dir_all(&folder).unwrap();
    for index in 0..10u32 {
        let moved = phase + 0.3 * f64::from(index);
        let level = |x: u32, y: u32| {
            let wave = (f64::from(x) / 9.0 + moved).sin() * (f64::from(y) / 7.0).cos();
            (128.0 + 100.0 * wave) as u8
        };
        let colour = |x, y| image::Rgb([level(x, y), level(x, y) / 2, 90]);
        let picture = image::RgbImage::from_fn(96, 80, colour);
        picture
            .save(folder.join(format!("{index:05}.jpg")))
            .unwrap();
    }
}

/// A capture of `frames` MAT files at `dist_m`.
pub fn capture(root: &Path, layer: &str, clip: &str, frames: usize, dist_m: f64) {
    let folder = root.join("data/Real_Test/UCF101_sample");
    let folder = folder.join(layer).join("run").join(clip);
    fs::create_dir_all(&folder).unwrap();
    for index in 0..frames {
        let value = |i: usize| (((i / 64 + index) as f64 / 5.0).sin() * (i % 64) as f64).abs();
        let pixels: Vec<f64> = (0..64 * 64).map(value).collect();
        let arrays = [
            array("holo_roi_crop", &[64, 64], &pixels),
            array("z", &[1, 1], &[dist_m]),
        ];
        let mut file = b"MATLAB 5.0 MAT-file".to_vec();
        file.resize(124, b' ');
        file.extend_from_slice(&[0, 1, b'I', b'M']);
        file.extend(arrays.concat());
        fs::write(folder.join(format!("{index:02}.mat")), file).unwrap();
    }
}

/// An array of doubles as a MAT v5 element, not compressed.
fn array(name: &str, dims: &[i32], values: &[f64]) -> Vec<u8> {
    const INT8: u32 = 1;
    const INT32: u32 = 5;
    const UINT32: u32 = 6;
    const DOUBLE: u32 = 9;
    const MATRIX: u32 = 14;
    const DOUBLE_CLASS: u8 = 6;
    let element = |kind: u32, data: &[u8]| {
        let mut bytes = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    };
    let dims: Vec<u8> = dims.iter().flat_map(|n| n.to_le_bytes()).collect();
    let values: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let parts = [
        element(UINT32, &[DOUBLE_CLASS, 0, 0, 0, 0, 0, 0, 0]),
        element(INT32, &dims),
        element(INT8, name.as_bytes()),
        element(DOUBLE, &values),
    ];
    element(MATRIX, &parts.concat())
}

/// A video of ffmpeg's moving test picture, if there is an ffmpeg.
///
/// # Panics
/// When there is none although VDPS_REQUIRE_ALL is set, and when it fails.
pub fn video(path: &Path, size: &str, frames: usize) -> bool {
    let program = std::env::var_os("VDPS_FFMPEG").unwrap_or_else(|| "ffmpeg".into());
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let made = Command::new(program)
        .args(["-v", "error", "-f", "lavfi", "-i"])
        .arg(format!("testsrc=size={size}:rate=25"))
        .args(["-frames:v", &frames.to_string(), "-c:v", "mjpeg"])
        .arg(path)
        .status();
    match made {
        Ok(status) => {
            assert!(status.success(), "ffmpeg could not make a video");
            true
        }
        Err(error) => {
            let required = std::env::var_os("VDPS_REQUIRE_ALL").is_some();
            assert!(!required, "ffmpeg is required: {error}");
            eprintln!("SKIPPED: no ffmpeg to make videos with ({error})");
            false
        }
    }
}
