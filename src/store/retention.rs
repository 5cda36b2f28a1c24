//! Forgetting in time (POLICY "Retention"): what is due, and its removal.
//!
//! What is due is worked out by the calendar of the desk, term by term; a legal hold keeps what it names. Each kind is
//! removed in a transaction of its own, with a row in the audit record for everything that goes, so that a run that breaks
//! off anywhere is simply begun again. Originals are only marked here: [`crate::outbox::actions`] expunges them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

use super::audit::{Tail, month_of};
use super::connection::begin_serial;
use super::entities::{audit_key, entry, link, mail, outbox, participant, profile, queue_reminder, ticket};
use super::error::While;
use super::holds::Holds;
use super::profiles::DAEMON;
use super::removal::{
    destroy_key, empty_organisation, empty_tickets, mark_originals, remove_attachments, remove_loose_letters, remove_mails, remove_tickets,
};
use super::rows::CHUNK;
use super::tickets::attachments_by_ticket;
use super::{Store, StoreError};
use crate::words::{Term, Terms, TicketNumber};

const LOOKING: &str = "looking for what is due to be removed";
/// How long before its end the desk must have been reminded of a ticket that waits, in milliseconds: three days.
const REMINDED: i64 = 3 * 24 * 3_600_000;
const REMOVING: &str = "removing what is due";

/// Which terms hold for whom.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Whose calendar and clocks count.
    pub timezone: TimeZone,
    /// What holds for everybody.
    pub house: Terms,
    /// What organisations agreed.
    pub organisations: BTreeMap<String, Terms>,
    /// The last day of each contract that has one.
    pub contracts: BTreeMap<String, Date>,
}

impl Rules {
    fn of(&self, organisation: Option<&str>) -> &Terms {
        organisation.and_then(|id| self.organisations.get(id)).unwrap_or(&self.house)
    }

    fn end(&self, term: Term, begin: i64) -> Timestamp {
        Timestamp::from_millisecond(begin).map_or(Timestamp::MAX, |begin| term.end(begin, &self.timezone))
    }

    /// When a ticket that waits since then is removed, if its desk is reminded of it now: there must be time to decide.
    fn queue_end(&self, organisation: Option<&str>, since: i64, now: i64) -> Timestamp {
        let in_time = Timestamp::from_millisecond(now.saturating_add(REMINDED)).unwrap_or(Timestamp::MAX);
        self.end(self.of(organisation).queue, since).max(in_time)
    }

    /// When an organisation is to be forgotten: the contract ends with its last day.
    fn contract_end(&self, organisation: &str, last: Date) -> Option<Timestamp> {
        let begin = last.tomorrow().ok()?.to_zoned(self.timezone.clone()).ok()?;
        Some(self.of(Some(organisation)).contract.end(begin.timestamp(), &self.timezone))
    }

    /// The longest term of decisions: until then somebody may ask what was decided.
    fn longest_decisions(&self, begin: i64) -> Timestamp {
        let all = std::iter::once(&self.house).chain(self.organisations.values());
        all.map(|terms| self.end(terms.decisions, begin)).max().unwrap_or(Timestamp::MAX)
    }
}

/// Kinds of what is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forgotten {
    /// All that is held of an organisation whose contract has ended.
    Organisations,
    /// What people wrote on tickets that waited in the queue for too long.
    Queue,
    /// Attachments.
    Attachments,
    /// Mails in the `done` folders of mailboxes.
    Originals,
    /// Old tickets, with the decisions on them, and decisions without a ticket.
    Decisions,
    /// Letters about no ticket and no mail: notices to privacy contacts.
    Letters,
    /// Keys of the audit record, by month.
    Keys,
}

impl Forgotten {
    /// Whether it can only go when originals are gone from the mailboxes.
    #[must_use]
    pub const fn comes_last(self) -> bool {
        matches!(self, Self::Decisions | Self::Keys)
    }
}

/// Something whose term is over. No content, no name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DueItem {
    /// What.
    pub kind: Forgotten,
    /// Of which ticket.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]
    pub ticket: Option<i64>,
    /// Of which organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// In which mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<String>,
    /// Of which month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month: Option<String>,
    /// How many: attachments, mails, tickets; 1 of anything else.
    pub count: u64,
    /// Since when.
    pub due: Timestamp,
    /// The rows that are meant.
    #[serde(skip)]
    rows: Vec<i64>,
}

