//! postkamer between servers that see everything: mailboxes in a Dovecot behind a proxy, replies to a sink, a database of its
//! own (PostgreSQL behind a proxy).

use super::Dice;
use super::disk::Disk;
use super::mails::{self, Kind, Offered, UNAUTHENTICATED_AN_HOUR, UNBOOKABLE};
use super::wire::{Proxy, Server, Sink, Steps, witness_files};
use crate::support::dovecot::Dovecot;
use crate::support::postgres::Postgres;
use crate::support::world::World;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use toml_edit::{ArrayOfTables, Item, Table, value};

/// Where filed mail goes.
const DONE: &str = "Verwerkt";

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Sqlite,
    Postgres,
}

/// One installation with its mailboxes and servers.
pub struct Installation {
    pub world: World,
    pub dovecot: &'static Dovecot,
    postgres: fn() -> &'static Postgres,
    pub sink: Sink,
    pub steps: Arc<Steps>,
    /// Under the state directory.
    pub disk: Arc<Disk>,
    pub kept: Kept,
    /// Desks, which are also the names of the mailboxes, and the account of each on the server.
    pub desks: BTreeMap<String, String>,
    /// Name of the database on the PostgreSQL server.
    pub database: String,
    pub offered: Vec<Offered>,
    /// The folders of each desk in which filed mail lies.
    pub done: BTreeMap<String, Vec<String>>,
    name: String,
    _proxies: Vec<Proxy>,
}

impl Installation {
    /// With so many desks, on the servers that all tests share.
    pub fn new(kept: Kept, desks: usize) -> Self {
        Self::on(Dovecot::shared(), Postgres::shared, kept, desks)
    }

    /// With so many desks, on these servers; PostgreSQL is started only if it is wanted.
    pub fn on(dovecot: &'static Dovecot, postgres: fn() -> &'static Postgres, kept: Kept, desks: usize) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("i{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        let steps = Arc::new(Steps::default());
        let sink = Sink::start(Some(Arc::clone(&steps)));
        let imap = Proxy::to(dovecot.imap_port(), Some((Server::Imap, Arc::clone(&steps))));
        let accounts: BTreeMap<String, String> =
            (1..=desks).map(|number| (format!("desk{number}"), format!("{name}.desk{number}@zaakwijs.example"))).collect();
        let world = World::new();
        let password = world.dir.join("password");
        std::fs::write(&password, "mailbox").unwrap();
        for account in accounts.values() {
            dovecot.add_user(account, "mailbox");
        }
        let mut proxies = Vec::new();
        let mut database = String::new();
        let url = (kept == Kept::Postgres).then(|| {
            let url = postgres().database("reliability");
            database = url.rsplit('/').next().unwrap().to_owned();
            let proxy = Proxy::to(port_of(&url), Some((Server::Postgres, Arc::clone(&steps))));
            let through = through(&url, proxy.port());
            proxies.push(proxy);
            through
        });
        world.edit(|config| {
            if let Some(url) = url {
                config["database"]["url"] = value(url);
            }
            // All mail is from a few people: their limits would hold most of it back.
            for (_, limit) in config["limits"].as_table_mut().unwrap().iter_mut() {
                *limit = value(0);
            }
            config["limits"]["intake_unauthenticated_desk_hour"] = value(i64::try_from(UNAUTHENTICATED_AN_HOUR).unwrap());
            let mut smtp = Table::new();
            smtp["host"] = value("127.0.0.1");
            smtp["port"] = value(i64::from(sink.port()));
            smtp["tls"] = value("none");
            smtp["timeout"] = value("5 s");
            config["smtp"] = Item::Table(smtp);
            let mut tables = ArrayOfTables::new();
            for (desk, account) in &accounts {
                let mut mailbox = Table::new();
                mailbox["kind"] = value("imap");
                mailbox["host"] = value("127.0.0.1");
                mailbox["port"] = value(i64::from(imap.port()));
                mailbox["tls"] = value("none");
                mailbox["username"] = value(account);
                mailbox["password_file"] = value(password.to_str().unwrap());
                mailbox["poll"] = value("2 s");
                let mut table = Table::new();
                table["name"] = value(desk);
                table["address"] = value(format!("{desk}@zaakwijs.example"));
                table["display_name"] = value("Zaakwijs");
                table["mailbox"] = Item::Table(mailbox);
                tables.push(table);
            }
            config["desk"] = Item::ArrayOfTables(tables);
        });
        proxies.push(imap);
        world.run(&["migrate"]).ok();
        let done = accounts.keys().map(|desk| (desk.clone(), vec![DONE.to_owned()])).collect();
        let here = Self {
            disk: Arc::new(Disk::of(world.state_dir())),
            world,
            dovecot,
            postgres,
            sink,
            steps,
            kept,
            desks: accounts,
            database,
            offered: Vec::new(),
            done,
            name,
            _proxies: proxies,
        };
        witness_files(&here.witness(), &here.steps, &here.disk);
        here.sql(&match kept {
            Kept::Postgres => format!("ALTER TABLE entry ADD CONSTRAINT refuse CHECK (written NOT LIKE '%{UNBOOKABLE}%')"),
            Kept::Sqlite => format!(
                "CREATE TRIGGER refuse BEFORE INSERT ON entry WHEN NEW.written LIKE '%{UNBOOKABLE}%' BEGIN SELECT RAISE(ABORT, 'no'); END"
            ),
        });
        here
    }

