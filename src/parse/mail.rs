//! What a mail says, as far as the later rooms need it.

use crate::words::{EmailAddress, MessageId, Redacted};

/// One mail as it was written. All text that a person wrote is [`Redacted`].
#[derive(Clone, Debug, Default)]
pub struct Mail {
    /// Who it says it is from: one field with one mailbox, or nobody (POLICY fact 2).
    pub author: Author,
    /// The decoded subject on one line; control, bidirectional and zero-width characters replaced by U+FFFD.
    pub subject: Redacted<String>,
    /// All values of Message-ID that are sound; the first counts.
    pub message_id: Option<MessageId>,
    /// In-Reply-To and References, in order of appearance, without repeats.
    pub references: Vec<MessageId>,
    /// The Date field, in milliseconds since 1970, where it can be read.
    pub date: Option<i64>,
    /// Addresses in To and Cc (groups opened), in order.
    pub recipients: Vec<EmailAddress>,
    /// Addresses in Cc only.
    pub cc: Vec<EmailAddress>,
    /// Addresses in Delivered-To, X-Original-To and Envelope-To, top first.
    pub delivered_to: Vec<EmailAddress>,
    /// Decoded display names of To, Cc, Reply-To and Sender, and their raw comments: a place where data can hide.
    pub other_names: Vec<Redacted<String>>,
    /// What marks it as written by a machine.
    pub automatic: Automatic,
    /// `Authentication-Results` fields with the number of `Received` fields above each.
    pub authentication_results: Vec<AuthenticationResults>,
    /// Which host wrote each `Received` field, top first: the word after `by`, lower case; empty where it cannot be told.
    pub received_by: Vec<String>,
    /// Whether a field that may stand once (RFC 5322 §3.6, RFC 2045) stands several times: which of them a signature
    /// vouches for, and which one is read, may differ.
    pub doubled: bool,
    /// Values of our loop header `X-Postkamer-Loop` in the mail's own header, never of a quoted or attached mail.
    pub loop_headers: Vec<String>,
    /// The text, split into what was written now and what is quoted.
    pub text: Text,
    /// Everything that is not text of the mail itself, numbered from 0 in order of appearance.
    pub attachments: Vec<RawAttachment>,
    /// SHA-256 over From, Date, Message-ID, Subject (raw field bodies, unfolded) and the body bytes: equal for the same
    /// mail in two mailboxes, whatever trace fields differ (POLICY fact 9).
    pub digest: [u8; 32],
}

/// The one From that counts, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// One From field with exactly one sound mailbox.
    One {
        /// The bare address.
        address: EmailAddress,
        /// The decoded display name, cleaned as the subject is; empty when there is none.
        name: Redacted<String>,
    },
    /// From is missing, doubled, a group, several mailboxes, or malformed. The raw display text is kept for screening.
    Nobody {
        /// The decoded field bodies, for screening and for the agent.
        shown: Redacted<String>,
    },
}

impl Default for Author {
    fn default() -> Self {
        Self::Nobody { shown: Redacted::default() }
    }
}

/// Signs of a machine; which of them make a mail automatic and which only forbid an answer is decided later
/// (POLICY fact 1, THREATS §2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Automatic {
    /// An `Auto-Submitted` with any value but `no` (RFC 3834 §5; comments and parameters dropped, any case, several fields).
    pub auto_submitted: bool,
    /// `Precedence: auto_reply`, `X-Autoreply` or `X-Autorespond` present (`X-Autoreply: no` is not), or a read receipt
    /// (multipart/report with report-type=disposition-notification).
    pub auto_reply_header: bool,
    /// `X-Precedence` of bulk, junk, list or auto_reply, or an `X-Loop`: forbids an answer only.
    pub discourages_reply: bool,
    /// `Precedence` of bulk, junk or list, or any `List-*` field.
    pub bulk: bool,
    /// A delivery status notification: multipart/report with report-type=delivery-status, a message/delivery-status
    /// part at the top level, or `X-Failed-Recipients`.
    pub delivery_report: bool,
    /// Any other multipart/report.
    pub other_report: bool,
    /// `Return-Path: <>`.
    pub empty_return_path: bool,
    /// `X-Auto-Response-Suppress` with All, AutoReply or OOF (MS-OXCMAIL 2.1.3.2.20): forbids an answer only.
    pub suppress: bool,
    /// Message-IDs found in the returned part of a delivery report (its message/rfc822, text/rfc822-headers, and
    /// the mail's own references): a bounce is matched to our mail by them.
    pub returned_ids: Vec<MessageId>,
}