fn number<S: serde::Serializer>(ticket: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    ticket.map(|id| TicketNumber::new(id).to_string()).serialize(serializer)
}

impl DueItem {
    fn new(kind: Forgotten, due: Timestamp) -> Self {
        Self { kind, ticket: None, organisation: None, mailbox: None, month: None, count: 1, due, rows: Vec::new() }
    }
}

/// What of a ticket says how long things on it are kept.
struct TicketTerms {
    organisation: Option<String>,
    /// When it was closed, or the last of the changes that are linked to it; none while any of them is open.
    ended: Option<i64>,
}

/// What of a filed mail says how long its original is kept.
struct Filed {
    id: i64,
    mailbox: String,
    digest: String,
    ticket: Option<i64>,
    organisation: Option<String>,
    filed_at: i64,
}

impl Store {
    /// Everything whose term is over now, kind by kind.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn due_to_forget(&self, rules: &Rules) -> Result<Vec<DueItem>, StoreError> {
        let holds = Holds::read(&self.0.reader).await?;
        let now = self.0.clock.now();
        let mut due = self.due_organisations(rules, &holds, now).await?;
        due.extend(self.due_queue(rules, &holds, now).await?);
        due.extend(self.due_attachments(rules, &holds, now).await?);
        due.extend(self.due_originals(rules, &holds, now).await?);
        due.extend(self.due_decisions(rules, &holds, now).await?);
        due.extend(self.due_letters(rules, &holds, now).await?);
        due.extend(self.due_keys(rules, now).await?);
        Ok(due)
    }

    /// Removes this, except originals, which are marked to be expunged. What goes is put on the audit record in the same transaction; files of
    /// attachments go when no row names them any more ([`Store::sweep_attachments`]). False: it is to stay after all, because it was put on hold
    /// meanwhile, or because originals must be gone first from the mailbox: without the row nobody would know that they are there.
    ///
    /// # Errors
    /// The database is out of reach; what was not removed is still due.
    pub async fn forget(&self, item: &DueItem, agent: &str) -> Result<bool, StoreError> {
        let transaction = begin_serial(&self.0.writer, REMOVING).await?;
        let holds = Holds::read(&transaction).await?;
        if holds.keep(item.ticket, item.organisation.as_deref())
            || (item.kind == Forgotten::Decisions && originals_are_left(&transaction, item).await?)
        {
            return Ok(false);
        }
        let now = self.now();
        match item.kind {
            Forgotten::Organisations => {
                let organisation = item.organisation.as_deref().unwrap_or_default();
                let tickets: Vec<i64> = item.rows.iter().copied().filter(|id| !holds.tickets.contains(id)).collect();
                empty_organisation(&transaction, organisation, &tickets, traces_of(organisation, &holds), now).await?;
            }
            Forgotten::Queue => empty_tickets(&transaction, &item.rows, now).await?,
            Forgotten::Attachments => remove_attachments(&transaction, &item.rows).await?,
            Forgotten::Originals => mark_originals(&transaction, &item.rows).await?,
            Forgotten::Decisions if item.ticket.is_some() => remove_tickets(&transaction, &item.rows).await?,
            Forgotten::Decisions => remove_mails(&transaction, &item.rows).await?,
            Forgotten::Letters => remove_loose_letters(&transaction, &item.rows).await?,
            Forgotten::Keys => {
                let month = item.month.as_deref().unwrap_or_default();
                destroy_key(&transaction, month, end_of(month).map(Timestamp::as_millisecond)).await?;
            }
        }
        let mut audit = Tail::read(&transaction, now).await?;
        let agent = audit.agent(agent);
        audit.add(now, &Record::of(item, agent));
        audit.write(&transaction).await?;
        transaction.commit().await.doing(REMOVING)?;
        Ok(true)
    }

    /// Removes the profiles that a mail of somebody without an organisation made, of whom no ticket is left.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn forget_strangers(&self) -> Result<(), StoreError> {
        let taking_part = Query::select().column(participant::Column::Address).from(participant::Entity).to_owned();
        let asking = Query::select()
            .column(ticket::Column::Requester)
            .from(ticket::Entity)
            .and_where(ticket::Column::Requester.is_not_null())
            .to_owned();
        profile::Entity::delete_many()
            .filter(profile::Column::Organisation.is_null())
            .filter(profile::Column::MadeBy.eq("mail"))
            .filter(profile::Column::Address.not_in_subquery(taking_part))
            .filter(profile::Column::Address.not_in_subquery(asking))
            .exec(&self.0.writer)
            .await
            .doing(REMOVING)
            .map(|_| ())
    }

    /// Organisations whose contract has ended for as long as the term says, and that are not on hold, nor any ticket of theirs.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn ended_organisations(&self, rules: &Rules) -> Result<Vec<String>, StoreError> {
        let holds = Holds::read(&self.0.reader).await?;
        let now = self.0.clock.now();
        let held: Vec<Option<String>> = ticket::Entity::find()
            .select_only()
            .column(ticket::Column::Organisation)
            .filter(ticket::Column::Id.is_in(holds.tickets.iter().copied()))
            .into_tuple()
            .all(&self.0.reader)
            .await
            .doing(LOOKING)?;
        let over = |(organisation, last): &(&String, &Date)| {
            let held = holds.keep(None, Some(organisation)) || held.iter().flatten().any(|id| id == *organisation);
            !held && rules.contract_end(organisation, **last).is_some_and(|end| end <= now)
        };
        Ok(rules.contracts.iter().filter(over).map(|(organisation, _)| organisation.clone()).collect())
    }

    async fn due_organisations(&self, rules: &Rules, holds: &Holds, now: Timestamp) -> Result<Vec<DueItem>, StoreError> {
        let mut due = Vec::new();
        for (organisation, last) in &rules.contracts {
            let Some(end) = rules.contract_end(organisation, *last).filter(|end| *end <= now) else { continue };
            if holds.keep(None, Some(organisation)) {
                continue;
            }
            let rows: Vec<i64> = ticket::Entity::find()
                .select_only()
                .column(ticket::Column::Id)
                .filter(ticket::Column::Organisation.eq(organisation))
                .filter(ticket::Column::EmptiedAt.is_null())
                .order_by_asc(ticket::Column::Id)
                .into_tuple()
                .all(&self.0.reader)
                .await
                .doing(LOOKING)?;
            let rows: Vec<i64> = rows.into_iter().filter(|id| !holds.tickets.contains(id)).collect();
            let loose = traces_of(organisation, holds);
            let loose = mail::Entity::find().select_only().column(mail::Column::Id).filter(loose).limit(1);
            let loose: Option<i64> = loose.into_tuple().one(&self.0.reader).await.doing(LOOKING)?;
            if !rows.is_empty() || loose.is_some() {
                let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
                due.push(DueItem { organisation: Some(organisation.clone()), count, rows, ..DueItem::new(Forgotten::Organisations, end) });
            }
        }
        Ok(due)
    }

    async fn due_queue(&self, rules: &Rules, holds: &Holds, now: Timestamp) -> Result<Vec<DueItem>, StoreError> {
        let rows = self.tickets_since(ticket::Column::OpenedAt, ticket::Column::Status.eq("queued")).await?;
        // Nothing expires unseen: somebody was reminded, and had time to decide.
        let reminded: BTreeSet<i64> = queue_reminder::Entity::find()
            .select_only()
            .column(queue_reminder::Column::TicketId)
            .filter(queue_reminder::Column::At.lte(now.as_millisecond() - REMINDED))
            .into_tuple()
            .all(&self.0.reader)
            .await
            .doing(LOOKING)?
            .into_iter()
            .collect();
        let mut due = Vec::new();
        for (id, organisation, opened) in rows {
            let term = rules.of(organisation.as_deref()).queue;
            if rules.end(term, opened) > now || holds.keep(Some(id), organisation.as_deref()) {
                continue;
            }
            let end = rules.end(term, last_on(&self.0.reader, id).await?.unwrap_or(opened));
            if end <= now && reminded.contains(&id) {
                due.push(DueItem { ticket: Some(id), organisation, rows: vec![id], ..DueItem::new(Forgotten::Queue, end) });
            }
        }
        Ok(due)
    }

    /// Tickets, whose each is, and since when it is so.
    async fn tickets_since(&self, since: ticket::Column, so: Expr) -> Result<Vec<(i64, Option<String>, i64)>, StoreError> {
        ticket::Entity::find()
            .select_only()
            .columns([ticket::Column::Id, ticket::Column::Organisation, since])
            .filter(so)
            .order_by_asc(ticket::Column::Id)
            .into_tuple()
            .all(&self.0.reader)
            .await
            .doing(LOOKING)
    }

    async fn due_attachments(&self, rules: &Rules, holds: &Holds, now: Timestamp) -> Result<Vec<DueItem>, StoreError> {
        let counted = attachments_by_ticket().order_by_asc(entry::Column::TicketId);
        let counted: Vec<(i64, i64)> = counted.into_tuple().all(&self.0.reader).await.doing(LOOKING)?;
        let tickets = self.ticket_terms(&counted.iter().map(|(id, _)| *id).collect()).await?;
        let mut due = Vec::new();
        for (id, count) in counted {
            let Some(ticket) = tickets.get(&id) else { continue };
            let organisation = ticket.organisation.clone();
            let Some(end) = attachments_end(ticket, rules).filter(|end| *end <= now) else { continue };
            if !holds.keep(Some(id), organisation.as_deref()) {
                let count = u64::try_from(count).unwrap_or_default();
                let new = DueItem::new(Forgotten::Attachments, end);
                due.push(DueItem { ticket: Some(id), organisation, count, rows: vec![id], ..new });
            }
        }
        Ok(due)
    }

    async fn due_originals(&self, rules: &Rules, holds: &Holds, now: Timestamp) -> Result<Vec<DueItem>, StoreError> {
        let filed = self.filed().await?;
        let tickets = self.ticket_terms(&filed.iter().filter_map(|mail| mail.ticket).collect()).await?;
        let organisation = |mail: &Filed| {
            let of_ticket = mail.ticket.and_then(|id| tickets.get(&id)).and_then(|ticket| ticket.organisation.clone());
            of_ticket.or_else(|| mail.organisation.clone())
        };
        let held = |mail: &Filed| holds.keep(mail.ticket, organisation(mail).as_deref());
        // A second copy of a held mail may be the one that is found.
        let held_digests: BTreeSet<&str> = filed.iter().filter(|mail| held(mail)).map(|mail| mail.digest.as_str()).collect();
        let mut due: BTreeMap<(String, Option<i64>), DueItem> = BTreeMap::new();
        for mail in &filed {
            let with_ticket = mail.ticket.and_then(|id| tickets.get(&id)).and_then(|ticket| attachments_end(ticket, rules));
            let own = rules.end(rules.of(organisation(mail).as_deref()).originals, mail.filed_at);
            let end = with_ticket.map_or(own, |with_ticket| own.min(with_ticket));
            if end > now || held_digests.contains(mail.digest.as_str()) {
                continue;
            }
            let item = due.entry((mail.mailbox.clone(), mail.ticket)).or_insert_with(|| DueItem {
                ticket: mail.ticket,
                organisation: organisation(mail),
                mailbox: Some(mail.mailbox.clone()),
                count: 0,
                ..DueItem::new(Forgotten::Originals, end)
            });
            item.rows.push(mail.id);
            item.count += 1;
            item.due = item.due.min(end);
        }
        Ok(due.into_values().collect())
    }

    async fn due_decisions(&self, rules: &Rules, holds: &Holds, now: Timestamp) -> Result<Vec<DueItem>, StoreError> {
        let mut due = Vec::new();
        for (id, organisation, closed_at) in self.tickets_since(ticket::Column::ClosedAt, ticket::Column::ClosedAt.is_not_null()).await? {
            let end = rules.end(rules.of(organisation.as_deref()).decisions, closed_at);
            if end <= now && !holds.keep(Some(id), organisation.as_deref()) {
                due.push(DueItem { ticket: Some(id), organisation, rows: vec![id], ..DueItem::new(Forgotten::Decisions, end) });
            }
        }
        let loose: Vec<(i64, Option<String>, i64)> = mail::Entity::find()
            .select_only()
            .columns([mail::Column::Id, mail::Column::Organisation, mail::Column::BookedAt])
            .filter(mail::Column::TicketId.is_null())
            .order_by_asc(mail::Column::Id)
            .into_tuple()
            .all(&self.0.reader)
            .await
            .doing(LOOKING)?;
        due.extend(by_organisation(Forgotten::Decisions, loose, rules, holds, now));
        Ok(due)
    }

    async fn due_letters(&self, rules: &Rules, holds: &Holds, now: Timestamp) -> Result<Vec<DueItem>, StoreError> {
        let loose: Vec<(i64, Option<String>, i64)> = outbox::Entity::find()
            .select_only()
            .columns([outbox::Column::Id, outbox::Column::Organisation, outbox::Column::CreatedAt])
            .filter(outbox::Column::TicketId.is_null().and(outbox::Column::MailId.is_null()))
            .order_by_asc(outbox::Column::Id)
            .into_tuple()
            .all(&self.0.reader)
            .await
            .doing(LOOKING)?;
        Ok(by_organisation(Forgotten::Letters, loose, rules, holds, now))
    }

    async fn due_keys(&self, rules: &Rules, now: Timestamp) -> Result<Vec<DueItem>, StoreError> {
        let months: Vec<String> = audit_key::Entity::find()
            .select_only()
            .column(audit_key::Column::Month)
            .order_by_asc(audit_key::Column::Month)
            .into_tuple()
            .all(&self.0.reader)
            .await
            .doing(LOOKING)?;
        let this_month = month_of(now.as_millisecond());
        let due = |month: String| {
            let end = rules.longest_decisions(end_of(&month)?.as_millisecond());
            (end <= now && month < this_month).then(|| DueItem { month: Some(month), ..DueItem::new(Forgotten::Keys, end) })
        };
        Ok(months.into_iter().filter_map(due).collect())
    }

    /// Filed mails whose originals may still be there.
    async fn filed(&self) -> Result<Vec<Filed>, StoreError> {
        type Row = (i64, String, String, Option<i64>, Option<String>, i64);
        let rows: Vec<Row> = mail::Entity::find()
            .select_only()
            .columns([
                mail::Column::Id,
                mail::Column::Mailbox,
                mail::Column::Digest,
                mail::Column::TicketId,
                mail::Column::Organisation,
                mail::Column::FiledAt,
            ])
            .filter(mail::Column::FiledAt.is_not_null())
            .filter(mail::Column::Original.is_null())
            .order_by_asc(mail::Column::Id)
            .into_tuple()
            .all(&self.0.reader)
            .await
            .doing(LOOKING)?;
        let filed = |(id, mailbox, digest, ticket, organisation, filed_at)| Filed { id, mailbox, digest, ticket, organisation, filed_at };
        Ok(rows.into_iter().map(filed).collect())
    }

    /// Of these tickets, when the term of their attachments begins.
    async fn ticket_terms(&self, ids: &BTreeSet<i64>) -> Result<BTreeMap<i64, TicketTerms>, StoreError> {
        let ids: Vec<i64> = ids.iter().copied().collect();
        let mut links: Vec<link::Model> = Vec::new();
        for chunk in ids.chunks(CHUNK) {
            let found = link::Entity::find().filter(link::Column::TicketId.is_in(chunk.iter().copied())).all(&self.0.reader);
            links.extend(found.await.doing(LOOKING)?);
        }
        let all: BTreeSet<i64> = ids.iter().copied().chain(links.iter().map(|link| link.change_id)).collect();
        let mut rows: BTreeMap<i64, (Option<String>, Option<i64>)> = BTreeMap::new();
        for chunk in all.into_iter().collect::<Vec<_>>().chunks(CHUNK) {
            let found: Vec<(i64, Option<String>, Option<i64>)> = ticket::Entity::find()
                .select_only()
                .columns([ticket::Column::Id, ticket::Column::Organisation, ticket::Column::ClosedAt])
                .filter(ticket::Column::Id.is_in(chunk.iter().copied()))
                .into_tuple()
                .all(&self.0.reader)
                .await
                .doing(LOOKING)?;
            rows.extend(found.into_iter().map(|(id, organisation, closed)| (id, (organisation, closed))));
        }
        let terms = |id: i64| {
            let (organisation, closed) = rows.get(&id)?;
            let changes = links.iter().filter(|link| link.ticket_id == id).filter_map(|link| rows.get(&link.change_id));
            // Any of them open: none; else the last.
            let ended = changes.map(|(_, closed)| *closed).fold(*closed, |last, change| Some(Ord::max(last?, change?)));
            Some((id, TicketTerms { organisation: organisation.clone(), ended }))
        };
        Ok(ids.into_iter().filter_map(terms).collect())
    }
}

