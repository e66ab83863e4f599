//! Resampling. The published data sets are defined by what two libraries do to 8-bit pictures,
//! roundings included, so those two are imitated to the level; everything else is in floats.

use super::{Crop, FrameSize};

/// A part of a picture of `channels` values to a pixel (`size` and `to` count pixels; an odd
/// margin around the centre leaves the smaller half above and to the left), or none where `to`
/// does not fit.
pub(super) fn cropped<T: Copy>(
    values: &[T],
    size: FrameSize,
    channels: usize,
    to: Crop,
) -> Option<Vec<T>> {
    let [top, left] = to.corner_in(size)?;
    let to = to.size;
    let rows = values
        .chunks_exact(size.width * channels)
        .skip(top)
        .take(to.height);
    let columns = left * channels..(left + to.width) * channels;
    Some(
        rows.flat_map(|row| &row[columns.clone()])
            .copied()
            .collect(),
    )
}

/// Bilinear without antialiasing, as OpenCV's `resize` (INTER_LINEAR) does it on 8-bit pictures:
/// half-pixel centres, the border repeated, weights of 11 bits, sums cut and rounded as there.
///
/// `pixels` is interleaved, `channels` bytes to a pixel.
pub(super) fn bilinear_opencv(
    pixels: &[u8],
    from: FrameSize,
    channels: usize,
    to: FrameSize,
) -> Vec<u8> {
    let columns = linear_taps(from.width, to.width);
    let rows = linear_taps(from.height, to.height);
    let blend_row = |y: usize| -> Vec<i32> {
        let row = &pixels[y * from.width * channels..][..from.width * channels];
        let blend = |tap: &LinearTap| {
            let (a, b) = (tap.near * channels, tap.far * channels);
            let [wa, wb] = tap.weights;
            (0..channels).map(move |c| wa * i32::from(row[a + c]) + wb * i32::from(row[b + c]))
        };
        columns.iter().flat_map(blend).collect()
    };
    let mut out = Vec::with_capacity(to.height * to.width * channels);
    for tap in &rows {
        let (near, far) = (blend_row(tap.near), blend_row(tap.far));
        let [wa, wb] = tap.weights;
        out.extend(near.iter().zip(&far).map(|(&a, &b)| {
            let sum = ((wa * (a >> 4)) >> 16) + ((wb * (b >> 4)) >> 16);
            ((sum + 2) >> 2).clamp(0, 255) as u8
        }));
    }
    out
}

struct LinearTap {
    near: usize,
    far: usize,
    /// In 1/2048.
    weights: [i32; 2],
}

fn linear_taps(from: usize, to: usize) -> Vec<LinearTap> {
    let scale = 1.0 / (to as f64 / from as f64);
    let tap = |i: usize| {
        let at = ((i as f64 + 0.5) * scale - 0.5) as f32;
        let floor = at.floor();
        let (near, part) = if floor < 0.0 {
            (0, 0.0)
        } else if floor as usize >= from - 1 {
            (from - 1, 0.0)
        } else {
            (floor as usize, at - floor)
        };
        LinearTap {
            near,
            far: (near + 1).min(from - 1),
            weights: [1.0 - part, part].map(|w: f32| (w * 2048.0).round_ties_even() as i32),
        }
    };
    (0..to).map(tap).collect()
}

