//! Everything that a batch of mails leads to, gathered table by table and written with one statement a table.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use super::entities::{approval, attachment, entry, identity_check, mail, outbox, participant, portal_request, profile, ticket, withheld};
use super::error::While;
use super::history::Numbers;
use super::rows::{CHUNK, addresses_json, from_json, to_json};
use super::{StoreError, blobs};
use crate::decide::{AfterAppend, Cc, Reason, ServerAction};
use crate::plan::{NewEntry, NewProfile, NewTicket, Note, Plan, PlannedReply, TicketPlan};
use crate::words::Keys;

const DOING: &str = "booking mails";

/// How many rows one statement inserts at most: PostgreSQL takes 65,535 values in one, SQLite half of that.
const ROWS: usize = 500;

/// A mail on a ticket that exists.
struct Append {
    ticket: i64,
    after: AfterAppend,
    urgent: bool,
    reasons: Vec<Reason>,
    at: i64,
}

/// Everything that a batch writes, table by table.
#[derive(Default)]
pub(super) struct Rows {
    /// Digests that have a mail already.
    known: BTreeSet<String>,
    numbers: Numbers,
    /// These mails lie in no mailbox, so that nothing is left to be done there.
    outside: bool,
    mails: Vec<mail::Model>,
    tickets: Vec<ticket::Model>,
    appends: Vec<Append>,
    participants: BTreeSet<(i64, String)>,
    entries: Vec<entry::Model>,
    attachments: Vec<attachment::Model>,
    withheld: Vec<withheld::Model>,
    outbox: Vec<outbox::Model>,
    checks: Vec<identity_check::Model>,
    /// Who gets a profile, if there is none yet, by their digests.
    profiles: BTreeMap<String, profile::Model>,
    /// Of them those who are listed contacts: a profile of theirs that was deactivated is active again.
    returned: BTreeSet<String>,
    portal_requests: Vec<portal_request::Model>,
    /// Answers to requests for approval.
    approvals: Vec<approval::Model>,
    /// Identity checks that are settled, with their new state.
    settled: Vec<(i64, &'static str)>,
    /// Replies that came back, and when.
    undeliverable: Vec<(i64, i64)>,
    /// Attachments' bytes by name.
    contents: BTreeMap<String, Vec<u8>>,
}

impl Rows {
    /// Nothing yet. `known` are digests that have a mail already; mails `outside` lie in no mailbox.
    pub(super) fn of(known: BTreeSet<String>, numbers: Numbers, outside: bool) -> Self {
        Self { known, numbers, outside, ..Self::default() }
    }

    /// The bytes of attachments by name, which must be on the disk before the rows are written.
    pub(super) fn take_contents(&mut self) -> BTreeMap<String, Vec<u8>> {
        std::mem::take(&mut self.contents)
    }

