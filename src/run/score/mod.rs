//! The scoreboard: how close a solver comes on known clips, beside every rival's result.
//!
//! A [`Case`] is a problem with its truth: a folder in the published layout ([`ClipFolder`]) or
//! one of our own benchmark ([`builtin`]). [`score`] hands the problem to whatever solves it and
//! measures what comes back; a [`Board`] collects the rows, and serialises and renders itself.
//! A [`DenoisingTable`] compares priors alone, by what they take off noise.

mod board;
mod builtin;
mod case;
mod denoising;
mod error;
mod folder;
mod marks;
mod recording;
mod row;
mod task;

pub use board::{Board, Failure, MeanGain, TaskMean};
pub use builtin::{Builtin, builtin};
pub use case::{Case, Headline, Rival, Truth};
pub use denoising::{Clean, Contestant, DenoisingTable};
pub use error::ScoreError;
pub use folder::{ClipFolder, Source, SourceError};
pub use marks::{Marks, ParameterMarks, Spread};
pub use row::{RivalMarks, Row, Solved, score};
pub use task::Task;
