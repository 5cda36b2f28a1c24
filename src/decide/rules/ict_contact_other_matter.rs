//! Row 12: an ICT contact of a listed organisation, another matter.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, Settlement, Template, speaks};
use crate::decide::Membership;
use crate::identify::SenderKind;

pub(super) const RULE: Rule =
    Rule { row: "12", about: "an ICT contact of a listed organisation, another matter", chapter: Chapter::Sender, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    if facts.sender != SenderKind::IctContact || facts.membership != Membership::Listed || facts.ict_matter {
        return None;
    }
    if facts.urgent {
        // An outage is nobody's to keep waiting: as row 15, and both rows are named.
        let reasons = vec![Reason::OutsideIctScope, Reason::UrgentUnlisted];
        return Some(Judgement { reasons, effect: Effect::Settle(Settlement::urgent_with_contact(facts)) });
    }
    speaks(Reason::OutsideIctScope, Effect::Settle(Settlement::queue(Template::Referral)))
}
