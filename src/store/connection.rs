//! Connections, the schema's version, and the installation's secret.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postkamer_migrations::Migrator;
use rustix::fs::{Access, access};
use sea_orm::sqlx::Connection;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait, QuerySelect,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::{IntoSchemaManagerConnection, MigratorTrait, SchemaManager};

use super::StoreError;
use super::entities::secret;
use super::error::While;
use crate::words::Keys;

/// Locks that no other program takes: two halves of one key for PostgreSQL's advisory locks.
const SERIAL: &str = "SELECT pg_advisory_xact_lock(1886087019, 1)";
const MIGRATING: &str = "SELECT pg_advisory_xact_lock(1886087019, 2)";

/// A daemon that is stopped or cut off in the middle of a transaction holds up all others for so long at most; then the
/// server ends it.
const IDLE_IN_TRANSACTION: &str = "15s";

pub(super) struct Connections {
    pub(super) writer: DatabaseConnection,
    pub(super) reader: DatabaseConnection,
    pub(super) keeper: DatabaseConnection,
    pub(super) migrated: Vec<String>,
}

pub(super) fn make_private_directory(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(StoreError::files("making the state directory", path))
}

/// Whether a file can be written, or made; it is not made.
fn usable(file: &Path) -> std::io::Result<()> {
    match File::options().read(true).append(true).open(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let directory = file.parent().unwrap_or(file);
            Ok(access(directory, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK)?)
        }
        opened => opened.map(drop),
    }
}

/// Connects and brings the schema up to date.
pub(super) async fn connect(url: &str, state_dir: &Path) -> Result<Connections, StoreError> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = path.split('?').next().unwrap_or_default();
        if path.is_empty() || path == ":memory:" {
            return Err(StoreError::Url("after sqlite:// the name of a file is expected"));
        }
        let file = state_dir.join(path);
        const DOING: &str = "opening the database";
        // SQLite has one code for all that may be the matter with a file; the system says which.
        usable(&file).map_err(StoreError::files(DOING, &file))?;
        let writer = Database::connect(sqlite(file.clone(), false)).await.doing(DOING)?;
        let migrated = migrate_sqlite(&writer, state_dir).await?;
        let reader = Database::connect(sqlite(file, true)).await.doing(DOING)?;
        Ok(Connections { keeper: writer.clone(), writer, reader, migrated })
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        const DOING: &str = "connecting to the database";
        let pool = Database::connect(postgres(url, 8)).await.doing(DOING)?;
        let migrated = migrate_postgres(&pool).await?;
        // Only who shares mailboxes ever connects by it.
        let keeper = Database::connect(postgres(url, 1).connect_lazy(true).to_owned()).await.doing(DOING)?;
        Ok(Connections { writer: pool.clone(), reader: pool, keeper, migrated })
    } else {
        Err(StoreError::Url("it must begin with sqlite:// or postgres://"))
    }
}

/// What all our pools have in common. They close no connection for its age: the task that would look for old ones counts idle connections in a
/// way that can go below zero while one is being given back (sqlx 0.9), and then goes round for ever without a pause: it keeps a processor busy,
/// and the program from ending.
fn pool(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).idle_timeout(None).max_lifetime(None).sqlx_logging(false);
    options
}

pub(super) fn postgres(url: &str, connections: u32) -> ConnectOptions {
    let mut options = pool(url, connections);
    options
        .connect_timeout(Duration::from_secs(10))
        .acquire_timeout(Duration::from_secs(15))
        .set_application_name("postkamer")
        .map_sqlx_postgres_opts({
            let named = names_sslmode(url);
            move |options| {
                let options = options.options([("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION)]);
                if named || is_on_this_machine(&options) { options } else { options.ssl_mode(PgSslMode::VerifyFull) }
            }
        });
    options
}

/// Whether an address says itself what is asked of TLS. Where it does not, other machines are spoken to over TLS with a checked certificate
/// only, whatever the driver would fall back to.
fn names_sslmode(url: &str) -> bool {
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    parameters.split('&').any(|parameter| parameter.starts_with("sslmode=") || parameter.starts_with("ssl-mode="))
}

fn is_on_this_machine(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let address: Result<std::net::IpAddr, _> = host.trim_start_matches('[').trim_end_matches(']').parse();
    let loopback = host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback());
    loopback || host.starts_with('/') || options.get_socket().is_some()
}

/// Whether a PostgreSQL address asks by its `sslmode` for a connection to another machine that may be in clear text, or with anybody.
#[must_use]
pub fn may_be_in_clear(url: &str) -> bool {
    let Ok(options) = url.parse::<PgConnectOptions>() else { return false };
    let unchecked = !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull);
    names_sslmode(url) && unchecked && !is_on_this_machine(&options)
}

pub(super) fn sqlite(file: PathBuf, read_only: bool) -> ConnectOptions {
    let mut options = pool("sqlite:postkamer.db", if read_only { 4 } else { 1 });
    options.acquire_timeout(Duration::from_secs(60));
    options.map_sqlx_sqlite_opts(move |sqlite| {
        // Other processes (agents' commands) write too; a transaction of ours is a matter of milliseconds.
        let sqlite = sqlite.filename(&file).busy_timeout(Duration::from_secs(30)).statement_cache_capacity(200);
        if read_only {
            return sqlite.read_only(true);
        }
        sqlite
            .create_if_missing(true)
            // Before journal_mode, and of effect in a new file only.
            .pragma("auto_vacuum", "INCREMENTAL")
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "FULL")
            .pragma("secure_delete", "ON")
            .pragma("foreign_keys", "ON")
    });
    // SQLite ends a transaction whose COMMIT failed, and the driver goes on counting it: what is rolled back on this connection
    // afterwards stays open, and all that follows in it is lost at the end. So it is thrown away.
    options.map_sqlx_sqlite_pool_opts(|pool| {
        pool.before_acquire(|connection, _| {
            let sound = !connection.is_in_transaction();
            Box::pin(async move { Ok(sound) })
        })
    });
    options
}

