//! A prior of still and moving edges: concave, over several spans of time.

use rayon::prelude::*;

use crate::clip::Clip;

/// phi_a(v) = a log(1 + (v - eps) / a): near v for small v, and flat for large ones, so strong
/// edges cost little more than weak ones. An infinite `a` is total variation.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Concave {
    /// Where the potential bends, in units of amplitude.
    pub bend: f32,
    /// Smoothing of the magnitude near 0.
    pub epsilon: f32,
}

impl Concave {
    /// phi'(v) / v at v = sqrt(squared + eps^2).
    #[inline(always)]
    pub(super) fn pull(self, squared: f32) -> f32 {
        let v = (squared + self.epsilon * self.epsilon).sqrt();
        1.0 / (v * (1.0 + (v - self.epsilon) / self.bend))
    }

    pub(super) fn value(self, squared: f32) -> f64 {
        let v = (squared + self.epsilon * self.epsilon).sqrt();
        let excess = f64::from(v - self.epsilon);
        match self.bend.is_finite() {
            true => f64::from(self.bend) * (excess / f64::from(self.bend)).ln_1p(),
            false => excess,
        }
    }
}

/// sum phi(|grad x_t|) + `temporal_weight` * sum over lags l of phi(|(q, grad q)|),
/// q = x_{t+l} - x_t, grad being forward differences, none across the frame's ends.
///
/// The temporal part compares frames several steps apart and asks not only that pixels stay
/// but that, where they change, they change smoothly: 3 to 4 dB on near-static scenes.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct SpaceTime {
    pub spatial: Concave,
    pub temporal: Concave,
    pub temporal_weight: f32,
    /// Spans of time, in frames.
    pub lags: Vec<usize>,
}

impl Default for SpaceTime {
    fn default() -> Self {
        let concave = |bend| Concave {
            bend,
            epsilon: 1e-3,
        };
        Self {
            spatial: concave(0.03),
            temporal: concave(0.05),
            temporal_weight: 0.75,
            lags: vec![1, 2, 3, 5],
        }
    }
}

impl SpaceTime {
    /// The gradient, added to `gradient` times `weight`.
    pub fn add_gradient(&self, clip: &Clip, weight: f32, gradient: &mut [f32]) {
        let shape = clip.shape();
        let n = shape.frame_len();
        let pairs = self.pairs(shape.frames);
        // The gradient with respect to each difference of frames, which the later frame gets
        // and the earlier one loses.
        let pulls: Vec<Vec<f32>> = pairs
            .par_iter()
            .map(|&(earlier, later)| {
                let (a, b) = (clip.frame(earlier), clip.frame(later));
                let q: Vec<f32> = a.iter().zip(b).map(|(a, b)| b - a).collect();
                let mut pull = vec![0.0; n];
                let weight = weight * self.temporal_weight;
                add_frame(&q, shape.width, self.temporal, true, weight, &mut pull);
                pull
            })
            .collect();
        gradient
            .par_chunks_exact_mut(n)
            .enumerate()
            .for_each(|(t, out)| {
                let frame = clip.frame(t);
                add_frame(frame, shape.width, self.spatial, false, weight, out);
                for (&(earlier, later), pull) in pairs.iter().zip(&pulls) {
                    if later == t {
                        out.iter_mut().zip(pull).for_each(|(o, p)| *o += p);
                    } else if earlier == t {
                        out.iter_mut().zip(pull).for_each(|(o, p)| *o -= p);
                    }
                }
            });
    }

