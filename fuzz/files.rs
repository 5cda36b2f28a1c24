//! Files, in the readers of the parser, without the walls around them.

use postkamer::extract::worker::read_unguarded;
use postkamer::parse::document::{Content, Document};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

/// More text than this says no file of the few thousand bytes that are made here: what unpacks to more is refused.
const MOST_TEXT: usize = 64 * 1024 * 1024;

/// Containers and what is in them: never more than they may unpack to.
pub fn archive(bytes: &[u8]) {
    if let Some(document) = read(bytes, None) {
        let text: usize = document.pieces.iter().map(|piece| length(&piece.content)).sum();
        assert!(text <= MOST_TEXT, "{text} bytes of text from {}", bytes.len());
    }
}

/// Documents, the same each time, whatever they are called.
pub fn document(bytes: &[u8]) {
    let once = read(bytes, Some("lijst.csv"));
    assert_eq!(once, read(bytes, Some("lijst.csv")));
    let _ = read(bytes, None);
}

/// `None` where a library gave up: in a worker that is the end of one document. Our own readers must not.
fn read(bytes: &[u8], name: Option<&str>) -> Option<Document> {
    static PLACE: Mutex<String> = Mutex::new(String::new());
    std::panic::set_hook(Box::new(|panic| {
        *PLACE.lock().expect("one thread") = panic.location().map(|place| place.to_string()).unwrap_or_default();
    }));
    let read = catch_unwind(AssertUnwindSafe(|| read_unguarded(bytes, name))).ok();
    if read.is_none() {
        let place = PLACE.lock().expect("one thread").clone();
        // Libraries lie elsewhere, under absolute paths.
        if place.starts_with("src/") {
            eprintln!("a reader of ours panicked at {place}");
            std::process::abort();
        }
    }
    read
}

fn length(content: &Content) -> usize {
    match content {
        Content::Lines(lines) => lines.iter().map(String::len).sum(),
        Content::Table(rows) => rows.iter().flatten().map(String::len).sum(),
    }
}
