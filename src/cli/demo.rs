//! `postkamer demo`: the main job on built-in mails; no server, no configuration, no root.

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::{Failure, Office, load, output, transport};
use crate::clock::Clock;
use crate::daemon::{Account, Daemon};
use crate::decide::ServerAction;
use crate::extract::{self, Extractor};
use crate::journey::Journey;
use crate::mailbox::{Kind, maildir};

/// Show the main job on built-in mails, in a temporary directory that is kept to look at.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What became of each mail, one JSON object a line.
    #[arg(long)]
    json: bool,
}

macro_rules! files {
    ($($path:literal),+ $(,)?) => { &[$(($path, include_bytes!(concat!("../../fixtures/", $path)) as &[u8])),+] };
}

/// The vendor Zaakwijs and its customers.
const WORLD: &[(&str, &[u8])] = files![
    "world/postkamer.toml",
    "world/organisations/waterwolde.toml",
    "world/organisations/nordhavn.toml",
    "world/organisations/fjellvik.toml",
    "world/organisations/strandkoping.toml",
    "world/organisations/heidetal.toml",
    "world/organisations/brookham.toml",
    "world/organisations/oudeveen.toml",
];

/// A morning's mail: every verdict, and most of its reasons, in the languages of the customers.
const MAILS: &[(&str, &[u8])] = files![
    "mails/general-contact-outlook-nl.eml",
    "mails/citizen-data-in-csv-from-a-contact.eml",
    "mails/citizen-number-in-body.eml",
    "mails/clean-spreadsheet-is-kept.eml",
    "mails/masked-export-is-kept.eml",
    "mails/locked-archive-is-turned-back.eml",
    "mails/colleague-urgent-da.eml",
    "mails/colleague-not-urgent-nb.eml",
    "mails/ict-contact-certificate-nl.eml",
    "mails/ict-contact-other-matter-nb.eml",
    "mails/organisation-member-sv.eml",
    "mails/organisation-member-urgent-de.eml",
    "mails/general-contact-notes-en.eml",
    "mails/named-elsewhere-other-domain-of-the-same-place.eml",
    "mails/former-contact-nl.eml",
    "mails/contract-has-ended.eml",
    "mails/stranger-waits.eml",
    "mails/stranger-urgent-duty-contact.eml",
    "mails/forged-contact.eml",
    "mails/auto-reply-of-an-old-system.eml",
    "mails/newsletter.eml",
    "mails/monitoring-mail-urgent.eml",
];

/// The day on which the demo takes place.
const MORNING: Timestamp = Timestamp::constant(1_794_992_400, 0);

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let world = tempfile::Builder::new().prefix("postkamer-demo-").tempdir()?.keep();
    for (path, content) in WORLD {
        let path = world.join(path.trim_start_matches("world/"));
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        std::fs::write(path, content)?;
    }
    let clock = Clock::fixed(MORNING);
    let settings = Arc::new(load(&world.join("postkamer.toml"))?);
    for desk in &settings.desks {
        if let Kind::Maildir { path } = &desk.mailbox.kind {
            maildir::create(path)?;
        }
    }
    let office = Office::open(settings.clone(), clock.clone()).await?;
    let lease = office.store.own().await?;
    let extractor = Arc::new(Extractor::start(extract::Limits::default())?);
    let journey = Journey::new(settings.clone(), extractor).map_err(|error| Failure::Usage(error.to_string()))?;
    let (witness, mut accounts) = mpsc::unbounded_channel();
    let daemon = Daemon::new(journey, office.store.clone(), transport(&settings), lease).with_witness(witness);

    for (number, (name, raw)) in (0_i64..).zip(MAILS) {
        let now = MORNING + SignedDuration::from_mins(number);
        clock.set(now);
        let desk = super::explain::addressed(&settings, raw).or(settings.desks.first());
        if let Some(Kind::Maildir { path }) = desk.map(|desk| &desk.mailbox.kind) {
            maildir::deliver(path, raw, now)?;
        }
        for (desk, trouble) in daemon.once().await? {
            output::complain(&format!("The mailbox of {desk} is in trouble: {trouble}."));
        }
        while let Ok(account) = accounts.try_recv() {
            if args.json {
                output::json(&output::account_of(name, &account))?;
            } else {
                tell(name.trim_start_matches("mails/").trim_end_matches(".eml"), &account);
            }
        }
    }
    office.store.close().await?;
    if !args.json {
        look_around(&world);
    }
    Ok(())
}

fn tell(name: &str, account: &Account) {
    let reasons: Vec<&str> = account.reasons.iter().map(|reason| reason.as_str()).collect();
    let ticket = account.ticket.map_or_else(|| "none".to_owned(), |ticket| ticket.to_string());
    let replies: Vec<String> =
        account.replies.iter().map(|(template, copies)| format!("{template}{}", if *copies > 0 { " (with CC)" } else { "" })).collect();
    let replies = if replies.is_empty() { "none".to_owned() } else { replies.join(", ") };
    let server = match account.server {
        ServerAction::File => "filed in the done folder",
        ServerAction::Delete => "deleted from the mailbox, and seen to be gone",
        ServerAction::Keep => "left in the mailbox",
    };
    output::line(name);
    for (what, text) in [
        ("verdict", account.outcome.as_str().to_owned()),
        ("why", reasons.join(", ")),
        ("ticket", ticket),
        ("reply", replies),
        ("the mail", server.to_owned()),
    ] {
        output::line(&format!("    {what:<9} {text}"));
    }
}

fn look_around(world: &Path) {
    let world = world.display();
    output::line("");
    output::line(&format!("Everything lies in {world}:"));
    for (what, place) in [
        ("the answers that were sent", "replies-sent/"),
        ("the mailboxes, with the filed mails in .Verwerkt", "mail/"),
        ("the settings and the customers", "postkamer.toml, organisations/"),
        ("the database and the attachments that were kept", "var/"),
    ] {
        output::line(&format!("    {place:<32} {what}"));
    }
    output::line("");
    output::line("Look further with:");
    for command in ["tickets list", "tickets show PK-00001", "queue list", "status"] {
        output::line(&format!("    cargo run --ignore-rust-version --locked -- --config {world}/postkamer.toml {command}"));
    }
    output::line(&format!("When you have seen enough, delete {world}."));
}
