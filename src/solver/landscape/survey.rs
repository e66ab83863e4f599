//! The residual at single places of a landscape.

use rayon::prelude::*;

use crate::clip::{Clip, Shape};
use crate::metrics;
use crate::physics::zernike::MODES;
use crate::physics::{Blur, ForwardModel, Optics, PhysicsError, Scatter, ZernikeBlur, dot};
use crate::prior::TotalVariation;
use crate::solver::{Instant, InstantConfig, Measurement, Solver, SolverError};

/// Which parameters a landscape goes over, x first.
#[derive(Clone, Debug, PartialEq)]
pub enum Plane {
    /// Distance (mm) and blur width (px) of a scattering layer.
    Scatter(Optics),
    /// Two Zernike coefficients (rad), by their places among the ten; the others are as given.
    Zernike {
        coefficients_rad: [f64; MODES.len()],
        axes: [usize; 2],
    },
    /// The width (px) of a Gaussian blur; y means nothing.
    Blur,
}

impl Plane {
    /// The forward model at a place.
    fn model(&self, shape: Shape, x: f64, y: f64) -> Result<Box<dyn ForwardModel>, PhysicsError> {
        Ok(match self {
            Self::Scatter(optics) => Box::new(Scatter::new(shape, *optics, x, y)?),
            Self::Zernike {
                coefficients_rad,
                axes,
            } => {
                let mut all = coefficients_rad.to_vec();
                (all[axes[0]], all[axes[1]]) = (x, y);
                Box::new(ZernikeBlur::new(shape, all)?)
            }
            Self::Blur => Box::new(Blur::new(shape, x)?),
        })
    }
}

/// Whether gain and offset of the measurement are those of the forward model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposed {
    AsGiven,
    /// Both are fitted at every place.
    Fitted,
}

/// What is looked at: a measurement, and an estimate that is held fixed or one that is found
/// anew at every place.
pub struct Survey {
    plane: Plane,
    measurement: Measurement,
    estimate: Option<Clip>,
    exposed: Exposed,
}

/// Of the short reconstruction at a place. They are few: the landscape needs the order of the
/// places, not the video.
const ITERATIONS: usize = 40;
/// The weight of total variation at the last one, over the squared amplitude.
const LAST_WEIGHT: f64 = 1e-3;

impl Survey {
    /// Over one frame or over the clip. Where there is no `estimate`, every place has a short
    /// reconstruction of its own, by total variation, and the landscape is of its objective: the
    /// mean squared residual, and twice the prior's share for each pixel.
    ///
    /// # Errors
    /// Shapes that differ, a frame that the clip lacks.
    pub fn new(
        plane: Plane,
        measurement: &Measurement,
        estimate: Option<&Clip>,
        frame: Option<usize>,
        exposed: Exposed,
    ) -> Result<Self, SolverError> {
        let shape = measurement.shape();
        if let Some(estimate) = estimate
            && estimate.shape() != shape
        {
            return Err(SolverError::Shape {
                given: shape,
                needed: estimate.shape(),
            });
        }
        if let Some(frame) = frame.filter(|&frame| frame >= shape.frames) {
            return Err(SolverError::Setting {
                what: "the frame",
                value: frame.to_string(),
                expected: "frames are counted from 0, and the clip has fewer",
            });
        }
        let one = Shape::new(1, shape.height, shape.width);
        let of_frame = |clip: &Clip, frame| Clip::new(one, clip.frame(frame).to_vec());
        let measurement = match frame {
            Some(frame) => measurement.frame(frame),
            None => measurement.clone(),
        };
        Ok(Self {
            plane,
            estimate: estimate.map(|estimate| match frame {
                Some(frame) => of_frame(estimate, frame),
                None => estimate.clone(),
            }),
            measurement,
            exposed,
        })
    }

    /// Pixels that are looked at.
    pub fn pixels(&self) -> usize {
        self.measurement.shape().len()
    }

    /// Standard deviation of the measurement's rounding.
    pub fn rounding(&self) -> f64 {
        self.measurement.rounding()
    }

    /// Whether every place has a reconstruction of its own.
    pub fn is_refitted(&self) -> bool {
        self.estimate.is_none()
    }

