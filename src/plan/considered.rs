//! A mail about which all is known that needs no memory.

use super::{NewProfile, Postmark};
use crate::decide::Facts;
use crate::decide::answer::Approval;
use crate::decide::automatic::Silence;
use crate::identify::Authentic;
use crate::screen::{CleanAttachment, CleanText, Finding, Withheld};
use crate::words::{Domain, EmailAddress, Language, MailUid, MessageId};

/// One mail, parsed, screened and with its sender known; what is missing for a verdict is only what the
/// [`Ledger`](super::Ledger) remembers.
#[derive(Debug)]
pub struct Considered {
    /// Where it lies.
    pub uid: MailUid,
    /// What the mailbox says of it.
    pub postmark: Postmark,
    /// The digest that [`crate::parse`] made.
    pub digest: [u8; 32],
    /// The facts; those that need memory (rate, duplicate, objection, thread, duty contact) are still at their defaults.
    pub facts: Facts,
    /// The first of THREATS §2 rules 1 to 7 that forbids any answer to its sender.
    pub unanswerable: Option<Silence>,
    /// The one sound From.
    pub author: Option<EmailAddress>,
    /// The organisation that the mail belongs to; of somebody named elsewhere, that of the contact named.
    pub organisation: Option<Affiliation>,
    /// The organisation of the address itself; differs from the former only for somebody named elsewhere.
    pub own_organisation: Option<Affiliation>,
    /// The listed address of the contact whose name the sender bears (row 13).
    pub named_contact: Option<EmailAddress>,
    /// Who is brought into CC (rows 12 and 15), and whether all who could are absent.
    pub stand_in: Option<(EmailAddress, bool)>,
    /// The first lines say no (row 9a).
    pub says_no: bool,
    /// Who gets a profile by this mail: its author, and colleagues in Cc.
    pub people: Vec<NewProfile>,
    /// It asks for access to the portal.
    pub portal_request: bool,
    /// What the first lines say to a request for approval (row 9b).
    pub approval: Approval,
    /// The text; none after row 5.
    pub text: Option<CleanText>,
    /// Monitoring mail at a desk that masks indirect personal data: the domains of the organisation that it watches.
    pub mask: Option<Vec<Domain>>,
    /// What may be stored.
    pub attachments: Vec<CleanAttachment>,
    /// What may not.
    pub withheld: Vec<Withheld>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// The mail's own id.
    pub message_id: Option<MessageId>,
    /// In-Reply-To and References.
    pub references: Vec<MessageId>,
    /// Ids of ours in a delivery report.
    pub returned_ids: Vec<MessageId>,
}

impl Considered {
    /// The first rule that forbids an ordinary answer, as far as the mail itself shows (THREATS §2, rules 1 to 9).
    #[must_use]
    pub fn silence(&self) -> Option<Silence> {
        let not_authentic = (self.facts.authentic != Authentic::Pass).then_some(Silence::NotAuthentic);
        self.unanswerable.or(not_authentic).or(self.facts.old.then_some(Silence::Old))
    }
}

/// An organisation, as far as a plan needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affiliation {
    /// Its id.
    pub id: String,
    /// Its name, as it stands in replies.
    pub name: String,
    /// The language of its replies.
    pub language: Language,
}
