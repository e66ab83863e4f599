//! One pass of block matching over a clip: match, stack, shrink, put back.

use rayon::prelude::*;

use super::block::{BlockSize, Transform};
use super::stack;
use crate::clip::{Clip, Shape};

/// Settings of one pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    pub block: BlockSize,
    /// Distance of reference blocks along each axis.
    pub step: BlockSize,
    /// How far similar blocks may lie from their reference, along each axis.
    pub reach: BlockSize,
    /// The most blocks in a stack, a power of two.
    pub stack: usize,
    /// Threshold of the joint spectrum in units of the noise; unused with a pilot.
    pub threshold: f32,
    /// Shape of the Kaiser window that fades each block to its border.
    pub fading: f64,
}

/// Rows of reference blocks that one task takes.
const ROWS: usize = 4;

impl Pass {
    /// The clip with its noise of standard deviation `sigma` shrunk: by a threshold, or by
    /// Wiener's filter where `pilot` is an estimate of the clean clip.
    pub fn run(&self, noisy: &Clip, pilot: Option<&Clip>, sigma: f32) -> Clip {
        let shape = noisy.shape();
        let work = Work {
            pass: self,
            noisy,
            pilot,
            sigma,
            shape,
            size: self.block.within(shape),
        };
        let places = work.size.places(shape);
        let rows = references(places.height, self.step.height);
        let columns = references(places.width, self.step.width);
        let frames = references(places.frames, self.step.frames);
        let bands: Vec<Band> = rows
            .par_chunks(ROWS)
            .map(|rows| work.band(&frames, rows, &columns))
            .collect();
        let mut sums = vec![0.0f32; shape.len()];
        let mut weights = vec![0.0f32; shape.len()];
        for band in &bands {
            let len = band.height * shape.width;
            for t in 0..shape.frames {
                let from = t * len..(t + 1) * len;
                let start = (t * shape.height + band.top) * shape.width;
                let to = start..start + len;
                add(&mut sums[to.clone()], &band.sums[from.clone()]);
                add(&mut weights[to], &band.weights[from]);
            }
        }
        let values = sums.iter().zip(&weights).map(|(s, w)| s / w);
        Clip::new(shape, values.collect())
    }
}

fn add(to: &mut [f32], from: &[f32]) {
    for (t, f) in to.iter_mut().zip(from) {
        *t += f;
    }
}

/// Every `step`-th of `places`, and the last.
fn references(places: usize, step: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (0..places).step_by(step).collect();
    if all.last() != Some(&(places - 1)) {
        all.push(places - 1);
    }
    all
}

/// The weighted sums of the estimates of some rows of the clip.
struct Band {
    top: usize,
    height: usize,
    sums: Vec<f32>,
    weights: Vec<f32>,
}

struct Work<'a> {
    pass: &'a Pass,
    noisy: &'a Clip,
    pilot: Option<&'a Clip>,
    sigma: f32,
    shape: Shape,
    size: BlockSize,
}

