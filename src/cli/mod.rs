//! The commands, one file a group (DESIGN §6).
//!
//! Results go to stdout, everything else to stderr. With `--json` a command prints one JSON object a line.

mod access;
mod audit;
mod check;
mod contacts;
mod deliver;
mod demo;
mod directory;
mod explain;
mod letters;
mod migrate;
mod outbox;
mod output;
mod portal;
mod profiles;
mod person;
mod queue;
mod retention;
mod ropa;
mod run;
mod screen;
mod spots;
mod status;
mod tickets;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

use crate::clock::Clock;
use crate::extract::{self, Extractor};
use crate::journey::Journey;
use crate::outbox::directory::Directory;
use crate::outbox::{Transport, smtp};
use crate::settings::{self, Database, Settings, Smtp};
use crate::store::{Store, StoreError};
use crate::watchdog::Watchdog;

/// The mailroom of a helpdesk whose customers are municipalities.
///
/// Watches mailboxes, works out who is writing, opens or queues tickets, and refuses and deletes what holds personal
/// data of citizens. See README.md for the first steps.
#[derive(Debug, Parser)]
#[command(name = "postkamer", version)]
pub struct Cli {
    /// Settings file; without it config/postkamer.toml, then /etc/postkamer/postkamer.toml.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch all mailboxes and work, until stopped; with --once, work off what waits and exit.
    Run(run::Args),
    /// Show the main job on built-in mails, in a temporary directory: no server, no configuration.
    Demo(demo::Args),
    /// Check every file of the configuration; with --connect, every server too.
    Check(check::Args),
    /// Tell what would become of raw mails, and why; touches nothing.
    Explain(explain::Args),
    /// Tell whether there is citizen data in files of any format, and of what kind; needs no configuration.
    Screen(screen::Args),
    /// Take in raw mails outside a mailbox, as from a mail server's pipe.
    Deliver(deliver::Args),
    /// Work on tickets.
    #[command(subcommand)]
    Tickets(tickets::Command),
    /// Work on what waits for an agent, and on mails that could not be processed.
    #[command(subcommand)]
    Queue(queue::Command),
    /// Look after replies that are to be sent.
    #[command(subcommand)]
    Outbox(outbox::Command),
    /// Look up organisations.
    #[command(subcommand)]
    Organisations(directory::Organisations),
    /// Look up contacts, and change the lists at the request of those who may ask for it.
    #[command(subcommand)]
    Contacts(contacts::Command),
    /// Look at what is kept of the people who write, and add to it.
    #[command(subcommand)]
    Profiles(profiles::Command),
    /// Look after who may use the customer portal.
    #[command(subcommand)]
    Portal(portal::Command),
    /// A person's rights: export what is held, erase it, record an objection.
    #[command(subcommand)]
    Person(person::Command),
    /// Remove what has been kept for as long as the settings say, or keep it by a legal hold.
    #[command(subcommand)]
    Retention(retention::Command),
    /// Print the record of processing activities (GDPR article 30(2)) as the settings in force make it.
    Ropa(ropa::Args),
    /// Read the record of decisions, and prove that it is whole.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Tell who has access, and who looked at what.
    #[command(subcommand)]
    Access(access::Command),
    /// Tell how everything stands.
    Status(status::Args),
    /// Bring the database's schema up to date.
    Migrate(migrate::Args),
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It ran, and the answer is no: exit status 1. What there is to say has been printed.
    #[error("no")]
    No,
    /// Wrong usage or configuration: exit status 2.
    #[error("{0}")]
    Usage(String),
    /// A server or the database is out of reach: exit status 75 (EX_TEMPFAIL), try again later.
    #[error("{0}")]
    TryLater(String),
    /// Anything else: exit status 1.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl Failure {
    fn exit_code(&self) -> u8 {
        match self {
            Self::No | Self::Other(_) => 1,
            Self::Usage(_) => 2,
            Self::TryLater(_) => 75,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Newer => Self::Usage(error.to_string()),
            error if error.is_passing() => Self::TryLater(error.to_string()),
            error => Self::Other(error.into()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Other(error.into())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Other(error.into())
    }
}

/// Runs one command; the exit status is DESIGN §6's.
#[must_use]
pub fn main() -> ExitCode {
    // A worker locks itself in: it must not have a runtime, a TLS provider or anything else open. It is started for every file, so that
    // all the other commands are not even described to it.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == extract::worker::COMMAND) {
        return extract::worker::run(arguments);
    }
    let cli = Cli::parse();
    if let Err(error) = keep_memory_private() {
        return fail(&Failure::Other(error.into()));
    }
    output::prepare(matches!(cli.command, Command::Run(_)));
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Failure::Other(error.into())),
    };
    match runtime.block_on(cli.run()).and_then(|()| output::written()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&failure),
    }
}

