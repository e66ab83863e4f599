//! The scale of a recording: gain and offset on top of any forward model.

use super::{ForwardModel, Gradient, Linearised, Parameter, PhysicsError, Unit, check_values, dot};
use crate::clip::{Clip, Shape};

/// y = gain A(u) + offset.
///
/// The parameter table is the inner model's, then gain and offset.
pub struct Exposure {
    inner: Box<dyn ForwardModel>,
    gain: f64,
    offset: f64,
}

impl Exposure {
    /// `gain` between 1e-6 and 1e6, `offset` between -1 and 1, in units of the measurement's full
    /// scale.
    ///
    /// # Errors
    /// Values out of range or not finite.
    pub fn new(inner: Box<dyn ForwardModel>, gain: f64, offset: f64) -> Result<Self, PhysicsError> {
        let mut model = Self {
            inner,
            gain: 1.0,
            offset: 0.0,
        };
        let mut values: Vec<f64> = model.inner.parameters().iter().map(|p| p.value).collect();
        values.extend([gain, offset]);
        model.set_parameters(&values)?;
        Ok(model)
    }

    fn expose(&self, measurement: &Clip) -> Clip {
        let (gain, offset) = (self.gain as f32, self.offset as f32);
        measurement.map(|y| gain * y + offset)
    }

    fn wrap<'a>(&'a self, inner: Linearised<'a>) -> Linearised<'a> {
        let bare = inner.measurement;
        let pullback = inner.pullback;
        Linearised {
            measurement: self.expose(&bare),
            pullback: Box::new(move |v: &Clip, parameters: bool| {
                let gain = self.gain as f32;
                let mut gradient: Gradient = pullback(&v.map(|v| gain * v), parameters);
                if parameters {
                    let sum = v.data().iter().map(|&v| f64::from(v)).sum();
                    gradient.parameters.push(dot(v.data(), bare.data()));
                    gradient.parameters.push(sum);
                }
                gradient
            }),
        }
    }
}

impl ForwardModel for Exposure {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn shape(&self) -> Shape {
        self.inner.shape()
    }

    fn parameters(&self) -> Vec<Parameter> {
        let row = |name: &str, value, min, max| Parameter {
            name: name.into(),
            frame: None,
            unit: Unit::None,
            value,
            min,
            max,
            zernike: None,
        };
        let mut table = self.inner.parameters();
        table.push(row("gain", self.gain, 1e-6, 1e6));
        table.push(row("offset", self.offset, -1.0, 1.0));
        table
    }

    fn set_parameters(&mut self, values: &[f64]) -> Result<(), PhysicsError> {
        check_values(&self.parameters(), values)?;
        let (inner, own) = values.split_at(values.len() - 2);
        self.inner.set_parameters(inner)?;
        (self.gain, self.offset) = (own[0], own[1]);
        Ok(())
    }

    fn linearise(&self, amplitude: &Clip) -> Linearised<'_> {
        self.wrap(self.inner.linearise(amplitude))
    }

    fn linearise_signed(&self, x: &Clip) -> Linearised<'_> {
        self.wrap(self.inner.linearise_signed(x))
    }

    fn first_guess(&self, measurement: &Clip) -> Clip {
        let (gain, offset) = (self.gain as f32, self.offset as f32);
        self.inner
            .first_guess(&measurement.map(|y| (y - offset) / gain))
    }

    fn is_affine(&self) -> bool {
        self.inner.is_affine()
    }

    fn warnings(&self) -> Vec<String> {
        self.inner.warnings()
    }
}
