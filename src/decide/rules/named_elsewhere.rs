//! Row 13: the name of a contact, the address of somebody else.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, Settlement, Template, speaks};
use crate::identify::SenderKind;

pub(super) const RULE: Rule =
    Rule { row: "13", about: "the name of a contact, the address of somebody else", chapter: Chapter::Sender, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    if facts.sender != SenderKind::NamedElsewhere {
        return None;
    }
    let settlement = Settlement { verify: true, ..Settlement::queue(Template::Verifying) };
    speaks(Reason::IdentityUnverified, Effect::Settle(settlement))
}
