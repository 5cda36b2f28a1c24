//! How daemons share the mailboxes of one PostgreSQL.
//!
//! Every second each of them renews what it holds, takes what is free and wanted, and, where it holds less than others,
//! asks the one that holds most for half of the difference. Whoever is asked ends its work on that mailbox in order and gives
//! it back; it is kept for the one who asked for a few seconds. So a daemon that joins gets its fair share, and one that
//! leaves, or dies, is inherited from.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, Statement, Value};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::entities::lease;
use super::error::While;
use super::{Store, StoreError};
use crate::words::MailboxId;

/// How long a lease lasts without being renewed, in milliseconds; DESIGN §4 allows 15 s.
const LEASE: i64 = 10_000;
/// How often the leases are looked after.
const LOOK: Duration = Duration::from_secs(1);
/// How long looking after them may take before it is tried anew.
const LOOK_LIMIT: Duration = Duration::from_secs(3);
/// For so long, in milliseconds, a mailbox that was given back waits for the one who asked for it.
const RESERVED: i64 = 5_000;
/// The time by PostgreSQL's own clock: daemons on several machines need not agree on theirs.
pub(super) const DATABASE_NOW: &str = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

const DOING: &str = "sharing the mailboxes";

/// How a mailbox is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// As part of a fair share.
    Share,
    /// Whoever holds it is asked for it.
    Now,
}

/// What one daemon holds, wants and knows.
#[derive(Debug)]
pub(super) struct Sharing {
    instance: String,
    state: watch::Sender<State>,
    /// Something is wanted or to be given back: no need to wait for the next look.
    hurry: Notify,
}

#[derive(Debug, Default)]
struct State {
    wanted: BTreeMap<String, Wish>,
    held: BTreeMap<String, Held>,
    /// To be given back, with their epochs.
    leaving: Vec<(String, i64)>,
    /// Held by others when last looked.
    elsewhere: BTreeSet<String>,
}

#[derive(Clone, Debug)]
struct Held {
    epoch: i64,
    renewed: Instant,
    ending: CancellationToken,
    /// How many are at work in it; it goes back when the last of them has ended.
    hands: usize,
}

impl Held {
    /// Whether work in it may begin.
    fn is_lasting(&self) -> bool {
        !self.ending.is_cancelled()
    }
}

/// A lease as it stands in the database.
#[derive(Clone, Debug, FromQueryResult, PartialEq, Eq)]
struct Row {
    mailbox: String,
    holder: String,
    wanted_by: Option<String>,
    /// Its time is over.
    free: bool,
}

impl Sharing {
    pub(super) fn new(instance: String) -> Self {
        Self { instance, state: watch::Sender::default(), hurry: Notify::new() }
    }

    /// The epoch under which we hold a mailbox.
    pub(super) fn epoch(&self, mailbox: &str) -> Option<i64> {
        self.state.borrow().held.get(mailbox).map(|held| held.epoch)
    }

    /// One more is at work in a mailbox that is ours, if it is: the epoch, and the token that is cancelled when it is to be given up.
    pub(super) fn join(&self, mailbox: &MailboxId) -> Option<(i64, CancellationToken)> {
        let mut joined = None;
        self.state.send_if_modified(|state| {
            joined = state.held.get_mut(mailbox.as_str()).filter(|held| held.is_lasting()).map(|held| {
                held.hands += 1;
                (held.epoch, held.ending.clone())
            });
            false
        });
        joined
    }

    /// Waits until the mailbox is ours, as [`Sharing::join`]. A wait that is broken off is no wish any more.
    pub(super) async fn wait_for(&self, mailbox: &MailboxId, wish: Wish) -> (i64, CancellationToken) {
        let wanted = Wanted { sharing: self, mailbox: mailbox.as_str() };
        self.state.send_modify(|state| {
            state.wanted.insert(mailbox.as_str().to_owned(), wish);
        });
        self.hurry.notify_one();
        let mut seen = self.state.subscribe();
        loop {
            // The sender lives as long as we do.
            let _ = seen.wait_for(|state| state.held.get(wanted.mailbox).is_some_and(Held::is_lasting)).await;
            if let Some(joined) = self.join(mailbox) {
                return joined;
            }
        }
    }

