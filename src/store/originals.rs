//! Originals: filed mails that lie in the `done` folder of their mailbox until their time is over.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

use super::audit::Tail;
use super::connection::begin_serial;
use super::entities::mail;
use super::error::While;
use super::rows::{CHUNK, KEYS, is_one_of, mail_uid};
use super::{Hold, Store, StoreError};
use crate::words::{MailUid, MailboxId, Pseudonym, Shelf};

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
    /// Where it was filed; none where that was not written down.
    pub shelf: Option<Shelf>,
}

fn shelf(account: Option<String>, folder: Option<String>) -> Option<Shelf> {
    account.map(|account| Shelf { account, folder: folder.filter(|folder| !folder.is_empty()) })
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
    /// Originals of this mailbox that are to be expunged. A mail that is still to be filed is not among them.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn originals_due(&self, mailbox: &MailboxId) -> Result<Vec<Original>, StoreError> {
        let rows = mail::Entity::find()
            .filter(mail::Column::Mailbox.eq(mailbox.as_str()))
            .filter(is_due())
            .order_by_asc(mail::Column::Id)
            .all(&self.0.reader)
            .await
            .doing("looking for originals that are to be expunged")?;
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
                originals.push((uid, original(row)));
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
            .filter(is_due())
            .order_by_asc(mail::Column::Mailbox)
            .into_tuple()
            .all(&self.0.reader)
            .await
            .doing("looking for originals that are to be expunged")?;
        Ok(names.iter().map(|name| MailboxId::new(name)).collect())
    }

    /// Writes down what became of originals, and puts each of them on the audit record. `hold` is on the mailbox in which they were looked for;
    /// none where there was nothing to look for.
    ///
    /// # Errors
    /// The database is out of reach, or the mailbox was taken over: they stay due, and looking for them again is safe.
    pub async fn originals_settled(&self, ids: &[i64], settled: OriginalSettled, hold: Option<&Hold>) -> Result<(), StoreError> {
        const DOING: &str = "noting what became of originals";
        let state = match settled {
            OriginalSettled::Gone => "gone",
            OriginalSettled::Absent => "absent",
        };
        for chunk in ids.chunks(CHUNK) {
            let transaction = begin_serial(&self.0.writer, DOING).await?;
            self.check_lease_on(&transaction, hold.iter().map(|hold| hold.mailbox().as_str()).collect()).await?;
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

    /// An agent says that these originals were removed by hand: nobody else can look for them.
    ///
    /// # Errors
    /// The database is out of reach: they stay due.
    pub async fn originals_removed_by_hand(&self, mailbox: &MailboxId, ids: &[i64], agent: &str) -> Result<(), StoreError> {
        const DOING: &str = "noting that originals were removed by hand";
        if ids.is_empty() {
            return Ok(());
        }
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let now = self.now();
        let mut audit = Tail::read(&transaction, now).await?;
        let agent = audit.agent(agent);
        audit.add(now, &ByHand { what: "originals-removed-by-hand", mailbox: mailbox.as_str(), count: ids.len(), agent });
        audit.write(&transaction).await?;
        transaction.commit().await.doing(DOING)?;
        self.originals_settled(ids, OriginalSettled::Absent, None).await
    }
}

/// To be expunged, and filed.
fn is_due() -> Expr {
    mail::Column::Original.eq("due").and(mail::Column::ActionState.ne("due"))
}

fn original(row: mail::Model) -> Original {
    let digest = Pseudonym::from_row(row.digest);
    Original { id: row.id, digest, received_at: row.received_at, size: row.size, shelf: shelf(row.filed_in, row.filed_to) }
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

/// Somebody's word for it, in the audit record.
#[derive(Serialize)]
struct ByHand<'a> {
    what: &'static str,
    mailbox: &'a str,
    count: usize,
    agent: String,
}
