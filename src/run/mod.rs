//! What a run is: driving a solver, its record, its results folder.

mod capture;
mod chart;
mod cpu_time;
pub mod curves;
pub mod demos;
mod drive;
mod folder;
mod learned;
mod memory;
mod peak;
pub mod plan;
pub mod published;
mod record;
pub mod score;
mod sensor;
pub mod trust;

pub use crate::hash::sha256;
pub use capture::{Capture, CaptureError, CaptureFiles, open_recorded};
pub use chart::{Axis, ChartError, HeatMap};
pub use cpu_time::cpu_time;
pub use drive::{Outcome, drive};
pub use folder::{ResultsError, ResultsFolder};
pub use learned::{Learned, LearnedError, NetworkChoice, NotANetwork};
pub use memory::{MemoryError, available_bytes, check_memory};
pub use peak::peak_memory_bytes;
pub use record::{
    BURN_VERSION, DeviceRecord, FileRecord, Geometry, MeasurementRecord, ModelRecord, PriorRecord,
    Residual, RunOutcome, RunRecord, SolverRecord, Timings,
};
pub use sensor::{Sensor, SensorError};
