//! Replies on their way: claimed (T3), then sent, to be tried again, or dead (T4).

use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

use super::batch::bare_entry;
use super::connection::{begin, begin_serial};
use super::entities::{entry, outbox};
use super::error::While;
use super::history::Numbers;
use super::rows::{address, addresses, addresses_json, timestamp};
use super::{Store, StoreError};
use crate::decide::Template;
use crate::words::{EmailAddress, MessageId, TicketNumber};

/// The first wait after a failure, in milliseconds; it doubles with each further one.
const FIRST_WAIT: i64 = 60_000;
/// The longest wait.
const LONGEST_WAIT: i64 = 4 * 3_600_000;
/// After so long a reply that cannot be delivered is dead (RFC 5321 §4.5.4.1 asks for at least four to five days).
const LIFETIME: i64 = 5 * 24 * 3_600_000;

/// How long the database may take to answer.
const ANSWER: Duration = Duration::from_secs(20);
const CLAIMING: &str = "claiming replies";
const SETTLING: &str = "noting what became of a reply";

/// A reply that this process has claimed: nobody else sends it meanwhile.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Its number.
    pub id: i64,
    /// Its Message-ID, the same in every attempt.
    pub message_id: MessageId,
    /// Envelope sender; none for automatic replies.
    pub envelope_from: Option<EmailAddress>,
    /// To whom it must still go.
    pub recipients: Vec<EmailAddress>,
    /// The whole message.
    pub message: crate::words::Redacted<Vec<u8>>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The server took it for all that remained, but for those that it refused for good.
    Sent {
        /// Who was refused, and with which code.
        refused: Vec<(EmailAddress, String)>,
    },
    /// To be tried again later, for those that remain.
    Later {
        /// A reply code or a word of ours.
        code: String,
        /// The answer to the message itself was lost: it may have gone out.
        unclear: bool,
        /// To whom it must still go.
        remaining: Vec<EmailAddress>,
    },
    /// The server could not be used at all, which says nothing about the reply: it stays due, for whoever can use it, and the attempt is taken back.
    Untried {
        /// A word of ours.
        code: String,
    },
    /// Nobody can be reached by it.
    Dead {
        /// A reply code or a word of ours.
        code: String,
    },
}

/// How a reply stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LetterState {
    /// Waits to be sent.
    Due,
    /// Is being sent.
    Claimed,
    /// The server took it.
    Sent,
    /// It could not be delivered.
    Dead,
}

impl LetterState {
    /// The word in the database and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Claimed => "claimed",
            Self::Sent => "sent",
            Self::Dead => "dead",
        }
    }
}

/// A reply as `outbox list` shows it: without addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Letter {
    /// Its number.
    pub id: i64,
    /// Which letter.
    pub template: Template,
    /// The ticket that it is about, as people write it.
    pub ticket: Option<String>,
    /// How it stands.
    pub state: LetterState,
    /// How often it was tried.
    pub attempts: i64,
    /// How often nobody knows whether it went out.
    pub unclear: i64,
    /// The last reply code, or a word of ours.
    pub last_code: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it is tried next; only while it is due.
    pub due_at: Option<Timestamp>,
    /// When it came to an end.
    pub settled_at: Option<Timestamp>,
    /// When it came back as undeliverable.
    pub undeliverable_at: Option<Timestamp>,
}

