//! Tickets, as agents see them, and what agents do with them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    Select,
};
use serde::Serialize;

use super::batch::{bare_entry, storable};
use super::connection::begin_serial;
use super::desk::{AgentRecord, record};
use super::entities::{attachment, entry, general_profile, link, ticket, withheld};
use super::error::While;
use super::history::{self, Numbers};
use super::rows::{CHUNK, address, from_json, timestamp};
use super::{Store, StoreError};
use crate::decide::{Cc, Reason};
use crate::words::{EmailAddress, MessageId, Redacted, TicketNumber};

const LISTING: &str = "listing tickets";

/// The state of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketStatus {
    /// Somebody works on it.
    Open,
    /// It waits for an agent.
    Queued,
    /// It is done.
    Closed,
}

impl TicketStatus {
    /// The code in the database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Queued => "queued",
            Self::Closed => "closed",
        }
    }

    /// Takes back a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Open, Self::Queued, Self::Closed].into_iter().find(|status| status.as_str() == code)
    }
}

/// Which tickets to list; the default is all of them.
#[derive(Clone, Debug, Default)]
pub struct TicketFilter {
    /// Only in this state.
    pub status: Option<TicketStatus>,
    /// Only of these desks.
    pub desks: Option<Vec<String>>,
    /// Only of this organisation.
    pub organisation: Option<String>,
}

/// A ticket as `tickets list --json` prints it (DESIGN §6): no address, subject or name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TicketSummary {
    /// Its id.
    pub id: i64,
    /// As people write it.
    pub number: String,
    /// Its state.
    pub status: TicketStatus,
    /// `incident` or `change`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether one of its mails was urgent.
    pub urgent: bool,
    /// Whose it is.
    pub organisation: Option<String>,
    /// Union of the reasons of its mails, in order.
    pub reasons: Vec<Reason>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// How many mails are booked on it, the first included.
    pub entries: i64,
    /// How many attachments are stored.
    pub attachments: i64,
    /// Who is in CC of every reply on it.
    pub cc: Vec<Cc>,
    /// Its desk.
    pub desk: String,
}

/// A ticket with all that happened on it.
#[derive(Clone, Debug)]
pub struct TicketView {
    /// What the list shows.
    pub summary: TicketSummary,
    /// Who asked; none without a sound From.
    pub requester: Option<EmailAddress>,
    /// Who asked has left, and the ticket is on the organisation's general profile.
    pub general_profile: bool,
    /// In which language it is answered.
    pub language: String,
    /// Why it was closed: `agent`, `refused` or `identity-refused`.
    pub close_cause: Option<String>,
    /// The closed ticket that it continues.
    pub continues: Option<TicketNumber>,
    /// The changes that it waits for; of a change, the tickets that wait for it.
    pub links: Vec<TicketNumber>,
    /// All contacts who could serve as CC were absent.
    pub cc_absent: bool,
    /// The addresses in CC.
    pub cc: Vec<(Cc, EmailAddress)>,
    /// What happened, in order.
    pub entries: Vec<EntryView>,
}

/// Something that happened on a ticket.
#[derive(Clone, Debug)]
pub struct EntryView {
    /// Its number on the ticket, from 1.
    pub number: i64,
    /// `mail`, `note`, `automatic-reply`, `undeliverable`, `closed`, `reopened`, `released`, `refused`, or what a note tells of:
    /// `reply`, `linked`, `approval-asked`, `third-party-data`, `purged`, ….
    pub kind: String,
    /// Nothing of its words is left.
    pub purged: bool,
    /// When.
    pub at: Timestamp,
    /// Who wrote the mail.
    pub author: Option<EmailAddress>,
    /// Their name, as they gave it.
    pub author_name: Redacted<String>,
    /// The subject.
    pub subject: Redacted<String>,
    /// What was written; of a note, the note.
    pub written: Redacted<String>,
    /// Quoted history.
    pub quoted: Redacted<String>,
    /// The mail's own Message-ID.
    pub message_id: Option<MessageId>,
    /// The agent who did it.
    pub agent: Option<String>,
    /// The letter that went out by it, or that came back.
    pub reply: Option<i64>,
    /// What is stored.
    pub attachments: Vec<AttachmentView>,
    /// What was not stored: place in the mail, format, `citizen-data` or `unreadable`.
    pub withheld: Vec<(i64, String, String)>,
}

