use std::fs::File;
use std::io::{BufReader, Read, Seek, Write};
use std::path::Path;

use npyz::{Deserialize, NpyFile, Order, TypeChar, WriterBuilder};

use super::sink::{Frame, FrameSink, MAX_CLIP_BYTES, Origin, Wanted, check_frame_size};
use super::{
    FrameSize, MediaError, ReadOptions, VideoReader, VideoWriter, WriteOptions, extension, output,
};
use crate::clip::Clip;

/// A NumPy array, `[H,W]` or `[F,H,W]`; leading dimensions of one are dropped.
pub(super) struct Npy;

const NAME: &str = "NPY";

/// A header says less than a line; a damaged length must not make the reader allocate gigabytes.
const MAX_HEADER_BYTES: usize = 1 << 16;

impl VideoReader for Npy {
    fn name(&self) -> &'static str {
        NAME
    }

    fn accepts(&self, _path: &Path, head: &[u8]) -> bool {
        head.starts_with(b"\x93NUMPY")
    }

    fn read(
        &self,
        path: &Path,
        _options: &ReadOptions,
        sink: &mut FrameSink,
    ) -> Result<Origin, MediaError> {
        let array = Array::open(path)?;
        let stored = |bits: u32| ((1u64 << bits) - 1) as u32;
        let level = |bits: u32| 1.0 / f64::from(stored(bits));
        match array.kind {
            (TypeChar::Uint, 1) => {
                array.read(sink, Some(stored(8)), |v: u8| f32::from(v) / 255.0)
            }
            (TypeChar::Uint, 2) => {
                array.read(sink, Some(stored(16)), |v: u16| f32::from(v) / 65535.0)
            }
            (TypeChar::Uint, 4) => {
                array.read(sink, Some(stored(32)), |v: u32| (f64::from(v) * level(32)) as f32)
            }
            (TypeChar::Bool, 1) => array.read(sink, Some(1), |v: bool| f32::from(u8::from(v))),
            (TypeChar::Float, 4) => array.read(sink, None, |v: f32| v),
            (TypeChar::Float, 8) => array.read(sink, None, |v: f64| v as f32),
            _ => Err(MediaError::unsupported(
                path,
                format!("an array of {}", array.file.dtype().descr()),
                "save it as uint8, uint16, float32, float64 or bool",
            )),
        }
    }
}

struct Array<'a> {
    path: &'a Path,
    file: NpyFile<BufReader<File>>,
    kind: (TypeChar, u64),
    frames: usize,
    size: FrameSize,
}

impl<'a> Array<'a> {
    fn open(path: &'a Path) -> Result<Self, MediaError> {
        check_header_length(path)?;
        let damaged = |detail: String| MediaError::damaged(path, NAME, detail);
        let opened = File::open(path).map_err(MediaError::io(path))?;
        let file_bytes = opened.metadata().map_err(MediaError::io(path))?.len();
        let file = NpyFile::new(BufReader::new(opened)).map_err(|e| damaged(e.to_string()))?;
        let npyz::DType::Plain(dtype) = file.dtype() else {
            let advice = "save one plain array, not a structured one";
            return Err(MediaError::unsupported(path, "a structured array", advice));
        };
        let shape = file.shape();
        let extra = shape.iter().take(shape.len().saturating_sub(2)).take_while(|&&n| n == 1);
        let (frames, height, width) = match shape[extra.count()..] {
            [height, width] => (1, height, width),
            [frames, height, width] => (frames, height, width),
            _ => {
                let what = format!("an array of shape {shape:?}");
                let advice = "save it as [rows, columns] or [frames, rows, columns]";
                return Err(MediaError::unsupported(path, what, advice));
            }
        };
        let item_bytes = dtype.num_bytes().unwrap_or(1).max(1) as u64;
        let bytes = [frames, height, width]
            .iter()
            .try_fold(item_bytes, |product, &n| product.checked_mul(n));
        if bytes.is_none_or(|bytes| bytes > file_bytes) {
            let detail = format!("its header promises an array of {shape:?}, the file is shorter");
            return Err(damaged(detail));
        }
        let size = FrameSize::new(height as usize, width as usize);
        check_frame_size(path, size)?;
        Ok(Self {
            path,
            kind: (dtype.type_char(), dtype.size_field()),
            file,
            frames: frames as usize,
            size,
        })
    }

