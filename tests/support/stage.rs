//! postkamer in this process, between servers of this process: one round of its work after another, as `run --once` does it, each
//! with a store opened anew. Nothing sleeps; the clock is the test's.

use super::checker::{Books, Key, Outside, SentCopy, files_below};
use super::files::Files;
use super::postgres::Postgres;
use super::scripted::imap::{Accounts, Imap};
use super::scripted::postgres::Line;
use super::scripted::smtp::Smtp;
use super::world::World;
use jiff::{SignedDuration, Timestamp};
use postkamer::clock::Clock;
use postkamer::daemon::Daemon;
use postkamer::extract::{Extractor, Limits};
use postkamer::journey::Journey;
use postkamer::outbox::{Transport, directory::Directory, smtp};
use postkamer::settings::{self, Settings};
use postkamer::store::Store;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tokio::runtime::Runtime;
use toml_edit::{Item, Table, value};

/// What mail comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// An IMAP server with UIDPLUS and MOVE.
    Able,
    /// One with UIDPLUS alone.
    WithoutMove,
    /// One with neither, which postkamer has for itself.
    Bare,
    /// As [`Source::Able`]; filing is deleting.
    Deleting,
    /// A Maildir, and replies go into files: the embedded default.
    Maildir,
}

/// Where postkamer remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    Sqlite,
    Postgres,
}

/// All that a round needs.
pub struct Stage {
    pub world: World,
    pub settings: Arc<Settings>,
    pub clock: Clock,
    pub imap: Imap,
    pub smtp: Smtp,
    /// On PostgreSQL: what all statements pass through.
    pub line: Option<Line>,
    /// Counts, and fails, calls that change files, while a round goes on.
    pub files: Option<Arc<Files>>,
    /// And what the checker asks by, which is never cut.
    _checkers_line: Option<Line>,
    source: Source,
    books: Books,
    /// An empty installation on SQLite, to begin anew with.
    empty: tempfile::TempDir,
    offered: Vec<Key>,
    journey: Arc<Journey>,
    runtime: Runtime,
}

/// How often the program is started again before all must have come to rest.
const ROUNDS: usize = 8;

/// The user of the IMAP server whose mailbox is that desk's.
pub fn user(desk: &str) -> String {
    format!("{desk}@zaakwijs.example")
}

