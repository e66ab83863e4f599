//! The published Gaussian blur of amplitudes.

use std::sync::OnceLock;

use rayon::prelude::*;

use super::gaussian::GaussianKernel;
use super::symmetric::Spectrum;
use super::{
    ForwardModel, Gradient, Linearised, Parameter, PhysicsError, Unit, check_shape, check_values,
};
use crate::clip::{Clip, Shape};

/// y = blur_sigma(u), one width for the clip.
pub struct Blur {
    shape: Shape,
    sigma_px: f64,
    kernel: GaussianKernel,
    /// Of the blurs along the columns and along the rows.
    spectra: OnceLock<(Spectrum, Spectrum)>,
}

impl Blur {
    /// The width of the published deblurring experiment, in pixels.
    pub const PUBLISHED_SIGMA_PX: f64 = 3.0;

    /// # Errors
    /// A width that is not between 0 and 32 pixels.
    pub fn new(shape: Shape, sigma_px: f64) -> Result<Self, PhysicsError> {
        check_shape(shape)?;
        let mut model = Self {
            shape,
            sigma_px: 0.0,
            kernel: GaussianKernel::new(0.0),
            spectra: OnceLock::new(),
        };
        model.set_parameters(&[sigma_px])?;
        Ok(model)
    }

    fn spectra(&self) -> &(Spectrum, Spectrum) {
        self.spectra.get_or_init(|| {
            let of = |n| Spectrum::of_blur(self.kernel.taps(), n);
            rayon::join(|| of(self.shape.height), || of(self.shape.width))
        })
    }

    /// The singular values of the blur of a frame: height x width products, in no order.
    pub fn singular_values(&self) -> Vec<f64> {
        let (columns, rows) = self.spectra();
        let outer = columns.values().iter();
        outer
            .flat_map(|c| rows.values().iter().map(move |r| (c * r).abs()))
            .collect()
    }

    /// The clip in the basis where the blur only scales.
    pub fn analyse(&self, clip: &Clip) -> Vec<f64> {
        let (columns, rows) = self.spectra();
        let n = self.shape.frame_len();
        let mut out = vec![0.0; self.shape.len()];
        out.par_chunks_exact_mut(n)
            .zip(clip.data().par_chunks_exact(n))
            .for_each(|(out, frame)| {
                let frame: Vec<f64> = frame.iter().map(|&v| f64::from(v)).collect();
                let along = columns.analyse_columns(&frame, self.shape.width);
                out.copy_from_slice(&rows.analyse_rows(&along));
            });
        out
    }

    pub fn colour(&self, noise: &Clip, sigma: f64, l: f64) -> Clip {
        let (columns, rows) = self.spectra();
        let Shape { width, .. } = self.shape;
        let n = self.shape.frame_len();
        let mut x = noise.clone();
        x.data_mut().par_chunks_exact_mut(n).for_each(|frame| {
            let mut z: Vec<f64> = frame.iter().map(|&v| f64::from(v)).collect();
            for (z, &c) in z.chunks_exact_mut(width).zip(columns.values()) {
                for (z, &r) in z.iter_mut().zip(rows.values()) {
                    *z /= ((c * r / sigma).powi(2) + l).sqrt();
                }
            }
            let z = rows.synthesise_rows(&columns.synthesise_columns(&z, width));
            for (x, z) in frame.iter_mut().zip(&z) {
                *x = *z as f32;
            }
        });
        x
    }

    /// argmin over x of ||A x - y||^2 + `weight` ||x - z||^2, `y_coefficients` being the
    /// measurement's [`analyse`](Self::analyse).
    ///
    /// Computed as a correction of z, so that what the blur has lost keeps z to its last digit.
    pub fn data_step(&self, z: &Clip, y_coefficients: &[f64], weight: f64) -> Clip {
        let (columns, rows) = self.spectra();
        let Shape { width, .. } = self.shape;
        let n = self.shape.frame_len();
        let mut x = z.clone();
        x.data_mut()
            .par_chunks_exact_mut(n)
            .zip(y_coefficients.par_chunks_exact(n))
            .for_each(|(frame, y)| {
                let z: Vec<f64> = frame.iter().map(|&v| f64::from(v)).collect();
                let mut change = rows.analyse_rows(&columns.analyse_columns(&z, width));
                let lines = change.chunks_exact_mut(width).zip(y.chunks_exact(width));
                for ((change, y), &c) in lines.zip(columns.values()) {
                    for ((change, y), &r) in change.iter_mut().zip(y).zip(rows.values()) {
                        let lambda = c * r;
                        let scale = lambda * lambda + weight;
                        *change = match scale > 0.0 {
                            true => lambda * (y - lambda * *change) / scale,
                            false => 0.0,
                        };
                    }
                }
                let change = rows.synthesise_rows(&columns.synthesise_columns(&change, width));
                for (x, change) in frame.iter_mut().zip(&change) {
                    *x = (f64::from(*x) + change) as f32;
                }
            });
        x
    }
}

impl ForwardModel for Blur {
    fn name(&self) -> &'static str {
        "blur"
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter {
            name: "sigma".into(),
            frame: None,
            unit: Unit::Pixel,
            value: self.sigma_px,
            min: 0.0,
            max: 32.0,
            zernike: None,
        }]
    }

    fn set_parameters(&mut self, values: &[f64]) -> Result<(), PhysicsError> {
        check_values(&self.parameters(), values)?;
        self.sigma_px = values[0];
        self.kernel = GaussianKernel::new(self.sigma_px);
        self.spectra = OnceLock::new();
        Ok(())
    }

    fn linearise(&self, amplitude: &Clip) -> Linearised<'_> {
        assert_eq!(amplitude.shape(), self.shape);
        let width = self.shape.width;
        let through = move |clip: &Clip| {
            let frames = (0..self.shape.frames).into_par_iter();
            let blurred = frames.flat_map_iter(|f| self.kernel.apply(clip.frame(f), width));
            Clip::new(self.shape, blurred.collect())
        };
        let measurement = through(amplitude);
        let amplitude = amplitude.clone();
        Linearised {
            measurement,
            pushforward: Box::new(through),
            pullback: Box::new(move |v: &Clip, parameters: bool| Gradient {
                video: through(v),
                parameters: match parameters {
                    true => vec![
                        (0..self.shape.frames)
                            .map(|f| {
                                self.kernel
                                    .sigma_gradient(amplitude.frame(f), v.frame(f), width)
                            })
                            .sum(),
                    ],
                    false => Vec::new(),
                },
            }),
        }
    }
}
