//! Aberrations that explain a measurement's spectrum.

use rayon::prelude::*;

use super::whittle::{Point, Whittle};
use crate::noise::Noise;
use crate::physics::zernike::MODES;

/// A local optimum of the spectral likelihood.
#[derive(Clone)]
pub struct Peak {
    /// Minus its logarithm.
    pub value: f64,
    pub point: Point,
}

/// Standard deviation of the starts, in radians: that of the published coefficients.
const START_RAD: f64 = 2.0;
/// Steps of a descent and its rate in radians.
const STEPS: usize = 150;
const RATE: f64 = 0.12;
/// Correlation of modulation transfers above which two aberrations are the same.
const SAME: f32 = 0.99;

/// Coefficients as they were drawn in the published experiments. Piston and tilt, which leave
/// the spectrum as it is, are 0.
pub fn start(noise: &mut Noise) -> Vec<f64> {
    let mut start: Vec<f64> = MODES.iter().map(|_| START_RAD * noise.normal()).collect();
    start[..3].fill(0.0);
    start
}

/// Descends from `count` random starts, in their order.
pub fn descend(whittle: &Whittle, noise: &mut Noise, count: usize) -> Vec<Peak> {
    let starts: Vec<Vec<f64>> = (0..count).map(|_| start(noise)).collect();
    starts
        .into_par_iter()
        .map(|start| {
            let (point, value) = whittle.descend(whittle.start(start), STEPS, RATE);
            Peak { value, point }
        })
        .collect()
}

/// The best `count` different ones, the best first.
pub fn distinct(whittle: &Whittle, mut peaks: Vec<Peak>, count: usize) -> Vec<Peak> {
    peaks.retain(|peak| peak.value.is_finite());
    peaks.sort_by(|a, b| a.value.total_cmp(&b.value));
    different(whittle, peaks, |peak| &peak.point.coefficients, SAME, count)
}

/// The first `count` whose modulation transfers correlate by at most `same`.
pub fn different<T>(
    whittle: &Whittle,
    ordered: impl IntoIterator<Item = T>,
    coefficients: impl Fn(&T) -> &[f64],
    same: f32,
    count: usize,
) -> Vec<T> {
    let alike = |a: &[f32], b: &[f32]| -> bool {
        let products = a.iter().zip(b);
        products.map(|(a, b)| a * b).sum::<f32>() > same
    };
    unlike(
        ordered,
        |one| whittle.modulation(coefficients(one)),
        alike,
        count,
    )
}

/// The first `count` of which no two look alike.
pub fn unlike<T>(
    ordered: impl IntoIterator<Item = T>,
    look: impl Fn(&T) -> Vec<f32>,
    alike: impl Fn(&[f32], &[f32]) -> bool,
    count: usize,
) -> Vec<T> {
    let mut kept: Vec<(T, Vec<f32>)> = Vec::new();
    for one in ordered {
        let seen = look(&one);
        if !kept.iter().any(|(_, other)| alike(&seen, other)) {
            kept.push((one, seen));
        }
        if kept.len() == count {
            break;
        }
    }
    kept.into_iter().map(|(one, _)| one).collect()
}
