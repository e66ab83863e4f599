//! The sizes that tell one space-time U-Net from another.

use std::fmt;

use crate::clip::Shape;
use crate::prior::PriorError;
use crate::prior::weights::{Weights, WeightsError};

use super::norm::GROUPS;

/// Each level halves height and width: beyond this no video is large enough.
const MAX_LEVELS: usize = 16;

/// Sizes of a network. Everything else about it is fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UNetConfig {
    /// Channels at full resolution, a multiple of 8.
    pub dim: usize,
    /// Channels of each level, in units of `dim`; each level halves height and width.
    pub multipliers: Vec<usize>,
    pub heads: usize,
    /// Channels of a head in attention over frames (over pixels it is always 32).
    pub temporal_head_dim: usize,
}

impl UNetConfig {
    /// The published network for UCF101 and DAVIS.
    pub fn published_ucf() -> Self {
        Self {
            dim: 128,
            multipliers: vec![1, 2, 3, 4],
            heads: 8,
            temporal_head_dim: 32,
        }
    }

    /// Reads the sizes off the shapes of the weights.
    ///
    /// Every size is the length of an axis of an array without empty axes, so none exceeds
    /// the count of numbers in `weights`.
    pub fn infer(weights: &Weights) -> Result<Self, WeightsError> {
        let shape = |name: &str| -> Result<&[usize], WeightsError> {
            let array = weights.get(name).ok_or_else(|| {
                WeightsError::Config(format!("`{name}` is missing, by which its size is known"))
            })?;
            Ok(&array.shape)
        };
        let odd = |name: &str, found: &[usize]| {
            WeightsError::Config(format!("`{name}` has the unexpected shape {found:?}"))
        };

        let name = "init_conv.weight";
        let dim = match *shape(name)? {
            [dim, 1, 1, 7, 7] if dim > 0 && dim.is_multiple_of(GROUPS) => dim,
            [_, channels, 1, 7, 7] if channels > 1 => {
                return Err(WeightsError::Config(format!(
                    "it takes {channels}-channel video; only grey video is supported"
                )));
            }
            ref other => return Err(odd(name, other)),
        };

        let name = "time_rel_pos_bias.relative_attention_bias.weight";
        let heads = match *shape(name)? {
            [32, heads] if heads > 0 => heads,
            ref other => return Err(odd(name, other)),
        };

        let name = "init_temporal_attn.fn.fn.fn.to_qkv.weight";
        let temporal_head_dim = match *shape(name)? {
            [rows, channels] if rows > 0 && channels > 0 && rows.is_multiple_of(6 * heads) => {
                rows / (3 * heads)
            }
            ref other => return Err(odd(name, other)),
        };

        let mut multipliers = Vec::new();
        loop {
            let name = format!("downs.{}.0.block1.proj.weight", multipliers.len());
            let Ok(found) = shape(&name) else { break };
            match *found {
                [rows, inputs, 1, 3, 3] if rows > 0 && inputs > 0 && rows.is_multiple_of(dim) => {
                    multipliers.push(rows / dim);
                }
                ref other => return Err(odd(&name, other)),
            }
        }
        match multipliers.len() {
            0 => return Err(WeightsError::Config("it has no levels (`downs.0`)".into())),
            1..=MAX_LEVELS => {}
            levels => {
                return Err(WeightsError::Config(format!(
                    "it has {levels} levels; no more than {MAX_LEVELS} are supported"
                )));
            }
        }
        Ok(Self {
            dim,
            multipliers,
            heads,
            temporal_head_dim,
        })
    }

    /// Channels before and after each level on the way down.
    pub(super) fn level_channels(&self) -> Vec<[usize; 2]> {
        let outputs: Vec<usize> = self.multipliers.iter().map(|m| m * self.dim).collect();
        let inputs = std::iter::once(self.dim).chain(outputs.iter().copied());
        inputs.zip(&outputs).map(|(i, &o)| [i, o]).collect()
    }

    /// Heights and widths must be multiples of this.
    pub fn multiple(&self) -> usize {
        1 << (self.multipliers.len() - 1)
    }

    /// Whether clips of this shape pass through every level.
    pub fn check_shape(&self, shape: Shape) -> Result<(), PriorError> {
        if shape.is_empty() {
            return Err(PriorError::Empty(shape));
        }
        let multiple = self.multiple();
        if shape.height.is_multiple_of(multiple) && shape.width.is_multiple_of(multiple) {
            return Ok(());
        }
        let up = |n: usize| n.next_multiple_of(multiple);
        let down = |n: usize| n / multiple * multiple;
        let smaller = Shape::new(shape.frames, down(shape.height), down(shape.width));
        Err(PriorError::Shape {
            shape,
            multiple,
            next: Shape::new(shape.frames, up(shape.height), up(shape.width)),
            smaller: (!smaller.is_empty()).then_some(smaller),
        })
    }
}

impl fmt::Display for UNetConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let levels: Vec<String> = self.multipliers.iter().map(usize::to_string).collect();
        write!(
            f,
            "space-time U-Net, {:.1} M parameters (dim {}, levels {}, {} heads of {})",
            self.parameter_count() as f64 / 1e6,
            self.dim,
            levels.join("-"),
            self.heads,
            self.temporal_head_dim
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_that_do_not_halve_evenly_name_the_next_that_do() {
        let config = UNetConfig::published_ucf();
        assert!(config.check_shape(Shape::new(3, 64, 72)).is_ok());
        let message = config
            .check_shape(Shape::new(10, 60, 64))
            .unwrap_err()
            .to_string();
        assert!(message.contains("multiples of 8"), "{message}");
        assert!(message.contains("64 x 64 or 56 x 64"), "{message}");
        let tiny = config
            .check_shape(Shape::new(1, 5, 9))
            .unwrap_err()
            .to_string();
        assert!(tiny.ends_with("8 x 16"), "{tiny}");
        assert!(config.check_shape(Shape::new(0, 8, 8)).is_err());
    }
}
