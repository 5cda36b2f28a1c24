//! HTML: text with its lines, tables with their cells, and what no reader sees: comments, hidden fields, attributes, scripts.
//!
//! One pass over the text, linear however deep it nests. Nothing is rendered and nothing is fetched.

use super::Reader;
use crate::parse::escapes;
use mail_parser::Encoding;

/// Pages within attributes of pages (`srcdoc`) are read to this depth.
const MOST_PAGES: usize = 3;

/// Reads a page.
pub fn read(reader: &mut Reader, text: &str) {
    let mut page = Page::default();
    page.walk(text);
    page.end_line();
    page.end_table();
    reader.lines("text", 1, page.lines);
    reader.lines("comment", 1, page.aside);
    for (rows, number) in page.tables.into_iter().zip(1..) {
        reader.table("sheet", number, rows);
    }
    for (file, number) in page.files.into_iter().zip(1..) {
        reader.member(number, None, &file);
    }
}

/// The file in a `data:` address (RFC 2397); `None` for every other address.
pub fn file_in_address(address: &str) -> Option<Vec<u8>> {
    let (kind, content) = address
        .trim_start()
        .get(5..)
        .filter(|_| address.trim_start().get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")))?
        .split_once(',')?;
    let content = percent_decoded(content);
    Some(if kind.trim_end().ends_with("base64") { Encoding::Base64.decode(content.as_bytes()).into_owned() } else { content.into_bytes() })
}

/// What an address says to somebody who follows it: its parts as words, `?bsn=1&x=2` as `bsn: 1` and `x: 2`.
pub fn words_of_address(address: &str) -> String {
    let decoded = percent_decoded(&address.replace('+', " "));
    decoded.replace(['?', '&', ';'], " ").replace('=', ": ")
}

/// RFC 3986 §2.1; what is no such escape stays.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = match after {
            [high, low, ..] if *first == b'%' => char::from(*high).to_digit(16).zip(char::from(*low).to_digit(16)),
            _ => None,
        };
        match escaped.and_then(|(high, low)| u8::try_from(high << 4 | low).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or(&[]);
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    super::text::decode(&bytes).unwrap_or_else(|| text.to_owned())
}

#[derive(Default)]
struct Page {
    lines: Vec<String>,
    line: String,
    /// Comments, scripts, attributes.
    aside: Vec<String>,
    tables: Vec<Vec<Vec<String>>>,
    table: Vec<Vec<String>>,
    row: Vec<String>,
    cell: Option<String>,
    /// What was written last before a field: its label, as a person sees it.
    label: String,
    /// Whether a tag stands between what was said and what comes.
    parted: bool,
    /// Files in `data:` addresses.
    files: Vec<Vec<u8>>,
    /// How many pages this one lies in.
    depth: usize,
}

