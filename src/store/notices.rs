//! What desks and contacts are told by the clock, once each: tickets that wait too long, senders whom a contact refused or did not confirm.

use jiff::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::casework::note;
use super::connection::begin_serial;
use super::desk::{AgentRecord, Correspondence, correspondence, put_into_outbox, record};
use super::entities::{entry, identity_check, mail, outbox, privacy_notice, profile, queue_reminder, ticket};
use super::error::While;
use super::history::Numbers;
use super::profiles::DAEMON;
use super::retention::{Rules, waits_until};
use super::rows::{CHUNK, address, timestamp};
use super::{Store, StoreError};
use crate::decide::Template;
use crate::identify::Authentic;
use crate::plan::{PlannedReply, VERIFY_IDENTITY_A_DAY};
use crate::words::{EmailAddress, Keys, TicketNumber};

const DOING: &str = "telling desks what waits";
const DAY: i64 = 24 * 3_600_000;

/// Something that a desk was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The ticket.
    pub ticket: TicketNumber,
    /// The kind of note on it: `queue-reminder`, `identity-expires`, `identity-expired`, `identity-refused`.
    pub what: &'static str,
}

/// Mail of an organisation that was refused because it held citizen data.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The number that the letter about it takes.
    pub reply: i64,
    /// The desk that it came to last.
    pub desk: String,
}

/// A question to a listed contact that nobody has answered yet.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The ticket that it is about.
    pub on: Correspondence,
    /// Who was asked.
    pub contact: EmailAddress,
    /// Until when an answer counts.
    pub expires: Timestamp,
}

impl Store {
    /// Reminds of every ticket that waits since before that moment, each once: a note on it, a letter where `write` makes one, which is told until
    /// when the ticket waits by these rules.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn remind_of_queue<F>(&self, since_before: Timestamp, rules: &Rules, write: F) -> Result<Vec<Notice>, StoreError>
    where
        F: Fn(&Correspondence, Option<Timestamp>, &Keys) -> Option<PlannedReply> + Sync,
    {
        const WHAT: &str = "queue-reminder";
        let reminded = sea_orm::sea_query::Query::select().column(queue_reminder::Column::TicketId).from(queue_reminder::Entity).to_owned();
        let due: Vec<ticket::Model> = ticket::Entity::find()
            .filter(ticket::Column::Status.eq("queued"))
            .filter(ticket::Column::OpenedAt.lt(since_before.as_millisecond()))
            .filter(ticket::Column::Id.not_in_subquery(reminded))
            .order_by_asc(ticket::Column::Id)
            .all(&self.0.reader)
            .await
            .doing(DOING)?;
        let mut told = Vec::new();
        for row in due {
            let transaction = begin_serial(&self.0.writer, DOING).await?;
            if queue_reminder::Entity::find_by_id(row.id).one(&transaction).await.doing(DOING)?.is_some() {
                continue;
            }
            let done = queue_reminder::ActiveModel::from(queue_reminder::Model { ticket_id: row.id, at: self.now() });
            queue_reminder::Entity::insert_many([done]).exec_without_returning(&transaction).await.doing(DOING)?;
            let until = waits_until(&transaction, &row, rules, self.now()).await?;
            told.push(self.tell(transaction, &row, WHAT, &|on, keys| write(on, until, keys)).await?);
        }
        Ok(told)
    }

    /// Warns of every question to a contact that nobody has answered and that lapses before that moment, each once; as [`Store::remind_of_queue`].
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn warn_of_identity_checks<F>(&self, lapses_before: Timestamp, write: F) -> Result<Vec<Notice>, StoreError>
    where
        F: Fn(&Asked, &Keys) -> Option<PlannedReply> + Sync,
    {
        const WHAT: &str = "identity-expires";
        let due = identity_check::Entity::find()
            .filter(identity_check::Column::State.eq("pending"))
            .filter(identity_check::Column::ExpiresAt.between(self.now(), lapses_before.as_millisecond()))
            .order_by_asc(identity_check::Column::Id)
            .all(&self.0.reader)
            .await
            .doing(DOING)?;
        let mut told = Vec::new();
        for check in due {
            let transaction = begin_serial(&self.0.writer, DOING).await?;
            let row = ticket::Entity::find_by_id(check.ticket_id).one(&transaction).await.doing(DOING)?;
            let Some(row) = row.filter(|row| row.status == "queued") else { continue };
            let noted = entry::Entity::find().filter(entry::Column::TicketId.eq(row.id)).filter(entry::Column::Deed.eq(WHAT));
            if noted.one(&transaction).await.doing(DOING)?.is_some() {
                continue;
            }
            let (contact, expires) = (address("identity_check", &check.contact)?, timestamp("identity_check", check.expires_at)?);
            let question = |on: &Correspondence| Asked { on: on.clone(), contact: contact.clone(), expires };
            told.push(self.tell(transaction, &row, WHAT, &|on, keys| write(&question(on), keys)).await?);
        }
        Ok(told)
    }

