//! Blind aberrations.
pub mod spectrum;
pub mod whittle;
pub mod border;
pub mod joint;
