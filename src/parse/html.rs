//! HTML becomes text, in one pass and in linear time whatever the nesting.
//!
//! Two table columns must never become one number, a number split over tags must stay one: cells are parted by tabs,
//! blocks by line ends, and nothing else by anything. What a reader does not see (comments, hidden elements, titles,
//! texts of pictures) comes out apart. The markup by which mail programs mark a quotation comes out as a mark on the line.

use super::quoted::Line;
use super::{clean, escapes};
use mail_parser::Encoding;

/// What an HTML part says.
#[derive(Default)]
pub(super) struct Page {
    /// Visible text, line by line.
    pub lines: Vec<Line>,
    /// What is there but not shown.
    pub unseen: Vec<String>,
    /// Attributes for scripts and reading aids, a line each.
    pub for_programs: Vec<String>,
    /// Pictures and files inside `data:` addresses (RFC 2397): media type and bytes.
    pub embedded: Vec<(String, Vec<u8>)>,
    /// Content-IDs that the markup refers to (RFC 2392), as they stand there.
    pub refers_to: Vec<String>,
}

/// Reads an HTML document or fragment.
pub(super) fn read(html: &str) -> Page {
    let mut reader = Reader::default();
    reader.document(html, false);
    let mut page = reader.page;
    page.lines = reader.shown.finish();
    let hidden: Vec<String> = reader.hidden.finish().into_iter().map(|line| line.text).collect();
    page.unseen.push(hidden.join("\n"));
    page.unseen.retain(|text| !text.trim().is_empty());
    page
}

/// What an open element does to the text inside it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Quotes,
    Hides,
    KeepsLines,
}

/// An open element that has an effect, and how many elements of its name are open inside it.
struct Open<'h> {
    name: &'h str,
    effect: Effect,
    inner: usize,
}

/// How many open elements are searched for the one that a closing tag closes; deeper ones are found when those above are
/// closed. The bound keeps absurd nesting linear.
const SEARCHED: usize = 32;

#[derive(Default)]
struct Reader<'h> {
    page: Page,
    shown: Sink,
    hidden: Sink,
    open: Vec<Open<'h>>,
    quotes: usize,
    hides: usize,
    keeps_lines: usize,
    quoted_to_the_end: bool,
    first_cell: bool,
    /// What was written last: before a field, its label.
    label: &'h str,
}

