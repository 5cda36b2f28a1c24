//! Row 9c: somebody with a part in the ticket writes on.

use super::{AfterAppend, Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, Settlement, speaks};
use crate::decide::Thread;

pub(super) const RULE: Rule = Rule { row: "9c", about: "somebody with a part in the ticket writes on", chapter: Chapter::Sender, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    let effect = match facts.thread {
        Thread::Current => Effect::Settle(Settlement::append(AfterAppend::Keep)),
        Thread::ClosedRecently => Effect::Settle(Settlement::append(AfterAppend::Reopen)),
        Thread::ClosedEarlier => Effect::Link,
        Thread::None | Thread::IdentityYes | Thread::IdentityNo | Thread::Approval => return None,
    };
    speaks(Reason::FollowUp, effect)
}
