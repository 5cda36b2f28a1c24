//! Row 2: a bounce.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, speaks};
use crate::decide::Kind;

pub(super) const RULE: Rule = Rule { row: "2", about: "a bounce", chapter: Chapter::Machines, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    if facts.kind == Kind::Bounce { speaks(Reason::Bounce, Effect::Ignore) } else { None }
}
