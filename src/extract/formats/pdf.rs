//! What a PDF holds besides its pages: attached files, comments, form values and properties.
//!
//! The pages themselves are read by poppler (ISO 32000-1 says what is looked for here: 7.3.4 strings, 7.5.7 object streams, 7.11.4
//! embedded files). Objects are found by their marks and not through the cross-reference table, so that no damage hides one.

use super::{Reader, archive};
use crate::extract::protocol::Tool;
use crate::parse::document::Unreadable;

/// Hands the pages on and reads the rest.
pub fn read(reader: &mut Reader, bytes: &[u8]) {
    reader.task(Tool::Pdf, "page", bytes.to_vec());
    let mut words = strings(bytes);
    let mut number = 0;
    let mut rest = bytes;
    let mut before = 0;
    while let Some(at) = position(rest, b"stream") {
        let start = before + at;
        rest = rest.get(at + 6..).unwrap_or(&[]);
        before = start + 6;
        if bytes.get(..start).is_some_and(|head| head.ends_with(b"end")) {
            continue;
        }
        let head = bytes.get(start.saturating_sub(1000)..start).unwrap_or(&[]);
        let dictionary = head.get(last(head, b" obj").unwrap_or(0)..).unwrap_or(head);
        let (embedded, objects) = (position(dictionary, b"/EmbeddedFile").is_some(), position(dictionary, b"/ObjStm").is_some());
        if !embedded && !objects {
            continue;
        }
        let body = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")).unwrap_or(rest);
        let body = body.get(..position(body, b"endstream").unwrap_or(body.len())).unwrap_or(body);
        let packed = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let content = if position(dictionary, b"/FlateDecode").is_some() {
            reader.unpack(packed, flate2::read::ZlibDecoder::new(body))
        } else if position(dictionary, b"/Filter").is_some() {
            reader.fail(Unreadable::UnknownFormat);
            None
        } else {
            Some(body.to_vec())
        };
        let Some(content) = content else { continue };
        if embedded {
            number += 1;
            reader.member(number, None, content.strip_suffix(b"\n").filter(|_| !archive::ends_as_zip(&content)).unwrap_or(&content));
        } else {
            words.extend(strings(&content));
        }
    }
    reader.lines("comment", 1, words);
}

fn position(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn last(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).rposition(|window| window == what)
}

/// The strings after the keys of comments, form values, names of attached files and properties.
fn strings(bytes: &[u8]) -> Vec<String> {
    const KEYS: [&[u8]; 9] = [b"/Contents", b"/V", b"/UF", b"/Title", b"/Author", b"/Subject", b"/Keywords", b"/Desc", b"/RC"];
    let mut found = Vec::new();
    for key in KEYS {
        let mut rest = bytes;
        while let Some(at) = position(rest, key) {
            rest = rest.get(at + key.len()..).unwrap_or(&[]);
            let value = rest.trim_ascii_start();
            let string = match value {
                [b'(', inside @ ..] => Some(literal(inside)),
                [b'<', inside @ ..] if inside.first() != Some(&b'<') => Some(hexadecimal(inside)),
                _ => None,
            };
            if let Some(string) = string.filter(|string| !string.is_empty()) {
                found.push(decoded(&string));
            }
        }
    }
    found
}

/// A string in brackets, which may nest, with its escapes.
fn literal(inside: &[u8]) -> Vec<u8> {
    const LONGEST: usize = 100_000;
    let (mut out, mut depth) = (Vec::new(), 0);
    let mut bytes = inside.iter().take(LONGEST).peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 0 => break,
            b')' => depth -= 1,
            b'\\' => {
                match bytes.next() {
                    Some(b'n' | b'r') => out.push(b'\n'),
                    Some(b't') => out.push(b'\t'),
                    Some(digit @ b'0'..=b'7') => {
                        let mut code = u32::from(digit - b'0');
                        for _ in 0..2 {
                            if let Some(digit @ b'0'..=b'7') = bytes.peek() {
                                code = code * 8 + u32::from(*digit - b'0');
                                bytes.next();
                            }
                        }
                        out.push(u8::try_from(code & 0xff).unwrap_or(0));
                    }
                    Some(b'\n' | b'\r') | None => {}
                    Some(other) => out.push(*other),
                }
                continue;
            }
            _ => {}
        }
        out.push(*byte);
    }
    out
}

fn hexadecimal(inside: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = inside
        .iter()
        .take_while(|byte| **byte != b'>')
        .filter_map(|byte| char::from(*byte).to_digit(16))
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}

fn decoded(string: &[u8]) -> String {
    match string {
        [0xfe, 0xff, rest @ ..] => encoding_rs::UTF_16BE.decode_without_bom_handling(rest).0.into_owned(),
        _ => encoding_rs::WINDOWS_1252.decode_without_bom_handling(string).0.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_comments_and_fields_are_found() {
        let file = b"<</Type/Annot/Contents(BSN \\(zie\\) 1234\\065 6782)/V <FEFF0042> /Contents 4 0 R>>";
        assert_eq!(strings(file), ["BSN (zie) 12345 6782", "B"]);
    }
}
