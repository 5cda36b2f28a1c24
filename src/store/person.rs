//! A person's rights (GDPR 15, 17, 21): what is held of somebody, taking them out of it, and their objection.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use jiff::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};

use super::audit::Tail;
use super::connection::begin_serial;
use super::entities::{
    approval, attachment, entry, erasure_due, identity_check, mail, objection, outbox, participant, portal_access, profile, ticket,
};
use super::erasure::{Known, Near, Person};
use super::error::While;
use super::holds::Holds;
use super::rows::{address, from_json, timestamp, to_json};
use super::{Store, StoreError};
use crate::words::{EmailAddress, Keys, Pseudonym, Redacted, TicketNumber};

const READING: &str = "reading what is held of a person";
const ERASING: &str = "erasing a person";
/// Entries looked at a time.
const PAGE: u64 = 1_000;
/// Who stands in a letter's row in place of somebody who was erased (RFC 2606: nobody can have this address).
const NOBODY: &str = "erased@erased.invalid";

/// Everything that is held of a person.
#[derive(Debug, Serialize)]
pub struct Held {
    /// When they objected to the storage of their mail.
    pub objected_at: Option<Timestamp>,
    /// Tickets that they have to do with, in the order opened.
    pub tickets: Vec<HeldTicket>,
    /// Mails of theirs and what was decided on them.
    pub mails: Vec<HeldMail>,
    /// Letters to them.
    pub letters: Vec<HeldLetter>,
    /// Questions to them whether a mail was theirs: the ticket, and how it stands.
    pub identity_checks: Vec<(String, String)>,
    /// What is kept of them besides their mail.
    pub profile: Option<HeldProfile>,
    /// When they were let into the portal, and when that ended.
    pub portal: Vec<(Timestamp, Option<Timestamp>)>,
    /// Their answers to requests for approval: when, on which ticket, what.
    pub approvals: Vec<(Timestamp, String, String)>,
    /// Since when they are to be erased, which a legal hold keeps from being finished.
    pub erasure_due_since: Option<Timestamp>,
}

/// A profile.
#[derive(Debug, Serialize)]
pub struct HeldProfile {
    /// The name.
    pub name: String,
    /// The organisation.
    pub organisation: Option<String>,
    /// The phones that an agent added.
    pub phones: Vec<String>,
    /// When it was made.
    pub made_at: Timestamp,
    /// Since which day it is not used any more.
    pub deactivated_on: Option<String>,
}

/// A ticket that a person has to do with.
#[derive(Debug, Serialize)]
pub struct HeldTicket {
    /// As people write it.
    pub number: String,
    /// How it stands.
    pub status: String,
    /// Whose it is.
    pub organisation: Option<String>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// `requester`, `participant`, `cc`, `mentioned`.
    pub roles: BTreeSet<&'static str>,
    /// What they wrote on it.
    pub entries: Vec<HeldEntry>,
}

/// Something that a person wrote.
#[derive(Debug, Serialize)]
pub struct HeldEntry {
    /// When it was booked.
    pub at: Timestamp,
    /// The name that they gave.
    pub name: String,
    /// The subject.
    pub subject: String,
    /// What they wrote.
    pub text: String,
    /// What they quoted.
    pub quoted: String,
    /// Files that they sent along: name, format, bytes, and the SHA-256 that names the stored file.
    pub attachments: Vec<(Option<String>, String, i64, String)>,
}

/// A mail and its decision.
#[derive(Debug, Serialize)]
pub struct HeldMail {
    /// When it was decided.
    pub at: Timestamp,
    /// The desk.
    pub desk: String,
    /// What was decided.
    pub verdict: String,
    /// Why.
    pub reasons: Vec<String>,
    /// The ticket that it is on.
    pub ticket: Option<String>,
    /// Whether its original lies in the mailbox.
    pub original_kept: bool,
}

/// A letter to somebody.
#[derive(Debug, Serialize)]
pub struct HeldLetter {
    /// When it was written.
    pub at: Timestamp,
    /// Which letter.
    pub template: String,
    /// What it is about.
    pub ticket: Option<String>,
    /// How it stands.
    pub state: String,
    /// The whole of it as it is sent (RFC 5322).
    pub message: String,
}

/// What an erasure did.
#[derive(Debug, Default, Serialize)]
pub struct Erased {
    /// Tickets out of which the person went.
    pub tickets: Vec<String>,
    /// Texts that were changed.
    pub texts: u64,
    /// Attachments that were removed.
    pub attachments: u64,
    /// Originals that are to be expunged.
    pub originals: u64,
    /// Letters that were emptied or removed.
    pub letters: u64,
    /// Tickets that a legal hold keeps as they are.
    pub held: Vec<String>,
    /// Organisations of which a legal hold keeps everything: the person's profile, and mails and letters on no ticket.
    pub held_organisations: BTreeSet<String>,
}

