//! What agents do with tickets besides moving them through their states: letters, changes, links.

use sea_orm::sea_query::OnConflict;
use sea_orm::{DatabaseTransaction, EntityTrait};

use super::batch::{bare_entry, storable};
use super::connection::begin_serial;
use super::desk::{AgentRecord, Correspondence, correspondence, put_into_outbox, record};
use super::entities::{entry, link, ticket};
use super::error::While;
use super::history::Numbers;
use super::tickets::{Change, apply};
use super::{Store, StoreError};
use crate::plan::PlannedReply;
use crate::words::{EmailAddress, Keys, Language, Redacted, TicketNumber};

/// A letter that an agent has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// An answer in words of their own.
    Reply,
    /// A request for approval, to the general contacts.
    ApprovalAsked,
    /// The case needs data of other people: how to hand them over in the portal.
    ThirdPartyData,
}

impl Deed {
    /// The kind of entry that it leaves on the ticket, and its name in the audit record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::ApprovalAsked => "approval-asked",
            Self::ThirdPartyData => "third-party-data",
        }
    }
}

/// What somebody looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look<'a> {
    /// A ticket, with all that people wrote on it.
    Ticket(TicketNumber),
    /// The bytes of an attachment, by its number on the ticket.
    Attachment(TicketNumber, i64),
    /// What is kept of a person; none: of everybody.
    Profile(Option<&'a EmailAddress>),
    /// The contacts of an organisation; none: of all.
    Contacts(Option<&'a str>),
    /// The reasons of all legal holds.
    Holds,
}

/// What a new ticket of an agent is made of.
#[derive(Clone, Debug)]
pub struct AgentsTicket<'a> {
    /// Its desk.
    pub desk: &'a str,
    /// `change` or `incident`.
    pub kind: &'a str,
    /// Whose it is.
    pub organisation: Option<&'a str>,
    /// The language of letters on it.
    pub language: Language,
    /// What it is about, on one line.
    pub subject: &'a Redacted<String>,
    /// What it is about, in full.
    pub text: &'a Redacted<String>,
}

impl Store {
    /// Puts a letter of an agent's on a ticket and into the outbox; the ticket's state stays. `write` makes the letter; `text` is what stays of it
    /// on the ticket.
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; [`StoreError::NotNow`] when `write` makes none, because there is nobody to write to.
    pub async fn send_letter<F>(
        &self,
        number: TicketNumber,
        deed: Deed,
        agent: &str,
        text: &Redacted<String>,
        write: F,
    ) -> Result<(), StoreError>
    where
        F: FnOnce(&Correspondence, &Keys) -> Option<PlannedReply> + Send,
    {
        let (transaction, row) = self.ticket_for_change(number).await?;
        let letter = correspondence(&transaction, &row).await?.and_then(|letter| write(&letter, &self.0.keys));
        let letter = letter.ok_or(StoreError::NotNow("there is nobody on that ticket to whom this letter may go"))?;
        let id = letter.number;
        put_into_outbox(&transaction, letter).await?;
        let change = Change { entry: "note", deed: Some(deed.as_str()), letter: Some(id), agent, text: text.reveal(), ..Change::default() };
        apply(&transaction, row.id, self.now(), &change).await?;
        transaction.commit().await.doing("writing a letter")
    }

    /// Puts on record that somebody is shown what people wrote. To be called before it is shown.
    ///
    /// # Errors
    /// The database is out of reach: then nothing may be shown.
    pub async fn looked(&self, at: Look<'_>, agent: &str) -> Result<(), StoreError> {
        const DOING: &str = "putting a look on record";
        let look = AgentRecord { what: "looked", agent, ..Default::default() };
        let look = match at {
            Look::Ticket(number) => AgentRecord { ticket: Some(number.id()), ..look },
            Look::Attachment(number, attachment) => AgentRecord { ticket: Some(number.id()), attachment: Some(attachment), ..look },
            Look::Profile(whose) => AgentRecord { person: whose.map(|address| self.0.keys.person(address)), ..look },
            Look::Contacts(organisation) => AgentRecord { organisation, seen: Some("contacts"), ..look },
            Look::Holds => AgentRecord { seen: Some("holds"), ..look },
        };
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        record(&transaction, self.now(), &look).await?;
        transaction.commit().await.doing(DOING)
    }

