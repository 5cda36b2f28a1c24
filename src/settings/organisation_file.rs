//! `organisations/<id>.toml`: one file for each customer; and what no single file can see: that nobody is listed twice.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use sha2::Sha256;

use super::context::Context;
use super::domains::{self, Objection};
use super::main_file::read_table;
use super::schema;
use super::section::{At, Section};
use super::tree::{Place, Table};
use super::values;
use crate::identify::{Contact, ContactKind, Organisation, OrganisationId, Particulars, Roles, fold_name};
use crate::words::{AgreedTerms, Domain, EmailAddress, Language, Redacted};

/// One organisation and where its parts stand.
struct ReadOrganisation {
    organisation: Organisation,
    domains: Vec<At<Domain>>,
    automatic_senders: Vec<At<EmailAddress>>,
    /// Beside `organisation.contacts`, one by one.
    contact_places: Vec<Place>,
}

/// Reads all files of the directory, in the order of their names; `own` are the addresses of our desks.
pub(super) fn read_all(
    directory: &At<PathBuf>,
    own: &HashMap<EmailAddress, Place>,
    context: &Context,
    digest: &mut Sha256,
) -> Option<Vec<Organisation>> {
    let files = match toml_files(&directory.value) {
        Ok(files) => files,
        Err(error) => {
            let suggestion =
                "It holds one file for each organisation, such as waterwolde.toml; an empty directory is enough to begin with.";
            context.mistake(
                directory.place,
                format!("`organisations` names a directory that cannot be read: {}", values::why(&error)),
                Some(suggestion.to_owned()),
            );
            return None;
        }
    };
    let mut all = Vec::with_capacity(files.len());
    let mut every_file_read = true;
    for path in files {
        match read_table(&path, context, digest) {
            Some((source, mut table)) => {
                table.place = Place::whole(source);
                let read = id_of(&path, source, context).and_then(|id| organisation(id, &table, context));
                every_file_read &= read.is_some();
                all.extend(read);
            }
            None => every_file_read = false,
        }
    }
    each_domain_once(&all, context);
    each_sender_once(&all, own, context);
    each_contact_once(&all, own, context);
    every_file_read.then(|| all.into_iter().map(|read| read.organisation).collect())
}

