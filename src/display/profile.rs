//! Values along a line.

use crate::clip::Clip;

/// The value at a place in pixels, the centre of the first pixel being at 0, 0; beyond the
/// frame that of its edge.
pub fn bilinear(frame: &[f32], width: usize, x: f64, y: f64) -> f64 {
    let height = frame.len() / width;
    let split = |at: f64, count: usize| {
        let at = at.clamp(0.0, (count - 1) as f64);
        let below = (at as usize).min(count.saturating_sub(2));
        (below, (below + 1).min(count - 1), at - below as f64)
    };
    let ((left, right, across), (top, bottom, down)) = (split(x, width), split(y, height));
    let value = |row: usize, column: usize| f64::from(frame[row * width + column]);
    let along = |row: usize| match across {
        // A neighbour that is not finite does not spoil a pixel that is hit exactly.
        0.0 => value(row, left),
        1.0 => value(row, right),
        _ => value(row, left) + across * (value(row, right) - value(row, left)),
    };
    match down {
        0.0 => along(top),
        1.0 => along(bottom),
        _ => along(top) + down * (along(bottom) - along(top)),
    }
}

/// Distance from the first end in pixels and the value there, two samples a pixel. `ends` are
/// shares of the frame, across and down.
pub fn profile(clip: &Clip, frame: usize, ends: [[f32; 2]; 2]) -> Vec<[f64; 2]> {
    let shape = clip.shape();
    let place = |end: [f32; 2]| {
        [
            f64::from(end[0]) * shape.width as f64 - 0.5,
            f64::from(end[1]) * shape.height as f64 - 0.5,
        ]
    };
    let ([x0, y0], [x1, y1]) = (place(ends[0]), place(ends[1]));
    let length = (x1 - x0).hypot(y1 - y0);
    let pieces = (2.0 * length).ceil().max(1.0) as usize;
    let values = clip.frame(frame);
    (0..=pieces)
        .map(|piece| {
            let share = piece as f64 / pieces as f64;
            let (x, y) = (x0 + share * (x1 - x0), y0 + share * (y1 - y0));
            [share * length, bilinear(values, shape.width, x, y)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;

    #[test]
    fn between_pixels_lies_their_mean() {
        let frame = [0.0, 1.0, 2.0, 5.0];
        assert_eq!(bilinear(&frame, 2, 0.5, 0.5), 2.0);
        assert_eq!(bilinear(&frame, 2, 1.0, 1.0), 5.0);
        assert_eq!(bilinear(&frame, 2, -3.0, 9.0), 2.0);
        assert_eq!(bilinear(&[7.0], 1, 0.3, 0.0), 7.0);
    }

    #[test]
    fn a_ramp_gives_a_straight_profile() {
        let shape = Shape::new(1, 8, 8);
        let data = (0..64).map(|i| (i % 8) as f32).collect();
        let clip = Clip::new(shape, data);
        let ends = [[0.5 / 8.0, 0.5], [7.5 / 8.0, 0.5]];
        let samples = profile(&clip, 0, ends);
        assert_eq!(samples.len(), 15);
        for [distance, value] in samples {
            assert!((distance - value).abs() < 1e-6, "{distance} {value}");
        }
    }
}
