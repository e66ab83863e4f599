//! Ctrl-C: the first one asks the command to stop, the second one ends it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

use super::error::INTERRUPTED;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C sets the flag this returns, and a second Ctrl-C exits with 130.
///
/// # Errors
/// When the system refuses the handler.
pub fn watch() -> anyhow::Result<&'static AtomicBool> {
    static WATCHING: Mutex<bool> = Mutex::new(false);
    let mut watching = WATCHING.lock().unwrap_or_else(PoisonError::into_inner);
    if !*watching {
        ctrlc::set_handler(|| {
            if REQUESTED.swap(true, Ordering::SeqCst) {
                std::process::exit(INTERRUPTED.into());
            }
            eprintln!("stopping after this step (press again to end at once)");
        })
        .context("cannot listen for Ctrl-C")?;
        *watching = true;
    }
    Ok(&REQUESTED)
}