    /// Adds what one mail leads to.
    pub(super) fn add(&mut self, plan: Plan, keys: &Keys) {
        let at = plan.now.as_millisecond();
        self.numbers.mail += 1;
        let mail_id = self.numbers.mail;
        let digest = plan.digest.as_str().to_owned();
        let makes_entry = matches!(plan.ticket, TicketPlan::Open(_) | TicketPlan::Append { .. });
        // A second entry for one digest is left to the constraint to refuse.
        let first = self.known.insert(digest.clone()) || makes_entry;
        let ticket_id = match &plan.ticket {
            TicketPlan::None => None,
            TicketPlan::Note { ticket, .. } | TicketPlan::Append { ticket, .. } => Some(ticket.id()),
            TicketPlan::Open(new) => Some(new.number.id()),
        };
        self.mails.push(mail::Model {
            id: mail_id,
            mailbox: plan.uid.mailbox.as_str().to_owned(),
            validity: plan.uid.validity.get().into(),
            uid: plan.uid.uid.get().into(),
            digest_first: first.then(|| digest.clone()),
            digest: digest.clone(),
            desk: plan.desk.clone(),
            outcome: plan.outcome.as_str().to_owned(),
            reasons: to_json(&plan.reasons),
            kind: plan.kind.as_str().to_owned(),
            authentic: plan.authentic.as_str().to_owned(),
            sender_kind: plan.sender.as_str().to_owned(),
            sender_key: plan.sender_key.as_ref().map(|key| key.as_str().to_owned()),
            organisation: plan.organisation.clone(),
            ticket_id,
            booked_at: at,
            server_action: plan.server.as_str().to_owned(),
            action_state: match plan.server {
                ServerAction::Keep => "none",
                _ if self.outside => "moot",
                _ => "due",
            }
            .to_owned(),
            action_attempts: 0,
            action_due_at: at,
            received_at: Some(plan.postmark.at),
            size: Some(plan.postmark.size),
            filed_at: None,
            original: None,
            filed_in: None,
            filed_to: None,
        });
        self.withheld.extend(plan.withheld.iter().map(|withheld| withheld::Model {
            mail_id,
            position: place(withheld.index),
            format: withheld.format.clone(),
            size_class: withheld.size.as_str().to_owned(),
            why: withheld.why.as_str().to_owned(),
            kinds: to_json(&withheld.kinds),
        }));
        match plan.ticket {
            TicketPlan::None => {}
            TicketPlan::Note { ticket, note } => self.note(ticket.id(), &note, mail_id, at),
            TicketPlan::Open(mut new) => {
                self.people(std::mem::take(&mut new.entry.people), keys, at);
                self.open(*new, plan.desk, &plan.reasons, mail_id, digest, at);
            }
            TicketPlan::Append { ticket, after, urgent, settles, approval, mut entry } => {
                self.people(std::mem::take(&mut entry.people), keys, at);
                self.approvals.extend(approval.zip(plan.sender_key).map(|(said, person)| approval::Model {
                    id: mail_id,
                    ticket_id: ticket.id(),
                    request: said.request,
                    // Read from the outbox before it is written.
                    request_digest: String::new(),
                    mail_id,
                    mail_digest: digest.clone(),
                    person: person.as_str().to_owned(),
                    organisation: plan.organisation.clone(),
                    answer: said.answer.as_str().to_owned(),
                    counts: said.counts,
                    at,
                }));
                if let Some(check) = settles {
                    self.settled.push((check, if after == AfterAppend::Close { "refused" } else { "confirmed" }));
                }
                self.appends.push(Append { ticket: ticket.id(), after, urgent, reasons: plan.reasons, at });
                self.entry(*entry, ticket.id(), mail_id, digest, at);
            }
        }
        self.outbox.extend(plan.replies.into_iter().map(|reply| row_of_reply(reply, Some(mail_id))));
    }

    fn open(&mut self, new: NewTicket, desk: String, reasons: &[Reason], mail_id: i64, digest: String, at: i64) {
        let id = new.number.id();
        let cc: Vec<(Cc, &str)> = new.cc.iter().map(|(kind, address)| (*kind, address.reveal())).collect();
        self.tickets.push(ticket::Model {
            id,
            desk,
            status: if new.queued { "queued" } else { "open" }.to_owned(),
            closed_from: None,
            close_cause: None,
            kind: "incident".to_owned(),
            urgent: new.urgent,
            organisation: new.organisation,
            language: new.language.as_str().to_owned(),
            reasons: to_json(reasons),
            cc: to_json(&cc),
            cc_absent: new.cc_absent,
            duty_called: new.cc.iter().any(|(kind, _)| *kind == Cc::DutyContact),
            continues: new.continues.map(crate::words::TicketNumber::id),
            requester: new.entry.author.as_ref().map(|author| author.reveal().to_owned()),
            opened_at: at,
            closed_at: None,
            emptied_at: None,
        });
        if let Some(check) = new.identity_check {
            self.numbers.check += 1;
            self.checks.push(identity_check::Model {
                id: self.numbers.check,
                ticket_id: id,
                contact: check.contact.reveal().to_owned(),
                outbox_id: check.reply,
                expires_at: check.expires.as_millisecond(),
                state: "pending".to_owned(),
                reminder_id: None,
                told_at: None,
            });
        }
        self.entry(new.entry, id, mail_id, digest, at);
    }

