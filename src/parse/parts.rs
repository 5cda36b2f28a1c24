//! The MIME structure: which parts are the text, which are attachments, and where something may be hidden.
//!
//! Every part of the mail is walked (mail-parser's own list of attachments leaves some out). A nested mail is one
//! attachment with its raw bytes; whoever opens it calls [`parse`](super::parse) again.

use super::attachments::{Bytes, attachment, bytes, declared, name, unreadable};
use super::headers::{Field, Header};
use super::quoted::{self, Line};
use super::signed::{self, Cms};
use super::{Opaque, RawAttachment, attachments, carried, charset, clean, html, pgp, text, tnef, uuencode};
use crate::words::Redacted;
use mail_parser::{Encoding, HeaderForm, HeaderName, MessageParser, MessagePart, PartFlags, PartKind};
use std::borrow::Cow;
use std::sync::LazyLock;

/// Containers within containers beyond this are not opened (THREATS §1 row 28).
const MOST_DEPTH: usize = 20;
/// Parts beyond this are not read.
const MOST_PARTS: usize = 1_000;
/// A longer header block, in bytes, is no mailer's work.
const LONGEST_HEADER: usize = 256 * 1024;

/// The parser with our limits. Fields that are read by our own rules are left raw; nested mails stay closed when encoded.
pub(super) static PARSER: LazyLock<MessageParser> = LazyLock::new(|| {
    let raw = [
        HeaderName::From,
        HeaderName::To,
        HeaderName::Cc,
        HeaderName::Bcc,
        HeaderName::ReplyTo,
        HeaderName::Sender,
        HeaderName::Subject,
        HeaderName::MessageId,
        HeaderName::References,
        HeaderName::InReplyTo,
        HeaderName::ReturnPath,
        HeaderName::Received,
        HeaderName::ListUnsubscribe,
        HeaderName::ListId,
        HeaderName::ListPost,
    ];
    raw.into_iter()
        .fold(MessageParser::new(), |parser, name| parser.header(name, HeaderForm::Ignore))
        .max_depth(MOST_DEPTH + 1)
        .max_parts(MOST_PARTS)
        .max_encoded_nesting(0)
});

/// What the walk has found so far.
#[derive(Default)]
pub(super) struct Reading {
    /// The text in order of appearance.
    pub text: Vec<Line>,
    /// What other renderings and hidden places say.
    pub also: Vec<String>,
    /// Header fields that no rule reads.
    pub fields: Vec<String>,
    /// The fields that hold ids of mails and parts.
    pub said_ids: Vec<String>,
    /// All else.
    pub attachments: Vec<RawAttachment>,
    /// Content-IDs of the attachments, by position, and those that HTML refers to.
    ids: Vec<Option<String>>,
    referred: Vec<String>,
    /// Something about the structure may hide content.
    damaged: bool,
    too_complex: bool,
    /// Whether HTML was among the text since this was last reset.
    saw_html: bool,
    /// Whether what was found last is an attachment.
    ends_in_attachment: bool,
    /// How many signed wrappers are open.
    wrappers: usize,
}

/// Signed wrappers within signed wrappers: a triple wrap (RFC 2634) has two.
const MOST_WRAPPERS: usize = 3;

/// No identity number has fewer.
const FEWEST_DIGITS: usize = 6;

/// Where a part stands, as far as it decides what the part is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    /// The root, or a rendering in a multipart/alternative: text here is the text, whatever name it bears.
    Body,
    /// Anywhere else.
    Among,
}

impl Reading {
    /// Walks a whole message from its root.
    pub(super) fn message(&mut self, message: &mail_parser::Message<'_>) {
        for part in message.parts() {
            let flags = part.flags();
            let is_ours = part.message().id() == 0;
            // The limit on parts stops the whole parse, wherever it is reached; the one on depth only what is inside.
            self.too_complex |= flags.contains(PartFlags::LIMIT_REACHED) && (is_ours || message.parts().len() >= MOST_PARTS);
            if is_ours {
                self.too_complex |= part.raw_headers().len() > LONGEST_HEADER;
                self.damaged |= (flags.contains(PartFlags::FALLBACK_DELIMITER) && !closes_in_line(&part)) || has_contradictions(&part);
                self.header(&part);
            }
        }
        self.part(&message.root_part(), Position::Body);
    }

