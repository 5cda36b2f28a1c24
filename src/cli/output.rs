//! What people and programs read.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

use comfy_table::{Cell, Table, presets};
use serde::Serialize;

use super::Failure;
use crate::daemon::Account;

/// Gets the process ready to speak: logs to stderr, panics without their text, TLS by one provider.
pub(super) fn prepare(daemon: bool) {
    use tracing_subscriber::EnvFilter;
    use tracing_subscriber::filter::{LevelFilter, Targets};
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;

    // async-imap logs passwords and whole mails at trace level, the resolver the names that it is asked for: nothing may turn that on, not even for a single
    // module of theirs.
    const NEVER: [&str; 6] = ["async_imap", "imap_proto", "lettre", "hickory_net", "hickory_proto", "hickory_resolver"];
    let wanted = std::env::var("RUST_LOG").unwrap_or_else(|_| if daemon { "info".to_owned() } else { "warn".to_owned() });
    let filter = EnvFilter::new(wanted);
    let cap = Targets::new().with_default(LevelFilter::TRACE).with_targets(NEVER.map(|crates| (crates, LevelFilter::INFO)));
    let json = std::env::var("POSTKAMER_LOG").is_ok_and(|format| format == "json");
    let registry = tracing_subscriber::registry().with(filter).with(cap);
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    if json {
        registry.with(layer.json()).init();
    } else {
        registry.with(layer).init();
    }
    // A panic's text may hold what was being worked on; the place is enough to find the mistake.
    std::panic::set_hook(Box::new(|info| match info.location() {
        Some(place) => tracing::error!(file = place.file(), line = place.line(), "a mistake in postkamer stopped a task"),
        None => tracing::error!("a mistake in postkamer stopped a task"),
    }));
    // Two crates may bring their own provider; the first to be installed serves all.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Why a line of result could not be written, once that has happened.
static UNWRITTEN: OnceLock<ErrorKind> = OnceLock::new();

/// One line of result. A reader who has gone away is no fault of ours; what else keeps it from being written, [`written`] tells.
pub(super) fn line(text: &str) {
    if let Err(error) = writeln!(io::stdout(), "{text}") {
        note(&error);
    }
}

fn note(error: &io::Error) {
    if error.kind() != ErrorKind::BrokenPipe {
        let _ = UNWRITTEN.set(error.kind());
    }
}

/// Whether all that was to be said has been written: an export that ends at a full disk must not look whole.
///
/// # Errors
/// Something is missing from the output.
pub(super) fn written() -> Result<(), Failure> {
    if let Err(error) = io::stdout().flush() {
        note(&error);
    }
    match UNWRITTEN.get() {
        Some(kind) => Err(Failure::Other(anyhow::anyhow!("The output is not whole, it could not be written: {kind}."))),
        None => Ok(()),
    }
}

/// One sentence about what went wrong.
pub(super) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "postkamer: {text}");
}

/// One JSON object on a line.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    line(&serde_json::to_string(value)?);
    Ok(())
}

/// What was done: a sentence for people, the same in fields for programs.
pub(super) fn done(as_json: bool, sentence: &str, fields: &serde_json::Value) -> Result<(), Failure> {
    if as_json {
        return json(fields);
    }
    line(sentence);
    Ok(())
}

/// What became of a mail in a file.
pub(super) fn account_of(file: &str, account: &Account) -> serde_json::Value {
    let mut value = self::account(account);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("file".to_owned(), file.into());
    }
    value
}

/// What became of one mail, in codes.
pub(super) fn account(account: &Account) -> serde_json::Value {
    let replies = account.replies.iter().map(|(template, copies)| serde_json::json!({ "template": template.as_str(), "cc": copies }));
    serde_json::json!({
        "verdict": account.outcome.as_str(),
        "reasons": account.reasons.iter().map(|reason| reason.as_str()).collect::<Vec<_>>(),
        "ticket": account.ticket.map(|ticket| ticket.to_string()),
        "replies": replies.collect::<Vec<_>>(),
        "server": account.server.as_str(),
    })
}

/// An aligned table; says `empty` where there is nothing to show.
pub(super) fn table(header: &[&str], rows: Vec<Vec<String>>, empty: &str) {
    if rows.is_empty() {
        line(empty);
        return;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.iter().map(Cell::new));
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for row in table.lines() {
        line(row.trim_end());
    }
}

/// A moment as people read it: UTC, to the minute.
pub(super) fn moment(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Text from a mail, made harmless for a terminal: no control or direction characters (THREATS §1 row 23).
pub(super) fn safe(text: &str) -> String {
    let harmless =
        |c: char| !c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    text.chars().map(|c| if harmless(c) { c } else { '\u{fffd}' }).collect()
}
