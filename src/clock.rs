//! The only reader of the time.
//!
//! Everything else is told what time it is: pure rooms by an argument, rooms with I/O by a [`Clock`] that they were handed.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// A source of the current time. Tests and the demo move a fixed one by hand; everybody else reads the system's.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The clock of a command: the system's, unless `POSTKAMER_NOW` holds a moment (RFC 3339), at which it then stands
    /// still. That is for tests and rehearsals; whoever works by it says so.
    ///
    /// # Errors
    /// It holds something else; a sentence.
    pub fn of_process() -> Result<Self, String> {
        let Some(text) = std::env::var_os("POSTKAMER_NOW") else { return Ok(Self::system()) };
        let moment = text.to_str().and_then(|text| text.parse().ok());
        moment
            .map(Self::fixed)
            .ok_or_else(|| "POSTKAMER_NOW is no moment such as 2026-11-22T10:00:00+01:00; unset it, or mend it.".to_owned())
    }

    /// Whether this is a clock that stands still.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        matches!(self.0, Source::Fixed(_))
    }

    /// A clock that stands still at `now` until [`Clock::set`] moves it; clones share the hand.
    #[must_use]
    pub fn fixed(now: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(now.as_millisecond()))))
    }

    /// The current time, to the millisecond.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the time")]
    pub fn now(&self) -> Timestamp {
        let milliseconds = match &self.0 {
            Source::System => Timestamp::now().as_millisecond(),
            Source::Fixed(at) => at.load(Ordering::SeqCst),
        };
        Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Moves a fixed clock; does nothing to the system's.
    pub fn set(&self, now: Timestamp) {
        if let Source::Fixed(at) = &self.0 {
            at.store(now.as_millisecond(), Ordering::SeqCst);
        }
    }
}
