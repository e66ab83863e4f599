//! Forward models: what a camera measures of a video, and the gradients of that.
//!
//! A forward model maps **amplitudes** u in [0, 1] (the field at the object, which is what
//! the published prior models) to a **measurement** of the same shape (intensities, for the
//! models that involve light). Every model is one type behind [`ForwardModel`]; solvers,
//! the command line and the window know only the trait.
//!
//! Everything here runs on the host: a measurement of 10x64x64 and its gradient cost about
//! a millisecond, so a network on a GPU gains nothing from moving them there, and
//! sliders can measure live on any machine. Phases are computed in f64 and the carrier
//! 2 pi d / lambda is left out, since f32 phases are wrong by up to 1e-3 of the result.

mod blur;
mod capture;
mod dehaze;
mod effective;
mod fft;
mod gaussian;
mod inpaint;
mod optics;
mod parameter;
mod propagation;
mod scatter;
mod symmetric;
pub mod zernike;

use crate::clip::{Clip, Shape};

pub use blur::Blur;
pub use capture::{Capture, CaptureState, Surround};
pub use dehaze::Dehaze;
pub(crate) use effective::{FramePhysics, Setting, Slopes};
pub use gaussian::{GaussianKernel, effective_width_px, sigma_of_width_px};
pub use inpaint::Inpaint;
pub use optics::Optics;
pub use parameter::{Parameter, PerFrame, Unit};
pub use scatter::Scatter;
pub use zernike::ZernikeBlur;

#[derive(Debug, thiserror::Error)]
pub enum PhysicsError {
    #[error("{what} is {value} {unit}; it must lie between {min} and {max} {unit}")]
    OutOfRange {
        what: String,
        value: f64,
        unit: &'static str,
        min: f64,
        max: f64,
    },
    #[error("{what}: {given} values given where the model takes {needed}")]
    Count {
        what: &'static str,
        given: usize,
        needed: String,
    },
    #[error("the {what} is {given}, but the video is {needed} (frames x rows x columns)")]
    Shape {
        what: &'static str,
        given: Shape,
        needed: Shape,
    },
    #[error(
        "the mask holds the value {0}: only 1 (white, a measured pixel) and 0 (black, a missing \
         one) mean something; save it without grey levels, in a lossless format"
    )]
    MaskValue(f32),
    #[error("a video without pixels has no measurement")]
    Empty,
}

/// A physical forward model A of clips of one shape.
pub trait ForwardModel: Send + Sync {
    /// The model's name on the command line: `scatter`, `blur`, `dehaze`, `inpaint`, `zernike`.
    fn name(&self) -> &'static str;

    /// The shape of the video, and of the measurement.
    fn shape(&self) -> Shape;

    /// Every parameter with its name, unit, bounds and present value, in the order of
    /// [`set_parameters`](Self::set_parameters) and of [`Gradient::parameters`].
    fn parameters(&self) -> Vec<Parameter>;

    /// Replaces the parameter values.
    ///
    /// # Errors
    /// A wrong count, or a value that is not finite or out of bounds; nothing changes then.
    fn set_parameters(&mut self, values: &[f64]) -> Result<(), PhysicsError>;

    /// The same model, on its own.
    fn boxed(&self) -> Box<dyn ForwardModel>;

    /// A(u), with what is needed to pull a cotangent of it back.
    ///
    /// # Panics
    /// When `amplitude` is not of the model's shape.
    fn linearise(&self, amplitude: &Clip) -> Linearised<'_>;

    /// A(u).
    fn apply(&self, amplitude: &Clip) -> Clip {
        self.linearise(amplitude).measurement
    }

    /// What the published programs measure of signed video x: A(u) with
    /// u = clip((x + 1) / 2, 0, 1). Gradients are with respect to x.
    fn linearise_signed(&self, x: &Clip) -> Linearised<'_> {
        let inner = self.linearise(&x.map(|v| ((v + 1.0) / 2.0).clamp(0.0, 1.0)));
        let slope = x.map(|v| if (-1.0..=1.0).contains(&v) { 0.5 } else { 0.0 });
        let (pushforward, pullback) = (inner.pushforward, inner.pullback);
        let slope_of = slope.clone();
        Linearised {
            measurement: inner.measurement,
            pushforward: Box::new(move |dx: &Clip| pushforward(&dx.zip(&slope_of, |d, s| d * s))),
            pullback: Box::new(move |cotangent: &Clip, parameters: bool| {
                let mut gradient = pullback(cotangent, parameters);
                gradient.video = gradient.video.zip(&slope, |g, s| g * s);
                gradient
            }),
        }
    }

    /// A video in [0, 1] to start a reconstruction from.
    fn first_guess(&self, measurement: &Clip) -> Clip {
        measurement.map(|y| y.clamp(0.0, 1.0))
    }

    /// The video that minimises ||A(x) - y||^2 + `weight` ||x - z||^2, for models that know it
    /// in closed form; `weight` is above 0. No bounds on x are applied.
    ///
    /// # Panics
    /// When `z` or `y` is not of the model's shape.
    fn exact_data_step(&self, z: &Clip, y: &Clip, weight: f64) -> Option<Clip> {
        let _ = (z, y, weight);
        None
    }

    /// Whether A is linear, or affine, in the video.
    fn is_affine(&self) -> bool {
        true
    }

    /// What a user should know before trusting the numbers, one sentence each.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Pulls a cotangent v of the measurement back; the flag asks for the parameters' gradients too.
pub type Pullback<'a> = Box<dyn Fn(&Clip, bool) -> Gradient + Send + Sync + 'a>;

/// Carries a small change du of the video to the change of the measurement, J du.
pub type Pushforward<'a> = Box<dyn Fn(&Clip) -> Clip + Send + Sync + 'a>;

/// A measurement, and the products with the Jacobian at the video it was made from.
pub struct Linearised<'a> {
    pub measurement: Clip,
    pub pushforward: Pushforward<'a>,
    pub pullback: Pullback<'a>,
}

/// The gradient of <v, A(u)>.
#[derive(Clone, Debug)]
pub struct Gradient {
    /// With respect to the video, of its shape.
    pub video: Clip,
    /// With respect to each parameter, in table order; empty unless asked for.
    pub parameters: Vec<f64>,
}

/// Checks new values against a parameter table.
fn check_values(table: &[Parameter], values: &[f64]) -> Result<(), PhysicsError> {
    if table.len() != values.len() {
        return Err(PhysicsError::Count {
            what: "parameters",
            given: values.len(),
            needed: table.len().to_string(),
        });
    }
    for (parameter, &value) in table.iter().zip(values) {
        if !(parameter.min..=parameter.max).contains(&value) {
            return Err(PhysicsError::OutOfRange {
                what: parameter.label(),
                value,
                unit: parameter.unit.symbol(),
                min: parameter.min,
                max: parameter.max,
            });
        }
    }
    Ok(())
}

fn check_shape(shape: Shape) -> Result<(), PhysicsError> {
    if shape.is_empty() {
        return Err(PhysicsError::Empty);
    }
    Ok(())
}

/// The sum of the products, in f64.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f64 {
    let products = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b));
    products.sum()
}
