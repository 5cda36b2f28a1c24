//! What we forget, and when (POLICY "Retention").
//!
//! [`due`] lists what the terms of the settings say is over; [`run`] removes it: rows in the database, files of attachments,
//! originals in mailboxes, the file of an organisation whose contract has ended. A run can break off anywhere and be begun
//! again. The daemon runs it every day at the time that the settings name ([`keep`]).
//!
//! Of daemons that share a database the first one forgets for all, but in a mailbox only who holds it expunges: a command takes it from its
//! daemon for a short visit. So nobody finds a mail gone that another one is just expunging, and books it as absent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use jiff::civil::Date;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::mailbox::{self, FolderName, RawMail};
use crate::outbox::actions::{ActError, Search};
use crate::parse::parse;
use crate::settings::{Desk, Settings};
use crate::store::{Chain, DAEMON, DueItem, Forgotten, Hold, Lease, Original, OriginalSettled, Rules, Store, StoreError};
use crate::words::MailboxId;

/// The name under which the database remembers on which day this was done.
const CHORE: &str = "retention";
/// How often the daemon looks whether it is time.
const LOOKS: Duration = Duration::from_secs(60);
/// How soon it looks again where another process holds a mailbox: it may come to us before that has done it.
const SOON: Duration = Duration::from_secs(10);
/// How long it waits before it tries again what did not succeed.
const REST: Duration = Duration::from_secs(600);

/// What a run removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// By kind: attachments, organisations, tickets from the queue, decisions, keys.
    pub removed: BTreeMap<Forgotten, u64>,
    /// Originals that were expunged and, looked for again, are not there.
    pub originals_gone: u64,
    /// Originals that were not to be found in their folder: somebody moved or removed them before.
    pub originals_absent: u64,
    /// Files of attachments that were removed and are not there any more.
    pub files: u64,
    /// Files of organisations that were removed.
    pub organisation_files: u64,
    /// People who were to be erased, and of whom what a legal hold had kept is erased now that it has ended.
    pub people: u64,
    /// Originals that nobody can look for any more, by the mailbox in which they were filed.
    #[serde(skip)]
    pub lost: BTreeMap<MailboxId, Vec<i64>>,
    /// What could not be done now, in sentences; it is tried again at the next run.
    pub trouble: Vec<String>,
    /// Something is left to the daemon that holds the mailbox.
    #[serde(skip)]
    pub elsewhere: bool,
}

/// The terms of these settings.
#[must_use]
pub fn rules(settings: &Settings) -> Rules {
    let house = settings.retention.terms;
    let all = settings.organisations.organisations();
    Rules {
        timezone: settings.timezone.clone(),
        house,
        organisations: all.iter().map(|organisation| (organisation.id.to_string(), organisation.terms.over(&house))).collect(),
        contracts: all.iter().filter_map(|organisation| Some((organisation.id.to_string(), organisation.contract_until?))).collect(),
    }
}

/// Everything whose term is over now.
///
/// # Errors
/// The database is out of reach.
pub async fn due(settings: &Settings, store: &Store) -> Result<Vec<DueItem>, StoreError> {
    store.due_to_forget(&rules(settings)).await
}

/// Removes everything whose term is over now; `agent` has it done. A daemon (`ours` is its lease) expunges in the mailboxes that it holds;
/// the others are left to those who hold them.
///
/// # Errors
/// The database is out of reach; what was not removed is still due. Trouble with mailboxes and files is in the report.
pub async fn run(settings: &Settings, store: &Store, agent: &str, ours: Option<&Lease>) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let (last, first): (Vec<DueItem>, Vec<DueItem>) = due(settings, store).await?.into_iter().partition(|item| item.kind.comes_last());
    forget(store, &first, agent, &mut report).await?;
    remove_ended(settings, store, &mut report).await?;
    report.people = store.finish_erasures().await?;
    expunge(settings, store, ours, &mut report).await?;
    forget(store, &last, agent, &mut report).await?;
    store.forget_strangers().await?;
    report.files = count(store.sweep_attachments().await?);
    store.checkpoint().await?;
    Ok(report)
}