    /// Links a ticket to the change that it waits for; its attachments are then kept until after the change.
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; [`StoreError::NotNow`] when the other ticket is no change.
    pub async fn link_to_change(&self, number: TicketNumber, change: TicketNumber, agent: &str) -> Result<(), StoreError> {
        const DOING: &str = "linking tickets";
        let (transaction, row) = self.ticket_for_change(number).await?;
        let other = ticket::Entity::find_by_id(change.id()).one(&transaction).await.doing(DOING)?.ok_or(StoreError::Unknown("ticket"))?;
        if row.kind == "change" || other.kind != "change" {
            return Err(StoreError::NotNow("an incident is linked to a change, and to nothing else"));
        }
        let linked = link::ActiveModel::from(link::Model { ticket_id: row.id, change_id: other.id });
        let twice = OnConflict::columns([link::Column::TicketId, link::Column::ChangeId]).do_nothing().to_owned();
        link::Entity::insert_many([linked]).on_conflict(twice).exec_without_returning(&transaction).await.doing(DOING)?;
        let now = self.now();
        note(&transaction, row.id, now, "linked", agent).await?;
        note(&transaction, other.id, now, "linked", agent).await?;
        let what = AgentRecord { what: "linked", agent, ticket: Some(row.id), other: Some(other.id), ..Default::default() };
        record(&transaction, now, &what).await?;
        transaction.commit().await.doing(DOING)
    }

    /// Opens a ticket that no mail began.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn open_ticket(&self, new: &AgentsTicket<'_>, agent: &str) -> Result<TicketNumber, StoreError> {
        const DOING: &str = "opening a ticket";
        let now = self.now();
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let mut numbers = Numbers::read(&transaction).await?;
        numbers.ticket += 1;
        let id = numbers.ticket;
        let row = ticket::Model {
            id,
            desk: new.desk.to_owned(),
            status: "open".to_owned(),
            closed_from: None,
            close_cause: None,
            kind: new.kind.to_owned(),
            urgent: false,
            organisation: new.organisation.map(str::to_owned),
            language: new.language.as_str().to_owned(),
            reasons: "[]".to_owned(),
            cc: "[]".to_owned(),
            cc_absent: false,
            duty_called: false,
            continues: None,
            requester: None,
            opened_at: now,
            closed_at: None,
            emptied_at: None,
        };
        ticket::Entity::insert_many([ticket::ActiveModel::from(row)]).exec_without_returning(&transaction).await.doing(DOING)?;
        let entry = entry::Model {
            agent: Some(agent.to_owned()),
            subject: storable(new.subject.reveal()),
            written: storable(new.text.reveal()),
            deed: Some("opened".to_owned()),
            ..bare_entry(numbers.next_entry(), id, "note", now)
        };
        entry::Entity::insert_many([entry::ActiveModel::from(entry)]).exec_without_returning(&transaction).await.doing(DOING)?;
        numbers.write(&transaction).await?;
        record(&transaction, now, &AgentRecord { what: "opened", agent, ticket: Some(id), ..Default::default() }).await?;
        transaction.commit().await.doing(DOING)?;
        Ok(TicketNumber::new(id))
    }
}

/// Leaves a note without words on a ticket; what was done is put on record by the caller.
pub(super) async fn note(db: &DatabaseTransaction, ticket: i64, now: i64, deed: &str, agent: &str) -> Result<(), StoreError> {
    let mut numbers = Numbers::read(db).await?;
    let entry = entry::Model {
        agent: Some(agent.to_owned()),
        deed: Some(deed.to_owned()),
        ..bare_entry(numbers.next_entry(), ticket, "note", now)
    };
    entry::Entity::insert_many([entry::ActiveModel::from(entry)]).exec_without_returning(db).await.doing("changing a ticket")?;
    numbers.write(db).await
}