    /// What stands in the header of a part and is read by no other rule. Lines that are no field are text whose writer forgot the empty line before it.
    fn header(&mut self, part: &MessagePart<'_>) {
        const IDS: &[&str] = &["Message-ID", "In-Reply-To", "References", "Content-ID"];
        let header = Header::read(part.raw_headers());
        self.said_ids.extend(header.any_of(IDS).map(Field::text));
        let unread = header.unread().into_iter().map(|line| clean::running(&line));
        if header.strays().next().is_some() || part.id() != 0 {
            self.damaged |= part.encoding() == Encoding::Base64 && header.strays().any(is_base64);
            self.also.push(unread.collect::<Vec<_>>().join("\n"));
        } else {
            self.fields.extend(unread);
        }
    }

    fn part(&mut self, part: &MessagePart<'_>, position: Position) {
        if !part.is_multipart() {
            self.leaf(part, position);
            return;
        }
        match part.content_type().and_then(|t| t.subtype()).unwrap_or_default().to_ascii_lowercase().as_str() {
            "alternative" => self.alternative(part),
            "encrypted" => self.encrypted(part),
            // The root of multipart/related is what the container stands for (RFC 2387 §3).
            "related" => {
                for (i, child) in part.children().enumerate() {
                    self.part(&child, if i == 0 { position } else { Position::Among });
                }
            }
            _ => {
                for child in part.children() {
                    self.part(&child, Position::Among);
                }
            }
        }
        self.around_the_parts(part);
    }

    /// Renderings of one text: one is shown, the others are screened where they say more.
    fn alternative(&mut self, part: &MessagePart<'_>) {
        let before = std::mem::take(&mut self.text);
        let saw_html = std::mem::take(&mut self.saw_html);
        let (mut plain, mut html): (Option<Vec<Line>>, Option<Vec<Line>>) = (None, None);
        for child in part.children() {
            self.part(&child, Position::Body);
            let said = std::mem::take(&mut self.text);
            if said.iter().all(|line| line.text.trim().is_empty()) {
                self.saw_html = false;
                continue;
            }
            let slot = if std::mem::take(&mut self.saw_html) { &mut html } else { &mut plain };
            if let Some(earlier) = slot.replace(said) {
                self.also.push(joined(&earlier));
            }
        }
        self.saw_html = saw_html || html.is_some();
        self.text = before;
        let chosen = match (plain, html) {
            (Some(plain), Some(html)) => {
                let choice = text::choose(&plain, &html);
                let (chosen, other) = if choice.plain { (plain, html) } else { (html, plain) };
                if choice.other_says_more {
                    self.also.push(joined(&other));
                }
                chosen
            }
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return,
        };
        self.say(chosen);
    }

    /// RFC 3156 §4: a control part and the encrypted rest.
    fn encrypted(&mut self, part: &MessagePart<'_>) {
        for child in part.children() {
            let decoded = bytes(&child).bytes.into_owned();
            if declared(&child).as_deref() == Some("application/pgp-encrypted") && decoded.trim_ascii() == b"Version: 1" {
                continue;
            }
            let mut attached = attachment(name(&child), declared(&child).unwrap_or_else(octets), decoded);
            attached.opaque = Some(Opaque::Encrypted);
            self.attach(attached, None);
        }
    }

