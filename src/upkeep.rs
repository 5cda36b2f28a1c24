//! What happens by the clock alone, besides forgetting: desks are reminded of what waits and warned of refused senders, contacts are asked
//! once more, people who left are let go of (POLICY "What follows later").
//!
//! Every step is one transaction that finds its work by what is not booked yet: it can break off anywhere, and several daemons on one database
//! do nothing twice.

use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::decide::Template;
use crate::identify::Organisation;
use crate::journey::Journey;
use crate::plan::{PlannedReply, TicketLetter, privacy_notice, ticket_letter};
use crate::retention;
use crate::settings::{Settings, contact_edit};
use crate::store::{Asked, Correspondence, Refused, Store, StoreError};
use crate::words::{EmailAddress, Keys};

/// How often the daemon looks.
const LOOKS: Duration = Duration::from_secs(60);

/// A mail that was offered by a pipe so long ago is not offered again: mail servers give up after five days or so.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(30 * 24);

/// So long before a question to a contact lapses the desk is told of it.
const WARNS: SignedDuration = SignedDuration::from_hours(24);

/// How long a command may be at work on a list before its plan counts as given up.
const AT_WORK: SignedDuration = SignedDuration::from_mins(10);

/// Looks until the token is cancelled. `wake` is called when a letter may have been written.
pub async fn keep(journey: &Journey, store: &Store, stop: &CancellationToken, wake: impl Fn() + Send) {
    while !stop.is_cancelled() {
        if let Err(error) = run(journey, store).await {
            tracing::warn!(%error, "what is due by the clock could not be done; it is tried again");
        }
        wake();
        tokio::select! {
            () = tokio::time::sleep(LOOKS) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Does all that is due now.
///
/// # Errors
/// The database is out of reach; what was not done is still due.
pub async fn run(journey: &Journey, store: &Store) -> Result<(), StoreError> {
    let (settings, now) = (&*journey.settings, store.clock().now());
    let today = settings.today(now);
    let letters = Letters { journey, now };
    let reminders = |on: &Correspondence, until, keys: &Keys| letters.to_desk_until(Template::QueueReminder, on, until, keys);
    let days = |days: u32| SignedDuration::from_hours(24 * i64::from(days));
    let waiting_since = now.saturating_sub(days(settings.upkeep.queue_reminder_days)).unwrap_or(now);
    let reminded = store.remind_of_queue(waiting_since, &retention::rules(settings), reminders).await?;
    let told = store.tell_of_identity_checks(|on, keys| letters.to_desk(Template::IdentityNotice, on, keys)).await?;
    let unanswered = now.saturating_sub(days(settings.upkeep.identity_reminder_days)).unwrap_or(now);
    let asked = store.ask_again(unanswered, |asked, keys| letters.to_contact(asked, keys)).await?;
    let lapsing = now.saturating_add(WARNS).unwrap_or(now);
    let warned = store.warn_of_identity_checks(lapsing, |asked, keys| letters.of_lapsing(asked, keys)).await?;
    let privacy_contacts = tell_privacy_contacts(&letters, store, today).await?;
    for notice in reminded.into_iter().chain(warned).chain(told) {
        let (ticket, what) = (notice.ticket, notice.what);
        tracing::warn!(%ticket, what, "a ticket needs a decision; see `postkamer queue list`");
    }
    settle_contact_changes(settings, store, None).await?;
    store.forget_given_up(now.saturating_sub(GIVEN_UP).unwrap_or(now)).await?;
    let left = let_go_of_leavers(settings, store, today).await?;
    let ended = end_accesses(settings, store).await?;
    let moved = january_move(settings, store, today).await?;
    if asked + left + ended + moved + privacy_contacts > 0 {
        tracing::info!(
            asked,
            left,
            ended,
            moved,
            privacy_contacts,
            "done by the clock: contacts asked again, profiles deactivated, accesses ended, profiles erased, privacy contacts told"
        );
    }
    Ok(())
}

/// Tells the privacy contacts of organisations that want it that citizen data in their mail was refused (GDPR 33(2)).
async fn tell_privacy_contacts(letters: &Letters<'_>, store: &Store, today: Date) -> Result<u64, StoreError> {
    let organisations = letters.journey.settings.organisations.organisations().iter();
    let mut told = 0;
    for organisation in organisations.filter(|organisation| organisation.privacy_notices && organisation.is_under_contract(today)) {
        told += u64::from(
            store.tell_of_refusals(organisation.id.as_str(), |on, keys| letters.to_privacy_contact(organisation, on, keys)).await?,
        );
    }
    Ok(told)
}

/// Settles changes of lists whose commands died: what the organisation's file says was done is put on record, what it does not say is taken
/// back once nobody can be at work on it any more, or at once where its own command says that it has given up.
///
/// # Errors
/// The database is out of reach. A list that cannot be read is looked at again.
pub async fn settle_contact_changes(settings: &Settings, store: &Store, given_up: Option<i64>) -> Result<(), StoreError> {
    let now = store.clock().now();
    for plan in store.planned_contact_changes().await? {
        let list = match contact_edit::listed(settings, &plan.organisation) {
            Ok(list) => list,
            Err(error) => {
                tracing::warn!(organisation = plan.organisation, %error, "whether a planned change of a list was made cannot be seen");
                continue;
            }
        };
        if list.iter().any(|(address, left)| *left == plan.left && store.keys().person(address) == plan.person) {
            store.contact_changed(plan.id).await?;
        } else if now.duration_since(plan.at) >= AT_WORK || given_up == Some(plan.id) {
            store.contact_change_withdrawn(plan.id).await?;
        } else {
            continue;
        }
        if let Err(error) = contact_edit::remove_unfinished(settings, &plan.organisation) {
            tracing::warn!(organisation = plan.organisation, %error, "what a broken-off change of a list left could not be removed");
        }
    }
    Ok(())
}

/// Profiles of contacts whose first day gone has come.
async fn let_go_of_leavers(settings: &Settings, store: &Store, today: Date) -> Result<u64, StoreError> {
    let organisations = &settings.organisations;
    let gone: Vec<EmailAddress> = organisations
        .organisations()
        .iter()
        .flat_map(|organisation| &organisation.contacts)
        .filter(|contact| contact.has_left(today) && organisations.contact_by_address(&contact.email, today).is_none())
        .map(|contact| contact.email.clone())
        .collect();
    let mut left = 0;
    for address in store.active_profiles(&gone).await? {
        if let Some(day) = organisations.left_on(&address, today) {
            left += u64::from(store.deactivate_profile(&address, day, crate::store::DAEMON).await?);
        }
    }
    Ok(left)
}

/// Ends the access to the portal of everybody who may not use it any more, and puts it on record.
///
/// # Errors
/// The database is out of reach.
pub async fn end_accesses(settings: &Settings, store: &Store) -> Result<u64, StoreError> {
    let today = settings.today(store.clock().now());
    store.end_accesses(|organisation, address| settings.organisations.may_use_portal(organisation, address, today).err()).await
}

/// From the set day in January on, those who left before this year and are on no list again are erased (POLICY "Profiles").
async fn january_move(settings: &Settings, store: &Store, today: Date) -> Result<u64, StoreError> {
    let (month, day) = settings.upkeep.move_profiles_on;
    if (today.month(), today.day()) < (month, day) {
        return Ok(0);
    }
    store.move_departed(today.first_of_year(), |address| settings.organisations.contact_by_address(address, today).is_some()).await
}

/// Letters that nobody writes.
struct Letters<'a> {
    journey: &'a Journey,
    now: Timestamp,
}

impl Letters<'_> {
    /// To whom the desk's notices go; none where the settings name nobody: then the note on the ticket is all.
    fn to_desk(&self, template: Template, on: &Correspondence, keys: &Keys) -> Option<PlannedReply> {
        self.to_desk_until(template, on, None, keys)
    }

    /// The same, where the letter says until when.
    fn to_desk_until(&self, template: Template, on: &Correspondence, until: Option<Timestamp>, keys: &Keys) -> Option<PlannedReply> {
        let desk = self.journey.settings.desk(&on.desk)?;
        let to = desk.notify.as_ref()?;
        let letter = TicketLetter { language: desk.language, expires: until, ..letter(template, on, to) };
        ticket_letter(letter, &desk.letterhead(), &self.journey.house, keys, self.now).ok()
    }

    /// To the desk: a question to a contact will lapse.
    fn of_lapsing(&self, asked: &Asked, keys: &Keys) -> Option<PlannedReply> {
        self.to_desk_until(Template::IdentityNotice, &asked.on, Some(asked.expires), keys)
    }

    fn to_privacy_contact(&self, organisation: &Organisation, on: &Refused, keys: &Keys) -> Option<PlannedReply> {
        let (to, desk) = (organisation.privacy_contact.as_ref()?, self.journey.settings.desk(&on.desk)?);
        privacy_notice(on.reply, organisation, to, &desk.letterhead(), &self.journey.house, keys, self.now).ok()
    }

    /// To the listed contact, once more.
    fn to_contact(&self, asked: &Asked, keys: &Keys) -> Option<PlannedReply> {
        let (settings, on) = (&self.journey.settings, &asked.on);
        let desk = settings.desk(&on.desk)?;
        let (organisation, _) = settings.organisations.contact_by_address(&asked.contact, settings.today(self.now))?;
        let letter = TicketLetter {
            language: organisation.language,
            expires: Some(asked.expires),
            requester: asked.on.requester.clone(),
            ..letter(Template::VerifyIdentity, on, &asked.contact)
        };
        ticket_letter(letter, &desk.letterhead(), &self.journey.house, keys, self.now).ok()
    }
}

fn letter<'l>(template: Template, on: &'l Correspondence, to: &'l EmailAddress) -> TicketLetter<'l> {
    TicketLetter { automatic: true, ..TicketLetter::new(template, on.reply, &on.ticket, to) }
}
