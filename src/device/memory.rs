//! How the processor's memory is handed out while networks run on it.

/// Keeps freed memory for the next layer.
///
/// A network allocates and frees tens of megabytes for every layer. By default the C
/// library gives each such block back to the system and fetches it anew, page by zeroed
/// page, which took up to a fifth of the time of a prediction. Elsewhere than with glibc
/// the system's own allocator decides.
pub(super) fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use std::ffi::c_int;
        use std::sync::Once;

        // From glibc's malloc.h.
        const M_TRIM_THRESHOLD: c_int = -1;
        const M_MMAP_MAX: c_int = -4;
        const M_ARENA_MAX: c_int = -8;
        unsafe extern "C" {
            fn mallopt(parameter: c_int, value: c_int) -> c_int;
        }

        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // SAFETY: mallopt is thread-safe and any value is allowed; it only tunes.
            unsafe {
                mallopt(M_MMAP_MAX, 0);
                mallopt(M_TRIM_THRESHOLD, c_int::MAX);
                // One arena for all threads: what one frees, another takes.
                mallopt(M_ARENA_MAX, 1);
            }
        });
    }
}
