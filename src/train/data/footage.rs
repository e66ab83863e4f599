//! Windows of real footage.

use std::ops::Range;

use super::DataError;
use super::draw::{chance, index, uniform, weighted};
use super::film::Film;
use super::picture::Picture;
use crate::clip::{Clip, Shape};
use crate::noise::Noise;

/// A film, or the part of it that is used.
#[derive(Clone, Debug)]
pub struct Span {
    pub film: Film,
    pub frames: Range<usize>,
    /// Consecutive frames of a clip are this many frames of the film apart, from .. to.
    pub stride: [usize; 2],
}

/// Draws until a window has no cut between two shots and is not blank.
const ATTEMPTS: usize = 40;

/// A window of one of the spans, longer ones as much more often as they are longer: a part from
/// a half of the full height on, up to 4/3 as wide as the clip's shape says (the squeeze of 4:3
/// video made square). Values in [0, 1], at the film's resolution.
///
/// # Errors
/// When the film's file cannot be read.
pub fn window(spans: &[Span], shape: Shape, noise: &mut Noise) -> Result<Clip, DataError> {
    let mut attempt = 0;
    loop {
        let weights = spans.iter().map(|span| span.frames.len() as f64);
        let (cut, clip) = spans[weighted(noise, weights)].window(shape, noise)?;
        attempt += 1;
        if attempt == ATTEMPTS || !(cut || is_blank(&clip)) {
            return Ok(clip);
        }
    }
}

impl Span {
    /// Whether a clip of so many frames fits in.
    pub fn holds(&self, frames: usize) -> bool {
        self.frames.len() > (frames - 1) * self.stride[0]
    }

    /// Also says whether there is a cut in the film's whole frames.
    fn window(&self, shape: Shape, noise: &mut Noise) -> Result<(bool, Clip), DataError> {
        let [low, high] = self.stride;
        let longest = (self.frames.len() - 1) / (shape.frames - 1);
        let stride = (low + index(noise, high + 1 - low)).min(longest).max(1);
        let starts = self.frames.len() - (shape.frames - 1) * stride;
        let start = self.frames.start + index(noise, starts);
        let whole = self.film.clip(start, shape.frames, stride)?;
        Ok((has_cut(&whole), part_of(&whole, shape, noise)))
    }

    /// About one frame a second as a picture; blank ones are left out.
    ///
    /// # Errors
    /// When the film's file cannot be read.
    pub fn pictures(&self, seconds: usize) -> Result<Vec<Picture>, DataError> {
        let step = seconds.max(self.frames.len() / 600);
        let mut pictures = Vec::new();
        for start in self.frames.clone().step_by(step.max(1)) {
            let frame = self.film.clip(start, 1, 1)?;
            if !is_blank(&frame) {
                pictures.push(Picture::new(self.film.size(), frame.data()));
            }
        }
        Ok(pictures)
    }
}

fn part_of(whole: &Clip, shape: Shape, noise: &mut Noise) -> Clip {
    let squeeze = if chance(noise, 0.4) {
        4.0 / 3.0
    } else {
        uniform(noise, 1.0, 4.0 / 3.0)
    };
    let aspect = squeeze * shape.width as f32 / shape.height as f32;
    let (rows, columns) = (whole.shape().height as f32, whole.shape().width as f32);
    let largest = rows.min(columns / aspect);
    let height = largest * uniform(noise, 0.5, 1.0);
    let part = Shape {
        frames: shape.frames,
        height: (height.round() as usize).clamp(1, whole.shape().height),
        width: ((height * aspect).round() as usize).clamp(1, whole.shape().width),
    };
    let top = index(noise, whole.shape().height - part.height + 1);
    let left = index(noise, whole.shape().width - part.width + 1);
    let rows = whole.frames().flat_map(|frame| {
        let rows = frame.chunks_exact(whole.shape().width);
        rows.skip(top).take(part.height)
    });
    let data = rows.flat_map(|row| &row[left..left + part.width]);
    Clip::new(part, data.copied().collect())
}

/// One change between frames far larger than the others: a cut between two shots.
fn has_cut(clip: &Clip) -> bool {
    let mut changes: Vec<f32> = (1..clip.shape().frames)
        .map(|i| {
            let pairs = clip.frame(i - 1).iter().zip(clip.frame(i)).step_by(7);
            let count = pairs.len() as f32;
            pairs.map(|(a, b)| (a - b).abs()).sum::<f32>() / count
        })
        .collect();
    changes.sort_by(f32::total_cmp);
    let (most, median) = (changes[changes.len() - 1], changes[(changes.len() - 1) / 2]);
    changes.len() > 1 && most > 0.04 && most > 3.0 * median
}

/// Nearly black, or nearly without any contrast.
fn is_blank(clip: &Clip) -> bool {
    let sampled = || clip.data().iter().step_by(3);
    let count = sampled().len() as f32;
    let mean = sampled().sum::<f32>() / count;
    let variance = sampled().map(|v| (v - mean).powi(2)).sum::<f32>() / count;
    mean < 0.05 || variance.sqrt() < 0.015
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moving(shape: Shape, cut_at: usize) -> Clip {
        let value = |i: usize| {
            let (frame, place) = (i / shape.frame_len(), i % shape.width);
            let shot = if frame < cut_at { 0.0 } else { 2.5 };
            0.5 + 0.4 * ((place + frame) as f32 * 0.3 + shot).sin()
        };
        Clip::new(shape, (0..shape.len()).map(value).collect())
    }

    #[test]
    fn cuts_and_blank_windows_are_told_from_motion() {
        let shape = Shape::new(10, 30, 40);
        assert!(has_cut(&moving(shape, 6)));
        assert!(!has_cut(&moving(shape, 10)));
        assert!(!is_blank(&moving(shape, 10)));
        assert!(is_blank(&Clip::filled(shape, 0.5)));
        assert!(is_blank(&moving(shape, 10).map(|v| 0.05 * v)));
    }

    #[test]
    fn parts_lie_inside_and_span_at_least_half() {
        let whole = moving(Shape::new(2, 60, 100), 9);
        let mut noise = Noise::seeded(1);
        for _ in 0..100 {
            let part = part_of(&whole, Shape::new(2, 16, 16), &mut noise).shape();
            assert!((30..=60).contains(&part.height), "{part}");
            let squeeze = part.width as f32 / part.height as f32;
            assert!((0.95..1.4).contains(&squeeze), "{part}");
        }
        // Where the frame is narrow, its width bounds the part.
        let narrow = moving(Shape::new(2, 60, 24), 9);
        let part = part_of(&narrow, Shape::new(2, 16, 16), &mut noise).shape();
        assert!(part.width <= 24 && part.height <= 24, "{part}");
    }
}