    /// Tells of every question to a contact that was answered with no, or not in time; each once. As [`Store::remind_of_queue`].
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn tell_of_identity_checks<F>(&self, write: F) -> Result<Vec<Notice>, StoreError>
    where
        F: Fn(&Correspondence, &Keys) -> Option<PlannedReply> + Sync,
    {
        let expired = identity_check::Column::State.eq("pending").and(identity_check::Column::ExpiresAt.lt(self.now()));
        let due = identity_check::Entity::find()
            .filter(identity_check::Column::ToldAt.is_null())
            .filter(identity_check::Column::State.eq("refused").or(expired))
            .order_by_asc(identity_check::Column::Id)
            .all(&self.0.reader)
            .await
            .doing(DOING)?;
        let mut told = Vec::new();
        for check in due {
            let transaction = begin_serial(&self.0.writer, DOING).await?;
            let marked = identity_check::Entity::update_many()
                .col_expr(identity_check::Column::ToldAt, Expr::value(self.now()))
                .filter(identity_check::Column::Id.eq(check.id))
                .filter(identity_check::Column::ToldAt.is_null())
                .exec(&transaction)
                .await
                .doing(DOING)?;
            let row = ticket::Entity::find_by_id(check.ticket_id).one(&transaction).await.doing(DOING)?;
            let refused = check.state == "refused";
            // Where an agent has decided meanwhile, silence matters no more.
            let Some(row) = row.filter(|row| marked.rows_affected == 1 && (refused || row.status == "queued")) else {
                transaction.commit().await.doing(DOING)?;
                continue;
            };
            let what = if refused { "identity-refused" } else { "identity-expired" };
            told.push(self.tell(transaction, &row, what, &write).await?);
        }
        Ok(told)
    }

    /// Asks contacts once more who were asked before that moment and have not answered. A contact who was asked three times within a day is left
    /// alone until later. Returns how many were asked.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn ask_again<F>(&self, asked_before: Timestamp, write: F) -> Result<u64, StoreError>
    where
        F: Fn(&Asked, &Keys) -> Option<PlannedReply> + Sync,
    {
        let due = identity_check::Entity::find()
            .filter(identity_check::Column::State.eq("pending"))
            .filter(identity_check::Column::ReminderId.is_null())
            .filter(identity_check::Column::ExpiresAt.gt(self.now()))
            .order_by_asc(identity_check::Column::Id)
            .all(&self.0.reader)
            .await
            .doing(DOING)?;
        let mut asked = 0;
        for check in due {
            let transaction = begin_serial(&self.0.writer, DOING).await?;
            let row = ticket::Entity::find_by_id(check.ticket_id).one(&transaction).await.doing(DOING)?;
            let waits = |row: &ticket::Model| row.status == "queued" && row.opened_at < asked_before.as_millisecond();
            let Some(row) = row.filter(waits) else { continue };
            let contact = address("identity_check", &check.contact)?;
            if self.questions_today(&transaction, &contact).await? >= u64::from(VERIFY_IDENTITY_A_DAY) {
                continue;
            }
            let Some(on) = correspondence(&transaction, &row).await? else { continue };
            let question = Asked { on, contact, expires: timestamp("identity_check", check.expires_at)? };
            let Some(letter) = write(&question, &self.0.keys) else { continue };
            let marked = identity_check::Entity::update_many()
                .col_expr(identity_check::Column::ReminderId, Expr::value(letter.number))
                .filter(identity_check::Column::Id.eq(check.id))
                .filter(identity_check::Column::State.eq("pending"))
                .filter(identity_check::Column::ReminderId.is_null())
                .exec(&transaction)
                .await
                .doing(DOING)?;
            if marked.rows_affected == 1 {
                let reply = Some(letter.number);
                put_into_outbox(&transaction, letter).await?;
                let what = AgentRecord { what: "identity-reminder", agent: DAEMON, ticket: Some(row.id), reply, ..Default::default() };
                record(&transaction, self.now(), &what).await?;
                transaction.commit().await.doing(DOING)?;
                asked += 1;
            }
        }
        Ok(asked)
    }

