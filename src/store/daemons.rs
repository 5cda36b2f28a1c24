//! What daemons say of themselves, for those who ask from outside (`status`).

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;

use super::entities::daemon;
use super::error::While;
use super::{Store, StoreError};

/// Whoever has not been heard of for so long, in milliseconds, is not at work any more.
const SILENT: i64 = 30_000;
/// After so long, in milliseconds, nobody wants to know of it.
const FORGOTTEN: i64 = 24 * 3_600_000;

const REPORTING: &str = "reporting how the daemon is";

/// A daemon, as it last reported.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DaemonSeen {
    /// Its name in leases and claims.
    pub instance: String,
    /// Seconds since it was last heard of.
    pub seconds_ago: i64,
    /// Whether it is at work, as far as that can be told from here.
    pub at_work: bool,
    /// Whether it is known to have died; who is silent may also be unable to write.
    pub is_dead: bool,
    /// What it reported.
    pub report: serde_json::Value,
}

impl Store {
    /// Writes down how this process finds things; the report holds no personal data.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn report(&self, report: &serde_json::Value) -> Result<(), StoreError> {
        let db = &self.0.keeper;
        let seen_at = self.common_now(db).await?;
        let row = daemon::Model { instance: self.0.instance.clone(), seen_at, report: report.to_string() };
        let again =
            OnConflict::column(daemon::Column::Instance).update_columns([daemon::Column::SeenAt, daemon::Column::Report]).to_owned();
        daemon::Entity::insert_many([daemon::ActiveModel::from(row)])
            .on_conflict(again)
            .exec_without_returning(db)
            .await
            .doing(REPORTING)?;
        let forgotten = daemon::Entity::delete_many().filter(daemon::Column::SeenAt.lt(seen_at.saturating_sub(FORGOTTEN)));
        forgotten.exec(db).await.doing(REPORTING).map(|_| ())
    }

    /// This process ends in order.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn report_end(&self) -> Result<(), StoreError> {
        daemon::Entity::delete_by_id(self.0.instance.clone()).exec(&self.0.keeper).await.doing(REPORTING).map(|_| ())
    }

    /// All daemons that were heard of lately and did not end in order.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn daemons(&self) -> Result<Vec<DaemonSeen>, StoreError> {
        // On SQLite whoever is at work holds the lock: that is known at once, however lately a dead one was heard of.
        let nobody = self.is_sqlite() && self.is_free()?;
        let now = self.common_now(&self.0.reader).await?;
        let rows = daemon::Entity::find().order_by_asc(daemon::Column::Instance).all(&self.0.reader).await.doing("looking for daemons")?;
        rows.into_iter()
            .map(|row| {
                let ago = Ord::max(now.saturating_sub(row.seen_at), 0);
                Ok(DaemonSeen {
                    instance: row.instance,
                    seconds_ago: ago / 1000,
                    at_work: ago < SILENT && !nobody,
                    is_dead: nobody,
                    report: serde_json::from_str(&row.report).map_err(|_| StoreError::BadRow("daemon"))?,
                })
            })
            .collect()
    }
}
