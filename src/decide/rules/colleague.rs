//! Row 16: a colleague at a listed organisation, not urgent.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, Settlement, Template, speaks};
use crate::decide::Membership;
use crate::identify::SenderKind;

pub(super) const RULE: Rule = Rule { row: "16", about: "a colleague at a listed organisation, not urgent", chapter: Chapter::Sender, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    if facts.sender == SenderKind::Colleague && facts.membership == Membership::Listed && !facts.urgent {
        speaks(Reason::NotAnApprovedContact, Effect::Settle(Settlement::queue(Template::Referral)))
    } else {
        None
    }
}
