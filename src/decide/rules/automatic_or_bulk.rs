//! Row 3: an automatic answer, a mailing or a list.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, speaks};
use crate::decide::Kind;

pub(super) const RULE: Rule = Rule { row: "3", about: "an automatic answer, a mailing or a list", chapter: Chapter::Machines, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    match facts.kind {
        Kind::AutoReply => speaks(Reason::AutoReply, Effect::Ignore),
        Kind::Bulk => speaks(Reason::Bulk, Effect::Ignore),
        Kind::OwnLoop | Kind::Bounce | Kind::Human => None,
    }
}
