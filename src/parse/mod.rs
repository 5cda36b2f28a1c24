//! Bytes become a [`Mail`]; never fails.
//!
//! Whatever arrives, something true is said of it: a mail without headers has no author and a text, a mail with a broken
//! part has an attachment that nobody can read. Nothing is dropped silently: what cannot be shown to be harmless is
//! handed on as [`RawAttachment`] with an [`Opaque`] reason.

mod addresses;
mod attachments;
mod authentication_results;
mod author;
mod automatic;
pub mod carried;
mod charset;
mod clean;
pub mod document;
mod encoded_words;
pub mod escapes;
pub mod fields;
mod headers;
mod html;
pub mod json;
mod mail;
mod parts;
mod pgp;
mod quoted;
mod received;
mod rtf;
mod signed;
mod text;
mod thread;
mod tnef;
pub mod uuencode;

pub use clean::is_invisible;
pub use mail::*;

use crate::words::Redacted;
use headers::{Field, Header};
use parts::{PARSER, Reading};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// The fields that are read here and of which there may be only one (RFC 5322 §3.6, RFC 2045 §3).
const SINGLE: &[&str] = &[
    "From",
    "To",
    "Cc",
    "Date",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// Reads one raw mail (RFC 5322, RFC 2045). `truncated` says that the bytes are only the beginning of a larger mail; what
/// is missing then counts as an attachment that is too large.
///
/// Never fails or panics, for any bytes, and takes time linear in their number.
#[must_use]
pub fn parse(raw: &[u8], truncated: bool) -> Mail {
    let raw = with_line_feeds(raw);
    // Without a single known field there is no header: the first lines are text as well (seen from scripts and scanners).
    let message = PARSER.parse(raw.as_ref()).filter(|message| message.headers().has_known());
    let body_start = message.as_ref().map_or(0, |message| usize::try_from(message.root_part().offset_body()).unwrap_or(0));
    let (block, body) = raw.split_at_checked(body_start).unwrap_or((&[], &raw));
    let header = Header::read(block);

    let mut reading = Reading::default();
    match &message {
        Some(message) => reading.message(message),
        None => reading.say(quoted::lines(&clean::running(&charset::decode(None, &raw).text))),
    }
    let subject = subject(&header);
    // Copies of older subjects travel along unseen (MS-OXCMAIL 2.2.3.2.28).
    for field in header.any_of(&["Thread-Topic", "Comments", "Keywords"]) {
        let said = clean::one_line(&encoded_words::decode(&field.text()));
        if !subject.contains(&said) {
            reading.also.push(said);
        }
    }
    reading.finish(truncated);

    let split = quoted::split(&reading.text);
    let report = report_type(message.as_ref());
    let mut automatic = automatic::automatic(&header, report.as_deref());
    let references = thread::references(&header);
    let holds = |declared: &str| reading.attachments.iter().any(|attachment| attachment.declared == declared);
    automatic.delivery_report |= holds("message/delivery-status");
    // A read receipt of a mailer that leaves out what kind of report it is.
    automatic.auto_reply_header |= report.as_deref() == Some("") && holds("message/disposition-notification");
    if automatic.delivery_report || automatic.empty_return_path {
        automatic.returned_ids = returned_ids(&reading, &references);
    }
    Mail {
        author: author::author(&header),
        subject: Redacted::new(subject),
        message_id: thread::message_id(&header),
        references,
        date: header.first("Date").and_then(date),
        recipients: author::addresses(&header, &["To", "Cc"]),
        cc: author::addresses(&header, &["Cc"]),
        delivered_to: author::addresses(&header, &["Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To"]),
        other_names: author::other_names(&header),
        automatic,
        authentication_results: authentication_results::all(&header),
        received_by: header.all("Received").map(|field| received::by(&field.text())).collect(),
        doubled: SINGLE.iter().any(|name| header.all(name).count() > 1),
        loop_headers: header.all("X-Postkamer-Loop").map(Field::text).collect(),
        text: Text {
            written: Redacted::new(split.written),
            quoted: Redacted::new(split.quoted),
            also: reading.also.into_iter().map(Redacted::new).collect(),
            fields: reading.fields.into_iter().map(Redacted::new).collect(),
            ids: reading.said_ids.into_iter().map(Redacted::new).collect(),
        },
        attachments: reading.attachments,
        digest: digest(&header, body),
    }
}

/// A mail from a system with bare CR as line end would be one endless header line.
fn with_line_feeds(raw: &[u8]) -> Cow<'_, [u8]> {
    if raw.contains(&b'\n') || !raw.contains(&b'\r') {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(raw.iter().map(|b| if *b == b'\r' { b'\n' } else { *b }).collect())
}

fn subject(header: &Header<'_>) -> String {
    let subjects: Vec<String> = header.all("Subject").map(|field| clean::one_line(&encoded_words::decode(&field.text()))).collect();
    subjects.join(" ")
}

fn date(field: &Field<'_>) -> Option<i64> {
    let date = mail_parser::DateTime::parse_rfc822(&field.text())?;
    date.is_valid().then(|| date.to_timestamp().saturating_mul(1_000))
}

/// The report-type of a multipart/report at the root (RFC 6522 §3); empty where it has none.
fn report_type(message: Option<&mail_parser::Message<'_>>) -> Option<String> {
    let root = message?.root_part();
    let is_report = root.is_content_type("multipart", "report");
    is_report.then(|| root.content_type().and_then(|t| t.attribute("report-type")).unwrap_or_default().to_owned())
}

/// How much of a returned mail is searched for its id, in bytes: the header stands first.
const SEARCHED: usize = 64 * 1024;

fn returned_ids(reading: &Reading, references: &[crate::words::MessageId]) -> Vec<crate::words::MessageId> {
    let mut ids = Vec::new();
    for attachment in &reading.attachments {
        if matches!(
            attachment.declared.as_str(),
            "message/rfc822" | "message/global" | "text/rfc822-headers" | "message/rfc822-headers" | "message/global-headers"
        ) {
            let bytes = attachment.bytes.reveal();
            ids.extend(thread::returned(bytes.get(..bytes.len().min(SEARCHED)).unwrap_or_default()));
        }
    }
    for line in &reading.text {
        ids.extend(thread::returned(line.text.trim_start_matches(['>', ' ']).as_bytes()));
    }
    thread::distinct(ids.into_iter().chain(references.iter().cloned()))
}

/// POLICY fact 9. Lengths are hashed too, so that nothing can move from one field to the next.
fn digest(header: &Header<'_>, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for name in ["From", "Date", "Message-ID", "Subject"] {
        for field in header.all(name) {
            let value = field.unfolded();
            hash.update(name.as_bytes());
            hash.update(value.len().to_be_bytes());
            hash.update(&value);
        }
    }
    hash.update(body);
    hash.finalize().into()
}

#[cfg(test)]
mod tests;
