//! One mail, from arrival to booking.
//!
//! [`Journey::consider`] takes a mail through parse, extract, screen and identify, and gathers the facts; nothing is
//! written on the way, so a crash there costs only time. [`crate::plan::plan`] then decides and plans inside the booking
//! transaction of [`crate::store`], and only what was booked is acted on, in [`crate::outbox`].

use std::sync::Arc;

use futures_util::StreamExt;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::decide::answer::Answer;
use crate::decide::lexicon::Lexicon;
use crate::decide::{Facts, Membership, addition, automatic, topic, urgency};
use crate::extract::{Extractor, Languages, Patience};
use crate::identify::{Authentic, Authentication, Organisation, Roles, Sender};
use crate::mailbox::RawMail;
use crate::parse::document::{Document, Unreadable};
use crate::parse::{Author, Mail, RawAttachment, parse};
use crate::plan::{Affiliation, Considered, House, Intake, NewProfile, Postmark};
use crate::screen::{self, ScreenedAttachment};
use crate::settings::{Desk, Settings, Topic};
use crate::verify::{NoResolver, Verifier};
use crate::watchdog::Watchdog;
use crate::words::{EmailAddress, Keys, Redacted};

/// Attachments of one mail that are read at the same time.
const READ_AT_ONCE: usize = 4;

/// Mail older than this gets no acknowledgement (THREATS §2, rule 9).
const OLD: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);

/// Everything that a mail meets on its way, made from one version of the settings.
pub struct Journey {
    /// The settings.
    pub settings: Arc<Settings>,
    /// What plans must know of the house.
    pub house: House,
    lexicon: Lexicon,
    extractor: Arc<Extractor>,
    /// Mode `verify` only.
    verifier: Option<Verifier>,
    watchdog: Watchdog,
}

/// A mail as it was received: parsed, and with what may be believed of its From; not yet opened.
pub struct Received {
    /// Its bytes, and where they lie.
    pub raw: RawMail,
    /// What it says.
    pub mail: Mail,
    /// Whether its From is authentic; `none` while that is undecided.
    pub authentic: Authentic,
    /// It depends on DNS, which did not answer (mode `verify`).
    pub undecided: bool,
}

