//! A prior made of differences: along rows, columns and diagonals, of first and second order,
//! within frames and between them.

use rayon::prelude::*;

use super::Concave;
use crate::clip::Clip;

/// Differences whose squares are summed under one root, as a gradient's parts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Between neighbours along rows and columns.
    Axes,
    /// Between diagonal neighbours, over their distance.
    Diagonals,
    /// Both of those.
    Neighbours,
    /// The second differences: along rows, along columns, and sqrt(2) times the mixed one.
    Curvature,
}

/// A difference: pixels at (rows down, columns right) and their factors.
type Stencil = &'static [(usize, usize, f32)];

const HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;
const TWICE: f32 = std::f32::consts::SQRT_2;
const DIFFERENCES: [Stencil; 4] = [
    &[(0, 0, -1.0), (0, 1, 1.0)],
    &[(0, 0, -1.0), (1, 0, 1.0)],
    &[(0, 0, -HALF), (1, 1, HALF)],
    &[(0, 1, -HALF), (1, 0, HALF)],
];
const CURVATURES: [Stencil; 3] = [
    &[(0, 0, 1.0), (0, 1, -2.0), (0, 2, 1.0)],
    &[(0, 0, 1.0), (1, 0, -2.0), (2, 0, 1.0)],
    &[(0, 0, TWICE), (0, 1, -TWICE), (1, 0, -TWICE), (1, 1, TWICE)],
];

impl Group {
    fn stencils(self) -> &'static [Stencil] {
        match self {
            Group::Axes => &DIFFERENCES[..2],
            Group::Diagonals => &DIFFERENCES[2..],
            Group::Neighbours => &DIFFERENCES,
            Group::Curvature => &CURVATURES,
        }
    }
}

/// weight * sum over frames and pixels of phi(|differences|).
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// 0: differences within each frame. More: those of x[t + lag] - x[t], with this change
    /// itself among them.
    pub lag: usize,
    pub group: Group,
    pub potential: Concave,
    pub weight: f32,
    /// The factor of the change itself beside its differences; unused for lag 0.
    pub itself: f32,
}

/// The sum of its terms.
#[derive(Clone, Debug, PartialEq)]
pub struct Differences {
    pub terms: Vec<Term>,
}

impl Differences {
    /// The gradient, added to `gradient` times `weight`.
    pub fn add_gradient(&self, clip: &Clip, weight: f32, gradient: &mut [f32]) {
        let shape = clip.shape();
        let (n, width) = (shape.frame_len(), shape.width);
        let pairs = self.pairs(shape.frames);
        let pulls: Vec<Vec<f32>> = pairs
            .par_iter()
            .map(|&(lag, t)| {
                let subject = subject(clip, lag, t);
                let mut out = vec![0.0; n];
                for term in self.terms.iter().filter(|term| term.lag == lag) {
                    term.add_pull(&subject, width, weight, &mut out);
                }
                out
            })
            .collect();
        gradient
            .par_chunks_exact_mut(n)
            .enumerate()
            .for_each(|(frame, out)| {
                for (&(lag, t), pull) in pairs.iter().zip(&pulls) {
                    // A change pushes the later frame and pulls the earlier one.
                    if t + lag == frame {
                        out.iter_mut().zip(pull).for_each(|(o, p)| *o += p);
                    } else if t == frame {
                        out.iter_mut().zip(pull).for_each(|(o, p)| *o -= p);
                    }
                }
            });
    }

    /// The value, in f64.
    pub fn value(&self, clip: &Clip) -> f64 {
        let shares = self.frame_values(clip);
        shares.iter().sum()
    }

    /// The value's share of each frame: all that it is part of, half of what it shares with
    /// another frame.
    pub fn frame_values(&self, clip: &Clip) -> Vec<f64> {
        let shape = clip.shape();
        let pairs = self.pairs(shape.frames);
        let values: Vec<f64> = pairs
            .par_iter()
            .map(|&(lag, t)| {
                let subject = subject(clip, lag, t);
                let terms = self.terms.iter().filter(|term| term.lag == lag);
                terms.map(|term| term.value(&subject, shape.width)).sum()
            })
            .collect();
        let mut shares = vec![0.0; shape.frames];
        for (&(lag, t), value) in pairs.iter().zip(values) {
            shares[t] += 0.5 * value;
            shares[t + lag] += 0.5 * value;
        }
        shares
    }

