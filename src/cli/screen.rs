//! `postkamer screen`: is there citizen data in these files (DESIGN §6).

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::explain::desk_named;
use super::spots::{self, SpotPart};
use super::{Failure, Place, output};
use crate::extract::{Extractor, Limits};
use crate::screen::{Finding, Policy, screen_document};

/// Tell whether there is citizen data in files of any format, and of what kind; needs no configuration.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// Screen as this desk does: by its countries and its sensitivity. Without it, numbers of all countries count.
    #[arg(long, value_name = "NAME")]
    desk: Option<String>,
    /// Files, and folders with all that is in them.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) async fn run(place: &Place, args: Args) -> Result<(), Failure> {
    let policy = match &args.desk {
        Some(name) => desk_named(&place.settings()?, name)?.screening(),
        None => Policy::default(),
    };
    let mut files = Vec::new();
    let mut unread = false;
    for given in &args.files {
        if let Err(error) = gather(given, &mut files) {
            output::complain(&format!("{} cannot be read: {error}", given.display()));
            unread = true;
        }
    }
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let extractor = Arc::new(Extractor::start(Limits { workers, ..Limits::default() })?);
    let progress = progress(files.len());
    let mut results = stream::iter(files.into_iter().map(|file| one(extractor.clone(), policy.clone(), file))).buffered(workers);
    let mut rows = Vec::new();
    let mut all_clean = true;
    while let Some((file, result)) = results.next().await {
        progress.inc(1);
        match result {
            Ok(result) => {
                all_clean &= result.outcome == "clean";
                if args.json { progress.suspend(|| output::json(&result))? } else { rows.push(result.row()) }
            }
            Err(error) => {
                progress.suspend(|| output::complain(&format!("{} cannot be read: {error}", file.display())));
                unread = true;
            }
        }
    }
    progress.finish_and_clear();
    if !args.json {
        output::table(&["file", "outcome", "format", "found", "where"], rows, "There are no files.");
    }
    if all_clean && !unread { Ok(()) } else { Err(Failure::No) }
}

/// Files as given; of folders, all files in them by name. Links inside folders are not followed.
fn gather(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !std::fs::metadata(path)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut inside = std::fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
    inside.sort_by_key(std::fs::DirEntry::file_name);
    for entry in inside {
        if !entry.file_type()?.is_symlink() {
            gather(&entry.path(), files)?;
        }
    }
    Ok(())
}

/// A bar for people with many files to wait for.
fn progress(files: usize) -> ProgressBar {
    const MANY: usize = 20;
    if files < MANY || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(u64::try_from(files).ok(), ProgressDrawTarget::stderr());
    match ProgressStyle::with_template("{wide_bar} {pos} of {len} files, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

async fn one(extractor: Arc<Extractor>, policy: Policy, file: PathBuf) -> (PathBuf, std::io::Result<Screening>) {
    let bytes = match super::explain::read(&file) {
        Ok(bytes) => bytes,
        Err(error) => return (file, Err(error)),
    };
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    let document = extractor.read(bytes, None, name.as_deref()).await;
    let judgement = screen_document(&document, name.as_deref(), &policy);
    let screening = Screening::new(file.display().to_string(), document.format, judgement.unreadable.is_some(), &judgement.findings);
    (file, Ok(screening))
}

/// The contract's fields, in its order, and where each hit is.
#[derive(Debug, Serialize)]
struct Screening {
    file: String,
    outcome: &'static str,
    citizen_data: bool,
    format: String,
    kinds: BTreeMap<&'static str, u32>,
    spots: Vec<SpotPart>,
}

impl Screening {
    fn new(file: String, format: String, unreadable: bool, findings: &[Finding]) -> Self {
        let mut kinds = BTreeMap::new();
        for (kind, count) in findings.iter().flat_map(|finding| &finding.kinds) {
            *kinds.entry(*kind).or_insert(0) += count;
        }
        let citizen_data = !kinds.is_empty();
        let outcome = if citizen_data {
            "citizen-data"
        } else if unreadable {
            "unreadable"
        } else {
            "clean"
        };
        Self { file, outcome, citizen_data, format, kinds, spots: spots::of(findings) }
    }

    fn row(&self) -> Vec<String> {
        let kinds: Vec<String> = self.kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        vec![self.file.clone(), self.outcome.to_owned(), self.format.clone(), kinds.join(", "), spots::in_words(&self.spots)]
    }
}
