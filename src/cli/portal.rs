//! `postkamer portal`: who may use the customer portal (POLICY "Portal access").

use jiff::Timestamp;
use serde::Serialize;

use super::tickets::{find, list, plain};
use super::{Failure, Office, Place, audit, directory, output};
use crate::identify::{AccessEnd, ContactKind};
use crate::store::{Access, Invitation, Look, TicketFilter, TicketStatus};
use crate::upkeep;
use crate::words::{EmailAddress, Redacted, TicketNumber};

/// Look after who may use the customer portal.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Tickets on which somebody asks for access, and nobody was invited yet.
    Requests {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Put on record that somebody was invited, at the request on a ticket.
    Invite {
        /// The ticket with the request.
        number: TicketNumber,
        /// Who is invited.
        #[arg(long, value_name = "ADDRESS")]
        email: EmailAddress,
        /// The name; without it, that on the list.
        #[arg(long)]
        name: Option<String>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Take somebody's access back.
    Withdraw {
        /// Whose.
        email: EmailAddress,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Who is entitled, and who no longer is.
    Roster {
        /// Only what has changed since this day or moment, in order.
        #[arg(long, value_name = "DAY|TIME")]
        since: Option<String>,
        /// Of this organisation only.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        /// Comma-separated values, with a first line of headings.
        #[arg(long, conflicts_with = "json")]
        csv: bool,
    },
}

/// A line of the change feed.
#[derive(Serialize)]
struct Change<'a> {
    at: Timestamp,
    change: &'static str,
    organisation: &'a str,
    email: &'a str,
    name: &'a str,
    why: Option<&'a str>,
    ticket: Option<&'a str>,
}

pub(super) async fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let office = place.office().await?;
    let agent = office.agent()?;
    match command {
        Command::Requests { json } => requests(&office, json).await,
        Command::Invite { number, email, name, json } => {
            invite(&office, number, &email, name, &agent).await?;
            let fields = serde_json::json!({ "ticket": number.to_string(), "invited": true });
            output::done(json, &format!("The invitation is on record, at the request on {number}."), &fields)
        }
        Command::Withdraw { email, json } => {
            office.store.withdraw_access(&email, &agent).await.map_err(plain)?;
            output::done(json, "The access is taken back.", &serde_json::json!({ "withdrawn": true }))
        }
        Command::Roster { since, organisation, json, csv } => {
            let since = since.map(|text| audit::moment(&text, &office.settings.timezone)).transpose()?;
            // What ended by the calendar or by an edited file is noticed before it is told.
            upkeep::end_accesses(&office.settings, &office.store).await?;
            let mut accesses = office.store.accesses().await?;
            accesses.retain(|access| organisation.as_ref().is_none_or(|id| access.organisation == *id));
            office.store.looked(Look::Profile(None), &agent).await?;
            let form = if json {
                Form::Json
            } else if csv {
                Form::Csv
            } else {
                Form::Table
            };
            match since {
                Some(since) => tell(&changes(&accesses, since), &FEED, form),
                None => tell(&accesses, &ROSTER, form),
            }
        }
    }
}

async fn requests(office: &Office, json: bool) -> Result<(), Failure> {
    let asking = office.store.tickets_asking_for_access().await?;
    let mut tickets = office.store.tickets(&TicketFilter { desks: office.desks_of_agent()?, ..TicketFilter::default() }).await?;
    tickets.retain(|ticket| ticket.status != TicketStatus::Closed && asking.contains(&ticket.id));
    list(&tickets, json)
}

async fn invite(office: &Office, number: TicketNumber, email: &EmailAddress, name: Option<String>, agent: &str) -> Result<(), Failure> {
    let view = find(office, number).await?;
    let today = office.settings.today(office.store.clock().now());
    let id =
        view.summary.organisation.ok_or_else(|| Failure::Usage(format!("{number} belongs to no organisation; nobody was invited.")))?;
    let organisation = directory::organisation(&office.settings, &id)?;
    office.settings.organisations.may_use_portal(&id, email, today).map_err(not_entitled)?;
    let may_ask = |address: &EmailAddress| {
        let listed = office.settings.organisations.contact_by_address(address, today);
        let is_general = listed.is_some_and(|(of, contact)| of.id == organisation.id && contact.kind == ContactKind::General);
        address == email || is_general || (!organisation.approved_contacts_only && organisation.domains.contains(address.domain()))
    };
    let requested_by = office.store.participants(number).await?.into_iter().find(may_ask).ok_or_else(|| {
        Failure::Usage(format!(
            "Nobody who may ask for this has written on {number}: neither that person nor a general contact. Nobody was invited."
        ))
    })?;
    let on_list = organisation.contacts.iter().find(|contact| contact.email == *email).map(|contact| contact.name.clone());
    let name = name.map(Redacted::new).or(on_list).unwrap_or_default();
    let new = Invitation { address: email, name: &name, organisation: &id, ticket: number, requested_by: &requested_by };
    office.store.invite(&new, agent).await.map_err(plain)
}

