//! Word 97 to 2003 (MS-DOC).

use super::{Ole, ansi, pictures, stream, u16_at, usize_at, utf16};
use crate::extract::formats::{Reader, text};
use crate::parse::document::Unreadable;
use std::path::Path;

/// A Word document: the pieces of its text (MS-DOC 2.4.1), footnotes, headers and comments among them.
pub fn read(reader: &mut Reader, ole: &mut Ole<'_>) {
    let Some(document) = stream(ole, Path::new("/WordDocument")) else { return reader.fail(Unreadable::Damaged) };
    let flags = u16_at(&document, 0x0a).unwrap_or(0);
    if flags & 0x0100 != 0 {
        return reader.fail(Unreadable::Encrypted);
    }
    let table = stream(ole, Path::new(if flags & 0x0200 != 0 { "/1Table" } else { "/0Table" })).unwrap_or_default();
    match pieces(&document, &table) {
        // Text is without zeros: its pieces lie where something else stands.
        Some(text) if text.contains('\0') => reader.fail(Unreadable::Damaged),
        Some(text) => {
            // Paragraphs end with 13, lines with 11; fields keep their instructions between 19 and 20.
            let text = text.replace(['\r', '\u{b}', '\u{c}'], "\n").replace('\u{1e}', "-").replace(['\u{13}', '\u{14}', '\u{15}'], " ");
            reader.lines("text", 1, in_rows(&text));
        }
        None => reader.fail(Unreadable::Damaged),
    }
    // Descriptions of pictures, variables and the like.
    reader.lines("metadata", 2, text::runs(&table));
    let data = stream(ole, Path::new("/Data")).unwrap_or_default();
    pictures::read(reader, &data);
    pictures::read(reader, &document);
}

/// The mark at the end of a cell, and once more at the end of a row (MS-DOC 2.4.3).
const CELL: char = '\u{7}';

/// Lines, and one for each row of a table with its cells parted by tabs. Where a row ends, the text alone does not say: there an empty cell
/// seems to stand, in the same place all the way down.
fn in_rows(text: &str) -> Vec<String> {
    let (mut lines, mut cells, mut begun) = (Vec::new(), Vec::new(), String::new());
    for part in text.split_inclusive([CELL, '\n']) {
        if let Some(said) = part.strip_suffix(CELL) {
            begun.push_str(said);
            cells.push(std::mem::take(&mut begun));
        } else if cells.last().is_some_and(|last| !last.is_empty()) {
            // A paragraph within a cell; after the end of a row it is one below the table.
            begun.push_str(part.trim_end_matches('\n'));
            begun.push(' ');
        } else {
            lines.extend(rows(&std::mem::take(&mut cells)));
            lines.push(part.trim_end_matches('\n').to_owned());
        }
    }
    lines.extend(rows(&cells));
    lines.extend(Some(begun).filter(|begun| !begun.is_empty()));
    lines
}

/// The rows of a table's cells, among which the ends of rows stand as empty ones; one row where they cannot be told.
fn rows(cells: &[String]) -> Vec<String> {
    let ends_rows = |width: &usize| cells.iter().skip(*width - 1).step_by(*width).all(String::is_empty);
    let width = (2..=cells.len()).find(|width| cells.len().is_multiple_of(*width) && ends_rows(width)).unwrap_or(cells.len().max(1));
    cells.chunks(width).map(|row| row.join("\t")).collect()
}

fn pieces(document: &[u8], table: &[u8]) -> Option<String> {
    let (start, length) = (usize_at(document, 0x01a2)?, usize_at(document, 0x01a6)?);
    let mut clx = table.get(start..start.checked_add(length)?)?;
    while clx.first() == Some(&1) {
        let size = usize::from(u16_at(clx, 1)?);
        clx = clx.get(3 + size..)?;
    }
    if clx.first() != Some(&2) {
        return None;
    }
    let plc = clx.get(5..5_usize.checked_add(usize_at(clx, 1)?)?)?;
    let count = plc.len().checked_sub(4)? / 12;
    let mut text = String::new();
    for piece in 0..count {
        let characters = usize_at(plc, (piece + 1) * 4)?.checked_sub(usize_at(plc, piece * 4)?)?;
        let position = usize_at(plc, (count + 1) * 4 + piece * 8 + 2)?;
        if position & 0x4000_0000 != 0 {
            let at = (position & 0x3fff_ffff) / 2;
            text.push_str(&ansi(document.get(at..at.checked_add(characters)?)?));
        } else {
            text.push_str(&utf16(document.get(position..position.checked_add(characters.checked_mul(2)?)?)?));
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::in_rows;

    #[test]
    fn rows_of_a_table_are_told_by_where_they_end() {
        let lines = in_rows("Lijst\nNaam\u{7}BSN\u{7}\u{7}A\u{7}1\u{7}\u{7}\u{7}2\u{7}\u{7}einde\nB\u{7}C\u{7}\u{7}");
        assert_eq!(lines, ["Lijst", "Naam\tBSN\t", "A\t1\t", "\t2\t", "einde", "B\tC\t"]);
        assert_eq!(in_rows("a\u{7}eerst\ndan\u{7}b\u{7}"), ["a\teerst dan\tb"]);
    }
}
