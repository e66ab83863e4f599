//! Several clips as one picture, and as one moving picture.

use crate::clip::{Clip, Shape};

/// Pixels between two pictures.
const GAP: usize = 2;
const WHITE: f32 = 1.0;

/// A row for each clip, its frames side by side, in one frame.
///
/// # Panics
/// When there is no clip, or their shapes differ.
pub fn contact_sheet(clips: &[Clip]) -> Clip {
    let frames = clips[0].shape().frames;
    let pictures = clips.iter().flat_map(|clip| clip.frames()).collect();
    tiled(&[pictures], frames, one_shape(clips))
}

/// The clips side by side, moving together.
///
/// # Panics
/// When there is no clip, or their shapes differ.
pub fn side_by_side(clips: &[Clip]) -> Clip {
    let shape = one_shape(clips);
    let frame = |t| clips.iter().map(|clip| clip.frame(t)).collect();
    let frames: Vec<Vec<&[f32]>> = (0..shape.frames).map(frame).collect();
    tiled(&frames, clips.len(), shape)
}

fn one_shape(clips: &[Clip]) -> Shape {
    let shape = clips[0].shape();
    assert!(clips.iter().all(|clip| clip.shape() == shape));
    shape
}

/// Pictures of each frame in rows of `columns`.
fn tiled(frames: &[Vec<&[f32]>], columns: usize, of: Shape) -> Clip {
    let rows = frames[0].len().div_ceil(columns);
    let side = |count: usize, size: usize| count * (size + GAP) - GAP;
    let (height, width) = (side(rows, of.height), side(columns, of.width));
    let shape = Shape::new(frames.len(), height, width);
    let mut sheet = Clip::filled(shape, WHITE);
    for (t, pictures) in frames.iter().enumerate() {
        let frame = sheet.frame_mut(t);
        for (place, picture) in pictures.iter().enumerate() {
            let top = place / columns * (of.height + GAP);
            let left = place % columns * (of.width + GAP);
            for (y, row) in picture.chunks_exact(of.width).enumerate() {
                frame[(top + y) * width + left..][..of.width].copy_from_slice(row);
            }
        }
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clips() -> [Clip; 2] {
        let shape = Shape::new(3, 1, 2);
        [0.0, 0.5].map(|start| {
            let values = (0..6).map(|i| start + 0.05 * i as f32);
            Clip::new(shape, values.collect())
        })
    }

    #[test]
    fn a_row_a_clip_and_a_column_a_frame() {
        let sheet = contact_sheet(&clips());
        assert_eq!(sheet.shape(), Shape::new(1, 4, 10));
        let at = |y: usize, x: usize| sheet.data()[y * 10 + x];
        assert_eq!((at(0, 0), at(0, 5), at(0, 9)), (0.0, 0.15, 0.25));
        assert_eq!((at(3, 0), at(3, 4)), (0.5, 0.6));
        assert_eq!((at(0, 2), at(1, 0)), (WHITE, WHITE));
    }

    #[test]
    fn clips_move_beside_each_other() {
        let moving = side_by_side(&clips());
        assert_eq!(moving.shape(), Shape::new(3, 1, 6));
        assert_eq!(moving.frame(1), [0.1, 0.15, WHITE, WHITE, 0.6, 0.65]);
    }
}