impl Work<'_> {
    /// All stacks whose references lie on these rows.
    fn band(&self, frames: &[usize], rows: &[usize], columns: &[usize]) -> Band {
        let len = self.size.len();
        let all = self.size.places(self.shape);
        let reach = self.pass.reach;
        let top = rows[0].saturating_sub(reach.height);
        let bottom = (rows[rows.len() - 1] + reach.height).min(all.height - 1);
        // Where blocks of this band can start; `top` is the first of its rows.
        let places = Shape {
            height: bottom - top + 1,
            ..all
        };
        let transform = Transform::new(self.size);
        let spectra_of = |clip: &Clip| {
            let mut spectra = vec![0.0f32; places.len() * len];
            for (i, out) in spectra.chunks_exact_mut(len).enumerate() {
                let (t, rest) = (i / places.frame_len(), i % places.frame_len());
                let (y, x) = (top + rest / places.width, rest % places.width);
                transform.forward(clip, t, y, x, out);
            }
            spectra
        };
        let noisy = spectra_of(self.noisy);
        let pilot = self.pilot.map(spectra_of);
        let matched = pilot.as_ref().unwrap_or(&noisy);

        let mut estimates = vec![0.0f32; noisy.len()];
        let mut weights = vec![0.0f32; places.len()];
        let mut stack = Stack::new(self.pass.stack, len);
        for &t in frames {
            for &y in rows {
                for &x in columns {
                    let count = stack.find(self.pass, matched, len, places, (t, y - top, x));
                    let weight = self.shrink(&mut stack, count, &noisy, pilot.as_deref());
                    let rows = stack.rows.chunks_exact(len);
                    for (&(_, place), row) in stack.found[..count].iter().zip(rows) {
                        let place = place as usize;
                        weights[place] += weight;
                        let estimate = &mut estimates[place * len..(place + 1) * len];
                        for (e, r) in estimate.iter_mut().zip(row) {
                            *e += weight * r;
                        }
                    }
                }
            }
        }
        self.put_back(top, places, estimates, &weights, &transform)
    }

    /// Shrinks the noisy blocks of the stack, in `stack.rows`, and gives the weight of the result.
    fn shrink(&self, stack: &mut Stack, count: usize, noisy: &[f32], pilot: Option<&[f32]>) -> f32 {
        let len = self.size.len();
        let Stack {
            found,
            rows,
            pilot_rows,
            spare,
        } = stack;
        let rows = &mut rows[..count * len];
        let gather = |spectra: &[f32], rows: &mut [f32]| {
            for (&(_, place), row) in found.iter().zip(rows.chunks_exact_mut(len)) {
                let start = place as usize * len;
                row.copy_from_slice(&spectra[start..start + len]);
            }
        };
        gather(noisy, rows);
        stack::haar(rows, len, spare);
        let left = match pilot {
            None => stack::threshold(rows, self.pass.threshold * self.sigma),
            Some(pilot) => {
                let pilot_rows = &mut pilot_rows[..count * len];
                gather(pilot, pilot_rows);
                stack::haar(pilot_rows, len, spare);
                stack::wiener(rows, pilot_rows, self.sigma * self.sigma)
            }
        };
        stack::haar_inverse(rows, len, spare);
        left.recip()
    }

    /// Turns the weighted spectra of all places into pixels.
    fn put_back(
        &self,
        top: usize,
        places: Shape,
        mut estimates: Vec<f32>,
        weights: &[f32],
        transform: &Transform,
    ) -> Band {
        let BlockSize {
            frames,
            height,
            width,
        } = self.size;
        let window = window(self.size, self.pass.fading);
        let band_height = places.height + height - 1;
        let n = self.shape.frames * band_height * self.shape.width;
        let mut band = Band {
            top,
            height: band_height,
            sums: vec![0.0; n],
            weights: vec![0.0; n],
        };
        let len = self.size.len();
        for (i, (spectrum, &weight)) in estimates.chunks_exact_mut(len).zip(weights).enumerate() {
            if weight == 0.0 {
                continue;
            }
            transform.inverse(spectrum);
            let (t, rest) = (i / places.frame_len(), i % places.frame_len());
            let (y, x) = (rest / places.width, rest % places.width);
            for k in 0..frames {
                for j in 0..height {
                    let to = ((t + k) * band_height + y + j) * self.shape.width + x;
                    let from = (k * height + j) * width;
                    let sums = &mut band.sums[to..to + width];
                    let counts = &mut band.weights[to..to + width];
                    for i in 0..width {
                        sums[i] += window[from + i] * spectrum[from + i];
                        counts[i] += window[from + i] * weight;
                    }
                }
            }
        }
        band
    }
}

/// The blocks that look like a reference, and room to shrink them.
struct Stack {
    /// Squared distance and place, nearest first.
    found: Vec<(f32, u32)>,
    rows: Vec<f32>,
    pilot_rows: Vec<f32>,
    spare: Vec<f32>,
}

impl Stack {
    fn new(most: usize, len: usize) -> Self {
        Self {
            found: Vec::with_capacity(most + 1),
            rows: vec![0.0; most * len],
            pilot_rows: vec![0.0; most * len],
            spare: vec![0.0; most * len],
        }
    }

    /// Finds the nearest blocks around a reference, itself the first, and gives how many of
    /// them make a stack: the largest power of two.
    fn find(
        &mut self,
        pass: &Pass,
        spectra: &[f32],
        len: usize,
        places: Shape,
        (t, y, x): (usize, usize, usize),
    ) -> usize {
        let block = |place: usize| &spectra[place * len..(place + 1) * len];
        let place = |t: usize, y: usize, x: usize| (t * places.height + y) * places.width + x;
        let own = place(t, y, x);
        let reference = block(own);
        let around = |at: usize, reach: usize, all: usize| {
            at.saturating_sub(reach)..(at + reach + 1).min(all)
        };
        self.found.clear();
        self.found.push((-1.0, own as u32));
        for t in around(t, pass.reach.frames, places.frames) {
            for y in around(y, pass.reach.height, places.height) {
                for x in around(x, pass.reach.width, places.width) {
                    let candidate = place(t, y, x);
                    let distance = stack::distance(reference, block(candidate));
                    let full = self.found.len() == pass.stack;
                    let worst = self.found[self.found.len() - 1].0;
                    if (full && distance >= worst) || candidate == own {
                        continue;
                    }
                    if full {
                        self.found.pop();
                    }
                    let rank = self.found.partition_point(|f| f.0 <= distance);
                    self.found.insert(rank, (distance, candidate as u32));
                }
            }
        }
        1 << self.found.len().ilog2()
    }
}

/// A separable Kaiser window, 1 at most.
fn window(size: BlockSize, fading: f64) -> Vec<f32> {
    let axis = |n: usize| -> Vec<f64> {
        let place = |i: usize| match n {
            1 => 0.0,
            _ => 2.0 * i as f64 / (n - 1) as f64 - 1.0,
        };
        let bell = |u: f64| bessel_i0(fading * (1.0 - u * u).sqrt()) / bessel_i0(fading);
        (0..n).map(|i| bell(place(i))).collect()
    };
    let (frames, rows, columns) = (axis(size.frames), axis(size.height), axis(size.width));
    let mut out = Vec::with_capacity(size.len());
    for f in &frames {
        for r in &rows {
            out.extend(columns.iter().map(|c| (f * r * c) as f32));
        }
    }
    out
}

/// The modified Bessel function of order 0, by its series.
fn bessel_i0(x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..40 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}
