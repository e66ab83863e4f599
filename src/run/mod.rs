//! What a run is: driving a solver, its record, its results folder.

mod drive;
mod memory;

pub use drive::{Outcome, drive};
pub use memory::{MemoryError, check_memory};