impl Erased {
    /// Whether a legal hold keeps something of the person: the rest is erased when it is lifted.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        !self.held.is_empty() || !self.held_organisations.is_empty()
    }
}

/// An erasure that a legal hold keeps from being whole.
#[derive(Serialize, Deserialize)]
struct Unfinished {
    address: String,
    names: Vec<String>,
    phones: Vec<String>,
    #[serde(default)]
    colleagues: Vec<String>,
    keep_attachments: bool,
}

/// Whom to erase.
#[derive(Debug)]
pub struct ToErase<'a> {
    /// The address.
    pub address: &'a EmailAddress,
    /// Names that are known besides those in the person's own mails.
    pub names: &'a [Redacted<String>],
    /// Phones that are known.
    pub phones: &'a [Redacted<String>],
    /// Names of others at the same organisation, besides those who have profiles: what may be theirs is not taken out of others' texts.
    pub colleagues: &'a [Redacted<String>],
    /// Whether the files that the person sent stay.
    pub keep_attachments: bool,
}

/// The entries and tickets that a person has to do with.
#[derive(Default)]
struct Traces {
    roles: BTreeMap<i64, BTreeSet<&'static str>>,
    own: Vec<entry::Model>,
}

/// Entries that were looked through before anything was locked: up to which one, and the tickets on which others mention the person.
#[derive(Default)]
struct LookedThrough {
    up_to: i64,
    mentioned_on: BTreeSet<i64>,
}

impl Store {
    /// Writes down that a person objects to the storage of their mail (POLICY row 4): a keyed digest stands for the address. Or, with `objects` false, that they do no longer.
    ///
    /// # Errors
    /// [`StoreError::NotNow`] when that is so already.
    pub async fn object(&self, address: &EmailAddress, objects: bool, agent: &str) -> Result<(), StoreError> {
        const DOING: &str = "noting an objection";
        let now = self.now();
        let person = self.0.keys.person(address).as_str().to_owned();
        let transaction = begin_serial(&self.0.writer, DOING).await?;
        let known = objection::Entity::find_by_id(person.clone()).one(&transaction).await.doing(DOING)?.is_some();
        match (objects, known) {
            (true, true) => return Err(StoreError::NotNow("this person has objected before")),
            (false, false) => return Err(StoreError::NotNow("this person has not objected")),
            (true, false) => {
                let row = objection::ActiveModel::from(objection::Model { person, at: now });
                let twice = OnConflict::column(objection::Column::Person).do_nothing().to_owned();
                objection::Entity::insert_many([row]).on_conflict(twice).exec_without_returning(&transaction).await.doing(DOING)?;
            }
            (false, true) => {
                objection::Entity::delete_by_id(person).exec(&transaction).await.doing(DOING)?;
            }
        }
        record(&transaction, &self.0.keys, now, if objects { "objection" } else { "objection-withdrawn" }, address, agent).await?;
        transaction.commit().await.doing(DOING)
    }

