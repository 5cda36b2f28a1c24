//! What we remember.
//!
//! One database (SQLite or PostgreSQL) and one directory of attachments. [`Store::book`] is the one way by which a mail
//! gets a result: a single transaction that writes the mail, its ticket, its replies, what must happen on the server
//! and the audit record, and whose [`Booked`] is the only leave to act on any of it. What must be done outside is read
//! back from here ([`Store::due_actions`], [`Store::claim`]) and carried out by [`crate::outbox`].
//!
//! All writes that draw numbers are serial: on SQLite by BEGIN IMMEDIATE on the one writing connection, on PostgreSQL by
//! an advisory lock; so limits and duplicates are exact, however many daemons share the database.

mod approvals;
mod arrivals;
mod audit;
mod batch;
mod blobs;
mod book;
mod casework;
mod chores;
mod connection;
mod daemons;
mod contacts;
mod decision;
mod desk;
mod effects;
mod endpoints;
mod entities;
mod erasure;
mod error;
mod examine;
mod history;
mod holds;
mod letters;
mod notices;
mod originals;
mod ownership;
mod portal;
mod profiles;
mod purge;
mod removal;
mod person;
mod retention;
mod rows;
mod sharing;
mod status;
mod tickets;

pub use approvals::Approval;
pub use arrivals::{ArrivalState, OUTSIDE, Unbooked, Waiting};
pub use audit::{Anchor, Chain, Damage, RawRecord, RecordFilter, Recorded};
pub use blobs::free_space;
pub use book::{Booked, Booking};
pub use casework::{AgentsTicket, Deed, Look};
pub use connection::may_be_in_clear;
pub use contacts::{Basis, ContactChange, PlannedChange};
pub use daemons::DaemonSeen;
pub use desk::{Correspondence, Queued, Stuck};
pub use effects::{ActionSettled, Due};
pub use error::StoreError;
pub use examine::{Found, examine};
pub use holds::{HoldOn, LegalHold};
pub use letters::{Claimed, Delivery, Letter, LetterState};
pub use notices::{Asked, Notice, Refused};
pub use originals::{Original, OriginalSettled};
pub use ownership::{Hold, Lease};
pub use person::{Erased, Held, HeldEntry, HeldLetter, HeldMail, HeldProfile, HeldTicket, ToErase};
pub use portal::{Access, Invitation};
pub use profiles::{DAEMON, Profile, ProfileChange};
pub use purge::{Purge, Purged};
pub use retention::{DueItem, Forgotten, Rules};
pub use status::Status;
pub use tickets::{AttachmentView, EntryView, TicketFilter, TicketStatus, TicketSummary, TicketView};

use std::path::Path;
use std::sync::{Arc, Mutex};

use sea_orm::{DatabaseConnection, DbBackend};

use crate::clock::Clock;
use crate::words::Keys;

/// The open store. Clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    /// On SQLite the one connection that writes; on PostgreSQL the pool.
    writer: DatabaseConnection,
    /// On SQLite connections that cannot write; on PostgreSQL the same pool.
    reader: DatabaseConnection,
    /// On PostgreSQL a connection of its own for the leases, so that no amount of work keeps them from being renewed.
    keeper: DatabaseConnection,
    /// The mailboxes in our hands, once we have joined those who share them.
    sharing: Mutex<Option<Arc<sharing::Sharing>>>,
    /// What became of replies, and the database did not take.
    unsettled: Mutex<Vec<(i64, Delivery)>>,
    blobs: blobs::Blobs,
    clock: Clock,
    keys: Keys,
    state_dir: std::path::PathBuf,
    /// Names this process in leases and claims.
    instance: String,
    migrated: Vec<String>,
}

impl Store {
    /// Opens the database and the directory of attachments. Makes `state_dir` (mode 0700) and everything in it where
    /// missing, brings the schema up to date under a lock, and makes the installation's secret once. The path in an
    /// `sqlite://` url counts from `state_dir`.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when a newer version has been at work here; anything else that stands in the way.
    pub async fn open(url: &str, state_dir: &Path, attachments: &Path, clock: Clock) -> Result<Self, StoreError> {
        connection::make_private_directory(state_dir)?;
        let connections = connection::connect(url, state_dir).await?;
        let keys = connection::secret(&connections.writer).await?;
        let blobs = blobs::Blobs::open(attachments)?;
        Ok(Self(Arc::new(Inner {
            writer: connections.writer,
            reader: connections.reader,
            keeper: connections.keeper,
            sharing: Mutex::default(),
            unsettled: Mutex::default(),
            blobs,
            clock,
            keys,
            state_dir: state_dir.to_owned(),
            instance: connection::random_name()?,
            migrated: connections.migrated,
        })))
    }

    /// The migrations that [`Store::open`] applied; empty when the schema was up to date.
    #[must_use]
    pub fn migrated(&self) -> &[String] {
        &self.0.migrated
    }

    /// Whether a newer version has brought the schema up to date since this store was opened.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn is_outdated(&self) -> Result<bool, StoreError> {
        match connection::pending(&self.0.reader).await {
            Err(StoreError::Newer) => Ok(true),
            other => other.map(|_| false),
        }
    }

    /// What is made with the installation's secret.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    /// The clock that the store was opened with.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    fn now(&self) -> i64 {
        self.0.clock.now().as_millisecond()
    }

    /// The time by the clock that all who share the database have in common, in milliseconds: on PostgreSQL the server's.
    async fn common_now(&self, db: &impl sea_orm::ConnectionTrait) -> Result<i64, StoreError> {
        use error::While;
        const DOING: &str = "asking the database for the time";
        if self.is_sqlite() {
            return Ok(self.now());
        }
        let asked = sea_orm::Statement::from_string(DbBackend::Postgres, format!("SELECT {}", sharing::DATABASE_NOW));
        let row = db.query_one_raw(asked).await.doing(DOING)?.ok_or(StoreError::BadRow("the clock"))?;
        row.try_get_by_index(0).doing(DOING)
    }

    fn is_sqlite(&self) -> bool {
        self.0.writer.get_database_backend() == DbBackend::Sqlite
    }

    /// Brings the journal of an SQLite database into its file and empties it, so that nothing that was deleted stays
    /// readable there (THREATS §3 row 7). Nothing to do on PostgreSQL.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        use error::While;
        use sea_orm::ConnectionTrait;
        if self.is_sqlite() {
            self.0.writer.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.doing("emptying the journal")?;
        }
        Ok(())
    }

    /// Closes all connections; on SQLite the journal is emptied.
    ///
    /// # Errors
    /// The database is out of reach; nothing is lost by that.
    pub async fn close(&self) -> Result<(), StoreError> {
        use error::While;
        self.checkpoint().await?;
        self.0.reader.close_by_ref().await.doing("closing the database")?;
        self.0.writer.close_by_ref().await.doing("closing the database")
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("instance", &self.0.instance).finish_non_exhaustive()
    }
}
