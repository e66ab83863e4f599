//! Reconstruction of a real capture, its exposure, place, blur and distance unknown.

mod config;
mod exposure;
mod profile;

pub use self::config::{CaptureConfig, CaptureSearch, Gain};
use self::exposure::{Black, Exposure};
use self::profile::Profile;
use super::{Finding, Measurement, Progress, Solver, SolverError, rms};
use crate::adam::{Adam, rate_share};
use crate::clip::{Clip, Shape};
use crate::physics::{Capture, CaptureState, ForwardModel, Parameter, Surround};

/// Maximum a posteriori estimate of a scene and of the capture's parameters together.
///
/// Minimises ||A(u) - y||^2 / (2 gain^2) + mu R(u) over amplitudes u in [0, 1], the blur and the
/// place of the scene's frame on the camera. R is a convex space-time prior; mu follows the
/// residual's variance, which holds what the model cannot explain besides noise. A profile over
/// the distance's range picks the distance.
///
/// Gain and offset are conventions: a brighter scene under less gain is the same capture. See
/// [`Gain::Fit`] and the findings.
pub struct CaptureSolver {
    search: CaptureSearch,
    config: CaptureConfig,
    measurement: Measurement,
    exposure: Exposure,
    model: Capture,
    amplitude: Clip,
    free: Vec<Free>,
    adam: Adam,
    parameter_adam: Adam,
    /// mu, the prior's weight.
    weight: f64,
    legs: Vec<Leg>,
    leg: usize,
    /// Steps done of the present leg.
    leg_done: usize,
    /// Where profiles start.
    base: Option<Point>,
    /// The best end of the distances' profile so far.
    best: Option<(f64, Point)>,
    distances: Profile,
    widths: Profile,
    /// What one unit of log-likelihood is worth in a profile's objective: the variance of the
    /// residuals, raised where they are not independent.
    unit: f64,
    progress: Progress,
}

/// A stretch of iterations.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Leg {
    /// From the measurement, at the middle of the distance's range, the weight falling.
    First,
    /// At one distance, from the end of the first leg.
    Distance(f64),
    /// At this share of the width found, which is held, from the best distance.
    Width(f64),
    /// From the best distance.
    Last,
}

/// An amplitude with the parameters it was found with.
#[derive(Clone)]
struct Point {
    amplitude: Clip,
    values: Vec<f64>,
}

/// A parameter that is estimated by descent.
struct Free {
    index: usize,
    /// Its step where an amplitude's is 1.
    unit: f64,
    min: f64,
    max: f64,
}

impl CaptureSolver {
    const BETAS: (f32, f32) = (0.9, 0.99);
    /// The share of a leg in which the prior's weight falls.
    const FALL: f64 = 0.7;
    /// Pixels from the frame's edges whose residual decides on blur and place.
    const EDGE: usize = 4;
    const WIDTHS: [f64; 3] = [0.85, 1.0, 1.15];

    // The order of the model's parameter table.
    const DISTANCE: usize = 0;
    const SIGMA: usize = 1;
    const HALO: usize = 2;
    const PLACE: std::ops::Range<usize> = 4..8;
    const GAIN: usize = 8;
    const OFFSET: usize = 9;

