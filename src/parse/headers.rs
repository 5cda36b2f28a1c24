//! The header of the mail, field by field, as strict as a forger is inventive.
//!
//! mail-parser keeps the last of two equal fields and forgives much; who a mail is from must not depend on that. This
//! walk counts every field that any reader might take for one: folded, with blanks before the colon, split by a bare CR.

use super::{charset, encoded_words};

/// Fields that other rules read, or that hold what programs tell each other: addresses of machines, dates, ids, keys.
const KNOWN: &[&str] = &[
    "Autocrypt",
    "Authentication-Results",
    "Bcc",
    "Cc",
    "Comments",
    "Content-Description",
    "Content-Disposition",
    "Content-ID",
    "Content-Language",
    "Content-Transfer-Encoding",
    "Content-Type",
    "Date",
    "Delivered-To",
    "DKIM-Signature",
    "DomainKey-Signature",
    "Feedback-ID",
    "From",
    "In-Reply-To",
    "Keywords",
    "Message-ID",
    "MIME-Version",
    "Received",
    "Received-SPF",
    "References",
    "Reply-To",
    "Return-Path",
    "Sender",
    "Subject",
    "Thread-Index",
    "Thread-Topic",
    "To",
    "User-Agent",
];

/// How the names of such fields begin: of lists, of authentication, and of the mail servers and filters that customers have.
const KNOWN_FAMILIES: &[&str] = &[
    "ARC-",
    "List-",
    "Resent-",
    "X-Amz-",
    "X-Barracuda-",
    "X-Exchange",
    "X-Forefront",
    "X-Gm-",
    "X-Google-",
    "X-IronPort",
    "X-Mailgun-",
    "X-Microsoft",
    "X-Mimecast-",
    "X-MS-",
    "X-Proofpoint",
    "X-Received",
    "X-Rspamd",
    "X-SES-",
    "X-SG-",
    "X-Spam",
    "X-Virus",
];

/// One header field; a line that is none has no name.
pub(super) struct Field<'m> {
    /// Its name without surrounding blanks.
    name: &'m [u8],
    /// What follows the colon, line folds included.
    raw: &'m [u8],
}

impl Field<'_> {
    fn begins(&self, prefix: &str) -> bool {
        self.name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    }

    /// Whether other rules read it, or nobody need.
    fn is_known(&self) -> bool {
        KNOWN.iter().any(|name| self.is(name)) || KNOWN_FAMILIES.iter().any(|family| self.begins(family))
    }

    /// As a line of text.
    fn line(&self) -> String {
        let text = encoded_words::decode(&self.text());
        if self.name.is_empty() { text } else { format!("{}: {text}", charset::undeclared(self.name)) }
    }

    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The body without line folds (RFC 5322 §2.2.3) and surrounding blanks, as bytes.
    pub(super) fn unfolded(&self) -> Vec<u8> {
        let bytes: Vec<u8> = self.raw.iter().copied().filter(|b| *b != b'\r' && *b != b'\n').collect();
        bytes.trim_ascii().to_vec()
    }

    /// The unfolded body as text: UTF-8, else windows-1252. Encoded words are left as they are.
    pub(super) fn text(&self) -> String {
        charset::undeclared(&self.unfolded())
    }

    /// Whether the body is UTF-8 (of which ASCII is a part).
    pub(super) fn is_utf8(&self) -> bool {
        std::str::from_utf8(self.raw).is_ok()
    }
}

/// A header block.
#[derive(Default)]
pub(super) struct Header<'m> {
    /// Top first; lines that are no field and continue none are among them, without a name.
    fields: Vec<Field<'m>>,
}

impl<'m> Header<'m> {
    /// Walks a header block, the blank line at its end included or not.
    pub(super) fn read(block: &'m [u8]) -> Self {
        let mut header = Self::default();
        let mut start = 0;
        let mut at = 0;
        while at < block.len() {
            let rest = block.get(at..).unwrap_or_default();
            let line_end = rest.iter().position(|b| *b == b'\n' || *b == b'\r').map_or(block.len(), |i| at + i + 1);
            let continues = matches!(block.get(line_end), Some(b' ' | b'\t'))
                || (block.get(line_end) == Some(&b'\n') && matches!(block.get(line_end + 1), Some(b' ' | b'\t')));
            at = line_end;
            if !continues {
                header.take(block.get(start..line_end).unwrap_or_default());
                start = line_end;
            }
        }
        header.take(block.get(start..).unwrap_or_default());
        header
    }

