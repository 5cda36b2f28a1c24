//! RFC 5322 address lists, read from the raw field body: what is an address is never decoded, what is a name always is.

use super::{clean, encoded_words};
use crate::words::EmailAddress;

/// One mailbox of a list as it stands there.
#[derive(Default)]
pub(super) struct Mailbox {
    /// The display name: phrase or, without one, comments; decoded and cleaned.
    pub name: String,
    /// Comments, decoded and cleaned.
    pub comments: Vec<String>,
    /// The raw addr-spec: what stands between angle brackets, or all that is no comment.
    pub spec: String,
    /// Something about it is not as RFC 5322 §3.4 has it.
    pub odd: bool,
}

impl Mailbox {
    /// The address, if the raw addr-spec is one.
    pub(super) fn address(&self) -> Option<EmailAddress> {
        self.spec.parse().ok()
    }
}

/// A list of mailboxes, groups opened.
#[derive(Default)]
pub(super) struct AddressList {
    /// In order.
    pub mailboxes: Vec<Mailbox>,
    /// Names of groups, decoded and cleaned (RFC 6854).
    pub groups: Vec<String>,
    /// Something about the list is not as RFC 5322 §3.4 has it: an open quote or bracket, an empty member.
    pub odd: bool,
}

#[derive(Default)]
struct Reader {
    list: AddressList,
    phrase: String,
    comments: Vec<String>,
    angle: Option<String>,
    odd: bool,
}

/// Reads an unfolded field body.
pub(super) fn read(text: &str) -> AddressList {
    let mut reader = Reader::default();
    let mut chars = text.chars();
    let mut in_group = false;
    while let Some(c) = chars.next() {
        match c {
            '(' => match comment(&mut chars) {
                Some(comment) => {
                    reader.comments.push(comment);
                    // It counts as white space (RFC 5322 §3.2.2), which no address of ours has inside.
                    reader.phrase.push(' ');
                }
                None => reader.list.odd = true,
            },
            '"' => reader.quoted_string(&mut chars),
            '<' => reader.angle(&mut chars),
            ',' => reader.finish(true),
            ';' => {
                reader.finish(!in_group);
                reader.list.odd |= !in_group; // some mailers separate by semicolon
                in_group = false;
            }
            ':' if reader.angle.is_none() && !in_group => {
                reader.list.groups.push(shown(&reader.phrase));
                reader.phrase.clear();
                reader.comments.clear();
                in_group = true;
            }
            '=' if encoded_word_after(chars.as_str()).is_some() => {
                // Mailers leave separators unencoded inside encoded words; they separate nothing.
                let word = encoded_word_after(chars.as_str()).unwrap_or_default();
                reader.odd |= reader.angle.is_some();
                reader.phrase.push('=');
                reader.phrase.push_str(word);
                chars = chars.as_str().get(word.len()..).unwrap_or_default().chars();
            }
            c if reader.angle.is_some() && !c.is_whitespace() => reader.odd = true, // text after the brackets
            c => reader.phrase.push(c),
        }
    }
    let ends_in_comma = text.trim_end().ends_with(',');
    reader.finish(ends_in_comma);
    reader.list
}

impl Reader {
    fn quoted_string(&mut self, chars: &mut std::str::Chars<'_>) {
        self.odd |= self.angle.is_some();
        self.phrase.push('"');
        while let Some(c) = chars.next() {
            match c {
                '"' => {
                    self.phrase.push('"');
                    return;
                }
                '\\' => {
                    self.phrase.push('\\');
                    self.phrase.extend(chars.next());
                }
                c => self.phrase.push(c),
            }
        }
        self.list.odd = true;
    }

    fn angle(&mut self, chars: &mut std::str::Chars<'_>) {
        let mut spec = String::new();
        for c in chars.by_ref() {
            match c {
                '>' => {
                    if self.angle.is_some() {
                        self.odd = true;
                    } else {
                        self.angle = Some(spec);
                    }
                    return;
                }
                '<' => self.odd = true,
                c => spec.push(c),
            }
        }
        self.list.odd = true;
        self.angle.get_or_insert(spec);
    }

    /// Ends one member of the list; `must_be_there` where an empty one is odd.
    fn finish(&mut self, must_be_there: bool) {
        let phrase = std::mem::take(&mut self.phrase);
        let comments = std::mem::take(&mut self.comments);
        let angle = self.angle.take();
        let odd = std::mem::take(&mut self.odd);
        if angle.is_none() && phrase.trim().is_empty() && comments.is_empty() {
            self.list.odd |= must_be_there;
            return;
        }
        let (name, spec, odd) = match angle {
            Some(spec) => {
                let spec = spec.trim().to_owned();
                let name = shown(&phrase);
                // A bare address in front of the brackets is two addresses, unless it is the same one twice.
                let bare = unquoted_at(&phrase) && !phrase.trim().eq_ignore_ascii_case(&spec);
                (name, spec, odd || bare)
            }
            None => (String::new(), phrase.trim().to_owned(), odd),
        };
        let name = if name.is_empty() { comments.join(" ") } else { name };
        self.list.mailboxes.push(Mailbox { name, comments, spec, odd });
    }
}

