//! `postkamer deliver`: raw mails from outside a mailbox, as an MTA's pipe has them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Failure, Office, Place, explain, output};
use crate::daemon::{Daemon, mail_outside_a_mailbox};
use crate::mailbox::RawMail;
use crate::store::{ArrivalState, Lease, Store, StoreError, Unbooked};

/// Take in raw mails outside a mailbox, as from a mail server's pipe; exit status 75 when one cannot be booked, be it for a mistake
/// in the settings, 1 when a file cannot be read.
///
/// The replies are booked with them and sent by the daemon.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The desk that they reached.
    #[arg(long, value_name = "NAME")]
    desk: String,
    /// Raw mails; - or nothing is standard input.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What became of each mail, one JSON object a line; nothing of one that was booked before.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(place: &Place, args: Args) -> Result<(), Failure> {
    let settings = Arc::new(place.settings().map_err(not_now)?);
    let office = Office::open(settings, place.clock.clone()).await.map_err(not_now)?;
    let desk = explain::desk_named(&office.settings, &args.desk)?.clone();
    let journey = super::journey(office.settings.clone(), super::able_extractor().await.map_err(not_now)?).map_err(not_now)?;
    let transport = super::transport(&office.settings);
    let (witness, mut accounts) = mpsc::unbounded_channel();
    let daemon = Daemon::new(journey, office.store.clone(), transport, Lease::without_mailbox()).with_witness(witness);
    let files = if args.files.is_empty() { vec![PathBuf::from("-")] } else { args.files };
    let mut unread = false;
    for file in &files {
        daemon.room().map_err(|trouble| Failure::TryLater(format!("The mail could not be booked: {trouble}.")))?;
        let (now, max_mail) = (office.store.clock().now(), office.settings.attachments.max_mail);
        let mail = match read(file, now, max_mail) {
            Ok(mail) => mail,
            // As with explain and screen: it is named, and the others are seen to.
            Err(error) => {
                output::complain(&format!("{} cannot be read: {error}", file.display()));
                unread = true;
                continue;
            }
        };
        // An MTA repeats what it was told to keep: the same bytes are booked once.
        let Some(known) = office.store.filter_new(std::slice::from_ref(&mail.uid)).await.map_err(not_booked)?.pop() else { continue };
        if is_stuck(&office.store, &known).await.map_err(not_booked)? {
            return Err(Failure::TryLater(format!(
                "The mail cannot be processed and is stuck; it stays with the mail server until somebody has it tried again: \
                 `postkamer queue retry {}`.",
                mail.uid
            )));
        }
        let booking = daemon.take_in(&desk, mail).await.map_err(not_booked)?;
        while let Ok(account) = accounts.try_recv() {
            if args.json {
                output::json(&output::account_of(&file.to_string_lossy(), &account))?;
            }
        }
        if !booking.deferred.is_empty() {
            return Err(Failure::TryLater("The sender is over the intake rate; the mail is to be offered again later.".to_owned()));
        }
        if booking.booked.is_empty() {
            let sentence = "DNS does not say whether the sender is authentic; the mail is to be offered again later.";
            return Err(Failure::TryLater(sentence.to_owned()));
        }
    }
    office.store.close().await?;
    if unread { Err(Failure::No) } else { Ok(()) }
}

fn read(file: &Path, now: jiff::Timestamp, max_mail: u64) -> std::io::Result<RawMail> {
    if file.as_os_str() == "-" {
        return mail_outside_a_mailbox(std::io::stdin().lock(), now, max_mail);
    }
    mail_outside_a_mailbox(std::fs::File::open(file)?, now, max_mail)
}

/// Settings with a mistake, a database that cannot be opened, one of a newer version included, or no process to be had: at any other exit status
/// the mail server would send the mail back to whoever wrote it.
fn not_now(failure: Failure) -> Failure {
    match failure {
        Failure::Usage(sentence) => Failure::TryLater(sentence),
        Failure::Other(error) => Failure::TryLater(format!("{error:#}")),
        other => other,
    }
}

/// Whether the mail brought the program down three times. What is in hand still was so when a process died.
async fn is_stuck(store: &Store, known: &Unbooked) -> Result<bool, StoreError> {
    Ok(match known.state {
        ArrivalState::Stuck => true,
        ArrivalState::Waiting => !store.settle_failure(std::slice::from_ref(&known.uid), "unclean-stop").await?.is_empty(),
        _ => false,
    })
}

/// Whatever the reason: what is not booked stays with the mail server.
fn not_booked(error: impl std::fmt::Display) -> Failure {
    Failure::TryLater(format!("The mail could not be booked: {error}."))
}
