//! Blur by an aberrated pupil, one for the clip or one a frame.

use std::sync::Arc;

use rayon::prelude::*;

use super::correlation::Correlation;
use super::mode::MODES;
use super::pupil::{Psf, Pupil};
use crate::clip::{Clip, Shape};
use crate::physics::{
    ForwardModel, Gradient, Linearised, Parameter, PhysicsError, Unit, check_shape, check_values,
};

/// Bounds of a coefficient in radians: eight waves of phase at the pupil's edge.
const COEFFICIENT_RAD: f64 = 16.0 * std::f64::consts::PI;

/// y = u correlated with the point spread function of the coefficients, zero outside the frame.
#[derive(Clone)]
pub struct ZernikeBlur {
    shape: Shape,
    /// Ten in radians, or ten a frame, frame after frame.
    coefficients_rad: Vec<f64>,
    pupil: Pupil,
    correlation: Correlation,
    /// One for the clip, or one a frame.
    psfs: Vec<Psf>,
}

impl ZernikeBlur {
    /// `coefficients_rad`: ten values in radians in the order of [`MODES`] for a static
    /// aberration, or ten a frame, frame after frame, for a varying one.
    ///
    /// # Errors
    /// Another count, or a coefficient out of range or not finite.
    pub fn new(shape: Shape, coefficients_rad: Vec<f64>) -> Result<Self, PhysicsError> {
        check_shape(shape)?;
        let given = coefficients_rad.len();
        if given != MODES.len() && given != MODES.len() * shape.frames {
            return Err(PhysicsError::Count {
                what: "Zernike coefficients",
                given,
                needed: format!(
                    "{} (static) or {} (ten a frame)",
                    MODES.len(),
                    MODES.len() * shape.frames
                ),
            });
        }
        let mut model = Self {
            shape,
            coefficients_rad: vec![0.0; given],
            pupil: Pupil::new(),
            correlation: Correlation::new(shape.height, shape.width),
            psfs: Vec::new(),
        };
        model.set_parameters(&coefficients_rad)?;
        Ok(model)
    }

    pub fn pupil(&self) -> &Pupil {
        &self.pupil
    }

    /// The point spread functions, 32 x 32 each: one, or one a frame.
    pub fn psfs(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.psfs.iter().map(|psf| psf.values.as_slice())
    }

    fn is_static(&self) -> bool {
        self.psfs.len() == 1
    }

    fn psf_index(&self, frame: usize) -> usize {
        if self.is_static() { 0 } else { frame }
    }
}

impl ForwardModel for ZernikeBlur {
    fn name(&self) -> &'static str {
        "zernike"
    }

    fn boxed(&self) -> Box<dyn ForwardModel> {
        Box::new(self.clone())
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn parameters(&self) -> Vec<Parameter> {
        let varying = self.coefficients_rad.len() > MODES.len();
        let rows = self.coefficients_rad.iter().enumerate();
        rows.map(|(i, &value)| {
            let mode = MODES[i % MODES.len()];
            Parameter {
                name: format!("{} ({},{})", mode.name, mode.n, mode.m),
                frame: varying.then_some(i / MODES.len()),
                unit: Unit::Radian,
                value,
                min: -COEFFICIENT_RAD,
                max: COEFFICIENT_RAD,
                zernike: Some(mode.with(value)),
            }
        })
        .collect()
    }

    fn set_parameters(&mut self, values: &[f64]) -> Result<(), PhysicsError> {
        check_values(&self.parameters(), values)?;
        self.coefficients_rad.copy_from_slice(values);
        self.psfs = values
            .par_chunks_exact(MODES.len())
            .map(|coefficients| self.pupil.psf(coefficients))
            .collect();
        Ok(())
    }

    fn linearise(&self, amplitude: &Clip) -> Linearised<'_> {
        assert_eq!(amplitude.shape(), self.shape);
        let frames = self.shape.frames;
        let kernels: Vec<_> = self
            .psfs
            .par_iter()
            .map(|psf| self.correlation.kernel_spectrum(&psf.values))
            .collect();
        let spectra: Vec<_> = (0..frames)
            .into_par_iter()
            .map(|f| self.correlation.frame_spectrum(amplitude.frame(f)))
            .collect();
        let data = (0..frames)
            .into_par_iter()
            .flat_map_iter(|f| {
                self.correlation
                    .apply(&spectra[f], &kernels[self.psf_index(f)])
            })
            .collect();
        let kernels = Arc::new(kernels);
        let passed = Arc::clone(&kernels);
        let pushforward = move |du: &Clip| {
            let pushed: Vec<_> = (0..frames)
                .into_par_iter()
                .map(|f| {
                    let spectrum = self.correlation.frame_spectrum(du.frame(f));
                    self.correlation
                        .apply(&spectrum, &passed[self.psf_index(f)])
                })
                .collect();
            Clip::new(self.shape, pushed.concat())
        };
        let pullback = move |v: &Clip, parameters: bool| {
            let pulled: Vec<_> = (0..frames)
                .into_par_iter()
                .map(|f| {
                    let cotangent = self.correlation.frame_spectrum(v.frame(f));
                    let kernel = &kernels[self.psf_index(f)];
                    let video = self.correlation.pull_frame(&cotangent, kernel);
                    let psf =
                        parameters.then(|| self.correlation.pull_kernel(&cotangent, &spectra[f]));
                    (video, psf)
                })
                .collect();
            let slopes: Vec<&Vec<f32>> = pulled.iter().filter_map(|(_, p)| p.as_ref()).collect();
            let sum = |frames: &[&Vec<f32>]| -> Vec<f64> {
                let pixels = 0..frames[0].len();
                pixels
                    .map(|i| frames.iter().map(|f| f64::from(f[i])).sum())
                    .collect()
            };
            let parameters = match (slopes.is_empty(), self.is_static()) {
                (true, _) => Vec::new(),
                (false, true) => self.pupil.pull(&self.psfs[0], &sum(&slopes)),
                (false, false) => slopes
                    .par_iter()
                    .zip(&self.psfs)
                    .flat_map_iter(|(&slope, psf)| self.pupil.pull(psf, &sum(&[slope])))
                    .collect(),
            };
            let video = pulled.into_iter().flat_map(|(v, _)| v).collect();
            Gradient {
                video: Clip::new(self.shape, video),
                parameters,
            }
        };
        Linearised {
            measurement: Clip::new(self.shape, data),
            pushforward: Box::new(pushforward),
            pullback: Box::new(pullback),
        }
    }

    /// The measurement over the energy of the point spread function.
    fn first_guess(&self, measurement: &Clip) -> Clip {
        let mut guess = measurement.clone();
        for frame in 0..self.shape.frames {
            let energy: f32 = self.psfs[self.psf_index(frame)].values.iter().sum();
            for value in guess.frame_mut(frame) {
                *value = (*value / energy).clamp(0.0, 1.0);
            }
        }
        guess
    }
}
