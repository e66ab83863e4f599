//! Where a point spread function lies: its tilt against the border.

use rayon::prelude::*;

use super::joint::Joint;
use super::whittle::Point;
use super::{BlindZernike, Descent, FIRST_WEIGHT, PIXELS_PER_RADIAN};
use crate::solver::SolverError;

/// Tilts of one aberration, each with a scene of its own that has converged on the mean frame.
#[derive(Clone)]
pub struct Scan {
    point: Point,
    tilts: Vec<[f64; 2]>,
    /// Minus the log-posterior of those that were tried.
    nats: Vec<f64>,
    step_px: f64,
    /// Scans that may follow.
    left: usize,
}

impl Scan {
    /// Tilts on each side of the middle; distances, in pixels of shift, of the first scan and of
    /// those close by, which halve down to the closest.
    const REACH: i32 = 2;
    const STEP_PX: f64 = 1.25;
    const CLOSE_PX: f64 = 0.8;
    const CLOSEST_PX: f64 = 0.06;
    /// Scans in a row at most, each around the best of the one before.
    const ROUNDS: usize = 9;
    /// The prior's weight at last: low enough for what the border shows to count.
    const WEIGHT: f64 = 5e-5;
    const TILTS_A_STEP: usize = 4;
    const TILTS: usize = ((2 * Self::REACH + 1) * (2 * Self::REACH + 1)) as usize;
    /// Steps of a row of scans at most, from all tilts and from the closest.
    pub const FIRST: usize = Self::TILTS.div_ceil(Self::TILTS_A_STEP) + Self::ROUNDS * Self::ROUND;
    pub const CLOSE: usize = (1 + Self::ROUNDS) * Self::ROUND;
    const ROUND: usize = 9usize.div_ceil(Self::TILTS_A_STEP);

    /// Of all tilts that are at all likely, and of those around the present one.
    pub fn of_frame(joint: &Joint) -> Self {
        Self::new(joint, Self::REACH, Self::STEP_PX, Self::ROUNDS)
    }

    /// Of the present tilt and its neighbours.
    pub fn close_by(joint: &Joint) -> Self {
        Self::new(joint, 1, Self::CLOSE_PX, Self::ROUNDS)
    }

    fn new(joint: &Joint, reach: i32, step_px: f64, left: usize) -> Self {
        let centre = &joint.point.coefficients;
        let by = |steps: i32| f64::from(steps) * step_px / PIXELS_PER_RADIAN;
        let mut tilts: Vec<[i32; 2]> = (-reach..=reach)
            .flat_map(|y| (-reach..=reach).map(move |x| [x, y]))
            .collect();
        // The present one first.
        tilts.sort_by_key(|[x, y]| x * x + y * y);
        Self {
            tilts: tilts
                .iter()
                .map(|&[x, y]| [centre[1] + by(x), centre[2] + by(y)])
                .collect(),
            point: joint.point.clone(),
            nats: Vec::new(),
            step_px,
            left,
        }
    }

    pub fn is_finished(&self) -> bool {
        self.nats.len() == self.tilts.len()
    }

    /// Tries the next few.
    pub fn advance(&mut self, solver: &BlindZernike) -> Result<(), SolverError> {
        let end = (self.nats.len() + Self::TILTS_A_STEP).min(self.tilts.len());
        let nats: Result<Vec<f64>, SolverError> = self.tilts[self.nats.len()..end]
            .par_iter()
            .map(|tilt| {
                let mut point = self.point.clone();
                point.coefficients[1..3].copy_from_slice(tilt);
                Self::nats_of_mean_frame(solver, point)
            })
            .collect();
        self.nats.extend(nats?);
        Ok(())
    }

    /// Minus the log-posterior of a scene that has converged on the mean frame from the start.
    pub fn nats_of_mean_frame(solver: &BlindZernike, point: Point) -> Result<f64, SolverError> {
        let mut ranked = solver.on_mean_frame(point);
        // On one frame; finalists have a clip and coefficients to move.
        let iterations = (2 * solver.config.finalist_iterations).div_ceil(3);
        let descent = Descent::of_scene(iterations, (FIRST_WEIGHT, Self::WEIGHT), 0.5);
        solver.refine(&mut ranked, &descent)?;
        Ok(ranked.joint.nats(&solver.prior, Self::WEIGHT))
    }

    /// The likeliest of them, in radians.
    pub fn best(&self) -> [f64; 2] {
        let tried = self.tilts.iter().zip(&self.nats);
        let best = tried.min_by(|a, b| a.1.total_cmp(b.1));
        best.map_or(self.tilts[0], |(tilt, _)| *tilt)
    }

    /// A scan around a hypothesis that was moved to the best tilt, closer once the middle is the
    /// best, unless that is close enough.
    ///
    /// The likelihood has a cusp at the truth, whose sides are not alike: a parabola would miss it.
    pub fn next(&self, moved: &Joint) -> Option<Self> {
        let left = self.left.checked_sub(1)?;
        let wide = self.step_px > Self::CLOSE_PX;
        let settled = !wide && self.best() == self.tilts[0];
        let step_px = match (wide, settled) {
            (true, _) => Self::CLOSE_PX,
            (false, true) => 0.5 * self.step_px,
            (false, false) => self.step_px,
        };
        (step_px > Self::CLOSEST_PX).then(|| Self::new(moved, 1, step_px, left))
    }

    /// Nats by which the first tilt is likelier than the likeliest other.
    pub fn margin(&self) -> f64 {
        let others = self.nats[1..].iter().copied();
        others.fold(f64::INFINITY, f64::min) - self.nats[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::solver::aberration::BlindZernikeConfig;
    use crate::solver::aberration::tests::leaves;

    #[test]
    fn the_border_finds_a_tilt_that_was_lost() {
        let shape = Shape::new(2, 48, 48);
        let truth = [0.0, 0.4, -0.7, 0.5, 1.4, -0.6, 0.3, 0.5, 0.2, -0.7];
        let (search, measurement) = leaves(shape, &truth);
        let config = BlindZernikeConfig {
            finalist_iterations: 150,
            ..BlindZernikeConfig::for_noise(measurement.rounding())
        };
        let solver = BlindZernike::new(search, measurement, config, 0).unwrap();
        let scan = |lost_px: [i32; 2]| {
            let mut coefficients = truth.to_vec();
            for (k, px) in lost_px.into_iter().enumerate() {
                coefficients[k + 1] += f64::from(px) * Scan::STEP_PX / PIXELS_PER_RADIAN;
            }
            let point = solver.whittle.start(coefficients);
            let mut scan = Scan::of_frame(&solver.on_mean_frame(point).joint);
            while !scan.is_finished() {
                scan.advance(&solver).unwrap();
            }
            scan
        };
        let found = scan([-1, 2]);
        assert!(found.margin() < -100.0, "{}", found.margin());
        for (tilt, truth) in found.best().iter().zip(&truth[1..]) {
            assert!((tilt - truth).abs() < 1e-9, "{:?}", found.best());
        }
        let kept = scan([0, 0]);
        assert!(kept.margin() > 100.0, "{}", kept.margin());
    }
}