    /// # Errors
    /// A search or settings out of range, a measurement of another shape, or one whose values
    /// are all equal where the gain is to be found from them.
    pub fn new(
        search: CaptureSearch,
        measurement: Measurement,
        config: CaptureConfig,
    ) -> Result<Self, SolverError> {
        search.check()?;
        config.check()?;
        if measurement.shape() != search.shape {
            return Err(SolverError::Shape {
                given: measurement.shape(),
                needed: search.shape,
            });
        }
        if measurement.values().data().iter().any(|v| !v.is_finite()) {
            return Err(SolverError::Setting {
                what: "a value of the measurement",
                value: "not finite".into(),
                expected: "every pixel must be a finite number",
            });
        }
        let exposure = match search.gain {
            Gain::Fixed { gain, offset } => Exposure::known(&measurement, gain, offset),
            Gain::Fit => Exposure::read(&measurement).ok_or(SolverError::Setting {
                what: "every value of the measurement",
                value: measurement.values().range().0.to_string(),
                expected: "a capture without contrast has no gain: check the file",
            })?,
        };
        let told = || exposure.surround(measurement.values());
        let surround = search.surround.unwrap_or_else(told);
        let (low, high) = search.sigma_px;
        let state = CaptureState::plain(
            0.5 * (search.dist_mm.0 + search.dist_mm.1),
            1.2f64.clamp(low, high),
            exposure.gain,
            exposure.offset,
        );
        let model = Capture::new(search.shape, search.optics, surround, state)?;
        let mut amplitude = model.first_guess(measurement.values());
        // Descent cannot leave 0, where an intensity has no slope.
        const DARKEST: f32 = 0.05;
        for value in amplitude.data_mut() {
            *value = value.max(DARKEST);
        }
        let free = Self::free(&search, surround);
        let legs = Self::legs(&search, &config);
        let total = legs.iter().map(|&leg| steps_of(&config, leg)).sum();
        let mut solver = Self {
            adam: Adam::new(search.shape.len(), Self::BETAS),
            parameter_adam: Adam::new(free.len(), Self::BETAS),
            weight: config.first_weight,
            distances: Profile::default(),
            widths: Profile::default(),
            base: None,
            best: None,
            unit: 0.0,
            leg: 0,
            leg_done: 0,
            progress: Progress {
                done: 0,
                total,
                residual_rms: 0.0,
            },
            search,
            config,
            measurement,
            exposure,
            model,
            amplitude,
            free,
            legs,
        };
        solver.progress.residual_rms = rms(solver.residual(&solver.predicted()).data());
        Ok(solver)
    }

    /// The estimate as the intensities of a display: the squares of the amplitudes.
    pub fn intensity(&self) -> Clip {
        self.amplitude.map(|u| u * u)
    }

    /// Standard deviation of what the model leaves unexplained, noise and mismatch, in
    /// recorded units.
    pub fn unexplained(&self) -> f64 {
        self.progress.residual_rms.max(self.measurement.rounding())
    }

    fn free(search: &CaptureSearch, surround: Surround) -> Vec<Free> {
        let mut free = Vec::new();
        let mut add = |index, unit, min, max| {
            free.push(Free {
                index,
                unit,
                min,
                max,
            });
        };
        let (low, high) = search.sigma_px;
        if low < high {
            add(Self::SIGMA, 0.7, low, high);
            add(Self::HALO, 0.3, 0.0, 0.4);
        }
        // Only the end of the scene shows where it is.
        if surround == Surround::Dark {
            for index in Self::PLACE {
                add(index, 0.7, -3.0, 3.0);
            }
        }
        free
    }

    fn legs(search: &CaptureSearch, config: &CaptureConfig) -> Vec<Leg> {
        let mut legs = vec![Leg::First];
        let (low, high) = search.dist_mm;
        if low < high {
            let step = (high - low) / (config.distances - 1) as f64;
            let distance = |i| Leg::Distance(low + step * i as f64);
            legs.extend((0..config.distances).map(distance));
        }
        if search.sigma_px.0 < search.sigma_px.1 {
            legs.extend(Self::WIDTHS.map(Leg::Width));
        }
        legs.push(Leg::Last);
        legs
    }

    fn predicted(&self) -> Clip {
        self.model.apply(&self.amplitude)
    }

    fn residual(&self, predicted: &Clip) -> Clip {
        let mut residual = self.measurement.residual(predicted);
        self.exposure
            .forgive(self.measurement.values(), predicted, &mut residual);
        residual
    }

    fn values(&self) -> Vec<f64> {
        let rows = self.model.parameters();
        rows.iter().map(|p| p.value).collect()
    }

    fn point(&self) -> Point {
        Point {
            amplitude: self.amplitude.clone(),
            values: self.values(),
        }
    }

    /// Continues from a point, the moments of the descent forgotten.
    fn continue_from(&mut self, point: Point) -> Result<(), SolverError> {
        self.model.set_parameters(&point.values)?;
        self.amplitude = point.amplitude;
        self.adam = Adam::new(self.amplitude.shape().len(), Self::BETAS);
        self.parameter_adam = Adam::new(self.free.len(), Self::BETAS);
        Ok(())
    }

