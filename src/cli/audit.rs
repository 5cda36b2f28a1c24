//! `postkamer audit`: the record of all decisions, and the proof that it is whole.

use jiff::Timestamp;
use serde_json::Value;

use super::{Failure, Place, output};
use crate::store::{Anchor, Chain, Damage, RecordFilter, Recorded};
use crate::words::{EmailAddress, MessageId, TicketNumber};

/// Read the record of decisions, and prove that it is whole.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// All that was decided and done, in order: codes, counts and numbers, no text of a mail.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        /// Only about this ticket.
        #[arg(long, value_name = "NUMBER")]
        ticket: Option<TicketNumber>,
        /// Only about mail of this person; found as long as the terms of retention run.
        #[arg(long, value_name = "ADDRESS")]
        person: Option<EmailAddress>,
        /// Only about the mail with this Message-ID; found as long as the terms of retention run.
        #[arg(long, value_name = "ID", value_parser = message_id)]
        message_id: Option<MessageId>,
        /// Only since this day or moment.
        #[arg(long, value_name = "DAY|TIME")]
        since: Option<String>,
    },
    /// Check that no row was changed, dropped, moved or cut off. Exit status 1 when one was.
    Verify {
        /// One JSON object.
        #[arg(long)]
        json: bool,
        /// A row that was noted elsewhere, as the daemon notes one in its log every day.
        #[arg(long, value_name = "ROW:HASH")]
        anchor: Option<Anchor>,
    },
    /// The record exactly as it stands, one JSON object a line, so that others can check it: a row's hash is the SHA-256 of
    /// the hash before it, its number, its time in milliseconds since 1970 and its payload, joined by line feeds.
    Export {
        /// It is JSON in any case.
        #[arg(long)]
        json: bool,
    },
}

fn message_id(text: &str) -> Result<MessageId, &'static str> {
    let bare = text.trim().trim_start_matches('<').trim_end_matches('>');
    bare.parse().map_err(|()| "it is no Message-ID, such as <a1@example.nl>")
}

pub(super) async fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let office = place.office().await?;
    match command {
        Command::List { json, ticket, person, message_id, since } => {
            let since = since.map(|text| moment(&text, &office.settings.timezone)).transpose()?;
            let filter = RecordFilter { ticket, person, message_id, since };
            if json {
                return office.store.audit_list(&filter, |row| output::json(&row)).await;
            }
            let mut rows = Vec::new();
            office
                .store
                .audit_list::<Failure>(&filter, |row| {
                    rows.push(cells(&row));
                    Ok(())
                })
                .await?;
            output::table(&["row", "when", "what", "who", "ticket", "said"], rows, "Nothing is on record.");
            Ok(())
        }
        Command::Verify { json, anchor } => verdict(&office.store.verify_audit(anchor.as_ref()).await?, json),
        Command::Export { json: _ } => office.store.audit_export(|row| output::json(&row)).await,
    }
}

/// A day begins where the settings say; a moment says itself.
pub(super) fn moment(text: &str, timezone: &jiff::tz::TimeZone) -> Result<Timestamp, Failure> {
    let day = || text.parse::<jiff::civil::Date>().ok().and_then(|day| day.to_zoned(timezone.clone()).ok());
    text.parse()
        .ok()
        .or_else(|| day().map(|day| day.timestamp()))
        .ok_or_else(|| Failure::Usage(format!("{text} is neither a day such as 2026-11-22 nor a time such as 2026-11-22T09:00:00Z.")))
}

fn verdict(chain: &Chain, json: bool) -> Result<(), Failure> {
    match chain {
        Chain::Whole { rows, head } if json => output::json(&serde_json::json!({ "whole": true, "rows": rows, "head": head })),
        Chain::Whole { rows, head } => {
            output::line(&format!("The record is whole: {rows} rows. Its end is {rows}:{head}"));
            Ok(())
        }
        Chain::Broken { seq, damage } => {
            if json {
                output::json(&serde_json::json!({ "whole": false, "row": seq, "damage": damage }))?;
            } else {
                output::line(&format!("The record is not whole: {}.", sentence(*seq, *damage)));
            }
            Err(Failure::No)
        }
    }
}

fn sentence(seq: i64, damage: Damage) -> String {
    match damage {
        Damage::Missing => format!("row {seq} is missing"),
        Damage::Changed => format!("row {seq} was changed"),
        Damage::Misplaced => format!("row {seq} does not follow from the one before it"),
        Damage::CutOff => format!("row {seq} and what came after it are gone"),
        Damage::NotAsAnchored => format!("row {seq} is not the one that was noted elsewhere, so the record was made anew"),
    }
}

fn cells(row: &Recorded) -> Vec<String> {
    let text = |field: &str| row.record.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |field: &str| row.record.get(field).and_then(Value::as_i64);
    let reasons = row.record.get("reasons").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let endpoints = row.record.get("endpoints").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let unanswered = row.record.get("silence").and_then(Value::as_str).map(|why| format!("unanswered: {why}"));
    let said = std::iter::once(text("verdict")).chain(reasons.map(str::to_owned)).chain(unanswered).chain(endpoints.map(output::safe));
    let said: Vec<String> = said.filter(|word| !word.is_empty()).collect();
    vec![
        row.seq.to_string(),
        output::moment(row.at),
        text("what"),
        output::safe(&text("agent")),
        number("ticket").map(|id| TicketNumber::new(id).to_string()).unwrap_or_default(),
        said.join(", "),
    ]
}
