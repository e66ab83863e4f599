//! How alike two point spread functions are.

use serde::{Deserialize, Serialize};

/// The likeness of two point spread functions, and the shift that it was found at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PsfMatch {
    /// Correlation coefficient: 1 for equal shapes, whatever their gain and offset.
    pub correlation: f64,
    /// How far the first one was moved onto the second, in pixels.
    pub down_px: i32,
    pub right_px: i32,
}

/// The highest correlation of two point spread functions of `width` columns over shifts of the
/// first by whole pixels, up to `reach_px` each way; what lies outside is 0. A constant one
/// correlates with nothing: 0.
///
/// A shift of the point spread function is a shift of the video the other way, and no error of
/// its shape.
///
/// # Panics
/// When the lengths differ, or are not whole rows.
pub fn psf_correlation(a: &[f32], b: &[f32], width: usize, reach_px: usize) -> PsfMatch {
    assert_eq!(
        a.len(),
        b.len(),
        "point spread functions of different sizes"
    );
    assert_eq!(
        a.len() % width.max(1),
        0,
        "a point spread function is whole rows"
    );
    let reach = reach_px as i32;
    let mut best = PsfMatch {
        correlation: f64::NEG_INFINITY,
        down_px: 0,
        right_px: 0,
    };
    for down_px in -reach..=reach {
        for right_px in -reach..=reach {
            let correlation = correlation(&moved(a, width, down_px, right_px), b);
            let nearer = |m: &PsfMatch| m.down_px.pow(2) + m.right_px.pow(2);
            let candidate = PsfMatch {
                correlation,
                down_px,
                right_px,
            };
            if correlation > best.correlation
                || correlation == best.correlation && nearer(&candidate) < nearer(&best)
            {
                best = candidate;
            }
        }
    }
    best
}

fn moved(values: &[f32], width: usize, down: i32, right: i32) -> Vec<f32> {
    let (width, height) = (width as i32, (values.len() / width) as i32);
    let pixel = |i: i32| {
        let (row, column) = (i / width - down, i % width - right);
        let inside = (0..height).contains(&row) && (0..width).contains(&column);
        if inside {
            values[(row * width + column) as usize]
        } else {
            0.0
        }
    };
    (0..width * height).map(pixel).collect()
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let n = a.len() as f64;
    let mean = |values: &[f32]| values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut square_a, mut square_b) = (0.0, 0.0, 0.0);
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (f64::from(a) - mean_a, f64::from(b) - mean_b);
        both += a * b;
        square_a += a * a;
        square_b += b * b;
    }
    let scale = (square_a * square_b).sqrt();
    if scale > 0.0 { both / scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(row: f64, column: f64, stretch: f64) -> Vec<f32> {
        let value = |i: usize| {
            let (y, x) = ((i / 16) as f64 - row, (i % 16) as f64 - column);
            (-(y * y * stretch + x * x) / 4.0).exp() as f32
        };
        (0..256).map(value).collect()
    }

    #[test]
    fn a_shift_and_a_gain_are_no_difference() {
        let (a, b) = (spot(6.0, 8.0, 3.0), spot(8.0, 7.0, 3.0));
        let louder: Vec<f32> = a.iter().map(|v| 3.0 * v).collect();
        let best = psf_correlation(&louder, &b, 16, 3);
        assert!(best.correlation > 0.999, "{best:?}");
        assert_eq!((best.down_px, best.right_px), (2, -1));
        let near = psf_correlation(&louder, &b, 16, 1);
        assert!(near.correlation < 0.9, "{near:?}");
    }

    #[test]
    fn other_shapes_and_constants_correlate_less() {
        let (upright, lying) = (spot(8.0, 8.0, 0.2), spot(8.0, 8.0, 5.0));
        assert!(psf_correlation(&upright, &lying, 16, 4).correlation < 0.8);
        let flat = vec![0.5; 256];
        assert_eq!(psf_correlation(&upright, &flat, 16, 0).correlation, 0.0);
    }
}
