//! Row 19: anybody else.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, Settlement, Step, Template, speaks};
use crate::decide::UnknownSenders;

pub(super) const RULE: Rule = Rule { row: "19", about: "anybody else", chapter: Chapter::Sender, judge };

fn judge(_: &Facts, policy: &Policy) -> Option<Judgement> {
    let step = match policy.unknown_senders {
        UnknownSenders::Queue => Step::Queue,
        UnknownSenders::Open => Step::Open,
        UnknownSenders::Reject => Step::Reject,
    };
    let settlement = Settlement { reply: Some(Template::UnknownSender), ..Settlement::step(step) };
    speaks(Reason::UnknownSender, Effect::Settle(settlement))
}
