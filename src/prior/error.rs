//! What can go wrong between a solver and its prior.

use super::WeightsError;
use crate::clip::Shape;

#[derive(Debug, thiserror::Error)]
pub enum PriorError {
    #[error(
        "the network takes heights and widths that are multiples of {multiple}, not those of a \
         {shape} clip: crop or resize it to {} x {}{}",
        next.height, next.width,
        smaller.map(|s| format!(" or {} x {}", s.height, s.width)).unwrap_or_default()
    )]
    Shape {
        shape: Shape,
        multiple: usize,
        /// The next larger shape that fits.
        next: Shape,
        /// The next smaller one, if there is one.
        smaller: Option<Shape>,
    },
    #[error("the clip is empty ({0})")]
    Empty(Shape),
    #[error("the cotangent is a {found} clip, the prediction a {expected} one")]
    Cotangent { expected: Shape, found: Shape },
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The device failed, or ran out of memory. The result is lost, the program is not.
    #[error("the computing device failed: {0}")]
    Device(String),
}