async fn migrate_sqlite(db: &DatabaseConnection, state_dir: &Path) -> Result<Vec<String>, StoreError> {
    if pending(db).await?.is_empty() {
        return Ok(Vec::new());
    }
    let path = state_dir.join("migrating.lock");
    let lock = tokio::task::spawn_blocking(move || File::create(path).and_then(|file| file.lock().map(|()| file)))
        .await
        .map_err(|_| StoreError::NotNow("the program is being stopped"))?
        .map_err(StoreError::files("locking the state directory", state_dir))?;
    let applied = migrate(db).await;
    drop(lock);
    applied
}

async fn migrate_postgres(pool: &DatabaseConnection) -> Result<Vec<String>, StoreError> {
    if pending(pool).await?.is_empty() {
        return Ok(Vec::new());
    }
    // On one connection: beside another that migrates, the one with the lock would be idle for too long, and the server would end it.
    let locked = pool.begin().await.doing("locking the database")?;
    locked.execute_unprepared(MIGRATING).await.doing("locking the database")?;
    let applied = migrate(&locked).await?;
    locked.commit().await.doing("bringing the database up to date")?;
    Ok(applied)
}

async fn migrate<'c, C: ConnectionTrait>(db: &'c C) -> Result<Vec<String>, StoreError>
where
    &'c C: IntoSchemaManagerConnection<'c>,
{
    let pending = pending(db).await?;
    if !pending.is_empty() {
        Migrator::up(db, None).await.doing("bringing the database up to date")?;
    }
    Ok(pending)
}

pub(super) async fn pending<'c, C: ConnectionTrait>(db: &'c C) -> Result<Vec<String>, StoreError>
where
    &'c C: IntoSchemaManagerConnection<'c>,
{
    const DOING: &str = "reading the version of the database";
    let applied: Vec<String> = if SchemaManager::new(db).has_table("seaql_migrations").await.doing(DOING)? {
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), "SELECT version FROM seaql_migrations"));
        rows.await.doing(DOING)?.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>().doing(DOING)?
    } else {
        Vec::new()
    };
    let known = postkamer_migrations::names();
    if applied.iter().any(|name| !known.contains(name)) {
        return Err(StoreError::Newer);
    }
    Ok(known.into_iter().filter(|name| !applied.contains(name)).collect())
}

/// Reads the installation's secret; makes it when there is none.
pub(super) async fn secret(db: &DatabaseConnection) -> Result<Keys, StoreError> {
    const DOING: &str = "reading the installation's secret";
    let read = async |db: &DatabaseTransaction| secret::Entity::find().limit(1).one(db).await.doing(DOING);
    let transaction = begin_serial(db, DOING).await?;
    if read(&transaction).await?.is_none() {
        let row = secret::Model { id: 1, value: random::<32>()?.to_vec() };
        secret::Entity::insert_many([secret::ActiveModel::from(row)]).exec_without_returning(&transaction).await.doing(DOING)?;
    }
    let row = read(&transaction).await?;
    transaction.commit().await.doing(DOING)?;
    row.and_then(|row| <[u8; 32]>::try_from(row.value.as_slice()).ok()).map(Keys::new).ok_or(StoreError::BadRow("secret"))
}

/// Begins a transaction that no other of its kind runs beside, in any process.
pub(super) async fn begin_serial(db: &DatabaseConnection, doing: &'static str) -> Result<DatabaseTransaction, StoreError> {
    let transaction = begin(db, doing).await?;
    if db.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(SERIAL).await.doing(doing)?;
    }
    Ok(transaction)
}

/// Begins a transaction that writes. On SQLite it takes the write lock at once: a transaction that reads first and
/// then wants to write fails without waiting.
pub(super) async fn begin(db: &DatabaseConnection, doing: &'static str) -> Result<DatabaseTransaction, StoreError> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        access_mode: None::<AccessMode>,
        ..Default::default()
    };
    db.begin_with_options(options).await.doing(doing)
}

pub(super) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| StoreError::NotNow("the system gave no random numbers"))?;
    Ok(bytes)
}

/// A name that no other process has.
pub(super) fn random_name() -> Result<String, StoreError> {
    Ok(random::<8>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_pool_looks_for_old_connections() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let sqlite = Database::connect(sqlite(file.path().to_owned(), false)).await.unwrap();
        let postgres = Database::connect(postgres("postgres://127.0.0.1:1/none", 1).connect_lazy(true).to_owned()).await.unwrap();
        let (sqlite, postgres) = (sqlite.get_sqlite_connection_pool().options(), postgres.get_postgres_connection_pool().options());
        assert_eq!([sqlite.get_idle_timeout(), sqlite.get_max_lifetime()], [None; 2]);
        assert_eq!([postgres.get_idle_timeout(), postgres.get_max_lifetime()], [None; 2]);
    }
}
