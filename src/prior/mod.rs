//! What is known of video before a measurement: the published diffusion network with its
//! schedule and checkpoints, denoisers, and priors with a formula.
//!
//! Solvers see [`Prior`], [`Schedule`], [`Denoiser`] and formulas: clips in, clips out, on the
//! host.

mod average;
mod blocks;
pub mod compact;
mod denoiser;
mod differences;
mod diffusion_denoiser;
mod doubt;
mod edges;
mod error;
pub(crate) mod network;
mod sampler;
pub mod schedule;
mod space_time;
mod turned;
mod tv;
pub mod unet;
pub mod weights;

pub use average::Average;
pub use blocks::BlockMatching;
pub use denoiser::Denoiser;
pub use differences::{Differences, Group, Majorised, Term};
pub use diffusion_denoiser::{DiffusionDenoiser, denoised};
pub use doubt::expected_error;
pub use edges::Edges;
pub use error::PriorError;
pub use network::NetworkPrior;
pub use sampler::Sampler;
pub use schedule::{Schedule, ScheduleError, Step};
pub use space_time::{Concave, SpaceTime};
pub use turned::Turned;
pub use tv::{TotalVariation, Tv};
pub use unet::{UNet, UNetConfig};
pub use weights::{Weights, WeightsError};

use crate::clip::{Clip, Shape};

/// Carries a cotangent `v` of a prediction back to its input: `d(sum v * eps)/dx_t`.
pub type Pullback = Box<dyn FnOnce(&Clip) -> Result<Clip, PriorError> + Send>;

/// Estimates the noise in a video.
///
/// Videos are amplitudes at the object, scaled to [-1, 1] before noise is added.
pub trait Prior: Send {
    /// Noise estimate eps(x_t, t); `x_t` may hold any real values.
    fn predict(&self, x_t: &Clip, t: usize) -> Result<Clip, PriorError>;

    /// The same, with what carries a cotangent of the estimate back to `x_t`.
    ///
    /// The pullback holds the activations of the whole network. Call it before the next
    /// prediction; dropped without a call, its memory comes back with the next call of
    /// another one only.
    fn predict_with_pullback(&self, x_t: &Clip, t: usize) -> Result<(Clip, Pullback), PriorError>;

    /// Whether clips of this shape can be predicted.
    fn check_shape(&self, shape: Shape) -> Result<(), PriorError>;

    /// Memory a prediction with its pullback needs, in bytes, the weights included.
    fn memory_bytes(&self, shape: Shape) -> u64;

    /// One line for people: which network, how large, on which device.
    fn describe(&self) -> String;
}

/// Checks of priors with a formula.
#[cfg(test)]
mod slopes {
    use crate::clip::{Clip, Shape};
    use crate::noise::Noise;

    /// That what `add_gradient(clip, weight, gradient)` adds is the slope of `value`, weighted;
    /// clips without pairs of rows, columns or frames are among those tried.
    pub fn agree_with_finite_differences(
        value: impl Fn(&Clip) -> f64,
        add_gradient: impl Fn(&Clip, f32, &mut [f32]),
    ) {
        for shape in [
            Shape::new(4, 5, 7),
            Shape::new(1, 1, 4),
            Shape::new(2, 4, 1),
        ] {
            let clip = Noise::seeded(1).normal_clip(shape);
            let direction = Noise::seeded(2).normal_clip(shape);
            let mut gradient = vec![0.0; shape.len()];
            add_gradient(&clip, 2.0, &mut gradient);
            let at = |by: f32| value(&clip.zip(&direction, |c, d| c + by * d));
            let slope = 2.0 * (at(1e-3) - at(-1e-3)) / 2e-3;
            let products = gradient.iter().zip(direction.data());
            let analytic: f64 = products.map(|(g, d)| f64::from(g * d)).sum();
            assert!(
                (slope - analytic).abs() < 1e-2 * slope.abs(),
                "{shape}: {analytic} {slope}"
            );
        }
    }
}