    /// The socket on which is told of calls that change files in the state directory.
    pub fn witness(&self) -> PathBuf {
        self.world.dir.join("witness")
    }

    /// Puts some mails into the mailboxes, of kinds that the dice choose; one in twenty cannot be booked.
    pub fn offer(&mut self, count: u64, dice: &mut Dice) {
        for _ in 0..count {
            let kind = if dice.below(20) == 0 { Kind::Unbookable } else { dice.one_of(&Kind::USUAL) };
            self.offer_one(kind, dice);
        }
    }

    /// Puts a mail of this kind into one of the mailboxes.
    pub fn offer_one(&mut self, kind: Kind, dice: &mut Dice) {
        let desk = self.some_desk(dice);
        self.offer_at(kind, desk, dice);
    }

    pub fn some_desk(&self, dice: &mut Dice) -> String {
        dice.one_of(&self.desks.keys().cloned().collect::<Vec<_>>())
    }

    /// Somebody gives the done folder of a desk another name; postkamer has to make a new one.
    pub fn rename_done(&mut self, desk: &str) {
        let names = self.done.get_mut(desk).unwrap();
        let new = format!("{DONE} {}", names.len());
        if self.dovecot.with(&self.desks[desk], |imap| imap.try_command(&format!("RENAME \"{DONE}\" \"{new}\"")).1.starts_with("OK")) {
            names.push(new);
        }
    }

    pub fn offer_at(&mut self, kind: Kind, desk: String, dice: &mut Dice) {
        let mark = format!("{}m{}", self.name, self.offered.len());
        // What cannot be answered or repeated yet is a question.
        let (kind, mark, desk, answers) = match kind {
            Kind::Again => match self.some(Kind::Question, dice) {
                Some(first) => {
                    let mark = first.message_id.split('@').next().unwrap().to_owned();
                    (Kind::Again, mark, first.desk.clone(), None)
                }
                None => (Kind::Question, mark, desk, None),
            },
            Kind::FollowUp => match self.some(Kind::Question, dice).map(|first| (first.desk.clone(), first.message_id.clone())) {
                Some((desk, id)) => match self.sink.taken().iter().find(|reply| reply.in_reply_to == id) {
                    Some(reply) => (Kind::FollowUp, mark, desk, Some(reply.message_id.clone())),
                    None => (Kind::Question, mark, desk, None),
                },
                None => (Kind::Question, mark, desk, None),
            },
            other => (other, mark, desk, None),
        };
        let raw = match kind {
            // The very same bytes; the Date would differ.
            Kind::Again => self.sent_before(&mark, &desk),
            _ => mails::raw(kind, &mark, &desk, answers.as_deref()),
        };
        let uid = self.dovecot.append(&self.desks[&desk], "INBOX", &raw, None);
        self.offered.push(Offered { kind, desk, uid, message_id: format!("{mark}@customer.example") });
    }

    fn some(&self, kind: Kind, dice: &mut Dice) -> Option<&Offered> {
        let all: Vec<&Offered> = self.offered.iter().filter(|mail| mail.kind == kind).collect();
        (!all.is_empty()).then(|| all[usize::try_from(dice.below(all.len() as u64)).unwrap()])
    }

    /// A mail that lies in one of the folders.
    fn sent_before(&self, mark: &str, desk: &str) -> Vec<u8> {
        let account = &self.desks[desk];
        let wanted = format!("Message-ID: <{mark}@customer.example>");
        std::iter::once("INBOX")
            .chain(self.done[desk].iter().map(String::as_str))
            .flat_map(|folder| self.dovecot.folder_messages(account, folder))
            .find(|raw| String::from_utf8_lossy(raw).contains(&wanted))
            .expect("a question is never deleted")
    }

    /// Runs SQL past postkamer; rows with columns parted by `|`.
    pub fn sql(&self, statement: &str) -> Vec<String> {
        match self.kept {
            Kept::Postgres => (self.postgres)().sql(&self.database, statement).lines().map(str::to_owned).collect(),
            Kept::Sqlite => crate::support::database::sql(&self.world, statement).unwrap(),
        }
    }

    /// For the database it is later: leases and claims of processes that died are over.
    pub fn time_passes(&self) {
        if self.kept == Kept::Postgres && self.sql("SELECT to_regclass('outbox') IS NOT NULL") == ["t"] {
            self.sql("UPDATE lease SET expires_at = 0");
            self.sql("UPDATE outbox SET claimed_at = claimed_at - 3600000 WHERE state = 'claimed'");
        }
    }
}

/// The port in a URL.
pub fn port_of(url: &str) -> u16 {
    url.rsplit(':').next().unwrap().split('/').next().unwrap().parse().unwrap()
}

/// The URL by way of another port.
pub fn through(url: &str, port: u16) -> String {
    url.replace(&format!(":{}/", port_of(url)), &format!(":{port}/"))
}