    fn entry(&mut self, new: NewEntry, ticket_id: i64, mail_id: i64, digest: String, at: i64) {
        let id = self.numbers.next_entry();
        let author = new.author.map(|author| author.reveal().to_owned());
        if let (true, Some(author)) = (new.takes_part, &author) {
            self.participants.insert((ticket_id, author.clone()));
        }
        if new.portal_request {
            self.portal_requests.push(portal_request::Model { ticket_id, at });
        }
        for clean in new.attachments {
            let bytes = clean.bytes().reveal();
            let sha256 = blobs::name(bytes);
            self.attachments.push(attachment::Model {
                entry_id: id,
                position: place(clean.index()),
                name: clean.name().map(|name| storable(name.reveal())),
                media_type: storable(clean.media_type()),
                format: clean.format().to_owned(),
                inline: clean.inline(),
                size: place(bytes.len()),
                sha256: sha256.clone(),
            });
            self.contents.entry(sha256).or_insert_with(|| bytes.clone());
        }
        self.entries.push(entry::Model {
            author,
            author_name: storable(new.text.author_name().reveal()),
            subject: storable(new.text.subject().reveal()),
            written: storable(new.text.written().reveal()),
            quoted: storable(new.text.quoted().reveal()),
            message_id: new.message_id.map(|id| id.as_str().to_owned()),
            digest: Some(digest),
            mail_id: Some(mail_id),
            ..bare_entry(id, ticket_id, "mail", at)
        });
    }

    fn people(&mut self, people: Vec<NewProfile>, keys: &Keys, at: i64) {
        for new in people {
            let person = keys.person(&new.address).as_str().to_owned();
            if new.listed {
                self.returned.insert(person.clone());
            }
            self.profiles.entry(person.clone()).or_insert_with(|| profile::Model {
                person,
                address: new.address.reveal().to_owned(),
                name: storable(new.name.reveal()),
                organisation: new.organisation,
                phone: None,
                mobile: None,
                made_at: at,
                made_by: if new.by_cc { "cc" } else { "mail" }.to_owned(),
                deactivated_on: None,
            });
        }
    }

    fn note(&mut self, ticket_id: i64, note: &Note, mail_id: i64, at: i64) {
        let id = self.numbers.next_entry();
        let (kind, outbox_id) = match note {
            Note::AutomaticReply => ("automatic-reply", None),
            Note::Undeliverable { reply } => {
                self.undeliverable.push((*reply, at));
                ("undeliverable", Some(*reply))
            }
        };
        self.entries.push(entry::Model { mail_id: Some(mail_id), outbox_id, ..bare_entry(id, ticket_id, kind, at) });
    }

    /// Writes all of it.
    pub(super) async fn write(mut self, db: &DatabaseTransaction) -> Result<(), StoreError> {
        macro_rules! insert {
            ($table:ident, $rows:expr $(, $conflict:expr)?) => {
                let mut rows = $rows.into_iter().map($table::ActiveModel::from).peekable();
                while rows.peek().is_some() {
                    let some = $table::Entity::insert_many(rows.by_ref().take(ROWS));
                    $(let some = some.on_conflict($conflict.to_owned());)?
                    some.exec_without_returning(db).await.doing(DOING)?;
                }
            };
        }
        let changed = self.follow_appends(db).await?;
        insert!(ticket, self.tickets);
        use ticket::Column::{CloseCause, ClosedAt, ClosedFrom, Id, Reasons, Status, Urgent};
        insert!(ticket, changed, OnConflict::column(Id).update_columns([Status, ClosedFrom, CloseCause, ClosedAt, Reasons, Urgent]));
        insert!(mail, self.mails);
        insert!(entry, self.entries);
        insert!(attachment, self.attachments);
        insert!(withheld, self.withheld);
        insert!(outbox, self.outbox);
        insert!(identity_check, self.checks);
        for row in &mut self.approvals {
            row.request_digest = request_digest(db, row.request).await?;
        }
        insert!(approval, self.approvals);
        let participants = self.participants.into_iter().map(|(ticket_id, address)| participant::Model { ticket_id, address });
        insert!(participant, participants, OnConflict::columns([participant::Column::TicketId, participant::Column::Address]).do_nothing());
        insert!(profile, self.profiles.into_values(), OnConflict::column(profile::Column::Person).do_nothing());
        super::profiles::come_back(db, &self.returned).await?;
        insert!(portal_request, self.portal_requests, OnConflict::column(portal_request::Column::TicketId).do_nothing());
        for (check, state) in self.settled {
            identity_check::Entity::update_many()
                .col_expr(identity_check::Column::State, Expr::value(state))
                .filter(identity_check::Column::Id.eq(check))
                .filter(identity_check::Column::State.eq("pending"))
                .exec(db)
                .await
                .doing(DOING)?;
        }
        for (reply, at) in self.undeliverable {
            outbox::Entity::update_many()
                .col_expr(outbox::Column::UndeliverableAt, Expr::value(at))
                .filter(outbox::Column::Id.eq(reply))
                .filter(outbox::Column::UndeliverableAt.is_null())
                .exec(db)
                .await
                .doing(DOING)?;
        }
        self.numbers.write(db).await
    }