    fn take(&mut self, line: &'m [u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        let name_end = line.iter().position(|b| *b == b':').unwrap_or(line.len());
        let name = trim_controls(line.get(..name_end).unwrap_or_default());
        let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic); // RFC 5322 §2.2
        match line.get(name_end + 1..) {
            Some(raw) if is_name => self.fields.push(Field { name, raw }),
            _ => self.fields.push(Field { name: &[], raw: line }),
        }
    }

    /// All fields of that name, top first.
    pub(super) fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Field<'m>> {
        self.fields.iter().filter(move |field| field.is(name))
    }

    /// The topmost field of that name.
    pub(super) fn first<'n>(&'n self, name: &'n str) -> Option<&'n Field<'m>> {
        self.all(name).next()
    }

    /// All fields whose name is one of these, top first.
    pub(super) fn any_of<'n>(&'n self, names: &'n [&str]) -> impl Iterator<Item = &'n Field<'m>> {
        self.fields.iter().filter(move |field| names.iter().any(|name| field.is(name)))
    }

    /// Whether a field's name begins with this.
    pub(super) fn has_prefix(&self, prefix: &str) -> bool {
        self.fields.iter().any(|field| field.begins(prefix))
    }

    /// Lines that are no field and continue none, without surrounding blanks. Some readers show them as text.
    pub(super) fn strays(&self) -> impl Iterator<Item = &'m [u8]> {
        self.fields.iter().filter(|field| field.name.is_empty()).map(|field| field.raw.trim_ascii())
    }

    /// What no other rule reads, a line for each field and each stray line, in their order: what a form, a person or a broken program put there.
    pub(super) fn unread(&self) -> Vec<String> {
        self.fields.iter().filter(|field| !field.is_known()).map(Field::line).collect()
    }

    /// The fields of that name, each with the number of `Received` fields above it.
    pub(super) fn below_received<'n>(&'n self, name: &'n str) -> impl Iterator<Item = (usize, &'n Field<'m>)> {
        let mut received = 0;
        self.fields.iter().filter_map(move |field| {
            received += usize::from(field.is("Received"));
            field.is(name).then_some((received, field))
        })
    }
}

fn trim_controls(bytes: &[u8]) -> &[u8] {
    let keep = |b: &u8| *b > b' ' && *b != 0x7f;
    let start = bytes.iter().position(keep).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(keep).map_or(start, |i| i + 1);
    bytes.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_field_is_counted() {
        for block in [
            "From: a@b.test\r\nfrom : c@d.test\r\n",
            "FROM:\r\n a@b.test\r\nX: y\r\nFrom\t:c@d.test\r\n\r\n",
            "From: a@b.test\nX: y\rFrom: c@d.test\n",
            "From: a@b.test\r\nFrom\r\n : c@d.test\r\n",
            "From: a@b.test\r\n\0From: c@d.test\r\n",
        ] {
            assert_eq!(Header::read(block.as_bytes()).all("From").count(), 2, "{block:?}");
        }
    }

    #[test]
    fn folds_and_strays_are_told_apart() {
        let header = Header::read(b"Subject: een\r\n\ttwee\r\n \r\n drie\r\nzomaar een regel\r\nX-A: b");
        assert_eq!(header.first("subject").map(Field::text).as_deref(), Some("een\ttwee  drie"));
        assert_eq!(header.strays().collect::<Vec<_>>(), [b"zomaar een regel"]);
        assert_eq!(header.unread(), ["zomaar een regel", "X-A: b"]);
        assert_eq!(header.first("x-a").map(Field::text).as_deref(), Some("b"));
    }

    #[test]
    fn fields_know_how_many_received_stand_above() {
        let header = Header::read(b"A: 1\r\nReceived: x\r\nA: 2\r\nReceived: y\r\nA: 3\r\n");
        assert_eq!(header.below_received("a").map(|(n, _)| n).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
