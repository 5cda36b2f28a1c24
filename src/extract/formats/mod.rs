//! One file a family of formats: bytes become pieces of text with their places.
//!
//! Pure computing, inside the worker. Every reader says what it could not read; whatever it leaves out without saying so
//! would count as clean.

mod archive;
mod card;
mod csv;
mod html;
mod mail;
mod metafile;
mod office;
mod ole;
mod pdf;
mod picture;
mod rtf;
mod sheet;
mod sniff;
mod sql;
mod text;
mod xml;

use super::protocol::{Answer, MOST_PIECES, Request, Task, Tool};
use crate::parse::document::{Content, Document, Piece, Place, Unreadable};
use mail_parser::Charset;

pub use sniff::sniff;

/// How deep containers may lie in each other (THREATS §1 row 24).
const DEEPEST: usize = 5;
/// How many members all containers of one document may have together.
const MOST_MEMBERS: usize = 2_000;
/// How many bytes all unpacked members of one document may have together.
const MOST_BYTES: u64 = 200 * 1024 * 1024;
/// How many times larger than its packed form a member may be; small ones are free.
const HIGHEST_RATIO: u64 = 200;
/// Up to this size the ratio does not matter: a few hundred kilobytes of blanks do no harm.
const FREE_BYTES: u64 = 1024 * 1024;
/// How many cells and lines are kept.
const MOST_CELLS: usize = 3_000_000;

/// Reads one file.
pub fn read(bytes: &[u8], request: &Request) -> Answer {
    let mut reader = Reader {
        tasks: Vec::new(),
        handed_over: 0,
        pieces: Vec::new(),
        unreadable: None,
        pixels: None,
        path: Vec::new(),
        members: 0,
        bytes: 0,
        cells: 0,
    };
    let hint = Hint::of(request.declared.as_deref(), request.name.as_deref());
    let format = reader.read(bytes, hint);
    let Reader { pieces, unreadable, pixels, tasks, .. } = reader;
    Answer { document: Document { format: format.to_owned(), pieces, unreadable, pixels }, tasks }
}

/// What name and declared type say: it decides between text formats and their charsets only, never whether something is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    csv: bool,
    mail: bool,
    charset: Option<Charset>,
}

impl Hint {
    fn of(declared: Option<&str>, name: Option<&str>) -> Self {
        let extension = name.and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension.to_ascii_lowercase());
        let csv = matches!(extension.as_deref(), Some("csv" | "tsv"))
            || declared.is_some_and(|declared| declared.starts_with("text/csv") || declared.starts_with("text/tab-sep"));
        let mail = extension.as_deref() == Some("eml") || declared.is_some_and(|declared| declared.starts_with("message/"));
        let charset = declared.and_then(|declared| declared.split_once("charset=")).and_then(|(_, label)| text::charset(label));
        Self { csv, mail, charset }
    }
}

/// What has been read so far, and what is left of the limits.
pub struct Reader {
    pieces: Vec<Piece>,
    tasks: Vec<Task>,
    /// Bytes of all tasks.
    handed_over: usize,
    unreadable: Option<Unreadable>,
    pixels: Option<(u32, u32)>,
    path: Vec<u32>,
    members: usize,
    bytes: u64,
    cells: usize,
}

