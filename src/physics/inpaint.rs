//! Missing pixels.

use super::{
    ForwardModel, Gradient, Linearised, Parameter, PhysicsError, check_shape, check_values,
};
use crate::clip::{Clip, Shape};
use crate::noise::Noise;

/// y = u * mask: a pixel is measured where the mask is 1 and lost where it is 0.
///
/// The published programs mask signed video instead, y = x * mask with x in [-1, 1] and
/// not clipped; [`ForwardModel::linearise_signed`] does that.
#[derive(Clone)]
pub struct Inpaint {
    shape: Shape,
    mask: Clip,
}

impl Inpaint {
    /// `mask` holds 1 for measured pixels and 0 for missing ones; a mask of one frame
    /// serves every frame.
    ///
    /// # Errors
    /// A mask of another shape, or with values other than 0 and 1.
    pub fn new(shape: Shape, mask: Clip) -> Result<Self, PhysicsError> {
        check_shape(shape)?;
        let given = mask.shape();
        let fits = Shape {
            frames: shape.frames,
            ..given
        } == shape
            && (given.frames == shape.frames || given.frames == 1);
        if !fits {
            return Err(PhysicsError::Shape {
                what: "mask",
                given,
                needed: shape,
            });
        }
        if let Some(&value) = mask.data().iter().find(|&&v| v != 0.0 && v != 1.0) {
            return Err(PhysicsError::MaskValue(value));
        }
        let mask = match given.frames == shape.frames {
            true => mask,
            false => Clip::new(shape, mask.data().repeat(shape.frames)),
        };
        Ok(Self { shape, mask })
    }

    /// A mask that keeps int(`keep` * pixels) pixels of the clip, drawn from `noise`.
    pub fn random_mask(shape: Shape, keep: f64, noise: &mut Noise) -> Clip {
        let mut mask = Clip::zeros(shape);
        let kept = (keep * shape.len() as f64) as usize;
        for index in noise.choose(kept, shape.len()) {
            mask.data_mut()[index] = 1.0;
        }
        mask
    }

    pub fn mask(&self) -> &Clip {
        &self.mask
    }
}

impl ForwardModel for Inpaint {
    fn name(&self) -> &'static str {
        "inpaint"
    }

    fn boxed(&self) -> Box<dyn ForwardModel> {
        Box::new(self.clone())
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    fn set_parameters(&mut self, values: &[f64]) -> Result<(), PhysicsError> {
        check_values(&[], values)
    }

    fn linearise(&self, amplitude: &Clip) -> Linearised<'_> {
        let through = move |clip: &Clip| clip.zip(&self.mask, |u, m| u * m);
        Linearised {
            measurement: through(amplitude),
            pushforward: Box::new(through),
            pullback: Box::new(move |v: &Clip, _| Gradient {
                video: through(v),
                parameters: Vec::new(),
            }),
        }
    }

    /// The measured pixels, and their mean where there is none.
    fn first_guess(&self, measurement: &Clip) -> Clip {
        let measured: f64 = self.mask.data().iter().map(|&m| f64::from(m)).sum();
        let mean = super::dot(measurement.data(), self.mask.data()) / measured.max(1.0);
        let fill = |y: f32, m: f32| if m == 1.0 { y } else { mean as f32 };
        measurement.zip(&self.mask, |y, m| fill(y, m).clamp(0.0, 1.0))
    }

    fn linearise_signed(&self, x: &Clip) -> Linearised<'_> {
        self.linearise(x)
    }
    /// Written from y where there is a measurement, so that a small weight leaves it untouched
    /// to the last bit.
    fn exact_data_step(&self, z: &Clip, y: &Clip, weight: f64) -> Option<Clip> {
        let share = weight / (1.0 + weight);
        let mut x = z.clone();
        let known = y.data().iter().zip(self.mask.data());
        for (x, (&y, _)) in (x.data_mut().iter_mut().zip(known)).filter(|(_, (_, m))| **m == 1.0) {
            *x = (f64::from(y) + share * (f64::from(*x) - f64::from(y))) as f32;
        }
        Some(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_data_step_keeps_what_was_measured() {
        let shape = Shape::new(2, 6, 6);
        let mask = Inpaint::random_mask(shape, 0.5, &mut Noise::seeded(1));
        let model = Inpaint::new(shape, mask.clone()).unwrap();
        let truth = Noise::seeded(2).normal_clip(shape);
        let z = Noise::seeded(3).normal_clip(shape);
        let y = model.apply(&truth);
        let x = model.exact_data_step(&z, &y, 1e-12).unwrap();
        let even = model.exact_data_step(&z, &y, 1.0).unwrap();
        for i in 0..shape.len() {
            let (z, y) = (z.data()[i], y.data()[i]);
            let expected = if mask.data()[i] == 1.0 {
                (y, (y + z) / 2.0)
            } else {
                (z, z)
            };
            assert_eq!((x.data()[i], even.data()[i]), expected);
        }
    }
}
