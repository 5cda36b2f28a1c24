//! Walks through text and tables, gathers what is found, and says where.

use super::evidence::{self, Around, CHANCE, GROUP, REACH, SURE};
use super::fold::{fold, fold_lines, unboxed, without_decimals};
use super::identifiers::{ALL, Judged, reads_as_stamp};
use super::outcome::{Finding, Spot, Where};
use super::{Policy, Sensitivity, blocks, pasted, records};
use crate::parse::document::{Content, Document, Place};
use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// How many places a finding lists in detail.
const MOST_SPOTS: usize = 100;

/// So many times more numbers of a form that fail than pass make those that pass chance.
const MOST_FAIL: usize = 5;

/// A line above a number is its label up to this length, in bytes.
const LONGEST_LABEL: usize = 120;

/// No number is written longer than this, in bytes: digits, letters and separators.
const LONGEST_NUMBER: usize = 40;

/// Judges by one desk's policy.
pub struct Detector<'a> {
    policy: &'a Policy,
}

/// Hits in one place of a mail. The values serve to count different ones and go no further.
#[derive(Debug, Default)]
pub struct Found {
    hits: Vec<Hit>,
    /// Numbers that a table gave another name.
    disowned: BTreeSet<String>,
}

#[derive(Debug)]
struct Hit {
    value: String,
    /// Its own name stood beside it.
    named: bool,
    spot: Spot,
}

impl Found {
    pub fn merge(&mut self, other: Self) {
        self.hits.extend(other.hits);
        self.disowned.extend(other.disowned);
    }

    /// Drops numbers without a name of their own that a table of the same file has given another: readers of documents show
    /// the cells of a table as lines too, without their header.
    fn forget_disowned(&mut self, disowned: &BTreeSet<String>) {
        self.hits.retain(|hit| hit.named || hit.spot.column > 0 || !disowned.contains(&hit.value));
    }

    /// Drops what a page's text has said already: the same numbers, and records of the same page.
    fn forget(&mut self, text: &Self, picture: &Place) {
        let same_page = |spot: &Spot| spot.place.part == "page" && spot.place.number == picture.number && spot.place.path == picture.path;
        let said: HashSet<(&str, &str)> = text.hits.iter().map(|said| (said.spot.kind, said.value.as_str())).collect();
        let records_said = text.hits.iter().any(|said| said.spot.kind == records::KIND && same_page(&said.spot));
        self.hits.retain(|hit| {
            let is_record_said = records_said && hit.spot.kind == records::KIND;
            !is_record_said && !said.contains(&(hit.spot.kind, hit.value.as_str()))
        });
    }

    /// Adds what structures say; the text around them may have said the same already.
    fn add_pasted(&mut self, pasted: Vec<(std::ops::RangeInclusive<usize>, Self)>) {
        for (rows, mut found) in pasted {
            found.hits.retain(|hit| {
                let record = hit.spot.kind == records::KIND;
                !self
                    .hits
                    .iter()
                    .any(|said| said.spot.kind == hit.spot.kind && (said.value == hit.value || record && rows.contains(&said.spot.row)))
            });
            self.merge(found);
        }
    }

    /// What is reported; `None` when there is nothing.
    pub fn finding(self, place: Where, attachment: Option<usize>) -> Option<Finding> {
        let certainty = self.hits.iter().map(|hit| hit.spot.certainty).max()?;
        let different: BTreeSet<(&'static str, &str)> = self.hits.iter().map(|hit| (hit.spot.kind, hit.value.as_str())).collect();
        let mut kinds = BTreeMap::new();
        for (kind, _) in different {
            *kinds.entry(kind).or_insert(0) += 1;
        }
        let spots = self.hits.into_iter().map(|hit| hit.spot).take(MOST_SPOTS).collect();
        Some(Finding { place, attachment, kinds, certainty, spots })
    }
}

/// A number with its points so far, before lists and columns are looked at as a whole.
struct Candidate {
    judged: Judged,
    points: u8,
    named: bool,
    other: bool,
    /// It counts as one of a list or column: nothing else stands in its line or cell, and its country is the desk's.
    listed: bool,
    row: usize,
    column: usize,
    /// Where it stands in its line, to keep one kind for each number.
    span: (usize, usize),
}

/// One line, folded once.
struct Line<'a> {
    text: &'a str,
    folded: String,
    digits: usize,
}

