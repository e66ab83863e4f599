//! The dynamic scattering layer: propagation, intensity, Gaussian blur.

use std::sync::Arc;

use rayon::prelude::*;

use super::gaussian::GaussianKernel;
use super::propagation::{Propagator, Transfer};
use super::{
    ForwardModel, Gradient, Linearised, Optics, Parameter, PerFrame, PhysicsError, Unit,
    check_shape, check_values,
};
use crate::clip::{Clip, Shape};

/// Bounds of a propagation distance in millimetres.
const DIST_MM: (f64, f64) = (0.0, 1000.0);
/// Bounds of a blur width in pixels.
const SIGMA_PX: (f64, f64) = (0.0, 32.0);

/// y = blur_sigma(|propagate_d(u)|^2), frame by frame.
///
/// The amplitude u passes free space over `dist_mm`, the layer blurs the intensity with a
/// Gaussian of width `sigma_px`. Distance and width serve the clip or differ by frame.
#[derive(Clone)]
pub struct Scatter {
    shape: Shape,
    optics: Optics,
    dist_mm: PerFrame,
    sigma_px: PerFrame,
    propagator: Propagator,
    /// At each distance of `dist_mm`.
    transfers: Vec<Transfer>,
    /// At each width of `sigma_px`.
    kernels: Vec<GaussianKernel>,
}

impl Scatter {
    /// # Errors
    /// Values out of range or not finite, or per-frame values that are not one a frame.
    pub fn new(
        shape: Shape,
        optics: Optics,
        dist_mm: impl Into<PerFrame>,
        sigma_px: impl Into<PerFrame>,
    ) -> Result<Self, PhysicsError> {
        check_shape(shape)?;
        optics.check()?;
        let (dist_mm, sigma_px) = (dist_mm.into(), sigma_px.into());
        for (what, values) in [("distance", &dist_mm), ("sigma", &sigma_px)] {
            if let PerFrame::Frames(values) = values
                && values.len() != shape.frames
            {
                return Err(PhysicsError::Count {
                    what,
                    given: values.len(),
                    needed: format!("1 or {} (one a frame)", shape.frames),
                });
            }
        }
        let mut model = Self {
            shape,
            optics,
            dist_mm,
            sigma_px,
            propagator: Propagator::new(shape.height, shape.width, &optics),
            transfers: Vec::new(),
            kernels: Vec::new(),
        };
        let values: Vec<f64> = model.parameters().iter().map(|p| p.value).collect();
        model.set_parameters(&values)?;
        Ok(model)
    }

    /// The distance beyond which the propagation kernel aliases along the shorter side.
    pub fn aliasing_limit_mm(&self) -> f64 {
        let shorter = self.shape.height.min(self.shape.width);
        self.optics.aliasing_limit_mm(shorter)
    }
}