impl Stage {
    /// With these desks of fixtures/world, and what `adapt` changes there.
    pub fn new(source: Source, memory: Memory, desks: &BTreeSet<&str>, adapt: impl FnOnce(&World)) -> Self {
        let world = World::new();
        let (imap, smtp) = (Imap::start(), Smtp::start());
        fs::write(world.dir.join("password"), "geheim").unwrap();
        world.edit(|config| {
            // What the machine is busy with, and how full its disk is, must not change how a story ends.
            config["keep_free"] = value("1 B");
            config["attachments"]["reading_time"] = value("1 h");
            let all = config["desk"].as_array_of_tables_mut().unwrap();
            all.retain(|desk| desks.contains(desk["name"].as_str().unwrap()));
            for desk in all.iter_mut().filter(|_| source != Source::Maildir) {
                let mut mailbox = server("imap", imap.port());
                mailbox["username"] = value(user(desk["name"].as_str().unwrap()));
                mailbox["password_file"] = value("password");
                mailbox["exclusive"] = value(source == Source::Bare);
                mailbox["poll"] = value("1 h");
                if source == Source::Deleting {
                    mailbox["done"] = value("delete");
                }
                desk["mailbox"] = Item::Table(mailbox);
            }
            if source != Source::Maildir {
                config["smtp"] = Item::Table(server("smtp", smtp.port()));
            }
        });
        adapt(&world);
        let mut books = Books::sqlite(&world.state_dir());
        let lines = (memory == Memory::Postgres).then(|| {
            let url = Postgres::shared().database("stage");
            let by = |line: &Line| format!("postgres://postkamer@127.0.0.1:{}/{}", line.port(), url.rsplit('/').next().unwrap());
            let [line, checkers] = [(); 2].map(|()| Line::to(Postgres::shared().socket()));
            world.edit(|config| config["database"]["url"] = value(by(&line)));
            books.url = by(&checkers);
            (line, checkers)
        });
        let (line, checkers_line) = lines.unzip();
        let settings = Arc::new(settings::load(&world.config_path).unwrap_or_else(|mistakes| panic!("{mistakes}")));
        let program = env!("CARGO_BIN_EXE_postkamer").into();
        let mut stage = Self {
            journey: journey(
                &settings,
                Extractor::with_program(program, Limits { deadline: Duration::from_secs(3600), ..Limits::default() }),
            ),
            settings,
            clock: Clock::fixed("2026-11-18T09:00:00+01:00".parse().unwrap()),
            imap,
            smtp,
            line,
            _checkers_line: checkers_line,
            files: None,
            source,
            books,
            empty: tempfile::tempdir().unwrap(),
            offered: Vec::new(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            world,
        };
        stage.runtime.block_on(async { stage.open().await.unwrap().close().await.unwrap() });
        copy(&stage.world.state_dir(), stage.empty.path());
        stage.begin();
        stage
    }

    /// With another program in place of the workers that read attachments.
    pub fn with_workers(mut self, program: &Path, limits: Limits) -> Self {
        self.journey = journey(&self.settings, Extractor::with_program(program.to_owned(), limits));
        self
    }

    /// Everything is as on the first day, and in order.
    pub fn begin(&mut self) {
        let _ = fs::remove_dir_all(self.world.state_dir());
        copy(self.empty.path(), &self.world.state_dir());
        if self.line.is_some() {
            // As a replica does it: the audit record's own guards would not let it go.
            self.books.change(
                "SET session_replication_role = replica;
                 DO $$ DECLARE name text; BEGIN
                   FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'
                     AND tablename NOT IN ('secret', 'seaql_migrations', 'audit_head')
                   LOOP EXECUTE format('DELETE FROM %I', name); END LOOP;
                 END $$;
                 UPDATE audit_head SET seq = 0, hash = repeat('0', 64)",
            );
        }
        let capabilities = match self.source {
            Source::Able | Source::Deleting | Source::Maildir => "UIDPLUS MOVE IDLE",
            Source::WithoutMove => "UIDPLUS IDLE",
            Source::Bare => "IDLE",
        };
        self.imap.reset(Accounts { capabilities: capabilities.to_owned(), ..Accounts::default() });
        self.imap.repair();
        self.smtp.reset();
        self.smtp.repair();
        if let Some(line) = &self.line {
            line.repair();
        }
        if self.source == Source::Maildir {
            for directory in [self.world.dir.join("mail"), self.world.dir.join("replies-sent")] {
                let _ = fs::remove_dir_all(directory);
            }
            for desk in &self.settings.desks {
                postkamer::mailbox::maildir::create(&self.maildir(&desk.name)).unwrap();
            }
        }
        self.offered.clear();
        self.clock.set(Timestamp::UNIX_EPOCH);
    }

    fn maildir(&self, desk: &str) -> PathBuf {
        self.world.dir.join("mail").join(desk)
    }

    /// A mail arrives.
    pub fn deliver(&mut self, desk: &str, raw: &[u8], arrived: Timestamp) {
        if self.source == Source::Maildir {
            // The name and the time make the UID: they are the same each time the story is played.
            let number = files_below(&self.maildir(desk)).len();
            let path = self.maildir(desk).join("new").join(format!("{number}.mail"));
            fs::write(&path, raw).unwrap();
            let since_epoch = Duration::from_millis(arrived.as_millisecond().try_into().unwrap());
            File::options().write(true).open(path).unwrap().set_modified(UNIX_EPOCH + since_epoch).unwrap();
            return;
        }
        let uid = self.imap.with(|accounts| accounts.deliver(&user(desk), raw, arrived));
        let validity = self.imap.with(|accounts| accounts.folder(&user(desk), "INBOX").validity);
        self.offered.push((desk.to_owned(), validity, uid));
    }

    /// The clock does not go back.
    pub fn it_is(&self, now: Timestamp) {
        self.clock.set(self.clock.now().max(now));
    }

    pub fn pass_time(&self, time: SignedDuration) {
        self.clock.set(self.clock.now() + time);
    }

    async fn open(&self) -> Result<Store, postkamer::store::StoreError> {
        let url = match &self.settings.database {
            settings::Database::Sqlite(path) => format!("sqlite://{}", path.display()),
            settings::Database::Postgres(url) => url.reveal().clone(),
        };
        Store::open(&url, &self.settings.state_dir, &self.settings.attachments.store, self.clock.clone()).await
    }

    /// One round of everything, from the start of the program to its end. What went wrong, in sentences.
    pub fn round(&self) -> Vec<String> {
        if self.line.is_some() {
            // By the database's own clock, the leases and claims of the process before have run out.
            self.books.change("UPDATE lease SET expires_at = 0; UPDATE outbox SET claimed_at = 0 WHERE state = 'claimed'");
        }
        let count = |counts| self.files.iter().for_each(|files| files.count(counts));
        count(true);
        let wrong = self.runtime.block_on(async {
            let store = match self.open().await {
                Ok(store) => store,
                Err(error) => return vec![error.to_string()],
            };
            let mut wrong = self.work(&store).await;
            wrong.extend(store.close().await.err().map(|error| error.to_string()));
            wrong
        });
        count(false);
        wrong
    }

    /// Round after round, two hours between them, until there is nothing to complain of and nothing left to do. `after` is told the
    /// number of each round. What was broken on the way, or that it does not come to rest.
    pub fn come_to_rest(&self, mut after: impl FnMut(usize)) -> Vec<String> {
        let (mut broken, mut said) = (Vec::new(), Vec::new());
        for number in 1..=ROUNDS {
            let complaints = self.round();
            let outside = self.outside();
            broken.extend(self.books.broken(&outside).into_iter().map(|what| format!("after round {number}: {what}")));
            let unsettled = self.books.unsettled(&outside);
            if complaints.is_empty() && unsettled.is_empty() {
                return broken;
            }
            said.push(format!("round {number}: {complaints:?} {unsettled:?}"));
            after(number);
            self.pass_time(SignedDuration::from_hours(2));
        }
        broken.push(format!("it does not come to rest: {}", said.join("\n        ")));
        broken
    }

    async fn work(&self, store: &Store) -> Vec<String> {
        let lease = match store.own_within(Duration::ZERO).await {
            Ok(lease) => lease,
            Err(error) => return vec![error.to_string()],
        };
        let transport = match &self.settings.smtp {
            settings::Smtp::Server(server) => Transport::Smtp(Box::new(smtp::Smtp::new(server.clone()))),
            settings::Smtp::Directory(path) => Transport::Directory(Directory::new(path)),
        };
        match Daemon::new(self.journey.clone(), store.clone(), transport, lease).once().await {
            Ok(troubled) => troubled.into_iter().map(|(desk, trouble)| format!("{desk}: {trouble}")).collect(),
            Err(error) => vec![error.to_string()],
        }
    }

    /// What postkamer remembers.
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// What the servers saw.
    pub fn outside(&self) -> Outside {
        let waiting = self.imap.with(|accounts| {
            let desks = self.settings.desks.iter().map(|desk| desk.name.clone());
            desks
                .flat_map(|desk| {
                    let folder = accounts.folder(&user(&desk), "INBOX").clone();
                    folder.uids().into_iter().map(move |uid| (desk.clone(), folder.validity, uid))
                })
                .collect()
        });
        let copies = |letter: super::scripted::smtp::Letter| {
            let id = letter.message_id;
            letter.recipients.into_iter().map(move |recipient| SentCopy::of(&id, &recipient))
        };
        let mut sent: Vec<SentCopy> = self.smtp.letters().into_iter().flat_map(copies).collect();
        if self.source == Source::Maildir {
            sent = self.replies_in_files();
        }
        Outside { offered: self.offered.clone(), waiting, sent, ..Outside::default() }
    }

    /// A file has no envelope: its recipients are those of its header.
    fn replies_in_files(&self) -> Vec<SentCopy> {
        let mut sent = Vec::new();
        for file in files_below(&self.world.dir.join("replies-sent")).iter().filter(|file| file.extension().is_some_and(|e| e == "eml")) {
            let raw = fs::read_to_string(file).unwrap();
            let field = |name| super::field(&raw, name).unwrap_or_default();
            let (id, recipients) = (field("Message-ID"), format!("{},{}", field("To"), field("Cc")));
            sent.extend(recipients.split(',').map(str::trim).filter(|to| !to.is_empty()).map(|to| SentCopy::of(&id, to)));
        }
        sent
    }

    /// The replies so far: Message-ID and the whole message, the first copy of each.
    pub fn replies(&self) -> Vec<(String, String)> {
        let mut replies: Vec<(String, String)> = Vec::new();
        for letter in self.smtp.letters() {
            if replies.iter().all(|(id, _)| *id != letter.message_id) {
                replies.push((letter.message_id, letter.raw));
            }
        }
        replies
    }

    /// The end of the story: everything that must be the same however it came about. Times are left out, and copies of one letter.
    pub fn ending(&self) -> Vec<String> {
        let tables = [
            ("ticket", "id desk status kind urgent organisation reasons cc continues requester", "id"),
            ("mail", "mailbox validity uid outcome reasons kind authentic organisation ticket_id server_action action_state", "id"),
            ("entry", "id ticket_id kind author subject written digest mail_id outbox_id", "id"),
            ("attachment", "entry_id position name sha256", "entry_id, position"),
            ("withheld", "mail_id position format why kinds", "mail_id, position"),
            ("participant", "ticket_id address", "ticket_id, address"),
            ("identity_check", "ticket_id contact state", "id"),
            ("outbox", "id template ticket_id message_id to_address cc remaining state", "id"),
            ("arrival", "mailbox uid state", "mailbox, uid"),
            ("audit", "payload", "seq"),
        ];
        let mut ending = Vec::new();
        for (table, columns, order) in tables {
            let texts: Vec<String> = columns.split(' ').map(|column| format!("COALESCE(CAST({column} AS TEXT), '-')")).collect();
            let rows = self.books.rows(&format!("SELECT {} FROM {table} ORDER BY {order}", texts.join(" || '|' || ")));
            ending.extend(rows.into_iter().map(|row| format!("{table}: {}", if table == "audit" { lasting(&row) } else { row })));
        }
        ending.extend(self.mails().into_iter().map(|(folder, mail)| format!("mail in {folder}: {mail}")));
        let letters: BTreeSet<SentCopy> = self.outside().sent.into_iter().collect();
        ending.extend(letters.iter().map(|letter| format!("letter {} to {}", letter.message_id, letter.recipient)));
        ending
    }

    /// Every mail that lies in a folder, by its content.
    fn mails(&self) -> Vec<(String, String)> {
        let content = |raw: &[u8]| Sha256::digest(raw).iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut mails: Vec<(String, String)> = self.imap.with(|accounts| {
            let folders = accounts.users.values().flatten();
            folders.flat_map(|(name, folder)| folder.messages.iter().map(|message| (name.clone(), content(&message.raw)))).collect()
        });
        for file in files_below(&self.world.dir.join("mail")) {
            let folder = file.parent().unwrap().strip_prefix(&self.world.dir).unwrap().display().to_string();
            mails.push((folder, content(&fs::read(&file).unwrap())));
        }
        mails.sort();
        mails
    }
}

fn journey(settings: &Arc<Settings>, extractor: Extractor) -> Arc<Journey> {
    Arc::new(Journey::new(settings.clone(), Arc::new(extractor)).unwrap())
}

/// What of an audit record is the same in each playing: epochs grow with each start, and pseudonyms have a key of their own.
fn lasting(payload: &str) -> String {
    let record: serde_json::Value = serde_json::from_str(payload).unwrap();
    let fields = ["what", "mailbox", "validity", "uid", "verdict", "reasons", "server", "ticket", "replies", "findings", "withheld"];
    fields.map(|field| record[field].to_string()).join(" ")
}

/// The keys that say where a server of this process is.
fn server(kind: &str, port: u16) -> Table {
    let mut table = Table::new();
    table["kind"] = value(kind);
    table["host"] = value("127.0.0.1");
    table["port"] = value(i64::from(port));
    table["tls"] = value("none");
    table
}

/// The files and directories in a directory.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
