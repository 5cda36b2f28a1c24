//! Text files: bytes of any encoding become lines, and the text formats are told apart.

use super::{Hint, Reader, card, csv, html, mail, sql, xml};
use crate::parse::document::Unreadable;
use crate::parse::{carried, json, uuencode};
use encoding_rs::{MACINTOSH, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use mail_parser::Charset;

/// Decodes text by its byte order mark, by the zero bytes of UTF-16 and UTF-32, as UTF-8, and else as the single-byte encoding that
/// makes words of it, unless it says itself which that is. `None` for what is no text.
pub fn decode(bytes: &[u8]) -> Option<String> {
    decode_as(None, bytes)
}

/// The charset that a label names; none for those whose bytes show themselves, and for the one that most labels name by default.
pub fn charset(label: &str) -> Option<Charset> {
    use Charset::{Replacement, Utf8, Utf16, Utf16Be, Utf16Le, Windows1252, XUserDefined};
    let label = label.trim_start_matches(['"', '\'', ' ']).split(['"', '\'', ' ', ';', '>', '?']).next()?;
    let charset = Charset::from_label(label.as_bytes())?;
    (!matches!(charset, Utf8 | Utf16 | Utf16Le | Utf16Be | Windows1252 | XUserDefined | Replacement)).then_some(charset)
}

/// What a page or XML says of itself in its first bytes.
fn named_within(bytes: &[u8]) -> Option<Charset> {
    let start = String::from_utf8_lossy(bytes.get(..bytes.len().min(1024))?).to_ascii_lowercase();
    let (_, label) =
        start.trim_start().starts_with('<').then(|| start.split_once("charset=").or_else(|| start.split_once("encoding=")))??;
    charset(label)
}

/// The same, where a header names a charset.
pub fn decode_as(label: Option<Charset>, bytes: &[u8]) -> Option<String> {
    let label = label.or_else(|| named_within(bytes));
    let text = match bytes {
        [0xff, 0xfe, 0, 0, rest @ ..] => utf32(rest, u32::from_le_bytes)?,
        [0, 0, 0xfe, 0xff, rest @ ..] => utf32(rest, u32::from_be_bytes)?,
        [0xef, 0xbb, 0xbf, rest @ ..] => UTF_8.decode_without_bom_handling(rest).0.into_owned(),
        [0xff, 0xfe, rest @ ..] => UTF_16LE.decode_without_bom_handling(rest).0.into_owned(),
        [0xfe, 0xff, rest @ ..] => UTF_16BE.decode_without_bom_handling(rest).0.into_owned(),
        _ => without_mark(label, bytes),
    };
    let odd = text.chars().filter(|c| c.is_control() && !matches!(c, '\t' | '\r' | '\n' | '\u{c}' | '\u{b}' | '\u{1b}' | '\u{1a}')).count();
    let broken = text.chars().filter(|c| *c == '\u{fffd}').count();
    let length = text.chars().count();
    // Bytes of which most are no ASCII, and nobody says why, are no text of a language here in any charset that we know: EBCDIC has its digits there.
    let strange =
        label.is_none() && std::str::from_utf8(bytes).is_err() && bytes.iter().filter(|byte| byte.is_ascii()).count() * 2 < bytes.len();
    if strange && text.chars().count() == bytes.len() {
        return None;
    }
    // A stray control character is a fault of some export; more of them are a binary file.
    (odd * 200 <= length && broken * 20 <= length && !lost_step(&text)).then_some(text)
}

/// Whether text in two or four bytes a character lost its step, as where a byte went or a program appended text in one byte a character: behind
/// that place two letters of ASCII, or one and a zero, make a character of the far East. Real ones have such bytes one time in four.
fn lost_step(text: &str) -> bool {
    let ascii = |byte: u32| matches!(byte, 0x20..0x7f | 0x09 | 0x0a | 0x0d);
    let far: Vec<u32> = text.chars().map(u32::from).filter(|c| matches!(c, 0x0900..0x2000 | 0x2e00..0xd800)).collect();
    let out_of_step = far.iter().filter(|c| ascii(**c >> 8) && (**c & 0xff == 0 || ascii(**c & 0xff))).count();
    out_of_step >= 4 && out_of_step * 5 > far.len() * 4
}

fn without_mark(label: Option<Charset>, bytes: &[u8]) -> String {
    let start = bytes.get(..bytes.len().min(4096)).unwrap_or(bytes);
    let zeroes = |from: usize, step: usize| start.iter().skip(from).step_by(step).filter(|byte| **byte == 0).count();
    let (pairs, fours) = (start.len() / 2, start.len() / 4);
    let wide = |from: usize| fours >= 2 && zeroes(from, 4) == fours && zeroes(from + 1, 4) == fours;
    if bytes.len().is_multiple_of(4) && wide(2) {
        utf32(bytes, u32::from_le_bytes).unwrap_or_default()
    } else if bytes.len().is_multiple_of(4) && wide(0) {
        utf32(bytes, u32::from_be_bytes).unwrap_or_default()
    } else if pairs >= 2 && zeroes(1, 2) * 2 > pairs && zeroes(0, 2) * 10 < pairs {
        UTF_16LE.decode_without_bom_handling(bytes).0.into_owned()
    } else if pairs >= 2 && zeroes(0, 2) * 2 > pairs && zeroes(1, 2) * 10 < pairs {
        UTF_16BE.decode_without_bom_handling(bytes).0.into_owned()
    } else if let Ok(text) = std::str::from_utf8(bytes)
        && (label.is_none() || !bytes.is_ascii())
    {
        // Some charsets write all in ASCII, such as UTF-7; bytes beyond it that are UTF-8 are no accident.
        text.to_owned()
    } else {
        label.map_or_else(|| single_bytes(bytes), |charset| charset.decode(bytes).into_owned())
    }
}

fn utf32(bytes: &[u8], number: fn([u8; 4]) -> u32) -> Option<String> {
    let whole = bytes.len().is_multiple_of(4);
    let characters = bytes.chunks_exact(4).map(|four| four.try_into().ok().map(number).and_then(char::from_u32));
    characters.collect::<Option<String>>().filter(|_| whole)
}

/// Windows, Macintosh or DOS: the one whose letters beyond ASCII are those of the languages here, and stand in words.
fn single_bytes(bytes: &[u8]) -> String {
    let windows = WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned();
    let macintosh = MACINTOSH.decode_without_bom_handling(bytes).0.into_owned();
    let dos: String = bytes
        .iter()
        .map(|byte| byte.checked_sub(0x80).map_or(char::from(*byte), |high| CP850.get(usize::from(high)).copied().unwrap_or('\u{fffd}')))
        .collect();
    let (in_windows, in_macintosh, in_dos) = (letters_in_words(&windows), letters_in_words(&macintosh), letters_in_words(&dos));
    if in_windows >= in_macintosh && in_windows >= in_dos {
        windows
    } else if in_macintosh >= in_dos {
        macintosh
    } else {
        dos
    }
}

fn letters_in_words(text: &str) -> i64 {
    const LETTERS: &str = "éèëêïíóòöôüúûáàäâåæøñçßÉÈËÏÖÜÄÅÆØ";
    let mut score = 0;
    let mut before = ' ';
    for c in text.chars().take(100_000) {
        if !c.is_ascii() {
            // A capital after a small letter is no word of anybody's.
            let fits = LETTERS.contains(c) && !(before.is_lowercase() && c.is_uppercase());
            score += if fits { 1 } else { -1 };
        }
        before = c;
    }
    score
}

/// The upper half of DOS code page 850.
#[rustfmt::skip]
const CP850: [char; 128] = [
    'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å', 'É', 'æ', 'Æ', 'ô', 'ö', 'ò', 'û', 'ù', 'ÿ', 'Ö', 'Ü', 'ø', '£', 'Ø', '×', 'ƒ',
    'á', 'í', 'ó', 'ú', 'ñ', 'Ñ', 'ª', 'º', '¿', '®', '¬', '½', '¼', '¡', '«', '»', '░', '▒', '▓', '│', '┤', 'Á', 'Â', 'À', '©', '╣', '║', '╗', '╝', '¢', '¥', '┐',
    '└', '┴', '┬', '├', '─', '┼', 'ã', 'Ã', '╚', '╔', '╩', '╦', '╠', '═', '╬', '¤', 'ð', 'Ð', 'Ê', 'Ë', 'È', 'ı', 'Í', 'Î', 'Ï', '┘', '┌', '█', '▄', '¦', 'Ì', '▀',
    'Ó', 'ß', 'Ô', 'Ò', 'õ', 'Õ', 'µ', 'þ', 'Þ', 'Ú', 'Û', 'Ù', 'ý', 'Ý', '¯', '´', '\u{ad}', '±', '‗', '¾', '¶', '§', '÷', '¸', '°', '¨', '·', '¹', '³', '²', '■', '\u{a0}',
];

/// Readable stretches in bytes that are no text, in one-byte characters and in UTF-16: what binary records say.
pub fn runs(bytes: &[u8]) -> Vec<String> {
    const SHORTEST: usize = 6;
    let mut found: Vec<String> = String::from_utf8_lossy(bytes)
        .split(|c: char| c.is_control() || c == '\u{fffd}')
        .filter(|run| run.chars().count() >= SHORTEST)
        .map(str::to_owned)
        .collect();
    // A stretch of UTF-16 may begin at any byte.
    for from in 0..2 {
        let mut run = String::new();
        for pair in bytes.get(from..).unwrap_or(&[]).chunks_exact(2).chain([&[0, 0][..]]) {
            let unit = pair.iter().rev().fold(0_u32, |unit, byte| unit << 8 | u32::from(*byte));
            match char::from_u32(unit).filter(|c| !c.is_control() && unit < 0x250) {
                Some(c) => run.push(c),
                None if run.chars().count() >= SHORTEST => found.push(std::mem::take(&mut run)),
                None => run.clear(),
            }
        }
    }
    found
}

/// Reads decoded text as what it is, and the files that it carries; says what.
pub fn read(reader: &mut Reader, text: &str, hint: Hint) -> &'static str {
    // A mail says what its parts are, and they are read as that.
    if mail::looks_like_mbox(text) {
        mail::mbox(reader, text);
        return "mbox";
    }
    let without_blanks = text.trim_start();
    if mail::looks_like_mail(without_blanks, hint) {
        mail::read(reader, without_blanks.as_bytes());
        return "eml";
    }
    files_within(reader, text);
    read_itself(reader, text, hint)
}

