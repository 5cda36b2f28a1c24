//! Files that lie in a text as base64 or as hexadecimal digits and no header says so: in an element of a register message, in a value of
//! an export, in the raw text of a mail that some program quoted whole.
//!
//! Such a run may be anything: keys, hashes and tokens are left alone. What counts decodes to text, or to the beginning of a known format.

use std::ops::Range;

use mail_parser::Encoding;

/// Shorter runs are words, hashes and names, in characters.
const SHORTEST: usize = 18;
/// Only a line of at least this many characters goes on in the next.
const FULL_LINE: usize = 40;
/// Shorter ones stay in a mail's own text, where they are links and tokens; what those say is screened all the same.
const SHORTEST_IN_MAIL: usize = 200;

/// How the formats begin that people send each other; each is long enough not to come about by chance.
const BEGINNINGS: [&[u8]; 14] = [
    b"%PDF-",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"{\\rt",
    b"7z\xbc\xaf\x27\x1c",
    b"\x1f\x8b\x08",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"II*\0",
    b"MM\0*",
    b"Rar!",
    b"\x78\x9f\x3e\x22",
    b"\xfd7zXZ\0",
];

/// The files that a text carries, in order. `seen` tells by the text before one that it is read elsewhere.
#[must_use]
pub fn files(text: &str, seen: impl Fn(&str) -> bool) -> Vec<Vec<u8>> {
    runs(text, SHORTEST).into_iter().filter(|(at, _)| !seen(text.get(..at.start).unwrap_or(""))).map(|(_, file)| file).collect()
}

/// Takes the files out of a mail's text.
pub(super) fn take(text: String) -> (String, Vec<Vec<u8>>) {
    let runs = runs(&text, SHORTEST_IN_MAIL);
    if runs.is_empty() {
        return (text, Vec::new());
    }
    let mut rest = String::with_capacity(text.len());
    let mut end = 0;
    let mut files = Vec::new();
    for (at, file) in runs {
        rest.push_str(text.get(end..at.start).unwrap_or(""));
        end = at.end;
        files.push(file);
    }
    rest.push_str(text.get(end..).unwrap_or(""));
    (rest, files)
}

fn runs(text: &str, shortest: usize) -> Vec<(Range<usize>, Vec<u8>)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let first = letters(bytes, at);
        if first < SHORTEST {
            at += first.max(1);
            continue;
        }
        let start = at;
        let mut encoded = Vec::new();
        loop {
            let line = letters(bytes, at);
            encoded.extend(bytes.iter().skip(at).take(line).filter(|byte| **byte != b'\\'));
            at += line;
            match break_after(bytes, at) {
                Some(next) if line >= FULL_LINE && letters(bytes, next) > 0 => at = next,
                _ => break,
            }
        }
        at += bytes.iter().skip(at).take(2).take_while(|byte| **byte == b'=').count();
        if encoded.len() >= shortest {
            let base64 = || Encoding::Base64.decode(&encoded).into_owned();
            if let Some(file) = hexadecimal(&encoded).filter(|file| is_file(file)).or_else(|| Some(base64()).filter(|file| is_file(file))) {
                found.push((start..at, file));
            }
        }
    }
    found
}

/// What a dump of a database writes as `0x…` or `X'…'`.
fn hexadecimal(run: &[u8]) -> Option<Vec<u8>> {
    let digits = run.strip_prefix(b"0x").unwrap_or(run);
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(value(*high)? << 4 | value(*low)?),
        _ => None,
    };
    digits.chunks(2).map(byte).collect()
}

/// How many characters of base64 stand here in a row, with the backslashes that JSON puts before slashes.
fn letters(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or(&[]);
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let escapes = |nth: usize| rest.get(nth + 1) == Some(&b'/');
    rest.iter().enumerate().take_while(|(nth, byte)| is_letter(byte) || **byte == b'\\' && escapes(*nth)).count()
}

