//! The one transaction by which mails get a result (T1). What it writes is gathered in [`super::batch`], what goes on record in
//! [`super::decision`].

use std::collections::BTreeSet;

use sea_orm::sea_query::OnConflict;
use sea_orm::{DatabaseTransaction, EntityTrait, QueryFilter};

use super::arrivals;
use super::audit::Tail;
use super::batch::Rows;
use super::connection::begin_serial;
use super::decision::Record;
use super::entities::arrival;
use super::error::While;
use super::history::{self, Numbers};
use super::rows::{KEYS, is_one_of};
use super::{Lease, Store, StoreError};
use crate::decide::{Outcome, Reason, ServerAction};
use crate::plan::{Ledger, Plan, Questions};
use crate::words::{Keys, MailUid};

const DOING: &str = "booking mails";

/// The proof that a mail's result is committed, and the leave to act on the mail: nobody else can make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    uid: MailUid,
    action: ServerAction,
}

impl Booked {
    pub(super) fn from_row(uid: MailUid, action: ServerAction) -> Self {
        Self { uid, action }
    }

    /// Which mail.
    #[must_use]
    pub fn uid(&self) -> &MailUid {
        &self.uid
    }

    /// What is to happen to it on the server.
    #[must_use]
    pub fn action(&self) -> ServerAction {
        self.action
    }
}

/// What a committed booking led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booking {
    /// One for each mail with a result, in the order of the plans.
    pub booked: Vec<Booked>,
    /// Mails left where they are until the intake rate allows them (POLICY row 0).
    pub deferred: Vec<MailUid>,
}

impl Store {
    /// What a booking would be told now: enough to leave a flood unopened, while only the booking's own answers are exact.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn look(&self, questions: &Questions) -> Result<Ledger, StoreError> {
        use sea_orm::TransactionTrait;
        const DOING: &str = "looking at what was taken in lately";
        let transaction = self.0.reader.begin().await.doing(DOING)?;
        let numbers = Numbers::read(&transaction).await?;
        let now = questions.now.map_or_else(|| self.now(), jiff::Timestamp::as_millisecond);
        let ledger = history::read(&transaction, &numbers, questions, now).await?;
        transaction.rollback().await.doing(DOING)?;
        Ok(ledger)
    }

    /// Books mails: reads what `questions` ask, hands it to `judge`, and writes all plans that come back, with their
    /// tickets, attachments, replies, server actions and audit rows, in one transaction that no other booking runs
    /// beside. The bytes of attachments are on the disk before the commit. `judge` must not take long: everybody waits.
    ///
    /// # Errors
    /// Nothing is booked then; [`StoreError::LeaseLost`] when another daemon has taken over a mailbox. After a cut
    /// connection a commit may have happened all the same: [`Store::filter_new`] tells.
    pub async fn book<F>(&self, lease: &Lease, questions: &Questions, judge: F) -> Result<Booking, StoreError>
    where
        F: FnOnce(&mut Ledger, &Keys) -> Vec<Plan> + Send,
    {
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let mut numbers = Numbers::read(&transaction).await?;
        let now = questions.now.map_or_else(|| self.now(), jiff::Timestamp::as_millisecond);
        let mut ledger = history::read(&transaction, &numbers, questions, now).await?;
        let known: BTreeSet<String> = ledger.booked.iter().map(|digest| digest.as_str().to_owned()).collect();

        let plans = judge(&mut ledger, &self.0.keys);
        if !lease.is_without_mailbox() {
            self.check_lease(&transaction, plans.iter().map(|plan| &plan.uid)).await?;
        }

        numbers.ticket = ledger.last_ticket;
        numbers.reply = ledger.last_reply;
        let mut rows = Rows::of(known, numbers, lease.is_without_mailbox());
        let mut audit = Tail::read(&transaction, now).await?;
        let mut booking = Booking::default();
        for plan in plans {
            if plan.outcome == Outcome::Defer {
                booking.deferred.push(plan.uid);
                continue;
            }
            let record = Record::of(&plan, lease.epoch(&plan.uid.mailbox), audit.key());
            audit.add(plan.now.as_millisecond(), &record);
            booking.booked.push(Booked { uid: plan.uid.clone(), action: plan.server });
            rows.add(plan, &self.0.keys);
        }
        self.0.blobs.keep(rows.take_contents()).await?;
        rows.write(&transaction).await?;
        audit.write(&transaction).await?;
        no_arrivals_any_more(&transaction, &booking.booked).await?;
        // What lies in no mailbox waits with whoever offers it, and may never come again.
        if !lease.is_without_mailbox() {
            wait_without_blame(&transaction, &booking.deferred, now).await?;
        }
        transaction.commit().await.doing(DOING)?;
        Ok(booking)
    }
}

async fn no_arrivals_any_more(transaction: &DatabaseTransaction, booked: &[Booked]) -> Result<(), StoreError> {
    for chunk in booked.chunks(KEYS) {
        let these = is_one_of(chunk.iter().map(Booked::uid));
        arrival::Entity::delete_many().filter(these).exec(transaction).await.doing(DOING)?;
    }
    Ok(())
}

/// Deferred mails.
async fn wait_without_blame(transaction: &DatabaseTransaction, deferred: &[MailUid], now: i64) -> Result<(), StoreError> {
    for chunk in deferred.chunks(KEYS) {
        let rows = chunk.iter().map(|uid| arrivals::row_of(uid, "deferred", (0, 0), now, Some(Reason::RateLimited.as_str())));
        let again = OnConflict::columns([arrival::Column::Mailbox, arrival::Column::Validity, arrival::Column::Uid])
            .update_columns([
                arrival::Column::State,
                arrival::Column::Attempts,
                arrival::Column::AttemptsAlone,
                arrival::Column::Since,
                arrival::Column::Reason,
            ])
            .to_owned();
        arrival::Entity::insert_many(rows).on_conflict(again).exec_without_returning(transaction).await.doing(DOING)?;
    }
    Ok(())
}
