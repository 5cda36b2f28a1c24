//! Where citizen data was found, for people and programs: kind, place and certainty, never a value.

use serde::Serialize;

use crate::screen::{Finding, Spot};

/// One hit. Rows, columns and members count from 1; what does not apply is left out.
#[derive(Debug, Serialize)]
pub(super) struct SpotPart {
    #[serde(rename = "where")]
    place: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachment: Option<usize>,
    kind: &'static str,
    /// 0 to 100.
    certainty: u8,
    /// `sheet`, `page`, `comment`, …
    #[serde(skip_serializing_if = "String::is_empty")]
    part: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u32>,
    /// Which member of which member of an archive or mail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    path: Vec<u32>,
    row: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

/// The hits of all findings, in their order; of each finding the first hundred.
pub(super) fn of(findings: &[Finding]) -> Vec<SpotPart> {
    findings.iter().flat_map(|finding| finding.spots.iter().map(|spot| SpotPart::new(finding, spot))).collect()
}

/// The first places, for people.
pub(super) fn in_words(spots: &[SpotPart]) -> String {
    const SHOWN: usize = 3;
    let first: Vec<String> = spots.iter().take(SHOWN).map(SpotPart::in_words).collect();
    let more = spots.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", first.join("; "))
}

impl SpotPart {
    fn new(finding: &Finding, spot: &Spot) -> Self {
        Self {
            place: finding.place.as_str(),
            attachment: finding.attachment,
            kind: spot.kind,
            certainty: spot.certainty,
            part: spot.place.part.clone(),
            number: Some(spot.place.number).filter(|number| *number > 0),
            path: spot.place.path.clone(),
            row: spot.row,
            column: Some(spot.column).filter(|column| *column > 0),
        }
    }

    /// `bsn in sheet 2, row 14, column 3 (100)`.
    fn in_words(&self) -> String {
        let members = self.path.iter().map(|number| format!("member {number}, ")).collect::<String>();
        let part = if self.part.is_empty() { self.place } else { &self.part };
        let number = self.number.map_or(String::new(), |number| format!(" {number}"));
        let column = self.column.map_or(String::new(), |column| format!(", column {column}"));
        format!("{} in {members}{part}{number}, row {}{column} ({})", self.kind, self.row, self.certainty)
    }
}
