//! MAT v5 files, as MATLAB's `save -v7` and SciPy's `savemat` write them.
//! Layout: MathWorks, "MAT-File Format", level 5.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::ZlibDecoder;

use super::sink::{Frame, FrameSink, MAX_CLIP_BYTES, Origin, Wanted, check_frame_size};
use super::{FrameSize, MediaError, ReadOptions, VideoReader, extension};

/// One numeric array of a MAT file: `[H,W]`, or `[H,W,F]` with time last, as MATLAB keeps video.
pub(super) struct Mat;

pub(super) const NAME: &str = "MAT v5";

/// The array the published captures keep their frame in.
const FRAME_ARRAY: &str = "holo_roi_crop";

/// The layer's distance in metres in the published captures.
const DISTANCE: &str = "z";

impl VideoReader for Mat {
    fn name(&self) -> &'static str {
        NAME
    }

    fn accepts(&self, path: &Path, head: &[u8]) -> bool {
        head.starts_with(b"MATLAB") || (extension(path) == "mat" && !head.is_empty())
    }

    fn read(
        &self,
        path: &Path,
        options: &ReadOptions,
        sink: &mut FrameSink,
    ) -> Result<Origin, MediaError> {
        let (array, origin) = read_array(path, options)?;
        for index in 0..array.frames {
            if sink.offer(path, || Ok(array.frame(index)))? == Wanted::Enough {
                break;
            }
        }
        Ok(origin)
    }
}

/// Reads a file that is one frame of a folder.
pub(super) fn read_single_frame(
    path: &Path,
    options: &ReadOptions,
) -> Result<(Frame, Origin), MediaError> {
    let (array, origin) = read_array(path, options)?;
    if array.frames != 1 {
        return Err(MediaError::unsupported(
            path,
            "an array of several frames within a folder of frames",
            "open the file by itself",
        ));
    }
    Ok((array.frame(0), origin))
}

struct Array {
    frames: usize,
    size: FrameSize,
    levels: Option<u32>,
    /// Rows run fastest, then columns, then frames.
    values: Vec<f32>,
}

impl Array {
    fn frame(&self, index: usize) -> Frame {
        let FrameSize { height, width } = self.size;
        let columns = &self.values[index * height * width..][..height * width];
        let at = |i: usize| columns[i / width + height * (i % width)];
        Frame {
            size: self.size,
            values: (0..height * width).map(at).collect(),
            levels: self.levels,
        }
    }
}

fn read_array(path: &Path, options: &ReadOptions) -> Result<(Array, Origin), MediaError> {
    let length = fs::metadata(path).map_err(MediaError::io(path))?.len();
    if length > MAX_CLIP_BYTES {
        return Err(MediaError::TooLarge {
            path: path.to_owned(),
            what: format!("a MAT file of {} MiB", length >> 20),
            limit_mib: MAX_CLIP_BYTES >> 20,
        });
    }
    let bytes = fs::read(path).map_err(MediaError::io(path))?;
    if bytes.starts_with(b"MATLAB 7.3") || bytes.starts_with(b"\x89HDF\r\n\x1a\n") {
        return Err(MediaError::MatV73 {
            path: path.to_owned(),
        });
    }
    let damaged = |detail: &str| MediaError::damaged(path, NAME, detail);
    let cut_short = || damaged("it ends in the middle of an array");
    let variables = Variable::all(&bytes).map_err(damaged)?;
    let distance = variables.iter().find(|v| v.name == DISTANCE && v.dims == [1, 1]);
    let distance_m = match distance {
        Some(z) => z.values(|v| v).ok_or_else(cut_short)?.first().copied(),
        None => None,
    };

    let name = options.array.as_deref().unwrap_or(FRAME_ARRAY);
    let variable = variables.iter().find(|v| v.name == name).ok_or_else(|| {
        MediaError::NoSuchArray {
            path: path.to_owned(),
            name: name.to_owned(),
            available: variables.iter().map(|v| v.name.clone()).collect(),
        }
    })?;
    if variable.complex {
        let advice = "save its amplitude, abs(...), or its intensity";
        return Err(MediaError::unsupported(path, "a complex array", advice));
    }
    let levels = match variable.class {
        Class::Float => None,
        Class::Unsigned { bits: _ } if variable.logical => Some(1),
        Class::Unsigned { bits } => Some(((1u64 << bits) - 1) as u32),
        Class::Other => {
            let advice = "save it as double, single, uint8 or uint16";
            return Err(MediaError::unsupported(path, "an array of this integer class", advice));
        }
    };
    let (height, width, frames) = match variable.dims[..] {
        [height, width] => (height, width, 1),
        [height, width, frames] => (height, width, frames),
        _ => {
            let advice = "save it as [rows, columns] or [rows, columns, frames]";
            let what = format!("an array of {} dimensions", variable.dims.len());
            return Err(MediaError::unsupported(path, what, advice));
        }
    };
    let size = FrameSize::new(height, width);
    let pixels = check_frame_size(path, size)?;
    let total = pixels.checked_mul(frames).filter(|&n| n as u64 * 4 <= MAX_CLIP_BYTES);
    let total = total.ok_or_else(|| MediaError::TooLarge {
        path: path.to_owned(),
        what: format!("an array of {frames} frames of {size}"),
        limit_mib: MAX_CLIP_BYTES >> 20,
    })?;
    let scale = f64::from(levels.unwrap_or(1));
    let values = variable.values(|v| (v / scale) as f32).ok_or_else(cut_short)?;
    if values.len() != total {
        return Err(damaged("an array's size is not the number of its values"));
    }
    let array = Array {
        frames,
        size,
        levels,
        values,
    };
    let origin = Origin {
        pixel_pitch_um: None,
        distance_m,
    };
    Ok((array, origin))
}

