//! The published test sets, read as the published program reads them.
//!
//! Both of its picture libraries work on 8-bit levels, and their roundings are part of the data:
//! resizing and grey conversion here round where OpenCV (UCF101, VISEM) and Pillow (DAVIS) do.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::grey::{luma_opencv, luma_pillow};
use super::resize::{bicubic_pillow, bilinear_opencv, centre_crop};
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
                dataset: match self {
                    Self::Ucf101 => "UCF101",
                    Self::Visem => "VISEM",
                    Self::Davis => "DAVIS",
                    Self::Real => "Real",
                },
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
                _ => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
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
            crop,
            frame: half,
        });
    }
    let halved = bilinear_opencv(rgb, size, 3, half);
    let cropped = centre_crop(&halved, half, 3, crop).unwrap_or_default();
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
    let data: Vec<f32> = frames.flatten().map(|&level| f32::from(level) / 255.0).collect();
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
            picture.into_rgb8().chunks_exact(3).map(luma_pillow).collect()
        } else {
            picture.into_luma8().into_raw()
        };
        let square = FrameSize::square(size.height.min(size.width));
        let centre = centre_crop(&grey, size, 1, square).unwrap_or_default();
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
    let (low, high) = data
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    if low == high {
        return Err(problem(format!("every pixel of the capture is {low}")));
    }
    for v in &mut data {
        *v = ((*v - low) / (high - low) - 0.1).max(0.0);
    }
    Ok((Clip::new(Shape::new(FRAMES, size.height, size.width), data), distance_m))
}

fn with_own_names(mut clips: Vec<ClipRef>) -> Vec<ClipRef> {
    // Plain names first: a suffix must not take the name of a clip that has it by itself.
    let mut taken: HashSet<String> = HashSet::new();
    let again: Vec<usize> = (0..clips.len())
        .filter(|&i| !taken.insert(clips[i].name.clone()))
        .collect();
    for i in again {
        let plain = clips[i].name.clone();
        let own = (2..).map(|n| format!("{plain}_{n}")).find(|name| !taken.contains(name));
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
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
