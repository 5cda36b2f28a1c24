//! The queue: tickets that wait for an agent, and mails that are stuck.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

use super::arrivals::{ArrivalState, OUTSIDE, Waiting};
use super::audit::Tail;
use super::batch::row_of_reply;
use super::connection::begin_serial;
use super::entities::{arrival, entry, outbox, ticket};
use super::error::While;
use super::history::{self, Numbers};
use super::rows::is_one_of;
use super::tickets::{Change, Closed, TicketFilter, TicketStatus, TicketSummary, apply};
use super::{Store, StoreError};
use crate::plan::{PlannedReply, Ticket};
use crate::words::{EmailAddress, Keys, MailUid, MailboxId, Pseudonym, Redacted, TicketNumber};

/// What waits for an agent.
#[derive(Clone, Debug, Default)]
pub struct Queued {
    /// Tickets, in the order opened.
    pub tickets: Vec<TicketSummary>,
    /// Mails that could not be processed, the oldest first.
    pub stuck: Vec<Stuck>,
}

/// A mail that could not be processed; it lies in its mailbox.
pub type Stuck = Waiting;

/// What an agent did, for the audit record, where a digest takes the place of the name.
#[derive(Clone, Default, Serialize)]
pub(super) struct AgentRecord<'a> {
    pub(super) what: &'a str,
    pub(super) agent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ticket: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reply: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mail: Option<(&'a str, u32, u32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entry: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attachment: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) organisation: Option<&'a str>,
    /// At what somebody looked, where that is no ticket, attachment or profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seen: Option<&'a str>,
    /// The other ticket that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) other: Option<i64>,
    /// Who it is about; in the record a digest that only the month's key can make.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) person: Option<Pseudonym>,
    /// Who asked for it; likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) requested_by: Option<Pseudonym>,
    /// On what it rests, as a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) basis: Option<&'a str>,
}

pub(super) async fn record(db: &DatabaseTransaction, now: i64, what: &AgentRecord<'_>) -> Result<(), StoreError> {
    let mut audit = Tail::read(db, now).await?;
    let agent = audit.agent(what.agent);
    let stand_in = |person: &Option<Pseudonym>| person.as_ref().map(|person| audit.key().stand_in(person));
    let (person, requested_by) = (stand_in(&what.person), stand_in(&what.requested_by));
    audit.add(now, &AgentRecord { agent: &agent, person, requested_by, ..what.clone() });
    audit.write(db).await
}

/// What writing a letter on a ticket needs to know.
#[derive(Clone, Debug)]
pub struct Correspondence {
    /// The number that the letter takes.
    pub reply: i64,
    /// The ticket as it stands after the decision.
    pub ticket: Ticket,
    /// Its desk.
    pub desk: String,
    /// Who asked; none where nobody may be answered, because they only claim to be somebody.
    pub requester: Option<EmailAddress>,
    /// The Message-ID of the mail that began it.
    pub message_id: Option<crate::words::MessageId>,
}

