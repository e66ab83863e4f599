//! The tasks of the published programs.

use serde::Serialize;

use crate::clip::{Clip, Shape};
use crate::media::datasets::Sample;
use crate::noise::Noise;
use crate::physics::zernike::MODES;
use crate::physics::{
    Blur, Dehaze, ForwardModel, Inpaint, Optics, Parameter, PhysicsError, Scatter, ZernikeBlur,
};
use crate::solver::{Unknown, Weight};

/// Share of the pixels that the published inpainting keeps.
const KEPT_SHARE: f64 = 0.5;
/// Standard deviation of the published Zernike coefficients, in radians.
const COEFFICIENT_RAD: f64 = 2.0;

/// What a parameter of a measurement is drawn from, uniformly, for each frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Limits {
    pub min: f64,
    pub max: f64,
}

impl Limits {
    /// Equal limits tell the solver the value; others never reach it.
    pub fn is_known(&self) -> bool {
        self.min == self.max
    }

    fn draw(&self, frames: usize, noise: &mut Noise) -> Vec<f64> {
        let draw = |_| noise.uniform(self.min, self.max);
        (0..frames).map(draw).collect()
    }
}

/// A published task.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Experiment {
    /// A layer of known distance and blur width.
    Scatter {
        dist_mm: f64,
        sigma_px: f64,
    },
    Dehaze,
    Inpaint,
    Blur,
    /// A layer that differs from frame to frame.
    ScatterBlind {
        dist_mm: Limits,
        sigma_px: Limits,
    },
    /// Captures through a layer: the distance is recorded, the blur width is not.
    ScatterReal,
    Zernike,
    /// Ten coefficients for each frame.
    ZernikeVarying,
}

/// Why an experiment cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("the limits of the {what} are {min} and {max}: the first may not exceed the second")]
    Limits {
        what: &'static str,
        min: f64,
        max: f64,
    },
    #[error("the capture does not say its distance: its tenth MAT file holds no `z` (metres)")]
    NoDistance,
    #[error(transparent)]
    Physics(#[from] PhysicsError),
}

/// A clip of an experiment, ready for the solver.
pub struct Setup {
    /// Its known parameters hold their values; the networks replace the unknown ones.
    pub model: Box<dyn ForwardModel>,
    /// What [`ForwardModel::linearise_signed`] predicts; in f32, never quantised.
    pub measurement: Clip,
    /// Amplitudes; none for a capture.
    pub target: Option<Clip>,
    /// The parameters that made the measurement; none for a capture.
    pub truth: Option<Vec<Parameter>>,
    pub unknowns: Vec<Unknown>,
    pub weight: Weight,
}

