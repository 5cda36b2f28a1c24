//! Rows under a header, forms in cells, and rows that no header explains.

use super::attributes::{self, Attribute};
use super::forms::Form;
use super::names::{self, Grade};
use super::{Record, addresses, dates, points, prose};
use crate::screen::fold::{fold, fold_lines};
use std::collections::BTreeSet;

/// Records in a table: rows under a header, or labels beside their values.
#[must_use]
pub fn in_table(rows: &[Vec<String>]) -> Vec<Record> {
    let mut records = Vec::new();
    let mut header: Vec<Option<Attribute>> = Vec::new();
    let mut below = Below::default();
    let mut form = Form::default();
    let mut addressed = Vec::new();
    let mut bare = Bare::default();
    for (row, cells) in rows.iter().enumerate() {
        let labels = labels_of(cells);
        let values = cells.iter().filter(|cell| !cell.trim().is_empty()).count();
        let labelled = labels.iter().flatten().count();
        let of_births = labels.contains(&Some(Attribute::Birth)) && !cells.iter().any(|cell| cell.contains(|c: char| c.is_ascii_digit()));
        if labelled >= 2 && labelled * 2 >= values.min(6) || labelled == 1 && values == 1 || labelled == 1 && of_births {
            records.extend(std::mem::take(&mut below).settle());
            header = labels;
            continue;
        }
        if below.add(&header, cells, row) {
            continue;
        }
        for (at, attribute) in labels.iter().enumerate() {
            if let (Some(attribute), Some(value)) = (attribute, cells.get(at + 1)) {
                form.add(*attribute, value, row);
            }
        }
        if header.iter().flatten().next().is_none() && labelled == 0 {
            // No header: a name in one cell, a day long ago in another.
            let born = cells.iter().any(|cell| cell.len() <= 24 && dates::days(&fold(cell), false).iter().any(|day| day.is_long_ago()));
            if born && cells.iter().any(|cell| cell.len() <= 60 && names::in_text(cell)) {
                records.push(Record { points: 65, row: row + 1 });
                bare.add(cells, row);
            } else if cells.len() >= 3 && addresses::in_cells(cells) {
                addressed.push(Record { points: 65, row: row + 1 });
            } else {
                bare.add(cells, row);
            }
        }
    }
    records.extend(below.settle());
    records.extend(addressed);
    for record in bare.settle() {
        if !records.iter().any(|known| known.row == record.row) {
            records.push(record);
        }
    }
    let mut records = form.join(records);
    records.extend(in_stories(rows, &records));
    records
}

/// What the cells of a row are as labels. Beside one that is understood, others may be mistyped.
fn labels_of(cells: &[String]) -> Vec<Option<Attribute>> {
    let labels: Vec<Option<Attribute>> = cells.iter().map(|cell| attributes::of_label(&fold(cell))).collect();
    let values = cells.iter().any(|cell| cell.contains(|c: char| c.is_ascii_digit()));
    if values || labels.iter().all(Option::is_none) {
        return labels;
    }
    labels.into_iter().zip(cells).map(|(label, cell)| label.or_else(|| attributes::of_mistyped_label(&fold(cell)))).collect()
}

/// Rows of a table that has no header at all.
#[derive(Default)]
struct Bare {
    /// How many rows there are, whatever they hold.
    rows: usize,
    /// Those with what may be a name and a day long ago: row and year, and whether a sex stands there too.
    people: Vec<(usize, u32, bool)>,
    /// The first row held no date: it may be a header in words that nobody knows.
    headed: bool,
}

impl Bare {
    /// Days of birth lie years apart; those of papers and buildings that stand in one list seldom do.
    const APART: u32 = 10;

    fn add(&mut self, cells: &[String], row: usize) {
        let filled = cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty() && cell.len() <= 60);
        if filled.clone().count() < 2 {
            return;
        }
        let folded: Vec<String> = cells.iter().filter(|cell| cell.len() <= 24).map(|cell| fold(cell)).collect();
        let mut years = folded.iter().flat_map(|cell| dates::days(cell, false).into_iter().chain(dates::undivided(cell)));
        let year = years.find(|day| day.is_long_ago()).map(|day| day.year);
        self.headed |= self.rows == 0 && year.is_none();
        self.rows += 1;
        let grades: Vec<Grade> = filled.filter(|cell| cell.chars().count() >= 3).map(names::grade).collect();
        let named =
            grades.iter().any(|grade| *grade >= Grade::Shaped) || grades.iter().filter(|grade| **grade >= Grade::Possible).count() >= 2;
        if let Some(year) = year.filter(|_| named) {
            let sex =
                cells.iter().any(|cell| cell.len() <= 10 && attributes::has_value(Attribute::Sex, cell) && !cell.contains(['0', '1', '2']));
            self.people.push((row, year, sex));
        }
    }

    fn settle(self) -> Vec<Record> {
        let years = || self.people.iter().map(|(_, year, _)| *year);
        let apart = years().max().unwrap_or(0) - years().min().unwrap_or(0);
        let enough = self.people.len() >= 3 || self.people.len() == 2 && self.people.iter().all(|(_, _, sex)| *sex);
        let most = self.people.len() * 5 >= self.rows * 3;
        if self.headed || !enough || !most || apart < Self::APART {
            return Vec::new();
        }
        self.people.into_iter().map(|(row, _, _)| Record { points: 65, row: row + 1 }).collect()
    }
}

