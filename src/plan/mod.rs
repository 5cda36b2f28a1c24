//! A verdict becomes what must happen.
//!
//! [`Plan`] holds all that one mail leads to, with the final bytes of every reply; the store writes it in one
//! transaction. [`Ledger`] is what the plan must know of the past; it is read once for a batch of mails and keeps up
//! with the plans made from it, so that the second mail of a batch sees what the first one did.

mod considered;
mod desk;
pub mod ledger;
mod letter;
mod limits;
mod make;
pub mod templates;
mod thread;

pub use considered::{Affiliation, Considered};
pub use desk::{Desk, House, Limits};
pub use ledger::{IdentityCheck, Ledger, Questions, SentReply, Ticket};
pub use letter::LetterError;
pub use limits::{Intake, ReplyLimit, VERIFY_IDENTITY_A_DAY, over_rate};
pub use make::{TicketLetter, plan, privacy_notice, questions, ticket_letter};

use jiff::Timestamp;

use crate::decide::answer::Approval;
use crate::decide::automatic::Silence;
use crate::decide::{AfterAppend, Cc, Kind, Outcome, Reason, ServerAction, Template};
use crate::identify::{Authentic, SenderKind};
use crate::screen::{CleanAttachment, CleanText, Finding, Withheld};
use crate::words::{EmailAddress, Language, MailUid, MessageId, Pseudonym, Redacted, TicketNumber};

/// All that one mail leads to.
#[derive(Debug)]
pub struct Plan {
    /// Where the mail lies. Its key, together with the digest (THREATS §0 rule 5).
    pub uid: MailUid,
    /// Stands for the mail's content: the same in two mailboxes, different for any other mail.
    pub digest: Pseudonym,
    /// The mail's own id, for the audit record: whoever knows it can ask what was decided.
    pub message_id: Option<MessageId>,
    /// By what the mail's original is found again in the folder that it was filed in.
    pub postmark: Postmark,
    /// The desk that it reached.
    pub desk: String,
    /// When it is booked.
    pub now: Timestamp,
    /// The verdict's name. `Defer` books nothing but the deferral.
    pub outcome: Outcome,
    /// Why, in order.
    pub reasons: Vec<Reason>,
    /// What wrote it.
    pub kind: Kind,
    /// Whether From authenticated.
    pub authentic: Authentic,
    /// Who From says it is.
    pub sender: SenderKind,
    /// Stands for the sender's address in the counters; none when there is no sound From.
    pub sender_key: Option<Pseudonym>,
    /// The organisation whose intake it counts for.
    pub organisation: Option<String>,
    /// What happens on the server after the commit.
    pub server: ServerAction,
    /// What happens to tickets.
    pub ticket: TicketPlan,
    /// The replies, ready to be sent.
    pub replies: Vec<PlannedReply>,
    /// Replies that the verdict asked for and that are not sent.
    pub unsent: Vec<(Template, Unsent)>,
    /// The first rule that forbids an ordinary answer to its sender (THREATS §2).
    pub silence: Option<Silence>,
    /// What was found and withheld, without names or values: for the audit record and the ticket.
    pub findings: Vec<Finding>,
    /// Attachments that were not stored: index, format, size class, kinds.
    pub withheld: Vec<Withheld>,
    /// Hash of the configuration that decided.
    pub configuration: String,
}

/// What a mailbox says of a mail besides its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Postmark {
    /// When it arrived, in milliseconds since 1970; 0 where there is no readable date.
    pub at: i64,
    /// Its size in bytes.
    pub size: i64,
}

/// Why a reply is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// A limit on replies is reached (THREATS §2 rule 10).
    Limit(ReplyLimit),
    /// It could not be written: an address or name of the settings does not fit into a mail header.
    Letter,
}

/// What happens to tickets.
#[derive(Debug)]
pub enum TicketPlan {
    /// Nothing.
    None,
    /// A content-free note on a ticket: an automatic answer arrived, or a reply of ours did not (rows 2 and 3).
    Note {
        /// The ticket.
        ticket: TicketNumber,
        /// Which of the two.
        note: Note,
    },
    /// A new ticket with its first entry.
    Open(Box<NewTicket>),
    /// An entry on a ticket that exists.
    Append {
        /// The ticket.
        ticket: TicketNumber,
        /// Its state afterwards.
        after: AfterAppend,
        /// Whether this mail is urgent: a ticket stays urgent once it was.
        urgent: bool,
        /// The identity check that this answers.
        settles: Option<i64>,
        /// The request for approval that this answers.
        approval: Option<ApprovalAnswer>,
        /// What is added.
        entry: Box<NewEntry>,
    },
}

