//! One integration-test binary: a module for each part of the program.

mod golden;
mod physics;
