use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::grey::{frame_of, luma_float};
use super::sink::{Frame, FrameSink, MAX_FRAME_PIXELS, Origin, Wanted, check_frame_size};
use super::{
    FrameSize, MediaError, PngDepth, ReadOptions, VideoReader, VideoWriter, WriteOptions,
    extension, guarded, head_of, mat, output, tiff, to_level,
};
use crate::clip::{Clip, Shape};

/// One PNG, JPEG or BMP picture: a clip of one frame.
pub(super) struct Picture;

/// A folder whose frames lie in files of their own, in natural order of their names
/// (`frame2` before `frame10`): pictures, single-page TIFF, or MAT files of one frame each.
pub(super) struct Folder;

const NAME: &str = "picture";

impl VideoReader for Picture {
    fn name(&self) -> &'static str {
        NAME
    }

    fn accepts(&self, _path: &Path, head: &[u8]) -> bool {
        let signatures: [&[u8]; 3] = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM"];
        signatures
            .iter()
            .any(|signature| head.starts_with(signature))
    }

    fn read(
        &self,
        path: &Path,
        _options: &ReadOptions,
        sink: &mut FrameSink,
    ) -> Result<Origin, MediaError> {
        sink.offer(path, || read_picture(path))?;
        Ok(Origin::default())
    }
}

impl VideoReader for Folder {
    fn name(&self) -> &'static str {
        "folder of frames"
    }

    fn accepts(&self, path: &Path, _head: &[u8]) -> bool {
        path.is_dir()
    }

    fn read(
        &self,
        path: &Path,
        options: &ReadOptions,
        sink: &mut FrameSink,
    ) -> Result<Origin, MediaError> {
        let mut origin = Origin::default();
        for file in frame_files(path)? {
            let wanted = sink.offer(&file, || {
                let (frame, from) = read_frame_file(&file, options)?;
                origin = from;
                Ok(frame)
            })?;
            if wanted == Wanted::Enough {
                break;
            }
        }
        Ok(origin)
    }
}

/// The files in a folder that can be frames. Others (notes, thumbnails) are passed over.
fn frame_files(folder: &Path) -> Result<Vec<PathBuf>, MediaError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(MediaError::io(folder))? {
        let path = entry.map_err(MediaError::io(folder))?.path();
        let hidden = name_of(&path).starts_with('.');
        let known = ["png", "jpg", "jpeg", "bmp", "tif", "tiff", "mat"];
        if !hidden && known.contains(&extension(&path).as_str()) && path.is_file() {
            files.push(path);
        }
    }
    files.sort_by(|a, b| natord::compare(&name_of(a), &name_of(b)).then_with(|| a.cmp(b)));
    Ok(files)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn read_frame_file(path: &Path, options: &ReadOptions) -> Result<(Frame, Origin), MediaError> {
    let head = head_of(path)?;
    if tiff::Tiff.accepts(path, &head) {
        guarded(path, tiff::NAME, || tiff::read_single_page(path))
    } else if mat::Mat.accepts(path, &head) {
        guarded(path, mat::NAME, || mat::read_single_frame(path, options))
    } else if Picture.accepts(path, &head) {
        let frame = guarded(path, NAME, || read_picture(path))?;
        Ok((frame, Origin::default()))
    } else {
        let detail = "it begins like none of PNG, JPEG, BMP, TIFF or MAT";
        Err(MediaError::damaged(path, NAME, detail))
    }
}

/// Decodes a picture as the format stores it, its size checked first.
pub(super) fn decode(path: &Path) -> Result<DynamicImage, MediaError> {
    let damaged = |error: image::ImageError| MediaError::damaged(path, NAME, error);
    let file = File::open(path).map_err(MediaError::io(path))?;
    let mut reader = ImageReader::new(BufReader::new(file))
        .with_guessed_format()
        .map_err(MediaError::io(path))?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_FRAME_PIXELS as u64 * 8);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    check_frame_size(path, FrameSize::new(height as usize, width as usize))?;
    DynamicImage::from_decoder(decoder).map_err(damaged)
}

fn read_picture(path: &Path) -> Result<Frame, MediaError> {
    let picture = decode(path)?;
    let size = FrameSize::new(picture.height() as usize, picture.width() as usize);
    Ok(match picture {
        DynamicImage::ImageLuma8(p) => frame_of(size, &p, 1, 255),
        DynamicImage::ImageLumaA8(p) => frame_of(size, &p, 2, 255),
        DynamicImage::ImageRgb8(p) => frame_of(size, &p, 3, 255),
        DynamicImage::ImageRgba8(p) => frame_of(size, &p, 4, 255),
        DynamicImage::ImageLuma16(p) => frame_of(size, &p, 1, 65535),
        DynamicImage::ImageLumaA16(p) => frame_of(size, &p, 2, 65535),
        DynamicImage::ImageRgb16(p) => frame_of(size, &p, 3, 65535),
        DynamicImage::ImageRgba16(p) => frame_of(size, &p, 4, 65535),
        other => {
            let pixels = other.to_rgb32f();
            let luma = |p: &image::Rgb<f32>| luma_float(p.0.map(f64::from)) as f32;
            Frame {
                size,
                values: pixels.pixels().map(luma).collect(),
                levels: None,
            }
        }
    })
}

