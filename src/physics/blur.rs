//! The published Gaussian blur of amplitudes.

use rayon::prelude::*;

use super::gaussian::GaussianKernel;
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
        };
        model.set_parameters(&[sigma_px])?;
        Ok(model)
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
