//! PowerPoint 97 to 2003 (MS-PPT).

use super::{Ole, ansi, pictures, stream, u16_at, usize_at, utf16};
use crate::extract::formats::{Reader, text};
use crate::parse::document::Unreadable;
use flate2::read::ZlibDecoder;
use std::path::Path;

/// A presentation: its text atoms (MS-PPT 2.9.40), notes among them, and its pictures.
pub fn read(reader: &mut Reader, ole: &mut Ole<'_>) {
    let Some(document) = stream(ole, Path::new("/PowerPoint Document")) else { return reader.fail(Unreadable::Damaged) };
    let (mut lines, mut objects, mut at) = (Vec::new(), Vec::new(), 0);
    while let (Some(version), Some(kind), Some(length)) = (u16_at(&document, at), u16_at(&document, at + 2), usize_at(&document, at + 4)) {
        at += 8;
        // A container's records follow inside it.
        if version & 0xf == 0xf {
            continue;
        }
        let Some(content) = at.checked_add(length).and_then(|end| document.get(at..end)) else {
            reader.fail(Unreadable::Damaged);
            break;
        };
        match kind {
            0x0fa0 | 0x0fba => lines.extend(utf16(content).split('\r').map(str::to_owned)),
            0x0fa8 => lines.extend(ansi(content).split('\r').map(str::to_owned)),
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
