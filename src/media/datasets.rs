//! The published test sets, read as the published program reads them.
//!
//! Both of its picture libraries work on 8-bit levels, and their roundings are part of the data:
//! resizing and grey conversion here round where OpenCV (UCF101, VISEM) and Pillow (DAVIS) do.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::grey::{luma_opencv, luma_pillow};
use super::resize::{bicubic_pillow, bilinear_opencv, cropped};
use super::sink::Wanted;
use super::{FrameSize, MediaError, ReadOptions, extension, ffmpeg, guarded, images, open};
use crate::clip::{Clip, Shape};
use crate::noise::Noise;

/// Frames of every clip.
pub const FRAMES: usize = 10;

/// Where the authors publish the data folder.
pub const DOWNLOAD_LINK: &str =
    "https://drive.google.com/file/d/1GkuzyTmId2LjGu3bOQNKTm0MDA8aqTSS/view?usp=sharing";

/// A published test set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dataset {
    /// Action clips, 64 x 64.
    Ucf101,
    /// Spermatozoa under a microscope, 128 x 128.
    Visem,
    /// Video segmentation clips, 64 x 64.
    Davis,
    /// Captures through a real layer, 64 x 64.
    Real,
}

/// One clip of a test set, not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipRef {
    pub dataset: Dataset,
    /// What its outputs are named after; no two clips of a list share it.
    pub name: String,
    /// The video (UCF101, VISEM) or the folder of frames (DAVIS, real).
    pub path: PathBuf,
    /// Of the scattering layer (real).
    pub thickness_um: Option<u32>,
}

/// One clip, ready for a solver.
#[derive(Clone, Debug)]
pub struct Sample {
    pub name: String,
    /// Ten frames in [0, 1].
    pub clip: Clip,
    /// The layer's distance in metres (real).
    pub dist_m: Option<f64>,
    /// The layer's thickness (real).
    pub thickness_um: Option<u32>,
}

impl fmt::Display for Dataset {
    /// The name the published `--dataset` flag takes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ucf101 => "UCF101",
            Self::Visem => "VISEM",
            Self::Davis => "DAVIS",
            Self::Real => "Real",
        })
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of the data sets UCF101, VISEM, DAVIS and Real")]
pub struct DatasetNameError(String);

impl FromStr for Dataset {
    type Err = DatasetNameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|dataset| dataset.to_string().eq_ignore_ascii_case(name))
            .ok_or_else(|| DatasetNameError(name.to_owned()))
    }
}

/// The width (standard deviation, in pixels) of the blur a layer of this thickness was measured to
/// have. Recorded with results; no solver uses it.
pub fn layer_sigma_px(thickness_um: u32) -> Option<f64> {
    match thickness_um {
        100 => Some(0.89453),
        550 => Some(1.0196),
        900 => Some(1.2504),
        _ => None,
    }
}

impl Dataset {
    pub const ALL: [Self; 4] = [Self::Ucf101, Self::Visem, Self::Davis, Self::Real];

