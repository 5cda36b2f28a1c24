//! `postkamer retention`: what is removed when its term is over, and legal holds.

use super::tickets::{find, plain};
use super::{Failure, Office, Place, directory, output};
use crate::retention::{self, Report};
use crate::store::{DueItem, Forgotten, HoldOn, Look};
use crate::words::{MailboxId, TicketNumber};

/// Remove what has been kept for as long as the settings say, or keep it by a legal hold.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Remove everything whose term is over. The daemon does the same every day.
    Run {
        /// Only list what would be removed.
        #[arg(long)]
        dry_run: bool,
        /// What was removed as one JSON object; with --dry-run one object a line for everything that is due.
        #[arg(long)]
        json: bool,
    },
    /// Keep a ticket, or everything of an organisation, whatever the terms say.
    Hold {
        #[command(flatten)]
        on: On,
        /// Why; agents read it.
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Lift a legal hold: the terms count again, as if they had never stopped.
    Unhold {
        #[command(flatten)]
        on: On,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Say that filed mails of which postkamer cannot know any more, because no desk has their mailbox now, were removed there by hand.
    Removed {
        /// The mailbox, as `retention run` names it.
        mailbox: String,
    },
    /// All legal holds.
    Holds {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
}

/// What a hold keeps.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct On {
    /// A ticket and its mails.
    #[arg(long, value_name = "NUMBER")]
    ticket: Option<TicketNumber>,
    /// Everything of an organisation.
    #[arg(long, value_name = "ID")]
    organisation: Option<String>,
}

pub(super) async fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let office = place.office().await?;
    match command {
        Command::Run { dry_run: true, json } => list(&office, json).await,
        Command::Run { dry_run: false, json } => remove(&office, json).await,
        Command::Hold { on, reason, json } => {
            let on = on.checked(&office).await?;
            office.store.hold(&on, &office.agent()?, &reason).await.map_err(plain)?;
            let fields = serde_json::json!({ "of": name(&on), "held": true });
            output::done(json, &format!("{} is on hold: nothing of it is removed.", name(&on)), &fields)
        }
        Command::Unhold { on, json } => {
            let on = on.named();
            office.store.unhold(&on, &office.agent()?).await.map_err(plain)?;
            let fields = serde_json::json!({ "of": name(&on), "held": false });
            output::done(json, &format!("{} is on hold no more.", name(&on)), &fields)
        }
        Command::Removed { mailbox } => {
            let settled = retention::removed_by_hand(&office.settings, &office.store, &MailboxId::new(&mailbox), &office.agent()?).await?;
            if settled == 0 {
                return Err(Failure::Usage(format!("No filed mail of {mailbox} is due to be removed that postkamer could not look for.")));
            }
            output::line(&format!("{settled} filed mails of {mailbox} are booked as removed by hand."));
            Ok(())
        }
        Command::Holds { json } => holds(&office, json).await,
    }
}

impl On {
    fn named(self) -> HoldOn {
        match (self.ticket, self.organisation) {
            (Some(number), _) => HoldOn::Ticket(number),
            (None, organisation) => HoldOn::Organisation(organisation.unwrap_or_default()),
        }
    }

    /// As named, if there is such a thing and the agent may see it.
    async fn checked(self, office: &Office) -> Result<HoldOn, Failure> {
        let on = self.named();
        match &on {
            HoldOn::Ticket(number) => drop(find(office, *number).await?),
            HoldOn::Organisation(id) => drop(directory::organisation(&office.settings, id)?),
        }
        Ok(on)
    }
}

fn name(on: &HoldOn) -> String {
    match on {
        HoldOn::Ticket(number) => number.to_string(),
        HoldOn::Organisation(id) => id.clone(),
    }
}

async fn list(office: &Office, json: bool) -> Result<(), Failure> {
    let due = retention::due(&office.settings, &office.store).await?;
    let files = retention::ended(&office.settings, &office.store).await?;
    let people = office.store.erasures_to_finish().await?;
    if json {
        due.iter().try_for_each(output::json)?;
        if people > 0 {
            output::json(&serde_json::json!({ "kind": "people", "count": people }))?;
        }
        return files
            .iter()
            .try_for_each(|(id, _)| output::json(&serde_json::json!({ "kind": "organisation-file", "organisation": id, "count": 1 })));
    }
    let mut rows: Vec<Vec<String>> = due.iter().map(row).collect();
    rows.extend(files.into_iter().map(|(id, _)| vec!["organisation's file".to_owned(), id, "1".to_owned(), String::new()]));
    if people > 0 {
        rows.push(vec!["people who are to be erased, kept by a hold before".to_owned(), String::new(), people.to_string(), String::new()]);
    }
    output::table(&["what", "of", "how many", "due since"], rows, "Nothing is due to be removed.");
    Ok(())
}

fn row(item: &DueItem) -> Vec<String> {
    let of = [item.ticket.map(|id| TicketNumber::new(id).to_string()), item.organisation.clone(), item.mailbox.clone(), item.month.clone()];
    let of: Vec<String> = of.into_iter().flatten().collect();
    vec![word(item.kind).to_owned(), of.join(", "), item.count.to_string(), output::moment(item.due)]
}

fn word(kind: Forgotten) -> &'static str {
    match kind {
        Forgotten::Organisations => "tickets of an organisation whose contract ended",
        Forgotten::Queue => "ticket that waited too long",
        Forgotten::Attachments => "attachments",
        Forgotten::Originals => "originals in the mailbox",
        Forgotten::Decisions => "decisions",
        Forgotten::Letters => "letters about no ticket",
        Forgotten::Keys => "month of names in the audit record",
    }
}

async fn remove(office: &Office, json: bool) -> Result<(), Failure> {
    let report = retention::run(&office.settings, &office.store, &office.agent()?, None).await?;
    if json {
        output::json(&report)?;
    } else {
        tell(&report);
    }
    if report.trouble.is_empty() {
        return Ok(());
    }
    report.trouble.iter().for_each(|sentence| output::complain(sentence));
    Err(Failure::TryLater("Not everything that is due could be removed; the rest is tried again at the next run.".to_owned()))
}

fn tell(report: &Report) {
    let removed = report.removed.iter().map(|(kind, count)| (word(*kind), *count));
    let rest = [
        ("originals expunged, and seen to be gone", report.originals_gone),
        ("originals that were not there any more", report.originals_absent),
        ("files of attachments", report.files),
        ("files of organisations", report.organisation_files),
        ("people who were to be erased, kept by a hold before", report.people),
    ];
    let rows: Vec<Vec<String>> =
        removed.chain(rest).filter(|(_, count)| *count > 0).map(|(what, count)| vec![what.to_owned(), count.to_string()]).collect();
    output::table(&["removed", "how many"], rows, "Nothing was due to be removed.");
}

async fn holds(office: &Office, json: bool) -> Result<(), Failure> {
    office.store.looked(Look::Holds, &office.agent()?).await?;
    let holds = office.store.holds().await?;
    if json {
        return holds.iter().try_for_each(|hold| {
            let (ticket, organisation) = match &hold.on {
                HoldOn::Ticket(number) => (Some(number.to_string()), None),
                HoldOn::Organisation(id) => (None, Some(id)),
            };
            output::json(&serde_json::json!({ "ticket": ticket, "organisation": organisation, "since": hold.since, "reason": hold.reason }))
        });
    }
    let rows = holds.iter().map(|hold| vec![name(&hold.on), output::moment(hold.since), output::safe(&hold.reason)]).collect();
    output::table(&["on hold", "since", "why"], rows, "Nothing is on legal hold.");
    Ok(())
}
