//! What becomes of a mail, and why.

use super::facts::codes;

codes! {
    /// The verdict's name in `explain --json`.
    Outcome {
        /// A new ticket that is worked on at once.
        Open = "open",
        /// A new ticket that waits for an agent.
        Queue = "queue",
        /// An entry on a ticket that exists.
        Append = "append",
        /// No ticket: citizen data in the text, or strangers are not taken.
        Reject = "reject",
        /// Nothing comes of it.
        Ignore = "ignore",
        /// Left where it is until the rate allows it.
        Defer = "defer",
    }
}

codes! {
    /// Why (POLICY, "reason code"); in the table's order.
    Reason {
        /// Row 0.
        RateLimited = "rate-limited",
        /// Row 1: our own mail coming back.
        OwnLoop = "own-loop",
        /// Row 1: the same mail again.
        Duplicate = "duplicate",
        /// Row 2.
        Bounce = "bounce",
        /// Row 3: an automatic answer.
        AutoReply = "auto-reply",
        /// Row 3: a mailing or a list.
        Bulk = "bulk",
        /// Row 4.
        Objection = "objection",
        /// Row 5.
        CitizenDataInText = "citizen-data-in-text",
        /// Row 6.
        CitizenDataInAttachment = "citizen-data-in-attachment",
        /// Row 7.
        AttachmentUnreadable = "attachment-unreadable",
        /// Row 8.
        SenderNotAuthentic = "sender-not-authentic",
        /// Row 9a: the listed contact says that it was them.
        IdentityConfirmed = "identity-confirmed",
        /// Row 9a: the listed contact says that it was not.
        IdentityRefused = "identity-refused",
        /// Row 9b.
        ApprovalAnswer = "approval-answer",
        /// Row 9c.
        FollowUp = "follow-up",
        /// Row 10.
        ApprovedContact = "approved-contact",
        /// Row 10: asks to put somebody on the list.
        AdditionRequest = "addition-request",
        /// Row 11.
        ApprovedIctContact = "approved-ict-contact",
        /// Row 12.
        OutsideIctScope = "outside-ict-scope",
        /// Row 13.
        IdentityUnverified = "identity-unverified",
        /// Row 14.
        ContactLeft = "contact-left",
        /// Row 15.
        UrgentUnlisted = "urgent-unlisted",
        /// Row 16.
        NotAnApprovedContact = "not-an-approved-contact",
        /// Row 17.
        OrganisationMember = "organisation-member",
        /// Row 18.
        UrgentUnknown = "urgent-unknown",
        /// Row 19.
        UnknownSender = "unknown-sender",
    }
}

codes! {
    /// What happens to the mail on the server once the verdict is committed.
    ServerAction {
        /// Moved to the `done` folder, or deleted where the desk files by deletion.
        File = "file",
        /// Deleted, expunged, and looked for again.
        Delete = "delete",
        /// Left alone.
        Keep = "keep",
    }
}

codes! {
    /// A letter that postkamer knows how to write (POLICY, column "reply", and "What follows later").
    Template {
        /// Rows 10, 11, 17.
        Received = "received",
        /// Rows 12, 15, 18.
        ReceivedUrgent = "received-urgent",
        /// Rows 12, 14, 16.
        Referral = "referral",
        /// Row 13, to the listed address.
        VerifyIdentity = "verify-identity",
        /// Row 13, to the sender.
        Verifying = "verifying",
        /// Row 19.
        UnknownSender = "unknown-sender",
        /// Row 5.
        MessageRejected = "message-rejected",
        /// Row 6.
        AttachmentsRejected = "attachments-rejected",
        /// Row 7.
        AttachmentUnreadable = "attachment-unreadable",
        /// An agent took on a ticket that waited.
        Released = "released",
        /// An agent declined a ticket that waited.
        Refused = "refused",
        /// An agent asks for approval of a quote or an order.
        ApprovalRequest = "approval-request",
        /// An agent writes to the sender in words of their own.
        AgentReply = "agent-reply",
        /// An agent asks for data of other people, in the portal.
        ThirdPartyData = "third-party-data",
        /// To the desk: a ticket waits, and will expire.
        QueueReminder = "queue-reminder",
        /// To the desk: a listed contact refused a sender, or did not answer.
        IdentityNotice = "identity-notice",
        /// To an organisation's privacy contact: citizen data in mail of the organisation was refused (GDPR 33(2)).
        PrivacyNotice = "privacy-notice",
    }
}

impl Template {
    /// Whether it sends the customer to the portal; these three take the place of a row's own reply.
    #[must_use]
    pub const fn is_redirect(self) -> bool {
        matches!(self, Self::MessageRejected | Self::AttachmentsRejected | Self::AttachmentUnreadable)
    }
}

codes! {
    /// To whom a reply goes. There is no third.
    Recipient {
        /// The address in From.
        Sender = "sender",
        /// The listed address of the contact whose name the sender bears.
        ListedAddress = "listed-address",
    }
}

codes! {
    /// Who is brought into CC.
    Cc {
        /// A general contact of the sender's organisation.
        GeneralContact = "general-contact",
        /// The desk's own duty contact.
        DutyContact = "duty-contact",
    }
}

/// One reply.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// Which text.
    pub template: Template,
    /// To whom.
    pub to: Recipient,
    /// Who is in CC.
    #[serde(default)]
    pub cc: Vec<Cc>,
}

/// What happens to a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketStep {
    /// No ticket is touched; a bounce or an automatic answer may leave a note on the ticket that it threads to.
    None,
    /// A new one.
    New {
        /// It waits for an agent.
        queued: bool,
        /// It continues the closed ticket that the token points to.
        linked: bool,
    },
    /// An entry on the ticket that the token points to.
    Append(AfterAppend),
}

/// The state of a ticket after an entry was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterAppend {
    /// As it was.
    Keep,
    /// Back to the state it was closed from.
    Reopen,
    /// Open: the listed contact confirmed the sender.
    Open,
    /// Waiting: an attachment could not be read and the desk wants to see such mail.
    Queue,
    /// Closed for good: the listed contact refused the sender.
    Close,
}

/// What becomes of a mail, with every reason that led to it, in order. Reasons are never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Its name.
    pub outcome: Outcome,
    /// Why.
    pub reasons: Vec<Reason>,
    /// What happens on the server.
    pub server: ServerAction,
    /// What happens to a ticket.
    pub ticket: TicketStep,
    /// Who is in CC of the ticket and of every reply on it.
    pub cc: Vec<Cc>,
    /// What is answered, before the limits on replies.
    pub replies: Vec<Reply>,
}