/// What a text holds that only another program can read.
fn files_within(reader: &mut Reader, text: &str) {
    const ENCRYPTED: [&str; 4] =
        ["-----BEGIN PGP MESSAGE-----", "-----BEGIN PKCS7-----", "-----BEGIN CMS-----", "-----BEGIN AGE ENCRYPTED FILE-----"];
    const OTHER: [&str; 2] = ["(This file must be converted with BinHex", "=ybegin "];
    let has_line = |beginnings: &[&str]| {
        beginnings.iter().any(|beginning| text.contains(beginning))
            && text.lines().any(|line| beginnings.iter().any(|beginning| line.starts_with(beginning)))
    };
    if has_line(&ENCRYPTED) {
        reader.fail(Unreadable::Encrypted);
    }
    if has_line(&OTHER) {
        reader.fail(Unreadable::UnknownFormat);
    }
    let mut numbers = 1..;
    let encoded = if text.contains("begin") { uuencode::take(text.to_owned()).1 } else { Vec::new() };
    for (file, number) in encoded.into_iter().zip(&mut numbers) {
        if file.damaged {
            reader.fail(Unreadable::Damaged);
        }
        reader.member(number, Some(&file.name), &file.bytes);
    }
    // Pages and office documents say where their files are, and their readers read them.
    let is_read = |before: &str| {
        let element = before.rsplit('<').next().unwrap_or("");
        before.ends_with("base64,") && text.contains("</") || xml::BINARY.iter().any(|name| element.contains(name))
    };
    for (file, number) in carried::files(text, is_read).into_iter().zip(numbers) {
        reader.member(number, None, &file);
    }
}