    fn begin_leg(&mut self) -> Result<(), SolverError> {
        let leg = self.legs[self.leg];
        if let Leg::First = leg {
            return Ok(());
        }
        if !matches!(leg, Leg::Distance(_)) {
            self.settle_distance();
        }
        let here = self.point();
        let mut point = self.base.get_or_insert(here).clone();
        match leg {
            Leg::Distance(distance) => point.values[Self::DISTANCE] = distance,
            Leg::Width(share) => {
                let (low, high) = self.search.sigma_px;
                let sigma = &mut point.values[Self::SIGMA];
                *sigma = (*sigma * share).clamp(low, high);
            }
            Leg::First | Leg::Last => {}
        }
        self.continue_from(point)
    }

    /// Makes the best end of the profile over distances the point to go on from.
    fn settle_distance(&mut self) {
        if let Some((_, mut point)) = self.best.take() {
            point.values[Self::DISTANCE] = self.distances.minimum();
            self.base = Some(point);
        }
    }

    fn end_leg(&mut self) {
        let residual = self.residual(&self.predicted());
        let share = rms(residual.data()) / self.gain();
        let unit = self.variance(share) * correlation(&residual);
        let objective = self.objective(&residual);
        match self.legs[self.leg] {
            Leg::Distance(distance) => {
                self.unit = unit;
                self.distances.push(distance, objective);
                if self.best.as_ref().is_none_or(|(best, _)| objective < *best) {
                    self.best = Some((objective, self.point()));
                }
            }
            Leg::Width(_) => {
                self.unit = unit;
                let sigma_px = self.model.state().sigma_px;
                self.widths.push(sigma_px, objective);
            }
            Leg::First | Leg::Last => {}
        }
    }

    /// What is minimised, at the present point.
    fn objective(&self, residual: &Clip) -> f64 {
        let share = rms(residual.data()) / self.gain();
        let data = 0.5 * share * share * residual.shape().len() as f64;
        data + self.weight * self.config.prior.value(&self.amplitude)
    }

    fn gain(&self) -> f64 {
        self.model.state().gain
    }

    /// The variance of a residual of this root mean square, at least that of the rounding; both
    /// as shares of the gain.
    fn variance(&self, rms: f64) -> f64 {
        const LEAST: f64 = 1e-4;
        let rounding = self.measurement.rounding() / self.gain();
        rms.max(rounding).max(LEAST).powi(2)
    }

    /// Adam's step of this iteration; sets its weight.
    fn schedule(&mut self, residual_share: f64) -> f64 {
        let leg = self.legs[self.leg];
        let passed = self.leg_done as f64 / steps_of(&self.config, leg) as f64;
        let (first, middle) = (self.config.first_weight, self.config.profile_weight);
        let fall = |from: f64, to: f64| from * (to / from).powf((passed / Self::FALL).min(1.0));
        match leg {
            Leg::First => self.weight = fall(first, middle),
            Leg::Distance(_) | Leg::Width(_) => self.weight = middle,
            Leg::Last if passed < Self::FALL => {
                let least = self.config.smoothness * self.variance(0.0);
                let follows = self.config.smoothness * self.variance(residual_share);
                self.weight = fall(middle, least.min(middle)).max(follows).min(middle);
            }
            Leg::Last => {}
        }
        let share = match leg {
            Leg::First => 1.0,
            Leg::Distance(_) | Leg::Width(_) => 0.3,
            Leg::Last => 0.5,
        };
        share * self.config.rate * rate_share(passed)
    }

    /// The clip with zeros in the middle of its frames.
    fn near_edges(&self, clip: &Clip) -> Clip {
        let Shape { height, width, .. } = clip.shape();
        let mut near = clip.clone();
        let inner = Self::EDGE..width.saturating_sub(Self::EDGE);
        for (i, row) in near.data_mut().chunks_exact_mut(width).enumerate() {
            let y = i % height;
            if !inner.is_empty() && y >= Self::EDGE && y + Self::EDGE < height {
                row[inner.clone()].fill(0.0);
            }
        }
        near
    }

