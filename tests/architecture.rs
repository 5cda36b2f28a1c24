//! The house keeps its shape: who may know whom, what a pure room may not touch, and that every file says what it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms and whom each may import (DESIGN §1). A room that is not listed here does not exist.
const ARROWS: &[(&str, &[&str])] = &[
    ("words", &[]),
    ("clock", &[]),
    ("parse", &["words"]),
    ("extract", &["words", "parse"]),
    ("screen", &["words", "parse"]),
    ("identify", &["words", "parse"]),
    ("decide", &["words", "parse", "screen", "identify"]),
    ("plan", &["words", "parse", "screen", "identify", "decide"]),
    ("mailbox", &["words", "clock"]),
    ("store", &["words", "clock", "screen", "identify", "decide", "plan"]),
    ("outbox", &["words", "clock", "mailbox", "decide", "store"]),
    ("settings", &["words", "clock", "mailbox", "outbox", "screen", "identify", "decide", "plan"]),
    ("watchdog", &[]),
    ("verify", &["words", "parse", "identify"]),
    ("journey", &["words", "mailbox", "parse", "extract", "screen", "identify", "verify", "decide", "plan", "settings", "watchdog"]),
    ("retention", &["words", "mailbox", "parse", "store", "outbox", "settings"]),
    ("upkeep", &["words", "clock", "identify", "decide", "plan", "store", "settings", "journey", "retention"]),
    ("health", &["clock", "store"]),
    (
        "daemon",
        &[
            "upkeep",
            "health",
            "words",
            "clock",
            "mailbox",
            "parse",
            "plan",
            "store",
            "outbox",
            "settings",
            "journey",
            "decide",
            "retention",
            "watchdog",
        ],
    ),
    ("cli", &["*"]),
];

/// Rooms that compute: no I/O, no clock, nothing asynchronous.
const PURE: &[&str] = &["words", "parse", "screen", "identify", "decide", "plan"];
const IMPURE: &[&str] =
    &["async fn", "tokio::", "sea_orm", "std::fs", "std::net", "std::process", "std::env", "::now(", "tracing::", "println!"];

fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut waiting = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let inside = path.strip_prefix(&root).unwrap();
                let room = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
                found.push((room, path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The code of a file without its tests and comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_test_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs") || path.components().any(|part| part.as_os_str() == "tests")
}

#[test]
fn rooms_know_only_the_rooms_that_the_design_lets_them_know() {
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut broken = Vec::new();
    for (room, path, text) in sources() {
        if room == "main" || room == "lib" || is_test_file(&path) {
            continue;
        }
        let allowed = arrows.get(room.as_str()).unwrap_or_else(|| panic!("{room} is no room of the design"));
        let code = code(&text);
        for mention in code.split("crate::").skip(1) {
            // `use crate::{a, b}` is not written in this house; the first word after crate:: is the room.
            let other: String = mention.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if other != room && !allowed.contains(&"*") && arrows.contains_key(other.as_str()) && !allowed.contains(&other.as_str()) {
                broken.push(format!("{}: {room} may not know {other}", path.display()));
            }
        }
        assert!(!code.contains("use crate::{"), "{}: one `use` line a room", path.display());
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn pure_rooms_touch_nothing() {
    let mut broken = Vec::new();
    for (room, path, text) in sources() {
        if !PURE.contains(&room.as_str()) || is_test_file(&path) {
            continue;
        }
        for forbidden in IMPURE.iter().filter(|forbidden| code(&text).contains(**forbidden)) {
            broken.push(format!("{}: {forbidden}", path.display()));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_file_says_what_it_is() {
    for (_, path, text) in sources() {
        assert!(text.starts_with("//!"), "{} does not begin with a sentence about itself", path.display());
    }
}

#[test]
fn a_mail_is_deleted_or_filed_on_a_server_in_one_place() {
    let acting: Vec<String> = sources()
        .into_iter()
        .filter(|(room, path, text)| {
            let code = code(text);
            room != "mailbox" && !is_test_file(path) && (code.contains("session.remove(") || code.contains("session.file("))
        })
        .map(|(_, path, _)| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(acting, ["actions.rs"], "src/outbox/actions.rs is the one place");
}

/// Where text that a person wrote may be looked at: rooms that judge it or carry it to the database, a server or an agent's terminal.
const REVEALERS: &[&str] = &[
    "parse",
    "extract",
    "screen",
    "identify",
    "plan",
    "store",
    "mailbox",
    "outbox",
    "settings",
    "words",
    "cli",
    "journey",
    "daemon",
    "retention",
];
/// Within them, no line that logs or complains may.
const SPEAKERS: &[&str] = &["tracing::", "#[error(", "panic!(", "complain("];

#[test]
fn what_is_redacted_is_revealed_only_where_it_must_be_and_never_in_a_log_line() {
    for (room, path, text) in sources() {
        let code = code(&text);
        if is_test_file(&path) || !code.contains(".reveal()") {
            continue;
        }
        assert!(REVEALERS.contains(&room.as_str()), "{} reveals what is redacted", path.display());
        for statement in code.split(';') {
            let speaks =
                SPEAKERS.iter().find(|speaker| statement.contains(**speaker)).map(|speaker| statement.split(*speaker).last().unwrap());
            assert!(!speaks.is_some_and(|said| said.contains(".reveal()")), "{} says what is redacted: {statement}", path.display());
        }
    }
}
