//! Records in running text: a name beside a day of birth, a list of people, a name with an address, fields of a form.

use super::forms::{self, Form};
use super::names::{self, Grade};
use super::{Record, addresses, dates};
use crate::screen::evidence::{speaks_of_people, tail};
use crate::screen::fold::fold;
use regex::Regex;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Words that say that the date after them is one of birth.
const BIRTH_WORDS: &str = concat!(
    r"\b(?:geboren|geboorte ?-?datum|geboorte ?-?dag|geb\.? ?datum|geb\.|geb|fodt|fodselsdato|fodselsdag|fodd|fodelsedatum|fodelsedag|geburtsdatum|geburtstag|born|date of birth",
    r"|birth ?-?date|dob|d\.o\.b\.?|syntynyt|synt\.?|syntymaaika|nee? le|naissance|\*)(?:en|et|e|er|s|a)?(?:[^0-9a-z]{1,4}|$)(?:[a-z]{1,12}[^0-9a-z]{1,3}){0,3}$"
);

/// "Op 26 januari 1945 is … geboren": the word stands behind the date, and whoever was born between them.
static BORN_BEHIND: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:[^0-9;.?!]|\b[a-z]{1,2}\.){1,70}\b(?:geboren|fodt|fodd|born|syntynyt|syntyi)\b|^ (?:est|etait) nee? ").ok()
});

/// Nouns behind which the person may stand before the date: "Das Geburtsdatum von … ist der".
static BIRTH_NOUN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:geboorte ?-?(?:datum|dag)|fodselsdato(?:en)?|fodselsdag(?:en)?|fodelsedatum(?:et)?|geburts(?:datum|tag)|date of birth|birth ?-?date|date de naissance|syntymaaika)\b",
        r"(?:[^0-9;.?!]|\b[a-z]{1,2}\.){0,60}$"
    ))
    .ok()
});

/// Their abbreviations of one letter, which initials have too: only right before the date, in brackets or behind a small word.
static SHORT_BIRTH: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?:\(|, ?|[a-z]{2} )[sf]\. ?$").ok());

static BIRTH: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(BIRTH_WORDS).ok());

/// Whether a number in folded text follows a word of birth.
pub fn has_birth_word(folded: &str) -> bool {
    folded.char_indices().filter(|(_, c)| c.is_ascii_digit()).take(3).any(|(at, _)| speaks_of_birth(folded.get(..at).unwrap_or("")))
}

/// Whether folded text ends with a word of birth, perhaps with a few words after it ("geboren te Utrecht op").
fn speaks_of_birth(before: &str) -> bool {
    let before = tail(before, 90);
    let said = |pattern: &LazyLock<Option<Regex>>| pattern.as_ref().is_some_and(|pattern| pattern.is_match(before));
    said(&BIRTH) || said(&BIRTH_NOUN) || said(&SHORT_BIRTH) || before.trim_end().ends_with('*')
}

/// "Yours sincerely" in nine languages: what follows is the sender's own.
const CLOSINGS: &str = concat!(
    r"^ *(?:-- ?$|met (?:vriendelijke|hartelijke|collegiale) groet|(?:vriendelijke |hartelijke )?groet(?:en|jes)?\b|hoogachtend|mvg\b|m\.v\.g|gr\.|med venlig hilsen|(?:venlig |vennlig |kaerlig |mange |beste )?hilsen\b|vh\b|mvh\b",
    r"|med vennlig hilsen|med (?:vanlig|basta|varma) ?a? ?halsning|(?:vanliga? )?halsning|mit freundlichen gr|(?:freundliche|viele|beste|liebe) gru|mfg\b|(?:kind|best|warm|with)? ?(?:kind |best )?regards|yours (?:sincerely|faithfully|truly)|sincerely|many thanks|ystavallisin|terveisin|alvast bedankt, *$)"
);

static CLOSING: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(CLOSINGS).ok());

/// A header of forwarded or quoted mail: a new text begins, with a signature of its own to come.
static NEW_MAIL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[> ]*(?:van|from|fra|fran|von|lahettaja|-{3,})[: -]").ok());

/// How many lines a signature may have.
const SIGNATURE: usize = 16;

/// A manual's example: only a name that is surely one makes it a record.
static EXAMPLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"voorbeeld|\bbijv\b|example|\be\.g\.|eksempel|exempel|\bt\.ex\b|beispiel|\bz\.b\.|esimerk|\bformaat|\bformat").ok()
});

