//! Mails that have no result yet: who was taken in hand how often (T0), who waits, who is stuck.
//!
//! An attempt is written down before a mail is opened, so that a mail that brings the program down is found out: after
//! an unclean stop such mails are taken one at a time, and only attempts in which a mail was alone in hand count
//! towards stuck.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::connection::begin;
use super::entities::{arrival, mail};
use super::error::While;
use super::rows::{KEYS, is_one_of, mail_uid, timestamp};
use super::{Store, StoreError};
use crate::words::{MailUid, MailboxId};

/// In place of a mailbox's name: mails that come from none (`deliver`).
pub const OUTSIDE: &str = "deliver";

/// After so many attempts alone a mail is stuck.
const ATTEMPTS: i64 = 3;

/// How a mail without a result stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrivalState {
    /// Never taken in hand.
    New,
    /// Taken in hand before, without a result. It is to be taken alone.
    Waiting,
    /// Over the intake rate (POLICY row 0).
    Deferred,
    /// Given up until an agent says otherwise.
    Stuck,
    /// Booked, and seen to have left the folder; and yet a mail lies there under its UID.
    UidUsedBefore,
}

/// A mail without a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unbooked {
    /// Which one.
    pub uid: MailUid,
    /// How it stands.
    pub state: ArrivalState,
    /// How often it was taken in hand without a result, alone or not.
    pub attempts: u32,
}

impl Unbooked {
    /// Whether it must be the only one in hand.
    #[must_use]
    pub fn wants_to_be_alone(&self) -> bool {
        self.attempts > 0
    }
}

/// A mail that lies in its mailbox with a mark of ours: deferred, waiting or stuck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which one.
    pub uid: MailUid,
    /// How it stands.
    pub state: ArrivalState,
    /// How often it was taken in hand without a result.
    pub attempts: u32,
    /// When it was first taken in hand, or last deferred.
    pub since: Timestamp,
    /// Why, as a code.
    pub reason: Option<String>,
}

fn state(row: &arrival::Model) -> ArrivalState {
    match row.state.as_str() {
        "deferred" => ArrivalState::Deferred,
        "stuck" => ArrivalState::Stuck,
        _ => ArrivalState::Waiting,
    }
}

