//! What may not be kept: citizen data in the text, the names and the attachments of a mail (POLICY fact 4).
//!
//! [`screen`] is the only way from a [`RawAttachment`] to a [`CleanAttachment`], and from a mail's text to a [`CleanText`]:
//! nothing else can be stored. It fails closed: what could not be read whole is [`Why::Unreadable`], never clean.
//!
//! How it judges: every candidate (a number of the right form, a name beside a date) earns points from its own checks and from
//! what stands around it; [`evidence`] has the scale, [`identifiers`] the numbers, [`records`] what needs no number.

mod blocks;
mod detect;
mod evidence;
mod fold;
mod indirect;
pub mod identifiers;
mod outcome;
mod pasted;
pub mod records;

use crate::parse::document::{Document, Place, Unreadable};
use crate::parse::{Author, Mail, Opaque, RawAttachment};
use crate::words::{Country, EmailAddress, MessageId, Redacted};
use detect::Detector;

pub use indirect::Indirect;
pub use outcome::{CleanAttachment, CleanText, Finding, ScreenedAttachment, SizeClass, Spot, Where, Why, Withheld};

/// How a desk screens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whose numbers count without a keyword; numbers of all others count with one.
    pub countries: Vec<Country>,
    /// How much must speak for a finding.
    pub sensitivity: Sensitivity,
}

impl Policy {
    /// From how many points (0 to 100) a finding counts.
    fn threshold(&self) -> u8 {
        self.sensitivity.threshold()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { countries: Country::ALL.to_vec(), sensitivity: Sensitivity::default() }
    }
}

/// How much must speak for a finding before it counts: a desk that would rather ask once too often is strict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sensitivity {
    /// Counts weak signs too: a number in the form of one country's with little around it. Finds more and errs more.
    Strict,
    /// What SCREENING.md was measured with.
    #[default]
    Normal,
    /// Counts only what names itself: a number beside its name, a name with its date of birth. Misses more.
    Relaxed,
}

impl Sensitivity {
    /// All, from the strictest.
    pub const ALL: [Self; 3] = [Self::Strict, Self::Normal, Self::Relaxed];

    /// The word in the settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Normal => "normal",
            Self::Relaxed => "relaxed",
        }
    }

    /// From how many points (0 to 100) a finding counts.
    const fn threshold(self) -> u8 {
        match self {
            Self::Strict => 45,
            Self::Normal => 60,
            Self::Relaxed => 75,
        }
    }
}

/// A mail after screening.
#[derive(Clone, Debug)]
pub struct Screened {
    /// What is left of the mail: its header facts. Subject, text, other names and attachments have been taken out.
    pub mail: Mail,
    /// The text; `None` when it holds citizen data (POLICY row 5).
    pub text: Option<CleanText>,
    /// One for each attachment, in their order.
    pub attachments: Vec<ScreenedAttachment>,
    /// What was found, by place; kinds and counts, never values.
    pub findings: Vec<Finding>,
}

impl Screened {
    /// POLICY row 5: in the body, quoted history, subject or a display name.
    #[must_use]
    pub fn citizen_data_in_text(&self) -> bool {
        self.text.is_none()
    }

    /// POLICY row 6: in an attachment, its name or a member of it.
    #[must_use]
    pub fn citizen_data_in_attachment(&self) -> bool {
        self.withheld().any(|withheld| withheld.why == Why::CitizenData)
    }

    /// POLICY row 7: an attachment that could not be read.
    #[must_use]
    pub fn unreadable(&self) -> bool {
        self.withheld().any(|withheld| matches!(withheld.why, Why::Unreadable(_)))
    }

    fn withheld(&self) -> impl Iterator<Item = &Withheld> {
        self.attachments.iter().filter_map(|attachment| match attachment {
            ScreenedAttachment::Withheld(withheld) => Some(withheld),
            ScreenedAttachment::Clean(_) => None,
        })
    }
}

