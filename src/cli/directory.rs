//! `postkamer organisations` and `postkamer contacts list`: who is listed (DESIGN §6).

use jiff::civil::Date;

use super::{Failure, Place, output};
use crate::identify::{Contact, Organisation};
use crate::settings::Settings;
use crate::store::Look;

/// Look at the organisations.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Organisations {
    /// All of them, in the order of their ids.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// One of them, with its contacts.
    Show {
        /// Its id: the name of its file without .toml.
        #[arg(value_name = "ID")]
        id: String,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn organisations(place: &Place, command: Organisations) -> Result<(), Failure> {
    let office = place.office().await?;
    let settings = &office.settings;
    let today = settings.today(place.clock.now());
    let at = match &command {
        Organisations::List { .. } => None,
        Organisations::Show { id, .. } => Some(organisation(settings, id)?.id.as_str()),
    };
    office.store.looked(Look::Contacts(at), &office.agent()?).await?;
    match command {
        Organisations::List { json: true } => {
            settings.organisations.organisations().iter().try_for_each(|organisation| output::json(&organisation_json(organisation)))
        }
        Organisations::List { json: false } => {
            let rows = settings.organisations.organisations().iter().map(|organisation| organisation_row(organisation, today)).collect();
            output::table(&["ID", "NAME", "LANGUAGE", "LIST", "CONTACTS", "CONTRACT", "DOMAINS"], rows, "There are no organisations.");
            Ok(())
        }
        Organisations::Show { id, json } => {
            let organisation = organisation(settings, &id)?;
            if json {
                let mut shown = organisation_json(organisation);
                let contacts = organisation.contacts.iter().map(|contact| contact_json(organisation, contact)).collect();
                if let Some(object) = shown.as_object_mut() {
                    object.insert("contacts".to_owned(), serde_json::Value::Array(contacts));
                }
                return output::json(&shown);
            }
            show(organisation, today);
            Ok(())
        }
    }
}

/// All contacts, or those of one organisation.
pub(super) async fn contacts(place: &Place, of: Option<&str>, json: bool) -> Result<(), Failure> {
    let office = place.office().await?;
    let settings = &office.settings;
    let today = settings.today(place.clock.now());
    let chosen = match of {
        Some(id) => std::slice::from_ref(organisation(settings, id)?),
        None => settings.organisations.organisations(),
    };
    office.store.looked(Look::Contacts(of), &office.agent()?).await?;
    let listed = chosen.iter().flat_map(|organisation| organisation.contacts.iter().map(move |contact| (organisation, contact)));
    if json {
        return listed.into_iter().try_for_each(|(organisation, contact)| output::json(&contact_json(organisation, contact)));
    }
    let rows = listed.map(|(organisation, contact)| contact_row(organisation, contact, today)).collect();
    output::table(&["ORGANISATION", "NAME", "ADDRESS", "KIND", "STATE", "PHONE"], rows, "There are no contacts.");
    Ok(())
}

pub(super) fn organisation<'a>(settings: &'a Settings, id: &str) -> Result<&'a Organisation, Failure> {
    settings.organisations.organisation(id).ok_or_else(|| {
        let known = settings.organisations.organisations().iter().map(|organisation| organisation.id.as_str());
        let distance = |known: &&str| strsim::damerau_levenshtein(known, id);
        let meant = known.min_by_key(distance).filter(|known| distance(known) * 2 < known.chars().count());
        let suggestion = meant.map_or_else(
            || " `postkamer organisations list` shows all that there are.".to_owned(),
            |known| format!(" Did you mean {known}?"),
        );
        Failure::Usage(format!("There is no organisation {id}.{suggestion}"))
    })
}