/// A stored attachment.
#[derive(Clone, Debug)]
pub struct AttachmentView {
    /// Its number on the ticket, from 1.
    pub number: i64,
    /// Its place in the mail, from 0.
    pub index: i64,
    /// The file name as sent.
    pub name: Option<Redacted<String>>,
    /// The declared media type.
    pub media_type: String,
    /// The sniffed format.
    pub format: String,
    /// Bytes.
    pub size: i64,
    /// Names the file that holds it ([`Store::attachment_path`]).
    pub sha256: String,
}

fn summary(row: &ticket::Model, entries: i64, attachments: i64) -> Result<TicketSummary, StoreError> {
    Ok(TicketSummary {
        id: row.id,
        number: TicketNumber::new(row.id).to_string(),
        status: TicketStatus::from_code(&row.status).ok_or(StoreError::BadRow("ticket"))?,
        kind: row.kind.clone(),
        urgent: row.urgent,
        organisation: row.organisation.clone(),
        reasons: from_json("ticket", &row.reasons)?,
        opened_at: timestamp("ticket", row.opened_at)?,
        closed_at: row.closed_at.map(|at| timestamp("ticket", at)).transpose()?,
        entries,
        attachments,
        cc: history::cc(&row.cc)?.into_iter().map(|(kind, _)| kind).collect(),
        desk: row.desk.clone(),
    })
}

/// How many attachments the tickets have that have any: the few entries with attachments are found from the attachments' side.
pub(super) fn attachments_by_ticket() -> Select<entry::Entity> {
    let attachments = entry::Entity::belongs_to(attachment::Entity).from(entry::Column::Id).to(attachment::Column::EntryId);
    entry::Entity::find()
        .select_only()
        .column(entry::Column::TicketId)
        .column_as(Expr::col((attachment::Entity, attachment::Column::Position)).count(), "attachments")
        .join(JoinType::InnerJoin, attachments.into())
        .group_by(entry::Column::TicketId)
}

/// What happened on a ticket, and the attachments of all that, each in its order.
pub(super) async fn entries_and_attachments(
    db: &impl ConnectionTrait,
    ticket: i64,
) -> Result<(Vec<entry::Model>, Vec<attachment::Model>), DbErr> {
    let entries = entry::Entity::find().filter(entry::Column::TicketId.eq(ticket)).order_by_asc(entry::Column::Id).all(db).await?;
    let attachments = attachment::Entity::find()
        .filter(attachment::Column::EntryId.is_in(entries.iter().map(|entry| entry.id)))
        .order_by_asc(attachment::Column::EntryId)
        .order_by_asc(attachment::Column::Position)
        .all(db)
        .await?;
    Ok((entries, attachments))
}

