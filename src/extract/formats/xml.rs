//! XML: every element with text becomes a line `name: text`, every attribute too; siblings stand together.
//!
//! Rows of cells (SpreadsheetML, flat OpenDocument, tables in reports) become tables too, and a key beside its value
//! (`<key>bsn</key><value>…</value>`) a line of both.

use super::html::{file_in_address, words_of_address};
use super::{Reader, office};
use crate::parse::document::Unreadable;
use crate::parse::fields::{is_key, is_kind, is_vague, is_value, label};
use mail_parser::Encoding;
use quick_xml::Reader as Parser;
use quick_xml::events::{BytesStart, Event};

/// Whether it parses to its end: a text that merely begins with `<` does not.
pub fn is_whole(text: &str) -> bool {
    let mut parser = Parser::from_str(text);
    loop {
        match parser.read_event() {
            Ok(Event::Eof) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

/// Reads a document. A DOCTYPE makes it unreadable (THREATS §1 row 25): nothing is expanded, so something could stay unseen.
pub fn read(reader: &mut Reader, text: &str) -> &'static str {
    let mut parser = Parser::from_str(text);
    let (mut lines, mut names, mut said) = (Vec::new(), Vec::<String>::new(), String::new());
    let (mut grid, mut keys) = (Grid::default(), Keys::default());
    let (mut format, mut files) = ("xml", Vec::new());
    loop {
        match parser.read_event() {
            Ok(Event::Start(start)) => {
                flush(&mut lines, &names, &mut said, &mut grid, &mut keys);
                let name = start.local_name().into_inner().to_owned();
                if names.is_empty() && name == "html" {
                    format = "html";
                }
                let pairs = attributes(&mut lines, &mut files, &start);
                grid.start(&name, &pairs);
                keys.attributes(&mut lines, names.len() + 1, &pairs);
                names.push(name);
            }
            Ok(Event::Empty(start)) => {
                flush(&mut lines, &names, &mut said, &mut grid, &mut keys);
                let pairs = attributes(&mut lines, &mut files, &start);
                let name = start.local_name().into_inner().to_owned();
                grid.start(&name, &pairs);
                grid.end(&name);
                keys.attributes(&mut lines, names.len() + 1, &pairs);
                keys.leave(names.len() + 1);
            }
            Ok(Event::End(_)) => {
                let leaf = !said.trim().is_empty();
                if names.last().is_some_and(|name| BINARY.contains(&name.as_str())) {
                    files.push(Encoding::Base64.decode(std::mem::take(&mut said).as_bytes()).into_owned());
                }
                flush(&mut lines, &names, &mut said, &mut grid, &mut keys);
                keys.leave(names.len());
                if let Some(name) = names.pop() {
                    grid.end(&name);
                }
                if !leaf {
                    lines.push(String::new());
                }
            }
            Ok(Event::Text(words)) => said.push_str(&words.xml10_content()),
            Ok(Event::CData(words)) => said.push_str(&words.xml10_content()),
            Ok(Event::Comment(words)) => lines.push(words.xml10_content().into_owned()),
            Ok(Event::PI(words)) => lines.push(words.content().to_owned()),
            Ok(Event::GeneralRef(reference)) => said.push_str(&resolved(&reference)),
            Ok(Event::DocType(_)) => reader.fail(Unreadable::Damaged),
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(_) => {
                // What follows the break is kept as it stands, and the file counts as not read.
                reader.fail(Unreadable::Damaged);
                break;
            }
        }
    }
    flush(&mut lines, &names, &mut said, &mut grid, &mut keys);
    grid.end("table");
    reader.lines("text", 1, lines);
    for (rows, number) in grid.tables.into_iter().zip(1..) {
        reader.table("sheet", number, rows);
    }
    for (file, number) in files.into_iter().zip(1..) {
        reader.member(number, None, &file);
    }
    if office::is_flat(text) {
        // An office document in one piece: its words are parted into runs, which only its paragraphs put together.
        office::document(reader, text, "text", 1);
    }
    format
}

/// Elements that hold a file in base64: flat OpenDocument, Word 2003 and flat OPC.
pub const BINARY: [&str; 3] = ["binary-data", "binData", "binaryData"];

/// A character or one of the five entities that XML knows; any other stays as it is written.
pub fn resolved(reference: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return c.to_string();
    }
    match reference.xml10_content().as_ref() {
        "lt" => "<".to_owned(),
        "gt" => ">".to_owned(),
        "amp" => "&".to_owned(),
        "quot" => "\"".to_owned(),
        "apos" => "'".to_owned(),
        other => format!("&{other};"),
    }
}

/// An element's name without its namespace prefix.
pub fn local(name: &str) -> String {
    name.rsplit_once(':').map_or(name, |(_, local)| local).to_owned()
}

/// Rows of cells as they come, whatever the vocabulary calls them.
#[derive(Default)]
struct Grid {
    tables: Vec<Vec<Vec<String>>>,
    table: Vec<Vec<String>>,
    row: Vec<String>,
    cell: Option<String>,
    /// How often the cell stands.
    repeated: usize,
}

impl Grid {
    /// Empty cells that a file may leave out or repeat in one; more of them are the emptiness beside a sheet.
    const MOST_REPEATED: usize = 256;

    fn start(&mut self, name: &str, pairs: &[(String, String)]) {
        let number = |wanted: &str| {
            let value = pairs.iter().find(|(key, _)| key == wanted).and_then(|(_, value)| value.parse::<usize>().ok());
            value.filter(|value| (1..=Self::MOST_REPEATED).contains(value))
        };
        match name.to_ascii_lowercase().as_str() {
            "row" | "tr" | "table-row" => self.end_row(),
            "cell" | "td" | "th" | "table-cell" | "covered-table-cell" => {
                self.end_cell();
                // SpreadsheetML leaves empty cells out and says the column of the next, from 1.
                if let Some(column) = number("Index").filter(|column| column - 1 > self.row.len()) {
                    self.row.resize(column - 1, String::new());
                }
                self.repeated = number("number-columns-repeated").unwrap_or(1);
                self.cell = Some(String::new());
            }
            _ => {}
        }
    }

    fn say(&mut self, words: &str) {
        if let Some(cell) = &mut self.cell {
            if !cell.is_empty() {
                cell.push(' ');
            }
            cell.push_str(&words.replace(['\n', '\r'], " "));
        }
    }

    fn end(&mut self, name: &str) {
        match name.to_ascii_lowercase().as_str() {
            "cell" | "td" | "th" | "table-cell" | "covered-table-cell" => self.end_cell(),
            "row" | "tr" | "table-row" => self.end_row(),
            "table" | "worksheet" => {
                self.end_row();
                let table = std::mem::take(&mut self.table);
                if !table.is_empty() {
                    self.tables.push(table);
                }
            }
            _ => {}
        }
    }

    fn end_cell(&mut self) {
        if let Some(cell) = self.cell.take() {
            self.row.extend(std::iter::repeat_n(cell, self.repeated));
        }
    }

    fn end_row(&mut self) {
        self.end_cell();
        let row = std::mem::take(&mut self.row);
        if row.iter().any(|cell| !cell.is_empty()) {
            self.table.push(row);
        }
    }
}

/// Keys that wait for their values, each with the depth at which its value would stand, the deepest last.
#[derive(Default)]
struct Keys {
    waiting: Vec<(usize, String)>,
}

impl Keys {
    /// `<field name="bsn" value="…"/>` is a pair; `<field name="bsn">…</field>` becomes one with its text.
    fn attributes(&mut self, lines: &mut Vec<String>, depth: usize, pairs: &[(String, String)]) {
        let named = pairs.iter().find(|(name, _)| is_key(name)).or_else(|| pairs.iter().find(|(name, _)| is_kind(name)));
        let Some((_, key)) = named else { return };
        lines.extend(pairs.iter().filter(|(name, _)| is_value(name)).map(|(_, value)| format!("{key}: {value}")));
        self.waiting.push((depth + 1, key.clone()));
    }

    /// Text of an element at a depth: a key, a value of the key beside it, or the text of an element that has its key in an attribute.
    fn text(&mut self, lines: &mut Vec<String>, depth: usize, name: &str, words: &str) {
        let deep = self.waiting.iter().rev().take_while(|(at, _)| *at >= depth);
        let beside = |wanted: usize| deep.clone().find(|(at, _)| *at == wanted).map(|(_, key)| key.clone());
        if let Some(key) = beside(depth + 1) {
            lines.push(format!("{key}: {words}"));
        } else if is_key(name) {
            self.leave(depth.saturating_sub(1));
            self.waiting.push((depth, words.to_owned()));
        } else if let Some(key) = beside(depth).filter(|_| is_value(name)) {
            lines.push(format!("{key}: {words}"));
        }
    }

    /// An element at this depth ends: what waits within it waits no longer.
    fn leave(&mut self, depth: usize) {
        while self.waiting.pop_if(|(at, _)| *at > depth).is_some() {}
    }
}

/// A line for each attribute; they are handed back. A file in an address is put with the others.
fn attributes(lines: &mut Vec<String>, files: &mut Vec<Vec<u8>>, start: &BytesStart<'_>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for attribute in start.attributes().flatten() {
        let key = local(attribute.key.into_inner());
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap_or_default();
        if !key.starts_with("xmlns") && !value.is_empty() && !attribute.key.into_inner().starts_with("xmlns") {
            match file_in_address(&value) {
                Some(file) => files.push(file),
                None if value.contains("://") || value.starts_with("mailto:") => lines.push(format!("{key}: {}", words_of_address(&value))),
                None => lines.push(format!("{key}: {value}")),
            }
            pairs.push((key, value.into_owned()));
        }
    }
    pairs
}

