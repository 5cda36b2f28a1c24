//! Found later: what an agent recognises as citizen data goes at once, here and on the server (POLICY "Found later").

use std::collections::BTreeSet;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};

use super::casework::note;
use super::desk::{AgentRecord, Correspondence, correspondence, put_into_outbox, record};
use super::entities::{attachment, entry, mail, withheld};
use super::error::While;
use super::holds::Holds;
use super::tickets::{Change, Closed, apply, entries_and_attachments};
use super::{Store, StoreError};
use crate::plan::PlannedReply;
use crate::words::{Keys, TicketNumber};

const DOING: &str = "purging a ticket";

/// What is to go, counted as `tickets show` numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    /// Everything that people wrote on the ticket, with all attachments. The ticket is closed.
    Ticket,
    /// One entry with its attachments.
    Entry(i64),
    /// One attachment.
    Attachment(i64),
}

/// What went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Attachments: the place in their mail, from 1, and the format.
    pub attachments: Vec<(usize, String)>,
    /// How many originals on the server are to be expunged now.
    pub originals: u64,
    /// How many are to be expunged as soon as they are filed: their mailbox was out of reach since.
    pub unfiled: u64,
}

impl Store {
    /// Removes what an agent recognised as citizen data: words and attachments, their files, and marks the originals to be expunged. `write` makes
    /// the letter to the one who asked, where there is to be one.
    ///
    /// # Errors
    /// [`StoreError::Unknown`]; [`StoreError::NotNow`] under a legal hold. Nothing was removed then.
    pub async fn purge<F>(&self, number: TicketNumber, what: Purge, agent: &str, write: F) -> Result<Purged, StoreError>
    where
        F: FnOnce(&Correspondence, &Purged, &Keys) -> Option<PlannedReply> + Send,
    {
        let (transaction, row) = self.ticket_for_change(number).await?;
        if Holds::read(&transaction).await?.keep(Some(row.id), row.organisation.as_deref()) {
            return Err(StoreError::NotNow("the ticket or its organisation is under a legal hold, which `retention unhold` lifts"));
        }
        let now = self.now();
        let (entries, attachments) = chosen(&transaction, row.id, what).await?;
        let mut purged = Purged {
            attachments: attachments.iter().map(|file| (place(file.position), file.format.clone())).collect(),
            ..Purged::default()
        };
        for file in &attachments {
            withhold(&transaction, file, &entries).await?;
        }
        let words: Vec<i64> =
            if matches!(what, Purge::Attachment(_)) { Vec::new() } else { entries.iter().map(|entry| entry.id).collect() };
        empty(&transaction, &words, now).await?;
        let mails = entries.iter().filter_map(|entry| entry.mail_id).collect();
        (purged.originals, purged.unfiled) = mark_originals(&transaction, mails).await?;
        if what == Purge::Ticket && row.status != "closed" {
            let to = Some(Some(Closed { from: row.status.clone(), cause: "agent" }));
            apply(&transaction, row.id, now, &Change { entry: "closed", agent, to, ..Change::default() }).await?;
        }
        let letter = correspondence(&transaction, &row).await?.and_then(|on| write(&on, &purged, &self.0.keys));
        let reply = letter.as_ref().map(|letter| letter.number);
        if let Some(letter) = letter {
            put_into_outbox(&transaction, letter).await?;
        }
        note(&transaction, row.id, now, "purged", agent).await?;
        let done = AgentRecord { what: "purged", agent, ticket: Some(row.id), reply, ..Default::default() };
        let done = match what {
            Purge::Ticket => done,
            Purge::Entry(entry) => AgentRecord { entry: Some(entry), ..done },
            Purge::Attachment(attachment) => AgentRecord { attachment: Some(attachment), ..done },
        };
        record(&transaction, now, &done).await?;
        transaction.commit().await.doing(DOING)?;
        self.sweep_attachments().await?;
        self.checkpoint().await?;
        Ok(purged)
    }
}

