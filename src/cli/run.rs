//! `postkamer run`: the daemon, or one round of its work.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Failure, Office, Place, output};
use crate::daemon::Daemon;
use crate::extract::Extractor;
use crate::health::{self, Pulse};
use crate::settings::{Live, Settings};
use crate::store::{Lease, Store, StoreError};

/// Watch all mailboxes and work, until stopped.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Work off all that waits in every mailbox and all of the outbox that is due, then exit.
    #[arg(long)]
    once: bool,
    /// With --once: what became of each mail, one JSON object a line.
    #[arg(long, requires = "once")]
    json: bool,
}

pub(super) async fn run(place: &Place, args: Args) -> Result<(), Failure> {
    // From here on SIGHUP does not end the process any more. Whoever follows the settings begins by reading them, so that none is missed.
    let _obeyed = signal(SignalKind::hangup())?;
    let live = Live::new(&place.config()?, place.settings()?);
    for warning in &live.current().warnings {
        tracing::warn!("{}", warning.sentence());
    }
    let office = Office::open(live.current(), place.clock.clone()).await?;
    let extractor = super::able_extractor().await?;
    if args.once {
        return once(&office, extractor, args.json).await;
    }
    let (stop, pulse) = (CancellationToken::new(), Pulse::default());
    stop_on_signals(&stop, &pulse)?;
    let ended = forever(&office, &live, extractor, pulse, &stop).await;
    office.store.close().await?;
    ended
}

/// How often it is looked whether a newer version has been at the database.
const VERSION_LOOKS: Duration = Duration::from_secs(5);
/// Why the daemon ends then. systemd starts it again: by then it may be the newer one.
const OUTDATED: &str =
    "A newer version of postkamer has brought the database up to date. This one takes in no more mail and ends; please run the newer one.";

/// Until the work is taken up again where the database did not let it.
const AGAIN: Duration = Duration::from_secs(2);

/// Works under the settings in force; when they change, orderly stops and goes on under the new ones.
async fn forever(office: &Office, live: &Live, extractor: Arc<Extractor>, pulse: Pulse, stop: &CancellationToken) -> Result<(), Failure> {
    let (following, until) = (live.clone(), stop.clone());
    let follower = tokio::spawn(async move { following.follow(&until).await });
    // How the daemon is, is told until it has ended: what is in hand may take a while.
    let telling = CancellationToken::new();
    let _told = telling.clone().drop_guard();
    if let Some(listen) = office.settings.health {
        let (store, pulse, until) = (office.store.clone(), pulse.clone(), telling.clone());
        tokio::spawn(async move {
            if let Err(error) = health::serve(listen, store, pulse, until).await {
                tracing::error!(%listen, %error, "the health pages cannot be served");
            }
        });
    }
    let teller = {
        let (store, pulse, live, until) = (office.store.clone(), pulse.clone(), live.clone(), telling.clone());
        tokio::spawn(async move { health::tell(&store, &pulse, || live.complaint(), &until).await })
    };
    tokio::spawn(stop_when_outdated(office.store.clone(), pulse.clone(), stop.clone()));
    let mut news = live.subscribe();
    let mut at_work = false;
    while !stop.is_cancelled() {
        let wanted = news.borrow_and_update().clone();
        let (settings, waiting) = office.settings.followed_by(&wanted);
        if !waiting.is_empty() {
            tracing::warn!(
                keys = waiting.join(", "),
                "these settings have changed; that takes a restart, and the old ones are used until then"
            );
        }
        let daemon = match start(office, Arc::new(settings), extractor.clone()).await {
            Ok(daemon) => daemon.with_pulse(pulse.clone()),
            Err(failure) if !at_work => return Err(failure),
            // It was at work until the settings changed: what is wrong now, such as a full disk, may pass.
            Err(_) => {
                tracing::warn!("the work cannot go on under the changed settings, the database does not take them; it is tried again");
                feed_watchdog(&pulse);
                tokio::select! {
                    () = tokio::time::sleep(AGAIN) => {}
                    () = stop.cancelled() => {}
                }
                continue;
            }
        };
        at_work = true;
        let turn = stop.child_token();
        let working = daemon.run(&turn, tell_ready);
        tokio::pin!(working);
        loop {
            tokio::select! {
                () = &mut working => break,
                changed = news.changed() => if changed.is_ok() { turn.cancel() },
                () = tokio::time::sleep(heartbeat()) => feed_watchdog(&pulse),
            }
        }
    }
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    let _ = follower.await;
    telling.cancel();
    let _ = teller.await;
    if pulse.is_outdated() { Err(Failure::TryLater(OUTDATED.to_owned())) } else { Ok(()) }
}