    /// Everything that is held of a person. That it was asked for goes on the audit record.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn held_of(&self, address: &EmailAddress, agent: &str) -> Result<Held, StoreError> {
        let now = self.now();
        let person = Person::new(address.reveal(), &Known::default());
        let ahead = look_through(&self.0.reader, address, &person, 0).await?;
        let transaction = begin_serial(&self.0.writer, READING).await?;
        let own = written_by(&transaction, address).await?;
        let mut traces = traces(&transaction, address, own, &person, ahead).await?;
        let key = self.0.keys.person(address);
        let objected = objection::Entity::find_by_id(key.as_str()).one(&transaction).await.doing(READING)?;
        let mut tickets = Vec::new();
        for (id, roles) in std::mem::take(&mut traces.roles) {
            let Some(row) = ticket::Entity::find_by_id(id).one(&transaction).await.doing(READING)? else { continue };
            let mut entries = Vec::new();
            for own in traces.own.iter().filter(|entry| entry.ticket_id == id) {
                entries.push(held_entry(&transaction, own).await?);
            }
            tickets.push(HeldTicket {
                number: TicketNumber::new(id).to_string(),
                status: row.status,
                organisation: row.organisation,
                opened_at: timestamp("ticket", row.opened_at)?,
                roles,
                entries,
            });
        }
        let held = Held {
            objected_at: objected.map(|row| timestamp("objection", row.at)).transpose()?,
            tickets,
            mails: held_mails(&transaction, key.as_str()).await?,
            letters: held_letters(&transaction, address).await?,
            identity_checks: identity_check::Entity::find()
                .filter(identity_check::Column::Contact.eq(address.reveal()))
                .all(&transaction)
                .await
                .doing(READING)?
                .into_iter()
                .map(|row| {
                    // Nobody closes a question that lapses.
                    let lapsed = row.state == "pending" && row.expires_at < now;
                    (TicketNumber::new(row.ticket_id).to_string(), if lapsed { "expired".to_owned() } else { row.state })
                })
                .collect(),
            profile: held_profile(&transaction, key.as_str()).await?,
            portal: held_accesses(&transaction, key.as_str()).await?,
            approvals: held_approvals(&transaction, key.as_str()).await?,
            erasure_due_since: erasure_due::Entity::find_by_id(key.as_str())
                .one(&transaction)
                .await
                .doing(READING)?
                .map(|row| timestamp("erasure_due", row.at))
                .transpose()?,
        };
        record(&transaction, &self.0.keys, now, "person-exported", address, agent).await?;
        transaction.commit().await.doing(READING)?;
        Ok(held)
    }

    /// Takes a person out of everything: tickets stay, the person goes. Their originals are marked to be expunged; files go when no row names them
    /// any more ([`Store::sweep_attachments`]). What a legal hold keeps stays as it is until it ends (GDPR 17(3)); see [`Store::finish_erasures`].
    ///
    /// # Errors
    /// The database is out of reach: nothing is changed then.
    pub async fn erase(&self, whom: &ToErase<'_>, agent: &str) -> Result<Erased, StoreError> {
        let (transaction, person, traces) = self.begin_with_everything_of(whom).await?;
        let kept = Kept::of(&transaction, &traces, &self.0.keys.person(whom.address)).await?;
        let erased = self.erase_but(&transaction, whom, agent, (&person, &traces), &kept).await?;
        transaction.commit().await.doing(ERASING)?;
        self.checkpoint().await?;
        Ok(erased)
    }

    /// Erases what legal holds that have ended kept of people who were to be erased. How many people that were.
    ///
    /// # Errors
    /// The database is out of reach: what is left is still to be erased.
    pub async fn finish_erasures(&self) -> Result<u64, StoreError> {
        let mut finished = 0;
        for (row, unfinished) in self.unfinished_erasures().await? {
            let address = address("erasure_due", &unfinished.address)?;
            let redacted = |texts: &[String]| texts.iter().cloned().map(Redacted::new).collect::<Vec<_>>();
            let [names, phones, colleagues] = [&unfinished.names, &unfinished.phones, &unfinished.colleagues].map(|texts| redacted(texts));
            let keep_attachments = unfinished.keep_attachments;
            let whom = ToErase { address: &address, names: &names, phones: &phones, colleagues: &colleagues, keep_attachments };
            let (transaction, person, traces) = self.begin_with_everything_of(&whom).await?;
            let kept = Kept::of(&transaction, &traces, &self.0.keys.person(&address)).await?;
            if kept.all_of(&traces) {
                continue;
            }
            self.erase_but(&transaction, &whom, &row.agent, (&person, &traces), &kept).await?;
            transaction.commit().await.doing(ERASING)?;
            finished += 1;
        }
        if finished > 0 {
            self.checkpoint().await?;
        }
        Ok(finished)
    }

    /// How many people [`Store::finish_erasures`] would erase now.
    ///
    /// # Errors
    /// The database is out of reach.
    pub async fn erasures_to_finish(&self) -> Result<u64, StoreError> {
        let mut number = 0;
        for (row, unfinished) in self.unfinished_erasures().await? {
            let nameless = Person::new(&unfinished.address, &Known::default());
            let address = address("erasure_due", &unfinished.address)?;
            let ahead = look_through(&self.0.reader, &address, &nameless, 0).await?;
            let transaction = begin_serial(&self.0.writer, READING).await?;
            let own = written_by(&transaction, &address).await?;
            let traces = traces(&transaction, &address, own, &nameless, ahead).await?;
            let kept = Kept::of(&transaction, &traces, &Pseudonym::from_row(row.person)).await?;
            number += u64::from(!kept.all_of(&traces));
        }
        Ok(number)
    }

    /// Begins a transaction that nothing is booked beside, and finds in it how the person is told in texts and all that has to do with them. Every text is
    /// looked through before it, while others go on; only what has come since is looked through in it.
    async fn begin_with_everything_of(&self, whom: &ToErase<'_>) -> Result<(DatabaseTransaction, Person, Traces), StoreError> {
        let (known, _) = person_of(&self.0.reader, &self.0.keys, whom).await?;
        let ahead = look_through(&self.0.reader, whom.address, &known, 0).await?;
        let transaction = begin_serial(&self.0.writer, ERASING).await?;
        let (person, own) = person_of(&transaction, &self.0.keys, whom).await?;
        // A mail that came meanwhile may tell more of how they sign: then all is looked through with that.
        let ahead = if person.is_told_as(&known) { ahead } else { LookedThrough::default() };
        let traces = traces(&transaction, whom.address, own, &person, ahead).await?;
        Ok((transaction, person, traces))
    }

    async fn unfinished_erasures(&self) -> Result<Vec<(erasure_due::Model, Unfinished)>, StoreError> {
        let rows = erasure_due::Entity::find().order_by_asc(erasure_due::Column::At).all(&self.0.reader).await.doing(READING)?;
        rows.into_iter().map(|row| Ok((row.clone(), from_json("erasure_due", &row.request)?))).collect()
    }

    /// Everything of the person goes but what is kept.
    async fn erase_but(
        &self,
        db: &DatabaseTransaction,
        whom: &ToErase<'_>,
        agent: &str,
        (person, traces): (&Person, &Traces),
        kept: &Kept,
    ) -> Result<Erased, StoreError> {
        let (now, key) = (self.now(), self.0.keys.person(whom.address));
        let mut erased = Erased {
            held: kept.tickets.iter().map(|id| TicketNumber::new(*id).to_string()).collect(),
            held_organisations: kept.organisations.clone(),
            ..Erased::default()
        };
        let mut mails: BTreeSet<i64> = BTreeSet::new();
        for (id, roles) in traces.roles.iter().filter(|(id, _)| !kept.tickets.contains(id)) {
            erase_from_ticket(db, *id, roles, whom, person, &mut erased, &mut mails).await?;
            erased.tickets.push(TicketNumber::new(*id).to_string());
        }
        erase_letters(db, whom.address, traces, kept, &mut erased).await?;
        let theirs: Vec<(i64, Option<i64>, Option<String>)> = mail::Entity::find()
            .select_only()
            .columns([mail::Column::Id, mail::Column::TicketId, mail::Column::Organisation])
            .filter(mail::Column::SenderKey.eq(key.as_str()))
            .into_tuple()
            .all(db)
            .await
            .doing(ERASING)?;
        mails.extend(theirs.into_iter().filter(|(_, ticket, of)| !kept.holds.keep(*ticket, of.as_deref())).map(|(id, ..)| id));
        erased.originals = forget_mails(db, &mails, &key).await?;
        if !kept.profile {
            forget_profile(db, &key).await?;
        }
        let unfinished = !kept.tickets.is_empty() || !kept.organisations.is_empty();
        note_unfinished(db, now, whom, agent, &key, unfinished).await?;
        record(db, &self.0.keys, now, "person-erased", whom.address, agent).await?;
        Ok(erased)
    }
}

