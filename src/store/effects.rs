//! What must still happen on mail servers: mails to be filed or deleted, until that is done and seen to be done (T2).

use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

use super::audit::Tail;
use super::connection::{begin, begin_serial};
use super::entities::mail;
use super::error::While;
use super::rows::{KEYS, is_one_of, mail_uid};
use super::{Booked, Store, StoreError};
use crate::decide::ServerAction;
use crate::words::{MailUid, MailboxId, Shelf};

const SETTLING: &str = "noting what became of server actions";
/// The first wait after a failure, in milliseconds; it doubles with each further one.
const FIRST_WAIT: i64 = 15_000;
/// The longest wait.
const LONGEST_WAIT: i64 = 3_600_000;

/// Server actions that are due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Mails to be filed.
    pub file: Vec<MailUid>,
    /// Mails to be deleted, expunged, and looked for again.
    pub delete: Vec<MailUid>,
}

impl Due {
    /// True when nothing is due.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.file.is_empty() && self.delete.is_empty()
    }

    /// Sorts what was just booked.
    #[must_use]
    pub fn of(booked: &[Booked]) -> Self {
        let mut due = Self::default();
        for one in booked {
            match one.action() {
                ServerAction::File => due.file.push(one.uid().clone()),
                ServerAction::Delete => due.delete.push(one.uid().clone()),
                ServerAction::Keep => {}
            }
        }
        due
    }
}

/// What became of server actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionSettled<'a> {
    /// Done, and seen to be done.
    Done,
    /// Likewise; those that were to be filed lie there.
    Filed(&'a Shelf),
    /// The UIDs belong to another UIDVALIDITY: the mail, if it is still there, will be met again under a new UID.
    Moot,
    /// Not done; it is due again after a while.
    Failed,
}

impl Store {
    /// Server actions of this mailbox that are due, the oldest first.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn due_actions(&self, mailbox: &MailboxId, limit: u64) -> Result<Vec<Booked>, StoreError> {
        let rows: Vec<(i64, i64, String)> = mail::Entity::find()
            .select_only()
            .columns([mail::Column::Validity, mail::Column::Uid, mail::Column::ServerAction])
            .filter(mail::Column::Mailbox.eq(mailbox.as_str()))
            .filter(mail::Column::ActionState.eq("due"))
            .filter(mail::Column::ActionDueAt.lte(self.now()))
            .order_by_asc(mail::Column::ActionDueAt)
            .order_by_asc(mail::Column::Id)
            .limit(limit)
            .into_tuple()
            .all(&self.0.reader)
            .await
            .doing("looking for server actions that are due")?;
        rows.into_iter()
            .map(|(validity, uid, action)| {
                let action = ServerAction::from_code(&action).ok_or(StoreError::BadRow("mail"))?;
                Ok(Booked::from_row(mail_uid("mail", mailbox.as_str(), validity, uid)?, action))
            })
            .collect()
    }

    /// T2: writes down what became of these mails on the server. That a mail is deleted goes on the audit record, too: it
    /// was looked for and was not there.
    ///
    /// # Errors
    /// The database is out of reach: the actions stay due, and doing them again is safe.
    pub async fn action_done(&self, uids: &[MailUid], settled: ActionSettled<'_>) -> Result<(), StoreError> {
        if uids.is_empty() {
            return Ok(());
        }
        let removes = settled == ActionSettled::Done && !deletions(&self.0.reader, uids).await?.is_empty();
        let transaction = if removes { begin_serial(&self.0.writer, SETTLING).await? } else { begin(&self.0.writer, SETTLING).await? };
        self.check_lease(&transaction, uids).await?;
        // Asked again where nobody else can answer it meanwhile: each removal is on record once.
        let removed = if removes { deletions(&transaction, uids).await? } else { Vec::new() };
        for chunk in uids.chunks(KEYS) {
            self.settle_actions(&transaction, chunk, settled).await?;
        }
        if removed.is_empty() {
            return transaction.commit().await.doing(SETTLING);
        }
        let mut audit = Tail::read(&transaction, self.now()).await?;
        for (mailbox, validity, uid) in &removed {
            audit.add(self.now(), &Deleted { what: "deleted", mailbox, validity: *validity, uid: *uid });
        }
        audit.write(&transaction).await?;
        transaction.commit().await.doing(SETTLING)
    }

    async fn settle_actions(&self, db: &impl ConnectionTrait, uids: &[MailUid], settled: ActionSettled<'_>) -> Result<(), StoreError> {
        let update = mail::Entity::update_many().filter(is_one_of(uids)).filter(mail::Column::ActionState.eq("due"));
        let update = match settled {
            ActionSettled::Done => {
                let filed = Expr::case(mail::Column::ServerAction.eq("file"), self.now()).finally(None::<i64>);
                update.col_expr(mail::Column::ActionState, Expr::value("done")).col_expr(mail::Column::FiledAt, filed.into())
            }
            ActionSettled::Filed(shelf) => update
                .col_expr(mail::Column::ActionState, Expr::value("done"))
                .col_expr(mail::Column::FiledAt, Expr::value(self.now()))
                .col_expr(mail::Column::FiledIn, Expr::value(shelf.account.clone()))
                // Nowhere is known, too.
                .col_expr(mail::Column::FiledTo, Expr::value(shelf.folder.clone().unwrap_or_default())),
            ActionSettled::Moot => update.col_expr(mail::Column::ActionState, Expr::value("moot")),
            ActionSettled::Failed => update
                .col_expr(mail::Column::ActionDueAt, Expr::value(self.now()).add(wait()))
                .col_expr(mail::Column::ActionAttempts, Expr::col(mail::Column::ActionAttempts).add(1)),
        };
        update.exec(db).await.doing(SETTLING).map(|_| ())
    }
}

/// Which of these mails are to be deleted, and not yet known to be.
async fn deletions(db: &impl ConnectionTrait, uids: &[MailUid]) -> Result<Vec<(String, i64, i64)>, StoreError> {
    let mut deletions = Vec::new();
    for chunk in uids.chunks(KEYS) {
        let rows: Vec<(String, i64, i64)> = mail::Entity::find()
            .select_only()
            .columns([mail::Column::Mailbox, mail::Column::Validity, mail::Column::Uid])
            .filter(is_one_of(chunk))
            .filter(mail::Column::ServerAction.eq("delete"))
            .filter(mail::Column::ActionState.eq("due"))
            .into_tuple()
            .all(db)
            .await
            .doing(SETTLING)?;
        deletions.extend(rows);
    }
    Ok(deletions)
}

/// How long to wait by the attempts so far: 15 s, doubling up to an hour.
fn wait() -> CaseStatement {
    let mut wait = CaseStatement::new();
    let (mut milliseconds, mut attempts) = (FIRST_WAIT, 0_i64);
    while milliseconds < LONGEST_WAIT {
        wait = wait.case(mail::Column::ActionAttempts.eq(attempts), milliseconds);
        (milliseconds, attempts) = (milliseconds * 2, attempts + 1);
    }
    wait.finally(LONGEST_WAIT)
}

/// A deletion in the audit record.
#[derive(Serialize)]
struct Deleted<'a> {
    what: &'static str,
    mailbox: &'a str,
    validity: i64,
    uid: i64,
}
