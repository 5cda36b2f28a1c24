//! Values that are valid or do not exist.
//!
//! What is parsed once stays parsed: an [`EmailAddress`] has been checked and folded, a [`MailUid`] never loses its
//! UIDVALIDITY, and a [`Redacted`] never shows what it holds unless somebody writes `.reveal()`.

mod address;
mod endpoint;
mod keys;
mod language;
mod mail_uid;
mod message_id;
mod redacted;
mod term;
mod ticket_number;

pub use address::{Domain, EmailAddress, NotAnAddress};
pub use endpoint::Endpoint;
pub use keys::{Keys, Pseudonym, RecordKey};
pub use language::{Country, Language, UnknownCode};
pub use mail_uid::{MailUid, MailboxId, Shelf};
pub use message_id::MessageId;
pub use redacted::Redacted;
pub use term::{AgreedTerms, NotATerm, Term, Terms};
pub use ticket_number::{NotATicketNumber, TicketNumber};
