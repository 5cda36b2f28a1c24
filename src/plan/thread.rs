//! Which ticket a mail belongs to (POLICY fact 7).

use jiff::Timestamp;

use super::considered::Considered;
use super::desk::House;
use super::ledger::{Ledger, SentReply, Ticket};
use crate::decide::{Template, Thread};
use crate::identify::SenderKind;
use crate::words::{EmailAddress, TicketNumber};

/// A ticket that the sender has a part in.
pub(super) struct Threaded {
    /// In what way.
    pub(super) thread: Thread,
    /// Which ticket.
    pub(super) ticket: TicketNumber,
    /// The identity check that this mail answers.
    pub(super) settles: Option<i64>,
    /// The request for approval that it answers.
    pub(super) request: Option<i64>,
}

/// The ticket that a token of ours leads to, if this sender has a part in it. A number in a subject proves nothing, and a
/// token alone grants nothing.
pub(super) fn thread(mail: &Considered, ledger: &Ledger, house: &House, now: Timestamp) -> Option<Threaded> {
    let author = mail.author.as_ref()?;
    // A former contact takes part in nothing.
    if mail.facts.sender == SenderKind::FormerContact {
        return None;
    }
    mail.references.iter().find_map(|id| {
        let sent = ledger.sent.get(id)?;
        let ticket = ledger.tickets.get(&sent.ticket?).filter(|ticket| !ticket.refused)?;
        let found = |thread, settles| Some(Threaded { thread, ticket: ticket.number, settles, request: None });
        if let Some(check) = answers_identity_check(sent, ticket, author, now) {
            return found(if mail.says_no { Thread::IdentityNo } else { Thread::IdentityYes }, Some(check));
        }
        let is_contact = is_contact_of(mail, ticket);
        if sent.template == Template::ApprovalRequest && is_contact {
            return Some(Threaded { thread: Thread::Approval, ticket: ticket.number, settles: None, request: Some(sent.number) });
        }
        if !is_contact && !ticket.participants.contains(author) {
            return None;
        }
        match ticket.closed {
            None => found(Thread::Current, None),
            Some(closed) if house.reopens(closed, now) => found(Thread::ClosedRecently, None),
            Some(_) => found(Thread::ClosedEarlier, None),
        }
    })
}

/// One-time and only from the listed address itself (row 9a).
fn answers_identity_check(sent: &SentReply, ticket: &Ticket, author: &EmailAddress, now: Timestamp) -> Option<i64> {
    let check = sent.identity_check.as_ref()?;
    (check.contact == *author && now <= check.expires && ticket.closed.is_none()).then_some(check.id)
}

fn is_contact_of(mail: &Considered, ticket: &Ticket) -> bool {
    let listed = matches!(mail.facts.sender, SenderKind::GeneralContact | SenderKind::IctContact);
    listed && ticket.organisation.is_some() && ticket.organisation.as_ref() == mail.organisation.as_ref().map(|o| &o.id)
}