impl Store {
    /// What waits for an agent: of these desks, or of all.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn queue(&self, desks: Option<&[String]>) -> Result<Queued, StoreError> {
        let filter = TicketFilter { status: Some(TicketStatus::Queued), desks: desks.map(<[String]>::to_vec), organisation: None };
        let tickets = self.tickets(&filter).await?;
        let mut stuck = self.waiting().await?;
        stuck.retain(|waiting| {
            let of = waiting.uid.mailbox.as_str();
            waiting.state == ArrivalState::Stuck && (of == OUTSIDE || desks.is_none_or(|desks| desks.iter().any(|desk| desk == of)))
        });
        Ok(Queued { tickets, stuck })
    }

    /// Takes a waiting ticket on: it opens; the agent's reason stays on it. `write` makes the letter to its requester, where there is to be one.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or [`StoreError::NotNow`] when the ticket does not wait.
    pub async fn release<F>(&self, number: TicketNumber, agent: &str, reason: &Redacted<String>, write: F) -> Result<(), StoreError>
    where
        F: FnOnce(&Correspondence, &Keys) -> Option<PlannedReply> + Send,
    {
        self.decide(number, "released", agent, reason, write).await
    }

    /// Declines a waiting ticket: it is closed for good and takes no follow-up. `write` as in [`Store::release`].
    ///
    /// # Errors
    /// As [`Store::release`].
    pub async fn refuse<F>(&self, number: TicketNumber, agent: &str, reason: &Redacted<String>, write: F) -> Result<(), StoreError>
    where
        F: FnOnce(&Correspondence, &Keys) -> Option<PlannedReply> + Send,
    {
        self.decide(number, "refused", agent, reason, write).await
    }

    async fn decide<F>(
        &self,
        number: TicketNumber,
        decision: &'static str,
        agent: &str,
        reason: &Redacted<String>,
        write: F,
    ) -> Result<(), StoreError>
    where
        F: FnOnce(&Correspondence, &Keys) -> Option<PlannedReply> + Send,
    {
        const DOING: &str = "deciding on a ticket";
        let now = self.now();
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let row = ticket::Entity::find_by_id(number.id()).one(&transaction).await.doing(DOING)?.ok_or(StoreError::Unknown("ticket"))?;
        if row.status != "queued" {
            return Err(StoreError::NotNow("that ticket does not wait for an agent"));
        }
        let refused = decision == "refused";
        let to = refused.then(|| Closed { from: "queued".to_owned(), cause: "refused" });
        if !refused {
            ticket::Entity::update_many()
                .col_expr(ticket::Column::Status, Expr::value("open"))
                .filter(ticket::Column::Id.eq(row.id))
                .exec(&transaction)
                .await
                .doing(DOING)?;
        }
        apply(&transaction, row.id, now, &Change { entry: decision, agent, text: reason.reveal(), to: to.map(Some), ..Change::default() })
            .await?;
        if let Some(reply) = correspondence(&transaction, &row).await?.and_then(|letter| write(&letter, &self.0.keys)) {
            put_into_outbox(&transaction, reply).await?;
        }
        transaction.commit().await.doing(DOING)
    }

    /// Has a stuck mail tried again from the beginning. Without a UIDVALIDITY any stuck mail with that UID is meant.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when no such mail is stuck.
    pub async fn retry_stuck(
        &self,
        mailbox: &MailboxId,
        validity: Option<std::num::NonZeroU32>,
        uid: u32,
        agent: &str,
    ) -> Result<(), StoreError> {
        const DOING: &str = "trying a stuck mail again";
        let now = self.now();
        let stuck: Vec<MailUid> = self
            .waiting()
            .await?
            .into_iter()
            .filter(|waiting| waiting.state == ArrivalState::Stuck)
            .map(|waiting| waiting.uid)
            .filter(|mail| mail.mailbox == *mailbox && mail.uid.get() == uid && validity.is_none_or(|validity| mail.validity == validity))
            .collect();
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let forgotten = arrival::Entity::delete_many()
            .filter(is_one_of(&stuck))
            .filter(arrival::Column::State.eq("stuck"))
            .exec(&transaction)
            .await
            .doing(DOING)?;
        if forgotten.rows_affected == 0 {
            return Err(StoreError::Unknown("stuck mail"));
        }
        for mail in &stuck {
            let mail = Some((mail.mailbox.as_str(), mail.validity.get(), mail.uid.get()));
            record(&transaction, now, &AgentRecord { what: "queue-retry", agent, mail, ..Default::default() }).await?;
        }
        transaction.commit().await.doing(DOING)
    }
}

/// What a letter on this ticket needs to know; none when the ticket cannot be read as one.
pub(super) async fn correspondence(db: &DatabaseTransaction, row: &ticket::Model) -> Result<Option<Correspondence>, StoreError> {
    let Some(ticket) = history::tickets(db, &[row.id]).await?.into_values().next() else { return Ok(None) };
    let requester = row.requester.as_deref().map(|text| super::rows::address("ticket", text)).transpose()?;
    let message_id: Option<Option<String>> = entry::Entity::find()
        .select_only()
        .column(entry::Column::MessageId)
        .filter(entry::Column::TicketId.eq(row.id))
        .filter(entry::Column::Kind.eq("mail"))
        .order_by_asc(entry::Column::Id)
        .limit(1)
        .into_tuple()
        .one(db)
        .await
        .doing("reading a ticket")?;
    Ok(Some(Correspondence {
        reply: Numbers::read(db).await?.reply + 1,
        requester: requester.filter(|requester| ticket.participants.contains(requester)),
        ticket,
        desk: row.desk.clone(),
        message_id: message_id.flatten().and_then(|id| id.parse().ok()),
    }))
}

/// Puts a letter that took the next number into the outbox.
pub(super) async fn put_into_outbox(db: &DatabaseTransaction, letter: PlannedReply) -> Result<(), StoreError> {
    let mut numbers = Numbers::read(db).await?;
    numbers.reply = letter.number;
    numbers.write(db).await?;
    let row = outbox::ActiveModel::from(row_of_reply(letter, None));
    outbox::Entity::insert_many([row]).exec_without_returning(db).await.doing("putting a letter into the outbox").map(|_| ())
}
