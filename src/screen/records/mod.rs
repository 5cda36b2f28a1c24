//! Records of a person without a number: a name with a date of birth, an address or a sex (POLICY, "citizen data"), in tables,
//! forms, prose and file names.

mod attributes;
mod dates;
mod names;

use super::fold::fold;
use attributes::Attribute;
use regex::Regex;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The kind in findings.
pub const KIND: &str = "person-record";

/// A person's data in one row, line or form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// 0 to 100.
    pub points: u8,
    /// Line or row, from 1.
    pub row: usize,
}

/// Whether a line or cell names a person.
#[must_use]
pub fn names_somebody(text: &str) -> bool {
    names::in_text(text)
}

/// Whether a folded header cell is an attribute of a person.
#[must_use]
pub fn is_attribute(folded: &str) -> bool {
    attributes::of_label(folded).is_some()
}

/// Points of what is known of one person.
fn points(known: &BTreeSet<Attribute>) -> u8 {
    let has = |attribute| known.contains(&attribute);
    let name = has(Attribute::Name) || has(Attribute::Family) || has(Attribute::Given);
    let (sex, address, business) = (has(Attribute::Sex), has(Attribute::Address), has(Attribute::Business));
    match () {
        () if !name => 0,
        () if has(Attribute::Birth) => 90,
        // People at their work have names, addresses and titles too.
        () if business => 0,
        () if sex && (address || has(Attribute::Place)) => 85,
        () if address && has(Attribute::Place) => 70,
        () if address || sex => 65,
        () => 0,
    }
}

/// The same, where the names are in sight: with nothing but an address beside it, a name must be a person's, for buildings have both.
fn points_with(known: &BTreeSet<Attribute>, human: bool) -> u8 {
    let personal = [Attribute::Birth, Attribute::Sex, Attribute::Family, Attribute::Given];
    if human || personal.iter().any(|attribute| known.contains(attribute)) { points(known) } else { 0 }
}

/// Records in a file's name: a person's name and a day long ago.
#[must_use]
pub fn in_file_name(words: &str) -> Vec<Record> {
    let folded = fold(words);
    let days = dates::days(&folded, false);
    let compact = dates::days(&folded, true);
    let born = days.iter().chain(&compact).any(|day| day.is_long_ago() && day.end - day.start >= 8)
        || has_birth_word(&folded) && compact.iter().any(|day| day.may_be_birth());
    if born && names::in_file_name(words) { vec![Record { points: 75, row: 1 }] } else { Vec::new() }
}

/// Records in a table: rows under a header, or labels beside their values.
#[must_use]
pub fn in_table(rows: &[Vec<String>]) -> Vec<Record> {
    let mut records = Vec::new();
    let mut header: Vec<Option<Attribute>> = Vec::new();
    let mut form = Form::default();
    for (row, cells) in rows.iter().enumerate() {
        let labels: Vec<Option<Attribute>> = cells.iter().map(|cell| attributes::of_label(&fold(cell))).collect();
        let values = cells.iter().filter(|cell| !cell.trim().is_empty()).count();
        let labelled = labels.iter().flatten().count();
        if labelled >= 2 && labelled * 2 >= values.min(6) || labelled == 1 && values == 1 {
            header = labels;
            continue;
        }
        let known: BTreeSet<Attribute> = header
            .iter()
            .zip(cells)
            .filter_map(|(attribute, value)| attribute.filter(|attribute| attributes::has_value(*attribute, value)))
            .chain(header.iter().flatten().copied().filter(|attribute| *attribute == Attribute::Business))
            .collect();
        let human = header.iter().zip(cells).any(|(attribute, value)| *attribute == Some(Attribute::Name) && names::human(value));
        let by_header = points_with(&known, human);
        if by_header > 0 {
            records.push(Record { points: by_header, row: row + 1 });
            continue;
        }
        // A form: a label and its value in the next cell.
        for (at, attribute) in labels.iter().enumerate() {
            if let (Some(attribute), Some(value)) = (attribute, cells.get(at + 1)) {
                form.add(*attribute, value, row);
            }
        }
        // A row without any header: a name in one cell, a day long ago in another.
        if header.iter().flatten().next().is_none() && labelled == 0 {
            let born = cells.iter().any(|cell| cell.len() <= 24 && dates::days(&fold(cell), false).iter().any(|day| day.is_long_ago()));
            let named = cells.iter().any(|cell| cell.len() <= 60 && names::in_text(cell));
            if born && named {
                records.push(Record { points: 65, row: row + 1 });
            }
        }
    }
    let mut records = form.join(records);
    // Sheets and tables that hold running text, a line in a row or a story in a cell.
    let (alone, numbers): (Vec<&str>, Vec<usize>) =
        rows.iter().enumerate().filter_map(|(row, cells)| Some((only_cell(cells)?, row + 1))).unzip();
    let found: BTreeSet<usize> = records.iter().map(|record| record.row).collect();
    let mut said: Vec<Record> =
        in_lines(&alone).into_iter().filter_map(|record| Some(Record { row: *numbers.get(record.row - 1)?, ..record })).collect();
    for (row, cells) in rows.iter().enumerate() {
        let long = cells.iter().filter(|cell| cells.len() > 1 && cell.len() > 40);
        said.extend(long.flat_map(|cell| in_lines(&cell.lines().collect::<Vec<_>>())).map(|record| Record { row: row + 1, ..record }));
    }
    said.retain(|record| !found.contains(&record.row));
    records.extend(said);
    records
}

