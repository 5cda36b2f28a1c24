//! Reliability, measured from outside: the real binary is killed, paused and cut off while mail comes in, and afterwards
//! somebody who knows none of its code counts what lies where.
//!
//! `mails` (what is offered, and what must become of it), `wire` (proxies and an SMTP server that see every step) and `talk` (what
//! a step is), `disk` (what a power cut leaves), `installation` (postkamer between them), `tally` (the count, by [`super::checker`]), and two ways of doing harm: `matrix` (one process, killed at every
//! step) and `fleet` (three daemons on one database). `make test` runs both briefly, `make soak` for long.

pub mod disk;
pub mod fleet;
pub mod installation;
pub mod mails;
pub mod matrix;
pub mod talk;
pub mod tally;
pub mod wire;

use super::checker::Harm;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;
use wire::{Moment, Step};

/// What came out, to be asserted or published.
#[derive(Debug, Default)]
pub struct Report {
    /// Faults injected, by kind.
    pub faults: BTreeMap<String, u64>,
    /// Every kind of step that was seen, and how often the process was killed at it.
    pub steps: BTreeMap<Step, u64>,
    /// Mails offered.
    pub offered: u64,
    /// What became of them.
    pub fates: BTreeMap<String, u64>,
    /// Replies that the policy wants.
    pub replies: u64,
    /// Copies beyond the first that were sent after an answer was lost with the process that waited for it (allowed: SMTP cannot do
    /// better).
    pub replies_repeated: u64,
    /// Promises that were not kept.
    pub harms: BTreeMap<Harm, u64>,
    /// From the start after a kill until nothing was left to do.
    pub recoveries: Vec<Duration>,
    /// From a fault until another daemon held all mailboxes of the one that it hit.
    pub takeovers: Vec<Duration>,
    /// Each promise that was not kept, in a sentence.
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
        fn sum<K: Ord>(to: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
            for (key, count) in from {
                *to.entry(key).or_default() += count;
            }
        }
        sum(&mut self.faults, other.faults);
        sum(&mut self.steps, other.steps);
        sum(&mut self.fates, other.fates);
        sum(&mut self.harms, other.harms);
        self.offered += other.offered;
        self.replies += other.replies;
        self.replies_repeated += other.replies_repeated;
        self.recoveries.extend(other.recoveries);
        self.takeovers.extend(other.takeovers);
        self.complaints.extend(other.complaints);
    }

    /// Insists that nothing was lost, doubled or left over.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert!(self.complaints.is_empty(), "{} complaints:\n{}\n{self:#?}", self.complaints.len(), self.complaints.join("\n"));
        let fates: u64 = FATES.iter().filter_map(|(fate, _)| self.fates.get(*fate)).sum();
        assert_eq!(self.offered, fates, "mails offered = opened + appended + queued + rejected + ignored + deferred + stuck: {self:#?}");
    }

    /// Kinds of steps that were seen and at which no process was killed.
    pub fn steps_left_out(&self) -> Vec<&Step> {
        self.steps.iter().filter(|(_, kills)| **kills == 0).map(|(step, _)| step).collect()
    }

    /// Kills by step, as a table: before the server heard of it, and before its answer was heard.
    pub fn table_of_steps(&self) -> String {
        let mut text =
            "| server | step | killed before it was heard | killed before the answer was heard |\n| --- | --- | --- | --- |\n".to_owned();
        let mut rows: BTreeMap<_, [Option<u64>; 2]> = BTreeMap::new();
        for (step, kills) in &self.steps {
            let place = usize::from(step.moment == Moment::Answered);
            rows.entry((step.server, &step.what)).or_default()[place] = Some(*kills);
        }
        let cell = |kills: Option<u64>| kills.map_or_else(|| "–".to_owned(), |kills| kills.to_string());
        for ((server, what), [asked, answered]) in rows {
            let _ = writeln!(text, "| {} | {what} | {} | {} |", server.name(), cell(asked), cell(answered));
        }
        text
    }
}

/// Fates in the database's words, and in those of the published equation.
pub const FATES: [(&str, &str); 7] = [
    ("open", "opened"),
    ("append", "appended"),
    ("queue", "queued"),
    ("reject", "rejected"),
    ("ignore", "ignored"),
    ("deferred", "deferred"),
    ("stuck", "stuck"),
];

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

    pub fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()].clone()
    }
}
