//! Training a prior of one's own.

pub mod data;
