//! The header of the mail, field by field, as strict as a forger is inventive.
//!
//! mail-parser keeps the last of two equal fields and forgives much; who a mail is from must not depend on that. This
//! walk counts every field that any reader might take for one: folded, with blanks before the colon, split by a bare CR.

use super::charset;

/// One header field.
pub(super) struct Field<'m> {
    /// Its name without surrounding blanks.
    name: &'m [u8],
    /// What follows the colon, line folds included.
    raw: &'m [u8],
}

impl Field<'_> {
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
    fields: Vec<Field<'m>>,
    /// Lines that are no field and continue none. Some readers show them as text.
    pub strays: Vec<&'m [u8]>,
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
            _ => self.strays.push(line.trim_ascii()),
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
        self.fields.iter().any(|field| field.name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes())))
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
        assert_eq!(header.strays, [&b"zomaar een regel"[..]]);
        assert_eq!(header.first("x-a").map(Field::text).as_deref(), Some("b"));
    }

    #[test]
    fn fields_know_how_many_received_stand_above() {
        let header = Header::read(b"A: 1\r\nReceived: x\r\nA: 2\r\nReceived: y\r\nA: 3\r\n");
        assert_eq!(header.below_received("a").map(|(n, _)| n).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