impl<'a> Line<'a> {
    fn new(text: &'a str, folded: String) -> Self {
        let digits = text.chars().filter(|c| c.is_numeric()).count();
        // Most lines hold no number; looked at are those that do, and the short ones that may be a label.
        let folded = if digits >= 6 || text.len() <= 120 { unboxed(folded) } else { String::new() };
        Self { text, folded, digits }
    }
}

impl<'a> Detector<'a> {
    pub fn new(policy: &'a Policy) -> Self {
        Self { policy }
    }

    /// One line, such as a subject or a display name.
    pub fn line(&self, text: &str) -> Found {
        if text.is_empty() {
            return Found::default();
        }
        self.lines(&[text], &Place::default(), true)
    }

    /// Header fields of a mail that no rule reads. Programs put numbers of every length there, so only what names itself counts, each field by
    /// itself. A person's data may stand in several: those of a form, or of a note that begins as a mail does.
    pub fn fields<'t>(&self, fields: impl Iterator<Item = &'t str>, place: &Place) -> Found {
        let policy = Policy { sensitivity: Sensitivity::Relaxed, ..self.policy.clone() };
        let detector = Detector::new(&policy);
        let fields: Vec<&str> = fields.collect();
        let folded = fold_lines(&fields);
        let mut found = detector.kept(records::in_lines(&fields, &folded), place);
        for (field, folded) in fields.iter().zip(folded) {
            found.merge(detector.numbers(&[field], vec![folded], place, &BTreeSet::new()));
            found.add_pasted(detector.pasted(&[field], place));
        }
        found
    }

    /// A field of ids of mails or parts. Programs make them of numbers of every length, so only one that stands beside its own name counts; the host
    /// behind the @ names none.
    pub fn ids(&self, field: &str, place: &Place) -> Found {
        parts_of_ids(field).fold(Found::default(), |mut found, part| {
            found.merge(self.numbers(&[&part], vec![fold(&part)], place, &BTreeSet::new()));
            found.hits.retain(|hit| hit.named);
            found
        })
    }

    /// Whether an id holds a number that passes for one of any kind, named or not.
    pub fn may_hold_number(&self, id: &str) -> bool {
        let mut passes = false;
        for part in parts_of_ids(id) {
            let folded = unboxed(fold(&part));
            for (which, identifier) in ALL.iter().enumerate() {
                evidence::candidates(which, identifier, &folded, |_, _, judged| passes |= judged.is_some());
            }
        }
        passes
    }

    /// A file's name: its extension goes, and what separates words in names becomes a space.
    pub fn file_name(&self, name: &str) -> Found {
        let stem = match name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() && extension.len() <= 5 && extension.contains(|c: char| c.is_alphabetic()) => stem,
            _ => name,
        };
        let words: String =
            stem.chars().map(|c| if matches!(c, '_' | '+' | '/' | '\\' | '(' | ')' | '[' | ']') { ' ' } else { c }).collect();
        let mut found = self.lines(&[&words], &Place::default(), false);
        found.merge(self.kept(records::in_file_name(&words), &Place::default()));
        found
    }

    /// Running text of a mail.
    pub fn text(&self, text: &str) -> Found {
        if text.is_empty() {
            return Found::default();
        }
        let lines: Vec<&str> = text.lines().collect();
        self.lines(&lines, &Place::default(), true)
    }

    /// A file, place by place. A page is read as text and, where it may be a scan, as a picture too: what both say counts once.
    pub fn document(&self, document: &Document) -> Vec<(Where, Found)> {
        let mut by_place: BTreeMap<Where, Found> = BTreeMap::new();
        for piece in &document.pieces {
            let place = match piece.place.part.as_str() {
                "member-name" => Where::MemberName,
                "picture" => Where::Picture,
                _ => Where::Attachment,
            };
            let mut found = match &piece.content {
                Content::Lines(lines) if place == Where::MemberName => {
                    let mut found = Found::default();
                    lines.iter().for_each(|name| found.merge(self.file_name(name)));
                    found
                }
                Content::Lines(lines) if piece.place.part == "field" => self.fields(lines.iter().map(String::as_str), &piece.place),
                Content::Lines(lines) if piece.place.part == "id" => {
                    let mut found = Found::default();
                    lines.iter().for_each(|field| found.merge(self.ids(field, &piece.place)));
                    found
                }
                Content::Lines(lines) => {
                    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                    self.lines(&lines, &piece.place, true)
                }
                Content::Table(rows) => self.table(rows, &piece.place, 0),
            };
            if let (Where::Picture, Some(text)) = (place, by_place.get(&Where::Attachment)) {
                found.forget(text, &piece.place);
            }
            by_place.entry(place).or_default().merge(found);
        }
        let disowned: BTreeSet<String> = by_place.values_mut().flat_map(|found| std::mem::take(&mut found.disowned)).collect();
        by_place.values_mut().for_each(|found| found.forget_disowned(&disowned));
        by_place.into_iter().collect()
    }

    fn lines(&self, texts: &[&str], place: &Place, running: bool) -> Found {
        // Numbers that stand in columns are judged by their columns.
        let blocks = if running { blocks::in_lines(texts) } else { Vec::new() };
        let folded = fold_lines(texts);
        let records = if running { records::in_lines(texts, &folded) } else { Vec::new() };
        let mut found = self.numbers(texts, folded, place, &blocks::rows_of(&blocks));
        if running {
            found.merge(self.kept(records, place));
            for block in &blocks {
                found.merge(self.table(&block.rows, place, block.first));
            }
            found.add_pasted(self.pasted(texts, place));
        }
        found
    }

    /// The numbers of running text, but for those of lines that are rows of a table.
    fn numbers(&self, texts: &[&str], folded: Vec<String>, place: &Place, in_block: &BTreeSet<usize>) -> Found {
        let lines: Vec<Line<'_>> = texts.iter().zip(folded).map(|(text, folded)| Line::new(text, folded)).collect();
        let mut gathered = Gathered::default();
        let mut carried = None;
        let mut above = "";
        for (row, line) in lines.iter().enumerate() {
            if line.digits < 6 || in_block.contains(&row) {
                if line.digits > 0 || line.text.contains(char::is_alphabetic) {
                    carried = None;
                }
            } else {
                let name = LazyCell::new(|| records::names_somebody(line.text));
                let surroundings = |start: usize, end: usize| {
                    let prefix = evidence::tail(line.folded.get(..start).unwrap_or(""), REACH);
                    let bare = !prefix.contains(|c: char| c.is_alphabetic());
                    let before = if bare { format!("{above} {prefix}") } else { prefix.to_owned() };
                    let after = evidence::head(line.folded.get(end..).unwrap_or(""), REACH).to_owned();
                    Surroundings { before, after, name: *name, carried: carried.filter(|_| bare), row: row + 1, column: 0 }
                };
                carried = gathered.look(self, &line.folded, surroundings);
            }
            if !line.text.trim().is_empty() {
                above = Some(line.folded.as_str()).filter(|folded| folded.len() <= LONGEST_LABEL).unwrap_or("");
            }
        }
        gathered.settle(self, place)
    }

    /// What structures in these lines say beyond the lines themselves, with the rows that each takes.
    fn pasted(&self, texts: &[&str], place: &Place) -> Vec<(std::ops::RangeInclusive<usize>, Found)> {
        let said = |pasted: pasted::Pasted| {
            let lines: Vec<&str> = pasted.lines.iter().map(String::as_str).collect();
            let folded = fold_lines(&lines);
            let records = records::in_lines(&lines, &folded);
            let mut found = self.numbers(&lines, folded, place, &BTreeSet::new());
            found.merge(self.kept(records, place));
            pasted.tables.iter().for_each(|table| found.merge(self.table(table, place, 0)));
            for hit in &mut found.hits {
                if hit.spot.kind == records::KIND {
                    hit.value = format!("{} in {}", hit.value, pasted.first);
                }
                (hit.spot.row, hit.spot.column) = (pasted.first + 1, 0);
            }
            (pasted.first + 1..=pasted.last + 1, found)
        };
        pasted::in_lines(texts).into_iter().map(said).collect()
    }

    /// Rows of cells; `first` is the line that the first of them stands in, 0 in a table of its own.
    fn table(&self, rows: &[Vec<String>], place: &Place, first: usize) -> Found {
        let mut found = Found::default();
        let mut header: Vec<String> = Vec::new();
        let mut columns: BTreeMap<usize, Gathered> = BTreeMap::new();
        for (row, cells) in rows.iter().enumerate() {
            let folded: Vec<String> = cells.iter().map(|cell| without_decimals(unboxed(fold(cell)))).collect();
            if is_header(&folded) {
                // A new table begins below: what its columns gathered so far is judged by itself.
                for (_, gathered) in std::mem::take(&mut columns) {
                    found.merge(gathered.settle(self, place));
                }
                header = folded;
                continue;
            }
            let name = LazyCell::new(|| cells.iter().any(|cell| records::names_somebody(cell)));
            for (column, cell) in folded.iter().enumerate() {
                if cell.chars().filter(char::is_ascii_digit).count() < 6 {
                    continue;
                }
                let above = header.get(column).map(String::as_str).unwrap_or("");
                let beside = column.checked_sub(1).and_then(|left| folded.get(left)).map(String::as_str).unwrap_or("");
                let label = if above.is_empty() || !evidence::is_label(above) && evidence::is_label(beside) { beside } else { above };
                columns.entry(column).or_default().look(self, cell, |start, end| {
                    let before = format!("{label} {}", evidence::tail(cell.get(..start).unwrap_or(""), REACH));
                    let after = evidence::head(cell.get(end..).unwrap_or(""), REACH).to_owned();
                    Surroundings { before, after, name: *name, carried: None, row: first + row + 1, column: column + 1 }
                });
            }
        }
        for (_, gathered) in columns {
            found.merge(gathered.settle(self, place));
        }
        let records = records::in_table(rows).into_iter().map(|record| records::Record { row: first + record.row, ..record }).collect();
        found.merge(self.kept(records, place));
        let cells = rows.iter().zip(first + 1..).flat_map(|(cells, row)| cells.iter().map(move |cell| (row, cell)));
        for (row, cell) in cells.filter(|(_, cell)| cell.contains(['{', '<'])) {
            for (_, mut pasted) in self.pasted(&cell.lines().collect::<Vec<_>>(), place) {
                pasted.hits.iter_mut().for_each(|hit| hit.spot.row = row);
                found.add_pasted(vec![(row..=row, pasted)]);
            }
        }
        found
    }

    fn kept(&self, records: Vec<records::Record>, place: &Place) -> Found {
        let hits = records
            .into_iter()
            .filter(|record| record.points >= self.policy.threshold())
            .map(|record| {
                let spot = Spot { kind: records::KIND, certainty: record.points, place: place.clone(), row: record.row, column: 0 };
                Hit { value: format!("{}:{}:{}", place.part, place.number, record.row), named: true, spot }
            })
            .collect();
        Found { hits, ..Found::default() }
    }
}

