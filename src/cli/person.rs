//! `postkamer person`: what is held of somebody, taking them out of it, and their objection (GDPR 15, 17, 21).

use std::path::PathBuf;

use super::tickets::plain;
use super::{Failure, Office, Place, output};
use crate::retention::{self, Report};
use crate::store::{Erased, Held, ToErase};
use crate::words::{EmailAddress, Redacted};

/// A person's rights: export what is held, erase it, record an objection.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Everything that is held of a person.
    Export {
        /// Their address.
        address: EmailAddress,
        /// One JSON object.
        #[arg(long)]
        json: bool,
        /// Copy the files that they sent into this directory.
        #[arg(long, value_name = "DIRECTORY")]
        attachments: Option<PathBuf>,
    },
    /// Take a person out of everything: tickets stay; name, address, phones and signature go, their mails' originals too.
    Erase {
        /// Their address.
        address: EmailAddress,
        /// A name that they also go by; may be given more than once.
        #[arg(long, value_name = "NAME")]
        name: Vec<String>,
        /// Keep the files that they sent.
        #[arg(long)]
        keep_attachments: bool,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Record that a person objects to the storage of their mail: from now on it is ignored, and nothing of it is kept.
    Object {
        /// Their address.
        address: EmailAddress,
        /// They object no longer.
        #[arg(long)]
        withdraw: bool,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let office = place.office().await?;
    everywhere(&office)?;
    match command {
        Command::Export { address, json, attachments } => export(&office, &address, json, attachments).await,
        Command::Erase { address, name, keep_attachments, json } => erase(&office, &address, name, keep_attachments, json).await,
        Command::Object { address, withdraw, json } => {
            office.store.object(&address, !withdraw, &office.agent()?).await.map_err(plain)?;
            let sentence =
                if withdraw { "The objection is withdrawn." } else { "The objection is on record: mail from this address is ignored." };
            output::done(json, sentence, &serde_json::json!({ "objects": !withdraw }))
        }
    }
}

/// What is held of a person may lie at any desk.
fn everywhere(office: &Office) -> Result<(), Failure> {
    let own = office.desks_of_agent()?;
    let all = own.is_none_or(|own| office.settings.desks.iter().all(|desk| own.contains(&desk.name)));
    all.then_some(())
        .ok_or_else(|| Failure::Usage("Only an agent who works at every desk may do this: it concerns all of them.".to_owned()))
}

/// The lists that somebody stands on: organisation, name, phones.
fn listed(office: &Office, address: &EmailAddress) -> Vec<(String, Redacted<String>, Vec<Redacted<String>>)> {
    let all = office.settings.organisations.organisations().iter();
    let contacts = all.flat_map(|organisation| organisation.contacts.iter().map(move |contact| (organisation, contact)));
    contacts
        .filter(|(_, contact)| contact.email == *address)
        .map(|(organisation, contact)| {
            let phones = [&contact.phone, &contact.mobile].into_iter().flatten().cloned().collect();
            (organisation.id.to_string(), contact.name.clone(), phones)
        })
        .collect()
}

/// The names of the others at the organisations on whose lists somebody stands, or whose domain is theirs.
fn colleagues(office: &Office, address: &EmailAddress) -> Vec<Redacted<String>> {
    let all = office.settings.organisations.organisations().iter();
    let theirs = all.filter(|organisation| {
        organisation.domains.contains(address.domain()) || organisation.contacts.iter().any(|contact| contact.email == *address)
    });
    let contacts = theirs.flat_map(|organisation| &organisation.contacts).filter(|contact| contact.email != *address);
    contacts.map(|contact| contact.name.clone()).collect()
}

async fn export(office: &Office, address: &EmailAddress, json: bool, directory: Option<PathBuf>) -> Result<(), Failure> {
    let held = office.store.held_of(address, &office.agent()?).await?;
    if let Some(directory) = directory {
        copy(office, &held, &directory).await?;
    }
    let contacts: Vec<serde_json::Value> = listed(office, address)
        .iter()
        .map(|(organisation, name, phones)| {
            let phones: Vec<&String> = phones.iter().map(Redacted::reveal).collect();
            serde_json::json!({ "organisation": organisation, "name": name.reveal(), "phones": phones })
        })
        .collect();
    if json {
        let mut all = serde_json::to_value(&held)?;
        if let Some(fields) = all.as_object_mut() {
            fields.insert("address".into(), address.reveal().into());
            fields.insert("contacts".into(), contacts.into());
        }
        return output::json(&all);
    }
    tell(address, &held, &contacts);
    Ok(())
}

/// The files under names of their own: what senders called them is no path.
async fn copy(office: &Office, held: &Held, directory: &std::path::Path) -> Result<(), Failure> {
    tokio::fs::create_dir_all(directory).await?;
    for ticket in &held.tickets {
        for (_, format, _, sha256) in ticket.entries.iter().flat_map(|entry| &entry.attachments) {
            let name = format!("{}-{}.{format}", ticket.number, sha256.get(..12).unwrap_or(sha256));
            tokio::fs::copy(office.store.attachment_path(sha256), directory.join(name)).await?;
        }
    }
    Ok(())
}

fn tell(address: &EmailAddress, held: &Held, contacts: &[serde_json::Value]) {
    output::line(&format!("What is held of {}", output::safe(address.reveal())));
    if let Some(at) = held.objected_at {
        output::line(&format!("objected to the storage of their mail on {}", output::moment(at)));
    }
    if let Some(since) = held.erasure_due_since {
        output::line(&format!("to be erased since {}; a legal hold keeps the rest", output::moment(since)));
    }
    for contact in contacts {
        let text = |field: &str| contact.get(field).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let phones = contact.get("phones").and_then(serde_json::Value::as_array).into_iter().flatten();
        let phones: Vec<&str> = phones.filter_map(serde_json::Value::as_str).collect();
        let line = format!("on the list of contacts: {} ({}) {}", text("name"), text("organisation"), phones.join(", "));
        output::line(&output::safe(line.trim_end()));
    }
    if let Some(profile) = &held.profile {
        let organisation = profile.organisation.as_deref().unwrap_or("no organisation");
        output::line(&output::safe(&format!("profile: {} ({organisation}) {}", profile.name, profile.phones.join(", "))));
    }
    for (granted, ended) in &held.portal {
        let until = ended.map_or_else(String::new, |at| format!(" until {}", output::moment(at)));
        output::line(&format!("access to the portal from {}{until}", output::moment(*granted)));
    }
    for (ticket, state) in &held.identity_checks {
        output::line(&format!("asked whether the mail on {ticket} was theirs: {state}"));
    }
    for (at, ticket, answer) in &held.approvals {
        output::line(&format!("answered {answer} on {} when asked for approval on {ticket}", output::moment(*at)));
    }
    for ticket in &held.tickets {
        let roles: Vec<&str> = ticket.roles.iter().copied().collect();
        output::line("");
        output::line(&format!(
            "{}  {}  opened {}  as {}",
            ticket.number,
            ticket.status,
            output::moment(ticket.opened_at),
            roles.join(", ")
        ));
        for entry in &ticket.entries {
            output::line(&format!("-- {} {}", output::moment(entry.at), output::safe(&entry.name)));
            for (mark, text) in [("", &entry.subject), ("", &entry.text), ("> ", &entry.quoted)] {
                text.trim_end().lines().for_each(|line| output::line(&format!("   {mark}{}", output::safe(line))));
            }
            for (name, format, size, _) in &entry.attachments {
                output::line(&format!(
                    "   attachment: {} ({format}, {size} bytes)",
                    output::safe(name.as_deref().unwrap_or("without a name"))
                ));
            }
        }
    }
    output::line("");
    let mails = held.mails.iter().map(|mail| {
        let original = if mail.original_kept { "yes" } else { "no" };
        vec![output::moment(mail.at), mail.desk.clone(), mail.verdict.clone(), mail.reasons.join(", "), original.to_owned()]
    });
    output::table(&["mail of", "desk", "verdict", "why", "original kept"], mails.collect(), "No mail of theirs is on record.");
    let letters = held.letters.iter().map(|letter| {
        vec![output::moment(letter.at), letter.template.clone(), letter.ticket.clone().unwrap_or_default(), letter.state.clone()]
    });
    output::table(&["letter of", "which", "ticket", "state"], letters.collect(), "No letter to them is kept.");
    for letter in &held.letters {
        let text = crate::parse::parse(letter.message.as_bytes(), false).text;
        output::line("");
        output::line(&format!("-- {} {}", output::moment(letter.at), letter.template));
        for (mark, part) in [("", &text.written), ("> ", &text.quoted)] {
            part.reveal().trim_end().lines().for_each(|line| output::line(&format!("   {mark}{}", output::safe(line))));
        }
    }
}

async fn erase(office: &Office, address: &EmailAddress, names: Vec<String>, keep_attachments: bool, json: bool) -> Result<(), Failure> {
    let listed = listed(office, address);
    let names: Vec<Redacted<String>> = names.into_iter().map(Redacted::new).chain(listed.iter().map(|(_, name, _)| name.clone())).collect();
    let phones: Vec<Redacted<String>> = listed.iter().flat_map(|(_, _, phones)| phones.clone()).collect();
    let colleagues = colleagues(office, address);
    let whom = ToErase { address, names: &names, phones: &phones, colleagues: &colleagues, keep_attachments };
    let erased = office.store.erase(&whom, &office.agent()?).await?;
    let mut report = Report::default();
    retention::expunge(&office.settings, &office.store, None, &mut report).await?;
    report.files = u64::try_from(office.store.sweep_attachments().await?).unwrap_or(u64::MAX);
    let lists: Vec<&String> = listed.iter().map(|(organisation, ..)| organisation).collect();
    if json {
        let gone = report.originals_gone;
        output::json(
            &serde_json::json!({ "erased": erased, "originals_gone": gone, "files": report.files, "still_listed": lists, "trouble": report.trouble }),
        )?;
    } else {
        told(&erased, &report);
    }
    if erased.is_unfinished() {
        let organisations = erased.held_organisations.iter().map(|organisation| format!("what is kept of {organisation} as a whole"));
        let held: Vec<String> = erased.held.iter().cloned().chain(organisations).collect();
        output::complain(&format!(
            "A legal hold keeps this as it is, which the law allows for legal claims and duties (GDPR, article 17(3)): {}. It is erased by the \
             first run of retention after the hold has ended; please tell the person so.",
            held.join(", ")
        ));
    }
    for organisation in lists {
        output::complain(&format!("This person is still on the list of {organisation}; take them off it as a leaver."));
    }
    report.trouble.iter().for_each(|sentence| output::complain(sentence));
    if report.trouble.is_empty() {
        Ok(())
    } else {
        Err(Failure::TryLater("Not every original could be expunged; the rest is tried again at the next run of retention.".to_owned()))
    }
}

fn told(erased: &Erased, report: &Report) {
    let rows = [
        ("tickets", u64::try_from(erased.tickets.len()).unwrap_or(u64::MAX)),
        ("texts changed", erased.texts),
        ("attachments removed", erased.attachments),
        ("letters emptied or removed", erased.letters),
        ("originals expunged, and seen to be gone", report.originals_gone),
        ("files removed", report.files),
    ];
    let rows = rows.into_iter().filter(|(_, count)| *count > 0).map(|(what, count)| vec![what.to_owned(), count.to_string()]).collect();
    output::table(&["taken out of", "how many"], rows, "Nothing was held of this person.");
}
