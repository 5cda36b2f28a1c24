//! Configuration: two files of an administrator.

use postkamer::clock::Clock;
use postkamer::settings::{Severity, load_with};
use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;
use tempfile::TempDir;

static PLACE: LazyLock<TempDir> = LazyLock::new(|| {
    let memory = std::path::Path::new("/dev/shm");
    let place = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    let place = place.expect("a directory");
    fs::create_dir(place.path().join("organisations")).expect("a directory");
    place
});

/// What stands between the two files.
const BETWEEN: &str = "\n#### waterwolde.toml\n";

/// Settings are whole, or there is a mistake, and every mistake and warning has its place in one of the two files, or is about a whole one.
pub fn files(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (main, organisation) = text.split_once(BETWEEN).unwrap_or((&text, ""));
    let (path, customer) = (PLACE.path().join("postkamer.toml"), PLACE.path().join("organisations/waterwolde.toml"));
    fs::write(&path, main).expect("room");
    fs::write(&customer, organisation).expect("room");
    let complaints = match load_with(&path, &BTreeMap::new(), false, &Clock::system()) {
        Ok(settings) => {
            assert!(!settings.desks.is_empty(), "settings without a desk");
            settings.warnings
        }
        Err(mistakes) => {
            assert!(mistakes.list().iter().any(|complaint| complaint.severity == Severity::Mistake), "refused without a reason");
            mistakes.list().to_vec()
        }
    };
    for complaint in complaints {
        let text = if complaint.file.ends_with("waterwolde.toml") { organisation } else { main };
        if let Some(line) = complaint.line {
            assert!((1..=text.split('\n').count()).contains(&line), "no such line: {}", complaint.sentence());
        }
        assert!(!complaint.message.is_empty() && complaint.column.is_none_or(|column| column >= 1));
        let _shown = complaint.to_string();
    }
}