async fn forget(store: &Store, due: &[DueItem], agent: &str, report: &mut Report) -> Result<(), StoreError> {
    for item in due {
        // Originals count when they are gone, not when they are marked.
        if store.forget(item, agent).await? && item.kind != Forgotten::Originals {
            *report.removed.entry(item.kind).or_default() += item.count;
        }
    }
    Ok(())
}

/// Expunges all originals that are marked for it, each where it was filed: a daemon (`ours` is its lease) in the mailboxes that it holds, a command
/// in all. What nobody can look for stays marked, and is in the report.
///
/// # Errors
/// The database is out of reach. Trouble with a mailbox is in the report.
pub async fn expunge(settings: &Settings, store: &Store, ours: Option<&Lease>, report: &mut Report) -> Result<(), StoreError> {
    let mailboxes = store.mailboxes_with_originals_due().await?;
    if mailboxes.is_empty() {
        return Ok(());
    }
    let by = match ours {
        Some(lease) => Expunger::Holder(lease),
        None => Expunger::Visitor(store.visit().await?),
    };
    for mailbox in mailboxes {
        expunge_filed_from(&mailbox, settings, store, &by, report).await?;
    }
    match by {
        Expunger::Holder(_) => Ok(()),
        Expunger::Visitor(visit) => visit.release().await,
    }
}

/// Who expunges.
enum Expunger<'a> {
    /// A daemon, in what it holds.
    Holder(&'a Lease),
    /// A command.
    Visitor(Lease),
}

impl Expunger<'_> {
    /// None: it is left to whoever holds the mailbox.
    async fn enter(&self, desk: &Desk) -> Result<Option<Hold>, StoreError> {
        match self {
            Self::Holder(lease) => lease.for_expunging(&desk.mailbox_id()),
            Self::Visitor(visit) => visit.insist(&desk.mailbox_id()).await.map(Some),
        }
    }
}

/// Those that came in by this mailbox.
async fn expunge_filed_from(
    mailbox: &MailboxId,
    settings: &Settings,
    store: &Store,
    by: &Expunger<'_>,
    report: &mut Report,
) -> Result<(), StoreError> {
    let mut desks: BTreeMap<&str, &Desk> = BTreeMap::new();
    let (mut lost, mut deleted) = (Vec::new(), Vec::new());
    for mail in store.originals_due(mailbox).await? {
        match desk_of(settings, mailbox, &mail) {
            // When it was filed, and seen to be gone then.
            _ if mail.shelf.as_ref().is_some_and(|shelf| shelf.folder.is_none()) => deleted.push(mail.id),
            Some(desk) => drop(desks.insert(&desk.name, desk)),
            None => lost.push(mail.id),
        }
    }
    store.originals_settled(&deleted, OriginalSettled::Absent, None).await?;
    report.originals_absent += count(deleted.len());
    for desk in desks.into_values() {
        match expunge_of(desk, mailbox, settings, store, by, report).await {
            Ok(unsure) => lost.extend(unsure),
            Err(ActError::Store(StoreError::Owned(_) | StoreError::LeaseLost)) => report.trouble.push(format!(
                "The mailbox of {} is in the hands of a postkamer that did not leave it in time; what is due there is left to that one.",
                desk.name
            )),
            Err(ActError::Store(error)) => return Err(error),
            Err(ActError::Mailbox(error)) => {
                report.trouble.push(format!("The originals of the desk {} could not be expunged: {error}.", desk.name));
            }
        }
    }
    if !lost.is_empty() {
        report.trouble.push(format!(
            "{} filed mails of {mailbox} lie in a mailbox that no desk has any more, and cannot be looked for: please remove them there by \
             hand, and then say so with `postkamer retention removed {mailbox}`.",
            lost.len()
        ));
        report.lost.insert(mailbox.clone(), lost);
    }
    Ok(())
}

/// Whose mailbox it is today in which this was filed; else the desk that still has the name: its mailbox may have moved, with all that was in it.
fn desk_of<'a>(settings: &'a Settings, mailbox: &MailboxId, mail: &Original) -> Option<&'a Desk> {
    let has_it = |desk: &&Desk| mail.shelf.as_ref().is_some_and(|shelf| shelf.account == desk.mailbox.shelf().account);
    let namesake = settings.desks.iter().find(|desk| desk.mailbox_id() == *mailbox);
    namesake.filter(has_it).or_else(|| settings.desks.iter().find(has_it)).or(namesake)
}

