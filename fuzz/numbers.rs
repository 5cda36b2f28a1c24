//! Identity numbers and records in any text.

use postkamer::parse::document::{Content, Document, Piece, Place};
use postkamer::screen::identifiers::ALL;
use postkamer::screen::{Policy, Sensitivity, screen_document};

/// The same text has the same findings each time, as lines and as a table; stricter never finds less.
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
        let found = Sensitivity::ALL.map(|sensitivity| {
            let policy = Policy { sensitivity, ..Policy::default() };
            let judged = screen_document(&document, name, &policy);
            assert_eq!(judged.findings, screen_document(&document, name, &policy).findings);
            assert!(judged.findings.iter().all(|finding| finding.kinds.iter().all(|(_, count)| *count > 0)));
            !judged.findings.is_empty()
        });
        assert!(found.is_sorted_by(|strict, relaxed| strict >= relaxed), "relaxed finds what strict does not");
    }
}