    /// The value, in f64.
    pub fn value(&self, clip: &Clip) -> f64 {
        let shape = clip.shape();
        let sum = |frame: &[f32], phi: Concave, itself: bool| -> f64 {
            let squares = squares(frame, shape.width, itself);
            squares.iter().map(|&s| phi.value(s)).sum()
        };
        let spatial: f64 = (0..shape.frames)
            .into_par_iter()
            .map(|t| sum(clip.frame(t), self.spatial, false))
            .collect::<Vec<_>>()
            .iter()
            .sum();
        let temporal: f64 = self
            .pairs(shape.frames)
            .into_par_iter()
            .map(|(earlier, later)| {
                let (a, b) = (clip.frame(earlier), clip.frame(later));
                let q: Vec<f32> = a.iter().zip(b).map(|(a, b)| b - a).collect();
                sum(&q, self.temporal, true)
            })
            .collect::<Vec<_>>()
            .iter()
            .sum();
        spatial + f64::from(self.temporal_weight) * temporal
    }

    fn pairs(&self, frames: usize) -> Vec<(usize, usize)> {
        let lags = self.lags.iter().filter(|&&lag| lag > 0 && lag < frames);
        lags.flat_map(|&lag| (0..frames - lag).map(move |t| (t, t + lag)))
            .collect()
    }
}

/// dx^2 + dy^2 at every pixel, and the square of the value `itself` where asked for.
fn squares(frame: &[f32], width: usize, itself: bool) -> Vec<f32> {
    let mut out: Vec<f32> = match itself {
        true => frame.iter().map(|v| v * v).collect(),
        false => vec![0.0; frame.len()],
    };
    for (o, (a, b)) in out.iter_mut().zip(frame.iter().zip(&frame[width..])) {
        *o += (b - a) * (b - a);
    }
    for (o, row) in out.chunks_exact_mut(width).zip(frame.chunks_exact(width)) {
        for (o, (a, b)) in o.iter_mut().zip(row.iter().zip(&row[1..])) {
            *o += (b - a) * (b - a);
        }
    }
    out
}

/// Adds the gradient of `weight` * sum phi to `out`.
fn add_frame(
    frame: &[f32],
    width: usize,
    phi: Concave,
    itself: bool,
    weight: f32,
    out: &mut [f32],
) {
    let n = frame.len();
    let mut pull = squares(frame, width, itself);
    for p in &mut pull {
        *p = weight * phi.pull(*p);
    }
    if itself {
        for (o, (v, p)) in out.iter_mut().zip(frame.iter().zip(&pull)) {
            *o += v * p;
        }
    }
    // A difference d of two pixels pulls the first by -d and pushes the second by +d.
    let mut push = vec![0.0f32; n];
    for (push, ((a, b), p)) in push
        .iter_mut()
        .zip(frame.iter().zip(&frame[width..]).zip(&pull))
    {
        *push = (b - a) * p;
    }
    let inner = n - width;
    for (o, p) in out[..inner].iter_mut().zip(&push) {
        *o -= p;
    }
    for (o, p) in out[width..].iter_mut().zip(&push[..inner]) {
        *o += p;
    }
    let rows = frame.chunks_exact(width).zip(pull.chunks_exact(width));
    let push = &mut push[..width];
    for (out, (row, pull)) in out.chunks_exact_mut(width).zip(rows) {
        for (push, ((a, b), p)) in push.iter_mut().zip(row.iter().zip(&row[1..]).zip(pull)) {
            *push = (b - a) * p;
        }
        for (o, p) in out[..width - 1].iter_mut().zip(&*push) {
            *o -= p;
        }
        for (o, p) in out[1..].iter_mut().zip(&push[..width - 1]) {
            *o += p;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;

    #[test]
    fn gradient_agrees_with_finite_differences() {
        let prior = SpaceTime {
            spatial: Concave {
                bend: f32::INFINITY,
                epsilon: 0.1,
            },
            temporal: Concave {
                bend: 0.4,
                epsilon: 0.1,
            },
            ..SpaceTime::default()
        };
        crate::prior::slopes::agree_with_finite_differences(
            |clip| prior.value(clip),
            |clip, weight, gradient| prior.add_gradient(clip, weight, gradient),
        );
    }

    #[test]
    fn a_still_and_flat_clip_costs_nothing() {
        let clip = Clip::filled(Shape::new(6, 8, 8), 0.4);
        assert_eq!(SpaceTime::default().value(&clip), 0.0);
    }
}
