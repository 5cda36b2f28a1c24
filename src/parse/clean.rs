//! Makes decoded text safe to show and easy to screen.

/// Whether a character is invisible or changes the direction of what stands around it: bidirectional controls, zero-width
/// characters, soft hyphens, tags and the byte order mark (Unicode TR36 §3, Trojan Source).
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A subject, a name or a file name on one line: control, bidirectional and zero-width characters, and line ends of any
/// kind, become U+FFFD, so that nothing can start a new header or hide (THREATS §1 rows 11 and 21).
pub(super) fn one_line(text: &str) -> String {
    text.trim()
        .chars()
        .map(|c| match c {
            '\t' | '\u{a0}' => ' ',
            '\u{2028}' | '\u{2029}' => '\u{fffd}',
            c if c.is_control() || is_invisible(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// Running text: line ends become `\n`; control and invisible characters are dropped, because a number with a zero-width
/// space inside is that number to whoever reads it, and a database may refuse NUL.
pub(super) fn running(text: &str) -> String {
    // Nearly all text holds nothing to drop; a byte scan finds that out fast. 0xC2 leads C1 controls and the soft hyphen,
    // the others lead the remaining invisible characters.
    let plain = text.bytes().all(|b| match b {
        b'\n' | b'\r' | b'\t' => true,
        0x00..=0x1f | 0x7f | 0xc2 | 0xcd | 0xd8 | 0xe1..=0xe3 | 0xef | 0xf3 => false,
        _ => true,
    });
    if plain {
        return if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() };
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                if chars.peek() == Some(&'\n') {
                    chars.next();
                }
                out.push('\n');
            }
            '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\n' | '\t' => out.push(c),
            '\u{a0}' | '\u{202f}' => out.push(' '),
            c if c.is_control() || is_invisible(c) => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_on_one_line_and_shows_what_was_hidden() {
        assert_eq!(one_line(" a\r\nBcc: v@x.test\u{202e}\u{200b} "), "a\u{fffd}\u{fffd}Bcc: v@x.test\u{fffd}\u{fffd}");
        assert_eq!(one_line("Mette\u{a0}Sørensen\tæ"), "Mette Sørensen æ");
    }

    #[test]
    fn running_text_loses_only_what_nobody_sees() {
        assert_eq!(running("12\u{200b}34\0\u{ad}5\r\n6\r7\u{2028}8\u{a0}9 é € 😀"), "12345\n6\n7\n8 9 é € 😀");
        assert_eq!(running("gewoon"), "gewoon");
    }
}