/// Where the next line begins, when this one ends here: behind its indent or its marks of quoting. Exports write the break as `\n`.
fn break_after(bytes: &[u8], at: usize) -> Option<usize> {
    const BREAKS: [&[u8]; 4] = [b"\r\n", b"\n", b"\\r\\n", b"\\n"];
    let rest = bytes.get(at..)?;
    let length = BREAKS.iter().find(|line_break| rest.starts_with(line_break))?.len();
    let indent = rest.iter().skip(length).take_while(|byte| matches!(byte, b' ' | b'\t' | b'>')).count();
    Some(at + length + indent)
}

/// Whether it begins as a format does that people send each other.
pub(super) fn is_known_format(bytes: &[u8]) -> bool {
    BEGINNINGS.iter().any(|beginning| bytes.starts_with(beginning))
}

/// Text of any encoding, or a known format.
fn is_file(bytes: &[u8]) -> bool {
    let control = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n');
    let plain = bytes.iter().filter(|byte| byte.is_ascii()).count();
    is_known_format(bytes) || !bytes.is_empty() && !bytes.iter().any(control) && plain * 100 >= bytes.len() * 85
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `naam;bsn\nJ. Pol;123456782\n`, six times.
    const CSV: &str = "bmFhbTtic24KSi4gUG9sOzEyMzQ1Njc4MgpuYWFtO2JzbgpKLiBQb2w7MTIzNDU2NzgyCm5h\nYW07YnNuCkouIFBvbDsxMjM0NTY3ODIKbmFhbTtic24KSi4gUG9sOzEyMzQ1Njc4MgpuYWFt\nO2JzbgpKLiBQb2w7MTIzNDU2NzgyCm5hYW07YnNuCkouIFBvbDsxMjM0NTY3ODIK";

    fn found(text: &str) -> Vec<String> {
        files(text, |_| false).into_iter().map(|file| String::from_utf8_lossy(&file).into_owned()).collect()
    }

    #[test]
    fn files_are_found_however_their_lines_are_broken() {
        let whole = "naam;bsn\nJ. Pol;123456782\n".repeat(6);
        for text in [
            format!("<inhoud>{CSV}</inhoud>"),
            format!("<inhoud>{}</inhoud>", CSV.replace('\n', "")),
            format!("{{\"file\": \"{}\"}}", CSV.replace('\n', "\\r\\n")),
            format!("> {}\n> \n> groet", CSV.replace('\n', "\n> ")),
            CSV.replace('\n', "\r\n    "),
        ] {
            assert_eq!(found(&text), std::slice::from_ref(&whole), "{text}");
        }
        assert_eq!(found("description:: QlNOIDEyMzQ1Njc4MiBhdWI="), ["BSN 123456782 aub"]);
        assert_eq!(found("(X'42534e20313233343536373832','a')"), ["BSN 123456782"]);
        assert_eq!(found("(0x42534e20313233343536373832,'a')"), ["BSN 123456782"]);
        assert_eq!(found("{\"pdf\":\"JVBERi0xLjQKJcfsj6IKNSAwIG9iago8PC9MZW5ndGgg\\/w==\"}").len(), 1);
    }

    #[test]
    fn keys_hashes_and_long_words_are_no_files() {
        for text in [
            "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ\nRTESMBAGA1UEChMJQmFsdGltb3JlMRMwEQYDVQQLEwpDeWJlclRydXN0MSIwIAYD\n-----END CERTIFICATE-----",
            "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
            "arbeidsongeschiktheidsverzekeringsmaatschappij",
            "/usr/share/postkamer/organisations/waterwolde/settings",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_file_leaves_a_mails_text_and_a_token_does_not() {
        let (text, files) = take(format!("Hieronder het bericht.\n\n{CSV}\n\nGroet"));
        assert_eq!((text.as_str(), files.len()), ("Hieronder het bericht.\n\n\n\nGroet", 1));
        let token = "Zie https://x.example/QlNOIDEyMzQ1Njc4MiBhdWI=";
        assert_eq!(take(token.to_owned()), (token.to_owned(), Vec::new()));
    }
}