impl Reader {
    /// Reads a file or a member of one; says what it is.
    fn read(&mut self, bytes: &[u8], hint: Hint) -> &'static str {
        let mut format = sniff(bytes);
        match format {
            "pdf" => pdf::read(self, bytes),
            "png" | "jpg" | "gif" | "bmp" | "tiff" | "webp" => picture::read(self, bytes),
            "emf" | "wmf" | "svm" => metafile::read(self, bytes),
            "7z" => archive::seven(self, bytes),
            "tar" => archive::tar(self, bytes),
            "gz" | "bz2" | "xz" => archive::stream(self, bytes, format),
            "rtf" => rtf::read(self, bytes),
            "tnef" => mail::winmail(self, bytes),
            // What these are, only their readers know.
            "zip" => return office::read(self, bytes),
            "ole" => format = ole::read(self, bytes),
            "" => match text::decode_as(hint.charset, bytes) {
                Some(text) => format = text::read(self, &text, hint),
                None => {
                    self.fail(Unreadable::UnknownFormat);
                    format = "unknown";
                }
            },
            _ => self.fail(Unreadable::UnknownFormat),
        }
        // A file that is also a zip shows another face to another program (THREATS §1 row 32): both are read. A zip at the end of an
        // archive may be a member of it, and has been read as that.
        if !matches!(format, "7z" | "tar" | "gz" | "bz2" | "xz") && archive::ends_as_zip(bytes) {
            self.pixels = None;
            archive::zip(self, bytes);
        }
        format
    }

    /// Not everything could be read; the first reason stays.
    fn fail(&mut self, reason: Unreadable) {
        self.unreadable.get_or_insert(reason);
    }

    fn place(&self, part: &str, number: u32) -> Place {
        Place { part: part.to_owned(), number, path: self.path.clone() }
    }

    fn lines(&mut self, part: &str, number: u32, lines: Vec<String>) {
        self.cells += lines.len();
        if self.cells > MOST_CELLS {
            return self.fail(Unreadable::TooLarge);
        }
        if lines.iter().any(|line| !line.trim().is_empty()) {
            let place = self.place(part, number);
            self.pieces.push(Piece { place, content: Content::Lines(lines) });
        }
    }

    fn table(&mut self, part: &str, number: u32, rows: Vec<Vec<String>>) {
        self.cells += rows.iter().map(Vec::len).sum::<usize>();
        if self.cells > MOST_CELLS {
            return self.fail(Unreadable::TooLarge);
        }
        if !rows.is_empty() {
            let place = self.place(part, number);
            self.pieces.push(Piece { place, content: Content::Table(rows) });
        }
    }

    fn task(&mut self, tool: Tool, part: &str, bytes: Vec<u8>) {
        self.handed_over = self.handed_over.saturating_add(bytes.len());
        if self.handed_over > MOST_PIECES {
            return self.fail(Unreadable::TooLarge);
        }
        let place = self.place(part, 0);
        self.tasks.push(Task { tool, place, bytes });
    }

    /// Counts a member that is about to be read; `None` when there are too many or it lies too deep.
    fn enter(&mut self, number: u32) -> Option<()> {
        self.members += 1;
        if self.members > MOST_MEMBERS {
            self.fail(Unreadable::TooLarge);
            return None;
        }
        if self.path.len() >= DEEPEST {
            self.fail(Unreadable::TooDeep);
            return None;
        }
        self.path.push(number);
        Some(())
    }

    /// Reads a member of a container, with its name.
    fn member(&mut self, number: u32, name: Option<&str>, bytes: &[u8]) {
        self.member_as(number, Hint::of(None, name), name, bytes);
    }

    /// The same, where something more is known of it.
    fn member_as(&mut self, number: u32, hint: Hint, name: Option<&str>, bytes: &[u8]) {
        if let Some(name) = name.filter(|name| !name.trim().is_empty()) {
            self.lines("member-name", number, vec![name.to_owned()]);
        }
        if self.enter(number).is_some() {
            self.read(bytes, hint);
            self.path.pop();
        }
    }

    /// Bytes behind a file's own end are a file of their own, unless they are padding, a few that a program left over, or what telephones note of a
    /// photograph: of those only words are read.
    fn appended(&mut self, behind: &[u8]) {
        /// In bytes: what some programs leave over; nothing packed is shorter.
        const LONGEST_REST: usize = 24;
        const LONGEST_NOTE: usize = 4096;
        let is_blank = |byte: &u8| *byte == 0 || byte.is_ascii_whitespace();
        let start = behind.iter().position(|byte| !is_blank(byte)).unwrap_or(behind.len());
        let end = behind.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
        let (said, behind) = (behind.get(start..end).unwrap_or(&[]), behind.get(start..).unwrap_or(&[]));
        let is_padding = said.iter().all(|byte| Some(byte) == said.first());
        if is_padding || said.len() <= LONGEST_REST || said.ends_with(b"SEFT") && said.len() <= LONGEST_NOTE {
            return self.lines("metadata", 2, text::runs(said));
        }
        // However small a picture is, this is more than a picture.
        self.pixels = None;
        self.member(1, None, behind);
    }

    /// Unpacks a stream within the limits; `None` (and the reason is kept) when it breaks or grows beyond them.
    fn unpack(&mut self, packed: u64, from: impl std::io::Read) -> Option<Vec<u8>> {
        use std::io::Read;
        let left = MOST_BYTES.saturating_sub(self.bytes);
        let most = left.min(packed.saturating_mul(HIGHEST_RATIO).max(FREE_BYTES));
        let mut bytes = Vec::new();
        let read = from.take(most + 1).read_to_end(&mut bytes);
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(length);
        if length > most {
            self.fail(Unreadable::TooLarge);
            return None;
        }
        if read.is_err() {
            self.fail(Unreadable::Damaged);
            return None;
        }
        Some(bytes)
    }
}
