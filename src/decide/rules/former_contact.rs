//! Row 14: a contact who left.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, Settlement, Template, speaks};
use crate::identify::SenderKind;

pub(super) const RULE: Rule = Rule { row: "14", about: "a contact who left", chapter: Chapter::Sender, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    if facts.sender != SenderKind::FormerContact {
        return None;
    }
    speaks(Reason::ContactLeft, Effect::Settle(Settlement::queue(Template::Referral)))
}
