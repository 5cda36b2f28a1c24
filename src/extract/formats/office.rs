//! Zip files with a meaning: OOXML (docx, xlsx, pptx) and ODF (odt, ods, odp); every other zip is an archive.
//!
//! Every XML part is read, so that headers, footers, notes, comments, text boxes and deleted text are; pictures and
//! embedded files are read like members.

use super::{Reader, archive, sheet, xml};
use crate::parse::document::Unreadable;
use quick_xml::Reader as Parser;
use quick_xml::events::Event;
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
    let format = what(&mut zip);
    if format == "zip" {
        archive::zip_members(reader, &mut zip);
    } else {
        if matches!(format, "xlsx" | "xlsb" | "ods") {
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
enum Part {
    Document,
    Properties,
    Embedded,
    Nothing,
}

fn part(name: &str, format: &str) -> Part {
    let file = name.rsplit('/').next().unwrap_or(name);
    let pictures = name.contains("media/") || name.starts_with("Pictures/");
    if name.contains("embeddings/") || pictures {
        return Part::Embedded;
    }
    // How things look, not what they say.
    const LOOKS: [&str; 10] = [
        "styles.xml",
        "fontTable.xml",
        "settings.xml",
        "webSettings.xml",
        "numbering.xml",
        "[Content_Types].xml",
        "manifest.xml",
        "manifest.rdf",
        "tableStyles.xml",
        "calcChain.xml",
    ];
    if LOOKS.contains(&file)
        || name.contains("theme/")
        || name.contains("Layouts/")
        || name.contains("slideMasters/")
        || name.starts_with("Configurations2/")
    {
        return Part::Nothing;
    }
    // Cells are read with their rows and columns by the sheet reader.
    let sheets = format.starts_with("xls")
        && (name.starts_with("xl/worksheets/sheet") || file == "sharedStrings.xml" || file == "workbook.xml")
        || format == "ods" && name == "content.xml";
    if sheets {
        return Part::Nothing;
    }
    match file.rsplit_once('.').map(|(_, extension)| extension) {
        Some("xml")
            if name.starts_with("docProps/") || name.contains("pivotCache") || name.starts_with("customXml/") || file == "meta.xml" =>
        {
            Part::Properties
        }
        Some("xml" | "vml") => Part::Document,
        Some("rels") => Part::Properties,
        Some(
            "png" | "jpg" | "jpeg" | "gif" | "bmp" | "tif" | "tiff" | "pdf" | "docx" | "xlsx" | "txt" | "csv" | "html" | "htm" | "mht"
            | "eml" | "rtf",
        ) => Part::Embedded,
        _ => Part::Nothing,
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
        let manifest = name == "META-INF/manifest.xml";
        if matches!(kind, Part::Nothing) && !manifest {
            continue;
        }
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let unpacked = match zip.by_index(index) {
            Ok(member) => reader.unpack(packed, member),
            Err(_) => return reader.fail(Unreadable::Damaged),
        };
        let Some(bytes) = unpacked else { return };
        if manifest {
            if bytes.windows(15).any(|window| window == b"encryption-data") {
                return reader.fail(Unreadable::Encrypted);
            }
            continue;
        }
        match kind {
            Part::Embedded if name.ends_with(".emf") || name.ends_with(".wmf") => reader.lines("picture", number, metafile(&bytes)),
            Part::Embedded => reader.member(number, None, &bytes),
            Part::Properties | Part::Document => match super::text::decode(&bytes) {
                Some(text) if matches!(kind, Part::Document) => document(reader, &text, label(&name), number),
                Some(text) => {
                    xml::read(reader, &text);
                }
                None => reader.fail(Unreadable::Damaged),
            },
            Part::Nothing => {}
        }
    }
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
fn document(reader: &mut Reader, text: &str, part: &str, number: u32) {
    let mut parser = Parser::from_str(text);
    let mut page = Page::default();
    loop {
        match parser.read_event() {
            Ok(Event::Start(start)) => {
                page.described(&start);
                page.open(start.local_name().into_inner());
            }
            Ok(Event::Empty(start)) => {
                page.described(&start);
                page.open(start.local_name().into_inner());
                page.close(start.local_name().into_inner());
            }
            Ok(Event::End(end)) => page.close(end.local_name().into_inner()),
            Ok(Event::Text(words)) => page.line.push_str(&words.xml10_content()),
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
    reader.lines(part, number, page.lines);
    for (table, nth) in page.tables.into_iter().zip(1..) {
        reader.table("table", nth, table);
    }
}

#[derive(Default)]
struct Page {
    lines: Vec<String>,
    line: String,
    /// Open tables, the innermost last: finished rows, the row at work, and from which line on the cell at work began.
    open: Vec<(Vec<Vec<String>>, Vec<String>, usize)>,
    tables: Vec<Vec<Vec<String>>>,
}

impl Page {
    fn open(&mut self, name: &str) {
        match name {
            "tbl" | "table" => {
                self.end_line();
                self.open.push((Vec::new(), Vec::new(), self.lines.len()));
            }
            "tc" | "table-cell" => {
                self.end_line();
                let from = self.lines.len();
                if let Some((_, _, start)) = self.open.last_mut() {
                    *start = from;
                }
            }
            "br" | "cr" | "line-break" => self.end_line(),
            "tab" => self.line.push('\t'),
            "s" => self.line.push(' '),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "p" | "h" | "comment" | "annotation" | "sdt" => self.end_line(),
            "tc" | "table-cell" => {
                self.end_line();
                if let Some((_, row, start)) = self.open.last_mut() {
                    let cell = self.lines.get(*start..).unwrap_or(&[]).join(" ");
                    row.push(cell);
                }
            }
            "tr" | "table-row" => {
                if let Some((rows, row, _)) = self.open.last_mut() {
                    rows.push(std::mem::take(row));
                }
            }
            "tbl" | "table" => {
                if let Some((rows, _, _)) = self.open.pop() {
                    self.tables.push(rows);
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

    /// What a picture or a field is said to show.
    fn described(&mut self, start: &quick_xml::events::BytesStart<'_>) {
        for attribute in start.attributes().flatten() {
            if matches!(attribute.key.local_name().into_inner(), "descr" | "title" | "alt" | "author" | "creator" | "string-value") {
                let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap_or_default();
                if !value.trim().is_empty() {
                    self.lines.push(value.into_owned());
                }
            }
        }
    }
}

/// The text records of an enhanced metafile (MS-EMF 2.3.5.8, EMR_EXTTEXTOUTW).
fn metafile(bytes: &[u8]) -> Vec<String> {
    let word = |at: usize| {
        bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes).and_then(|value| usize::try_from(value).ok())
    };
    let (mut lines, mut at) = (Vec::new(), 0);
    while let (Some(kind), Some(size)) = (word(at), word(at + 4)) {
        if size < 8 {
            break;
        }
        if let (84, Some(count), Some(offset)) = (kind, word(at + 44), word(at + 48)) {
            let units: Vec<u16> = bytes
                .get(at + offset..)
                .unwrap_or(&[])
                .chunks_exact(2)
                .take(count.min(size / 2))
                .map(|pair| pair.iter().rev().fold(0, |unit, byte| unit << 8 | u16::from(*byte)))
                .collect();
            lines.push(String::from_utf16_lossy(&units));
        }
        at += size;
    }
    lines
}