/// The text of a row that has only one.
fn only_cell(cells: &[String]) -> Option<&str> {
    let mut filled = cells.iter().filter(|cell| !cell.trim().is_empty());
    let only = filled.next()?;
    filled.next().is_none().then_some(only)
}

/// Fields of a form that belong together, as they come.
#[derive(Default)]
struct Form {
    known: BTreeSet<Attribute>,
    /// Its name is a person's, and no building's.
    human: bool,
    first: usize,
    last: usize,
    /// Records so far: points, first and last line.
    done: Vec<(u8, usize, usize)>,
}

impl Form {
    /// Fields further apart than this are not of one person.
    const APART: usize = 8;

    fn add(&mut self, attribute: Attribute, value: &str, row: usize) {
        if !attributes::has_value(attribute, value) {
            return;
        }
        let again = matches!(attribute, Attribute::Name | Attribute::Family | Attribute::Birth) && self.known.contains(&attribute);
        if self.known.is_empty() || row > self.last + Self::APART || again {
            self.end();
            self.first = row;
        }
        self.known.insert(attribute);
        self.human |= attribute == Attribute::Name && names::human(value);
        self.last = row;
    }

    fn end(&mut self) {
        let points = points_with(&std::mem::take(&mut self.known), std::mem::take(&mut self.human));
        if points > 0 {
            self.done.push((points, self.first, self.last));
        }
    }

    /// Adds its records to those found otherwise; what lies within a form is the same person.
    fn join(mut self, mut others: Vec<Record>) -> Vec<Record> {
        self.end();
        others.retain(|record| !self.done.iter().any(|(_, first, last)| (first + 1..=last + 1).contains(&record.row)));
        others.extend(self.done.into_iter().map(|(points, first, _)| Record { points, row: first + 1 }));
        others
    }
}

/// Words that say that the date after them is one of birth.
const BIRTH_WORDS: &str = concat!(
    r"\b(?:geboren|geboorte ?-?datum|geboorte ?-?dag|geb\.? ?datum|geb\.|geb|fodt|fodselsdato|fodselsdag|fodd|fodelsedatum|fodelsedag|geburtsdatum|geburtstag|born|date of birth",
    r"|birth ?-?date|dob|d\.o\.b\.?|syntynyt|synt\.?|syntymaaika|s\.|f\.|nee? le|naissance|\*)[^0-9a-z]{0,4}(?:[a-z]{1,12}[^0-9a-z]{1,3}){0,3}$"
);

static BIRTH: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(BIRTH_WORDS).ok());

fn has_birth_word(folded: &str) -> bool {
    folded.char_indices().filter(|(_, c)| c.is_ascii_digit()).take(3).any(|(at, _)| speaks_of_birth(folded.get(..at).unwrap_or("")))
}

/// Whether folded text ends with a word of birth, perhaps with a few words after it ("geboren te Utrecht op").
fn speaks_of_birth(before: &str) -> bool {
    BIRTH.as_ref().is_some_and(|birth| birth.is_match(super::evidence::tail(before, 60)))
}

