//! Splits of texts as mail programs write them, per language.

use super::*;

/// What is written and what is quoted.
fn halves(text: &str) -> (String, String) {
    let split = split(&lines(text));
    (split.written, split.quoted)
}

#[test]
fn top_answers() {
    let (written, quoted) = halves("Ja, akkoord.\n\nOp ma 16 nov 2026 om 10:12 schreef Support <support@x.test>:\n\n> Klopt dit?\n>\n> Groet\n");
    assert_eq!((written.as_str(), quoted.as_str()), ("Ja, akkoord.", "Op ma 16 nov 2026 om 10:12 schreef Support <support@x.test>:\nKlopt dit?\n\nGroet"));
}
