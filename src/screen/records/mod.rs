//! Records of a person without a number: a name with a date of birth, an address or a sex (POLICY, "citizen data").

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
pub fn names_somebody(_text: &str) -> bool {
    false
}

/// Whether a folded header cell is an attribute of a person.
#[must_use]
pub fn is_attribute(_folded: &str) -> bool {
    false
}

/// Records in a file's name.
#[must_use]
pub fn in_file_name(_words: &str) -> Vec<Record> {
    Vec::new()
}

/// Records in running text.
#[must_use]
pub fn in_lines(_lines: &[&str]) -> Vec<Record> {
    Vec::new()
}

/// Records in a table.
#[must_use]
pub fn in_table(_rows: &[Vec<String>]) -> Vec<Record> {
    Vec::new()
}
