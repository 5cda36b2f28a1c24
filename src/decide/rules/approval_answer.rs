//! Row 9b: a contact answers an approval request.

use super::{AfterAppend, Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, Settlement, speaks};
use crate::decide::Thread;

pub(super) const RULE: Rule = Rule { row: "9b", about: "a contact answers an approval request", chapter: Chapter::Sender, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    if facts.thread != Thread::Approval {
        return None;
    }
    speaks(Reason::ApprovalAnswer, Effect::Settle(Settlement::append(AfterAppend::Keep)))
}
