//! Real servers for the tests: started on free loopback ports in a temporary directory, stopped by their own process id.
//!
//! `dovecot` (IMAP, LMTP), `smtp` (Exim: takes postkamer's replies and customers' mail, and delivers both into the
//! mailboxes of one Dovecot), `postgres`, and `world`: the configuration of fixtures/world, pointed at these servers.
//!
//! And for faults: `scripted` (servers in this process), `files` (a file system that fails), `stage` (postkamer in this process,
//! between them), `checker` (the promises, checked from outside).
#![allow(dead_code, reason = "a harness offers more than any one topic uses")]

pub mod certificates;
pub mod checker;
pub mod database;
pub mod dns;
pub mod dovecot;
pub mod house;
pub mod files;
pub mod imap;
pub mod postgres;
pub mod published;
pub mod reliability;
pub mod scripted;
pub mod server;
pub mod smtp;
pub mod stage;
pub mod world;

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// How long the tests wait for something that must happen: a bound on liveness, never on speed.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Asks `look` again and again until it has an answer; panics with `what` when [`DEADLINE`] has passed.
#[track_caller]
pub fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(DEADLINE, what, look)
}

/// As [`eventually`], with its own deadline.
#[track_caller]
pub fn within<T>(deadline: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = look() {
            return answer;
        }
        assert!(start.elapsed() < deadline, "waited {deadline:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(15));
    }
}

/// A port on 127.0.0.1 that nobody listens on. Below the range from which the kernel takes ports for outgoing
/// connections, so that it is still free when a server asks for it a moment later.
pub fn free_port() -> u16 {
    const FIRST: u16 = 10_000;
    const COUNT: u16 = 22_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test processes that run side by side begin at different places (Fibonacci hashing of the process id).
    let start = (std::process::id().wrapping_mul(2_654_435_769) >> 16) % u32::from(COUNT);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + ((start + u32::from(step)) % u32::from(COUNT)) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port on 127.0.0.1");
}

/// Whether the tests run as root; servers then give up their rights to the users that Debian made for them.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A header field of a raw mail, unfolded.
pub fn field(raw: &str, name: &str) -> Option<String> {
    let head = raw.split("\r\n\r\n").next().unwrap_or(raw).split("\n\n").next().unwrap_or(raw);
    let unfolded = head.replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ");
    unfolded.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}