    /// Brings tickets up to date with the mails that were appended to them, in order; those that existed before.
    async fn follow_appends(&mut self, db: &DatabaseTransaction) -> Result<Vec<ticket::Model>, StoreError> {
        let ids: BTreeSet<i64> = self.appends.iter().map(|append| append.ticket).collect();
        let mut changed: BTreeMap<i64, ticket::Model> = BTreeMap::new();
        for chunk in ids.iter().copied().collect::<Vec<_>>().chunks(CHUNK) {
            let rows = ticket::Entity::find().filter(ticket::Column::Id.is_in(chunk.iter().copied())).all(db).await.doing(DOING)?;
            changed.extend(rows.into_iter().map(|row| (row.id, row)));
        }
        for append in std::mem::take(&mut self.appends) {
            let row = match changed.get_mut(&append.ticket) {
                Some(row) => row,
                None => self.tickets.iter_mut().find(|row| row.id == append.ticket).ok_or(StoreError::Unknown("ticket"))?,
            };
            follow(row, &append)?;
        }
        Ok(changed.into_values().collect())
    }
}

/// What was asked: the SHA-256 of the letter.
async fn request_digest(db: &DatabaseTransaction, request: i64) -> Result<String, StoreError> {
    let row = outbox::Entity::find_by_id(request).one(db).await.doing(DOING)?.ok_or(StoreError::Unknown("reply"))?;
    Ok(blobs::name(&row.message))
}

fn follow(row: &mut ticket::Model, append: &Append) -> Result<(), StoreError> {
    row.urgent |= append.urgent;
    let mut reasons: Vec<Reason> = from_json("ticket", &row.reasons)?;
    for reason in &append.reasons {
        if !reasons.contains(reason) {
            reasons.push(*reason);
        }
    }
    row.reasons = to_json(&reasons);
    let status = match append.after {
        AfterAppend::Keep => return Ok(()),
        AfterAppend::Reopen => match row.closed_from.take() {
            Some(before) => before,
            None => return Ok(()),
        },
        AfterAppend::Open => "open".to_owned(),
        AfterAppend::Queue => "queued".to_owned(),
        AfterAppend::Close => {
            if row.status != "closed" {
                row.closed_from = Some(std::mem::replace(&mut row.status, "closed".to_owned()));
                row.closed_at = Some(append.at);
            }
            row.close_cause = Some("identity-refused".to_owned());
            return Ok(());
        }
    };
    row.status = status;
    (row.closed_from, row.close_cause, row.closed_at) = (None, None, None);
    Ok(())
}

/// An entry that carries no mail.
pub(super) fn bare_entry(id: i64, ticket_id: i64, kind: &str, at: i64) -> entry::Model {
    entry::Model {
        id,
        ticket_id,
        kind: kind.to_owned(),
        at,
        author: None,
        author_name: String::new(),
        subject: String::new(),
        written: String::new(),
        quoted: String::new(),
        message_id: None,
        digest: None,
        agent: None,
        mail_id: None,
        outbox_id: None,
        deed: None,
        purged_at: None,
    }
}

/// A reply as it waits in the outbox.
pub(super) fn row_of_reply(reply: PlannedReply, mail_id: Option<i64>) -> outbox::Model {
    let everybody: Vec<_> = std::iter::once(&reply.to).chain(&reply.cc).cloned().collect();
    let at = reply.created.as_millisecond();
    outbox::Model {
        id: reply.number,
        template: reply.template.as_str().to_owned(),
        ticket_id: reply.ticket.map(crate::words::TicketNumber::id),
        mail_id,
        message_id: reply.message_id.as_str().to_owned(),
        to_address: reply.to.reveal().to_owned(),
        cc: addresses_json(&reply.cc),
        remaining: addresses_json(&everybody),
        envelope_from: reply.envelope_from.map(|from| from.reveal().to_owned()),
        recipient_key: reply.recipient_key.as_str().to_owned(),
        organisation: reply.organisation,
        message: reply.message,
        state: "due".to_owned(),
        attempts: 0,
        unclear: 0,
        due_at: at,
        claimed_by: None,
        claimed_at: None,
        last_code: None,
        created_at: at,
        settled_at: None,
        undeliverable_at: None,
    }
}

fn place(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// PostgreSQL's TEXT holds no NUL; nobody writes one on purpose.
pub(super) fn storable(text: &str) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_owned() }
}
