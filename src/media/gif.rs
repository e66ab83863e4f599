use std::fs::File;
use std::num::NonZeroU64;
use std::path::Path;

use gif::{ColorOutput, DecodeOptions, DisposalMethod, Encoder, MemoryLimit, Repeat};

use super::grey::luma;
use super::sink::{Frame, FrameSink, MAX_FRAME_PIXELS, Origin, Wanted, check_frame_size};
use super::{
    FrameSize, MediaError, ReadOptions, VideoReader, VideoWriter, WriteOptions, extension, output,
    to_level,
};
use crate::clip::Clip;

/// Animated GIF. What no frame has painted is black, and so is what a frame's disposal clears.
pub(super) struct Gif;

/// In hundredths of a second: the pace of the published GIFs.
const FRAME_DELAY: u16 = 12;

const NAME: &str = "GIF";

impl VideoReader for Gif {
    fn name(&self) -> &'static str {
        NAME
    }

    fn accepts(&self, _path: &Path, head: &[u8]) -> bool {
        head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a")
    }

    fn read(
        &self,
        path: &Path,
        _options: &ReadOptions,
        sink: &mut FrameSink,
    ) -> Result<Origin, MediaError> {
        let damaged = |error: gif::DecodingError| MediaError::damaged(path, NAME, error);
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::Indexed);
        options.set_memory_limit(MemoryLimit::Bytes(
            NonZeroU64::new(MAX_FRAME_PIXELS as u64).expect("the limit is not zero"),
        ));
        let file = File::open(path).map_err(MediaError::io(path))?;
        let mut decoder = options.read_info(file).map_err(damaged)?;
        let size = FrameSize::new(decoder.height().into(), decoder.width().into());
        let mut canvas = vec![0.0; check_frame_size(path, size)?];
        let mut cleared: Option<Painted> = None;
        let global = decoder.global_palette().map(<[u8]>::to_vec);
        while let Some(frame) = decoder.read_next_frame().map_err(damaged)? {
            if let Some(painted) = cleared.take() {
                painted.undo(&mut canvas, size.width);
            }
            let palette = frame.palette.as_ref().or(global.as_ref());
            let grey: Vec<f32> = palette
                .map(|colours| colours.as_chunks::<3>().0)
                .unwrap_or_default()
                .iter()
                .map(|&colour| luma(colour.map(u32::from), 255))
                .collect();
            let painted = Painted::before(frame, &canvas, size);
            paint(&mut canvas, size, frame, &grey).ok_or_else(|| {
                MediaError::damaged(path, NAME, "a pixel has a colour outside the palette")
            })?;
            cleared = Some(painted);
            let wanted = sink.offer(path, || {
                Ok(Frame {
                    size,
                    values: canvas.clone(),
                    levels: Some(255),
                })
            })?;
            if wanted == Wanted::Enough {
                break;
            }
        }
        Ok(Origin::default())
    }
}

/// Paints the part of `frame` that lies on the canvas; none where a colour is not in `grey`.
fn paint(canvas: &mut [f32], size: FrameSize, frame: &gif::Frame, grey: &[f32]) -> Option<()> {
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    if frame.width == 0 {
        return Some(());
    }
    let rows = frame.buffer.chunks_exact(frame.width.into());
    for (row, line) in rows.zip(canvas.chunks_exact_mut(size.width).skip(top)) {
        for (&index, pixel) in row.iter().zip(line.iter_mut().skip(left)) {
            if frame.transparent != Some(index) {
                *pixel = *grey.get(usize::from(index))?;
            }
        }
    }
    Some(())
}

/// What has to happen to the canvas before the frame after this one.
enum Painted {
    Stays,
    Cleared {
        rows: std::ops::Range<usize>,
        columns: std::ops::Range<usize>,
    },
    Restored(Vec<f32>),
}

impl Painted {
    fn before(frame: &gif::Frame, canvas: &[f32], size: FrameSize) -> Self {
        let span = |start: u16, len: u16, limit: usize| {
            usize::from(start).min(limit)..(usize::from(start) + usize::from(len)).min(limit)
        };
        match frame.dispose {
            DisposalMethod::Any | DisposalMethod::Keep => Self::Stays,
            DisposalMethod::Background => Self::Cleared {
                rows: span(frame.top, frame.height, size.height),
                columns: span(frame.left, frame.width, size.width),
            },
            DisposalMethod::Previous => Self::Restored(canvas.to_vec()),
        }
    }

    fn undo(self, canvas: &mut Vec<f32>, width: usize) {
        match self {
            Self::Stays => {}
            Self::Cleared { rows, columns } => {
                for row in rows {
                    canvas[row * width..][columns.clone()].fill(0.0);
                }
            }
            Self::Restored(before) => *canvas = before,
        }
    }
}

impl VideoWriter for Gif {
    fn writes(&self, path: &Path) -> bool {
        extension(path) == "gif"
    }

    fn write(&self, path: &Path, clip: &Clip, options: &WriteOptions) -> Result<(), MediaError> {
        let shape = clip.shape();
        let side = |n: usize| {
            u16::try_from(n).map_err(|_| MediaError::CannotWrite {
                path: path.to_owned(),
                detail: format!("a GIF holds at most 65535 rows and columns, the clip is {shape}"),
            })
        };
        let (height, width) = (side(shape.height)?, side(shape.width)?);
        let palette: Vec<u8> = (0..=255).flat_map(|level| [level; 3]).collect();
        output::to_file(path, |file| {
            let mut encoder = Encoder::new(file, width, height, &palette)?;
            encoder.set_repeat(Repeat::Infinite)?;
            for values in clip.frames() {
                let level = |&v: &f32| to_level(v, 255, options.rounding) as u8;
                let levels: Vec<u8> = values.iter().map(level).collect();
                encoder.write_frame(&gif::Frame {
                    delay: FRAME_DELAY,
                    width,
                    height,
                    buffer: levels.into(),
                    ..gif::Frame::default()
                })?;
            }
            encoder.into_inner().map(drop)
        })
    }
}
