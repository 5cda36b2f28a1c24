//! Zip files with a meaning: OOXML (docx, xlsx, pptx) and ODF (odt, ods, odp); every other zip is an archive.
//!
//! Every XML part is read, so that headers, footers, notes, comments, text boxes and deleted text are; pictures and
//! embedded files are read like members.

use super::{Reader, archive, html, sheet, sniff, text, xml};
use crate::parse::document::Unreadable;
use memchr::memmem;
use quick_xml::Reader as Parser;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event};
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// Reads a zip; says what it is.
pub fn read(reader: &mut Reader, bytes: &[u8]) -> &'static str {
    let mut zip = match ZipArchive::new(Cursor::new(bytes)) {
        Ok(zip) => zip,
        Err(_) => {
            reader.fail(Unreadable::Damaged);
            return "zip";
        }
    };
    if archive::hides_bytes(&mut zip, bytes) {
        reader.fail(Unreadable::Damaged);
    }
    let format = what(&mut zip);
    if format == "zip" {
        archive::zip_members(reader, &mut zip);
    } else {
        if matches!(format, "xlsx" | "xlsb") {
            sheet::read(reader, bytes, format);
        }
        parts(reader, &mut zip, format);
    }
    format
}

fn what(zip: &mut ZipArchive<Cursor<&[u8]>>) -> &'static str {
    let has = |name: &str| zip.index_for_name(name).is_some();
    if has("[Content_Types].xml") {
        if has("xl/workbook.bin") {
            return "xlsb";
        }
        let under = |folder: &str| zip.file_names().flatten().any(|name| name.starts_with(folder));
        return match () {
            () if under("word/") => "docx",
            () if under("xl/") => "xlsx",
            () if under("ppt/") => "pptx",
            () => "zip",
        };
    }
    let mut kind = String::new();
    if let Ok(member) = zip.by_name("mimetype") {
        let _ = member.take(100).read_to_string(&mut kind);
    }
    match kind.trim().strip_prefix("application/vnd.oasis.opendocument.") {
        Some(kind) if kind.starts_with("text") => "odt",
        Some(kind) if kind.starts_with("spreadsheet") => "ods",
        Some(kind) if kind.starts_with("presentation") || kind.starts_with("graphics") => "odp",
        _ => "zip",
    }
}

/// How a part of an office file is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Paragraphs and tables.
    Document,
    /// Names and values.
    Properties,
    /// A sheet whose cells the sheet reader reads: what stands beside them.
    Sheet,
    /// Word's settings, of which the variables are content.
    Variables,
    /// A file of its own.
    Embedded,
    /// A binary record of words.
    Binary,
    /// ODF's list of parts, which says whether they are encrypted.
    Manifest,
    /// How things look: nothing to read, unless text has come to stand there.
    Looks,
    /// Pictures of what is read anyway.
    Preview,
    /// A folder: nothing, unless something has come to stand there.
    Folder,
    /// What the reader of sheets reads.
    Nothing,
}

fn part(name: &str, format: &str) -> Part {
    let file = name.rsplit('/').next().unwrap_or(name);
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    let opendocument = format.starts_with("od");
    const LOOKS: [&str; 12] = [
        "fontTable.xml",
        "settings.xml",
        "webSettings.xml",
        "numbering.xml",
        "[Content_Types].xml",
        "manifest.rdf",
        "tableStyles.xml",
        "calcChain.xml",
        "mimetype",
        "layout-cache",
        "sharedStrings.bin",
        "styles.bin",
    ];
    const PREVIEWS: [&str; 5] = ["Thumbnails/", "docProps/thumbnail", "ObjectReplacements/", "Configurations2/", "_xmlsignatures/"];
    match extension.as_str() {
        _ if name == "META-INF/manifest.xml" => Part::Manifest,
        _ if name == "word/settings.xml" => Part::Variables,
        _ if name.ends_with('/') => Part::Folder,
        _ if LOOKS.contains(&file) || name.contains("theme/") => Part::Looks,
        _ if PREVIEWS.iter().any(|folder| name.starts_with(folder)) => Part::Preview,
        // In ODF the pages' headers and footers stand among the styles.
        "xml" if file == "styles.xml" && !opendocument => Part::Looks,
        "xml" if format == "xlsx" && name.starts_with("xl/worksheets/") => Part::Sheet,
        "xml" if format.starts_with("xls") && matches!(file, "sharedStrings.xml" | "workbook.xml") => Part::Nothing,
        "xml" if name.starts_with("docProps/") || name.contains("pivotCache") || name.starts_with("customXml/") || file == "meta.xml" => {
            Part::Properties
        }
        "rels" => Part::Properties,
        "xml" | "vml" => Part::Document,
        "bin" if !name.contains("embeddings/") && file != "vbaProject.bin" => Part::Binary,
        "ttf" | "otf" | "odttf" | "fntdata" => Part::Looks,
        _ => Part::Embedded,
    }
}