/// Records in running text; `folded` are the same lines.
#[must_use]
pub fn in_lines(lines: &[&str], folded: &[String]) -> Vec<Record> {
    let signatures = signatures(lines, folded);
    let listed = listed_people(lines, folded);
    let mut records = addresses::in_lines(lines, folded, &|row| signatures.contains(&row));
    let addressed: BTreeSet<usize> = records.iter().map(|record| record.row).collect();
    let mut form = Form::default();
    for (row, (line, folded_line)) in lines.iter().zip(folded).enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        forms::fields(lines.get(row..).unwrap_or(&[]), row, &mut form);
        if !folded_line.contains(|c: char| c.is_ascii_digit()) || addressed.contains(&(row + 1)) {
            continue;
        }
        let near = row.saturating_sub(2)..(row + 2).min(lines.len());
        let near = (lines.get(near.clone()).unwrap_or(&[]), folded.get(near).unwrap_or(&[]));
        let own = signatures.contains(&row);
        let points = if is_born(folded_line, near.0) {
            85
        } else if own {
            0
        } else if is_dated(line, folded_line) {
            70
        } else if listed.contains(&row) || addresses::lives_there(line, folded_line, near.0, near.1) {
            65
        } else {
            0
        };
        if points > 0 {
            records.push(Record { points, row: row + 1 });
        }
    }
    form.join(records)
}

/// The rows of signatures: a closing and what follows, up to the next mail of a thread.
fn signatures(lines: &[&str], folded: &[String]) -> BTreeSet<usize> {
    let mut rows = BTreeSet::new();
    let mut until = 0;
    for (row, (line, folded)) in lines.iter().zip(folded).enumerate() {
        let bare = folded.trim_start_matches(['>', ' ']);
        if NEW_MAIL.as_ref().is_some_and(|pattern| pattern.is_match(bare)) {
            until = 0;
        } else if line.len() < 80 && CLOSING.as_ref().is_some_and(|pattern| pattern.is_match(bare)) {
            until = row + SIGNATURE;
        }
        if row < until {
            rows.insert(row);
        }
    }
    rows
}

/// A day of birth, by its word, with a name near it.
fn is_born(folded: &str, near: &[&str]) -> bool {
    let behind = |end| BORN_BEHIND.as_ref().is_some_and(|pattern| folded.get(end..).is_some_and(|after| pattern.is_match(after)));
    let by_word = |day: &dates::Day| speaks_of_birth(folded.get(..day.start).unwrap_or("")) || behind(day.end);
    if !dates::days(folded, true).iter().any(|day| day.may_be_birth() && by_word(day)) {
        return false;
    }
    let example = EXAMPLE.as_ref().is_some_and(|pattern| pattern.is_match(folded));
    let titled = || TITLED.as_ref().is_some_and(|pattern| pattern.is_match(folded));
    let named = |line: &&str| names::in_text(line) || !example && names::perhaps_in_text(line);
    near.iter().any(named) || !example && titled()
}

/// A name right before a day: a known one before a day of a generation ago, any before a day in a line that speaks of people.
fn is_dated(line: &str, folded: &str) -> bool {
    // "Zwankens, A., 19290322": an undivided day is one where a name that is surely one stands right before it.
    let undivided: Vec<dates::Day> = dates::undivided(folded).into_iter().filter(|day| day.may_be_birth()).collect();
    let in_care = !undivided.is_empty() && CARE_MESSAGE.as_ref().is_some_and(|pattern| pattern.is_match(line));
    let sure = |(day, before): (dates::Day, &str)| {
        let before = tail(before, FAR);
        day.is_generation_ago() && names::at_end(before) || is_bracketed(day, before, folded) || is_about(day, before)
    };
    if in_care || originals_before(line, folded, &undivided).any(sure) {
        return true;
    }
    let days: Vec<dates::Day> = dates::days(folded, false).into_iter().filter(|day| day.may_be_birth()).collect();
    let mut people = None;
    originals_before(line, folded, &days).any(|(day, before)| {
        let before = tail(before, FAR);
        if day.is_generation_ago() && (names::at_end(before) || before.ends_with('(') && ends_with_whole_name(before))
            || is_bracketed(day, before, folded)
            || is_about(day, before)
        {
            return true;
        }
        let of_people = *people.get_or_insert_with(|| speaks_of_people(folded));
        of_people && before.trim_end().ends_with(['(', ',']) && day.is_past() && ends_with_name(before) && !names_paper(before)
    })
}

/// `Huub Snelwijk (9-7-2014)`: a whole name and nothing but a day in brackets behind it.
fn is_bracketed(day: dates::Day, before: &str, folded: &str) -> bool {
    let closed = folded.get(day.end..).is_some_and(|after| after.starts_with(')'));
    closed && day.is_years_ago() && before.ends_with('(') && (names::at_end(before) || ends_with_whole_name(before))
}

/// Words that say whom or what a mail is about, then a whole name.
static ABOUT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?i:betreft|betr\.?|aangaande|inzake|vedr\.?|vedrørende|drejer sig om|gjelder|gjeld|gäller|ang\.?|angående|avser|betrifft|koskee|regarding|concerns?|concerne)",
        r"(?: ?: ?| )(?P<who>\p{Lu}[\p{L}'’.-]*(?: [\p{L}'’.-]+){1,4}),? ?$"
    ))
    .ok()
});