/// One `Authentication-Results` field (RFC 8601 §2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthenticationResults {
    /// The authserv-id, lower case; `None` when the field has none (as Microsoft 365 writes it).
    pub authserv_id: Option<String>,
    /// How many `Received` fields stand above it in the header.
    pub received_above: usize,
    /// The results in order.
    pub results: Vec<MethodResult>,
}

/// One `method=result` with its properties (RFC 8601 §2.2, `resinfo`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MethodResult {
    /// `dkim`, `spf`, `dmarc`, …, lower case.
    pub method: String,
    /// `pass`, `fail`, `none`, …, lower case.
    pub result: String,
    /// Properties such as (`header.d`, `example.nl`), names in lower case, values as written without quotes.
    pub properties: Vec<(String, String)>,
}

/// The text of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// What the author wrote now, signature included.
    pub written: Redacted<String>,
    /// Quoted and forwarded history inside the text.
    pub quoted: Redacted<String>,
    /// What other alternatives, comments in HTML, titles, hidden elements, texts of pictures, preambles, stray header lines,
    /// Thread-Topic and descriptions of parts say beyond the above: it is screened like the rest and not shown to anybody.
    pub also: Vec<Redacted<String>>,
    /// Header fields that no rule reads, such as those of web forms, and attributes of HTML for programs, a line each. What programs write there has little around it, so only numbers that
    /// are named count.
    pub fields: Vec<Redacted<String>>,
    /// Message-ID, In-Reply-To, References and the Content-IDs of parts, a field each. Programs make them of numbers.
    pub ids: Vec<Redacted<String>>,
}

/// A part that is not text of the mail itself.
#[derive(Clone, Debug, Default)]
pub struct RawAttachment {
    /// Its place in the mail, from 0.
    pub index: usize,
    /// The decoded file name (RFC 2231, RFC 2047), where there is one.
    pub name: Option<Redacted<String>>,
    /// What else its header says of it and no reader shows: a second name that differs, a description, other parameters.
    pub beside: Vec<Redacted<String>>,
    /// The declared media type, lower case, `type/subtype`; `application/octet-stream` when absent.
    pub declared: String,
    /// The charset that its header names, as it stands there.
    pub charset: Option<String>,
    /// The decoded bytes exactly as sent.
    pub bytes: Redacted<Vec<u8>>,
    /// Whether it is shown inside the text (Content-Disposition inline or referred to by Content-ID).
    pub inline: bool,
    /// Set where the parser knows that the bytes cannot be judged.
    pub opaque: Option<Opaque>,
    /// An S/MIME or PGP signature: no attachment in the sense of POLICY rows 6 and 7.
    pub signature: bool,
}

impl RawAttachment {
    /// The declared media type with its charset, as a header field has them (RFC 2045 §5.1).
    #[must_use]
    pub fn described(&self) -> String {
        match &self.charset {
            Some(charset) => format!("{}; charset={charset}", self.declared),
            None => self.declared.clone(),
        }
    }
}

/// Why a part cannot be read, known from the MIME structure alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Opaque {
    /// S/MIME enveloped or PGP encrypted.
    Encrypted,
    /// A part that refers elsewhere: message/external-body, message/partial.
    Elsewhere,
    /// Nested deeper than 20 levels or more than 1,000 parts, or a header block over 256 KiB (THREATS §1 row 28).
    TooComplex,
    /// The parser says that the structure or the transfer encoding is broken so that content may be hidden.
    Damaged,
    /// The mail is over `max_mail` and was not fetched whole.
    TooLarge,
}
