//! OLE compound files: xls, doc, ppt, msg, and encrypted office documents in their wrapper; and what is embedded in them.

mod book;
mod macros;
mod message;
mod pictures;
mod slides;
mod word;

use super::{Reader, sheet, text, xml};
use crate::parse::document::Unreadable;
use cfb::CompoundFile;
use std::io::{Cursor, Read, Write};
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
        return "office";
    }
    if has("/__properties_version1.0") {
        message::read(reader, &mut ole);
        return "msg";
    }
    let format = if has("/Workbook") || has("/Book") {
        sheet::read(reader, bytes, "xls");
        book::beside_cells(reader, &mut ole);
        "xls"
    } else if has("/WordDocument") {
        word::read(reader, &mut ole);
        "doc"
    } else if has("/PowerPoint Document") {
        slides::read(reader, &mut ole);
        "ppt"
    } else if has("/VBA/dir") {
        macros::read(reader, &mut ole, Path::new("/"));
        return "vba";
    } else if has("/Equation Native") {
        // A formula; its text stands in the document that it is drawn in.
        return "ole";
    } else {
        return package(reader, &mut ole);
    };
    properties(reader, &mut ole);
    embedded(reader, &mut ole);
    format
}

/// An object in its wrapper: a file with its name (MS-OLEDS 2.3.6), or the bytes of a document. What it is, its own bytes say.
fn package(reader: &mut Reader, ole: &mut Ole<'_>) -> &'static str {
    if let Some(content) = stream(ole, Path::new("/\u{1}Ole10Native")) {
        packaged(reader, &content);
        return "ole";
    }
    if let Some(content) = ["/Package", "/CONTENTS", "/package_stream"].iter().find_map(|name| stream(ole, Path::new(name))) {
        reader.member(1, None, &content);
        return "ole";
    }
    reader.fail(Unreadable::UnknownFormat);
    "unknown"
}

fn stream(ole: &mut Ole<'_>, path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    ole.open_stream(path).ok()?.take(super::MOST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Title, subject, author, comments and own properties (MS-OLEPS).
fn properties(reader: &mut Reader, ole: &mut Ole<'_>) {
    for name in ["/\u{5}SummaryInformation", "/\u{5}DocumentSummaryInformation"] {
        let said = stream(ole, Path::new(name)).unwrap_or_default();
        reader.lines("metadata", 1, text::runs(&said));
    }
}

/// Objects in storages of their own, each read like a member; XML data and the memory of pivot tables as words.
fn embedded(reader: &mut Reader, ole: &mut Ole<'_>) {
    let storages: Vec<PathBuf> = ole.walk().filter(|entry| entry.is_storage()).map(|entry| entry.path().to_owned()).collect();
    let mut number = 0;
    for storage in storages {
        let names: Vec<String> = storage.iter().skip(1).map(|name| name.to_string_lossy().into_owned()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        match names.as_slice() {
            ["_SX_DB_CUR" | "MsoDataStore", ..] => words(reader, ole, &storage),
            ["Macros" | "_VBA_PROJECT_CUR"] => macros::read(reader, ole, &storage),
            // What lies within them; and nothing lies in the folder of objects itself.
            ["Macros" | "_VBA_PROJECT_CUR", ..] | ["ObjectPool"] => {}
            [_] | ["ObjectPool", _] => {
                number += 1;
                match alone(ole, &storage) {
                    Some(file) => reader.member(number, None, &file),
                    None => reader.fail(Unreadable::Damaged),
                }
            }
            // The root, and what lies within an object that is read as a whole.
            _ => {}
        }
    }
}

fn streams_in(ole: &Ole<'_>, storage: &Path) -> Vec<PathBuf> {
    ole.walk_storage(storage)
        .map(|entries| entries.filter(|entry| entry.is_stream()).map(|entry| entry.path().to_owned()).collect())
        .unwrap_or_default()
}

fn words(reader: &mut Reader, ole: &mut Ole<'_>, storage: &Path) {
    for path in streams_in(ole, storage) {
        let content = stream(ole, &path).unwrap_or_default();
        match text::decode(&content).filter(|text| text.trim_start().starts_with('<')) {
            Some(text) => {
                xml::read(reader, &text);
            }
            None => reader.lines("text", 1, text::runs(&content)),
        }
    }
}

/// A storage as a compound file of its own.
fn alone(ole: &mut Ole<'_>, storage: &Path) -> Option<Vec<u8>> {
    let mut file = CompoundFile::create(Cursor::new(Vec::new())).ok()?;
    for path in streams_in(ole, storage) {
        let inner = Path::new("/").join(path.strip_prefix(storage).ok()?);
        file.create_storage_all(inner.parent()?).ok()?;
        let content = stream(ole, &path)?;
        file.create_stream(&inner).ok()?.write_all(&content).ok()?;
    }
    file.flush().ok()?;
    Some(file.into_inner().into_inner())
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

pub fn packaged(reader: &mut Reader, content: &[u8]) {
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
