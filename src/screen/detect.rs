//! Walks through text and tables, gathers what is found, and says where.

use super::evidence::{self, Around, GROUP};
use super::fold::fold;
use super::identifiers::{ALL, Judged};
use super::outcome::{Finding, Spot, Where};
use super::{Policy, blocks, records};
use crate::parse::document::{Content, Document, Place};
use std::collections::{BTreeMap, BTreeSet};

/// How many places a finding lists in detail.
const MOST_SPOTS: usize = 100;

/// Judges by one desk's policy.
pub struct Detector<'a> {
    policy: &'a Policy,
}

/// Hits in one place of a mail. The values serve to count different ones and go no further.
#[derive(Debug, Default)]
pub struct Found {
    hits: Vec<(String, Spot)>,
}

impl Found {
    pub fn merge(&mut self, other: Self) {
        self.hits.extend(other.hits);
    }

    /// Drops what a page's text has said already: the same numbers, and records of the same page.
    fn forget(&mut self, text: &Self, picture: &Place) {
        let same_page = |spot: &Spot| spot.place.part == "page" && spot.place.number == picture.number && spot.place.path == picture.path;
        self.hits.retain(|(value, spot)| {
            !text.hits.iter().any(|(said, at)| at.kind == spot.kind && (said == value || spot.kind == records::KIND && same_page(at)))
        });
    }