/// Writes one grey picture, 8 bits, values in [0, 1] (outside it: clipped) to the nearest level.
///
/// # Errors
/// When writing fails.
///
/// # Panics
/// When `values` does not hold `height * width` values.
pub fn write_png(
    path: &Path,
    height: usize,
    width: usize,
    values: &[f32],
) -> Result<(), MediaError> {
    let picture = Clip::new(Shape::new(1, height, width), values.to_vec());
    output::replace(path, |partial| {
        write_frame(partial, &picture, 0, &WriteOptions::default())
    })
}

fn write_frame(
    path: &Path,
    clip: &Clip,
    frame: usize,
    options: &WriteOptions,
) -> Result<(), MediaError> {
    let values = clip.frame(frame);
    let (bytes, color): (Vec<u8>, _) = match options.png_depth {
        PngDepth::Eight => {
            let level = |&v: &f32| to_level(v, 255, options.rounding) as u8;
            (values.iter().map(level).collect(), ExtendedColorType::L8)
        }
        PngDepth::Sixteen => {
            let level = |&v: &f32| to_level(v, 65535, options.rounding).to_ne_bytes();
            (
                values.iter().flat_map(level).collect(),
                ExtendedColorType::L16,
            )
        }
    };
    let shape = clip.shape();
    let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (width, height) = (side(shape.width), side(shape.height));
    output::to_file(path, |file| {
        image::write_buffer_with_format(file, &bytes, width, height, color, ImageFormat::Png)
    })
}

impl VideoWriter for Picture {
    fn writes(&self, path: &Path) -> bool {
        extension(path) == "png"
    }

    fn write(&self, path: &Path, clip: &Clip, options: &WriteOptions) -> Result<(), MediaError> {
        if clip.shape().frames != 1 {
            return Err(MediaError::CannotWrite {
                path: path.to_owned(),
                detail: format!(
                    "a PNG file holds one frame, the clip has {}; give a folder instead",
                    clip.shape().frames
                ),
            });
        }
        write_frame(path, clip, 0, options)
    }
}

impl VideoWriter for Folder {
    fn writes(&self, path: &Path) -> bool {
        // A folder's name may end in a number, as in `distance_5.0`.
        path.is_dir() || extension(path).bytes().all(|b| b.is_ascii_digit())
    }

    fn write(&self, path: &Path, clip: &Clip, options: &WriteOptions) -> Result<(), MediaError> {
        fs::create_dir_all(path).map_err(MediaError::io(path))?;
        (0..clip.shape().frames)
            .try_for_each(|i| write_frame(&path.join(frame_name(i)), clip, i, options))
    }
}

fn frame_name(index: usize) -> String {
    format!("frame_{index:05}.png")
}

