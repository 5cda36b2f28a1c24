//! One spelling for many: lower case, no accents, plain digits, so that one pattern finds what people write in nine languages.

use crate::parse::is_invisible;
use regex::{Captures, Regex};
use std::sync::LazyLock;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Lower case without accents. Zero-width characters, soft hyphens, control characters and marks over, under and around others vanish, every space and `_`
/// becomes a space, every dash a hyphen, and a capital after a small letter starts a new word (`PersonNr` → `person nr`). What has another
/// plain form becomes that (Unicode NFKD: `１`, `①`, `𝟏`, `ﬁ`), digits of any script become ASCII digits, but a raised one behind a number
/// is the mark of a footnote. U+FFFD, which names have in place of what nobody sees, vanishes within a number. Nordic and German letters become two (`ø` → `o`, `æ` → `ae`, `ß` → `ss`; `å`, `ä`, `ö`, `ü` lose their sign).
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut small_before = false;
    let mut before = ' ';
    let mut rest = text;
    loop {
        // Nearly all text is plain already: what is goes over in one piece.
        let length = rest.bytes().take_while(|byte| matches!(byte, b' '..=b'@' | b'['..=b'^' | b'`'..=b'~')).count();
        let (run, behind) = rest.split_at_checked(length).unwrap_or(("", rest));
        if let Some(last) = run.bytes().last() {
            folded.push_str(run);
            small_before = last.is_ascii_lowercase();
            before = char::from(last);
        }
        let mut chars = behind.chars();
        let Some(c) = chars.next() else { return folded };
        rest = chars.as_str();
        if c.is_ascii() {
            match c {
                'A'..='Z' => {
                    if small_before {
                        folded.push(' ');
                    }
                    folded.push(c.to_ascii_lowercase());
                }
                '_' | '\t' | '\r' | '\n' | '\u{b}' | '\u{c}' => folded.push(' '),
                '\0'..='\u{8}' | '\u{e}'..='\u{1a}' | '\u{7f}' => {}
                _ => folded.push(c),
            }
            small_before = c.is_ascii_lowercase();
            before = c;
            continue;
        }
        small_before = c.is_lowercase();
        match c {
            _ if is_invisible(c) => {}
            '\u{80}'..='\u{84}' | '\u{86}'..='\u{9f}' => {}
            '\u{fffd}'
                if folded.ends_with(|before: char| before.is_ascii_digit())
                    && rest.starts_with(|next: char| next.is_numeric() || next == '\u{fffd}') => {}
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => folded.push('-'),
            '\u{2044}' | '\u{2215}' => folded.push('/'),
            'æ' | 'Æ' => folded.push_str("ae"),
            'ø' | 'Ø' => folded.push('o'),
            'œ' | 'Œ' => folded.push_str("oe"),
            'ß' => folded.push_str("ss"),
            'ð' | 'Ð' | 'đ' => folded.push('d'),
            'ł' | 'Ł' => folded.push('l'),
            'ı' => folded.push('i'),
            _ if c.is_whitespace() => folded.push(' '),
            _ if is_raised(c) && before.is_ascii_digit() && !rest.chars().find(|next| !is_raised(*next)).is_some_and(char::is_numeric) => {
                folded.push(' ');
                continue;
            }
            _ => match digit(c) {
                Some(digit) => folded.push(digit),
                None => decompose_compatible(c, |part| plain(part, &mut folded)),
            },
        }
        before = c;
    }
}

/// Each line by itself.
pub fn fold_lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| fold(line)).collect()
}

/// A part of a character that Unicode takes apart.
fn plain(part: char, folded: &mut String) {
    match digit(part) {
        _ if is_combining_mark(part) => {}
        Some(digit) => folded.push(digit),
        None if part.is_whitespace() => folded.push(' '),
        None if part == '\u{2044}' => folded.push('/'),
        None => folded.extend(part.to_lowercase()),
    }
}

fn is_raised(c: char) -> bool {
    matches!(c, '¹' | '²' | '³' | '⁰' | '⁴'..='⁹')
}

/// The ASCII digit for a decimal digit of any script (Unicode 16, general category Nd), or for one in a circle or brackets or with a dot or comma.
fn digit(c: char) -> Option<char> {
    if !c.is_numeric() {
        return None;
    }
    let of_row = |rows: &[u32], first: u32, count: u32| {
        let value = rows.iter().find_map(|row| u32::from(c).checked_sub(*row).filter(|value| *value < count));
        value.and_then(|value| char::from_digit(value + first, 10))
    };
    of_row(&ZEROES, 0, 10)
        .or_else(|| of_row(&ONES, 1, 9))
        .or_else(|| matches!(c, '⓪' | '⓿' | '\u{1f100}' | '\u{1f10b}' | '\u{1f10c}').then_some('0'))
}

/// Where ten digits begin with their zero.
#[rustfmt::skip]
const ZEROES: [u32; 76] = [
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0,
    0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30,
    0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50,
    0x11d50, 0x11da0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0,
    0x1e5f1, 0x1e950, 0x1f101, 0x1fbf0,
];

