//! Changes to lists of contacts, with the requests that they rest on (POLICY "Additions and leavers"). The lists themselves are files of the settings.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::casework::note;
use super::connection::begin_serial;
use super::desk::{AgentRecord, record};
use super::entities::{contact_change, participant};
use super::error::While;
use super::profiles::DAEMON;
use super::rows::{address, timestamp};
use super::{Store, StoreError};
use crate::words::{EmailAddress, Pseudonym, TicketNumber};

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

/// A change of a list that is booked, and of which only the organisation's file tells whether it was made.
#[derive(Clone, Debug)]
pub struct PlannedChange {
    /// What settles it.
    pub id: i64,
    /// When it was planned.
    pub at: Timestamp,
    /// Whose list.
    pub organisation: String,
    /// Who.
    pub person: Pseudonym,
    /// The first day gone of somebody who leaves; none: somebody is added.
    pub left: Option<Date>,
}

impl Store {
    /// Books that a list is about to be changed. Whoever wrote the file, or finds it written, calls [`Store::contact_changed`].
    ///
    /// # Errors
    /// The database is out of reach: then the list must not be changed.
    pub async fn plan_contact_change(&self, change: &ContactChange<'_>, agent: &str) -> Result<i64, StoreError> {
        const DOING: &str = "planning a change of contacts";
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
        let row = contact_change::Model {
            id: last.unwrap_or_default() + 1,
            at: self.now(),
            organisation: change.organisation.to_owned(),
            change: if change.added { "added" } else { "left" }.to_owned(),
            contact_kind: change.kind.to_owned(),
            person: keys.person(change.person).as_str().to_owned(),
            basis: change.basis.as_str().to_owned(),
            requested_by: change.requested_by.map(|who| keys.person(who).as_str().to_owned()),
            ticket_id: change.ticket.map(TicketNumber::id),
            effective: change.effective.to_string(),
            state: "planned".to_owned(),
            agent: Some(agent.to_owned()),
        };
        let id = row.id;
        contact_change::Entity::insert_many([contact_change::ActiveModel::from(row)])
            .exec_without_returning(&transaction)
            .await
            .doing(DOING)?;
        transaction.commit().await.doing(DOING)?;
        Ok(id)
    }

    /// Changes of lists that were planned and are neither done nor withdrawn: their commands are at work, or died.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn planned_contact_changes(&self) -> Result<Vec<PlannedChange>, StoreError> {
        let planned = contact_change::Entity::find()
            .filter(contact_change::Column::State.eq("planned"))
            .order_by_asc(contact_change::Column::Id)
            .all(&self.0.reader)
            .await
            .doing("reading changes of contacts")?;
        let planned = planned.into_iter().map(|row| {
            let left = if row.change == "left" { row.effective.parse().ok() } else { None };
            Ok(PlannedChange {
                id: row.id,
                at: timestamp("contact_change", row.at)?,
                organisation: row.organisation,
                person: Pseudonym::from_row(row.person),
                left,
            })
        });
        planned.collect()
    }

    /// Puts a planned change on record, and on the ticket that asked for it, now that the list says so; once, however often it is called.
    ///
    /// # Errors
    /// The database is out of reach: then it is still planned.
    pub async fn contact_changed(&self, plan: i64) -> Result<(), StoreError> {
        const DOING: &str = "putting a change of contacts on record";
        let now = self.now();
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let row = contact_change::Entity::find_by_id(plan).one(&transaction).await.doing(DOING)?;
        let Some(row) = row.filter(|row| row.state != "done") else { return Ok(()) };
        settle(&transaction, plan, "done").await?;
        let deed = if row.change == "added" { "contact-added" } else { "contact-left" };
        let agent = row.agent.as_deref().unwrap_or(DAEMON);
        if let Some(ticket) = row.ticket_id {
            note(&transaction, ticket, now, deed, agent).await?;
        }
        let what = AgentRecord {
            what: deed,
            agent,
            ticket: row.ticket_id,
            organisation: Some(&row.organisation),
            person: Some(Pseudonym::from_row(row.person)),
            requested_by: row.requested_by.map(Pseudonym::from_row),
            basis: Some(&row.basis),
            ..Default::default()
        };
        record(&transaction, now, &what).await?;
        transaction.commit().await.doing(DOING)
    }

    /// Takes back a plan whose file was not written.
    ///
    /// # Errors
    /// The database is out of reach: then it is still planned.
    pub async fn contact_change_withdrawn(&self, plan: i64) -> Result<(), StoreError> {
        const DOING: &str = "taking back a change of contacts";
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        settle(&transaction, plan, "withdrawn").await?;
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
            .filter(contact_change::Column::State.eq("done"))
            .into_tuple()
            .all(&self.0.reader)
            .await
            .doing("reading changes of contacts")?;
        Ok(rows.into_iter().flatten().collect())
    }
}

/// Settles a plan that is not done.
async fn settle(db: &DatabaseTransaction, plan: i64, state: &str) -> Result<(), StoreError> {
    contact_change::Entity::update_many()
        .col_expr(contact_change::Column::State, Expr::value(state))
        .filter(contact_change::Column::Id.eq(plan))
        .filter(contact_change::Column::State.ne("done"))
        .exec(db)
        .await
        .doing("settling a change of contacts")
        .map(|_| ())
}
