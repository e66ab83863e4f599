//! What was found: values, intervals, doubts.

use super::problem::{Ranges, pick};
use super::{BlindScatter, RIVAL_RATIO, SUSPECT_DIST, SUSPECT_RATIO};
use crate::physics::{ForwardModel, Parameter, Unit, sigma_of_width_px};
use crate::solver::Finding;

/// An effective width below which nothing of it shows in the measurement, and one above which
/// results are poor, in px.
const NARROW_PX: f64 = 0.35;
const WIDE_PX: f64 = 1.3;
/// Root mean square residual over the noise that marks a frame as not explained.
const UNEXPLAINED: f64 = 1.15;
/// Standard deviations to each side of an interval.
const DEVIATIONS: f64 = 1.96;
/// By how much deviations of distances are too small, for the scene is not quite as the prior
/// has it: what makes 95 % of the intervals right on generated scenes.
const DIST_FACTOR: f64 = 2.3;
/// The standard deviation, in px, of what the prior makes of widths in moving and textured
/// generated scenes: it reads texture that the blur took as a little less blur.
const WIDTH_SYSTEMATIC_PX: f64 = 0.025;
/// An interval of the distance this wide, over pitch^2 / wavelength, says that little is known.
const VAGUE_DIST: f64 = 2.5;

impl BlindScatter {
    /// A row of each parameter that was sought.
    pub(super) fn report(&self) -> Vec<Finding> {
        let squares = self.problem.mean_squares(&self.state);
        let rows = self.model.parameters();
        let (dist, sigma) = rows.split_at(self.state.dist.len());
        let dist = dist
            .iter()
            .zip(0..)
            .filter(|_| !self.problem.dist.is_known());
        let dist = dist.map(|(row, i)| self.distance(row, i, &squares));
        let sigma = sigma
            .iter()
            .zip(0..)
            .filter(|_| !self.problem.width.is_known());
        let sigma = sigma.map(|(row, i)| self.sigma(row, i, &squares));
        dist.chain(sigma).collect()
    }

    fn distance(&self, row: &Parameter, i: usize, squares: &[f64]) -> Finding {
        let (min, max) = self.problem.dist.of(i);
        let value = self.state.dist[i];
        let interval = self
            .spread
            .as_ref()
            .zip(self.stiff.as_ref())
            .and_then(|(s, stiff)| {
                let deviation = DIST_FACTOR * s.dist[i].hypot(stiff.dist[i] - value);
                let ends = around(value, deviation)?;
                Some((ends.0.max(min), ends.1.min(max)))
            });
        let mut doubts = self.frame_doubts(row, squares);
        doubts.extend(on_bound(&self.problem.dist, i, value, Unit::Millimetre));
        let depth = self.problem.depth_mm;
        if let Some((low, high)) = interval
            && high - low > VAGUE_DIST * depth
        {
            doubts.push("the measurement hardly depends on it".into());
        }
        let parameter = Parameter {
            min,
            max,
            ..row.clone()
        };
        Finding {
            parameter,
            interval,
            doubts,
        }
    }

    fn sigma(&self, row: &Parameter, i: usize, squares: &[f64]) -> Finding {
        let (low, high) = self.problem.width.of(i);
        let (min, max) = (sigma_of_width_px(low), sigma_of_width_px(high));
        let value = self.state.width[i];
        let interval = self
            .spread
            .as_ref()
            .zip(self.stiff.as_ref())
            .and_then(|(s, stiff)| {
                let deviation = s.width[i].hypot(stiff.width[i] - value);
                let ends = around(value, deviation.hypot(WIDTH_SYSTEMATIC_PX))?;
                // All widths this small measure the same.
                let ends = match ends.0 < NARROW_PX {
                    true => (low, ends.1.max(NARROW_PX)),
                    false => ends,
                };
                let ends = (ends.0.max(low), ends.1.min(high));
                Some((
                    sigma_of_width_px(ends.0).min(row.value),
                    sigma_of_width_px(ends.1).max(row.value),
                ))
            });
        let mut doubts = self.frame_doubts(row, squares);
        if value < NARROW_PX {
            doubts.push("a blur this narrow hardly shows in the measurement".into());
        } else {
            doubts.extend(on_bound(&self.problem.width, i, value, Unit::Pixel));
        }
        if value > WIDE_PX {
            doubts.push("a blur this wide leaves little of the fine fringes".into());
        }
        let parameter = Parameter {
            min,
            max,
            ..row.clone()
        };
        Finding {
            parameter,
            interval,
            doubts,
        }
    }

    /// Doubts about a frame, or about the worst of all frames where the value serves the clip.
    fn frame_doubts(&self, row: &Parameter, squares: &[f64]) -> Vec<String> {
        let mut doubts = Vec::new();
        let square = match row.frame {
            Some(frame) => squares[frame],
            None => squares.iter().copied().fold(0.0, f64::max),
        };
        let over = square.sqrt() / self.config.noise;
        if over > UNEXPLAINED {
            doubts.push(format!(
                "the measurement is not explained: the residual is {over:.2} times the noise"
            ));
        }
        let Some(suspicion) = row.frame.and_then(|frame| self.suspicions.get(frame)) else {
            return doubts;
        };
        let least = SUSPECT_DIST * self.problem.depth_mm;
        let here = pick(&self.state.dist, row.frame.unwrap_or(0));
        if let Some(v) = &suspicion.verdict
            && v.ratio < SUSPECT_RATIO
            && (v.dist - here).abs() > least
        {
            doubts.push(format!(
                "the neighbouring frames fit {:.2} mm better than {here:.2} mm",
                v.dist
            ));
        }
        if let Some((dist, ratio, _)) = &suspicion.rival
            && !suspicion.rival_tried
            && *ratio < RIVAL_RATIO
            && (dist - here).abs() > least
        {
            doubts.push(format!(
                "on its own the frame fits {dist:.2} mm nearly as well"
            ));
        }
        doubts
    }
}

/// The interval of a value with this standard deviation.
fn around(value: f64, deviation: f64) -> Option<(f64, f64)> {
    let reach = DEVIATIONS * deviation;
    reach.is_finite().then_some((value - reach, value + reach))
}

fn on_bound(ranges: &Ranges, i: usize, value: f64, unit: Unit) -> Option<String> {
    let (low, high) = ranges.of(i);
    let near = 1e-3 * (high - low);
    if value - low > near && high - value > near {
        return None;
    }
    Some(format!(
        "it ended at the edge of its range, {value:.2} {}: the truth may lie beyond",
        unit.symbol()
    ))
}
