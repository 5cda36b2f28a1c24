//! `postkamer queue`: what waits for an agent.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use super::letters::Desk;
use super::tickets::{find, list, plain, told};
use super::{Failure, Office, Place, output};
use crate::decide::Template;
use crate::store::{Correspondence, OUTSIDE, Stuck, TicketStatus};
use crate::words::{Keys, MailboxId, Redacted, TicketNumber};

/// Work on what waits for an agent, and on mails that could not be processed.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Tickets that wait, and mails that are stuck in their mailbox.
    List {
        /// One JSON object a line; stuck mails have "stuck": true.
        #[arg(long)]
        json: bool,
    },
    /// One waiting ticket.
    Show {
        /// Its number, such as PK-00042.
        number: TicketNumber,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Take waiting tickets on: they open, and their senders are told.
    Release(Decision),
    /// Decline waiting tickets: they are closed for good, and their senders are told.
    Refuse(Decision),
    /// Have a stuck mail tried again.
    Retry {
        /// The mail as `queue list` names it: desk/UIDVALIDITY/UID, or desk/UID.
        mail: String,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// Which tickets, and why.
#[derive(Debug, clap::Args)]
pub(super) struct Decision {
    /// Their numbers, such as PK-00042. All of them must be waiting; else nothing is decided.
    #[arg(required = true)]
    numbers: Vec<TicketNumber>,
    /// Why; the senders read it.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let office = place.office().await?;
    match command {
        Command::List { json } => list_all(&office, json).await,
        Command::Show { number, json } => {
            drop(office);
            super::tickets::run(place, super::tickets::Command::Show { number, json }).await
        }
        Command::Release(decision) => decide(&office, decision, Template::Released).await,
        Command::Refuse(decision) => decide(&office, decision, Template::Refused).await,
        Command::Retry { mail, json } => retry(&office, &mail, json).await,
    }
}

async fn list_all(office: &Office, json: bool) -> Result<(), Failure> {
    let queued = office.store.queue(office.desks_of_agent()?.as_deref()).await?;
    if json {
        for ticket in &queued.tickets {
            let mut value = serde_json::to_value(ticket)?;
            if let Some(fields) = value.as_object_mut() {
                fields.insert("stuck".into(), false.into());
            }
            output::json(&value)?;
        }
        return queued.stuck.iter().try_for_each(|mail| {
            output::json(&serde_json::json!({
                "stuck": true, "mailbox": mail.uid.mailbox.as_str(), "uidvalidity": mail.uid.validity, "uid": mail.uid.uid,
                "attempts": mail.attempts, "since": mail.since, "reason": mail.reason,
            }))
        });
    }
    list(&queued.tickets, false)?;
    if !queued.stuck.is_empty() {
        output::line("");
        let row = |mail: &Stuck| {
            let reason = mail.reason.clone().unwrap_or_default();
            vec![mail.uid.to_string(), mail.attempts.to_string(), output::moment(mail.since), reason]
        };
        output::table(&["stuck mail", "attempts", "since", "why"], queued.stuck.iter().map(row).collect(), "");
    }
    Ok(())
}

/// Each sender is told once, in the ticket's language.
async fn decide(office: &Office, decision: Decision, template: Template) -> Result<(), Failure> {
    let numbers: BTreeSet<TicketNumber> = decision.numbers.into_iter().collect();
    for number in &numbers {
        if find(office, *number).await?.summary.status != TicketStatus::Queued {
            return Err(Failure::Usage(format!("That cannot be done now: {number} does not wait for an agent. Nothing was decided.")));
        }
    }
    let (desk, agent) = (Desk::of(office)?, office.agent()?);
    let text = Redacted::new(decision.reason.clone().unwrap_or_default());
    for number in numbers {
        let letter = |on: &Correspondence, keys: &Keys| desk.to_requester(template, on, decision.reason.clone(), Vec::new(), keys);
        let sentence = if template == Template::Released {
            office.store.release(number, &agent, &text, letter).await.map_err(plain)?;
            "is open"
        } else {
            office.store.refuse(number, &agent, &text, letter).await.map_err(plain)?;
            "is refused and closed"
        };
        told(office, number, sentence, decision.json).await?;
    }
    Ok(())
}

async fn retry(office: &Office, mail: &str, json: bool) -> Result<(), Failure> {
    let wrong =
        || Failure::Usage("A stuck mail is named as `postkamer queue list` shows it: desk/UIDVALIDITY/UID, or desk/UID.".to_owned());
    let mut parts = mail.rsplit('/');
    let uid: u32 = parts.next().and_then(|uid| uid.parse().ok()).ok_or_else(wrong)?;
    let rest: Vec<&str> = parts.collect();
    let (desk, validity) = match rest.as_slice() {
        [desk] => (*desk, None),
        [validity, desk] => (*desk, Some(validity.parse::<NonZeroU32>().map_err(|_| wrong())?)),
        _ => return Err(wrong()),
    };
    let own = office.desks_of_agent()?;
    // A mail from a pipe is in no desk's mailbox, and for all.
    if desk != OUTSIDE {
        office.may_see(&own, desk)?;
    }
    office.store.retry_stuck(&MailboxId::new(desk), validity, uid, &office.agent()?).await.map_err(plain)?;
    let fields = serde_json::json!({ "mail": mail, "retried": true });
    output::done(json, &format!("{mail} is tried again at the next round."), &fields)
}