/// Those that lie with this desk. Returns those that were not found and may lie in another mailbox.
async fn expunge_of(
    desk: &Desk,
    mailbox: &MailboxId,
    settings: &Settings,
    store: &Store,
    by: &Expunger<'_>,
    report: &mut Report,
) -> Result<Vec<i64>, ActError> {
    let Some(hold) = by.enter(desk).await? else {
        report.elsewhere = true;
        return Ok(Vec::new());
    };
    // Asked again: whoever had the mailbox before us may have done it.
    let mut due = store.originals_due(mailbox).await?;
    due.retain(|mail| desk_of(settings, mailbox, mail).is_some_and(|of| of.name == desk.name));
    expunge_held(desk, &due, &hold, store, report).await
}

/// Looks for these in the folders in which they were filed and in that of today: somebody may have renamed it.
async fn expunge_held(desk: &Desk, due: &[Original], hold: &Hold, store: &Store, report: &mut Report) -> Result<Vec<i64>, ActError> {
    let present = desk.mailbox.shelf();
    let folders: BTreeSet<String> =
        due.iter().filter_map(|mail| mail.shelf.as_ref()?.folder.clone()).chain(present.folder.clone()).collect();
    let recognise = |raw: &RawMail| store.keys().mail(&parse(raw.bytes.reveal(), raw.truncated).digest);
    let mut search = Search::new(due);
    for folder in folders.iter().filter_map(|folder| folder.parse::<FolderName>().ok()) {
        // What lies where mail comes in is not filed; it may be another mail like it.
        if folder == desk.mailbox.folder {
            continue;
        }
        if let Some(mut session) = mailbox::open_filed(desk.mailbox_id(), &desk.mailbox, &folder).await? {
            search.expunge(&mut session, recognise).await?;
            session.close().await;
        }
    }
    let (mut gone, mut absent, mut lost, mut left) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for mail in due {
        match (search.is_gone(mail), &mail.shelf) {
            (Some(true), _) => gone.push(mail.id),
            (Some(false), _) => left += 1,
            (None, Some(shelf)) if shelf.account != present.account => lost.push(mail.id),
            (None, _) => absent.push(mail.id),
        }
    }
    store.originals_settled(&gone, OriginalSettled::Gone, Some(hold)).await?;
    store.originals_settled(&absent, OriginalSettled::Absent, Some(hold)).await?;
    report.originals_gone += count(gone.len());
    report.originals_absent += count(absent.len());
    if left > 0 {
        report.trouble.push(format!("{left} originals of the desk {} are still in their folder.", desk.name));
    }
    Ok(lost)
}

/// Somebody has removed those originals of a mailbox by hand that nobody else can look for. Returns how many.
///
/// # Errors
/// The database is out of reach.
pub async fn removed_by_hand(settings: &Settings, store: &Store, mailbox: &MailboxId, agent: &str) -> Result<usize, StoreError> {
    let mut report = Report::default();
    expunge(settings, store, None, &mut report).await?;
    let lost = report.lost.remove(mailbox).unwrap_or_default();
    store.originals_removed_by_hand(mailbox, &lost, agent).await?;
    Ok(lost.len())
}

/// Removes the files of organisations of which nothing is to be kept any more: their contacts are people, too.
async fn remove_ended(settings: &Settings, store: &Store, report: &mut Report) -> Result<(), StoreError> {
    for (organisation, file) in ended(settings, store).await? {
        match tokio::fs::remove_file(&file).await {
            Ok(()) => report.organisation_files += 1,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => report.trouble.push(format!(
                "The contract of {organisation} has ended, but its file, with its contacts, could not be removed: {}.",
                error.kind()
            )),
        }
    }
    Ok(())
}

