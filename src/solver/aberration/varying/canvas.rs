//! One picture that a camera passes over: the scene of all frames.

use rayon::prelude::*;

use crate::clip::{Clip, Shape};
use crate::physics::zernike::MODES;
use crate::solver::aberration::PIXELS_PER_RADIAN;

/// Frame t shows the picture from `places_px[t]` on.
#[derive(Clone, Debug)]
pub struct Canvas {
    /// Of the frames.
    shape: Shape,
    /// Pixels around a frame in the middle.
    margin: usize,
    /// Columns and rows.
    pub places_px: Vec<[f64; 2]>,
}

/// Where a frame lies on the canvas, along one axis: the first of four pixels that make its
/// first, and their shares (Keys, 1981).
struct Along {
    first: isize,
    shares: [f32; 4],
}

impl Along {
    fn new(offset: f64, margin: usize) -> Self {
        let whole = offset.floor();
        let x = (offset - whole) as f32;
        let (x2, x3) = (x * x, x * x * x);
        Self {
            first: whole as isize + margin as isize - 1,
            shares: [
                0.5 * (-x3 + 2.0 * x2 - x),
                0.5 * (3.0 * x3 - 5.0 * x2 + 2.0),
                0.5 * (-3.0 * x3 + 4.0 * x2 + x),
                0.5 * (x3 - x2),
            ],
        }
    }

    /// Pixels of a line of `len` and their shares, for a frame's pixel.
    fn of(&self, pixel: usize, len: usize) -> impl Iterator<Item = (usize, f32)> {
        let first = self.first + pixel as isize;
        let shares = self.shares.into_iter().enumerate();
        shares.map(move |(k, share)| {
            let at = (first + k as isize).clamp(0, len as isize - 1);
            (at as usize, share)
        })
    }
}

impl Canvas {
    /// For a camera that stays.
    pub fn still(shape: Shape) -> Self {
        Self {
            shape,
            margin: 0,
            places_px: vec![[0.0; 2]; shape.frames],
        }
    }

    pub fn moves(&self) -> bool {
        self.margin > 0
    }

    /// Room for the places and a little more.
    fn new(shape: Shape, places_px: Vec<[f64; 2]>) -> Self {
        let furthest = places_px
            .iter()
            .flatten()
            .fold(0.0, |a: f64, p| a.max(p.abs()));
        Self {
            shape,
            margin: (1.25 * furthest).ceil() as usize + 3,
            places_px,
        }
    }

    /// For a camera that passes evenly, as the trend in tilts suggests: a scene that moves looks
    /// like it. The trend is taken from the coefficients, ten a frame, as far as it is unlikely
    /// for tilts.
    pub fn passing(shape: Shape, coefficients: &mut [f64]) -> Self {
        // The variance of a tilt over that of a velocity, in frames squared.
        const RATIO: f64 = 1.7;
        let tilts = coefficients.chunks_exact(MODES.len());
        let tilts: Vec<[f64; 2]> = tilts
            .map(|c| [c[1], c[2]].map(|tilt| tilt * PIXELS_PER_RADIAN))
            .collect();
        let velocity = trend(&tilts, RATIO);
        let places: Vec<[f64; 2]> = (0..shape.frames)
            .map(|t| velocity.map(|v| time(t, shape.frames) * v))
            .collect();
        for (c, place) in coefficients.chunks_exact_mut(MODES.len()).zip(&places) {
            c[1] -= place[0] / PIXELS_PER_RADIAN;
            c[2] -= place[1] / PIXELS_PER_RADIAN;
        }
        Self::new(shape, places)
    }

    /// Columns and rows by which the scene moves from frame to frame, on the whole.
    pub fn motion_px(&self) -> [f64; 2] {
        trend(&self.places_px, 0.0).map(|v| -v)
    }

