//! A Maildir on this machine.
//!
//! A file's name, size and time of change stand in for a UID: their digest is split over the two numbers of a
//! [`MailUid`], so that each mail has a UIDVALIDITY of its own and a changed file is another mail.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read as _, Write as _};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use jiff::Timestamp;
use notify::Watcher as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::folder_name::modified_utf7;
use super::{BEGINNING, Done, FolderName, Listed, MailboxError, RawMail, Settings, Settled, Woken};
use crate::words::{MailUid, MailboxId, Redacted};

/// Makes an empty Maildir (`cur`, `new`, `tmp`), with its parents, readable by its owner only. One that exists is kept.
///
/// # Errors
/// What the system says.
pub fn create(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    for part in ["tmp", "new", "cur"] {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path.join(part))?;
    }
    Ok(())
}

/// Delivers a mail as an MTA does: written to `tmp`, synced, moved to `new`. Its time of arrival is `at`.
///
/// # Errors
/// What the system says.
pub fn deliver(path: &Path, mail: &[u8], at: Timestamp) -> io::Result<()> {
    static DELIVERED: AtomicU64 = AtomicU64::new(0);
    let count = DELIVERED.fetch_add(1, Ordering::Relaxed);
    let name = format!("{}.P{}Q{count}.postkamer", at.as_microsecond(), std::process::id());
    let temporary = path.join("tmp").join(&name);
    let mut file = std::fs::File::create_new(&temporary)?;
    file.write_all(mail)?;
    let since_epoch = Duration::from_millis(u64::try_from(at.as_millisecond()).unwrap_or(0));
    file.set_modified(UNIX_EPOCH + since_epoch)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path.join("new").join(&name))?;
    sync_directory(&path.join("new"))
}

/// An open Maildir folder.
#[derive(Debug)]
pub(super) struct Folder {
    id: MailboxId,
    directory: PathBuf,
    /// Where filed mail goes; None: it is deleted.
    done: Option<PathBuf>,
    poll: Duration,
    max_mail: u64,
    news: Arc<Notify>,
    /// The unique part of the name of every mail that was last listed: whoever looks for some of them need not look at all the others.
    listed: HashMap<MailUid, String>,
    /// None where the system grants no watch: then only polling is left.
    watcher: Option<notify::RecommendedWatcher>,
}

/// A mail's file.
#[derive(Clone, Debug)]
struct Entry {
    uid: MailUid,
    path: PathBuf,
    /// The unique part of the name, before `:2,`.
    base: String,
    /// The flags after `:2,`.
    flags: String,
    size: u64,
    modified: i64,
}

impl Folder {
    /// Opens the Maildir, or a Maildir++ folder in it.
    pub(super) async fn open(id: MailboxId, path: &Path, settings: &Settings) -> Result<Self, MailboxError> {
        let directory = folder_path(path, &settings.folder);
        let done = match &settings.done {
            Done::Folder(name) => Some(folder_path(path, name)),
            Done::Delete => None,
        };
        if !directory.join("cur").is_dir() || !directory.join("new").is_dir() {
            return Err(MailboxError::NoMaildir(directory));
        }
        let news = Arc::new(Notify::new());
        let watcher = watch(&directory, Arc::clone(&news)).inspect_err(|_| {
            tracing::info!(mailbox = %id, "the Maildir cannot be watched; it is looked into at each poll");
        });
        Ok(Self {
            id,
            directory,
            done,
            poll: settings.poll,
            max_mail: settings.max_mail,
            news,
            listed: HashMap::new(),
            watcher: watcher.ok(),
        })
    }

    /// Whether the Maildir has a folder of that name.
    pub(super) fn has_beside(&self, maildir: &Path, folder: &FolderName) -> bool {
        folder_path(maildir, folder).join("cur").is_dir()
    }

    /// True if deliveries are announced by the system.
    pub(super) fn is_watched(&self) -> bool {
        self.watcher.is_some()
    }

    /// True if mails can be moved and deleted.
    pub(super) fn is_writable(&self) -> bool {
        use rustix::fs::{Access, access};
        ["cur", "new"].iter().all(|part| access(self.directory.join(part), Access::WRITE_OK | Access::EXEC_OK).is_ok())
    }

