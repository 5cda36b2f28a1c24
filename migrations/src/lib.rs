//! The database schema: frozen history, one file a migration.
//!
//! A migration is SQL that SQLite and PostgreSQL both read; the few words that they spell differently are written in
//! braces (see [`Script`]). What has been released is never edited: a change is a new file at the end of the list.

use sea_orm_migration::prelude::async_trait::async_trait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// All migrations, in order.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Script { name: "m2026_11_21_first", sql: include_str!("m2026_11_21_first.sql") })]
    }
}

/// The names of all migrations, in order.
#[must_use]
pub fn names() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

/// A migration written in SQL. `{id}` is a 64-bit primary key whose values we choose ourselves, `{bytes}` a blob.
struct Script {
    name: &'static str,
    sql: &'static str,
}

impl MigrationName for Script {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait]
impl MigrationTrait for Script {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (id, bytes) = match manager.get_database_backend() {
            DbBackend::Sqlite => ("INTEGER PRIMARY KEY", "BLOB"),
            _ => ("BIGINT PRIMARY KEY", "BYTEA"),
        };
        let sql = self.sql.replace("{id}", id).replace("{bytes}", bytes);
        manager.get_connection().execute_unprepared(&sql).await.map(|_| ())
    }

    /// All or nothing, on both databases.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