    /// How far each frame is from where an even motion would take it, in pixels.
    pub fn off_a_line(&self) -> Vec<[f64; 2]> {
        let frames = self.places_px.len();
        let velocity = trend(&self.places_px, 0.0);
        let mean = |k: usize| self.places_px.iter().map(|p| p[k]).sum::<f64>() / frames as f64;
        let means = [mean(0), mean(1)];
        let places = self.places_px.iter().enumerate();
        places
            .map(|(t, place)| [0, 1].map(|k| place[k] - means[k] - velocity[k] * time(t, frames)))
            .collect()
    }

    /// Of one picture for all frames, or of one a frame.
    pub fn extent(&self, pictures: usize) -> Shape {
        let (height, width) = (self.shape.height, self.shape.width);
        Shape::new(pictures, height + 2 * self.margin, width + 2 * self.margin)
    }

    fn along(&self, frame: usize) -> [Along; 2] {
        self.places_px[frame].map(|at| Along::new(at, self.margin))
    }

    /// What every frame shows of the one picture, or of its own.
    pub fn frames(&self, pictures: &Clip) -> Clip {
        let (shape, count) = (self.shape, pictures.shape().frames);
        let extent = self.extent(count);
        let data = (0..shape.frames)
            .into_par_iter()
            .flat_map_iter(|t| {
                let [across, down] = self.along(t);
                let mut lines = vec![0.0f32; extent.height * shape.width];
                let picture = pictures.frame(t.min(count - 1));
                let rows = picture.chunks_exact(extent.width);
                for (out, row) in lines.chunks_exact_mut(shape.width).zip(rows) {
                    for (column, o) in out.iter_mut().enumerate() {
                        *o = across
                            .of(column, extent.width)
                            .map(|(i, s)| s * row[i])
                            .sum();
                    }
                }
                let mut frame = vec![0.0f32; shape.frame_len()];
                for (row, out) in frame.chunks_exact_mut(shape.width).enumerate() {
                    for (at, share) in down.of(row, extent.height) {
                        let line = &lines[at * shape.width..(at + 1) * shape.width];
                        out.iter_mut().zip(line).for_each(|(o, l)| *o += share * l);
                    }
                }
                frame
            })
            .collect();
        Clip::new(shape, data)
    }

    /// The adjoint of [`frames`](Self::frames).
    pub fn pull(&self, slope: &[f32], pictures: usize) -> Vec<f32> {
        let (shape, extent) = (self.shape, self.extent(pictures));
        let mut all = vec![0.0f32; extent.len()];
        for (t, slope) in slope.chunks_exact(shape.frame_len()).enumerate() {
            let start = t.min(pictures - 1) * extent.frame_len();
            let sum = &mut all[start..start + extent.frame_len()];
            let [across, down] = self.along(t);
            let mut lines = vec![0.0f32; extent.height * shape.width];
            for (row, slope) in slope.chunks_exact(shape.width).enumerate() {
                for (at, share) in down.of(row, extent.height) {
                    let line = &mut lines[at * shape.width..(at + 1) * shape.width];
                    line.iter_mut()
                        .zip(slope)
                        .for_each(|(l, s)| *l += share * s);
                }
            }
            let rows = sum.chunks_exact_mut(extent.width);
            for (out, line) in rows.zip(lines.chunks_exact(shape.width)) {
                for (column, l) in line.iter().enumerate() {
                    for (i, share) in across.of(column, extent.width) {
                        out[i] += share * l;
                    }
                }
            }
        }
        all
    }

    /// The picture that frames suggest: the mean of what they show of each place, the nearest
    /// pixel standing for what a frame does not show.
    pub fn picture_of(&self, frames: &Clip) -> Clip {
        let (shape, extent) = (self.shape, self.extent(1));
        let mut sum = vec![0.0f32; extent.len()];
        let share = 1.0 / shape.frames as f32;
        for (t, frame) in frames.frames().enumerate() {
            let [right, down] = self.places_px[t].map(|at| at.round() as isize);
            let within = |at: usize, by: isize, size: usize| {
                let at = at as isize - self.margin as isize - by;
                at.clamp(0, size as isize - 1) as usize
            };
            for (row, out) in sum.chunks_exact_mut(extent.width).enumerate() {
                let start = within(row, down, shape.height) * shape.width;
                for (column, o) in out.iter_mut().enumerate() {
                    *o += share * frame[start + within(column, right, shape.width)];
                }
            }
        }
        Clip::new(extent, sum)
    }
}