/// What all commands run on. Where the system has no thread left, building it panics, and would then wait for ever for the threads that it
/// did get: the process ends at the panic.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {
        let failure = Failure::TryLater("The system has no threads left for postkamer; try again later.".to_owned());
        fail(&failure);
        end_with(&failure);
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    std::panic::set_hook(usual);
    runtime
}

#[expect(clippy::exit, reason = "from within a panic there is no way back to main")]
fn end_with(failure: &Failure) {
    std::process::exit(failure.exit_code().into());
}

/// Mail that is in memory never becomes a file: no core dump, whatever limit was inherited, also not where the system hands core dumps to a program,
/// which no limit keeps from it (core(5)). Nor may other processes of the same user look into it. What is started by this process inherits
/// the limit.
fn keep_memory_private() -> std::io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

fn fail(failure: &Failure) -> ExitCode {
    match failure {
        Failure::No => {}
        Failure::Other(error) => output::complain(&format!("{error:#}")),
        Failure::Usage(sentence) | Failure::TryLater(sentence) => output::complain(sentence),
    }
    ExitCode::from(failure.exit_code())
}

impl Cli {
    async fn run(self) -> Result<(), Failure> {
        let place = Place { config: self.config, clock: clock()? };
        match self.command {
            Command::Run(args) => run::run(&place, args).await,
            Command::Demo(args) => demo::run(args).await,
            Command::Check(args) => check::run(&place, args).await,
            Command::Organisations(command) => directory::organisations(&place, command).await,
            Command::Contacts(command) => contacts::run(&place, command).await,
            Command::Explain(args) => explain::run(&place, args).await,
            Command::Screen(args) => screen::run(&place, args).await,
            Command::Deliver(args) => deliver::run(&place, args).await,
            Command::Tickets(command) => tickets::run(&place, command).await,
            Command::Queue(command) => queue::run(&place, command).await,
            Command::Outbox(command) => outbox::run(&place, command).await,
            Command::Person(command) => person::run(&place, command).await,
            Command::Retention(command) => retention::run(&place, command).await,
            Command::Profiles(command) => profiles::run(&place, command).await,
            Command::Portal(command) => portal::run(&place, command).await,
            Command::Ropa(args) => ropa::run(&place, &args),
            Command::Audit(command) => audit::run(&place, command).await,
            Command::Access(command) => access::run(&place, command).await,
            Command::Status(args) => status::run(&place, args).await,
            Command::Migrate(args) => migrate::run(&place, args).await,
        }
    }
}

/// The time that commands go by. One that stands still is for tests and rehearsals: whoever did not mean it must hear of it.
fn clock() -> Result<Clock, Failure> {
    let clock = Clock::of_process().map_err(Failure::Usage)?;
    if clock.is_fixed() {
        tracing::warn!("POSTKAMER_NOW is set: the clock stands still.");
    }
    Ok(clock)
}

/// Where a command finds its settings and the time.
#[derive(Debug)]
pub(crate) struct Place {
    config: Option<PathBuf>,
    pub(crate) clock: Clock,
}

impl Place {
    /// The settings file: as told, else the first of the two usual ones that exists.
    pub(crate) fn config(&self) -> Result<PathBuf, Failure> {
        const USUAL: [&str; 2] = ["config/postkamer.toml", "/etc/postkamer/postkamer.toml"];
        let usual = || USUAL.iter().map(PathBuf::from).find(|path| path.is_file());
        self.config.clone().or_else(usual).ok_or_else(|| {
            Failure::Usage(
                "There is no config/postkamer.toml and no /etc/postkamer/postkamer.toml; name a settings file with --config FILE."
                    .to_owned(),
            )
        })
    }

    /// The settings, or all their mistakes.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        load(&self.config()?)
    }

    /// Settings and store, for commands that work on what is remembered: for agents alone, where there is a list of them.
    pub(crate) async fn office(&self) -> Result<Office, Failure> {
        let office = self.machinery().await?;
        office.agent()?;
        Ok(office)
    }

    /// The same for commands that show and change nothing of anybody's.
    pub(crate) async fn machinery(&self) -> Result<Office, Failure> {
        Office::open(Arc::new(self.settings()?), self.clock.clone()).await
    }
}

fn load(path: &Path) -> Result<Settings, Failure> {
    settings::load(path).map_err(|mistakes| Failure::Usage(mistakes.to_string()))
}

