//! Facts become a verdict with reasons.
//!
//! [`decide`] is POLICY.md's table: a pure, total function. Each row is one file under `rules/`, listed in
//! [`rules::RULES`] in the table's order. Nothing here reads a clock, a database or a word of the mail: [`Facts`] are
//! codes and truths, so a verdict and its reasons may be logged and kept.

pub mod addition;
pub mod answer;
pub mod automatic;
mod facts;
pub mod lexicon;
pub mod signature;
pub mod topic;
pub mod urgency;
mod trail;
mod verdict;
pub mod rules;

pub use facts::{Facts, Kind, Membership, OnUnreadable, Policy, Thread, UnknownSenders};
pub use verdict::{AfterAppend, Cc, Outcome, Reason, Recipient, Reply, ServerAction, Template, TicketStep, Verdict};

/// What becomes of a mail with these facts under this policy (POLICY, "The verdict, in order").
#[must_use]
pub fn decide(facts: &Facts, policy: &Policy) -> Verdict {
    let mut trail = trail::Trail::default();
    for rule in rules::RULES {
        if trail.still_asks(rule.chapter)
            && let Some(judgement) = (rule.judge)(facts, policy)
        {
            trail.follow(judgement);
        }
    }
    trail.verdict(facts)
}
