//! Row 11: an ICT contact of a listed organisation, an ICT matter.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, Settlement, Template, speaks};
use crate::decide::Membership;
use crate::identify::SenderKind;

pub(super) const RULE: Rule = Rule { row: "11", about: "an ICT contact of a listed organisation, an ICT matter", chapter: Chapter::Sender, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    if facts.sender == SenderKind::IctContact && facts.membership == Membership::Listed && facts.ict_matter {
        speaks(Reason::ApprovedIctContact, Effect::Settle(Settlement::open(Template::Received)))
    } else {
        None
    }
}
