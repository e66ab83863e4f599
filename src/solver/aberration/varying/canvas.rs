//! One picture that a camera passes over: the scene of all frames.

use rayon::prelude::*;

use crate::clip::{Clip, Shape};

/// Frame t shows the picture from `(t - middle) * velocity` on.
#[derive(Clone, Debug)]
pub struct Canvas {
    /// Of the frames.
    shape: Shape,
    /// Pixels around a frame in the middle.
    margin: usize,
    /// Columns and rows a frame.
    velocity_px: [f64; 2],
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
    /// For frames that move by up to `velocity_px` along columns and rows from one to the next,
    /// with room for a quarter more.
    pub fn new(shape: Shape, velocity_px: [f64; 2]) -> Self {
        let fastest = velocity_px.iter().fold(0.0, |a: f64, v| a.max(v.abs()));
        let furthest = fastest * 0.5 * (shape.frames as f64 - 1.0);
        let margin = match fastest > 0.0 {
            true => (1.25 * furthest).ceil() as usize + 2,
            false => 0,
        };
        Self {
            shape,
            margin,
            velocity_px,
        }
    }

    pub fn moves(&self) -> bool {
        self.margin > 0
    }

    pub fn velocity_px(&self) -> [f64; 2] {
        self.velocity_px
    }

    pub fn set_velocity_px(&mut self, velocity_px: [f64; 2]) {
        self.velocity_px = velocity_px;
    }

    /// Of one picture for all frames, or of one a frame.
    pub fn extent(&self, pictures: usize) -> Shape {
        let (height, width) = (self.shape.height, self.shape.width);
        Shape::new(pictures, height + 2 * self.margin, width + 2 * self.margin)
    }

    /// How many velocities a frame lies off the middle.
    pub fn time(&self, frame: usize) -> f64 {
        frame as f64 - 0.5 * (self.shape.frames as f64 - 1.0)
    }

    fn along(&self, frame: usize) -> [Along; 2] {
        let at = self.time(frame);
        self.velocity_px.map(|v| Along::new(at * v, self.margin))
    }

    /// What every frame shows of the one picture, or of its own.
    pub fn frames(&self, pictures: &Clip) -> Clip {
        let (shape, count) = (self.shape, pictures.shape().frames);
        if !self.moves() {
            return Clip::new(shape, pictures.data().repeat(shape.frames / count));
        }
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
                        *o = across.of(column, extent.width).map(|(i, s)| s * row[i]).sum();
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
            if !self.moves() {
                sum.iter_mut().zip(slope).for_each(|(a, b)| *a += b);
                continue;
            }
            let [across, down] = self.along(t);
            let mut lines = vec![0.0f32; extent.height * shape.width];
            for (row, slope) in slope.chunks_exact(shape.width).enumerate() {
                for (at, share) in down.of(row, extent.height) {
                    let line = &mut lines[at * shape.width..(at + 1) * shape.width];
                    line.iter_mut().zip(slope).for_each(|(l, s)| *l += share * s);
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

    /// The pictures that frames suggest: one a frame, the nearest pixel standing for what the
    /// frame does not show, or the mean of these.
    pub fn pictures_of(&self, frames: &Clip, pictures: usize) -> Clip {
        let (shape, extent) = (self.shape, self.extent(pictures));
        let mut all = vec![0.0f32; extent.len()];
        let share = pictures as f32 / shape.frames as f32;
        for (t, frame) in frames.frames().enumerate() {
            let at = self.time(t);
            let [right, down] = self.velocity_px.map(|v| (at * v).round() as isize);
            let within = |at: usize, by: isize, size: usize| {
                let at = at as isize - self.margin as isize - by;
                at.clamp(0, size as isize - 1) as usize
            };
            let start = t.min(pictures - 1) * extent.frame_len();
            let sum = &mut all[start..start + extent.frame_len()];
            for (row, out) in sum.chunks_exact_mut(extent.width).enumerate() {
                let start = within(row, down, shape.height) * shape.width;
                for (column, o) in out.iter_mut().enumerate() {
                    *o += share * frame[start + within(column, right, shape.width)];
                }
            }
        }
        Clip::new(extent, all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;
    use crate::physics::dot;

    const SHAPE: Shape = Shape::new(4, 12, 10);

    #[test]
    fn the_pull_is_the_adjoint() {
        let mut noise = Noise::seeded(1);
        for (velocity, pictures) in [
            ([0.0, 0.0], 1),
            ([1.3, -0.6], 1),
            ([0.0, 0.0], 4),
            ([0.0, 2.0], 4),
        ] {
            let canvas = Canvas::new(SHAPE, velocity);
            let picture = noise.normal_clip(canvas.extent(pictures));
            let frames = noise.normal_clip(SHAPE);
            let there = dot(canvas.frames(&picture).data(), frames.data());
            let back = dot(picture.data(), &canvas.pull(frames.data(), pictures));
            assert!((there - back).abs() < 1e-3, "{there} {back}");
        }
    }

    #[test]
    fn a_camera_passes_over_a_ramp() {
        let canvas = Canvas::new(SHAPE, [0.5, -1.25]);
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
        let mean = canvas.pictures_of(&frames, 1);
        let at = (extent.height / 2) * extent.width + extent.width / 2;
        assert!((mean.data()[at] - picture.data()[at]).abs() < 0.06);
    }
}
