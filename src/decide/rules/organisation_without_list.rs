//! Row 17: anybody at an organisation without a list.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, Settlement, Template, speaks};
use crate::decide::Membership;

pub(super) const RULE: Rule = Rule { row: "17", about: "anybody at an organisation without a list", chapter: Chapter::Sender, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    if facts.membership != Membership::Unlisted {
        return None;
    }
    speaks(Reason::OrganisationMember, Effect::Settle(Settlement::open(Template::Received)))
}
