//! Profiles: what is kept of the people who write, and of their colleagues in Cc (POLICY "Profiles").

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

use super::connection::begin_serial;
use super::desk::{AgentRecord, record};
use super::entities::{entry, general_profile, participant, portal_access, profile, ticket};
use super::error::While;
use super::holds::Holds;
use super::rows::{CHUNK, address, timestamp};
use super::{Store, StoreError};
use crate::words::{EmailAddress, Pseudonym, TicketNumber};

/// Under what name the daemon's own work stands on record.
pub const DAEMON: &str = "postkamer";

/// What is kept of a person.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Profile {
    /// The address.
    pub address: String,
    /// The name, as the person writes it; empty where nobody has told it.
    pub name: String,
    /// Whose colleague the person is.
    pub organisation: Option<String>,
    /// Put in by an agent.
    pub phone: Option<String>,
    /// Put in by an agent.
    pub mobile: Option<String>,
    /// When it was made.
    pub made_at: Timestamp,
    /// By a `mail` of theirs, by a `cc` of a colleague's mail, or by an `agent`.
    pub made_by: String,
    /// The day on which the person left: from then on it serves nobody, and it is erased in the January after.
    pub deactivated_on: Option<String>,
    /// The tickets that the person asked for.
    pub tickets: Vec<String>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile").field("organisation", &self.organisation).finish_non_exhaustive()
    }
}

/// What an agent knows of a person. What is none stays as it was.
#[derive(Clone, Default)]
pub struct ProfileChange<'a> {
    /// The name.
    pub name: Option<&'a str>,
    /// The phone number; an empty one is taken out.
    pub phone: Option<&'a str>,
    /// The mobile number; likewise.
    pub mobile: Option<&'a str>,
}

const DOING: &str = "working on profiles";