/// "Yours sincerely" in nine languages: what follows is the sender's own.
const CLOSINGS: &str = concat!(
    r"^ *(?:-- ?$|met (?:vriendelijke|hartelijke|collegiale) groet|(?:vriendelijke |hartelijke )?groet(?:en|jes)?\b|hoogachtend|mvg\b|m\.v\.g|gr\.|med venlig hilsen|(?:venlig |vennlig |kaerlig |mange |beste )?hilsen\b|vh\b|mvh\b",
    r"|med vennlig hilsen|med vanliga? halsning|(?:vanliga? )?halsning|mit freundlichen gr|(?:freundliche|viele|beste|liebe) gru|mfg\b|(?:kind|best|warm|with)? ?(?:kind |best )?regards|yours (?:sincerely|faithfully|truly)|sincerely|many thanks|ystavallisin|terveisin|alvast bedankt, *$)"
);

static CLOSING: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(CLOSINGS).ok());

/// A header of forwarded or quoted mail: a new text begins, with a signature of its own to come.
static NEW_MAIL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[> ]*(?:van|from|fra|fran|von|lahettaja|-{3,})[: -]").ok());

/// How many lines a signature may have.
const SIGNATURE: usize = 16;

static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b[a-z][a-z.' -]{0,30}(?:straat|laan|weg|plein|gracht|kade|singel|dijk|hof|pad|steeg|dreef|vej|vejen|gade|gaden|alle|gata|gatan|vagen|veien|vei|gate|stien|strasse|str\.|allee|platz|gasse|katu|tie|kuja",
        r"| street| road| lane| avenue| close| drive| way| crescent| gardens) ?[0-9]{1,4} ?[a-z]?\b|\b[0-9]{1,4}[a-z]?,? [a-z]+ (?:street|road|lane|avenue|close|drive|way|crescent|gardens|terrace|place)\b"
    ))
    .ok()
});

static POSTCODE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\b[1-9][0-9]{3} ?[a-z]{2}\b[ ,]+[a-z]|\b[0-9]{3} ?[0-9]{2} [a-z]{3}|\b[0-9]{4,5} [a-z]{3}|\b[a-z]{1,2}[0-9][0-9a-z]? [0-9][a-z]{2}\b").ok()
});

/// Words that say that somebody lives there.
static LIVES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\b(?:woont|wonende?|woonachtig|woonadres|verhuisd|bor (?:pa|i)|bosat|bosatt|bopael|wohnhaft|wohnt|lives at|living at|residing|resident|asuu|mevrouw|mevr|dhr|de heer|inwoner|burger|borger|innbygger|invanare|client|aanvrager|fru|herr|frau|mr|mrs|ms)\b").ok()
});

/// A manual's example: only a name that is surely one makes it a record.
static EXAMPLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"voorbeeld|\bbijv\b|example|\be\.g\.|eksempel|exempel|\bt\.ex\b|beispiel|\bz\.b\.|esimerk|\bformaat|\bformat").ok()
});

/// Words of a visit, a delivery or a meeting: the address is one of work.
static VISIT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\b(?:contact|contactpersoon|locatie|vestiging|filiaal|lever|levering|leverantie|afleveradres|bezoek|bezoekadres|vergadering|training|cursus|meeting|venue|visit|delivery|office|mode|motet|mote|besok|levering|lokation|besprechung|schulung|lieferung|standort|ontvangst|parkeren)\b").ok()
});

/// Records in running text.
#[must_use]
pub fn in_lines(lines: &[&str]) -> Vec<Record> {
    let mut records = Vec::new();
    let mut form = Form::default();
    let mut signature_until = 0;
    let folded: Vec<String> = lines.iter().map(|line| fold(line)).collect();
    let listed = listed_people(lines, &folded);
    for (row, (line, folded_line)) in lines.iter().zip(&folded).enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let bare = folded_line.trim_start_matches(['>', ' ']);
        if NEW_MAIL.as_ref().is_some_and(|pattern| pattern.is_match(bare)) {
            signature_until = 0;
        } else if line.len() < 80 && CLOSING.as_ref().is_some_and(|pattern| pattern.is_match(bare)) {
            signature_until = row + SIGNATURE;
        }
        fields(lines.get(row..).unwrap_or(&[]), row, &mut form);
        let days = dates::days(folded_line, false);
        let labelled = dates::days(folded_line, true);
        let born = labelled.iter().any(|day| day.may_be_birth() && speaks_of_birth(folded_line.get(..day.start).unwrap_or("")));
        let in_signature = row < signature_until;
        let from = row.saturating_sub(2);
        let near = lines.get(from..=(row + 1).min(lines.len().saturating_sub(1))).unwrap_or(&[]);
        let example = EXAMPLE.as_ref().is_some_and(|pattern| pattern.is_match(folded_line));
        if born && near.iter().any(|line| names::in_text(line) || !example && names::perhaps_in_text(line)) {
            records.push(Record { points: 85, row: row + 1 });
            continue;
        }
        if in_signature {
            continue;
        }
        let long_ago = |day: &&dates::Day| day.is_generation_ago();
        if days.iter().filter(long_ago).any(|day| original_before(line, folded_line, day.start).is_some_and(names::at_end)) {
            records.push(Record { points: 70, row: row + 1 });
            continue;
        }
        if listed.contains(&row) {
            records.push(Record { points: 65, row: row + 1 });
            continue;
        }
        if lives_there(near, folded.get(from..=(row + 1).min(lines.len().saturating_sub(1))).unwrap_or(&[]), folded_line) {
            records.push(Record { points: 65, row: row + 1 });
        }
    }
    form.join(records)
}