    fn leaf(&mut self, part: &MessagePart<'_>, position: Position) {
        if part.flags().contains(PartFlags::LIMIT_REACHED) && part.content_type().is_some_and(|t| t.ctype() == "multipart") {
            return; // the rest of a mail that is too complex
        }
        let beside = attachments::beside(part);
        let mut decoded = bytes(part);
        if decoded.uuencoded
            && let (_, files) = uuencode::take(String::from_utf8_lossy(&decoded.bytes).into_owned())
            && let [file] = files.as_slice()
        {
            decoded = Bytes { bytes: Cow::Owned(file.bytes.clone()), damaged: file.damaged, uuencoded: true };
        }
        let kind = declared(part);
        let has_name = name(part).is_some();
        let is_attachment = part.content_disposition().is_some_and(|d| d.is_attachment());
        let is_message = matches!(part.kind(), PartKind::Message(_));
        let broken_multipart = kind.as_deref().is_some_and(|k| k.starts_with("multipart/"));
        let is_text = !is_message && (broken_multipart || matches!(kind.as_deref(), None | Some("text/plain" | "text/html")));
        let may_be_text = is_text && !is_attachment && (position == Position::Body || !has_name);
        if may_be_text && !is_binary(&decoded.bytes) {
            self.also.extend(beside);
            // A transfer encoding that nobody knows (RFC 2045 §6.4); junk within base64 is what lists append.
            self.damaged |= decoded.damaged && part.encoding() != Encoding::Base64;
            if broken_multipart {
                self.damaged |= looks_like_mime(&decoded.bytes);
            }
            self.text_part(part, &decoded.bytes, kind.as_deref() == Some("text/html"));
            return;
        }
        // Renderings for programs that nobody here uses say what the others say; they are screened, not shown.
        if position == Position::Body
            && !is_attachment
            && matches!(kind.as_deref(), Some("text/x-amp-html" | "text/watch-html" | "text/enriched" | "text/richtext"))
        {
            let page = html::read(&charset::decode(part.content_type().and_then(|t| t.attribute("charset")), &decoded.bytes).text);
            self.also.extend(beside);
            self.also.extend(page.unseen);
            self.also.push(joined(&page.lines));
            return;
        }
        let declared = match kind {
            Some(kind) => kind,
            None if is_message => "message/rfc822".to_owned(),
            None => octets(),
        };
        let is_smime = matches!(declared.as_str(), "application/pkcs7-mime" | "application/x-pkcs7-mime")
            || name(part).is_some_and(|name| name.to_ascii_lowercase().ends_with(".p7m"));
        if is_smime {
            self.also.extend(beside);
            self.smime(part, declared, decoded.bytes.into_owned());
            return;
        }
        if tnef::is_tnef(&decoded.bytes) || declared == "application/ms-tnef" {
            self.also.extend(beside);
            self.winmail(part, declared, decoded.bytes.into_owned());
            return;
        }
        let opaque = match declared.as_str() {
            "message/partial" | "message/external-body" => Some(Opaque::Elsewhere),
            _ => decoded.damaged.then_some(Opaque::Damaged),
        };
        let mut attached = attachment(name(part), declared, decoded.bytes.into_owned());
        attached.beside = beside.into_iter().map(Redacted::new).collect();
        attached.charset = part.content_type().and_then(|t| t.attribute("charset")).map(str::to_owned);
        attached.inline = part.is_inline();
        attached.opaque = opaque;
        attached.signature = is_signature(&attached);
        self.attach(attached, part.content_id().map(str::to_owned));
    }

    /// RFC 8551 §3: signed data is unwrapped, its content is the mail's; encrypted data is what it is.
    fn smime(&mut self, part: &MessagePart<'_>, declared: String, bytes: Vec<u8>) {
        let opaque = match signed::open(&bytes) {
            Cms::Signed(content) if self.wrappers < MOST_WRAPPERS => {
                self.wrappers += 1;
                match PARSER.parse(&content) {
                    Some(message) => self.message(&message),
                    None => self.say(quoted::lines(&clean::running(&charset::undeclared(&content)))),
                }
                self.wrappers -= 1;
                return;
            }
            Cms::Signed(_) => Some(Opaque::TooComplex),
            Cms::Detached => None,
            Cms::Encrypted => Some(Opaque::Encrypted),
            Cms::Unknown => Some(Opaque::Damaged),
        };
        let mut attached = attachment(name(part), declared, bytes);
        attached.signature = signed::is_detached_signature(attached.bytes.reveal());
        attached.opaque = opaque;
        self.attach(attached, None);
    }

    /// Opens a winmail.dat: its files become attachments, its text is the mail's where the mail has none.
    fn winmail(&mut self, part: &MessagePart<'_>, declared: String, bytes: Vec<u8>) {
        let contents = tnef::read(&bytes);
        if contents.damaged {
            let mut attached = attachment(name(part), declared, bytes);
            attached.opaque = Some(Opaque::Damaged);
            self.attach(attached, None);
        }
        self.also.extend(contents.beside.iter().map(|text| clean::running(text)));
        let saw_html = self.saw_html;
        let renderings = contents.texts.iter().map(|text| quoted::lines(&clean::running(text)));
        for lines in renderings.collect::<Vec<_>>() {
            self.say_if_new(lines);
        }
        for source in contents.htmls {
            let text = std::mem::take(&mut self.text);
            self.html(&charset::decode(meta_charset(&source).as_deref(), &source).text);
            let lines = std::mem::replace(&mut self.text, text);
            self.say_if_new(lines);
        }
        self.saw_html = saw_html;
        for file in contents.files {
            let name = file.name.as_deref().map(attachments::file_name).filter(|name| !name.is_empty());
            self.attach(attachment(name, file.declared.unwrap_or_else(octets), file.bytes), None);
        }
    }

