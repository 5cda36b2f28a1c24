//! XML: every element with text becomes a line `name: text`, every attribute too; siblings stand together.

use super::Reader;
use crate::parse::document::Unreadable;
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
    let mut format = "xml";
    loop {
        match parser.read_event() {
            Ok(Event::Start(start)) => {
                flush(&mut lines, &names, &mut said);
                let name = start.local_name().into_inner().to_owned();
                if names.is_empty() && name == "html" {
                    format = "html";
                }
                attributes(&mut lines, &start);
                names.push(name);
            }
            Ok(Event::Empty(start)) => {
                flush(&mut lines, &names, &mut said);
                attributes(&mut lines, &start);
            }
            Ok(Event::End(_)) => {
                let leaf = !said.trim().is_empty();
                flush(&mut lines, &names, &mut said);
                names.pop();
                if !leaf {
                    lines.push(String::new());
                }
            }
            Ok(Event::Text(words)) => said.push_str(&words.xml10_content()),
            Ok(Event::CData(words)) => said.push_str(&words.xml10_content()),
            Ok(Event::Comment(words)) => lines.push(words.xml10_content().into_owned()),
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
    flush(&mut lines, &names, &mut said);
    reader.lines("text", 1, lines);
    format
}

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

fn attributes(lines: &mut Vec<String>, start: &BytesStart<'_>) {
    for attribute in start.attributes().flatten() {
        let key = local(attribute.key.into_inner());
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap_or_default();
        if !key.starts_with("xmlns") && !value.is_empty() && !attribute.key.into_inner().starts_with("xmlns") {
            lines.push(format!("{key}: {value}"));
        }
    }
}

fn flush(lines: &mut Vec<String>, names: &[String], said: &mut String) {
    let words = said.trim();
    if !words.is_empty() {
        let name = names.last().map(String::as_str).unwrap_or("");
        lines.extend(words.lines().map(|line| format!("{name}: {}", line.trim())));
    }
    said.clear();
}
