//! What a batch of mails must know of the past, and what it adds to it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{NewEntry, Plan, TicketPlan};
use crate::decide::{AfterAppend, Cc, Outcome, Reason, Template};
use crate::identify::Authentic;
use crate::words::{EmailAddress, Language, MessageId, Pseudonym, TicketNumber};

/// What the store is asked before a batch is judged.
#[derive(Clone, Debug, Default)]
pub struct Questions {
    /// When: counters run back from here.
    pub now: Option<Timestamp>,
    /// Digests of the mails: which are booked already?
    pub digests: BTreeSet<Pseudonym>,
    /// Ids of the shape of ours in References, In-Reply-To and returned mails: which did we send?
    pub reply_ids: BTreeSet<MessageId>,
    /// Senders, and everybody else who may be written to: objections, intake in the last hour, replies in the last hour and day.
    pub people: BTreeSet<Pseudonym>,
    /// Organisations: intake and replies in the last hour.
    pub organisations: BTreeSet<String>,
    /// Desks: unauthenticated intake in the last hour, duty contacts brought in during the last day.
    pub desks: BTreeSet<String>,
}

/// What is known of the past, as far as a batch asked.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The last ticket number given out.
    pub last_ticket: i64,
    /// The last reply number given out.
    pub last_reply: i64,
    /// Digests of mails that are booked.
    pub booked: BTreeSet<Pseudonym>,
    /// Replies of ours that the mails refer to.
    pub sent: BTreeMap<MessageId, SentReply>,
    /// The tickets of those replies.
    pub tickets: BTreeMap<TicketNumber, Ticket>,
    /// People who objected to the storage of their mail.
    pub objections: BTreeSet<Pseudonym>,
    /// Mails taken in during the last hour by (authenticated) sender.
    pub intake_by_sender: BTreeMap<Pseudonym, u32>,
    /// Mails taken in during the last hour by organisation.
    pub intake_by_organisation: BTreeMap<String, u32>,
    /// Unauthenticated mails taken in during the last hour by desk.
    pub intake_unauthenticated: BTreeMap<String, u32>,
    /// Replies in the last hour by recipient (To only).
    pub replies_last_hour: BTreeMap<Pseudonym, u32>,
    /// Replies in the last 24 hours by recipient and template.
    pub replies_last_day: BTreeMap<(Pseudonym, Template), u32>,
    /// Replies in the last hour by organisation.
    pub replies_by_organisation: BTreeMap<String, u32>,
    /// Tickets of the last 24 hours with the duty contact in CC, by desk.
    pub duty_calls: BTreeMap<String, u32>,
}

/// A reply that we sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentReply {
    /// Its number.
    pub number: i64,
    /// Which letter.
    pub template: Template,
    /// The ticket that it is about.
    pub ticket: Option<TicketNumber>,
    /// To whom it went.
    pub to: EmailAddress,
    /// The identity check that it asks about, while that is pending.
    pub identity_check: Option<IdentityCheck>,
}

/// A pending question to a listed contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityCheck {
    /// Its id.
    pub id: i64,
    /// The listed address.
    pub contact: EmailAddress,
    /// Until when an answer counts.
    pub expires: Timestamp,
}

/// A ticket as far as a new mail on it must know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Its number.
    pub number: TicketNumber,
    /// Closed when, or not.
    pub closed: Option<Timestamp>,
    /// Waits for an agent (or did, before it was closed).
    pub queued: bool,
    /// Closed by `identity-refused` or by an agent's refusal: takes no follow-up.
    pub refused: bool,
    /// Whose ticket it is.
    pub organisation: Option<String>,
    /// The language of its replies.
    pub language: Language,
    /// Who takes part: authors of its first mail and of appended ones. Cc never counts.
    pub participants: BTreeSet<EmailAddress>,
    /// Who is in CC of every reply on it.
    pub cc: Vec<(Cc, EmailAddress)>,
    /// Union of the reasons of its mails, in order.
    pub reasons: Vec<Reason>,
}

impl Ledger {
    /// Draws the next ticket number.
    pub fn next_ticket(&mut self) -> TicketNumber {
        self.last_ticket += 1;
        TicketNumber::new(self.last_ticket)
    }

    /// Draws the next reply number.
    pub fn next_reply(&mut self) -> i64 {
        self.last_reply += 1;
        self.last_reply
    }

    /// Takes in what a plan adds, so that the next mail of the batch finds it.
    pub fn learn(&mut self, plan: &Plan) {
        if plan.outcome == Outcome::Defer {
            return;
        }
        self.booked.insert(plan.digest.clone());
        if plan.authentic == Authentic::Pass {
            if let Some(sender) = &plan.sender_key {
                *self.intake_by_sender.entry(sender.clone()).or_default() += 1;
            }
            if let Some(organisation) = &plan.organisation {
                *self.intake_by_organisation.entry(organisation.clone()).or_default() += 1;
            }
        } else {
            *self.intake_unauthenticated.entry(plan.desk.clone()).or_default() += 1;
        }
        for reply in &plan.replies {
            *self.replies_last_hour.entry(reply.recipient_key.clone()).or_default() += 1;
            *self.replies_last_day.entry((reply.recipient_key.clone(), reply.template)).or_default() += 1;
            if let Some(organisation) = &reply.organisation {
                *self.replies_by_organisation.entry(organisation.clone()).or_default() += 1;
            }
        }
        match &plan.ticket {
            TicketPlan::Open(ticket) if ticket.cc.iter().any(|(cc, _)| *cc == Cc::DutyContact) => {
                *self.duty_calls.entry(plan.desk.clone()).or_default() += 1;
            }
            TicketPlan::Append { ticket, after, settles, entry, .. } => self.append(*ticket, *after, *settles, entry, plan),
            TicketPlan::Open(_) | TicketPlan::Note { .. } | TicketPlan::None => {}
        }
    }

    fn append(&mut self, number: TicketNumber, after: AfterAppend, settles: Option<i64>, entry: &NewEntry, plan: &Plan) {
        if let Some(ticket) = self.tickets.get_mut(&number) {
            match after {
                AfterAppend::Keep => {}
                AfterAppend::Reopen => ticket.closed = None,
                AfterAppend::Open => (ticket.closed, ticket.queued) = (None, false),
                AfterAppend::Queue => (ticket.closed, ticket.queued) = (None, true),
                AfterAppend::Close => (ticket.closed, ticket.refused) = (Some(plan.now), true),
            }
            if entry.takes_part {
                ticket.participants.extend(entry.author.clone());
            }
            let new: Vec<Reason> = plan.reasons.iter().filter(|reason| !ticket.reasons.contains(reason)).copied().collect();
            ticket.reasons.extend(new);
        }
        // One-time: whoever asks for the same check later in this batch finds it settled.
        for sent in self.sent.values_mut() {
            if sent.identity_check.as_ref().is_some_and(|check| Some(check.id) == settles) {
                sent.identity_check = None;
            }
        }
    }
}
