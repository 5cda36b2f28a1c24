//! Fields with their labels, which belong to one person when they stand together.

use super::attributes::{self, Attribute};
use super::names::{self, Grade};
use super::{Record, is_personal, points};
use crate::screen::fold::fold;
use std::collections::BTreeSet;

/// Fields of a form that belong together, as they come.
#[derive(Default)]
pub struct Form {
    known: BTreeSet<Attribute>,
    /// How much its name is a person's.
    grade: Grade,
    first: usize,
    last: usize,
    /// Records so far: points, first and last line.
    done: Vec<(u8, usize, usize)>,
}

impl Form {
    /// Fields further apart than this are not of one person.
    const APART: usize = 8;

    /// Takes a field; an empty or masked one is none.
    pub fn add(&mut self, attribute: Attribute, value: &str, row: usize) {
        if !attributes::has_value(attribute, value) {
            return;
        }
        if attribute == Attribute::Business && row > self.last + 2 {
            // A function further below is a signature's.
            self.end();
        }
        let again = matches!(attribute, Attribute::Name | Attribute::Family | Attribute::Birth) && self.known.contains(&attribute);
        if self.known.is_empty() || row > self.last + Self::APART || again {
            self.end();
            self.first = row;
        }
        // An address that is a town hall's makes business of the whole form.
        let office = attribute == Attribute::Address && names::is_office(&fold(value));
        self.known.insert(if office { Attribute::Business } else { attribute });
        if attribute == Attribute::Name {
            self.grade = self.grade.max(names::grade(value));
        }
        self.last = row;
    }

    fn end(&mut self) {
        let (known, grade) = (std::mem::take(&mut self.known), std::mem::take(&mut self.grade));
        // One unknown word may be a house; with street and place below it in a form of its own, it is who lives there.
        let whole = known.contains(&Attribute::Address) && known.contains(&Attribute::Place);
        let somebody = is_personal(&known) || grade >= Grade::Shaped || grade == Grade::Possible && whole;
        let points = if somebody { points(&known) } else { 0 };
        if points > 0 {
            self.done.push((points, self.first, self.last));
        }
    }

    /// Adds its records to those found otherwise; what lies within a form is the same person.
    pub fn join(mut self, mut others: Vec<Record>) -> Vec<Record> {
        self.end();
        others.retain(|record| !self.done.iter().any(|(_, first, last)| (first + 1..=last + 1).contains(&record.row)));
        others.extend(self.done.into_iter().map(|(points, first, _)| Record { points, row: first + 1 }));
        others
    }
}

/// The fields in the first of these lines: `label: value`, several in a line where tabs or wide gaps part them, a value
/// in the next line where the label stands alone.
pub fn fields(lines: &[&str], row: usize, form: &mut Form) {
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
        // Each letter without a mark stays when it is folded.
        if label.bytes().filter(u8::is_ascii_alphabetic).count() > attributes::LONGEST_LABEL {
            continue;
        }
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
            form.add(attribute, value.trim_matches(['"', ',', ' ', '\'', ':']), row);
        }
    }
}

/// A line's parts between tabs, bars, semicolons and wide gaps.
fn segments(line: &str) -> Vec<&str> {
    line.split(['\t', '|', ';']).flat_map(|part| part.split("  ")).map(str::trim).filter(|part| !part.is_empty()).collect()
}