impl Store {
    /// All profiles by address, or those of one organisation.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn profiles(&self, organisation: Option<&str>) -> Result<Vec<Profile>, StoreError> {
        let mut query = profile::Entity::find().order_by_asc(profile::Column::Address);
        if let Some(organisation) = organisation {
            query = query.filter(profile::Column::Organisation.eq(organisation));
        }
        let rows = query.all(&self.0.reader).await.doing(DOING)?;
        rows.into_iter().map(|row| view(row, Vec::new())).collect()
    }

    /// The profile of one person, with the tickets that they asked for.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn profile(&self, address: &EmailAddress) -> Result<Option<Profile>, StoreError> {
        let Some(row) = profile::Entity::find_by_id(self.person(address)).one(&self.0.reader).await.doing(DOING)? else { return Ok(None) };
        let tickets = asked_for_by(&self.0.reader, address.reveal()).await?;
        view(row, tickets.into_iter().map(|id| TicketNumber::new(id).to_string()).collect()).map(Some)
    }

    /// Makes a profile by hand.
    ///
    /// # Errors
    /// [`StoreError::NotNow`] when there is one.
    pub async fn add_profile(
        &self,
        address: &EmailAddress,
        organisation: Option<&str>,
        known: &ProfileChange<'_>,
        agent: &str,
    ) -> Result<(), StoreError> {
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let person = self.person(address);
        if profile::Entity::find_by_id(person.clone()).one(&transaction).await.doing(DOING)?.is_some() {
            return Err(StoreError::NotNow("there is a profile of that person already"));
        }
        let row = profile::Model {
            person,
            address: address.reveal().to_owned(),
            name: known.name.unwrap_or_default().to_owned(),
            organisation: organisation.map(str::to_owned),
            phone: told(known.phone),
            mobile: told(known.mobile),
            made_at: self.now(),
            made_by: "agent".to_owned(),
            deactivated_on: None,
        };
        profile::Entity::insert_many([profile::ActiveModel::from(row)]).exec_without_returning(&transaction).await.doing(DOING)?;
        self.record_profile(&transaction, "profile-added", address, agent).await?;
        transaction.commit().await.doing(DOING)
    }

    /// Puts what an agent knows into a profile.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is none.
    pub async fn change_profile(&self, address: &EmailAddress, change: &ProfileChange<'_>, agent: &str) -> Result<(), StoreError> {
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let mut update = profile::Entity::update_many().filter(profile::Column::Person.eq(self.person(address)));
        if let Some(name) = change.name {
            update = update.col_expr(profile::Column::Name, Expr::value(name));
        }
        for (column, number) in [(profile::Column::Phone, change.phone), (profile::Column::Mobile, change.mobile)] {
            if number.is_some() {
                update = update.col_expr(column, Expr::value(told(number)));
            }
        }
        // Without anything to change there is still the question whether there is such a profile.
        let touch = Expr::col(profile::Column::Person);
        let changed = update.col_expr(profile::Column::Person, touch).exec(&transaction).await.doing(DOING)?;
        if changed.rows_affected == 0 {
            return Err(StoreError::Unknown("profile"));
        }
        self.record_profile(&transaction, "profile-changed", address, agent).await?;
        transaction.commit().await.doing(DOING)
    }

    /// A person leaves. False: there is no active profile of theirs.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn deactivate_profile(&self, address: &EmailAddress, on: Date, agent: &str) -> Result<bool, StoreError> {
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let changed = profile::Entity::update_many()
            .col_expr(profile::Column::DeactivatedOn, Expr::value(on.to_string()))
            .filter(profile::Column::Person.eq(self.person(address)))
            .filter(profile::Column::DeactivatedOn.is_null())
            .exec(&transaction)
            .await
            .doing(DOING)?;
        if changed.rows_affected == 0 {
            return Ok(false);
        }
        self.record_profile(&transaction, "profile-deactivated", address, agent).await?;
        transaction.commit().await.doing(DOING)?;
        Ok(true)
    }

    /// A person who left is on a list again. False: there is no deactivated profile of theirs.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn reactivate_profile(&self, address: &EmailAddress, agent: &str) -> Result<bool, StoreError> {
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        if come_back(&transaction, &[self.person(address)].into()).await? == 0 {
            return Ok(false);
        }
        self.record_profile(&transaction, "profile-reactivated", address, agent).await?;
        transaction.commit().await.doing(DOING)?;
        Ok(true)
    }

    /// The January move: the tickets of everybody who left before that day go to their organisation's general profile, and the profiles are
    /// erased; not of those who are back, whose profiles are active again. One person after the other, so that it can break off anywhere. Returns
    /// how many were erased.
    ///
    /// # Errors
    /// The database is out of reach; whoever has not moved yet moves at the next call.
    pub async fn move_departed(&self, before: Date, is_back: impl Fn(&EmailAddress) -> bool) -> Result<u64, StoreError> {
        let departed = profile::Entity::find()
            // ISO days are in order as texts, too.
            .filter(profile::Column::DeactivatedOn.lt(before.to_string()))
            .order_by_asc(profile::Column::Person)
            .all(&self.0.reader)
            .await
            .doing(DOING)?;
        let mut moved = 0;
        for row in departed {
            let whose = address("profile", &row.address)?;
            if is_back(&whose) {
                self.reactivate_profile(&whose, DAEMON).await?;
                continue;
            }
            let transaction = begin_serial(&self.0.writer, DOING).await?;
            if on_hold(&transaction, &row).await? {
                continue;
            }
            let erased = profile::Entity::delete_by_id(row.person.clone()).exec(&transaction).await.doing(DOING)?;
            if erased.rows_affected == 1 {
                self.move_to_general_profile(&transaction, &row).await?;
                transaction.commit().await.doing(DOING)?;
                moved += 1;
            }
        }
        if moved > 0 {
            self.checkpoint().await?;
        }
        Ok(moved)
    }

    async fn move_to_general_profile(&self, db: &DatabaseTransaction, row: &profile::Model) -> Result<(), StoreError> {
        let tickets = asked_for_by(db, &row.address).await?;
        ticket::Entity::update_many()
            .col_expr(ticket::Column::Requester, Expr::value(None::<String>))
            .filter(ticket::Column::Requester.eq(&row.address))
            .exec(db)
            .await
            .doing(DOING)?;
        let since = self.now();
        let rows = tickets.into_iter().map(|ticket_id| {
            general_profile::ActiveModel::from(general_profile::Model { ticket_id, organisation: row.organisation.clone(), since })
        });
        let twice = OnConflict::column(general_profile::Column::TicketId).do_nothing().to_owned();
        general_profile::Entity::insert_many(rows).on_conflict(twice).exec_without_returning(db).await.doing(DOING)?;
        participant::Entity::delete_many().filter(participant::Column::Address.eq(&row.address)).exec(db).await.doing(DOING)?;
        entry::Entity::update_many()
            .col_expr(entry::Column::Author, Expr::value(None::<String>))
            .col_expr(entry::Column::AuthorName, Expr::value(""))
            .filter(entry::Column::Author.eq(&row.address))
            .exec(db)
            .await
            .doing(DOING)?;
        portal_access::Entity::update_many()
            .col_expr(portal_access::Column::Address, Expr::value(""))
            .col_expr(portal_access::Column::Name, Expr::value(""))
            .filter(portal_access::Column::Person.eq(&row.person))
            .filter(portal_access::Column::EndedAt.is_not_null())
            .exec(db)
            .await
            .doing(DOING)?;
        let person = Some(Pseudonym::from_row(row.person.clone()));
        let organisation = row.organisation.as_deref();
        record(db, since, &AgentRecord { what: "profile-moved", agent: DAEMON, person, organisation, ..Default::default() }).await
    }

    async fn record_profile(&self, db: &DatabaseTransaction, what: &str, address: &EmailAddress, agent: &str) -> Result<(), StoreError> {
        let person = Some(self.0.keys.person(address));
        record(db, self.now(), &AgentRecord { what, agent, person, ..Default::default() }).await
    }

    fn person(&self, address: &EmailAddress) -> String {
        self.0.keys.person(address).as_str().to_owned()
    }
}

