//! PSNR of real captures, whose exposure, exact place and display are unknown.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Fit, ShapesDiffer, fit};
use crate::clip::Clip;

/// Half pixels that a clip is shifted by at most, each way.
const REACH: i32 = 4;

/// How a clip comes closest to its target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alignment {
    /// Of `gain * shifted + offset` against the target; infinite where they are equal.
    pub psnr_db: f64,
    pub gain: f64,
    pub offset: f64,
    /// How far the clip was moved, in multiples of half a pixel.
    pub down_px: f64,
    pub right_px: f64,
    /// Whether the clip's square was taken, an intensity where the clip is an amplitude.
    pub squared: bool,
}

/// The best fit of a clip, or of its square, onto its target over shifts of up to 2 pixels by
/// half pixels (bilinear, the border repeated), with one gain and offset for the clip.
///
/// # Errors
/// Clips of different shapes.
pub fn aligned(clip: &Clip, target: &Clip) -> Result<Alignment, ShapesDiffer> {
    if clip.shape() != target.shape() {
        return Err(ShapesDiffer {
            clip: clip.shape(),
            target: target.shape(),
        });
    }
    let squares = clip.map(|v| v * v);
    let shifts = (-REACH..=REACH).flat_map(|down| (-REACH..=REACH).map(move |right| (down, right)));
    let shifts: Vec<_> = shifts
        .flat_map(|shift| [(shift, false), (shift, true)])
        .collect();
    let tried = shifts.into_par_iter().map(|((down, right), squared)| {
        let moved = shifted(if squared { &squares } else { clip }, down, right);
        let Fit {
            gain,
            offset,
            psnr_db,
        } = fit(moved.data(), target.data());
        Alignment {
            psnr_db,
            gain,
            offset,
            down_px: f64::from(down) / 2.0,
            right_px: f64::from(right) / 2.0,
            squared,
        }
    });
    // Of equally good ones the least moved and the plain one.
    let moved = |a: &Alignment| a.down_px.abs() + a.right_px.abs();
    let best = tried.collect::<Vec<_>>().into_iter().min_by(|a, b| {
        (b.psnr_db.total_cmp(&a.psnr_db))
            .then(moved(a).total_cmp(&moved(b)))
            .then(a.squared.cmp(&b.squared))
    });
    Ok(best.expect("there are shifts"))
}

/// The clip moved by half pixels down and to the right.
fn shifted(clip: &Clip, down: i32, right: i32) -> Clip {
    let shape = clip.shape();
    let rows = sources(shape.height, down);
    let columns = sources(shape.width, right);
    let mut data = Vec::with_capacity(shape.len());
    for frame in clip.frames() {
        for &(above, below) in &rows {
            let line = |row: usize| &frame[row * shape.width..(row + 1) * shape.width];
            let (above, below) = (line(above), line(below));
            data.extend(columns.iter().map(|&(left, right)| {
                0.25 * (above[left] + above[right] + below[left] + below[right])
            }));
        }
    }
    Clip::new(shape, data)
}

/// The two pixels whose mean each pixel of a shifted line is; one twice for whole shifts.
fn sources(length: usize, half_pixels: i32) -> Vec<(usize, usize)> {
    let inside = |i: i64| i.clamp(0, length as i64 - 1) as usize;
    let half_pixels = i64::from(half_pixels);
    (0..length as i64)
        .map(|i| {
            let twice = 2 * i - half_pixels;
            (
                inside(twice.div_euclid(2)),
                inside((twice + 1).div_euclid(2)),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;

    fn picture(shape: Shape, from_row: f64, from_column: f64) -> Clip {
        let value = |i: usize| {
            let (row, column) = (i / shape.width % shape.height, i % shape.width);
            let (y, x) = (row as f64 + from_row, column as f64 + from_column);
            (0.5 + 0.2 * (0.35 * x).sin() + 0.2 * (0.3 * y + 0.1 * x).cos()) as f32
        };
        Clip::new(shape, (0..shape.len()).map(value).collect())
    }

    const SHAPE: Shape = Shape::new(2, 32, 40);

    #[test]
    fn a_shift_a_gain_and_an_offset_are_undone() {
        let target = picture(SHAPE, 0.0, 0.0);
        let clip = picture(SHAPE, -1.0, 2.0).map(|v| 0.5 * v + 0.1);
        let best = aligned(&clip, &target).unwrap();
        assert_eq!((best.down_px, best.right_px), (-1.0, 2.0));
        assert!(!best.squared);
        assert!((best.gain - 2.0).abs() < 0.1, "{best:?}");
        let fitted = fit(clip.data(), target.data()).psnr_db;
        assert!(best.psnr_db > fitted + 8.0, "{best:?}, {fitted}");
    }

    #[test]
    fn half_pixels_are_bilinear() {
        let line = Clip::new(Shape::new(1, 1, 4), vec![0.0, 1.0, 3.0, 7.0]);
        assert_eq!(shifted(&line, 0, 1).data(), [0.0, 0.5, 2.0, 5.0]);
        assert_eq!(shifted(&line, 4, -1).data(), [0.5, 2.0, 5.0, 7.0]);
        assert_eq!(shifted(&line, 0, 2).data(), [0.0, 0.0, 1.0, 3.0]);
    }

    #[test]
    fn the_square_is_taken_where_it_is_closer() {
        let clip = picture(SHAPE, 0.0, 0.0);
        let best = aligned(&clip, &clip.map(|v| v * v)).unwrap();
        assert!(best.squared);
        assert_eq!((best.down_px, best.right_px), (0.0, 0.0));
        assert!(best.psnr_db > 100.0);
        let other = Clip::zeros(Shape::new(1, 32, 40));
        assert!(aligned(&clip, &other).is_err());
    }
}
