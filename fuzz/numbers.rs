//! Identity numbers and records in any text.

use postkamer::parse::document::{Content, Document, Piece, Place};
use postkamer::screen::identifiers::ALL;
use postkamer::screen::{Policy, Sensitivity, screen_document};

/// In any text, as lines and as a table, all that is found is counted, and what counts to a relaxed desk counts to a strict one.
pub fn text(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines() {
        for identifier in ALL {
            if let Some(judged) = (identifier.judge)(line) {
                assert!(judged.points <= 100);
            }
        }
    }
    let lines = Content::Lines(text.lines().map(str::to_owned).collect());
    let cells = |line: &str| line.split([';', '\t']).map(str::to_owned).collect();
    let table = Content::Table(text.lines().map(cells).collect());
    for content in [lines, table] {
        let place = Place { part: "body".to_owned(), number: 1, path: Vec::new() };
        let document = Document { format: "txt".to_owned(), pieces: vec![Piece { place, content }], ..Document::default() };
        let name = text.lines().next();
        let [strict, relaxed] = [Sensitivity::Strict, Sensitivity::Relaxed].map(|sensitivity| {
            let judged = screen_document(&document, name, &Policy { sensitivity, ..Policy::default() });
            assert!(judged.findings.iter().all(|finding| finding.kinds.values().all(|count| *count > 0)));
            !judged.findings.is_empty()
        });
        assert!(strict || !relaxed, "a relaxed desk finds what a strict one does not");
    }
}
