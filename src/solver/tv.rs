//! Isotropic space-time total variation, smoothed.

use rayon::prelude::*;

use crate::clip::Clip;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::noise::Noise;

    #[test]
    fn gradient_agrees_with_finite_differences() {
        let tv = TotalVariation { epsilon: 0.1 };
        for shape in [
            Shape::new(3, 5, 7),
            Shape::new(1, 1, 4),
            Shape::new(2, 4, 1),
        ] {
            let clip = Noise::seeded(1).normal_clip(shape);
            let direction = Noise::seeded(2).normal_clip(shape);
            let mut gradient = vec![0.0; shape.len()];
            tv.add_gradient(&clip, 2.0, &mut gradient);
            let at = |by: f32| tv.value(&clip.zip(&direction, |c, d| c + by * d));
            let slope = 2.0 * (at(1e-3) - at(-1e-3)) / 2e-3;
            let products = gradient.iter().zip(direction.data());
            let analytic: f64 = products.map(|(g, d)| f64::from(g * d)).sum();
            assert!(
                (slope - analytic).abs() < 1e-2 * slope.abs(),
                "{shape}: {analytic} {slope}"
            );
        }
    }
}