fn read_itself(reader: &mut Reader, text: &str, hint: Hint) -> &'static str {
    let start: String = text.trim_start().chars().take(400).collect::<String>().to_ascii_lowercase();
    let page = is_page(&start);
    if start.starts_with("<?xml") && !start.contains("<html")
        || start.starts_with("<soap")
        || !page && is_xml(&start) && xml::is_whole(text)
    {
        return xml::read(reader, text);
    }
    if page
        || start.starts_with("<!doctype html")
        || start.starts_with("<html")
        || start.contains("<html")
        || start.starts_with("<table")
        || start.starts_with("<!--") && text.contains("</")
    {
        html::read(reader, text);
        return "html";
    }
    if matches!(start.chars().next(), Some('{' | '['))
        && let Some(told) = json::read(text)
    {
        reader.lines("text", 1, told.lines);
        for (table, number) in told.tables.into_iter().zip(1..) {
            reader.table("sheet", number, table);
        }
        return "json";
    }
    if start.starts_with("begin:vcalendar") || start.starts_with("begin:vcard") {
        reader.lines("text", 1, card::lines(text));
        return if start.starts_with("begin:vcalendar") { "ics" } else { "vcf" };
    }
    if let Some(tables) = sql::parse(text) {
        reader.lines("text", 1, text.lines().map(str::to_owned).collect());
        for (table, number) in tables.into_iter().zip(1..) {
            reader.table("sheet", number, table);
        }
        return "sql";
    }
    if let Some((format, rows)) = csv::parse(text, hint.csv) {
        reader.table("sheet", 1, rows);
        return format;
    }
    reader.lines("text", 1, text.lines().map(str::to_owned).collect());
    "txt"
}

fn is_xml(start: &str) -> bool {
    let mut chars = start.chars();
    chars.next() == Some('<') && chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && start.contains('>')
}

