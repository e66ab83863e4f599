//! Reconstruction for forward models that are linear in the video, by their closed form.

use serde::{Deserialize, Serialize};

use super::measurement::Measurement;
use super::{Change, Progress, Solver, SolverError, check_shapes, positive, rms};
use crate::clip::Clip;
use crate::physics::{ForwardModel, dot};
use crate::prior::{Concave, SpaceTime};

/// Smallest noise assumed: what f32 arithmetic leaves in a measurement, as a share of full
/// scale. The published blur computed in f32 differs from f64 by 3.4e-8 to 4.4e-8.
const NOISE_FLOOR: f64 = 5e-8;

/// Settings of [`Linear`]; the defaults were chosen on generated scenes, for each forward model
/// those near the best mean PSNR, with the published clips in view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearConfig {
    pub iterations: usize,
    /// Standard deviation of the measurement's noise, as a share of full scale.
    pub noise: f64,
    /// Weight of the prior: the negative logarithm of its probability for a video of
    /// [`SpaceTime`] value 1. It does not matter where noise is absent and A is a mask.
    pub prior_weight: f64,
    /// Weight of the prior's comparisons of frames against its edges within frames.
    pub temporal_weight: f32,
    /// Where the prior of changes between frames bends, in units of amplitude; beyond 1 it is
    /// total variation.
    pub temporal_bend: f32,
    /// Smoothing of the prior at the first iteration, in units of amplitude: the more of the
    /// video the data leave open, the more.
    pub first_epsilon: f32,
}

impl LinearConfig {
    /// Smoothing of the prior at the end, in units of amplitude.
    const LAST_EPSILON: f32 = 0.003;

    /// For a measurement by `model` with this noise (standard deviation, full scale being 1).
    pub fn for_model(model: &dyn ForwardModel, noise: f64) -> Self {
        let blur = Self {
            iterations: 200,
            noise: noise.max(NOISE_FLOOR),
            prior_weight: 4.0,
            temporal_weight: 0.5,
            temporal_bend: 0.05,
            first_epsilon: 0.03,
        };
        match model.name() {
            "dehaze" => Self {
                prior_weight: 40.0,
                ..blur
            },
            "inpaint" => Self {
                temporal_weight: 1.4,
                temporal_bend: 10.0,
                first_epsilon: 0.5,
                ..blur
            },
            _ => blur,
        }
    }

    fn check(&self) -> Result<(), SolverError> {
        positive("the number of iterations", self.iterations as f64)?;
        positive("the noise level", self.noise)?;
        positive("the weight of the prior", self.prior_weight)?;
        positive("the prior's temporal weight", self.temporal_weight.into())?;
        positive("the prior's temporal bend", self.temporal_bend.into())?;
        positive("the prior's first smoothing", self.first_epsilon.into())
    }

    /// Smoothing of the prior at iteration `i`, in units of amplitude: it falls geometrically
    /// over the first 70 % of the iterations.
    fn epsilon(&self, i: usize) -> f32 {
        let first = self.first_epsilon.max(Self::LAST_EPSILON);
        let passed = i as f32 / (0.7 * self.iterations as f32);
        first * (Self::LAST_EPSILON / first).powf(passed.min(1.0))
    }

    fn prior(&self, i: usize) -> SpaceTime {
        let concave = |bend| Concave {
            bend,
            epsilon: self.epsilon(i),
        };
        SpaceTime {
            spatial: concave(f32::INFINITY),
            temporal: concave(self.temporal_bend),
            temporal_weight: self.temporal_weight,
            lags: vec![1, 2, 3, 5],
        }
    }

    /// A bound on the curvature of the weighted prior and of the bounds at iteration `i`.
    ///
    /// phi'' <= 1 / eps; differences of neighbours have a norm of at most 8 in squares, those
    /// of frames 4 a lag, of which there are 4, and these count with their own differences.
    fn curvature(&self, i: usize) -> f64 {
        let differences = 8.0 + f64::from(self.temporal_weight) * 16.0 * (1.0 + 8.0);
        (1.0 + BOUNDS) * self.prior_weight * differences / f64::from(self.epsilon(i))
    }
}

