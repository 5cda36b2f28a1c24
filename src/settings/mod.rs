//! Files become checked settings (DESIGN §5), with file:line:column in every complaint.
//!
//! One reading shows all mistakes in all files. Nothing outside the files is needed for it: secrets are read where they are used, servers are asked
//! where they are needed; only [`check`] looks at the secrets' files too. [`Live`] keeps the settings of a running daemon up to date.

mod complaint;
pub mod contact_edit;
mod context;
mod domains;
mod endpoints;
mod live;
mod main_file;
mod organisation_file;
mod overrides;
mod schema;
mod section;
mod tree;
mod values;

pub use complaint::{Complaint, Mistakes, Severity};
pub use live::Live;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::clock::Clock;
use crate::decide::{OnUnreadable, Policy, UnknownSenders};
use crate::identify::{Authentication, Directory};
use crate::mailbox;
use crate::outbox::smtp::SmtpSettings;
use crate::plan::Limits;
use crate::screen::Sensitivity;
use crate::words::{Country, EmailAddress, Language, MailboxId, Redacted, Terms};
use context::Context;

/// Everything that postkamer was told, checked. Immutable: a changed file makes a new one.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The customer portal, where redirect replies point: an https address as the admin wrote it.
    pub portal: String,
    /// Language of replies where neither organisation nor desk has one.
    pub language: Language,
    /// Says when a day begins, for absences and terms.
    pub timezone: TimeZone,
    /// Directory of everything that is remembered; made by whoever opens the store.
    pub state_dir: PathBuf,
    /// Bytes to be left free on the disks of `state_dir` and of the attachments: with less, no mail is taken in (THREATS §1 row 41).
    pub keep_free: u64,
    /// Customers and their contacts.
    pub organisations: Directory,
    /// Days after closing within which an answer reopens a ticket (POLICY row 9c).
    pub reopen_days: u32,
    /// Processor time that one mail may take in one go before the process ends itself.
    pub stall: Duration,
    /// Where tickets are remembered.
    pub database: Database,
    /// Where attachments are kept, and how large a mail may be.
    pub attachments: Attachments,
    /// Whose word counts on whether From is authentic.
    pub authentication: Authentication,
    /// Whom mode `verify` asks; none: the system's resolver.
    pub dns_server: Option<SocketAddr>,
    /// Rates of intake and of replies.
    pub limits: Limits,
    /// How long what is kept.
    pub retention: Retention,
    /// What happens by the clock.
    pub upkeep: Upkeep,
    /// How replies leave.
    pub smtp: Smtp,
    /// Where /healthz, /readyz and /metrics are served. None: nowhere.
    pub health: Option<SocketAddr>,
    /// Who processes, for the record of processing activities.
    pub processor: Processor,
    /// The intake addresses, in file order; at least one.
    pub desks: Vec<Desk>,
    /// Who may work on which desks. Empty: every local user on all.
    pub agents: Vec<Agent>,
    /// Contents of `replies/<lang>.toml`, already tried.
    pub replies_overrides: Vec<(Language, String)>,
    /// Contents of `words/<lang>.toml`, already tried.
    pub words_overrides: Vec<(Language, String)>,
    /// SHA-256 over all files and overriding variables, in hexadecimal: which settings a decision was made under.
    pub fingerprint: String,
    /// What is doubtful in them.
    pub warnings: Vec<Complaint>,
    /// Directories whose `.toml` files belong to the settings.
    directories: Vec<PathBuf>,
}

impl Settings {
    /// The desk of that name.
    #[must_use]
    pub fn desk(&self, name: &str) -> Option<&Desk> {
        self.desks.iter().find(|desk| desk.name == name)
    }

    /// The desk whose address or alias this is.
    #[must_use]
    pub fn desk_at(&self, address: &EmailAddress) -> Option<&Desk> {
        self.desks.iter().find(|desk| desk.addresses().any(|own| own == address))
    }

    /// All addresses and aliases of all desks.
    pub fn own_addresses(&self) -> impl Iterator<Item = &EmailAddress> {
        self.desks.iter().flat_map(Desk::addresses)
    }