/// Whether a text of tags is a page or a piece of one, well-formed or not: it begins as a page, or every element in sight is HTML's.
fn is_page(start: &str) -> bool {
    const PAGE: [&str; 4] = ["html", "head", "body", "meta"];
    const ELEMENTS: &str = concat!(
        " html head body meta title style script link base table caption colgroup col thead tbody tfoot tr td th div p span center font ul ol",
        " li dl dt dd a b i u s em strong small big sub sup br hr h1 h2 h3 h4 h5 h6 pre code img form label input select option section",
        " article header footer main nav blockquote "
    );
    let mut names = start
        .split('<')
        .skip(1)
        .filter_map(|tag| {
            tag.trim_start_matches('/')
                .find(|c: char| c.is_whitespace() || c == '>' || c == '/')
                .and_then(|end| tag.trim_start_matches('/').get(..end))
        })
        .filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
        .peekable();
    if !start.starts_with('<') || names.peek().is_none() {
        return false;
    }
    names.peek().is_some_and(|name| PAGE.contains(name)) || names.all(|name| ELEMENTS.contains(&format!(" {name} ")))
}

#[cfg(test)]
mod tests {
    use super::{charset, decode, decode_as, is_page, runs};

    #[test]
    fn encodings_are_told_apart_by_the_words_that_they_make() {
        let words = "navn;fødselsnummer;Ærø\nKåre;x;größer\n";
        for (encoding, bytes) in [("1252", vec![0xf8]), ("mac", vec![0xbf]), ("dos", vec![0x9b])] {
            let file = [b"navn;f".as_slice(), &bytes, b"dselsnummer\nKari;1\n"].concat();
            assert!(decode(&file).unwrap().contains("fødselsnummer"), "{encoding}");
        }
        let little: Vec<u8> = words.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        let big: Vec<u8> = words.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
        for file in [&little, &big, &[b"\xff\xfe\0\0".as_slice(), &little].concat(), &[b"\0\0\xfe\xff".as_slice(), &big].concat()] {
            assert_eq!(decode(file).unwrap(), words);
        }
    }

    #[test]
    fn a_charset_that_is_named_is_believed() {
        let words = "Прізвище;Дата народження;ЄДР\nШевченко;12.03.1961;1\n".repeat(3);
        for name in ["windows-1251", "koi8-u"] {
            let file = encoding_rs::Encoding::for_label(name.as_bytes()).unwrap().encode(&words).0.into_owned();
            assert!(decode(&file).is_none(), "{name}");
            assert_eq!(decode_as(charset(name), &file).as_deref(), Some(words.as_str()), "{name}");
            let page = [format!("<html><meta charset=\"{name}\"><p>").as_bytes(), &file].concat();
            assert!(decode(&page).unwrap().contains("Шевченко"), "{name}");
        }
        let greek = charset("\"ISO-8859-7\"; format=flowed");
        assert_eq!(decode_as(greek, &encoding_rs::ISO_8859_7.encode("Όνομα").0).as_deref(), Some("Όνομα"));
        assert_eq!(decode_as(charset("utf-7"), b"BSN +ADEAMgAz-").as_deref(), Some("BSN 123"));
        // Bytes that show what they are, show it better than a label.
        assert_eq!(decode_as(greek, "größer".as_bytes()).as_deref(), Some("größer"));
        for label in ["utf-8", "windows-1252", "us-ascii", "x-nothing", ""] {
            assert!(charset(label).is_none(), "{label}");
        }
    }

    #[test]
    fn words_between_binary_bytes_are_found() {
        let wide: Vec<u8> = "geheim 1".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let bytes = [b"\0\x01kenmerk 7\0\x02\x03".as_slice(), &wide, b"\0\0"].concat();
        let found = runs(&bytes);
        assert!(found.contains(&"kenmerk 7".to_owned()) && found.contains(&"geheim 1".to_owned()), "{found:?}");
    }

    #[test]
    fn a_well_formed_page_is_a_page() {
        for start in [
            "<html><body><table><tr><th>naam</th>",
            "<table border=1><tr><td>bsn</td>",
            "<div><table><tr><th>naam</th>",
            "<meta charset=\"utf-8\"><table><tr>",
            "<html xmlns:x=\"urn:y\"><head><x:z/>",
            "<p>bsn: 1</p>",
        ] {
            assert!(is_page(start), "{start}");
        }
        for start in ["<p><persoon bsn=\"1\"/></p>", "<rows><row><naam>a</naam>", "<table><persoon><naam>", "a < b", "<", "{}", "<html"] {
            assert!(!is_page(start), "{start}");
        }
    }
}
