//! Reads the [`Ledger`]: what a batch of mails must know of the past. One statement a question, whatever the batch.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};

use super::StoreError;
use super::entities::{counter, identity_check, mail, objection, outbox, participant, ticket};
use super::error::While;
use super::rows::{CHUNK, address, from_json, timestamp};
use crate::decide::{Cc, Reason, Template};
use crate::plan::{IdentityCheck, Ledger, Questions, SentReply, Ticket};
use crate::words::{EmailAddress, Pseudonym, TicketNumber};

const DOING: &str = "reading the history of a batch";
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// The last numbers given out.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    pub(super) ticket: i64,
    pub(super) reply: i64,
    pub(super) mail: i64,
    pub(super) entry: i64,
    pub(super) check: i64,
}

impl Numbers {
    pub(super) async fn read(db: &DatabaseTransaction) -> Result<Self, StoreError> {
        let mut numbers = Self::default();
        for row in counter::Entity::find().all(db).await.doing(DOING)? {
            match row.name.as_str() {
                "ticket" => numbers.ticket = row.value,
                "reply" => numbers.reply = row.value,
                "mail" => numbers.mail = row.value,
                "entry" => numbers.entry = row.value,
                "check" => numbers.check = row.value,
                _ => {}
            }
        }
        Ok(numbers)
    }

    pub(super) async fn write(&self, db: &DatabaseTransaction) -> Result<(), StoreError> {
        let all = [("ticket", self.ticket), ("reply", self.reply), ("mail", self.mail), ("entry", self.entry), ("check", self.check)];
        let rows = all.map(|(name, value)| counter::ActiveModel::from(counter::Model { name: name.to_owned(), value }));
        let again = OnConflict::column(counter::Column::Name).update_column(counter::Column::Value).to_owned();
        counter::Entity::insert_many(rows)
            .on_conflict(again)
            .exec_without_returning(db)
            .await
            .doing("noting the numbers given out")
            .map(|_| ())
    }

    pub(super) fn next_entry(&mut self) -> i64 {
        self.entry += 1;
        self.entry
    }
}

/// Reads what was asked.
pub(super) async fn read(db: &DatabaseTransaction, numbers: &Numbers, questions: &Questions, now: i64) -> Result<Ledger, StoreError> {
    let mut ledger = Ledger { last_ticket: numbers.ticket, last_reply: numbers.reply, ..Ledger::default() };
    for digests in chunks(questions.digests.iter().map(Pseudonym::as_str)) {
        let found: Vec<String> = mail::Entity::find()
            .select_only()
            .column(mail::Column::Digest)
            .filter(mail::Column::Digest.is_in(digests))
            .into_tuple()
            .all(db)
            .await
            .doing(DOING)?;
        ledger.booked.extend(found.into_iter().map(Pseudonym::from_row));
    }
    sent(db, questions, &mut ledger).await?;
    people(db, questions, now, &mut ledger).await?;
    organisations(db, questions, now, &mut ledger).await?;
    desks(db, questions, now, &mut ledger).await?;
    Ok(ledger)
}

fn chunks<T>(all: impl Iterator<Item = T>) -> Vec<Vec<T>> {
    let mut chunks = Vec::new();
    let mut chunk = Vec::new();
    for one in all {
        chunk.push(one);
        if chunk.len() == CHUNK {
            chunks.push(std::mem::take(&mut chunk));
        }
    }
    if !chunk.is_empty() {
        chunks.push(chunk);
    }
    chunks
}

