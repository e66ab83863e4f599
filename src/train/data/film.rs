//! Videos made small and kept on disk, so that any ten frames of any of them are read at once.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{DataError, raster};
use crate::clip::{Clip, Shape};
use crate::hash::sha256;
use crate::media::{self, FrameSize, ReadOptions};

/// A video in 8-bit grey levels, its shorter side reduced to a given length.
///
/// Its file begins with the numbers of frames, rows and columns, four bytes each.
#[derive(Clone, Debug)]
pub struct Film {
    path: PathBuf,
    shape: Shape,
}

const HEAD: u64 = 12;

impl Film {
    /// Reduces `video`, or finds it reduced already in `cache`.
    ///
    /// # Errors
    /// When the video cannot be read, or the cache not written.
    pub fn reduced(video: &Path, cache: &Path, side: usize) -> Result<Self, DataError> {
        let hash = sha256(video).map_err(DataError::io(video))?;
        let path = cache.join(format!("{}-{side}.grey", &hash[..16]));
        if !path.is_file() {
            fs::create_dir_all(cache).map_err(DataError::io(cache))?;
            let partial = path.with_extension("partial");
            let made = reduce(video, &partial, side)
                .and_then(|()| fs::rename(&partial, &path).map_err(DataError::io(&path)));
            if made.is_err() {
                // The first error is the one worth telling.
                let _ = fs::remove_file(&partial);
            }
            made?;
        }
        Self::open(path)
    }

    fn open(path: PathBuf) -> Result<Self, DataError> {
        let mut head = [0; HEAD as usize];
        let mut file = File::open(&path).map_err(DataError::io(&path))?;
        file.read_exact(&mut head).map_err(DataError::io(&path))?;
        let number = |i: usize| {
            let bytes = [head[i], head[i + 1], head[i + 2], head[i + 3]];
            u32::from_le_bytes(bytes) as usize
        };
        let shape = Shape::new(number(0), number(4), number(8));
        Ok(Self { path, shape })
    }

    pub fn frames(&self) -> usize {
        self.shape.frames
    }

    pub fn size(&self) -> FrameSize {
        FrameSize::new(self.shape.height, self.shape.width)
    }

    /// `count` frames from `start` on, `stride` apart, values in [0, 1].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn clip(&self, start: usize, count: usize, stride: usize) -> Result<Clip, DataError> {
        let mut file = File::open(&self.path).map_err(DataError::io(&self.path))?;
        let size = self.shape.frame_len();
        let mut bytes = vec![0; count * size];
        for (i, frame) in bytes.chunks_exact_mut(size).enumerate() {
            let at = HEAD + ((start + i * stride) * size) as u64;
            file.seek(SeekFrom::Start(at))
                .and_then(|_| file.read_exact(frame))
                .map_err(DataError::io(&self.path))?;
        }
        let shape = Shape {
            frames: count,
            ..self.shape
        };
        let data = bytes.iter().map(|&level| f32::from(level) / 255.0);
        Ok(Clip::new(shape, data.collect()))
    }
}

/// The size of the same proportions whose shorter side is `side`, or as it is where that is
/// shorter.
pub fn fitted(size: FrameSize, side: usize) -> FrameSize {
    let shorter = size.height.min(size.width);
    if shorter <= side {
        return size;
    }
    let scaled = |n: usize| ((n * side) as f64 / shorter as f64).round() as usize;
    FrameSize::new(scaled(size.height), scaled(size.width))
}

fn reduce(video: &Path, to: &Path, side: usize) -> Result<(), DataError> {
    let file = File::create(to).map_err(DataError::io(to))?;
    let mut file = BufWriter::with_capacity(1 << 20, file);
    let mut written = file.write_all(&[0; HEAD as usize]);
    let mut frames = 0;
    let mut size = FrameSize::square(0);
    // Levels other than bytes are stretched over what the whole video uses.
    let mut unscaled = Vec::new();
    media::stream(
        video,
        &ReadOptions::default(),
        &mut |found, values, levels| {
            size = fitted(found, side);
            let small = raster::averaged(values, found, size);
            frames += 1;
            if levels == Some(255) {
                let bytes: Vec<u8> = small.iter().map(|v| (v * 255.0).round() as u8).collect();
                if written.is_ok() {
                    written = file.write_all(&bytes);
                }
            } else {
                unscaled.extend(small);
            }
        },
    )?;
    if written.is_ok() {
        written = file.write_all(&stretched(&unscaled));
    }
    let head = [frames, size.height, size.width].map(|n| (n as u32).to_le_bytes());
    written
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| file.write_all(&head.concat()))
        .and_then(|()| file.flush())
        .map_err(DataError::io(to))
}

/// Bytes from values of any range: black and white are reached by one value in a thousand.
pub fn stretched(values: &[f32]) -> Vec<u8> {
    if values.is_empty() {
        return Vec::new();
    }
    let mut sorted: Vec<f32> = values
        .iter()
        .step_by(1 + values.len() / 1_000_000)
        .copied()
        .collect();
    sorted.sort_by(f32::total_cmp);
    let rank = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    let (black, white) = (rank(0.001), rank(0.999));
    let scale = 255.0 / (white - black).max(f32::MIN_POSITIVE);
    let level = |v: &f32| ((v - black) * scale).round().clamp(0.0, 255.0) as u8;
    values.iter().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::WriteOptions;

    #[test]
    fn a_video_is_reduced_once_and_read_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        let video = folder.path().join("a.gif");
        let shape = Shape::new(7, 8, 12);
        let data = (0..shape.len()).map(|i| (i / 96) as f32 / 10.0);
        media::save(
            &video,
            &Clip::new(shape, data.collect()),
            &WriteOptions::default(),
        )
        .unwrap();
        let cache = folder.path().join("cache");
        let film = Film::reduced(&video, &cache, 4).unwrap();
        assert_eq!((film.frames(), film.size()), (7, FrameSize::new(4, 6)));
        let clip = film.clip(1, 3, 2).unwrap();
        for (frame, level) in clip.frames().zip([0.1, 0.3, 0.5]) {
            assert!(frame.iter().all(|v| (v - level).abs() < 0.003), "{level}");
        }
        let files = || fs::read_dir(&cache).unwrap().count();
        assert_eq!(files(), 1);
        Film::reduced(&video, &cache, 4).unwrap();
        assert_eq!(files(), 1);
        assert!(film.clip(5, 3, 2).is_err());
    }

    #[test]
    fn numbers_of_any_range_become_levels() {
        let folder = tempfile::tempdir().unwrap();
        let video = folder.path().join("a.npy");
        let data = (0..32).map(|i| 1000.0 + i as f32).collect();
        let clip = Clip::new(Shape::new(2, 4, 4), data);
        media::save(&video, &clip, &WriteOptions::default()).unwrap();
        let film = Film::reduced(&video, folder.path(), 4).unwrap();
        let (low, high) = film.clip(0, 2, 1).unwrap().range();
        assert!(low < 0.05 && high > 0.95, "{low} to {high}");
    }
}
