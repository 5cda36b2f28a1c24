//! Row 10: a general contact.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, Settlement, Template};
use crate::identify::SenderKind;

pub(super) const RULE: Rule = Rule { row: "10", about: "a general contact", chapter: Chapter::Sender, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    if facts.sender != SenderKind::GeneralContact {
        return None;
    }
    let mut reasons = vec![Reason::ApprovedContact];
    // A request to put somebody on the list is an agent's work; it is named so that it is not overlooked.
    if facts.addition_request {
        reasons.push(Reason::AdditionRequest);
    }
    Some(Judgement { reasons, effect: Effect::Settle(Settlement::open(Template::Received)) })
}
