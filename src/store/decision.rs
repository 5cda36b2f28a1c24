//! What the audit record says about a mail: codes, counts, numbers and keyed digests.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::decide::automatic::Silence;
use crate::decide::{Outcome, Reason, ServerAction};
use crate::plan::{Plan, TicketPlan};
use crate::words::{Pseudonym, RecordKey};

/// A decision in the audit record.
#[derive(Serialize)]
pub(super) struct Record<'a> {
    what: &'static str,
    mailbox: &'a str,
    validity: u32,
    uid: u32,
    epoch: i64,
    digest: Pseudonym,
    message_id: Option<Pseudonym>,
    person: Option<Pseudonym>,
    desk: &'a str,
    verdict: Outcome,
    reasons: &'a [Reason],
    kind: &'static str,
    authentic: &'static str,
    sender: &'static str,
    organisation: Option<&'a str>,
    server: ServerAction,
    ticket: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<Approved>,
    replies: Vec<(i64, &'static str)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    silence: Option<&'static str>,
    findings: Vec<Found<'a>>,
    withheld: Vec<Kept<'a>>,
    configuration: &'a str,
    version: &'static str,
}

/// An answer to a request for approval.
#[derive(Serialize)]
struct Approved {
    request: i64,
    answer: &'static str,
    counts: bool,
}

#[derive(Serialize)]
struct Found<'a> {
    place: &'static str,
    attachment: Option<usize>,
    kinds: &'a BTreeMap<&'static str, u32>,
}

#[derive(Serialize)]
struct Kept<'a> {
    index: usize,
    format: &'a str,
    size: &'static str,
    why: &'static str,
}

impl<'a> Record<'a> {
    /// What is put on record about this mail.
    pub(super) fn of(plan: &'a Plan, epoch: i64, key: &RecordKey) -> Self {
        let ticket = match &plan.ticket {
            TicketPlan::None => None,
            TicketPlan::Note { ticket, .. } | TicketPlan::Append { ticket, .. } => Some(ticket.id()),
            TicketPlan::Open(new) => Some(new.number.id()),
        };
        Self {
            what: "mail",
            mailbox: plan.uid.mailbox.as_str(),
            validity: plan.uid.validity.get(),
            uid: plan.uid.uid.get(),
            epoch,
            digest: key.stand_in(&plan.digest),
            message_id: plan.message_id.as_ref().map(|id| key.message_id(id)),
            person: plan.sender_key.as_ref().map(|sender| key.stand_in(sender)),
            desk: &plan.desk,
            verdict: plan.outcome,
            reasons: &plan.reasons,
            kind: plan.kind.as_str(),
            authentic: plan.authentic.as_str(),
            sender: plan.sender.as_str(),
            organisation: plan.organisation.as_deref(),
            server: plan.server,
            ticket,
            approval: match &plan.ticket {
                TicketPlan::Append { approval, .. } => {
                    approval.map(|said| Approved { request: said.request, answer: said.answer.as_str(), counts: said.counts })
                }
                _ => None,
            },
            replies: plan.replies.iter().map(|reply| (reply.number, reply.template.as_str())).collect(),
            silence: plan.silence.map(Silence::as_str),
            findings: plan
                .findings
                .iter()
                .map(|found| Found { place: found.place.as_str(), attachment: found.attachment, kinds: &found.kinds })
                .collect(),
            withheld: plan
                .withheld
                .iter()
                .map(|kept| Kept { index: kept.index, format: &kept.format, size: kept.size.as_str(), why: kept.why.as_str() })
                .collect(),
            configuration: &plan.configuration,
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}
