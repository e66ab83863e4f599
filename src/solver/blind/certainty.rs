//! How far a distance and a width may be off, if prior and noise are as assumed.

use rayon::prelude::*;

use super::problem::{Problem, State};
use crate::clip::Clip;
use crate::physics::{ForwardModel, Scatter, dot};
use crate::prior::Differences;

/// Half the step of the measurement's derivatives: of the distance over pitch^2 / wavelength,
/// and of the effective width in px.
const DIST_STEP: f64 = 0.01;
const WIDTH_STEP: f64 = 0.005;

/// Iterations of the conjugate gradients for each of the two parameters.
pub(super) const ITERATIONS: usize = 30;

/// Standard deviations of the distances (mm) and the effective widths (px).
#[derive(Clone, Debug)]
pub(super) struct Spread {
    pub dist: Vec<f64>,
    pub width: Vec<f64>,
}

/// The deviations from the curvature of the objective D + mu R, D being half the squared
/// residual: the video's share is taken out of the parameters' by solving with J^T J + mu L,
/// where J is the derivative of the measurement by the video and L the quadratic above the
/// prior, each frame for itself (the Schur complement).
pub(super) fn spread(
    problem: &Problem,
    model: &Scatter,
    state: &State,
    (prior, weight): (&Differences, f64),
    noise: f64,
) -> Spread {
    let linearised = model.linearise(&state.video);
    let quadratic = prior.majorised(&state.video);
    // Pixels on a bound of [0, 1] do not move.
    let free = state.video.map(|u| f32::from(u > 0.0 && u < 1.0));
    let curvature = |z: &Clip| -> Clip {
        let data = (linearised.pullback)(&(linearised.pushforward)(z), false).video;
        let both = data.zip(&quadratic.apply(z), |d, r| d + weight as f32 * r);
        both.zip(&free, |v, f| v * f)
    };
    let columns = [
        derivative(problem, state, DIST_STEP * problem.depth_mm, 0.0),
        derivative(problem, state, 0.0, WIDTH_STEP),
    ];
    let pulled = columns.each_ref().map(|column| {
        let pulled = (linearised.pullback)(column, false).video;
        pulled.zip(&free, |v, f| v * f)
    });
    let solved = pulled.each_ref().map(|b| solve(curvature, b));
    let frames = 0..problem.shape.frames;
    let matrices: Vec<[f64; 3]> = frames
        .map(|f| {
            let entry = |i: usize, j: usize| {
                dot(columns[i].frame(f), columns[j].frame(f))
                    - dot(pulled[i].frame(f), solved[j].frame(f))
            };
            [entry(0, 0), entry(0, 1), entry(1, 1)]
        })
        .collect();
    let both = !problem.dist.is_known() && !problem.width.is_known();
    let deviations = |i: usize, shared: bool| -> Vec<f64> {
        // What remains of the curvature when the other parameter follows.
        let remaining = |m: &[f64; 3]| {
            let (own, other) = (m[2 * i], m[2 - 2 * i]);
            let follows = if both && other > 0.0 {
                m[1] * m[1] / other
            } else {
                0.0
            };
            own - follows
        };
        let remains: Vec<f64> = matrices.iter().map(remaining).collect();
        let remains = if shared {
            vec![remains.iter().sum()]
        } else {
            remains
        };
        let deviation = |r: f64| {
            if r > 0.0 {
                noise / r.sqrt()
            } else {
                f64::INFINITY
            }
        };
        remains.into_iter().map(deviation).collect()
    };
    Spread {
        dist: deviations(0, problem.dist.is_shared()),
        width: deviations(1, problem.width.is_shared()),
    }
}

/// The measurement's derivative by the distance or the width of each frame.
fn derivative(problem: &Problem, state: &State, dist: f64, width: f64) -> Clip {
    let frames = (0..problem.shape.frames).into_par_iter().map(|f| {
        let at = |sign: f64| {
            let (d, w) = (state.dist(f) + sign * dist, state.width(f) + sign * width);
            let setting = problem.physics.setting(d, w);
            problem.physics.measure(state.video.frame(f), &setting)
        };
        let scale = (0.5 / (dist + width)) as f32;
        let pairs = at(1.0).into_iter().zip(at(-1.0));
        pairs
            .map(|(after, before)| (after - before) * scale)
            .collect::<Vec<f32>>()
    });
    Clip::new(problem.shape, frames.collect::<Vec<_>>().concat())
}

/// Conjugate gradients from 0 for an operator that leaves frames apart, each with its own steps.
fn solve(operator: impl Fn(&Clip) -> Clip, b: &Clip) -> Clip {
    let shape = b.shape();
    let dots = |a: &Clip, b: &Clip| -> Vec<f64> {
        let frames = a.frames().zip(b.frames());
        frames.map(|(a, b)| dot(a, b)).collect()
    };
    // a + factor b, each frame with its own factor.
    let plus = |a: &Clip, factors: &[f64], b: &Clip| -> Clip {
        let mut sum = a.clone();
        for (f, &factor) in factors.iter().enumerate() {
            let pairs = sum.frame_mut(f).iter_mut().zip(b.frame(f));
            pairs.for_each(|(s, b)| *s += factor as f32 * b);
        }
        sum
    };
    let ratio = |a: &[f64], b: &[f64]| -> Vec<f64> {
        let pairs = a.iter().zip(b);
        pairs
            .map(|(a, b)| if *b > 0.0 { a / b } else { 0.0 })
            .collect()
    };
    let (mut z, mut r, mut p) = (Clip::zeros(shape), b.clone(), b.clone());
    let mut square = dots(&r, &r);
    for _ in 0..ITERATIONS {
        let along = operator(&p);
        let step = ratio(&square, &dots(&p, &along));
        z = plus(&z, &step, &p);
        let back: Vec<f64> = step.iter().map(|s| -s).collect();
        r = plus(&r, &back, &along);
        let next = dots(&r, &r);
        p = plus(&r, &ratio(&next, &square), &p);
        square = next;
    }
    z
}