/// Rows that no ticket holds, whose term for decisions is over: id, organisation, and when the term began.
fn by_organisation(kind: Forgotten, rows: Vec<(i64, Option<String>, i64)>, rules: &Rules, holds: &Holds, now: Timestamp) -> Vec<DueItem> {
    let mut due: BTreeMap<Option<String>, DueItem> = BTreeMap::new();
    for (id, organisation, begin) in rows {
        let end = rules.end(rules.of(organisation.as_deref()).decisions, begin);
        if end > now || holds.keep(None, organisation.as_deref()) {
            continue;
        }
        let new = || DueItem { organisation: organisation.clone(), count: 0, ..DueItem::new(kind, end) };
        let item = due.entry(organisation.clone()).or_insert_with(new);
        item.rows.push(id);
        item.count += 1;
        item.due = item.due.min(end);
    }
    due.into_values().collect()
}

/// When the attachments of a ticket are to go; none while it or a change linked to it is open.
fn attachments_end(ticket: &TicketTerms, rules: &Rules) -> Option<Timestamp> {
    Some(rules.end(rules.of(ticket.organisation.as_deref()).attachments, ticket.ended?))
}

/// Until when a ticket waits, of which its desk is reminded now; none where a legal hold keeps it.
pub(super) async fn waits_until(
    db: &impl ConnectionTrait,
    row: &ticket::Model,
    rules: &Rules,
    now: i64,
) -> Result<Option<Timestamp>, StoreError> {
    let organisation = row.organisation.as_deref();
    if Holds::read(db).await?.keep(Some(row.id), organisation) {
        return Ok(None);
    }
    let since = last_on(db, row.id).await?.unwrap_or(row.opened_at);
    Ok(Some(rules.queue_end(organisation, since, now)))
}

