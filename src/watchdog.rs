//! Notices a mail that keeps the program busy without end.
//!
//! What computes never waits, so no deadline of a task can break it off: a loop of ours without an end would hold a processor, and the
//! mailbox behind it, for ever. A thread of its own looks at the processor time of every such stretch; how busy the machine is
//! with other things makes no difference. When one takes too long, the process ends. The attempt was written down before the
//! mail was opened (T0), so the mail is met alone from then on, and is stuck in the end like any other that brings the program down.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::thread::{Pid, gettid};

/// Exit status: whoever gave us a mail is to keep it and try again later (EX_TEMPFAIL).
const TRY_LATER: i32 = 75;

/// Watches over stretches of computing. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Watchdog(Arc<Mutex<Stretches>>);

#[derive(Debug, Default)]
struct Stretches {
    begun: u64,
    running: HashMap<u64, Stretch>,
}

/// One thread that computes.
#[derive(Debug)]
struct Stretch {
    thread: Pid,
    /// The processor time of the thread when it was first looked at.
    since: Option<Duration>,
}

impl Watchdog {
    /// One that ends the process when a stretch has taken so much processor time. Without it ([`Watchdog::default`]) nobody looks.
    ///
    /// # Errors
    /// The system has no thread for it.
    pub fn ending_the_process_after(limit: Duration) -> std::io::Result<Self> {
        let watchdog = Self::default();
        let (watched, look) = (Arc::downgrade(&watchdog.0), (limit / 4).min(Duration::from_secs(1)));
        std::thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            // It ends with the last of those whom it watches over.
            while let Some(stretches) = watched.upgrade() {
                if Self(stretches).is_overdue(limit) {
                    end();
                }
                std::thread::sleep(look);
            }
        })?;
        Ok(watchdog)
    }

    /// Watches over this work, which neither waits nor sleeps.
    pub fn over<T>(&self, work: impl FnOnce() -> T) -> T {
        let begun = self.stretches(|stretches| {
            stretches.begun += 1;
            stretches.running.insert(stretches.begun, Stretch { thread: gettid(), since: None });
            stretches.begun
        });
        // After a panic, too.
        let _over = Over { watchdog: self, begun };
        work()
    }

    fn is_overdue(&self, limit: Duration) -> bool {
        self.stretches(|stretches| {
            stretches.running.values_mut().any(|stretch| {
                let Some(now) = processor_time(stretch.thread) else { return false };
                now.saturating_sub(*stretch.since.get_or_insert(now)) >= limit
            })
        })
    }

    fn stretches<T>(&self, act: impl FnOnce(&mut Stretches) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Over<'a> {
    watchdog: &'a Watchdog,
    begun: u64,
}

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.watchdog.stretches(|stretches| stretches.running.remove(&self.begun));
    }
}

/// The processor time that a thread of ours has had (proc(5), fields `utime` and `stime`); None when it is gone.
fn processor_time(thread: Pid) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{thread}/stat")).ok()?;
    // The name before it, in brackets, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11).map_while(|field| field.parse::<u64>().ok());
    let ticks = ticks.next()? + ticks.next()?;
    Some(Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second().max(1)))
}

#[expect(clippy::exit, reason = "a thread that computes without end cannot be stopped otherwise")]
fn end() {
    tracing::error!("a mail keeps the program busy without end; the process ends itself, and meets that mail alone at its next start");
    std::process::exit(TRY_LATER);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computes until the condition holds.
    fn compute_until(done: impl Fn() -> bool) {
        let mut number = 1_u64;
        while !done() {
            number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
    }

    #[test]
    fn processor_time_counts_from_the_first_look_and_waiting_is_no_computing() {
        let watchdog = Watchdog::default();
        let limit = Duration::from_millis(50);
        assert!(!watchdog.is_overdue(limit));
        watchdog.over(|| {
            assert!(!watchdog.is_overdue(limit));
            std::thread::sleep(limit * 3);
            assert!(!watchdog.is_overdue(limit), "it only slept");
            compute_until(|| watchdog.is_overdue(limit));
        });
        assert!(!watchdog.is_overdue(limit), "it is over");
        let caught = std::panic::catch_unwind(|| watchdog.over(|| panic!("a mistake")));
        assert!(caught.is_err() && watchdog.stretches(|stretches| stretches.running.is_empty()));
    }
}