/// Antialiased bicubic as Pillow's `resize` (BICUBIC) does it on 8-bit grey pictures: weights of
/// 22 bits, the result of the horizontal pass rounded to 8 bits before the vertical one.
pub(super) fn bicubic_pillow(pixels: &[u8], from: FrameSize, to: FrameSize) -> Vec<u8> {
    const BITS: u32 = 22;
    let fixed = |taps: Vec<CubicTap>| -> Vec<(usize, Vec<i64>)> {
        let round = |w: f64| (w * f64::from(1 << BITS) + 0.5f64.copysign(w)) as i64;
        taps.into_iter()
            .map(|tap| (tap.first, tap.weights.into_iter().map(round).collect()))
            .collect()
    };
    let to_level = |sum: i64| ((sum + (1 << (BITS - 1))) >> BITS).clamp(0, 255) as u8;

    let mut wide = Vec::with_capacity(from.height * to.width);
    let columns = fixed(cubic_taps(from.width, to.width));
    for row in pixels.chunks_exact(from.width) {
        wide.extend(columns.iter().map(|(first, weights)| {
            let sum = weights
                .iter()
                .zip(&row[*first..])
                .map(|(w, &v)| w * i64::from(v));
            to_level(sum.sum())
        }));
    }
    let mut out = Vec::with_capacity(to.height * to.width);
    for (first, weights) in fixed(cubic_taps(from.height, to.height)) {
        out.extend((0..to.width).map(|x| {
            let column = wide[first * to.width + x..].iter().step_by(to.width);
            to_level(
                weights
                    .iter()
                    .zip(column)
                    .map(|(w, &v)| w * i64::from(v))
                    .sum(),
            )
        }));
    }
    out
}

/// Antialiased bicubic (the same kernel) in floats. The kernel overshoots at edges; values are
/// kept within the range the frame had.
pub(super) fn bicubic(values: &[f32], from: FrameSize, to: FrameSize) -> Vec<f32> {
    let (low, high) = values
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &v| {
            (l.min(v), h.max(v))
        });
    let mut wide = Vec::with_capacity(from.height * to.width);
    let columns = cubic_taps(from.width, to.width);
    for row in values.chunks_exact(from.width) {
        wide.extend(columns.iter().map(|tap| {
            let pairs = tap.weights.iter().zip(&row[tap.first..]);
            pairs.map(|(w, &v)| w * f64::from(v)).sum::<f64>()
        }));
    }
    let mut out = Vec::with_capacity(to.height * to.width);
    for tap in cubic_taps(from.height, to.height) {
        out.extend((0..to.width).map(|x| {
            let column = wide[tap.first * to.width + x..].iter().step_by(to.width);
            let sum: f64 = tap.weights.iter().zip(column).map(|(w, &v)| w * v).sum();
            (sum as f32).clamp(low, high)
        }));
    }
    out
}

struct CubicTap {
    first: usize,
    /// Sum to one.
    weights: Vec<f64>,
}