fn not_entitled(why: AccessEnd) -> Failure {
    let why = match why {
        AccessEnd::Left => "that person has left",
        AccessEnd::ContractEnded => "the organisation is no customer any more",
        AccessEnd::NotListed | AccessEnd::Withdrawn => {
            "only people on the organisation's list may use the portal, where it has one; else people at its domains"
        }
    };
    Failure::Usage(format!("Nobody was invited: {why}."))
}

impl<'a> Change<'a> {
    fn of(access: &'a Access, at: Timestamp, change: &'static str, why: Option<&'a str>) -> Self {
        let Access { organisation, email, name, ticket, .. } = access;
        Self { at, change, organisation, email, name, why, ticket: ticket.as_deref() }
    }
}

/// Beginnings and ends since then, in order.
fn changes(accesses: &[Access], since: Timestamp) -> Vec<Change<'_>> {
    let mut changes: Vec<Change<'_>> = accesses
        .iter()
        .flat_map(|access| {
            let begun = Change::of(access, access.since, "entitled", None);
            let ended = access.until.map(|at| Change::of(access, at, "no-longer-entitled", access.why.as_deref()));
            std::iter::once(begun).chain(ended)
        })
        .filter(|change| change.at >= since)
        .collect();
    changes.sort_by_key(|change| change.at);
    changes
}

const ROSTER: [&str; 8] = ["organisation", "email", "name", "entitled", "since", "until", "why", "ticket"];
const FEED: [&str; 7] = ["at", "change", "organisation", "email", "name", "why", "ticket"];

enum Form {
    Table,
    Json,
    Csv,
}

fn tell<T: Serialize>(lines: &[T], columns: &[&str], form: Form) -> Result<(), Failure> {
    if matches!(form, Form::Json) {
        return lines.iter().try_for_each(output::json);
    }
    let rows = lines.iter().map(|line| cells(line, columns)).collect::<Result<Vec<_>, Failure>>()?;
    match form {
        Form::Csv => {
            output::line(&columns.join(","));
            rows.iter().for_each(|row| output::line(&row.iter().map(|cell| csv_cell(cell)).collect::<Vec<_>>().join(",")));
        }
        _ => {
            let rows = rows.iter().map(|row| row.iter().map(|cell| output::safe(cell)).collect()).collect();
            output::table(columns, rows, "Nobody has or had access to the portal.");
        }
    }
    Ok(())
}

/// The values of a line in the order of its columns.
fn cells(line: &impl Serialize, columns: &[&str]) -> Result<Vec<String>, Failure> {
    let value = serde_json::to_value(line)?;
    let text = |value: Option<&serde_json::Value>| match value {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Bool(true)) => "yes".to_owned(),
        Some(serde_json::Value::Bool(false)) => "no".to_owned(),
        _ => String::new(),
    };
    Ok(columns.iter().map(|column| text(value.get(column))).collect())
}

/// One cell of RFC 4180; what a spreadsheet would take for a formula begins with an apostrophe (THREATS §1 row 34).
fn csv_cell(text: &str) -> String {
    let neutral = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if neutral.contains([',', '"', '\n', '\r']) { format!("\"{}\"", neutral.replace('"', "\"\"")) } else { neutral }
}

#[cfg(test)]
mod tests {
    use super::csv_cell;

    #[test]
    fn what_a_spreadsheet_would_run_is_neutralised() {
        for (text, cell) in [
            ("Karin", "Karin"),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+31 30", "'+31 30"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("Smit, \"Karin\"", "\"Smit, \"\"Karin\"\"\""),
            ("=1,2", "\"'=1,2\""),
        ] {
            assert_eq!(csv_cell(text), cell);
        }
    }
}
