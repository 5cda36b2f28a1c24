//! `postkamer tickets`: an agent's work on tickets.

use anyhow::Context as _;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::letters::Desk;
use super::{Failure, Office, Place, output};
use crate::decide::Template;
use crate::mailbox::Done;
use crate::plan::templates::WithheldAttachment;
use crate::retention;
use crate::store::{
    AgentsTicket, Correspondence, Deed, EntryView, Look, Purge, Purged, StoreError, TicketFilter, TicketStatus, TicketSummary, TicketView,
};
use crate::words::{EmailAddress, Keys, Redacted, TicketNumber};

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
    /// The bytes of a stored attachment. Every look is on record.
    Attachment {
        /// The ticket's number, such as PK-00042.
        number: TicketNumber,
        /// The attachment's number, as `tickets show` tells it.
        attachment: i64,
        /// Write them into this file, which must not exist yet; without it, to standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
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
    /// Write to the one who asked, with everybody who is in the ticket's CC.
    Reply {
        /// Its number, such as PK-00042.
        number: TicketNumber,
        /// The letter without greeting and signature; - reads it from standard input.
        text: String,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Open a ticket that no mail began, such as a change that incidents can be linked to.
    New {
        /// What it is.
        #[arg(long = "type", value_name = "change|incident", value_parser = ["change", "incident"])]
        kind: String,
        /// Its desk.
        #[arg(long, value_name = "NAME")]
        desk: String,
        /// Whose it is; none: nobody's in particular.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
        /// What it is about, on one line.
        #[arg(long, value_name = "TEXT")]
        subject: String,
        /// What it is about, in full; - reads it from standard input.
        #[arg(default_value = "")]
        text: String,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Link an incident to the change that it waits for: its attachments are then kept until after the change.
    Link {
        /// The incident's number, such as PK-00042.
        number: TicketNumber,
        /// The change's number.
        change: TicketNumber,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Remove what turns out to be citizen data, here and on the server at once: the whole ticket, one entry or one attachment.
    Purge {
        /// The ticket's number, such as PK-00042.
        number: TicketNumber,
        /// Only this entry with its attachments, as `tickets show` numbers it.
        #[arg(long, value_name = "K", conflicts_with = "attachment")]
        entry: Option<i64>,
        /// Only this attachment, as `tickets show` numbers it.
        #[arg(long, value_name = "K")]
        attachment: Option<i64>,
        /// Send the one who asked to the portal, as for citizen data that is recognised at once.
        #[arg(long)]
        redirect: bool,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Ask the general contacts of the ticket's organisation to approve a quote or an order.
    AskApproval {
        /// Its number, such as PK-00042.
        number: TicketNumber,
        /// What is to be approved; - reads it from standard input.
        text: String,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Who approved what, or did not, by which mail.
    Approvals {
        /// Its number, such as PK-00042.
        number: TicketNumber,
        /// Tell whether this person was it; also when nothing else is kept of them.
        #[arg(long, value_name = "ADDRESS")]
        person: Option<EmailAddress>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Mark a case as one that needs data of other people, and tell the one who asked how to hand them over in the portal.
    NeedsData {
        /// Its number, such as PK-00042.
        number: TicketNumber,
        /// Which data, and what for; - reads it from standard input.
        #[arg(default_value = "")]
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
            store.looked(Look::Ticket(number), &office.agent()?).await?;
            if json { output::json(&as_json(&view)) } else { print(&view) }
        }
        Command::Attachment { number, attachment, out } => hand_out(&office, number, attachment, out.as_deref()).await,
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
        Command::Reply { number, text, json } => {
            let text = letter(&text)?;
            send(&office, number, Deed::Reply, text).await?;
            told(&office, number, "has a new reply, which is being sent", json).await
        }
        Command::New { kind, desk, organisation, subject, text, json } => {
            let number = open(&office, &kind, &desk, organisation.as_deref(), &subject, words(&text)?).await?;
            told(&office, number, "is open", json).await
        }
        Command::Link { number, change, json } => {
            find(&office, number).await?;
            find(&office, change).await?;
            store.link_to_change(number, change, &office.agent()?).await.map_err(plain)?;
            told(&office, number, &format!("is linked to {change}"), json).await
        }
        Command::Purge { number, entry, attachment, redirect, json } => {
            let what = entry.map(Purge::Entry).or(attachment.map(Purge::Attachment)).unwrap_or(Purge::Ticket);
            purge(&office, number, what, redirect, json).await
        }
        Command::AskApproval { number, text, json } => {
            let text = letter(&text)?;
            send(&office, number, Deed::ApprovalAsked, text).await?;
            told(&office, number, "has a request for approval, which is being sent", json).await
        }
        Command::Approvals { number, person, json } => {
            find(&office, number).await?;
            store.looked(Look::Ticket(number), &office.agent()?).await?;
            approvals(&office, number, person.as_ref(), json).await
        }
        Command::NeedsData { number, text, json } => {
            send(&office, number, Deed::ThirdPartyData, words(&text)?).await?;
            told(&office, number, "needs data of other people; how to hand them over is being sent", json).await
        }
    }
}

/// Removes it here, then on the server; what could not be reached there stays due, and the daemon's daily run tries again.
async fn purge(office: &Office, number: TicketNumber, what: Purge, redirect: bool, json: bool) -> Result<(), Failure> {
    let at = find(office, number).await?.summary.desk;
    let desk = Desk::of(office)?;
    let template = if matches!(what, Purge::Attachment(_)) { Template::AttachmentsRejected } else { Template::MessageRejected };
    let letter = |on: &Correspondence, purged: &Purged, keys: &Keys| {
        let files = purged.attachments.iter().map(|(number, format)| WithheldAttachment { number: *number, format: format.to_uppercase() });
        if redirect { desk.to_requester(template, on, None, files.collect(), keys) } else { None }
    };
    let done = match what {
        Purge::Ticket => "is purged".to_owned(),
        Purge::Entry(entry) => format!("has lost all that entry {entry} held"),
        Purge::Attachment(attachment) => format!("has lost attachment {attachment}"),
    };
    let purged = office.store.purge(number, what, &office.agent()?, letter).await.map_err(plain)?;
    let mut absent = 0;
    if purged.originals + purged.unfiled > 0 {
        let mut report = retention::Report::default();
        retention::expunge(&office.settings, &office.store, None, &mut report).await?;
        if purged.unfiled > 0 {
            report.trouble.push(format!("{} originals are not filed yet; they are expunged once they are.", purged.unfiled));
        }
        if !report.trouble.is_empty() {
            report.trouble.iter().for_each(|sentence| output::complain(sentence));
            return Err(Failure::TryLater(format!("{number} {done} here, but not yet on the server; the daemon tries it again.")));
        }
        // Where filed mail is deleted, there is no original to look for.
        let kept = office.settings.desk(&at).is_some_and(|desk| desk.mailbox.done != Done::Delete);
        absent = if kept { report.originals_absent } else { 0 };
    }
    if absent > 0 {
        output::complain(&format!(
            "{absent} originals were not in the folder of filed mail any more: somebody moved or removed them. Please look for them in the \
             other folders of the mailbox and delete them by hand."
        ));
        told(office, number, &format!("{done} here"), json).await?;
    } else {
        told(office, number, &format!("{done}, here and on the server"), json).await?;
    }
    if !redirect && !json {
        output::line("With --redirect the one who asked would have been sent to the portal; `tickets reply` still can tell them.");
    }
    Ok(())
}

async fn hand_out(office: &Office, number: TicketNumber, attachment: i64, out: Option<&Path>) -> Result<(), Failure> {
    let view = find(office, number).await?;
    let file = view.entries.iter().flat_map(|entry| &entry.attachments).find(|file| file.number == attachment);
    let file =
        file.ok_or_else(|| Failure::Usage(format!("{number} has no attachment {attachment}; `postkamer tickets show` numbers them.")))?;
    let bytes = std::fs::read(office.store.attachment_path(&file.sha256))?;
    office.store.looked(Look::Attachment(number, attachment), &office.agent()?).await?;
    match out {
        Some(path) => write_new(path, &bytes).with_context(|| format!("{} was not written; name a new file with --out", path.display()))?,
        None => std::io::stdout().write_all(&bytes)?,
    }
    Ok(())
}

/// A file for the caller alone; one that is there already is not overwritten.
fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
}

/// Text of an agent: as given, or from standard input.
fn words(text: &str) -> Result<String, Failure> {
    if text == "-" { Ok(std::io::read_to_string(std::io::stdin())?) } else { Ok(text.to_owned()) }
}

/// Text of an agent without which there is no letter.
fn letter(text: &str) -> Result<String, Failure> {
    let text = words(text)?;
    if text.trim().is_empty() { Err(Failure::Usage("The letter is empty; nothing was sent.".to_owned())) } else { Ok(text) }
}

/// Sends an agent's letter to those to whom it belongs.
async fn send(office: &Office, number: TicketNumber, deed: Deed, text: String) -> Result<(), Failure> {
    find(office, number).await?;
    let desk = Desk::of(office)?;
    let write = |on: &Correspondence, keys: &Keys| match deed {
        Deed::Reply => desk.to_requester(Template::AgentReply, on, Some(text.clone()), Vec::new(), keys),
        Deed::ThirdPartyData => {
            let text = Some(text.clone()).filter(|text| !text.is_empty());
            desk.to_requester(Template::ThirdPartyData, on, text, Vec::new(), keys)
        }
        Deed::ApprovalAsked => desk.to_general_contacts(Template::ApprovalRequest, on, text.clone(), keys),
    };
    office.store.send_letter(number, deed, &office.agent()?, &Redacted::new(text.clone()), write).await.map_err(plain)
}

async fn open(
    office: &Office,
    kind: &str,
    desk: &str,
    organisation: Option<&str>,
    subject: &str,
    text: String,
) -> Result<TicketNumber, Failure> {
    office.may_see(&office.desks_of_agent()?, desk)?;
    let organisation = organisation.map(|id| super::directory::organisation(&office.settings, id)).transpose()?;
    let of_desk = office.settings.desk(desk).map_or(office.settings.language, |desk| desk.language);
    let (subject, text) = (Redacted::new(subject.to_owned()), Redacted::new(text));
    let new = AgentsTicket {
        desk,
        kind,
        organisation: organisation.map(|organisation| organisation.id.as_str()),
        language: organisation.map_or(of_desk, |organisation| organisation.language),
        subject: &subject,
        text: &text,
    };
    Ok(office.store.open_ticket(&new, &office.agent()?).await?)
}

async fn approvals(office: &Office, number: TicketNumber, person: Option<&EmailAddress>, json: bool) -> Result<(), Failure> {
    let approvals = office.store.approvals(number, person).await?;
    if json {
        return approvals.iter().try_for_each(output::json);
    }
    let rows = approvals.iter().map(|approval| {
        vec![
            output::moment(approval.at),
            approval.answer.clone(),
            if approval.counts { "counts" } else { "does not count" }.to_owned(),
            approval.organisation.clone().unwrap_or_else(|| "-".to_owned()),
            approval.request.to_string(),
            approval.who.as_ref().map_or_else(|| approval.person.clone(), |who| output::safe(who)),
            approval.is_that_person.map_or("", |is| if is { "yes" } else { "no" }).to_owned(),
        ]
    });
    let header = ["answered", "answer", "", "organisation", "request", "by", "that person"];
    output::table(&header, rows.collect(), "Nobody has answered a request for approval on this ticket.");
    Ok(())
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
        fields.insert("general_profile".into(), view.general_profile.into());
        fields.insert("language".into(), serde_json::json!(view.language));
        fields.insert("close_cause".into(), serde_json::json!(view.close_cause));
        fields.insert("continues".into(), serde_json::json!(view.continues.map(|number| number.to_string())));
        let links: Vec<String> = view.links.iter().map(ToString::to_string).collect();
        fields.insert("links".into(), links.into());
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
                "number": file.number, "index": file.index, "name": file.name.as_ref().map(|name| name.reveal()), "media_type": file.media_type,
                "format": file.format, "size": file.size, "sha256": file.sha256,
            })
        })
        .collect();
    let withheld: Vec<serde_json::Value> =
        entry.withheld.iter().map(|(index, format, why)| serde_json::json!({ "index": index, "format": format, "why": why })).collect();
    serde_json::json!({
        "number": entry.number, "kind": entry.kind, "purged": entry.purged, "at": entry.at, "agent": entry.agent, "reply": entry.reply,
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
    if !view.links.is_empty() {
        output::line(&format!("linked to {}", view.links.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")));
    }
    if view.general_profile {
        output::line("Who asked has left; the ticket is on the organisation's general profile.");
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
        let purged = if entry.purged { " (purged)" } else { "" };
        output::line(&format!("-- {}. {} {} {who}{purged}", entry.number, output::moment(entry.at), entry.kind));
        for (what, text) in [("", &entry.subject), ("", &entry.written), ("> ", &entry.quoted)] {
            for line in text.reveal().trim_end().lines() {
                output::line(&format!("   {what}{}", output::safe(line)));
            }
        }
        for file in &entry.attachments {
            let name = file.name.as_ref().map_or("without a name", |name| name.reveal());
            output::line(&format!("   attachment {}: {} ({}, {} bytes)", file.number, output::safe(name), file.format, file.size));
        }
        for (index, format, why) in &entry.withheld {
            output::line(&format!("   withheld: part {} of the mail ({format}, {why})", index + 1));
        }
    }
    Ok(())
}