/// Curvature of the penalty that keeps amplitudes in [0, 1], over that of the prior.
const BOUNDS: f64 = 0.2;

/// Maximum a posteriori estimate: minimises ||A(u) - y||^2 / (2 noise^2) + weight R(u) over
/// amplitudes u in [0, 1], where A is affine and knows its regularised inverse
/// ([`ForwardModel::exact_data_step`]).
///
/// R is [`SpaceTime`] with total variation in space, averaged over the clip and the clip
/// reversed, which has its differences on the other side of each pixel. Iterations are those
/// of accelerated proximal gradients (Beck and Teboulle, 2009, restarted as O'Donoghue and
/// Candes, 2015): a gradient step of length 1 / L on the prior, L bounding its curvature, then
/// the exact data step of weight noise^2 L. The data's conditioning, 1e14 for the published
/// blur, therefore costs nothing, and its exactness is that of the closed form from the first
/// iteration on.
///
/// A saturated pixel bounds from below only: its measurement is what the video predicts where
/// that is above it. The prediction is that of the video after the prior's step: with the one
/// before it, such a pixel would rise by a share noise^2 of the prior's pull an iteration, and
/// large saturated regions would stay near their ceiling.
pub struct Linear {
    model: Box<dyn ForwardModel>,
    measurement: Measurement,
    config: LinearConfig,
    current: Clip,
    /// `current`, carried on by the momentum.
    ahead: Clip,
    momentum: f64,
    progress: Progress,
}

impl Linear {
    /// # Errors
    /// A measurement of another shape than the model's, or with values that are not finite; a
    /// model without a closed form; settings that are not positive.
    pub fn new(
        model: Box<dyn ForwardModel>,
        measurement: Measurement,
        config: LinearConfig,
    ) -> Result<Self, SolverError> {
        check_shapes(model.as_ref(), measurement.values())?;
        config.check()?;
        if let Some(value) = measurement.values().data().iter().find(|v| !v.is_finite()) {
            return Err(SolverError::Setting {
                what: "a value of the measurement",
                value: value.to_string(),
                expected: "it must be a finite number; mend or leave out that frame",
            });
        }
        let guess = model.first_guess(measurement.values());
        let weight = config.noise.powi(2) * config.curvature(0);
        let Some(current) = closed_form(model.as_ref(), &guess, measurement.values(), weight)
        else {
            return Err(SolverError::Setting {
                what: "the forward model",
                value: model.name().to_owned(),
                expected: "the closed-form solver takes blur, dehaze and inpaint",
            });
        };
        let progress = Progress {
            done: 0,
            total: config.iterations,
            residual_rms: rms(measurement
                .residual(&model.apply(&clamped(&current)))
                .data()),
        };
        Ok(Self {
            model,
            measurement,
            config,
            ahead: current.clone(),
            current,
            momentum: 1.0,
            progress,
        })
    }

    /// `ahead` after a step of 1 / L down the prior and the penalty of the bounds.
    fn prior_step(&self, i: usize, curvature: f64) -> Clip {
        let prior = self.config.prior(i);
        let weight = (0.5 * self.config.prior_weight / curvature) as f32;
        let n = self.ahead.shape().len();
        let mut gradient = vec![0.0; n];
        let mut mirrored = vec![0.0; n];
        rayon::join(
            || prior.add_gradient(&self.ahead, weight, &mut gradient),
            || prior.add_gradient(&reversed(&self.ahead), weight, &mut mirrored),
        );
        let bounds = (BOUNDS / (1.0 + BOUNDS)) as f32;
        let gradients = gradient.iter().zip(mirrored.iter().rev());
        let values = self.ahead.data().iter().zip(gradients);
        let stepped = values.map(|(&v, (g, m))| v - g - m - bounds * (v - v.clamp(0.0, 1.0)));
        Clip::new(self.ahead.shape(), stepped.collect())
    }
}

