//! What a plan must know of the house.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::templates::Templates;
use crate::words::{EmailAddress, Language};

/// Settings of the whole house that shape replies and tickets.
pub struct House {
    /// Where redirect replies point.
    pub portal: String,
    /// What "today" means for terms.
    pub timezone: TimeZone,
    /// For how many days a closed ticket takes follow-ups (row 9c).
    pub reopen_days: u32,
    /// Limits on intake and replies.
    pub limits: Limits,
    /// The letters.
    pub templates: Templates,
    /// Hash of the configuration, for the audit record.
    pub fingerprint: String,
}

/// Setting `[limits]`, per hour. None: no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Mails from one authenticated sender.
    pub intake_per_sender_hour: Option<u32>,
    /// Mails from one organisation.
    pub intake_per_organisation_hour: Option<u32>,
    /// Unauthenticated mails at one desk.
    pub intake_unauthenticated_desk_hour: Option<u32>,
    /// Automatic replies to one person of a known organisation.
    pub replies_per_recipient_hour: Option<u32>,
    /// Automatic replies to one organisation.
    pub replies_per_organisation_hour: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            intake_per_sender_hour: Some(60),
            intake_per_organisation_hour: Some(1000),
            intake_unauthenticated_desk_hour: Some(200),
            replies_per_recipient_hour: Some(30),
            replies_per_organisation_hour: Some(600),
        }
    }
}

/// A desk as its replies show it.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Its name in the settings.
    pub name: String,
    /// The address that it writes from.
    pub address: EmailAddress,
    /// The name beside its address.
    pub display_name: String,
    /// The language for people without an organisation.
    pub language: Language,
    /// CC for urgent mail of people without an organisation.
    pub duty_contact: Option<EmailAddress>,
}

impl House {
    /// How long a question to a listed contact stays open (row 13).
    const IDENTITY_CHECK_DAYS: i64 = 7;

    /// Until when a question asked now can be answered.
    #[must_use]
    pub fn identity_check_expires(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(jiff::SignedDuration::from_hours(24 * Self::IDENTITY_CHECK_DAYS)).unwrap_or(now)
    }

    /// That moment as a date in a letter (ISO 8601, read the same in every language).
    #[must_use]
    pub fn date(&self, at: Timestamp) -> String {
        at.to_zoned(self.timezone.clone()).date().to_string()
    }

    /// That moment to the minute, in the same way.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> String {
        at.to_zoned(self.timezone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// Whether a ticket closed at that moment still takes follow-ups.
    #[must_use]
    pub fn reopens(&self, closed: Timestamp, now: Timestamp) -> bool {
        now.duration_since(closed) <= jiff::SignedDuration::from_hours(24 * i64::from(self.reopen_days))
    }
}