impl Store {
    /// Tickets in the order opened.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn tickets(&self, filter: &TicketFilter) -> Result<Vec<TicketSummary>, StoreError> {
        let mut query = ticket::Entity::find().order_by_asc(ticket::Column::Id);
        if let Some(status) = filter.status {
            query = query.filter(ticket::Column::Status.eq(status.as_str()));
        }
        if let Some(desks) = &filter.desks {
            query = query.filter(ticket::Column::Desk.is_in(desks));
        }
        if let Some(organisation) = &filter.organisation {
            query = query.filter(ticket::Column::Organisation.eq(organisation));
        }
        let rows = query.all(&self.0.reader).await.doing(LISTING)?;
        let mut listed = Vec::with_capacity(rows.len());
        for chunk in rows.chunks(CHUNK) {
            let ids = || chunk.iter().map(|row| row.id);
            let entries: Vec<(i64, i64)> = entry::Entity::find()
                .select_only()
                .column(entry::Column::TicketId)
                .column_as(entry::Column::Id.count(), "entries")
                .filter(entry::Column::TicketId.is_in(ids()))
                .filter(entry::Column::Kind.eq("mail"))
                .group_by(entry::Column::TicketId)
                .into_tuple()
                .all(&self.0.reader)
                .await
                .doing(LISTING)?;
            let attachments = attachments_by_ticket().filter(entry::Column::TicketId.is_in(ids()));
            let attachments: Vec<(i64, i64)> = attachments.into_tuple().all(&self.0.reader).await.doing(LISTING)?;
            let entries: BTreeMap<i64, i64> = entries.into_iter().collect();
            let attachments: BTreeMap<i64, i64> = attachments.into_iter().collect();
            let number = |counted: &BTreeMap<i64, i64>, id: i64| counted.get(&id).copied().unwrap_or_default();
            for row in chunk {
                listed.push(summary(row, number(&entries, row.id), number(&attachments, row.id))?);
            }
        }
        Ok(listed)
    }

    /// One ticket with all that happened on it; none when there is none with that number.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn ticket(&self, number: TicketNumber) -> Result<Option<TicketView>, StoreError> {
        const DOING: &str = "reading a ticket";
        let db = &self.0.reader;
        let Some(row) = ticket::Entity::find_by_id(number.id()).one(db).await.doing(DOING)? else { return Ok(None) };
        let (entries, attachments) = entries_and_attachments(db, row.id).await.doing(DOING)?;
        let withheld = withheld::Entity::find()
            .filter(withheld::Column::MailId.is_in(entries.iter().filter_map(|entry| entry.mail_id)))
            .order_by_asc(withheld::Column::Position)
            .all(db)
            .await
            .doing(DOING)?;
        let mails = entries.iter().filter(|entry| entry.kind == "mail").count();
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let summary = summary(&row, count(mails), count(attachments.len()))?;
        let entries = entries
            .into_iter()
            .zip(1..)
            .map(|(entry, number)| entry_view(number, entry, &attachments, &withheld))
            .collect::<Result<_, _>>()?;
        let general_profile = general_profile::Entity::find_by_id(row.id).one(db).await.doing(DOING)?.is_some();
        let either = Condition::any().add(link::Column::TicketId.eq(row.id)).add(link::Column::ChangeId.eq(row.id));
        let linked = link::Entity::find().filter(either).order_by_asc(link::Column::TicketId).order_by_asc(link::Column::ChangeId);
        let linked = linked.all(db).await.doing(DOING)?;
        let other = |link: link::Model| TicketNumber::new(if link.ticket_id == row.id { link.change_id } else { link.ticket_id });
        Ok(Some(TicketView {
            links: linked.into_iter().map(other).collect(),
            summary,
            general_profile,
            requester: row.requester.as_deref().map(|text| address("ticket", text)).transpose()?,
            language: row.language,
            close_cause: row.close_cause,
            continues: row.continues.map(TicketNumber::new),
            cc_absent: row.cc_absent,
            cc: history::cc(&row.cc)?,
            entries,
        }))
    }

    /// Closes a ticket.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or [`StoreError::NotNow`] when it is closed.
    pub async fn close_ticket(&self, number: TicketNumber, agent: &str) -> Result<(), StoreError> {
        let (transaction, row) = self.ticket_for_change(number).await?;
        if row.status == "closed" {
            return Err(StoreError::NotNow("that ticket is closed already"));
        }
        self.change(
            transaction,
            row.id,
            Change { entry: "closed", agent, to: Some(Some(Closed { from: row.status, cause: "agent" })), ..Change::default() },
        )
        .await
    }

    /// Opens a closed ticket again: it goes back to the state it was closed from.
    ///
    /// # Errors
    /// [`StoreError::Unknown`], or [`StoreError::NotNow`] when it is not closed.
    pub async fn reopen_ticket(&self, number: TicketNumber, agent: &str) -> Result<(), StoreError> {
        let (transaction, row) = self.ticket_for_change(number).await?;
        if row.closed_from.is_none() {
            return Err(StoreError::NotNow("that ticket is not closed"));
        }
        self.change(transaction, row.id, Change { entry: "reopened", agent, to: Some(None), ..Change::default() }).await
    }

    /// Puts an agent's note on a ticket, which does not change its state.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is no such ticket.
    pub async fn note(&self, number: TicketNumber, agent: &str, text: &Redacted<String>) -> Result<(), StoreError> {
        let (transaction, row) = self.ticket_for_change(number).await?;
        self.change(transaction, row.id, Change { entry: "note", agent, text: text.reveal(), ..Change::default() }).await
    }

    pub(super) async fn ticket_for_change(&self, number: TicketNumber) -> Result<(DatabaseTransaction, ticket::Model), StoreError> {
        const DOING: &str = "reading a ticket";
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let row = ticket::Entity::find_by_id(number.id()).one(&transaction).await.doing(DOING)?.ok_or(StoreError::Unknown("ticket"))?;
        Ok((transaction, row))
    }

    async fn change(&self, transaction: DatabaseTransaction, id: i64, change: Change<'_>) -> Result<(), StoreError> {
        apply(&transaction, id, self.now(), &change).await?;
        transaction.commit().await.doing("changing a ticket")
    }
}