/// What reads attachments, for commands that act on what it says: where this machine lets it read nothing, no mail may be refused for that.
async fn able_extractor() -> Result<Arc<extract::Extractor>, Failure> {
    let extractor = extract::Extractor::start(extract::Limits::default())?;
    match extractor.is_shut_out().await {
        None => Ok(Arc::new(extractor)),
        Some(obstacle) => Err(Failure::TryLater(format!("{obstacle}. No mail is taken in until they do; `postkamer check` says more."))),
    }
}

/// The way of a mail under these settings. One that keeps the program busy without end ends it.
pub(crate) fn journey(settings: Arc<Settings>, extractor: Arc<Extractor>) -> Result<Journey, Failure> {
    let watchdog = Watchdog::ending_the_process_after(settings.stall)?;
    let journey = Journey::new(settings, extractor).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(journey.watched_by(watchdog))
}

/// Where replies go, by the settings.
pub(crate) fn transport(settings: &Settings) -> Transport {
    match &settings.smtp {
        Smtp::Server(server) => Transport::Smtp(Box::new(smtp::Smtp::new(server.clone()))),
        Smtp::Directory(path) => Transport::Directory(Directory::new(path)),
    }
}

/// Settings and store.
pub(crate) struct Office {
    pub(crate) settings: Arc<Settings>,
    pub(crate) store: Store,
}

impl Office {
    pub(crate) async fn open(settings: Arc<Settings>, clock: Clock) -> Result<Self, Failure> {
        for_its_owner(&settings.state_dir)?;
        let url = match &settings.database {
            Database::Sqlite(path) => format!("sqlite://{}", path.display()),
            Database::Postgres(url) => url.reveal().clone(),
        };
        let store = Store::open(&url, &settings.state_dir, &settings.attachments.store, clock).await?;
        Ok(Self { settings, store })
    }

    /// The desks that the agent may see; none: all.
    pub(crate) fn desks_of_agent(&self) -> Result<Option<Vec<String>>, Failure> {
        let name = self.agent()?;
        Ok(self.settings.agents.iter().find(|agent| agent.name == name).map(|agent| agent.desks.clone()))
    }

    /// A desk that the agent asked for, if there is one and they may see it.
    pub(crate) fn may_see(&self, own: &Option<Vec<String>>, desk: &str) -> Result<String, Failure> {
        explain::desk_named(&self.settings, desk)?;
        if own.as_ref().is_none_or(|desks| desks.iter().any(|name| name == desk)) {
            return Ok(desk.to_owned());
        }
        Err(Failure::Usage(format!("You do not work at the desk {desk}.")))
    }

    /// The login name under which an agent's work is booked: the one behind sudo, else the user's own.
    pub(crate) fn agent(&self) -> Result<String, Failure> {
        let name = login_name(&self.settings.state_dir);
        let agents = &self.settings.agents;
        if agents.is_empty() || agents.iter().any(|agent| agent.name == name) {
            return Ok(name);
        }
        Err(Failure::Usage(format!("{name} is not one of the agents in the settings ([[agent]]).")))
    }
}

/// What root makes in another user's directory (the database's log, a lock), that user could not open any more.
fn for_its_owner(state_dir: &Path) -> Result<(), Failure> {
    let Ok(found) = std::fs::metadata(state_dir) else { return Ok(()) };
    if !rustix::process::geteuid().is_root() || found.uid() == 0 {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "{} belongs to another user (number {}). Run this as that user, for example by `sudo -u postkamer postkamer …`: what root makes there the service cannot open.",
        state_dir.display(),
        found.uid()
    )))
}

/// Who is at work: sudo says whom it serves; else the system knows the user by their number. sudo's word counts only for root and for the user whose
/// records these are: anybody else may have said it themselves. The rest of the environment counts only for users that the system's own list does not
/// have, such as those of a directory service.
fn login_name(state_dir: &Path) -> String {
    let claimed = |keys: &[&str]| keys.iter().find_map(|key| std::env::var(key).ok().filter(|name| !name.is_empty()));
    let uid = rustix::process::getuid();
    let by_sudo = || {
        (uid.is_root() || std::fs::metadata(state_dir).is_ok_and(|found| found.uid() == uid.as_raw())).then(|| claimed(&["SUDO_USER"]))?
    };
    let listed = || {
        let users = std::fs::read_to_string("/etc/passwd").ok()?;
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)? == uid.as_raw().to_string()).then(|| name.to_owned())
        })
    };
    by_sudo().or_else(listed).or_else(|| claimed(&["LOGNAME", "USER"])).unwrap_or_else(|| format!("uid-{}", uid.as_raw()))
}
