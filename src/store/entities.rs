//! The tables, as `migrations/` makes them; what the columns mean stands there.
//!
//! Rows hold personal text, so their Debug prints nothing but the table's name.

macro_rules! table {
    ($(#[$doc:meta])* $module:ident, $table:literal { $($(#[$attribute:meta])* $column:ident: $kind:ty,)+ }) => {
        $(#[$doc])*
        pub(super) mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
            #[sea_orm(table_name = $table)]
            pub struct Model { $($(#[$attribute])* pub $column: $kind,)+ }

            impl std::fmt::Debug for Model {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str(concat!($table, " row"))
                }
            }

            #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

table!(
    /// The installation's secret.
    secret, "secret" {
        #[sea_orm(primary_key, auto_increment = false)] id: i64,
        value: Vec<u8>,
    }
);

table!(
    /// The last numbers given out.
    counter, "counter" {
        #[sea_orm(primary_key, auto_increment = false)] name: String,
        value: i64,
    }
);

table!(
    /// Who holds a mailbox.
    lease, "lease" {
        #[sea_orm(primary_key, auto_increment = false)] mailbox: String,
        holder: String,
        epoch: i64,
        expires_at: i64,
        wanted_by: Option<String>,
    }
);

table!(
    /// Daemons at work, and what they report.
    daemon, "daemon" {
        #[sea_orm(primary_key, auto_increment = false)] instance: String,
        seen_at: i64,
        report: String,
    }
);

table!(
    /// Mails without a result.
    arrival, "arrival" {
        #[sea_orm(primary_key, auto_increment = false)] mailbox: String,
        #[sea_orm(primary_key, auto_increment = false)] validity: i64,
        #[sea_orm(primary_key, auto_increment = false)] uid: i64,
        state: String,
        attempts: i64,
        attempts_alone: i64,
        since: i64,
        reason: Option<String>,
    }
);

table!(
    /// Tickets.
    ticket, "ticket" {
        #[sea_orm(primary_key, auto_increment = false)] id: i64,
        desk: String,
        status: String,
        closed_from: Option<String>,
        close_cause: Option<String>,
        kind: String,
        urgent: bool,
        organisation: Option<String>,
        language: String,
        reasons: String,
        cc: String,
        cc_absent: bool,
        duty_called: bool,
        continues: Option<i64>,
        requester: Option<String>,
        opened_at: i64,
        closed_at: Option<i64>,
        emptied_at: Option<i64>,
    }
);

table!(
    /// Mails with a result.
    mail, "mail" {
        #[sea_orm(primary_key, auto_increment = false)] id: i64,
        mailbox: String,
        validity: i64,
        uid: i64,
        digest: String,
        digest_first: Option<String>,
        desk: String,
        outcome: String,
        reasons: String,
        kind: String,
        authentic: String,
        sender_kind: String,
        sender_key: Option<String>,
        organisation: Option<String>,
        ticket_id: Option<i64>,
        booked_at: i64,
        server_action: String,
        action_state: String,
        action_attempts: i64,
        action_due_at: i64,
        received_at: Option<i64>,
        size: Option<i64>,
        filed_at: Option<i64>,
        original: Option<String>,
        filed_in: Option<String>,
        filed_to: Option<String>,
    }
);

table!(
    /// Who takes part in a ticket.
    participant, "participant" {
        #[sea_orm(primary_key, auto_increment = false)] ticket_id: i64,
        #[sea_orm(primary_key, auto_increment = false)] address: String,
    }
);

table!(
    /// What happened on a ticket.
    entry, "entry" {
        #[sea_orm(primary_key, auto_increment = false)] id: i64,
        ticket_id: i64,
        kind: String,
        at: i64,
        author: Option<String>,
        author_name: String,
        subject: String,
        written: String,
        quoted: String,
        message_id: Option<String>,
        digest: Option<String>,
        agent: Option<String>,
        mail_id: Option<i64>,
        outbox_id: Option<i64>,
        deed: Option<String>,
        purged_at: Option<i64>,
    }
);

table!(
    /// Stored attachments.
    attachment, "attachment" {
        #[sea_orm(primary_key, auto_increment = false)] entry_id: i64,
        #[sea_orm(primary_key, auto_increment = false)] position: i64,
        name: Option<String>,
        media_type: String,
        format: String,
        inline: bool,
        size: i64,
        sha256: String,
    }
);

table!(
    /// Attachments that were not stored.
    withheld, "withheld" {
        #[sea_orm(primary_key, auto_increment = false)] mail_id: i64,
        #[sea_orm(primary_key, auto_increment = false)] position: i64,
        format: String,
        size_class: String,
        why: String,
        kinds: String,
    }
);

table!(
    /// Replies.
    outbox, "outbox" {
        #[sea_orm(primary_key, auto_increment = false)] id: i64,
        template: String,
        ticket_id: Option<i64>,
        mail_id: Option<i64>,
        message_id: String,
        to_address: String,
        cc: String,
        remaining: String,
        envelope_from: Option<String>,
        recipient_key: String,
        organisation: Option<String>,
        message: Vec<u8>,
        state: String,
        attempts: i64,
        unclear: i64,
        due_at: i64,
        claimed_by: Option<String>,
        claimed_at: Option<i64>,
        last_code: Option<String>,
        created_at: i64,
        settled_at: Option<i64>,
        undeliverable_at: Option<i64>,
    }
);

table!(
    /// Questions to listed contacts.
    identity_check, "identity_check" {
        #[sea_orm(primary_key, auto_increment = false)] id: i64,
        ticket_id: i64,
        contact: String,
        outbox_id: Option<i64>,
        expires_at: i64,
        state: String,
        reminder_id: Option<i64>,
        told_at: Option<i64>,
    }
);

table!(
    /// People who objected.
    objection, "objection" {
        #[sea_orm(primary_key, auto_increment = false)] person: String,
        at: i64,
    }
);

table!(
    /// The chain of decisions.
    audit, "audit" {
        #[sea_orm(primary_key, auto_increment = false)] seq: i64,
        at: i64,
        payload: String,
        prev_hash: String,
        hash: String,
    }
);

table!(
    /// The keys with which names stand in the record.
    audit_key, "audit_key" {
        #[sea_orm(primary_key, auto_increment = false)] month: String,
        value: Vec<u8>,
    }
);

table!(
    /// The agents behind digests in the record.
    audit_name, "audit_name" {
        #[sea_orm(primary_key, auto_increment = false)] month: String,
        #[sea_orm(primary_key, auto_increment = false)] digest: String,
        name: String,
    }
);

table!(
    /// Where the record ends.
    audit_head, "audit_head" {
        #[sea_orm(primary_key, auto_increment = false)] id: i64,
        seq: i64,
        hash: String,
    }
);

table!(
    /// Tickets on legal hold.
    hold_ticket, "hold_ticket" {
        #[sea_orm(primary_key, auto_increment = false)] ticket_id: i64,
        since: i64,
        reason: String,
    }
);

table!(
    /// Answers to requests for approval.
    approval, "approval" {
        #[sea_orm(primary_key, auto_increment = false)] id: i64,
        ticket_id: i64,
        request: i64,
        request_digest: String,
        mail_id: i64,
        mail_digest: String,
        person: String,
        organisation: Option<String>,
        answer: String,
        counts: bool,
        at: i64,
    }
);

table!(
    /// Changes to the list of contacts.
    contact_change, "contact_change" {
        #[sea_orm(primary_key, auto_increment = false)] id: i64,
        at: i64,
        organisation: String,
        change: String,
        contact_kind: String,
        person: String,
        basis: String,
        requested_by: Option<String>,
        ticket_id: Option<i64>,
        effective: String,
        state: String,
        agent: Option<String>,
    }
);

table!(
    /// People who are to be erased when a legal hold ends.
    erasure_due, "erasure_due" {
        #[sea_orm(primary_key, auto_increment = false)] person: String,
        at: i64,
        agent: String,
        request: String,
    }
);

table!(
    /// What is kept of people.
    profile, "profile" {
        #[sea_orm(primary_key, auto_increment = false)] person: String,
        address: String,
        name: String,
        organisation: Option<String>,
        phone: Option<String>,
        mobile: Option<String>,
        made_at: i64,
        made_by: String,
        deactivated_on: Option<String>,
    }
);

table!(
    /// Tickets on their organisation's general profile.
    general_profile, "general_profile" {
        #[sea_orm(primary_key, auto_increment = false)] ticket_id: i64,
        organisation: Option<String>,
        since: i64,
    }
);

table!(
    /// Organisations on legal hold.
    hold_organisation, "hold_organisation" {
        #[sea_orm(primary_key, auto_increment = false)] organisation: String,
        since: i64,
        reason: String,
    }
);

table!(
    /// What was last done on which day.
    chore, "chore" {
        #[sea_orm(primary_key, auto_increment = false)] name: String,
        done_on: String,
    }
);

table!(
    /// Which change an incident waits for.
    link, "link" {
        #[sea_orm(primary_key, auto_increment = false)] ticket_id: i64,
        #[sea_orm(primary_key, auto_increment = false)] change_id: i64,
    }
);

table!(
    /// Tickets that ask for access to the portal.
    portal_request, "portal_request" {
        #[sea_orm(primary_key, auto_increment = false)] ticket_id: i64,
        at: i64,
    }
);

table!(
    /// Who was let into the portal.
    portal_access, "portal_access" {
        #[sea_orm(primary_key, auto_increment = false)] id: i64,
        person: String,
        address: String,
        name: String,
        organisation: String,
        ticket_id: Option<i64>,
        requested_by: String,
        granted_at: i64,
        ended_at: Option<i64>,
        ended_why: Option<String>,
    }
);

table!(
    /// When the desk was reminded.
    queue_reminder, "queue_reminder" {
        #[sea_orm(primary_key, auto_increment = false)] ticket_id: i64,
        at: i64,
    }
);
table!(
    /// Up to which refused mail an organisation's privacy contact was told, and when.
    privacy_notice, "privacy_notice" {
        #[sea_orm(primary_key, auto_increment = false)] organisation: String,
        mail_id: i64,
        at: i64,
    }
);
