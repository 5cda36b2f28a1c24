//! The number that people write down.

use std::fmt;
use std::str::FromStr;

/// A ticket's number: shown as `PK-00042`, the ticket's id as a person reads it. It identifies, it never authorises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketNumber(i64);

/// The text is not a ticket number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a ticket number looks like PK-00042 or 42")]
pub struct NotATicketNumber;

impl TicketNumber {
    /// The number of the ticket with that id.
    #[must_use]
    pub const fn new(id: i64) -> Self {
        Self(id)
    }

    /// The ticket's id in the database.
    #[must_use]
    pub const fn id(self) -> i64 {
        self.0
    }
}

impl fmt::Display for TicketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PK-{:05}", self.0)
    }
}

impl FromStr for TicketNumber {
    type Err = NotATicketNumber;

    /// Takes `PK-00042`, `pk-42` and `42`.
    fn from_str(text: &str) -> Result<Self, NotATicketNumber> {
        let digits = text.strip_prefix("PK-").or_else(|| text.strip_prefix("pk-")).unwrap_or(text);
        digits.parse().ok().filter(|id| *id > 0).map(Self).ok_or(NotATicketNumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_back_however_it_is_written() {
        let number = TicketNumber::new(42);
        assert_eq!(number.to_string(), "PK-00042");
        for text in ["PK-00042", "pk-42", "42"] {
            assert_eq!(text.parse(), Ok(number));
        }
        for text in ["", "PK-", "0", "-3", "PK-x"] {
            assert_eq!(text.parse::<TicketNumber>(), Err(NotATicketNumber));
        }
    }
}