/// The files of a directory that end in `.toml` and are not hidden, in the order of their names.
pub(super) fn toml_files(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && path.extension() == Some(OsStr::new("toml")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn id_of(path: &Path, source: usize, context: &Context) -> Option<OrganisationId> {
    let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
    let sound = !stem.is_empty() && stem.len() <= 64 && stem.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    if !sound {
        let suggestion = "Its name without .toml is the organisation's id: use letters, digits, `-`, `_` and `.`, 64 at most.";
        context.mistake(Place::whole(source), "this file's name cannot be an organisation's id", Some(suggestion.to_owned()));
        return None;
    }
    Some(OrganisationId::new(stem))
}

fn organisation(id: OrganisationId, table: &Table, context: &Context) -> Option<ReadOrganisation> {
    let section = Section::open(table, &schema::ORGANISATION, context);
    let name = section.required("name", values::text);
    if !section.has("domains") {
        section.required("domains", values::text);
    }
    let domains = section.list("domains", values::domain);
    let language = section.required("language", values::language);
    let approved_contacts_only = section.required_at("approved_contacts_only", values::flag);
    let contract_until = section.optional("contract_until", values::date);
    let automatic_senders = section.list("automatic_senders", values::address);
    let privacy_contact = section.optional("privacy_contact", values::address);
    let privacy_notices = section.optional_at("privacy_notices", values::flag);
    if let Some(at) = privacy_notices.as_ref().filter(|at| at.value && privacy_contact.is_none() && !section.has("privacy_contact")) {
        let suggestion = "Name who gets them: privacy_contact = \"fg@voorbeeldstad.nl\".".to_owned();
        context.mistake(at.place, "privacy_notices needs a privacy_contact", Some(suggestion));
    }
    let particular = |key| section.optional(key, values::text);
    let particulars = Particulars {
        address: particular("address"),
        data_protection_officer: particular("data_protection_officer"),
        representative: particular("representative"),
    };
    let terms = section.table("retention").map_or_else(AgreedTerms::default, |table| agreed_terms(table, context));
    let contact_tables = section.tables("contact");

    let domains = usable_domains(domains, &section, context);
    let roles = Roles::at(name.as_deref().unwrap_or_default());
    let read: Vec<Option<(Contact, Place)>> = contact_tables.into_iter().map(|table| contact(table, &roles, &domains, context)).collect();
    let all_read = read.iter().all(Option::is_some);
    let (contacts, contact_places): (Vec<Contact>, Vec<Place>) = read.into_iter().flatten().unzip();
    if let Some(at) = &approved_contacts_only
        && at.value
        && all_read
    {
        somebody_can_approve(&contacts, contract_until, at.place, context);
    }
    let organisation = Organisation {
        id,
        name: name?,
        domains: domains.iter().map(|at| at.value.clone()).collect(),
        language: language.unwrap_or(Language::Nl),
        approved_contacts_only: approved_contacts_only?.value,
        contract_until,
        automatic_senders: automatic_senders.iter().map(|at| at.value.clone()).collect(),
        privacy_contact,
        particulars,
        privacy_notices: privacy_notices.is_some_and(|at| at.value),
        terms,
        contacts,
    };
    Some(ReadOrganisation { organisation, domains, automatic_senders, contact_places })
}

/// Complains about domains that cannot be the organisation's own.
fn usable_domains(domains: Vec<At<Domain>>, section: &Section<'_>, context: &Context) -> Vec<At<Domain>> {
    if section.lists_nothing("domains") {
        context.warning(
            section.place_of("domains"),
            "`domains` is empty: only contacts by their exact address belong to this organisation",
            Some("List the organisation's mail domains, such as \"voorbeeldstad.nl\".".to_owned()),
        );
    }
    for at in &domains {
        match domains::objection(&at.value) {
            Some(Objection::Refused(wrong)) => context.mistake(at.place, wrong.message, wrong.suggestion),
            Some(Objection::Doubtful(wrong)) => context.warning(at.place, wrong.message, wrong.suggestion),
            None => {}
        }
    }
    domains
}

/// An organisation with a list needs somebody on it who may raise anything (POLICY "Additions and leavers").
fn somebody_can_approve(contacts: &[Contact], contract_until: Option<Date>, place: Place, context: &Context) {
    let today = context.today;
    let ended = contract_until.is_some_and(|last| last < today);
    let mut general = contacts.iter().filter(|contact| contact.kind == ContactKind::General).peekable();
    let suggestion = "Add a [[contact]] with kind = \"general\", or set approved_contacts_only = false.";
    if general.peek().is_none() {
        context.mistake(
            place,
            "this organisation has a list (`approved_contacts_only`), but no general contact is on it",
            Some(suggestion.to_owned()),
        );
    } else if !ended && general.all(|contact| contact.has_left(today)) {
        let message = "this organisation has a list (`approved_contacts_only`), but all its general contacts have left";
        if context.thorough {
            context.mistake(place, message, Some(suggestion.to_owned()));
        } else {
            context.warning(place, message, Some(suggestion.to_owned()));
        }
    }
}

fn agreed_terms(table: &Table, context: &Context) -> AgreedTerms {
    let section = Section::open(table, &schema::ORGANISATION_RETENTION, context);
    let term = |key| section.optional(key, values::term);
    AgreedTerms {
        originals: term("originals"),
        attachments: term("attachments"),
        queue: term("queue"),
        contract: term("contract"),
        decisions: term("decisions"),
    }
}

fn contact(table: &Table, roles: &Roles, domains: &[At<Domain>], context: &Context) -> Option<(Contact, Place)> {
    let section = Section::open(table, &schema::CONTACT, context);
    let name = section.required_at("name", values::text);
    let email = section.required_at("email", values::address);
    let kind = section.required("kind", values::one_of(&[("general", ContactKind::General), ("ict", ContactKind::Ict)]));
    let phone = section.optional("phone", values::text);
    let mobile = section.optional("mobile", values::text);
    let absent = section.tables("absent").into_iter().map(|table| absence(table, context)).collect::<Vec<_>>();
    let left = section.optional("left", values::date);
    let left_is_sound = left.is_some() || !section.has("left");

    let (name, email) = (name?, email?);
    if fold_name(&name.value).is_empty() {
        context.mistake(name.place, "`name` holds no letters", Some("Write the name as the person writes it in mail.".to_owned()));
    }
    if roles.include(&email.value) {
        context.mistake(
            email.place,
            "this is the address of a role or a department, not of a person",
            Some("A contact is a person with a personal business address, such as a.devries@voorbeeldstad.nl.".to_owned()),
        );
    } else if domains.iter().all(|own| own.value != *email.value.domain()) && left.is_none() {
        context.warning(
            email.place,
            format!("this address is outside the organisation's domains (`{}` is not listed)", email.value.domain()),
            Some("Check the spelling, or add the domain to `domains` if it is the organisation's own.".to_owned()),
        );
    }
    let contact = Contact {
        name: Redacted::new(name.value),
        email: email.value,
        kind: kind?,
        phone: phone.map(Redacted::new),
        mobile: mobile.map(Redacted::new),
        absent: absent.into_iter().collect::<Option<Vec<_>>>()?,
        left,
    };
    left_is_sound.then_some((contact, email.place))
}

fn absence(table: &Table, context: &Context) -> Option<(Date, Date)> {
    let section = Section::open(table, &schema::ABSENCE, context);
    let from = section.required_at("from", values::date);
    let until = section.required_at("until", values::date);
    let (from, until) = (from?, until?);
    if from.value > until.value {
        context.mistake(
            from.place,
            format!("this absence begins ({}) after it ends ({})", from.value, until.value),
            Some("Both days are included: the first day away comes first.".to_owned()),
        );
        return None;
    }
    Some((from.value, until.value))
}

fn each_domain_once(all: &[ReadOrganisation], context: &Context) {
    let mut owners: HashMap<&Domain, (usize, Place)> = HashMap::new();
    let mut looks: HashMap<String, (usize, &At<Domain>)> = HashMap::new();
    for (nth, read) in all.iter().enumerate() {
        for at in &read.domains {
            match owners.get(&at.value) {
                Some((other, first)) if *other == nth => {
                    context.warning_between(at.place, format!("`{}` is listed twice", at.value), "first", *first, None);
                }
                Some((_, first)) => context.mistake_between(
                    at.place,
                    format!("`{}` belongs to another organisation already", at.value),
                    "listed",
                    *first,
                    Some("A domain belongs to one organisation: remove one of the two.".to_owned()),
                ),
                None => {
                    owners.insert(&at.value, (nth, at.place));
                    let look = domains::look(&at.value);
                    match looks.get(&look) {
                        Some((other, alike)) if *other != nth => context.warning_between(
                            at.place,
                            format!("`{}` looks like `{}` of another organisation", at.value, alike.value),
                            "listed",
                            alike.place,
                            Some("Make sure that both are meant: look-alike domains are used for forgeries.".to_owned()),
                        ),
                        Some(_) => {}
                        None => {
                            looks.insert(look, (nth, at));
                        }
                    }
                }
            }
        }
    }
}

fn each_sender_once(all: &[ReadOrganisation], own: &HashMap<EmailAddress, Place>, context: &Context) {
    let mut seen: HashMap<&EmailAddress, (usize, Place)> = HashMap::new();
    for (nth, read) in all.iter().enumerate() {
        for at in &read.automatic_senders {
            if let Some(desk) = own.get(&at.value) {
                desk_address(at.place, *desk, context);
            }
            match seen.get(&at.value) {
                Some((other, first)) if *other != nth => context.mistake_between(
                    at.place,
                    "this automatic sender belongs to another organisation already",
                    "listed",
                    *first,
                    Some("An address belongs to one organisation: remove one of the two.".to_owned()),
                ),
                Some(_) => {}
                None => {
                    seen.insert(&at.value, (nth, at.place));
                }
            }
        }
    }
}

fn desk_address(place: Place, desk: Place, context: &Context) {
    let suggestion = "Mail from a desk's own address is our own mail coming back, and is ignored.";
    context.mistake_between(place, "this is the address of one of our desks", "it stands in", desk, Some(suggestion.to_owned()));
}

/// An address is on the list once; twice only where the person left in between.
fn each_contact_once(all: &[ReadOrganisation], own: &HashMap<EmailAddress, Place>, context: &Context) {
    let mut listed: HashMap<&EmailAddress, (usize, Place)> = HashMap::new();
    for (nth, read) in all.iter().enumerate() {
        let mut names: HashMap<String, (&EmailAddress, Place)> = HashMap::new();
        for (contact, place) in read.organisation.contacts.iter().zip(&read.contact_places) {
            if let Some(desk) = own.get(&contact.email) {
                desk_address(*place, *desk, context);
            }
            if contact.left.is_some() {
                continue;
            }
            match listed.get(&contact.email) {
                Some((other, first)) => {
                    let whose = if *other == nth {
                        "this address is on the list already"
                    } else {
                        "this address is on the list of another organisation"
                    };
                    let suggestion =
                        "A person is on one list, once: remove one of the two, or give the earlier one its first day gone (`left`).";
                    context.mistake_between(*place, whose, "first", *first, Some(suggestion.to_owned()));
                    continue;
                }
                None => {
                    listed.insert(&contact.email, (nth, *place));
                }
            }
            if read.automatic_senders.iter().any(|at| at.value == contact.email) {
                let suggestion = "Mail of automatic senders is never answered: remove the address from one of the two.";
                context.warning(*place, "this contact's address is also an automatic sender", Some(suggestion.to_owned()));
            }
            match names.get(&fold_name(contact.name.reveal())) {
                Some((_, first)) => context.warning_between(
                    *place,
                    "two contacts have one name: a mail in that name from another address is matched to neither",
                    "first",
                    *first,
                    Some("Write the names so that they differ, if the two are different people.".to_owned()),
                ),
                None => {
                    names.insert(fold_name(contact.name.reveal()), (&contact.email, *place));
                }
            }
        }
    }
}
