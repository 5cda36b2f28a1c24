//! Facts 5 and 6 of POLICY on sentences such as municipal staff write (`fixtures/wording/sentences.toml`, `phrases.toml`), their answers
//! to our questions (`answers.toml`), and what they ask about who may write (`requests.toml`).

use std::collections::BTreeMap;

use postkamer::decide::addition::{asks_for_addition, asks_for_portal_access};
use postkamer::decide::answer::{Answer, Approval};
use postkamer::decide::lexicon::{Lexicon, Said};
use postkamer::decide::topic::ict;
use postkamer::decide::urgency::urgent;
use postkamer::parse::parse;
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    yes: Vec<String>,
    no: Vec<String>,
    unclear: Vec<String>,
    mine: Vec<String>,
    not_mine: Vec<String>,
}

/// What an answer says now, without the history below it.
fn written(answer: &str) -> String {
    parse(format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{answer}").as_bytes(), false).text.written.reveal().clone()
}

#[test]
fn a_plain_yes_or_no_counts_and_every_other_answer_does_not() {
    let languages: BTreeMap<String, Answers> = toml::from_str(include_str!("../fixtures/wording/answers.toml")).unwrap();
    let lexicon = Lexicon::new(&[]).unwrap();
    let mut wrong = Vec::new();
    for (language, answers) in &languages {
        for (expected, answers) in [(Approval::Yes, &answers.yes), (Approval::No, &answers.no), (Approval::Unclear, &answers.unclear)] {
            for answer in answers {
                let found = Answer::read(&lexicon, &written(answer)).approval;
                if found != expected {
                    wrong.push(format!("{language}: {answer:?} must be {}, not {}", expected.as_str(), found.as_str()));
                }
            }
        }
        for (expected, answers) in [(false, &answers.mine), (true, &answers.not_mine)] {
            for answer in answers.iter().filter(|answer| Answer::read(&lexicon, &written(answer)).says_no != expected) {
                wrong.push(format!("{language}: {answer:?} must be {}", if expected { "a no" } else { "no \"no\"" }));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requests {
    addition: Vec<String>,
    portal: Vec<String>,
    neither: Vec<String>,
}

#[test]
fn what_is_asked_about_who_may_write_is_recognised() {
    let languages: BTreeMap<String, Requests> = toml::from_str(include_str!("../fixtures/wording/requests.toml")).unwrap();
    let mut wrong = Vec::new();
    for (language, requests) in &languages {
        let groups = [((true, false), &requests.addition), ((false, true), &requests.portal), ((false, false), &requests.neither)];
        for (expected, texts) in groups {
            for text in texts {
                let found = (asks_for_addition("1", text), asks_for_portal_access("1", text));
                if found != expected {
                    wrong.push(format!("{language}: {text:?} must be {expected:?}, not {found:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
