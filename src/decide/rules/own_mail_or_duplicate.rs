//! Row 1: own mail coming back, or the same mail again.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule};
use crate::decide::Kind;

pub(super) const RULE: Rule = Rule { row: "1", about: "own mail coming back, or the same mail again", chapter: Chapter::Machines, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    let own_loop = (facts.kind == Kind::OwnLoop).then_some(Reason::OwnLoop);
    let duplicate = facts.duplicate.then_some(Reason::Duplicate);
    let reasons: Vec<Reason> = own_loop.into_iter().chain(duplicate).collect();
    if reasons.is_empty() { None } else { Some(Judgement { reasons, effect: Effect::Ignore }) }
}
