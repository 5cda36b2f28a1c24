//! winmail.dat: the Transport Neutral Encapsulation Format of Outlook and Exchange (MS-OXTNEF).

use super::{charset, rtf};

/// A file inside.
#[derive(Default)]
pub(super) struct File {
    /// The long name where there is one.
    pub name: Option<String>,
    /// The declared media type, where there is one.
    pub declared: Option<String>,
    pub bytes: Vec<u8>,
}

/// What a winmail.dat holds.
#[derive(Default)]
pub(super) struct Contents {
    pub files: Vec<File>,
    /// Plain text bodies: the mail's, and those of mails embedded in it.
    pub texts: Vec<String>,
    /// HTML bodies, undecoded.
    pub htmls: Vec<Vec<u8>>,
    /// Subjects, names and other short texts beside them.
    pub beside: Vec<String>,
    /// The stream breaks off, is malformed or too deep.
    pub damaged: bool,
}

const SIGNATURE: [u8; 4] = [0x78, 0x9f, 0x3e, 0x22];
/// Mails embedded in mails; Outlook itself rarely goes beyond two.
const MOST_DEPTH: usize = 4;
/// Files in one stream.
const MOST_FILES: usize = 1_000;

/// Whether the bytes are such a stream.
pub(super) fn is_tnef(bytes: &[u8]) -> bool {
    bytes.starts_with(&SIGNATURE)
}

/// Reads a stream as far as it goes.
pub(super) fn read(bytes: &[u8]) -> Contents {
    let mut contents = Contents::default();
    stream(bytes, 0, &mut contents);
    contents
}

/// Attribute ids (MS-OXTNEF 2.1.3.2), without their type.
mod attribute {
    pub const SUBJECT: u16 = 0x8004;
    pub const BODY: u16 = 0x800c;
    pub const ATTACH_DATA: u16 = 0x800f;
    pub const ATTACH_TITLE: u16 = 0x8010;
    pub const ATTACH_REND_DATA: u16 = 0x9002;
    pub const MAPI_PROPS: u16 = 0x9003;
    pub const ATTACHMENT: u16 = 0x9005;
    pub const OEM_CODEPAGE: u16 = 0x9007;
}

/// Property ids (MS-OXPROPS).
mod property {
    pub const SUBJECT: u16 = 0x0037;
    pub const BODY: u16 = 0x1000;
    pub const RTF_COMPRESSED: u16 = 0x1009;
    pub const HTML: u16 = 0x1013;
    pub const DISPLAY_NAME: u16 = 0x3001;
    pub const ATTACH_DATA: u16 = 0x3701;
    pub const ATTACH_FILENAME: u16 = 0x3704;
    pub const ATTACH_LONG_FILENAME: u16 = 0x3707;
    pub const ATTACH_MIME_TAG: u16 = 0x370e;
}

/// Reads little-endian numbers and stretches from the front.
struct Cursor<'b>(&'b [u8]);

impl<'b> Cursor<'b> {
    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?).ok()
    }

    /// A stretch padded to a multiple of four.
    fn padded(&mut self, length: usize) -> Option<&'b [u8]> {
        let taken = self.take(length)?;
        let _padding = self.take(length.wrapping_neg() % 4).or_else(|| self.take(self.0.len()));
        Some(taken)
    }
}

fn stream(bytes: &[u8], depth: usize, contents: &mut Contents) {
    let complete = attributes(bytes, depth, contents).is_some();
    contents.damaged |= !complete;
}

