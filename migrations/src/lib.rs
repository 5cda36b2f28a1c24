//! The database schema: frozen history, one file a migration.
