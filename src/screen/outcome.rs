//! What screening leaves: clean things that may be stored, and withheld ones without bytes or name.

use super::indirect::{Indirect, masked};
use crate::parse::RawAttachment;
use crate::parse::document::{Place, Unreadable};
use crate::words::{Domain, Redacted};
use std::collections::BTreeMap;

/// Where in a mail something was found (POLICY fact 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Where {
    /// The subject.
    Subject,
    /// A display name or comment in an address field.
    DisplayName,
    /// The text written now, and whatever its alternatives say beyond it.
    Body,
    /// Quoted or forwarded history in the text.
    Quoted,
    /// The content of an attachment.
    Attachment,
    /// The name of an attachment.
    FileName,
    /// The name of a member of an archive or of a nested mail.
    MemberName,
    /// Read from a picture.
    Picture,
}

impl Where {
    /// The code in `explain --json`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::DisplayName => "display-name",
            Self::Body => "body",
            Self::Quoted => "quoted",
            Self::Attachment => "attachment",
            Self::FileName => "file-name",
            Self::MemberName => "member-name",
            Self::Picture => "picture",
        }
    }
}

/// One hit, by kind and place; never the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// An identifier's kind or `person-record`.
    pub kind: &'static str,
    /// Points, 0 to 100.
    pub certainty: u8,
    /// Which part of a file; default for text of the mail.
    pub place: Place,
    /// The line or row in that part, from 1.
    pub row: usize,
    /// The cell in that row, from 1; 0 in running text.
    pub column: usize,
}

/// What was found in one place of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Where,
    /// The attachment's index.
    pub attachment: Option<usize>,
    /// How many different values (or records) of each kind.
    pub kinds: BTreeMap<&'static str, u32>,
    /// The highest certainty among the spots.
    pub certainty: u8,
    /// The first hundred places in detail, for an agent who looks for them.
    pub spots: Vec<Spot>,
}

/// Text in which no citizen data was found. Only [`screen`](super::screen) makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleanText {
    subject: Redacted<String>,
    author_name: Redacted<String>,
    written: Redacted<String>,
    quoted: Redacted<String>,
}

impl CleanText {
    pub(super) fn new(
        subject: Redacted<String>,
        author_name: Redacted<String>,
        written: Redacted<String>,
        quoted: Redacted<String>,
    ) -> Self {
        Self { subject, author_name, written, quoted }
    }

    /// The same text with stand-ins for addresses of the net, names of computers and of users (POLICY "Indirect data"). `domains` are the
    /// organisation's own: whatever lies in them is a computer of theirs.
    #[must_use]
    pub fn masked(&self, domains: &[Domain], stand_in: &dyn Fn(Indirect, &str) -> String) -> Self {
        let mask = |text: &Redacted<String>| Redacted::new(masked(text.reveal(), domains, stand_in));
        Self {
            subject: mask(&self.subject),
            author_name: self.author_name.clone(),
            written: mask(&self.written),
            quoted: mask(&self.quoted),
        }
    }

    /// The subject, on one line.
    #[must_use]
    pub fn subject(&self) -> &Redacted<String> {
        &self.subject
    }

    /// The author's display name; empty when there is none or nobody.
    #[must_use]
    pub fn author_name(&self) -> &Redacted<String> {
        &self.author_name
    }

    /// What was written now.
    #[must_use]
    pub fn written(&self) -> &Redacted<String> {
        &self.written
    }

    /// Quoted and forwarded history.
    #[must_use]
    pub fn quoted(&self) -> &Redacted<String> {
        &self.quoted
    }
}

/// An attachment in which no citizen data was found. Only [`screen`](super::screen) makes one:
///
/// ```
/// let made_by = postkamer::screen::screen;
/// ```
/// ```compile_fail
/// let made_by = postkamer::screen::CleanAttachment::new;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleanAttachment {
    index: usize,
    name: Option<Redacted<String>>,
    media_type: String,
    format: String,
    inline: bool,
    bytes: Redacted<Vec<u8>>,
}

impl CleanAttachment {
    pub(super) fn new(raw: RawAttachment, format: String) -> Self {
        Self { index: raw.index, name: raw.name, media_type: raw.declared, format, inline: raw.inline, bytes: raw.bytes }
    }

    /// Its place in the mail, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// The decoded file name, as sent: no path for any file system (THREATS §1 row 31).
    #[must_use]
    pub fn name(&self) -> Option<&Redacted<String>> {
        self.name.as_ref()
    }

    /// The declared media type.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// The sniffed format, such as `csv`.
    #[must_use]
    pub fn format(&self) -> &str {
        &self.format
    }

    /// Whether it is shown inside the text.
    #[must_use]
    pub fn inline(&self) -> bool {
        self.inline
    }

    /// The decoded bytes, exactly as sent.
    #[must_use]
    pub fn bytes(&self) -> &Redacted<Vec<u8>> {
        &self.bytes
    }
}

/// Why an attachment is withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// It, its name or a member holds citizen data (POLICY row 6).
    CitizenData,
    /// It could not be read whole (POLICY row 7).
    Unreadable(Unreadable),
}

impl Why {
    /// The code in `explain --json`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CitizenData => "citizen-data",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

/// How large a withheld attachment was, roughly: enough to tell a picture from an export, too little to recognise a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SizeClass {
    /// Under 10 kB.
    Tiny,
    /// Under 1 MB.
    Small,
    /// Under 10 MB.
    Medium,
    /// 10 MB and more.
    Large,
}

impl SizeClass {
    fn of(bytes: usize) -> Self {
        match bytes {
            0..10_000 => Self::Tiny,
            10_000..1_000_000 => Self::Small,
            1_000_000..10_000_000 => Self::Medium,
            _ => Self::Large,
        }
    }

    /// The code that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tiny => "under-10kB",
            Self::Small => "under-1MB",
            Self::Medium => "under-10MB",
            Self::Large => "over-10MB",
        }
    }
}

/// What may be kept of a withheld attachment: no bytes, no name, no digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// Its place in the mail, from 0.
    pub index: usize,
    /// The sniffed format.
    pub format: String,
    /// Roughly how large it was.
    pub size: SizeClass,
    /// Why.
    pub why: Why,
    /// Kinds and counts of what was found in it and its names; empty for unreadable ones.
    pub kinds: BTreeMap<&'static str, u32>,
}

impl Withheld {
    pub(super) fn new(raw: &RawAttachment, format: String, why: Why, kinds: BTreeMap<&'static str, u32>) -> Self {
        Self { index: raw.index, format, size: SizeClass::of(raw.bytes.reveal().len()), why, kinds }
    }
}

/// What became of an attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScreenedAttachment {
    /// May be stored.
    Clean(CleanAttachment),
    /// May not; its bytes and name are gone.
    Withheld(Withheld),
}

impl ScreenedAttachment {
    /// Its place in the mail, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        match self {
            Self::Clean(clean) => clean.index,
            Self::Withheld(withheld) => withheld.index,
        }
    }

    /// The sniffed format.
    #[must_use]
    pub fn format(&self) -> &str {
        match self {
            Self::Clean(clean) => &clean.format,
            Self::Withheld(withheld) => &withheld.format,
        }
    }
}
