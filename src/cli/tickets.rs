//! `postkamer tickets`: an agent's work on tickets.

use super::{Failure, Office, Place, output};
use crate::store::{EntryView, StoreError, TicketFilter, TicketStatus, TicketSummary, TicketView};
use crate::words::{Redacted, TicketNumber};

/// Work on tickets.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// All tickets, or those in one state, of one desk or of one organisation.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        /// Only in this state.
        #[arg(long, value_name = "open|queued|closed", value_parser = status)]
        status: Option<TicketStatus>,
        /// Only of this desk.
        #[arg(long, value_name = "NAME")]
        desk: Option<String>,
        /// Only of this organisation.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
    },
    /// One ticket, with all that happened on it.
    Show {
        /// Its number, such as PK-00042.
        number: TicketNumber,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Close a ticket.
    Close {
        /// Its number, such as PK-00042.
        number: TicketNumber,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Open a closed ticket again; it goes back to the state it was closed from.
    Reopen {
        /// Its number, such as PK-00042.
        number: TicketNumber,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Put a note on a ticket, for colleagues only.
    Note {
        /// Its number, such as PK-00042.
        number: TicketNumber,
        /// The note.
        text: String,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

fn status(code: &str) -> Result<TicketStatus, String> {
    TicketStatus::from_code(code).ok_or_else(|| "it is open, queued or closed".to_owned())
}

pub(super) async fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let office = place.office().await?;
    let store = &office.store;
    match command {
        Command::List { json, status, desk, organisation } => {
            let own = office.desks_of_agent()?;
            let desks = match desk {
                Some(desk) => Some(vec![office.may_see(&own, &desk)?]),
                None => own,
            };
            let tickets = store.tickets(&TicketFilter { status, desks, organisation }).await?;
            list(&tickets, json)
        }
        Command::Show { number, json } => {
            let view = find(&office, number).await?;
            if json { output::json(&as_json(&view)) } else { print(&view) }
        }
        Command::Close { number, json } => {
            find(&office, number).await?;
            store.close_ticket(number, &office.agent()?).await.map_err(plain)?;
            told(&office, number, "is closed", json).await
        }
        Command::Reopen { number, json } => {
            find(&office, number).await?;
            store.reopen_ticket(number, &office.agent()?).await.map_err(plain)?;
            told(&office, number, "is open again", json).await
        }
        Command::Note { number, text, json } => {
            find(&office, number).await?;
            store.note(number, &office.agent()?, &Redacted::new(text)).await.map_err(plain)?;
            told(&office, number, "has a new note", json).await
        }
    }
}

/// The ticket, if it exists and the agent may see its desk.
pub(super) async fn find(office: &Office, number: TicketNumber) -> Result<TicketView, Failure> {
    let own = office.desks_of_agent()?;
    match office.store.ticket(number).await? {
        Some(view) if own.as_ref().is_none_or(|desks| desks.contains(&view.summary.desk)) => Ok(view),
        _ => Err(Failure::Usage(format!("There is no ticket {number} at your desks; `postkamer tickets list` shows all that there are."))),
    }
}

/// What an agent asked for and the ticket does not allow is wrong usage, not a fault.
pub(super) fn plain(error: StoreError) -> Failure {
    match error {
        StoreError::NotNow(why) => Failure::Usage(format!("That cannot be done now: {why}.")),
        StoreError::Unknown(what) => Failure::Usage(format!("There is no such {what}.")),
        other => other.into(),
    }
}

/// What a change came to.
pub(super) async fn told(office: &Office, number: TicketNumber, sentence: &str, json: bool) -> Result<(), Failure> {
    if json {
        let view = find(office, number).await?;
        return output::json(&view.summary);
    }
    output::line(&format!("{number} {sentence}."));
    Ok(())
}

pub(super) fn list(tickets: &[TicketSummary], json: bool) -> Result<(), Failure> {
    if json {
        return tickets.iter().try_for_each(output::json);
    }
    let rows = tickets.iter().map(|ticket| {
        let reasons: Vec<&str> = ticket.reasons.iter().map(|reason| reason.as_str()).collect();
        vec![
            ticket.number.clone(),
            ticket.status.as_str().to_owned(),
            if ticket.urgent { "urgent".to_owned() } else { String::new() },
            ticket.desk.clone(),
            ticket.organisation.clone().unwrap_or_else(|| "-".to_owned()),
            ticket.entries.to_string(),
            output::moment(ticket.opened_at),
            reasons.join(", "),
        ]
    });
    output::table(&["ticket", "state", "", "desk", "organisation", "mails", "opened", "why"], rows.collect(), "There are no such tickets.");
    Ok(())
}

/// Everything; an agent may see it, so nothing is redacted here.
fn as_json(view: &TicketView) -> serde_json::Value {
    let entries: Vec<serde_json::Value> = view.entries.iter().map(entry_as_json).collect();
    let mut value = serde_json::json!(view.summary);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("requester".into(), serde_json::json!(view.requester.as_ref().map(|address| address.reveal())));
        fields.insert("language".into(), serde_json::json!(view.language));
        fields.insert("close_cause".into(), serde_json::json!(view.close_cause));
        fields.insert("continues".into(), serde_json::json!(view.continues.map(|number| number.to_string())));
        fields.insert("cc_absent".into(), serde_json::json!(view.cc_absent));
        fields.insert("cc_addresses".into(), serde_json::json!(view.cc.iter().map(|(_, address)| address.reveal()).collect::<Vec<_>>()));
        fields.insert("history".into(), serde_json::json!(entries));
    }
    value
}

fn entry_as_json(entry: &EntryView) -> serde_json::Value {
    let attachments: Vec<serde_json::Value> = entry
        .attachments
        .iter()
        .map(|file| {
            serde_json::json!({
                "index": file.index, "name": file.name.as_ref().map(|name| name.reveal()), "media_type": file.media_type,
                "format": file.format, "size": file.size, "sha256": file.sha256,
            })
        })
        .collect();
    let withheld: Vec<serde_json::Value> =
        entry.withheld.iter().map(|(index, format, why)| serde_json::json!({ "index": index, "format": format, "why": why })).collect();
    serde_json::json!({
        "kind": entry.kind, "at": entry.at, "agent": entry.agent, "reply": entry.reply,
        "author": entry.author.as_ref().map(|address| address.reveal()), "author_name": entry.author_name.reveal(),
        "subject": entry.subject.reveal(), "text": entry.written.reveal(), "quoted": entry.quoted.reveal(),
        "attachments": attachments, "withheld": withheld,
    })
}

fn print(view: &TicketView) -> Result<(), Failure> {
    let ticket = &view.summary;
    let organisation = ticket.organisation.as_deref().unwrap_or("no organisation");
    let urgent = if ticket.urgent { ", urgent" } else { "" };
    output::line(&format!("{}  {}{urgent}  ({organisation}, desk {})", ticket.number, ticket.status.as_str(), ticket.desk));
    let reasons: Vec<&str> = ticket.reasons.iter().map(|reason| reason.as_str()).collect();
    output::line(&format!("why: {}", reasons.join(", ")));
    if let Some(continues) = view.continues {
        output::line(&format!("continues {continues}"));
    }
    if !view.cc.is_empty() {
        let cc: Vec<String> =
            view.cc.iter().map(|(kind, address)| format!("{} ({})", output::safe(address.reveal()), kind.as_str())).collect();
        output::line(&format!("in CC: {}", cc.join(", ")));
    }
    if view.cc_absent {
        output::line("All contacts who could be in CC are absent; the first of them is.");
    }
    for entry in &view.entries {
        output::line("");
        let who = match (&entry.author, &entry.agent) {
            (Some(address), _) => format!("{} <{}>", output::safe(entry.author_name.reveal()), output::safe(address.reveal())),
            (None, Some(agent)) => agent.clone(),
            (None, None) => String::new(),
        };
        output::line(&format!("-- {} {} {who}", output::moment(entry.at), entry.kind));
        for (what, text) in [("", &entry.subject), ("", &entry.written), ("> ", &entry.quoted)] {
            for line in text.reveal().trim_end().lines() {
                output::line(&format!("   {what}{}", output::safe(line)));
            }
        }
        for file in &entry.attachments {
            let name = file.name.as_ref().map_or("without a name", |name| name.reveal());
            output::line(&format!("   attachment {}: {} ({}, {} bytes)", file.index + 1, output::safe(name), file.format, file.size));
        }
        for (index, format, why) in &entry.withheld {
            output::line(&format!("   attachment {}: withheld ({format}, {why})", index + 1));
        }
    }
    Ok(())
}
