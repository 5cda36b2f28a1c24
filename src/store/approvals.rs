//! Who approved what, by which mail (POLICY "Approvals"). People stand here as keyed digests: an approval can be proved by whoever names the person, also
//! when their profile is gone.

use jiff::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;

use super::entities::{approval, entry};
use super::error::While;
use super::rows::timestamp;
use super::{Store, StoreError};
use crate::words::{EmailAddress, TicketNumber};

/// An answer to a request for approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// The ticket.
    pub ticket: String,
    /// The letter that asked, by its number in the outbox.
    pub request: i64,
    /// The SHA-256 of that letter.
    pub request_digest: String,
    /// The mail that answered, by its row and the digest under which it was booked.
    pub mail: i64,
    /// Stands for that mail's content.
    pub mail_digest: String,
    /// Stands for who answered.
    pub person: String,
    /// Their address, as long as the entry names it.
    pub who: Option<String>,
    /// Whose contact they were.
    pub organisation: Option<String>,
    /// `yes`, `no` or `unclear`.
    pub answer: String,
    /// Whether it was the plain answer of a general contact.
    pub counts: bool,
    /// When it was booked.
    pub at: Timestamp,
    /// Whether the person asked about was it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_that_person: Option<bool>,
}

impl Store {
    /// All answers to requests for approval on a ticket, in order. `person`: whether each was theirs.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn approvals(&self, number: TicketNumber, person: Option<&EmailAddress>) -> Result<Vec<Approval>, StoreError> {
        const DOING: &str = "reading approvals";
        let rows = approval::Entity::find()
            .filter(approval::Column::TicketId.eq(number.id()))
            .order_by_asc(approval::Column::Id)
            .all(&self.0.reader)
            .await
            .doing(DOING)?;
        let entries = entry::Entity::find()
            .filter(entry::Column::MailId.is_in(rows.iter().map(|row| row.mail_id)))
            .all(&self.0.reader)
            .await
            .doing(DOING)?;
        let sought = person.map(|address| self.0.keys.person(address));
        rows.into_iter()
            .map(|row| {
                Ok(Approval {
                    ticket: number.to_string(),
                    request: row.request,
                    request_digest: row.request_digest,
                    mail: row.mail_id,
                    mail_digest: row.mail_digest,
                    is_that_person: sought.as_ref().map(|sought| sought.as_str() == row.person),
                    person: row.person,
                    who: entries.iter().find(|entry| entry.mail_id == Some(row.mail_id)).and_then(|entry| entry.author.clone()),
                    organisation: row.organisation,
                    answer: row.answer,
                    counts: row.counts,
                    at: timestamp("approval", row.at)?,
                })
            })
            .collect()
    }
}
