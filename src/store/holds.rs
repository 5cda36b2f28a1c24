//! Legal holds: what must stay, whatever term is over (GDPR 17(3), POLICY "Retention").

use std::collections::BTreeSet;

use jiff::Timestamp;
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait, QueryOrder};
use serde::Serialize;

use super::audit::Tail;
use super::connection::begin_serial;
use super::entities::{hold_organisation, hold_ticket, ticket};
use super::error::While;
use super::rows::timestamp;
use super::{Store, StoreError};
use crate::words::TicketNumber;

const LISTING: &str = "listing legal holds";

/// What a legal hold keeps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HoldOn {
    /// A ticket and the mails on it.
    Ticket(TicketNumber),
    /// Everything of an organisation.
    Organisation(String),
}

/// A legal hold.
#[derive(Clone, Debug)]
pub struct LegalHold {
    /// What it keeps.
    pub on: HoldOn,
    /// Since when.
    pub since: Timestamp,
    /// Why, in an agent's words.
    pub reason: String,
}

/// All holds, for quick questions.
#[derive(Default)]
pub(super) struct Holds {
    pub(super) tickets: BTreeSet<i64>,
    organisations: BTreeSet<String>,
}

impl Holds {
    pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Self, StoreError> {
        let tickets = hold_ticket::Entity::find().all(db).await.doing(LISTING)?;
        let organisations = hold_organisation::Entity::find().all(db).await.doing(LISTING)?;
        Ok(Self {
            tickets: tickets.into_iter().map(|row| row.ticket_id).collect(),
            organisations: organisations.into_iter().map(|row| row.organisation).collect(),
        })
    }

    pub(super) fn keep(&self, ticket: Option<i64>, organisation: Option<&str>) -> bool {
        ticket.is_some_and(|id| self.tickets.contains(&id)) || organisation.is_some_and(|id| self.organisations.contains(id))
    }
}

impl Store {
    /// Puts something on legal hold, or writes the reason anew.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such ticket.
    pub async fn hold(&self, on: &HoldOn, agent: &str, reason: &str) -> Result<(), StoreError> {
        const DOING: &str = "setting a legal hold";
        let (since, reason) = (self.now(), super::batch::storable(reason));
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        lift(&transaction, on).await?;
        match on {
            HoldOn::Ticket(number) => {
                let ticket_id = number.id();
                ticket::Entity::find_by_id(ticket_id).one(&transaction).await.doing(DOING)?.ok_or(StoreError::Unknown("ticket"))?;
                let row = hold_ticket::ActiveModel::from(hold_ticket::Model { ticket_id, since, reason });
                hold_ticket::Entity::insert_many([row]).exec_without_returning(&transaction).await.doing(DOING)?;
            }
            HoldOn::Organisation(id) => {
                let row = hold_organisation::Model { organisation: id.clone(), since, reason };
                let row = hold_organisation::ActiveModel::from(row);
                hold_organisation::Entity::insert_many([row]).exec_without_returning(&transaction).await.doing(DOING)?;
            }
        }
        record_hold(&transaction, since, "hold", on, agent).await?;
        transaction.commit().await.doing(DOING)
    }

    /// Lifts a legal hold: terms count again, as if they had never stopped.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such hold.
    pub async fn unhold(&self, on: &HoldOn, agent: &str) -> Result<(), StoreError> {
        const DOING: &str = "lifting a legal hold";
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        if lift(&transaction, on).await? == 0 {
            return Err(StoreError::Unknown("legal hold"));
        }
        record_hold(&transaction, self.now(), "unhold", on, agent).await?;
        transaction.commit().await.doing(DOING)
    }

    /// All legal holds.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn holds(&self) -> Result<Vec<LegalHold>, StoreError> {
        let tickets = hold_ticket::Entity::find().order_by_asc(hold_ticket::Column::TicketId).all(&self.0.reader).await.doing(LISTING)?;
        let organisations = hold_organisation::Entity::find().order_by_asc(hold_organisation::Column::Organisation);
        let organisations = organisations.all(&self.0.reader).await.doing(LISTING)?;
        let of_ticket = |row: hold_ticket::Model| (HoldOn::Ticket(TicketNumber::new(row.ticket_id)), row.since, row.reason);
        let of_organisation = |row: hold_organisation::Model| (HoldOn::Organisation(row.organisation), row.since, row.reason);
        let all = tickets.into_iter().map(of_ticket).chain(organisations.into_iter().map(of_organisation));
        all.map(|(on, since, reason)| Ok(LegalHold { on, since: timestamp("hold", since)?, reason })).collect()
    }
}

async fn lift(db: &DatabaseTransaction, on: &HoldOn) -> Result<u64, StoreError> {
    const DOING: &str = "lifting a legal hold";
    let done = match on {
        HoldOn::Ticket(number) => hold_ticket::Entity::delete_by_id(number.id()).exec(db).await,
        HoldOn::Organisation(id) => hold_organisation::Entity::delete_by_id(id.clone()).exec(db).await,
    };
    Ok(done.doing(DOING)?.rows_affected)
}

async fn record_hold(db: &DatabaseTransaction, now: i64, what: &'static str, on: &HoldOn, agent: &str) -> Result<(), StoreError> {
    let mut audit = Tail::read(db, now).await?;
    let agent = audit.agent(agent);
    let (ticket, organisation) = match on {
        HoldOn::Ticket(number) => (Some(number.id()), None),
        HoldOn::Organisation(id) => (None, Some(id.as_str())),
    };
    audit.add(now, &HoldRecord { what, agent, ticket, organisation });
    audit.write(db).await
}

/// A legal hold in the audit record.
#[derive(Serialize)]
struct HoldRecord<'a> {
    what: &'static str,
    agent: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<&'a str>,
}