impl<'h> Reader<'h> {
    fn document(&mut self, html: &'h str, in_comment: bool) {
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            let (text, tag) = rest.split_at(at);
            self.text(text);
            let inside = tag.strip_prefix('<').unwrap_or_default();
            rest = match inside.as_bytes().first() {
                Some(b'!') if inside.starts_with("!--") && !in_comment => self.comment(inside.get(3..).unwrap_or_default()),
                // What browsers take for a comment (WHATWG HTML §13.2.5.41): `<![CDATA[…]]>`, `<?…>`, `<!…>`.
                Some(b'!' | b'?') => {
                    let (said, after) = inside.split_once('>').unwrap_or((inside, ""));
                    self.page.unseen.push(clean::running(said));
                    after
                }
                Some(b'/') => self.closing(inside.get(1..).unwrap_or_default()),
                Some(c) if c.is_ascii_alphabetic() => self.opening(inside),
                _ => {
                    self.text("<");
                    inside
                }
            };
        }
        self.text(rest);
    }

    fn comment(&mut self, inside: &'h str) -> &'h str {
        // `<!-->` and `<!--->` are empty comments to browsers.
        if let Some(after) = inside.strip_prefix('>').or_else(|| inside.strip_prefix("->")) {
            return after;
        }
        let (said, after) = inside.split_once("-->").unwrap_or((inside, ""));
        let mut reader = Reader::default();
        reader.document(said, true);
        self.page.unseen.extend(reader.page.unseen);
        self.page.for_programs.extend(reader.page.for_programs);
        self.page.embedded.extend(reader.page.embedded);
        self.page.refers_to.extend(reader.page.refers_to);
        let lines: Vec<String> = reader.shown.finish().into_iter().chain(reader.hidden.finish()).map(|line| line.text).collect();
        self.page.unseen.push(lines.join("\n"));
        after
    }

    fn closing(&mut self, inside: &'h str) -> &'h str {
        let (tag, after) = inside.split_once('>').unwrap_or((inside, ""));
        let (name, said) = tag.split_once(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or((tag, ""));
        if !said.trim().is_empty() {
            self.page.unseen.push(clean::running(said));
        }
        self.layout(name, true, "");
        let searched = self.open.iter().rev().take(SEARCHED).position(|open| open.name.eq_ignore_ascii_case(name));
        if let Some(depth) = searched {
            let index = self.open.len() - 1 - depth;
            match self.open.get_mut(index) {
                Some(open) if open.inner > 0 => open.inner -= 1,
                _ => {
                    while self.open.len() > index {
                        self.close_last();
                    }
                }
            }
        }
        after
    }

    fn close_last(&mut self) {
        if let Some(open) = self.open.pop() {
            match open.effect {
                Effect::Quotes => {
                    self.quotes -= 1;
                    self.sink().line(1);
                }
                Effect::Hides => self.hides -= 1,
                Effect::KeepsLines => self.keeps_lines -= 1,
            }
        }
    }

    fn opening(&mut self, inside: &'h str) -> &'h str {
        let name_end = inside.find(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/').unwrap_or(inside.len());
        let (name, rest) = inside.split_at(name_end);
        let (tag, after) = Attributes::read(rest);
        if let Some(value) = tag.value.filter(|value| value.contains(|c: char| c.is_alphanumeric())) {
            // A field's name, for whoever sees the page and for the program behind it.
            for label in [self.label, tag.name.or(tag.id).unwrap_or_default()].into_iter().filter(|label| (1..=80).contains(&label.len())) {
                let said = escapes::resolved(&format!("{}: {value}", label.trim_end_matches(':')));
                self.page.unseen.push(clean::running(&said));
            }
        }
        for text in [tag.alt, tag.title, tag.label, tag.placeholder, tag.value, tag.content.filter(|_| tag.is_described)] {
            if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
                self.page.unseen.push(clean::running(&escapes::resolved(text)));
            }
        }
        if let Some(link) = tag.link {
            self.page.unseen.push(clean::running(&percent_decoded(&escapes::resolved(link))));
        }
        for (name, value) in &tag.for_programs {
            let value = escapes::resolved(value);
            let value = escapes::resolved_script(&value).unwrap_or(value);
            self.page.for_programs.push(clean::running(&format!("{name}: {value}")));
        }
        for address in &tag.addresses {
            match address.trim_start().get(4..) {
                Some(id) if address.trim_start().get(..4).is_some_and(|start| start.eq_ignore_ascii_case("cid:")) => {
                    self.page.refers_to.push(id.trim().to_owned());
                }
                _ => self.page.embedded.extend(data_address(address)),
            }
        }
        if let Some(after) = self.raw_text(name, after) {
            return after;
        }
        if ["br", "hr", "img", "input", "meta", "link", "col", "wbr", "base", "area", "embed", "source", "param", "track"]
            .iter()
            .any(|void| name.eq_ignore_ascii_case(void))
        {
            self.layout(name, false, "");
            return after;
        }
        let class_and_style = if name.eq_ignore_ascii_case("p") { tag.class_and_style() } else { String::new() };
        self.layout(name, false, &class_and_style);
        // Inside a quotation it belongs to what was quoted there, and the quotation has an end of its own.
        if self.quotes == 0 && tag.quotes_the_rest() {
            self.sink().line(1);
            self.quoted_to_the_end = true;
        }
        match tag.effect(name) {
            Some(effect) => {
                match effect {
                    Effect::Quotes => {
                        self.sink().line(1);
                        self.quotes += 1;
                    }
                    Effect::Hides => {
                        self.hides += 1;
                        self.hidden.line(1);
                    }
                    Effect::KeepsLines => self.keeps_lines += 1,
                }
                self.open.push(Open { name, effect, inner: 0 });
            }
            None => {
                if let Some(open) = self.open.iter_mut().rev().take(SEARCHED).find(|open| open.name.eq_ignore_ascii_case(name)) {
                    open.inner += 1;
                }
            }
        }
        after
    }

    /// Elements whose content is no markup. Of styles only the text counts that they put into the page; the others are kept as unseen.
    fn raw_text(&mut self, name: &str, after: &'h str) -> Option<&'h str> {
        let known = ["style", "script", "title", "textarea", "xmp"].into_iter().find(|known| name.eq_ignore_ascii_case(known))?;
        let end = find_closing(after, known);
        let (said, rest) = after.split_at(end.unwrap_or(after.len()));
        match known {
            "style" if end.is_some() => self.page.unseen.extend(escapes::texts_of_style(said).iter().map(|text| clean::running(text))),
            "textarea" | "xmp" => self.text(said),
            _ => {
                let said = escapes::resolved(said);
                self.page.unseen.extend(escapes::resolved_script(&said).map(|said| clean::running(&said)));
                self.page.unseen.push(clean::running(&said));
            }
        }
        Some(rest)
    }

    fn sink(&mut self) -> &mut Sink {
        if self.hides > 0 { &mut self.hidden } else { &mut self.shown }
    }

    /// What a tag does to the lines. Class and style matter for a paragraph alone.
    fn layout(&mut self, name: &str, closes: bool, class_and_style: &str) {
        let mut lower = [0u8; 12];
        let Some(slot) = lower.get_mut(..name.len()) else { return };
        slot.copy_from_slice(name.as_bytes());
        slot.make_ascii_lowercase();
        match &*slot {
            b"br" => self.sink().br(),
            b"td" | b"th" if closes => {}
            b"td" | b"th" if std::mem::take(&mut self.first_cell) => {}
            b"td" | b"th" => self.sink().cell(),
            b"tr" | b"table" | b"tbody" | b"thead" | b"tfoot" | b"caption" => {
                self.first_cell = true;
                self.sink().row();
            }
            b"p" if !closes
                && !class_and_style.contains("msonormal")
                && !class_and_style.contains("margin:0")
                && !class_and_style.contains("margin-top:0") =>
            {
                self.sink().line(2);
            }
            b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"ul" | b"ol" | b"dl" => self.sink().line(2),
            b"p" | b"div" | b"blockquote" | b"pre" | b"hr" | b"dt" | b"dd" | b"section" | b"article" | b"header" | b"footer" | b"main"
            | b"nav" | b"aside" | b"address" | b"center" | b"fieldset" | b"form" | b"figure" | b"figcaption" | b"body" | b"html"
            | b"head" | b"option" | b"select" | b"button" | b"label" | b"legend" | b"details" | b"summary" | b"textarea" | b"text"
            | b"svg" | b"input" => self.sink().line(1),
            b"li" => {
                self.sink().line(1);
                if !closes {
                    self.sink().bullet = true;
                }
            }
            b"img" => self.sink().space(),
            _ => {}
        }
    }

    fn text(&mut self, raw: &'h str) {
        if raw.is_empty() {
            return;
        }
        if !raw.trim().is_empty() {
            self.label = raw.trim();
        }
        let quoted = self.quotes > 0 || self.quoted_to_the_end;
        let keeps_lines = self.keeps_lines > 0;
        let sink = self.sink();
        sink.quoting = quoted;
        let decoded;
        let text = if raw.contains('&') {
            decoded = escapes::resolved(raw);
            decoded.as_str()
        } else {
            raw
        };
        if keeps_lines {
            for (i, line) in text.split('\n').enumerate() {
                if i > 0 {
                    sink.br();
                }
                let line = line.strip_suffix('\r').unwrap_or(line);
                if !line.is_empty() {
                    sink.push(line);
                }
            }
            return;
        }
        let is_blank = |c: char| matches!(c, ' ' | '\n' | '\r' | '\t' | '\u{c}');
        let mut rest = text;
        while !rest.is_empty() {
            let word_start = rest.find(|c| !is_blank(c)).unwrap_or(rest.len());
            if word_start > 0 {
                sink.space();
            }
            let (_, from) = rest.split_at(word_start);
            let word_end = from.find(is_blank).unwrap_or(from.len());
            let (word, after) = from.split_at(word_end);
            if !word.is_empty() {
                sink.push(word);
            }
            rest = after;
        }
    }
}

/// Collects lines; separators are decided when the next text comes, the strongest since the last one wins.
#[derive(Default)]
struct Sink {
    lines: Vec<Line>,
    current: String,
    current_quoted: bool,
    /// Whether the text that comes next is quoted.
    quoting: bool,
    space: bool,
    newlines: usize,
    cells: usize,
    row: bool,
    bullet: bool,
}

/// More empty cells than that in a row are decoration.
const CELLS: usize = 256;

impl Sink {
    fn space(&mut self) {
        self.space = true;
    }

    fn br(&mut self) {
        self.newlines = (self.newlines + 1).min(3);
    }

    fn line(&mut self, at_least: usize) {
        // The margins of a paragraph that opens a cell are not the row's.
        let at_least = if self.row || self.cells > 0 { 1 } else { at_least };
        self.newlines = self.newlines.max(at_least);
    }

    fn row(&mut self) {
        self.row = true;
        self.cells = 0;
        self.line(1);
    }

    fn cell(&mut self) {
        self.cells = (self.cells + 1).min(CELLS);
    }

    fn push(&mut self, text: &str) {
        // Block breaks around a cell's text are the cell's, not the line's.
        let breaks = self.row || (self.newlines > 0 && self.cells == 0);
        if breaks || self.quoting != self.current_quoted {
            let blank_after = self.newlines > 1 && !(self.lines.is_empty() && self.current.is_empty());
            self.end_line();
            if blank_after {
                for _ in 1..self.newlines {
                    self.lines.push(Line { text: String::new(), quoted: self.quoting });
                }
            }
        }
        if self.cells > 0 {
            self.current.extend(std::iter::repeat_n('\t', self.cells));
        } else if self.space && !self.current.is_empty() && !breaks {
            self.current.push(' ');
        }
        if self.bullet {
            self.current.push_str("- ");
        }
        self.current_quoted = self.quoting;
        (self.space, self.newlines, self.cells, self.row, self.bullet) = (false, 0, 0, false, false);
        self.current.push_str(text);
    }

    fn end_line(&mut self) {
        if !self.current.is_empty() {
            let text = clean::running(&self.current);
            self.current.clear();
            for line in text.split('\n') {
                self.lines.push(Line { text: line.trim_end().to_owned(), quoted: self.current_quoted });
            }
        }
    }

    fn finish(mut self) -> Vec<Line> {
        self.end_line();
        self.lines
    }
}

/// The attributes of a tag that matter here, undecoded.
#[derive(Default)]
struct Attributes<'h> {
    id: Option<&'h str>,
    class: Option<&'h str>,
    style: Option<&'h str>,
    kind: Option<&'h str>,
    alt: Option<&'h str>,
    title: Option<&'h str>,
    label: Option<&'h str>,
    placeholder: Option<&'h str>,
    value: Option<&'h str>,
    name: Option<&'h str>,
    content: Option<&'h str>,
    item_type: Option<&'h str>,
    /// Where a link leads: an address can say more than its text ("…?bsn=…").
    link: Option<&'h str>,
    is_described: bool,
    hidden: bool,
    /// Values that begin with `data:` or `cid:`, whatever their attribute.
    addresses: Vec<&'h str>,
    /// Attributes that scripts, styles (`attr(data-…)`) and reading aids say, with the name that the value has there.
    for_programs: Vec<(&'h str, &'h str)>,
}

impl<'h> Attributes<'h> {
    /// Reads up to the end of the tag; gives what follows it.
    fn read(inside: &'h str) -> (Self, &'h str) {
        let mut tag = Self::default();
        let mut rest = inside;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if rest.is_empty() {
                return (tag, rest);
            }
            if let Some(after) = rest.strip_prefix('>') {
                return (tag, after);
            }
            // A name may begin with an equals sign, so that this always moves on (WHATWG HTML §13.2.5.32).
            let name_end = rest
                .char_indices()
                .skip(1)
                .find(|(_, c)| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '='))
                .map_or(rest.len(), |(i, _)| i);
            let (name, after) = rest.split_at(name_end);
            let blank_cut = after.trim_start_matches(|c: char| c.is_ascii_whitespace());
            let Some(value) = blank_cut.strip_prefix('=') else {
                tag.set(name, "");
                rest = after;
                continue;
            };
            let value = value.trim_start_matches(|c: char| c.is_ascii_whitespace());
            let quote = value.chars().next().filter(|c| *c == '"' || *c == '\'');
            let (value, after) = match quote {
                Some(quote) => match value.get(1..).and_then(|v| v.split_once(quote)) {
                    Some(found) => found,
                    None => {
                        // Browsers show nothing of what follows an open quote; it is screened all the same.
                        tag.label.get_or_insert(value);
                        return (tag, "");
                    }
                },
                None => value.split_at(value.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(value.len())),
            };
            tag.set(name, value);
            rest = after;
        }
    }

    fn set(&mut self, name: &'h str, value: &'h str) {
        let slot = match name.len() {
            2 if name.eq_ignore_ascii_case("id") => &mut self.id,
            3 if name.eq_ignore_ascii_case("alt") => &mut self.alt,
            4 if name.eq_ignore_ascii_case("type") => &mut self.kind,
            4 if name.eq_ignore_ascii_case("name") => {
                self.is_described |= ["description", "keywords", "author", "subject"].iter().any(|known| value.eq_ignore_ascii_case(known));
                &mut self.name
            }
            4 if name.eq_ignore_ascii_case("href") && !is_inside(value) => &mut self.link,
            5 if name.eq_ignore_ascii_case("class") => &mut self.class,
            5 if name.eq_ignore_ascii_case("style") => &mut self.style,
            5 if name.eq_ignore_ascii_case("title") => &mut self.title,
            5 if name.eq_ignore_ascii_case("value") => &mut self.value,
            6 if name.eq_ignore_ascii_case("hidden") => {
                self.hidden = true;
                return;
            }
            7 if name.eq_ignore_ascii_case("content") => &mut self.content,
            8 if name.eq_ignore_ascii_case("itemtype") => &mut self.item_type,
            10 if name.eq_ignore_ascii_case("aria-label") => &mut self.label,
            11 if name.eq_ignore_ascii_case("placeholder") => &mut self.placeholder,
            _ => {
                if is_inside(value) {
                    self.addresses.push(value);
                } else if let Some(name) = for_programs(name).filter(|_| value.contains(char::is_numeric)) {
                    self.for_programs.push((name, value));
                }
                return;
            }
        };
        slot.get_or_insert(value);
    }

    /// Class and style in lower case without blanks, for searching.
    fn class_and_style(&self) -> String {
        let mut text = String::new();
        for value in [self.class, self.style].into_iter().flatten() {
            text.extend(value.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()));
            text.push(';');
        }
        text
    }

    fn has_class(&self, known: &[&str]) -> bool {
        self.class.is_some_and(|class| class.split_ascii_whitespace().any(|one| known.iter().any(|k| one.eq_ignore_ascii_case(k))))
    }

    /// Outlook puts the quoted mail after an element, not into one.
    fn quotes_the_rest(&self) -> bool {
        const IDS: &[&str] =
            &["divRplyFwdMsg", "appendonsend", "mail-editor-reference-message-container", "reply-intro", "zwchr", "OLK_SRC_BODY_SECTION"];
        self.id.is_some_and(|id| {
            IDS.iter().any(|known| {
                // Outlook on the web prefixes ids of a mail that it shows with `x_`.
                let id = id.trim_start_matches("x_");
                id.eq_ignore_ascii_case(known)
            })
        }) || self.has_class(&["OutlookMessageHeader", "x_OutlookMessageHeader", "moz-email-headers-table"])
    }

    fn effect(&self, name: &str) -> Option<Effect> {
        let style = self.style.unwrap_or_default();
        if self.hidden || (!style.is_empty() && hides(style)) {
            return Some(Effect::Hides);
        }
        let style = style.to_ascii_lowercase();
        let is_blockquote = name.eq_ignore_ascii_case("blockquote");
        let cited = self.kind.is_some_and(|kind| kind.eq_ignore_ascii_case("cite"))
            || self.has_class(&["gmail_quote", "protonmail_quote", "yahoo_quoted", "quote"])
            || self.item_type.is_some_and(|kind| kind.ends_with("QuotedText"))
            || style.contains("border-left");
        // Gmail's `div.gmail_quote` also holds answers between the quotations; the quotations are its blockquotes.
        if (is_blockquote && cited)
            || self.has_class(&["moz-cite-prefix", "moz-forward-container", "yahoo_quoted", "protonmail_quote", "zmail_extra"])
        {
            return Some(Effect::Quotes);
        }
        if name.eq_ignore_ascii_case("pre") || style.replace(' ', "").contains("white-space:pre") {
            return Some(Effect::KeepsLines);
        }
        None
    }
}