/// Lines that are nothing but two to four capitalised words and a day long ago: three of them are a list of people, whatever
/// their names.
fn listed_people(lines: &[&str], folded: &[String]) -> BTreeSet<usize> {
    let is_one = |row: &usize| {
        let (Some(line), Some(folded)) = (lines.get(*row), folded.get(*row)) else { return false };
        let day = dates::days(folded, false).into_iter().find(|day| day.is_long_ago());
        day.and_then(|day| original_before(line, folded, day.start))
            .is_some_and(|before| names::only_in(before) && !names::is_organisation(folded))
    };
    let rows: BTreeSet<usize> = (0..lines.len()).filter(is_one).collect();
    if rows.len() >= 3 { rows } else { BTreeSet::new() }
}

/// The original text before a place in the folded one. Folding keeps the number of characters nearly; where it does not, there is
/// no answer and the line is judged by its other signs.
fn original_before<'a>(line: &'a str, folded: &str, at: usize) -> Option<&'a str> {
    let digits_before = folded.get(..at)?.chars().filter(char::is_ascii_digit).count();
    let mut seen = 0;
    for (index, c) in line.char_indices() {
        if c.is_numeric() {
            if seen == digits_before {
                return line.get(..index);
            }
            seen += 1;
        }
    }
    None
}

/// An address in this line with a person's name near and no organisation.
fn lives_there(near: &[&str], folded_near: &[String], folded: &str) -> bool {
    if !folded.contains(|c: char| c.is_ascii_digit()) || !ADDRESS.as_ref().is_some_and(|pattern| pattern.is_match(folded)) {
        return false;
    }
    if folded_near.iter().any(|line| names::is_organisation(line) || VISIT.as_ref().is_some_and(|pattern| pattern.is_match(line)))
        || !near.iter().any(|line| names::in_text(line))
    {
        return false;
    }
    folded_near.iter().any(|line| {
        POSTCODE.as_ref().is_some_and(|pattern| pattern.is_match(line)) || LIVES.as_ref().is_some_and(|pattern| pattern.is_match(line))
    })
}

/// The fields in the first of these lines: `label: value`, several in a line where tabs or wide gaps part them, a value
/// in the next line where the label stands alone.
fn fields(lines: &[&str], row: usize, form: &mut Form) {
    let Some(line) = lines.first() else { return };
    if line.len() > 400 {
        return;
    }
    let segments = segments(line);
    for (at, segment) in segments.iter().enumerate() {
        let (label, value) = match segment.split_once([':', '=']) {
            Some((label, value)) => (label, value.trim()),
            None => (*segment, ""),
        };
        let Some(attribute) = attributes::of_label(&fold(label.trim_start_matches(['>', ' ', '-', '•', '*']))) else { continue };
        let value = if !value.is_empty() {
            value
        } else if let Some(next) = segments.get(at + 1) {
            next
        } else if segments.len() == 1 {
            lines.get(1..).unwrap_or(&[]).iter().find(|line| !line.trim().is_empty()).copied().unwrap_or("")
        } else {
            ""
        };
        if attributes::of_label(&fold(value)).is_none() {
            form.add(attribute, value.trim_matches(['"', ',', ' ', '\'']), row);
        }
    }
}

/// A line's parts between tabs, bars, semicolons and wide gaps.
fn segments(line: &str) -> Vec<&str> {
    line.split(['\t', '|', ';']).flat_map(|part| part.split("  ")).map(str::trim).filter(|part| !part.is_empty()).collect()
}
