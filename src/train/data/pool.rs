//! Finished clips in a file: bytes of shape [clips, frames, rows, columns], as NPY.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use npyz::{DType, NpyFile, Order, TypeChar, WriterBuilder};

use super::DataError;
use crate::clip::Shape;

/// Clips in 8-bit levels, in memory.
#[derive(Debug)]
pub struct Pool {
    shape: Shape,
    levels: Vec<u8>,
}

impl Pool {
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let wrong = |detail: String| DataError::NotAPool {
            path: path.to_owned(),
            detail,
        };
        let file = File::open(path).map_err(DataError::io(path))?;
        let file = BufReader::with_capacity(1 << 20, file);
        let array = NpyFile::new(file).map_err(|error| wrong(error.to_string()))?;
        let bytes = match array.dtype() {
            DType::Plain(kind) => kind.type_char() == TypeChar::Uint && kind.size_field() == 1,
            _ => false,
        };
        let sides = array.shape().to_vec();
        let &[clips, frames, height, width] = sides.as_slice() else {
            return Err(wrong(format!(
                "its array has the shape {sides:?}, not [clips, frames, rows, columns]"
            )));
        };
        if !bytes || array.order() != Order::C {
            let kind = array.dtype().descr();
            return Err(wrong(format!("it holds {kind}, not bytes in C order")));
        }
        let shape = Shape::new(frames as usize, height as usize, width as usize);
        let levels = array
            .into_vec::<u8>()
            .map_err(|error| wrong(error.to_string()))?;
        if clips == 0 || shape.is_empty() {
            return Err(wrong("there is no clip in it".to_owned()));
        }
        Ok(Self { shape, levels })
    }

    /// The number of clips.
    pub fn len(&self) -> usize {
        self.levels.len() / self.shape.len()
    }

    /// Never: a pool holds at least one clip.
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// Of each clip.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Levels of one clip, 255 being the amplitude 1, frame after frame.
    ///
    /// # Panics
    /// When there is no such clip.
    pub fn clip(&self, index: usize) -> &[u8] {
        let size = self.shape.len();
        &self.levels[index * size..][..size]
    }
}

/// Writes a pool piece by piece; the file gets its name when it is complete.
pub struct PoolWriter {
    path: PathBuf,
    partial: PathBuf,
    writer: npyz::NpyWriter<u8, BufWriter<File>>,
}

impl PoolWriter {
    pub fn create(path: &Path, clips: usize, shape: Shape) -> Result<Self, DataError> {
        let partial = path.with_extension("partial");
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(DataError::io(parent))?;
        }
        let file = File::create(&partial).map_err(DataError::io(&partial))?;
        let sides = [clips, shape.frames, shape.height, shape.width].map(|n| n as u64);
        let writer = npyz::WriteOptions::new()
            .default_dtype()
            .shape(&sides)
            .writer(BufWriter::with_capacity(1 << 20, file))
            .begin_nd()
            .map_err(DataError::io(&partial))?;
        Ok(Self {
            path: path.to_owned(),
            partial,
            writer,
        })
    }

    pub fn write(&mut self, levels: &[u8]) -> Result<(), DataError> {
        let written = self.writer.extend(levels.iter().copied());
        written.map_err(DataError::io(&self.partial))
    }

    pub fn finish(self) -> Result<PathBuf, DataError> {
        let Self {
            path,
            partial,
            writer,
        } = self;
        writer
            .finish()
            .and_then(|()| fs::rename(&partial, &path))
            .map_err(DataError::io(&partial))?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Clip;
    use crate::media;

    #[test]
    fn pools_are_read_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.npy");
        let shape = Shape::new(2, 3, 4);
        let levels: Vec<u8> = (0..72).collect();
        let mut writer = PoolWriter::create(&path, 3, shape).unwrap();
        writer.write(&levels[..30]).unwrap();
        writer.write(&levels[30..]).unwrap();
        assert!(!path.exists());
        writer.finish().unwrap();
        let pool = Pool::open(&path).unwrap();
        assert_eq!((pool.len(), pool.shape()), (3, shape));
        assert_eq!(pool.clip(2), &levels[48..]);
    }

    #[test]
    fn other_arrays_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        let clip = Clip::zeros(Shape::new(2, 3, 4));
        media::save(&path, &clip, &media::WriteOptions::default()).unwrap();
        let message = Pool::open(&path).unwrap_err().to_string();
        assert!(message.contains("[2, 3, 4]"), "{message}");
        fs::write(&path, "text").unwrap();
        assert!(matches!(Pool::open(&path), Err(DataError::NotAPool { .. })));
    }
}
