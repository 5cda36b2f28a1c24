//! Bytes become text, whatever their label says.
//!
//! Labels are missing, misspelt or wrong in a fair part of real mail; the bytes themselves mostly tell. Nothing here
//! fails: what cannot be decoded becomes U+FFFD.

use mail_parser::Charset;

/// Decoded text, and whether it may not be what the reader of the mail sees: the charset is unknown and the bytes are
/// mostly not ASCII, so digits and letters may stand there in disguise (EBCDIC, for one).
pub(super) struct Decoded {
    pub text: String,
    pub in_disguise: bool,
}

/// Decodes a body or an encoded word by its label (RFC 2978 name; `None` when absent).
pub(super) fn decode(label: Option<&str>, bytes: &[u8]) -> Decoded {
    let sure = |text: String| Decoded { text, in_disguise: false };
    if let Some(charset) = byte_order(bytes) {
        let text = charset.decode(bytes);
        return sure(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned());
    }
    let label = label.map(|l| l.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'')).filter(|l| !l.is_empty());
    let charset = label.and_then(|label| Charset::from_label(label.as_bytes()));
    match charset {
        None | Some(Charset::Utf8 | Charset::Replacement | Charset::XUserDefined) => {
            let known = label.is_none() || matches!(charset, Some(Charset::Utf8));
            match std::str::from_utf8(bytes) {
                Ok(text) => sure(text.to_owned()),
                Err(_) => {
                    let strange = bytes.iter().filter(|b| !b.is_ascii()).count();
                    let text = if mostly_utf8(bytes) { String::from_utf8_lossy(bytes).into_owned() } else { western(bytes) };
                    Decoded { text, in_disguise: !known && strange * 5 > bytes.len() }
                }
            }
        }
        Some(charset) if is_western(charset) => match std::str::from_utf8(bytes) {
            // Valid UTF-8 beyond ASCII is never an accident.
            Ok(text) => sure(text.to_owned()),
            Err(_) => sure(charset.decode(bytes).into_owned()),
        },
        // UTF-16 has zeroes where it is our languages'; text without any is ASCII whose label is wrong.
        Some(Charset::Utf16 | Charset::Utf16Le | Charset::Utf16Be) if bytes.is_ascii() && !bytes.contains(&0) => {
            sure(String::from_utf8_lossy(bytes).into_owned())
        }
        Some(charset) => sure(charset.decode(bytes).into_owned()),
    }
}

/// Windows-1252, the charset of undeclared 8-bit text in our customers' countries.
pub(super) fn western(bytes: &[u8]) -> String {
    Charset::Windows1252.decode(bytes).into_owned()
}

/// Undeclared bytes of a header field: UTF-8 (RFC 6532) or else windows-1252.
pub(super) fn undeclared(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| western(bytes), str::to_owned)
}

fn is_western(charset: Charset) -> bool {
    matches!(charset, Charset::Windows1252 | Charset::Iso8859_15 | Charset::Windows1250)
}

/// UTF-8 with a few broken places (a cut character, one wrong byte) is still UTF-8.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().bytes().filter(|b| *b >= 0xc0).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good > bad * 4
}

/// UTF-16 shows itself by a byte order mark, or by NUL in every other byte; UTF-8 may carry a mark too.
fn byte_order(bytes: &[u8]) -> Option<Charset> {
    match bytes {
        [0xff, 0xfe, ..] => return Some(Charset::Utf16Le),
        [0xfe, 0xff, ..] => return Some(Charset::Utf16Be),
        [0xef, 0xbb, 0xbf, ..] if std::str::from_utf8(bytes).is_ok() => return Some(Charset::Utf8),
        _ => {}
    }
    let sample = bytes.get(..bytes.len().min(512)).unwrap_or_default();
    let (mut even, mut odd) = (0usize, 0usize);
    for (i, b) in sample.iter().enumerate() {
        if *b == 0 {
            if i % 2 == 0 { even += 1 } else { odd += 1 }
        }
    }
    let half = sample.len() / 2;
    if half < 2 {
        None
    } else if odd * 10 >= half * 7 && even * 10 <= half {
        Some(Charset::Utf16Le)
    } else if even * 10 >= half * 7 && odd * 10 <= half {
        Some(Charset::Utf16Be)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(label: Option<&str>, bytes: &[u8]) -> String {
        decode(label, bytes).text
    }

    #[test]
    fn a_missing_or_wrong_label_does_not_spoil_the_text() {
        for (label, bytes) in [
            (None, &b"S\xf8rensen"[..]),
            (Some("us-ascii"), b"S\xf8rensen"),
            (Some("utf-8"), b"S\xf8rensen"),
            (Some("iso-8859-1"), "Sørensen".as_bytes()),
            (Some("windows-1252"), b"S\xf8rensen"),
            (Some("x-no-such-thing"), "Sørensen".as_bytes()),
            (Some("\"ISO-8859-1\""), b"S\xf8rensen"),
            (Some("utf-7"), b"S+APg-rensen"),
            (Some("iso-8859-15"), b"S\xf8rensen"),
        ] {
            assert_eq!(text(label, bytes), "Sørensen", "{label:?}");
        }
        assert_eq!(text(Some("utf-16"), b"BSN 42"), "BSN 42");
    }

    #[test]
    fn utf_16_is_seen_with_or_without_label_and_mark() {
        let little: Vec<u8> = "Beste, 42".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "\u{feff}Beste, 42".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for label in [None, Some("utf-16"), Some("utf-8"), Some("utf-16le")] {
            assert_eq!(text(label, &little), "Beste, 42");
            assert_eq!(text(label, &big), "Beste, 42");
        }
    }

    #[test]
    fn digits_in_a_charset_that_nobody_here_reads_are_not_taken_for_text() {
        assert!(decode(Some("ibm-1047-x"), b"\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf2").in_disguise);
        assert!(!decode(Some("no-such"), b"Beste collega, het caf\xe9").in_disguise);
    }
}