    fn read<T: Deserialize>(
        self,
        sink: &mut FrameSink,
        levels: Option<u32>,
        value: impl Fn(T) -> f32,
    ) -> Result<Origin, MediaError> {
        let Self {
            path,
            file,
            frames,
            size,
            ..
        } = self;
        let order = file.order();
        let damaged = |error: &dyn ToString| MediaError::damaged(path, NAME, error.to_string());
        let mut items = file.data::<T>().map_err(|e| damaged(&e))?;
        let pixels = size.height * size.width;
        let frame = |values| Frame {
            size,
            values,
            levels,
        };
        if order == Order::C {
            for index in 0..frames {
                if !sink.wants_next() {
                    // Cheaper than reading what is not wanted.
                    let next = (index + 1) * pixels;
                    items.seek_to(next as u64).map_err(|e| damaged(&e))?;
                }
                let wanted = sink.offer(path, || {
                    let row = items.by_ref().take(pixels).map(|item| item.map(&value));
                    let values: Vec<f32> = row.collect::<Result<_, _>>().map_err(|e| damaged(&e))?;
                    Ok(frame(values))
                })?;
                if wanted == Wanted::Enough {
                    break;
                }
            }
            return Ok(Origin::default());
        }
        // The first index runs fastest, so that every frame is spread over the whole file.
        if (frames * pixels) as u64 * 4 > MAX_CLIP_BYTES {
            return Err(MediaError::TooLarge {
                path: path.to_owned(),
                what: format!("an array of {frames}x{size} in Fortran order"),
                limit_mib: MAX_CLIP_BYTES >> 20,
            });
        }
        let all: Vec<f32> = items
            .map(|item| item.map(&value))
            .collect::<Result<_, _>>()
            .map_err(|e| damaged(&e))?;
        for index in 0..frames {
            let wanted = sink.offer(path, || {
                let at = |i: usize| {
                    let (row, column) = (i / size.width, i % size.width);
                    all[index + frames * (row + size.height * column)]
                };
                Ok(frame((0..pixels).map(at).collect()))
            })?;
            if wanted == Wanted::Enough {
                break;
            }
        }
        Ok(Origin::default())
    }
}

fn check_header_length(path: &Path) -> Result<(), MediaError> {
    let mut start = [0; 12];
    let mut file = File::open(path).map_err(MediaError::io(path))?;
    file.read_exact(&mut start)
        .map_err(|e| MediaError::damaged(path, NAME, e))?;
    let length = match start[6] {
        1 => usize::from(u16::from_le_bytes([start[8], start[9]])),
        _ => u32::from_le_bytes([start[8], start[9], start[10], start[11]]) as usize,
    };
    if length > MAX_HEADER_BYTES {
        return Err(MediaError::damaged(path, NAME, "its header is too long"));
    }
    Ok(())
}

impl VideoWriter for Npy {
    fn writes(&self, path: &Path) -> bool {
        extension(path) == "npy"
    }

    fn write(&self, path: &Path, clip: &Clip, _options: &WriteOptions) -> Result<(), MediaError> {
        output::to_file(path, |file| write_array(file, clip))
    }
}

fn write_array<W: Write + Seek>(file: &mut W, clip: &Clip) -> std::io::Result<()> {
    let shape = clip.shape();
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&[shape.frames as u64, shape.height as u64, shape.width as u64])
        .writer(file)
        .begin_nd()?;
    writer.extend(clip.data().iter().copied())?;
    writer.finish()
}
