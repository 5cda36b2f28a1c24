//! `postkamer check`: every mistake in every file; with `--connect`, what each server can and cannot do (DESIGN §6).

use std::path::Path;

use super::{Failure, Place, output};
use crate::extract::{self, Extractor};
use crate::identify::Authentication;
use crate::mailbox::{self, Level, Report, Sentence};
use crate::outbox::smtp;
use crate::settings::{self, Complaint, Database, Settings, Severity, Smtp};
use crate::store::{self, Found};
use crate::verify::Verifier;
use crate::words::EmailAddress;

/// Check every file of the configuration; with --connect, every server too.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Sign in everywhere, and tell what each server can and cannot do. Nothing is changed there.
    #[arg(long)]
    connect: bool,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Exit status 1 for mistakes, 75 where all that is wrong is a server out of reach.
pub(super) async fn run(place: &Place, args: Args) -> Result<(), Failure> {
    let path = place.config()?;
    if !path.is_file() {
        return Err(Failure::Usage(format!("There is no settings file {}.", path.display())));
    }
    let settings = match settings::check(&path) {
        Ok(settings) => settings,
        Err(mistakes) => {
            show(mistakes.list(), args.json)?;
            if !args.json {
                output::line(&format!("\n{}", tally(mistakes.list())));
            }
            return Err(Failure::No);
        }
    };
    show(&settings.warnings, args.json)?;
    if !args.json {
        let blank = if settings.warnings.is_empty() { "" } else { "\n" };
        output::line(&format!("{blank}{}", summary(&path, &settings)));
    }
    let mut worst = Worst::default();
    let attachments = attachments().await?;
    if args.connect || attachments.sentences.iter().any(|sentence| sentence.level != Level::Fine) {
        worst.add(tell("attachments", attachments, args.json)?);
    }
    if may_be_in_clear(&settings) {
        let sentence = "The `sslmode` of the database's url lets everything go over the network in clear text, or to a server that nobody has \
                        checked: leave it out, or write sslmode=verify-full; sslrootcert=FILE names an authority of your own.";
        tell("database", report(Level::Note, sentence, false), args.json)?;
    }
    if args.connect {
        connect(&settings, args.json, &mut worst).await?;
    }
    worst.answer()
}

fn show(complaints: &[Complaint], json: bool) -> Result<(), Failure> {
    for complaint in complaints {
        if json {
            output::json(&complaint.to_json())?;
        } else {
            output::line(&complaint.to_string());
        }
    }
    Ok(())
}

/// How many mistakes and warnings there are.
fn tally(complaints: &[Complaint]) -> String {
    let of = |severity| complaints.iter().filter(|complaint| complaint.severity == severity).count();
    let warnings = match of(Severity::Warning) {
        0 => String::new(),
        warnings => format!(" and {}", counted(warnings, "warning")),
    };
    format!("{}{warnings}.", counted(of(Severity::Mistake), "mistake"))
}

