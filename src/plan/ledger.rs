//! What a batch of mails must know of the past, and what it adds to it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::decide::{Cc, Reason, Template};
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
}
