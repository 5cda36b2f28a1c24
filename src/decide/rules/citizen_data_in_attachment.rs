//! Row 6: citizen data in an attachment.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, Template, speaks};

pub(super) const RULE: Rule = Rule { row: "6", about: "citizen data in an attachment", chapter: Chapter::Content, judge };

fn judge(facts: &Facts, _: &Policy) -> Option<Judgement> {
    if !facts.citizen_data_in_attachment {
        return None;
    }
    speaks(Reason::CitizenDataInAttachment, Effect::Withhold { redirect: Template::AttachmentsRejected, queue: false })
}
