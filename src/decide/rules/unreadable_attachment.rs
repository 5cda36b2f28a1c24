//! Row 7: an attachment that cannot be read: not screened is not clean.

use super::{Chapter, Effect, Facts, Judgement, Policy, Reason, Rule, Template, speaks};
use crate::decide::OnUnreadable;

pub(super) const RULE: Rule = Rule { row: "7", about: "an attachment that cannot be read: not screened is not clean", chapter: Chapter::Content, judge };

fn judge(facts: &Facts, policy: &Policy) -> Option<Judgement> {
    if !facts.unreadable_attachment {
        return None;
    }
    let queue = policy.unreadable == OnUnreadable::Queue;
    speaks(Reason::AttachmentUnreadable, Effect::Withhold { redirect: Template::AttachmentUnreadable, queue })
}