/// Reads a comment whose opening bracket is taken; nested ones belong to it (RFC 5322 §3.2.2).
fn comment(chars: &mut std::str::Chars<'_>) -> Option<String> {
    let mut text = String::new();
    let mut depth = 1usize;
    while let Some(c) = chars.next() {
        match c {
            '(' => depth += 1,
            ')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(decoded(&text));
                }
            }
            '\\' => {
                text.extend(chars.next());
                continue;
            }
            _ => {}
        }
        text.push(c);
    }
    None
}

/// The rest of an encoded word whose first character is taken. One that holds brackets or quotes is refused: readers
/// differ about what those are.
fn encoded_word_after(rest: &str) -> Option<&str> {
    let word = encoded_words::first(rest)?;
    (!word.contains(['<', '>', '"'])).then_some(word)
}

/// Whether an @ stands outside quotes and encoded words.
fn unquoted_at(phrase: &str) -> bool {
    let mut quoted = false;
    let mut chars = phrase.chars();
    while let Some(c) = chars.next() {
        match c {
            '=' if !quoted => {
                if let Some(word) = encoded_word_after(chars.as_str()) {
                    chars = chars.as_str().get(word.len()..).unwrap_or_default().chars();
                }
            }
            '"' => quoted = !quoted,
            '\\' if quoted => {
                chars.next();
            }
            '@' if !quoted => return true,
            _ => {}
        }
    }
    false
}

/// A phrase as people read it: quotes and backslashes off, encoded words decoded (also inside quotes, where RFC 2047 §5
/// forbids them and mailers put them all the same), on one line.
fn shown(phrase: &str) -> String {
    let mut plain = String::with_capacity(phrase.len());
    let mut quoted = false;
    let mut chars = phrase.trim().chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' if quoted => plain.extend(chars.next()),
            c => plain.push(c),
        }
    }
    decoded(&plain)
}

fn decoded(text: &str) -> String {
    clean::one_line(&encoded_words::decode(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> (String, String, bool) {
        let list = read(text);
        assert_eq!(list.mailboxes.len(), 1, "{text}");
        let odd = list.odd || !list.groups.is_empty();
        let mailbox = list.mailboxes.into_iter().next().unwrap();
        (mailbox.name, mailbox.spec, odd || mailbox.odd)
    }

    #[test]
    fn ordinary_mailboxes() {
        for (text, name, spec) in [
            ("a@b.test", "", "a@b.test"),
            ("<a@b.test>", "", "a@b.test"),
            ("A. de Vries <a@b.test>", "A. de Vries", "a@b.test"),
            ("\"Vries, A. de\" <a@b.test>", "Vries, A. de", "a@b.test"),
            ("\"J. \\\"Joost\\\" van Dam\" <a@b.test>", "J. \"Joost\" van Dam", "a@b.test"),
            ("a@b.test (Jan (de) Jong)", "Jan (de) Jong", "a@b.test"),
            ("=?utf-8?q?Mette_S=C3=B8rensen?= <a@b.test> (afdeling)", "Mette Sørensen", "a@b.test"),
            ("\"=?utf-8?q?J=C3=BCrgen?=\" <a@b.test>", "Jürgen", "a@b.test"),
            ("\"a@good.test\" <b@evil.test>", "a@good.test", "b@evil.test"),
            ("a@b.test <A@b.test>", "a@b.test", "A@b.test"),
        ] {
            assert_eq!(one(text), (name.to_owned(), spec.to_owned(), false), "{text}");
        }
    }

    #[test]
    fn tricks_are_odd() {
        for text in [
            "X <a@good.test> <b@evil.test>",
            "a@good.test <b@evil.test>",
            "Staff: a@good.test;",
            "a@good.test,",
            "a@good.test;",
            "\"open <a@good.test>",
            "X <a@good.test",
            "X <a@good.test> b",
            "X <<a@good.test>",
            "(open a@good.test",
        ] {
            let list = read(text);
            assert!(list.odd || !list.groups.is_empty() || list.mailboxes.iter().any(|m| m.odd), "{text}");
        }
    }

    #[test]
    fn groups_are_opened() {
        let list = read("Team A: a@b.test, \"C\" <c@d.test>;, e@f.test");
        assert_eq!(list.mailboxes.iter().map(|m| m.spec.as_str()).collect::<Vec<_>>(), ["a@b.test", "c@d.test", "e@f.test"]);
        assert_eq!(list.groups, ["Team A"]);
        assert!(read("undisclosed-recipients:;").mailboxes.is_empty());
    }
}