fn flush(lines: &mut Vec<String>, names: &[String], said: &mut String, grid: &mut Grid, keys: &mut Keys) {
    let words = said.trim();
    if !words.is_empty() {
        let name = names.last().map(String::as_str).unwrap_or("");
        let from = names.iter().rposition(|name| !is_vague(name)).unwrap_or(0);
        let label = names.iter().skip(from).fold(String::new(), |parent, own| label(&parent, own));
        lines.extend(words.lines().map(|line| format!("{label}: {}", line.trim())));
        grid.say(words);
        keys.text(lines, names.len(), name, words);
    }
    said.clear();
}

#[cfg(test)]
mod tests {
    use crate::extract::protocol::Request;
    use crate::parse::document::Content;

    fn read(text: &str) -> (Vec<String>, Vec<Vec<Vec<String>>>) {
        let document = super::super::read(text.as_bytes(), &Request::default()).document;
        let (mut all, mut tables) = (Vec::new(), Vec::new());
        for piece in document.pieces {
            match piece.content {
                Content::Lines(lines) => all.extend(lines),
                Content::Table(rows) => tables.push(rows),
            }
        }
        (all, tables)
    }

    #[test]
    fn rows_of_cells_are_tables() {
        let spreadsheet = r#"<?xml version="1.0"?><Workbook xmlns:ss="s"><Worksheet ss:Name="A"><Table><Row><Cell><Data ss:Type="String">Naam</Data></Cell><Cell ss:Index="3"><Data>BSN</Data></Cell></Row><Row><Cell><Data>A</Data></Cell><Cell/><Cell><Data>1</Data></Cell></Row></Table></Worksheet></Workbook>"#;
        let flat = r#"<?xml version="1.0"?><o:document xmlns:o="o" xmlns:t="t" xmlns:x="x"><t:table><t:table-row><t:table-cell><x:p>Naam</x:p></t:table-cell><t:table-cell/><t:table-cell><x:p>BSN</x:p></t:table-cell></t:table-row><t:table-row><t:table-cell><x:p>A</x:p></t:table-cell><t:table-cell t:number-columns-repeated="1"/><t:table-cell><x:p>1</x:p></t:table-cell></t:table-row></t:table></o:document>"#;
        for text in [spreadsheet, flat] {
            assert_eq!(read(text).1, [[["Naam", "", "BSN"], ["A", "", "1"]]], "{text}");
        }
        assert!(read("<?xml version=\"1.0\"?><rows><row><naam>A</naam></row></rows>").1.is_empty());
    }

