//! Settings that follow their files while postkamer runs.
//!
//! A set with a mistake is refused whole: the last good one stays in force, the mistake is logged and shown by `status`.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::organisation_file::toml_files;
use super::{Settings, load};

/// Editors and `git checkout` touch a file several times: what follows within this time is one change.
const DEBOUNCE: Duration = Duration::from_millis(500);
/// However long it goes on, the files are read after this time.
const PATIENCE: Duration = Duration::from_secs(5);
/// Replaced symbolic links and full event queues lose events; so the files are looked over this often besides.
const SCAN: Duration = Duration::from_secs(60);

/// The settings in force. Clones share them.
#[derive(Clone, Debug)]
pub struct Live(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    current: watch::Sender<Arc<Settings>>,
    complaint: RwLock<Option<String>>,
}

/// What tells whether a file has changed, without reading it: name, length, inode, and the times of content and inode.
type Stamp = BTreeSet<(PathBuf, u64, u64, (i64, i64), (i64, i64))>;

impl Live {
    /// Begins with settings that were read from `path`; [`Live::follow`] keeps them up to date.
    #[must_use]
    pub fn new(path: &Path, settings: impl Into<Arc<Settings>>) -> Self {
        let (current, _) = watch::channel(settings.into());
        Self(Arc::new(Shared { path: path.to_owned(), current, complaint: RwLock::new(None) }))
    }

    /// The settings in force now. Take them once for each mail: they may be others the next time.
    #[must_use]
    pub fn current(&self) -> Arc<Settings> {
        Arc::clone(&self.0.current.borrow())
    }

    /// Tells of every new set.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Arc<Settings>> {
        self.0.current.subscribe()
    }

    /// Why the files as they are now are not in force: the first mistake, without personal data. None: they are.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        self.0.complaint.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files again. True: they are in force, or were already.
    pub async fn reload(&self) -> bool {
        let path = self.0.path.clone();
        let read = tokio::task::spawn_blocking(move || load(&path)).await;
        let complaint = match read {
            Ok(Ok(settings)) => {
                for warning in &settings.warnings {
                    tracing::warn!("{}", warning.sentence());
                }
                self.0.current.send_if_modified(|current| {
                    let is_new = current.fingerprint != settings.fingerprint;
                    if is_new {
                        tracing::info!(fingerprint = %settings.fingerprint, "The settings have changed; the new ones are in force.");
                        *current = Arc::new(settings);
                    }
                    is_new
                });
                None
            }
            Ok(Err(mistakes)) => Some(mistakes.sentence()),
            Err(_) => Some("reading the settings failed for a reason of its own; this should be reported".to_owned()),
        };
        if let Some(sentence) = &complaint {
            tracing::error!("The changed settings are refused and the last good ones stay in force: {sentence}");
        }
        let fine = complaint.is_none();
        *self.0.complaint.write().unwrap_or_else(PoisonError::into_inner) = complaint;
        fine
    }

    /// Follows the files until the token is cancelled: their directories are watched, SIGHUP is obeyed, and every minute they are looked over.
    pub async fn follow(&self, stop: &CancellationToken) {
        let (changed, mut changes) = mpsc::channel::<()>(1);
        let mut hang_up = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok();
        let mut watched = self.directories();
        let mut watcher = watch_directories(&watched, changed.clone());
        let mut seen = self.stamp().await;
        // What changed between reading and watching.
        self.reload().await;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(()) = changes.recv() => {
                    let latest = Instant::now() + PATIENCE;
                    while timeout(DEBOUNCE, changes.recv()).await.is_ok() && Instant::now() < latest {}
                    let now = self.stamp().await;
                    if now == seen { continue }
                    seen = now;
                }
                Some(()) = hung_up(hang_up.as_mut()) => {
                    tracing::info!("The settings are read again, as asked by SIGHUP.");
                    seen = self.stamp().await;
                }
                () = sleep(SCAN) => {
                    let now = self.stamp().await;
                    if now == seen { continue }
                    seen = now;
                }
            }
            self.reload().await;
            let directories = self.directories();
            if directories != watched {
                watched = directories;
                watcher = watch_directories(&watched, changed.clone());
            }
            if watcher.is_none() {
                watcher = watch_directories(&watched, changed.clone());
            }
        }
    }

    /// The directories whose files make the settings.
    fn directories(&self) -> BTreeSet<PathBuf> {
        let mut directories: BTreeSet<PathBuf> = self.current().directories.iter().cloned().collect();
        directories.insert(directory_of(&self.0.path));
        directories
    }

    async fn stamp(&self) -> Stamp {
        let (main, directories) = (self.0.path.clone(), self.current().directories.clone());
        let stamp = tokio::task::spawn_blocking(move || {
            let files = directories.iter().flat_map(|directory| toml_files(directory).unwrap_or_default());
            std::iter::once(main)
                .chain(files)
                .filter_map(|file| {
                    let found = std::fs::metadata(&file).ok()?;
                    Some((file, found.len(), found.ino(), (found.mtime(), found.mtime_nsec()), (found.ctime(), found.ctime_nsec())))
                })
                .collect()
        });
        stamp.await.unwrap_or_default()
    }
}

fn directory_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Watches directories rather than files: editors replace a file by renaming another over it. None: nothing can be watched.
fn watch_directories(directories: &BTreeSet<PathBuf>, changed: mpsc::Sender<()>) -> Option<notify::RecommendedWatcher> {
    let tell = move |event: notify::Result<notify::Event>| {
        // Our own reading is an event too.
        if !matches!(&event, Ok(event) if event.kind.is_access()) {
            // A full channel holds a word that has not been heard yet: one is enough.
            let _ = changed.try_send(());
        }
    };
    let mut watcher = match notify::recommended_watcher(tell) {
        Ok(watcher) => watcher,
        Err(_) => {
            tracing::warn!("This system does not tell of changed files; the settings are looked over once a minute.");
            return None;
        }
    };
    for directory in directories.iter().filter(|directory| directory.is_dir()) {
        if watcher.watch(directory, RecursiveMode::NonRecursive).is_err() {
            tracing::warn!(directory = %directory.display(), "This directory of settings cannot be watched; it is looked over once a minute.");
        }
    }
    Some(watcher)
}

async fn hung_up(signal: Option<&mut tokio::signal::unix::Signal>) -> Option<()> {
    match signal {
        Some(signal) => signal.recv().await,
        None => {
            sleep_until(Instant::now() + Duration::from_secs(86_400 * 365)).await;
            None
        }
    }
}
