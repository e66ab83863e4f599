use std::fs::File;
use std::io::{BufReader, Seek, Write};
use std::path::Path;

use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::encoder::colortype::Gray32Float;
use tiff::encoder::{Rational, TiffEncoder, TiffKind};
use tiff::tags::{ResolutionUnit, Tag};
use tiff::{ColorType, TiffError};

use super::grey::{frame_of, luma_float};
use super::sink::{Frame, FrameSink, MAX_FRAME_PIXELS, Origin, Wanted, check_frame_size};
use super::{
    FrameSize, MediaError, ReadOptions, VideoReader, VideoWriter, WriteOptions, extension, output,
};
use crate::clip::Clip;

/// TIFF or BigTIFF, one page a frame.
pub(super) struct Tiff;

pub(super) const NAME: &str = "TIFF";

/// Standard TIFF counts bytes with 32 bits; beyond this BigTIFF is written.
const STANDARD_LIMIT_BYTES: u64 = 4_000_000_000;

type Pages = Decoder<BufReader<File>>;

impl VideoReader for Tiff {
    fn name(&self) -> &'static str {
        NAME
    }

    fn accepts(&self, _path: &Path, head: &[u8]) -> bool {
        let signatures: [&[u8]; 4] = [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"];
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
        let mut pages = open_pages(path)?;
        let pixel_pitch_um = pixel_pitch_um(&mut pages);
        while sink.offer(path, || read_page(path, &mut pages))? == Wanted::More
            && pages.more_images()
        {
            pages
                .next_image()
                .map_err(|e| MediaError::damaged(path, NAME, e))?;
        }
        Ok(Origin {
            pixel_pitch_um,
            distance_m: None,
        })
    }
}

/// Reads a file that is one frame of a folder.
pub(super) fn read_single_page(path: &Path) -> Result<(Frame, Origin), MediaError> {
    let mut pages = open_pages(path)?;
    if pages.more_images() {
        return Err(MediaError::unsupported(
            path,
            "a file of several pages within a folder of frames",
            "open it by itself, or save one page to a file",
        ));
    }
    let origin = Origin {
        pixel_pitch_um: pixel_pitch_um(&mut pages),
        distance_m: None,
    };
    Ok((read_page(path, &mut pages)?, origin))
}

fn open_pages(path: &Path) -> Result<Pages, MediaError> {
    let file = File::open(path).map_err(MediaError::io(path))?;
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MAX_FRAME_PIXELS * 4;
    limits.intermediate_buffer_size = MAX_FRAME_PIXELS * 4;
    let decoder = Decoder::new(BufReader::new(file));
    let pages = decoder.map_err(|e| MediaError::damaged(path, NAME, e))?;
    Ok(pages.with_limits(limits))
}

fn read_page(path: &Path, pages: &mut Pages) -> Result<Frame, MediaError> {
    let damaged = |error: TiffError| MediaError::damaged(path, NAME, error);
    let (width, height) = pages.dimensions().map_err(damaged)?;
    let size = FrameSize::new(height as usize, width as usize);
    let pixels = check_frame_size(path, size)?;
    let colour = pages.colortype().map_err(damaged)?;
    let unsupported = |what: String| {
        let advice = "save it as grey or RGB with 8, 16 or 32 bits";
        MediaError::unsupported(path, what, advice)
    };
    let (channels, bits) = match colour {
        ColorType::Gray(bits) => (1, bits),
        ColorType::GrayA(bits) => (2, bits),
        ColorType::RGB(bits) => (3, bits),
        ColorType::RGBA(bits) => (4, bits),
        other => return Err(unsupported(format!("the colour type {other:?}"))),
    };
    if ![8, 16, 32, 64].contains(&bits) {
        return Err(unsupported(format!("a depth of {bits} bits")));
    }
    let samples = pages.read_image().map_err(damaged)?;
    let complete = |len: usize| {
        if len == pixels * channels {
            return Ok(());
        }
        Err(unsupported(
            "a page with its colours in separate planes".into(),
        ))
    };
    let grey = |samples: Vec<f64>| {
        let luma = |p: &[f64]| match channels {
            1 | 2 => p[0],
            _ => luma_float([p[0], p[1], p[2]]),
        };
        Frame {
            size,
            values: samples
                .chunks_exact(channels)
                .map(|p| luma(p) as f32)
                .collect(),
            levels: None,
        }
    };
    Ok(match samples {
        DecodingResult::U8(v) => complete(v.len()).map(|()| frame_of(size, &v, channels, 255))?,
        DecodingResult::U16(v) => {
            complete(v.len()).map(|()| frame_of(size, &v, channels, 65535))?
        }
        DecodingResult::U32(v) => {
            complete(v.len()).map(|()| frame_of(size, &v, channels, u32::MAX))?
        }
        DecodingResult::F16(v) => {
            complete(v.len())?;
            grey(v.into_iter().map(f64::from).collect())
        }
        DecodingResult::F32(v) => {
            complete(v.len())?;
            grey(v.into_iter().map(f64::from).collect())
        }
        DecodingResult::F64(v) => {
            complete(v.len())?;
            grey(v)
        }
        DecodingResult::I8(_) | DecodingResult::I16(_) | DecodingResult::I32(_) => {
            return Err(unsupported("signed integer data".into()));
        }
        DecodingResult::I64(_) | DecodingResult::U64(_) => {
            return Err(unsupported("64-bit integer data".into()));
        }
    })
}

