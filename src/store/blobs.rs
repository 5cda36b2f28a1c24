//! Stored attachments: one file each, named by the SHA-256 of its bytes, holding the decoded bytes exactly as sent.
//!
//! A file is complete and on disk before the row that names it is committed. A file that no row names is the trace of
//! a booking that failed; [`Store::sweep_attachments`] removes it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use sha2::{Digest, Sha256};

use super::connection::begin_serial;
use super::entities::attachment;
use super::error::While;
use super::rows::CHUNK;
use super::{Store, StoreError};

const KEEPING: &str = "storing attachments";
/// How many files are forced to the disk at a time.
const AT_ONCE: usize = 32;

/// The directory of attachments.
#[derive(Clone, Debug)]
pub(super) struct Blobs {
    directory: PathBuf,
}

/// The name of a content: its SHA-256 in hexadecimal.
pub(super) fn name(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Waits for the disk once for many files instead of once for each: file systems join what is asked of them together.
fn side_by_side<T: Send>(all: Vec<T>, job: impl Fn(T) -> io::Result<()> + Sync) -> io::Result<()> {
    let mut all = all.into_iter();
    loop {
        let some: Vec<T> = all.by_ref().take(AT_ONCE).collect();
        if some.is_empty() {
            return Ok(());
        }
        let job = &job;
        std::thread::scope(|scope| {
            let threads: Vec<_> = some.into_iter().map(|one| scope.spawn(move || job(one))).collect();
            threads.into_iter().try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into())))
        })?;
    }
}

/// How many bytes are free for us on the disks of these directories: the least of them.
///
/// # Errors
/// One of them is not there, or its disk does not say.
pub fn free_space(directories: &[&Path]) -> Result<u64, StoreError> {
    const DOING: &str = "asking how much room the disk has";
    directories.iter().try_fold(u64::MAX, |least, directory| {
        let disk = rustix::fs::statvfs(*directory).map_err(|error| StoreError::files(DOING, directory)(error.into()))?;
        Ok(least.min(disk.f_bavail.saturating_mul(disk.f_frsize)))
    })
}

const SWEEPING: &str = "looking for attachments that no ticket has";

impl Blobs {
    pub(super) fn open(directory: &Path) -> Result<Self, StoreError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(StoreError::files("making the directory of attachments", directory))?;
        Ok(Self { directory: directory.to_owned() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name.get(..2).unwrap_or("xx")).join(name)
    }

    /// Writes all of these down to the disk. Those that are there already are left alone.
    pub(super) async fn keep(&self, contents: BTreeMap<String, Vec<u8>>) -> Result<(), StoreError> {
        if contents.is_empty() {
            return Ok(());
        }
        let blobs = self.clone();
        tokio::task::spawn_blocking(move || blobs.keep_now(&contents))
            .await
            .map_err(|_| StoreError::NotNow("the program is being stopped"))?
            .map_err(StoreError::files(KEEPING, &self.directory))
    }

    fn keep_now(&self, contents: &BTreeMap<String, Vec<u8>>) -> io::Result<()> {
        // All are written before the first is forced to the disk: the system then writes them together.
        let mut written: Vec<(File, PathBuf, PathBuf)> = Vec::new();
        let mut directories = BTreeSet::new();
        for (name, bytes) in contents {
            let path = self.path(name);
            let directory = path.parent().unwrap_or(&self.directory).to_owned();
            if path.exists() {
                // Complete, but a booking that broke off may not have forced its name to the disk.
                directories.insert(directory);
                continue;
            }
            if !directory.exists() {
                DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
                directories.insert(self.directory.clone());
            }
            let unfinished = directory.join(format!("{name}.{}.new", std::process::id()));
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
            file.write_all(bytes)?;
            written.push((file, unfinished, path));
            directories.insert(directory);
        }
        side_by_side(written, |(file, unfinished, path)| {
            file.sync_all()?;
            fs::rename(unfinished, path)
        })?;
        side_by_side(directories.into_iter().collect(), |directory| File::open(directory)?.sync_all())?;
        Ok(())
    }

    async fn names(&self) -> Result<Vec<String>, StoreError> {
        let directory = self.directory.clone();
        let list = move || {
            let mut names = Vec::new();
            for part in fs::read_dir(directory)? {
                let part = part?;
                if part.file_type()?.is_dir() {
                    for file in fs::read_dir(part.path())? {
                        names.extend(file?.file_name().into_string());
                    }
                }
            }
            Ok::<_, io::Error>(names)
        };
        tokio::task::spawn_blocking(list)
            .await
            .map_err(|_| StoreError::NotNow("the program is being stopped"))?
            .map_err(StoreError::files("listing attachments", &self.directory))
    }
}

impl Store {
    /// Where the bytes of a stored attachment lie.
    #[must_use]
    pub fn attachment_path(&self, sha256: &str) -> PathBuf {
        self.0.blobs.path(sha256)
    }

    /// Removes files that no ticket names: what bookings left behind that failed. They are looked for beside all other work; whether a file that
    /// nobody named is still without a name is asked once more while nothing can be booked.
    ///
    /// # Errors
    /// The database or the directory is out of reach.
    pub async fn sweep_attachments(&self) -> Result<usize, StoreError> {
        let found = unnamed(&self.0.reader, self.0.blobs.names().await?).await?;
        if found.is_empty() {
            return Ok(0);
        }
        let transaction = begin_serial(&self.0.writer, SWEEPING).await?;
        let mut removed = 0;
        for name in unnamed(&transaction, found).await? {
            match fs::remove_file(self.0.blobs.path(&name)) {
                Ok(()) => removed += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(StoreError::files("removing an attachment that no ticket has", &self.0.blobs.directory)(error)),
            }
        }
        transaction.commit().await.doing(SWEEPING)?;
        Ok(removed)
    }
}

/// Those of these files that no row names.
async fn unnamed(db: &impl ConnectionTrait, names: Vec<String>) -> Result<Vec<String>, StoreError> {
    let mut unnamed = Vec::new();
    for chunk in names.chunks(CHUNK) {
        let known: Vec<String> = attachment::Entity::find()
            .select_only()
            .column(attachment::Column::Sha256)
            .filter(attachment::Column::Sha256.is_in(chunk.iter().map(String::as_str)))
            .into_tuple()
            .all(db)
            .await
            .doing(SWEEPING)?;
        let known: BTreeSet<String> = known.into_iter().collect();
        unnamed.extend(chunk.iter().filter(|name| !known.contains(*name)).cloned());
    }
    Ok(unnamed)
}
