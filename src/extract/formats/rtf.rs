//! Rich text: what is written, with cells and paragraphs, and the pictures that are pasted in.

use super::Reader;

/// Reads a whole document.
pub fn read(reader: &mut Reader, bytes: &[u8]) {
    let parsed = parse(bytes);
    if parsed.depth != 0 {
        reader.fail(crate::parse::document::Unreadable::Damaged);
    }
    reader.lines("text", 1, parsed.text.lines().map(str::to_owned).collect());
    for (picture, number) in parsed.pictures.into_iter().zip(1..) {
        reader.member(number, None, &picture);
    }
}

struct Parsed {
    text: String,
    pictures: Vec<Vec<u8>>,
    depth: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Destination {
    Text,
    Hidden,
    Picture,
}

fn parse(bytes: &[u8]) -> Parsed {
    let mut parsed = Parsed { text: String::new(), pictures: Vec::new(), depth: 0 };
    let mut groups = vec![Destination::Text];
    let mut hexadecimal = String::new();
    let mut skip = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        let here = groups.last().copied().unwrap_or(Destination::Text);
        match byte {
            b'{' => {
                parsed.depth += 1;
                groups.push(here);
            }
            b'}' => {
                parsed.depth -= 1;
                groups.pop();
                if here == Destination::Picture && groups.last() != Some(&Destination::Picture) {
                    parsed.pictures.push(from_hexadecimal(&std::mem::take(&mut hexadecimal)));
                }
            }
            b'\\' => match bytes.get(at) {
                Some(b'\'') => {
                    let code = bytes
                        .get(at + 1..at + 3)
                        .and_then(|two| std::str::from_utf8(two).ok())
                        .and_then(|two| u8::from_str_radix(two, 16).ok());
                    at += 3;
                    if skip > 0 {
                        skip -= 1;
                    } else if let (Some(code), Destination::Text) = (code, here) {
                        parsed.text.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(&[code]).0);
                    }
                }
                Some(c) if c.is_ascii_alphabetic() => {
                    let start = at;
                    while bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
                        at += 1;
                    }
                    let word = bytes.get(start..at).and_then(|word| std::str::from_utf8(word).ok()).unwrap_or("");
                    let start = at;
                    if bytes.get(at) == Some(&b'-') {
                        at += 1;
                    }
                    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                        at += 1;
                    }
                    let number: Option<i64> =
                        bytes.get(start..at).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| digits.parse().ok());
                    if bytes.get(at) == Some(&b' ') {
                        at += 1;
                    }
                    match word {
                        "fonttbl" | "colortbl" | "stylesheet" | "listtable" | "listoverridetable" | "themedata" | "colorschememapping"
                        | "latentstyles" | "datastore" | "generator" | "rsidtbl" => set(&mut groups, Destination::Hidden),
                        "pict" => set(&mut groups, Destination::Picture),
                        "bin" => at += number.and_then(|length| usize::try_from(length).ok()).unwrap_or(0),
                        "u" if here == Destination::Text => {
                            let code =
                                number.map(|code| if code < 0 { code + 65_536 } else { code }).and_then(|code| u32::try_from(code).ok());
                            parsed.text.push(code.and_then(char::from_u32).unwrap_or('\u{fffd}'));
                            skip = 1;
                        }
                        "par" | "line" | "row" | "sect" | "page" if here == Destination::Text => parsed.text.push('\n'),
                        "tab" | "cell" if here == Destination::Text => parsed.text.push('\t'),
                        "emdash" | "endash" if here == Destination::Text => parsed.text.push('-'),
                        _ => {}
                    }
                }
                Some(c) => {
                    at += 1;
                    match c {
                        b'\\' | b'{' | b'}' if here == Destination::Text => parsed.text.push(char::from(*c)),
                        b'~' if here == Destination::Text => parsed.text.push(' '),
                        b'_' if here == Destination::Text => parsed.text.push('-'),
                        b'\n' | b'\r' if here == Destination::Text => parsed.text.push('\n'),
                        _ => {}
                    }
                }
                None => {}
            },
            b'\r' | b'\n' => {}
            _ if skip > 0 => skip -= 1,
            byte => match here {
                Destination::Text => parsed.text.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(&[*byte]).0),
                Destination::Picture => hexadecimal.push(char::from(*byte)),
                Destination::Hidden => {}
            },
        }
    }
    parsed
}

fn set(groups: &mut [Destination], to: Destination) {
    if let Some(last) = groups.last_mut() {
        *last = to;
    }
}

fn from_hexadecimal(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.chars().filter_map(|c| c.to_digit(16)).filter_map(|digit| u8::try_from(digit).ok()).collect();
    digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}

/// The text of a document that somebody else unpacked.
pub fn text(bytes: &[u8]) -> String {
    parse(bytes).text
}
