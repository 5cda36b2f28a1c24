//! How much is taken in, and how much is answered (POLICY fact 8, THREATS §2 rule 10).

use super::desk::Limits;
use super::ledger::Ledger;
use crate::decide::Template;
use crate::identify::Authentic;
use crate::words::Pseudonym;

/// Letters a day that ask one listed contact about senders of their name (POLICY, after the table).
pub const VERIFY_IDENTITY_A_DAY: u32 = 3;
/// Tickets a day on which strangers may bring in a desk's duty contact (row 18).
const DUTY_CALLS_A_DAY: Option<u32> = Some(3);
/// Replies a day to one person of no organisation, and of them of one kind.
const STRANGER_REPLIES_A_DAY: u32 = 4;
const STRANGER_REPLIES_OF_A_KIND_A_DAY: Option<u32> = Some(1);

/// Whose share of the intake a mail uses up: known from the header alone.
#[derive(Clone, Debug)]
pub struct Intake<'a> {
    /// Whether From authenticated.
    pub authentic: Authentic,
    /// Stands for the sender.
    pub sender: Option<Pseudonym>,
    /// The organisation of the address.
    pub organisation: Option<&'a str>,
    /// The desk that it reached.
    pub desk: &'a str,
}

impl Intake<'_> {
    /// The customer that it comes from, as far as anybody vouches for that.
    #[must_use]
    pub fn customer(&self) -> Option<&str> {
        self.organisation.filter(|_| self.authentic == Authentic::Pass)
    }
}

/// Whether this mail is one too many: of its sender or organisation if those are authentic, else of all mail at that desk that is not.
/// Somebody who writes under another's name must not use up the other's share.
#[must_use]
pub fn over_rate(intake: &Intake<'_>, ledger: &Ledger, limits: &Limits) -> bool {
    if intake.authentic != Authentic::Pass {
        return reached(ledger.intake_unauthenticated.get(intake.desk), limits.intake_unauthenticated_desk_hour);
    }
    let of_sender = intake.sender.as_ref().and_then(|key| ledger.intake_by_sender.get(key));
    let of_organisation = intake.organisation.and_then(|id| ledger.intake_by_organisation.get(id));
    reached(of_sender, limits.intake_per_sender_hour) || reached(of_organisation, limits.intake_per_organisation_hour)
}

/// Whether the desk's duty contact may be brought in once more today.
pub(super) fn duty_contact_is_free(desk: &str, ledger: &Ledger) -> bool {
    !reached(ledger.duty_calls.get(desk), DUTY_CALLS_A_DAY)
}

/// A limit on replies (THREATS §2 rule 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplyLimit {
    /// Of all letters to an organisation.
    Organisation,
    /// Of letters to one person.
    Person,
    /// Of letters that ask a listed contact about senders of their name.
    Checks,
}

/// The limit that keeps that letter from that person.
pub(super) fn forbids(
    template: Template,
    to: &Pseudonym,
    organisation: Option<&str>,
    ledger: &Ledger,
    limits: &Limits,
) -> Option<ReplyLimit> {
    let of_kind = ledger.replies_last_day.get(&(to.clone(), template));
    if template == Template::VerifyIdentity {
        return reached(of_kind, Some(VERIFY_IDENTITY_A_DAY)).then_some(ReplyLimit::Checks);
    }
    let (of_person, of_organisation) = match organisation {
        Some(organisation) => (
            reached(ledger.replies_last_hour.get(to), limits.replies_per_recipient_hour),
            reached(ledger.replies_by_organisation.get(organisation), limits.replies_per_organisation_hour),
        ),
        None => {
            let all: u32 = Template::ALL.iter().filter_map(|t| ledger.replies_last_day.get(&(to.clone(), *t))).sum();
            (reached(of_kind, STRANGER_REPLIES_OF_A_KIND_A_DAY) || all >= STRANGER_REPLIES_A_DAY, false)
        }
    };
    of_organisation.then_some(ReplyLimit::Organisation).or(of_person.then_some(ReplyLimit::Person))
}

fn reached(count: Option<&u32>, limit: Option<u32>) -> bool {
    matches!((count, limit), (Some(count), Some(limit)) if *count >= limit)
}