    /// All mails in `new` and `cur`, oldest first.
    pub(super) async fn list(&mut self) -> Result<Vec<Listed>, MailboxError> {
        let mut entries = self.scan(None).await?;
        self.listed = entries.iter().map(|entry| (entry.uid.clone(), entry.base.clone())).collect();
        entries.sort_by(|a, b| (a.modified, &a.base).cmp(&(b.modified, &b.base)));
        Ok(entries
            .into_iter()
            .map(|entry| Listed { uid: entry.uid, size: entry.size, internal_date: entry.modified, deleted: entry.flags.contains('T') })
            .collect())
    }

    /// The bytes of these mails; what has gone or changed is absent.
    pub(super) async fn fetch(&mut self, wanted: &[Listed]) -> Result<Vec<RawMail>, MailboxError> {
        let found = self.find(wanted.iter().map(|listed| &listed.uid)).await?;
        let max_mail = self.max_mail;
        blocking("reading a mail", move || {
            let mut mails = Vec::with_capacity(found.len());
            for entry in found {
                let truncated = entry.size > max_mail;
                let bytes = match read(&entry.path, if truncated { BEGINNING as u64 } else { entry.size }) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    other => other?,
                };
                mails.push(RawMail {
                    uid: entry.uid,
                    internal_date: entry.modified,
                    size: entry.size,
                    bytes: Redacted::new(bytes),
                    truncated,
                });
            }
            Ok(mails)
        })
        .await
    }

    /// Moves mails to the done folder, or deletes them.
    pub(super) async fn file(&mut self, mails: &[MailUid]) -> Result<Vec<(MailUid, Settled)>, MailboxError> {
        let Some(done) = self.done.clone() else { return self.remove(mails).await };
        let found = self.find(mails.iter()).await?;
        let filed: Vec<MailUid> = found.iter().map(|entry| entry.uid.clone()).collect();
        let directory = self.directory.clone();
        blocking("filing a mail", move || {
            create(&done)?;
            for entry in found {
                move_into(&entry, &done)?;
            }
            sync_directory(&done.join("cur"))?;
            sync_folder(&directory)
        })
        .await?;
        self.settle(mails, |uid| if filed.contains(uid) { Settled::Filed } else { Settled::Gone }).await
    }

    /// Deletes mails.
    pub(super) async fn remove(&mut self, mails: &[MailUid]) -> Result<Vec<(MailUid, Settled)>, MailboxError> {
        let found = self.find(mails.iter()).await?;
        let directory = self.directory.clone();
        blocking("removing a mail", move || {
            for entry in found {
                match std::fs::remove_file(&entry.path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            sync_folder(&directory)
        })
        .await?;
        self.settle(mails, |_| Settled::Gone).await
    }

    /// Waits for a delivery, the next poll or the token.
    pub(super) async fn wait(&mut self, stop: &CancellationToken) -> Woken {
        let deadline = Instant::now() + self.poll;
        tokio::select! {
            biased;
            () = stop.cancelled() => Woken::Stopped,
            () = self.news.notified() => Woken::News,
            () = sleep_until(deadline) => Woken::Poll,
        }
    }

    /// Looks again: what is still there did not settle.
    async fn settle(&self, mails: &[MailUid], absent: impl Fn(&MailUid) -> Settled) -> Result<Vec<(MailUid, Settled)>, MailboxError> {
        let left = self.find(mails.iter()).await?;
        let state = |uid: &MailUid| match () {
            () if uid.mailbox != self.id => Settled::Stale,
            () if left.iter().any(|entry| entry.uid == *uid) => Settled::StillThere,
            () => absent(uid),
        };
        Ok(mails.iter().map(|uid| (uid.clone(), state(uid))).collect())
    }

    /// The files of these mails, as far as they are there, in the order asked.
    async fn find<'a>(&self, mails: impl Iterator<Item = &'a MailUid>) -> Result<Vec<Entry>, MailboxError> {
        let mails: Vec<&MailUid> = mails.collect();
        let names = mails.iter().map(|uid| self.listed.get(uid).cloned()).collect::<Option<HashSet<String>>>();
        let mut entries: HashMap<MailUid, Entry> = self.scan(names).await?.into_iter().map(|entry| (entry.uid.clone(), entry)).collect();
        Ok(mails.into_iter().filter_map(|uid| entries.remove(uid)).collect())
    }

    /// All mails, or those of these names.
    async fn scan(&self, names: Option<HashSet<String>>) -> Result<Vec<Entry>, MailboxError> {
        let (id, directory) = (self.id.clone(), self.directory.clone());
        blocking("listing", move || {
            let mut entries = Vec::new();
            // `new` first: a mail that another program moves to `cur` meanwhile is then seen twice, not missed.
            for part in ["new", "cur"] {
                for file in std::fs::read_dir(directory.join(part))? {
                    let file = file?;
                    let name = file.file_name();
                    if names.as_ref().is_none_or(|names| names.contains(parted(&name.to_string_lossy()).0)) {
                        entries.extend(entry(&id, &file)?);
                    }
                }
            }
            entries.sort_by(|a, b| a.uid.cmp(&b.uid));
            // Of two, the later one is the file's place now.
            entries.reverse();
            entries.dedup_by(|a, b| a.uid == b.uid);
            Ok(entries)
        })
        .await
    }
}

