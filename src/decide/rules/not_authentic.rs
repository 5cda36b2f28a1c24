//! Row 8: the sender is not authentic: a forged one must not be made a victim.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, Settlement, speaks};
use crate::identify::Authentic;

pub(super) const RULE: Rule = Rule { row: "8", about: "the sender is not authentic: a forged one must not be made a victim", chapter: Chapter::Authenticity, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    match facts.authentic {
        Authentic::Pass => None,
        Authentic::Fail | Authentic::None => speaks(Reason::SenderNotAuthentic, Effect::Settle(Settlement::SILENT_QUEUE)),
    }
}
