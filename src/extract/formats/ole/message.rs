//! Outlook messages (MS-OXMSG).

use super::{Ole, ansi, stream, usize_at, utf16};
use crate::extract::formats::{Reader, html, rtf, text};
use crate::parse::document::Unreadable;
use memchr::memmem;
use std::path::{Path, PathBuf};

/// Reads a message.
pub fn read(reader: &mut Reader, ole: &mut Ole<'_>) {
    message(reader, ole, Path::new("/"));
}

/// Texts that mailers write for mailers: ids, routes and the header as it was sent, whose fields are properties too.
const OF_MAILERS: [&str; 8] = ["007D", "1035", "1039", "1042", "1046", "3FFA", "001A", "370E"];
/// Bodies, which are read as such.
const BODIES: [&str; 2] = ["1000", "1013"];

/// Subject, names, bodies, whatever else is text, and attachments, which may be messages again.
fn message(reader: &mut Reader, ole: &mut Ole<'_>, storage: &Path) {
    let entries: Vec<(String, PathBuf, bool)> = match ole.read_storage(storage) {
        Ok(entries) => entries.map(|entry| (entry.name().to_owned(), entry.path().to_owned(), entry.is_storage())).collect(),
        Err(_) => return reader.fail(Unreadable::Damaged),
    };
    if !are_listed(ole, storage, &entries) {
        // The list or its texts are somebody else's bytes: what else stands in them, no reader can tell.
        reader.fail(Unreadable::Damaged);
    }
    let mut header = texts(ole, &entries);
    for (_, recipient, _) in entries.iter().filter(|(name, _, is_storage)| *is_storage && name.starts_with("__recip")) {
        let entries: Vec<(String, PathBuf, bool)> = ole
            .read_storage(recipient)
            .map(|entries| entries.map(|entry| (entry.name().to_owned(), entry.path().to_owned(), false)).collect())
            .unwrap_or_default();
        header.extend(texts(ole, &entries));
    }
    reader.lines("header", 1, header);
    bodies(reader, ole, storage);
    let attachments = entries.into_iter().filter(|(name, _, is_storage)| *is_storage && name.starts_with("__attach"));
    for ((_, attachment, _), number) in attachments.zip(1..) {
        attached(reader, ole, &attachment, number);
    }
}

/// Whether the list of properties (MS-OXMSG 2.4) knows at least one of those that have a stream of their own: tags stand in it type first, little-endian.
fn are_listed(ole: &mut Ole<'_>, storage: &Path, entries: &[(String, PathBuf, bool)]) -> bool {
    let list = stream(ole, &storage.join("__properties_version1.0")).unwrap_or_default();
    let mut tags =
        entries.iter().filter_map(|(name, ..)| u32::from_str_radix(name.strip_prefix("__substg1.0_")?.get(..8)?, 16).ok()).peekable();
    tags.peek().is_none() || tags.any(|tag| memmem::find(&list, &tag.to_le_bytes()).is_some())
}

/// Every property that is text (MS-OXMSG 2.1.3: its id and type stand in the stream's name), by the stream names.
fn texts(ole: &mut Ole<'_>, entries: &[(String, PathBuf, bool)]) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, path, _) in entries {
        let Some((id, kind)) = name.strip_prefix("__substg1.0_").and_then(|tag| tag.split_at_checked(4)) else { continue };
        if BODIES.contains(&id) || OF_MAILERS.contains(&id) {
            continue;
        }
        // Types 001F and 001E, one value or, with 1000 more, several in streams of their own.
        let text = match kind.get(..4) {
            Some("001F" | "101F") => stream(ole, path).map(|bytes| utf16(&bytes)),
            Some("001E" | "101E") => stream(ole, path).map(|bytes| eight_bit(&bytes)),
            _ => None,
        };
        lines.extend(text.iter().flat_map(|text| text.lines()).map(|line| line.trim_end_matches('\0').to_owned()));
    }
    lines
}

/// Text in the sender's code page.
fn eight_bit(bytes: &[u8]) -> String {
    text::decode(bytes).unwrap_or_else(|| ansi(bytes))
}

fn property(ole: &mut Ole<'_>, storage: &Path, id: &str) -> Option<String> {
    let name = |kind: &str| storage.join(format!("__substg1.0_{id}{kind}"));
    stream(ole, &name("001F")).map(|bytes| utf16(&bytes)).or_else(|| stream(ole, &name("001E")).map(|bytes| eight_bit(&bytes)))
}

fn bodies(reader: &mut Reader, ole: &mut Ole<'_>, storage: &Path) {
    if let Some(body) = property(ole, storage, "1000") {
        reader.lines("text", 1, body.lines().map(str::to_owned).collect());
    }
    let page = stream(ole, &storage.join("__substg1.0_10130102")).map(|bytes| eight_bit(&bytes)).or_else(|| property(ole, storage, "1013"));
    if let Some(page) = page {
        html::read(reader, &page);
    }
    if let Some(packed) = stream(ole, &storage.join("__substg1.0_10090102")) {
        match unpack_rtf(&packed) {
            Some(rich) => rtf::read(reader, &rich),
            None => reader.fail(Unreadable::Damaged),
        }
    }
}

fn attached(reader: &mut Reader, ole: &mut Ole<'_>, attachment: &Path, number: u32) {
    let name = property(ole, attachment, "3707").or_else(|| property(ole, attachment, "3704"));
    let inner = attachment.join("__substg1.0_3701000D");
    if !ole.is_storage(&inner) {
        return match stream(ole, &attachment.join("__substg1.0_37010102")) {
            Some(bytes) => reader.member(number, name.as_deref(), &bytes),
            // It lies on some server, and only a link to it came along.
            None => reader.fail(Unreadable::UnknownFormat),
        };
    }
    if ole.exists(inner.join("__properties_version1.0")) {
        if reader.enter(number).is_some() {
            message(reader, ole, &inner);
            reader.path.pop();
        }
    } else {
        match super::alone(ole, &inner) {
            Some(file) => reader.member(number, name.as_deref(), &file),
            None => reader.fail(Unreadable::Damaged),
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
