//! The record of decisions: codes, counts, numbers and keyed digests, of the settings desks and servers; no word of a mail and no name of anybody. Each
//! row's hash covers the one before it, and the end is written down beside it, so that nothing can be changed, dropped,
//! moved or cut off unseen (THREATS §3). The database itself refuses to change or remove a row.
//!
//! Whoever holds a name or a Message-ID can find what was decided about it as long as the key of that month is there;
//! retention destroys the keys, and the chain stays whole.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::connection::random;
use super::entities::{audit, audit_head, audit_key, audit_name};
use super::error::While;
use super::rows::{from_json, timestamp};
use super::{Store, StoreError};
use crate::words::{EmailAddress, MessageId, Pseudonym, RecordKey, TicketNumber};

const READING: &str = "reading the audit record";
const WRITING: &str = "writing the audit record";
/// What stands before the first row.
const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Rows read at a time.
const PAGE: u64 = 1_000;

/// The end of the chain, to which new rows are added.
pub(super) struct Tail {
    seq: i64,
    hash: String,
    month: String,
    key: RecordKey,
    rows: Vec<audit::ActiveModel>,
    /// Agents named in the new rows, by their digests.
    names: BTreeMap<String, String>,
}

impl Tail {
    /// Reads the end of the record, and the key of the month that `now` lies in; the month's first row makes it.
    pub(super) async fn read(db: &DatabaseTransaction, now: i64) -> Result<Self, StoreError> {
        let month = month_of(now);
        let head = audit_head::Entity::find_by_id(1).one(db).await.doing(READING)?.ok_or(StoreError::BadRow("audit_head"))?;
        let key = match audit_key::Entity::find_by_id(month.clone()).one(db).await.doing(READING)? {
            Some(row) => key_of(row)?,
            None => {
                let row = audit_key::Model { month: month.clone(), value: random::<32>()?.to_vec() };
                let key = key_of(row.clone())?;
                audit_key::Entity::insert_many([audit_key::ActiveModel::from(row)]).exec_without_returning(db).await.doing(WRITING)?;
                key
            }
        };
        Ok(Self { seq: head.seq, hash: head.hash, month, key, rows: Vec::new(), names: BTreeMap::new() })
    }

    /// With what names stand in the new rows.
    pub(super) fn key(&self) -> &RecordKey {
        &self.key
    }

    /// Stands for an agent; the name can be looked up as long as the month's key is there.
    pub(super) fn agent(&mut self, name: &str) -> String {
        let digest = self.key.agent(name).as_str().to_owned();
        self.names.insert(digest.clone(), name.to_owned());
        digest
    }

    /// Adds a record; it is written by [`Tail::write`].
    pub(super) fn add(&mut self, at: i64, record: &impl Serialize) {
        self.seq += 1;
        let payload = super::rows::to_json(record);
        let hash = link(&self.hash, self.seq, at, &payload);
        let prev_hash = std::mem::replace(&mut self.hash, hash.clone());
        self.rows.push(audit::ActiveModel::from(audit::Model { seq: self.seq, at, payload, prev_hash, hash }));
    }

    pub(super) async fn write(self, db: &DatabaseTransaction) -> Result<(), StoreError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        audit::Entity::insert_many(self.rows).exec_without_returning(db).await.doing(WRITING)?;
        audit_head::Entity::update_many()
            .col_expr(audit_head::Column::Seq, Expr::value(self.seq))
            .col_expr(audit_head::Column::Hash, Expr::value(self.hash))
            .exec(db)
            .await
            .doing(WRITING)?;
        let month = self.month;
        let names = self
            .names
            .into_iter()
            .map(|(digest, name)| audit_name::ActiveModel::from(audit_name::Model { month: month.clone(), digest, name }));
        let twice = OnConflict::columns([audit_name::Column::Month, audit_name::Column::Digest]).do_nothing().to_owned();
        audit_name::Entity::insert_many(names).on_conflict(twice).exec_without_returning(db).await.doing(WRITING).map(|_| ())
    }
}

fn key_of(row: audit_key::Model) -> Result<RecordKey, StoreError> {
    <[u8; 32]>::try_from(row.value.as_slice()).map(RecordKey::new).map_err(|_| StoreError::BadRow("audit_key"))
}

/// The month that a key serves, in UTC: `2026-11`.
pub(super) fn month_of(at: i64) -> String {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC).strftime("%Y-%m").to_string()
}