    pub(super) async fn held_elsewhere(&self, mailbox: &MailboxId) {
        let _ = self.state.subscribe().wait_for(|state| state.elsewhere.contains(mailbox.as_str())).await;
    }

    /// One who was at work in the mailbox under this epoch has ended. After the last one it goes back at the next look, which is now.
    pub(super) fn give_up(&self, mailbox: &MailboxId, epoch: i64) {
        self.state.send_modify(|state| {
            let Some(held) = state.held.get_mut(mailbox.as_str()).filter(|held| held.epoch == epoch) else { return };
            held.hands = held.hands.saturating_sub(1);
            if held.hands == 0 {
                state.held.remove(mailbox.as_str());
                state.leaving.push((mailbox.as_str().to_owned(), epoch));
            }
        });
        self.hurry.notify_one();
    }

    /// Nothing is held any more; in the database it ends by itself.
    pub(super) fn lose_all(&self) {
        self.lose(|_, _| true);
    }

    fn lose(&self, whether: impl Fn(&str, &Held) -> bool) {
        self.state.send_modify(|state| {
            state.held.retain(|mailbox, held| {
                let lost = whether(mailbox, held);
                if lost {
                    held.ending.cancel();
                }
                !lost
            });
        });
    }

    /// Looks after the leases for ever.
    pub(super) async fn keep(&self, store: &Store) {
        loop {
            tokio::select! {
                () = sleep(LOOK) => {}
                () = self.hurry.notified() => {}
            }
            let looked = timeout(LOOK_LIMIT, self.look(store)).await;
            if !matches!(looked, Ok(Ok(()))) {
                tracing::warn!("the leases on the mailboxes could not be looked after; it is tried again");
                // The database would let others have what was not renewed in time; nobody may wait for it to say so.
                let lasts = Duration::from_millis(LEASE.unsigned_abs());
                self.lose(|_, held| held.renewed.elapsed() >= lasts);
                sleep(LOOK).await;
            }
        }
    }

