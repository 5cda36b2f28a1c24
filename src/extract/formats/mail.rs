//! A mail inside a mail, as a file: its header, its text and its attachments.

use super::Reader;
use crate::parse::document::Unreadable;
use crate::parse::{Author, Mail, Opaque, parse};

/// Whether a text begins with the header fields of a mail.
pub fn looks_like_mail(text: &str) -> bool {
    const FIELDS: [&str; 12] = [
        "from",
        "to",
        "subject",
        "date",
        "received",
        "message-id",
        "mime-version",
        "return-path",
        "content-type",
        "delivered-to",
        "cc",
        "reply-to",
    ];
    let mut known = 0;
    for line in text.lines().take(60) {
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let Some((name, _)) = line.split_once(':') else { break };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            break;
        }
        known += usize::from(FIELDS.contains(&name.to_ascii_lowercase().as_str()));
    }
    known >= 3
}

/// Whether a text is a mailbox in the mbox format (RFC 4155).
pub fn looks_like_mbox(text: &str) -> bool {
    text.strip_prefix("From ").and_then(|rest| rest.split_once('\n')).is_some_and(|(_, rest)| looks_like_mail(rest))
}

/// Every mail of an mbox.
pub fn mbox(reader: &mut Reader, text: &str) {
    let Some(rest) = text.strip_prefix("From ") else { return };
    for (message, number) in rest.split("\nFrom ").zip(1..) {
        let Some((_, message)) = message.split_once('\n') else { continue };
        if reader.enter(number).is_none() {
            return;
        }
        read(reader, message.as_bytes());
        reader.path.pop();
    }
}

/// A winmail.dat without the mail that it came in: as the only part of one.
pub fn winmail(reader: &mut Reader, bytes: &[u8]) {
    read(reader, &[b"Content-Type: application/ms-tnef\r\nContent-Transfer-Encoding: binary\r\n\r\n", bytes].concat());
}

/// One mail.
pub fn read(reader: &mut Reader, raw: &[u8]) {
    let Mail { author, subject, other_names, text, attachments, .. } = parse(raw, false);
    let name = match author {
        Author::One { name, .. } => name,
        Author::Nobody { shown } => shown,
    };
    let header = [subject, name].into_iter().chain(other_names).map(|line| line.into_revealed()).collect();
    reader.lines("header", 1, header);
    for (words, number) in [text.written, text.quoted].into_iter().chain(text.also).zip(1..) {
        reader.lines("text", number, words.reveal().lines().map(str::to_owned).collect());
    }
    reader.lines("field", 1, text.fields.into_iter().map(|field| field.into_revealed()).collect());
    for (attachment, number) in attachments.into_iter().zip(1..) {
        reader.lines("member-name", number, attachment.beside.into_iter().map(|text| text.into_revealed()).collect());
        let name = attachment.name.map(|name| name.into_revealed());
        match attachment.opaque {
            Some(opaque) => {
                if let Some(name) = name {
                    reader.lines("member-name", number, vec![name]);
                }
                reader.fail(match opaque {
                    Opaque::Encrypted => Unreadable::Encrypted,
                    Opaque::Elsewhere => Unreadable::UnknownFormat,
                    Opaque::TooComplex => Unreadable::TooDeep,
                    Opaque::Damaged => Unreadable::Damaged,
                    Opaque::TooLarge => Unreadable::TooLarge,
                });
            }
            // A signature as large as a document is one.
            None if attachment.signature && attachment.bytes.reveal().len() <= 64 * 1024 => {}
            None => reader.member(number, name.as_deref(), attachment.bytes.reveal()),
        }
    }
}