    fn descend(&mut self) -> Result<f64, SolverError> {
        let gain = self.gain();
        let linearised = self.model.linearise(&self.amplitude);
        let residual = self.residual(&linearised.measurement);
        let residual_rms = rms(residual.data());
        let scale = (1.0 / (gain * gain)) as f32;
        let cotangent = residual.map(|r| r * scale);
        let pulled = (linearised.pullback)(&cotangent, false);
        // A display's edges are the one part of the scene whose shape is known. Elsewhere a
        // narrower blur under a smoother scene always fits, and the prior prefers it.
        let edges = match self.model.surround() {
            Surround::Dark => self.near_edges(&cotangent),
            Surround::Same => cotangent,
        };
        let pulled_edges = match self.legs[self.leg] {
            Leg::Last => vec![0.0; self.model.parameters().len()],
            _ => (linearised.pullback)(&edges, true).parameters,
        };
        drop(linearised);
        let mut gradient = pulled.video.into_data();
        let rate = self.schedule(residual_rms / gain) as f32;
        let prior = &self.config.prior;
        prior.add_gradient(&self.amplitude, self.weight as f32, &mut gradient);
        let mut values = self.values();
        let leg = self.legs[self.leg];
        // The last leg's weak prior would let them drift to less blur.
        let held = |f: &Free| match leg {
            Leg::Last => true,
            Leg::Width(_) => f.index == Self::SIGMA,
            Leg::First | Leg::Distance(_) => false,
        };
        let slope = |f: &Free| (pulled_edges[f.index] * f.unit) as f32;
        let slopes: Vec<f32> = self.free.iter().map(slope).collect();
        if !residual_rms.is_finite() || gradient.iter().chain(&slopes).any(|g| !g.is_finite()) {
            return Err(SolverError::Diverged {
                step: self.progress.done + 1,
                advice: "check the measurement for values that are huge",
            });
        }
        let mut scaled: Vec<f32> = (self.free.iter())
            .map(|f| (values[f.index] / f.unit) as f32)
            .collect();
        self.parameter_adam.step(&mut scaled, &slopes, rate);
        for (f, s) in self.free.iter().zip(scaled) {
            if !held(f) {
                values[f.index] = (f64::from(s) * f.unit).clamp(f.min, f.max);
            }
        }
        self.model.set_parameters(&values)?;
        self.adam.step(self.amplitude.data_mut(), &gradient, rate);
        for value in self.amplitude.data_mut() {
            *value = value.clamp(0.0, 1.0);
        }
        Ok(residual_rms)
    }

    fn distance_finding(&self, mut parameter: Parameter) -> Finding {
        let (low, high) = self.search.dist_mm;
        (parameter.min, parameter.max) = (low, high);
        let (near, far) = self.distances.interval(self.unit);
        let interval = (near.min(parameter.value), far.max(parameter.value));
        let mut doubts = Vec::new();
        if interval.1 - interval.0 > 0.5 * (high - low) {
            doubts.push(format!(
                "the capture fits about as well from {:.1} to {:.1} mm: it does not tell \
                 the distance",
                interval.0, interval.1
            ));
        } else if parameter.value <= low || parameter.value >= high {
            doubts.push("the best distance lies at the end of the range: widen it".into());
        }
        Finding {
            parameter,
            interval: Some(interval),
            doubts,
        }
    }

    /// The profile knows what fits the whole frame best, the estimate what fits its edges: the
    /// interval holds both.
    fn width_interval(&self) -> (f64, f64) {
        let (low, high) = self.widths.interval(self.unit);
        let sigma_px = self.model.state().sigma_px;
        (low.min(sigma_px), high.max(sigma_px))
    }

    fn width_finding(&self, mut parameter: Parameter) -> Finding {
        (parameter.min, parameter.max) = self.search.sigma_px;
        let mut doubts = Vec::new();
        if parameter.value <= parameter.min || parameter.value >= parameter.max {
            doubts.push("the best width lies at the end of the range: widen it".into());
        }
        if self.model.surround() == Surround::Same {
            doubts.push(
                "no edge of known shape is in view, so fine detail and a narrower blur cannot be \
                 told apart: the true blur may be wider"
                    .into(),
            );
        }
        Finding {
            parameter,
            interval: Some(self.width_interval()),
            doubts,
        }
    }
}

fn steps_of(config: &CaptureConfig, leg: Leg) -> usize {
    match leg {
        Leg::First | Leg::Last => config.iterations,
        Leg::Distance(_) | Leg::Width(_) => config.profile_iterations,
    }
}

