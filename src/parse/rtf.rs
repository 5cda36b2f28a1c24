//! Rich text as Outlook puts it into winmail.dat: compressed (MS-OXRTFCP), and often HTML in disguise (MS-OXRTFEX).

use super::charset;

/// The dictionary that both sides begin with (MS-OXRTFCP 2.1.2.1).
const DICTIONARY: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const WINDOW: usize = 4_096;
/// Real texts compress by a factor below ten; the format allows about eight per byte of a run. In bytes.
const MOST: usize = 16 * 1024 * 1024;

/// Decompresses PidTagRtfCompressed; `None` when broken or beyond the limit.
pub(super) fn decompress(bytes: &[u8]) -> Option<Vec<u8>> {
    let word = |at: usize| bytes.get(at..at + 4).and_then(|w| <[u8; 4]>::try_from(w).ok()).map(u32::from_le_bytes);
    let raw_size = usize::try_from(word(4)?).ok()?;
    let body = bytes.get(16..)?;
    match &word(8)?.to_le_bytes() {
        b"MELA" => return body.get(..raw_size.min(body.len())).map(<[u8]>::to_vec),
        b"LZFu" => {}
        _ => return None,
    }
    let mut out = Vec::with_capacity(raw_size.min(MOST));
    let mut window = [b' '; WINDOW];
    for (slot, byte) in window.iter_mut().zip(DICTIONARY) {
        *slot = *byte;
    }
    let mut write = DICTIONARY.len();
    let mut put = |byte: u8, out: &mut Vec<u8>, window: &mut [u8; WINDOW]| {
        out.push(byte);
        if let Some(slot) = window.get_mut(write % WINDOW) {
            *slot = byte;
        }
        write += 1;
        write % WINDOW
    };
    let mut position = DICTIONARY.len();
    let mut input = body.iter().copied();
    'outer: while let Some(control) = input.next() {
        for bit in 0..8 {
            if out.len() > MOST {
                return None;
            }
            if control & (1 << bit) == 0 {
                let Some(byte) = input.next() else { break 'outer };
                position = put(byte, &mut out, &mut window);
                continue;
            }
            let (Some(high), Some(low)) = (input.next(), input.next()) else { break 'outer };
            let reference = usize::from(u16::from_be_bytes([high, low]));
            let (offset, length) = (reference >> 4, (reference & 0xf) + 2);
            if offset == position {
                break 'outer;
            }
            for i in 0..length {
                let byte = window.get((offset + i) % WINDOW).copied().unwrap_or(b' ');
                position = put(byte, &mut out, &mut window);
            }
        }
    }
    Some(out)
}

/// The visible text of an RTF document, in one pass.
pub(super) fn text(rtf: &[u8]) -> String {
    let mut reader = Reader { out: String::new(), raw: Vec::new(), skip_after_unicode: 1, ..Reader::default() };
    let mut at = 0;
    while let Some(byte) = rtf.get(at).copied() {
        at += 1;
        match byte {
            b'{' => reader.open(),
            b'}' => reader.close(),
            b'\\' => at = reader.control(rtf, at),
            b'\r' | b'\n' => {}
            byte => reader.byte(byte),
        }
    }
    reader.flush();
    reader.out
}

#[derive(Default)]
struct Reader {
    out: String,
    /// Bytes that wait for their charset.
    raw: Vec<u8>,
    depth: usize,
    /// The depth at which a destination that is not shown began.
    hidden_since: Option<usize>,
    code_page: Option<String>,
    skip_after_unicode: usize,
    skip: usize,
}

impl Reader {
    fn open(&mut self) {
        self.flush();
        self.depth += 1;
    }

    fn close(&mut self) {
        self.flush();
        if self.hidden_since == Some(self.depth) {
            self.hidden_since = None;
        }
        self.depth = self.depth.saturating_sub(1);
        self.skip = 0;
    }

    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.hidden_since.is_none() {
            self.raw.push(byte);
        }
    }

    fn flush(&mut self) {
        if !self.raw.is_empty() {
            let bytes = std::mem::take(&mut self.raw);
            self.out.push_str(&charset::decode(self.code_page.as_deref().or(Some("windows-1252")), &bytes).text);
        }
    }

    fn show(&mut self, c: char) {
        if self.hidden_since.is_none() {
            self.flush();
            self.out.push(c);
        }
    }

    /// Reads a control word or symbol whose backslash is taken; gives where to go on.
    fn control(&mut self, rtf: &[u8], at: usize) -> usize {
        let Some(first) = rtf.get(at).copied() else { return at };
        if !first.is_ascii_alphabetic() {
            match first {
                b'\'' => {
                    let hex =
                        rtf.get(at + 1..at + 3).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
                    if let Some(byte) = hex {
                        self.byte(byte);
                    }
                    return at + 3;
                }
                b'*' => {
                    self.hidden_since.get_or_insert(self.depth);
                }
                b'~' => self.show(' '),
                b'_' => self.show('-'),
                b'\\' | b'{' | b'}' => self.byte(first),
                b'\r' | b'\n' => self.show('\n'),
                _ => {}
            }
            return at + 1;
        }
        let from =
            |start: usize, keep: fn(&u8) -> bool| rtf.get(start..).unwrap_or_default().iter().take(32).take_while(|b| keep(b)).count();
        let name_end = at + from(at, u8::is_ascii_alphabetic);
        let number_end = name_end + from(name_end, |b| b.is_ascii_digit() || *b == b'-');
        let name = rtf.get(at..name_end).unwrap_or_default();
        let number: Option<i32> = rtf.get(name_end..number_end).and_then(|n| std::str::from_utf8(n).ok()).and_then(|n| n.parse().ok());
        match name {
            b"par" | b"line" | b"row" | b"sect" | b"page" => self.show('\n'),
            b"tab" | b"cell" | b"nestcell" => self.show('\t'),
            b"u" => {
                // Negative numbers are those above 32767 (RTF 1.9.1, \uN).
                let code = number.and_then(|n| u32::try_from(if n < 0 { n + 65_536 } else { n }).ok());
                self.show(code.and_then(char::from_u32).unwrap_or('\u{fffd}'));
                self.skip = self.skip_after_unicode;
            }
            b"uc" => self.skip_after_unicode = number.and_then(|n| usize::try_from(n).ok()).unwrap_or(1).min(8),
            b"ansicpg" => self.code_page = number.map(|n| format!("windows-{n}")),
            b"fonttbl" | b"colortbl" | b"stylesheet" | b"info" | b"pict" | b"object" | b"generator" | b"themedata" => {
                self.hidden_since.get_or_insert(self.depth);
            }
            b"emdash" => self.show('—'),
            b"endash" => self.show('–'),
            b"lquote" | b"rquote" => self.show('\''),
            b"ldblquote" | b"rdblquote" => self.show('"'),
            b"bullet" => self.show('-'),
            _ => {}
        }
        number_end + usize::from(rtf.get(number_end) == Some(&b' '))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_document() {
        let rtf = br"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\*\generator x;}\pard Beste S\'f8ren,\par 12\b 34\b0 5\tab 6\u8364?\par {\pict 0102}\{\}}";
        assert_eq!(text(rtf), "Beste Søren,\n12345\t6€\n{}");
        assert_eq!(text(&b"{\\rtf1 ".repeat(50_000)), "");
    }

    #[test]
    fn the_example_of_the_specification_decompresses() {
        // MS-OXRTFCP 3.1.1.
        let compressed = [
            0x2d, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0x00, 0x0a, 0x00, 0x72,
            0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09, 0x00, 0x20, 0x62, 0x77, 0x05, 0xb0,
            0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
        ];
        let rtf = decompress(&compressed).unwrap();
        assert_eq!(rtf, b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        assert_eq!(text(&rtf), "hello world");
    }
}