    /// The mail's text where there is none yet; else it is screened with the hidden texts where it says more.
    fn say_if_new(&mut self, lines: Vec<Line>) {
        if self.text.iter().all(|line| line.text.trim().is_empty()) {
            self.text = lines;
            return;
        }
        let choice = text::choose(&self.text, &lines);
        if !choice.plain || choice.other_says_more {
            self.also.push(joined(&lines));
        }
    }

    fn text_part(&mut self, part: &MessagePart<'_>, bytes: &[u8], is_html: bool) {
        let label = part.content_type().and_then(|t| t.attribute("charset")).map(str::to_owned);
        let label = label.or_else(|| if is_html { meta_charset(bytes) } else { None });
        let decoded = charset::decode(label.as_deref(), bytes);
        self.damaged |= decoded.in_disguise;
        if is_html {
            self.html(&decoded.text);
        } else {
            let (text, files) = uuencode::take(clean::running(&decoded.text));
            for file in files {
                let mut attached = attachment(Some(attachments::file_name(&file.name)), octets(), file.bytes);
                attached.opaque = file.damaged.then_some(Opaque::Damaged);
                self.attach(attached, None);
            }
            let (text, files) = carried::take(text);
            for file in files {
                self.attach(attachment(None, octets(), file), None);
            }
            let (text, blocks) = pgp::take(text);
            for block in blocks {
                let declared = if block.encrypted { "application/pgp-encrypted" } else { "application/pgp-signature" };
                let mut attached = attachment(None, declared.to_owned(), block.armour.into_bytes());
                attached.signature = !block.encrypted;
                attached.opaque = block.encrypted.then_some(Opaque::Encrypted);
                self.attach(attached, None);
            }
            self.say(quoted::lines(&text));
        }
    }

    fn html(&mut self, source: &str) {
        let page = html::read(source);
        self.also.extend(page.unseen);
        self.fields.extend(page.for_programs);
        self.referred.extend(page.refers_to);
        for (kind, bytes) in page.embedded {
            let mut picture = attachment(None, if kind.is_empty() { octets() } else { kind }, bytes);
            picture.inline = true;
            self.attach(picture, None);
        }
        self.saw_html = true;
        self.say(page.lines);
    }

    /// Adds text, a blank line after what was said before.
    pub(super) fn say(&mut self, lines: Vec<Line>) {
        if !self.text.is_empty() {
            let quoted = self.text.last().is_some_and(|line| line.quoted);
            self.text.push(Line { text: String::new(), quoted });
        }
        self.text.extend(lines);
        self.ends_in_attachment = false;
    }

    fn attach(&mut self, attachment: RawAttachment, content_id: Option<String>) {
        self.attachments.push(attachment);
        self.ids.push(content_id);
        self.ends_in_attachment = true;
    }

    /// Before the first part, and after the last: no reader shows what stands there, but it is there.
    fn around_the_parts(&mut self, part: &MessagePart<'_>) {
        let body = part.raw_body();
        let start = part.offset_body();
        let at = |offset: u32| usize::try_from(offset.saturating_sub(start)).unwrap_or(usize::MAX).min(body.len());
        let first = part.children().next().map_or(body.len(), |child| at(child.offset_header()));
        let last = part.children().next_back().map_or(body.len(), |child| at(child.offset_end()));
        for stray in [body.get(..first), body.get(last.max(first)..)].into_iter().flatten() {
            let lines: Vec<&[u8]> = stray.split(|b| matches!(b, b'\n' | b'\r')).filter(|line| !line.starts_with(b"--")).collect();
            let kept = lines.join(&b'\n');
            let kept = kept.trim_ascii();
            // The usual preamble for readers without MIME says nothing.
            if kept.is_empty() || (kept.len() < 200 && contains(kept, b"MIME") && digits(kept) < FEWEST_DIGITS) {
                continue;
            }
            self.damaged |= looks_like_mime(stray);
            self.also.push(clean::running(&charset::undeclared(kept)));
        }
    }

    /// What the text holds as base64 and is no file taken out of it before: a piece of a page, a token that says who somebody is.
    fn carried(&mut self) {
        for file in carried::files(&joined(&self.text), |_| false) {
            if carried::is_known_format(&file) {
                self.attach(attachment(None, octets(), file), None);
            } else {
                self.also.push(clean::running(&charset::undeclared(&file)));
            }
        }
    }