fn parts(reader: &mut Reader, zip: &mut ZipArchive<Cursor<&[u8]>>, format: &str) {
    if zip.has_duplicate_names() {
        reader.fail(Unreadable::Damaged);
    }
    for index in 0..zip.len() {
        let Ok((name, packed, encrypted)) = zip
            .by_index_raw(index)
            .map(|member| (String::from_utf8_lossy(member.name_raw()).into_owned(), member.compressed_size(), member.encrypted()))
        else {
            return reader.fail(Unreadable::Damaged);
        };
        if encrypted {
            return reader.fail(Unreadable::Encrypted);
        }
        let kind = part(&name, format);
        if kind == Part::Nothing {
            continue;
        }
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let unpacked = match zip.by_index(index) {
            Ok(member) => reader.unpack(packed, member),
            Err(_) => return reader.fail(Unreadable::Damaged),
        };
        let Some(bytes) = unpacked else { return };
        if kind == Part::Manifest && bytes.windows(15).any(|window| window == b"encryption-data") {
            return reader.fail(Unreadable::Encrypted);
        }
        match kind {
            Part::Folder if bytes.is_empty() => {}
            Part::Embedded | Part::Folder => reader.member(number, None, &bytes),
            Part::Looks if name.ends_with(".xml") && !is_xml(&bytes) => reader.member(number, None, &bytes),
            Part::Binary => reader.lines("text", number, text::runs(&bytes)),
            // Looks and previews that are what they are called say nothing of their own.
            Part::Looks if !TEXT.iter().any(|mark| memmem::find(&bytes, mark).is_some()) => {}
            Part::Preview if matches!(sniff(&bytes), "png" | "jpg" | "svm" | "emf" | "wmf") => {}
            Part::Preview => reader.member(number, None, &bytes),
            Part::Manifest if memmem::find(&bytes, b"<manifest:manifest").is_some() => {}
            Part::Nothing => {}
            _ => match text::decode(&bytes) {
                Some(text) => words(reader, &text, kind, &name, format, number),
                None => reader.fail(Unreadable::Damaged),
            },
        }
    }
}

/// Whether a part begins as XML does, in whatever encoding.
fn is_xml(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0 | 0xef | 0xbb | 0xbf | 0xfe | 0xff)) == Some(&b'<')
}

/// Elements that hold text, in any part of an office file.
const TEXT: [&[u8]; 5] = [b"<w:t>", b"<w:t ", b"<text:p", b"<a:t>", b"<t>"];

fn words(reader: &mut Reader, text: &str, kind: Part, name: &str, format: &str, number: u32) {
    match kind {
        Part::Sheet => beside_cells(reader, text, number),
        Part::Variables => variables(reader, text, number),
        Part::Properties => {
            xml::read(reader, text);
        }
        _ if format == "ods" && name == "content.xml" => document(reader, text, "sheet", number),
        _ => document(reader, text, label(name), number),
    }
}

/// What a sheet says beside the values of its cells: headers and footers, rules of entry, tips of links, and formulas that hold text.
fn beside_cells(reader: &mut Reader, text: &str, number: u32) {
    let mut parser = Parser::from_str(text);
    let (mut lines, mut said, mut in_cells) = (Vec::new(), String::new(), false);
    loop {
        match parser.read_event() {
            Ok(Event::Start(start)) => {
                said.clear();
                if !in_cells {
                    told(&mut lines, &start);
                }
                in_cells |= start.local_name().into_inner() == "sheetData";
            }
            Ok(Event::Empty(start)) if !in_cells => told(&mut lines, &start),
            Ok(Event::Text(words)) => said.push_str(&words.xml10_content()),
            Ok(Event::GeneralRef(reference)) => said.push_str(&xml::resolved(&reference)),
            Ok(Event::End(end)) => {
                let name = end.local_name().into_inner();
                let words = std::mem::take(&mut said);
                if !words.is_empty() && (!in_cells || name == "f" && words.contains('"')) {
                    lines.push(words);
                }
                in_cells &= name != "sheetData";
            }
            Ok(Event::Eof) => break,
            Ok(Event::DocType(_)) | Err(_) => {
                reader.fail(Unreadable::Damaged);
                break;
            }
            Ok(_) => {}
        }
    }
    reader.lines("text", number, lines);
}