    /// Where an organisation's file lies.
    #[must_use]
    pub fn organisation_file(&self, id: &str) -> PathBuf {
        self.directories.first().map(PathBuf::as_path).unwrap_or(std::path::Path::new("")).join(format!("{id}.toml"))
    }

    /// What to go by from now on where `newer` was written while these were in use: all of it, but for what only a restart can change. The keys that
    /// wait for one are named.
    #[must_use]
    pub fn followed_by(&self, newer: &Self) -> (Self, Vec<&'static str>) {
        let mut settings = newer.clone();
        let mut waiting = Vec::new();
        keep(&self.database, &mut settings.database, "database.url", &mut waiting);
        keep(&self.state_dir, &mut settings.state_dir, "state_dir", &mut waiting);
        keep(&self.attachments.store, &mut settings.attachments.store, "attachments.store", &mut waiting);
        keep(&self.health, &mut settings.health, "health.listen", &mut waiting);
        (settings, waiting)
    }

    /// Which day it is at the desk.
    #[must_use]
    pub fn today(&self, now: jiff::Timestamp) -> Date {
        now.to_zoned(self.timezone.clone()).date()
    }
}

/// Where tickets are remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file; relative paths are already joined to `state_dir`.
    Sqlite(PathBuf),
    /// A `postgres://` address, which may hold a password.
    Postgres(Redacted<String>),
}

/// `[attachments]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachments {
    /// The directory; a relative path is already joined to `state_dir`.
    pub store: PathBuf,
    /// Bytes; of a larger mail only the first 256 KiB are fetched.
    pub max_mail: u64,
    /// How long reading the files of one mail may take together.
    pub reading_time: Duration,
}

/// `[retention]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The terms; an organisation may have agreed others.
    pub terms: Terms,
    /// The time of day at which the daemon removes what is due.
    pub at: Time,
}

impl Default for Retention {
    fn default() -> Self {
        Self { terms: Terms::default(), at: jiff::civil::time(3, 30, 0, 0) }
    }
}

/// `[processor]`: what GDPR article 30(2) wants to know of a processor, in words.
#[derive(Clone, Debug, Default)]
pub struct Processor {
    /// The company's name.
    pub name: Option<String>,
    /// Its postal address.
    pub address: Option<String>,
    /// How to reach it.
    pub contact: Option<String>,
    /// Its data protection officer, where it has one.
    pub data_protection_officer: Option<String>,
    /// Its representative in the Union, where it is established outside.
    pub representative: Option<String>,
    /// Transfers to third countries and their safeguards, or that there are none.
    pub transfers: Option<String>,
}

/// `[upkeep]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upkeep {
    /// Days after which a desk is reminded of a ticket that waits.
    pub queue_reminder_days: u32,
    /// Days after which a listed contact is asked once more whether a mail was theirs.
    pub identity_reminder_days: u32,
    /// Month and day from which on profiles of people who left in earlier years are erased.
    pub move_profiles_on: (i8, i8),
}

impl Default for Upkeep {
    fn default() -> Self {
        Self { queue_reminder_days: 7, identity_reminder_days: 3, move_profiles_on: (1, 2) }
    }
}

/// How replies leave.
#[derive(Clone, Debug, PartialEq)]
pub enum Smtp {
    /// By a mail server.
    Server(SmtpSettings),
    /// Each as an `.eml` file in this directory.
    Directory(PathBuf),
}