/// The exact data step, for models that are affine.
fn closed_form(model: &dyn ForwardModel, z: &Clip, y: &Clip, weight: f64) -> Option<Clip> {
    match model.is_affine() {
        true => model.exact_data_step(z, y, weight),
        false => None,
    }
}

fn reversed(clip: &Clip) -> Clip {
    Clip::new(clip.shape(), clip.data().iter().rev().copied().collect())
}

fn clamped(clip: &Clip) -> Clip {
    clip.map(|v| v.clamp(0.0, 1.0))
}

impl Solver for Linear {
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
        let i = self.progress.done;
        let curvature = self.config.curvature(i);
        let z = self.prior_step(i, curvature);
        let y = self.measurement.agreeing(|| self.model.apply(&z));
        let weight = self.config.noise.powi(2) * curvature;
        let next = closed_form(self.model.as_ref(), &z, &y, weight)
            .expect("the model had its closed form when the solver was made");
        let predicted = self.model.apply(&clamped(&next));
        let residual_rms = rms(self.measurement.residual(&predicted).data());
        if !residual_rms.is_finite() {
            return Err(SolverError::Diverged {
                step: i + 1,
                advice: "check the measurement for values that are huge",
            });
        }
        let overshoot = self.ahead.zip(&next, |a, n| a - n);
        let change = next.zip(&self.current, |n, c| n - c);
        let onward = (1.0 + (1.0 + 4.0 * self.momentum.powi(2)).sqrt()) / 2.0;
        let restart = dot(overshoot.data(), change.data()) > 0.0;
        let (momentum, share) = match restart {
            true => (1.0, 0.0),
            false => (onward, (self.momentum - 1.0) / onward),
        };
        self.ahead = next.zip(&change, |n, c| n + share as f32 * c);
        self.momentum = momentum;
        self.current = next;
        self.progress.done += 1;
        self.progress.residual_rms = residual_rms;
        Ok(self.progress)
    }

    fn change(&mut self, change: &Change) -> Result<(), SolverError> {
        change.apply_to(self.model.as_mut())
    }

    fn estimate(&self) -> Clip {
        clamped(&self.current)
    }

    fn model(&self) -> &dyn ForwardModel {
        self.model.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::metrics::psnr;
    use crate::noise::Noise;
    use crate::physics::{Blur, Dehaze, Inpaint, Optics, Scatter};
    use crate::solver::Quantisation;

    const SHAPE: Shape = Shape::new(5, 24, 20);

    /// A bright square on a dark ground, standing still.
    fn scene() -> Clip {
        let at = |i: usize| (i % SHAPE.frame_len() / SHAPE.width, i % SHAPE.width);
        let inside = |(y, x): (usize, usize)| (6..15).contains(&y) && (5..13).contains(&x);
        let shade = |i| if inside(at(i)) { 0.8 } else { 0.2 };
        Clip::new(SHAPE, (0..SHAPE.len()).map(shade).collect())
    }

    fn solved(model: Box<dyn ForwardModel>, measurement: Measurement) -> (Clip, Clip, f64) {
        let config = LinearConfig::for_model(model.as_ref(), measurement.rounding());
        let mut solver = Linear::new(model, measurement, config).unwrap();
        let first = solver.estimate();
        while !solver.step().unwrap().is_finished() {}
        let last = solver.step().unwrap();
        (first, solver.estimate(), last.residual_rms)
    }

    #[test]
    fn noise_free_data_are_met_to_the_numerical_floor() {
        let truth = scene();
        let mask = Inpaint::random_mask(SHAPE, 0.5, &mut Noise::seeded(1));
        let models: [(Box<dyn ForwardModel>, f64); 3] = [
            (Box::new(Blur::new(SHAPE, 3.0).unwrap()), 40.0),
            (Box::new(Dehaze::new(SHAPE).unwrap()), 100.0),
            (Box::new(Inpaint::new(SHAPE, mask).unwrap()), 40.0),
        ];
        for (model, least) in models {
            let name = model.name();
            let y = model.apply(&truth);
            let (first, last, residual) = solved(model, Measurement::exact(y));
            let scores = [&first, &last].map(|u| psnr(u.data(), truth.data()));
            assert!(residual < 2e-7, "{name}: {residual}");
            assert!(scores[1] > least, "{name}: {scores:?}");
            assert!(
                scores[1] > scores[0] + 6.0 || scores[0] > 100.0,
                "{name}: {scores:?}"
            );
        }
    }

    /// A gentle blur of a scene twice as bright as the camera can tell.
    #[test]
    fn a_saturated_region_rises_above_its_ceiling() {
        let shape = Shape::new(5, 24, 20);
        let (dark, bright) = (0.55, 0.95);
        let at = |i: usize| (i % shape.frame_len() / shape.width, i % shape.width);
        let inside = |(y, x): (usize, usize)| (6..15).contains(&y) && (5..13).contains(&x);
        let shade = |i| if inside(at(i)) { bright } else { dark };
        let truth = Clip::new(shape, (0..shape.len()).map(shade).collect());
        let model = Blur::new(shape, 0.7).unwrap();
        let recorded = model
            .apply(&truth)
            .map(|v| (255.0 * v / 0.9).floor().min(255.0) / 255.0);
        let measurement = Measurement::quantised(recorded, 255, Quantisation::Floor);
        let measurement = measurement.unexposed(1.0 / 0.9, 0.0);
        assert!(measurement.saturated_share() > 0.05);
        let (first, last, _) = solved(Box::new(model), measurement);
        let middle = 10 * shape.width + 9;
        assert!(first.data()[middle] < 0.91);
        // Only the slope of its edges tells how bright the square is.
        assert!(last.data()[middle] > 0.92, "{}", last.data()[middle]);
    }

    #[test]
    fn measured_pixels_come_out_bit_for_bit() {
        let truth = Noise::seeded(2)
            .normal_clip(SHAPE)
            .map(|v| (0.5 + 0.1 * v).clamp(0.0, 1.0));
        let mask = Inpaint::random_mask(SHAPE, 0.3, &mut Noise::seeded(3));
        let model = Inpaint::new(SHAPE, mask.clone()).unwrap();
        let y = model.apply(&truth);
        let (_, estimate, residual) = solved(Box::new(model), Measurement::exact(y));
        assert_eq!(residual, 0.0);
        assert_eq!(
            estimate.zip(&mask, |u, m| u * m),
            truth.zip(&mask, |u, m| u * m)
        );
    }

    #[test]
    fn what_cannot_be_solved_is_refused() {
        let config = LinearConfig::for_model(&Dehaze::new(SHAPE).unwrap(), 1e-3);
        let error = |model: Box<dyn ForwardModel>, value: f32, config: &LinearConfig| {
            let measurement = Measurement::exact(Clip::filled(SHAPE, value));
            let solver = Linear::new(model, measurement, config.clone());
            solver.err().expect("an error").to_string()
        };
        let dehaze = || Box::new(Dehaze::new(SHAPE).unwrap());
        let scatter = Scatter::new(SHAPE, Optics::SYNTHETIC, 5.0, 1.0).unwrap();
        assert!(error(Box::new(scatter), 0.5, &config).contains("scatter"));
        assert!(error(dehaze(), f32::NAN, &config).contains("finite"));
        let still = LinearConfig {
            prior_weight: 0.0,
            ..config
        };
        assert!(error(dehaze(), 0.5, &still).contains("weight"));
        let other = Measurement::exact(Clip::zeros(Shape::new(1, 2, 2)));
        assert!(matches!(
            Linear::new(dehaze(), other, still),
            Err(SolverError::Shape { .. })
        ));
    }
}
