//! Facts 5 and 6 of POLICY on sentences such as municipal staff write: `fixtures/wording/sentences.toml`
//! and `fixtures/wording/phrases.toml`.

use std::collections::BTreeMap;

use postkamer::decide::lexicon::{Lexicon, Said};
use postkamer::decide::topic::ict;
use postkamer::decide::urgency::urgent;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    subject: String,
    written: String,
    urgent: bool,
    ict: bool,
}

/// Says yes or no to a subject and a text.
type Judge = fn(&Said) -> bool;

#[test]
fn outages_and_ict_matters_are_told_apart_in_six_languages() {
    let cases: BTreeMap<String, Vec<Case>> = toml::from_str(include_str!("../fixtures/wording/sentences.toml")).unwrap();
    let lexicon = Lexicon::new(&[]).unwrap();
    let mut wrong = Vec::new();
    let mut all = 0;
    for (language, cases) in &cases {
        for case in cases {
            all += 1;
            let said = lexicon.read(&case.subject, &case.written);
            let found = (urgent(&said), ict(&said));
            if found != (case.urgent, case.ict) {
                wrong.push(format!("{language}: urgent {} ict {} for «{}» {:?}", found.0, found.1, case.subject, case.written));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {all}:\n{}", wrong.len(), wrong.join("\n"));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Phrases {
    yes: Vec<String>,
    no: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    urgent: BTreeMap<String, Phrases>,
    ict: BTreeMap<String, Phrases>,
}

#[test]
fn a_phrase_alone_is_enough_or_not_enough() {
    let facts: Facts = toml::from_str(include_str!("../fixtures/wording/phrases.toml")).unwrap();
    let lexicon = Lexicon::new(&[]).unwrap();
    let judges: [(&str, Judge, &BTreeMap<String, Phrases>); 2] = [("urgent", urgent, &facts.urgent), ("ict", ict, &facts.ict)];
    let mut wrong = Vec::new();
    for (fact, judge, languages) in judges {
        for (language, phrases) in languages {
            for (expected, phrases) in [(true, &phrases.yes), (false, &phrases.no)] {
                for phrase in phrases.iter().filter(|phrase| judge(&lexicon.read("", phrase)) != expected) {
                    wrong.push(format!("{language}: {fact} must be {expected} for {phrase:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
