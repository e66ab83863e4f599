//! The scattering layer one frame at a time, its blur given by the effective width.
//!
//! The published kernel jumps where 3 sigma crosses an integer, and a descent on sigma sticks
//! there. In terms of the effective width the same kernels follow each other almost smoothly.

use super::gaussian::GaussianKernel;
use super::propagation::{Propagator, Transfer};
use super::{Optics, dot};

/// Measures frames of one size at any distance and effective width.
pub(crate) struct FramePhysics {
    width: usize,
    propagator: Propagator,
}

/// What one distance and one effective width make of a frame.
pub(crate) struct Setting {
    transfer: Transfer,
    kernel: GaussianKernel,
}

/// A frame's cost and what it changes with.
pub(crate) struct Slopes {
    /// Half the sum of the squared residuals.
    pub cost: f64,
    /// With respect to the amplitudes.
    pub video: Vec<f32>,
    /// With respect to the distance, per mm, and the effective width, per px; 0 unless asked for.
    pub dist: f64,
    pub width: f64,
}

impl FramePhysics {
    pub fn new(height: usize, width: usize, optics: &Optics) -> Self {
        Self {
            width,
            propagator: Propagator::new(height, width, optics),
        }
    }

    /// `width_px` is an effective width, above 0.
    pub fn setting(&self, dist_mm: f64, width_px: f64) -> Setting {
        Setting {
            transfer: self.propagator.transfer(dist_mm),
            kernel: GaussianKernel::effective(width_px),
        }
    }

    /// The measurement of one frame of amplitudes.
    pub fn measure(&self, u: &[f32], setting: &Setting) -> Vec<f32> {
        let field = self.propagator.propagate(u, &setting.transfer);
        setting.kernel.apply(&field.intensity(), self.width)
    }

    /// The measurement at one distance and each of several effective widths.
    pub fn measure_widths(&self, u: &[f32], dist_mm: f64, widths_px: &[f64]) -> Vec<Vec<f32>> {
        let transfer = self.propagator.transfer(dist_mm);
        let intensity = self.propagator.propagate(u, &transfer).intensity();
        let kernels = widths_px.iter().map(|&w| GaussianKernel::effective(w));
        kernels.map(|k| k.apply(&intensity, self.width)).collect()
    }

    /// How half the squared residual changes with the frame, and with the setting where
    /// `parameters` asks for that; `residual` makes residuals of a predicted measurement.
    pub fn slopes(
        &self,
        u: &[f32],
        setting: &Setting,
        parameters: bool,
        residual: impl FnOnce(Vec<f32>) -> Vec<f32>,
    ) -> Slopes {
        let Setting { transfer, kernel } = setting;
        let field = self.propagator.propagate(u, transfer);
        let intensity = field.intensity();
        let residual = residual(kernel.apply(&intensity, self.width));
        let through = kernel.apply(&residual, self.width);
        let times = |part: &[f32]| -> Vec<f32> {
            let pairs = part.iter().zip(&through);
            pairs.map(|(p, t)| 2.0 * p * t).collect()
        };
        let spectra = self
            .propagator
            .cotangent(&times(&field.a), &times(&field.b));
        let (mut dist, mut width) = (0.0, 0.0);
        if parameters {
            dist = self.propagator.pull_distance(&field, &spectra, transfer);
            width = kernel.sigma_gradient(&intensity, &residual, self.width);
        }
        Slopes {
            cost: 0.5 * dot(&residual, &residual),
            video: self.propagator.pull_amplitude(&spectra, transfer),
            dist,
            width,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::{Clip, Shape};
    use crate::noise::Noise;
    use crate::physics::{ForwardModel, Scatter, effective_width_px};

    fn frame(shape: Shape, seed: u64) -> Clip {
        let noise = Noise::seeded(seed).normal_clip(shape);
        noise.map(|v| (0.5 + 0.2 * v).clamp(0.0, 1.0))
    }

    #[test]
    fn a_frame_measures_as_in_the_clip_model() {
        let shape = Shape::new(1, 13, 18);
        let u = frame(shape, 1);
        let model = Scatter::new(shape, Optics::SYNTHETIC, 6.3, 1.4).unwrap();
        let physics = FramePhysics::new(13, 18, &Optics::SYNTHETIC);
        let ours = physics.measure(u.data(), &physics.setting(6.3, effective_width_px(1.4)));
        let several = physics.measure_widths(u.data(), 6.3, &[0.5, effective_width_px(1.4)]);
        assert_eq!(several[1], ours);
        for (a, b) in ours.iter().zip(model.apply(&u).data()) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }

    #[test]
    fn slopes_agree_with_finite_differences() {
        let shape = Shape::new(1, 12, 17);
        let (u, direction, y) = (frame(shape, 1), frame(shape, 2), frame(shape, 3));
        let physics = FramePhysics::new(12, 17, &Optics::SYNTHETIC);
        let at = |by: f32, dist: f64, width: f64, all: bool| {
            let moved = u.zip(&direction, |u, d| u + by * d);
            let setting = physics.setting(dist, width);
            physics.slopes(moved.data(), &setting, all, |predicted| {
                predicted.iter().zip(y.data()).map(|(p, y)| p - y).collect()
            })
        };
        let here = at(0.0, 5.0, 0.9, true);
        let agrees = |after: Slopes, before: Slopes, step: f64, slope: f64| {
            let numeric = (after.cost - before.cost) / (2.0 * step);
            assert!(
                (numeric - slope).abs() < 1e-2 * slope.abs(),
                "{numeric} {slope}"
            );
        };
        let (after, before) = (at(1e-3, 5.0, 0.9, false), at(-1e-3, 5.0, 0.9, false));
        agrees(after, before, 1e-3, dot(&here.video, direction.data()));
        let (after, before) = (at(0.0, 5.01, 0.9, false), at(0.0, 4.99, 0.9, false));
        agrees(after, before, 0.01, here.dist);
        let (after, before) = (at(0.0, 5.0, 0.91, false), at(0.0, 5.0, 0.89, false));
        agrees(after, before, 0.01, here.width);
    }
}