impl ForwardModel for Scatter {
    fn name(&self) -> &'static str {
        "scatter"
    }

    fn boxed(&self) -> Box<dyn ForwardModel> {
        Box::new(self.clone())
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn parameters(&self) -> Vec<Parameter> {
        let table = |name: &str, values: &PerFrame, unit, (min, max)| {
            let rows = values.as_slice().iter().enumerate();
            rows.map(|(i, &value)| Parameter {
                name: name.into(),
                frame: values.frame_of(i),
                unit,
                value,
                min,
                max,
                zernike: None,
            })
            .collect::<Vec<_>>()
        };
        let mut rows = table("distance", &self.dist_mm, Unit::Millimetre, DIST_MM);
        rows.extend(table("sigma", &self.sigma_px, Unit::Pixel, SIGMA_PX));
        rows
    }

    fn set_parameters(&mut self, values: &[f64]) -> Result<(), PhysicsError> {
        check_values(&self.parameters(), values)?;
        let distances = self.dist_mm.as_mut_slice();
        let (head, tail) = values.split_at(distances.len());
        distances.copy_from_slice(head);
        self.sigma_px.as_mut_slice().copy_from_slice(tail);
        let distances = self.dist_mm.as_slice().par_iter();
        self.transfers = distances.map(|&d| self.propagator.transfer(d)).collect();
        let widths = self.sigma_px.as_slice().iter();
        self.kernels = widths.map(|&s| GaussianKernel::new(s)).collect();
        Ok(())
    }

    fn linearise(&self, amplitude: &Clip) -> Linearised<'_> {
        assert_eq!(amplitude.shape(), self.shape);
        let width = self.shape.width;
        let frames: Vec<_> = (0..self.shape.frames)
            .into_par_iter()
            .map(|f| {
                let transfer = self.dist_mm.pick(f, &self.transfers);
                let field = self.propagator.propagate(amplitude.frame(f), transfer);
                let intensity = field.intensity();
                let kernel = self.sigma_px.pick(f, &self.kernels);
                let measured = kernel.apply(&intensity, width);
                (measured, transfer, field, kernel, intensity)
            })
            .collect();
        let frames = Arc::new(frames);
        let data = frames
            .iter()
            .flat_map(|(m, ..)| m.iter().copied())
            .collect();
        let passed = Arc::clone(&frames);
        let pushforward = move |du: &Clip| {
            let pushed: Vec<_> = passed
                .par_iter()
                .enumerate()
                .map(|(f, (_, transfer, field, kernel, _))| {
                    let change = self.propagator.propagate(du.frame(f), transfer);
                    let parts = field.a.iter().zip(&change.a);
                    let parts = parts.zip(field.b.iter().zip(&change.b));
                    let intensity: Vec<f32> = parts
                        .map(|((a, da), (b, db))| 2.0 * (a * da + b * db))
                        .collect();
                    kernel.apply(&intensity, width)
                })
                .collect();
            Clip::new(self.shape, pushed.concat())
        };
        let pullback = move |cotangent: &Clip, parameters: bool| {
            let pulled: Vec<_> = frames
                .par_iter()
                .enumerate()
                .map(|(f, (_, transfer, field, kernel, intensity))| {
                    let v = cotangent.frame(f);
                    let through = kernel.apply(v, width);
                    let times = |part: &[f32]| -> Vec<f32> {
                        part.iter()
                            .zip(&through)
                            .map(|(p, t)| 2.0 * p * t)
                            .collect()
                    };
                    let spectra = self
                        .propagator
                        .cotangent(&times(&field.a), &times(&field.b));
                    let video = self.propagator.pull_amplitude(&spectra, transfer);
                    let slopes = parameters.then(|| {
                        (
                            self.propagator.pull_distance(field, &spectra, transfer),
                            kernel.sigma_gradient(intensity, v, width),
                        )
                    });
                    (video, slopes)
                })
                .collect();
            let slopes: Vec<(f64, f64)> = pulled.iter().filter_map(|(_, s)| *s).collect();
            let mut gathered = Vec::new();
            if parameters {
                gathered = self.dist_mm.gather(slopes.iter().map(|s| s.0));
                gathered.extend(self.sigma_px.gather(slopes.iter().map(|s| s.1)));
            }
            let video = pulled.into_iter().flat_map(|(v, _)| v).collect();
            Gradient {
                video: Clip::new(self.shape, video),
                parameters: gathered,
            }
        };
        Linearised {
            measurement: Clip::new(self.shape, data),
            pushforward: Box::new(pushforward),
            pullback: Box::new(pullback),
        }
    }

    /// The measured intensity, unpropagated, as an amplitude.
    fn first_guess(&self, measurement: &Clip) -> Clip {
        measurement.map(|y| y.clamp(0.0, 1.0).sqrt())
    }

    fn is_affine(&self) -> bool {
        false
    }

    fn warnings(&self) -> Vec<String> {
        let shorter = self.shape.height.min(self.shape.width);
        let farthest = self.dist_mm.as_slice().iter().copied().fold(0.0, f64::max);
        let warning = self.optics.aliasing_warning(shorter, farthest);
        warning.into_iter().collect()
    }
}
