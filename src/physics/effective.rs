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
    pub residual: Vec<f32>,
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
            residual,
            dist,
            width,
        }
    }
}
