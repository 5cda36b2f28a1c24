//! `postkamer ropa`: the record of processing activities that a processor keeps (GDPR article 30(2)), from the settings in force.

use serde::Serialize;

use super::{Failure, Place, output};
use crate::identify::{Authentication, Organisation};
use crate::mailbox::{Done, Kind, Tls};
use crate::settings::{Database, Desk, Settings, Smtp};
use crate::words::Terms;

/// Print the record of processing activities (GDPR article 30(2)) as the settings in force make it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// The record, in the order of article 30(2).
#[derive(Serialize)]
struct Ropa {
    /// When it was made, and from which settings.
    made_at: jiff::Timestamp,
    configuration: String,
    /// (a) The processor, as its desks show it.
    processor: Vec<Processor>,
    /// (a) Each controller, and (b) what is done on its behalf.
    controllers: Vec<Controller>,
    /// (b) The categories of processing, the same for each of them.
    processing: Vec<Category>,
    /// Who else handles the data: hosts by their names in the settings. (c) Whether any of them is in a third country is theirs to say.
    recipients: Vec<Recipient>,
    /// (d) Technical and organisational measures.
    measures: Vec<String>,
}

#[derive(Serialize)]
struct Processor {
    name: String,
    address: String,
    desk: String,
}

#[derive(Serialize)]
struct Controller {
    id: String,
    name: String,
    privacy_contact: Option<String>,
    contract_until: Option<String>,
    contacts: usize,
    kept: Kept,
}

/// How long what is kept.
#[derive(Serialize)]
struct Kept {
    originals: String,
    attachments: String,
    queue: String,
    contract: String,
    decisions: String,
}

impl Kept {
    fn of(terms: &Terms) -> Self {
        let Terms { originals, attachments, queue, contract, decisions } = terms;
        Self {
            originals: format!("{originals} after filing"),
            attachments: format!("{attachments} after the ticket, or the change linked to it, is closed"),
            queue: format!("{queue} after the last thing that happened"),
            contract: format!("{contract} after the end of the contract"),
            decisions: format!("{decisions} after the ticket is closed"),
        }
    }
}

#[derive(Serialize)]
struct Category {
    activity: &'static str,
    people: &'static str,
    data: &'static str,
}

/// What postkamer does, in the words of the policy.
const PROCESSING: [Category; 4] = [
    Category {
        activity: "taking in support mail, telling who writes, and opening, queueing and answering tickets",
        people: "contact persons and other staff of the controller; others who write",
        data: "name, business address, phone where an agent added it, the text of the mail, attachments without citizen data",
    },
    Category {
        activity: "refusing mail and attachments that hold citizen data, and deleting them from the mailbox",
        people: "citizens about whom somebody sent data",
        data: "none is stored: looked at in memory only; kinds and counts stay on record",
    },
    Category {
        activity: "recording decisions in an append-only, hash-chained record",
        people: "those who write; agents",
        data: "codes, numbers and keyed digests, whose keys are destroyed at the end of the term",
    },
    Category {
        activity: "carrying out requests for access, erasure and objection",
        people: "those who ask",
        data: "what is held of them; after an objection a keyed digest of the address",
    },
];

#[derive(Serialize)]
struct Recipient {
    role: String,
    host: String,
    transport: &'static str,
}

pub(super) fn run(place: &Place, args: &Args) -> Result<(), Failure> {
    let settings = place.settings()?;
    let ropa = Ropa {
        made_at: place.clock.now(),
        configuration: settings.fingerprint.clone(),
        processor: settings.desks.iter().map(processor).collect(),
        controllers: settings.organisations.organisations().iter().map(|organisation| controller(organisation, &settings)).collect(),
        processing: PROCESSING.into(),
        recipients: recipients(&settings),
        measures: measures(&settings),
    };
    if args.json {
        return output::json(&ropa);
    }
    tell(&ropa);
    Ok(())
}

fn processor(desk: &Desk) -> Processor {
    Processor { name: desk.display_name.clone(), address: desk.address.reveal().to_owned(), desk: desk.name.clone() }
}

fn controller(organisation: &Organisation, settings: &Settings) -> Controller {
    Controller {
        id: organisation.id.to_string(),
        name: organisation.name.clone(),
        privacy_contact: organisation.privacy_contact.as_ref().map(|address| address.reveal().to_owned()),
        contract_until: organisation.contract_until.map(|day| day.to_string()),
        contacts: organisation.contacts.len(),
        kept: Kept::of(&organisation.terms.over(&settings.retention.terms)),
    }
}

