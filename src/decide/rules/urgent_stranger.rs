//! Row 18: a stranger reports something urgent.

use super::{Cc, Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, Settlement, Step, Template, speaks};

pub(super) const RULE: Rule = Rule { row: "18", about: "a stranger reports something urgent", chapter: Chapter::Sender, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    if !facts.urgent {
        return None;
    }
    // No duty contact, or three brought in today already (so that strangers cannot use us as a relay): it waits.
    let (step, cc) = if facts.duty_contact { (Step::Open, Some(Cc::DutyContact)) } else { (Step::Queue, None) };
    let settlement = Settlement { cc, reply: Some(Template::ReceivedUrgent), ..Settlement::step(step) };
    speaks(Reason::UrgentUnknown, Effect::Settle(settlement))
}
