//! Changes to lists of contacts, with the requests that they rest on (POLICY "Additions and leavers"). The lists themselves are files of the settings.

use std::collections::BTreeSet;

use jiff::civil::Date;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::casework::note;
use super::connection::begin_serial;
use super::desk::{AgentRecord, record};
use super::entities::{contact_change, participant};
use super::error::While;
use super::rows::address;
use super::{Store, StoreError};
use crate::words::{EmailAddress, TicketNumber};

/// Whose word a change of the list rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// A general contact of the organisation.
    GeneralContact,
    /// The leaver.
    Own,
    /// Somebody else of the organisation.
    Organisation,
}

impl Basis {
    /// The word in the database and on record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GeneralContact => "general-contact",
            Self::Own => "own",
            Self::Organisation => "organisation",
        }
    }
}

/// A change of a list.
#[derive(Clone, Debug)]
pub struct ContactChange<'a> {
    /// Whose list.
    pub organisation: &'a str,
    /// Put on it, or off it.
    pub added: bool,
    /// `general` or `ict`.
    pub kind: &'static str,
    /// Who.
    pub person: &'a EmailAddress,
    /// Whose word it rests on.
    pub basis: Basis,
    /// Who that is, where a mail says so.
    pub requested_by: Option<&'a EmailAddress>,
    /// The ticket with that mail.
    pub ticket: Option<TicketNumber>,
    /// From which day on.
    pub effective: Date,
}

impl Store {
    /// Puts a change of a list on record, and on the ticket that asked for it.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn contact_changed(&self, change: &ContactChange<'_>, agent: &str) -> Result<(), StoreError> {
        const DOING: &str = "putting a change of contacts on record";
        let now = self.now();
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let last: Option<i64> = contact_change::Entity::find()
            .select_only()
            .column(contact_change::Column::Id)
            .order_by_desc(contact_change::Column::Id)
            .limit(1)
            .into_tuple()
            .one(&transaction)
            .await
            .doing(DOING)?;
        let keys = &self.0.keys;
        let (person, requested_by) = (keys.person(change.person), change.requested_by.map(|who| keys.person(who)));
        let row = contact_change::Model {
            id: last.unwrap_or_default() + 1,
            at: now,
            organisation: change.organisation.to_owned(),
            change: if change.added { "added" } else { "left" }.to_owned(),
            contact_kind: change.kind.to_owned(),
            person: person.as_str().to_owned(),
            basis: change.basis.as_str().to_owned(),
            requested_by: requested_by.as_ref().map(|who| who.as_str().to_owned()),
            ticket_id: change.ticket.map(TicketNumber::id),
            effective: change.effective.to_string(),
        };
        contact_change::Entity::insert_many([contact_change::ActiveModel::from(row)])
            .exec_without_returning(&transaction)
            .await
            .doing(DOING)?;
        let deed = if change.added { "contact-added" } else { "contact-left" };
        if let Some(ticket) = change.ticket {
            note(&transaction, ticket.id(), now, deed, agent).await?;
        }
        let what = AgentRecord {
            what: deed,
            agent,
            ticket: change.ticket.map(TicketNumber::id),
            organisation: Some(change.organisation),
            person: Some(person),
            requested_by,
            basis: Some(change.basis.as_str()),
            ..Default::default()
        };
        record(&transaction, now, &what).await?;
        transaction.commit().await.doing(DOING)
    }

    /// Who takes part in a ticket: authors of its mails whose addresses are authentic.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn participants(&self, number: TicketNumber) -> Result<BTreeSet<EmailAddress>, StoreError> {
        let rows = participant::Entity::find().filter(participant::Column::TicketId.eq(number.id())).all(&self.0.reader).await;
        rows.doing("reading a ticket")?.iter().map(|row| address("participant", &row.address)).collect()
    }

    /// Tickets on which somebody was put on a list.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn tickets_with_additions(&self) -> Result<BTreeSet<i64>, StoreError> {
        let rows: Vec<Option<i64>> = contact_change::Entity::find()
            .select_only()
            .column(contact_change::Column::TicketId)
            .filter(contact_change::Column::Change.eq("added"))
            .into_tuple()
            .all(&self.0.reader)
            .await
            .doing("reading changes of contacts")?;
        Ok(rows.into_iter().flatten().collect())
    }
}