/// What a numeric array is in MATLAB; how its numbers are stored may differ.
#[derive(Clone, Copy)]
enum Class {
    Float,
    Unsigned { bits: u32 },
    Other,
}

/// A numeric array whose numbers are still packed.
struct Variable<'a> {
    name: String,
    dims: Vec<usize>,
    class: Class,
    logical: bool,
    complex: bool,
    order: ByteOrder,
    packed: Packed<'a>,
    /// Where its numbers begin within the unpacked element.
    numbers_at: usize,
}

enum Packed<'a> {
    Plain(&'a [u8]),
    Zlib(&'a [u8]),
}

/// Names and sizes come first in an element; this much holds them.
const ELEMENT_HEAD: usize = 4096;

impl<'a> Variable<'a> {
    /// All numeric arrays of a file; what else there is (text, cells, structures) is passed over.
    fn all(bytes: &'a [u8]) -> Result<Vec<Self>, &'static str> {
        let (header, mut rest) = bytes.split_at_checked(128).ok_or("it is shorter than a header")?;
        let order = match &header[124..] {
            [0, 1, b'I', b'M'] => ByteOrder::Little,
            [1, 0, b'M', b'I'] => ByteOrder::Big,
            _ => return Err("it has no version 5 header; save it with -v7"),
        };
        let mut variables = Vec::new();
        while rest.len() >= 8 {
            let tag = Tag::parse(order, rest).ok_or("it has a broken tag")?;
            let element = rest.get(8..).and_then(|r| r.get(..tag.len));
            let element = element.ok_or("it ends in the middle of an array")?;
            let padded = match tag.kind {
                Tag::COMPRESSED => tag.len,
                _ => tag.len.next_multiple_of(8),
            };
            rest = rest.get(8 + padded..).unwrap_or_default();
            match tag.kind {
                Tag::MATRIX => {
                    let head = &element[..element.len().min(ELEMENT_HEAD)];
                    variables.extend(Self::parse(order, head, Packed::Plain(element)));
                }
                Tag::COMPRESSED => {
                    let head = inflate(element, ELEMENT_HEAD as u64);
                    let inner = head.get(8..).unwrap_or_default();
                    if Tag::parse(order, &head).is_some_and(|tag| tag.kind == Tag::MATRIX) {
                        variables.extend(Self::parse(order, inner, Packed::Zlib(element)));
                    }
                }
                _ => {}
            }
        }
        Ok(variables)
    }

    fn parse(order: ByteOrder, head: &[u8], packed: Packed<'a>) -> Option<Self> {
        let flags = order.u32(head.get(8..)?)?;
        let class = match flags & 0xff {
            6 | 7 => Class::Float,
            9 => Class::Unsigned { bits: 8 },
            11 => Class::Unsigned { bits: 16 },
            13 => Class::Unsigned { bits: 32 },
            8 | 10 | 12 | 14 | 15 => Class::Other,
            _ => return None,
        };
        let mut at = 16;
        let dims = Tag::parse(order, head.get(at..)?)?;
        let sizes = dims.data(head.get(at..)?)?;
        let sizes = sizes.chunks_exact(4).map(|n| order.u32(n).map(|n| n as usize));
        let sizes: Vec<usize> = sizes.collect::<Option<_>>()?;
        at += dims.total();
        let name = Tag::parse(order, head.get(at..)?)?;
        let text = name.data(head.get(at..)?)?;
        Some(Self {
            name: String::from_utf8_lossy(text).into_owned(),
            dims: sizes,
            class,
            logical: flags & 0x0200 != 0,
            complex: flags & 0x0800 != 0,
            order,
            packed,
            numbers_at: at + name.total(),
        })
    }

    /// Its real numbers in memory order, none where the element is broken.
    fn values<T>(&self, convert: impl Fn(f64) -> T) -> Option<Vec<T>> {
        let unpacked;
        let element = match self.packed {
            Packed::Plain(element) => element,
            Packed::Zlib(bytes) => {
                // MATLAB stores a number in at most eight bytes.
                let numbers = self.dims.iter().try_fold(8u64, |n, &d| n.checked_mul(d as u64))?;
                let limit = numbers.checked_add(ELEMENT_HEAD as u64)?;
                unpacked = inflate(bytes, limit);
                unpacked.get(8..)?
            }
        };
        let numbers = element.get(self.numbers_at..)?;
        let tag = Tag::parse(self.order, numbers)?;
        let bytes = tag.data(numbers)?;
        let order = self.order;
        Some(match tag.kind {
            1 => numbers_of(bytes, |[b]| convert(f64::from(b as i8))),
            2 => numbers_of(bytes, |[b]| convert(f64::from(b))),
            3 => numbers_of(bytes, |b| convert(f64::from(order.two(b) as i16))),
            4 => numbers_of(bytes, |b| convert(f64::from(order.two(b)))),
            5 => numbers_of(bytes, |b| convert(f64::from(order.four(b) as i32))),
            6 => numbers_of(bytes, |b| convert(f64::from(order.four(b)))),
            7 => numbers_of(bytes, |b| convert(f64::from(f32::from_bits(order.four(b))))),
            9 => numbers_of(bytes, |b| convert(f64::from_bits(order.eight(b)))),
            _ => return None,
        })
    }
}

fn numbers_of<T, const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|&b| number(b)).collect()
}