/// The pixel size as ImageJ records it, or as the standard tags do. Without a unit there is none,
/// and the resolutions picture editors write unasked, meant for printing, are no pixel size.
fn pixel_pitch_um(pages: &mut Pages) -> Option<f64> {
    const PRINT_DPI: [f64; 6] = [72.0, 96.0, 150.0, 200.0, 300.0, 600.0];
    // The decoder gives a RATIONAL as the pair (numerator, denominator).
    let per_unit = match pages.find_tag(Tag::XResolution).ok()?? {
        tiff::decoder::ifd::Value::Rational(n, d) => f64::from(n) / f64::from(d),
        _ => return None,
    };
    let imagej_unit = pages
        .get_tag_ascii_string(Tag::ImageDescription)
        .ok()
        .and_then(|text| {
            text.lines()
                .find_map(|l| l.strip_prefix("unit=").map(unit_um))
        });
    let unit_um = match imagej_unit {
        Some(unit) => unit?,
        None => match pages.find_tag_unsigned::<u16>(Tag::ResolutionUnit).ok()? {
            Some(3) => 10_000.0,
            // Inches are what the standard means where it is silent.
            Some(2) | None if !PRINT_DPI.contains(&per_unit) => 25_400.0,
            _ => return None,
        },
    };
    let pitch = unit_um / per_unit;
    (pitch.is_finite() && pitch > 0.0).then_some(pitch)
}

fn unit_um(name: &str) -> Option<f64> {
    match name.trim() {
        "nm" => Some(1e-3),
        "um" | "\u{b5}m" | "\u{3bc}m" | "\\u00B5m" | "micron" | "microns" => Some(1.0),
        "mm" => Some(1e3),
        "cm" => Some(1e4),
        "m" => Some(1e6),
        "inch" => Some(25_400.0),
        _ => None,
    }
}

impl VideoWriter for Tiff {
    fn writes(&self, path: &Path) -> bool {
        ["tif", "tiff"].contains(&extension(path).as_str())
    }

    fn write(&self, path: &Path, clip: &Clip, options: &WriteOptions) -> Result<(), MediaError> {
        output::to_file(path, |file| {
            if clip.shape().len() as u64 * 4 < STANDARD_LIMIT_BYTES {
                write_pages(TiffEncoder::new(file)?, clip, options.pixel_pitch_um)
            } else {
                write_pages(TiffEncoder::new_big(file)?, clip, options.pixel_pitch_um)
            }
        })
    }
}

