//! Text files: bytes of any encoding become lines, and the text formats are told apart.

use super::{Hint, Reader, csv, html, json, mail, sql, xml};
use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Decodes text by its byte order mark, by the zero bytes of UTF-16, as UTF-8, and else as windows-1252. `None` for what is no text.
pub fn decode(bytes: &[u8]) -> Option<String> {
    let (encoding, skip) = match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return None,
        [0xef, 0xbb, 0xbf, ..] => (UTF_8, 3),
        [0xff, 0xfe, ..] => (UTF_16LE, 2),
        [0xfe, 0xff, ..] => (UTF_16BE, 2),
        _ => (guess(bytes), 0),
    };
    let (text, _) = encoding.decode_without_bom_handling(bytes.get(skip..)?);
    let odd = text.chars().filter(|c| c.is_control() && !matches!(c, '\t' | '\r' | '\n' | '\u{c}' | '\u{b}' | '\u{1b}' | '\u{1a}')).count();
    let broken = text.chars().filter(|c| *c == '\u{fffd}').count();
    let length = text.chars().count();
    // A stray control character is a fault of some export; more of them are a binary file.
    (odd * 200 <= length && broken * 20 <= length).then(|| text.into_owned())
}

fn guess(bytes: &[u8]) -> &'static encoding_rs::Encoding {
    let start = bytes.get(..bytes.len().min(4096)).unwrap_or(bytes);
    let zeroes = |odd: usize| start.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let pairs = start.len() / 2;
    if pairs >= 2 && zeroes(1) * 2 > pairs && zeroes(0) * 10 < pairs {
        UTF_16LE
    } else if pairs >= 2 && zeroes(0) * 2 > pairs && zeroes(1) * 10 < pairs {
        UTF_16BE
    } else if std::str::from_utf8(bytes).is_ok() {
        UTF_8
    } else {
        WINDOWS_1252
    }
}

/// Reads decoded text as what it is; says what.
pub fn read(reader: &mut Reader, text: &str, hint: Hint) -> &'static str {
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
    if matches!(start.chars().next(), Some('{' | '[')) && json::read(reader, text) {
        return "json";
    }
    if start.starts_with("begin:vcalendar") || start.starts_with("begin:vcard") {
        let unfolded =
            text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "").replace("\\n", "\n").replace("\\,", ",").replace("\\;", ";");
        reader.lines("text", 1, unfolded.lines().map(str::to_owned).collect());
        return if start.starts_with("begin:vcalendar") { "ics" } else { "vcf" };
    }
    if mail::looks_like_mbox(text) {
        mail::mbox(reader, text);
        return "mbox";
    }
    if mail::looks_like_mail(text) {
        mail::read(reader, text.as_bytes());
        return "eml";
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
    use super::is_page;

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
