//! Isotropic space-time total variation: smoothed for descent, exact as a denoiser.

use rayon::prelude::*;

use super::{Denoiser, PriorError};
use crate::clip::{Clip, Shape};

/// sum over pixels of sqrt(dx^2 + dy^2 + dt^2 + eps^2), forward differences, none across
/// the clip's ends.
pub struct TotalVariation {
    pub epsilon: f32,
}

impl TotalVariation {
    /// The value, and its gradient added to `gradient` times `weight`.
    pub fn add_gradient(&self, clip: &Clip, weight: f32, gradient: &mut [f32]) {
        let shape = clip.shape();
        let (n, width) = (shape.frame_len(), shape.width);
        // One over the magnitude at every pixel, times the weight.
        let mut inverse = vec![0.0f32; shape.len()];
        inverse
            .par_chunks_exact_mut(n)
            .enumerate()
            .for_each(|(t, out)| {
                let frame = clip.frame(t);
                let next = clip.frame((t + 1).min(shape.frames - 1));
                let squared = self.epsilon * self.epsilon;
                for (o, (a, b)) in out.iter_mut().zip(frame.iter().zip(next)) {
                    *o = squared + (b - a) * (b - a);
                }
                for (o, (a, b)) in out.iter_mut().zip(frame.iter().zip(&frame[width.min(n)..])) {
                    *o += (b - a) * (b - a);
                }
                for (o, row) in out.chunks_exact_mut(width).zip(frame.chunks_exact(width)) {
                    for (o, (a, b)) in o.iter_mut().zip(row.iter().zip(&row[1..])) {
                        *o += (b - a) * (b - a);
                    }
                }
                for o in out.iter_mut() {
                    *o = weight / o.sqrt();
                }
            });
        gradient
            .par_chunks_exact_mut(n)
            .enumerate()
            .for_each(|(t, out)| {
                let frame = clip.frame(t);
                let here = &inverse[t * n..(t + 1) * n];
                // Each forward difference d of a pixel pair pulls the first by -d and
                // pushes the second by +d, over the magnitude at the first.
                if t + 1 < shape.frames {
                    let next = clip.frame(t + 1);
                    for (i, o) in out.iter_mut().enumerate() {
                        *o -= (next[i] - frame[i]) * here[i];
                    }
                }
                if t > 0 {
                    let last = clip.frame(t - 1);
                    let before = &inverse[(t - 1) * n..t * n];
                    for (i, o) in out.iter_mut().enumerate() {
                        *o += (frame[i] - last[i]) * before[i];
                    }
                }
                let mut push = vec![0.0f32; n];
                for i in 0..n - width {
                    push[i] = (frame[i + width] - frame[i]) * here[i];
                }
                for i in 0..n - width {
                    out[i] -= push[i];
                }
                for i in width..n {
                    out[i] += push[i - width];
                }
                for (start, o) in (0..n).step_by(width).zip(out.chunks_exact_mut(width)) {
                    let row = &frame[start..start + width];
                    let w = &here[start..start + width];
                    let push = &mut push[..width];
                    for x in 0..width - 1 {
                        push[x] = (row[x + 1] - row[x]) * w[x];
                    }
                    for x in 0..width - 1 {
                        o[x] -= push[x];
                    }
                    for x in 1..width {
                        o[x] += push[x - 1];
                    }
                }
            });
    }

    /// The value of the sum, in f64.
    pub fn value(&self, clip: &Clip) -> f64 {
        let shape = clip.shape();
        let mut total = 0.0;
        for t in 0..shape.frames {
            let frame = clip.frame(t);
            let next = clip.frame((t + 1).min(shape.frames - 1));
            for y in 0..shape.height {
                for x in 0..shape.width {
                    let i = y * shape.width + x;
                    let right = if x + 1 < shape.width {
                        frame[i + 1] - frame[i]
                    } else {
                        0.0
                    };
                    let down = if y + 1 < shape.height {
                        frame[i + shape.width] - frame[i]
                    } else {
                        0.0
                    };
                    let later = next[i] - frame[i];
                    let squared = right * right + down * down + later * later;
                    total += f64::from(squared + self.epsilon * self.epsilon).sqrt();
                }
            }
        }
        total
    }
}