/// Whether a style makes its element invisible. A font size of nothing is not on the list: layout programs set it on
/// tables and give the text inside its size again.
fn hides(style: &str) -> bool {
    style.split(';').filter_map(|declaration| declaration.split_once(':')).any(|(name, value)| {
        let (name, value) = (name.trim(), value.split('!').next().unwrap_or_default().trim());
        let is = |known: &str| value.eq_ignore_ascii_case(known);
        (name.eq_ignore_ascii_case("display") && is("none"))
            || (name.eq_ignore_ascii_case("visibility") && (is("hidden") || is("collapse")))
            || (name.eq_ignore_ascii_case("opacity") && value.trim_matches(['0', '.']).is_empty() && !value.is_empty())
    })
}

/// What an attribute is called beyond its family.
fn for_programs(name: &str) -> Option<&str> {
    ["data-", "aria-", "on"].iter().find_map(|family| {
        let (start, rest) = name.split_at_checked(family.len())?;
        (start.eq_ignore_ascii_case(family) && !rest.is_empty()).then_some(rest)
    })
}

/// Where the closing tag of that name begins, any case.
fn find_closing(html: &str, name: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = html.get(from..)?.find("</").map(|i| from + i) {
        if html.get(at + 2..at + 2 + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return Some(at);
        }
        from = at + 2;
    }
    None
}