fn count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The replies that mails refer to, and the tickets of those.
async fn sent(db: &DatabaseTransaction, questions: &Questions, ledger: &mut Ledger) -> Result<(), StoreError> {
    type Row = (i64, String, Option<i64>, String, String);
    for ids in chunks(questions.reply_ids.iter()) {
        let rows: Vec<Row> = outbox::Entity::find()
            .select_only()
            .columns([
                outbox::Column::Id,
                outbox::Column::Template,
                outbox::Column::TicketId,
                outbox::Column::MessageId,
                outbox::Column::ToAddress,
            ])
            .filter(outbox::Column::MessageId.is_in(ids.iter().map(|id| id.as_str())))
            .into_tuple()
            .all(db)
            .await
            .doing(DOING)?;
        if rows.is_empty() {
            continue;
        }
        let checks = identity_check::Entity::find()
            .filter(
                identity_check::Column::OutboxId
                    .is_in(rows.iter().map(|row| row.0))
                    .or(identity_check::Column::ReminderId.is_in(rows.iter().map(|row| row.0))),
            )
            .filter(identity_check::Column::State.eq("pending"))
            .all(db)
            .await
            .doing(DOING)?;
        for (number, template, ticket, message_id, to) in rows {
            let template = Template::from_code(&template).ok_or(StoreError::BadRow("outbox"))?;
            let check = checks.iter().find(|check| [check.outbox_id, check.reminder_id].contains(&Some(number)));
            let identity_check = check.map(identity).transpose()?;
            let message_id = message_id.parse().map_err(|()| StoreError::BadRow("outbox"))?;
            let reply = SentReply { number, template, ticket: ticket.map(TicketNumber::new), to: address("outbox", &to)?, identity_check };
            ledger.sent.insert(message_id, reply);
        }
    }
    let numbers: BTreeSet<i64> = ledger.sent.values().filter_map(|reply| reply.ticket.map(TicketNumber::id)).collect();
    ledger.tickets = tickets(db, &numbers.into_iter().collect::<Vec<_>>()).await?;
    Ok(())
}

fn identity(row: &identity_check::Model) -> Result<IdentityCheck, StoreError> {
    let contact = address("identity_check", &row.contact)?;
    Ok(IdentityCheck { id: row.id, contact, expires: timestamp("identity_check", row.expires_at)? })
}

/// Tickets as a new mail must know them.
pub(super) async fn tickets(db: &DatabaseTransaction, numbers: &[i64]) -> Result<BTreeMap<TicketNumber, Ticket>, StoreError> {
    let mut tickets = BTreeMap::new();
    for ids in numbers.chunks(CHUNK) {
        let rows = ticket::Entity::find().filter(ticket::Column::Id.is_in(ids.iter().copied())).all(db).await.doing(DOING)?;
        let people =
            participant::Entity::find().filter(participant::Column::TicketId.is_in(ids.iter().copied())).all(db).await.doing(DOING)?;
        let mut participants: BTreeMap<i64, BTreeSet<EmailAddress>> = BTreeMap::new();
        for row in people {
            participants.entry(row.ticket_id).or_default().insert(address("participant", &row.address)?);
        }
        for row in rows {
            let number = TicketNumber::new(row.id);
            let ticket = Ticket {
                number,
                closed: row.closed_at.map(|at| timestamp("ticket", at)).transpose()?,
                queued: row.status == "queued" || row.closed_from.as_deref() == Some("queued"),
                refused: matches!(row.close_cause.as_deref(), Some("refused" | "identity-refused")),
                organisation: row.organisation,
                language: row.language.parse().map_err(|_| StoreError::BadRow("ticket"))?,
                participants: participants.remove(&row.id).unwrap_or_default(),
                cc: cc(&row.cc)?,
                reasons: from_json::<Vec<Reason>>("ticket", &row.reasons)?,
            };
            tickets.insert(number, ticket);
        }
    }
    Ok(tickets)
}

/// Who is in CC of a ticket, from its column.
pub(super) fn cc(json: &str) -> Result<Vec<(Cc, EmailAddress)>, StoreError> {
    let pairs: Vec<(Cc, String)> = from_json("ticket", json)?;
    pairs.into_iter().map(|(kind, text)| Ok((kind, address("ticket", &text)?))).collect()
}

