//! `postkamer queue`: what waits for an agent.

use std::num::NonZeroU32;

use super::tickets::{find, list, plain, told};
use super::{Failure, Office, Place, output};
use crate::decide::Template;
use crate::journey::Journey;
use crate::plan::{AgentsReply, agents_reply};
use crate::store::{Correspondence, Stuck, TicketView};
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
    /// Take a waiting ticket on: it opens, and the sender is told.
    Release {
        /// Its number, such as PK-00042.
        number: TicketNumber,
        /// Why; the sender reads it.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Decline a waiting ticket: it is closed for good, and the sender is told.
    Refuse {
        /// Its number, such as PK-00042.
        number: TicketNumber,
        /// Why; the sender reads it.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Have a stuck mail tried again.
    Retry {
        /// The mail as `queue list` names it: desk/UIDVALIDITY/UID, or desk/UID.
        mail: String,
    },
}

pub(super) async fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let office = place.office().await?;
    match command {
        Command::List { json } => list_all(&office, json).await,
        Command::Show { number, json } => {
            drop(office);
            super::tickets::run(place, super::tickets::Command::Show { number, json }).await
        }
        Command::Release { number, reason, json } => {
            let view = find(&office, number).await?;
            let text = Redacted::new(reason.clone().unwrap_or_default());
            let house = Journey::house_of(&office.settings).map_err(|error| Failure::Usage(error.to_string()))?;
            let letter = |to: &Correspondence, keys: &Keys| write(&office, &house, Template::Released, to, &view, reason, keys);
            office.store.release(number, &office.agent()?, &text, letter).await.map_err(plain)?;
            told(&office, number, "is open", json).await
        }
        Command::Refuse { number, reason, json } => {
            let view = find(&office, number).await?;
            let text = Redacted::new(reason.clone().unwrap_or_default());
            let house = Journey::house_of(&office.settings).map_err(|error| Failure::Usage(error.to_string()))?;
            let letter = |to: &Correspondence, keys: &Keys| write(&office, &house, Template::Refused, to, &view, reason, keys);
            office.store.refuse(number, &office.agent()?, &text, letter).await.map_err(plain)?;
            told(&office, number, "is refused and closed", json).await
        }
        Command::Retry { mail } => retry(&office, &mail).await,
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

/// The sender is told once, in the ticket's language. Without a desk in the settings any more nobody is.
fn write(
    office: &Office,
    house: &crate::plan::House,
    template: Template,
    to: &Correspondence,
    view: &TicketView,
    reason: Option<String>,
    keys: &Keys,
) -> Option<crate::plan::PlannedReply> {
    let desk = office.settings.desk(&to.desk)?.letterhead();
    let organisation = view.summary.organisation.as_deref().and_then(|id| office.settings.organisations.organisation(id));
    let reply = AgentsReply {
        template,
        number: to.reply,
        ticket: &to.ticket,
        to: &to.requester,
        answers: to.message_id.as_ref(),
        reason,
        organisation_name: organisation.map(|organisation| organisation.name.clone()),
    };
    agents_reply(reply, &desk, house, keys, office.store.clock().now()).ok()
}

async fn retry(office: &Office, mail: &str) -> Result<(), Failure> {
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
    office.store.retry_stuck(&MailboxId::new(desk), validity, uid, &office.agent()?).await.map_err(plain)?;
    output::line(&format!("{mail} is tried again at the next round."));
    Ok(())
}
