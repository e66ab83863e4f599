//! Uniform haze: the published transmission of e^-0.6 under white air light.

use super::{
    ForwardModel, Gradient, Linearised, Parameter, PhysicsError, check_shape, check_values,
};
use crate::clip::{Clip, Shape};

/// y = u t + (1 - t) with t = e^-0.6.
#[derive(Clone)]
pub struct Dehaze {
    shape: Shape,
}

impl Dehaze {
    /// Optical depth of the published haze.
    pub const OPTICAL_DEPTH: f32 = 0.6;

    /// # Errors
    /// A shape without pixels.
    pub fn new(shape: Shape) -> Result<Self, PhysicsError> {
        check_shape(shape)?;
        Ok(Self { shape })
    }

    fn transmission() -> f32 {
        (-Self::OPTICAL_DEPTH).exp()
    }
}

impl ForwardModel for Dehaze {
    fn name(&self) -> &'static str {
        "dehaze"
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
        assert_eq!(amplitude.shape(), self.shape);
        let t = Self::transmission();
        Linearised {
            measurement: amplitude.map(|u| u * t + (1.0 - t)),
            pushforward: Box::new(move |du: &Clip| du.map(|d| d * t)),
            pullback: Box::new(move |v: &Clip, _| Gradient {
                video: v.map(|v| v * t),
                parameters: Vec::new(),
            }),
        }
    }

    /// The exact inverse.
    fn first_guess(&self, measurement: &Clip) -> Clip {
        let t = Self::transmission();
        measurement.map(|y| ((y - (1.0 - t)) / t).clamp(0.0, 1.0))
    }
    fn exact_data_step(&self, z: &Clip, y: &Clip, weight: f64) -> Option<Clip> {
        let t = f64::from(Self::transmission());
        let air = f64::from(1.0 - Self::transmission());
        Some(z.zip(y, |z, y| {
            let (z, y) = (f64::from(z), f64::from(y));
            (z + t * (y - air - t * z) / (t * t + weight)) as f32
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    #[test]
    fn the_exact_data_step_balances_data_and_guess() {
        let shape = Shape::new(1, 3, 4);
        let model = Dehaze::new(shape).unwrap();
        let truth = Noise::seeded(1).normal_clip(shape);
        let z = Noise::seeded(2).normal_clip(shape);
        let y = model.apply(&truth);
        let x = model.exact_data_step(&z, &y, 0.2).unwrap();
        let t = Dehaze::transmission();
        for ((x, z), (y, a)) in
            (x.data().iter().zip(z.data())).zip(y.data().iter().zip(model.apply(&x).data()))
        {
            assert!((t * (a - y) + 0.2 * (x - z)).abs() < 1e-6);
        }
        let inverse = model.exact_data_step(&z, &y, 1e-15).unwrap();
        let (low, high) = inverse.zip(&truth, |a, b| a - b).range();
        assert!(low > -1e-6 && high < 1e-6);
    }
}