/// When something last happened on a ticket.
async fn last_on(db: &impl ConnectionTrait, ticket: i64) -> Result<Option<i64>, StoreError> {
    let last: Option<Option<i64>> = entry::Entity::find()
        .select_only()
        .column_as(entry::Column::At.max(), "last")
        .filter(entry::Column::TicketId.eq(ticket))
        // That somebody was reminded of it happened by the clock, not on the ticket.
        .filter(Condition::any().add(entry::Column::Agent.is_null()).add(entry::Column::Agent.ne(DAEMON)))
        .into_tuple()
        .one(db)
        .await
        .doing(LOOKING)?;
    Ok(last.flatten())
}

/// Mails of an organisation that tell more than what was decided; not those on tickets that are on hold.
fn traces_of(organisation: &str, holds: &Holds) -> Condition {
    let kept = mail::Column::FiledAt.is_not_null().and(mail::Column::Original.is_null());
    let traces = Condition::any().add(mail::Column::SenderKey.is_not_null()).add(kept);
    let free = mail::Column::TicketId.is_not_in(holds.tickets.iter().copied());
    let free = Condition::any().add(mail::Column::TicketId.is_null()).add(free);
    Condition::all().add(mail::Column::Organisation.eq(organisation)).add(traces).add(free)
}

/// Whether an original may still lie in its mailbox of a mail whose decision is to go.
async fn originals_are_left(db: &DatabaseTransaction, item: &DueItem) -> Result<bool, StoreError> {
    let of = if item.ticket.is_some() { mail::Column::TicketId } else { mail::Column::Id };
    let left = Condition::any().add(mail::Column::Original.is_null()).add(mail::Column::Original.eq("due"));
    for chunk in item.rows.chunks(CHUNK) {
        let one: Option<i64> = mail::Entity::find()
            .select_only()
            .column(mail::Column::Id)
            .filter(of.is_in(chunk.iter().copied()))
            .filter(mail::Column::FiledAt.is_not_null())
            .filter(left.clone())
            .limit(1)
            .into_tuple()
            .one(db)
            .await
            .doing(LOOKING)?;
        if one.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The first moment after a month of the record.
fn end_of(month: &str) -> Option<Timestamp> {
    let first: Date = format!("{month}-01").parse().ok()?;
    Some(first.last_of_month().tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// A removal in the audit record.
#[derive(Serialize)]
struct Record<'a> {
    what: &'static str,
    /// Who had it done; the daemon does it by itself.
    agent: String,
    kind: Forgotten,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mailbox: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    month: Option<&'a str>,
    count: u64,
}

impl<'a> Record<'a> {
    fn of(item: &'a DueItem, agent: String) -> Self {
        Self {
            what: "retention",
            agent,
            kind: item.kind,
            ticket: item.ticket,
            organisation: item.organisation.as_deref(),
            mailbox: item.mailbox.as_deref(),
            month: item.month.as_deref(),
            count: item.count,
        }
    }
}
