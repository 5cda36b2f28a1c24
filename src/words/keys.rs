//! The installation's secret, and what is made with it.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Domain, EmailAddress, Endpoint, MessageId};

/// The installation's secret. Made once, kept in the database, never printed.
#[derive(Clone)]
pub struct Keys([u8; 32]);

/// A keyed digest that stands for a person or a mail where the thing itself must not be kept: equal inputs are equal,
/// and without the key nothing can be tied to anybody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Pseudonym(String);

impl Pseudonym {
    /// 32 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes back what [`Pseudonym::as_str`] gave to the database.
    #[must_use]
    pub fn from_row(text: String) -> Self {
        Self(text)
    }
}

impl Keys {
    /// From 32 random bytes.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// Stands for an address.
    #[must_use]
    pub fn person(&self, address: &EmailAddress) -> Pseudonym {
        Pseudonym(self.mac("person", address.reveal().as_bytes()))
    }

    /// Stands for a mail, from the digest that [`crate::parse`] made of it.
    #[must_use]
    pub fn mail(&self, digest: &[u8; 32]) -> Pseudonym {
        Pseudonym(self.mac("mail", digest))
    }

    /// Stands for what else than its place decides where mail goes.
    #[must_use]
    pub fn endpoint(&self, endpoint: &Endpoint) -> Pseudonym {
        Pseudonym(self.mac("endpoint", endpoint.details.reveal().as_bytes()))
    }

    /// The Message-ID of the reply with that number to that recipient: 128 bits that nobody else can make
    /// (THREATS §1 row 15), bound to the reply and to who got it.
    #[must_use]
    pub fn reply_id(&self, number: i64, recipient: &EmailAddress, desk: &Domain) -> Option<MessageId> {
        let token = self.mac("reply", format!("{number} {}", recipient.reveal()).as_bytes());
        format!("{number}.{token}@{desk}").parse().ok()
    }

    /// The number in an id that has the shape of ours; whether we made it only the book of sent replies can say.
    #[must_use]
    pub fn reply_number(id: &MessageId) -> Option<i64> {
        let (number, token) = id.left().split_once('.')?;
        let ours = token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit());
        number.parse().ok().filter(|number| ours && *number > 0)
    }

    /// Stands for something in monitoring mail that may lead to a person: the same within a ticket, another in any other ticket.
    #[must_use]
    pub fn stand_in(&self, ticket: i64, kind: &str, value: &str) -> String {
        let mac = self.mac("stand-in", format!("{ticket} {kind} {}", value.to_lowercase()).as_bytes());
        // Digits only: letters might look like another machine's name.
        let number = mac.get(..12).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default();
        format!("[{kind}-{:06}]", number % 1_000_000)
    }

    /// The value of `X-Postkamer-Loop` for the reply with that number.
    #[must_use]
    pub fn loop_header(&self, number: i64) -> String {
        format!("{number}; {}", self.mac("loop", &number.to_be_bytes()))
    }

    /// Whether this installation wrote that `X-Postkamer-Loop`.
    #[must_use]
    pub fn wrote_loop_header(&self, value: &str) -> bool {
        value
            .split_once(';')
            .and_then(|(number, _)| number.trim().parse().ok())
            .is_some_and(|number| self.loop_header(number) == value.trim())
    }

    fn mac(&self, purpose: &str, data: &[u8]) -> String {
        mac(&self.0, purpose, data)
    }
}

/// 128 bits of HMAC-SHA-256 in hexadecimal.
fn mac(key: &[u8; 32], purpose: &str, data: &[u8]) -> String {
    // HMAC takes keys of any length, so this cannot fail; an empty text would only make everything unequal.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(data);
    mac.finalize().into_bytes().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A month's key of the audit record (THREATS §3): what it made stands for somebody or some mail only as long as the key
/// is there.
#[derive(Clone)]
pub struct RecordKey([u8; 32]);

impl RecordKey {
    /// From 32 random bytes.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// Stands for an agent's login name.
    #[must_use]
    pub fn agent(&self, name: &str) -> Pseudonym {
        Pseudonym(mac(&self.0, "agent", name.as_bytes()))
    }

    /// Stands for a person or mail that has a pseudonym in the database already.
    #[must_use]
    pub fn stand_in(&self, pseudonym: &Pseudonym) -> Pseudonym {
        Pseudonym(mac(&self.0, "pseudonym", pseudonym.0.as_bytes()))
    }

    /// Stands for a mail's Message-ID.
    #[must_use]
    pub fn message_id(&self, id: &MessageId) -> Pseudonym {
        Pseudonym(mac(&self.0, "message-id", id.as_str().as_bytes()))
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordKey([redacted])")
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_bound_to_reply_recipient_and_installation() {
        let (ours, theirs) = (Keys::new([1; 32]), Keys::new([2; 32]));
        let (a, b): (EmailAddress, EmailAddress) = ("a@x.example".parse().unwrap(), "b@x.example".parse().unwrap());
        let desk: Domain = "desk.example".parse().unwrap();
        let id = ours.reply_id(7, &a, &desk).unwrap();
        assert_eq!(Keys::reply_number(&id), Some(7));
        for other in [ours.reply_id(8, &a, &desk), ours.reply_id(7, &b, &desk), theirs.reply_id(7, &a, &desk)] {
            assert_ne!(other, Some(id.clone()));
        }
        assert_eq!(Keys::reply_number(&"7.short@desk.example".parse().unwrap()), None);
    }

    #[test]
    fn only_our_own_loop_header_counts() {
        let (ours, theirs) = (Keys::new([1; 32]), Keys::new([2; 32]));
        assert!(ours.wrote_loop_header(&ours.loop_header(3)));
        assert!(!ours.wrote_loop_header(&theirs.loop_header(3)));
        assert!(!ours.wrote_loop_header("3; "));
    }
}
