//! What a PDF holds besides its pages: attached files, comments, form values and properties.
//!
//! The pages themselves are read by poppler (ISO 32000-1 says what is looked for here: 7.3.4 strings, 7.5.7 object streams, 7.11.4
//! embedded files). Objects are found by their marks and not through the cross-reference table, so that no damage hides one.

use super::{Reader, archive, html, text, xml};
use crate::extract::protocol::Tool;
use crate::parse::document::Unreadable;
use aho_corasick::AhoCorasick;
use memchr::memmem;
use std::io::Read;
use std::sync::LazyLock;

/// Where a PDF ends (ISO 32000-1, 7.5.5).
const END: &[u8] = b"%%EOF";

/// Hands the pages on and reads the rest.
pub fn read(reader: &mut Reader, bytes: &[u8]) {
    reader.task(Tool::Pdf { pictures: may_show_pictures(bytes) }, "page", bytes.to_vec());
    reader.lines("comment", 2, between_objects(bytes));
    if let Some(end) = memmem::rfind(bytes, END) {
        reader.appended(bytes.get(end + END.len()..).unwrap_or(&[]));
    }
    if has(bytes, b"/Encrypt") {
        // It may still open without a password: then poppler reads its pages and properties. What lies beside them is locked to this
        // reader, and there must be nothing.
        let beside = strings(bytes, BESIDE).len()
            + [b"/ObjStm".as_slice(), b"/EmbeddedFile", b"/XFA"].iter().filter(|mark| has(bytes, mark)).count();
        if beside > 0 {
            reader.fail(Unreadable::Encrypted);
        }
        return;
    }
    let mut words = strings(bytes, 0);
    let mut number = 0;
    for (dictionary, body) in streams(bytes) {
        let embedded = has(dictionary, b"/EmbeddedFile");
        if !embedded && (has(dictionary, b"/Image") || has(dictionary, b"/Length1") || has(dictionary, b"/XRef")) {
            continue;
        }
        let objects = has(dictionary, b"/ObjStm");
        if !embedded && !objects && !begins_as_xml(dictionary, body) {
            // Pages and what they are drawn with: poppler reads them.
            continue;
        }
        let Some(content) = unpacked(reader, dictionary, body) else { continue };
        if embedded {
            number += 1;
            reader.member(number, None, content.strip_suffix(b"\n").filter(|_| !archive::ends_as_zip(&content)).unwrap_or(&content));
        } else if objects {
            words.extend(strings(&content, 0));
        } else if let Some(text) = text::decode(&content) {
            forms(reader, &text);
        }
    }
    let lines = words.iter().flat_map(|words| words.split(['\n', '\r'])).map(str::to_owned).collect();
    reader.lines("comment", 1, lines);
}

/// Whether a page may show a picture: unless every stream says that it is none (a picture's dictionary names it, ISO 32000-1 8.9.5) and can
/// be looked through for those that are drawn inline (8.9.7).
fn may_show_pictures(bytes: &[u8]) -> bool {
    has(bytes, b"/Encrypt") || streams(bytes).any(|(dictionary, body)| may_be_picture(dictionary, body).unwrap_or(true))
}

/// `None` where nobody can say.
fn may_be_picture(dictionary: &[u8], body: &[u8]) -> Option<bool> {
    /// Names may be spelled with `#` (7.3.5); what is coded in another way, or foretold from its neighbours, shows nothing here.
    const HIDES: [&[u8]; 9] = [b"#", b"/Predictor", b"ASCII", b"/LZW", b"/RunLength", b"/Crypt", b"/CCITT", b"/JBIG2", b"/FFilter"];
    const ENOUGH: u64 = 4 * 1024 * 1024;
    if has(dictionary, b"/Image") {
        return Some(true);
    }
    if [b"/XRef".as_slice(), b"/ObjStm", b"/Length1"].iter().any(|kind| has(dictionary, kind)) {
        return Some(false);
    }
    memmem::find(dictionary, b" obj")?;
    if HIDES.iter().any(|hides| has(dictionary, hides)) {
        return None;
    }
    let mut content = Vec::new();
    if has(dictionary, b"/FlateDecode") {
        flate2::read::ZlibDecoder::new(body).take(ENOUGH).read_to_end(&mut content).ok()?;
    } else if has(dictionary, b"/Filter") {
        return None;
    } else {
        content.extend_from_slice(body);
    }
    let parted = |byte: Option<&u8>| byte.is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, 0 | b'/' | b']' | b')' | b'>'));
    let inline = memmem::find_iter(&content, b"BI")
        .any(|at| parted(at.checked_sub(1).and_then(|before| content.get(before))) && parted(content.get(at + 2)));
    (u64::try_from(content.len()).is_ok_and(|length| length < ENOUGH)).then_some(inline)
}

/// Every stream with what its dictionary says, found by its marks.
fn streams(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    memmem::find_iter(bytes, b"stream").filter_map(|start| {
        let before = bytes.get(..start)?;
        if before.ends_with(b"end") {
            return None;
        }
        let head = before.get(start.saturating_sub(1000)..)?;
        let dictionary = head.get(memmem::rfind(head, b" obj").unwrap_or(0)..)?;
        let rest = bytes.get(start + 6..)?;
        let body = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")).unwrap_or(rest);
        Some((dictionary, body.get(..memmem::find(body, b"endstream").unwrap_or(body.len()))?))
    })
}

