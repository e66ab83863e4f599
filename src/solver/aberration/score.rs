//! What speaks against a hypothesis, in nats of its spectrum: the lower the better.

use super::joint::Joint;
use super::scan::Scan;
use super::{BlindZernike, COARSE_WEIGHT, COEFFICIENT_RAD, MIDDLE_WEIGHT};
use crate::solver::SolverError;

impl BlindZernike {
    /// Of a scene that few iterations on the mean frame have made.
    pub(super) fn border_score(&self, joint: &Joint) -> f64 {
        self.coarse_score(joint, COARSE_WEIGHT, 25.0)
    }

    /// Of scene and coefficients that were refined together on the mean frame.
    pub(super) fn contest_score(&self, joint: &Joint) -> f64 {
        self.coarse_score(joint, MIDDLE_WEIGHT, 50.0)
    }

    /// What has not converged yet leaves a misfit far above the noise, so its posterior has no
    /// scale, and counts by its logarithm, the more the closer it is. What it counts was set on
    /// generated scenes.
    fn coarse_score(&self, joint: &Joint, weight: f64, posterior_nats: f64) -> f64 {
        let nats = joint.nats(&self.prior, weight).max(1e-9);
        self.told_by_spectrum(joint) + posterior_nats * nats.ln()
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
        self.whittle.value(&joint.point) + 0.5 * tilt
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::physics::{ForwardModel, ZernikeBlur};
    use crate::scenes::Scene;
    use crate::solver::aberration::contest::COARSE_ITERATIONS;
    use crate::solver::aberration::{
        BlindZernikeConfig, Descent, Exposure, FIRST_WEIGHT, ZernikeSearch,
    };
    use crate::solver::{Measurement, Quantisation};

    /// Each score prefers the truth to its mirror image, of which the spectrum knows nothing, and
    /// to another aberration.
    #[test]
    fn the_truth_is_preferred_to_its_mirror_image_and_to_another() {
        let shape = Shape::new(1, 64, 64);
        let truth = [0.0, 0.3, -0.4, 0.5, 1.4, -0.6, 0.3, 1.1, -0.8, 0.7];
        let model = ZernikeBlur::new(shape, truth.to_vec()).unwrap();
        let recorded = model.apply(&Scene::Leaves.render(shape, 4));
        let (low, high) = recorded.range();
        let recorded = recorded.map(|v| ((v - low) / (high - low) * 255.0).floor() / 255.0);
        let measurement = Measurement::quantised(recorded, 255, Quantisation::Floor);
        let search = ZernikeSearch {
            shape,
            exposure: Exposure::Fitted,
        };
        let config = BlindZernikeConfig::for_noise(measurement.rounding());
        let solver = BlindZernike::new(search, measurement, config, 0).unwrap();
        let scores = |coefficients: &[f64]| {
            let mut point = solver.whittle.start(coefficients.to_vec());
            point.scene = solver.whittle.descend(point.clone(), 60, 0.05).0.scene;
            let mut coarse = solver.on_mean_frame(point);
            let weights = (FIRST_WEIGHT, COARSE_WEIGHT);
            let descent = Descent::of_scene(COARSE_ITERATIONS, weights, 0.7);
            solver.refine(&mut coarse, &descent).unwrap();
            let settled = solver.settled_score(&coarse.joint).unwrap();
            [solver.border_score(&coarse.joint), settled]
        };
        let right = scores(&truth);
        let mut mirror = truth;
        for k in [1, 2, 6, 7, 8, 9] {
            mirror[k] = -mirror[k];
        }
        let mut other = truth;
        other[4] = 2.6;
        other[8] = 1.2;
        for wrong in [scores(&mirror), scores(&other)] {
            for (right, wrong) in right.iter().zip(wrong) {
                assert!(right + 5.0 < wrong, "{right} {wrong}");
            }
        }
    }
}