impl Experiment {
    /// # Errors
    /// Parameters that no measurement could be made with.
    pub fn check(&self) -> Result<(), SetupError> {
        let check = |dist_mm: f64, sigma_px: f64| {
            Scatter::new(Shape::new(1, 1, 1), Optics::SYNTHETIC, dist_mm, sigma_px).map(drop)
        };
        match self {
            Self::Scatter { dist_mm, sigma_px } => Ok(check(*dist_mm, *sigma_px)?),
            Self::ScatterBlind { dist_mm, sigma_px } => {
                check(dist_mm.min, sigma_px.min)?;
                check(dist_mm.max, sigma_px.max)?;
                for (what, &Limits { min, max }) in [("distance", dist_mm), ("sigma", sigma_px)] {
                    if min > max {
                        return Err(SetupError::Limits { what, min, max });
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Makes the measurement of a clip, and all else that the solver starts from.
    ///
    /// Drawn from `noise`, in this order: what makes the measurement (distances then sigmas
    /// frame by frame, or the mask, or the coefficients), then the starting values of the
    /// estimating networks (distance before sigma). Each is drawn whole, whether or not its
    /// limits are equal.
    ///
    /// # Errors
    /// A capture without a distance, or with one out of range.
    pub fn set_up(&self, sample: Sample, noise: &mut Noise) -> Result<Setup, SetupError> {
        let frames = sample.clip.shape().frames;
        let model = self.model(&sample, noise)?;
        let (measurement, target, truth) = match self {
            Self::ScatterReal => (sample.clip, None, None),
            _ => {
                let signed = sample.clip.map(|u| 2.0 * u - 1.0);
                let measurement = model.linearise_signed(&signed).measurement;
                (measurement, Some(sample.clip), Some(model.parameters()))
            }
        };
        Ok(Setup {
            model,
            measurement,
            target,
            truth,
            unknowns: self.unknowns(frames, noise),
            weight: self.weight(),
        })
    }

    /// The forward model with its true parameters, as far as there are any.
    fn model(
        &self,
        sample: &Sample,
        noise: &mut Noise,
    ) -> Result<Box<dyn ForwardModel>, SetupError> {
        let shape = sample.clip.shape();
        let optics = Optics::SYNTHETIC;
        Ok(match self {
            Self::Scatter { dist_mm, sigma_px } => {
                Box::new(Scatter::new(shape, optics, *dist_mm, *sigma_px)?)
            }
            Self::Dehaze => Box::new(Dehaze::new(shape)?),
            Self::Inpaint => {
                let mask = Inpaint::random_mask(shape, KEPT_SHARE, noise);
                Box::new(Inpaint::new(shape, mask)?)
            }
            Self::Blur => Box::new(Blur::new(shape, Blur::PUBLISHED_SIGMA_PX)?),
            Self::ScatterBlind { dist_mm, sigma_px } => {
                let dist_mm = dist_mm.draw(shape.frames, noise);
                let sigma_px = sigma_px.draw(shape.frames, noise);
                Box::new(Scatter::new(shape, optics, dist_mm, sigma_px)?)
            }
            Self::ScatterReal => {
                let dist_mm = 1e3 * sample.dist_m.ok_or(SetupError::NoDistance)?;
                let open = vec![1.0; shape.frames];
                Box::new(Scatter::new(shape, Optics::REAL, dist_mm, open)?)
            }
            Self::Zernike => Box::new(ZernikeBlur::new(shape, coefficients_rad(1, noise))?),
            Self::ZernikeVarying => {
                let coefficients_rad = coefficients_rad(shape.frames, noise);
                Box::new(ZernikeBlur::new(shape, coefficients_rad)?)
            }
        })
    }

    fn unknowns(&self, frames: usize, noise: &mut Noise) -> Vec<Unknown> {
        match self {
            Self::ScatterBlind { dist_mm, sigma_px } => {
                // With both known the published program still estimates sigma.
                let sigma = !sigma_px.is_known() || dist_mm.is_known();
                let shift = if dist_mm.is_known() { 1.0 } else { 0.5 };
                let mut unknowns = Vec::new();
                if !dist_mm.is_known() {
                    unknowns.push(Unknown::distances(0, frames, noise));
                }
                if sigma {
                    unknowns.push(Unknown::sigmas(frames, frames, shift, noise));
                }
                unknowns
            }
            // One distance for the clip comes before the widths.
            Self::ScatterReal => vec![Unknown::sigmas(1, frames, 1.0, noise)],
            Self::Zernike => vec![Unknown::zernike(MODES.len(), noise)],
            Self::ZernikeVarying => vec![Unknown::zernike(MODES.len() * frames, noise)],
            _ => Vec::new(),
        }
    }

    fn weight(&self) -> Weight {
        match self {
            Self::Scatter { .. } | Self::Dehaze | Self::Inpaint | Self::Blur => Weight::SineSquared,
            Self::ScatterBlind { .. } | Self::ScatterReal => Weight::Constant(0.2),
            Self::Zernike | Self::ZernikeVarying => Weight::Constant(0.1),
        }
    }
}

fn coefficients_rad(sets: usize, noise: &mut Noise) -> Vec<f64> {
    let draw = |_| COEFFICIENT_RAD * noise.normal();
    (0..sets * MODES.len()).map(draw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(dist_m: Option<f64>) -> Sample {
        let shape = Shape::new(3, 16, 16);
        let clip = Noise::seeded(1).normal_clip(shape);
        Sample {
            name: "Golf".into(),
            clip: clip.map(|v| (0.5 + 0.2 * v).clamp(0.0, 1.0)),
            dist_m,
            thickness_um: None,
        }
    }

    fn set_up(experiment: &Experiment) -> Setup {
        let noise = &mut Noise::seeded(4);
        experiment.set_up(sample(Some(0.01)), noise).unwrap()
    }

    fn limits(min: f64, max: f64) -> Limits {
        Limits { min, max }
    }

    fn blind(dist_mm: Limits, sigma_px: Limits) -> Experiment {
        Experiment::ScatterBlind { dist_mm, sigma_px }
    }

    /// The first index, the count, and the mean of the starting values of each network.
    fn estimated(setup: &Setup) -> Vec<(usize, usize, f64)> {
        let of = |unknown: &Unknown| {
            let values = unknown.network.values();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (unknown.first, values.len(), mean)
        };
        setup.unknowns.iter().map(of).collect()
    }

    #[test]
    fn equal_limits_are_known_and_sigma_is_estimated_even_then() {
        let (wide_dist, wide_sigma) = (limits(2.5, 5.0), limits(0.5, 1.0));
        let near = |found: f64, shift: f64| (found - shift).abs() < 0.3;

        let both = estimated(&set_up(&blind(wide_dist, wide_sigma)));
        assert_eq!((both[0].0, both[0].1, both[1].0, both[1].1), (0, 3, 3, 3));
        assert!(near(both[0].2, 2.5) && near(both[1].2, 0.5), "{both:?}");

        for dist_known in [
            blind(limits(5.0, 5.0), wide_sigma),
            blind(limits(5.0, 5.0), limits(1.0, 1.0)),
        ] {
            let sigma = estimated(&set_up(&dist_known));
            assert_eq!((sigma.len(), sigma[0].0, sigma[0].1), (1, 3, 3));
            assert!(near(sigma[0].2, 1.0), "{sigma:?}");
        }

        let dist = estimated(&set_up(&blind(wide_dist, limits(1.0, 1.0))));
        assert_eq!((dist.len(), dist[0].0, dist[0].1), (1, 0, 3));
    }

    #[test]
    fn limits_draw_a_value_for_each_frame() {
        let truth = set_up(&blind(limits(2.5, 5.0), limits(1.0, 1.0)))
            .truth
            .unwrap();
        let of = |name: &str| -> Vec<f64> {
            let rows = truth.iter().filter(|p| p.name == name);
            rows.map(|p| p.value).collect()
        };
        let dist_mm = of("distance");
        assert!(dist_mm.iter().all(|d| (2.5..5.0).contains(d)));
        assert!(dist_mm[0] != dist_mm[1] && dist_mm[1] != dist_mm[2]);
        assert_eq!(of("sigma"), [1.0; 3]);
    }

    #[test]
    fn one_limit_s_width_does_not_change_what_the_other_draws() {
        let sigmas = |dist_mm| {
            let truth = set_up(&blind(dist_mm, limits(0.5, 1.0))).truth.unwrap();
            truth[3..].iter().map(|p| p.value).collect::<Vec<_>>()
        };
        assert_eq!(sigmas(limits(5.0, 5.0)), sigmas(limits(2.5, 5.0)));
    }

    #[test]
    fn inpainting_measures_half_of_the_signed_video() {
        let setup = set_up(&Experiment::Inpaint);
        let target = setup.target.unwrap();
        let pairs = setup.measurement.data().iter().zip(target.data());
        let kept = pairs.filter(|&(&y, &u)| y == 2.0 * u - 1.0).count();
        let lost = setup
            .measurement
            .data()
            .iter()
            .filter(|&&y| y == 0.0)
            .count();
        assert_eq!((kept, lost), (3 * 128, 3 * 128));
        assert!(setup.measurement.data().iter().any(|&y| y < -0.2));
    }

    #[test]
    fn a_capture_keeps_its_distance_and_needs_one() {
        let setup = set_up(&Experiment::ScatterReal);
        let table = setup.model.parameters();
        assert_eq!((table[0].name.as_str(), table[0].value), ("distance", 10.0));
        assert_eq!((estimated(&setup)[0].0, estimated(&setup)[0].1), (1, 3));
        assert!(setup.target.is_none() && setup.truth.is_none());
        assert_eq!(setup.measurement, sample(None).clip);
        let error = Experiment::ScatterReal
            .set_up(sample(None), &mut Noise::seeded(1))
            .err()
            .unwrap();
        assert!(error.to_string().contains("`z`"), "{error}");
    }

    #[test]
    fn coefficients_have_twice_the_normal_s_spread() {
        let mut noise = Noise::seeded(3);
        let drawn = coefficients_rad(200, &mut noise);
        let square = drawn.iter().map(|c| c * c).sum::<f64>() / drawn.len() as f64;
        assert!((square - 4.0).abs() < 0.4, "{square}");
        for (experiment, count) in [(Experiment::Zernike, 10), (Experiment::ZernikeVarying, 30)] {
            let setup = set_up(&experiment);
            assert_eq!(setup.truth.as_ref().unwrap().len(), count);
            assert_eq!((estimated(&setup)[0].0, estimated(&setup)[0].1), (0, count));
        }
    }

    #[test]
    fn impossible_limits_are_refused() {
        let error = |experiment: Experiment| experiment.check().unwrap_err().to_string();
        let swapped = error(blind(limits(2.0, 2.0), limits(1.0, 0.5)));
        assert!(swapped.contains("sigma are 1 and 0.5"), "{swapped}");
        let negative = error(blind(limits(-1.0, 2.0), limits(1.0, 1.0)));
        assert!(negative.contains("distance is -1 mm"), "{negative}");
        let nan = error(Experiment::Scatter {
            dist_mm: 5.0,
            sigma_px: f64::NAN,
        });
        assert!(nan.contains("sigma is NaN px"), "{nan}");
        assert!(Experiment::Dehaze.check().is_ok());
    }
}