/// The cubic convolution kernel with a = -0.5, as wide as the step between new pixels.
fn cubic_taps(from: usize, to: usize) -> Vec<CubicTap> {
    const A: f64 = -0.5;
    let kernel = |x: f64| {
        let x = x.abs();
        if x < 1.0 {
            ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
        } else if x < 2.0 {
            (((x - 5.0) * x + 8.0) * x - 4.0) * A
        } else {
            0.0
        }
    };
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let support = 2.0 * stretch;
    let tap = |i: usize| {
        let centre = (i as f64 + 0.5) * scale;
        let first = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(from);
        let weight = |j: usize| kernel((j as f64 - centre + 0.5) * (1.0 / stretch));
        let mut weights: Vec<f64> = (first..end).map(weight).collect();
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|w| *w /= total);
        CubicTap { first, weights }
    };
    (0..to).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The picture the libraries were given: `channels` values to a pixel.
    fn pattern(size: FrameSize, channels: usize) -> Vec<u8> {
        let value = |i: usize| {
            let (c, pixel) = (i % channels, i / channels);
            let (y, x) = (pixel / size.width, pixel % size.width);
            ((y * 37 + x * 59 + c * 83 + x * y * 11 + (y * y * x) % 17) % 256) as u8
        };
        (0..size.height * size.width * channels)
            .map(value)
            .collect()
    }

    #[test]
    fn bilinear_is_opencvs_to_the_level() {
        let size = FrameSize::new(9, 7);
        let source = pattern(size, 3);
        let small = bilinear_opencv(&source, size, 3, FrameSize::new(4, 3));
        assert_eq!(small, OPENCV_4X3);
        let square = bilinear_opencv(&source, size, 3, FrameSize::new(5, 5));
        assert_eq!(square, OPENCV_5X5);
    }

    #[test]
    fn bicubic_is_pillows_to_the_level() {
        let size = FrameSize::new(13, 11);
        let source = pattern(size, 1);
        assert_eq!(
            bicubic_pillow(&source, size, FrameSize::new(4, 5)),
            PILLOW_4X5
        );
        let large = bicubic_pillow(&source, size, FrameSize::new(16, 14));
        assert_eq!(large[..28], PILLOW_16X14_TOP);
        assert_eq!(bicubic_pillow(&source, size, size), source);
    }

    #[test]
    fn float_bicubic_is_pillows_float_mode_within_the_frames_range() {
        let size = FrameSize::new(13, 11);
        let source: Vec<f32> = pattern(size, 1).into_iter().map(f32::from).collect();
        let small = bicubic(&source, size, FrameSize::new(4, 5));
        for (ours, theirs) in small.iter().zip(PILLOW_FLOAT_4X5) {
            assert!((ours - theirs).abs() < 1e-3, "{ours} against {theirs}");
        }
        let step: Vec<f32> = (0..8).map(|i| if i < 4 { 0.0 } else { 1.0 }).collect();
        let large = bicubic(&step, FrameSize::new(1, 8), FrameSize::new(3, 29));
        assert!(large.iter().all(|v| (0.0..=1.0).contains(v)));
        assert_eq!(bicubic(&source, size, size), source);
    }

    #[test]
    fn the_crop_is_the_middle_or_where_it_is_asked_for() {
        let size = FrameSize::new(3, 4);
        let source: Vec<usize> = (0..24).collect();
        let crop = |part: &str| cropped(&source, size, 2, part.parse().unwrap());
        assert_eq!(crop("1x3"), Some(vec![8, 9, 10, 11, 12, 13]));
        assert_eq!(crop("2x1+1+3"), Some(vec![14, 15, 22, 23]));
        assert_eq!(crop("4x1"), None);
        assert_eq!(crop("2x1+2+0"), None);
    }

    /// OpenCV 5.0, `cv2.resize(pattern, (3, 4))`.
    const OPENCV_4X3: [u8; 36] = [
        67, 150, 127, 223, 50, 133, 122, 151, 96, 172, 106, 93, 132, 216, 74, 107, 168, 177, 101,
        98, 160, 31, 114, 165, 195, 118, 126, 120, 139, 115, 190, 177, 100, 112, 88, 139,
    ];

    /// OpenCV 5.0, `cv2.resize(pattern, (5, 5))`.
    const OPENCV_5X5: [u8; 75] = [
        27, 110, 173, 117, 138, 88, 206, 33, 116, 132, 122, 165, 129, 130, 69, 99, 172, 173, 190,
        129, 130, 86, 170, 201, 181, 151, 111, 99, 141, 183, 121, 204, 82, 72, 155, 85, 215, 42,
        125, 102, 185, 165, 40, 123, 155, 188, 67, 109, 160, 89, 91, 77, 160, 38, 170, 110, 162,
        181, 90, 132, 56, 109, 171, 112, 133, 175, 204, 134, 114, 86, 128, 119, 113, 176, 136,
    ];

    /// Pillow 12, `Image.fromarray(pattern).resize((5, 4), Image.BICUBIC)`.
    const PILLOW_4X5: [u8; 20] = [
        96, 166, 133, 132, 120, 123, 127, 143, 149, 120, 120, 134, 114, 121, 155, 118, 104, 117,
        136, 136,
    ];

    /// The same enlarged, `resize((14, 16))`: its first two rows.
    const PILLOW_16X14_TOP: [u8; 28] = [
        0, 35, 84, 130, 176, 247, 111, 39, 106, 160, 225, 107, 16, 75, 23, 66, 122, 184, 242, 122,
        91, 143, 175, 51, 97, 126, 158, 205,
    ];

    /// The same in mode F.
    const PILLOW_FLOAT_4X5: [f32; 20] = [
        96.5253, 166.2939, 132.8848, 131.9841, 120.1733, 122.7276, 126.5795, 143.0255, 149.2021,
        120.1347, 120.4855, 134.3143, 113.7008, 120.5814, 155.0462, 117.8484, 104.1054, 116.8878,
        136.2569, 136.3079,
    ];
}
