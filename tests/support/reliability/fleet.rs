//! Three daemons on one PostgreSQL, under load, while they are killed, paused, stopped, and cut off from the database or from the mailboxes.

use super::installation::{Installation, Kept, port_of, through};
use super::wire::Proxy;
use super::{Dice, Report, tally};
use crate::support::DEADLINE;
use crate::support::postgres::Postgres;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use toml_edit::DocumentMut;

const DAEMONS: usize = 3;
const DESKS: usize = 6;

/// One of them, with ways of its own to the database and to the mailboxes.
struct Daemon {
    child: Child,
    database: Proxy,
    imap: Proxy,
    log: std::path::PathBuf,
}

impl Daemon {
    fn start(here: &Installation, number: usize) -> Self {
        let config: DocumentMut = fs::read_to_string(&here.world.config_path).unwrap().parse().unwrap();
        let url = config["database"]["url"].as_str().unwrap();
        let (database, imap) = (Proxy::to(port_of(url), None), Proxy::to(here.dovecot.imap_port(), None));
        let log = here.world.dir.join(format!("daemon{number}.log"));
        let mut command = here.world.command(&["run"]);
        command.env("POSTKAMER__DATABASE__URL", through(url, database.port())).stdin(Stdio::null());
        command.envs((0..DESKS).map(|desk| (format!("POSTKAMER__DESK__{desk}__MAILBOX__PORT"), imap.port().to_string())));
        let child = command.stdout(Stdio::null()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        Self { child, database, imap, log }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The name under which it holds mailboxes, once it has joined.
    fn name(&self) -> Option<String> {
        let log = fs::read_to_string(&self.log).ok()?;
        let (_, name) = log.split_once("daemon=")?;
        Some(name.split_whitespace().next()?.trim_matches('"').to_owned())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is done to one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    Kill,
    Pause,
    Cut,
    Stop,
    /// The mail server refuses it, and it alone.
    Refuse,
    /// Nothing of what it says to the mail server is answered.
    Silence,
}

impl Harm {
    const ALL: [Self; 6] = [Self::Kill, Self::Refuse, Self::Pause, Self::Cut, Self::Stop, Self::Silence];

    fn text(self) -> &'static str {
        match self {
            Self::Kill => "SIGKILL of one of three daemons under load",
            Self::Pause => "SIGSTOP of one of three daemons past its lease, then SIGCONT",
            Self::Cut => "network to the database cut for one of three daemons, then healed",
            Self::Stop => "SIGTERM of one of three daemons under load",
            Self::Refuse => "connections to the mailboxes refused for one of three daemons, then healed",
            Self::Silence => "network to the mailboxes silent for one of three daemons, then healed",
        }
    }
}

/// Does so many harms, one after the other, or for so long; each kind has its turn, the victim is chosen by the dice.
pub fn harm(harms: u64, seed: u64, until: Option<Instant>) -> Report {
    let mut load =
        Load { here: Installation::new(Kept::Postgres, DESKS), dice: Dice::seeded(seed), last: Instant::now(), deadline: DEADLINE };
    let mut report = Report::default();
    let mut started = DAEMONS;
    let mut daemons: Vec<Daemon> = (0..DAEMONS).map(|number| Daemon::start(&load.here, number)).collect();
    load.until("each daemon has its share", |here| fair(here, &daemons));
    for number in (0..harms).take_while(|_| until.is_none_or(|until| Instant::now() < until)) {
        let harm = Harm::ALL[usize::try_from(number).unwrap() % Harm::ALL.len()];
        let place = usize::try_from(load.dice.below(DAEMONS as u64)).unwrap();
        load.until("it has mailboxes", |here| share(here, &daemons[place]) > 0);
        let name = daemons[place].name().unwrap();
        let before = leases(&load.here).into_iter().filter(|(_, lease)| lease.holder == name && lease.lasts).collect::<BTreeMap<_, _>>();
        report.fault(harm.text());
        let start = Instant::now();
        match harm {
            Harm::Kill => daemons[place].child.kill().unwrap(),
            Harm::Pause => daemons[place].signal(Signal::STOP),
            Harm::Cut => daemons[place].database.cut(),
            Harm::Stop => daemons[place].signal(Signal::TERM),
            Harm::Refuse => daemons[place].imap.refuse(),
            Harm::Silence => daemons[place].imap.cut(),
        }
        load.until("its mailboxes are in other hands", |here| {
            let now = leases(here);
            before.keys().all(|mailbox| now[mailbox].holder != name && now[mailbox].lasts && now[mailbox].epoch > before[mailbox].epoch)
        });
        if !before.is_empty() {
            report.takeovers.push(start.elapsed());
        }
        match harm {
            Harm::Kill | Harm::Stop => {
                let ended = daemons[place].child.wait().unwrap();
                assert!(
                    harm == Harm::Kill || ended.success(),
                    "an orderly stop: {ended}: {}",
                    fs::read_to_string(&daemons[place].log).unwrap()
                );
                daemons[place] = Daemon::start(&load.here, started);
                started += 1;
            }
            Harm::Pause => daemons[place].signal(Signal::CONT),
            Harm::Cut => daemons[place].database.heal(),
            Harm::Refuse | Harm::Silence => daemons[place].imap.heal(),
        }
    }
    // No more mails. A mailbox whose mails brought trouble rests for up to a minute between the attempts.
    load = Load { last: Instant::now() + Duration::from_secs(86_400), deadline: 3 * DEADLINE, ..load };
    load.until("each daemon has its share again", |here| fair(here, &daemons));
    load.until("everything is done", at_rest);
    drop(daemons);
    report.add(tally::count(&load.here));
    report
}

/// Mails go on coming in while something is waited for.
struct Load {
    here: Installation,
    dice: Dice,
    /// When the last ones came.
    last: Instant,
    /// For how long something is waited for.
    deadline: Duration,
}

impl Load {
    #[track_caller]
    fn until(&mut self, what: &str, mut look: impl FnMut(&Installation) -> bool) {
        const PAUSE: Duration = Duration::from_millis(300);
        let start = Instant::now();
        while !look(&self.here) {
            assert!(start.elapsed() < self.deadline, "waited in vain until {what}: {:?}\n{}", leases(&self.here), said(&self.here));
            if Instant::now().saturating_duration_since(self.last) >= PAUSE {
                self.here.offer(2, &mut self.dice);
                self.last = Instant::now();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The ends of all logs.
fn said(here: &Installation) -> String {
    let logs = fs::read_dir(&here.world.dir).unwrap().flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with("daemon"));
    let end = |text: String| text.lines().rev().take(15).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
    logs.map(|entry| format!("{}\n{}\n", entry.path().display(), end(fs::read_to_string(entry.path()).unwrap()))).collect()
}

#[derive(Debug)]
struct Held {
    holder: String,
    epoch: i64,
    lasts: bool,
}

fn leases(here: &Installation) -> BTreeMap<String, Held> {
    const NOW: &str = "EXTRACT(EPOCH FROM clock_timestamp()) * 1000";
    let there = Postgres::shared().sql(&here.database, "SELECT to_regclass('lease') IS NOT NULL");
    if there != "t" {
        return BTreeMap::new();
    }
    let rows = here.sql(&format!("SELECT mailbox || '|' || holder || '|' || epoch || '|' || (expires_at > {NOW}) FROM lease"));
    let held = |row: &String| {
        let columns: Vec<&str> = row.split('|').collect();
        let lease = Held { holder: columns[1].to_owned(), epoch: columns[2].parse().unwrap(), lasts: columns[3] == "true" };
        (columns[0].to_owned(), lease)
    };
    rows.iter().map(held).collect()
}

/// Whether every daemon holds as many mailboxes as the others.
fn fair(here: &Installation, daemons: &[Daemon]) -> bool {
    daemons.iter().all(|daemon| share(here, daemon) == DESKS / DAEMONS)
}

/// How many mailboxes it holds.
fn share(here: &Installation, daemon: &Daemon) -> usize {
    let name = daemon.name();
    leases(here).values().filter(|lease| lease.lasts && Some(&lease.holder) == name.as_ref()).count()
}

/// Whether nothing waits any more, neither in the mailboxes nor in the database.
fn at_rest(here: &Installation) -> bool {
    const LEFT: &str = "SELECT 'mail' FROM mail WHERE action_state = 'due' UNION ALL SELECT 'arrival' FROM arrival WHERE state NOT IN ('deferred', 'stuck') \
         UNION ALL SELECT 'reply' FROM outbox WHERE state IN ('due', 'claimed')";
    let stay = here.sql("SELECT state FROM arrival").len();
    let inboxes: u32 = here.desks.values().map(|account| here.dovecot.count(account, "INBOX")).sum();
    inboxes as usize <= stay && here.sql(LEFT).is_empty()
}