/// What a contact answers to a request for approval (row 9b).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApprovalAnswer {
    /// The letter that asked, by its number in the outbox.
    pub request: i64,
    /// What they say.
    pub answer: Approval,
    /// A general contact said a plain yes or no; nobody else's answer counts.
    pub counts: bool,
}

/// A note without content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// An automatic answer or list mail arrived (row 3).
    AutomaticReply,
    /// The reply with this number was returned as undeliverable (row 2).
    Undeliverable {
        /// The reply's number in the outbox.
        reply: i64,
    },
}

/// A ticket to be made.
#[derive(Debug)]
pub struct NewTicket {
    /// Its number, drawn from the ledger.
    pub number: TicketNumber,
    /// Whether it waits for an agent.
    pub queued: bool,
    /// Whether it is urgent.
    pub urgent: bool,
    /// Whose ticket it is; none for strangers and for senders who are not authentic (row 8).
    pub organisation: Option<String>,
    /// The language of its replies.
    pub language: Language,
    /// The closed ticket that it continues.
    pub continues: Option<TicketNumber>,
    /// Who is in CC of every reply on it.
    pub cc: Vec<(Cc, EmailAddress)>,
    /// All contacts who could serve as CC are absent: the ticket says so.
    pub cc_absent: bool,
    /// Set when a listed contact was asked whether this sender is them (row 13).
    pub identity_check: Option<NewIdentityCheck>,
    /// The mail itself.
    pub entry: NewEntry,
}

/// The question to a listed contact whether a mail was theirs (row 13).
#[derive(Clone, Debug)]
pub struct NewIdentityCheck {
    /// The listed address.
    pub contact: EmailAddress,
    /// Number of the `verify-identity` reply in the outbox; none when the day's three were spent.
    pub reply: Option<i64>,
    /// Until when an answer counts.
    pub expires: Timestamp,
}

/// A mail on a ticket. Text and attachments have been through [`crate::screen`]; nothing else can be put here.
#[derive(Debug)]
pub struct NewEntry {
    /// Who wrote it; none without a sound From. Takes part in the ticket from now on, unless the sender is not authentic.
    pub author: Option<EmailAddress>,
    /// Whether the author takes part in the ticket by this entry (authentic senders only).
    pub takes_part: bool,
    /// Subject, author's name, written and quoted text.
    pub text: CleanText,
    /// The attachments to be stored.
    pub attachments: Vec<CleanAttachment>,
    /// The mail's own Message-ID, for agents' replies.
    pub message_id: Option<MessageId>,
    /// Who gets a profile by it, where there is none yet (POLICY "Profiles").
    pub people: Vec<NewProfile>,
    /// It asks for access to the portal: put before an agent.
    pub portal_request: bool,
}

/// Somebody of whom a profile is to be made. It never makes them take part in anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProfile {
    /// The address.
    pub address: EmailAddress,
    /// The name beside it, where they wrote themselves; of colleagues in Cc nothing but the address is taken.
    pub name: Redacted<String>,
    /// Whose colleague.
    pub organisation: Option<String>,
    /// Only in Cc of a colleague's mail.
    pub by_cc: bool,
    /// A listed contact wrote it, beyond doubt: whoever left before is back.
    pub listed: bool,
}

/// A reply with its final bytes: a retry sends the same.
#[derive(Clone)]
pub struct PlannedReply {
    /// Its number, drawn from the ledger.
    pub number: i64,
    /// Which letter.
    pub template: Template,
    /// The ticket that it names.
    pub ticket: Option<TicketNumber>,
    /// Its Message-ID.
    pub message_id: MessageId,
    /// The one in To.
    pub to: EmailAddress,
    /// Those in Cc; they are in the same SMTP transaction.
    pub cc: Vec<EmailAddress>,
    /// Envelope sender; none for automatic replies (RFC 3834 §3.3).
    pub envelope_from: Option<EmailAddress>,
    /// Stands for the one in To in the counters of replies.
    pub recipient_key: Pseudonym,
    /// The organisation whose replies it counts for.
    pub organisation: Option<String>,
    /// The whole message, CRLF line ends.
    pub message: Vec<u8>,
    /// When it was written.
    pub created: Timestamp,
}

impl std::fmt::Debug for PlannedReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlannedReply").field("number", &self.number).field("template", &self.template).finish_non_exhaustive()
    }
}
