//! Splits of texts as mail programs write them: `fixtures/quoted`, a file per language.

use super::super::html;
use super::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    text: Option<String>,
    html: Option<String>,
    /// All that counts as written.
    written: String,
    /// Passages that are quoted; none means that nothing is.
    quoted: Vec<String>,
}

const FILES: &[(&str, &str)] = &[
    ("nl", include_str!("../../../fixtures/quoted/nl.toml")),
    ("da", include_str!("../../../fixtures/quoted/da.toml")),
    ("nb", include_str!("../../../fixtures/quoted/nb.toml")),
    ("sv", include_str!("../../../fixtures/quoted/sv.toml")),
    ("en", include_str!("../../../fixtures/quoted/en.toml")),
    ("de", include_str!("../../../fixtures/quoted/de.toml")),
    ("mixed", include_str!("../../../fixtures/quoted/mixed.toml")),
];

#[test]
fn mails_of_every_language_split_where_their_authors_stopped() {
    let mut wrong = Vec::new();
    for (language, file) in FILES {
        let cases: Cases = toml::from_str(file).unwrap();
        assert!(cases.case.len() >= 8, "{language} has too few cases");
        for case in cases.case {
            let lines = match (&case.text, &case.html) {
                (Some(text), None) => lines(text),
                (None, Some(html)) => html::read(html).lines,
                _ => panic!("{}: one of text and html", case.about),
            };
            let split = split(&lines);
            let complete = case.quoted.iter().all(|passage| split.quoted.contains(passage));
            if split.written != case.written || !complete || (case.quoted.is_empty() && !split.quoted.is_empty()) {
                wrong.push(format!(
                    "{language}: {}\n  written: {:?}\n  instead of {:?}\n  quoted: {:?}",
                    case.about, split.written, case.written, split.quoted
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn long_texts_take_linear_time() {
    for line in [
        "Op 16 nov schreef",
        "Van: a",
        "> x",
        "x > y",
        "Op 16 nov 2026 10:12 schreef A:",
        "-----Original Message",
        "\n",
        "________________",
        "a@b 1",
    ] {
        let text = format!("{line}\n").repeat(40_000);
        let split = split(&lines(&text));
        assert!(split.written.len() + split.quoted.len() <= text.len());
    }
}