async fn people(db: &DatabaseTransaction, questions: &Questions, now: i64, ledger: &mut Ledger) -> Result<(), StoreError> {
    for people in chunks(questions.people.iter().map(Pseudonym::as_str)) {
        let objecting =
            objection::Entity::find().filter(objection::Column::Person.is_in(people.iter().copied())).all(db).await.doing(DOING)?;
        ledger.objections.extend(objecting.into_iter().map(|row| Pseudonym::from_row(row.person)));

        let intake: Vec<(String, i64)> = mail::Entity::find()
            .select_only()
            .column(mail::Column::SenderKey)
            .column_as(mail::Column::Id.count(), "mails")
            .filter(mail::Column::SenderKey.is_in(people.iter().copied()))
            .filter(mail::Column::BookedAt.gt(now - HOUR))
            .filter(mail::Column::Authentic.eq("pass"))
            .group_by(mail::Column::SenderKey)
            .into_tuple()
            .all(db)
            .await
            .doing(DOING)?;
        ledger.intake_by_sender.extend(intake.into_iter().map(|(person, mails)| (Pseudonym::from_row(person), count(mails))));

        let last_hour = Expr::case(outbox::Column::CreatedAt.gt(now - HOUR), 1_i64).finally(0_i64);
        let replies: Vec<(String, String, i64, i64)> = outbox::Entity::find()
            .select_only()
            .column(outbox::Column::RecipientKey)
            .column(outbox::Column::Template)
            .column_as(outbox::Column::Id.count(), "day")
            .column_as(Expr::expr(last_hour).sum().cast_as("BIGINT"), "hour")
            .filter(outbox::Column::RecipientKey.is_in(people.iter().copied()))
            .filter(outbox::Column::CreatedAt.gt(now - DAY))
            .group_by(outbox::Column::RecipientKey)
            .group_by(outbox::Column::Template)
            .into_tuple()
            .all(db)
            .await
            .doing(DOING)?;
        for (person, template, day, hour) in replies {
            let person = Pseudonym::from_row(person);
            let template = Template::from_code(&template).ok_or(StoreError::BadRow("outbox"))?;
            if hour > 0 {
                *ledger.replies_last_hour.entry(person.clone()).or_default() += count(hour);
            }
            ledger.replies_last_day.insert((person, template), count(day));
        }
    }
    Ok(())
}

async fn organisations(db: &DatabaseTransaction, questions: &Questions, now: i64, ledger: &mut Ledger) -> Result<(), StoreError> {
    for organisations in chunks(questions.organisations.iter().map(String::as_str)) {
        let intake: Vec<(String, i64)> = mail::Entity::find()
            .select_only()
            .column(mail::Column::Organisation)
            .column_as(mail::Column::Id.count(), "mails")
            .filter(mail::Column::Organisation.is_in(organisations.iter().copied()))
            .filter(mail::Column::BookedAt.gt(now - HOUR))
            .group_by(mail::Column::Organisation)
            .into_tuple()
            .all(db)
            .await
            .doing(DOING)?;
        ledger.intake_by_organisation.extend(intake.into_iter().map(|(id, mails)| (id, count(mails))));
        let replies: Vec<(String, i64)> = outbox::Entity::find()
            .select_only()
            .column(outbox::Column::Organisation)
            .column_as(outbox::Column::Id.count(), "replies")
            .filter(outbox::Column::Organisation.is_in(organisations.iter().copied()))
            .filter(outbox::Column::CreatedAt.gt(now - HOUR))
            .group_by(outbox::Column::Organisation)
            .into_tuple()
            .all(db)
            .await
            .doing(DOING)?;
        ledger.replies_by_organisation.extend(replies.into_iter().map(|(id, replies)| (id, count(replies))));
    }
    Ok(())
}

async fn desks(db: &DatabaseTransaction, questions: &Questions, now: i64, ledger: &mut Ledger) -> Result<(), StoreError> {
    for desks in chunks(questions.desks.iter().map(String::as_str)) {
        let intake: Vec<(String, i64)> = mail::Entity::find()
            .select_only()
            .column(mail::Column::Desk)
            .column_as(mail::Column::Id.count(), "mails")
            .filter(mail::Column::Desk.is_in(desks.iter().copied()))
            .filter(mail::Column::Authentic.is_in(["fail", "none"]))
            .filter(mail::Column::BookedAt.gt(now - HOUR))
            .group_by(mail::Column::Desk)
            .into_tuple()
            .all(db)
            .await
            .doing(DOING)?;
        ledger.intake_unauthenticated.extend(intake.into_iter().map(|(desk, mails)| (desk, count(mails))));
        let calls: Vec<(String, i64)> = ticket::Entity::find()
            .select_only()
            .column(ticket::Column::Desk)
            .column_as(ticket::Column::Id.count(), "calls")
            .filter(ticket::Column::Desk.is_in(desks.iter().copied()))
            .filter(ticket::Column::DutyCalled.eq(true))
            .filter(ticket::Column::OpenedAt.gt(now - DAY))
            .group_by(ticket::Column::Desk)
            .into_tuple()
            .all(db)
            .await
            .doing(DOING)?;
        ledger.duty_calls.extend(calls.into_iter().map(|(desk, calls)| (desk, count(calls))));
    }
    Ok(())
}
