use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What a thread is asked: the newest request wins, and an outdated one is never begun.
pub struct Inbox<T>(Arc<(Mutex<Letters<T>>, Condvar)>);

struct Letters<T> {
    newest: Option<T>,
    closed: bool,
}

impl<T> Clone for Inbox<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Inbox<T> {
    fn default() -> Self {
        let letters = Letters {
            newest: None,
            closed: false,
        };
        Self(Arc::new((Mutex::new(letters), Condvar::new())))
    }
}

impl<T> Inbox<T> {
    pub fn put(&self, request: T) {
        self.change(|letters| letters.newest = Some(request));
    }

    /// Nobody asks any more.
    pub fn close(&self) {
        self.change(|letters| letters.closed = true);
    }

    /// Whether what is being done is outdated.
    pub fn is_outdated(&self) -> bool {
        let letters = self.letters();
        letters.closed || letters.newest.is_some()
    }

    /// The newest request, once there is one; none when the inbox is closed.
    pub fn next(&self) -> Option<T> {
        let mut letters = self.letters();
        loop {
            if letters.closed {
                return None;
            }
            if let Some(request) = letters.newest.take() {
                return Some(request);
            }
            let woken = self.0.1.wait(letters);
            letters = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn letters(&self) -> MutexGuard<'_, Letters<T>> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Letters<T>)) {
        change(&mut self.letters());
        self.0.1.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_request_is_read() {
        let inbox = Inbox::default();
        assert!(!inbox.is_outdated());
        inbox.put(1);
        inbox.put(2);
        assert!(inbox.is_outdated());
        assert_eq!(inbox.next(), Some(2));
        assert!(!inbox.is_outdated());
        inbox.put(3);
        inbox.close();
        assert_eq!(inbox.next(), None);
        assert!(inbox.is_outdated());
    }
}