    /// The quadratic that touches the prior at `clip` from above, as a function of each frame
    /// while the others rest.
    pub fn majorised(&self, clip: &Clip) -> Majorised<'_> {
        let pairs = self.pairs(clip.shape().frames);
        let weights = pairs.par_iter().map(|&(lag, t)| {
            let subject = subject(clip, lag, t);
            let terms = self.terms.iter().filter(|term| term.lag == lag);
            terms
                .map(|term| term.pulls(&term.parts(&subject, clip.shape().width), 1.0))
                .collect()
        });
        Majorised {
            terms: &self.terms,
            weights: weights.collect(),
            pairs,
        }
    }

    /// Every (lag, first frame) that some term looks at.
    fn pairs(&self, frames: usize) -> Vec<(usize, usize)> {
        let mut lags: Vec<usize> = self.terms.iter().map(|term| term.lag).collect();
        lags.sort_unstable();
        lags.dedup();
        let within = lags.into_iter().filter(|&lag| lag < frames);
        within
            .flat_map(|lag| (0..frames - lag).map(move |t| (lag, t)))
            .collect()
    }
}

/// A frame, or the change from one to another.
fn subject(clip: &Clip, lag: usize, t: usize) -> Vec<f32> {
    let frame = clip.frame(t);
    if lag == 0 {
        return frame.to_vec();
    }
    let later = clip.frame(t + lag).iter();
    later.zip(frame).map(|(b, a)| b - a).collect()
}

/// A quadratic above a [`Differences`], frame by frame.
pub struct Majorised<'a> {
    terms: &'a [Term],
    pairs: Vec<(usize, usize)>,
    /// For each pair, those of each term of its lag.
    weights: Vec<Vec<Vec<f32>>>,
}

impl Majorised<'_> {
    /// The quadratic's second derivative times `change`.
    pub fn apply(&self, change: &Clip) -> Clip {
        let shape = change.shape();
        let frames = (0..shape.frames).into_par_iter().map(|frame| {
            let mut out = vec![0.0; shape.frame_len()];
            for (&(lag, t), weights) in self.pairs.iter().zip(&self.weights) {
                if t != frame && t + lag != frame {
                    continue;
                }
                let terms = self.terms.iter().filter(|term| term.lag == lag);
                for (term, weights) in terms.zip(weights) {
                    let parts = term.parts(change.frame(frame), shape.width);
                    term.add_pulled(parts, weights, shape.width, &mut out);
                }
            }
            out
        });
        Clip::new(shape, frames.collect::<Vec<_>>().concat())
    }
}

impl Term {
    fn add_pull(&self, subject: &[f32], width: usize, weight: f32, out: &mut [f32]) {
        let parts = self.parts(subject, width);
        let pulls = self.pulls(&parts, weight);
        self.add_pulled(parts, &pulls, width, out);
    }

    /// The differences of the group, and the change itself where there is one.
    fn parts(&self, subject: &[f32], width: usize) -> Vec<Vec<f32>> {
        let stencils = self.group.stencils().iter();
        let mut parts: Vec<Vec<f32>> = stencils.map(|s| apply(s, subject, width)).collect();
        if self.lag > 0 {
            parts.push(subject.iter().map(|v| self.itself * v).collect());
        }
        parts
    }

    /// phi' over the magnitude at every pixel, weighted.
    fn pulls(&self, parts: &[Vec<f32>], weight: f32) -> Vec<f32> {
        let mut pulls = squares(parts);
        for p in &mut pulls {
            *p = weight * self.weight * self.potential.pull(*p);
        }
        pulls
    }

    fn add_pulled(&self, mut parts: Vec<Vec<f32>>, pulls: &[f32], width: usize, out: &mut [f32]) {
        for part in &mut parts {
            part.iter_mut().zip(pulls).for_each(|(d, p)| *d *= p);
        }
        let stencils = self.group.stencils();
        for (stencil, part) in stencils.iter().zip(&parts) {
            add_adjoint(stencil, part, width, out);
        }
        for change in &parts[stencils.len()..] {
            let pairs = out.iter_mut().zip(change);
            pairs.for_each(|(o, v)| *o += self.itself * v);
        }
    }

