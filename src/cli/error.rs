//! From errors to what a user reads, and to exit codes.

use std::process::ExitCode;

use crate::device::DeviceError;
use crate::media::MediaError;
use crate::metrics::ShapesDiffer;
use crate::physics::PhysicsError;
use crate::prior::{PriorError, ScheduleError, WeightsError};
use crate::run::demos::DemoError;
use crate::run::plan::PlanError;
use crate::run::score::ScoreError;
use crate::run::{CaptureError, LearnedError, ResultsError, SensorError};
use crate::solver::{FlatFieldError, SolverError};
use crate::verify::VerifyError;

const FAILED: u8 = 1;
const BAD_INPUT: u8 = 2;
/// What shells report of a program ended by Ctrl-C.
pub(super) const INTERRUPTED: u8 = 130;

/// Flags or files that do not go together; the message says what to give instead.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InputError(pub String);

/// An [`InputError`] from a format string.
macro_rules! bad_input {
    ($($message:tt)*) => {
        anyhow::Error::new($crate::cli::error::InputError(format!($($message)*)))
    };
}
pub(crate) use bad_input;

/// The user stopped the command; the message says what was kept.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Interrupted(pub String);

/// Tells the user what went wrong.
pub(super) fn report(error: &anyhow::Error) -> ExitCode {
    let code = exit_code(error);
    let kind = if code == INTERRUPTED {
        "stopped"
    } else {
        "error"
    };
    eprintln!("{kind}: {}", text(error));
    ExitCode::from(code)
}

/// The chain of causes; one that the message before it already ends with is left out.
fn text(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |mut text, cause| {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text += &format!(": {cause}");
        }
        text
    })
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if error.chain().any(|cause| cause.is::<Interrupted>()) {
        return INTERRUPTED;
    }
    // A result that cannot be written is a failure, whatever else a `MediaError` means.
    match error.chain().find_map(|cause| cause.downcast_ref()) {
        Some(ResultsError::NotAFolder(_)) => return BAD_INPUT,
        Some(ResultsError::Io { .. } | ResultsError::Media(_)) => return FAILED,
        None => {}
    }
    let is_input = error.chain().any(|cause| {
        cause.is::<InputError>()
            || cause.is::<MediaError>()
            || cause.is::<PhysicsError>()
            || cause.is::<ScheduleError>()
            || cause.is::<SensorError>()
            || cause.is::<CaptureError>()
            || matches!(cause.downcast_ref(), Some(DemoError::Unknown(_)))
            || cause.is::<FlatFieldError>()
            || cause.is::<ScoreError>()
            || cause.is::<ShapesDiffer>()
            || cause.downcast_ref().is_some_and(is_bad_plan)
            || cause.downcast_ref().is_some_and(is_bad_network)
            || cause.downcast_ref().is_some_and(is_bad_setting)
            || cause.downcast_ref().is_some_and(is_bad_prior)
            || cause.downcast_ref().is_some_and(is_bad_golden)
            || cause.is::<WeightsError>()
            || cause.downcast_ref().is_some_and(is_bad_request)
    });
    if is_input { BAD_INPUT } else { FAILED }
}

/// A device that does not exist.
fn is_bad_request(error: &DeviceError) -> bool {
    match error {
        DeviceError::UnknownRequest(_) | DeviceError::NoGpu { .. } | DeviceError::NoSoftware => {
            true
        }
        DeviceError::Unusable { .. } | DeviceError::SelfTest { .. } => false,
    }
}

fn is_bad_plan(error: &PlanError) -> bool {
    match error {
        PlanError::DoNotFit(_) | PlanError::Physics(_) | PlanError::Schedule(_) => true,
        PlanError::Solver(solver) => is_bad_setting(solver),
        PlanError::Learned(error) => is_bad_network(error),
    }
}

/// A trained network that cannot be used for what was asked.
fn is_bad_network(error: &LearnedError) -> bool {
    match error {
        LearnedError::Prior(prior) => is_bad_prior(prior),
        LearnedError::Device(device) => is_bad_request(device),
        LearnedError::Memory(_) | LearnedError::Unreadable { .. } => false,
    }
}

fn is_bad_setting(error: &SolverError) -> bool {
    match error {
        SolverError::Shape { .. }
        | SolverError::Setting { .. }
        | SolverError::Fixed(_)
        | SolverError::Physics(_) => true,
        SolverError::Prior(prior) => is_bad_prior(prior),
        SolverError::Diverged { .. } => false,
    }
}

/// A clip that the network does not take, or a file that is no checkpoint.
fn is_bad_prior(error: &PriorError) -> bool {
    matches!(
        error,
        PriorError::Shape { .. } | PriorError::Empty(_) | PriorError::Weights(_)
    )
}

fn is_bad_golden(error: &VerifyError) -> bool {
    matches!(
        error,
        VerifyError::Weights(_) | VerifyError::Missing { .. } | VerifyError::Shape { .. }
    )
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use anyhow::Context;

    use super::*;

    fn no_frames() -> MediaError {
        MediaError::NoFrames {
            path: PathBuf::from("a.gif"),
        }
    }

    #[test]
    fn a_cause_is_told_once() {
        let io = std::io::Error::other("disk on fire");
        let error = anyhow::Error::new(io)
            .context("a.gif: disk on fire")
            .context("reading");
        assert_eq!(text(&error), "reading: a.gif: disk on fire");
    }

    #[test]
    fn input_is_told_from_failure_through_any_context() {
        let reading = Err::<(), _>(no_frames()).context("reading").unwrap_err();
        assert_eq!(exit_code(&reading), BAD_INPUT);
        assert_eq!(exit_code(&ResultsError::Media(no_frames()).into()), FAILED);
        let in_the_way = ResultsError::NotAFolder(PathBuf::from("out"));
        assert_eq!(exit_code(&in_the_way.into()), BAD_INPUT);
        assert_eq!(exit_code(&bad_input!("give {}", "x")), BAD_INPUT);
        let diverged = SolverError::Diverged {
            step: 1,
            advice: "",
        };
        assert_eq!(exit_code(&diverged.into()), FAILED);
        let empty = SolverError::Physics(PhysicsError::Empty);
        assert_eq!(exit_code(&empty.into()), BAD_INPUT);
        assert_eq!(exit_code(&Interrupted("kept".into()).into()), INTERRUPTED);
    }
}
