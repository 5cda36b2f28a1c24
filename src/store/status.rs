//! How things stand, in numbers.

use std::collections::BTreeMap;

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::Serialize;

use super::entities::{arrival, mail, outbox, ticket};
use super::error::While;
use super::rows::from_json;
use super::{Store, StoreError};

const DOING: &str = "counting";
/// Server actions that failed so often are worth an alarm.
const ALARMING: i64 = 5;

/// How things stand. Ages are in seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Tickets by state.
    pub tickets: BTreeMap<String, i64>,
    /// Mails with a result, by verdict.
    pub mails: BTreeMap<String, i64>,
    /// The same by reason; a mail with several counts for each.
    pub reasons: BTreeMap<String, i64>,
    /// Mails without one, by state.
    pub arrivals: BTreeMap<String, i64>,
    /// Replies by state.
    pub outbox: BTreeMap<String, i64>,
    /// Age of the oldest reply that is not yet sent.
    pub outbox_oldest: Option<i64>,
    /// Replies that may have gone out more than once.
    pub outbox_unclear: i64,
    /// Mails still to be filed or deleted on their servers, by action.
    pub actions_due: BTreeMap<String, i64>,
    /// Age of the oldest mail that is to be deleted and is not yet seen to be gone.
    pub removal_oldest: Option<i64>,
    /// Server actions that failed five times or more.
    pub actions_failing: i64,
}

/// Counts rows by a column.
macro_rules! by {
    ($db:ident, $table:ident, $column:ident, $counted:ident $(, $filter:expr)?) => {{
        let rows: Vec<(String, i64)> = $table::Entity::find()
            .select_only()
            .column($table::Column::$column)
            .column_as($table::Column::$counted.count(), "rows")
            $(.filter($filter))?
            .group_by($table::Column::$column)
            .into_tuple()
            .all($db)
            .await
            .doing(DOING)?;
        rows.into_iter().collect::<BTreeMap<_, _>>()
    }};
}

/// One value of all rows that the filter takes.
macro_rules! one {
    ($db:ident, $table:ident, $value:expr, $filter:expr) => {{
        let row: Option<Option<i64>> =
            $table::Entity::find().select_only().column_as($value, "value").filter($filter).into_tuple().one($db).await.doing(DOING)?;
        row.flatten()
    }};
}

impl Store {
    /// Counts everything: whole tables.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn status(&self) -> Result<Status, StoreError> {
        let db = &self.0.reader;
        let mut reasons = BTreeMap::new();
        for (list, count) in by!(db, mail, Reasons, Id) {
            for reason in from_json::<Vec<String>>("mail", &list)? {
                *reasons.entry(reason).or_default() += count;
            }
        }
        Ok(Status {
            reasons,
            tickets: by!(db, ticket, Status, Id),
            mails: by!(db, mail, Outcome, Id),
            outbox: by!(db, outbox, State, Id),
            outbox_unclear: one!(db, outbox, outbox::Column::Id.count(), outbox::Column::Unclear.gt(0)).unwrap_or_default(),
            ..self.pending().await?
        })
    }

    /// What is still to be done, and nothing else of it: read from indexes over just that, however much is done already.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn pending(&self) -> Result<Status, StoreError> {
        let db = &self.0.reader;
        let age = |since: Option<i64>| since.map(|since| Ord::max(self.now() - since, 0) / 1000);
        // As the indexes have it, which bound values would leave unused.
        let due = || Expr::cust("action_state = 'due'");
        let unsent = Expr::cust("state IN ('due', 'claimed')");
        let removal = due().and(mail::Column::ServerAction.eq("delete"));
        let failing = due().and(mail::Column::ActionAttempts.gte(ALARMING));
        Ok(Status {
            arrivals: by!(db, arrival, State, Uid),
            outbox_oldest: age(one!(db, outbox, outbox::Column::CreatedAt.min(), unsent)),
            actions_due: by!(db, mail, ServerAction, Id, due()),
            removal_oldest: age(one!(db, mail, mail::Column::BookedAt.min(), removal)),
            actions_failing: one!(db, mail, mail::Column::Id.count(), failing).unwrap_or_default(),
            ..Status::default()
        })
    }
}
