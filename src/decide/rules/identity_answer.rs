//! Row 9a: the listed contact answers whether a mail was theirs.

use super::{AfterAppend, Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, Settlement, speaks};
use crate::decide::Thread;

pub(super) const RULE: Rule = Rule { row: "9a", about: "the listed contact answers whether a mail was theirs", chapter: Chapter::Sender, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    match facts.thread {
        Thread::IdentityYes => speaks(Reason::IdentityConfirmed, Effect::Settle(Settlement::append(AfterAppend::Open))),
        Thread::IdentityNo => speaks(Reason::IdentityRefused, Effect::Settle(Settlement::append(AfterAppend::Close))),
        _ => None,
    }
}
