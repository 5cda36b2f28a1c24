//! One spelling for many: lower case, no accents, plain digits, so that one pattern finds what people write in nine languages.

use regex::{Captures, Regex};
use std::sync::LazyLock;

/// Lower case without accents. Zero-width characters and soft hyphens vanish, every space and `_` becomes a space, every dash a
/// hyphen, digits of any script become ASCII digits, and a capital after a small letter starts a new word
/// (`PersonNr` → `person nr`). U+FFFD, which names have in place of what nobody sees, vanishes within a number. Nordic and German letters become two (`ø` → `o`, `æ` → `ae`, `ß` → `ss`; `å`, `ä`, `ö`, `ü` lose their sign).
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut small_before = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_ascii() {
            match c {
                'A'..='Z' => {
                    if small_before {
                        folded.push(' ');
                    }
                    folded.push(c.to_ascii_lowercase());
                }
                '_' | '\t' | '\r' | '\n' | '\u{b}' | '\u{c}' => folded.push(' '),
                _ => folded.push(c),
            }
            small_before = c.is_ascii_lowercase();
            continue;
        }
        small_before = c.is_lowercase();
        match c {
            '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => {}
            '\u{300}'..='\u{36f}' => {}
            '\u{fffd}'
                if folded.ends_with(|before: char| before.is_ascii_digit())
                    && chars.peek().is_some_and(|next| next.is_numeric() || *next == '\u{fffd}') => {}
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => folded.push('-'),
            '\u{2044}' | '\u{2215}' | '\u{ff0f}' => folded.push('/'),
            '\u{ff0e}' | '\u{2024}' => folded.push('.'),
            '\u{ff1a}' => folded.push(':'),
            'à'..='å' | 'À'..='Å' | 'ā' | 'ą' | 'ă' => folded.push('a'),
            'æ' | 'Æ' => folded.push_str("ae"),
            'ç' | 'Ç' | 'č' | 'ć' | 'Č' => folded.push('c'),
            'è'..='ë' | 'È'..='Ë' | 'ē' | 'ę' | 'ě' => folded.push('e'),
            'ì'..='ï' | 'Ì'..='Ï' | 'ī' | 'ı' | 'İ' => folded.push('i'),
            'ñ' | 'Ñ' | 'ń' => folded.push('n'),
            'ò'..='ö' | 'ø' | 'Ò'..='Ö' | 'Ø' | 'ō' | 'ő' => folded.push('o'),
            'œ' | 'Œ' => folded.push_str("oe"),
            'ù'..='ü' | 'Ù'..='Ü' | 'ū' | 'ű' => folded.push('u'),
            'ý' | 'ÿ' | 'Ý' => folded.push('y'),
            'ß' => folded.push_str("ss"),
            'š' | 'Š' | 'ś' | 'ş' => folded.push('s'),
            'ž' | 'Ž' | 'ż' | 'ź' => folded.push('z'),
            'ð' | 'Ð' | 'đ' => folded.push('d'),
            'ł' | 'Ł' => folded.push('l'),
            _ if c.is_whitespace() => folded.push(' '),
            _ => match digit(c) {
                Some(digit) => folded.push(digit),
                None => folded.extend(c.to_lowercase()),
            },
        }
    }
    folded
}

/// The ASCII digit for a decimal digit of a script that people really type numbers in.
fn digit(c: char) -> Option<char> {
    const ZEROES: [u32; 8] = [0xff10, 0x0660, 0x06f0, 0x0966, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7f6];
    ZEROES.iter().find_map(|zero| (c as u32).checked_sub(*zero).filter(|value| *value < 10)).and_then(|value| char::from_digit(value, 10))
}

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

/// A folded cell without the decimals of a program that took a number for a quantity: `123456782.0`.
pub fn without_decimals(cell: String) -> String {
    let number = cell.trim().split_once(['.', ',']).filter(|(_, decimals)| matches!(*decimals, "0" | "00")).map(|(number, _)| number);
    match number.filter(|number| (8..=12).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())) {
        Some(number) => number.to_owned(),
        None => cell,
    }
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
        assert_eq!(fold("burgerServiceNummer"), "burger service nummer");
        assert_eq!(fold("bsn\u{fffd}123\u{fffd}\u{fffd}456782\u{fffd}x"), "bsn\u{fffd}123456782\u{fffd}x");
    }

    #[test]
    fn a_number_that_became_a_quantity_is_a_number() {
        for (cell, number) in
            [("123456782.0", "123456782"), ("0707614285,00", "0707614285"), ("12.00", "12.00"), ("123456782.5", "123456782.5")]
        {
            assert_eq!(without_decimals(cell.to_owned()), number);
        }
    }

    #[test]
    fn digits_in_boxes_are_one_number() {
        assert_eq!(unboxed("bsn 1 2 3 4 5 6 7 8 2, wijk 3".to_owned()), "bsn 123456782, wijk 3");
        assert_eq!(unboxed("tel 06 12 34 56 78, 1 2 3".to_owned()), "tel 06 12 34 56 78, 1 2 3");
    }
}