impl Store {
    /// T3: claims replies that are due, the oldest first. Another process gets others. A claim is void after `lasting`, which must
    /// be longer than whoever claims goes on with it; until then a process that does not answer for itself may be sending.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn claim(&self, limit: u64, lasting: Duration) -> Result<Vec<Claimed>, StoreError> {
        self.settle_the_rest().await?;
        in_time(CLAIMING, self.claim_some(limit, lasting)).await
    }

    async fn claim_some(&self, limit: u64, lasting: Duration) -> Result<Vec<Claimed>, StoreError> {
        const DOING: &str = CLAIMING;
        let now = self.now();
        let transaction = begin(&self.0.writer, DOING).await?;
        // Whether a claim is over is told by the clock that all who claim share.
        let claimed_at = self.common_now(&transaction).await?;
        let over = claimed_at.saturating_sub(i64::try_from(lasting.as_millis()).unwrap_or(i64::MAX));
        let due = outbox::Column::State.eq("due").and(outbox::Column::DueAt.lte(now));
        let void = outbox::Column::State.eq("claimed").and(outbox::Column::ClaimedAt.lt(over));
        let rows = outbox::Entity::find()
            .filter(Condition::any().add(due).add(void))
            .order_by_asc(outbox::Column::DueAt)
            .order_by_asc(outbox::Column::Id)
            .limit(limit)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .all(&transaction)
            .await
            .doing(DOING)?;
        let was_unclear = Expr::case(outbox::Column::State.eq("claimed"), 1_i64).finally(0_i64);
        outbox::Entity::update_many()
            .col_expr(outbox::Column::Unclear, Expr::col(outbox::Column::Unclear).add(was_unclear))
            .col_expr(outbox::Column::State, Expr::value("claimed"))
            .col_expr(outbox::Column::ClaimedBy, Expr::value(self.0.instance.clone()))
            .col_expr(outbox::Column::ClaimedAt, Expr::value(claimed_at))
            .col_expr(outbox::Column::Attempts, Expr::col(outbox::Column::Attempts).add(1))
            .filter(outbox::Column::Id.is_in(rows.iter().map(|row| row.id)))
            .exec(&transaction)
            .await
            .doing(DOING)?;
        transaction.commit().await.doing(DOING)?;
        rows.into_iter()
            .map(|row| {
                Ok(Claimed {
                    id: row.id,
                    message_id: row.message_id.parse().map_err(|()| StoreError::BadRow("outbox"))?,
                    envelope_from: row.envelope_from.as_deref().map(|from| address("outbox", from)).transpose()?,
                    recipients: addresses("outbox", &row.remaining)?,
                    message: row.message.into(),
                    attempt: u32::try_from(row.attempts.saturating_add(1)).unwrap_or(u32::MAX),
                })
            })
            .collect()
    }

    /// T4: writes down what became of a claimed reply. A failure waits 1 min, then twice as long each time, at most 4 h. After 5 days
    /// without success the reply is dead. A dead reply, and a refused recipient, leave a note on the ticket.
    ///
    /// # Errors
    /// The database is out of reach. It is then written down before this process claims anything again; when the claim has
    /// ended by then, the reply may go out twice.
    pub async fn settle(&self, id: i64, delivery: &Delivery) -> Result<(), StoreError> {
        let settled = in_time(SETTLING, self.settle_one(id, delivery)).await;
        if settled.as_ref().is_err_and(StoreError::is_passing) {
            self.0.unsettled.lock().unwrap_or_else(PoisonError::into_inner).push((id, delivery.clone()));
        }
        settled
    }

    /// T4 of all that the database did not take before.
    async fn settle_the_rest(&self) -> Result<(), StoreError> {
        let rest = std::mem::take(&mut *self.0.unsettled.lock().unwrap_or_else(PoisonError::into_inner));
        let mut first_error = Ok(());
        for (id, delivery) in rest {
            first_error = first_error.and(self.settle(id, &delivery).await);
        }
        first_error
    }

    async fn settle_one(&self, id: i64, delivery: &Delivery) -> Result<(), StoreError> {
        const DOING: &str = SETTLING;
        let now = self.now();
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let row = outbox::Entity::find_by_id(id).lock_exclusive().one(&transaction).await.doing(DOING)?;
        let Some(mut row) = row.filter(|row| row.state == "claimed" && row.claimed_by.as_deref() == Some(&self.0.instance)) else {
            // Somebody else took it over; what they see counts.
            return Ok(());
        };
        (row.claimed_by, row.claimed_at) = (None, None);
        let mut note = false;
        match delivery {
            Delivery::Sent { refused } => {
                row.last_code = refused.first().map(|(_, code)| code.clone());
                note = !refused.is_empty();
                (row.state, row.settled_at) = ("sent".to_owned(), Some(now));
            }
            Delivery::Later { code, unclear, remaining } => {
                row.last_code = Some(code.clone());
                row.unclear += i64::from(*unclear);
                row.remaining = addresses_json(remaining);
                row.due_at = now + wait(row.attempts);
                row.state = "due".to_owned();
            }
            Delivery::Untried { code } => {
                row.last_code = Some(code.clone());
                row.attempts -= 1;
                row.state = "due".to_owned();
            }
            Delivery::Dead { code } => {
                note = true;
                row.last_code = Some(code.clone());
                (row.state, row.settled_at) = ("dead".to_owned(), Some(now));
            }
        }
        if row.state == "due" && now - row.created_at >= LIFETIME {
            note = true;
            (row.state, row.settled_at) = ("dead".to_owned(), Some(now));
        }
        if let (true, Some(ticket)) = (note, row.ticket_id) {
            let mut numbers = Numbers::read(&transaction).await?;
            let entry_id = numbers.next_entry();
            let note = entry::Model { outbox_id: Some(id), ..bare_entry(entry_id, ticket, "undeliverable", now) };
            entry::Entity::insert_many([entry::ActiveModel::from(note)]).exec_without_returning(&transaction).await.doing(DOING)?;
            numbers.write(&transaction).await?;
        }
        outbox::Entity::update_many()
            .col_expr(outbox::Column::State, Expr::value(row.state))
            .col_expr(outbox::Column::Remaining, Expr::value(row.remaining))
            .col_expr(outbox::Column::Unclear, Expr::value(row.unclear))
            .col_expr(outbox::Column::Attempts, Expr::value(row.attempts))
            .col_expr(outbox::Column::DueAt, Expr::value(row.due_at))
            .col_expr(outbox::Column::ClaimedBy, Expr::value(None::<String>))
            .col_expr(outbox::Column::ClaimedAt, Expr::value(None::<i64>))
            .col_expr(outbox::Column::LastCode, Expr::value(row.last_code))
            .col_expr(outbox::Column::SettledAt, Expr::value(row.settled_at))
            .filter(outbox::Column::Id.eq(id))
            .exec(&transaction)
            .await
            .doing(DOING)?;
        transaction.commit().await.doing(DOING)
    }

    /// An orderly stop before a claimed reply was tried: it is due at once, and the attempt is taken back.
    ///
    /// # Errors
    /// The database is out of reach; the claim then ends by itself.
    pub async fn unclaim(&self, ids: &[i64]) -> Result<(), StoreError> {
        outbox::Entity::update_many()
            .col_expr(outbox::Column::State, Expr::value("due"))
            .col_expr(outbox::Column::ClaimedBy, Expr::value(None::<String>))
            .col_expr(outbox::Column::ClaimedAt, Expr::value(None::<i64>))
            .col_expr(outbox::Column::Attempts, Expr::col(outbox::Column::Attempts).sub(1))
            .filter(outbox::Column::Id.is_in(ids.iter().copied()))
            .filter(outbox::Column::State.eq("claimed"))
            .filter(outbox::Column::ClaimedBy.eq(&self.0.instance))
            .exec(&self.0.writer)
            .await
            .doing("giving replies back")
            .map(|_| ())
    }

    /// When the next reply is due; none when nothing waits.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn next_letter(&self) -> Result<Option<Timestamp>, StoreError> {
        let next: Option<i64> = outbox::Entity::find()
            .select_only()
            .column(outbox::Column::DueAt)
            .filter(outbox::Column::State.eq("due"))
            .order_by_asc(outbox::Column::DueAt)
            .limit(1)
            .into_tuple()
            .one(&self.0.reader)
            .await
            .doing("looking at the outbox")?;
        next.map(|at| timestamp("outbox", at)).transpose()
    }

    /// The outbox in the order written; `all` also shows what was sent.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn letters(&self, all: bool) -> Result<Vec<Letter>, StoreError> {
        type Row = (i64, String, Option<i64>, String, i64, i64, Option<String>, i64, i64, Option<i64>, Option<i64>);
        let mut query = outbox::Entity::find()
            .select_only()
            .columns([
                outbox::Column::Id,
                outbox::Column::Template,
                outbox::Column::TicketId,
                outbox::Column::State,
                outbox::Column::Attempts,
                outbox::Column::Unclear,
                outbox::Column::LastCode,
                outbox::Column::CreatedAt,
                outbox::Column::DueAt,
                outbox::Column::SettledAt,
                outbox::Column::UndeliverableAt,
            ])
            .order_by_asc(outbox::Column::Id);
        if !all {
            query = query.filter(outbox::Column::State.ne("sent"));
        }
        let rows: Vec<Row> = query.into_tuple().all(&self.0.reader).await.doing("listing the outbox")?;
        rows.into_iter()
            .map(|(id, template, ticket, state, attempts, unclear, last_code, created, due, settled, undeliverable)| {
                let state = match state.as_str() {
                    "due" => LetterState::Due,
                    "claimed" => LetterState::Claimed,
                    "sent" => LetterState::Sent,
                    _ => LetterState::Dead,
                };
                let at = |milliseconds| timestamp("outbox", milliseconds);
                Ok(Letter {
                    id,
                    template: Template::from_code(&template).ok_or(StoreError::BadRow("outbox"))?,
                    ticket: ticket.map(|id| TicketNumber::new(id).to_string()),
                    state,
                    attempts,
                    unclear,
                    last_code,
                    created_at: at(created)?,
                    due_at: (state == LetterState::Due).then(|| at(due)).transpose()?,
                    settled_at: settled.map(at).transpose()?,
                    undeliverable_at: undeliverable.map(at).transpose()?,
                })
            })
            .collect()
    }

    /// Has a reply that waits or is dead tried again at once.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when there is none with that number, [`StoreError::NotNow`] when it was sent.
    pub async fn retry_letter(&self, id: i64, agent: &str) -> Result<(), StoreError> {
        const DOING: &str = "trying a reply again";
        let now = self.now();
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let row =
            outbox::Entity::find_by_id(id).lock_exclusive().one(&transaction).await.doing(DOING)?.ok_or(StoreError::Unknown("reply"))?;
        if !matches!(row.state.as_str(), "due" | "dead") {
            return Err(StoreError::NotNow("that reply was sent, or is being sent just now"));
        }
        outbox::Entity::update_many()
            .col_expr(outbox::Column::State, Expr::value("due"))
            .col_expr(outbox::Column::DueAt, Expr::value(now))
            .col_expr(outbox::Column::SettledAt, Expr::value(None::<i64>))
            .filter(outbox::Column::Id.eq(id))
            .exec(&transaction)
            .await
            .doing(DOING)?;
        super::desk::record(
            &transaction,
            now,
            &super::desk::AgentRecord { what: "outbox-retry", agent, reply: Some(id), ..Default::default() },
        )
        .await?;
        transaction.commit().await.doing(DOING)
    }
}

/// A database that is cut off may never answer: the outbox goes on without.
async fn in_time<T>(doing: &'static str, asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let late = |_| StoreError::Unreachable { doing, code: "no answer in time".to_owned() };
    tokio::time::timeout(ANSWER, asked).await.map_err(late)?
}

/// How long to wait after so many attempts.
fn wait(attempts: i64) -> i64 {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    // `min` is also a method of sea-query's expressions.
    Ord::min(FIRST_WAIT.saturating_mul(1_i64 << Ord::min(doublings, 16)), LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_from_a_minute_to_four_hours() {
        let minutes: Vec<i64> = (1..=10).map(|attempts| wait(attempts) / 60_000).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 64, 128, 240, 240]);
    }
}
