//! `postkamer ropa`: the record of processing activities that a processor keeps (GDPR article 30(2)), from the settings in force.

use serde::{Deserialize, Serialize};

use super::{Failure, Place, output};
use crate::identify::{Authentication, Organisation, Particulars};
use crate::mailbox::{Done, Kind, Tls};
use crate::settings::{Database, Desk, Settings, Smtp};
use crate::words::{Language, Term};

/// Print the record of processing activities (GDPR article 30(2)) as the settings in force make it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// In this language.
    #[arg(long, value_name = "nl|da|nb|sv|en|de", default_value = "en")]
    language: Language,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// The words of the record in one language: config/ropa/<lang>.toml.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    title: String,
    made: String,
    none: String,
    missing: String,
    this_machine: String,
    processor: ProcessorWords,
    controllers: ControllerWords,
    terms: TermWords,
    processing: ProcessingWords,
    transfers: TransferWords,
    measures: MeasureWords,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProcessorWords {
    heading: String,
    name: String,
    address: String,
    contact: String,
    data_protection_officer: String,
    representative: String,
    desks: String,
    desk: String,
    mailbox: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ControllerWords {
    heading: String,
    empty: String,
    missing: String,
    name: String,
    address: String,
    domains: String,
    privacy_contact: String,
    data_protection_officer: String,
    representative: String,
    contract: String,
    contacts: String,
    attachments: String,
    originals: String,
    queue: String,
    decisions: String,
    after_contract: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermWords {
    originals: String,
    attachments: String,
    queue: String,
    contract: String,
    decisions: String,
    day: String,
    days: String,
    week: String,
    weeks: String,
    month: String,
    months: String,
    year: String,
    years: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProcessingWords {
    heading: String,
    about: String,
    data: String,
    category: Vec<Category>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TransferWords {
    heading: String,
    third_countries: String,
    empty: String,
    purpose: String,
    host: String,
    transport: String,
    mailbox: String,
    sending: String,
    database: String,
    tls: String,
    starttls: String,
    plain: String,
    as_set_up: String,
    local: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MeasureWords {
    heading: String,
    screened: String,
    workers: String,
    believed: String,
    not_believed: String,
    all_users: String,
    agents: String,
    looks: String,
    expunged: String,
    state: String,
    record: String,
}

impl Words {
    fn of(language: Language) -> anyhow::Result<Self> {
        Ok(toml::from_str(match language {
            Language::Nl => include_str!("../../config/ropa/nl.toml"),
            Language::Da => include_str!("../../config/ropa/da.toml"),
            Language::Nb => include_str!("../../config/ropa/nb.toml"),
            Language::Sv => include_str!("../../config/ropa/sv.toml"),
            Language::En => include_str!("../../config/ropa/en.toml"),
            Language::De => include_str!("../../config/ropa/de.toml"),
        })?)
    }
}

impl TermWords {
    /// A term with what it runs from.
    fn say(&self, term: Term, from: &str) -> String {
        let term = term.to_string();
        let (amount, unit) = term.split_once(' ').unwrap_or((&term, ""));
        let unit = match unit {
            "day" => &self.day,
            "days" => &self.days,
            "week" => &self.week,
            "weeks" => &self.weeks,
            "month" => &self.month,
            "months" => &self.months,
            "year" => &self.year,
            _ => &self.years,
        };
        from.replace("{term}", &format!("{amount} {unit}"))
    }
}

/// The record, in the order of article 30(2).
#[derive(Serialize)]
struct Ropa {
    /// When it was made, and from which settings.
    made_at: jiff::Timestamp,
    configuration: String,
    language: &'static str,
    /// (a) The processor's desks.
    processor: Vec<Processor>,
    /// (a) Who the processor is, where the settings say so.
    identity: Identity,
    /// (a) Each controller, and (b) what is done on its behalf.
    controllers: Vec<Controller>,
    /// (b) The categories of processing, the same for each of them.
    processing: Vec<Category>,
    /// Who else handles the data: hosts by their names in the settings.
    recipients: Vec<Recipient>,
    /// (d) Technical and organisational measures (article 32(1)).
    measures: Vec<String>,
}

#[derive(Serialize)]
struct Identity {
    name: Option<String>,
    address: Option<String>,
    contact: Option<String>,
    data_protection_officer: Option<String>,
    representative: Option<String>,
    /// (c) Transfers to third countries, and their safeguards.
    transfers: Option<String>,
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
    address: Option<String>,
    domains: Vec<String>,
    privacy_contact: Option<String>,
    data_protection_officer: Option<String>,
    representative: Option<String>,
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

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Category {
    activity: String,
    people: String,
    data: String,
}

#[derive(Serialize)]
struct Recipient {
    role: String,
    host: String,
    transport: String,
}

pub(super) fn run(place: &Place, args: &Args) -> Result<(), Failure> {
    let settings = place.settings()?;
    let words = Words::of(args.language)?;
    let told = settings.processor.clone();
    let ropa = Ropa {
        made_at: place.clock.now(),
        configuration: settings.fingerprint.clone(),
        language: args.language.as_str(),
        processor: settings.desks.iter().map(processor).collect(),
        identity: Identity {
            name: told.name,
            address: told.address,
            contact: told.contact,
            data_protection_officer: told.data_protection_officer,
            representative: told.representative,
            transfers: told.transfers,
        },
        controllers: settings.organisations.organisations().iter().map(|of| controller(of, &settings, &words.terms)).collect(),
        recipients: recipients(&settings, &words),
        measures: measures(&settings, &words.measures),
        processing: words.processing.category.clone(),
    };
    if args.json {
        return output::json(&ropa);
    }
    tell(&ropa, &words);
    Ok(())
}

fn processor(desk: &Desk) -> Processor {
    Processor { name: desk.display_name.clone(), address: desk.address.reveal().to_owned(), desk: desk.name.clone() }
}

fn controller(organisation: &Organisation, settings: &Settings, words: &TermWords) -> Controller {
    let terms = organisation.terms.over(&settings.retention.terms);
    let Particulars { address, data_protection_officer, representative } = organisation.particulars.clone();
    Controller {
        id: organisation.id.to_string(),
        name: organisation.name.clone(),
        address,
        domains: organisation.domains.iter().map(|domain| domain.as_str().to_owned()).collect(),
        data_protection_officer,
        representative,
        privacy_contact: organisation.privacy_contact.as_ref().map(|address| address.reveal().to_owned()),
        contract_until: organisation.contract_until.map(|day| day.to_string()),
        contacts: organisation.contacts.len(),
        kept: Kept {
            originals: words.say(terms.originals, &words.originals),
            attachments: words.say(terms.attachments, &words.attachments),
            queue: words.say(terms.queue, &words.queue),
            contract: words.say(terms.contract, &words.contract),
            decisions: words.say(terms.decisions, &words.decisions),
        },
    }
}

fn recipients(settings: &Settings, words: &Words) -> Vec<Recipient> {
    let transfers = &words.transfers;
    let here = |role: String| Recipient { role, host: words.this_machine.clone(), transport: transfers.local.clone() };
    let mut recipients: Vec<Recipient> = settings
        .desks
        .iter()
        .map(|desk| {
            let role = transfers.mailbox.replace("{desk}", &desk.name);
            match &desk.mailbox.kind {
                Kind::Imap(server) => Recipient { role, host: server.host.clone(), transport: transport(server.tls, transfers) },
                Kind::Maildir { .. } => here(role),
            }
        })
        .collect();
    recipients.push(match &settings.smtp {
        Smtp::Server(server) => {
            Recipient { role: transfers.sending.clone(), host: server.host.clone(), transport: transport(server.tls, transfers) }
        }
        Smtp::Directory(_) => here(transfers.sending.clone()),
    });
    recipients.push(match &settings.database {
        Database::Sqlite(_) => here(transfers.database.clone()),
        // Nothing but the host: the address may hold a password.
        Database::Postgres(url) => {
            let url = reqwest::Url::parse(url.reveal()).ok();
            let host = url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
            Recipient { role: transfers.database.clone(), host, transport: transfers.as_set_up.clone() }
        }
    });
    recipients
}

fn transport(tls: Tls, words: &TransferWords) -> String {
    match tls {
        Tls::Implicit => words.tls.clone(),
        Tls::StartTls => words.starttls.clone(),
        Tls::None => words.plain.clone(),
    }
}

fn measures(settings: &Settings, words: &MeasureWords) -> Vec<String> {
    let believed = match &settings.authentication {
        Authentication::Off => &words.not_believed,
        _ => &words.believed,
    };
    let agents = match settings.agents.len() {
        0 => words.all_users.clone(),
        number => words.agents.replace("{number}", &number.to_string()),
    };
    let deleted = settings.desks.iter().filter(|desk| matches!(desk.mailbox.done, Done::Delete)).count();
    vec![
        words.screened.clone(),
        words.workers.clone(),
        believed.clone(),
        agents,
        words.looks.clone(),
        words.expunged.replace("{number}", &deleted.to_string()),
        words.state.clone(),
        words.record.clone(),
    ]
}

fn tell(ropa: &Ropa, words: &Words) {
    output::line(&words.title);
    output::line(&words.made.replace("{moment}", &output::moment(ropa.made_at)).replace("{configuration}", &ropa.configuration));
    tell_processor(ropa, words);
    tell_controllers(ropa, words);
    heading(&words.processing.heading);
    for category in &ropa.processing {
        output::line(&format!("- {}", category.activity));
        output::line(&format!("    {}: {}", words.processing.about, category.people));
        output::line(&format!("    {}: {}", words.processing.data, category.data));
    }
    heading(&words.transfers.heading);
    let transfers = ropa.identity.transfers.as_ref().unwrap_or(&words.missing);
    output::line(&format!("{}: {transfers}", words.transfers.third_countries));
    let rows = ropa.recipients.iter().map(|to| vec![to.role.clone(), to.host.clone(), to.transport.clone()]).collect();
    let TransferWords { purpose, host, transport, empty, .. } = &words.transfers;
    output::table(&[purpose, host, transport], rows, empty);
    heading(&words.measures.heading);
    ropa.measures.iter().for_each(|measure| output::line(&format!("- {measure}")));
}

fn heading(text: &str) {
    output::line("");
    output::line(text);
}

fn tell_processor(ropa: &Ropa, words: &Words) {
    let said = &words.processor;
    heading(&said.heading);
    let who = &ropa.identity;
    for (what, text, absent) in [
        (&said.name, &who.name, &words.missing),
        (&said.address, &who.address, &words.missing),
        (&said.contact, &who.contact, &words.missing),
        // Not every processor must have these (articles 27 and 37).
        (&said.data_protection_officer, &who.data_protection_officer, &words.none),
        (&said.representative, &who.representative, &words.none),
    ] {
        output::line(&format!("{what}: {}", text.as_ref().unwrap_or(absent)));
    }
    output::line(&format!("{}:", said.desks));
    let rows = ropa.processor.iter().map(|desk| vec![desk.desk.clone(), desk.name.clone(), desk.address.clone()]).collect();
    output::table(&[&said.desk, &said.name, &said.mailbox], rows, &words.none);
}

/// One after the other: a table of all this would be wider than any page.
fn tell_controllers(ropa: &Ropa, words: &Words) {
    let said = &words.controllers;
    heading(&said.heading);
    if ropa.controllers.is_empty() {
        output::line(&said.empty);
    }
    for controller in &ropa.controllers {
        output::line(&format!("- {}: {}", said.name, controller.name));
        let or = |text: &Option<String>, absent: &String| text.as_ref().unwrap_or(absent).clone();
        let or_none = |text: &Option<String>| or(text, &words.none);
        for (what, text) in [
            (&said.address, or(&controller.address, &said.missing)),
            (&said.domains, controller.domains.join(", ")),
            (&said.privacy_contact, or(&controller.privacy_contact, &said.missing)),
            (&said.data_protection_officer, or(&controller.data_protection_officer, &said.missing)),
            // Only of a controller outside the Union (article 27).
            (&said.representative, or_none(&controller.representative)),
            (&said.contract, or_none(&controller.contract_until)),
            (&said.contacts, controller.contacts.to_string()),
            (&said.attachments, controller.kept.attachments.clone()),
            (&said.originals, controller.kept.originals.clone()),
            (&said.queue, controller.kept.queue.clone()),
            (&said.decisions, controller.kept.decisions.clone()),
            (&said.after_contract, controller.kept.contract.clone()),
        ] {
            output::line(&format!("    {what}: {text}"));
        }
    }
}