    fn folder(self) -> &'static str {
        match self {
            Self::Ucf101 => "UCF101_Test",
            Self::Visem => "VISEM_Test",
            Self::Davis => "DAVIS_Test",
            Self::Real => "Real_Test/UCF101_sample",
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Ucf101 | Self::Visem => "AVI or MP4 videos, at any depth,",
            Self::Davis => "folders of frames <clip>/00000.jpg ...",
            Self::Real => "folders *_<100um|550um|900um>/*/<clip>/ of MAT files",
        }
    }

    /// The clips under `data_root` (the published `data` folder), in lexicographic order.
    ///
    /// Clips that would share a name get `_2`, `_3`, ... from the second one on.
    ///
    /// # Errors
    /// When the set's folder is missing or holds no clip, or cannot be read.
    pub fn list(self, data_root: &Path) -> Result<Vec<ClipRef>, MediaError> {
        let folder = data_root.join(self.folder());
        let clips = if folder.is_dir() {
            match self {
                Self::Ucf101 | Self::Visem => self.list_videos(&folder)?,
                Self::Davis => self.list_frame_folders(&folder)?,
                Self::Real => self.list_captures(&folder)?,
            }
        } else {
            Vec::new()
        };
        if clips.is_empty() {
            return Err(MediaError::DatasetMissing {
                dataset: self,
                expected: self.expected(),
                folder,
                link: DOWNLOAD_LINK,
            });
        }
        Ok(with_own_names(clips))
    }

    fn list_videos(self, folder: &Path) -> Result<Vec<ClipRef>, MediaError> {
        let mut videos = Vec::new();
        find_videos(folder, &mut videos)?;
        videos.sort();
        let clip = |path: PathBuf| ClipRef {
            dataset: self,
            name: match self {
                Self::Ucf101 => name_of(path.parent().unwrap_or(&path)),
                _ => path
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
            },
            path,
            thickness_um: None,
        };
        Ok(videos.into_iter().map(clip).collect())
    }

    fn list_frame_folders(self, folder: &Path) -> Result<Vec<ClipRef>, MediaError> {
        let clips = subfolders(folder)?.into_iter().map(|path| ClipRef {
            dataset: self,
            name: name_of(&path),
            path,
            thickness_um: None,
        });
        Ok(clips.collect())
    }

    fn list_captures(self, folder: &Path) -> Result<Vec<ClipRef>, MediaError> {
        let mut clips = Vec::new();
        for layer in subfolders(folder)? {
            let name = name_of(&layer);
            let thickness = [100, 550, 900]
                .into_iter()
                .find(|thickness| name.ends_with(&format!("_{thickness}um")));
            let Some(thickness) = thickness else {
                continue;
            };
            for group in subfolders(&layer)? {
                for path in subfolders(&group)? {
                    clips.push(ClipRef {
                        dataset: self,
                        name: name_of(&path),
                        path,
                        thickness_um: Some(thickness),
                    });
                }
            }
        }
        Ok(clips)
    }
}

/// Reads one clip; the start of a video's ten frames is drawn from `noise`.
///
/// # Errors
/// When a file is missing or damaged, and when a video needs an ffmpeg that is not there.
pub fn load(clip: &ClipRef, noise: &mut Noise) -> Result<Sample, MediaError> {
    let (frames, dist_m) = match clip.dataset {
        Dataset::Ucf101 => (load_video(&clip.path, noise, ucf101_frame)?, None),
        Dataset::Visem => (load_video(&clip.path, noise, visem_frame)?, None),
        Dataset::Davis => (load_frame_folder(&clip.path)?, None),
        Dataset::Real => load_capture(&clip.path)?,
    };
    Ok(Sample {
        name: clip.name.clone(),
        clip: frames,
        dist_m,
        thickness_um: clip.thickness_um,
    })
}

/// A video's frame as 8-bit grey levels of the size given.
type Prepare = fn(&Path, FrameSize, &[u8]) -> Result<(FrameSize, Vec<u8>), MediaError>;

fn ucf101_frame(
    _path: &Path,
    size: FrameSize,
    rgb: &[u8],
) -> Result<(FrameSize, Vec<u8>), MediaError> {
    let to = FrameSize::square(64);
    Ok((to, opencv_grey(&bilinear_opencv(rgb, size, 3, to))))
}

fn visem_frame(
    path: &Path,
    size: FrameSize,
    rgb: &[u8],
) -> Result<(FrameSize, Vec<u8>), MediaError> {
    let crop = FrameSize::square(128);
    let half = FrameSize::new(size.height / 2, size.width / 2);
    if half.height < crop.height || half.width < crop.width {
        return Err(MediaError::CropTooLarge {
            path: path.to_owned(),
            crop: crop.into(),
            frame: half,
        });
    }
    let halved = bilinear_opencv(rgb, size, 3, half);
    let cropped = cropped(&halved, half, 3, crop.into()).unwrap_or_default();
    Ok((crop, opencv_grey(&cropped)))
}