/// Organisations whose contract has ended for as long as the term says, and that are not on hold, with their files.
///
/// # Errors
/// The database is out of reach.
pub async fn ended(settings: &Settings, store: &Store) -> Result<Vec<(String, PathBuf)>, StoreError> {
    let ended = store.ended_organisations(&rules(settings)).await?;
    Ok(ended.into_iter().map(|id| (id.clone(), settings.organisation_file(&id))).collect())
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Trouble that was told of, and on which day: it is met again every few minutes, and the log is not to be filled with it.
#[derive(Default)]
struct Told(BTreeSet<(Date, String)>);

impl Told {
    /// What is new of this, or is told of for the first time today.
    fn news<'t>(&mut self, today: Date, trouble: &'t [String]) -> Vec<&'t String> {
        self.0.retain(|(day, _)| *day == today);
        trouble.iter().filter(|sentence| self.0.insert((today, (*sentence).clone()))).collect()
    }

    fn warn(&mut self, settings: &Settings, store: &Store, report: &Report) {
        let today = settings.today(store.clock().now());
        self.news(today, &report.trouble).into_iter().for_each(|sentence| tracing::warn!("{sentence}"));
    }
}

/// Runs every day at the time of the settings, until the token is cancelled. Of several daemons on one database the first one does it; what is to be
/// expunged is done by each in the mailboxes that it holds (`ours`).
pub async fn keep(settings: &Settings, store: &Store, ours: &Lease, stop: &CancellationToken) {
    let mut told = Told::default();
    while !stop.is_cancelled() {
        let rest = match expunge_left(settings, store, ours, &mut told).await {
            Ok(soon) => daily(settings, store, ours, &mut told).await.map(|done| if done { soon } else { REST }),
            Err(error) => Err(error),
        };
        let rest = match rest {
            Ok(rest) => rest,
            Err(error) => {
                tracing::warn!(%error, "what is due could not be removed; it is tried again");
                REST
            }
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// What was marked to be expunged by others, or while its server was away, does not wait for the day's run. When to look again.
async fn expunge_left(settings: &Settings, store: &Store, ours: &Lease, told: &mut Told) -> Result<Duration, StoreError> {
    let mut report = Report::default();
    expunge(settings, store, Some(ours), &mut report).await?;
    told.warn(settings, store, &report);
    Ok(match report {
        Report { trouble, .. } if !trouble.is_empty() => REST,
        Report { elsewhere: true, .. } => SOON,
        _ => LOOKS,
    })
}

/// The day's run, if its time has come. False: not all could be done.
async fn daily(settings: &Settings, store: &Store, ours: &Lease, told: &mut Told) -> Result<bool, StoreError> {
    let now = store.clock().now().to_zoned(settings.timezone.clone());
    if now.time() < settings.retention.at || store.chore_done(CHORE, now.date()).await? {
        return Ok(true);
    }
    let report = run(settings, store, DAEMON, Some(ours)).await?;
    told.warn(settings, store, &report);
    let removed = |kind| report.removed.get(&kind).copied().unwrap_or_default();
    tracing::info!(
        attachments = removed(Forgotten::Attachments),
        files = report.files,
        originals = report.originals_gone,
        queue = removed(Forgotten::Queue),
        organisations = removed(Forgotten::Organisations),
        decisions = removed(Forgotten::Decisions),
        keys = removed(Forgotten::Keys),
        "what was due is removed"
    );
    anchor(store).await?;
    if report.trouble.is_empty() {
        store.chore_is_done(CHORE, now.date()).await?;
    }
    Ok(report.trouble.is_empty())
}

/// The end of the audit record goes into the log, where whoever changes the database does not reach it (THREATS §3).
async fn anchor(store: &Store) -> Result<(), StoreError> {
    match store.verify_audit(None).await? {
        Chain::Whole { rows, head } => tracing::info!(anchor = format!("{rows}:{head}"), "the audit record is whole"),
        Chain::Broken { seq, damage } => tracing::error!(row = seq, ?damage, "the audit record is not whole; see `postkamer audit verify`"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_same_trouble_is_told_once_a_day() {
        let trouble = ["the server is away".to_owned(), "a mailbox has moved".to_owned()];
        let mut told = Told::default();
        let (today, tomorrow) = (date(2026, 11, 21), date(2026, 11, 22));
        assert_eq!(told.news(today, &trouble[..1]), [&trouble[0]]);
        assert_eq!(told.news(today, &trouble), [&trouble[1]]);
        assert!(told.news(today, &trouble).is_empty());
        assert_eq!(told.news(tomorrow, &trouble).len(), 2);
    }
}