impl Page {
    fn walk(&mut self, mut text: &str) {
        while let Some((before, rest)) = text.split_once('<') {
            self.say(before);
            if let Some(comment) = rest.strip_prefix("!--") {
                let (comment, after) = comment.split_once("-->").unwrap_or((comment, ""));
                self.aside.extend(decoded(comment).lines().map(str::to_owned));
                text = after;
                continue;
            }
            if !rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
                self.say("<");
                text = rest;
                continue;
            }
            self.parted = true;
            let (tag, after) = split_tag(rest);
            let name: String = tag.chars().take_while(|c| !c.is_whitespace() && *c != '>').collect::<String>().to_ascii_lowercase();
            let name = name.trim_end_matches('/').to_owned();
            self.attributes(tag);
            if name.contains(['&', ';', '=', '"', '\'']) {
                // No element has such a name: it is text that lost its way.
                self.aside.push(decoded(tag));
            }
            text = after;
            if matches!(name.as_str(), "script" | "style") {
                let end = find_ignoring_case(after, &format!("</{name}"));
                let (inside, after) = after.split_at_checked(end).unwrap_or((after, ""));
                if name == "style" {
                    self.aside.extend(escapes::texts_of_style(inside));
                } else {
                    self.script(inside);
                }
                text = after;
            } else {
                self.tag(&name);
            }
        }
        self.say(text);
    }

    fn tag(&mut self, name: &str) {
        match name {
            "td" | "th" => {
                self.end_cell();
                self.cell = Some(String::new());
            }
            "/td" | "/th" => self.end_cell(),
            "tr" | "/tr" => {
                self.end_cell();
                self.end_row();
            }
            "table" | "/table" => {
                self.end_cell();
                self.end_row();
                self.end_table();
                self.end_line();
            }
            "br" | "p" | "/p" | "div" | "/div" | "li" | "/li" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "/h1" | "/h2"
            | "/h3" | "/h4" | "/h5" | "/h6" | "dt" | "dd" | "hr" | "pre" | "/pre" | "blockquote" | "option" | "title" | "/title"
            | "section" | "article" | "form" | "label" => self.end_line(),
            _ => {}
        }
    }

    fn say(&mut self, raw: &str) {
        if raw.is_empty() {
            return;
        }
        let mut text = decoded(raw);
        // Two elements side by side are two words where letters meet digits: a label and its value, parted by their looks only.
        if std::mem::take(&mut self.parted) && letters_meet_digits(self.cell.as_deref().unwrap_or(&self.line), &text) {
            text.insert(0, ' ');
        }
        if !text.trim().is_empty() {
            self.label = text.trim().to_owned();
        }
        if let Some(cell) = &mut self.cell {
            cell.push_str(&text.replace(['\n', '\r'], " "));
        }
        for (count, part) in text.split('\n').enumerate() {
            if count > 0 {
                self.end_line();
            }
            self.line.push_str(part.trim_end_matches('\r'));
        }
    }

    /// As it stands, and with its escapes resolved.
    fn script(&mut self, source: &str) {
        let resolved = escapes::resolved_script(source).unwrap_or_default();
        self.aside.extend(source.lines().chain(resolved.lines()).map(str::to_owned));
    }

    /// A page in an attribute.
    fn inner(&mut self, text: &str) {
        let mut page = Self { depth: self.depth + 1, ..Self::default() };
        page.walk(text);
        page.end_line();
        page.end_table();
        self.aside.extend(page.lines);
        self.aside.extend(page.aside);
        self.tables.extend(page.tables);
        self.files.extend(page.files);
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.lines.push(line.trim().to_owned());
    }

    fn end_cell(&mut self) {
        if let Some(cell) = self.cell.take() {
            self.row.push(cell.trim().to_owned());
            self.end_line();
        }
    }

    fn end_row(&mut self) {
        let row = std::mem::take(&mut self.row);
        if !row.is_empty() {
            self.table.push(row);
        }
    }

    fn end_table(&mut self) {
        let table = std::mem::take(&mut self.table);
        if !table.is_empty() {
            self.tables.push(table);
        }
    }

    /// What attributes say to somebody who looks: values, titles, alternatives, data of scripts.
    fn attributes(&mut self, tag: &str) {
        let mut name = String::new();
        for (key, value) in attribute_pairs(tag) {
            let value = decoded(&value);
            match key.as_str() {
                "name" | "id" => name = value,
                "value" | "content" => {
                    self.aside.push(format!("{name}: {value}"));
                    let label = self.label.trim_end_matches(':');
                    if key == "value" && !label.is_empty() && label.len() <= 80 {
                        self.aside.push(format!("{label}: {value}"));
                    }
                }
                "title" | "alt" | "placeholder" | "label" | "aria-label" | "summary" => self.aside.push(value),
                "href" | "src" | "action" | "poster" | "background" | "xlink:href" => match file_in_address(&value) {
                    Some(file) => self.files.push(file),
                    None => self.aside.push(words_of_address(&value)),
                },
                _ if key.starts_with("on") => self.script(&value),
                _ if key.starts_with("data-") => self.aside.push(format!("{}: {value}", key.trim_start_matches("data-"))),
                // `srcdoc`, and whatever else a script may make a page of.
                _ if value.contains('<') && self.depth < MOST_PAGES => self.inner(&value),
                _ => {}
            }
        }
    }
}

fn letters_meet_digits(before: &str, after: &str) -> bool {
    let (last, first) = (before.chars().next_back(), after.chars().next());
    last.zip(first).is_some_and(|(last, first)| {
        (last.is_alphabetic() || last == ':') && first.is_ascii_digit() || last.is_ascii_digit() && first.is_alphabetic()
    })
}