fn summary(path: &Path, settings: &Settings) -> String {
    let organisations = settings.organisations.organisations();
    let contacts = organisations.iter().map(|organisation| organisation.contacts.len()).sum();
    let warnings = match settings.warnings.len() {
        0 => String::new(),
        warnings => format!(", with {}", counted(warnings, "warning")),
    };
    format!(
        "{} is in order ({}, {}, {}){warnings}.",
        path.display(),
        counted(settings.desks.len(), "desk"),
        counted(organisations.len(), "organisation"),
        counted(contacts, "contact"),
    )
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Asks everything that the settings name, one after the other, and goes on where one is in trouble.
async fn connect(settings: &Settings, json: bool, worst: &mut Worst) -> Result<(), Failure> {
    worst.add(tell("database", database(settings).await, json)?);
    for desk in &settings.desks {
        worst.add(tell(&format!("desk {}", desk.name), mailbox::examine(&desk.mailbox).await, json)?);
    }
    if settings.authentication == Authentication::Verify {
        worst.add(tell("authentication", dns(settings).await, json)?);
    }
    let replies = match &settings.smtp {
        Smtp::Server(server) => smtp::Smtp::new(server.clone()).examine().await,
        Smtp::Directory(path) => directory(path),
    };
    worst.add(tell("replies", replies, json)?);
    Ok(())
}

/// What stood in the way anywhere.
#[derive(Default)]
struct Worst {
    passing: bool,
    lasting: bool,
}

impl Worst {
    fn add(&mut self, report: Report) {
        if !report.is_fine() {
            self.passing |= report.passing;
            self.lasting |= !report.passing;
        }
    }

    fn answer(&self) -> Result<(), Failure> {
        match self {
            Self { lasting: true, .. } => Err(Failure::No),
            Self { passing: true, .. } => {
                Err(Failure::TryLater("Not everything could be reached; the settings themselves are in order.".to_owned()))
            }
            Self { .. } => Ok(()),
        }
    }
}

fn tell(what: &str, report: Report, json: bool) -> Result<Report, Failure> {
    if !json {
        output::line(&format!("\n{what}"));
    }
    for sentence in &report.sentences {
        let level = match sentence.level {
            Level::Fine => "fine",
            Level::Note => "note",
            Level::Fault => "fault",
        };
        if json {
            output::json(&serde_json::json!({ "what": what, "level": level, "message": sentence.text }))?;
        } else {
            output::line(&format!("  {level:<6}{}", sentence.text));
        }
    }
    Ok(report)
}

fn report(level: Level, text: impl Into<String>, passing: bool) -> Report {
    Report { sentences: vec![Sentence { level, text: text.into() }], passing }
}

fn may_be_in_clear(settings: &Settings) -> bool {
    matches!(&settings.database, Database::Postgres(url) if store::may_be_in_clear(url.reveal()))
}

/// Can attachments be read on this machine?
async fn attachments() -> Result<Report, Failure> {
    let obstacles = Extractor::start(extract::Limits::default())?.obstacles().await;
    if obstacles.is_empty() {
        return Ok(report(
            Level::Fine,
            "Attachments can be read: the workers lock themselves in, and the programs that they use are there.",
            false,
        ));
    }
    let mut found = Report::default();
    for obstacle in obstacles {
        found.add(if obstacle.is_total() { Level::Fault } else { Level::Note }, format!("{obstacle}."));
    }
    Ok(found)
}

async fn database(settings: &Settings) -> Report {
    let url = match &settings.database {
        Database::Sqlite(path) => format!("sqlite://{}", path.display()),
        Database::Postgres(url) => url.reveal().clone(),
    };
    match store::examine(&url, &settings.state_dir).await {
        Ok(Found::Ready) => report(Level::Fine, "The database is there and up to date.", false),
        Ok(Found::Absent) => report(Level::Fine, "There is no database yet; it is made at the first start.", false),
        Ok(Found::Outdated(count)) => {
            report(Level::Note, format!("{} will be applied to the database at the next start.", counted(count, "migration")), false)
        }
        Err(error) => report(Level::Fault, format!("The database cannot be used: {error}."), error.is_passing()),
    }
}

/// Does DNS answer, for mode `verify`?
async fn dns(settings: &Settings) -> Report {
    let own = settings.own_addresses().next().map(EmailAddress::domain);
    let answered = match (Verifier::new(settings.dns_server), own) {
        (Err(error), _) => return report(Level::Fault, format!("{error}."), false),
        (Ok(verifier), Some(domain)) => verifier.reach(domain).await,
        (Ok(_), None) => Ok(()),
    };
    let mut report = match answered {
        Ok(()) => report(Level::Fine, "DNS answers: the signatures of mails can be checked.", false),
        Err(_) => {
            let sentence = "DNS does not answer; mail waits for it, and after some hours counts as not authentic.";
            report(Level::Fault, sentence, true)
        }
    };
    report.add(
        Level::Note,
        "SPF takes no part in mode \"verify\": customers whose mail bears no DKIM signature of their own domain count as not authentic.",
    );
    report
}

/// Can replies be written there? The directory itself is made when the first one is.
fn directory(path: &Path) -> Report {
    let there = path.ancestors().find(|path| path.exists());
    let writable = there.is_some_and(|there| there.is_dir() && rustix::fs::access(there, rustix::fs::Access::WRITE_OK).is_ok());
    if writable {
        report(Level::Fine, format!("Replies are written as files into {}.", path.display()), false)
    } else {
        report(Level::Fault, format!("Replies cannot be written into {}.", path.display()), false)
    }
}
