//! A reply's final bytes.
//!
//! Typed headers, a fixed subject, nothing of the mail that is answered (THREATS §0 rule 8, §2 "Headers of our reply").

use jiff::Timestamp;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MessageBuilder, SinglePart};
use lettre::{Address, Message};

use super::desk::Desk;
use super::templates::Rendered;
use crate::words::{EmailAddress, Language, MessageId};

/// How many ids References may hold; RT trims to ten as well, and longer chains break mailers.
const REFERENCES: usize = 10;

/// What a letter says about itself.
pub(super) struct Envelope<'a> {
    pub(super) desk: &'a Desk,
    pub(super) to: &'a EmailAddress,
    pub(super) cc: &'a [EmailAddress],
    pub(super) message_id: &'a MessageId,
    /// The mail that it answers: In-Reply-To and the last of References. None for a question to somebody else.
    pub(super) answers: Option<&'a MessageId>,
    /// Earlier ids of that conversation.
    pub(super) thread: &'a [MessageId],
    pub(super) language: Language,
    pub(super) now: Timestamp,
    pub(super) loop_header: String,
    /// What it says of itself as an automatic letter (RFC 3834 §5); none for an agent's own.
    pub(super) submitted: Option<Submitted>,
}

/// Why the daemon wrote a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Submitted {
    /// It answers a mail, also one whose id it does not name.
    Replied,
    /// A question or a notice to somebody who did not write.
    Generated,
}

/// A letter could not be written: a text or an address of the settings cannot stand in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the letter cannot be written: an address or a name in the settings does not fit into a mail header")]
pub struct LetterError;

/// The whole message, with CRLF line ends.
pub(super) fn write(envelope: &Envelope<'_>, text: &Rendered) -> Result<Vec<u8>, LetterError> {
    let display_name = Some(envelope.desk.display_name.clone()).filter(|name| !name.is_empty());
    let mut message =
        Message::builder().from(Mailbox::new(display_name, address(&envelope.desk.address)?)).to(Mailbox::new(None, address(envelope.to)?));
    for cc in envelope.cc {
        message = message.cc(Mailbox::new(None, address(cc)?));
    }
    message = message
        .subject(text.subject.clone())
        .date(std::time::SystemTime::from(envelope.now))
        .message_id(Some(format!("<{}>", envelope.message_id.as_str())));
    if let Some(answered) = envelope.answers {
        message = message.in_reply_to(bracketed(answered)).references(references(envelope.thread, answered));
    }
    message = raw(message, "Content-Language", envelope.language.as_str())?;
    if let Some(submitted) = envelope.submitted {
        let submitted = match submitted {
            Submitted::Replied => "auto-replied",
            Submitted::Generated => "auto-generated",
        };
        message = raw(message, "Auto-Submitted", submitted)?;
        message = raw(message, "Precedence", "bulk")?;
        message = raw(message, "X-Auto-Response-Suppress", "All")?;
    }
    message = raw(message, "X-Postkamer-Loop", &envelope.loop_header)?;
    // Quoted-printable leaves no bare dot or line end of ours on the wire (THREATS §1 row 22).
    let body = Body::new_with_encoding(text.body.clone(), ContentTransferEncoding::QuotedPrintable).map_err(|_| LetterError)?;
    let part = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(body);
    Ok(message.singlepart(part).map_err(|_| LetterError)?.formatted())
}

fn address(address: &EmailAddress) -> Result<Address, LetterError> {
    address.reveal().parse().map_err(|_| LetterError)
}

fn bracketed(id: &MessageId) -> String {
    format!("<{}>", id.as_str())
}

/// The last ids of the conversation, the answered one at the end, folded by the caller's library.
fn references(thread: &[MessageId], answered: &MessageId) -> String {
    let earlier: Vec<&MessageId> = thread.iter().filter(|id| *id != answered).collect();
    let kept = earlier.len().saturating_sub(REFERENCES - 1);
    earlier.into_iter().skip(kept).chain([answered]).map(bracketed).collect::<Vec<_>>().join(" ")
}

/// A header without a type in the library; the value is ours, and still checked before it stands on a line.
fn raw(message: MessageBuilder, name: &'static str, value: &str) -> Result<MessageBuilder, LetterError> {
    if !value.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        return Err(LetterError);
    }
    Ok(message.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(thread: &[MessageId], cc: &[EmailAddress], body: &str) -> String {
        let desk = Desk {
            name: "support".into(),
            address: "support@desk.example".parse().unwrap(),
            display_name: "Hjælp & støtte".into(),
            language: Language::Da,
            duty_contact: None,
        };
        let id: MessageId = "7.00112233445566778899aabbccddeeff@desk.example".parse().unwrap();
        let answered: MessageId = "mail@customer.example".parse().unwrap();
        let envelope = Envelope {
            desk: &desk,
            to: &"mette@kommune.example".parse().unwrap(),
            cc,
            message_id: &id,
            answers: Some(&answered),
            thread,
            language: Language::Da,
            now: "2026-11-21T10:00:00Z".parse().unwrap(),
            loop_header: "7; abc".into(),
            submitted: Some(Submitted::Replied),
        };
        let text = Rendered { subject: "[PK-00007] Vi har modtaget Deres besked på ny".into(), body: body.into() };
        String::from_utf8(write(&envelope, &text).unwrap()).unwrap()
    }

    #[test]
    fn the_headers_are_those_of_an_automatic_answer() {
        let letter = written(&[], &["kari@kommune.example".parse().unwrap()], "Hej\n");
        for line in [
            "To: mette@kommune.example",
            "Cc: kari@kommune.example",
            "Message-ID: <7.00112233445566778899aabbccddeeff@desk.example>",
            "In-Reply-To: <mail@customer.example>",
            "References: <mail@customer.example>",
            "Auto-Submitted: auto-replied",
            "Precedence: bulk",
            "X-Auto-Response-Suppress: All",
            "X-Postkamer-Loop: 7; abc",
            "Content-Language: da",
            "Date: Sat, 21 Nov 2026 10:00:00 +0000",
            "Content-Transfer-Encoding: quoted-printable",
        ] {
            assert!(letter.contains(&format!("\r\n{line}\r\n")), "{line} is missing in\n{letter}");
        }
        assert_eq!(letter.matches("Reply-To: ").count(), 1, "only In-Reply-To");
    }

    #[test]
    fn references_keep_the_last_ten_and_survive_folding() {
        let thread: Vec<MessageId> = (0..40).map(|n| format!("{n}-{}@customer.example", "x".repeat(80)).parse().unwrap()).collect();
        let letter = written(&thread, &[], "Hej\n");
        let field = letter.split("References: ").nth(1).unwrap().split("\r\nContent-Language").next().unwrap();
        let ids: Vec<&str> = field.split_whitespace().collect();
        assert_eq!(ids.len(), 10, "{field}");
        assert!(ids.iter().all(|id| id.parse::<MessageId>().is_ok()), "{field}");
        assert_eq!(ids.last(), Some(&"<mail@customer.example>"));
    }

    #[test]
    fn lines_end_in_crlf_and_long_paragraphs_are_soft_broken() {
        let letter = written(&[], &[], &format!("Hej\n\n.\n{}\n", "langt æ ord ".repeat(40)));
        assert!(!letter.replace("\r\n", "").contains(['\r', '\n']), "a bare CR or LF");
        assert!(letter.lines().all(|line| line.len() <= 78));
    }
}