/// How much larger the variance of the mean over 4 x 4 pixels and all frames is than that of
/// independent residuals, at least 1.
fn correlation(residual: &Clip) -> f64 {
    const SIDE: usize = 4;
    let Shape {
        frames,
        height,
        width,
    } = residual.shape();
    let (rows, columns) = (height / SIDE, width / SIDE);
    let variance = rms(residual.data()).powi(2);
    if rows * columns == 0 || variance == 0.0 {
        return 1.0;
    }
    let mut sums = vec![0.0f64; rows * columns];
    for frame in residual.frames() {
        for y in 0..rows * SIDE {
            for x in 0..columns * SIDE {
                let block = y / SIDE * columns + x / SIDE;
                sums[block] += f64::from(frame[y * width + x]);
            }
        }
    }
    let pixels = (SIDE * SIDE * frames) as f64;
    let blocks: f64 = sums.iter().map(|s| s * s / pixels).sum();
    (blocks / sums.len() as f64 / variance).max(1.0)
}

impl Solver for CaptureSolver {
    fn name(&self) -> &'static str {
        "instant"
    }

    fn progress(&self) -> Progress {
        self.progress
    }

    fn step(&mut self) -> Result<Progress, SolverError> {
        if self.progress.is_finished() {
            return Ok(self.progress);
        }
        if self.leg_done == 0 {
            self.begin_leg()?;
        }
        self.progress.residual_rms = self.descend()?;
        self.progress.done += 1;
        self.leg_done += 1;
        if self.leg_done == steps_of(&self.config, self.legs[self.leg]) {
            self.end_leg();
            self.leg += 1;
            self.leg_done = 0;
        }
        Ok(self.progress)
    }

    fn estimate(&self) -> Clip {
        self.amplitude.clone()
    }

    fn model(&self) -> &dyn ForwardModel {
        &self.model
    }

    fn findings(&self) -> Vec<Finding> {
        let rows = self.model.parameters().into_iter().enumerate();
        let finding = |(index, mut parameter): (usize, Parameter)| match index {
            Self::DISTANCE if !self.distances.points.is_empty() => {
                Some(self.distance_finding(parameter))
            }
            Self::SIGMA if !self.widths.points.is_empty() => Some(self.width_finding(parameter)),
            Self::GAIN | Self::OFFSET if self.search.gain == Gain::Fit => Some(Finding {
                parameter,
                interval: None,
                doubts: vec![self.convention(index).into()],
            }),
            _ => {
                let free = self.free.iter().find(|f| f.index == index)?;
                (parameter.min, parameter.max) = (free.min, free.max);
                Some(Finding {
                    parameter,
                    interval: None,
                    doubts: Vec::new(),
                })
            }
        };
        rows.filter_map(finding).collect()
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = vec![
            "the estimate holds amplitudes; what a display showed is their square".to_owned(),
            format!(
                "{:.4} of full scale (rms) is left unexplained, noise and what the model lacks",
                self.unexplained()
            ),
        ];
        let bright = self.amplitude.data().iter().filter(|&&u| u >= 1.0).count();
        let share = bright as f64 / self.amplitude.shape().len() as f64;
        if share > 0.005 {
            notes.push(format!(
                "{:.1} % of the scene is at the brightest value allowed: lower the gain",
                100.0 * share
            ));
        }
        notes
    }
}