    fn value(&self, subject: &[f32], width: usize) -> f64 {
        let squares = squares(&self.parts(subject, width));
        let values = squares.iter().map(|&s| self.potential.value(s));
        f64::from(self.weight) * values.sum::<f64>()
    }
}

fn squares(parts: &[Vec<f32>]) -> Vec<f32> {
    let mut out = vec![0.0; parts.first().map_or(0, Vec::len)];
    for part in parts {
        out.iter_mut().zip(part).for_each(|(o, d)| *o += d * d);
    }
    out
}

/// The rows and columns that a stencil fits on.
fn fits(stencil: Stencil, len: usize, width: usize) -> (usize, usize) {
    let down = stencil.iter().map(|s| s.0).max().unwrap_or(0);
    let right = stencil.iter().map(|s| s.1).max().unwrap_or(0);
    let rows = (len / width).saturating_sub(down);
    match width.saturating_sub(right) {
        0 => (0, 0),
        columns => (rows, columns),
    }
}

/// The difference at every pixel, 0 where it would leave the frame.
fn apply(stencil: Stencil, frame: &[f32], width: usize) -> Vec<f32> {
    let (rows, columns) = fits(stencil, frame.len(), width);
    let mut out = vec![0.0; frame.len()];
    for y in 0..rows {
        let to = &mut out[y * width..y * width + columns];
        for &(down, right, factor) in stencil {
            let from = &frame[(y + down) * width + right..][..columns];
            to.iter_mut().zip(from).for_each(|(o, v)| *o += factor * v);
        }
    }
    out
}

fn add_adjoint(stencil: Stencil, part: &[f32], width: usize, out: &mut [f32]) {
    let (rows, columns) = fits(stencil, part.len(), width);
    for y in 0..rows {
        let from = &part[y * width..y * width + columns];
        for &(down, right, factor) in stencil {
            let to = &mut out[(y + down) * width + right..][..columns];
            to.iter_mut().zip(from).for_each(|(o, v)| *o += factor * v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::noise::Noise;
    use crate::prior::SpaceTime;

    fn term(lag: usize, group: Group, bend: f32, epsilon: f32) -> Term {
        Term {
            lag,
            group,
            potential: Concave { bend, epsilon },
            weight: 0.75,
            itself: 1.0,
        }
    }

    #[test]
    fn gradient_agrees_with_finite_differences() {
        let prior = Differences {
            terms: vec![
                term(0, Group::Axes, f32::INFINITY, 0.1),
                term(0, Group::Curvature, 0.4, 0.1),
                term(1, Group::Neighbours, 0.4, 0.1),
                Term {
                    itself: 2.0,
                    ..term(2, Group::Diagonals, 0.3, 0.2)
                },
            ],
        };
        crate::prior::slopes::agree_with_finite_differences(
            |clip| prior.value(clip),
            |clip, weight, gradient| prior.add_gradient(clip, weight, gradient),
        );
    }

    #[test]
    fn the_quadratic_has_the_slope_of_the_prior_where_they_touch() {
        let prior = Differences {
            terms: vec![
                term(0, Group::Axes, 0.3, 0.1),
                term(0, Group::Curvature, 0.4, 0.1),
            ],
        };
        let clip = Noise::seeded(5).normal_clip(Shape::new(2, 6, 7));
        let mut gradient = vec![0.0; clip.shape().len()];
        prior.add_gradient(&clip, 1.0, &mut gradient);
        let slope = prior.majorised(&clip).apply(&clip);
        for (a, b) in slope.data().iter().zip(&gradient) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }

    #[test]
    fn the_space_time_prior_is_a_special_case() {
        let clip = Noise::seeded(3).normal_clip(Shape::new(3, 6, 5));
        let known = SpaceTime {
            lags: vec![1, 2],
            temporal_weight: 0.75,
            ..SpaceTime::default()
        };
        let mut within = term(0, Group::Axes, 0.03, 1e-3);
        within.weight = 1.0;
        let terms = vec![
            within,
            term(1, Group::Axes, 0.05, 1e-3),
            term(2, Group::Axes, 0.05, 1e-3),
        ];
        let (ours, theirs) = (Differences { terms }.value(&clip), known.value(&clip));
        assert!((ours - theirs).abs() < 1e-5 * theirs, "{ours} {theirs}");
    }
}
