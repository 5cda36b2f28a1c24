//! That mail is fetched from, or sent to, another place than before (THREATS §1 row 38).

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};

use super::audit::Tail;
use super::connection::begin_serial;
use super::entities::audit;
use super::error::While;
use super::profiles::DAEMON;
use super::rows::from_json;
use super::{Store, StoreError};

const WHAT: &str = "endpoints";

/// How the payload of such a row begins.
const BEGINNING: &str = r#"{"what":"endpoints","#;

#[derive(Serialize)]
struct Endpoints<'a> {
    what: &'static str,
    agent: &'a str,
    endpoints: &'a [String],
    configuration: &'a str,
}

#[derive(Deserialize)]
struct Noted {
    endpoints: Vec<String>,
}

impl Store {
    /// Puts on record where mail comes from and where it goes under these settings, unless the last such row says the same. Tells whether an
    /// earlier row said otherwise.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn note_endpoints(&self, endpoints: &[String], configuration: &str) -> Result<bool, StoreError> {
        const DOING: &str = "putting the servers of the settings on record";
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let last: Option<String> = audit::Entity::find()
            .select_only()
            .column(audit::Column::Payload)
            .filter(audit::Column::Payload.starts_with(BEGINNING))
            .order_by_desc(audit::Column::Seq)
            .limit(1)
            .into_tuple()
            .one(&transaction)
            .await
            .doing(DOING)?;
        let last: Option<Noted> = last.map(|payload| from_json("audit", &payload)).transpose()?;
        if last.as_ref().is_some_and(|noted| noted.endpoints == endpoints) {
            return Ok(false);
        }
        let now = self.now();
        let mut audit = Tail::read(&transaction, now).await?;
        let agent = audit.agent(DAEMON);
        audit.add(now, &Endpoints { what: WHAT, agent: &agent, endpoints, configuration });
        audit.write(&transaction).await?;
        transaction.commit().await.doing(DOING)?;
        Ok(last.is_some())
    }
}