impl CaptureSolver {
    fn convention(&self, index: usize) -> &'static str {
        match (index, self.exposure.black) {
            (Self::GAIN, _) => {
                "a convention: a brighter scene under less gain is the same capture; the brightest \
                 recorded light is an intensity of 2/3"
            }
            (_, Black::Published) => {
                "from the published normalisation, since many pixels are cut off at the lowest \
                 value: give the gain and offset if the file was made otherwise"
            }
            (_, Black::Darkest | Black::Known) => {
                "the darkest recorded value counts as black: a scene without black has a lower one"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::fit;
    use crate::physics::Optics;
    use crate::scenes::Scene;
    use crate::solver::Quantisation;

    const SHAPE: Shape = Shape::new(4, 48, 48);

    fn truth() -> CaptureState {
        CaptureState {
            shift_px: [-0.4, 0.3],
            ..CaptureState::plain(8.0, 1.2, 0.8, -0.05)
        }
    }

    fn capture() -> (Clip, Measurement) {
        let scene = Scene::Walker.render(SHAPE, 3);
        let model = Capture::new(SHAPE, Optics::REAL, Surround::Dark, truth()).unwrap();
        let recorded = model.apply(&scene.map(f32::sqrt));
        let recorded = recorded.map(|v| (v.clamp(0.0, 1.0) * 255.0).floor() / 255.0);
        let measurement = Measurement::quantised(recorded, 255, Quantisation::Floor);
        (scene, measurement)
    }

    fn solved(search: CaptureSearch, measurement: Measurement) -> CaptureSolver {
        let config = CaptureConfig::default();
        let mut solver = CaptureSolver::new(search, measurement, config).unwrap();
        while !solver.step().unwrap().is_finished() {}
        solver
    }

    fn search() -> CaptureSearch {
        let optics = Optics::REAL;
        CaptureSearch {
            gain: Gain::Fixed {
                gain: 0.8,
                offset: -0.05,
            },
            ..CaptureSearch::new(SHAPE, optics, (8.0, 8.0))
        }
    }

    #[test]
    fn a_capture_is_placed_and_sharpened() {
        let (scene, measurement) = capture();
        let bare = fit(measurement.values().data(), scene.data()).psnr_db;
        let solver = solved(search(), measurement);
        let sharpened = fit(solver.intensity().data(), scene.data()).psnr_db;
        assert!(sharpened > bare + 3.0, "{bare} {sharpened}");
        let state = solver.model.state();
        assert_eq!(solver.model.surround(), Surround::Dark);
        for (found, true_px) in state.shift_px.iter().zip(truth().shift_px) {
            assert!((found - true_px).abs() < 0.25, "{found} {true_px}");
        }
        let sigma = &solver.findings()[0];
        assert_eq!(sigma.parameter.name, "sigma");
        assert!((sigma.parameter.value - 1.2).abs() < 0.35, "{sigma:?}");
        let (low, high) = sigma.interval.unwrap();
        assert!(low <= sigma.parameter.value && sigma.parameter.value <= high);
        let done = solver.steps_done();
        assert_eq!(done, solver.total_steps());
    }

    #[test]
    fn the_same_input_gives_the_same_result() {
        let (_, measurement) = capture();
        let few = CaptureConfig {
            iterations: 5,
            profile_iterations: 2,
            ..CaptureConfig::default()
        };
        let search = CaptureSearch::new(SHAPE, Optics::REAL, (5.0, 12.0));
        let mut results = (0..2).map(|_| {
            let new = CaptureSolver::new(search.clone(), measurement.clone(), few.clone());
            let mut solver = new.unwrap();
            while !solver.step().unwrap().is_finished() {}
            (solver.estimate(), solver.findings())
        });
        assert_eq!(results.next(), results.next());
    }

    #[test]
    fn input_without_contrast_or_out_of_range_is_refused() {
        let config = CaptureConfig::default;
        let flat = Measurement::exact(Clip::filled(SHAPE, 0.4));
        let unknown = CaptureSearch::new(SHAPE, Optics::REAL, (5.0, 12.0));
        let refused = CaptureSolver::new(unknown.clone(), flat, config());
        assert!(refused.err().unwrap().to_string().contains("contrast"));
        let reversed = CaptureSearch {
            dist_mm: (12.0, 5.0),
            ..unknown.clone()
        };
        let refused = CaptureSolver::new(reversed, capture().1, config());
        assert!(refused.err().unwrap().to_string().contains("low to high"));
        let other = CaptureSearch {
            shape: Shape::new(1, 48, 48),
            ..unknown
        };
        let refused = CaptureSolver::new(other, capture().1, config());
        assert!(matches!(refused, Err(SolverError::Shape { .. })));
    }

    #[test]
    fn residuals_that_stay_count_once() {
        let varied = crate::noise::Noise::seeded(2).normal_clip(Shape::new(4, 40, 40));
        assert!(correlation(&varied) < 1.5);
        let first = varied.frame(0).to_vec();
        let still = Clip::new(varied.shape(), first.repeat(4));
        let factor = correlation(&still);
        assert!((2.5..6.0).contains(&factor), "{factor}");
    }
}
