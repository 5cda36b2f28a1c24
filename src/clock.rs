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
    /// still. That is for tests and rehearsals; a daemon says so loudly.
    #[must_use]
    pub fn of_process() -> Self {
        let moment = std::env::var("POSTKAMER_NOW").ok().and_then(|text| text.parse().ok());
        moment.map_or_else(Self::system, Self::fixed)
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
