//! `postkamer outbox`: replies that are to be sent.

use super::tickets::plain;
use super::{Failure, Place, output};

/// Look after replies that are to be sent.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Replies that are not sent yet, and those that can reach nobody.
    List {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        /// Those that were sent, too.
        #[arg(long)]
        all: bool,
    },
    /// Have a reply tried again now.
    Retry {
        /// Its number as `outbox list` shows it.
        #[arg(value_parser = number)]
        number: i64,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

fn number(text: &str) -> Result<i64, &'static str> {
    text.parse().map_err(|_| "it is a reply's number, as `postkamer outbox list` shows it")
}

pub(super) async fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let office = place.office().await?;
    match command {
        Command::List { json, all } => {
            let letters = office.store.letters(all).await?;
            if json {
                return letters.iter().try_for_each(output::json);
            }
            let rows = letters.iter().map(|letter| {
                vec![
                    letter.id.to_string(),
                    letter.template.as_str().to_owned(),
                    letter.ticket.clone().unwrap_or_else(|| "-".to_owned()),
                    letter.state.as_str().to_owned(),
                    letter.attempts.to_string(),
                    letter.last_code.clone().unwrap_or_default(),
                    letter.due_at.map(output::moment).unwrap_or_default(),
                ]
            });
            output::table(
                &["reply", "letter", "ticket", "state", "attempts", "last answer", "due"],
                rows.collect(),
                "Nothing waits to be sent.",
            );
            Ok(())
        }
        Command::Retry { number, json } => {
            office.store.retry_letter(number, &office.agent()?).await.map_err(plain)?;
            let fields = serde_json::json!({ "id": number, "retried": true });
            output::done(json, &format!("Reply {number} is sent at the next round."), &fields)
        }
    }
}