    /// Tells an organisation's privacy contact, by the letter that `write` makes, that citizen data in authentic mail of the organisation was
    /// refused since the last letter; once a day at most, and of nothing older than a day at first. Returns whether it did.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn tell_of_refusals<F>(&self, organisation: &str, write: F) -> Result<bool, StoreError>
    where
        F: FnOnce(&Refused, &Keys) -> Option<PlannedReply> + Send,
    {
        let told = told_of_refusals(&self.0.reader, organisation).await?;
        if told.as_ref().is_some_and(|told| told.at > self.now() - DAY) {
            return Ok(false);
        }
        let since = match &told {
            Some(told) => mail::Column::Id.gt(told.mail_id),
            None => mail::Column::BookedAt.gt(self.now() - DAY),
        };
        let last = mail::Entity::find()
            .filter(mail::Column::Organisation.eq(organisation))
            // As the index has it, which a bound value would leave unused.
            .filter(Expr::cust("outcome = 'reject'"))
            .filter(mail::Column::Reasons.contains("citizen-data"))
            .filter(mail::Column::Authentic.eq(Authentic::Pass.as_str()))
            .filter(since)
            .order_by_desc(mail::Column::Id)
            .one(&self.0.reader)
            .await
            .doing(DOING)?;
        let Some(last) = last else { return Ok(false) };
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        if told_of_refusals(&transaction, organisation).await? != told {
            return Ok(false);
        }
        let on = Refused { reply: Numbers::read(&transaction).await?.reply + 1, desk: last.desk };
        let Some(letter) = write(&on, &self.0.keys) else { return Ok(false) };
        let reply = Some(letter.number);
        put_into_outbox(&transaction, letter).await?;
        let row = privacy_notice::Model { organisation: organisation.to_owned(), mail_id: last.id, at: self.now() };
        let again = OnConflict::column(privacy_notice::Column::Organisation)
            .update_columns([privacy_notice::Column::MailId, privacy_notice::Column::At])
            .to_owned();
        let insert = privacy_notice::Entity::insert_many([privacy_notice::ActiveModel::from(row)]).on_conflict(again);
        insert.exec_without_returning(&transaction).await.doing(DOING)?;
        let what = AgentRecord { what: "privacy-notice", agent: DAEMON, organisation: Some(organisation), reply, ..Default::default() };
        record(&transaction, self.now(), &what).await?;
        transaction.commit().await.doing(DOING)?;
        Ok(true)
    }

    /// Which of these people have a profile that is not deactivated.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn active_profiles(&self, people: &[EmailAddress]) -> Result<Vec<EmailAddress>, StoreError> {
        let mut active = Vec::new();
        for chunk in people.chunks(CHUNK) {
            let rows: Vec<String> = profile::Entity::find()
                .select_only()
                .column(profile::Column::Address)
                .filter(profile::Column::Person.is_in(chunk.iter().map(|address| self.0.keys.person(address).as_str().to_owned())))
                .filter(profile::Column::DeactivatedOn.is_null())
                .into_tuple()
                .all(&self.0.reader)
                .await
                .doing(DOING)?;
            for text in rows {
                active.push(address("profile", &text)?);
            }
        }
        Ok(active)
    }

    async fn questions_today(&self, db: &DatabaseTransaction, contact: &EmailAddress) -> Result<u64, StoreError> {
        use sea_orm::PaginatorTrait;
        outbox::Entity::find()
            .filter(outbox::Column::RecipientKey.eq(self.0.keys.person(contact).as_str()))
            .filter(outbox::Column::Template.eq(Template::VerifyIdentity.as_str()))
            .filter(outbox::Column::CreatedAt.gt(self.now() - DAY))
            .count(db)
            .await
            .doing(DOING)
    }

    /// A note on the ticket, a row on record, and a letter where there is somebody to read it: the last of the transaction that found it due.
    async fn tell(
        &self,
        db: DatabaseTransaction,
        row: &ticket::Model,
        what: &'static str,
        write: &impl Fn(&Correspondence, &Keys) -> Option<PlannedReply>,
    ) -> Result<Notice, StoreError> {
        let letter = correspondence(&db, row).await?.and_then(|on| write(&on, &self.0.keys));
        let reply = letter.as_ref().map(|letter| letter.number);
        if let Some(letter) = letter {
            put_into_outbox(&db, letter).await?;
        }
        note(&db, row.id, self.now(), what, DAEMON).await?;
        record(&db, self.now(), &AgentRecord { what, agent: DAEMON, ticket: Some(row.id), reply, ..Default::default() }).await?;
        db.commit().await.doing(DOING)?;
        Ok(Notice { ticket: TicketNumber::new(row.id), what })
    }
}

async fn told_of_refusals(db: &impl ConnectionTrait, organisation: &str) -> Result<Option<privacy_notice::Model>, StoreError> {
    privacy_notice::Entity::find_by_id(organisation).one(db).await.doing(DOING)
}