/// What a legal hold keeps of a person.
struct Kept {
    holds: Holds,
    tickets: BTreeSet<i64>,
    /// Organisations that keep more of the person than tickets.
    organisations: BTreeSet<String>,
    profile: bool,
}

impl Kept {
    async fn of(db: &DatabaseTransaction, traces: &Traces, key: &Pseudonym) -> Result<Self, StoreError> {
        let holds = Holds::read(db).await?;
        let tickets: Vec<(i64, Option<String>)> = ticket::Entity::find()
            .select_only()
            .columns([ticket::Column::Id, ticket::Column::Organisation])
            .filter(ticket::Column::Id.is_in(traces.roles.keys().copied()))
            .into_tuple()
            .all(db)
            .await
            .doing(READING)?;
        let tickets = tickets.into_iter().filter(|(id, of)| holds.keep(Some(*id), of.as_deref())).map(|(id, _)| id).collect();
        let profile = profile::Entity::find_by_id(key.as_str()).one(db).await.doing(READING)?.and_then(|row| row.organisation);
        let of_mails: Vec<Option<String>> = mail::Entity::find()
            .select_only()
            .column(mail::Column::Organisation)
            .distinct()
            .filter(mail::Column::SenderKey.eq(key.as_str()))
            .filter(mail::Column::TicketId.is_null())
            .into_tuple()
            .all(db)
            .await
            .doing(READING)?;
        let on_hold = |of: &String| holds.keep(None, Some(of));
        let organisations = of_mails.into_iter().flatten().chain(profile.clone()).filter(on_hold).collect();
        let profile = profile.as_ref().is_some_and(on_hold);
        Ok(Self { tickets, organisations, profile, holds })
    }

    /// Whether there is nothing but what is kept.
    fn all_of(&self, traces: &Traces) -> bool {
        let nothing = self.tickets.is_empty() && self.organisations.is_empty();
        !nothing && traces.roles.keys().all(|id| self.tickets.contains(id))
    }
}

/// How a person is told in texts, and what they wrote.
async fn person_of(db: &impl ConnectionTrait, keys: &Keys, whom: &ToErase<'_>) -> Result<(Person, Vec<entry::Model>), StoreError> {
    let own = written_by(db, whom.address).await?;
    let told = |texts: &[Redacted<String>]| texts.iter().map(|text| text.reveal().clone()).collect();
    let mut known = Known { names: told(whom.names), phones: told(whom.phones), others: told(whom.colleagues) };
    known.names.extend(own.iter().map(|entry| entry.author_name.clone()));
    let key = keys.person(whom.address);
    if let Some(profile) = profile::Entity::find_by_id(key.as_str()).one(db).await.doing(ERASING)? {
        known.names.insert(profile.name);
        known.phones.extend(profile.phone.into_iter().chain(profile.mobile));
        if let Some(organisation) = profile.organisation {
            known.others.extend(names_at(db, &organisation, &key).await?);
        }
    }
    let mut person = Person::new(whom.address.reveal(), &known);
    own.iter().for_each(|entry| person.learn(&entry.written));
    Ok((person, own))
}

