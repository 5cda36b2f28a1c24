//! The one transaction by which mails get a result (T1).

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde::Serialize;

use super::audit::Tail;
use super::connection::begin_serial;
use super::entities::{
    approval, arrival, attachment, entry, identity_check, mail, outbox, participant, portal_request, profile, ticket, withheld,
};
use super::error::While;
use super::history::{self, Numbers};
use super::rows::{CHUNK, KEYS, addresses_json, from_json, is_one_of, to_json};
use super::{Lease, Store, StoreError, blobs};
use crate::decide::{AfterAppend, Cc, Outcome, Reason, ServerAction};
use crate::plan::{Ledger, NewEntry, NewProfile, NewTicket, Note, Plan, PlannedReply, Questions, TicketPlan};
use crate::words::{Keys, MailUid, Pseudonym, RecordKey};

const DOING: &str = "booking mails";

/// How many rows one statement inserts at most: PostgreSQL takes 65,535 values in one, SQLite half of that.
const ROWS: usize = 500;

/// The proof that a mail's result is committed, and the leave to act on the mail: nobody else can make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    uid: MailUid,
    action: ServerAction,
}

impl Booked {
    pub(super) fn from_row(uid: MailUid, action: ServerAction) -> Self {
        Self { uid, action }
    }

    /// Which mail.
    #[must_use]
    pub fn uid(&self) -> &MailUid {
        &self.uid
    }

    /// What is to happen to it on the server.
    #[must_use]
    pub fn action(&self) -> ServerAction {
        self.action
    }
}

/// What a committed booking led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booking {
    /// One for each mail with a result, in the order of the plans.
    pub booked: Vec<Booked>,
    /// Mails left where they are until the intake rate allows them (POLICY row 0).
    pub deferred: Vec<MailUid>,
}

impl Store {
    /// What a booking would be told now: enough to leave a flood unopened, while only the booking's own answers are exact.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn look(&self, questions: &Questions) -> Result<Ledger, StoreError> {
        use sea_orm::TransactionTrait;
        const DOING: &str = "looking at what was taken in lately";
        let transaction = self.0.reader.begin().await.doing(DOING)?;
        let numbers = Numbers::read(&transaction).await?;
        let now = questions.now.map_or_else(|| self.now(), jiff::Timestamp::as_millisecond);
        let ledger = history::read(&transaction, &numbers, questions, now).await?;
        transaction.rollback().await.doing(DOING)?;
        Ok(ledger)
    }

    /// Books mails: reads what `questions` ask, hands it to `judge`, and writes all plans that come back, with their
    /// tickets, attachments, replies, server actions and audit rows, in one transaction that no other booking runs
    /// beside. The bytes of attachments are on the disk before the commit. `judge` must not take long: everybody waits.
    ///
    /// # Errors
    /// Nothing is booked then; [`StoreError::LeaseLost`] when another daemon has taken over a mailbox. After a cut
    /// connection a commit may have happened all the same: [`Store::filter_new`] tells.
    pub async fn book<F>(&self, lease: &Lease, questions: &Questions, judge: F) -> Result<Booking, StoreError>
    where
        F: FnOnce(&mut Ledger, &Keys) -> Vec<Plan> + Send,
    {
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let mut numbers = Numbers::read(&transaction).await?;
        let now = questions.now.map_or_else(|| self.now(), jiff::Timestamp::as_millisecond);
        let mut ledger = history::read(&transaction, &numbers, questions, now).await?;
        let known: BTreeSet<String> = ledger.booked.iter().map(|digest| digest.as_str().to_owned()).collect();

        let plans = judge(&mut ledger, &self.0.keys);
        if !lease.is_without_mailbox() {
            self.check_lease(&transaction, plans.iter().map(|plan| &plan.uid)).await?;
        }

        numbers.ticket = ledger.last_ticket;
        numbers.reply = ledger.last_reply;
        let mut rows = Rows { known, numbers, outside: lease.is_without_mailbox(), ..Rows::default() };
        let mut audit = Tail::read(&transaction, now).await?;
        let mut booking = Booking::default();
        for plan in plans {
            if plan.outcome == Outcome::Defer {
                booking.deferred.push(plan.uid);
                continue;
            }
            let record = Record::of(&plan, lease.epoch(&plan.uid.mailbox), audit.key());
            audit.add(plan.now.as_millisecond(), &record);
            booking.booked.push(Booked { uid: plan.uid.clone(), action: plan.server });
            rows.add(plan, &self.0.keys);
        }
        self.0.blobs.keep(std::mem::take(&mut rows.contents)).await?;
        rows.write(&transaction).await?;
        audit.write(&transaction).await?;
        settle_arrivals(&transaction, &booking, now).await?;
        transaction.commit().await.doing(DOING)?;
        Ok(booking)
    }
}