/// What stands before and behind the @ of ids, in words: a dot in them is no decimal sign.
fn parts_of_ids(field: &str) -> impl Iterator<Item = String> {
    field.split(['<', '>', '@', ' ', '\t']).map(|part| part.replace('.', " "))
}

/// What stands around a candidate, and where it stands.
struct Surroundings {
    /// The label, and the text of the same line or cell before it.
    before: String,
    after: String,
    /// Somebody is named in the same line or row.
    name: bool,
    /// What the numbers in the line above were named.
    carried: Option<&'static str>,
    row: usize,
    column: usize,
}

/// Candidates of one text or column, with how many of each kind's form failed the checks.
#[derive(Default)]
struct Gathered {
    candidates: Vec<Candidate>,
    /// Those that stand alone in their line or cell.
    failed: BTreeMap<&'static str, usize>,
    /// Those that stand anywhere.
    failed_anywhere: BTreeMap<&'static str, usize>,
}

impl Gathered {
    /// Takes the numbers of a folded line or cell; tells what kind the first of them was named.
    fn look(&mut self, detector: &Detector<'_>, folded: &str, around: impl Fn(usize, usize) -> Surroundings) -> Option<&'static str> {
        let letters = |c: char| c.is_alphabetic();
        let (first_letter, last_letter) = (folded.find(letters), folded.rfind(letters));
        let mut here: Vec<Candidate> = Vec::new();
        for (which, identifier) in ALL.iter().enumerate() {
            let country_known = detector.policy.countries.contains(&identifier.country);
            let mut last: Option<usize> = None;
            evidence::candidates(which, identifier, folded, |start, end, judged| {
                let bare = first_letter.is_none_or(|first| first >= start) && last_letter.is_none_or(|last| last < end);
                let Some(judged) = judged else {
                    *self.failed.entry(identifier.kind).or_default() += usize::from(bare);
                    *self.failed_anywhere.entry(identifier.kind).or_default() += 1;
                    return;
                };
                let Surroundings { before, after, name, carried, row, column } = around(start, end);
                // In a list, what one number was named holds for the next: only signs and small words stand between.
                let between = last.and_then(|last| folded.get(last..start)).is_some_and(|between| {
                    !between.contains(|c: char| c.is_ascii_digit())
                        && between.split(|c: char| !c.is_alphabetic()).all(|word| word.len() <= 3)
                });
                let listed = between && here.last().is_some_and(|before| before.named && before.judged.kind == judged.kind);
                let inherited = listed || carried == Some(identifier.kind);
                let points = evidence::points(which, &judged, Around { before: &before, after: &after, name, inherited }, country_known);
                last = Some(end);
                here.push(Candidate {
                    judged,
                    points: points.points,
                    named: points.named,
                    other: points.other,
                    listed: country_known && bare && points.points > 0,
                    row,
                    column,
                    span: (start, end),
                });
            });
        }
        let named = here.iter().find(|candidate| candidate.named).map(|candidate| candidate.judged.kind);
        self.keep_best(here);
        named
    }

    /// Of several kinds that one stretch of digits could be, the best named one stays. A weak second reading stays for the
    /// judgement of the whole column; a named one is final.
    fn keep_best(&mut self, mut here: Vec<Candidate>) {
        here.sort_by_key(|candidate| (std::cmp::Reverse(candidate.named), std::cmp::Reverse(candidate.points)));
        let mut taken = Spans::default();
        for candidate in here {
            if !taken.overlapping(candidate.span).any(|(named, kind)| *named || *kind == candidate.judged.kind) {
                taken.take(candidate.span, (candidate.named, candidate.judged.kind));
                self.candidates.push(candidate);
            }
        }
    }

    fn settle(mut self, detector: &Detector<'_>, place: &Place) -> Found {
        let kinds: BTreeSet<&'static str> = self.candidates.iter().map(|candidate| candidate.judged.kind).collect();
        for kind in kinds {
            let group: Vec<&Candidate> = self.candidates.iter().filter(|c| c.judged.kind == kind && !c.other && c.listed).collect();
            let failed = self.failed.get(kind).copied().unwrap_or(0);
            if is_group(&group, failed) {
                for candidate in self.candidates.iter_mut().filter(|c| c.judged.kind == kind && !c.other && c.listed) {
                    candidate.points = candidate.points.saturating_add(GROUP).min(100);
                }
            }
        }
        // Where most numbers of a form fail its checks, as in logs, the others pass them by chance.
        for (kind, failed) in &self.failed_anywhere {
            let mut unnamed: Vec<&mut Candidate> =
                self.candidates.iter_mut().filter(|c| c.judged.kind == *kind && !c.named && c.judged.points < SURE).collect();
            if *failed > MOST_FAIL * unnamed.len() {
                unnamed.iter_mut().for_each(|candidate| candidate.points = candidate.points.saturating_sub(CHANCE));
            }
        }
        let mut hits: Vec<&Candidate> = self.candidates.iter().filter(|c| c.points >= detector.policy.threshold()).collect();
        hits.sort_by_key(|candidate| (candidate.row, candidate.column, std::cmp::Reverse(candidate.points)));
        let mut taken: BTreeMap<(usize, usize), Spans<()>> = BTreeMap::new();
        let in_column = |candidate: &&Candidate| candidate.other && candidate.column > 0;
        let disowned = self.candidates.iter().filter(in_column).map(|candidate| candidate.judged.value.clone()).collect();
        let mut found = Found { hits: Vec::new(), disowned };
        for hit in hits {
            let taken = taken.entry((hit.row, hit.column)).or_default();
            if taken.overlapping(hit.span).next().is_some() {
                continue;
            }
            taken.take(hit.span, ());
            let spot = Spot { kind: hit.judged.kind, certainty: hit.points, place: place.clone(), row: hit.row, column: hit.column };
            found.hits.push(Hit { value: hit.judged.value.clone(), named: hit.named, spot });
        }
        found
    }
}

/// Stretches of a line that are taken, found by where they begin.
struct Spans<T> {
    by_start: BTreeMap<usize, Vec<(usize, T)>>,
}

impl<T> Default for Spans<T> {
    fn default() -> Self {
        Self { by_start: BTreeMap::new() }
    }
}

impl<T> Spans<T> {
    fn take(&mut self, (start, end): (usize, usize), what: T) {
        self.by_start.entry(start).or_default().push((end, what));
    }

