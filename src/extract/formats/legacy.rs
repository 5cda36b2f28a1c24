//! OLE compound files: xls, doc, ppt, msg, and encrypted office documents in their wrapper.

use super::{Reader, rtf, sheet};
use crate::parse::document::Unreadable;
use cfb::CompoundFile;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

type Ole<'a> = CompoundFile<Cursor<&'a [u8]>>;

/// Reads a compound file; says what it is.
pub fn read(reader: &mut Reader, bytes: &[u8]) -> &'static str {
    let Ok(mut ole) = CompoundFile::open(Cursor::new(bytes)) else {
        reader.fail(Unreadable::Damaged);
        return "unknown";
    };
    let has = |path: &str| ole.is_stream(path);
    if has("/EncryptedPackage") || has("/EncryptionInfo") {
        reader.fail(Unreadable::Encrypted);
        "office"
    } else if has("/Workbook") || has("/Book") {
        sheet::read(reader, bytes, "xls");
        "xls"
    } else if has("/WordDocument") {
        word(reader, &mut ole);
        "doc"
    } else if has("/PowerPoint Document") {
        powerpoint(reader, &mut ole);
        "ppt"
    } else if has("/__properties_version1.0") {
        message(reader, &mut ole, Path::new("/"));
        "msg"
    } else if has("/Equation Native") {
        // A formula; its text stands in the document that it is drawn in.
        "ole"
    } else if let Some(content) = stream(&mut ole, Path::new("/\u{1}Ole10Native")) {
        // MS-OLEDS 2.3.6: a length, then a package whose file follows its names. What it is, its own bytes say.
        packaged(reader, &content);
        "ole"
    } else {
        reader.fail(Unreadable::UnknownFormat);
        "unknown"
    }
}

fn stream(ole: &mut Ole<'_>, path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    ole.open_stream(path).ok()?.take(super::MOST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

fn usize_at(bytes: &[u8], at: usize) -> Option<usize> {
    let four: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(four)).ok()
}

fn utf16(bytes: &[u8]) -> String {
    encoding_rs::UTF_16LE.decode_without_bom_handling(bytes).0.into_owned()
}

fn ansi(bytes: &[u8]) -> String {
    encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
}

/// A Word document: the pieces of its text (MS-DOC 2.4.1), footnotes, headers and comments among them.
fn word(reader: &mut Reader, ole: &mut Ole<'_>) {
    let Some(document) = stream(ole, Path::new("/WordDocument")) else { return reader.fail(Unreadable::Damaged) };
    let flags = u16_at(&document, 0x0a).unwrap_or(0);
    if flags & 0x0100 != 0 {
        return reader.fail(Unreadable::Encrypted);
    }
    let table = stream(ole, Path::new(if flags & 0x0200 != 0 { "/1Table" } else { "/0Table" })).unwrap_or_default();
    match pieces(&document, &table) {
        Some(text) => {
            // Cells end with 7, paragraphs with 13, lines with 11; fields keep their instructions between 19 and 20.
            let text = text.replace(['\r', '\u{b}', '\u{c}'], "\n").replace('\u{7}', "\t");
            reader.lines("text", 1, text.lines().map(str::to_owned).collect());
        }
        None => reader.fail(Unreadable::Damaged),
    }
    let data = stream(ole, Path::new("/Data")).unwrap_or_default();
    carve(reader, &data);
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

/// A presentation: its text atoms (MS-PPT 2.9.40), notes among them, and its pictures.
fn powerpoint(reader: &mut Reader, ole: &mut Ole<'_>) {
    let Some(document) = stream(ole, Path::new("/PowerPoint Document")) else { return reader.fail(Unreadable::Damaged) };
    let (mut lines, mut at) = (Vec::new(), 0);
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
            _ => {}
        }
        at += length;
    }
    reader.lines("text", 1, lines);
    let pictures = stream(ole, Path::new("/Pictures")).unwrap_or_default();
    carve(reader, &pictures);
}

/// PNG and JPEG files inside other bytes.
fn carve(reader: &mut Reader, bytes: &[u8]) {
    let mut number = 0;
    let mut rest = bytes;
    while let Some(at) = rest.windows(8).position(|window| window == b"\x89PNG\r\n\x1a\n" || window.starts_with(b"\xff\xd8\xff")) {
        let Some(found) = rest.get(at..) else { return };
        let end: &[u8] = if found.starts_with(b"\x89PNG") { b"IEND" } else { b"\xff\xd9" };
        let length =
            found.windows(end.len()).position(|window| window == end).map_or(found.len(), |at| (at + end.len() + 4).min(found.len()));
        number += 1;
        if let Some(picture) = found.get(..length) {
            reader.member(number, None, picture);
        }
        rest = found.get(length..).unwrap_or(&[]);
    }
}

