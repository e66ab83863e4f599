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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::media::{Rounding, open, save};

    fn read(bytes: &[u8]) -> Result<Vec<Vec<f32>>, MediaError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        std::fs::write(&path, bytes).unwrap();
        let footage = open(&path, &ReadOptions::default())?;
        assert_eq!(footage.levels, Some(255));
        Ok(footage
            .clip
            .frames()
            .map(|f| (f.iter().map(|v| v * 255.0)).collect())
            .collect())
    }

    /// A 3x2 GIF with the frames given, of the palette 10, 20, 30, red.
    fn animation(frames: &[gif::Frame]) -> Vec<u8> {
        let palette = [10, 10, 10, 20, 20, 20, 30, 30, 30, 255, 0, 0];
        let mut encoder = Encoder::new(Vec::new(), 3, 2, &palette).unwrap();
        frames
            .iter()
            .for_each(|frame| encoder.write_frame(frame).unwrap());
        encoder.into_inner().unwrap()
    }

    fn part(left: u16, width: u16, dispose: DisposalMethod, pixels: &[u8]) -> gif::Frame<'_> {
        gif::Frame {
            left,
            width,
            height: 2,
            dispose,
            transparent: Some(2),
            buffer: pixels.into(),
            ..gif::Frame::default()
        }
    }

    #[test]
    fn frames_are_painted_over_each_other_and_disposed_of() {
        use DisposalMethod::{Background, Keep, Previous};
        let local = gif::Frame {
            palette: Some(vec![100, 100, 100, 0, 255, 0]),
            transparent: None,
            ..part(2, 1, Keep, &[0, 1])
        };
        let frames = read(&animation(&[
            part(0, 3, Keep, &[0, 1, 2, 3, 0, 1]),
            part(1, 2, Previous, &[1, 1, 2, 1]),
            part(0, 1, Background, &[2, 1]),
            local,
        ]));
        let red = 0.299 * 255.0;
        let green = 0.587 * 255.0;
        let expected = [
            [10.0, 20.0, 0.0, red, 10.0, 20.0],
            [10.0, 20.0, 20.0, red, 10.0, 20.0],
            [10.0, 20.0, 0.0, 20.0, 10.0, 20.0],
            [0.0, 20.0, 100.0, 0.0, 10.0, green],
        ];
        for (found, expected) in frames.unwrap().iter().zip(expected) {
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() < 1e-4, "{found:?} against {expected:?}");
            }
        }
    }

    #[test]
    fn a_frame_reaching_over_the_edge_is_cut_there() {
        let frames = read(&animation(&[part(
            2,
            3,
            DisposalMethod::Keep,
            &[0, 1, 1, 1, 0, 0],
        )]));
        assert_eq!(frames.unwrap(), [[0.0, 0.0, 10.0, 0.0, 0.0, 20.0]]);
    }

    #[test]
    fn a_colour_outside_the_palette_is_an_error() {
        let error = read(&animation(&[part(
            0,
            3,
            DisposalMethod::Keep,
            &[0, 9, 0, 0, 0, 0],
        )]));
        assert!(error.unwrap_err().to_string().contains("palette"));
    }

    #[test]
    fn all_levels_survive_both_roundings() {
        let levels: Vec<f32> = (0..256).map(|v| v as f32 / 255.0).collect();
        let clip = Clip::new(Shape::new(2, 8, 16), levels);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        for rounding in [Rounding::Round, Rounding::Truncate] {
            let options = WriteOptions {
                rounding,
                ..WriteOptions::default()
            };
            save(&path, &clip, &options).unwrap();
            assert_eq!(open(&path, &ReadOptions::default()).unwrap().clip, clip);
        }
    }

    #[test]
    fn measurements_truncate_and_reconstructions_round() {
        let clip = Clip::new(
            Shape::new(1, 1, 5),
            vec![-0.5, 0.999, 10.6 / 255.0, 0.5, 7.0],
        );
        let written = |rounding| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.gif");
            let options = WriteOptions {
                rounding,
                ..WriteOptions::default()
            };
            save(&path, &clip, &options).unwrap();
            read(&std::fs::read(&path).unwrap()).unwrap().remove(0)
        };
        assert_eq!(
            written(Rounding::Truncate),
            [0.0, 254.0, 10.0, 127.0, 255.0]
        );
        assert_eq!(written(Rounding::Round), [0.0, 255.0, 11.0, 128.0, 255.0]);
    }

    #[test]
    fn it_loops_for_ever_at_120_ms_a_frame() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        save(
            &path,
            &Clip::zeros(Shape::new(2, 2, 2)),
            &WriteOptions::default(),
        )
        .unwrap();
        let mut decoder = gif::Decoder::new(File::open(&path).unwrap()).unwrap();
        let mut delays = Vec::new();
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            delays.push(frame.delay);
        }
        assert_eq!(delays, [12, 12]);
        assert_eq!(decoder.repeat(), Repeat::Infinite);
    }
}
