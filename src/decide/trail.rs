//! How the rows that spoke add up to one verdict.

use super::facts::Facts;
use super::rules::{Chapter, Effect, Judgement, Settlement, Step};
use super::verdict::{AfterAppend, Outcome, Reason, Recipient, Reply, ServerAction, Template, TicketStep, Verdict};

/// What the rows have said so far.
#[derive(Default)]
pub(super) struct Trail {
    reasons: Vec<Reason>,
    deferred: bool,
    ignored: bool,
    text_rejected: bool,
    /// The redirect of row 6 or 7; row 6 comes first and wins.
    redirect: Option<Template>,
    queue_whatever: bool,
    linked: bool,
    settlement: Option<Settlement>,
}

impl Trail {
    /// Whether the rows of that chapter still have a say. Content is looked at in every mail that is not deferred;
    /// after row 5 only the authenticity of the sender is, because it decides whether the redirect goes out.
    pub(super) fn still_asks(&self, chapter: Chapter) -> bool {
        let undecided = !self.deferred && !self.ignored && self.settlement.is_none();
        match chapter {
            Chapter::Rate => true,
            Chapter::Machines => undecided,
            Chapter::Content => !self.deferred,
            Chapter::Authenticity => undecided,
            Chapter::Sender => undecided && !self.text_rejected,
        }
    }

    pub(super) fn follow(&mut self, judgement: Judgement) {
        self.reasons.extend(judgement.reasons);
        match judgement.effect {
            Effect::Defer => self.deferred = true,
            Effect::Ignore => self.ignored = true,
            Effect::RejectText => self.text_rejected = true,
            Effect::Withhold { redirect, queue } => {
                self.redirect.get_or_insert(redirect);
                self.queue_whatever |= queue;
            }
            Effect::Link => self.linked = true,
            Effect::Settle(settlement) => self.settlement = Some(settlement),
        }
    }

    pub(super) fn verdict(self, facts: &Facts) -> Verdict {
        let silenced = self.settlement.as_ref().is_some_and(|settlement| !settlement.answers);
        // Row 19 always speaks where nothing before it did, so this default is the table's own.
        let settlement = self.settlement.unwrap_or(Settlement::SILENT_QUEUE);
        let (outcome, ticket) = if self.deferred {
            (Outcome::Defer, TicketStep::None)
        } else if self.text_rejected {
            (Outcome::Reject, TicketStep::None)
        } else if self.ignored {
            (Outcome::Ignore, TicketStep::None)
        } else {
            match settlement.step {
                Step::Reject => (Outcome::Reject, TicketStep::None),
                Step::Append(AfterAppend::Close) => (Outcome::Append, TicketStep::Append(AfterAppend::Close)),
                Step::Append(_) if self.queue_whatever => (Outcome::Append, TicketStep::Append(AfterAppend::Queue)),
                Step::Append(after) => (Outcome::Append, TicketStep::Append(after)),
                Step::Open if !self.queue_whatever => (Outcome::Open, TicketStep::New { queued: false, linked: self.linked }),
                Step::Open | Step::Queue => (Outcome::Queue, TicketStep::New { queued: true, linked: self.linked }),
            }
        };
        let withheld = self.text_rejected || self.redirect.is_some();
        let server = match (self.deferred, withheld) {
            (true, _) => ServerAction::Keep,
            (false, true) => ServerAction::Delete,
            (false, false) => ServerAction::File,
        };
        let mut verdict = Verdict { outcome, reasons: self.reasons, server, ticket, cc: Vec::new(), replies: Vec::new() };
        if self.deferred || self.ignored {
            return verdict;
        }
        if self.text_rejected {
            // Row 5: no ticket is touched and nobody but the sender hears of it. After row 8 not even they.
            if !silenced && facts.answerable {
                verdict.replies.push(Reply { template: Template::MessageRejected, to: Recipient::Sender, cc: Vec::new() });
            }
            return verdict;
        }
        verdict.cc.extend(settlement.cc);
        if settlement.verify {
            verdict.replies.push(Reply { template: Template::VerifyIdentity, to: Recipient::ListedAddress, cc: Vec::new() });
        }
        let to_sender = self.redirect.filter(|_| settlement.answers).or(settlement.reply.filter(|_| !facts.old));
        if let Some(template) = to_sender.filter(|_| facts.answerable) {
            verdict.replies.push(Reply { template, to: Recipient::Sender, cc: verdict.cc.clone() });
        }
        verdict
    }
}