    /// Gives back, renews, takes and asks.
    pub(super) async fn look(&self, store: &Store) -> Result<(), StoreError> {
        let leaving = self.state.borrow().leaving.clone();
        self.give_back(store, &leaving).await?;
        self.state.send_if_modified(|state| {
            state.leaving.retain(|left| !leaving.contains(left));
            false
        });
        self.renew(store).await?;
        let wanted = self.state.borrow().wanted.clone();
        if wanted.is_empty() {
            return Ok(());
        }
        let mut rows = self.rows(store).await?;
        if wanted.keys().any(|mailbox| !rows.iter().any(|row| row.mailbox == *mailbox)) {
            self.make_rows(store, wanted.keys()).await?;
            rows = self.rows(store).await?;
        }
        let (mut free, taken): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.free);
        // The others may be of desks that are no more, or out of reach for everybody.
        free.retain(|row| wanted.contains_key(&row.mailbox));
        for row in &free {
            self.take(store, &row.mailbox).await?;
        }
        let elsewhere = taken.iter().filter(|row| row.holder != self.instance).map(|row| row.mailbox.clone()).collect();
        self.state.send_modify(|state| state.elsewhere = elsewhere);
        if free.is_empty() || wanted.values().any(|wish| *wish == Wish::Now) {
            for row in to_ask_for(&taken, &wanted, &self.instance) {
                self.ask(store, row).await?;
            }
        }
        Ok(())
    }

    async fn give_back(&self, store: &Store, leaving: &[(String, i64)]) -> Result<(), StoreError> {
        if leaving.is_empty() {
            return Ok(());
        }
        lease::Entity::update_many()
            .col_expr(lease::Column::ExpiresAt, Expr::cust(DATABASE_NOW))
            .filter(self.ours(leaving.iter().map(|(mailbox, epoch)| (mailbox, *epoch))))
            .exec(&store.0.keeper)
            .await
            .doing(DOING)
            .map(|_| ())
    }

    /// What is ours lasts anew; what is not any more is lost, and what another one asks for comes to its end.
    async fn renew(&self, store: &Store) -> Result<(), StoreError> {
        let held = self.state.borrow().held.clone();
        if held.is_empty() {
            return Ok(());
        }
        let asked = Instant::now();
        let renewed = lease::Entity::update_many()
            .col_expr(lease::Column::ExpiresAt, Expr::cust(format!("{DATABASE_NOW} + {LEASE}")))
            .filter(self.ours(held.iter().map(|(mailbox, held)| (mailbox, held.epoch))))
            .exec_with_returning(&store.0.keeper)
            .await
            .doing(DOING)?;
        let renewed: BTreeMap<&str, &lease::Model> = renewed.iter().map(|row| (row.mailbox.as_str(), row)).collect();
        self.lose(|mailbox, now| held.contains_key(mailbox) && renewed.get(mailbox).is_none_or(|row| row.epoch != now.epoch));
        self.state.send_if_modified(|state| {
            for (mailbox, held) in &mut state.held {
                let Some(row) = renewed.get(mailbox.as_str()) else { continue };
                held.renewed = asked;
                if row.wanted_by.as_ref().is_some_and(|by| *by != self.instance) {
                    held.ending.cancel();
                }
            }
            false
        });
        Ok(())
    }

    fn ours<'a>(&self, leases: impl Iterator<Item = (&'a String, i64)>) -> Condition {
        let any = leases.fold(Condition::any(), |any, (mailbox, epoch)| {
            any.add(Condition::all().add(lease::Column::Mailbox.eq(mailbox)).add(lease::Column::Epoch.eq(epoch)))
        });
        Condition::all().add(lease::Column::Holder.eq(&self.instance)).add(any)
    }

    /// Every lease there is: others may serve other mailboxes, too.
    async fn rows(&self, store: &Store) -> Result<Vec<Row>, StoreError> {
        let sql = format!("SELECT mailbox, holder, wanted_by, expires_at <= {DATABASE_NOW} AS free FROM lease ORDER BY mailbox");
        let db = &store.0.keeper;
        Row::find_by_statement(Statement::from_string(db.get_database_backend(), sql)).all(db).await.doing(DOING)
    }

    /// Mailboxes that nobody ever held.
    async fn make_rows(&self, store: &Store, mailboxes: impl Iterator<Item = &String>) -> Result<(), StoreError> {
        let free = |mailbox: &String| {
            lease::ActiveModel::from(lease::Model {
                mailbox: mailbox.clone(),
                holder: String::new(),
                epoch: 1,
                expires_at: 0,
                wanted_by: None,
            })
        };
        let there = OnConflict::column(lease::Column::Mailbox).do_nothing().to_owned();
        let made = lease::Entity::insert_many(mailboxes.map(free)).on_conflict(there).exec_without_returning(&store.0.keeper);
        made.await.doing(DOING).map(|_| ())
    }

    /// Takes a mailbox that is free, and not kept for somebody else, under the next epoch.
    async fn take(&self, store: &Store, mailbox: &str) -> Result<(), StoreError> {
        let sql = format!(
            "UPDATE lease SET holder = $1, epoch = epoch + 1, expires_at = {DATABASE_NOW} + {LEASE}, wanted_by = NULL \
             WHERE mailbox = (SELECT mailbox FROM lease WHERE mailbox = $2 AND expires_at <= {DATABASE_NOW} \
               AND (wanted_by IS NULL OR wanted_by = $1 OR expires_at <= {DATABASE_NOW} - {RESERVED}) \
               FOR UPDATE SKIP LOCKED) \
             RETURNING epoch"
        );
        let asked = Instant::now();
        let row = store.0.keeper.query_one_raw(self.statement(store, sql, mailbox)).await.doing(DOING)?;
        let Some(epoch) = row.map(|row| row.try_get_by_index::<i64>(0)).transpose().doing(DOING)? else { return Ok(()) };
        self.state.send_modify(|state| {
            // Whoever wanted it may have gone meanwhile.
            if state.wanted.contains_key(mailbox) {
                state.held.insert(mailbox.to_owned(), Held { epoch, renewed: asked, ending: CancellationToken::new(), hands: 0 });
            } else {
                state.leaving.push((mailbox.to_owned(), epoch));
            }
        });
        Ok(())
    }

    async fn ask(&self, store: &Store, row: &Row) -> Result<(), StoreError> {
        let sql = "UPDATE lease SET wanted_by = $1 WHERE mailbox = $2 AND holder <> $1 AND wanted_by IS NULL";
        store.0.keeper.execute_raw(self.statement(store, sql.to_owned(), &row.mailbox)).await.doing(DOING).map(|_| ())
    }

    fn statement(&self, store: &Store, sql: String, mailbox: &str) -> Statement {
        let values: [Value; 2] = [self.instance.clone().into(), mailbox.to_owned().into()];
        Statement::from_sql_and_values(store.0.keeper.get_database_backend(), sql, values)
    }

    /// Everything goes back at once, and nobody is kept waiting for us.
    pub(super) async fn leave(&self, store: &Store) -> Result<(), StoreError> {
        self.lose_all();
        lease::Entity::update_many()
            .col_expr(lease::Column::ExpiresAt, Expr::cust(DATABASE_NOW))
            .filter(lease::Column::Holder.eq(&self.instance))
            .filter(Expr::cust(format!("expires_at > {DATABASE_NOW}")))
            .exec(&store.0.keeper)
            .await
            .doing(DOING)?;
        lease::Entity::update_many()
            .col_expr(lease::Column::WantedBy, Expr::value(None::<String>))
            .filter(lease::Column::WantedBy.eq(&self.instance))
            .exec(&store.0.keeper)
            .await
            .doing(DOING)
            .map(|_| ())
    }
}