/// One intake address.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Short name, unique.
    pub name: String,
    /// The address customers write to, and the From of replies.
    pub address: EmailAddress,
    /// Other addresses of the same desk.
    pub aliases: Vec<EmailAddress>,
    /// The name beside the address in replies.
    pub display_name: String,
    /// Language of replies to people without an organisation.
    pub language: Language,
    /// Whether every mail counts as an ICT matter.
    pub topic: Topic,
    /// CC for urgent mail of people without an organisation.
    pub duty_contact: Option<EmailAddress>,
    /// Who is told when a ticket waits too long or a contact refuses a sender. None: it stands on the ticket and in the log only.
    pub notify: Option<EmailAddress>,
    /// What becomes of strangers.
    pub unknown_senders: UnknownSenders,
    /// What becomes of a mail with an unreadable attachment.
    pub unreadable: OnUnreadable,
    /// Countries whose identity numbers count without a keyword beside them.
    pub countries: Vec<Country>,
    /// How much must speak for citizen data before it counts.
    pub sensitivity: Sensitivity,
    /// Whether stand-ins take the place of addresses and names of computers and users in monitoring mail.
    pub mask_monitoring: bool,
    /// Where the mail comes from.
    pub mailbox: mailbox::Settings,
}

impl Desk {
    /// Its address and its aliases.
    pub fn addresses(&self) -> impl Iterator<Item = &EmailAddress> {
        std::iter::once(&self.address).chain(&self.aliases)
    }

    /// What of it changes a verdict.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy { unknown_senders: self.unknown_senders, unreadable: self.unreadable }
    }

    /// How its mail is screened.
    #[must_use]
    pub fn screening(&self) -> crate::screen::Policy {
        crate::screen::Policy { countries: self.countries.clone(), sensitivity: self.sensitivity }
    }

    /// The desk as its replies show it.
    #[must_use]
    pub fn letterhead(&self) -> crate::plan::Desk {
        crate::plan::Desk {
            name: self.name.clone(),
            address: self.address.clone(),
            display_name: self.display_name.clone(),
            language: self.language,
            duty_contact: self.duty_contact.clone(),
        }
    }

    /// The id of its mailbox: its name.
    #[must_use]
    pub fn mailbox_id(&self) -> MailboxId {
        MailboxId::new(&self.name)
    }
}

/// What a desk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Anything.
    General,
    /// ICT matters: every mail to it counts as one.
    Ict,
}

/// Somebody who works on tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Login name.
    pub name: String,
    /// Names of the desks whose tickets this agent sees.
    pub desks: Vec<String>,
}

/// Reads `postkamer.toml` and all that it refers to, with the overrides of the environment (`POSTKAMER__A__B`).
///
/// # Errors
/// All mistakes in all files.
pub fn load(path: &Path) -> Result<Settings, Mistakes> {
    read(path, None, false, &clock())
}

/// The same, for `check`: looks at the files of secrets and certificates too, and takes an organisation whose last general contact has left as a
/// mistake. ([`load`] only warns of that: a day that passes must not keep the desk from starting.)
///
/// # Errors
/// All mistakes in all files.
pub fn check(path: &Path) -> Result<Settings, Mistakes> {
    read(path, None, true, &clock())
}

/// The same with the environment and the clock given, for tests.
///
/// # Errors
/// All mistakes in all files.
pub fn load_with(path: &Path, environment: &BTreeMap<String, String>, thorough: bool, clock: &Clock) -> Result<Settings, Mistakes> {
    read(path, Some(environment), thorough, clock)
}

/// Puts the old value back, and names the key where it was another one.
fn keep<T: Clone + PartialEq>(old: &T, new: &mut T, key: &'static str, changed: &mut Vec<&'static str>) {
    if old != new {
        new.clone_from(old);
        changed.push(key);
    }
}

/// A moment that cannot be read has been refused before this.
fn clock() -> Clock {
    Clock::of_process().unwrap_or_else(|_| Clock::system())
}

fn read(path: &Path, environment: Option<&BTreeMap<String, String>>, thorough: bool, clock: &Clock) -> Result<Settings, Mistakes> {
    let today = clock.now().to_zoned(TimeZone::UTC).date();
    let context = Context::new(thorough, today);
    let settings = main_file::read(path, environment, &context);
    let complaints = context.finish();
    let any_mistake = complaints.iter().any(|complaint| complaint.severity == Severity::Mistake);
    match settings {
        Some(settings) if !any_mistake => Ok(Settings { warnings: complaints, ..settings }),
        _ => Err(Mistakes::new(complaints)),
    }
}
