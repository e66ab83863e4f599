//! Turns failures inside the tensor library into errors.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts panics in threads that serve a GPU: such a thread goes on, and what it should
/// have computed reads back as stale memory without any error.
static FAULTS: AtomicUsize = AtomicUsize::new(0);

/// Runs work on a device. A panic in it, or in the threads that serve devices while it
/// runs, becomes an error; the result is then lost, but the program goes on.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    watch_server_threads();
    watched(&FAULTS, work)
}

fn watched<T>(faults: &AtomicUsize, work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let before = faults.load(Ordering::SeqCst);
    let result = catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(panic_text(panic.as_ref()).to_owned()));
    if faults.load(Ordering::SeqCst) == before {
        result
    } else {
        Err("the graphics driver or a shader failed".into())
    }
}

fn watch_server_threads() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |panic| {
            if std::thread::current().name().is_some_and(serves_a_device) {
                FAULTS.fetch_add(1, Ordering::SeqCst);
            }
            previous(panic);
        }));
    });
}

/// Whether a thread of this name is one in which CubeCL serves a device.
fn serves_a_device(thread: &str) -> bool {
    thread.starts_with("DSD-") || thread.starts_with("DSU-")
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("it stopped without saying why")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        let error = guarded::<()>(|| panic!("out of {}", "memory")).unwrap_err();
        assert_eq!(error, "out of memory");
    }

    #[test]
    fn a_fault_in_a_server_thread_spoils_the_result() {
        // Its own counter: faults of the shared one would spoil tests that run beside.
        let faults = AtomicUsize::new(3);
        let result = watched(&faults, || {
            faults.fetch_add(1, Ordering::SeqCst);
            Ok(1)
        });
        assert!(result.is_err());
        assert_eq!(watched(&faults, || Ok(2)), Ok(2));
    }

    #[test]
    fn server_threads_are_known_by_name() {
        assert!(serves_a_device("DSD-0-1") && serves_a_device("DSU-2"));
        assert!(!serves_a_device("main"));
    }
}