/// The names of all others who have a profile at an organisation.
async fn names_at(db: &impl ConnectionTrait, organisation: &str, but: &Pseudonym) -> Result<Vec<String>, StoreError> {
    profile::Entity::find()
        .select_only()
        .column(profile::Column::Name)
        .filter(profile::Column::Organisation.eq(organisation))
        .filter(profile::Column::Person.ne(but.as_str()))
        .into_tuple()
        .all(db)
        .await
        .doing(ERASING)
}

/// What somebody wrote.
async fn written_by(db: &impl ConnectionTrait, address: &EmailAddress) -> Result<Vec<entry::Model>, StoreError> {
    entry::Entity::find().filter(entry::Column::Author.eq(address.reveal())).order_by_asc(entry::Column::Id).all(db).await.doing(READING)
}

/// Looks through all that others wrote behind that entry.
async fn look_through(
    db: &impl ConnectionTrait,
    address: &EmailAddress,
    person: &Person,
    behind: i64,
) -> Result<LookedThrough, StoreError> {
    let mut looked = LookedThrough { up_to: behind, ..LookedThrough::default() };
    loop {
        let page = entry::Entity::find().filter(entry::Column::Id.gt(looked.up_to)).order_by_asc(entry::Column::Id).limit(PAGE);
        let rows = page.all(db).await.doing(READING)?;
        let Some(last) = rows.last() else { return Ok(looked) };
        let ids = looked.up_to + 1..=last.id;
        looked.up_to = last.id;
        let named = files_that_name(db, person, ids).await?;
        let mentions = |row: &&entry::Model| {
            let texts = [&row.subject, &row.written, &row.quoted, &row.author_name];
            row.author.as_deref() != Some(address.reveal()) && (named.contains(&row.id) || texts.into_iter().any(|text| person.is_in(text)))
        };
        looked.mentioned_on.extend(rows.iter().filter(mentions).map(|row| row.ticket_id));
    }
}

/// The entries among these that hold a file whose name names the person.
async fn files_that_name(db: &impl ConnectionTrait, person: &Person, entries: RangeInclusive<i64>) -> Result<BTreeSet<i64>, StoreError> {
    let files: Vec<(i64, Option<String>)> = attachment::Entity::find()
        .select_only()
        .columns([attachment::Column::EntryId, attachment::Column::Name])
        .filter(attachment::Column::EntryId.between(*entries.start(), *entries.end()))
        .into_tuple()
        .all(db)
        .await
        .doing(READING)?;
    let names = |name: &Option<String>| name.as_ref().is_some_and(|name| person.is_in(name));
    Ok(files.into_iter().filter(|(_, name)| names(name)).map(|(id, _)| id).collect())
}

/// Marks the originals of these mails to be expunged, and takes the person's digest off them. How many were marked.
async fn forget_mails(db: &DatabaseTransaction, mails: &BTreeSet<i64>, key: &Pseudonym) -> Result<u64, StoreError> {
    let mut originals = 0;
    let mails: Vec<i64> = mails.iter().copied().collect();
    for chunk in mails.chunks(super::rows::CHUNK) {
        let marked = mail::Entity::update_many()
            .col_expr(mail::Column::Original, Expr::value("due"))
            .filter(mail::Column::Id.is_in(chunk.iter().copied()))
            // What is not filed yet is expunged once it is.
            .filter(mail::Column::ServerAction.eq("file").and(mail::Column::ActionState.is_in(["done", "due"])))
            .filter(mail::Column::Original.is_null())
            .exec(db)
            .await
            .doing(ERASING)?;
        originals += marked.rows_affected;
        mail::Entity::update_many()
            .col_expr(mail::Column::SenderKey, Expr::value(None::<String>))
            .filter(mail::Column::Id.is_in(chunk.iter().copied()))
            .filter(mail::Column::SenderKey.eq(key.as_str()))
            .exec(db)
            .await
            .doing(ERASING)?;
    }
    Ok(originals)
}

/// The profile goes. That somebody was let into the portal, and at whose request, stays on record; who it was is a keyed digest from now on.
async fn forget_profile(db: &DatabaseTransaction, key: &Pseudonym) -> Result<(), StoreError> {
    profile::Entity::delete_by_id(key.as_str()).exec(db).await.doing(ERASING)?;
    portal_access::Entity::update_many()
        .col_expr(portal_access::Column::Address, Expr::value(NOBODY))
        .col_expr(portal_access::Column::Name, Expr::value(""))
        .filter(portal_access::Column::Person.eq(key.as_str()))
        .exec(db)
        .await
        .doing(ERASING)
        .map(|_| ())
}

