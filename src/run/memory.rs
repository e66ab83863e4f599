//! Memory, checked before a run rather than found missing in the middle of it.

use sysinfo::System;

use crate::clip::Shape;
use crate::device::{ComputeDevice, Kind};
use crate::prior::Prior;

#[derive(Debug, thiserror::Error)]
#[error(
    "a step on a {shape} clip needs about {:.1} GiB of memory and {:.1} GiB are available: \
     close other programs, use fewer or smaller frames, or `vdps reconstruct --method instant`, \
     which needs little",
    gib(*needed), gib(*available)
)]
pub struct MemoryError {
    pub shape: Shape,
    /// Bytes.
    pub needed: u64,
    /// Bytes.
    pub available: u64,
}

fn gib(bytes: u64) -> f64 {
    bytes as f64 / (1u64 << 30) as f64
}

/// Whether a guided step of `prior` on a clip of this shape fits into memory.
///
/// Graphics cards with memory of their own do not tell how much of it is free; for them
/// this passes, and running out is reported when it happens.
///
/// # Errors
/// When more is needed than is available.
pub fn check_memory(
    prior: &dyn Prior,
    shape: Shape,
    device: &ComputeDevice,
) -> Result<(), MemoryError> {
    match device.kind {
        Kind::Cpu | Kind::SoftwareGpu | Kind::IntegratedGpu => match available_bytes() {
            Some(available) => compare(shape, prior.memory_bytes(shape), available),
            None => Ok(()),
        },
        Kind::DiscreteGpu | Kind::VirtualGpu | Kind::OtherGpu => Ok(()),
    }
}

fn compare(shape: Shape, needed: u64, available: u64) -> Result<(), MemoryError> {
    if needed > available {
        return Err(MemoryError {
            shape,
            needed,
            available,
        });
    }
    Ok(())
}

/// What the system can still hand out, within the limits of a container; none where it
/// does not say.
pub fn available_bytes() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory();
    let machine = system.available_memory();
    Some(match system.cgroup_limits() {
        Some(limits) => machine.min(limits.free_memory),
        None => machine,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_little_memory_names_both_numbers_and_the_way_on() {
        let shape = Shape::new(10, 128, 128);
        let error = compare(shape, 41 << 30, 12 << 30).unwrap_err().to_string();
        for part in ["10x128x128", "41.0 GiB", "12.0 GiB", "--method instant"] {
            assert!(error.contains(part), "{error}");
        }
        assert!(compare(shape, 1, 1).is_ok());
    }

    #[test]
    fn the_machine_has_some_memory() {
        assert!(available_bytes().is_some_and(|bytes| bytes > 1 << 20));
    }
}
