use std::sync::{Mutex, PoisonError};

/// Holds the newest value only: whoever reads is never behind.
pub struct Slot<T>(Mutex<Option<T>>);

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Slot<T> {
    pub fn put(&self, value: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    }

    pub fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_is_taken_and_only_once() {
        let slot = Slot::default();
        slot.put(1);
        slot.put(2);
        assert_eq!((slot.take(), slot.take()), (Some(2), None));
    }
}
