//! Rich text: what is written, with cells and paragraphs, and the pictures and objects that are pasted in.

use super::{Reader, ole};
use crate::parse::document::Unreadable;
use encoding_rs::{Encoding, MACINTOSH, WINDOWS_1252};

/// Reads a whole document.
pub fn read(reader: &mut Reader, bytes: &[u8]) {
    let mut parsed = Parsed::new();
    parsed.parse(bytes);
    if parsed.groups.len() != 1 {
        reader.fail(Unreadable::Damaged);
    }
    reader.lines("text", 1, parsed.text.lines().map(str::to_owned).collect());
    reader.lines("metadata", 1, parsed.beside.lines().map(str::to_owned).collect());
    let mut number = 0;
    for picture in parsed.pictures {
        number += 1;
        reader.member(number, None, &picture);
    }
    for object in parsed.objects {
        number += 1;
        match native(&object) {
            Some((b"Package", data)) => ole::packaged(reader, &[&[0; 4], data].concat()),
            Some((_, data)) => reader.member(number, None, data),
            // A link to a file elsewhere.
            None => reader.fail(Unreadable::UnknownFormat),
        }
    }
}

/// Class and data of an embedded object (MS-OLEDS 2.2.5).
fn native(object: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = |at: usize| {
        let four: [u8; 4] = object.get(at..at.checked_add(4)?)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(four)).ok()
    };
    let embedded = length(4)? == 2;
    let class = length(8)?;
    let name = object.get(12..12_usize.checked_add(class)?)?;
    let topic = 12 + class;
    let item = topic.checked_add(4)?.checked_add(length(topic)?)?;
    let data = item.checked_add(4)?.checked_add(length(item)?)?;
    let content = object.get(data + 4..(data + 4).checked_add(length(data)?)?)?;
    embedded.then_some((name.strip_suffix(b"\0").unwrap_or(name), content))
}

/// Where the characters of a group go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Destination {
    Text,
    /// Names of fonts, styles and the like: no text, but in a damaged file text may have come to stand among them.
    Beside,
    /// Measures and digits of bytes.
    Hidden,
    Picture,
    Object,
    /// The name of a shape's property, which says whether its value is words.
    Name,
}

#[derive(Clone, Copy)]
struct Group {
    to: Destination,
    /// A text of its own: a header, a comment, a property.
    apart: bool,
}

struct Parsed {
    text: String,
    beside: String,
    pictures: Vec<Vec<u8>>,
    objects: Vec<Vec<u8>>,
    groups: Vec<Group>,
    encoding: &'static Encoding,
    hexadecimal: String,
    /// Pixels that stand as they are (`\bin`).
    binary: Vec<u8>,
    name: String,
    /// How many characters stand after a Unicode one for readers that know none, and how many of them are still to come.
    stand_ins: usize,
    skip: usize,
}

impl Parsed {
    fn new() -> Self {
        Self {
            text: String::new(),
            beside: String::new(),
            pictures: Vec::new(),
            objects: Vec::new(),
            groups: vec![Group { to: Destination::Text, apart: false }],
            encoding: WINDOWS_1252,
            hexadecimal: String::new(),
            binary: Vec::new(),
            name: String::new(),
            stand_ins: 1,
            skip: 0,
        }
    }

    fn here(&self) -> Destination {
        self.groups.last().map_or(Destination::Text, |group| group.to)
    }

