//! Row 15: a colleague at a listed organisation, urgent.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, Settlement, speaks};
use crate::decide::Membership;
use crate::identify::SenderKind;

pub(super) const RULE: Rule = Rule { row: "15", about: "a colleague at a listed organisation, urgent", chapter: Chapter::Sender, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    if facts.sender == SenderKind::Colleague && facts.membership == Membership::Listed && facts.urgent {
        speaks(Reason::UrgentUnlisted, Effect::Settle(Settlement::urgent_with_contact(facts)))
    } else {
        None
    }
}