    #[test]
    fn a_key_and_its_value_are_one_line() {
        for text in [
            "<map><entry><key>bsn</key><value>1</value></entry></map>",
            "<root><veld><naam>bsn</naam><waarde>1</waarde></veld></root>",
            "<plist><dict><key>bsn</key><string>1</string></dict></plist>",
            "<root><field name=\"bsn\">1</field></root>",
            "<root><property name=\"bsn\" value=\"1\"/></root>",
            "<root><field name=\"bsn\"><value>1</value></field></root>",
        ] {
            assert!(read(text).0.contains(&"bsn: 1".to_owned()), "{text} {:?}", read(text).0);
        }
        for (text, line) in [
            ("<persoon><naam>A</naam><geboorte><datum>19610312</datum></geboorte></persoon>", "geboorte datum: 19610312"),
            ("<persoon><geboorte><datum><datum>19610312</datum></datum></geboorte></persoon>", "geboorte datum: 19610312"),
            ("<persoon><identificatie soort=\"bsn\" waarde=\"1\"/></persoon>", "bsn: 1"),
            ("<persoon><identificatie type=\"bsn\">1</identificatie></persoon>", "bsn: 1"),
        ] {
            assert!(read(text).0.contains(&line.to_owned()), "{text} {:?}", read(text).0);
        }
        // Of another field, and of another element.
        let (lines, _) = read("<root><field name=\"bsn\">1</field><field>2</field><x><value>3</value></x></root>");
        assert!(!lines.contains(&"bsn: 2".to_owned()) && !lines.contains(&"bsn: 3".to_owned()), "{lines:?}");
    }
}