/// Unpacks at most `limit` bytes; of a damaged stream, what comes before the damage.
fn inflate(bytes: &[u8], limit: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let _ = ZlibDecoder::new(bytes).take(limit).read_to_end(&mut out);
    out
}

#[derive(Clone, Copy)]
enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    fn two(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    fn four(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    fn eight(self, bytes: [u8; 8]) -> u64 {
        match self {
            Self::Little => u64::from_le_bytes(bytes),
            Self::Big => u64::from_be_bytes(bytes),
        }
    }

    fn u32(self, bytes: &[u8]) -> Option<u32> {
        bytes.first_chunk().map(|&b| self.four(b))
    }
}

/// The type and length that stand before every element.
struct Tag {
    kind: u32,
    len: usize,
    /// Up to four bytes of data lie within the tag itself.
    small: bool,
}

impl Tag {
    const MATRIX: u32 = 14;
    const COMPRESSED: u32 = 15;

    fn parse(order: ByteOrder, bytes: &[u8]) -> Option<Self> {
        let first = order.u32(bytes)?;
        let (kind, len, small) = match first >> 16 {
            0 => (first, order.u32(bytes.get(4..)?)? as usize, false),
            len => (first & 0xffff, len as usize, true),
        };
        (!small || len <= 4).then_some(Self { kind, len, small })
    }

    fn data<'a>(&self, element: &'a [u8]) -> Option<&'a [u8]> {
        let start = if self.small { 4 } else { 8 };
        element.get(start..start + self.len)
    }

    /// Bytes from one tag to the next.
    fn total(&self) -> usize {
        if self.small {
            8
        } else {
            8 + self.len.next_multiple_of(8)
        }
    }
}
