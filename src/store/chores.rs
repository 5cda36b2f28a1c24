//! What is done once a day, by whichever daemon comes first.

use jiff::civil::Date;
use sea_orm::EntityTrait;
use sea_orm::sea_query::OnConflict;

use super::entities::chore;
use super::error::While;
use super::{Store, StoreError};

impl Store {
    /// Whether that was done on that day, or later.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn chore_done(&self, name: &str, day: Date) -> Result<bool, StoreError> {
        let row = chore::Entity::find_by_id(name).one(&self.0.reader).await.doing("looking when a chore was last done")?;
        Ok(row.and_then(|row| row.done_on.parse::<Date>().ok()).is_some_and(|done| done >= day))
    }

    /// Writes down that it was done on that day.
    ///
    /// # Errors
    /// The database is out of reach; it is done again then, which does no harm.
    pub async fn chore_is_done(&self, name: &str, day: Date) -> Result<(), StoreError> {
        let row = chore::ActiveModel::from(chore::Model { name: name.to_owned(), done_on: day.to_string() });
        let again = OnConflict::column(chore::Column::Name).update_column(chore::Column::DoneOn).to_owned();
        let insert = chore::Entity::insert_many([row]).on_conflict(again).exec_without_returning(&self.0.writer);
        insert.await.doing("noting that a chore is done").map(|_| ())
    }
}