/// The entries and attachments that are meant; of an attachment alone its entry, whose words stay.
async fn chosen(db: &DatabaseTransaction, id: i64, what: Purge) -> Result<(Vec<entry::Model>, Vec<attachment::Model>), StoreError> {
    let (mut entries, mut files) = entries_and_attachments(db, id).await.doing(DOING)?;
    let nth = |number: i64| usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    match what {
        Purge::Ticket => {}
        Purge::Entry(number) => {
            let entry = nth(number).and_then(|at| entries.get(at).cloned()).ok_or(StoreError::Unknown("entry"))?;
            files.retain(|file| file.entry_id == entry.id);
            entries = vec![entry];
        }
        Purge::Attachment(number) => {
            let file = nth(number).and_then(|at| files.get(at).cloned()).ok_or(StoreError::Unknown("attachment"))?;
            entries.retain(|entry| entry.id == file.entry_id);
            files = vec![file];
        }
    }
    Ok((entries, files))
}

/// An attachment goes; what stays says that there was one.
async fn withhold(db: &DatabaseTransaction, file: &attachment::Model, entries: &[entry::Model]) -> Result<(), StoreError> {
    attachment::Entity::delete_many()
        .filter(attachment::Column::EntryId.eq(file.entry_id))
        .filter(attachment::Column::Position.eq(file.position))
        .exec(db)
        .await
        .doing(DOING)?;
    let mail = entries.iter().find(|entry| entry.id == file.entry_id).and_then(|entry| entry.mail_id);
    let Some(mail_id) = mail else { return Ok(()) };
    let row = withheld::Model {
        mail_id,
        position: file.position,
        format: file.format.clone(),
        size_class: "purged".to_owned(),
        why: "citizen-data".to_owned(),
        kinds: "{}".to_owned(),
    };
    withheld::Entity::insert_many([withheld::ActiveModel::from(row)]).exec_without_returning(db).await.doing(DOING).map(|_| ())
}

async fn empty(db: &DatabaseTransaction, entries: &[i64], now: i64) -> Result<(), StoreError> {
    entry::Entity::update_many()
        .col_expr(entry::Column::AuthorName, Expr::value(""))
        .col_expr(entry::Column::Subject, Expr::value(""))
        .col_expr(entry::Column::Written, Expr::value(""))
        .col_expr(entry::Column::Quoted, Expr::value(""))
        .col_expr(entry::Column::PurgedAt, Expr::value(now))
        .filter(entry::Column::Id.is_in(entries.iter().copied()))
        .exec(db)
        .await
        .doing(DOING)
        .map(|_| ())
}

/// The originals of these mails, and of the same mails in other mailboxes, are to be expunged: at once where they are filed, else once they are.
async fn mark_originals(db: &DatabaseTransaction, mails: Vec<i64>) -> Result<(u64, u64), StoreError> {
    let digests: Vec<String> = mail::Entity::find()
        .select_only()
        .column(mail::Column::Digest)
        .filter(mail::Column::Id.is_in(mails))
        .into_tuple()
        .all(db)
        .await
        .doing(DOING)?;
    let digests: BTreeSet<String> = digests.into_iter().collect();
    let mut marked = [0, 0];
    for (state, count) in ["done", "due"].into_iter().zip(&mut marked) {
        let update = mail::Entity::update_many()
            .col_expr(mail::Column::Original, Expr::value("due"))
            .filter(mail::Column::Digest.is_in(digests.iter().cloned()))
            .filter(mail::Column::ServerAction.eq("file"))
            .filter(mail::Column::ActionState.eq(state))
            .filter(Condition::any().add(mail::Column::Original.is_null()).add(mail::Column::Original.eq("due")));
        *count = update.exec(db).await.doing(DOING)?.rows_affected;
    }
    Ok(marked.into())
}

fn place(position: i64) -> usize {
    usize::try_from(position).unwrap_or_default() + 1
}
