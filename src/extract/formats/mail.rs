//! A mail inside a mail, as a file: its header, its text and its attachments.

use super::{Hint, Reader};
use crate::parse::document::Unreadable;
use crate::parse::{Author, Mail, Opaque, parse};

/// Whether a text begins with the header fields of a mail: three that every mail has, one where its name or type says that it is a mail, or those
/// that say how what follows is encoded. Notes and tables begin with "From: …" as well, and are none.
pub fn looks_like_mail(text: &str, hint: Hint) -> bool {
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
    let (mut known, mut encodes) = (0, false);
    for line in text.lines().take(60).filter(|line| !line.starts_with([' ', '\t'])) {
        let Some((name, _)) = line.split_once(':').filter(|(name, _)| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()))
        else {
            encodes &= line.is_empty();
            break;
        };
        let name = name.to_ascii_lowercase();
        known += usize::from(FIELDS.contains(&name.as_str()));
        encodes |= name == "content-transfer-encoding";
    }
    known >= if hint.mail { 1 } else { 3 } || encodes
}

/// Whether a text is a mailbox in the mbox format (RFC 4155).
pub fn looks_like_mbox(text: &str) -> bool {
    text.strip_prefix("From ").and_then(|rest| rest.split_once('\n')).is_some_and(|(_, rest)| looks_like_mail(rest, Hint::default()))
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
    reader.lines("id", 1, text.ids.into_iter().map(|field| field.into_revealed()).collect());
    reader.lines("field", 1, text.fields.into_iter().map(|field| field.into_revealed()).collect());
    for (attachment, number) in attachments.into_iter().zip(1..) {
        let described = attachment.described();
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
            None => reader.member_as(number, Hint::of(Some(&described), name.as_deref()), name.as_deref(), attachment.bytes.reveal()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_known_by_three_fields_or_by_its_name_and_one() {
        let named = Hint::of(None, Some("door.eml"));
        let declared = Hint::of(Some("message/rfc822"), None);
        let unnamed = Hint::of(Some("application/octet-stream"), Some("door.dat"));
        let two = "Subject: x\nTo: a@b.example\n\nDag";
        for (text, hint, is_mail) in [
            ("From: a@b.example\nTo: c@d.example\nSubject: x\n\nDag", unnamed, true),
            ("X-A: 1\nFROM: a@b.example\nto:\n c@d.example\nDate: nu\n\nDag", unnamed, true),
            (two, unnamed, false),
            (two, named, true),
            (two, declared, true),
            ("Subject: x\n\nDag", named, true),
            ("Dag: een\n\nSubject: x", named, false),
            // How the rest is encoded, only a mail or a part of one says.
            ("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nQlNO", unnamed, true),
            ("Content-Transfer-Encoding: base64 staat in de kop\nvan elke mail", unnamed, false),
            // Notes and tables.
            ("From: Jan\nTo: Piet\nHallo Piet", unnamed, false),
            ("From: Jan;To: Piet;Subject: x\n1;2;3\n", Hint::of(Some("text/csv"), Some("lijst.csv")), false),
            ("From: Jan, wat vind jij?\nGroet", unnamed, false),
        ] {
            assert_eq!(looks_like_mail(text, hint), is_mail, "{text}");
        }
    }
}