    fn parse(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            at += 1;
            match byte {
                b'{' => self.groups.push(Group { to: self.here(), apart: false }),
                b'}' => {
                    if !self.end_group() {
                        // One brace too many: a reader may go on or stop, so the rest counts as it stands.
                        let rest = String::from_utf8_lossy(bytes.get(at..).unwrap_or(&[])).into_owned();
                        self.text.push_str(&rest);
                        return;
                    }
                }
                b'\\' => at = self.control(bytes, at),
                b'\r' | b'\n' => {}
                byte => self.character(*byte),
            }
        }
    }

    /// Ends a group; `false` when there was none but the document.
    fn end_group(&mut self) -> bool {
        if self.groups.len() < 2 {
            return false;
        }
        let Some(ended) = self.groups.pop() else { return false };
        if ended.apart {
            self.text.push('\n');
        }
        if ended.to == Destination::Beside {
            self.beside.push('\n');
        }
        if ended.to != self.here() {
            match ended.to {
                Destination::Picture => {
                    let binary = std::mem::take(&mut self.binary);
                    let picture = from_hexadecimal(&std::mem::take(&mut self.hexadecimal));
                    self.pictures.push(if binary.is_empty() { picture } else { binary });
                }
                Destination::Object => self.objects.push(from_hexadecimal(&std::mem::take(&mut self.hexadecimal))),
                _ => {}
            }
        }
        true
    }

    fn character(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        match self.here() {
            Destination::Text => self.text.push_str(&self.encoding.decode_without_bom_handling(&[byte]).0),
            Destination::Picture | Destination::Object => self.hexadecimal.push(char::from(byte)),
            Destination::Beside => self.beside.push(char::from(byte)),
            Destination::Name => self.name.push(char::from(byte)),
            Destination::Hidden => {}
        }
    }

    /// A control word or symbol after its backslash; says where it ends.
    fn control(&mut self, bytes: &[u8], at: usize) -> usize {
        let Some(first) = bytes.get(at) else { return at };
        if *first == b'\'' {
            let digits = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
            if let Some(code) = digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
                self.character(code);
            }
            return at + 3;
        }
        if !first.is_ascii_alphabetic() {
            match first {
                b'\\' | b'{' | b'}' => self.character(*first),
                b'~' => self.character(b' '),
                b'_' => self.character(b'-'),
                b'\n' | b'\r' => self.say("\n"),
                _ => {}
            }
            return at + 1;
        }
        let run = |from: usize, belongs: fn(&u8) -> bool| {
            let rest = bytes.get(from..).unwrap_or(&[]);
            rest.get(..rest.iter().position(|byte| !belongs(byte)).unwrap_or(rest.len())).unwrap_or(&[])
        };
        let word = run(at, u8::is_ascii_alphabetic);
        let mut end = at + word.len();
        let minus = bytes.get(end) == Some(&b'-');
        let digits = run(end + usize::from(minus), u8::is_ascii_digit);
        end += usize::from(minus) + digits.len();
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<i64>().ok()).map(|n| if minus { -n } else { n });
        end += usize::from(bytes.get(end) == Some(&b' '));
        let word = std::str::from_utf8(word).unwrap_or("");
        if word == "bin" {
            let length = number.and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
            let content = bytes.get(end..end.saturating_add(length)).unwrap_or(&[]);
            if self.here() == Destination::Picture {
                self.binary.extend_from_slice(content);
            }
            return end.saturating_add(length);
        }
        self.word(word, number);
        end
    }

    fn word(&mut self, word: &str, number: Option<i64>) {
        match word {
            "fonttbl" | "colortbl" | "stylesheet" | "listtable" | "listoverridetable" | "latentstyles" | "generator" | "rsidtbl"
            | "xmlnstbl" | "pgdsctbl" | "pntxta" | "pntxtb" | "wgrffmtfilter" | "bkmkstart" | "bkmkend" | "objclass" => {
                self.lead(Destination::Beside)
            }
            "themedata" | "colorschememapping" | "datastore" | "datafield" | "blipuid" | "picprop" | "nonshppict" => {
                self.lead(Destination::Hidden);
            }
            "pict" => self.lead(Destination::Picture),
            "objdata" => self.lead(Destination::Object),
            // Of the properties of shapes and pictures only descriptions, names and drawn words; all others are measures.
            "sn" => {
                self.name.clear();
                self.become_group(Group { to: Destination::Name, apart: false });
            }
            "sv" if self.name.starts_with("wz") || self.name.starts_with("gtext") => {
                self.become_group(Group { to: Destination::Text, apart: true })
            }
            "sv" => self.lead(Destination::Hidden),
            "header" | "headerl" | "headerr" | "headerf" | "footer" | "footerl" | "footerr" | "footerf" | "footnote" | "annotation"
            | "atnauthor" | "shptxt" | "result" | "fldinst" | "title" | "subject" | "author" | "manager" | "company" | "operator"
            | "category" | "keywords" | "comment" | "doccomm" | "hlinkbase" | "propname" | "staticval" | "docvar" | "revtbl" => {
                self.lead_apart()
            }
            "ansicpg" => {
                self.encoding = number.and_then(|page| Encoding::for_label(format!("windows-{page}").as_bytes())).unwrap_or(WINDOWS_1252)
            }
            "mac" => self.encoding = MACINTOSH,
            "uc" => self.stand_ins = number.and_then(|count| usize::try_from(count).ok()).unwrap_or(1),
            "u" => {
                let code = number.map(|code| if code < 0 { code + 65_536 } else { code }).and_then(|code| u32::try_from(code).ok());
                self.say(code.and_then(char::from_u32).unwrap_or('\u{fffd}').encode_utf8(&mut [0; 4]));
                self.skip = self.stand_ins;
            }
            "par" | "line" | "row" | "nestrow" | "sect" | "page" | "column" => self.say("\n"),
            "tab" | "cell" | "nestcell" => self.say("\t"),
            "emdash" | "endash" => self.say("-"),
            _ => {}
        }
    }

    fn say(&mut self, words: &str) {
        if self.here() == Destination::Text {
            self.text.push_str(words);
        }
    }

    /// What stands in this group goes there; within what is hidden it stays hidden.
    fn lead(&mut self, to: Destination) {
        if self.here() != Destination::Hidden {
            self.become_group(Group { to, apart: false });
        }
    }

    fn lead_apart(&mut self) {
        if self.here() != Destination::Hidden {
            self.become_group(Group { to: Destination::Text, apart: true });
        }
    }

    fn become_group(&mut self, group: Group) {
        if let Some(last) = self.groups.last_mut() {
            *last = group;
        }
        if group.apart {
            self.text.push('\n');
        }
    }
}

fn from_hexadecimal(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.chars().filter_map(|c| c.to_digit(16)).filter_map(|digit| u8::try_from(digit).ok()).collect();
    digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
}