/// Notes whom to erase when the hold ends, or that nothing is left to erase.
async fn note_unfinished(
    db: &DatabaseTransaction,
    now: i64,
    whom: &ToErase<'_>,
    agent: &str,
    key: &Pseudonym,
    unfinished: bool,
) -> Result<(), StoreError> {
    erasure_due::Entity::delete_by_id(key.as_str()).exec(db).await.doing(ERASING)?;
    if !unfinished {
        return Ok(());
    }
    let all = |texts: &[Redacted<String>]| texts.iter().map(|text| text.reveal().clone()).collect();
    let request = Unfinished {
        address: whom.address.reveal().to_owned(),
        names: all(whom.names),
        phones: all(whom.phones),
        colleagues: all(whom.colleagues),
        keep_attachments: whom.keep_attachments,
    };
    let row = erasure_due::Model { person: key.as_str().to_owned(), at: now, agent: agent.to_owned(), request: to_json(&request) };
    erasure_due::Entity::insert_many([erasure_due::ActiveModel::from(row)]).exec_without_returning(db).await.doing(ERASING).map(|_| ())
}

/// Everything that has to do with a person.
async fn traces(
    db: &DatabaseTransaction,
    whose: &EmailAddress,
    own: Vec<entry::Model>,
    person: &Person,
    ahead: LookedThrough,
) -> Result<Traces, StoreError> {
    let mut traces = Traces { own, ..Traces::default() };
    for row in &traces.own {
        traces.roles.entry(row.ticket_id).or_default().insert("participant");
    }
    let since = look_through(db, whose, person, ahead.up_to).await?;
    for id in ahead.mentioned_on.into_iter().chain(since.mentioned_on) {
        traces.roles.entry(id).or_default().insert("mentioned");
    }
    let address = whose.reveal();
    for row in participant::Entity::find().filter(participant::Column::Address.eq(address)).all(db).await.doing(READING)? {
        traces.roles.entry(row.ticket_id).or_default().insert("participant");
    }
    // The list of a column holds the address as a JSON text.
    let in_cc = ticket::Column::Cc.contains(to_json(address));
    let rows: Vec<(i64, Option<String>)> = ticket::Entity::find()
        .select_only()
        .columns([ticket::Column::Id, ticket::Column::Requester])
        .filter(Condition::any().add(ticket::Column::Requester.eq(address)).add(in_cc))
        .into_tuple()
        .all(db)
        .await
        .doing(READING)?;
    for (id, requester) in rows {
        let role = if requester.as_deref() == Some(address) { "requester" } else { "cc" };
        traces.roles.entry(id).or_default().insert(role);
    }
    for row in identity_check::Entity::find().filter(identity_check::Column::Contact.eq(address)).all(db).await.doing(READING)? {
        traces.roles.entry(row.ticket_id).or_default().insert("mentioned");
    }
    let letters: Vec<Option<i64>> = outbox::Entity::find()
        .select_only()
        .column(outbox::Column::TicketId)
        .filter(to_them(address))
        .into_tuple()
        .all(db)
        .await
        .doing(READING)?;
    for id in letters.into_iter().flatten() {
        traces.roles.entry(id).or_default().insert("mentioned");
    }
    Ok(traces)
}

/// Letters to somebody, or with somebody in CC.
fn to_them(address: &str) -> Condition {
    let listed = to_json(address);
    Condition::any()
        .add(outbox::Column::ToAddress.eq(address))
        .add(outbox::Column::Cc.contains(&listed))
        .add(outbox::Column::Remaining.contains(&listed))
}

