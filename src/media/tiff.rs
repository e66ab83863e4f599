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
        signatures.iter().any(|signature| head.starts_with(signature))
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
            pages.next_image().map_err(|e| MediaError::damaged(path, NAME, e))?;
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
        Err(unsupported("a page with its colours in separate planes".into()))
    };
    let grey = |samples: Vec<f64>| {
        let luma = |p: &[f64]| match channels {
            1 | 2 => p[0],
            _ => luma_float([p[0], p[1], p[2]]),
        };
        Frame {
            size,
            values: samples.chunks_exact(channels).map(|p| luma(p) as f32).collect(),
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
        .and_then(|text| text.lines().find_map(|l| l.strip_prefix("unit=").map(unit_um)));
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