/// Judges a whole mail. `documents` are what [`extract`](crate::extract) read from its attachments, one each in the same
/// order; an attachment without one counts as damaged.
#[must_use]
pub fn screen(mut mail: Mail, documents: Vec<Document>, policy: &Policy) -> Screened {
    let detector = Detector::new(policy);
    let mut findings = Vec::new();

    let subject = std::mem::take(&mut mail.subject);
    let text = std::mem::take(&mut mail.text);
    let other_names = std::mem::take(&mut mail.other_names);
    let (author_name, shown) = match &mail.author {
        Author::One { name, address } => (without_addresses(name.reveal(), address), name.clone()),
        Author::Nobody { shown } => (Redacted::default(), shown.clone()),
    };

    findings.extend(detector.line(subject.reveal()).finding(Where::Subject, None));
    let mut names = detector.line(shown.reveal());
    for name in &other_names {
        names.merge(detector.line(name.reveal()));
    }
    findings.extend(names.finding(Where::DisplayName, None));
    let mut body = detector.text(text.written.reveal());
    for also in &text.also {
        body.merge(detector.text(also.reveal()));
    }
    body.merge(detector.fields(text.fields.iter().map(|field| field.reveal().as_str()), &Place::default()));
    for field in &text.ids {
        body.merge(detector.ids(field.reveal(), &Place::default()));
    }
    findings.extend(body.finding(Where::Body, None));
    findings.extend(detector.text(text.quoted.reveal()).finding(Where::Quoted, None));

    let text = if findings.is_empty() { Some(CleanText::new(subject, author_name, text.written, text.quoted)) } else { None };

    let mut documents = documents.into_iter();
    let attachments = std::mem::take(&mut mail.attachments)
        .into_iter()
        .map(|raw| {
            let document = documents.next().unwrap_or_else(|| Document::unreadable("unknown", Unreadable::Damaged));
            attachment(&detector, raw, document, &mut findings)
        })
        .collect();
    if !findings.is_empty() {
        // An answer names the ids of its conversation, and must not carry on what was found.
        let may_go_on = |id: &MessageId| !detector.may_hold_number(id.as_str());
        mail.message_id = mail.message_id.filter(may_go_on);
        mail.references.retain(may_go_on);
    }
    Screened { mail, text, attachments, findings }
}

/// A display name with every address in it removed but the author's own: `"a@good.test" <b@evil.test>` must not be taken for
/// a@good.test (THREATS §1 row 6).
fn without_addresses(name: &str, own: &EmailAddress) -> Redacted<String> {
    let shown = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_own = bare.parse::<EmailAddress>().as_ref() == Ok(own);
        if word.contains('@') && !is_own { "[address removed]".to_owned() } else { word.to_owned() }
    };
    Redacted::new(name.split(' ').map(shown).collect::<Vec<_>>().join(" "))
}

/// What became of a file that came without a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What was found, by place.
    pub findings: Vec<Finding>,
    /// Set when not everything could be read.
    pub unreadable: Option<Unreadable>,
}

/// Judges one file with its name, as `postkamer screen` and every attachment has it.
#[must_use]
pub fn screen_document(document: &Document, file_name: Option<&str>, policy: &Policy) -> Judgement {
    let findings = in_document(&Detector::new(policy), document, file_name, None);
    Judgement { findings, unreadable: document.unreadable }
}

fn in_document<'n>(
    detector: &Detector<'_>,
    document: &Document,
    names: impl IntoIterator<Item = &'n str>,
    attachment: Option<usize>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut named = detect::Found::default();
    names.into_iter().for_each(|name| named.merge(detector.file_name(name)));
    findings.extend(named.finding(Where::FileName, attachment));
    for (place, found) in detector.document(document) {
        findings.extend(found.finding(place, attachment));
    }
    findings
}

fn attachment(detector: &Detector<'_>, raw: RawAttachment, document: Document, findings: &mut Vec<Finding>) -> ScreenedAttachment {
    let names = raw.name.iter().chain(&raw.beside).map(|name| name.reveal().as_str());
    let found = in_document(detector, &document, names, Some(raw.index));
    let unreadable = raw.opaque.map(opaque).or(document.unreadable).filter(|_| !is_no_attachment(&raw, &document));
    let format = document.format;
    if !found.is_empty() {
        let mut kinds = std::collections::BTreeMap::new();
        for (kind, count) in found.iter().flat_map(|finding| &finding.kinds) {
            *kinds.entry(*kind).or_insert(0) += *count;
        }
        findings.extend(found);
        return ScreenedAttachment::Withheld(Withheld::new(&raw, format, Why::CitizenData, kinds));
    }
    match unreadable {
        Some(reason) => ScreenedAttachment::Withheld(Withheld::new(&raw, format, Why::Unreadable(reason), Default::default())),
        None => ScreenedAttachment::Clean(CleanAttachment::new(raw, format)),
    }
}

fn opaque(reason: Opaque) -> Unreadable {
    match reason {
        Opaque::Encrypted => Unreadable::Encrypted,
        Opaque::Elsewhere => Unreadable::UnknownFormat,
        Opaque::TooComplex => Unreadable::TooDeep,
        Opaque::Damaged => Unreadable::Damaged,
        Opaque::TooLarge => Unreadable::TooLarge,
    }
}

/// Signatures and pictures too small to show anything are no attachments in the sense of POLICY rows 6 and 7. A "signature"
/// beyond the size of a certificate chain, or one that is a file of another format, is an attachment like any other.
fn is_no_attachment(raw: &RawAttachment, document: &Document) -> bool {
    const LARGEST_SIGNATURE: usize = 64 * 1024;
    let signature =
        raw.signature && raw.bytes.reveal().len() <= LARGEST_SIGNATURE && matches!(document.format.as_str(), "unknown" | "txt" | "p7s");
    signature || raw.opaque.is_none() && document.is_tiny_picture()
}

#[cfg(test)]
mod tests;