/// Makes the profiles of these people active again, as far as they were deactivated. Returns how many.
pub(super) async fn come_back(db: &DatabaseTransaction, people: &BTreeSet<String>) -> Result<u64, StoreError> {
    let mut back = 0;
    for chunk in people.iter().collect::<Vec<_>>().chunks(CHUNK) {
        let update = profile::Entity::update_many()
            .col_expr(profile::Column::DeactivatedOn, Expr::value(None::<String>))
            .filter(profile::Column::Person.is_in(chunk.iter().copied()))
            .filter(profile::Column::DeactivatedOn.is_not_null());
        back += update.exec(db).await.doing(DOING)?.rows_affected;
    }
    Ok(back)
}

/// The tickets that somebody asked for, in the order opened.
async fn asked_for_by(db: &impl ConnectionTrait, address: &str) -> Result<Vec<i64>, StoreError> {
    ticket::Entity::find()
        .select_only()
        .column(ticket::Column::Id)
        .filter(ticket::Column::Requester.eq(address))
        .order_by_asc(ticket::Column::Id)
        .into_tuple()
        .all(db)
        .await
        .doing(DOING)
}

/// A number as it is kept: none instead of an empty one.
fn told(number: Option<&str>) -> Option<String> {
    number.map(str::trim).filter(|number| !number.is_empty()).map(str::to_owned)
}

fn view(row: profile::Model, tickets: Vec<String>) -> Result<Profile, StoreError> {
    Ok(Profile {
        address: row.address,
        name: row.name,
        organisation: row.organisation,
        phone: row.phone,
        mobile: row.mobile,
        made_at: timestamp("profile", row.made_at)?,
        made_by: row.made_by,
        deactivated_on: row.deactivated_on,
        tickets,
    })
}

/// Whether a legal hold keeps the person's organisation, or a ticket that they asked for or wrote on: then they wait for its end.
async fn on_hold(db: &DatabaseTransaction, row: &profile::Model) -> Result<bool, StoreError> {
    let holds = Holds::read(db).await?;
    let requested = asked_for_by(db, &row.address).await?;
    let written: Vec<i64> = entry::Entity::find()
        .select_only()
        .column(entry::Column::TicketId)
        .distinct()
        .filter(entry::Column::Author.eq(&row.address))
        .into_tuple()
        .all(db)
        .await
        .doing(DOING)?;
    let on_ticket = requested.into_iter().chain(written).any(|id| holds.keep(Some(id), None));
    Ok(on_ticket || holds.keep(None, row.organisation.as_deref()))
}
