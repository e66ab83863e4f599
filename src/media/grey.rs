//! Grey from colour: Rec. 601 luma, 0.299 R + 0.587 G + 0.114 B.

use super::FrameSize;
use super::sink::Frame;

/// Luma of integer channels whose white is `white`, in [0, 1], not rounded to levels:
/// a grey colour (v, v, v) gives exactly the nearest f32 to v / white.
pub(super) fn luma([r, g, b]: [u32; 3], white: u32) -> f32 {
    let weighted = 299 * u64::from(r) + 587 * u64::from(g) + 114 * u64::from(b);
    (weighted as f64 / (1000.0 * f64::from(white))) as f32
}

/// Luma of channels that are already numbers of some unit.
pub(super) fn luma_float([r, g, b]: [f64; 3]) -> f64 {
    0.299 * r + 0.587 * g + 0.114 * b
}

/// A grey frame from integer samples, `channels` to a pixel: grey, grey and alpha, RGB or RGBA.
/// Alpha says nothing about light and is dropped.
///
/// `samples` holds at least `channels` values for each pixel of `size`.
pub(super) fn frame_of<T: Copy + Into<u32>>(
    size: FrameSize,
    samples: &[T],
    channels: usize,
    white: u32,
) -> Frame {
    let pixels = samples.chunks_exact(channels);
    let values = if channels < 3 {
        let level = |p: &[T]| (f64::from(p[0].into()) / f64::from(white)) as f32;
        pixels.map(level).collect()
    } else {
        pixels
            .map(|p| luma([p[0].into(), p[1].into(), p[2].into()], white))
            .collect()
    };
    Frame {
        size,
        values,
        levels: Some(white),
    }
}

/// 8-bit luma as Pillow's `convert('L')` rounds it.
pub(super) fn luma_pillow(rgb: &[u8]) -> u8 {
    let [r, g, b] = [0, 1, 2].map(|i| u32::from(rgb[i]));
    ((19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16) as u8
}

/// 8-bit luma as OpenCV's `cvtColor` rounds it.
pub(super) fn luma_opencv(rgb: &[u8]) -> u8 {
    let [r, g, b] = [0, 1, 2].map(|i| u32::from(rgb[i]));
    ((9798 * r + 19235 * g + 3735 * b + 0x4000) >> 15) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_levels_stay_exact() {
        for v in 0..=255u32 {
            assert_eq!(luma([v; 3], 255), v as f32 / 255.0);
            let bytes = [v as u8; 3];
            assert_eq!([luma_pillow(&bytes), luma_opencv(&bytes)], [v as u8; 2]);
        }
        for v in (0..=65535u32).step_by(7) {
            assert_eq!(luma([v; 3], 65535), v as f32 / 65535.0);
        }
    }

    #[test]
    fn colour_is_weighted_by_rec_601() {
        assert_eq!(luma([255, 0, 0], 255), 0.299);
        assert_eq!(luma([0, 255, 0], 255), 0.587);
        assert_eq!(luma([0, 0, 255], 255), 0.114);
        // Computed with Pillow 12 and OpenCV 5: a colour the two round differently.
        assert_eq!(luma_pillow(&LIBRARIES_DIFFER.0), LIBRARIES_DIFFER.1);
        assert_eq!(luma_opencv(&LIBRARIES_DIFFER.0), LIBRARIES_DIFFER.2);
    }

    const LIBRARIES_DIFFER: ([u8; 3], u8, u8) = ([140, 56, 112], 87, 88);
}
