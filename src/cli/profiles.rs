//! `postkamer profiles`: what is kept of the people who write (POLICY "Profiles").

use jiff::civil::Date;

use super::tickets::plain;
use super::{Failure, Office, Place, directory, output};
use crate::store::{Look, Profile, ProfileChange};
use crate::words::EmailAddress;

/// Look at what is kept of the people who write, and add to it.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// All of them, by address.
    List {
        /// Of this organisation only.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// One of them, with the tickets that the person asked for.
    Show {
        /// The address.
        email: EmailAddress,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Make one by hand.
    Add {
        /// The address.
        email: EmailAddress,
        /// Whose colleague; without it, the organisation whose domain it is.
        #[arg(long, value_name = "ID")]
        organisation: Option<String>,
        #[command(flatten)]
        known: Known,
    },
    /// Put a name or phone numbers into one; an empty number takes it out.
    Set {
        /// The address.
        email: EmailAddress,
        #[command(flatten)]
        known: Known,
    },
    /// The person has left: nobody is reached by it any more, and it is erased in the January after.
    Deactivate {
        /// The address.
        email: EmailAddress,
        /// The first day gone; without it, today.
        #[arg(long, value_name = "DAY")]
        on: Option<Date>,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
}

/// What an agent knows of a person.
#[derive(Debug, clap::Args)]
pub(super) struct Known {
    /// The name.
    #[arg(long)]
    name: Option<String>,
    /// The phone number.
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// The mobile number.
    #[arg(long, value_name = "NUMBER")]
    mobile: Option<String>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

impl Known {
    fn as_change(&self) -> Result<ProfileChange<'_>, Failure> {
        let texts = [self.name.as_deref(), self.phone.as_deref(), self.mobile.as_deref()];
        if texts.iter().flatten().any(|text| text.chars().any(char::is_control)) {
            return Err(Failure::Usage("Names and numbers hold no control characters.".to_owned()));
        }
        let [name, phone, mobile] = texts;
        Ok(ProfileChange { name, phone, mobile })
    }
}

pub(super) async fn run(place: &Place, command: Command) -> Result<(), Failure> {
    let office = place.office().await?;
    let (store, agent) = (&office.store, office.agent()?);
    let today = office.settings.today(place.clock.now());
    match command {
        Command::List { organisation, json } => {
            let profiles = store.profiles(organisation.as_deref()).await?;
            store.looked(Look::Profile(None), &agent).await?;
            list(&profiles, json)
        }
        Command::Show { email, json } => {
            let profile = store.profile(&email).await?.ok_or_else(none)?;
            store.looked(Look::Profile(Some(&email)), &agent).await?;
            if json {
                return output::json(&profile);
            }
            list(std::slice::from_ref(&profile), false)?;
            output::line(&format!("tickets: {}", if profile.tickets.is_empty() { "none".to_owned() } else { profile.tickets.join(", ") }));
            Ok(())
        }
        Command::Add { email, organisation, known } => {
            let organisation = organisation_of(&office, organisation.as_deref(), &email, today)?;
            store.add_profile(&email, organisation.as_deref(), &known.as_change()?, &agent).await.map_err(plain)?;
            output::done(known.json, "The profile is made.", &serde_json::json!({ "organisation": organisation, "profile": "made" }))
        }
        Command::Set { email, known } => {
            store.change_profile(&email, &known.as_change()?, &agent).await.map_err(plain)?;
            output::done(known.json, "The profile is changed.", &serde_json::json!({ "profile": "changed" }))
        }
        Command::Deactivate { email, on, json } => {
            let on = on.unwrap_or(today);
            if !store.deactivate_profile(&email, on, &agent).await? {
                return Err(none());
            }
            let fields = serde_json::json!({ "profile": "deactivated", "from": on.to_string() });
            output::done(json, "The profile is deactivated; it is erased in the January after.", &fields)
        }
    }
}

fn none() -> Failure {
    Failure::Usage("There is no such profile, or it is deactivated already.".to_owned())
}

/// As the agent says, else by the domain.
fn organisation_of(office: &Office, named: Option<&str>, email: &EmailAddress, today: Date) -> Result<Option<String>, Failure> {
    let found = match named {
        Some(id) => Some(directory::organisation(&office.settings, id)?),
        None => office.settings.organisations.organisation_by_domain(email.domain(), today),
    };
    Ok(found.map(|organisation| organisation.id.to_string()))
}

fn list(profiles: &[Profile], json: bool) -> Result<(), Failure> {
    if json {
        return profiles.iter().try_for_each(output::json);
    }
    let rows = profiles.iter().map(|profile| {
        let phones: Vec<String> = [&profile.phone, &profile.mobile].into_iter().flatten().map(|number| output::safe(number)).collect();
        vec![
            output::safe(&profile.address),
            output::safe(&profile.name),
            profile.organisation.clone().unwrap_or_else(|| "-".to_owned()),
            phones.join(", "),
            profile.deactivated_on.as_ref().map_or_else(|| "active".to_owned(), |day| format!("left {day}")),
            profile.made_by.clone(),
        ]
    });
    output::table(&["address", "name", "organisation", "phone", "state", "made by"], rows.collect(), "There are no such profiles.");
    Ok(())
}