async fn erase_from_ticket(
    db: &DatabaseTransaction,
    id: i64,
    roles: &BTreeSet<&'static str>,
    whom: &ToErase<'_>,
    person: &Person,
    erased: &mut Erased,
    mails: &mut BTreeSet<i64>,
) -> Result<(), StoreError> {
    let address = whom.address.reveal();
    let Some(row) = ticket::Entity::find_by_id(id).one(db).await.doing(ERASING)? else { return Ok(()) };
    let takes_part = roles.iter().any(|role| *role != "mentioned");
    let asked = row.requester.as_deref() == Some(address);
    let (mut cc, requester): (Vec<(crate::decide::Cc, String)>, _) = (from_json("ticket", &row.cc)?, row.requester);
    for row in entry::Entity::find().filter(entry::Column::TicketId.eq(id)).all(db).await.doing(ERASING)? {
        let own = row.author.as_deref() == Some(address);
        let near = match () {
            () if own => Near::Own,
            () if asked && row.kind != "mail" => Near::Answer,
            () if takes_part => Near::Ticket,
            () if [&row.subject, &row.written, &row.quoted].into_iter().any(|text| person.is_in(text)) => Near::Named,
            () => Near::Elsewhere,
        };
        let written = if own { person.out_of_own(&row.written) } else { person.out_of(&row.written, near) };
        let (quoted, subject) = (person.out_of(&row.quoted, near), person.out_of(&row.subject, near));
        let author_name = if own { String::new() } else { person.out_of(&row.author_name, Near::Elsewhere) };
        let changed = [(&written, &row.written), (&quoted, &row.quoted), (&subject, &row.subject), (&author_name, &row.author_name)];
        let mut changed = changed.into_iter().filter(|(new, old)| new != old).count();
        if own && !whom.keep_attachments {
            let removed = attachment::Entity::delete_many().filter(attachment::Column::EntryId.eq(row.id)).exec(db).await.doing(ERASING)?;
            erased.attachments += removed.rows_affected;
        } else {
            changed += erase_from_file_names(db, row.id, person, if takes_part { Near::FileName } else { Near::Elsewhere }).await?;
        }
        if changed == 0 && !own {
            continue;
        }
        erased.texts += u64::try_from(changed).unwrap_or_default();
        mails.extend(row.mail_id);
        let (author, message_id) = if own { (None, None) } else { (row.author, row.message_id) };
        entry::Entity::update_many()
            .col_expr(entry::Column::Author, Expr::value(author))
            .col_expr(entry::Column::AuthorName, Expr::value(author_name))
            .col_expr(entry::Column::Subject, Expr::value(subject))
            .col_expr(entry::Column::Written, Expr::value(written))
            .col_expr(entry::Column::Quoted, Expr::value(quoted))
            .col_expr(entry::Column::MessageId, Expr::value(message_id))
            .filter(entry::Column::Id.eq(row.id))
            .exec(db)
            .await
            .doing(ERASING)?;
    }
    participant::Entity::delete_by_id((id, address.to_owned())).exec(db).await.doing(ERASING)?;
    let theirs = identity_check::Column::TicketId.eq(id);
    identity_check::Entity::delete_many()
        .filter(theirs)
        .filter(identity_check::Column::Contact.eq(address))
        .exec(db)
        .await
        .doing(ERASING)?;
    cc.retain(|(_, other)| other != address);
    ticket::Entity::update_many()
        .col_expr(ticket::Column::Cc, Expr::value(to_json(&cc)))
        .col_expr(ticket::Column::Requester, Expr::value(requester.filter(|requester| requester != address)))
        .filter(ticket::Column::Id.eq(id))
        .exec(db)
        .await
        .doing(ERASING)
        .map(|_| ())
}

