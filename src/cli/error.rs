//! From errors to what a user reads, and to exit codes.

use std::process::ExitCode;

use crate::device::DeviceError;
use crate::media::MediaError;
use crate::physics::PhysicsError;
use crate::prior::{PriorError, ScheduleError};
use crate::solver::SolverError;

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

/// A result that could not be written, whatever else a [`MediaError`] means.
#[derive(Debug, thiserror::Error)]
#[error("the result was not written")]
pub struct WriteFailed(#[source] pub MediaError);

/// Tells the user what went wrong.
pub(super) fn report(error: &anyhow::Error) -> ExitCode {
    let code = exit_code(error);
    let kind = if code == INTERRUPTED {
        "stopped"
    } else {
        "error"
    };
    eprintln!("{kind}: {error:#}");
    ExitCode::from(code)
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if error.chain().any(|cause| cause.is::<Interrupted>()) {
        return INTERRUPTED;
    }
    if error.chain().any(|cause| cause.is::<WriteFailed>()) {
        return FAILED;
    }
    let is_input = error.chain().any(|cause| {
        cause.is::<InputError>()
            || cause.is::<MediaError>()
            || cause.is::<PhysicsError>()
            || cause.is::<ScheduleError>()
            || cause.downcast_ref().is_some_and(is_bad_setting)
            || cause.downcast_ref().is_some_and(is_bad_clip)
            || matches!(cause.downcast_ref(), Some(DeviceError::UnknownRequest(_)))
    });
    if is_input { BAD_INPUT } else { FAILED }
}

fn is_bad_setting(error: &SolverError) -> bool {
    match error {
        SolverError::Shape { .. } | SolverError::Setting { .. } | SolverError::Physics(_) => true,
        SolverError::Prior(prior) => is_bad_clip(prior),
        SolverError::Diverged { .. } => false,
    }
}

fn is_bad_clip(error: &PriorError) -> bool {
    matches!(error, PriorError::Shape { .. } | PriorError::Empty(_))
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
    fn input_is_told_from_failure_through_any_context() {
        let reading = Err::<(), _>(no_frames()).context("reading").unwrap_err();
        assert_eq!(exit_code(&reading), BAD_INPUT);
        assert_eq!(exit_code(&WriteFailed(no_frames()).into()), FAILED);
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