fn count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Store {
    /// Of these mails those that have no result, in the order given, with what is known of earlier attempts.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn filter_new(&self, uids: &[MailUid]) -> Result<Vec<Unbooked>, StoreError> {
        const DOING: &str = "looking for new mail";
        let mut new = Vec::new();
        for chunk in uids.chunks(KEYS) {
            let booked: Vec<(String, i64, i64, String)> = mail::Entity::find()
                .select_only()
                .columns([mail::Column::Mailbox, mail::Column::Validity, mail::Column::Uid, mail::Column::ActionState])
                .filter(is_one_of(chunk))
                .into_tuple()
                .all(&self.0.reader)
                .await
                .doing(DOING)?;
            let booked: BTreeMap<(&str, i64, i64), &str> =
                booked.iter().map(|(mailbox, validity, uid, action)| ((mailbox.as_str(), *validity, *uid), action.as_str())).collect();
            let seen = arrival::Entity::find().filter(is_one_of(chunk)).all(&self.0.reader).await.doing(DOING)?;
            let seen: BTreeMap<(&str, i64, i64), &arrival::Model> =
                seen.iter().map(|row| ((row.mailbox.as_str(), row.validity, row.uid), row)).collect();
            for uid in chunk {
                let key = (uid.mailbox.as_str(), i64::from(uid.validity.get()), i64::from(uid.uid.get()));
                let (state, attempts) = match (seen.get(&key), booked.get(&key)) {
                    (Some(row), _) => (state(row), count(row.attempts)),
                    (None, None) => (ArrivalState::New, 0),
                    (None, Some(&"done")) => (ArrivalState::UidUsedBefore, 0),
                    (None, Some(_)) => continue,
                };
                new.push(Unbooked { uid: uid.clone(), state, attempts });
            }
        }
        Ok(new)
    }

    /// These mails cannot be told from others that were dealt with ([`ArrivalState::UidUsedBefore`]: the server gives UIDs out
    /// again, which RFC 9051 §2.3.1.1 forbids): they are stuck, so that a person looks at them.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn set_aside(&self, uids: &[MailUid]) -> Result<(), StoreError> {
        const DOING: &str = "setting mails aside";
        let now = self.now();
        for chunk in uids.chunks(KEYS) {
            let rows = chunk.iter().map(|uid| row_of(uid, "stuck", (0, 0), now, Some("uid-used-before")));
            arrival::Entity::insert_many(rows).exec_without_returning(&self.0.writer).await.doing(DOING)?;
        }
        Ok(())
    }

    /// T0: writes down that these mails are taken in hand. `alone` where it is one mail only, and because of earlier
    /// attempts.
    ///
    /// # Errors
    /// The database is out of reach: then nothing may be taken in hand.
    pub async fn begin(&self, uids: &[MailUid], alone: bool) -> Result<(), StoreError> {
        let (now, alone) = (self.now(), i64::from(alone));
        let state = if alone == 1 { "alone-in-hand" } else { "in-hand" };
        const DOING: &str = "taking mails in hand";
        let transaction = begin(&self.0.writer, DOING).await?;
        self.check_lease(&transaction, uids).await?;
        for chunk in uids.chunks(KEYS) {
            let rows = chunk.iter().map(|uid| row_of(uid, state, (1, alone), now, None));
            let again = OnConflict::columns([arrival::Column::Mailbox, arrival::Column::Validity, arrival::Column::Uid])
                .value(arrival::Column::State, state)
                .value(arrival::Column::Attempts, Expr::col((arrival::Entity, arrival::Column::Attempts)).add(1))
                .value(arrival::Column::AttemptsAlone, Expr::col((arrival::Entity, arrival::Column::AttemptsAlone)).add(alone))
                .value(arrival::Column::Reason, None::<String>)
                .to_owned();
            arrival::Entity::insert_many(rows).on_conflict(again).exec_without_returning(&transaction).await.doing(DOING)?;
        }
        transaction.commit().await.doing(DOING)
    }

    /// An orderly stop, or trouble that is no mail's fault, takes the attempt back.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn let_go(&self, uids: &[MailUid]) -> Result<(), StoreError> {
        const DOING: &str = "letting mails go";
        if uids.is_empty() {
            return Ok(());
        }
        let transaction = begin(&self.0.writer, DOING).await?;
        self.check_lease(&transaction, uids).await?;
        for chunk in uids.chunks(KEYS) {
            for (state, alone) in [("in-hand", 0_i64), ("alone-in-hand", 1)] {
                arrival::Entity::update_many()
                    .col_expr(arrival::Column::State, Expr::value("waiting"))
                    .col_expr(arrival::Column::Attempts, Expr::col(arrival::Column::Attempts).sub(1))
                    .col_expr(arrival::Column::AttemptsAlone, Expr::col(arrival::Column::AttemptsAlone).sub(alone))
                    .filter(is_one_of(chunk))
                    .filter(arrival::Column::State.eq(state))
                    .exec(&transaction)
                    .await
                    .doing(DOING)?;
            }
            arrival::Entity::delete_many()
                .filter(is_one_of(chunk))
                .filter(arrival::Column::State.eq("waiting"))
                .filter(arrival::Column::Attempts.eq(0_i64))
                .exec(&transaction)
                .await
                .doing(DOING)?;
        }
        transaction.commit().await.doing(DOING)
    }

    /// An attempt at these mails failed (`reason` is a code, without words of a mail). Those that were alone in hand for
    /// the third time are stuck from now on; they are returned.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn settle_failure(&self, uids: &[MailUid], reason: &str) -> Result<Vec<MailUid>, StoreError> {
        let mut stuck = Vec::new();
        for chunk in uids.chunks(KEYS) {
            stuck.extend(self.give_up(is_one_of(chunk), reason).await?);
        }
        Ok(stuck)
    }

    /// After an unclean stop: whoever was alone in hand for the third time is stuck from now on, and returned. All others
    /// wait; [`Store::filter_new`] tells that they want to be alone. To be called by the owner, before it begins.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn unclean(&self, mailboxes: &[MailboxId]) -> Result<Vec<MailUid>, StoreError> {
        self.give_up(arrival::Column::Mailbox.is_in(mailboxes.iter().map(MailboxId::as_str)), "unclean-stop").await
    }

    async fn give_up(&self, whom: Expr, reason: &str) -> Result<Vec<MailUid>, StoreError> {
        const DOING: &str = "noting failed attempts";
        let transaction = begin(&self.0.writer, DOING).await?;
        let rows = arrival::Entity::find()
            .filter(whom)
            .filter(arrival::Column::State.is_in(["in-hand", "alone-in-hand"]))
            .all(&transaction)
            .await
            .doing(DOING)?;
        let mut stuck = Vec::new();
        let mut waiting = Vec::new();
        for row in &rows {
            let uid = mail_uid("arrival", &row.mailbox, row.validity, row.uid)?;
            if row.attempts_alone >= ATTEMPTS { stuck.push(uid) } else { waiting.push(uid) }
        }
        self.check_lease(&transaction, stuck.iter().chain(&waiting)).await?;
        for (state, uids) in [("stuck", &stuck), ("waiting", &waiting)] {
            for chunk in uids.chunks(KEYS) {
                set_state(&transaction, is_one_of(chunk), state, Some(reason)).await?;
            }
        }
        transaction.commit().await.doing(DOING)?;
        Ok(stuck)
    }

    /// Forgets what is known of mails that no longer lie in the mailbox: somebody took them out. `present` is all that lies
    /// there now.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn forget_absent(&self, mailbox: &MailboxId, present: &BTreeSet<MailUid>) -> Result<(), StoreError> {
        const DOING: &str = "forgetting mails that are gone";
        let rows = arrival::Entity::find().filter(arrival::Column::Mailbox.eq(mailbox.as_str())).all(&self.0.reader).await.doing(DOING)?;
        let mut absent = Vec::new();
        for row in rows {
            let uid = mail_uid("arrival", &row.mailbox, row.validity, row.uid)?;
            if !present.contains(&uid) {
                absent.push(uid);
            }
        }
        if absent.is_empty() {
            return Ok(());
        }
        let transaction = begin(&self.0.writer, DOING).await?;
        self.check_lease(&transaction, &absent).await?;
        for chunk in absent.chunks(KEYS) {
            arrival::Entity::delete_many().filter(is_one_of(chunk)).exec(&transaction).await.doing(DOING)?;
        }
        transaction.commit().await.doing(DOING)
    }

    /// Forgets mails from outside a mailbox that were first offered before that moment and have no result: their mail server has given them up.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn forget_given_up(&self, offered_before: Timestamp) -> Result<(), StoreError> {
        const DOING: &str = "forgetting mails that are not offered any more";
        let theirs = || arrival::Column::Mailbox.eq(OUTSIDE).and(arrival::Column::Since.lt(offered_before.as_millisecond()));
        // Most of the time there is none, and nobody needs to wait for a write.
        if arrival::Entity::find().filter(theirs()).one(&self.0.reader).await.doing(DOING)?.is_some() {
            arrival::Entity::delete_many().filter(theirs()).exec(&self.0.writer).await.doing(DOING)?;
        }
        Ok(())
    }

    /// All mails with a mark of ours and no result, the oldest first: deferred, waiting, stuck.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        let rows = arrival::Entity::find()
            .order_by_asc(arrival::Column::Since)
            .order_by_asc(arrival::Column::Mailbox)
            .order_by_asc(arrival::Column::Uid)
            .all(&self.0.reader)
            .await
            .doing("listing mails without a result")?;
        rows.into_iter()
            .map(|row| {
                Ok(Waiting {
                    uid: mail_uid("arrival", &row.mailbox, row.validity, row.uid)?,
                    state: state(&row),
                    attempts: count(row.attempts),
                    since: timestamp("arrival", row.since)?,
                    reason: row.reason,
                })
            })
            .collect()
    }
}

/// The row of a mail without a result; `attempts` in all, and alone.
pub(super) fn row_of(uid: &MailUid, state: &str, attempts: (i64, i64), since: i64, reason: Option<&str>) -> arrival::ActiveModel {
    arrival::ActiveModel::from(arrival::Model {
        mailbox: uid.mailbox.as_str().to_owned(),
        validity: uid.validity.get().into(),
        uid: uid.uid.get().into(),
        state: state.to_owned(),
        attempts: attempts.0,
        attempts_alone: attempts.1,
        since,
        reason: reason.map(str::to_owned),
    })
}

/// Sets the state of arrivals; used where their attempts stay as they are.
pub(super) async fn set_state(db: &impl ConnectionTrait, whom: Expr, state: &str, reason: Option<&str>) -> Result<(), StoreError> {
    arrival::Entity::update_many()
        .col_expr(arrival::Column::State, Expr::value(state))
        .col_expr(arrival::Column::Reason, Expr::value(reason.map(str::to_owned)))
        .filter(whom)
        .exec(db)
        .await
        .doing("noting how mails stand")
        .map(|_| ())
}