fn organisation_json(organisation: &Organisation) -> serde_json::Value {
    serde_json::json!({
        "id": organisation.id.as_str(),
        "name": organisation.name,
        "domains": organisation.domains.iter().map(|domain| domain.as_str()).collect::<Vec<_>>(),
        "language": organisation.language.as_str(),
        "approved_contacts_only": organisation.approved_contacts_only,
        "contract_until": organisation.contract_until.map(|day| day.to_string()),
        "automatic_senders": organisation.automatic_senders.iter().map(|address| address.reveal()).collect::<Vec<_>>(),
        "privacy_contact": organisation.privacy_contact.as_ref().map(|address| address.reveal()),
        "privacy_notices": organisation.privacy_notices,
        "address": organisation.particulars.address,
        "data_protection_officer": organisation.particulars.data_protection_officer,
        "representative": organisation.particulars.representative,
        "contacts": organisation.contacts.len(),
    })
}

fn contact_json(organisation: &Organisation, contact: &Contact) -> serde_json::Value {
    let absent = |(from, until): &(Date, Date)| serde_json::json!({ "from": from.to_string(), "until": until.to_string() });
    serde_json::json!({
        "organisation": organisation.id.as_str(),
        "name": contact.name.reveal(),
        "email": contact.email.reveal(),
        "kind": contact.kind.as_str(),
        "phone": contact.phone.as_ref().map(|phone| phone.reveal()),
        "mobile": contact.mobile.as_ref().map(|mobile| mobile.reveal()),
        "absent": contact.absent.iter().map(absent).collect::<Vec<_>>(),
        "left": contact.left.map(|day| day.to_string()),
    })
}

fn organisation_row(organisation: &Organisation, today: Date) -> Vec<String> {
    vec![
        organisation.id.to_string(),
        organisation.name.clone(),
        organisation.language.to_string(),
        if organisation.approved_contacts_only { "yes" } else { "no" }.to_owned(),
        organisation.contacts.len().to_string(),
        contract(organisation, today),
        organisation.domains.iter().map(|domain| domain.as_str()).collect::<Vec<_>>().join(", "),
    ]
}

fn contract(organisation: &Organisation, today: Date) -> String {
    match organisation.contract_until {
        None => "runs".to_owned(),
        Some(last) if organisation.is_under_contract(today) => format!("until {last}"),
        Some(last) => format!("ended {last}"),
    }
}

fn contact_row(organisation: &Organisation, contact: &Contact, today: Date) -> Vec<String> {
    let phones = [&contact.phone, &contact.mobile].into_iter().flatten().map(|phone| phone.reveal().as_str());
    vec![
        organisation.id.to_string(),
        contact.name.reveal().clone(),
        contact.email.reveal().to_owned(),
        contact.kind.as_str().to_owned(),
        state(contact, today),
        phones.collect::<Vec<_>>().join(", "),
    ]
}

fn state(contact: &Contact, today: Date) -> String {
    let away = contact.absent.iter().find(|(first, last)| (*first..=*last).contains(&today));
    match (contact.left, away) {
        (Some(day), _) if contact.has_left(today) => format!("left {day}"),
        (_, Some((_, last))) => format!("absent until {last}"),
        (Some(day), None) => format!("leaves {day}"),
        (None, None) => "present".to_owned(),
    }
}

fn show(organisation: &Organisation, today: Date) {
    let say = |what: &str, text: String| output::line(&format!("{what:<18}{text}"));
    let or_none = |texts: Vec<&str>| if texts.is_empty() { "none".to_owned() } else { texts.join(", ") };
    output::line(&format!("{} ({})", organisation.name, organisation.id));
    say("domains", or_none(organisation.domains.iter().map(|domain| domain.as_str()).collect()));
    say("language", organisation.language.to_string());
    say("who may write", if organisation.approved_contacts_only { "the contacts below" } else { "anybody at its domains" }.to_owned());
    say("contract", contract(organisation, today));
    say("automatic senders", or_none(organisation.automatic_senders.iter().map(|address| address.reveal()).collect()));
    say("privacy contact", or_none(organisation.privacy_contact.iter().map(|address| address.reveal()).collect()));
    output::line("");
    let rows = organisation.contacts.iter().map(|contact| contact_row(organisation, contact, today).split_off(1)).collect();
    output::table(&["NAME", "ADDRESS", "KIND", "STATE", "PHONE"], rows, "There are no contacts.");
}
