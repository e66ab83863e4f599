//! From a problem to a solver that is ready to step: which method, which prior, and why.
//!
//! The command line, the scoreboard and the window all start their runs here, so whatever one
//! can do the others can.

mod choice;
mod prepare;
mod prior;
mod problem;

pub use choice::{Choice, DEFAULT_BUDGET, Method, Mix, Task, choose, slowness, usual_prior};
pub use prepare::{PlanError, Prepared, Settings, prepare};
pub use prior::PriorChoice;
pub use problem::{AberrationUnknown, Physics, Problem};
