//! Who was let into the customer portal, at whose request, and when that ended.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

use super::casework::note;
use super::connection::begin_serial;
use super::desk::{AgentRecord, record};
use super::entities::{portal_access, portal_request};
use super::error::While;
use super::profiles::DAEMON;
use super::rows::timestamp;
use super::{Store, StoreError};
use crate::identify::AccessEnd;
use crate::words::{EmailAddress, Pseudonym, Redacted, TicketNumber};

const DOING: &str = "working on the portal's roster";

/// Somebody to be let in.
#[derive(Clone, Debug)]
pub struct Invitation<'a> {
    /// Who.
    pub address: &'a EmailAddress,
    /// The name.
    pub name: &'a Redacted<String>,
    /// For which organisation.
    pub organisation: &'a str,
    /// The ticket with the request.
    pub ticket: TicketNumber,
    /// Whose request it is.
    pub requested_by: &'a EmailAddress,
}

/// An access to the portal, now or before.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    /// For which organisation.
    pub organisation: String,
    /// Who; empty where the person's profile is erased.
    pub email: String,
    /// The name; likewise.
    pub name: String,
    /// Whether it lasts.
    pub entitled: bool,
    /// Since when.
    pub since: Timestamp,
    /// When it ended.
    pub until: Option<Timestamp>,
    /// Why: `left`, `not-listed`, `contract-ended`, `withdrawn`.
    pub why: Option<String>,
    /// The ticket with the request, as long as it is kept.
    pub ticket: Option<String>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("organisation", &self.organisation).field("entitled", &self.entitled).finish_non_exhaustive()
    }
}

impl Store {
    /// Puts on record that somebody was invited into the portal, and on the ticket that asked for it.
    ///
    /// # Errors
    /// [`StoreError::NotNow`] when they have access already.
    pub async fn invite(&self, new: &Invitation<'_>, agent: &str) -> Result<(), StoreError> {
        let now = self.now();
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let (person, requested_by) = (self.0.keys.person(new.address), self.0.keys.person(new.requested_by));
        let lasting = lasting().filter(portal_access::Column::Person.eq(person.as_str()));
        if lasting.filter(portal_access::Column::Organisation.eq(new.organisation)).one(&transaction).await.doing(DOING)?.is_some() {
            return Err(StoreError::NotNow("that person has access to the portal already"));
        }
        let last: Option<i64> = portal_access::Entity::find()
            .select_only()
            .column(portal_access::Column::Id)
            .order_by_desc(portal_access::Column::Id)
            .limit(1)
            .into_tuple()
            .one(&transaction)
            .await
            .doing(DOING)?;
        let row = portal_access::Model {
            id: last.unwrap_or_default() + 1,
            person: person.as_str().to_owned(),
            address: new.address.reveal().to_owned(),
            name: new.name.reveal().clone(),
            organisation: new.organisation.to_owned(),
            ticket_id: Some(new.ticket.id()),
            requested_by: requested_by.as_str().to_owned(),
            granted_at: now,
            ended_at: None,
            ended_why: None,
        };
        portal_access::Entity::insert_many([portal_access::ActiveModel::from(row)])
            .exec_without_returning(&transaction)
            .await
            .doing(DOING)?;
        note(&transaction, new.ticket.id(), now, "portal-invited", agent).await?;
        let what = AgentRecord {
            what: "portal-invited",
            agent,
            ticket: Some(new.ticket.id()),
            organisation: Some(new.organisation),
            person: Some(person),
            requested_by: Some(requested_by),
            ..Default::default()
        };
        record(&transaction, now, &what).await?;
        transaction.commit().await.doing(DOING)
    }

    /// Takes somebody's access back.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when they have none.
    pub async fn withdraw_access(&self, address: &EmailAddress, agent: &str) -> Result<(), StoreError> {
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let person = self.0.keys.person(address);
        let rows = lasting().filter(portal_access::Column::Person.eq(person.as_str())).all(&transaction).await.doing(DOING)?;
        if rows.is_empty() {
            return Err(StoreError::Unknown("access to the portal"));
        }
        for row in rows {
            self.end_access(&transaction, row, AccessEnd::Withdrawn, agent).await?;
        }
        transaction.commit().await.doing(DOING)
    }

    /// Ends the access of everybody to whom `why_not` gives a reason, and puts it on record. Returns how many.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn end_accesses(&self, why_not: impl Fn(&str, &EmailAddress) -> Option<AccessEnd>) -> Result<u64, StoreError> {
        let rows = lasting().all(&self.0.reader).await.doing(DOING)?;
        let ends: Vec<(portal_access::Model, AccessEnd)> = rows
            .into_iter()
            .filter_map(|row| {
                let address = row.address.parse().ok()?;
                let why = why_not(&row.organisation, &address)?;
                Some((row, why))
            })
            .collect();
        let mut ended = 0;
        for (row, why) in ends {
            let transaction = begin_serial(&self.0.writer, DOING).await?;
            self.end_access(&transaction, row, why, DAEMON).await?;
            transaction.commit().await.doing(DOING)?;
            ended += 1;
        }
        Ok(ended)
    }

    async fn end_access(&self, db: &DatabaseTransaction, row: portal_access::Model, why: AccessEnd, agent: &str) -> Result<(), StoreError> {
        let now = self.now();
        let ended = portal_access::Entity::update_many()
            .col_expr(portal_access::Column::EndedAt, Expr::value(now))
            .col_expr(portal_access::Column::EndedWhy, Expr::value(why.as_str()))
            .filter(portal_access::Column::Id.eq(row.id))
            .filter(portal_access::Column::EndedAt.is_null())
            .exec(db)
            .await
            .doing(DOING)?;
        if ended.rows_affected == 0 {
            return Ok(());
        }
        let what = AgentRecord {
            what: "portal-ended",
            agent,
            organisation: Some(&row.organisation),
            person: Some(Pseudonym::from_row(row.person.clone())),
            basis: Some(why.as_str()),
            ..Default::default()
        };
        record(db, now, &what).await
    }

    /// Everybody who has or had access, in the order invited.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn accesses(&self) -> Result<Vec<Access>, StoreError> {
        let rows = portal_access::Entity::find().order_by_asc(portal_access::Column::Id).all(&self.0.reader).await.doing(DOING)?;
        rows.into_iter()
            .map(|row| {
                Ok(Access {
                    organisation: row.organisation,
                    email: row.address,
                    name: row.name,
                    entitled: row.ended_at.is_none(),
                    since: timestamp("portal_access", row.granted_at)?,
                    until: row.ended_at.map(|at| timestamp("portal_access", at)).transpose()?,
                    why: row.ended_why,
                    ticket: row.ticket_id.map(|id| TicketNumber::new(id).to_string()),
                })
            })
            .collect()
    }

    /// Tickets that ask for access and on which nobody was invited yet.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn tickets_asking_for_access(&self) -> Result<BTreeSet<i64>, StoreError> {
        let asked = portal_request::Entity::find().all(&self.0.reader).await.doing(DOING)?;
        let invited: Vec<Option<i64>> = portal_access::Entity::find()
            .select_only()
            .column(portal_access::Column::TicketId)
            .into_tuple()
            .all(&self.0.reader)
            .await
            .doing(DOING)?;
        Ok(asked.into_iter().map(|row| row.ticket_id).filter(|ticket| !invited.contains(&Some(*ticket))).collect())
    }
}

/// Accesses that have not ended.
fn lasting() -> sea_orm::Select<portal_access::Entity> {
    portal_access::Entity::find().filter(portal_access::Column::EndedAt.is_null())
}