fn opencv_grey(rgb: &[u8]) -> Vec<u8> {
    rgb.chunks_exact(3).map(luma_opencv).collect()
}

fn load_video(path: &Path, noise: &mut Noise, prepare: Prepare) -> Result<Clip, MediaError> {
    let total = ffmpeg::for_each_frame(path, |_, _| Ok(Wanted::More))?;
    if total == 0 {
        return Err(MediaError::NoFrames {
            path: path.to_owned(),
        });
    }
    let starts = total.saturating_sub(FRAMES) + 1;
    let start = (noise.uniform(0.0, starts as f64) as usize).min(starts - 1);
    let mut index = 0;
    let mut frames = Vec::new();
    let mut size = FrameSize::square(0);
    ffmpeg::for_each_frame(path, |from, rgb| {
        if index >= start {
            let (to, levels) = prepare(path, from, rgb)?;
            size = to;
            frames.push(levels);
        }
        index += 1;
        Ok(if frames.len() == FRAMES {
            Wanted::Enough
        } else {
            Wanted::More
        })
    })?;
    let order = mirrored(frames.len(), FRAMES);
    Ok(clip_of(size, order.map(|i| frames[i].as_slice())))
}

/// The frames 0, 1, ..., n-1, n-1, ..., 1, 0, 0, 1, ... up to `count` of them.
fn mirrored(n: usize, count: usize) -> impl Iterator<Item = usize> {
    (0..n).chain((0..n).rev()).cycle().take(count)
}

fn clip_of<'a>(size: FrameSize, frames: impl Iterator<Item = &'a [u8]>) -> Clip {
    let data: Vec<f32> = frames
        .flatten()
        .map(|&level| f32::from(level) / 255.0)
        .collect();
    let frames = data.len() / (size.height * size.width);
    Clip::new(Shape::new(frames, size.height, size.width), data)
}

/// JPEG decoders differ by a level here and there, so a clip may differ from the published
/// program's by as much.
fn load_frame_folder(folder: &Path) -> Result<Clip, MediaError> {
    let to = FrameSize::square(64);
    let frame = |index: usize| {
        let path = folder.join(format!("{index:05}.jpg"));
        let picture = guarded(&path, "JPEG", || images::decode(&path))?;
        let size = FrameSize::new(picture.height() as usize, picture.width() as usize);
        let grey: Vec<u8> = if picture.color().has_color() {
            picture
                .into_rgb8()
                .chunks_exact(3)
                .map(luma_pillow)
                .collect()
        } else {
            picture.into_luma8().into_raw()
        };
        let square = FrameSize::square(size.height.min(size.width));
        let centre = cropped(&grey, size, 1, square.into()).unwrap_or_default();
        Ok(bicubic_pillow(&centre, square, to))
    };
    let frames: Vec<Vec<u8>> = (0..FRAMES).map(frame).collect::<Result<_, MediaError>>()?;
    Ok(clip_of(to, frames.iter().map(Vec::as_slice)))
}