/// Whether a file of this name is one that [`Folder`] writes.
pub(super) fn is_written_frame(name: &OsStr) -> bool {
    let index = |name: &str| -> Option<usize> {
        name.strip_prefix("frame_")?
            .strip_suffix(".png")?
            .parse()
            .ok()
    };
    name.to_str()
        .is_some_and(|name| index(name).is_some_and(|i| frame_name(i) == name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Footage, open, save};

    fn open_all(path: &Path) -> Result<Footage, MediaError> {
        open(path, &ReadOptions::default())
    }

    #[test]
    fn pictures_keep_their_depth_and_lose_only_their_colour() {
        let folder = tempfile::tempdir().unwrap();
        let picture = |name: &str, bytes: &[u8], color| {
            let path = folder.path().join(name);
            image::save_buffer(&path, bytes, 1, 1, color).unwrap();
            let footage = open_all(&path).unwrap();
            (footage.clip.into_data()[0], footage.levels)
        };
        use ExtendedColorType::{L8, L16, La8, Rgb8, Rgb16, Rgba8};
        assert_eq!(picture("a.png", &[51], L8), (0.2, Some(255)));
        assert_eq!(picture("b.png", &[51, 0], La8), (0.2, Some(255)));
        assert_eq!(picture("c.png", &[255, 0, 0], Rgb8), (0.299, Some(255)));
        assert_eq!(picture("d.png", &[0, 255, 0, 9], Rgba8), (0.587, Some(255)));
        assert_eq!(picture("e.bmp", &[0, 0, 255], Rgb8), (0.114, Some(255)));
        let grey = 13107u16.to_ne_bytes();
        assert_eq!(picture("f.png", &grey, L16), (0.2, Some(65535)));
        let red = [65535u16, 0, 0].map(u16::to_ne_bytes).concat();
        assert_eq!(picture("g.png", &red, Rgb16), (0.299, Some(65535)));
        let (jpeg, levels) = picture("h.jpg", &[102], L8);
        assert!((jpeg - 0.4).abs() < 0.01 && levels == Some(255));
    }

    #[test]
    fn a_folder_is_read_in_natural_order_whatever_else_lies_in_it() {
        let folder = tempfile::tempdir().unwrap();
        for (name, level) in [
            ("f10.png", 10u8),
            ("f9.PNG", 9),
            ("f1.bmp", 1),
            ("f2.png", 2),
        ] {
            let path = folder.path().join(name);
            let format = ImageFormat::from_path(&path).unwrap();
            image::save_buffer_with_format(&path, &[level; 6], 3, 2, ExtendedColorType::L8, format)
                .unwrap();
        }
        fs::write(folder.path().join("notes.txt"), "dark room").unwrap();
        fs::write(folder.path().join(".f0.png"), "half a thumbnail").unwrap();
        let clip = open_all(folder.path()).unwrap().clip;
        assert_eq!(clip.shape(), Shape::new(4, 2, 3));
        let levels: Vec<f32> = clip.frames().map(|f| (f[0] * 255.0).round()).collect();
        assert_eq!(levels, [1.0, 2.0, 9.0, 10.0]);

        write_png(&folder.path().join("f3.png"), 3, 2, &[0.0; 6]).unwrap();
        let error = open_all(folder.path()).unwrap_err().to_string();
        assert!(error.contains("f3.png") && error.contains("3x2"), "{error}");
    }

    #[test]
    fn folders_of_tiff_and_mat_files_are_clips_too() {
        let folder = tempfile::tempdir().unwrap();
        let tiffs = folder.path().join("tiffs");
        for (i, value) in [0.5, 1.5].into_iter().enumerate() {
            let options = WriteOptions {
                pixel_pitch_um: Some(8.0),
                ..WriteOptions::default()
            };
            let frame = Clip::filled(Shape::new(1, 2, 2), value);
            save(&tiffs.join(format!("{i}.tif")), &frame, &options).unwrap();
        }
        let footage = open_all(&tiffs).unwrap();
        assert_eq!((footage.clip.frame(1)[0], footage.levels), (1.5, None));
        assert_eq!(footage.pixel_pitch_um, Some(8.0));
        save(
            &tiffs.join("2.tif"),
            &Clip::zeros(Shape::new(2, 2, 2)),
            &WriteOptions::default(),
        )
        .unwrap();
        assert!(
            open_all(&tiffs)
                .unwrap_err()
                .to_string()
                .contains("several pages")
        );

        let mats = folder.path().join("mats");
        fs::create_dir(&mats).unwrap();
        for (i, z) in [0.02, 0.03].into_iter().enumerate() {
            let frame: (&str, &[i32], &[f64]) = ("holo_roi_crop", &[1, 2], &[z, 7.0]);
            let bytes = mat::tests::doubles(&[frame, ("z", &[1, 1], &[z])]);
            fs::write(mats.join(format!("{i}.mat")), bytes).unwrap();
        }
        let footage = open_all(&mats).unwrap();
        assert_eq!(footage.clip.data(), [0.02, 7.0, 0.03, 7.0]);
        assert_eq!(footage.distance_m, Some(0.03));
    }

    #[test]
    fn frames_are_written_in_both_depths() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frames_5.0");
        let data: Vec<f32> = (0..24).map(|i| i as f32 / 23.0).collect();
        let clip = Clip::new(Shape::new(12, 1, 2), data);
        for (png_depth, white) in [(PngDepth::Eight, 255.0), (PngDepth::Sixteen, 65535.0)] {
            let options = WriteOptions {
                png_depth,
                ..WriteOptions::default()
            };
            save(&path, &clip, &options).unwrap();
            let footage = open_all(&path).unwrap();
            assert_eq!(footage.levels, Some(white as u32));
            let error = footage.clip.zip(&clip, |a, b| (a - b).abs());
            assert!(error.data().iter().all(|&e| e <= 0.5001 / white));
        }
        let shorter = Clip::zeros(Shape::new(3, 1, 2));
        save(&path, &shorter, &WriteOptions::default()).unwrap();
        assert_eq!(open_all(&path).unwrap().clip, shorter);
    }

    #[test]
    fn writing_destroys_nothing_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frames");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("frame_00000.png"), "an old frame").unwrap();
        fs::write(path.join("frame_of_mind.png"), "a picture of mine").unwrap();
        let clip = Clip::zeros(Shape::new(2, 1, 1));
        let error = save(&path, &clip, &WriteOptions::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("frame_of_mind.png"), "{error}");
        let mut left: Vec<_> = fs::read_dir(&path)
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["frame_00000.png", "frame_of_mind.png"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        let error = save(
            &folder.path().join("a.png"),
            &clip,
            &WriteOptions::default(),
        );
        assert!(error.unwrap_err().to_string().contains("give a folder"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = save(
            &folder.path().join("a.mp4"),
            &clip,
            &WriteOptions::default(),
        );
        assert!(error.unwrap_err().to_string().contains(".gif"));
    }
}
