//! Row 4: the sender objected to the storage of their mail.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, speaks};

pub(super) const RULE: Rule = Rule { row: "4", about: "the sender objected to the storage of their mail", chapter: Chapter::Machines, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    if facts.objection { speaks(Reason::Objection, Effect::Ignore) } else { None }
}