/// How a ticket is closed.
pub(super) struct Closed {
    pub(super) from: String,
    pub(super) cause: &'static str,
}

/// What an agent does to a ticket.
#[derive(Default)]
pub(super) struct Change<'a> {
    /// The kind of entry that it leaves; also its name in the audit record.
    pub(super) entry: &'static str,
    pub(super) agent: &'a str,
    pub(super) text: &'a str,
    /// What a note tells of.
    pub(super) deed: Option<&'static str>,
    /// The letter that went out by it.
    pub(super) letter: Option<i64>,
    /// `None`: the state stays. `Some(None)`: back to the state it was closed from.
    pub(super) to: Option<Option<Closed>>,
}

/// Carries a change out: the row, the entry, the audit record.
pub(super) async fn apply(db: &DatabaseTransaction, id: i64, now: i64, change: &Change<'_>) -> Result<(), StoreError> {
    const DOING: &str = "changing a ticket";
    if let Some(to) = &change.to {
        let update = ticket::Entity::update_many().filter(ticket::Column::Id.eq(id));
        let update = match to {
            Some(closed) => update
                .col_expr(ticket::Column::Status, Expr::value("closed"))
                .col_expr(ticket::Column::ClosedFrom, Expr::value(closed.from.clone()))
                .col_expr(ticket::Column::CloseCause, Expr::value(closed.cause))
                .col_expr(ticket::Column::ClosedAt, Expr::value(now)),
            None => update
                .col_expr(ticket::Column::Status, Expr::col(ticket::Column::ClosedFrom))
                .col_expr(ticket::Column::ClosedFrom, Expr::value(None::<String>))
                .col_expr(ticket::Column::CloseCause, Expr::value(None::<String>))
                .col_expr(ticket::Column::ClosedAt, Expr::value(None::<i64>)),
        };
        update.exec(db).await.doing(DOING)?;
    }
    let mut numbers = Numbers::read(db).await?;
    let entry_id = numbers.next_entry();
    let row = entry::Model {
        agent: Some(change.agent.to_owned()),
        written: storable(change.text),
        deed: change.deed.map(str::to_owned),
        outbox_id: change.letter,
        ..bare_entry(entry_id, id, change.entry, now)
    };
    entry::Entity::insert_many([entry::ActiveModel::from(row)]).exec_without_returning(db).await.doing(DOING)?;
    numbers.write(db).await?;
    let what = change.deed.unwrap_or(change.entry);
    record(db, now, &AgentRecord { what, agent: change.agent, ticket: Some(id), reply: change.letter, ..Default::default() }).await
}

fn entry_view(
    number: i64,
    entry: entry::Model,
    attachments: &[attachment::Model],
    withheld: &[withheld::Model],
) -> Result<EntryView, StoreError> {
    let attachments = attachments
        .iter()
        .zip(1..)
        .filter(|(row, _)| row.entry_id == entry.id)
        .map(|(row, number)| AttachmentView {
            number,
            index: row.position,
            name: row.name.clone().map(Redacted::new),
            media_type: row.media_type.clone(),
            format: row.format.clone(),
            size: row.size,
            sha256: row.sha256.clone(),
        })
        .collect();
    let withheld = withheld
        .iter()
        .filter(|row| entry.mail_id == Some(row.mail_id))
        .map(|row| (row.position, row.format.clone(), row.why.clone()))
        .collect();
    Ok(EntryView {
        number,
        purged: entry.purged_at.is_some(),
        at: timestamp("entry", entry.at)?,
        author: entry.author.as_deref().map(|text| address("entry", text)).transpose()?,
        author_name: entry.author_name.into(),
        subject: entry.subject.into(),
        written: entry.written.into(),
        quoted: entry.quoted.into(),
        message_id: entry.message_id.as_deref().and_then(|id| id.parse().ok()),
        kind: entry.deed.unwrap_or(entry.kind),
        agent: entry.agent,
        reply: entry.outbox_id,
        attachments,
        withheld,
    })
}
