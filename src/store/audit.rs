//! The record of decisions: codes, counts, numbers and keyed digests, no word of a mail and no name of a customer. Each
//! row's hash covers the one before it, so that nothing can be changed, dropped or moved unseen (THREATS §3).

use sea_orm::{DatabaseTransaction, EntityTrait, QueryOrder, QuerySelect};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::entities::audit;
use super::error::While;
use super::{Store, StoreError};

/// What stands before the first row.
const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The end of the chain, to which new rows are added.
#[derive(Debug)]
pub(super) struct Tail {
    seq: i64,
    hash: String,
    rows: Vec<audit::ActiveModel>,
}

impl Tail {
    pub(super) async fn read(db: &DatabaseTransaction) -> Result<Self, StoreError> {
        let last = audit::Entity::find().order_by_desc(audit::Column::Seq).limit(1).one(db).await.doing("reading the audit record")?;
        let (seq, hash) = last.map_or_else(|| (0, BEGINNING.to_owned()), |row| (row.seq, row.hash));
        Ok(Self { seq, hash, rows: Vec::new() })
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
        audit::Entity::insert_many(self.rows).exec_without_returning(db).await.doing("writing the audit record").map(|_| ())
    }
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
        /// The last hash: whoever keeps it elsewhere can tell later whether the record's end was cut off.
        head: String,
    },
    /// This row does not follow from the one before it.
    Broken {
        /// Its place in the record.
        seq: i64,
    },
}

impl Store {
    /// Goes through the whole audit record.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn verify_audit(&self) -> Result<Chain, StoreError> {
        use sea_orm::{ColumnTrait, QueryFilter};
        let (mut seq, mut hash) = (0, BEGINNING.to_owned());
        loop {
            let rows = audit::Entity::find()
                .filter(audit::Column::Seq.gt(seq))
                .order_by_asc(audit::Column::Seq)
                .limit(1_000)
                .all(&self.0.reader)
                .await
                .doing("reading the audit record")?;
            if rows.is_empty() {
                return Ok(Chain::Whole { rows: seq, head: hash });
            }
            for row in rows {
                if row.seq != seq + 1 || row.prev_hash != hash || row.hash != link(&hash, row.seq, row.at, &row.payload) {
                    return Ok(Chain::Broken { seq: row.seq });
                }
                (seq, hash) = (row.seq, row.hash);
            }
        }
    }
}
