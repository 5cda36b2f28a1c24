//! Message-IDs: hints, never keys.

use std::fmt;
use std::str::FromStr;

/// A syntactically sound Message-ID (RFC 5322 §3.6.4) without its angle brackets. Anybody can write any: it proves
/// nothing unless it is one that we signed. Debug hides it, because some mailers put addresses inside.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// The id without angle brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the @.
    #[must_use]
    pub fn left(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(left, _)| left)
    }

    /// The part after the @.
    #[must_use]
    pub fn right(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, right)| right)
    }
}

impl FromStr for MessageId {
    type Err = ();

    /// Takes an id with or without angle brackets; refuses blanks, control characters, non-ASCII, over 900 bytes (so
    /// that a header line with it stays below the 998 of RFC 5322 §2.1.1), and ids without an @ inside.
    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim();
        let id = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(text);
        let sound = id.len() <= 900
            && id.bytes().all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>')
            && id.rsplit_once('@').is_some_and(|(left, right)| !left.is_empty() && !right.is_empty());
        if sound { Ok(Self(id.to_owned())) } else { Err(()) }
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageId([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_dropped_and_nonsense_is_refused() {
        assert_eq!("<a.b@c>".parse::<MessageId>().map(|id| (id.left().to_owned(), id.right().to_owned())), Ok(("a.b".into(), "c".into())));
        for text in ["", "<>", "<@>", "a", "<a b@c>", "<a@b>\r\nBcc: x", "<a@b><c@d>"] {
            assert!(text.parse::<MessageId>().is_err(), "{text:?}");
        }
    }
}