fn load_capture(folder: &Path) -> Result<(Clip, Option<f64>), MediaError> {
    let problem = |detail: String| MediaError::DatasetClip {
        path: folder.to_owned(),
        detail,
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(MediaError::io(folder))? {
        let path = entry.map_err(MediaError::io(folder))?.path();
        if extension(&path) == "mat" {
            files.push(path);
        }
    }
    files.sort();
    files.truncate(FRAMES);
    if files.len() < FRAMES {
        return Err(problem(format!(
            "a capture is ten MAT files, one a frame; there are {}",
            files.len()
        )));
    }
    let size = FrameSize::square(64);
    let mut data = Vec::new();
    let mut distance_m = None;
    for file in &files {
        let footage = open(file, &ReadOptions::default())?;
        let shape = footage.clip.shape();
        if shape != Shape::new(1, size.height, size.width) {
            return Err(MediaError::MixedSizes {
                path: file.clone(),
                found: FrameSize::new(shape.height, shape.width),
                expected: size,
            });
        }
        distance_m = footage.distance_m;
        data.extend(footage.clip.into_data());
    }
    let recorded = Clip::new(Shape::new(FRAMES, size.height, size.width), data);
    let capture = normalise(&recorded)
        .ok_or_else(|| problem("every pixel of the capture has the same value".into()))?;
    Ok((capture, distance_m))
}

/// What the published program makes of a real capture: the clip's values are stretched to
/// [0, 1], 0.1 is taken off, and what is below 0 becomes 0. None where all values are equal.
pub fn normalise(clip: &Clip) -> Option<Clip> {
    let (low, high) = clip.range();
    (low < high).then(|| clip.map(|v| ((v - low) / (high - low) - 0.1).max(0.0)))
}

fn with_own_names(mut clips: Vec<ClipRef>) -> Vec<ClipRef> {
    // Plain names first: a suffix must not take the name of a clip that has it by itself.
    let mut taken: HashSet<String> = HashSet::new();
    let again: Vec<usize> = (0..clips.len())
        .filter(|&i| !taken.insert(clips[i].name.clone()))
        .collect();
    for i in again {
        let plain = clips[i].name.clone();
        let own = (2..)
            .map(|n| format!("{plain}_{n}"))
            .find(|name| !taken.contains(name));
        clips[i].name = own.unwrap_or(plain);
        taken.insert(clips[i].name.clone());
    }
    clips
}

fn find_videos(folder: &Path, videos: &mut Vec<PathBuf>) -> Result<(), MediaError> {
    for entry in fs::read_dir(folder).map_err(MediaError::io(folder))? {
        let entry = entry.map_err(MediaError::io(folder))?;
        let path = entry.path();
        // Not through links, which can lead in circles.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            find_videos(&path, videos)?;
        } else if ["avi", "mp4"].contains(&extension(&path).as_str()) && path.is_file() {
            videos.push(path);
        }
    }
    Ok(())
}

