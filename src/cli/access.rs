//! `postkamer access`: who may see what, and who looked (POLICY "Who sees what").

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{Failure, Office, Place, audit, output};
use crate::settings::Settings;
use crate::store::{RecordFilter, Recorded};

/// Tell who has access, and who looked at what.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Every agent with their desks, and how often they looked at tickets, attachments, profiles and lists of contacts.
    Report {
        /// Looks since this day or moment only.
        #[arg(long, value_name = "DAY|TIME")]
        since: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

/// One agent's line of the report.
#[derive(Default, serde::Serialize)]
struct Line {
    agent: String,
    /// Whether the settings let them in now: named in them, or nobody is.
    listed: bool,
    desks: Vec<String>,
    tickets: u64,
    attachments: u64,
    profiles: u64,
    /// Lists of contacts.
    contacts: u64,
    /// All that is held of a person, and reasons of legal holds.
    others: u64,
    last_look: Option<Timestamp>,
}

/// Stands for everybody who may run postkamer, where the settings name no agents.
const EVERYBODY: &str = "*";

pub(super) async fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let office = place.office().await?;
    let Command::Report { since, json } = command;
    let since = since.map(|text| audit::moment(&text, &office.settings.timezone)).transpose()?;
    let lines = report(&office, since).await?;
    if json {
        return lines.iter().try_for_each(output::json);
    }
    let count = |number: u64| number.to_string();
    let rows = lines.iter().map(|line| {
        vec![
            if line.agent == EVERYBODY { "every local user".to_owned() } else { output::safe(&line.agent) },
            if line.listed { line.desks.join(", ") } else { "no access now".to_owned() },
            count(line.tickets),
            count(line.attachments),
            count(line.profiles),
            count(line.contacts),
            count(line.others),
            line.last_look.map(output::moment).unwrap_or_default(),
        ]
    });
    let header = ["agent", "desks", "tickets", "attachments", "profiles", "contacts", "others", "last look"];
    output::table(&header, rows.collect(), "Nobody has access.");
    Ok(())
}

async fn report(office: &Office, since: Option<Timestamp>) -> Result<Vec<Line>, Failure> {
    let mut lines = admitted(&office.settings);
    let filter = RecordFilter { since, ..RecordFilter::default() };
    office
        .store
        .audit_list(&filter, |row| {
            count(&mut lines, &row);
            Ok::<_, Failure>(())
        })
        .await?;
    // Where no agent is named, whoever looked may look again.
    let everybody = lines.get(EVERYBODY).map(|line| line.desks.clone());
    let admit = |line: Line| match &everybody {
        Some(desks) => Line { listed: true, desks: desks.clone(), ..line },
        None => line,
    };
    Ok(lines.into_values().map(admit).collect())
}

/// Who is let in by the settings.
fn admitted(settings: &Settings) -> BTreeMap<String, Line> {
    let line =
        |agent: &str, desks: Vec<String>| (agent.to_owned(), Line { agent: agent.to_owned(), listed: true, desks, ..Line::default() });
    if settings.agents.is_empty() {
        return BTreeMap::from([line(EVERYBODY, settings.desks.iter().map(|desk| desk.name.clone()).collect())]);
    }
    settings.agents.iter().map(|agent| line(&agent.name, agent.desks.clone())).collect()
}

fn count(lines: &mut BTreeMap<String, Line>, row: &Recorded) {
    let says = |field: &str| row.record.get(field);
    let word = |field: &str| says(field).and_then(Value::as_str);
    let (Some("looked" | "person-exported"), Some(agent)) = (word("what"), word("agent")) else { return };
    let line = lines.entry(agent.to_owned()).or_insert_with(|| Line { agent: agent.to_owned(), ..Line::default() });
    match () {
        () if says("attachment").is_some() => line.attachments += 1,
        () if says("ticket").is_some() => line.tickets += 1,
        () if word("seen") == Some("contacts") => line.contacts += 1,
        () if word("seen").is_some() || word("what") == Some("person-exported") => line.others += 1,
        () => line.profiles += 1,
    }
    line.last_look = line.last_look.max(Some(row.at));
}
