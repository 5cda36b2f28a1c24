//! Reliability, measured from outside: the real binary is killed, paused and cut off while mail comes in, and afterwards
//! somebody who knows none of its code counts what lies where.
//!
//! `mails` (what is offered, and what must become of it), `wire` (proxies and an SMTP server that see every step),
//! `installation` (postkamer between them), `tally` (the count), and two ways of doing harm: `matrix` (one process, killed at every
//! step) and `fleet` (three daemons on one database). `make test` runs both briefly, `make soak` for long.

pub mod fleet;
pub mod installation;
pub mod mails;
pub mod matrix;
pub mod tally;
pub mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

/// What came out, to be asserted or published.
#[derive(Debug, Default)]
pub struct Report {
    /// Faults injected, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Mails offered.
    pub offered: u64,
    /// What became of them.
    pub fates: BTreeMap<String, u64>,
    /// Mails without a result that lie nowhere.
    pub lost: u64,
    /// Mails with two tickets, or two copies where there was one.
    pub doubled: u64,
    /// Mails with another result, or in another place, than the policy says; tickets without a mail.
    pub unexpected: u64,
    /// Replies that the policy wants.
    pub replies: u64,
    /// Those that nobody got.
    pub replies_lost: u64,
    /// Those that were taken twice although every answer of the server was heard.
    pub replies_doubled: u64,
    /// Those that were taken twice after an answer was lost with the process that waited for it (allowed: SMTP cannot do better).
    pub replies_doubled_in_doubt: u64,
    /// Replies that nobody asked for.
    pub replies_unexpected: u64,
    /// Places where an identity number that was offered still lies.
    pub citizen_bytes: u64,
    /// Server actions that are said to be done and are not, or are still to be done.
    pub actions_not_verified: u64,
    /// From the start after a kill until nothing was left to do.
    pub recoveries: Vec<Duration>,
    /// From a fault until another daemon held all mailboxes of the one that it hit.
    pub takeovers: Vec<Duration>,
    /// Everything that should not be, in sentences.
    pub complaints: Vec<String>,
}

impl Report {
    pub fn fault(&mut self, kind: &str) {
        *self.faults.entry(kind.to_owned()).or_default() += 1;
    }

    /// How many faults in all.
    pub fn all_faults(&self) -> u64 {
        self.faults.values().sum()
    }

    pub fn add(&mut self, other: Self) {
        for (kind, count) in other.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        for (fate, count) in other.fates {
            *self.fates.entry(fate).or_default() += count;
        }
        self.offered += other.offered;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.unexpected += other.unexpected;
        self.replies += other.replies;
        self.replies_lost += other.replies_lost;
        self.replies_doubled += other.replies_doubled;
        self.replies_doubled_in_doubt += other.replies_doubled_in_doubt;
        self.replies_unexpected += other.replies_unexpected;
        self.citizen_bytes += other.citizen_bytes;
        self.actions_not_verified += other.actions_not_verified;
        self.recoveries.extend(other.recoveries);
        self.takeovers.extend(other.takeovers);
        self.complaints.extend(other.complaints);
    }

    /// Insists that nothing was lost, doubled or left over.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert!(self.complaints.is_empty(), "{} complaints:\n{}\n{self:#?}", self.complaints.len(), self.complaints.join("\n"));
        let fates: u64 = self.fates.values().sum();
        assert_eq!(self.offered, fates, "mails offered = opened + appended + queued + rejected + ignored + deferred + stuck: {self:#?}");
        let bad = [self.lost, self.doubled, self.unexpected, self.replies_lost, self.replies_doubled, self.replies_unexpected];
        assert!(bad.iter().all(|count| *count == 0) && self.citizen_bytes == 0 && self.actions_not_verified == 0, "{self:#?}");
    }
}

/// A small generator of numbers (SplitMix64), so that a run can be repeated from its seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