/// The variables of a Word document (ISO 29500-1, 17.15.1.33), which fields show.
fn variables(reader: &mut Reader, text: &str, number: u32) {
    let mut parser = Parser::from_str(text);
    let mut lines = Vec::new();
    while text.contains("docVar") {
        match parser.read_event() {
            Ok(Event::Start(start) | Event::Empty(start)) if start.local_name().into_inner() == "docVar" => {
                let values: Vec<String> = start.attributes().flatten().map(|attribute| value(&attribute)).collect();
                lines.push(values.join(": "));
            }
            Ok(Event::Eof) => break,
            Ok(Event::DocType(_)) | Err(_) => {
                reader.fail(Unreadable::Damaged);
                break;
            }
            Ok(_) => {}
        }
    }
    reader.lines("text", number, lines);
}

fn value(attribute: &Attribute<'_>) -> String {
    attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap_or_default().into_owned()
}

/// What attributes say to a person: descriptions of pictures, tips, rules, codes of fields, and where links lead.
fn told(lines: &mut Vec<String>, start: &BytesStart<'_>) {
    const SAID: [&str; 22] = [
        "descr",
        "title",
        "alt",
        "author",
        "creator",
        "string-value",
        "instr",
        "tooltip",
        "display",
        "location",
        "prompt",
        "promptTitle",
        "error",
        "errorTitle",
        "expression",
        "condition",
        "formula",
        "content",
        "description",
        "text",
        "string",
        "stringVal",
    ];
    for attribute in start.attributes().flatten() {
        let name = attribute.key.local_name().into_inner();
        if SAID.contains(&name) {
            lines.extend(Some(value(&attribute)).filter(|value| !value.trim().is_empty()));
        } else if name == "href" || name == "Target" || name == "src" {
            // Only addresses; other parts of the file are read as parts.
            lines.extend(Some(value(&attribute)).filter(|value| value.contains(':')).map(|value| html::words_of_address(&value)));
        }
    }
}

/// Whether XML is a whole office document in one piece: flat OpenDocument, Word 2003, flat OPC.
pub fn is_flat(text: &str) -> bool {
    let start: String = text.chars().take(4_000).collect();
    ["<office:document", "<w:wordDocument", "<pkg:package"].iter().any(|root| start.contains(root))
}

fn label(name: &str) -> &'static str {
    if name.contains("comment") {
        "comment"
    } else if name.contains("header") || name.contains("footer") {
        "header"
    } else if name.contains("notes") {
        "note"
    } else {
        "text"
    }
}

/// Paragraphs as lines and tables as tables, by the local names that OOXML and ODF share in spirit.
pub fn document(reader: &mut Reader, text: &str, part: &str, number: u32) {
    let mut parser = Parser::from_str(text);
    let mut page = Page { in_cells_only: part == "sheet", ..Page::default() };
    loop {
        match parser.read_event() {
            Ok(Event::Start(start)) => {
                told(&mut page.lines, &start);
                page.open(&start);
            }
            Ok(Event::Empty(start)) => {
                told(&mut page.lines, &start);
                page.open(&start);
                page.close(start.local_name().into_inner());
            }
            Ok(Event::End(end)) => page.close(end.local_name().into_inner()),
            Ok(Event::Text(words)) => page.say(&words.xml10_content()),
            Ok(Event::CData(words)) => page.line.push_str(&words.xml10_content()),
            Ok(Event::GeneralRef(reference)) => page.line.push_str(&xml::resolved(&reference)),
            Ok(Event::Eof) => break,
            Ok(Event::DocType(_)) | Err(_) => {
                reader.fail(Unreadable::Damaged);
                break;
            }
            Ok(_) => {}
        }
    }
    page.end_line();
    page.lines.extend(page.aside);
    reader.lines(part, number, page.lines);
    for (table, nth) in page.tables.into_iter().zip(1..) {
        reader.table(if part == "sheet" { "sheet" } else { "table" }, nth, table);
    }
}

/// A table that is being read.
#[derive(Default)]
struct Table {
    rows: Vec<Vec<String>>,
    row: Vec<String>,
    /// From which line on the cell at work began.
    start: usize,
    /// How often the cell stands, and its exact value where what is shown may be rounded or shortened.
    repeated: usize,
    exact: Option<String>,
}

