//! `postkamer contacts`: who is on the lists, and who comes and goes (DESIGN §6, POLICY "Additions and leavers").

use jiff::civil::Date;

use super::tickets::{find, list, plain};
use super::{Failure, Office, Place, directory, output};
use crate::decide::Reason;
use crate::identify::{ContactKind, Organisation};
use crate::settings::contact_edit::{EditError, NewContact, OpenFile, add_contact, contact_leaves};
use crate::store::{Basis, ContactChange, TicketFilter, TicketStatus};
use crate::upkeep;
use crate::words::{EmailAddress, TicketNumber};

/// Look up contacts, and change the lists at the request of those who may ask for it.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// All of them, in the order of the files.
    List {
        /// Of this organisation only.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Tickets on which somebody asks for an addition to the list, and nobody was added yet.
    Requests {
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Put somebody on the list of an organisation, because one of its general contacts asks for it.
    Add(Addition),
    /// Write down that a contact leaves.
    Leave(Leaving),
}

/// Who comes.
#[derive(Debug, clap::Args)]
pub(super) struct Addition {
    /// The organisation.
    #[arg(long, value_name = "ID")]
    organisation: String,
    /// The name, as the person writes it in mail.
    #[arg(long)]
    name: String,
    /// The personal business address.
    #[arg(long, value_name = "ADDRESS")]
    email: EmailAddress,
    /// May raise anything and approve, or raise ICT matters only.
    #[arg(long, value_name = "general|ict", value_parser = kind)]
    kind: ContactKind,
    /// A phone number.
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// A mobile number.
    #[arg(long, value_name = "NUMBER")]
    mobile: Option<String>,
    /// The ticket with the mail of the general contact who asks for it.
    #[arg(long, value_name = "NUMBER")]
    ticket: TicketNumber,
    /// The address is outside the organisation's domains, and is meant.
    #[arg(long)]
    foreign_domain: bool,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// Who goes.
#[derive(Debug, clap::Args)]
pub(super) struct Leaving {
    /// The address on the list.
    email: EmailAddress,
    /// The first day gone; without it, today.
    #[arg(long, value_name = "DAY")]
    on: Option<Date>,
    /// The ticket with the mail that says so.
    #[arg(long, value_name = "NUMBER", required_unless_present = "told_by")]
    ticket: Option<TicketNumber>,
    /// Who told you, where no mail does.
    #[arg(long, value_name = "own|organisation", value_parser = teller, conflicts_with = "ticket")]
    told_by: Option<Basis>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

fn kind(code: &str) -> Result<ContactKind, String> {
    [ContactKind::General, ContactKind::Ict].into_iter().find(|kind| kind.as_str() == code).ok_or_else(|| "it is general or ict".to_owned())
}

fn teller(code: &str) -> Result<Basis, String> {
    [Basis::Own, Basis::Organisation].into_iter().find(|basis| basis.as_str() == code).ok_or_else(|| "it is own or organisation".to_owned())
}

pub(super) async fn run(place: &Place, command: Command) -> Result<(), Failure> {
    match command {
        Command::List { organisation, json } => directory::contacts(place, organisation.as_deref(), json).await,
        Command::Requests { json } => requests(&place.office().await?, json).await,
        Command::Add(addition) => add(place, addition).await,
        Command::Leave(leaving) => leave(place, leaving).await,
    }
}

async fn requests(office: &Office, json: bool) -> Result<(), Failure> {
    let answered = office.store.tickets_with_additions().await?;
    let mut tickets = office.store.tickets(&TicketFilter { desks: office.desks_of_agent()?, ..TicketFilter::default() }).await?;
    tickets.retain(|ticket| {
        ticket.status != TicketStatus::Closed && ticket.reasons.contains(&Reason::AdditionRequest) && !answered.contains(&ticket.id)
    });
    list(&tickets, json)
}

async fn add(place: &Place, addition: Addition) -> Result<(), Failure> {
    let office = place.office().await?;
    upkeep::settle_contact_changes(&office.settings, &office.store, None).await?;
    let organisation = directory::organisation(&office.settings, &addition.organisation)?;
    let today = office.settings.today(place.clock.now());
    let requested_by = general_contact_on(&office, addition.ticket, organisation, today).await?;
    let new = NewContact {
        name: &addition.name,
        email: &addition.email,
        kind: addition.kind,
        phone: addition.phone.as_deref(),
        mobile: addition.mobile.as_deref(),
        foreign_domain: addition.foreign_domain,
    };
    let list = add_contact(&office.settings, organisation, &new, today).map_err(refused)?;
    let change = ContactChange {
        organisation: organisation.id.as_str(),
        added: true,
        kind: addition.kind.as_str(),
        person: &addition.email,
        basis: Basis::GeneralContact,
        requested_by: Some(&requested_by),
        ticket: Some(addition.ticket),
        effective: today,
    };
    carry_out(&office, &change, list).await?;
    office.store.reactivate_profile(&addition.email, &office.agent()?).await?;
    let fields = serde_json::json!({
        "organisation": organisation.id.as_str(), "kind": addition.kind.as_str(), "ticket": addition.ticket.to_string(), "added": true,
    });
    output::done(addition.json, &format!("{} has a new contact, at the request on {}.", organisation.id, addition.ticket), &fields)
}

async fn leave(place: &Place, leaving: Leaving) -> Result<(), Failure> {
    let office = place.office().await?;
    upkeep::settle_contact_changes(&office.settings, &office.store, None).await?;
    let agent = office.agent()?;
    let today = office.settings.today(place.clock.now());
    let (organisation, _) =
        office.settings.organisations.contact_by_address(&leaving.email, today).ok_or_else(|| refused(EditError::NotListed))?;
    let (basis, requested_by) = match (leaving.ticket, leaving.told_by) {
        (Some(ticket), _) => told_on(&office, ticket, organisation, &leaving.email, today).await?,
        (None, told_by) => (told_by.unwrap_or(Basis::Organisation), None),
    };
    let effective = leaving.on.unwrap_or(today);
    let (kind, list) = contact_leaves(&office.settings, organisation, &leaving.email, effective).map_err(refused)?;
    let change = ContactChange {
        organisation: organisation.id.as_str(),
        added: false,
        kind: kind.as_str(),
        person: &leaving.email,
        basis,
        requested_by: requested_by.as_ref(),
        ticket: leaving.ticket,
        effective,
    };
    carry_out(&office, &change, list).await?;
    if effective <= today {
        office.store.deactivate_profile(&leaving.email, effective, &agent).await?;
    }
    let fields = serde_json::json!({
        "organisation": organisation.id.as_str(), "kind": kind.as_str(),
        "ticket": leaving.ticket.map(|ticket| ticket.to_string()), "left": effective.to_string(),
    });
    output::done(leaving.json, &format!("The contact of {} is gone from {effective} on.", organisation.id), &fields)
}

/// Changes a list. The change is planned in the database, then made in the file, then put on record: wherever it breaks off, the next command
/// or the daemon finds the plan and sees by the file what became of it ([`upkeep::settle_contact_changes`]).
async fn carry_out(office: &Office, change: &ContactChange<'_>, list: OpenFile) -> Result<(), Failure> {
    let plan = office.store.plan_contact_change(change, &office.agent()?).await.map_err(plain)?;
    if let Err(error) = list.replace() {
        upkeep::settle_contact_changes(&office.settings, &office.store, Some(plan)).await?;
        return Err(refused(error));
    }
    office.store.contact_changed(plan).await.map_err(plain)
}

/// The general contact of that organisation who takes part in the ticket: only they may have somebody put on the list.
pub(super) async fn general_contact_on(
    office: &Office,
    ticket: TicketNumber,
    organisation: &Organisation,
    today: Date,
) -> Result<EmailAddress, Failure> {
    find(office, ticket).await?;
    let participants = office.store.participants(ticket).await?;
    let may_ask = |address: &EmailAddress| {
        let listed = office.settings.organisations.contact_by_address(address, today);
        listed.is_some_and(|(of, contact)| of.id == organisation.id && contact.kind == ContactKind::General)
    };
    participants.into_iter().find(may_ask).ok_or_else(|| {
        Failure::Usage(format!("No general contact of {} has written on {ticket}, and only they may ask for this.", organisation.id))
    })
}

/// Whose mail on that ticket says that somebody leaves.
async fn told_on(
    office: &Office,
    ticket: TicketNumber,
    organisation: &Organisation,
    leaver: &EmailAddress,
    today: Date,
) -> Result<(Basis, Option<EmailAddress>), Failure> {
    if let Ok(general) = general_contact_on(office, ticket, organisation, today).await
        && general != *leaver
    {
        return Ok((Basis::GeneralContact, Some(general)));
    }
    find(office, ticket).await?;
    let participants = office.store.participants(ticket).await?;
    if participants.contains(leaver) {
        return Ok((Basis::Own, Some(leaver.clone())));
    }
    let colleague = participants.into_iter().find(|address| organisation.domains.contains(address.domain()));
    let colleague = colleague
        .ok_or_else(|| Failure::Usage(format!("Neither the leaver nor anybody else of {} has written on {ticket}.", organisation.id)))?;
    Ok((Basis::Organisation, Some(colleague)))
}

/// What the list does not allow is wrong usage; a file that cannot be written is not.
fn refused(error: EditError) -> Failure {
    match error {
        EditError::Changed => Failure::TryLater(format!("The list was not changed: {error}.")),
        EditError::Files { .. } => Failure::Other(anyhow::anyhow!("The list was not changed: {error}.")),
        _ => Failure::Usage(format!("The list was not changed: {error}.")),
    }
}