fn recipients(settings: &Settings) -> Vec<Recipient> {
    let mut recipients: Vec<Recipient> = settings
        .desks
        .iter()
        .map(|desk| match &desk.mailbox.kind {
            Kind::Imap(server) => {
                Recipient { role: format!("mailbox of {}", desk.name), host: server.host.clone(), transport: transport(server.tls) }
            }
            Kind::Maildir { .. } => {
                Recipient { role: format!("mailbox of {}", desk.name), host: "this machine".to_owned(), transport: "none" }
            }
        })
        .collect();
    recipients.push(match &settings.smtp {
        Smtp::Server(server) => {
            Recipient { role: "sending of replies".to_owned(), host: server.host.clone(), transport: transport(server.tls) }
        }
        Smtp::Directory(_) => Recipient { role: "sending of replies".to_owned(), host: "this machine".to_owned(), transport: "none" },
    });
    let database = match &settings.database {
        Database::Sqlite(_) => "this machine".to_owned(),
        // Nothing but the host: the address may hold a password.
        Database::Postgres(url) => {
            reqwest::Url::parse(url.reveal()).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
        }
    };
    recipients.push(Recipient { role: "database".to_owned(), host: database, transport: "as the database is set up" });
    recipients
}

fn transport(tls: Tls) -> &'static str {
    match tls {
        Tls::Implicit => "TLS",
        Tls::StartTls => "STARTTLS, required",
        Tls::None => "none, on this machine only",
    }
}

fn measures(settings: &Settings) -> Vec<String> {
    let believed = match &settings.authentication {
        Authentication::Off => "senders are not authenticated: the settings turn that off".to_owned(),
        _ => "senders are believed only where their domain authenticated".to_owned(),
    };
    let agents = match settings.agents.len() {
        0 => "every user of the machine may work on tickets, booked under the login name".to_owned(),
        number => format!("{number} named agents see the tickets of their own desks"),
    };
    let deleted = settings.desks.iter().filter(|desk| matches!(desk.mailbox.done, Done::Delete)).count();
    vec![
        "mail is screened for citizen data in memory, before anything is stored; what holds any is deleted and looked for again".to_owned(),
        "attachments are read by child processes that can reach neither files nor the network".to_owned(),
        believed,
        agents,
        format!("filed mail is expunged at the end of its term, and looked for again; {deleted} desks delete it at once"),
        "state is kept in a directory that only the service's user can read; what is deleted in the embedded database is overwritten"
            .to_owned(),
        "every decision and every deed of an agent is on an append-only record, whose end goes into the log every day".to_owned(),
    ]
}

fn tell(ropa: &Ropa) {
    output::line("Record of processing activities (GDPR, article 30(2))");
    output::line(&format!("made {} from the settings {}", output::moment(ropa.made_at), ropa.configuration));
    output::line("");
    output::line("(a) The processor, as its desks show it");
    let rows = ropa.processor.iter().map(|desk| vec![desk.desk.clone(), desk.name.clone(), desk.address.clone()]).collect();
    output::table(&["desk", "name", "address"], rows, "There are no desks.");
    output::line("");
    output::line("(a) The controllers, and how long what is kept on their behalf");
    let none = || "-".to_owned();
    let rows = ropa.controllers.iter().map(|controller| {
        vec![
            controller.name.clone(),
            controller.privacy_contact.clone().unwrap_or_else(none),
            controller.contract_until.clone().unwrap_or_else(none),
            controller.kept.attachments.clone(),
            controller.kept.originals.clone(),
            controller.kept.decisions.clone(),
        ]
    });
    output::table(
        &["controller", "privacy contact", "contract until", "attachments", "originals", "decisions"],
        rows.collect(),
        "There are no organisations.",
    );
    output::line("");
    output::line("(b) Categories of processing");
    for category in &ropa.processing {
        output::line(&format!("- {}", category.activity));
        output::line(&format!("    about: {}", category.people));
        output::line(&format!("    data: {}", category.data));
    }
    output::line("");
    output::line("(c) Where the data goes; whether a host lies outside the EEA is for you to add");
    let rows = ropa
        .recipients
        .iter()
        .map(|recipient| vec![recipient.role.clone(), recipient.host.clone(), recipient.transport.to_owned()])
        .collect();
    output::table(&["what for", "host", "transport"], rows, "Nowhere.");
    output::line("");
    output::line("(d) Measures");
    ropa.measures.iter().for_each(|measure| output::line(&format!("- {measure}")));
}
