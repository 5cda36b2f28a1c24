//! Row 5: citizen data in the text.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, speaks};

pub(super) const RULE: Rule = Rule { row: "5", about: "citizen data in the text", chapter: Chapter::Content, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    if facts.citizen_data_in_text { speaks(Reason::CitizenDataInText, Effect::RejectText) } else { None }
}