fn attributes(bytes: &[u8], depth: usize, contents: &mut Contents) -> Option<()> {
    let mut cursor = Cursor(bytes.strip_prefix(&SIGNATURE)?);
    cursor.u16()?; // a key that nothing uses
    let mut code_page = None;
    // Renderings of one body: the best one that is there counts, since the others say the same.
    let mut rtf_body = None;
    let texts_before = contents.texts.len() + contents.htmls.len();
    let first_file = contents.files.len();
    while !cursor.0.is_empty() {
        // Some writers pad the stream.
        if cursor.0.iter().take(16).all(|b| *b == 0) && cursor.0.len() < 16 {
            break;
        }
        cursor.u8()?;
        let id = cursor.u16()?;
        cursor.u16()?; // its type
        let length = cursor.length()?;
        let data = cursor.take(length)?;
        cursor.u16()?; // a checksum of no strength
        match id {
            attribute::OEM_CODEPAGE => code_page = Cursor(data).u32().map(|page| format!("windows-{page}")),
            attribute::SUBJECT => contents.beside.push(string8(data, code_page.as_deref())),
            attribute::BODY => contents.texts.push(string8(data, code_page.as_deref())),
            attribute::MAPI_PROPS => {
                for value in properties(data)? {
                    match (value.id, value.bytes) {
                        (property::SUBJECT, bytes) => contents.beside.push(value.text_of(bytes, code_page.as_deref())),
                        (property::BODY, bytes) => contents.texts.push(value.text_of(bytes, code_page.as_deref())),
                        (property::HTML, bytes) => contents.htmls.push(bytes.to_vec()),
                        (property::RTF_COMPRESSED, bytes) => rtf_body = Some(bytes),
                        _ => {}
                    }
                }
            }
            attribute::ATTACH_REND_DATA => {
                if contents.files.len() >= MOST_FILES {
                    return None;
                }
                contents.files.push(File::default());
            }
            attribute::ATTACH_TITLE | attribute::ATTACH_DATA | attribute::ATTACHMENT => {
                if contents.files.len() == first_file {
                    contents.files.push(File::default());
                }
                file_attribute(id, data, code_page.as_deref(), depth, contents)?;
            }
            _ => {}
        }
    }
    if let Some(compressed) = rtf_body
        && contents.texts.len() + contents.htmls.len() == texts_before
    {
        contents.texts.push(rtf::text(&rtf::decompress(compressed)?));
    }
    // An embedded mail leaves a file without bytes behind: its own files and texts stand for it.
    contents.files.retain(|file| file.name.is_some() || !file.bytes.is_empty());
    Some(())
}

fn file_attribute(id: u16, data: &[u8], code_page: Option<&str>, depth: usize, contents: &mut Contents) -> Option<()> {
    let mut embedded = None;
    let mut file = contents.files.pop()?;
    match id {
        attribute::ATTACH_TITLE => {
            file.name.get_or_insert(string8(data, code_page));
        }
        attribute::ATTACH_DATA => file.bytes = data.to_vec(),
        _ => {
            let mut long_name = None;
            for value in properties(data)? {
                match value.id {
                    property::ATTACH_LONG_FILENAME => long_name = Some(value.text_of(value.bytes, code_page)),
                    property::ATTACH_FILENAME => {
                        file.name.get_or_insert_with(|| value.text_of(value.bytes, code_page));
                    }
                    property::DISPLAY_NAME => contents.beside.push(value.text_of(value.bytes, code_page)),
                    property::ATTACH_MIME_TAG => file.declared = Some(value.text_of(value.bytes, code_page).to_ascii_lowercase()),
                    // An object begins with the id of its interface; an embedded mail is a stream of its own.
                    property::ATTACH_DATA if value.is_object => match value.bytes.get(16..).filter(|inner| is_tnef(inner)) {
                        Some(inner) => embedded = Some(inner),
                        None => file.bytes = value.bytes.get(16..).unwrap_or_default().to_vec(),
                    },
                    property::ATTACH_DATA => file.bytes = value.bytes.to_vec(),
                    _ => {}
                }
            }
            file.name = long_name.filter(|name| !name.is_empty()).or(file.name);
        }
    }
    if let Some(inner) = embedded {
        contents.beside.extend(file.name.take());
        if depth >= MOST_DEPTH {
            contents.files.push(file);
            return None;
        }
        stream(inner, depth + 1, contents);
    }
    contents.files.push(file);
    Some(())
}

/// One value of a property.
struct Value<'b> {
    id: u16,
    kind: u16,
    is_object: bool,
    bytes: &'b [u8],
}

impl Value<'_> {
    fn text_of(&self, bytes: &[u8], code_page: Option<&str>) -> String {
        if self.kind == 0x1f {
            let text = charset::decode(Some("utf-16le"), bytes).text;
            text.trim_end_matches('\0').to_owned()
        } else {
            string8(bytes, code_page)
        }
    }
}

fn string8(bytes: &[u8], code_page: Option<&str>) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    charset::decode(code_page, bytes.get(..end).unwrap_or_default()).text
}

