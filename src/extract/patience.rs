//! How long reading may take.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the files of one mail may still take together: many slow ones in a mail must not hold up the mail behind it (THREATS §4, I6).
/// It runs while a worker reads one of them, for two that read side by side as for each alone, and rests while they wait for workers that
/// read other mail: a mail is not to blame for that.
#[derive(Debug)]
pub struct Patience(Mutex<Duration>);

impl Patience {
    /// For files that may take so long together.
    #[must_use]
    pub fn of(whole: Duration) -> Self {
        Self(Mutex::new(whole))
    }

    /// The turn of a file; none, when there is no patience left.
    pub(super) fn turn(&self) -> Option<Turn<'_>> {
        let left = *self.left();
        (!left.is_zero()).then(|| Turn { patience: self, begun: Instant::now(), left })
    }

    fn left(&self) -> MutexGuard<'_, Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file that is read now. What it takes is gone when this is dropped.
#[derive(Debug)]
pub struct Turn<'p> {
    patience: &'p Patience,
    begun: Instant,
    left: Duration,
}

impl Turn<'_> {
    /// When patience ends, if nothing else is read meanwhile.
    pub fn end(&self) -> Instant {
        self.begun + self.left
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut left = self.patience.left();
        *left = left.saturating_sub(self.begun.elapsed());
    }
}