/// Files that others sent, or that are kept, stay under a name without the person. How many names were changed.
async fn erase_from_file_names(db: &DatabaseTransaction, entry: i64, person: &Person, near: Near) -> Result<usize, StoreError> {
    let mut changed = 0;
    for row in attachment::Entity::find().filter(attachment::Column::EntryId.eq(entry)).all(db).await.doing(ERASING)? {
        let Some(old) = row.name else { continue };
        let name = person.out_of(&old, near);
        if name != old {
            attachment::Entity::update_many()
                .col_expr(attachment::Column::Name, Expr::value(name))
                .filter(attachment::Column::EntryId.eq(entry).and(attachment::Column::Position.eq(row.position)))
                .exec(db)
                .await
                .doing(ERASING)?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// Letters to the person, and the bytes of every letter on their tickets: some name who asked. What has not gone out to them never will.
async fn erase_letters(
    db: &DatabaseTransaction,
    address: &EmailAddress,
    traces: &Traces,
    kept: &Kept,
    erased: &mut Erased,
) -> Result<(), StoreError> {
    let address = address.reveal();
    let on_tickets = outbox::Column::TicketId.is_in(traces.roles.keys().copied());
    let rows = outbox::Entity::find().filter(Condition::any().add(to_them(address)).add(on_tickets)).all(db).await.doing(ERASING)?;
    for row in rows.into_iter().filter(|row| match row.ticket_id {
        Some(id) => !kept.tickets.contains(&id),
        None => !kept.holds.keep(None, row.organisation.as_deref()),
    }) {
        let others = |list: &str| -> Result<Vec<String>, StoreError> {
            let mut list: Vec<String> = from_json("outbox", list)?;
            list.retain(|other| other != address);
            Ok(list)
        };
        let (cc, remaining) = (others(&row.cc)?, others(&row.remaining)?);
        let unsent = matches!(row.state.as_str(), "due" | "claimed");
        let theirs = row.to_address == address || to_json(&cc) != row.cc;
        erased.letters += 1;
        if unsent && !theirs {
            // A letter to somebody else goes out as it is.
            erased.letters -= 1;
            continue;
        }
        if row.state == "dead" || unsent {
            identity_check::Entity::update_many()
                .col_expr(identity_check::Column::OutboxId, Expr::value(None::<i64>))
                .filter(identity_check::Column::OutboxId.eq(row.id))
                .exec(db)
                .await
                .doing(ERASING)?;
            outbox::Entity::delete_by_id(row.id).exec(db).await.doing(ERASING)?;
            continue;
        }
        let to = if row.to_address == address { NOBODY.to_owned() } else { row.to_address };
        let key = if to == NOBODY { String::new() } else { row.recipient_key };
        outbox::Entity::update_many()
            .col_expr(outbox::Column::ToAddress, Expr::value(to))
            .col_expr(outbox::Column::RecipientKey, Expr::value(key))
            .col_expr(outbox::Column::Cc, Expr::value(to_json(&cc)))
            .col_expr(outbox::Column::Remaining, Expr::value(to_json(&remaining)))
            .col_expr(outbox::Column::Message, Expr::value(Vec::<u8>::new()))
            .filter(outbox::Column::Id.eq(row.id))
            .exec(db)
            .await
            .doing(ERASING)?;
    }
    Ok(())
}

async fn held_profile(db: &DatabaseTransaction, key: &str) -> Result<Option<HeldProfile>, StoreError> {
    let Some(row) = profile::Entity::find_by_id(key).one(db).await.doing(READING)? else { return Ok(None) };
    Ok(Some(HeldProfile {
        name: row.name,
        organisation: row.organisation,
        phones: row.phone.into_iter().chain(row.mobile).collect(),
        made_at: timestamp("profile", row.made_at)?,
        deactivated_on: row.deactivated_on,
    }))
}

async fn held_accesses(db: &DatabaseTransaction, key: &str) -> Result<Vec<(Timestamp, Option<Timestamp>)>, StoreError> {
    let rows = portal_access::Entity::find().filter(portal_access::Column::Person.eq(key)).order_by_asc(portal_access::Column::Id);
    let at = |milliseconds| timestamp("portal_access", milliseconds);
    let rows = rows.all(db).await.doing(READING)?;
    rows.into_iter().map(|row| Ok((at(row.granted_at)?, row.ended_at.map(at).transpose()?))).collect()
}

async fn held_approvals(db: &DatabaseTransaction, key: &str) -> Result<Vec<(Timestamp, String, String)>, StoreError> {
    let rows = approval::Entity::find().filter(approval::Column::Person.eq(key)).order_by_asc(approval::Column::Id);
    let rows = rows.all(db).await.doing(READING)?;
    rows.into_iter().map(|row| Ok((timestamp("approval", row.at)?, TicketNumber::new(row.ticket_id).to_string(), row.answer))).collect()
}

async fn held_entry(db: &DatabaseTransaction, row: &entry::Model) -> Result<HeldEntry, StoreError> {
    let files = attachment::Entity::find().filter(attachment::Column::EntryId.eq(row.id)).order_by_asc(attachment::Column::Position);
    let files = files.all(db).await.doing(READING)?;
    Ok(HeldEntry {
        at: timestamp("entry", row.at)?,
        name: row.author_name.clone(),
        subject: row.subject.clone(),
        text: row.written.clone(),
        quoted: row.quoted.clone(),
        attachments: files.into_iter().map(|file| (file.name, file.format, file.size, file.sha256)).collect(),
    })
}

async fn held_mails(db: &DatabaseTransaction, key: &str) -> Result<Vec<HeldMail>, StoreError> {
    let rows = mail::Entity::find().filter(mail::Column::SenderKey.eq(key)).order_by_asc(mail::Column::Id).all(db).await.doing(READING)?;
    let held = |row: mail::Model| {
        Ok(HeldMail {
            at: timestamp("mail", row.booked_at)?,
            desk: row.desk,
            verdict: row.outcome,
            reasons: from_json("mail", &row.reasons)?,
            ticket: row.ticket_id.map(|id| TicketNumber::new(id).to_string()),
            original_kept: row.filed_at.is_some() && !matches!(row.original.as_deref(), Some("gone" | "absent")),
        })
    };
    rows.into_iter().map(held).collect()
}

async fn held_letters(db: &DatabaseTransaction, address: &EmailAddress) -> Result<Vec<HeldLetter>, StoreError> {
    let rows = outbox::Entity::find().filter(to_them(address.reveal())).order_by_asc(outbox::Column::Id).all(db).await.doing(READING)?;
    let held = |row: outbox::Model| {
        Ok(HeldLetter {
            at: timestamp("outbox", row.created_at)?,
            template: row.template,
            ticket: row.ticket_id.map(|id| TicketNumber::new(id).to_string()),
            state: row.state,
            message: String::from_utf8_lossy(&row.message).into_owned(),
        })
    };
    rows.into_iter().map(held).collect()
}

async fn record(
    db: &DatabaseTransaction,
    keys: &Keys,
    now: i64,
    what: &'static str,
    address: &EmailAddress,
    agent: &str,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Record {
        what: &'static str,
        agent: String,
        person: crate::words::Pseudonym,
    }
    let mut audit = Tail::read(db, now).await?;
    let record = Record { what, agent: audit.agent(agent), person: audit.key().stand_in(&keys.person(address)) };
    audit.add(now, &record);
    audit.write(db).await
}
