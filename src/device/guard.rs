//! Turns failures inside the tensor library into errors.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set when a thread that serves a GPU panicked: it then goes on, and what it should have
/// computed reads back as stale memory without any error.
static FAULT: AtomicBool = AtomicBool::new(false);

/// Names of the threads in which CubeCL serves a device.
const SERVER_THREADS: [&str; 2] = ["DSD-", "DSU-"];

/// Runs work on a device. A panic in it, or in the threads that serve the device while it
/// runs, becomes an error; the result is then lost, but the program goes on.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    watch_server_threads();
    FAULT.store(false, Ordering::SeqCst);
    let result = catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(panic_text(panic.as_ref()).to_owned()));
    if FAULT.swap(false, Ordering::SeqCst) {
        return Err("the graphics driver or a shader failed".into());
    }
    result
}

fn watch_server_threads() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |panic| {
            let thread = std::thread::current();
            let name = thread.name().unwrap_or_default();
            if SERVER_THREADS.iter().any(|prefix| name.starts_with(prefix)) {
                FAULT.store(true, Ordering::SeqCst);
            }
            previous(panic);
        }));
    });
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
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
    fn a_panic_in_a_server_thread_spoils_the_result() {
        let result = guarded(|| {
            let server = std::thread::Builder::new().name("DSD-0-0".into());
            let server = server.spawn(|| panic!("lost device")).unwrap();
            assert!(server.join().is_err());
            Ok(1)
        });
        assert!(result.is_err());
        assert_eq!(guarded(|| Ok(2)), Ok(2));
    }
}