/// What a newer version's schema means this one does not know: it books nothing more there.
async fn stop_when_outdated(store: Store, pulse: Pulse, stop: CancellationToken) {
    while !stop.is_cancelled() {
        // A database that is out of reach is told of elsewhere.
        if store.is_outdated().await.unwrap_or_default() {
            tracing::error!("{OUTDATED}");
            pulse.outdated();
            stop.cancel();
        }
        tokio::select! {
            () = tokio::time::sleep(VERSION_LOOKS) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// systemd learns that every mailbox has been tried.
fn tell_ready() {
    tracing::info!("Ready.");
    let _ = sd_notify::notify(&[NotifyState::Ready]);
}

/// systemd learns that the work gets on; where it does not, that is not said, and systemd ends the process and starts it anew.
fn feed_watchdog(pulse: &Pulse) {
    match pulse.hangs() {
        None => drop(sd_notify::notify(&[NotifyState::Watchdog])),
        Some(desk) => {
            tracing::error!(desk, "the work on the mailbox does not get on and nothing ends it; systemd's watchdog is not fed any more")
        }
    }
}

/// Half of what systemd's watchdog allows, so that one late turn does no harm.
fn heartbeat() -> Duration {
    const UNWATCHED: Duration = Duration::from_secs(3600);
    sd_notify::watchdog_enabled().map_or(UNWATCHED, |limit| limit / 2)
}

fn stop_on_signals(stop: &CancellationToken, pulse: &Pulse) -> std::io::Result<()> {
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signal = signal(kind)?;
        let (stop, pulse) = (stop.clone(), pulse.clone());
        tokio::spawn(async move {
            signal.recv().await;
            tracing::info!("Stopping: what is in hand is finished first.");
            pulse.stopping();
            stop.cancel();
        });
    }
    Ok(())
}

async fn once(office: &Office, extractor: Arc<Extractor>, json: bool) -> Result<(), Failure> {
    let (witness, mut accounts) = mpsc::unbounded_channel();
    let daemon = start(office, office.settings.clone(), extractor).await?.with_witness(witness);
    let done = daemon.once().await;
    // What was booked before trouble came is told, too.
    while let Ok(account) = accounts.try_recv() {
        if json {
            output::json(&output::account(&account))?;
        }
    }
    let troubled = done?;
    for (desk, trouble) in &troubled {
        output::complain(&format!("The mailbox of {desk} is in trouble: {trouble}."));
    }
    office.store.close().await?;
    match troubled.first() {
        None => Ok(()),
        Some(_) => Err(Failure::TryLater("Not every mailbox could be worked off; what was left is taken up at the next run.".to_owned())),
    }
}

/// The daemon under these settings, once it has the right to work.
async fn start(office: &Office, settings: Arc<Settings>, extractor: Arc<Extractor>) -> Result<Daemon, Failure> {
    let lease: Lease = office.store.own().await.map_err(|error| match error {
        StoreError::Owned(_) => Failure::TryLater("Another postkamer is at work on this database.".to_owned()),
        other => other.into(),
    })?;
    if office.store.note_endpoints(&settings.endpoints(), &settings.fingerprint).await? {
        tracing::warn!("mail is fetched from, or sent to, another place than before; `postkamer audit list` tells which");
    }
    let transport = super::transport(&settings);
    let journey = super::journey(settings, extractor)?;
    Ok(Daemon::new(journey, office.store.clone(), transport, lease))
}
