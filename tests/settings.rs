//! Settings: what is taken, what is refused, and where the complaint points.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use postkamer::clock::Clock;
use postkamer::settings::{self, Complaint, Mistakes, Settings, Severity};

fn clock() -> Clock {
    Clock::fixed("2026-11-21T10:00:00Z".parse().unwrap())
}

fn load(path: &Path) -> Result<Settings, Mistakes> {
    settings::load_with(path, &BTreeMap::new(), false, &clock())
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Settings in a directory of their own, one text a file.
struct Files(tempfile::TempDir);

const SOUND: &str = r#"portal = "https://portal.zaakwijs.example"
state_dir = "var"
organisations = "organisations"
[database]
url = "sqlite://postkamer.db"
[authentication]
mode = "trusted-header"
authserv_id = "mx.zaakwijs.example"
[smtp]
kind = "directory"
path = "replies-sent"
[[desk]]
name = "support"
address = "support@zaakwijs.example"
display_name = "Zaakwijs Support"
[desk.mailbox]
kind = "maildir"
path = "mail"
"#;

const WATERWOLDE: &str = r#"name = "Gemeente Waterwolde"
domains = ["waterwolde.example"]
language = "nl"
approved_contacts_only = true
[[contact]]
name = "Ineke Bakker"
email = "i.bakker@waterwolde.example"
kind = "general"
"#;

impl Files {
    fn new(main: &str) -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(files.0.path().join("organisations")).unwrap();
        files.with("postkamer.toml", main)
    }

    fn with(self, name: &str, text: &str) -> Self {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn main(&self) -> PathBuf {
        self.0.path().join("postkamer.toml")
    }

    fn load(&self) -> Result<Settings, Mistakes> {
        load(&self.main())
    }

    /// All complaints, whether they are mistakes or warnings only.
    fn complaints(&self) -> Vec<Complaint> {
        match self.load() {
            Ok(settings) => settings.warnings,
            Err(mistakes) => mistakes.list().to_vec(),
        }
    }
}

#[test]
fn the_sample_and_the_world_of_the_fixtures_have_no_mistakes() {
    for path in ["config/postkamer.toml", "fixtures/world/postkamer.toml"] {
        let settings = load(&root().join(path)).unwrap_or_else(|mistakes| panic!("{path}:\n{mistakes}"));
        assert!(!settings.desks.is_empty());
    }
}
