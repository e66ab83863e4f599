//! What speaks against a hypothesis, in nats of its spectrum: the lower the better.

use super::joint::Joint;
use super::scan::Scan;
use super::whittle::Whittle;
use super::{BlindZernike, COEFFICIENT_RAD};
use crate::solver::SolverError;

impl BlindZernike {
    /// While the scene is coarse. What has not converged yet leaves a misfit far above the noise,
    /// so its posterior has no scale, and counts by its logarithm. The weight was set on
    /// generated scenes.
    pub(super) fn coarse_score(&self, joint: &Joint, weight: f64) -> f64 {
        const POSTERIOR_NATS: f64 = 25.0;
        let nats = joint.nats(&self.prior, weight).max(1e-9);
        self.told_by_spectrum(joint) + POSTERIOR_NATS * nats.ln()
    }

    /// Once scene and aberration were refined together on the clip: how sparse the scene is, and
    /// how well a scene that starts anew explains the mean frame.
    ///
    /// The refined scene has adapted to its aberration; one that has not fails a wrong aberration
    /// by thousands of nats, which count by their logarithm, as above.
    pub(super) fn settled_score(&self, joint: &Joint) -> Result<f64, SolverError> {
        const SPARSITY_NATS: f64 = 100.0;
        const POSTERIOR_NATS: f64 = 50.0;
        let nats = Scan::nats_of_mean_frame(self, joint.point.clone())?.max(1e-9);
        let scene = SPARSITY_NATS * joint.sparsity().ln() + POSTERIOR_NATS * nats.ln();
        Ok(self.told_by_spectrum(joint) + scene)
    }

    /// The spectrum's nats, and those of the tilt, which it does not know of.
    fn told_by_spectrum(&self, joint: &Joint) -> f64 {
        let tilt = &joint.point.coefficients[1..3];
        let tilt: f64 = tilt.iter().map(|t| (t / COEFFICIENT_RAD).powi(2)).sum();
        let spectral = self.whittle.slope(&joint.point, Whittle::WHOLE_BAND);
        spectral.value + 0.5 * tilt
    }
}
