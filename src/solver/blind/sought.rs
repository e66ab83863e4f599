//! What a user may know and ask of the scattering layer.

use super::problem::Ranges;
use crate::clip::Shape;
use crate::physics::{FramePhysics, Optics, PerFrame, PhysicsError, effective_width_px};
use crate::solver::SolverError;

/// Bounds of what can be asked for, as in [`crate::physics::Scatter`].
const DIST_MM: (f64, f64) = (0.0, 1000.0);
const SIGMA_PX: (f64, f64) = (0.0, 32.0);
/// An effective width, in px, whose blur is none.
const NO_WIDTH_PX: f64 = 0.1;

/// A parameter that is known, or sought within a range.
#[derive(Clone, Debug, PartialEq)]
pub enum Sought {
    /// One value for the clip, or one a frame.
    Known(PerFrame),
    /// From `min` to `max`; the estimate never leaves it. Equal ends are a known value.
    Within { min: f64, max: f64 },
}

impl Sought {
    /// Whether the value is given.
    pub fn is_known(&self) -> bool {
        match self {
            Self::Known(_) => true,
            Self::Within { min, max } => min == max,
        }
    }
}

/// A scattering layer of which something is unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct ScatterSearch {
    pub shape: Shape,
    pub optics: Optics,
    /// The propagation distance in mm, 0..=1000.
    pub dist_mm: Sought,
    /// The published blur's width in px, 0..=32.
    pub sigma_px: Sought,
    /// Whether what is sought differs from frame to frame; otherwise one value serves all.
    pub per_frame: bool,
}

impl ScatterSearch {
    pub(super) fn physics(&self) -> FramePhysics {
        FramePhysics::new(self.shape.height, self.shape.width, &self.optics)
    }

    /// The ranges of the distance, and of the effective width.
    pub(super) fn ranges(&self) -> Result<(Ranges, Ranges), SolverError> {
        if self.shape.is_empty() {
            return Err(PhysicsError::Empty.into());
        }
        self.optics.check()?;
        let dist = self.of(&self.dist_mm, "distance", "mm", DIST_MM)?;
        let sigma = self.of(&self.sigma_px, "sigma", "px", SIGMA_PX)?;
        let width = |&(low, high): &(f64, f64)| {
            // A range that ends where the kernel grows ends before that: the widths between
            // belong to no sigma.
            let end = if low < high {
                high * (1.0 - 1e-12)
            } else {
                high
            };
            let width = |sigma| effective_width_px(sigma).max(NO_WIDTH_PX);
            (width(low), width(end))
        };
        Ok((Ranges(dist), Ranges(sigma.iter().map(width).collect())))
    }

    fn of(
        &self,
        sought: &Sought,
        what: &'static str,
        unit: &'static str,
        bounds: (f64, f64),
    ) -> Result<Vec<(f64, f64)>, SolverError> {
        let inside = |value: f64| match (bounds.0..=bounds.1).contains(&value) {
            true => Ok(value),
            false => Err(PhysicsError::OutOfRange {
                what: what.into(),
                value,
                unit,
                min: bounds.0,
                max: bounds.1,
            }),
        };
        let frames = self.shape.frames;
        match sought {
            Sought::Known(PerFrame::Frames(values)) if values.len() != frames => {
                Err(SolverError::Physics(PhysicsError::Count {
                    what,
                    given: values.len(),
                    needed: format!("1 or {frames} (one a frame)"),
                }))
            }
            Sought::Known(values) => {
                let values = values.as_slice().iter();
                let ranges = values.map(|&v| inside(v).map(|v| (v, v)));
                Ok(ranges.collect::<Result<_, _>>()?)
            }
            &Sought::Within { min, max } => {
                let range = (inside(min)?, inside(max)?);
                if min > max {
                    return Err(SolverError::Setting {
                        what: match what {
                            "distance" => "the range of distances",
                            _ => "the range of sigma",
                        },
                        value: format!("{min}..{max} {unit}"),
                        expected: "write the smaller end first",
                    });
                }
                let count = if self.per_frame { frames } else { 1 };
                Ok(vec![range; count])
            }
        }
    }

    /// Values to build a model with: the middles of the ranges.
    pub(super) fn start(&self, ranges: &Ranges, of: impl Fn(f64) -> f64) -> PerFrame {
        let middles = (0..ranges.0.len()).map(|f| of(ranges.middle(f)));
        match ranges.is_shared() {
            true => PerFrame::Clip(of(ranges.middle(0))),
            false => PerFrame::Frames(middles.collect()),
        }
    }
}