    /// The mean squared residuals at one x and each of `ys`; what was not begun when `wanted`
    /// turned false is not a number.
    ///
    /// # Errors
    /// Values out of the forward model's range.
    pub fn column(
        &self,
        x: f64,
        ys: &[f64],
        wanted: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<f64>, SolverError> {
        let Some(estimate) = &self.estimate else {
            return self.each(ys, wanted, |y| self.refitted(x, y));
        };
        let Plane::Scatter(optics) = self.plane else {
            return self.each(ys, wanted, |y| {
                let model = self.plane.model(estimate.shape(), x, y)?;
                Ok(self.mean_square(model.apply(estimate)))
            });
        };
        // A layer that does not blur leaves the intensity behind the distance, which all widths
        // share. It also refuses a distance out of range.
        let shape = estimate.shape();
        let intensity = Scatter::new(shape, optics, x, 0.0)?.apply(estimate);
        self.each(ys, wanted, |y| {
            let layer = Blur::new(shape, y)?;
            Ok(self.mean_square(layer.apply(&intensity)))
        })
    }

    fn each(
        &self,
        ys: &[f64],
        wanted: &(dyn Fn() -> bool + Sync),
        at: impl Fn(f64) -> Result<f64, SolverError> + Sync,
    ) -> Result<Vec<f64>, SolverError> {
        let place = |&y: &f64| if wanted() { at(y) } else { Ok(f64::NAN) };
        ys.par_iter().map(place).collect()
    }

    fn mean_square(&self, mut predicted: Clip) -> f64 {
        if self.exposed == Exposed::Fitted {
            let fit = metrics::fit(predicted.data(), self.measurement.values().data());
            predicted = predicted.map(|v| (fit.gain * f64::from(v) + fit.offset) as f32);
        }
        let residual = self.measurement.residual(&predicted);
        dot(residual.data(), residual.data()) / self.pixels() as f64
    }

    fn refitted(&self, x: f64, y: f64) -> Result<f64, SolverError> {
        let shape = self.measurement.shape();
        let model = self.plane.model(shape, x, y)?;
        let mut measurement = self.measurement.clone();
        if self.exposed == Exposed::Fitted {
            // Of a scale that is not known only the order of the values tells anything.
            let (low, high) = measurement.values().range();
            let contrast = f64::from(high - low).max(f64::MIN_POSITIVE);
            measurement = measurement.unexposed(contrast, f64::from(low));
        }
        let config = InstantConfig {
            iterations: ITERATIONS,
            smoothness: LAST_WEIGHT,
            noise: 1.0,
            ..InstantConfig::for_noise(1.0)
        };
        let mut solver = Instant::new(model, measurement, config)?;
        let mut rms = f64::INFINITY;
        while !solver.progress().is_finished() {
            rms = solver.step()?.residual_rms;
        }
        let prior = TotalVariation { epsilon: 1e-3 }.value(&solver.estimate());
        Ok(rms * rms + 2.0 * LAST_WEIGHT * prior / self.pixels() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;
    use crate::scenes::Scene;

    fn lowest(survey: &Survey, xs: &[f64], ys: &[f64]) -> (f64, f64) {
        let places = xs.iter().flat_map(|&x| {
            let column = survey.column(x, ys, &|| true).unwrap();
            ys.iter()
                .zip(column)
                .map(move |(&y, v)| (v, x, y))
                .collect::<Vec<_>>()
        });
        let best = places.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        (best.1, best.2)
    }

    #[test]
    fn without_an_estimate_the_measurement_alone_points_at_the_layer() {
        let shape = Shape::new(1, 48, 48);
        let scene = Scene::Leaves.render(shape, 3);
        let model = Scatter::new(shape, Optics::SYNTHETIC, 5.0, 1.0).unwrap();
        let measurement = Measurement::exact(model.apply(&scene));
        let plane = Plane::Scatter(Optics::SYNTHETIC);
        for exposed in [Exposed::AsGiven, Exposed::Fitted] {
            let survey = Survey::new(plane.clone(), &measurement, None, None, exposed).unwrap();
            let (dist, _) = lowest(&survey, &[3.0, 4.0, 5.0, 6.0, 7.0], &[0.7, 1.0, 1.4]);
            assert_eq!(dist, 5.0);
        }
    }

    #[test]
    fn an_estimate_points_at_its_aberration_and_its_blur() {
        let shape = Shape::new(2, 24, 24);
        let scene = Scene::Leaves.render(shape, 4);
        let mut truth = [0.0; MODES.len()];
        // All even modes may change their sign together: one that stays tells which it is.
        (truth[3], truth[4], truth[5]) = (0.8, 1.0, -0.5);
        let model = ZernikeBlur::new(shape, truth.to_vec()).unwrap();
        let measurement = Measurement::exact(model.apply(&scene).map(|v| 0.5 * v + 0.1));
        truth[4] = 0.0;
        let plane = Plane::Zernike {
            coefficients_rad: truth,
            axes: [4, 5],
        };
        let survey = Survey::new(plane, &measurement, Some(&scene), None, Exposed::Fitted).unwrap();
        let axis = [-1.0, -0.5, 0.0, 0.5, 1.0];
        assert_eq!(lowest(&survey, &axis, &axis), (1.0, -0.5));

        let model = Blur::new(shape, 2.0).unwrap();
        let measurement = Measurement::exact(model.apply(&scene));
        let survey = Survey::new(
            Plane::Blur,
            &measurement,
            Some(&scene),
            Some(1),
            Exposed::AsGiven,
        );
        assert_eq!(lowest(&survey.unwrap(), &[1.0, 2.0, 3.0], &[0.0]).0, 2.0);
    }

    #[test]
    fn what_is_not_wanted_any_more_is_left_out() {
        let shape = Shape::new(1, 8, 8);
        let clip = Noise::seeded(1).normal_clip(shape);
        let measurement = Measurement::exact(clip.clone());
        let plane = Plane::Scatter(Optics::SYNTHETIC);
        let survey = Survey::new(plane, &measurement, Some(&clip), None, Exposed::AsGiven).unwrap();
        let column = survey.column(5.0, &[0.5, 1.0], &|| false).unwrap();
        assert!(column.iter().all(|v| v.is_nan()));
        assert!(survey.column(5.0, &[-1.0], &|| true).is_err());
    }
}