/// A wish, for as long as somebody waits.
struct Wanted<'a> {
    sharing: &'a Sharing,
    mailbox: &'a str,
}

impl Drop for Wanted<'_> {
    fn drop(&mut self) {
        self.sharing.state.send_modify(|state| {
            state.wanted.remove(self.mailbox);
        });
    }
}

/// Which of the mailboxes that others hold to ask for: those that are wanted now; and of whoever holds most of what we want,
/// so many that we would hold as many as they.
fn to_ask_for<'a>(taken: &'a [Row], wanted: &BTreeMap<String, Wish>, me: &str) -> Vec<&'a Row> {
    let coming = taken.iter().filter(|row| row.holder == me || row.wanted_by.as_deref() == Some(me)).count();
    let mut of_others: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in taken.iter().filter(|row| row.holder != me && row.wanted_by.is_none() && wanted.contains_key(&row.mailbox)) {
        of_others.entry(&row.holder).or_default().push(row);
    }
    let now = of_others.values().flatten().filter(|row| wanted.get(&row.mailbox) == Some(&Wish::Now)).copied();
    let mut asked: Vec<&Row> = now.collect();
    if let Some(most) = of_others.values().max_by_key(|rows| rows.len()) {
        let fair = most.len().saturating_sub(coming) / 2;
        asked.extend(most.iter().filter(|row| wanted.get(&row.mailbox) == Some(&Wish::Share)).take(fair));
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(mailbox: &str, holder: &str, wanted_by: Option<&str>) -> Row {
        Row { mailbox: mailbox.to_owned(), holder: holder.to_owned(), wanted_by: wanted_by.map(str::to_owned), free: false }
    }

    fn asked(rows: &[Row], wish: Wish, me: &str) -> Vec<String> {
        let wanted = rows.iter().filter(|row| row.holder != me).map(|row| (row.mailbox.clone(), wish)).collect();
        to_ask_for(rows, &wanted, me).iter().map(|row| row.mailbox.clone()).collect()
    }

    #[test]
    fn whoever_holds_less_asks_for_half_of_the_difference() {
        let one: Vec<Row> = ["m1", "m2", "m3", "m4", "m5"].iter().map(|mailbox| row(mailbox, "a", None)).collect();
        assert_eq!(asked(&one, Wish::Share, "b"), ["m1", "m2"]);
        let two = [row("m1", "b", None), row("m2", "b", None), row("m3", "a", None), row("m4", "a", None), row("m5", "a", None)];
        assert_eq!(asked(&two, Wish::Share, "c"), ["m3"]);
        assert_eq!(asked(&two, Wish::Share, "b"), Vec::<String>::new(), "a difference of one is fair");
        let three = [row("m1", "b", None), row("m2", "b", None), row("m3", "a", Some("c")), row("m4", "a", None), row("m5", "a", None)];
        assert_eq!(asked(&three, Wish::Share, "c"), Vec::<String>::new(), "what was asked for is on its way");
    }

    #[test]
    fn a_single_round_asks_for_everything_once() {
        let rows = [row("m1", "a", None), row("m2", "b", Some("c")), row("m3", "b", None)];
        assert_eq!(asked(&rows, Wish::Now, "once"), ["m1", "m3"]);
    }
}
