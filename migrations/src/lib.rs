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
        vec![
            Box::new(Script { name: "m2026_11_21_first", sql: include_str!("m2026_11_21_first.sql") }),
            Box::new(Script { name: "m2026_11_22_record", sql: include_str!("m2026_11_22_record.sql") }),
            Box::new(Script { name: "m2026_11_22_sharing", sql: include_str!("m2026_11_22_sharing.sql") }),
            Box::new(Script { name: "m2026_11_22_retention", sql: include_str!("m2026_11_22_retention.sql") }),
            Box::new(Script { name: "m2026_11_22_daemons", sql: include_str!("m2026_11_22_daemons.sql") }),
            Box::new(Script { name: "m2026_11_22_people", sql: include_str!("m2026_11_22_people.sql") }),
            Box::new(Script { name: "m2026_11_22_notices", sql: include_str!("m2026_11_22_notices.sql") }),
            Box::new(Script { name: "m2026_11_22_plans", sql: include_str!("m2026_11_22_plans.sql") }),
            Box::new(Script { name: "m2026_11_22_shelves", sql: include_str!("m2026_11_22_shelves.sql") }),
        ]
    }
}

/// The names of all migrations, in order.
#[must_use]
pub fn names() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

/// A migration written in SQL. `{id}` is a 64-bit primary key whose values we choose ourselves, `{bytes}` a blob;
/// `{append-only TABLE}` has the database itself refuse to change or remove rows of that table.
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
        let sqlite = manager.get_database_backend() == DbBackend::Sqlite;
        let (id, bytes) = if sqlite { ("INTEGER PRIMARY KEY", "BLOB") } else { ("BIGINT PRIMARY KEY", "BYTEA") };
        let sql = append_only(&self.sql.replace("{id}", id).replace("{bytes}", bytes), sqlite);
        manager.get_connection().execute_unprepared(&sql).await.map(|_| ())
    }

    /// All or nothing, on both databases.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// Puts the triggers in place of each `{append-only TABLE}`.
fn append_only(sql: &str, sqlite: bool) -> String {
    let mut parts = sql.split("{append-only ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (table, rest) = part.split_once('}').unwrap_or((part, ""));
        out += &if sqlite { sqlite_triggers(table) } else { postgres_triggers(table) };
        out += rest;
    }
    out
}

fn sqlite_triggers(table: &str) -> String {
    let trigger = |verb: &str| {
        format!(
            "CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} BEGIN \
             SELECT RAISE(ABORT, 'rows of {table} stay as they are'); END;\n"
        )
    };
    ["UPDATE", "DELETE"].map(trigger).concat()
}

fn postgres_triggers(table: &str) -> String {
    format!(
        "CREATE FUNCTION {table}_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         RAISE EXCEPTION 'rows of {table} stay as they are' USING ERRCODE = 'restrict_violation'; END $$;\n\
         CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} \
         FOR EACH STATEMENT EXECUTE FUNCTION {table}_stays();\n"
    )
}
