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
            (TypeChar::Uint, 1) => array.read(sink, Some(stored(8)), |v: u8| f32::from(v) / 255.0),
            (TypeChar::Uint, 2) => {
                array.read(sink, Some(stored(16)), |v: u16| f32::from(v) / 65535.0)
            }
            (TypeChar::Uint, 4) => array.read(sink, Some(stored(32)), |v: u32| {
                (f64::from(v) * level(32)) as f32
            }),
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
        let extra = shape
            .iter()
            .take(shape.len().saturating_sub(2))
            .take_while(|&&n| n == 1);
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
                    let values: Vec<f32> =
                        row.collect::<Result<_, _>>().map_err(|e| damaged(&e))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::media::{Footage, open, save};

    /// An array file as NumPy writes it.
    fn array(dtype: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
        let order = if fortran { "True" } else { "False" };
        let mut header =
            format!("{{'descr': '{dtype}', 'fortran_order': {order}, 'shape': {shape}, }}");
        while (10 + header.len() + 1) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let length = (header.len() as u16).to_le_bytes();
        [
            b"\x93NUMPY\x01\0".as_slice(),
            &length,
            header.as_bytes(),
            data,
        ]
        .concat()
    }

    fn read_as(bytes: &[u8], options: &ReadOptions) -> Result<Footage, MediaError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        std::fs::write(&path, bytes).unwrap();
        open(&path, options)
    }

    fn read(bytes: &[u8]) -> Result<Footage, MediaError> {
        read_as(bytes, &ReadOptions::default())
    }

    #[test]
    fn every_type_has_its_scale() {
        let values = |footage: Footage| (footage.clip.into_data(), footage.levels);
        let u8s = array("|u1", false, "(1, 3)", &[0, 51, 255]);
        assert_eq!(
            values(read(&u8s).unwrap()),
            (vec![0.0, 0.2, 1.0], Some(255))
        );
        let u16s = array(">u2", false, "(1, 2)", &[0x33, 0x33, 0xff, 0xff]);
        assert_eq!(values(read(&u16s).unwrap()), (vec![0.2, 1.0], Some(65535)));
        let bools = array("|b1", false, "(2, 1)", &[1, 0]);
        assert_eq!(values(read(&bools).unwrap()), (vec![1.0, 0.0], Some(1)));
        let f32s = [2.5f32.to_le_bytes(), (-1f32).to_le_bytes()].concat();
        let f32s = array("<f4", false, "(1, 1, 1, 2)", &f32s);
        assert_eq!(values(read(&f32s).unwrap()), (vec![2.5, -1.0], None));
        let f64s = array("<f8", false, "(1, 1)", &0.25f64.to_le_bytes());
        assert_eq!(values(read(&f64s).unwrap()), (vec![0.25], None));
        let i64s = array("<i8", false, "(1, 1)", &[0; 8]);
        assert!(
            read(&i64s)
                .unwrap_err()
                .to_string()
                .contains("save it as uint8")
        );
    }

    #[test]
    fn both_orders_hold_the_same_clip() {
        let levels: Vec<u8> = (0..24).collect();
        let c = read(&array("|u1", false, "(2, 3, 4)", &levels))
            .unwrap()
            .clip;
        assert_eq!(c.shape(), Shape::new(2, 3, 4));
        let spread = |i: usize| {
            let (f, rest) = (i % 2, i / 2);
            (f * 12 + (rest % 3) * 4 + rest / 3) as u8
        };
        let levels: Vec<u8> = (0..24).map(spread).collect();
        let fortran = read(&array("|u1", true, "(2, 3, 4)", &levels))
            .unwrap()
            .clip;
        assert_eq!(c, fortran);
    }

    #[test]
    fn frames_are_skipped_to_and_over() {
        let bytes = array("|u1", false, "(7, 1, 2)", &(0..14).collect::<Vec<u8>>());
        let chosen = |range: &str| {
            let options = ReadOptions {
                frames: range.parse().unwrap(),
                ..ReadOptions::default()
            };
            read_as(&bytes, &options).map(|f| {
                let first = f
                    .clip
                    .frames()
                    .map(|frame| (frame[0] * 255.0).round() / 2.0);
                first.collect::<Vec<f32>>()
            })
        };
        assert_eq!(chosen("2..7:2").unwrap(), [2.0, 4.0, 6.0]);
        assert_eq!(chosen("5..").unwrap(), [5.0, 6.0]);
        assert_eq!(chosen("..2").unwrap(), [0.0, 1.0]);
        for outside in ["3..8", "7..", "9.."] {
            let error = chosen(outside).unwrap_err().to_string();
            assert!(error.contains("there are 7"), "{error}");
        }
    }

    #[test]
    fn absurd_headers_are_refused_before_anything_is_allocated() {
        let huge = array("|u1", false, "(1000000, 60000, 60000)", &[0; 100]);
        assert!(
            read(&huge)
                .unwrap_err()
                .to_string()
                .contains("file is shorter")
        );
        let overflow = array("<f8", false, "(9223372036854775807, 4, 4)", &[]);
        assert!(read(&overflow).is_err());
        let long_header = b"\x93NUMPY\x02\0\xff\xff\xff\xff{'descr'";
        assert!(
            read(long_header)
                .unwrap_err()
                .to_string()
                .contains("header is too long")
        );
        let flat = array("|u1", false, "(4,)", &[0; 4]);
        assert!(
            read(&flat)
                .unwrap_err()
                .to_string()
                .contains("[rows, columns]")
        );
    }

    #[test]
    fn a_nan_is_reported_with_its_frame() {
        let data: Vec<u8> = [0.0f32, 1.0, f32::NAN, 2.0]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        let error = read(&array("<f4", false, "(2, 1, 2)", &data))
            .unwrap_err()
            .to_string();
        assert!(error.contains("frame 1 holds 1 values"), "{error}");
    }

    #[test]
    fn floats_come_back_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder/a.npy");
        let clip = Clip::new(Shape::new(2, 1, 2), vec![-1.5, 1e-30, 3.25e7, 0.1]);
        save(&path, &clip, &WriteOptions::default()).unwrap();
        assert_eq!(open(&path, &ReadOptions::default()).unwrap().clip, clip);
    }
}