    /// What is reported; `None` when there is nothing.
    pub fn finding(self, place: Where, attachment: Option<usize>) -> Option<Finding> {
        let certainty = self.hits.iter().map(|(_, spot)| spot.certainty).max()?;
        let different: BTreeSet<(&'static str, &str)> = self.hits.iter().map(|(value, spot)| (spot.kind, value.as_str())).collect();
        let mut kinds = BTreeMap::new();
        for (kind, _) in different {
            *kinds.entry(kind).or_insert(0) += 1;
        }
        let spots = self.hits.into_iter().map(|(_, spot)| spot).take(MOST_SPOTS).collect();
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
    fn new(text: &'a str) -> Self {
        let digits = text.chars().filter(|c| c.is_numeric()).count();
        // Most lines hold no number; folding is for those that do, and for the short ones that may be a label.
        let folded = if digits >= 6 || text.len() <= 120 { fold(text) } else { String::new() };
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
        self.lines(&[text], &Place::default(), false)
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
        by_place.into_iter().collect()
    }

    fn lines(&self, texts: &[&str], place: &Place, running: bool) -> Found {
        let lines: Vec<Line<'_>> = texts.iter().map(|text| Line::new(text)).collect();
        let mut by_kind = Gathered::default();
        let mut carried = None;
        // Numbers that stand in columns are judged by their columns.
        let blocks = if running { blocks::in_lines(texts) } else { Vec::new() };
        let in_block = |row: usize| {
            blocks.iter().any(|block| {
                (block.first..block.first + block.rows.len()).contains(&row)
                    && block.rows.get(row - block.first).is_some_and(|cells| cells.len() > 1)
            })
        };
        for (row, line) in lines.iter().enumerate() {
            if line.digits < 6 || in_block(row) {
                if line.digits > 0 || line.text.contains(char::is_alphabetic) {
                    carried = None;
                }
                continue;
            }
            let above = lines.get(..row).and_then(|before| before.iter().rev().find(|line| !line.text.trim().is_empty()));
            let label = above.map(|line| line.folded.as_str()).filter(|folded| folded.len() <= 120).unwrap_or("");
            let name = records::names_somebody(line.text);
            let mut here = Vec::new();
            for (which, identifier) in ALL.iter().enumerate() {
                by_kind.look(self, which, &line.folded, &mut here, |start, end| {
                    let prefix = line.folded.get(..start).unwrap_or("");
                    let bare = !prefix.contains(|c: char| c.is_alphabetic());
                    let before = if bare { format!("{label} {prefix}") } else { prefix.to_owned() };
                    (before, line.folded.get(end..).unwrap_or("").to_owned(), name, bare && carried == Some(identifier.kind), row + 1, 0)
                });
            }
            carried = here.iter().find(|candidate| candidate.named).map(|candidate| candidate.judged.kind);
            by_kind.keep_best(here);
        }
        let mut found = by_kind.settle(self, place);
        if running {
            found.merge(self.kept(records::in_lines(texts), place));
            for block in &blocks {
                found.merge(self.table(&block.rows, place, block.first));
            }
        }
        found
    }

    /// Rows of cells; `first` is the line that the first of them stands in, 0 in a table of its own.
    fn table(&self, rows: &[Vec<String>], place: &Place, first: usize) -> Found {
        let mut found = Found::default();
        let mut header: Vec<String> = Vec::new();
        let mut columns: BTreeMap<usize, Gathered> = BTreeMap::new();
        for (row, cells) in rows.iter().enumerate() {
            let folded: Vec<String> = cells.iter().map(|cell| fold(cell)).collect();
            if is_header(&folded) {
                // A new table begins below: what its columns gathered so far is judged by itself.
                for (_, gathered) in std::mem::take(&mut columns) {
                    found.merge(gathered.settle(self, place));
                }
                header = folded;
                continue;
            }
            let name = cells.iter().any(|cell| records::names_somebody(cell));
            for (column, cell) in folded.iter().enumerate() {
                if cell.chars().filter(char::is_ascii_digit).count() < 6 {
                    continue;
                }
                let above = header.get(column).map(String::as_str).unwrap_or("");
                let beside = column.checked_sub(1).and_then(|left| folded.get(left)).map(String::as_str).unwrap_or("");
                let label = if above.is_empty() || !evidence::is_label(above) && evidence::is_label(beside) { beside } else { above };
                let gathered = columns.entry(column).or_default();
                let mut here = Vec::new();
                for which in 0..ALL.len() {
                    gathered.look(self, which, cell, &mut here, |start, end| {
                        let before = format!("{label} {}", cell.get(..start).unwrap_or(""));
                        (before, cell.get(end..).unwrap_or("").to_owned(), name, false, first + row + 1, column + 1)
                    });
                }
                gathered.keep_best(here);
            }
        }
        for (_, gathered) in columns {
            found.merge(gathered.settle(self, place));
        }
        let records = records::in_table(rows).into_iter().map(|record| records::Record { row: first + record.row, ..record }).collect();
        found.merge(self.kept(records, place));
        found
    }

    fn kept(&self, records: Vec<records::Record>, place: &Place) -> Found {
        let hits = records
            .into_iter()
            .filter(|record| record.points >= self.policy.threshold)
            .map(|record| {
                let spot = Spot { kind: records::KIND, certainty: record.points, place: place.clone(), row: record.row, column: 0 };
                (format!("{}:{}:{}", place.part, place.number, record.row), spot)
            })
            .collect();
        Found { hits }
    }
}

/// Candidates of one text or column, with how many of each kind's form failed the checks.
#[derive(Default)]
struct Gathered {
    candidates: Vec<Candidate>,
    failed: BTreeMap<&'static str, usize>,
}

impl Gathered {
    fn look(
        &mut self,
        detector: &Detector<'_>,
        which: usize,
        folded: &str,
        here: &mut Vec<Candidate>,
        around: impl Fn(usize, usize) -> (String, String, bool, bool, usize, usize),
    ) {
        let Some(identifier) = ALL.get(which) else { return };
        let country_known = detector.policy.countries.contains(&identifier.country);
        let mut last: Option<usize> = None;
        evidence::candidates(which, identifier, folded, |start, end, judged| {
            let alone = |text: Option<&str>| text.is_some_and(|text| !text.contains(|c: char| c.is_alphabetic()));
            let bare = alone(folded.get(..start)) && alone(folded.get(end..));
            let Some(judged) = judged else {
                *self.failed.entry(identifier.kind).or_default() += usize::from(bare);
                return;
            };
            let (before, after, name, carried, row, column) = around(start, end);
            // In a list, what one number was named holds for the next: only signs and small words stand between.
            let between = last.and_then(|last| folded.get(last..start)).is_some_and(|between| {
                !between.contains(|c: char| c.is_ascii_digit()) && between.split(|c: char| !c.is_alphabetic()).all(|word| word.len() <= 3)
            });
            let listed = between && here.last().is_some_and(|before| before.named && before.judged.kind == judged.kind);
            let around = Around { before: &before, after: &after, name, inherited: listed || carried };
            let points = evidence::points(which, &judged, around, country_known);
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

    /// Of several kinds that one stretch of digits could be, the best named one stays.
    fn keep_best(&mut self, mut here: Vec<Candidate>) {
        here.sort_by_key(|candidate| (std::cmp::Reverse(candidate.named), std::cmp::Reverse(candidate.points)));
        let mut kept: Vec<Candidate> = Vec::new();
        for candidate in here {
            let overlaps = |other: &Candidate| candidate.span.0 < other.span.1 && other.span.0 < candidate.span.1;
            // A weak second reading stays for the judgement of the whole column; a named one is final.
            if !kept.iter().any(|other| overlaps(other) && (other.named || other.judged.kind == candidate.judged.kind)) {
                kept.push(candidate);
            }
        }
        self.candidates.extend(kept);
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
        let mut hits: Vec<&Candidate> = self.candidates.iter().filter(|c| c.points >= detector.policy.threshold).collect();
        hits.sort_by_key(|candidate| (candidate.row, candidate.column, std::cmp::Reverse(candidate.points)));
        let mut taken: Vec<(usize, usize, (usize, usize))> = Vec::new();
        let mut found = Found::default();
        for hit in hits {
            let recent = taken.iter().rev().take_while(|(row, column, _)| (*row, *column) == (hit.row, hit.column));
            if recent.into_iter().any(|(_, _, span)| hit.span.0 < span.1 && span.0 < hit.span.1) {
                continue;
            }
            taken.push((hit.row, hit.column, hit.span));
            let spot = Spot { kind: hit.judged.kind, certainty: hit.points, place: place.clone(), row: hit.row, column: hit.column };
            found.hits.push((hit.judged.value.clone(), spot));
        }
        found
    }
}

/// At least four different passing numbers, four in five of that form passing, and no steady sequence: four random numbers all
/// pass the eleven-test with a chance of 0.007 %.
fn is_group(group: &[&Candidate], failed: usize) -> bool {
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
