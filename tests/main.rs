//! One integration-test binary: a module for each part of the program.

mod commands;
mod display;
mod golden;
mod physics;
mod samples;
mod window;