/// How many frames one lies off the middle.
fn time(frame: usize, frames: usize) -> f64 {
    frame as f64 - 0.5 * (frames as f64 - 1.0)
}

/// The slope of places over time, drawn to 0 by `ridge` frames squared.
fn trend(places: &[[f64; 2]], ridge: f64) -> [f64; 2] {
    let times = || (0..places.len()).map(|t| time(t, places.len()));
    let squares = times().map(|t| t * t).sum::<f64>() + ridge;
    let along = |k: usize| times().zip(places).map(|(t, p)| t * p[k]).sum::<f64>();
    [along(0), along(1)].map(|sum| if squares > 0.0 { sum / squares } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;
    use crate::physics::dot;

    const SHAPE: Shape = Shape::new(4, 12, 10);

    fn places(velocity: [f64; 2]) -> Vec<[f64; 2]> {
        (0..SHAPE.frames)
            .map(|t| velocity.map(|v| (t as f64 - 1.5) * v))
            .collect()
    }

    #[test]
    fn the_pull_is_the_adjoint() {
        let mut noise = Noise::seeded(1);
        for (velocity, pictures) in [
            ([0.0, 0.0], 1),
            ([1.3, -0.6], 1),
            ([0.0, 0.0], 4),
            ([0.0, 2.0], 4),
        ] {
            let canvas = Canvas::new(SHAPE, places(velocity));
            let picture = noise.normal_clip(canvas.extent(pictures));
            let frames = noise.normal_clip(SHAPE);
            let there = dot(canvas.frames(&picture).data(), frames.data());
            let back = dot(picture.data(), &canvas.pull(frames.data(), pictures));
            assert!((there - back).abs() < 1e-3, "{there} {back}");
        }
    }

    #[test]
    fn a_camera_passes_over_a_ramp() {
        let canvas = Canvas::new(SHAPE, places([0.5, -1.25]));
        let extent = canvas.extent(1);
        let picture = (0..extent.frame_len()).map(|i| {
            let (row, column) = (i / extent.width, i % extent.width);
            0.1 * column as f32 + 0.01 * row as f32
        });
        let picture = Clip::new(extent, picture.collect());
        let frames = canvas.frames(&picture);
        let middle = |t: usize| frames.frame(t)[6 * SHAPE.width + 5];
        for t in 0..3 {
            let step = middle(t + 1) - middle(t);
            assert!((step - (0.1 * 0.5 - 0.01 * 1.25)).abs() < 1e-5, "{step}");
        }
        let mean = canvas.picture_of(&frames);
        let at = (extent.height / 2) * extent.width + extent.width / 2;
        assert!((mean.data()[at] - picture.data()[at]).abs() < 0.06);
    }

    #[test]
    fn a_trend_in_tilts_becomes_motion() {
        let mut coefficients = vec![0.0; SHAPE.frames * MODES.len()];
        for t in 0..SHAPE.frames {
            coefficients[t * MODES.len() + 1] = 3.0 * t as f64;
        }
        let before = coefficients.clone();
        let canvas = Canvas::passing(SHAPE, &mut coefficients);
        assert!(canvas.moves() && !Canvas::still(SHAPE).moves());
        for t in 0..SHAPE.frames {
            let tilt = |c: &[f64]| PIXELS_PER_RADIAN * c[t * MODES.len() + 1];
            let moved = tilt(&before) - tilt(&coefficients);
            assert!((moved - canvas.places_px[t][0]).abs() < 1e-9);
        }
        let [right, down] = canvas.motion_px();
        assert!(right < -1.0 && down == 0.0, "{right} {down}");
        let off = canvas.off_a_line();
        assert!(off.iter().flatten().all(|off| off.abs() < 1e-9));
    }
}