/// The settings cannot be used: a text among them is broken.
#[derive(Debug, thiserror::Error)]
pub enum JourneyError {
    /// A reply text.
    #[error(transparent)]
    Replies(#[from] crate::plan::templates::TemplateError),
    /// A word list.
    #[error(transparent)]
    Words(#[from] crate::decide::lexicon::LexiconError),
    /// Mode `verify`, and nobody to ask.
    #[error(transparent)]
    Dns(#[from] NoResolver),
}

impl Journey {
    /// Prepares the way for mails under these settings.
    ///
    /// # Errors
    /// When an override of the reply texts or word lists is broken (`check` says so with file and line), or when mode
    /// `verify` finds no DNS server to ask.
    pub fn new(settings: Arc<Settings>, extractor: Arc<Extractor>) -> Result<Self, JourneyError> {
        let house = Self::house_of(&settings)?;
        let lexicon = Lexicon::new(&settings.words_overrides)?;
        let verifies = settings.authentication == Authentication::Verify;
        let verifier = verifies.then(|| Verifier::new(settings.dns_server)).transpose()?;
        Ok(Self { settings, house, lexicon, extractor, verifier, watchdog: Watchdog::default() })
    }

    /// With somebody who watches over what computes.
    #[must_use]
    pub fn watched_by(self, watchdog: Watchdog) -> Self {
        Self { watchdog, ..self }
    }

    /// Whoever watches over what computes.
    #[must_use]
    pub fn watchdog(&self) -> &Watchdog {
        &self.watchdog
    }

    /// What plans must know of the house.
    ///
    /// # Errors
    /// When an override of the reply texts is broken.
    pub fn house_of(settings: &Settings) -> Result<House, JourneyError> {
        Ok(House {
            portal: settings.portal.clone(),
            timezone: settings.timezone.clone(),
            reopen_days: settings.reopen_days,
            limits: settings.limits,
            templates: crate::plan::templates::Templates::new(&settings.replies_overrides)?,
            fingerprint: settings.fingerprint.clone(),
        })
    }

    /// Reads a mail, and finds out what may be believed of its From; in mode `verify` that asks DNS.
    pub async fn receive(&self, raw: RawMail, now: Timestamp) -> Received {
        let mail = self.watchdog.over(|| parse(raw.bytes.reveal(), raw.truncated));
        let judged = match &self.verifier {
            Some(verifier) => verifier.judge(raw.bytes.reveal(), &mail, raw.truncated, now).await.ok(),
            None => Some(self.settings.authentication.judge(&mail)),
        };
        Received { raw, mail, authentic: judged.unwrap_or(Authentic::None), undecided: judged.is_none() }
    }

    /// Whose share of the intake a mail uses up (POLICY row 0: judged from the header, before anything is opened).
    #[must_use]
    pub fn intake<'a>(&'a self, desk: &'a Desk, received: &Received, keys: &Keys, now: Timestamp) -> Intake<'a> {
        let author = author_of(&received.mail);
        let today = self.settings.today(now);
        let sender = self.settings.organisations.identify(author.as_ref().map(|(address, name)| (address, name.as_str())), today);
        let organisation = own_organisation(&sender, author.as_ref().map(|(address, _)| address), &self.settings, today);
        Intake {
            authentic: received.authentic,
            sender: author.map(|(address, _)| keys.person(&address)),
            organisation: organisation.map(|organisation| organisation.id.as_str()),
            desk: &desk.name,
        }
    }

    /// All that can be known of a mail without memory. `now` tells which day it is, and how old the mail. One that is over the
    /// intake rate is not opened: it is deferred, whatever it holds.
    pub async fn consider(&self, desk: &Desk, received: Received, over_rate: bool, keys: Option<&Keys>, now: Timestamp) -> Considered {
        let documents = if over_rate { Vec::new() } else { self.read(desk, &received.mail.attachments).await };
        let mut considered = self.watchdog.over(|| self.gather(desk, received, documents, keys, now));
        considered.facts.over_rate = over_rate;
        considered
    }

    /// What the attachments say, in their order.
    async fn read(&self, desk: &Desk, attachments: &[RawAttachment]) -> Vec<Document> {
        let languages = &Languages::of(&desk.countries);
        let patience = &Patience::of(self.settings.attachments.reading_time);
        // Owned files, so that the stream borrows nothing but the extractor.
        let files: Vec<Option<File>> = attachments.iter().map(|raw| raw.opaque.is_none().then(|| File::of(raw))).collect();
        futures_util::stream::iter(files)
            .map(|file| async move {
                match file {
                    Some(file) => self.extractor.read_in(languages, patience, file.bytes, Some(&file.declared), file.name.as_deref()).await,
                    // Screening knows why from the attachment itself.
                    None => Document::unreadable("unknown", Unreadable::UnknownFormat),
                }
            })
            .buffered(READ_AT_ONCE)
            .collect()
            .await
    }

    /// The pure rest of the way: who, what about, and what may be kept.
    fn gather(&self, desk: &Desk, received: Received, documents: Vec<Document>, keys: Option<&Keys>, now: Timestamp) -> Considered {
        let settings = &self.settings;
        let Received { raw, mail, authentic, .. } = received;
        let today = settings.today(now);
        let author = author_of(&mail);
        let sender = settings.organisations.identify(author.as_ref().map(|(address, name)| (address, name.as_str())), today);
        let is_own = |address: &EmailAddress| settings.desk_at(address).is_some();
        let desk_addresses: Vec<&EmailAddress> = desk.addresses().collect();
        let stand_in = sender.organisation.and_then(|o| o.stand_in(today)).map(|(contact, absent)| (contact.email.clone(), absent));
        let arrived = raw.arrived(now);
        let (subject, written) = (mail.subject.reveal().as_str(), mail.text.written.reveal().as_str());
        let said = self.lexicon.read(subject, written);
        let unanswerable = automatic::silence(&mail, &sender, &desk_addresses, is_own);
        let mut facts = Facts {
            kind: automatic::kind(&mail, &sender, is_own, keys),
            authentic,
            sender: sender.kind,
            membership: membership(&sender),
            urgent: urgency::urgent(&said),
            ict_matter: desk.topic == Topic::Ict || topic::ict(&said),
            addition_request: addition::asks_for_addition(subject, written),
            stand_in: stand_in.is_some(),
            duty_contact: desk.duty_contact.is_some(),
            answerable: unanswerable.is_none(),
            old: now.duration_since(arrived) > OLD,
            ..Facts::default()
        };
        let Answer { says_no, approval } = Answer::read(&self.lexicon, written);
        let own_organisation = own_organisation(&sender, author.as_ref().map(|(address, _)| address), settings, today).map(affiliation);
        let named_contact =
            (sender.kind == crate::identify::SenderKind::NamedElsewhere).then(|| sender.contact.map(|c| c.email.clone())).flatten();
        let people = people(&mail, &sender, authentic, own_organisation.as_ref(), settings);
        // Who reports an outage of the portal asks for no access to it.
        let portal_request = !facts.urgent && addition::asks_for_portal_access(subject, written);
        let organisation = sender.organisation.map(affiliation);

        let screened = screen::screen(mail, documents, &desk.screening());
        facts.citizen_data_in_text = screened.citizen_data_in_text();
        facts.citizen_data_in_attachment = screened.citizen_data_in_attachment();
        facts.unreadable_attachment = screened.unreadable();
        let (mut attachments, mut withheld) = (Vec::new(), Vec::new());
        for attachment in screened.attachments {
            match attachment {
                ScreenedAttachment::Clean(clean) => attachments.push(clean),
                ScreenedAttachment::Withheld(why) => withheld.push(why),
            }
        }
        // What a monitoring system watches is the sender's organisation's.
        let watched = sender.organisation.filter(|_| sender.automatic && desk.mask_monitoring);
        let mask = watched.map(|organisation| organisation.domains.clone());
        Considered {
            uid: raw.uid,
            postmark: Postmark { at: raw.internal_date, size: i64::try_from(raw.size).unwrap_or(i64::MAX) },
            digest: screened.mail.digest,
            facts,
            unanswerable,
            author: author.map(|(address, _)| address),
            organisation,
            own_organisation,
            named_contact,
            stand_in,
            says_no,
            people,
            portal_request,
            approval,
            text: screened.text,
            mask,
            attachments,
            withheld,
            findings: screened.findings,
            message_id: screened.mail.message_id,
            references: screened.mail.references,
            returned_ids: screened.mail.automatic.returned_ids,
        }
    }
}

/// What a worker is given of an attachment.
struct File {
    bytes: Vec<u8>,
    /// Its media type, with a charset where one is named.
    declared: String,
    name: Option<String>,
}

impl File {
    fn of(raw: &RawAttachment) -> Self {
        Self { bytes: raw.bytes.reveal().clone(), declared: raw.described(), name: raw.name.as_ref().map(|name| name.reveal().clone()) }
    }
}

fn membership(sender: &Sender<'_>) -> Membership {
    match sender.organisation {
        None => Membership::None,
        Some(organisation) if organisation.approved_contacts_only => Membership::Listed,
        Some(_) => Membership::Unlisted,
    }
}

/// The organisation of the address itself: somebody named elsewhere bears a contact's name, not a contact's address.
fn own_organisation<'a>(
    sender: &Sender<'a>,
    address: Option<&EmailAddress>,
    settings: &'a Settings,
    today: Date,
) -> Option<&'a Organisation> {
    if sender.kind != crate::identify::SenderKind::NamedElsewhere {
        return sender.organisation;
    }
    settings.organisations.organisation_by_domain(address?.domain(), today)
}

/// Most profiles that one mail makes of people in Cc.
const MOST_COLLEAGUES: usize = 50;

/// Who gets a profile by a mail (POLICY "Profiles"): its author, unless that is a machine or has left, and people in Cc whose domain is that of the
/// author's organisation. No profile is made of whom nobody wrote as: a role's address or a monitoring system in Cc.
fn people(mail: &Mail, sender: &Sender<'_>, authentic: Authentic, own: Option<&Affiliation>, settings: &Settings) -> Vec<NewProfile> {
    let Some((author, name)) = author_of(mail) else { return Vec::new() };
    if sender.automatic || sender.kind == crate::identify::SenderKind::FormerContact {
        return Vec::new();
    }
    let organisation = own.and_then(|own| settings.organisations.organisation(&own.id));
    let of = organisation.map(|organisation| organisation.id.to_string());
    let is_person = |organisation: &Organisation, address: &EmailAddress| {
        !Roles::at(&organisation.name).include(address) && !organisation.automatic_senders.contains(address)
    };
    let is_colleague = |address: &&EmailAddress| {
        let at_home = organisation.filter(|organisation| organisation.domains.contains(address.domain()));
        **address != author && at_home.is_some_and(|organisation| is_person(organisation, address))
    };
    let colleague = |address: &EmailAddress| NewProfile {
        address: address.clone(),
        name: Redacted::default(),
        organisation: of.clone(),
        by_cc: true,
        listed: false,
    };
    let colleagues: Vec<NewProfile> = mail.cc.iter().filter(is_colleague).take(MOST_COLLEAGUES).map(colleague).collect();
    let is_contact = matches!(sender.kind, crate::identify::SenderKind::GeneralContact | crate::identify::SenderKind::IctContact);
    let listed = is_contact && authentic == Authentic::Pass;
    let own = NewProfile { address: author.clone(), name: Redacted::new(name), organisation: of.clone(), by_cc: false, listed };
    std::iter::once(own).chain(colleagues).collect()
}

/// The one sound From, with the name beside it.
fn author_of(mail: &Mail) -> Option<(EmailAddress, String)> {
    match &mail.author {
        Author::One { address, name } => Some((address.clone(), name.reveal().clone())),
        Author::Nobody { .. } => None,
    }
}

fn affiliation(organisation: &Organisation) -> Affiliation {
    Affiliation { id: organisation.id.as_str().to_owned(), name: organisation.name.clone(), language: organisation.language }
}