/// Denoises by minimising ||x - y||^2 / 2 + weight sigma TV(x), TV being isotropic in space and time.
///
/// The dual of that (Chambolle, 2004) by accelerated projected gradients (Beck and Teboulle,
/// 2009).
#[derive(Clone, Copy, Debug)]
pub struct Tv {
    weight: f64,
}

impl Default for Tv {
    /// A weight of 0.55: it suits noise of 10 to 50 of 255; stronger noise wants a larger one.
    fn default() -> Self {
        Self { weight: 0.55 }
    }
}

impl Tv {
    const ITERATIONS: usize = 60;
    /// One over the squared norm of the gradient, three differences of two pixels each.
    const STEP: f32 = 1.0 / 12.0;

    /// # Panics
    /// When `weight` is not above zero.
    pub fn weighing(weight: f64) -> Self {
        assert!(weight > 0.0, "a weight is above zero");
        Self { weight }
    }
}

/// The dual variable: a vector of three differences (column, row, frame) at every pixel.
type Dual = [Vec<f32>; 3];

impl Denoiser for Tv {
    fn name(&self) -> &str {
        "tv"
    }

    fn denoise(&mut self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError> {
        self.check_shape(noisy.shape())?;
        let weight = (self.weight * sigma) as f32;
        let n = noisy.shape().len();
        let mut dual: Dual = std::array::from_fn(|_| vec![0.0; n]);
        let mut ahead = dual.clone();
        let mut momentum = 1.0f32;
        for _ in 0..Self::ITERATIONS {
            let video = minus_divergence(noisy, &ahead, weight);
            let next = (1.0 + (1.0 + 4.0 * momentum * momentum).sqrt()) / 2.0;
            let push = (momentum - 1.0) / next;
            momentum = next;
            ascend(&video, Self::STEP / weight, push, &mut dual, &mut ahead);
        }
        Ok(minus_divergence(noisy, &dual, weight))
    }

    fn check_shape(&self, shape: Shape) -> Result<(), PriorError> {
        match shape.is_empty() {
            true => Err(PriorError::Empty(shape)),
            false => Ok(()),
        }
    }
}

/// `noisy` - `weight` D^T p, D being the forward differences.
fn minus_divergence(noisy: &Clip, [across, down, later]: &Dual, weight: f32) -> Clip {
    let shape = noisy.shape();
    let (n, width) = (shape.frame_len(), shape.width);
    let mut out = noisy.clone();
    let frames = out.data_mut().par_chunks_exact_mut(n).enumerate();
    frames.for_each(|(t, out)| {
        let here = t * n..(t + 1) * n;
        let (across, down) = (&across[here.clone()], &down[here.clone()]);
        for (o, p) in out.iter_mut().zip(&later[here]) {
            *o += weight * p;
        }
        if t > 0 {
            for (o, p) in out.iter_mut().zip(&later[(t - 1) * n..t * n]) {
                *o -= weight * p;
            }
        }
        for (o, p) in out.iter_mut().zip(down) {
            *o += weight * p;
        }
        for (o, p) in out[width..].iter_mut().zip(down) {
            *o -= weight * p;
        }
        for (o, p) in out.chunks_exact_mut(width).zip(across.chunks_exact(width)) {
            for (o, p) in o.iter_mut().zip(p) {
                *o += weight * p;
            }
            for (o, p) in o[1..].iter_mut().zip(p) {
                *o -= weight * p;
            }
        }
    });
    out
}

/// Steps `dual` from `ahead` along D `video`, projects it on vectors of length 1 at most, and
/// puts `ahead` the share `push` of the way it went beyond it.
fn ascend(video: &Clip, step: f32, push: f32, dual: &mut Dual, ahead: &mut Dual) {
    let shape = video.shape();
    let (n, width) = (shape.frame_len(), shape.width);
    let [da, dd, dl] = dual;
    let [aa, ad, al] = ahead;
    let dual = da
        .par_chunks_mut(n)
        .zip(dd.par_chunks_mut(n))
        .zip(dl.par_chunks_mut(n));
    let ahead = aa
        .par_chunks_mut(n)
        .zip(ad.par_chunks_mut(n))
        .zip(al.par_chunks_mut(n));
    dual.zip(ahead).enumerate().for_each(|(t, (dual, ahead))| {
        let ((da, dd), dl) = dual;
        let ((aa, ad), al) = ahead;
        let frame = video.frame(t);
        let next = video.frame((t + 1).min(shape.frames - 1));
        for (a, (v, next)) in al.iter_mut().zip(frame.iter().zip(next)) {
            *a += step * (next - v);
        }
        for (a, (v, below)) in ad.iter_mut().zip(frame.iter().zip(&frame[width..])) {
            *a += step * (below - v);
        }
        for (a, row) in aa.chunks_exact_mut(width).zip(frame.chunks_exact(width)) {
            for (a, (v, right)) in a.iter_mut().zip(row.iter().zip(&row[1..])) {
                *a += step * (right - v);
            }
        }
        for i in 0..n {
            let length = (aa[i] * aa[i] + ad[i] * ad[i] + al[i] * al[i]).sqrt();
            let scale = 1.0 / length.max(1.0);
            for (ahead, dual) in [
                (&mut *aa, &mut *da),
                (&mut *ad, &mut *dd),
                (&mut *al, &mut *dl),
            ] {
                let projected = scale * ahead[i];
                ahead[i] = projected + push * (projected - dual[i]);
                dual[i] = projected;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::noise::Noise;

    #[test]
    fn gradient_agrees_with_finite_differences() {
        let tv = TotalVariation { epsilon: 0.1 };
        crate::prior::slopes::agree_with_finite_differences(
            |clip| tv.value(clip),
            |clip, weight, gradient| tv.add_gradient(clip, weight, gradient),
        );
    }

    #[test]
    fn the_denoised_clip_is_the_minimum() {
        let shape = Shape::new(3, 9, 8);
        let step = |i: usize| if i % 8 < 4 { 0.2 } else { 0.7 };
        let clean = Clip::new(shape, (0..shape.len()).map(step).collect());
        let noise = Noise::seeded(6).normal_clip(shape);
        let noisy = clean.zip(&noise, |c, n| c + 0.1 * n);
        let cost = |x: &Clip| {
            let misfit = x.data().iter().zip(noisy.data());
            let misfit: f64 = misfit.map(|(x, y)| f64::from(x - y).powi(2)).sum();
            0.5 * misfit + Tv::default().weight * 0.1 * TotalVariation { epsilon: 0.0 }.value(x)
        };
        let out = Tv::default().denoise(&noisy, 0.1).unwrap();
        let best = cost(&out);
        // No step from it, along noise or towards anything likely, is downhill by more than
        // what the iterations leave.
        for seed in 0..5 {
            let direction = Noise::seeded(seed).normal_clip(shape);
            for by in [-1e-2, -1e-3, 1e-3, 1e-2] {
                assert!(cost(&out.zip(&direction, |o, d| o + by * d)) > best);
            }
        }
        for other in [&clean, &noisy] {
            assert!(cost(&out.zip(other, |o, c| o + 0.05 * (c - o))) > best - 1e-4);
        }
    }

    #[test]
    fn flat_clips_stay_and_any_shape_will_do() {
        for shape in [
            Shape::new(1, 1, 1),
            Shape::new(1, 7, 5),
            Shape::new(6, 1, 3),
        ] {
            let flat = Clip::filled(shape, 0.4);
            assert_eq!(Tv::default().denoise(&flat, 0.1).unwrap(), flat);
            let noisy = Noise::seeded(1).normal_clip(shape);
            let out = Tv::default().denoise(&noisy, 100.0).unwrap();
            let mean = noisy.data().iter().sum::<f32>() / shape.len() as f32;
            assert!(
                out.data().iter().all(|v| (v - mean).abs() < 0.05),
                "{shape}"
            );
        }
        assert!(
            Tv::default()
                .denoise(&Clip::zeros(Shape::new(0, 2, 2)), 0.1)
                .is_err()
        );
    }
}
