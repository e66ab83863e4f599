//! A measurement of which a part is left out.

use crate::clip::{Clip, Shape};
use crate::physics::{ForwardModel, Gradient, Linearised, Parameter, PhysicsError, dot};

/// A forward model that measures nothing where `known` is 0: it says 0 there, and so does what
/// it is compared with.
pub(super) struct Partial {
    model: Box<dyn ForwardModel>,
    known: Clip,
}

impl Partial {
    pub fn new(model: Box<dyn ForwardModel>, known: Clip) -> Self {
        Self { model, known }
    }
}

fn times(a: &Clip, b: &Clip) -> Clip {
    a.zip(b, |a, b| a * b)
}

impl ForwardModel for Partial {
    fn name(&self) -> &'static str {
        self.model.name()
    }

    fn shape(&self) -> Shape {
        self.model.shape()
    }

    fn parameters(&self) -> Vec<Parameter> {
        self.model.parameters()
    }

    fn set_parameters(&mut self, values: &[f64]) -> Result<(), PhysicsError> {
        self.model.set_parameters(values)
    }

    fn boxed(&self) -> Box<dyn ForwardModel> {
        Box::new(Self::new(self.model.boxed(), self.known.clone()))
    }

    fn linearise(&self, amplitude: &Clip) -> Linearised<'_> {
        let whole = self.model.linearise(amplitude);
        let (pushforward, pullback) = (whole.pushforward, whole.pullback);
        Linearised {
            measurement: times(&whole.measurement, &self.known),
            pushforward: Box::new(move |du: &Clip| times(&pushforward(du), &self.known)),
            pullback: Box::new(move |v: &Clip, parameters: bool| -> Gradient {
                pullback(&times(v, &self.known), parameters)
            }),
        }
    }

    /// What is left out is taken for the mean of the rest.
    fn first_guess(&self, measurement: &Clip) -> Clip {
        let count: f64 = self.known.data().iter().map(|&k| f64::from(k)).sum();
        let mean = (dot(measurement.data(), self.known.data()) / count.max(1.0)) as f32;
        let filled = measurement.zip(&self.known, |y, k| mean + k * (y - mean));
        self.model.first_guess(&filled)
    }

    /// Exact where each value of the measurement is one pixel's; else a step towards it: what
    /// is left out is taken for what `z` predicts.
    fn exact_data_step(&self, z: &Clip, y: &Clip, weight: f64) -> Option<Clip> {
        let predicted = self.model.apply(z);
        let missing = predicted.zip(&self.known, |p, k| p * (1.0 - k));
        let filled = times(y, &self.known).zip(&missing, |y, m| y + m);
        self.model.exact_data_step(z, &filled, weight)
    }

    fn is_affine(&self) -> bool {
        self.model.is_affine()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;
    use crate::physics::{Inpaint, Optics, Scatter};

    const SHAPE: Shape = Shape::new(2, 12, 10);

    fn known() -> Clip {
        let mut known = Clip::filled(SHAPE, 1.0);
        for index in [3, 50, 51, 130] {
            known.data_mut()[index] = 0.0;
        }
        known
    }

    #[test]
    fn what_is_left_out_has_no_say() {
        let model = Scatter::new(SHAPE, Optics::SYNTHETIC, 3.0, 0.7).unwrap();
        let partial = Partial::new(Box::new(model.clone()), known());
        let draw = |seed| {
            Noise::seeded(seed)
                .normal_clip(SHAPE)
                .map(|v| 0.5 + 0.1 * v)
        };
        let (x, v, du) = (draw(1), draw(2), draw(3));
        let linearised = partial.linearise(&x);
        assert_eq!(linearised.measurement, times(&model.apply(&x), &known()));
        let pushed = (linearised.pushforward)(&du);
        assert!([3, 50, 51, 130].iter().all(|&i| pushed.data()[i] == 0.0));
        let pulled = (linearised.pullback)(&v, false).video;
        let (there, back) = (dot(pushed.data(), v.data()), dot(du.data(), pulled.data()));
        assert!((there - back).abs() < 1e-4 * there.abs(), "{there} {back}");
    }

    #[test]
    fn a_mask_with_parts_left_out_is_a_smaller_mask() {
        let mask = Inpaint::random_mask(SHAPE, 0.5, &mut Noise::seeded(4));
        let draw = |seed| Noise::seeded(seed).normal_clip(SHAPE);
        let (z, y) = (draw(5), times(&draw(6), &mask));
        let smaller = Inpaint::new(SHAPE, times(&mask, &known())).unwrap();
        let partial = Partial::new(Box::new(Inpaint::new(SHAPE, mask).unwrap()), known());
        let step = |model: &dyn ForwardModel| model.exact_data_step(&z, &y, 0.1).unwrap();
        let (a, b) = (step(&partial), step(&smaller));
        let worst = a.zip(&b, |a, b| (a - b).abs()).range().1;
        assert!(worst < 1e-6, "{worst}");
    }
}