fn write_pages<W: Write + Seek, K: TiffKind>(
    mut encoder: TiffEncoder<W, K>,
    clip: &Clip,
    pixel_pitch_um: Option<f64>,
) -> Result<(), TiffError> {
    let shape = clip.shape();
    let (width, height) = (u32::try_from(shape.width)?, u32::try_from(shape.height)?);
    for frame in clip.frames() {
        let mut page = encoder.new_image::<Gray32Float>(width, height)?;
        if let Some(pitch) = pixel_pitch_um {
            // Pixels to the centimetre, the pitch to the nanometre.
            let pixels = Rational {
                n: 10_000_000,
                d: (pitch * 1000.0).round().max(1.0) as u32,
            };
            page.resolution(ResolutionUnit::Centimeter, pixels);
        }
        page.write_data(frame)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::media::{Footage, open, save};
    use tiff::encoder::TiffValue;
    use tiff::encoder::colortype::{self, ColorType as Stored};

    fn read(bytes: &[u8]) -> Result<Footage, MediaError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        std::fs::write(&path, bytes).unwrap();
        open(&path, &ReadOptions::default())
    }

    /// A one-page file of a single row, with tags of one's own.
    fn page<C: Stored>(samples: &[C::Inner], tags: &[(Tag, Value)]) -> Vec<u8>
    where
        [C::Inner]: TiffValue,
    {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
        let width = samples.len() / C::BITS_PER_SAMPLE.len();
        let mut image = encoder.new_image::<C>(width as u32, 1).unwrap();
        for (tag, value) in tags {
            let directory = image.encoder();
            match value {
                Value::Short(n) => directory.write_tag(*tag, *n).unwrap(),
                Value::Text(text) => directory.write_tag(*tag, *text).unwrap(),
                Value::Ratio(n, d) => {
                    directory
                        .write_tag(*tag, Rational { n: *n, d: *d })
                        .unwrap();
                }
            }
        }
        image.write_data(samples).unwrap();
        bytes.into_inner()
    }

    enum Value {
        Short(u16),
        Text(&'static str),
        Ratio(u32, u32),
    }

    fn values(bytes: &[u8]) -> (Vec<f32>, Option<u32>) {
        let footage = read(bytes).unwrap();
        (footage.clip.into_data(), footage.levels)
    }

    #[test]
    fn every_depth_has_its_scale() {
        let u8s = page::<colortype::Gray8>(&[0, 51, 255], &[]);
        assert_eq!(values(&u8s), (vec![0.0, 0.2, 1.0], Some(255)));
        let u16s = page::<colortype::Gray16>(&[13107, 65535], &[]);
        assert_eq!(values(&u16s), (vec![0.2, 1.0], Some(65535)));
        let u32s = page::<colortype::Gray32>(&[858_993_459, u32::MAX], &[]);
        assert_eq!(values(&u32s), (vec![0.2, 1.0], Some(u32::MAX)));
        let f32s = page::<colortype::Gray32Float>(&[-3.5, 1e9], &[]);
        assert_eq!(values(&f32s), (vec![-3.5, 1e9], None));
        let f64s = page::<colortype::Gray64Float>(&[0.25], &[]);
        assert_eq!(values(&f64s), (vec![0.25], None));
        let rgb = page::<colortype::RGB8>(&[255, 0, 0, 0, 0, 255, 7, 7, 7], &[]);
        assert_eq!(values(&rgb), (vec![0.299, 0.114, 7.0 / 255.0], Some(255)));
        let rgb = page::<colortype::RGB16>(&[0, 65535, 0], &[]);
        assert_eq!(values(&rgb), (vec![0.587], Some(65535)));
        let rgb = page::<colortype::RGB32Float>(&[2.0, 4.0, 8.0], &[]);
        assert_eq!(values(&rgb), (vec![3.858], None));
        let signed = page::<colortype::GrayI16>(&[-3], &[]);
        assert!(read(&signed).unwrap_err().to_string().contains("signed"));
    }

    #[test]
    fn white_is_zero_is_turned_round() {
        let white_is_zero = [(Tag::PhotometricInterpretation, Value::Short(0))];
        let u8s = page::<colortype::Gray8>(&[0, 204], &white_is_zero);
        assert_eq!(values(&u8s).0, [1.0, 0.2]);
        let u16s = page::<colortype::Gray16>(&[65535, 52428], &white_is_zero);
        assert_eq!(values(&u16s).0, [0.0, 0.2]);
    }

    #[test]
    fn the_pixel_size_is_read_where_there_is_one() {
        let pitch = |tags: &[(Tag, Value)]| {
            read(&page::<colortype::Gray8>(&[1], tags))
                .unwrap()
                .pixel_pitch_um
        };
        let x = |n, d| (Tag::XResolution, Value::Ratio(n, d));
        let unit = |n| (Tag::ResolutionUnit, Value::Short(n));
        let close = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-9;
        assert!(close(pitch(&[x(1250, 1), unit(3)]), 8.0));
        assert!(close(pitch(&[x(3175, 1), unit(2)]), 8.0));
        let micron = (
            Tag::ImageDescription,
            Value::Text("ImageJ=1.54\nunit=micron\nloop=false"),
        );
        assert!(close(pitch(&[x(1, 8), unit(1), micron]), 8.0));
        assert_eq!(pitch(&[x(72, 1), unit(2)]), None);
        assert_eq!(pitch(&[x(1250, 1), unit(1)]), None);
        assert_eq!(pitch(&[x(0, 1), unit(3)]), None);
        assert_eq!(pitch(&[x(1, 0), unit(3)]), None);
    }

    #[test]
    fn a_stack_comes_back_bit_for_bit_with_its_pixel_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        let data: Vec<f32> = (0..30).map(|i| i as f32 * 0.37 - 2.0).collect();
        let clip = Clip::new(Shape::new(5, 3, 2), data);
        let options = WriteOptions {
            pixel_pitch_um: Some(3.45),
            ..WriteOptions::default()
        };
        save(&path, &clip, &options).unwrap();
        let footage = open(&path, &ReadOptions::default()).unwrap();
        assert_eq!((footage.clip, footage.levels), (clip, None));
        assert!((footage.pixel_pitch_um.unwrap() - 3.45).abs() < 1e-9);
    }

    #[test]
    fn pages_of_two_sizes_are_an_error() {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
        encoder
            .write_image::<colortype::Gray8>(2, 1, &[1, 2])
            .unwrap();
        encoder
            .write_image::<colortype::Gray8>(1, 2, &[1, 2])
            .unwrap();
        let error = read(&bytes.into_inner()).unwrap_err().to_string();
        assert!(error.contains("2x1") && error.contains("1x2"), "{error}");
    }

    #[test]
    fn an_absurd_size_is_refused_before_anything_is_allocated() {
        let mut bytes = page::<colortype::Gray8>(&[1; 16], &[]);
        let width = bytes.windows(8).position(|w| w == [0, 1, 4, 0, 1, 0, 0, 0]);
        bytes[width.unwrap() + 8..][..4].copy_from_slice(&60_000u32.to_le_bytes());
        let height = bytes.windows(8).position(|w| w == [1, 1, 4, 0, 1, 0, 0, 0]);
        bytes[height.unwrap() + 8..][..4].copy_from_slice(&60_000u32.to_le_bytes());
        let error = read(&bytes).unwrap_err();
        assert!(matches!(error, MediaError::TooLarge { .. }), "{error}");
    }
}
