//! Row 0: over the intake rate.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, speaks};

pub(super) const RULE: Rule = Rule { row: "0", about: "over the intake rate", chapter: Chapter::Rate, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    if facts.over_rate { speaks(Reason::RateLimited, Effect::Defer) } else { None }
}
