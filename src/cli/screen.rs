//! `postkamer screen`: is there citizen data in these files (DESIGN §6).

use std::collections::BTreeMap;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::explain::desk_named;
use super::spots::{self, SpotPart};
use super::{Failure, Place, output};
use crate::extract::{Extractor, LARGEST, Languages, Limits};
use crate::parse::document::Unreadable;
use crate::screen::{Judgement, Policy, screen_document};

/// Tell whether there is citizen data in files of any format, and of what kind; needs no configuration.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// Screen as this desk does: by its countries and its sensitivity. Without it, numbers of all countries count.
    #[arg(long, value_name = "NAME")]
    desk: Option<String>,
    /// Files, and folders with all that is in them; - is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

pub(super) async fn run(place: &Place, args: Args) -> Result<(), Failure> {
    let policy = match &args.desk {
        Some(name) => desk_named(&place.settings()?, name)?.screening(),
        None => Policy::default(),
    };
    let mut gathered = Gathered::default();
    args.files.iter().for_each(|given| gathered.add(given));
    for (path, error) in &gathered.unread {
        complain(path, error);
    }
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let extractor = Arc::new(Extractor::start(Limits { workers, ..Limits::default() })?);
    let progress = progress(gathered.files.len());
    let mut all_clean = gathered.unread.is_empty();
    let mut results = stream::iter(gathered.files.into_iter().map(|file| one(extractor.clone(), policy.clone(), file))).buffered(workers);
    let mut rows = Vec::new();
    while let Some((file, result)) = results.next().await {
        progress.inc(1);
        all_clean &= result.as_ref().is_ok_and(|result| result.outcome == "clean");
        match result {
            Ok(result) if args.json => progress.suspend(|| output::json(&result))?,
            Ok(result) => rows.push(result.row()),
            Err(error) => progress.suspend(|| complain(&file, &error)),
        }
    }
    progress.finish_and_clear();
    if !args.json {
        output::table(&["file", "outcome", "format", "found", "where"], rows, "There are no files.");
    }
    if all_clean { Ok(()) } else { Err(Failure::No) }
}

fn complain(path: &Path, error: &std::io::Error) {
    output::complain(&format!("{} cannot be read: {error}", output::safe(&path.display().to_string())));
}

/// The files to look at, and what is in the way of finding more.
#[derive(Default)]
struct Gathered {
    files: Vec<PathBuf>,
    unread: Vec<(PathBuf, std::io::Error)>,
}

impl Gathered {
    /// A file as given, or all files of a folder by name. Links and devices inside folders are left alone.
    fn add(&mut self, given: &Path) {
        match std::fs::metadata(given) {
            Ok(what) if what.is_dir() => self.folder(given),
            Ok(_) => self.files.push(given.to_owned()),
            Err(_) if given.as_os_str() == "-" => self.files.push(given.to_owned()),
            Err(error) => self.unread.push((given.to_owned(), error)),
        }
    }

    fn folder(&mut self, folder: &Path) {
        let mut inside = match std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>) {
            Ok(inside) => inside,
            Err(error) => return self.unread.push((folder.to_owned(), error)),
        };
        inside.sort_by_key(std::fs::DirEntry::file_name);
        for entry in inside {
            match entry.file_type() {
                Ok(what) if what.is_dir() => self.folder(&entry.path()),
                Ok(what) if what.is_file() => self.files.push(entry.path()),
                Ok(_) => {}
                Err(error) => self.unread.push((entry.path(), error)),
            }
        }
    }
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
    let bytes = match read(&file) {
        Ok(bytes) => bytes,
        Err(error) => return (file, Err(error)),
    };
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    let languages = Languages::of(&policy.countries);
    let document = extractor.read_in(&languages, &extractor.patience(), bytes, None, name.as_deref()).await;
    let judgement = screen_document(&document, name.as_deref(), &policy);
    let screening = Screening::new(file.display().to_string(), document.format, &judgement);
    (file, Ok(screening))
}

/// A file's bytes, or as many of them as show that it is too large to be read.
fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin().take(LARGEST + 1).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(file)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The contract's fields, in its order; then why a file is unreadable, and where each hit is.
#[derive(Debug, Serialize)]
struct Screening {
    file: String,
    outcome: &'static str,
    citizen_data: bool,
    format: String,
    kinds: BTreeMap<&'static str, u32>,
    why: Option<Unreadable>,
    spots: Vec<SpotPart>,
}

impl Screening {
    fn new(file: String, format: String, judgement: &Judgement) -> Self {
        let mut kinds = BTreeMap::new();
        for (kind, count) in judgement.findings.iter().flat_map(|finding| &finding.kinds) {
            *kinds.entry(*kind).or_insert(0) += count;
        }
        let citizen_data = !kinds.is_empty();
        let outcome = if citizen_data {
            "citizen-data"
        } else if judgement.unreadable.is_some() {
            "unreadable"
        } else {
            "clean"
        };
        Self { file, outcome, citizen_data, format, kinds, why: judgement.unreadable, spots: spots::of(&judgement.findings) }
    }

    fn row(&self) -> Vec<String> {
        let mut found: Vec<String> = self.kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        found.extend(self.why.map(|why| why.to_string()));
        vec![output::safe(&self.file), self.outcome.to_owned(), self.format.clone(), found.join(", "), spots::in_words(&self.spots)]
    }
}