/// An Outlook message (MS-OXMSG): subject, names, bodies and attachments, which may be messages again.
fn message(reader: &mut Reader, ole: &mut Ole<'_>, storage: &Path) {
    let property = |ole: &mut Ole<'_>, storage: &Path, id: &str| -> Option<String> {
        let name = |kind: &str| storage.join(format!("__substg1.0_{id}{kind}"));
        stream(ole, &name("001F")).map(|bytes| utf16(&bytes)).or_else(|| stream(ole, &name("001E")).map(|bytes| ansi(&bytes)))
    };
    let header = ["0037", "0C1A", "0042", "0E04", "0E03", "0E02"].iter().filter_map(|id| property(ole, storage, id)).collect();
    reader.lines("header", 1, header);
    if let Some(body) = property(ole, storage, "1000") {
        reader.lines("text", 1, body.lines().map(str::to_owned).collect());
    }
    let html = stream(ole, &storage.join("__substg1.0_10130102"))
        .map(|bytes| super::text::decode(&bytes).unwrap_or_else(|| ansi(&bytes)))
        .or_else(|| property(ole, storage, "1013"));
    if let Some(html) = html {
        super::html::read(reader, &html);
    }
    if let Some(packed) = stream(ole, &storage.join("__substg1.0_10090102")) {
        match unpack_rtf(&packed) {
            Some(rich) => reader.lines("text", 2, rtf::text(&rich).lines().map(str::to_owned).collect()),
            None => reader.fail(Unreadable::Damaged),
        }
    }
    let attachments: Vec<PathBuf> = match ole.read_storage(storage) {
        Ok(entries) => entries
            .filter(|entry| entry.is_storage() && entry.name().starts_with("__attach"))
            .map(|entry| entry.path().to_owned())
            .collect(),
        Err(_) => return reader.fail(Unreadable::Damaged),
    };
    for (attachment, number) in attachments.into_iter().zip(1..) {
        let name = property(ole, &attachment, "3707").or_else(|| property(ole, &attachment, "3704"));
        let inner = attachment.join("__substg1.0_3701000D");
        if ole.is_storage(&inner) {
            if reader.enter(number).is_some() {
                if ole.exists(inner.join("__properties_version1.0")) {
                    message(reader, ole, &inner);
                } else {
                    reader.fail(Unreadable::UnknownFormat);
                }
                reader.path.pop();
            }
        } else {
            match stream(ole, &attachment.join("__substg1.0_37010102")) {
                Some(bytes) => reader.member(number, name.as_deref(), &bytes),
                None => reader.fail(Unreadable::UnknownFormat),
            }
        }
    }
}

/// Compressed rich text (MS-OXRTFCP): an LZ77 with a dictionary that begins with common words of RTF.
fn unpack_rtf(packed: &[u8]) -> Option<Vec<u8>> {
    const START: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
    let raw = usize_at(packed, 4)?;
    let content = packed.get(16..)?;
    if packed.get(8..12)? == b"MELA" {
        return content.get(..raw.min(content.len())).map(<[u8]>::to_vec);
    }
    if packed.get(8..12)? != b"LZFu" {
        return None;
    }
    let mut dictionary = vec![b' '; 4096];
    for (slot, byte) in dictionary.iter_mut().zip(START) {
        *slot = *byte;
    }
    let mut at = START.len();
    let mut out = Vec::new();
    let mut bytes = content.iter();
    'runs: while let Some(control) = bytes.next() {
        for bit in 0..8 {
            let mut put = |byte: u8, out: &mut Vec<u8>, dictionary: &mut Vec<u8>| {
                out.push(byte);
                if let Some(slot) = dictionary.get_mut(at) {
                    *slot = byte;
                }
                at = (at + 1) % 4096;
            };
            if control >> bit & 1 == 0 {
                let Some(byte) = bytes.next() else { break 'runs };
                put(*byte, &mut out, &mut dictionary);
                continue;
            }
            let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else { break 'runs };
            let token = usize::from(*high) << 8 | usize::from(*low);
            let (offset, length) = (token >> 4, (token & 0xf) + 2);
            if offset == out_position(&out, START.len()) {
                break 'runs;
            }
            for step in 0..length {
                let byte = dictionary.get((offset + step) % 4096).copied()?;
                put(byte, &mut out, &mut dictionary);
            }
        }
        if out.len() > 64 * 1024 * 1024 {
            return None;
        }
    }
    Some(out)
}

/// Where the next byte goes in the dictionary: a reference to it ends the text.
fn out_position(out: &[u8], start: usize) -> usize {
    (start + out.len()) % 4096
}

fn packaged(reader: &mut Reader, content: &[u8]) {
    // Length, type, label\0, path\0, 8 bytes, path length and path, then the file's own length and bytes.
    let body = content.get(6..).unwrap_or(&[]);
    let mut fields = body.splitn(3, |byte| *byte == 0);
    let label = fields.next().map(ansi);
    let file = fields.nth(1).and_then(|rest| {
        let path = usize_at(rest, 4)?;
        let size = usize_at(rest, 8 + path)?;
        rest.get(12 + path..12 + path + size)
    });
    match file {
        Some(file) => reader.member(1, label.as_deref(), file),
        None => reader.fail(Unreadable::UnknownFormat),
    }
}