fn subfolders(folder: &Path) -> Result<Vec<PathBuf>, MediaError> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder).map_err(MediaError::io(folder))? {
        let path = entry.map_err(MediaError::io(folder))?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::ffmpeg::tests::{ffmpeg_or_skip, make_video};
    use crate::media::mat::tests::doubles;

    #[test]
    fn an_unknown_set_is_answered_with_the_known_ones() {
        let error = "UCF".parse::<Dataset>().unwrap_err().to_string();
        assert!(
            error.contains("`UCF`") && error.contains("UCF101"),
            "{error}"
        );
    }

    fn touch(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"").unwrap();
    }

    fn names(clips: &[ClipRef]) -> Vec<&str> {
        clips.iter().map(|clip| clip.name.as_str()).collect()
    }

    #[test]
    fn a_missing_set_says_what_belongs_where_and_how_to_go_on() {
        let root = tempfile::tempdir().unwrap();
        for (dataset, folder) in [
            (Dataset::Ucf101, "UCF101_Test"),
            (Dataset::Visem, "VISEM_Test"),
            (Dataset::Davis, "DAVIS_Test"),
            (Dataset::Real, "Real_Test"),
        ] {
            let error = dataset.list(root.path()).unwrap_err().to_string();
            for word in [
                folder,
                DOWNLOAD_LINK,
                "--data",
                "vdps reconstruct",
                "vdps demo",
            ] {
                assert!(error.contains(word), "{error}");
            }
            assert!(error.contains(&dataset.to_string()), "{error}");
            assert_eq!(dataset.to_string().to_lowercase().parse(), Ok(dataset));
        }
    }

    #[test]
    fn videos_are_found_at_any_depth_and_named_apart() {
        let root = tempfile::tempdir().unwrap();
        let ucf = root.path().join("UCF101_Test");
        for file in [
            "Golf/v1.avi",
            "Golf/v2.mp4",
            "Golf/v3.AVI",
            "Golf_2/v.avi",
            "Golf/notes.txt",
        ] {
            touch(&ucf.join(file));
        }
        let clips = Dataset::Ucf101.list(root.path()).unwrap();
        assert_eq!(names(&clips), ["Golf", "Golf_3", "Golf_4", "Golf_2"]);
        assert!(clips[1].path.ends_with("Golf/v2.mp4"));

        let visem = root.path().join("VISEM_Test");
        for file in ["12.mp4", "deep/er/11.mp4", "other/12.avi"] {
            touch(&visem.join(file));
        }
        let clips = Dataset::Visem.list(root.path()).unwrap();
        assert_eq!(names(&clips), ["12", "11", "12_2"]);
    }

    #[test]
    fn davis_is_pillows_grey_centre_shrunk() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("DAVIS_Test/jet");
        fs::create_dir_all(&folder).unwrap();
        for index in 0..11u32 {
            let colour = |x: u32, y: u32| {
                image::Rgb([
                    (x * 2 + index) as u8,
                    (y * 2) as u8,
                    if x < 30 { 255 } else { 40 },
                ])
            };
            let picture = image::RgbImage::from_fn(120, 90, colour);
            picture
                .save(folder.join(format!("{index:05}.jpg")))
                .unwrap();
        }
        let clips = Dataset::Davis.list(root.path()).unwrap();
        assert_eq!(names(&clips), ["jet"]);
        let sample = load(&clips[0], &mut Noise::seeded(1)).unwrap();
        assert_eq!(sample.clip.shape(), Shape::new(10, 64, 64));
        // Row r of 64 lies at 90 (r + 0.5) / 64 - 0.5, column c 15 pixels further right.
        for (frame, row, column) in [(0, 32, 32), (9, 10, 50)] {
            let at = |i: usize| 90.0 * (i as f32 + 0.5) / 64.0 - 0.5;
            let (y, x) = (at(row), at(column) + 15.0);
            let expected = 0.299 * (2.0 * x + frame as f32) + 0.587 * 2.0 * y + 0.114 * 40.0;
            let found = sample.clip.frame(frame)[row * 64 + column] * 255.0;
            assert!((found - expected).abs() < 3.0, "{found} against {expected}");
            assert_eq!(found.round(), found, "8-bit levels");
        }

        fs::remove_file(folder.join("00007.jpg")).unwrap();
        let error = load(&clips[0], &mut Noise::seeded(1))
            .unwrap_err()
            .to_string();
        assert!(error.contains("00007.jpg"), "{error}");
    }

    #[test]
    fn a_capture_is_stretched_and_lowered_and_takes_its_distance_from_the_tenth_file() {
        let root = tempfile::tempdir().unwrap();
        let folder = root
            .path()
            .join("Real_Test/UCF101_sample/day1_550um/run/Golf");
        fs::create_dir_all(&folder).unwrap();
        for index in 0..12 {
            let mut values = vec![4.0; 64 * 64];
            // Second row, first column: MATLAB counts down the rows first.
            values[1] = if index == 3 { 12.0 } else { 2.0 };
            let frame: (&str, &[i32], &[f64]) = ("holo_roi_crop", &[64, 64], &values);
            let z = [0.001 * f64::from(index)];
            let bytes = doubles(&[frame, ("z", &[1, 1], &z)]);
            // In lexicographic order 10 and 11 come after 1: frames 0, 1, 10, 11, 2, ..., 7.
            fs::write(folder.join(format!("{index}.mat")), bytes).unwrap();
        }
        fs::create_dir_all(folder.join("../../../day1_unknown/run/Golf")).unwrap();
        let clips = Dataset::Real.list(root.path()).unwrap();
        assert_eq!(names(&clips), ["Golf"]);
        let sample = load(&clips[0], &mut Noise::seeded(1)).unwrap();
        assert_eq!(sample.thickness_um, Some(550));
        assert_eq!(layer_sigma_px(550), Some(1.0196));
        assert_eq!(sample.dist_m, Some(0.007));
        assert_eq!(sample.clip.shape(), Shape::new(10, 64, 64));
        let pixel = |frame: usize, row: usize| sample.clip.frame(frame)[row * 64];
        assert_eq!((pixel(5, 1), pixel(4, 1)), (0.9, 0.0));
        assert!((pixel(5, 0) - 0.1).abs() < 1e-6);

        for index in 3..12 {
            fs::remove_file(folder.join(format!("{index}.mat"))).unwrap();
        }
        let error = load(&clips[0], &mut Noise::seeded(1))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("ten MAT files") && error.contains("there are 3"),
            "{error}"
        );
    }

    #[test]
    fn short_clips_are_mirrored_in_time() {
        let order: Vec<usize> = mirrored(4, 10).collect();
        assert_eq!(order, [0, 1, 2, 3, 3, 2, 1, 0, 0, 1]);
        assert_eq!(mirrored(1, 3).collect::<Vec<_>>(), [0, 0, 0]);
        assert_eq!(mirrored(12, 10).last(), Some(9));
    }

    /// A video whose frame f is the level 10 f, but for a white left edge.
    fn levels_video(path: &Path, size: FrameSize, frames: usize) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let pixel = |f: usize, i: usize| {
            if i.is_multiple_of(size.width) {
                255
            } else {
                10 * f as u8
            }
        };
        let frame = |f| {
            let pixels = 0..size.height * size.width;
            pixels.flat_map(|i| [pixel(f, i); 3]).collect()
        };
        make_video(path, size, &(0..frames).map(frame).collect::<Vec<_>>());
    }

    #[test]
    fn videos_start_where_the_seed_says() {
        if !ffmpeg_or_skip("videos_start_where_the_seed_says") {
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let ucf = root.path().join("UCF101_Test");
        levels_video(&ucf.join("Golf/long.avi"), FrameSize::new(96, 128), 13);
        levels_video(&ucf.join("Short/short.mp4"), FrameSize::new(64, 64), 4);
        let clips = Dataset::Ucf101.list(root.path()).unwrap();
        let levels = |clip: &ClipRef, seed: u64| -> Vec<f32> {
            let sample = load(clip, &mut Noise::seeded(seed)).unwrap();
            assert_eq!(sample.clip.shape(), Shape::new(10, 64, 64));
            sample
                .clip
                .frames()
                .map(|f| (f[100] * 25.5).round())
                .collect()
        };
        let mut starts = HashSet::new();
        for seed in 0..12 {
            let found = levels(&clips[0], seed);
            assert!(found.windows(2).all(|w| w[1] == w[0] + 1.0), "{found:?}");
            starts.insert(found[0] as i32);
        }
        assert_eq!(levels(&clips[0], 3), levels(&clips[0], 3));
        assert_eq!(starts, HashSet::from([0, 1, 2, 3]));
        let short = levels(&clips[1], 5);
        assert_eq!(short, [0., 1., 2., 3., 3., 2., 1., 0., 0., 1.]);
    }

    #[test]
    fn visem_is_halved_and_cropped() {
        if !ffmpeg_or_skip("visem_is_halved_and_cropped") {
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let visem = root.path().join("VISEM_Test");
        levels_video(&visem.join("11.avi"), FrameSize::new(256, 256), 10);
        let clips = Dataset::Visem.list(root.path()).unwrap();
        let clip = load(&clips[0], &mut Noise::seeded(1)).unwrap().clip;
        assert_eq!(clip.shape(), Shape::new(10, 128, 128));
        // Half of the first column is the white edge.
        let left: Vec<f32> = clip.frame(4)[..2]
            .iter()
            .map(|v| (v * 255.0).round())
            .collect();
        assert_eq!(left, [148.0, 40.0]);

        levels_video(&visem.join("11.avi"), FrameSize::new(256, 200), 10);
        let error = load(&clips[0], &mut Noise::seeded(1))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("128x128") && error.contains("128x100"),
            "{error}"
        );
    }
}
