//! RFC 2047: words of another charset in a header field.

use super::charset;
use mail_parser::Encoding;

/// Decodes all encoded words in an unfolded field body. Blanks between two of them belong to the encoding (§6.2); words
/// whose bytes of one charset continue each other are joined before they are decoded, because some mailers cut a
/// character in two. What is no encoded word stays as it is.
pub(super) fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut pending: Option<(String, Vec<u8>)> = None;
    let mut rest = text;
    loop {
        let Some(at) = rest.find("=?") else {
            flush(&mut pending, &mut out);
            out.push_str(rest);
            return out;
        };
        let (before, from) = rest.split_at(at);
        if let Some((label, bytes, after)) = word(from) {
            let blank = before.bytes().all(|b| b == b' ' || b == b'\t');
            match &mut pending {
                Some((last, joined)) if blank && last.eq_ignore_ascii_case(label) => joined.extend_from_slice(&bytes),
                _ => {
                    let between_words = blank && pending.is_some();
                    flush(&mut pending, &mut out);
                    if !between_words {
                        out.push_str(before);
                    }
                    pending = Some((label.to_owned(), bytes));
                }
            }
            rest = after;
        } else {
            flush(&mut pending, &mut out);
            out.push_str(before);
            out.push_str("=?");
            rest = from.strip_prefix("=?").unwrap_or_default();
        }
    }
}

/// The encoded word that begins here, its leading `=` taken already.
pub(super) fn first(rest: &str) -> Option<&str> {
    let body = rest.strip_prefix('?')?;
    // Charset, encoding and text, none of which holds a blank in an address field.
    let mut marks = body.match_indices('?').map(|(at, _)| at);
    let text = marks.nth(1)? + 1;
    let end = text + end_of_word(body.as_bytes().get(text..)?)? + 2;
    body.get(..end).filter(|word| !word.contains(char::is_whitespace))?;
    rest.get(..end + 1)
}

fn flush(pending: &mut Option<(String, Vec<u8>)>, out: &mut String) {
    if let Some((label, bytes)) = pending.take() {
        out.push_str(&charset::decode(Some(&label), &bytes).text);
    }
}

/// Reads one encoded word at the start: its charset, its bytes, and what follows it.
fn word(text: &str) -> Option<(&str, Vec<u8>, &str)> {
    let body = text.strip_prefix("=?")?;
    let (label, body) = body.split_once('?').filter(|(label, _)| label.len() <= 64 && !label.contains(char::is_whitespace))?;
    let (kind, body) = body.split_once('?').filter(|(kind, _)| kind.len() == 1)?;
    let end = end_of_word(body.as_bytes())?;
    let (encoded, after) = (body.get(..end)?, body.get(end + 2..)?);
    let label = label.split('*').next().unwrap_or(label); // RFC 2231 §5: a language may follow
    let bytes = match kind {
        "b" | "B" => Encoding::Base64.decode(encoded.as_bytes()).into_owned(),
        "q" | "Q" => quoted(encoded.as_bytes()),
        _ => return None,
    };
    Some((label, bytes, after))
}

/// Where `?=` stands. The next opening ends the search: without that, many openings without an end would be quadratic.
fn end_of_word(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match body.get(at..at + 2)? {
            b"?=" => return Some(at),
            b"=?" if body.get(at + 2) != Some(&b'=') => return None,
            _ => at += 1,
        }
    }
}

/// The Q encoding (RFC 2047 §4.2); malformed escapes stay as they are.
fn quoted(encoded: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'_' => out.push(b' '),
            b'=' => {
                let ahead = bytes.clone().take(2).map(|b| char::from(b).to_digit(16)).collect::<Option<Vec<u32>>>();
                match ahead.as_deref() {
                    Some([high, low]) => {
                        out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                        bytes.nth(1);
                    }
                    _ => out.push(b'='),
                }
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_real_mailers() {
        for (raw, read) in [
            ("=?utf-8?Q?M=C3=B8de?= kl. 10", "Møde kl. 10"),
            ("=?UTF-8?B?U8O4cmVuc2Vu?=", "Sørensen"),
            ("=?iso-8859-1?q?J=FCrgen_Wei=DF?=", "Jürgen Weiß"),
            ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
            ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
            ("=?utf-8?b?w7g=?=\t=?utf-8?q?_x?=", "ø x"),
            ("=?utf-8?Q?=C3?= =?utf-8?Q?=B8?=", "ø"),
            ("=?utf-8*nl?q?co=C3=B6rdinatie?=", "coördinatie"),
            ("=?utf-8?q?met spatie?=", "met spatie"),
            ("=?no-such?q?S=F8ren?=", "Søren"),
            ("=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
            ("=?utf-8?q?open", "=?utf-8?q?open"),
            ("100% =? zomaar ?=", "100% =? zomaar ?="),
            ("=?utf-8?q?a=ZZ?=", "a=ZZ"),
        ] {
            assert_eq!(decode(raw), read, "{raw}");
        }
    }

    #[test]
    fn openings_without_end_take_linear_time() {
        let started = "=?utf-8?q?".repeat(100_000);
        assert_eq!(decode(&started).len(), started.len());
    }
}
