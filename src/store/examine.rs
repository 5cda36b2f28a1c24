//! Whether a database can be used, without changing anything in it: for `check --connect`.

use std::path::Path;

use rustix::fs::{Access, access};
use sea_orm::Database;

use super::StoreError;
use super::connection::{pending, postgres, sqlite};
use super::error::While;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// There is no database yet; it will be made.
    Absent,
    /// It is there, and this many migrations have to be applied: `run` does that by itself.
    Outdated(usize),
    /// It is there and up to date.
    Ready,
}

/// Looks at the database. `url` and `state_dir` are those of [`super::Store::open`].
///
/// # Errors
/// [`StoreError::Newer`] when a newer version has been at work there; anything else that stands in the way.
pub async fn examine(url: &str, state_dir: &Path) -> Result<Found, StoreError> {
    const DOING: &str = "connecting to the database";
    let database = if let Some(path) = url.strip_prefix("sqlite:") {
        let file = state_dir.join(path.strip_prefix("//").unwrap_or(path));
        let writable = nearest(&file).is_some_and(|there| access(there, Access::READ_OK | Access::WRITE_OK).is_ok());
        if !writable {
            let kind = std::io::ErrorKind::PermissionDenied;
            return Err(StoreError::Files { doing: "writing to the database's place", place: file, kind });
        }
        if !file.exists() {
            return Ok(Found::Absent);
        }
        Database::connect(sqlite(file, true)).await.doing(DOING)?
    } else {
        Database::connect(postgres(url, 1)).await.doing(DOING)?
    };
    let pending = pending(&database).await?.len();
    database.close().await.doing(DOING)?;
    Ok(if pending == 0 { Found::Ready } else { Found::Outdated(pending) })
}

/// The file itself, or the first directory above it that exists.
fn nearest(file: &Path) -> Option<&Path> {
    file.ancestors().find(|path| path.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_that_is_not_there_yet_is_not_made() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("var/state");
        assert_eq!(examine("sqlite://postkamer.db", &state).await, Ok(Found::Absent));
        assert!(!state.exists());
    }

    #[tokio::test]
    async fn what_is_no_database_is_told() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("postkamer.db"), "this is a text, and a long enough one at that").unwrap();
        assert!(examine("sqlite://postkamer.db", directory.path()).await.is_err());
    }
}
