//! Parts that are not text of the mail: their names, their bytes, and what is known to be unreadable about them.

use super::{Opaque, RawAttachment, clean, encoded_words};
use crate::words::Redacted;
use mail_parser::{Encoding, HeaderName, MessagePart};
use std::borrow::Cow;

/// The decoded bytes of a part, and whether the transfer encoding may hide something.
pub(super) struct Bytes<'m> {
    pub bytes: Cow<'m, [u8]>,
    pub damaged: bool,
    /// The label says uuencode, which is not decoded here.
    pub uuencoded: bool,
}

/// Decodes the transfer encoding (RFC 2045 §6). Mailers misspell it; what a lenient reader would decode is decoded here
/// too, so that nothing is screened in disguise.
pub(super) fn bytes<'m>(part: &MessagePart<'m>) -> Bytes<'m> {
    let raw = part.raw_body();
    if part.has_known_transfer_encoding() {
        let (bytes, malformed) = part.encoding().decode_checked(raw);
        return Bytes { bytes, damaged: malformed && part.encoding() == Encoding::Base64 && has_junk(raw), uuencoded: false };
    }
    let label = part.content_transfer_encoding().unwrap_or_default().to_ascii_lowercase();
    if label.contains("base64") || label.starts_with("b64") {
        return Bytes { bytes: Encoding::Base64.decode(raw), damaged: has_junk(raw), uuencoded: false };
    }
    if label.contains("quoted") {
        return Bytes { bytes: Encoding::QuotedPrintable.decode(raw), damaged: false, uuencoded: false };
    }
    // 7bit, 8bit and binary in all their spellings, and labels that are a charset or a type by mistake, leave the bytes as they are.
    let harmless = label.is_empty()
        || label.starts_with(['7', '8'])
        || ["bin", "none", "plain", "text", "us-ascii"].iter().any(|start| label.starts_with(start))
        || label.contains("utf")
        || label.contains("iso");
    let uuencoded = label.contains("uu");
    Bytes { bytes: Cow::Borrowed(raw), damaged: !harmless && !uuencoded, uuencoded }
}

/// Whether base64 holds anything but its alphabet, padding and blanks: readers differ about what follows.
fn has_junk(raw: &[u8]) -> bool {
    raw.iter().any(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b' ' | b'\t' | b'\r' | b'\n')))
}

/// The declared media type, lower case; `None` where there is none or it cannot be read.
pub(super) fn declared(part: &MessagePart<'_>) -> Option<String> {
    let content_type = part.content_type()?;
    let kind = content_type.ctype().to_ascii_lowercase();
    Some(match content_type.subtype() {
        Some(subtype) => format!("{kind}/{}", subtype.to_ascii_lowercase()),
        None if kind == "text" => "text/plain".to_owned(),
        None => return None,
    })
}

/// The decoded file name: Content-Disposition `filename`, else Content-Type `name` (RFC 2231, RFC 2047).
pub(super) fn name(part: &MessagePart<'_>) -> Option<String> {
    part.attachment_name().map(file_name).filter(|name| !name.is_empty())
}

/// A file name on one line, encoded words decoded where a mailer left them inside.
pub(super) fn file_name(raw: &str) -> String {
    clean::one_line(&encoded_words::decode(raw))
}

/// Texts beside a part that no reader shows: what is said of it besides its name, a second name that differs from the first, the
/// description, and a field with encoded words as a whole, because readers join those within quotes differently.
pub(super) fn beside(part: &MessagePart<'_>) -> Vec<String> {
    let shown = name(part);
    let said = [part.content_type(), part.content_disposition()].into_iter().flatten().flat_map(|field| field.attributes());
    let texts = said.filter(|(name, _)| !FORMAL.contains(name)).map(|(_, text)| file_name(text));
    let mut texts: Vec<String> = texts.chain(part.content_description().map(clean::one_line)).collect();
    let fields = part.headers().iter().filter(|field| matches!(field.name(), HeaderName::ContentType | HeaderName::ContentDisposition));
    let raw = fields.map(|field| String::from_utf8_lossy(field.raw_value()).replace(['\r', '\n'], ""));
    texts.extend(raw.filter(|raw| raw.contains("=?")).map(|raw| file_name(&raw)));
    texts.retain(|text| !text.is_empty() && Some(text) != shown.as_ref());
    texts.dedup();
    texts
}

/// Parameters of Content-Type and Content-Disposition that are for programs.
const FORMAL: &[&str] = &[
    "boundary",
    "charset",
    "creation-date",
    "delsp",
    "format",
    "micalg",
    "modification-date",
    "protocol",
    "read-date",
    "report-type",
    "size",
    "smime-type",
    "start",
    "type",
];

/// An attachment of these parts; its index is given when all are known.
pub(super) fn attachment(name: Option<String>, declared: String, bytes: Vec<u8>) -> RawAttachment {
    RawAttachment { name: name.map(Redacted::new), declared, bytes: Redacted::new(bytes), ..RawAttachment::default() }
}

/// Something that is there and cannot be read, without a part of its own.
pub(super) fn unreadable(opaque: Opaque) -> RawAttachment {
    RawAttachment { declared: "application/octet-stream".to_owned(), opaque: Some(opaque), ..RawAttachment::default() }
}