    /// Ends the walk: what could not be read becomes an attachment of its own, all are numbered.
    pub(super) fn finish(&mut self, truncated: bool) {
        self.carried();
        for (attachment, id) in self.attachments.iter_mut().zip(&self.ids) {
            if let Some(id) = id {
                attachment.inline |= self.referred.iter().any(|referred| referred == id);
            }
        }
        if truncated {
            // An attachment that was cut stands for all that is missing.
            match self.attachments.last_mut().filter(|_| self.ends_in_attachment) {
                Some(cut) => {
                    cut.bytes = Redacted::default();
                    cut.opaque = Some(Opaque::TooLarge);
                }
                None => self.attachments.push(unreadable(Opaque::TooLarge)),
            }
        }
        if self.too_complex {
            self.attachments.push(unreadable(Opaque::TooComplex));
        }
        if self.damaged && !self.too_complex {
            self.attachments.push(unreadable(Opaque::Damaged));
        }
        for (index, attachment) in self.attachments.iter_mut().enumerate() {
            attachment.index = index;
        }
        self.also.retain(|text| !text.trim().is_empty());
    }
}

fn joined(lines: &[Line]) -> String {
    lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
}

fn octets() -> String {
    "application/octet-stream".to_owned()
}

/// Two fields that say different things about one part: readers differ about which one counts, so either may hide what
/// the other shows.
fn has_contradictions(part: &MessagePart<'_>) -> bool {
    [HeaderName::ContentType, HeaderName::ContentTransferEncoding].into_iter().any(|field| {
        let mut values = part.headers().all(field).map(|header| header.raw_value().trim_ascii().to_ascii_lowercase());
        values.next().is_some_and(|first| values.any(|other| other != first))
    })
}

/// Whether the delimiter in the middle of a line that ended this part closes the container at its very end: scripts that
/// build mails by hand forget the line end before it. Any other such delimiter is read differently by different readers.
fn closes_in_line(part: &MessagePart<'_>) -> bool {
    let Some((parent, boundary)) = part.parent().and_then(|parent| Some((parent, parent.boundary()?))) else { return false };
    let end = usize::try_from(part.offset_end().saturating_sub(parent.offset_body())).unwrap_or(usize::MAX);
    let rest = parent.raw_body().get(end..).unwrap_or_default().trim_ascii();
    rest.strip_prefix(b"--").and_then(|rest| rest.strip_prefix(boundary.as_bytes())) == Some(b"--")
}

/// Bytes declared as text that are none: the magic of formats that carry files, or NUL that is not UTF-16's.
fn is_binary(bytes: &[u8]) -> bool {
    const MAGIC: &[&[u8]] =
        &[b"%PDF-", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\xd0\xcf\x11\xe0", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b"];
    MAGIC.iter().any(|magic| bytes.starts_with(magic)) || bytes.iter().filter(|b| **b == 0).count() * 100 > bytes.len() && !is_utf16(bytes)
}

fn is_utf16(bytes: &[u8]) -> bool {
    let decoded = charset::decode(None, bytes).text;
    decoded.len() < bytes.len() * 3 / 4 && !decoded.contains('\0')
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| byte.is_ascii_digit()).count()
}

/// A line that may be of an encoded file; a file name that was folded without a blank is none.
fn is_base64(line: &[u8]) -> bool {
    line.len() >= 12 && line.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// Whether something outside the parts looks like a part itself.
fn looks_like_mime(bytes: &[u8]) -> bool {
    let lower = bytes.to_ascii_lowercase();
    [b"\ncontent-t", b"\rcontent-t"].iter().any(|start| contains(&lower, *start)) || lower.starts_with(b"content-t")
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

/// The charset that an HTML document names itself, in its first 2 KiB.
fn meta_charset(bytes: &[u8]) -> Option<String> {
    let start = String::from_utf8_lossy(bytes.get(..bytes.len().min(2_048)).unwrap_or_default()).to_ascii_lowercase();
    let (_, after) = start.split_once("charset=")?;
    let label: String =
        after.trim_start_matches(['"', '\'']).chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    (!label.is_empty()).then_some(label)
}

/// Whether an attachment declared as a signature is one and nothing else (RFC 1847, RFC 3156, RFC 8551): what is not
/// screened must not carry anything. Lists take signatures out of their multipart/signed, so their place does not count.
fn is_signature(attachment: &RawAttachment) -> bool {
    let bytes = attachment.bytes.reveal();
    let name = attachment.name.as_ref().map(|name| name.reveal().to_ascii_lowercase()).unwrap_or_default();
    match attachment.declared.as_str() {
        "application/pgp-signature" => pgp::is_signature(bytes),
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => signed::is_detached_signature(bytes),
        _ => name.ends_with(".p7s") && signed::is_detached_signature(bytes),
    }
}