/// The directory of a folder: the Maildir itself for INBOX, `.Name` beside `cur` for others (Maildir++).
fn folder_path(maildir: &Path, folder: &FolderName) -> PathBuf {
    if folder.is_inbox() {
        return maildir.to_owned();
    }
    // Maildir++ keeps the hierarchy in the name, with dots; a slash would leave the Maildir.
    let name = modified_utf7(folder.as_str()).replace('/', ".");
    maildir.join(format!(".{}", name.trim_matches('.')))
}

/// The unique part of a file's name, and the flags.
fn parted(name: &str) -> (&str, &str) {
    name.split_once(":2,").unwrap_or((name, ""))
}

/// One directory entry as a mail; None for anything that is no regular file, is hidden, or has just gone.
fn entry(id: &MailboxId, file: &std::fs::DirEntry) -> io::Result<Option<Entry>> {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::MetadataExt as _;
    let name = file.file_name();
    if name.as_bytes().starts_with(b".") {
        return Ok(None);
    }
    let metadata = match file.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if !metadata.is_file() {
        return Ok(None);
    }
    let text = name.to_string_lossy();
    let (base, flags) = parted(&text);
    let (seconds, nanoseconds) = (metadata.mtime(), metadata.mtime_nsec());
    let mut digest = Sha256::new();
    for number in [seconds, nanoseconds] {
        digest.update(number.to_be_bytes());
    }
    digest.update(metadata.size().to_be_bytes());
    digest.update(base.as_bytes());
    let mut numbers = digest.finalize().into_iter();
    let mut number = || numbers.by_ref().take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(byte));
    let (validity, uid) = (number(), number());
    let nonzero = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    Ok(Some(Entry {
        uid: MailUid { mailbox: id.clone(), validity: nonzero(validity), uid: nonzero(uid) },
        path: file.path(),
        base: base.to_owned(),
        flags: flags.to_owned(),
        size: metadata.size(),
        modified: seconds.saturating_mul(1000).saturating_add(nanoseconds / 1_000_000),
    }))
}

fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(limit).unwrap_or(0));
    std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Moves a mail into another Maildir folder, keeping its flags. A mail that has gone is left gone.
fn move_into(entry: &Entry, folder: &Path) -> io::Result<()> {
    let place = |base: &str| folder.join("cur").join(format!("{base}:2,{}", entry.flags));
    let mut target = place(&entry.base);
    if target.try_exists()? {
        // Names are unique in a Maildir by convention only; another mail must not be overwritten.
        target = place(&format!("{}.{:x}{:x}", entry.base, entry.uid.validity, entry.uid.uid));
    }
    match std::fs::rename(&entry.path, target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    sync_directory(&folder.join("new"))?;
    sync_directory(&folder.join("cur"))
}

/// Makes renames and removals in a directory last through a power loss.
fn sync_directory(path: &Path) -> io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}

/// Notifies of files that appear in the folder.
fn watch(directory: &Path, news: Arc<Notify>) -> notify::Result<notify::RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        use notify::EventKind as E;
        use notify::event::{ModifyKind, RenameMode};
        // What leaves the folder (a mail that we file) is no news; an event that could not be read may be.
        let leaves =
            event.is_ok_and(|event| matches!(event.kind, E::Access(_) | E::Remove(_) | E::Modify(ModifyKind::Name(RenameMode::From))));
        if !leaves {
            news.notify_one();
        }
    })?;
    for part in ["new", "cur"] {
        watcher.watch(&directory.join(part), notify::RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

/// Runs file operations on a thread of their own.
async fn blocking<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, MailboxError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| MailboxError::Maildir { doing, kind: io::ErrorKind::Other })?
        .map_err(|error| MailboxError::Maildir { doing, kind: error.kind() })
}