/// Words outside of all objects, where no program looks; not the lines of the cross-reference table.
fn between_objects(bytes: &[u8]) -> Vec<String> {
    const LAST: &[u8] = b"endobj";
    let mut words = Vec::new();
    let mut rest = bytes;
    while let Some(start) = memmem::find(rest, b" obj") {
        words.extend(text::runs(rest.get(..start).unwrap_or(&[])));
        let object = rest.get(start..).unwrap_or(&[]);
        rest = memmem::find(object, LAST).and_then(|end| object.get(end + LAST.len()..)).unwrap_or(&[]);
    }
    words.extend(text::runs(rest));
    words.retain(|line| line.contains(|c: char| c.is_alphabetic() && !matches!(c, 'n' | 'f')));
    words
}

fn unpacked(reader: &mut Reader, dictionary: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    if has(dictionary, b"/FlateDecode") {
        reader.unpack(u64::try_from(body.len()).unwrap_or(u64::MAX), flate2::read::ZlibDecoder::new(body))
    } else if has(dictionary, b"/Filter") {
        reader.fail(Unreadable::UnknownFormat);
        None
    } else {
        Some(body.to_vec())
    }
}

/// The data of XFA forms and the XMP properties are XML.
fn begins_as_xml(dictionary: &[u8], body: &[u8]) -> bool {
    const ENOUGH: u64 = 64;
    let mut start = Vec::new();
    // A stream that breaks later begins all the same.
    let _ = if has(dictionary, b"/FlateDecode") {
        flate2::read::ZlibDecoder::new(body).take(ENOUGH).read_to_end(&mut start)
    } else {
        body.take(ENOUGH).read_to_end(&mut start)
    };
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start).trim_ascii_start();
    matches!(start, [b'<', b'?' | b'!' | b'a'..=b'z' | b'A'..=b'Z', ..])
}

/// XML, whole or in the pieces that XFA parts it into.
fn forms(reader: &mut Reader, text: &str) {
    if xml::is_whole(text) {
        xml::read(reader, text);
    } else {
        html::read(reader, text);
    }
}

fn has(bytes: &[u8], what: &[u8]) -> bool {
    memmem::find(bytes, what).is_some()
}

/// Keys whose strings say something: properties and bookmarks first, then comments, form values, attached files, links, scripts.
const KEYS: [&str; 17] = [
    "/Title",
    "/Author",
    "/Subject",
    "/Keywords",
    "/Contents",
    "/V",
    "/DV",
    "/UF",
    "/F",
    "/Names",
    "/Desc",
    "/RC",
    "/URI",
    "/JS",
    "/TU",
    "/Opt",
    "/Alt",
];
/// Where in the list the properties end.
const BESIDE: usize = 4;

static KEY: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(KEYS).ok());

/// The strings after the keys, from the given one on.
fn strings(bytes: &[u8], first: usize) -> Vec<String> {
    let mut found = Vec::new();
    let Some(keys) = KEY.as_ref() else { return found };
    for key in keys.find_overlapping_iter(bytes).filter(|key| key.pattern().as_usize() >= first) {
        let rest = bytes.get(key.end()..).unwrap_or(&[]).trim_ascii_start();
        let list = rest.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
        let string = match list.unwrap_or(rest) {
            [b'(', inside @ ..] => literal(inside),
            [b'<', inside @ ..] if inside.first() != Some(&b'<') => hexadecimal(inside),
            _ => continue,
        };
        if !string.is_empty() {
            let words = decoded(&string);
            let address = words.contains("://") || words.starts_with("mailto:");
            found.push(if address { html::words_of_address(&words) } else { words });
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
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => encoding_rs::WINDOWS_1252.decode_without_bom_handling(string).0.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_comments_and_fields_are_found() {
        let file = b"<</Type/Annot/Contents(BSN \\(zie\\) 1234\\065 6782)/V <FEFF0042> /Contents 4 0 R>>";
        assert_eq!(strings(file, 0), ["BSN (zie) 12345 6782", "B"]);
    }

    #[test]
    fn where_surely_no_picture_is_none_is_looked_for() {
        let page = |dictionary: &str, content: &[u8]| {
            let mut file = format!("%PDF-1.4\n4 0 obj\n<<{dictionary}>>\nstream\n").into_bytes();
            file.extend_from_slice(content);
            file.extend_from_slice(b"\nendstream\nendobj\n");
            file
        };
        let packed = |content: &[u8]| {
            let mut encoder = flate2::read::ZlibEncoder::new(content, flate2::Compression::default());
            let mut packed = Vec::new();
            encoder.read_to_end(&mut packed).unwrap();
            packed
        };
        let text = b"BT /F1 11 Tf (BINNEN en BI) Tj ET".as_slice();
        let inline = b"q 10 0 0 10 0 0 cm\nBI /W 1 /H 1 /BPC 8 ID x EI Q".as_slice();
        assert!(!may_show_pictures(&page("/Length 9", b"BT (BINNEN) Tj ET")));
        assert!(!may_show_pictures(&page("/Filter/FlateDecode", &packed(b"BT (BINNEN) Tj ET"))));
        for may in [
            page("/Length 9", text),
            page("/Length 9", inline),
            page("/Filter/FlateDecode", &packed(inline)),
            page("/Filter/FlateDecode", packed(b"BT ET").get(..4).unwrap()),
            page("/Filter[/ASCII85Decode/FlateDecode]", &packed(b"BT ET")),
            page("/Subtype/Image/Width 2000", b""),
            page("/Subtype/Im#61ge/Width 2000", b""),
            [page("/Length 9", b"BT ET"), b"<</Encrypt 5 0 R>>".to_vec()].concat(),
        ] {
            assert!(may_show_pictures(&may), "{}", String::from_utf8_lossy(&may));
        }
    }
}
