//! Records of a person without a number: a name with a date of birth, an address or a sex (POLICY, "citizen data"), in tables,
//! forms, prose and file names.

mod addresses;
mod attributes;
mod dates;
mod forms;
mod names;
mod prose;
mod tables;

use super::fold::fold;
use attributes::Attribute;
use std::collections::BTreeSet;

pub use prose::in_lines;
pub use tables::in_table;

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
    names::in_text(text) || names::says_who(text)
}

/// Whether a folded header cell is an attribute of a person.
#[must_use]
pub fn is_attribute(folded: &str) -> bool {
    attributes::of_label(folded).is_some()
}

/// Points of what is known of one person.
fn points(known: &BTreeSet<Attribute>) -> u8 {
    let has = |attribute| known.contains(&attribute);
    let whole = has(Attribute::Given) && has(Attribute::Family);
    let (sex, address, business) = (has(Attribute::Sex), has(Attribute::Address), has(Attribute::Business));
    match () {
        () if !has_name(known) => 0,
        () if has(Attribute::Birth) => 90,
        // People at their work have names, addresses and titles too.
        () if business => 0,
        () if sex && (address || has(Attribute::Place)) => 85,
        () if address && has(Attribute::Place) => 70,
        () if address || sex => 65,
        () if whole && has(Attribute::Place) => 60,
        () => 0,
    }
}

fn has_name(known: &BTreeSet<Attribute>) -> bool {
    [Attribute::Name, Attribute::Family, Attribute::Given, Attribute::Person].iter().any(|attribute| known.contains(attribute))
}

/// Whether something says that the name is a person's: with nothing but an address beside it, it might be a building's.
fn is_personal(known: &BTreeSet<Attribute>) -> bool {
    [Attribute::Birth, Attribute::Sex, Attribute::Family, Attribute::Given, Attribute::Person]
        .iter()
        .any(|attribute| known.contains(attribute))
}

/// Records in a file's name: a person's name and a day long ago.
#[must_use]
pub fn in_file_name(words: &str) -> Vec<Record> {
    let folded = fold(words);
    let days = dates::days(&folded, false);
    let compact = dates::days(&folded, true);
    let said = prose::has_birth_word(&folded);
    let born = days.iter().chain(&compact).any(|day| day.is_long_ago() && day.end - day.start >= 8)
        || said && compact.iter().any(|day| day.may_be_birth());
    if born && (names::in_file_name(words) || said && names::perhaps_in_file_name(words)) {
        vec![Record { points: 75, row: 1 }]
    } else {
        Vec::new()
    }
}