/// Booked mails are no arrivals any more; deferred ones wait without blame.
async fn settle_arrivals(transaction: &DatabaseTransaction, booking: &Booking, now: i64) -> Result<(), StoreError> {
    for chunk in booking.booked.chunks(KEYS) {
        let these = is_one_of(chunk.iter().map(Booked::uid));
        arrival::Entity::delete_many().filter(these).exec(transaction).await.doing(DOING)?;
    }
    for chunk in booking.deferred.chunks(KEYS) {
        let rows = chunk.iter().map(|uid| {
            arrival::ActiveModel::from(arrival::Model {
                mailbox: uid.mailbox.as_str().to_owned(),
                validity: uid.validity.get().into(),
                uid: uid.uid.get().into(),
                state: "deferred".to_owned(),
                attempts: 0,
                attempts_alone: 0,
                since: now,
                reason: Some(Reason::RateLimited.as_str().to_owned()),
            })
        });
        let again = OnConflict::columns([arrival::Column::Mailbox, arrival::Column::Validity, arrival::Column::Uid])
            .update_columns([
                arrival::Column::State,
                arrival::Column::Attempts,
                arrival::Column::AttemptsAlone,
                arrival::Column::Since,
                arrival::Column::Reason,
            ])
            .to_owned();
        arrival::Entity::insert_many(rows).on_conflict(again).exec_without_returning(transaction).await.doing(DOING)?;
    }
    Ok(())
}

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
struct Rows {
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
    fn add(&mut self, plan: Plan, keys: &Keys) {
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

    async fn write(mut self, db: &DatabaseTransaction) -> Result<(), StoreError> {
        macro_rules! insert {
            ($table:ident, $rows:expr) => {
                let mut rows = $rows.into_iter().map($table::ActiveModel::from).peekable();
                while rows.peek().is_some() {
                    $table::Entity::insert_many(rows.by_ref().take(ROWS)).exec_without_returning(db).await.doing(DOING)?;
                }
            };
        }
        let changed = self.follow_appends(db).await?;
        insert!(ticket, self.tickets);
        if !changed.is_empty() {
            use ticket::Column::{CloseCause, ClosedAt, ClosedFrom, Id, Reasons, Status, Urgent};
            let again = OnConflict::column(Id).update_columns([Status, ClosedFrom, CloseCause, ClosedAt, Reasons, Urgent]).to_owned();
            let rows = changed.into_iter().map(ticket::ActiveModel::from);
            ticket::Entity::insert_many(rows).on_conflict(again).exec_without_returning(db).await.doing(DOING)?;
        }
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
        let participants = self
            .participants
            .into_iter()
            .map(|(ticket_id, address)| participant::ActiveModel::from(participant::Model { ticket_id, address }));
        let twice = OnConflict::columns([participant::Column::TicketId, participant::Column::Address]).do_nothing().to_owned();
        participant::Entity::insert_many(participants).on_conflict(twice).exec_without_returning(db).await.doing(DOING)?;
        let profiles = self.profiles.into_values().map(profile::ActiveModel::from);
        let known = OnConflict::column(profile::Column::Person).do_nothing().to_owned();
        profile::Entity::insert_many(profiles).on_conflict(known).exec_without_returning(db).await.doing(DOING)?;
        let asked = self.portal_requests.into_iter().map(portal_request::ActiveModel::from);
        let before = OnConflict::column(portal_request::Column::TicketId).do_nothing().to_owned();
        portal_request::Entity::insert_many(asked).on_conflict(before).exec_without_returning(db).await.doing(DOING)?;
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

/// A decision in the audit record.
#[derive(Serialize)]
struct Record<'a> {
    what: &'static str,
    mailbox: &'a str,
    validity: u32,
    uid: u32,
    epoch: i64,
    digest: Pseudonym,
    message_id: Option<Pseudonym>,
    person: Option<Pseudonym>,
    desk: &'a str,
    verdict: Outcome,
    reasons: &'a [Reason],
    kind: &'static str,
    authentic: &'static str,
    sender: &'static str,
    organisation: Option<&'a str>,
    server: ServerAction,
    ticket: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<Approved>,
    replies: Vec<(i64, &'static str)>,
    findings: Vec<Found<'a>>,
    withheld: Vec<Kept<'a>>,
    configuration: &'a str,
    version: &'static str,
}

/// An answer to a request for approval.
#[derive(Serialize)]
struct Approved {
    request: i64,
    answer: &'static str,
    counts: bool,
}

#[derive(Serialize)]
struct Found<'a> {
    place: &'static str,
    attachment: Option<usize>,
    kinds: &'a BTreeMap<&'static str, u32>,
}

#[derive(Serialize)]
struct Kept<'a> {
    index: usize,
    format: &'a str,
    size: &'static str,
    why: &'static str,
}

impl<'a> Record<'a> {
    fn of(plan: &'a Plan, epoch: i64, key: &RecordKey) -> Self {
        let ticket = match &plan.ticket {
            TicketPlan::None => None,
            TicketPlan::Note { ticket, .. } | TicketPlan::Append { ticket, .. } => Some(ticket.id()),
            TicketPlan::Open(new) => Some(new.number.id()),
        };
        Self {
            what: "mail",
            mailbox: plan.uid.mailbox.as_str(),
            validity: plan.uid.validity.get(),
            uid: plan.uid.uid.get(),
            epoch,
            digest: key.stand_in(&plan.digest),
            message_id: plan.message_id.as_ref().map(|id| key.message_id(id)),
            person: plan.sender_key.as_ref().map(|sender| key.stand_in(sender)),
            desk: &plan.desk,
            verdict: plan.outcome,
            reasons: &plan.reasons,
            kind: plan.kind.as_str(),
            authentic: plan.authentic.as_str(),
            sender: plan.sender.as_str(),
            organisation: plan.organisation.as_deref(),
            server: plan.server,
            ticket,
            approval: match &plan.ticket {
                TicketPlan::Append { approval, .. } => {
                    approval.map(|said| Approved { request: said.request, answer: said.answer.as_str(), counts: said.counts })
                }
                _ => None,
            },
            replies: plan.replies.iter().map(|reply| (reply.number, reply.template.as_str())).collect(),
            findings: plan
                .findings
                .iter()
                .map(|found| Found { place: found.place.as_str(), attachment: found.attachment, kinds: &found.kinds })
                .collect(),
            withheld: plan
                .withheld
                .iter()
                .map(|kept| Kept { index: kept.index, format: &kept.format, size: kept.size.as_str(), why: kept.why.as_str() })
                .collect(),
            configuration: &plan.configuration,
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}
