//! Organisations and their contacts, as their files say.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;

use crate::words::{AgreedTerms, Domain, EmailAddress, Language, Redacted};

/// An organisation's id: the stem of its file. Not personal data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganisationId(Arc<str>);

impl OrganisationId {
    /// The id with that text.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for OrganisationId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrganisationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the record of processing activities names of a controller (GDPR article 30(2)(a)), in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Particulars {
    /// Its postal address.
    pub address: Option<String>,
    /// Its data protection officer.
    pub data_protection_officer: Option<String>,
    /// Its representative in the Union, where it is established outside.
    pub representative: Option<String>,
}

/// A customer, usually a municipality.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// The stem of its file.
    pub id: OrganisationId,
    /// Its name, as it stands in replies.
    pub name: String,
    /// Its mail domains, exact: a subdomain belongs to it only when it is listed.
    pub domains: Vec<Domain>,
    /// The language of replies to its people.
    pub language: Language,
    /// Whether it agreed a list: only its contacts may raise tickets (POLICY "listed organisation").
    pub approved_contacts_only: bool,
    /// The last day of the contract; after it domains and contacts belong to nobody. None: no end.
    pub contract_until: Option<Date>,
    /// Addresses of monitoring systems: taken in like people's mail, never answered.
    pub automatic_senders: Vec<EmailAddress>,
    /// Whom to tell about matters of privacy.
    pub privacy_contact: Option<EmailAddress>,
    /// What the record of processing activities names besides (GDPR article 30(2)(a)).
    pub particulars: Particulars,
    /// Whether that contact is told when citizen data from the organisation was refused (GDPR 33(2)).
    pub privacy_notices: bool,
    /// How long what is kept of it, where that differs from the house's terms.
    pub terms: AgreedTerms,
    /// The list, in the order of the file.
    pub contacts: Vec<Contact>,
}

impl Organisation {
    /// Whether its contract runs on that day (the last day included).
    #[must_use]
    pub fn is_under_contract(&self, today: Date) -> bool {
        self.contract_until.is_none_or(|last| today <= last)
    }

    /// The contact who is put in CC (POLICY rows 12 and 15): the first *present* general contact in file order; if all are absent, the
    /// first in file order, and `true` beside it. Former and ICT contacts never serve. None: nobody is left who could.
    #[must_use]
    pub fn stand_in(&self, today: Date) -> Option<(&Contact, bool)> {
        let mut general = self.contacts.iter().filter(|c| c.kind == ContactKind::General && !c.has_left(today));
        let first = general.next()?;
        let present = std::iter::once(first).chain(general).find(|c| !c.is_absent(today));
        Some(present.map_or((first, true), |contact| (contact, false)))
    }
}

/// What a contact may do (POLICY "contact").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContactKind {
    /// May raise anything, approve quotes and have others added.
    General,
    /// ICT matters only.
    Ict,
}

impl ContactKind {
    /// The word in settings and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Ict => "ict",
        }
    }
}

/// A person on an organisation's list.
#[derive(Clone, Debug)]
pub struct Contact {
    /// The name, as the person writes it in mail.
    pub name: Redacted<String>,
    /// The personal business address.
    pub email: EmailAddress,
    /// What this person may do.
    pub kind: ContactKind,
    /// For agents only.
    pub phone: Option<Redacted<String>>,
    /// For agents only.
    pub mobile: Option<Redacted<String>>,
    /// Days away, first and last, both included.
    pub absent: Vec<(Date, Date)>,
    /// The first day gone. None: still here.
    pub left: Option<Date>,
}

impl Contact {
    /// Whether this person is gone on that day.
    #[must_use]
    pub fn has_left(&self, today: Date) -> bool {
        self.left.is_some_and(|first_day_gone| first_day_gone <= today)
    }

    /// Whether this person is away on that day.
    #[must_use]
    pub fn is_absent(&self, today: Date) -> bool {
        self.absent.iter().any(|(first, last)| (*first..=*last).contains(&today))
    }
}