/// Where nine of them begin with their one: in circles, in brackets, with a dot.
const ONES: [u32; 7] = [0x2460, 0x2474, 0x2488, 0x24f5, 0x2776, 0x2780, 0x278a];

/// Folded text in which `1 2 3 4 5 6 7 8 2`, as forms with a box for each digit give it, is one number.
pub fn unboxed(folded: String) -> String {
    static BOXED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b[0-9](?: [0-9]){7,11}\b").ok());
    let hint = folded.as_bytes().windows(4).any(|four| matches!(four, [a, b' ', b, b' '] if a.is_ascii_digit() && b.is_ascii_digit()));
    match BOXED.as_ref().filter(|_| hint) {
        Some(boxed) => {
            boxed.replace_all(&folded, |found: &Captures<'_>| found.get(0).map_or("", |run| run.as_str()).replace(' ', "")).into_owned()
        }
        None => folded,
    }
}

/// A folded cell as the number that a program took for a quantity: `123456782.0`, `1,23456782e+08`.
pub fn without_decimals(cell: String) -> String {
    let whole = |(number, decimals): (&str, &str)| match decimals.split_once('e') {
        None => matches!(decimals, "0" | "00").then(|| number.to_owned()),
        // What was rounded is no number any more, but for zeroes at its end.
        Some((decimals, power)) => {
            let zeroes = power.trim_start_matches('+').parse::<usize>().ok()?.checked_sub(decimals.len()).filter(|zeroes| *zeroes <= 2)?;
            (number.len() == 1).then(|| format!("{number}{decimals}{}", "0".repeat(zeroes)))
        }
    };
    let number = cell.trim().split_once(['.', ',']).and_then(whole);
    number.filter(|number| (8..=12).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_nine_languages_become_plain() {
        assert_eq!(fold("Fødselsnummer"), "fodselsnummer");
        assert_eq!(fold("Henkilötunnus"), "henkilotunnus");
        assert_eq!(fold("PersonNr"), "person nr");
        assert_eq!(fold("inp.bsn"), "inp.bsn");
        assert_eq!(fold("bsn\u{a0}123\u{200b}456\u{ad}782"), "bsn 123456782");
        assert_eq!(fold("１２３－４５６"), "123-456");
        assert_eq!(fold("Łódź Ğ Čapek smørrebrød ŒUVRE Straße"), "lodz g capek smorrebrod oeuvre strasse");
        assert_eq!(fold("burgerServiceNummer"), "burger service nummer");
        assert_eq!(fold("bsn\u{fffd}123\u{fffd}\u{fffd}456782\u{fffd}x"), "bsn\u{fffd}123456782\u{fffd}x");
    }

    #[test]
    fn digits_in_every_writing_are_digits() {
        for written in [
            "①②③④⑤⑥⑦⑧②",
            "❶➁➂➍⓹❻❼❽➁",
            "⑴⑵⑶⑷⑸⑹⑺⑻⑵",
            "⒈⒉⒊⒋⒌⒍⒎⒏⒉",
            "𝟏𝟐𝟛𝟜𝟱𝟲𝟩𝟪𝟸",
            "¹²³⁴⁵⁶⁷⁸²",
            "₁₂₃₄₅₆₇₈₂",
            "١٢٣٤٥٦٧٨٢",
            "１２३৪៥๖༧၈᠒",
            "1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣2️⃣",
            "1\u{336}2\u{336}3\u{336}4\u{20dd}5\u{332}6\u{332}7\u{308}8\u{e0101}2",
            "1\u{200b}2\u{2060}3\u{ad}4\u{202e}5\u{2066}6\u{feff}7\u{61c}8\u{180e}2",
            "1\u{1}2\u{7f}3\u{9f}4\u{0}5678\u{1a}2",
        ] {
            assert_eq!(fold(written), "123456782", "{written}");
        }
        // Marks of footnotes, squares and fractions.
        assert_eq!(fold("123456782¹ en 12345678¹² op 40 m²"), "123456782  en 12345678   op 40 m2");
        assert_eq!(fold("⓪①"), "01");
        assert!(ZEROES.iter().all(|zero| char::from_u32(*zero).is_some_and(char::is_numeric)));
    }

    #[test]
    fn a_number_that_became_a_quantity_is_a_number() {
        for (cell, number) in [
            ("123456782.0", "123456782"),
            ("0707614285,00", "0707614285"),
            ("12.00", "12.00"),
            ("123456782.5", "123456782.5"),
            ("1,23456782e+08", "123456782"),
            ("1.1122233e8", "111222330"),
            ("1.23457e+08", "1.23457e+08"),
            ("1.e+08", "1.e+08"),
        ] {
            assert_eq!(without_decimals(cell.to_owned()), number);
        }
    }

    #[test]
    fn digits_in_boxes_are_one_number() {
        assert_eq!(unboxed("bsn 1 2 3 4 5 6 7 8 2, wijk 3".to_owned()), "bsn 123456782, wijk 3");
        assert_eq!(unboxed("tel 06 12 34 56 78, 1 2 3".to_owned()), "tel 06 12 34 56 78, 1 2 3");
    }
}