#[derive(Default)]
struct Page {
    lines: Vec<String>,
    line: String,
    /// Open tables, the innermost last.
    open: Vec<Table>,
    tables: Vec<Vec<Vec<String>>>,
    /// From which lines on open comments began, and what finished ones say: it is no part of the cell or paragraph that they hang on.
    notes: Vec<usize>,
    aside: Vec<String>,
    /// What stands in a cell is said by the cell alone. In a letter's table the lines count too: it may be a form.
    in_cells_only: bool,
    /// In an OOXML run of text, where a line break of the file is one of the text: a sheet's comments are written so.
    in_run: bool,
}

impl Page {
    fn say(&mut self, words: &str) {
        if !self.in_run {
            return self.line.push_str(words);
        }
        for (nth, line) in words.split('\n').enumerate() {
            if nth > 0 {
                self.end_line();
            }
            self.line.push_str(line);
        }
    }

    fn open(&mut self, start: &BytesStart<'_>) {
        self.in_run = start.local_name().into_inner() == "t";
        match start.local_name().into_inner() {
            // A text box hangs on a paragraph that has not ended.
            "p" | "h" => self.end_line(),
            "tbl" | "table" => {
                self.end_line();
                // The name of a sheet.
                let name = start.attributes().flatten().find(|attribute| attribute.key.into_inner() == "table:name");
                self.lines.extend(name.map(|name| value(&name)));
                self.open.push(Table { start: self.lines.len(), ..Table::default() });
            }
            "tc" | "table-cell" | "covered-table-cell" => {
                self.end_line();
                let from = self.lines.len();
                if let Some(table) = self.open.last_mut() {
                    (table.start, table.repeated, table.exact) = (from, 1, None);
                    table.describe(start);
                }
            }
            "annotation" => {
                self.end_line();
                self.notes.push(self.lines.len());
            }
            "br" | "cr" | "line-break" => self.end_line(),
            "tab" => self.line.push('\t'),
            "s" => self.line.push(' '),
            "noBreakHyphen" => self.line.push('-'),
            // A character of a font of symbols stands at 0xf000 and its own place (ECMA-376 part 1, 17.3.3.30).
            "sym" => {
                let place = start
                    .attributes()
                    .flatten()
                    .find(|attribute| attribute.key.local_name().into_inner() == "char")
                    .map(|char| value(&char));
                let symbol = place.and_then(|place| u32::from_str_radix(&place, 16).ok()).and_then(|place| char::from_u32(place & 0xfff));
                self.line.extend(symbol);
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        self.in_run = false;
        match name {
            "p" | "h" | "comment" | "sdt" | "text" | "v" | "pt" | "cm" | "threadedComment" | "author" | "formula" | "f" => self.end_line(),
            "annotation" => {
                self.end_line();
                let from = self.notes.pop().unwrap_or(self.lines.len());
                self.aside.extend(self.lines.drain(from.min(self.lines.len())..));
            }
            "tc" | "table-cell" | "covered-table-cell" => {
                self.end_line();
                if let Some(table) = self.open.last_mut() {
                    let shown = self.lines.get(table.start..).unwrap_or(&[]).join(" ");
                    table.row.extend(std::iter::repeat_n(table.exact.take().unwrap_or(shown), table.repeated));
                    if self.in_cells_only {
                        self.lines.truncate(table.start);
                    }
                }
            }
            "tr" | "table-row" => {
                if let Some(table) = self.open.last_mut() {
                    let row = std::mem::take(&mut table.row);
                    if row.iter().any(|cell| !cell.is_empty()) {
                        table.rows.push(row);
                    }
                }
            }
            "tbl" | "table" => {
                if let Some(table) = self.open.pop() {
                    self.tables.push(table.rows);
                }
            }
            _ => {}
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if !line.trim().is_empty() {
            self.lines.push(line);
        }
    }
}

impl Table {
    /// Columns that a file may repeat in one cell; more of them are the emptiness beside a sheet.
    const MOST_REPEATED: usize = 256;

    /// What ODF says of a cell (OpenDocument 1.3 part 3, 19.385 and 19.677).
    fn describe(&mut self, start: &BytesStart<'_>) {
        for attribute in start.attributes().flatten() {
            match attribute.key.local_name().into_inner() {
                "number-columns-repeated" => {
                    self.repeated = value(&attribute).parse().ok().filter(|times| *times <= Self::MOST_REPEATED).unwrap_or(1);
                }
                // 123456782 may be shown as 1,23E+08, and a date as a weekday.
                "value" | "date-value" => self.exact = Some(value(&attribute)),
                _ => {}
            }
        }
    }
}