/// Whether an address leads into the mail itself: `cid:` (RFC 2392) or `data:` (RFC 2397).
fn is_inside(address: &str) -> bool {
    let start = address.trim_start().as_bytes();
    start.get(..4).is_some_and(|s| s.eq_ignore_ascii_case(b"cid:")) || start.get(..5).is_some_and(|s| s.eq_ignore_ascii_case(b"data:"))
}

/// An address with its `%20` and the like decoded (RFC 3986 §2.1), to be read as text.
fn percent_decoded(address: &str) -> String {
    let mut bytes = Vec::with_capacity(address.len());
    let mut rest = address.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The media type and the bytes of a base64 `data:` address.
fn data_address(address: &str) -> Option<(String, Vec<u8>)> {
    let (head, body) = address.trim_start().get(5..)?.split_once(',')?;
    let mut parameters = head.split(';');
    let kind = parameters.next().unwrap_or_default().trim().to_ascii_lowercase();
    if !parameters.any(|p| p.trim().eq_ignore_ascii_case("base64")) {
        return None;
    }
    Some((kind, Encoding::Base64.decode(body.as_bytes()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(html: &str) -> String {
        read(html).lines.into_iter().map(|line| line.text).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn columns_never_join_and_split_numbers_do() {
        assert_eq!(text("<table><tr><td>1234</td><td>56782</td></tr><tr><td>5</td></tr></table>"), "1234\t56782\n5");
        assert_eq!(
            text("<tr><th><p class=MsoNormal>Naam</p></th><th>\n<p>BSN</p></th></tr><tr><td>\n</td><td><p>1</p></td></tr>"),
            "Naam\tBSN\n\t1"
        );
        assert_eq!(text("12<b>34</b><span>5</span>&#54;&#x37;8&#8203;2"), "12345678\u{32}");
        assert_eq!(text("<div>12</div><div>34</div>56<br>78<li>90"), "12\n34\n56\n78\n- 90");
        assert_eq!(text("<table><tr><td>a<table><tr><td>b</td><td>c</td></tr></table></td></tr></table>"), "a\nb\tc");
    }

    #[test]
    fn whitespace_paragraphs_and_entities_read_as_in_a_browser() {
        assert_eq!(
            text("<p>Beste  collega,</p>\n<p>Caf&eacute; &amp; &lt;b&gt; &euro; &#128; &nbsp;x</p>"),
            "Beste collega,\n\nCafé & <b> € €  x"
        );
        assert_eq!(
            text("<p class=MsoNormal>een<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>twee</p>"),
            "een\n\ntwee"
        );
        assert_eq!(text("<div>een</div><div><br></div><div>twee<br></div><div>drie</div>"), "een\n\ntwee\ndrie");
        assert_eq!(text("<pre>a\n  b\n\nc</pre>"), "a\n  b\n\nc");
        assert_eq!(text("1 < 2 && 3 > 2 &onzin; &#x110000;"), "1 < 2 && 3 > 2 &onzin; \u{fffd}");
        assert_eq!(text("<a title='x > y' href=\"u\">link</a>"), "link");
        assert_eq!(text("<style>p{}</style><script>1<2</script>na"), "na");
    }

    #[test]
    fn what_is_not_shown_comes_out_apart() {
        let page = read(
            "<title>titel</title><!-- <b>commentaar</b> --><div style='display: none !important'>verborgen<div>dieper</div></div>zichtbaar\
             <img alt='plaatje &amp; meer' title=tip><span style='opacity:0'>klein</span><span style='opacity:0.9'>groter</span>\
             <p hidden>weg</p><input value='ingevuld'><!--[if mso]><p>alleen Outlook</p><![endif]-->\
             <a href='https://x.example/zoek?naam=Piet%20Jansen&amp;id=7'></a>",
        );
        assert_eq!(page.lines.iter().map(|l| l.text.as_str()).collect::<Vec<_>>(), ["zichtbaar groter"]);
        let unseen = page.unseen.join("|");
        for said in [
            "titel",
            "commentaar",
            "verborgen\ndieper",
            "plaatje & meer",
            "tip",
            "klein",
            "weg",
            "ingevuld",
            "alleen Outlook",
            "?naam=Piet Jansen&id=7",
        ] {
            assert!(unseen.contains(said), "{said} is missing in {unseen}");
        }
    }

    #[test]
    fn quotations_are_marked() {
        for html in [
            "nu<blockquote type=cite>toen</blockquote>weer",
            "nu<div class=gmail_quote><blockquote class='gmail_quote' style='margin:0'><div id=divRplyFwdMsg>toen</div></blockquote>weer</div>",
            "nu<blockquote style='border-left: 1px solid'>toen<blockquote type=cite>toen</blockquote></blockquote>weer",
        ] {
            for line in read(html).lines {
                assert_eq!(line.quoted, line.text == "toen", "{html}: {}", line.text);
            }
        }
        let outlook = read("nu<hr><div id=\"divRplyFwdMsg\"><b>Van:</b> A</div>later<p>nog");
        assert_eq!(outlook.lines.iter().filter(|l| !l.quoted && !l.text.is_empty()).count(), 1);
        assert!(read("<blockquote style='margin:0 0 0 40px;border:none'>ingesprongen</blockquote>").lines.iter().all(|l| !l.quoted));
    }

    #[test]
    fn pictures_inside_the_markup_are_found() {
        let page = read("<img src=\"data:image/png;base64,iVBORw0K\"><a href='https://x.test'>y</a>");
        assert_eq!(page.embedded, [("image/png".to_owned(), b"\x89PNG\r\n".to_vec())]);
    }

    #[test]
    fn absurd_nesting_takes_linear_time() {
        for (open, close) in [
            ("<div>", "</div>"),
            ("<table><tr><td>", "</td></tr></table>"),
            ("<blockquote type=cite>", "</blockquote>"),
            ("<p hidden><b hidden>", "</i></p>"),
            ("<!-- ", ""),
            ("<style>", ""),
            ("<a title='", ""),
            ("&", ""),
            ("<", ""),
        ] {
            let html = format!("{}kern{}", open.repeat(100_000), close.repeat(100_000));
            let page = read(&html);
            assert!(page.lines.len() + page.unseen.len() > 0, "{open}");
        }
    }
}
