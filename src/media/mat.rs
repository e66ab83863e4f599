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
    let distance = variables
        .iter()
        .find(|v| v.name == DISTANCE && v.dims == [1, 1]);
    let distance_m = match distance {
        Some(z) => z.values(|v| v).ok_or_else(cut_short)?.first().copied(),
        None => None,
    };

    let name = options.array.as_deref().unwrap_or(FRAME_ARRAY);
    let variable =
        variables
            .iter()
            .find(|v| v.name == name)
            .ok_or_else(|| MediaError::NoSuchArray {
                path: path.to_owned(),
                name: name.to_owned(),
                available: variables.iter().map(|v| v.name.clone()).collect(),
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
            return Err(MediaError::unsupported(
                path,
                "an array of this integer class",
                advice,
            ));
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
    let total = pixels
        .checked_mul(frames)
        .filter(|&n| n as u64 * 4 <= MAX_CLIP_BYTES);
    let total = total.ok_or_else(|| MediaError::TooLarge {
        path: path.to_owned(),
        what: format!("an array of {frames} frames of {size}"),
        limit_mib: MAX_CLIP_BYTES >> 20,
    })?;
    let scale = f64::from(levels.unwrap_or(1));
    let values = variable
        .values(|v| (v / scale) as f32)
        .ok_or_else(cut_short)?;
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
        let (header, mut rest) = bytes
            .split_at_checked(128)
            .ok_or("it is shorter than a header")?;
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
        let sizes = sizes
            .chunks_exact(4)
            .map(|n| order.u32(n).map(|n| n as usize));
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
                let numbers = self
                    .dims
                    .iter()
                    .try_fold(8u64, |n, &d| n.checked_mul(d as u64))?;
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
    bytes
        .as_chunks::<N>()
        .0
        .iter()
        .map(|&b| number(b))
        .collect()
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::media::{Footage, open};

    /// A file of double arrays in memory order, unpacked.
    pub(in crate::media) fn doubles(arrays: &[(&str, &[i32], &[f64])]) -> Vec<u8> {
        let element = |kind: u32, data: &[u8]| {
            let mut bytes = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
            bytes.extend_from_slice(data);
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            bytes
        };
        let mut file = b"MATLAB 5.0 MAT-file".to_vec();
        file.resize(124, b' ');
        file.extend_from_slice(&[0, 1, b'I', b'M']);
        for (name, dims, values) in arrays {
            let dims: Vec<u8> = dims.iter().flat_map(|n| n.to_le_bytes()).collect();
            let values: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            let parts = [
                element(6, &[6, 0, 0, 0, 0, 0, 0, 0]),
                element(5, &dims),
                element(1, name.as_bytes()),
                element(9, &values),
            ];
            file.extend(element(Tag::MATRIX, &parts.concat()));
        }
        file
    }

    fn read(bytes: &[u8], array: Option<&str>) -> Result<Footage, MediaError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mat");
        fs::write(&path, bytes).unwrap();
        let options = ReadOptions {
            array: array.map(str::to_owned),
            ..ReadOptions::default()
        };
        open(&path, &options)
    }

    /// What SciPy wrote with `savemat(..., do_compression=True)`: the text `note`,
    /// `holo_roi_crop` = [[1.5, 2, 3], [4, 5, 6.25]], `z` = 0.01, `stack` =
    /// uint8 0..12 reshaped to 2x3x2, `mask` = [[true, false]], `big` = int32 [[-1, 2]].
    pub(in crate::media) fn scipy_file() -> Vec<u8> {
        let mut file = b"MATLAB 5.0 MAT-file Platform: posix".to_vec();
        file.resize(124, 0);
        file.extend_from_slice(&[0, 1, b'I', b'M']);
        let digits = SCIPY_ELEMENTS.as_bytes().as_chunks::<2>().0;
        let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16);
        file.extend(digits.iter().map(|pair| byte(pair).unwrap()));
        file
    }

    #[test]
    fn scipys_arrays_come_out_row_after_row() {
        let footage = read(&scipy_file(), None).unwrap();
        assert_eq!(footage.clip.shape(), Shape::new(1, 2, 3));
        assert_eq!(footage.clip.data(), [1.5, 2.0, 3.0, 4.0, 5.0, 6.25]);
        assert_eq!((footage.levels, footage.distance_m), (None, Some(0.01)));

        let stack = read(&scipy_file(), Some("stack")).unwrap();
        assert_eq!(stack.clip.shape(), Shape::new(2, 2, 3));
        assert_eq!(stack.levels, Some(255));
        let levels: Vec<f32> = stack
            .clip
            .data()
            .iter()
            .map(|v| (v * 255.0).round())
            .collect();
        assert_eq!(levels, [0., 2., 4., 6., 8., 10., 1., 3., 5., 7., 9., 11.]);

        let mask = read(&scipy_file(), Some("mask")).unwrap();
        assert_eq!(
            (mask.clip.data(), mask.levels),
            ([1.0, 0.0].as_slice(), Some(1))
        );
    }

    #[test]
    fn what_cannot_be_a_clip_is_named() {
        let error = read(&scipy_file(), Some("nothing"))
            .unwrap_err()
            .to_string();
        for name in ["`nothing`", "holo_roi_crop", "z", "stack", "mask"] {
            assert!(error.contains(name), "{error}");
        }
        assert!(!error.contains("note"), "{error}");
        let error = read(&scipy_file(), Some("big")).unwrap_err().to_string();
        assert!(error.contains("integer class"), "{error}");
        let error = read(b"MATLAB 7.3 MAT-file", None).unwrap_err().to_string();
        assert!(error.contains("-v7"), "{error}");
        let bytes = doubles(&[(
            "holo_roi_crop",
            &[2, 2],
            &[0.0, f64::NAN, 1.0, f64::INFINITY],
        )]);
        let error = read(&bytes, None).unwrap_err().to_string();
        assert!(error.contains("frame 0 holds 2 values"), "{error}");
    }

    #[test]
    fn an_absurd_size_is_refused_before_anything_is_allocated() {
        let bytes = doubles(&[("holo_roi_crop", &[60000, 60000, 1_000_000], &[0.0])]);
        let error = read(&bytes, None).unwrap_err();
        assert!(matches!(error, MediaError::TooLarge { .. }), "{error}");
        let bytes = doubles(&[("holo_roi_crop", &[2, 3], &[0.0])]);
        assert!(matches!(
            read(&bytes, None),
            Err(MediaError::Damaged { .. })
        ));
    }

    const SCIPY_ELEMENTS: &str = "\
        0f0000002a000000789ce36360603000623620e600621606086085f219a1628c40322fbf2455004897a45694\
        0000295503f70f00000046000000789ce36360602800623620e680d220c00ae533013133103302312f1067e4\
        e7e4c717e567c62717e583f47102b101030cfcb087d0020e5001282d02a539a0b4a403000af809160f000000\
        2a000000789ce3636060b000623620e680d220c00ae533c23123431590e6848a578bac737f58d5620f0031ce\
        04990f0000003c000000789ce36360600800623620e600624e06086005621e2066026266280d028c50b9e292\
        c4e46ca838481d031b13070b17233b33272b37880b006ece02fa0f0000002a000000789ce363606030006236\
        20e600624e2606306085f2198198094cb330e426166733017920310024ee021e0f0000002a000000789ce363\
        6060b000623620e600621e06086085f2198198094c33332465a6c3c5ff0301481c0049f905b2\
        ";
}
