//! Structures that people paste into running text, a comment or a cell: the answer of a service in JSON, a piece of an XML message. Their
//! keys are the labels of their values.

use crate::parse::json;
use regex::Regex;
use std::sync::LazyLock;

/// What one of them says.
pub struct Pasted {
    /// The line in which it begins, from 0.
    pub first: usize,
    /// The line in which it ends.
    pub last: usize,
    /// Lines of `key: value`.
    pub lines: Vec<String>,
    /// Tables, each with a header where there is one.
    pub tables: Vec<Vec<Vec<String>>>,
}

/// How many stretches that begin like JSON and are none are tried in one text.
const MOST_TRIES: usize = 200;

/// Every structure in these lines.
pub fn in_lines(lines: &[&str]) -> Vec<Pasted> {
    let mut found = Vec::new();
    if lines.iter().any(|line| line.contains('{')) {
        in_json(lines, &mut found);
    }
    if lines.iter().any(|line| line.contains("</")) {
        in_xml(lines, &mut found);
    }
    found
}

/// `"key":`, which every object has.
static KEY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""\s*:"#).ok());

fn in_json(lines: &[&str], found: &mut Vec<Pasted>) {
    // Quoted mail has its marks before every line.
    let bare: Vec<&str> = lines.iter().map(|line| line.trim_start_matches(['>', ' ', '\t'])).collect();
    let text = bare.join("\n");
    if !KEY.as_ref().is_some_and(|key| key.is_match(&text)) {
        return;
    }
    let (mut at, mut row, mut tries) = (0, 0, 0);
    while let Some(open) = text.get(at..).and_then(|rest| rest.find(['{', '['])).map(|open| at + open) {
        row += line_ends(&text, at, open);
        let Some((told, length)) = text
            .get(open..)
            .and_then(json::at_start)
            .filter(|(told, _)| told.lines.iter().any(|line| line.contains(':')) || !told.tables.is_empty())
        else {
            tries += 1;
            if tries > MOST_TRIES {
                return;
            }
            at = open + 1;
            continue;
        };
        let last = row + line_ends(&text, open, open + length);
        found.push(Pasted { first: row, last, lines: told.lines, tables: told.tables });
        (at, row) = (open + length, last);
    }
}

fn line_ends(text: &str, from: usize, to: usize) -> usize {
    text.get(from..to).map_or(0, |between| between.bytes().filter(|byte| *byte == b'\n').count())
}

/// `<m:naam>Jansen</m:naam>`, and attributes within a tag.
static ELEMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"<(?:[\w.-]+:)?(?P<name>[\w.-]+)(?: [^<>]*)?>(?P<text>[^<>]+)</|\b(?P<key>[\w.-]+)="(?P<value>[^"<>]+)""#).ok()
});

fn in_xml(lines: &[&str], found: &mut Vec<Pasted>) {
    let Some(element) = ELEMENT.as_ref() else { return };
    let mut pasted = Pasted { first: 0, last: 0, lines: Vec::new(), tables: Vec::new() };
    for (row, line) in lines.iter().enumerate().filter(|(_, line)| line.contains('<')) {
        for said in element.captures_iter(line) {
            let pair = said.name("name").zip(said.name("text")).or_else(|| said.name("key").zip(said.name("value")));
            let Some((name, text)) = pair else { continue };
            if pasted.lines.is_empty() {
                pasted.first = row;
            }
            pasted.last = row;
            pasted.lines.push(format!("{}: {}", name.as_str(), text.as_str()));
        }
    }
    if pasted.lines.len() > 1 {
        found.push(pasted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_are_read_where_they_stand() {
        let text = ["Hallo,", "> {\"naam\": {\"voornamen\": \"Ljot\"},", ">  \"geboorte\": {\"datum\": \"1988-01-24\"}}", "groet {ik}"];
        let found = in_lines(&text);
        assert_eq!(found.iter().map(|pasted| (pasted.first, pasted.last)).collect::<Vec<_>>(), [(1, 2)]);
        assert!(found[0].lines.contains(&"geboorte datum: 1988-01-24".to_owned()), "{:?}", found[0].lines);
        let found = in_lines(&["zie <p:naam>Jansen</p:naam>", "<geb datum=\"1\"/>"]);
        assert_eq!(found[0].lines, ["naam: Jansen", "datum: 1"]);
        assert!(in_lines(&["a { b", "[1] see {x: 1}", "if (a < b) </"]).is_empty());
    }
}