/// The tag up to its `>` outside quotes, and what follows.
fn split_tag(text: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return (text.get(..at).unwrap_or(""), text.get(at + 1..).unwrap_or("")),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        // A quote that is never closed must not swallow the rest of the page.
        if at > 20_000 {
            break;
        }
    }
    text.split_once('>').unwrap_or((text, ""))
}

fn attribute_pairs(tag: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once('=') {
        let key = before
            .rsplit(|c: char| c.is_whitespace() || c == '"' || c == '\'')
            .find(|word| !word.is_empty())
            .unwrap_or("")
            .to_ascii_lowercase();
        let after = after.trim_start();
        let (value, next) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => after.get(1..).and_then(|inside| inside.split_once(quote)).unwrap_or((after, "")),
            _ => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        pairs.push((key, value.to_owned()));
        rest = next;
    }
    pairs
}

fn find_ignoring_case(text: &str, what: &str) -> usize {
    let (text_bytes, what) = (text.as_bytes(), what.as_bytes());
    text_bytes.windows(what.len()).position(|window| window.eq_ignore_ascii_case(what)).unwrap_or(text.len())
}

/// What character references stand for. A space that does not break is a space.
fn decoded(text: &str) -> String {
    escapes::resolved(text).replace('\u{a0}', " ")
}

#[cfg(test)]
mod tests {
    use crate::extract::protocol::Request;
    use crate::parse::document::Content;

    fn lines(page: &str) -> Vec<String> {
        let document = super::super::read(page.as_bytes(), &Request::default()).document;
        document
            .pieces
            .into_iter()
            .filter_map(|piece| if let Content::Lines(lines) = piece.content { Some(lines) } else { None })
            .flatten()
            .collect()
    }

    #[test]
    fn what_only_looks_part_is_parted() {
        assert!(lines("<html><p><span>BSN</span><span>1234</span><b>56782</b></p>").contains(&"BSN 123456782".to_owned()));
        assert!(lines("<html><label for=a>BSN:</label> <input id=a value=123456782>").contains(&"BSN: 123456782".to_owned()));
        assert!(lines("<html><iframe srcdoc=\"&lt;p&gt;BSN 1&lt;/p&gt;\"></iframe>").contains(&"BSN 1".to_owned()));
        assert!(lines("<html><style>p::after { content: \"BSN \\31\\32 3\" }</style>").contains(&"BSN 123".to_owned()));
        assert!(lines("<html><script>x = 'BSN \\u0031\\x323'</script>").contains(&"x = 'BSN 123'".to_owned()));
        assert!(lines("<html><p onclick=\"alert('BSN \\u00312')\">").contains(&"alert('BSN 12')".to_owned()));
        assert!(lines("<html><p>BSN 12&ZeroWidthSpace;3").contains(&"BSN 12\u{200b}3".to_owned()));
    }

    #[test]
    fn text_that_damage_has_put_into_a_tag_is_read() {
        for page in [
            "<iframe srcdoc=\"&lt;p&gt;BSN: 123456782&lt;/p&gt;\">",
            "<div data-bsn=\"BSN: 123456782<br>\">",
            "<iframe sXdoc=\"&lt;p&gt;BSN: 123456782&lt;/p&gt;\">",
            "<iframe srcdoc=\"&lt;p&gR;BSN: 123456782&lt;/p&gt;\">",
        ] {
            assert!(lines(&format!("<html>{page}")).iter().any(|line| line.contains("BSN: 123456782")), "{page}");
        }
    }

    #[test]
    fn addresses_say_what_their_parts_say() {
        assert_eq!(
            super::words_of_address("mailto:a@b.example?subject=BSN%20123456782&body=x"),
            "mailto:a@b.example subject: BSN 123456782 body: x"
        );
        assert_eq!(super::file_in_address("data:text/plain;base64,YmFu").unwrap(), b"ban");
        assert_eq!(super::file_in_address("data:,a%20b").unwrap(), b"a b");
        assert!(super::file_in_address("https://portaal.example/").is_none());
        assert_eq!(super::percent_decoded("100%"), "100%");
    }
}
