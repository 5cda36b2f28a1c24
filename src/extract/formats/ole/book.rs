//! What an Excel 97 to 2003 workbook says beside its cells (MS-XLS): comments, text boxes, headers, links, rules, pictures.

use super::{Ole, pictures, stream, u16_at};
use crate::extract::formats::{Reader, text};
use crate::parse::document::Unreadable;
use std::path::Path;

/// Goes through the records of the workbook's stream.
pub fn beside_cells(reader: &mut Reader, ole: &mut Ole<'_>) {
    let Some(book) = stream(ole, Path::new("/Workbook")).or_else(|| stream(ole, Path::new("/Book"))) else { return };
    let (mut lines, mut drawings, mut at, mut before) = (Vec::new(), Vec::new(), 0, 0);
    while let (Some(kind), Some(length)) = (u16_at(&book, at), u16_at(&book, at + 2)) {
        let end = at + 4 + usize::from(length);
        let Some(content) = book.get(at + 4..end).filter(|_| is_record(kind)) else { return reader.fail(Unreadable::Damaged) };
        // A record that is too long goes on in others.
        let kind = if kind == CONTINUE { before } else { kind };
        match kind {
            DRAWINGS => drawings.extend_from_slice(content),
            kind if SAYS.contains(&kind) => lines.extend(text::runs(content)),
            _ => {}
        }
        (at, before) = (end, kind);
    }
    reader.lines("comment", 1, lines);
    pictures::read(reader, &drawings);
}

/// The numbers that records have (MS-XLS 2.3.2); anything else is a stream that has come apart.
fn is_record(kind: u16) -> bool {
    matches!(kind, 0..=0x04ff | 0x0800..=0x08ff | 0x1000..=0x10ff)
}

const CONTINUE: u16 = 0x003c;
const DRAWINGS: u16 = 0x00eb;
/// Header, Footer, ExternCount's cells, Note, Lbl, CRN, MsoDrawing, TxO, HLink, Dv, its tooltip, SeriesText, HeaderFooter.
const SAYS: [u16; 12] = [0x0014, 0x0015, 0x001c, 0x0018, 0x005a, 0x00ec, 0x01b6, 0x01b8, 0x01be, 0x0800, 0x100d, 0x089c];
