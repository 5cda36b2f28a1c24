//! That mail is fetched from, or sent to, another place than before (THREATS §1 row 38).

use std::collections::BTreeMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};

use super::audit::Tail;
use super::connection::begin_serial;
use super::entities::audit;
use super::error::While;
use super::profiles::DAEMON;
use super::rows::from_json;
use super::{Store, StoreError};
use crate::words::Endpoint;

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
    /// Puts on record where mail comes from and where it goes under these settings, unless the last such row says the same. Tells whether a desk
    /// of that row, or its replies, had another place: one that is new, or gone, leads no mail astray.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn note_endpoints(&self, endpoints: &[Endpoint], configuration: &str) -> Result<bool, StoreError> {
        const DOING: &str = "putting the servers of the settings on record";
        let place = |endpoint: &Endpoint| format!("{}: {}, {}", endpoint.of, endpoint.place, self.0.keys.endpoint(endpoint).as_str());
        let mut places: Vec<String> = endpoints.iter().map(place).collect();
        places.sort_unstable();
        // Nobody waits while the record is looked through, which may be long.
        let last: Option<String> = audit::Entity::find()
            .select_only()
            .column(audit::Column::Payload)
            .filter(audit::Column::Payload.starts_with(BEGINNING))
            .order_by_desc(audit::Column::Seq)
            .limit(1)
            .into_tuple()
            .one(&self.0.reader)
            .await
            .doing(DOING)?;
        let last: Option<Noted> = last.map(|payload| from_json("audit", &payload)).transpose()?;
        let last = last.map(|noted| noted.endpoints).unwrap_or_default();
        if last == places {
            return Ok(false);
        }
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let now = self.now();
        let mut audit = Tail::read(&transaction, now).await?;
        let agent = audit.agent(DAEMON);
        audit.add(now, &Endpoints { what: WHAT, agent: &agent, endpoints: &places, configuration });
        audit.write(&transaction).await?;
        transaction.commit().await.doing(DOING)?;
        let before: BTreeMap<&str, &str> = last.iter().filter_map(|place| place.split_once(": ")).collect();
        let moved = |(of, place): (&str, &str)| before.get(of).is_some_and(|before| *before != place);
        Ok(places.iter().filter_map(|place| place.split_once(": ")).any(moved))
    }
}
