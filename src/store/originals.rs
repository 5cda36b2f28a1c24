//! Originals: filed mails that lie in the `done` folder of their mailbox until their time is over.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

use super::audit::Tail;
use super::connection::begin_serial;
use super::entities::mail;
use super::error::While;
use super::rows::{CHUNK, KEYS, is_one_of, mail_uid};
use super::{Store, StoreError};
use crate::words::{MailUid, MailboxId, Pseudonym};

/// A filed mail whose original is to be expunged. In the `done` folder it has another UID than it had: its content tells
/// which one it is, and arrival and size where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// The mail.
    pub id: i64,
    /// Stands for its content.
    pub digest: Pseudonym,
    /// When it arrived, as the mailbox says, in milliseconds since 1970; none where that was not written down.
    pub received_at: Option<i64>,
    /// Its size in bytes, as the mailbox says; none where that was not written down.
    pub size: Option<i64>,
}

/// What became of originals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OriginalSettled {
    /// Expunged; looked for again, they are not there.
    Gone,
    /// They were not to be found: somebody moved or removed them.
    Absent,
}

impl Store {
    /// Originals of this mailbox that are to be expunged.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn originals_due(&self, mailbox: &MailboxId) -> Result<Vec<Original>, StoreError> {
        let rows: Vec<(i64, String, Option<i64>, Option<i64>)> = mail::Entity::find()
            .select_only()
            .columns([mail::Column::Id, mail::Column::Digest, mail::Column::ReceivedAt, mail::Column::Size])
            .filter(mail::Column::Mailbox.eq(mailbox.as_str()))
            .filter(mail::Column::Original.eq("due"))
            .order_by_asc(mail::Column::Id)
            .into_tuple()
            .all(&self.0.reader)
            .await
            .doing("looking for originals that are to be expunged")?;
        let original = |(id, digest, received_at, size)| Original { id, digest: Pseudonym::from_row(digest), received_at, size };
        Ok(rows.into_iter().map(original).collect())
    }

    /// What tells a copy of each of these mails in the `done` folder.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn originals_of(&self, uids: &[MailUid]) -> Result<Vec<(MailUid, Original)>, StoreError> {
        const DOING: &str = "looking up what was filed";
        let mut originals = Vec::new();
        for chunk in uids.chunks(KEYS) {
            let rows =
                mail::Entity::find().filter(is_one_of(chunk)).order_by_asc(mail::Column::Id).all(&self.0.reader).await.doing(DOING)?;
            for row in rows {
                let uid = mail_uid("mail", &row.mailbox, row.validity, row.uid)?;
                let digest = Pseudonym::from_row(row.digest);
                originals.push((uid, Original { id: row.id, digest, received_at: row.received_at, size: row.size }));
            }
        }
        Ok(originals)
    }

    /// The mailboxes in which originals are to be expunged.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn mailboxes_with_originals_due(&self) -> Result<Vec<MailboxId>, StoreError> {
        let names: Vec<String> = mail::Entity::find()
            .select_only()
            .column(mail::Column::Mailbox)
            .distinct()
            .filter(mail::Column::Original.eq("due"))
            .order_by_asc(mail::Column::Mailbox)
            .into_tuple()
            .all(&self.0.reader)
            .await
            .doing("looking for originals that are to be expunged")?;
        Ok(names.iter().map(|name| MailboxId::new(name)).collect())
    }

    /// Writes down what became of originals, and puts each of them on the audit record.
    ///
    /// # Errors
    /// The database is out of reach: they stay due, and looking for them again is safe.
    pub async fn originals_settled(&self, ids: &[i64], settled: OriginalSettled) -> Result<(), StoreError> {
        const DOING: &str = "noting what became of originals";
        let state = match settled {
            OriginalSettled::Gone => "gone",
            OriginalSettled::Absent => "absent",
        };
        for chunk in ids.chunks(CHUNK) {
            let transaction = begin_serial(&self.0.writer, DOING).await?;
            let these = || mail::Column::Id.is_in(chunk.iter().copied()).and(mail::Column::Original.eq("due"));
            let rows = mail::Entity::find().filter(these()).order_by_asc(mail::Column::Id).all(&transaction).await.doing(DOING)?;
            mail::Entity::update_many()
                .col_expr(mail::Column::Original, Expr::value(state))
                .filter(these())
                .exec(&transaction)
                .await
                .doing(DOING)?;
            let now = self.now();
            let mut audit = Tail::read(&transaction, now).await?;
            for row in &rows {
                let digest = audit.key().stand_in(&Pseudonym::from_row(row.digest.clone()));
                audit.add(now, &Expunged { what: "original", settled, mailbox: &row.mailbox, digest, ticket: row.ticket_id });
            }
            audit.write(&transaction).await?;
            transaction.commit().await.doing(DOING)?;
        }
        Ok(())
    }
}

/// An original in the audit record.
#[derive(Serialize)]
struct Expunged<'a> {
    what: &'static str,
    settled: OriginalSettled,
    mailbox: &'a str,
    digest: Pseudonym,
    ticket: Option<i64>,
}
