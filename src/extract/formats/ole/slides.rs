//! PowerPoint 97 to 2003 (MS-PPT).

use super::{Ole, ansi, pictures, stream, u16_at, usize_at, utf16};
use crate::extract::formats::{Reader, text};
use crate::parse::document::Unreadable;
use flate2::read::ZlibDecoder;
use std::collections::BTreeSet;
use std::path::Path;

/// A group of shapes: the cells of a table are one, each at its place within it (MS-ODRAW 2.2.16, 2.2.39).
#[derive(Default)]
struct Grouped {
    end: usize,
    /// Top and left of the shape that is being read.
    place: Option<(i32, i32)>,
    /// Top, left and text.
    cells: Vec<(i32, i32, String)>,
}

impl Grouped {
    /// Rows by what stands at one height, and columns by what begins at one place; `None` when it is no table.
    fn table(self) -> Option<Vec<Vec<String>>> {
        let tops: BTreeSet<i32> = self.cells.iter().map(|(top, _, _)| *top).collect();
        let lefts: BTreeSet<i32> = self.cells.iter().map(|(_, left, _)| *left).collect();
        let a_table = tops.len() > 1 && lefts.len() > 1 && self.cells.len() * 2 > tops.len() * lefts.len();
        let cell = |at: (i32, i32)| {
            let words = self.cells.iter().filter(|(top, left, _)| (*top, *left) == at).map(|(_, _, words)| words.as_str());
            words.collect::<Vec<_>>().join(" ")
        };
        a_table.then(|| tops.iter().map(|top| lefts.iter().map(|left| cell((*top, *left))).collect()).collect())
    }
}

/// A presentation: its text atoms (MS-PPT 2.9.40), notes among them, and its pictures.
pub fn read(reader: &mut Reader, ole: &mut Ole<'_>) {
    let Some(document) = stream(ole, Path::new("/PowerPoint Document")) else { return reader.fail(Unreadable::Damaged) };
    let (mut lines, mut objects, mut at) = (Vec::new(), Vec::new(), 0);
    let (mut groups, mut tables): (Vec<Grouped>, Vec<Grouped>) = (Vec::new(), Vec::new());
    while let (Some(version), Some(kind), Some(length)) = (u16_at(&document, at), u16_at(&document, at + 2), usize_at(&document, at + 4)) {
        at += 8;
        while let Some(ended) = groups.pop_if(|group| group.end < at) {
            tables.push(ended);
        }
        // A container's records follow inside it.
        if version & 0xf == 0xf {
            match kind {
                0xf003 => groups.push(Grouped { end: at.saturating_add(length), ..Grouped::default() }),
                0xf004 => groups.last_mut().into_iter().for_each(|group| group.place = None),
                _ => {}
            }
            continue;
        }
        let Some(content) = at.checked_add(length).and_then(|end| document.get(at..end)) else {
            reader.fail(Unreadable::Damaged);
            break;
        };
        match kind {
            0x0fa0 | 0x0fba | 0x0fa8 => {
                let words = if kind == 0x0fa8 { ansi(content) } else { utf16(content) };
                if let Some((group, (top, left))) = groups.last_mut().and_then(|group| group.place.map(|place| (group, place))) {
                    group.cells.push((top, left, words.replace('\r', " ")));
                }
                lines.extend(words.split('\r').map(str::to_owned));
            }
            0xf00f => groups.last_mut().into_iter().for_each(|group| group.place = i32_at(content, 4).zip(i32_at(content, 0))),
            0x2f14 => reader.fail(Unreadable::Encrypted),
            // MS-PPT 2.10.34: an embedded object, mostly compressed behind its length.
            0x1011 => objects.push((version >> 4 == 1, content)),
            // MS-ODRAW 2.3.2: descriptions among the properties of shapes.
            0xf00b | 0xf122 => lines.extend(text::runs(content)),
            _ => {}
        }
        at += length;
    }
    reader.lines("text", 1, lines);
    for (table, number) in tables.into_iter().chain(groups).filter_map(Grouped::table).zip(1..) {
        reader.table("table", number, table);
    }
    for ((packed, content), number) in objects.into_iter().zip(1..) {
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        let object = if packed { reader.unpack(size, ZlibDecoder::new(content.get(4..).unwrap_or(&[]))) } else { Some(content.to_vec()) };
        if let Some(object) = object {
            reader.member(number, None, &object);
        }
    }
    let content = stream(ole, Path::new("/Pictures")).unwrap_or_default();
    pictures::read(reader, &content);
}

fn i32_at(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::Grouped;

    #[test]
    fn shapes_in_rows_and_columns_are_a_table() {
        let cell = |top, left, words: &str| (top, left, words.to_owned());
        let grouped = |cells| Grouped { cells, ..Grouped::default() };
        // In any order, and with a cell missing.
        let table = grouped(vec![cell(20, 0, "A"), cell(0, 0, "Naam"), cell(0, 50, "BSN")]).table();
        assert_eq!(table.unwrap(), [["Naam", "BSN"], ["A", ""]]);
        assert!(grouped(vec![cell(0, 0, "a"), cell(10, 0, "b"), cell(20, 0, "c")]).table().is_none());
        assert!(grouped(vec![cell(0, 0, "a"), cell(10, 20, "b"), cell(20, 40, "c")]).table().is_none());
    }
}
