//! What a verdict rests on (POLICY, "The facts a verdict rests on").

use serde::Deserialize;

use crate::identify::{Authentic, SenderKind};

/// The facts about one mail. Codes and truths only: no text of the mail, no address, no name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Facts {
    /// Fact 8: the sender, the organisation or the desk's unauthenticated mail is over its intake rate.
    pub over_rate: bool,
    /// Fact 1: what wrote it.
    pub kind: Kind,
    /// Fact 9: the same mail is booked already.
    pub duplicate: bool,
    /// Fact 10: this person objected to the storage of their mail.
    pub objection: bool,
    /// Fact 4, rows 5: citizen data in body, history, subject or display names.
    pub citizen_data_in_text: bool,
    /// Fact 4, row 6: citizen data in an attachment, its name, or a member of it.
    pub citizen_data_in_attachment: bool,
    /// Fact 4, row 7: an attachment cannot be read.
    pub unreadable_attachment: bool,
    /// Fact 2: whether the From domain authenticated.
    pub authentic: Authentic,
    /// Fact 3: who From says it is.
    pub sender: SenderKind,
    /// Whether the sender's organisation exists and keeps a list of approved contacts.
    pub membership: Membership,
    /// Fact 5: an outage or an incident that stops work is described.
    pub urgent: bool,
    /// Fact 6: the matter is one of ICT.
    pub ict_matter: bool,
    /// The mail asks to put somebody on the list (row 10).
    pub addition_request: bool,
    /// Fact 7: the ticket that a token of ours points to, as far as the sender has a part in it.
    pub thread: Thread,
    /// The organisation has a general contact who can be brought into CC (row 15).
    pub stand_in: bool,
    /// The desk has a duty contact, not brought in three times today (row 18).
    pub duty_contact: bool,
    /// Whether the sender may be answered at all (THREATS §2, rules 1 to 7; automatic senders).
    pub answerable: bool,
    /// The mail is older than seven days: only a redirect is worth sending (THREATS §2, rule 9).
    pub old: bool,
}

impl Default for Facts {
    /// An ordinary mail of a stranger.
    fn default() -> Self {
        Self {
            over_rate: false,
            kind: Kind::Human,
            duplicate: false,
            objection: false,
            citizen_data_in_text: false,
            citizen_data_in_attachment: false,
            unreadable_attachment: false,
            authentic: Authentic::Pass,
            sender: SenderKind::Stranger,
            membership: Membership::None,
            urgent: false,
            ict_matter: false,
            addition_request: false,
            thread: Thread::None,
            stand_in: false,
            duty_contact: false,
            answerable: true,
            old: false,
        }
    }
}

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $code)] $variant),+ }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable code, as it stands in the database, in JSON and in metrics.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// Takes back a code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == code)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use codes;

codes! {
    /// What wrote the mail (POLICY fact 1). Of several kinds the first row of the table counts.
    Kind {
        /// From one of our own addresses, or with our own valid loop header.
        OwnLoop = "own-loop",
        /// A delivery status notification, or a mailer's mail with an empty Return-Path.
        Bounce = "bounce",
        /// Sent by a machine in answer to something.
        AutoReply = "auto-reply",
        /// A list or a mailing.
        Bulk = "bulk",
        /// Written by a person, or by a monitoring system that an organisation listed.
        Human = "human",
    }
}

codes! {
    /// Whether the sender's organisation is a listed one (POLICY, "Words").
    Membership {
        /// No organisation.
        None = "none",
        /// One without a list of approved contacts.
        Unlisted = "unlisted",
        /// One with a list.
        Listed = "listed",
    }
}

codes! {
    /// What a token of ours in References or In-Reply-To leads to (POLICY fact 7). Somebody without a part in the
    /// ticket has no thread.
    Thread {
        /// No token, or one that grants this sender nothing.
        None = "none",
        /// The listed contact answers a `verify-identity` mail and does not say no.
        IdentityYes = "identity-yes",
        /// The listed contact answers a `verify-identity` mail with no.
        IdentityNo = "identity-no",
        /// A contact answers an approval request.
        Approval = "approval",
        /// A ticket that is open or waiting.
        Current = "current",
        /// A ticket closed within `reopen_days`.
        ClosedRecently = "closed-recently",
        /// A ticket closed earlier than that.
        ClosedEarlier = "closed-earlier",
    }
}

/// The settings of the desk that change a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policy {
    /// Row 19.
    pub unknown_senders: UnknownSenders,
    /// Row 7.
    pub unreadable: OnUnreadable,
}

impl Default for Policy {
    fn default() -> Self {
        Self { unknown_senders: UnknownSenders::Queue, unreadable: OnUnreadable::Reject }
    }
}

codes! {
    /// What becomes of strangers (setting `unknown_senders`).
    UnknownSenders {
        /// A ticket that waits for an agent.
        Queue = "queue",
        /// A ticket at once.
        Open = "open",
        /// No ticket.
        Reject = "reject",
    }
}

codes! {
    /// What becomes of a mail with an unreadable attachment (setting `unreadable`).
    OnUnreadable {
        /// The rest goes on as if nothing had been attached.
        Reject = "reject",
        /// The same, but the ticket waits for an agent.
        Queue = "queue",
    }
}
