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
#[derive(Clone)]
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

    /// The clip in the basis where the blur only scales, frame after frame.
    fn analyse(&self, clip: &Clip) -> Vec<f64> {
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

    /// [`ForwardModel::exact_data_step`], `y` being the measurement's [`analyse`](Self::analyse).
    ///
    /// Computed in f64 as a correction of z, so that what the blur has lost keeps z to its last
    /// digit, and real-valued data are used down to singular values of their own rounding.
    fn data_step(&self, z: &Clip, y: &[f64], weight: f64) -> Clip {
        let (columns, rows) = self.spectra();
        let Shape { width, .. } = self.shape;
        let n = self.shape.frame_len();
        let mut x = z.clone();
        x.data_mut()
            .par_chunks_exact_mut(n)
            .zip(y.par_chunks_exact(n))
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

    fn boxed(&self) -> Box<dyn ForwardModel> {
        Box::new(self.clone())
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
    fn exact_data_step(&self, z: &Clip, y: &Clip, weight: f64) -> Option<Clip> {
        assert_eq!((z.shape(), y.shape()), (self.shape, self.shape));
        Some(self.data_step(z, &self.analyse(y), weight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    #[test]
    fn the_exact_data_step_is_where_the_gradient_vanishes() {
        for shape in [Shape::new(2, 12, 17), Shape::new(1, 1, 9)] {
            let blur = Blur::new(shape, 1.3).unwrap();
            let z = Noise::seeded(1).normal_clip(shape);
            let y = Noise::seeded(2).normal_clip(shape);
            for weight in [1e-3, 0.1, 10.0] {
                let x = blur.exact_data_step(&z, &y, weight).unwrap();
                let residual = blur.apply(&x).zip(&y, |a, y| a - y);
                let gradient = blur
                    .apply(&residual)
                    .zip(&x.zip(&z, |x, z| x - z), |g, d| g + weight as f32 * d);
                let (low, high) = gradient.range();
                let (least, most) = x.range();
                let bound = 1e-6 * (1.0 + weight as f32) * most.max(-least);
                assert!(
                    low.max(-low).max(high) < bound,
                    "{shape} {weight}: {low} {high}"
                );
            }
        }
    }

    #[test]
    fn a_new_width_is_used_by_the_data_step() {
        let shape = Shape::new(1, 8, 8);
        let truth = Noise::seeded(3).normal_clip(shape);
        let mut blur = Blur::new(shape, 2.0).unwrap();
        blur.exact_data_step(&truth, &truth, 1.0).unwrap();
        blur.set_parameters(&[0.7]).unwrap();
        let y = blur.apply(&truth);
        let x = blur
            .exact_data_step(&Clip::zeros(shape), &y, 1e-12)
            .unwrap();
        let (low, high) = x.zip(&truth, |x, t| x - t).range();
        assert!(low > -1e-4 && high < 1e-4, "{low} {high}");
    }
}
