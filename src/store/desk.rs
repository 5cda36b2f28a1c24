//! The queue: tickets that wait for an agent, and mails that are stuck.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde::Serialize;

use super::arrivals::{ArrivalState, Waiting};
use super::audit::Tail;
use super::book::row_of_reply;
use super::connection::begin_serial;
use super::entities::{arrival, outbox, ticket};
use super::error::While;
use super::history::{self, Numbers};
use super::rows::is_one_of;
use super::tickets::{Change, Closed, TicketFilter, TicketStatus, TicketSummary, apply};
use super::{Store, StoreError};
use crate::plan::{PlannedReply, Ticket};
use crate::words::{EmailAddress, Keys, MailUid, MailboxId, Redacted, TicketNumber};

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
}

pub(super) async fn record(db: &DatabaseTransaction, now: i64, what: &AgentRecord<'_>) -> Result<(), StoreError> {
    let mut audit = Tail::read(db, now).await?;
    let agent = audit.agent(what.agent);
    audit.add(now, &AgentRecord { agent: &agent, ..what.clone() });
    audit.write(db).await
}

/// What writing a reply to a ticket's requester needs to know.
#[derive(Clone, Debug)]
pub struct Correspondence {
    /// The number that the reply takes.
    pub reply: i64,
    /// The ticket as it stands after the decision.
    pub ticket: Ticket,
    /// Its desk.
    pub desk: String,
    /// Who asked.
    pub requester: EmailAddress,
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
            waiting.state == ArrivalState::Stuck && desks.is_none_or(|desks| desks.iter().any(|desk| desk == waiting.uid.mailbox.as_str()))
        });
        Ok(Queued { tickets, stuck })
    }

    /// Takes a waiting ticket on: it opens; the agent's reason stays on it. `write` makes the reply to its requester, where there is to be one; it is
    /// asked only when the requester takes part in the ticket, so that nobody is answered who only claims to be somebody.
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
        apply(&transaction, row.id, now, &Change { entry: decision, agent, text: reason.reveal(), to: to.map(Some) }).await?;
        if let Some(letter) = self.correspondence(&transaction, &row).await?
            && let Some(reply) = write(&letter, &self.0.keys)
        {
            let mut numbers = Numbers::read(&transaction).await?;
            numbers.reply = letter.reply;
            numbers.write(&transaction).await?;
            let row = outbox::ActiveModel::from(row_of_reply(PlannedReply { number: letter.reply, ..reply }, None));
            outbox::Entity::insert_many([row]).exec_without_returning(&transaction).await.doing(DOING)?;
        }
        transaction.commit().await.doing(DOING)
    }

    async fn correspondence(&self, db: &DatabaseTransaction, row: &ticket::Model) -> Result<Option<Correspondence>, StoreError> {
        use super::entities::entry;
        use sea_orm::{QueryOrder, QuerySelect};
        let Some(ticket) = history::tickets(db, &[row.id]).await?.into_values().next() else { return Ok(None) };
        let Some(requester) = row.requester.as_deref().map(|text| super::rows::address("ticket", text)).transpose()? else {
            return Ok(None);
        };
        if !ticket.participants.contains(&requester) {
            return Ok(None);
        }
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
        let reply = Numbers::read(db).await?.reply + 1;
        let message_id = message_id.flatten().and_then(|id| id.parse().ok());
        Ok(Some(Correspondence { reply, ticket, desk: row.desk.clone(), requester, message_id }))
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
