pub mod descent;
pub mod problem;
pub mod search;