/// A list of MAPI properties (MS-OXTNEF 2.1.3.4).
fn properties(data: &[u8]) -> Option<Vec<Value<'_>>> {
    let mut cursor = Cursor(data);
    let count = cursor.u32()?;
    let mut values = Vec::new();
    for _ in 0..count {
        let kind = cursor.u16()?;
        let id = cursor.u16()?;
        if id >= 0x8000 {
            cursor.take(16)?;
            if cursor.u32()? == 0 {
                cursor.u32()?;
            } else {
                let length = cursor.length()?;
                cursor.padded(length)?;
            }
        }
        let base = kind & 0x0fff;
        let fixed = match base {
            0x02 | 0x03 | 0x04 | 0x0a | 0x0b => Some(4),
            0x05 | 0x06 | 0x07 | 0x14 | 0x40 => Some(8),
            0x48 => Some(16),
            0x00 | 0x01 => Some(0),
            _ => None,
        };
        let is_many = kind & 0x1000 != 0;
        let many = match (fixed, is_many) {
            (Some(_), false) => 1,
            _ => cursor.u32()?,
        };
        for _ in 0..many {
            let bytes = match fixed {
                Some(0) => break,
                Some(size) => cursor.take(size)?,
                None => {
                    let length = cursor.length()?;
                    cursor.padded(length)?
                }
            };
            values.push(Value { id, kind: base, is_object: base == 0x0d, bytes });
        }
    }
    Some(values)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn attribute(level: u8, id: u16, data: &[u8]) -> Vec<u8> {
        let mut out = vec![level];
        out.extend(id.to_le_bytes());
        out.extend([6, 0]);
        out.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        out.extend(data);
        out.extend([0, 0]);
        out
    }

    fn unicode(id: u16, text: &str) -> Vec<u8> {
        let utf16: Vec<u8> = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        variable(0x1f, id, &utf16)
    }

    fn variable(kind: u16, id: u16, bytes: &[u8]) -> Vec<u8> {
        let mut out: Vec<u8> = [kind.to_le_bytes(), id.to_le_bytes()].concat();
        out.extend(1u32.to_le_bytes());
        out.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
        out.extend(bytes);
        out.resize(out.len().next_multiple_of(4), 0);
        out
    }

    fn list(values: &[Vec<u8>]) -> Vec<u8> {
        [&u32::try_from(values.len()).unwrap().to_le_bytes()[..], &values.concat()].concat()
    }

    /// A stream with a body, one file and one embedded mail that has a file too.
    pub(in super::super) fn sample() -> Vec<u8> {
        let inner = stream_of(&[
            attribute(1, attribute::MAPI_PROPS, &list(&[unicode(property::BODY, "binnenste tekst")])),
            attribute(2, attribute::ATTACH_REND_DATA, &[0; 14]),
            attribute(2, attribute::ATTACH_TITLE, b"binnen.txt\0"),
            attribute(2, attribute::ATTACH_DATA, b"binnen"),
        ]);
        let object = [&[0u8; 16][..], &inner].concat();
        stream_of(&[
            attribute(1, attribute::OEM_CODEPAGE, &[0xe4, 4, 0, 0, 0, 0, 0, 0]),
            attribute(1, attribute::BODY, b"Beste S\xf8ren\0"),
            attribute(2, attribute::ATTACH_REND_DATA, &[0; 14]),
            attribute(2, attribute::ATTACH_TITLE, b"LIJST~1.CSV\0"),
            attribute(2, attribute::ATTACH_DATA, b"a;b\n"),
            attribute(
                2,
                attribute::ATTACHMENT,
                &list(&[unicode(property::ATTACH_LONG_FILENAME, "lijst inwoners.csv"), unicode(property::ATTACH_MIME_TAG, "text/csv")]),
            ),
            attribute(2, attribute::ATTACH_REND_DATA, &[0; 14]),
            attribute(2, attribute::ATTACHMENT, &list(&[variable(0x0d, property::ATTACH_DATA, &object)])),
        ])
    }

    fn stream_of(attributes: &[Vec<u8>]) -> Vec<u8> {
        [&SIGNATURE[..], &[1, 0], &attributes.concat()].concat()
    }

    #[test]
    fn files_names_and_texts_come_out() {
        let contents = read(&sample());
        assert!(!contents.damaged);
        let files: Vec<_> = contents.files.iter().map(|f| (f.name.as_deref(), f.declared.as_deref(), f.bytes.as_slice())).collect();
        assert_eq!(files, [(Some("lijst inwoners.csv"), Some("text/csv"), &b"a;b\n"[..]), (Some("binnen.txt"), None, b"binnen")]);
        assert_eq!(contents.texts, ["Beste Søren", "binnenste tekst"]);
    }

    #[test]
    fn a_cut_stream_is_damaged() {
        let whole = sample();
        let unnoticed = (0..whole.len()).filter(|length| !read(&whole[..*length]).damaged).count();
        // Between two attributes nothing tells that more was to come.
        assert!(unnoticed <= 9, "{unnoticed}");
    }
}