fn link(previous: &str, seq: i64, at: i64, payload: &str) -> String {
    let hash = Sha256::digest(format!("{previous}\n{seq}\n{at}\n{payload}"));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a look at the whole record found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Every row follows from the one before it.
    Whole {
        /// How many there are.
        rows: i64,
        /// The last hash: whoever keeps it elsewhere can tell later whether the record was made anew.
        head: String,
    },
    /// It is not what was written.
    Broken {
        /// The first row that is not as it was.
        seq: i64,
        /// What is wrong with it.
        damage: Damage,
    },
}

/// What is wrong with a row of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Damage {
    /// It is not there, though later ones are.
    Missing,
    /// Its content is not what its hash was made of.
    Changed,
    /// It does not follow from the one before it.
    Misplaced,
    /// It and all later ones are gone.
    CutOff,
    /// It is not the row that was anchored elsewhere: the record was made anew.
    NotAsAnchored,
}

/// A row that somebody noted elsewhere, as the daemon does in its log every day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Its place in the record.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
}

impl std::str::FromStr for Anchor {
    type Err = &'static str;

    /// `SEQ:HASH`, as `audit verify` and the daemon's log write it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "it is a row's number, a colon and its hash, such as 42:9f86d081…";
        let (seq, hash) = text.split_once(':').ok_or(WRONG)?;
        let sound = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        let seq = seq.parse().ok().filter(|seq| *seq >= 0 && sound).ok_or(WRONG)?;
        Ok(Self { seq, hash: hash.to_ascii_lowercase() })
    }
}

/// One row of the record as it can be read now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recorded {
    /// Its place.
    pub seq: i64,
    /// When it was written.
    pub at: Timestamp,
    /// What it says: codes, counts, numbers, digests, desks and servers. Agents are named while the month's key is there.
    #[serde(flatten)]
    pub record: serde_json::Map<String, Value>,
    /// Its hash.
    pub hash: String,
}

/// One row exactly as it stands, so that others can check the chain: `hash` is the SHA-256, in hexadecimal, of `prev_hash`,
/// `seq`, `at` (milliseconds since 1970) and `payload`, joined by line feeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RawRecord {
    /// Its place.
    pub seq: i64,
    /// When it was written, in milliseconds since 1970.
    pub at: i64,
    /// What it says, as JSON text.
    pub payload: String,
    /// The hash of the row before it; 64 zeros before the first.
    pub prev_hash: String,
    /// Its own.
    pub hash: String,
}

/// Which rows to list; the default is all.
#[derive(Clone, Debug, Default)]
pub struct RecordFilter {
    /// Only about this ticket.
    pub ticket: Option<TicketNumber>,
    /// Only about this person.
    pub person: Option<EmailAddress>,
    /// Only about the mail with this Message-ID.
    pub message_id: Option<MessageId>,
    /// Only since then.
    pub since: Option<Timestamp>,
}

/// What is looked for, in the digests of one month.
struct Sought {
    ticket: Option<i64>,
    person: Option<Pseudonym>,
    message_id: Option<MessageId>,
}

impl Sought {
    fn is(&self, record: &serde_json::Map<String, Value>, key: Option<&RecordKey>) -> bool {
        let says = |field: &str, digest: Option<Pseudonym>| {
            digest.is_some_and(|digest| record.get(field).and_then(Value::as_str) == Some(digest.as_str()))
        };
        self.ticket.is_none_or(|ticket| record.get("ticket").and_then(Value::as_i64) == Some(ticket))
            && self.person.as_ref().is_none_or(|person| says("person", key.map(|key| key.stand_in(person))))
            && self.message_id.as_ref().is_none_or(|id| says("message_id", key.map(|key| key.message_id(id))))
    }
}