/// The rows below one header.
#[derive(Default)]
struct Below {
    rows: Vec<(usize, BTreeSet<Attribute>, Grade)>,
}

impl Below {
    /// Takes a row whose cells make a record of a person, if its name is one; `false` when they make none.
    fn add(&mut self, header: &[Option<Attribute>], cells: &[String], row: usize) -> bool {
        let mut known: BTreeSet<Attribute> = header
            .iter()
            .zip(cells)
            .filter_map(|(attribute, value)| attribute.filter(|attribute| attributes::has_value(*attribute, value)))
            .chain(header.iter().flatten().copied().filter(|attribute| *attribute == Attribute::Business))
            .collect();
        let graded = |wanted: Option<Attribute>| {
            let cells = header.iter().zip(cells).filter(move |(attribute, cell)| **attribute == wanted && !cell.trim().is_empty());
            cells.map(|(_, value)| names::grade(value)).max()
        };
        // Beside a day of birth, or a street and its place, a name under a header that nobody knows is one all the same.
        let beside = known.contains(&Attribute::Birth) || known.contains(&Attribute::Address) && known.contains(&Attribute::Place);
        let unknown = graded(None).filter(|grade| *grade >= Grade::Shaped && beside && !super::has_name(&known));
        if unknown.is_some() {
            known.insert(Attribute::Name);
        }
        let found = points(&known) > 0;
        let grade = graded(Some(Attribute::Name)).or(unknown);
        // A row of the column that is no person's speaks for the whole column.
        if found || grade.is_some() {
            self.rows.push((row, known, grade.unwrap_or_default()));
        }
        found
    }

    /// Where nothing but an address stands beside a name, the whole column must be of people: buildings and companies have both.
    fn settle(self) -> Vec<Record> {
        let shaped = self.rows.iter().filter(|(_, _, grade)| *grade >= Grade::Shaped).count();
        let nobody = self.rows.iter().filter(|(_, _, grade)| *grade == Grade::Nobody).count();
        let alone = self.rows.len() == 1;
        let people = alone || shaped * 3 >= self.rows.len() && nobody * 3 < self.rows.len();
        let is_one = |known: &BTreeSet<Attribute>, grade: Grade| super::is_personal(known) || people && grade > Grade::Nobody;
        let found = self.rows.into_iter().filter(|(_, known, grade)| is_one(known, *grade));
        found.map(|(row, known, _)| Record { points: points(&known), row: row + 1 }).filter(|record| record.points > 0).collect()
    }
}

/// Sheets and tables that hold running text: a line in a row, or a story in a cell.
fn in_stories(rows: &[Vec<String>], found: &[Record]) -> Vec<Record> {
    let found: BTreeSet<usize> = found.iter().map(|record| record.row).collect();
    let (alone, numbers): (Vec<&str>, Vec<usize>) =
        rows.iter().enumerate().filter_map(|(row, cells)| Some((only_cell(cells)?, row + 1))).unzip();
    let mut said: Vec<Record> = prose::in_lines(&alone, &fold_lines(&alone))
        .into_iter()
        .filter_map(|record| Some(Record { row: *numbers.get(record.row - 1)?, ..record }))
        .collect();
    for (row, cells) in rows.iter().enumerate() {
        let long = cells.iter().filter(|cell| cells.len() > 1 && cell.len() > 40);
        let told = long.flat_map(|cell| {
            let lines: Vec<&str> = cell.lines().collect();
            prose::in_lines(&lines, &fold_lines(&lines))
        });
        said.extend(told.map(|record| Record { row: row + 1, ..record }));
    }
    said.retain(|record| !found.contains(&record.row));
    said
}

/// The text of a row that has only one.
fn only_cell(cells: &[String]) -> Option<&str> {
    let mut filled = cells.iter().filter(|cell| !cell.trim().is_empty());
    let only = filled.next()?;
    filled.next().is_none().then_some(only)
}
