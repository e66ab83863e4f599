//! What speaks against the aberration of a frame.

use rayon::prelude::*;
use serde::Serialize;

use super::joint::Joint;
use crate::solver::aberration::pool::Peak;
use crate::solver::aberration::verdict::similarity;
use crate::solver::aberration::{REACH_PX, Whittle};

/// Signals that tell right aberrations from wrong ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FrameVerdict {
    /// Root mean square residual over the noise: 1 where everything is explained.
    pub residual: f64,
    /// Correlation of the point spread function with what it was when each frame had a picture
    /// of its own for the first time.
    pub moved: f64,
    /// Nats by which the frame's spectrum alone prefers another aberration.
    pub spectral: f64,
}

/// Limits beyond which a signal is a doubt, set on generated scenes.
const RESIDUAL: f64 = 1.1;
const MOVED: f64 = 0.97;
const SPECTRAL_NATS: f64 = 45.0;

impl FrameVerdict {
    /// Why the aberration may be wrong, a sentence each.
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.residual.is_nan() || self.residual > RESIDUAL {
            doubts.push(format!(
                "the result leaves {:.2} times the noise of the frame unexplained",
                self.residual
            ));
        }
        if self.moved.is_nan() || self.moved < MOVED {
            doubts
                .push("the point spread function was still changing when the search ended".into());
        }
        if self.spectral.is_nan() || self.spectral > SPECTRAL_NATS {
            doubts.push(format!(
                "the spectrum of the frame prefers another aberration by {:.0} nats",
                self.spectral
            ));
        }
        doubts
    }
}

/// The verdicts of all frames, and the standard deviations of their coefficients that each
/// frame's spectrum alone leaves.
pub fn judge(
    joint: &Joint,
    whittles: &[Whittle],
    pools: &[Vec<Peak>],
    early: &[Vec<f32>],
    noise: f64,
) -> (Vec<FrameVerdict>, Vec<Option<f64>>) {
    let residuals = joint.residual_rms();
    let psfs = joint.psfs();
    let judged: Vec<(FrameVerdict, Vec<Option<f64>>)> = (0..joint.frames())
        .into_par_iter()
        .map(|t| {
            let (point, value) = whittles[t].settle(joint.of_frame(t).to_vec());
            let verdict = FrameVerdict {
                residual: residuals[t] / noise,
                moved: similarity(&psfs[t], &early[t], REACH_PX),
                spectral: value - pools[t][0].value,
            };
            // The spectrum curves evenly at an optimum of its own close by.
            let (optimum, _) = whittles[t].descend(point, 100, 0.02);
            (verdict, whittles[t].deviations(&optimum))
        })
        .collect();
    let (verdicts, deviations): (Vec<_>, Vec<_>) = judged.into_iter().unzip();
    (verdicts, deviations.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signal_is_a_doubt_of_its_own() {
        const RIGHT: FrameVerdict = FrameVerdict {
            residual: 1.0,
            moved: 0.995,
            spectral: 5.0,
        };
        assert!(RIGHT.doubts().is_empty());
        let wrong = [
            FrameVerdict {
                residual: 1.6,
                ..RIGHT
            },
            FrameVerdict {
                residual: f64::NAN,
                ..RIGHT
            },
            FrameVerdict {
                moved: 0.8,
                ..RIGHT
            },
            FrameVerdict {
                spectral: 90.0,
                ..RIGHT
            },
        ];
        for verdict in wrong {
            assert_eq!(verdict.doubts().len(), 1, "{verdict:?}");
        }
    }
}