    fn overlapping(&self, (start, end): (usize, usize)) -> impl Iterator<Item = &T> {
        let near = self.by_start.range(start.saturating_sub(LONGEST_NUMBER)..end);
        near.flat_map(|(_, taken)| taken).filter(move |(taken_end, _)| *taken_end > start).map(|(_, what)| what)
    }
}

/// At least four different passing numbers, four in five of that form passing, no steady sequence and no stamps of day and time: four
/// random numbers all pass the eleven-test with a chance of 0.007 %.
fn is_group(group: &[&Candidate], failed: usize) -> bool {
    if group.iter().all(|candidate| reads_as_stamp(&candidate.judged.value)) {
        return false;
    }
    let values: BTreeSet<u64> = group.iter().filter_map(|candidate| candidate.judged.value.parse().ok()).collect();
    if values.len() < 4 || group.len() < 4 * failed {
        return false;
    }
    let steps: BTreeSet<u64> = values.iter().zip(values.iter().skip(1)).map(|(a, b)| b - a).collect();
    steps.len() > 1
}

/// A row of labels: at least one names a number or a person's attribute, and none holds a value with digits.
fn is_header(folded: &[String]) -> bool {
    folded.iter().all(|cell| cell.chars().filter(char::is_ascii_digit).count() < 5 && cell.len() <= 80)
        && folded.iter().any(|cell| evidence::is_label(cell) || records::is_attribute(cell))
}
