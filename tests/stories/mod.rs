//! The stories of `fixtures/mails`: raw mails as real clients write them, and what must come of each.
//!
//! Every story is told twice. `explain` judges each first mail by itself, as on an empty installation. Then the whole story is lived through
//! on real servers: mails lie in Dovecot, `postkamer run --once` takes them in, and Exim carries the replies into the mailboxes of
//! those who wrote. fixtures/README.md has the format.

pub mod lived;
pub mod script;

use crate::support::world::World;
use script::Story;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn every_story_is_well_told() {
    let stories = Story::all();
    assert!(stories.len() >= 40, "{} stories", stories.len());
    let mut used = BTreeSet::new();
    for story in &stories {
        assert!(story.about.ends_with('.'), "{}: `about` is a sentence", story.name);
        for (number, mail) in story.mail.iter().enumerate() {
            assert!(!mail.reasons.is_empty(), "{}, mail {}: no reasons", story.name, number + 1);
            let own = mail.file == format!("{}.eml", story.name) || mail.file.starts_with(&format!("{}-", story.name));
            assert!(own, "{}, mail {}: {} belongs to another story", story.name, number + 1, mail.file);
            mail.raw();
            used.insert(mail.file.clone());
        }
    }
    let stray: Vec<String> = script::raw_mails().into_iter().filter(|file| !used.contains(file)).collect();
    assert!(stray.is_empty(), "mails without a story: {stray:?}");
}

#[test]
fn every_reason_is_told_in_a_story() {
    let told: BTreeSet<String> = Story::all().into_iter().flat_map(|story| story.mail).flat_map(|mail| mail.reasons).collect();
    let missing: Vec<&str> =
        postkamer::decide::Reason::ALL.iter().map(|reason| reason.as_str()).filter(|code| !told.contains(*code)).collect();
    assert!(missing.is_empty(), "no story tells {missing:?}");
}

#[test]
fn every_first_mail_is_explained_as_its_story_says() {
    let stories = Story::all();
    // One call for each desk and day: within a day, `explain` knows no earlier and later.
    let mut calls: BTreeMap<(&str, &str), Vec<&Story>> = BTreeMap::new();
    // A file has no day of arrival.
    for story in stories.iter().filter(|story| story.mail[0].received.is_none()) {
        let mail = &story.mail[0];
        calls.entry((&mail.desk, &mail.now[..10])).or_default().push(story);
    }
    let world = World::new();
    let mut wrong = Vec::new();
    for ((desk, _), stories) in calls {
        let files: Vec<_> = stories.iter().map(|story| story.mail[0].path()).collect();
        let mut arguments = vec!["explain", "--json", "--desk", desk];
        arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
        let explained = world.run_at(&stories[0].mail[0].now, &arguments).ok().json();
        assert_eq!(explained.len(), stories.len(), "one object for each file");
        for ((story, file), came) in stories.iter().zip(&files).zip(explained) {
            assert_eq!(came["file"], json!(file), "in the order of the arguments");
            for (field, due) in story.mail[0].explained() {
                let came = normal(&came[field]);
                if came != due {
                    wrong.push(format!("{}: {field}\n   due {due}\n  came {came}", story.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} fields came out otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

/// Absent and null are the same.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), normal(value))).collect()
        }
        Value::Array(items) => items.iter().map(normal).collect(),
        other => other.clone(),
    }
}

#[test]
fn every_story_is_lived_through_on_dovecot_and_sqlite() {
    let stories = Story::all();
    lived::live(&stories.iter().collect::<Vec<_>>(), lived::Database::Sqlite);
}

/// The stories that touch the store in every way that it knows.
const ON_POSTGRES: &[&str] = &[
    "approval-of-a-quote-da",
    "bounce-of-our-answer",
    "citizen-data-in-attachment-of-a-follow-up",
    "citizen-data-in-one-of-two-files",
    "citizen-number-in-body",
    "closed-before-the-term",
    "colleague-urgent-all-contacts-away-nb",
    "follow-up-of-another-contact",
    "named-elsewhere-answered-too-late",
    "named-elsewhere-confirmed",
    "named-elsewhere-refused-writes-again",
    "named-elsewhere-silence-writes-again",
    "out-of-office-on-our-answer",
    "over-the-intake-rate",
    "reopened-to-waiting",
    "same-mail-to-two-desks",
    "stranger-urgent-fourth-of-the-day",
];

#[test]
fn a_chosen_dozen_is_lived_through_on_dovecot_and_postgresql() {
    let stories = Story::all();
    let chosen: Vec<&Story> = stories.iter().filter(|story| ON_POSTGRES.contains(&story.name.as_str())).collect();
    assert_eq!(chosen.len(), ON_POSTGRES.len(), "a chosen story is gone");
    lived::live(&chosen, lived::Database::Postgres);
}

#[test]
fn null_is_as_good_as_absent() {
    assert_eq!(normal(&json!({"a": null, "b": [{"c": null}]})), json!({"b": [{}]}));
}
