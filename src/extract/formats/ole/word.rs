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
        Some(text) => {
            // Cells end with 7, paragraphs with 13, lines with 11; fields keep their instructions between 19 and 20.
            let text = text
                .replace(['\r', '\u{b}', '\u{c}'], "\n")
                .replace('\u{7}', "\t")
                .replace('\u{1e}', "-")
                .replace(['\u{13}', '\u{14}', '\u{15}'], " ");
            reader.lines("text", 1, text.lines().map(str::to_owned).collect());
        }
        None => reader.fail(Unreadable::Damaged),
    }
    // Descriptions of pictures, variables and the like.
    reader.lines("metadata", 2, text::runs(&table));
    let data = stream(ole, Path::new("/Data")).unwrap_or_default();
    pictures::read(reader, &data);
    pictures::read(reader, &document);
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