impl Store {
    /// Goes through the whole audit record. With an `anchor`, that row must be the one that was noted.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn verify_audit(&self, anchor: Option<&Anchor>) -> Result<Chain, StoreError> {
        let end = audit_head::Entity::find_by_id(1).one(&self.0.reader).await.doing(READING)?.ok_or(StoreError::BadRow("audit_head"))?;
        let (mut seq, mut hash) = (0, BEGINNING.to_owned());
        loop {
            let rows = self.audit_rows(seq, None).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                if let Some(damage) = damage(&row, seq, &hash, anchor) {
                    let seq = if damage == Damage::Missing { seq + 1 } else { row.seq };
                    return Ok(Chain::Broken { seq, damage });
                }
                (seq, hash) = (row.seq, row.hash);
            }
        }
        let missing = end.seq > seq || anchor.is_some_and(|anchor| anchor.seq > seq);
        Ok(match () {
            () if missing => Chain::Broken { seq: seq + 1, damage: Damage::CutOff },
            // Rows may have come since the end was read; then it is one of those before.
            () if end.seq == seq && end.hash != hash => Chain::Broken { seq, damage: Damage::Misplaced },
            () => Chain::Whole { rows: seq, head: hash },
        })
    }

    /// The record in order, as it can be read now; `tell` is given row after row.
    ///
    /// # Errors
    /// The database is out of reach, or what `tell` says.
    pub async fn audit_list<E: From<StoreError>>(
        &self,
        filter: &RecordFilter,
        mut tell: impl FnMut(Recorded) -> Result<(), E>,
    ) -> Result<(), E> {
        let keys = self.audit_keys().await?;
        let names = self.audit_names().await?;
        let sought = Sought {
            ticket: filter.ticket.map(TicketNumber::id),
            person: filter.person.as_ref().map(|address| self.0.keys.person(address)),
            message_id: filter.message_id.clone(),
        };
        let mut seq = 0;
        loop {
            let rows = self.audit_rows(seq, filter.since).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            seq = last.seq;
            for row in rows {
                let month = month_of(row.at);
                let mut record: serde_json::Map<String, Value> = from_json("audit", &row.payload)?;
                if !sought.is(&record, keys.get(&month)) {
                    continue;
                }
                if let Some(Value::String(agent)) = record.get_mut("agent")
                    && let Some(name) = names.get(&(month, agent.clone()))
                {
                    agent.clone_from(name);
                }
                tell(Recorded { seq: row.seq, at: timestamp("audit", row.at)?, record, hash: row.hash })?;
            }
        }
    }

    /// The record in order, exactly as it stands; `tell` is given row after row.
    ///
    /// # Errors
    /// The database is out of reach, or what `tell` says.
    pub async fn audit_export<E: From<StoreError>>(&self, mut tell: impl FnMut(RawRecord) -> Result<(), E>) -> Result<(), E> {
        let mut seq = 0;
        loop {
            let rows = self.audit_rows(seq, None).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            seq = last.seq;
            for audit::Model { seq, at, payload, prev_hash, hash } in rows {
                tell(RawRecord { seq, at, payload, prev_hash, hash })?;
            }
        }
    }

    async fn audit_rows(&self, after: i64, since: Option<Timestamp>) -> Result<Vec<audit::Model>, StoreError> {
        let mut query = audit::Entity::find().filter(audit::Column::Seq.gt(after)).order_by_asc(audit::Column::Seq).limit(PAGE);
        if let Some(since) = since {
            query = query.filter(audit::Column::At.gte(since.as_millisecond()));
        }
        query.all(&self.0.reader).await.doing(READING)
    }

    async fn audit_keys(&self) -> Result<BTreeMap<String, RecordKey>, StoreError> {
        let rows = audit_key::Entity::find().all(&self.0.reader).await.doing(READING)?;
        rows.into_iter().map(|row| Ok((row.month.clone(), key_of(row)?))).collect()
    }

    async fn audit_names(&self) -> Result<BTreeMap<(String, String), String>, StoreError> {
        let rows = audit_name::Entity::find().all(&self.0.reader).await.doing(READING)?;
        Ok(rows.into_iter().map(|row| ((row.month, row.digest), row.name)).collect())
    }
}

/// What is wrong with a row that should follow the one with that number and hash.
fn damage(row: &audit::Model, seq: i64, hash: &str, anchor: Option<&Anchor>) -> Option<Damage> {
    let anchored = anchor.is_none_or(|anchor| anchor.seq != row.seq || anchor.hash == row.hash);
    match () {
        () if row.seq != seq + 1 => Some(Damage::Missing),
        () if row.hash != link(&row.prev_hash, row.seq, row.at, &row.payload) => Some(Damage::Changed),
        () if row.prev_hash != hash => Some(Damage::Misplaced),
        () if !anchored => Some(Damage::NotAsAnchored),
        () => None,
    }
}
