//! `postkamer status`: how everything stands.

use super::{Failure, Place, output};

/// Tell how everything stands: tickets, mails, replies, and what is overdue.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(place: &Place, args: Args) -> Result<(), Failure> {
    let office = place.office().await?;
    let status = office.store.status().await?;
    if args.json {
        return output::json(&status);
    }
    let mut rows = Vec::new();
    for (what, counts) in [
        ("tickets", &status.tickets),
        ("mails booked", &status.mails),
        ("mails without a result", &status.arrivals),
        ("replies", &status.outbox),
        ("to be done on servers", &status.actions_due),
    ] {
        let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
        rows.push(vec![what.to_owned(), if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }]);
    }
    output::table(&["what", "how many"], rows, "");
    for (age, sentence) in [
        (status.outbox_oldest, "The oldest reply that is not sent waits for"),
        (status.removal_oldest, "The oldest mail that must be deleted waits for"),
    ] {
        if let Some(seconds) = age {
            output::line(&format!("{sentence} {seconds} seconds."));
        }
    }
    let stuck = status.arrivals.get("stuck").copied().unwrap_or_default();
    if stuck > 0 {
        output::line(&format!("{stuck} mails are stuck; see `postkamer queue list`."));
    }
    if status.actions_failing > 0 {
        output::line(&format!("{} mails cannot be filed or deleted on their server, after many attempts.", status.actions_failing));
    }
    Ok(())
}