/// "Betreft: Ngozi Griffkamp, 2016-02-12".
fn is_about(day: dates::Day, before: &str) -> bool {
    let who = ABOUT.as_ref().filter(|_| day.is_years_ago()).and_then(|about| about.captures(before)).and_then(|found| found.name("who"));
    who.is_some_and(|who| names::grade(who.as_str()) >= Grade::Shaped && !names_paper(who.as_str()))
}

/// Papers and programs, which have capitals and days in brackets too.
static PAPER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:[a-z]*(?:wet|besluit|verordening|regeling|loven|forskrift|forordning|gesetz|verordnung)",
        r"|nota|notitie|plan|beleid|rapport|verslag|kamerbrief|circulaire|lov|bekendtgorelse|lag|lagen|erlass|laki|asetus|act|regulations?|order|loi|decret|arrete|versie|version|release|update|build|windows|office|server|patch|project|projekt|programma?|programme|pilot|fase|phase|aanpak|visie|agenda|handleiding|handboek|manual|handbok|handbuch",
        r"|convenant|overeenkomst|contract|aftale|avtale|avtal|sopimus|vertrag|agreement|protocol|protokoll?|akkoord|module|portaa?l|app|api|formulier|form|formular|skjema|blankett|lomake|sjabloon|template|model)\b"
    )).ok()
});

/// Whether what stands before a bracket ends with a name of at least two parts, whoever bears it.
fn ends_with_whole_name(before: &str) -> bool {
    let before = before.trim_end_matches(|c: char| !c.is_alphabetic());
    let last = before.rsplit([',', ':', ';', '.', '?', '!']).next().unwrap_or(before).trim();
    (names::grade(last) >= Grade::Shaped || names::whole_at_end(last)) && !names_paper(last)
}

fn names_paper(before: &str) -> bool {
    let last = before.rsplit([',', ':', ';', '.', '?', '!']).next().unwrap_or(before);
    PAPER.as_ref().is_some_and(|paper| paper.is_match(&fold(last)))
}

/// A title before a name in small letters: "dhr zwankens".
static TITLED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\b(?:dhr|(?:de )?heer|mevr|mevrouw|mw|meneer|herr|frau|fru|mr|mrs|ms|mme|rouva|herra)\.? [a-z][a-z' -]{2,}").ok()
});

/// `|Oudshoorn^Aaltje||19610312|`: name and day of birth in messages of care (HL7 2, segment PID).
static CARE_MESSAGE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\|\p{L}[\p{L}' -]*\^\p{L}[^|]*\|[^|]*\|(?:19|20)[0-9]{6}\b").ok());

/// Whether what stands before a bracket or comma is, or ends with, what may be a name.
fn ends_with_name(before: &str) -> bool {
    let before = before.trim_end_matches(|c: char| !c.is_alphabetic()).trim_start_matches(|c: char| !c.is_alphabetic());
    let last = before.rsplit([',', ':', ';', '.']).next().unwrap_or(before).trim();
    names::at_end(last) || names::perhaps_at_end(last) || names::grade(last) >= Grade::Shaped || {
        let mut words = last.split_whitespace().rev();
        words.next().is_some_and(|word| names::grade(word) >= Grade::Possible) && speaks_of_people(&fold(last))
    }
}

/// Lines that are nothing but a name and a day long ago: two whose names are known or formed like names, or three whatever their names,
/// are a list of people.
fn listed_people(lines: &[&str], folded: &[String]) -> BTreeSet<usize> {
    let is_one = |row: &usize| {
        let (Some(line), Some(folded)) = (lines.get(*row), folded.get(*row)) else { return false };
        let day: Vec<dates::Day> = dates::days(folded, false).into_iter().filter(|day| day.is_long_ago()).take(1).collect();
        originals_before(line, folded, &day).any(|(_, before)| names::only_in(tail(before, FAR)) && !names::is_organisation(folded))
    };
    let rows: BTreeSet<usize> = (0..lines.len()).filter(is_one).collect();
    if rows.len() >= 2 { rows } else { BTreeSet::new() }
}

/// How many bytes before a day are looked at for a name.
const FAR: usize = 160;

/// The original text before each of these days of the folded text, which are in order. Folding keeps digits, so they are counted;
/// one pass, however long the line.
fn originals_before<'a>(line: &'a str, folded: &str, days: &[dates::Day]) -> impl Iterator<Item = (dates::Day, &'a str)> {
    let mut digits = line.char_indices().filter(|(_, c)| c.is_numeric()).map(|(at, _)| at);
    let mut counted = 0;
    days.iter().filter_map(move |day| {
        let between = folded.get(counted..day.start)?.bytes().filter(u8::is_ascii_digit).count();
        counted = day.start;
        let at = digits.by_ref().nth(between)?;
        // The day's own first digit was taken just now.
        counted += 1;
        Some((*day, line.get(..at)?))
    })
}
