//! Rejected means gone: tokens are planted in every place of mails that are rejected, and every file of the world is searched for
//! them afterwards: mail stores of three kinds, both databases with their logs, state, temporary files, core dumps, the log at its most
//! talkative, and all that the commands and the health pages say.
//!
//! `forms` (how a token could have been kept), `mails` (where tokens are planted). `make residue` does all of it and writes the tables
//! in SECURITY.md.

mod forms;
mod mails;

use crate::health::get;
use crate::support::database::sql;
use crate::support::dovecot::{Dovecot, Store};
use crate::support::postgres::Postgres;
use crate::support::reliability::installation::{Installation, Kept};
use crate::support::reliability::matrix;
use crate::support::reliability::wire::When;
use crate::support::server::{Scratch, Server};
use crate::support::smtp::Smtp;
use crate::support::world::World;
use crate::support::{eventually, free_port, published, within};
use forms::{Hit, Search, Token, forms};
use mails::{KEPT_FILE, KEPT_SUBJECT, KEPT_TEXT, Planter, sent_anew};
use std::fmt::Write;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;
use toml_edit::{Item, Table, value};

/// The mailbox that all mails come into.
const DESK: &str = "support@zaakwijs.example";

/// A mailbox that nobody works off.
const CONTROL: &str = "controle@zaakwijs.example";

/// What was found in one kind of place.
#[derive(Debug)]
struct Row {
    place: String,
    files: u64,
    bytes: u64,
    /// How many of how many tokens that must be there were found there: that the search sees what lies here.
    control: Option<(usize, usize)>,
    hits: Vec<Hit>,
}

/// Rows of the same place become one.
fn merged(rows: Vec<Row>) -> Vec<Row> {
    let mut all: Vec<Row> = Vec::new();
    for row in rows {
        let Some(same) = all.iter_mut().find(|other| other.place == row.place) else {
            all.push(row);
            continue;
        };
        same.files += row.files;
        same.bytes += row.bytes;
        same.control = match (same.control, row.control) {
            (Some(a), Some(b)) => Some((a.0 + b.0, a.1 + b.1)),
            (a, b) => a.or(b),
        };
        same.hits.extend(row.hits);
    }
    all
}

/// Tells what was found; with `RESIDUE_TABLES` the table of that name in this file is written, too.
fn publish(name: &str, rows: &[Row]) {
    let mut table =
        "| place | files | bytes | control: tokens of what is there | tokens of what was rejected |\n| --- | --: | --: | --: | --: |\n"
            .to_owned();
    for Row { place, files, bytes, control, hits } in rows {
        let control = control.map_or("–".to_owned(), |(found, planted)| format!("{found} of {planted}"));
        writeln!(table, "| {place} | {files} | {bytes} | {control} | {} |", hits.len()).unwrap();
    }
    eprintln!("{table}");
    if let Ok(file) = std::env::var("RESIDUE_TABLES") {
        published::publish(&file, &format!("residue {name}"), "make residue", &table);
    }
    let left: Vec<&Hit> = rows.iter().flat_map(|row| &row.hits).collect();
    assert!(left.is_empty(), "{} tokens of rejected mail are left: {left:#?}", left.len());
}

#[test]
fn the_search_finds_every_form_of_a_token() {
    let scratch = Scratch::new("forms");
    let token = Token { place: "here".to_owned(), text: "qxzvkwjbtrplmnsd".to_owned() };
    let search = Search::new(std::slice::from_ref(&token));
    let told = |name: &str, bytes: &[u8]| {
        let file = scratch.write(name, bytes);
        search.below(&[PathBuf::from(file)]).hits.into_iter().map(|hit| hit.form).collect::<Vec<_>>()
    };
    for (number, (form, bytes)) in forms(&token.text).into_iter().enumerate() {
        let file = [b"before ".to_vec(), bytes, b" after".to_vec()].concat();
        assert!(told(&number.to_string(), &file).contains(&form), "{form}");
    }
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, token.text.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let zipped = crate::extract::zipped(&[("a.txt", &crate::extract::zipped(&[("b.txt", token.text.repeat(3).as_bytes())]))]);
    assert_eq!(told("zlib", &[b"\0\x01".as_slice(), &packed].concat()), ["inside"]);
    assert!(told("zip", &zipped).contains(&"inside"));
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &zipped);
    let lines: Vec<&str> = base64.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    assert!(
        told("mail", format!("Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--end", lines.join("\r\n")).as_bytes()).contains(&"inside")
    );
    assert_eq!(told("folded", b"qxzvkwjb=\r\ntrplmnsd"), ["raw"]);
    assert_eq!(told("capitals", b"QXZVKWJBTRPLMNSD"), ["raw"]);
    assert_eq!(told("qxzvkwjbtrplmnsd.txt", b""), ["raw"], "a file's name");
    assert_eq!(told("other", b"qxzvkwjbtrplmnsx"), Vec::<&str>::new());
}

/// One PostgreSQL of our own, which logs every statement with its values, and throws away nothing of its write-ahead log.
fn postgres() -> &'static Postgres {
    static POSTGRES: OnceLock<Postgres> = OnceLock::new();
    POSTGRES.get_or_init(|| Postgres::start_with(&["log_statement=all", "log_min_messages=debug1", "wal_keep_size=2GB"]))
}

#[test]
fn rejected_mail_leaves_nothing_anywhere() {
    let stores = [Store::Maildir, Store::Sdbox, Store::Mdbox];
    let (mut rows, mut tokens, mut welcome) = (Vec::new(), Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let lanes: Vec<_> = stores.map(|store| scope.spawn(move || lane(store))).into_iter().collect();
        for lane in lanes {
            let (seen, planted) = lane.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause));
            rows.extend(seen);
            tokens.extend(planted.tokens);
            welcome.extend(planted.welcome);
        }
    });
    rows.extend(in_postgres(&tokens, &welcome));
    publish("pass", &merged(rows));
}

/// What is left in PostgreSQL; `welcome` was kept there.
fn in_postgres(tokens: &[Token], welcome: &[Token]) -> Vec<Row> {
    let (search, control) = (Search::new(tokens), Search::new(welcome));
    // What is in its memory only comes into its files.
    postgres().sql("postgres", "CHECKPOINT");
    let scratch = Scratch::new("dumps");
    for database in postgres().sql("postgres", "SELECT datname FROM pg_database WHERE NOT datistemplate").lines() {
        scratch.write(database, postgres().dump(database));
    }
    let log = PathBuf::from(scratch.write("log", postgres().logs()));
    let (data, dumps) = (postgres().files(), scratch.path().to_owned());
    let mut heap: Vec<PathBuf> = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()).collect();
    heap.retain(|path| !path.ends_with("pg_wal"));
    [
        ("PostgreSQL: tables, indexes and all else", heap),
        ("PostgreSQL: write-ahead log", vec![data.join("pg_wal")]),
        ("PostgreSQL: its log of every statement with its values", vec![log]),
        ("PostgreSQL: pg_dump", vec![dumps]),
    ]
    .map(|(place, paths)| {
        let (found, kept) = (search.below(&paths), control.below(&paths));
        let seen = [KEPT_SUBJECT, KEPT_TEXT].iter().filter(|token| kept.planted().contains(**token)).count();
        assert_eq!(seen, 2, "{place}: the search does not even see what must be there");
        Row { place: place.to_owned(), files: found.files, bytes: found.bytes, control: Some((seen, 2)), hits: found.hits }
    })
    .into()
}

/// In how many different places these were planted.
fn distinct(tokens: &[Token]) -> usize {
    tokens.iter().map(|token| token.place.as_str()).collect::<std::collections::BTreeSet<_>>().len()
}

/// One kind of mail store: an installation on SQLite, then one on PostgreSQL. What was planted is also PostgreSQL's.
fn lane(store: Store) -> (Vec<Row>, Planter) {
    let dovecot = Dovecot::start(store);
    let smtp = Smtp::start(&dovecot);
    let mut rows = Vec::new();
    let world = World::on(&dovecot, &smtp);
    rows.extend(Site::new(world, &dovecot, &smtp, store, Kept::Sqlite).play().0);
    let world = World::on(&dovecot, &smtp).with_database(&postgres().database("residue"));
    let (seen, planted) = Site::new(world, &dovecot, &smtp, store, Kept::Postgres).play();
    rows.extend(seen);
    (rows, planted)
}

/// One installation, and everything around it that could remember.
struct Site<'a> {
    world: World,
    dovecot: &'a Dovecot,
    smtp: &'a Smtp,
    store: Store,
    kept: Kept,
    /// The daemon's log, what was asked of it, its working directory.
    scratch: Scratch,
    port: u16,
}

impl<'a> Site<'a> {
    fn new(world: World, dovecot: &'a Dovecot, smtp: &'a Smtp, store: Store, kept: Kept) -> Self {
        let port = free_port();
        world.edit(|config| {
            let mut health = Table::new();
            health["listen"] = value(format!("127.0.0.1:{port}"));
            config["health"] = Item::Table(health);
            for (_, limit) in config["limits"].as_table_mut().unwrap().iter_mut() {
                *limit = value(0);
            }
        });
        let scratch = Scratch::new("residue");
        for directory in ["told", "cores", "tmp"] {
            scratch.directory(directory, None);
        }
        Self { world, dovecot, smtp, store, kept, scratch, port }
    }

    /// The normal pass: mail comes, is worked off, everything is asked, the daemon dies by SIGABRT, and an orderly run follows.
    fn play(self) -> (Vec<Row>, Planter) {
        let mut planter = Planter::default();
        let welcome = planter.welcome();
        let mut mails = planter.rejected();
        let by_pipe = planter.rejected_in_short();
        self.lay(DESK, &[welcome]);
        let (now, later) = mails.split_at(mails.len() / 2);
        self.lay(DESK, now);
        let daemon = self.daemon();
        self.worked_off();
        // What comes while it watches, and what comes while it is not there.
        self.lay(DESK, later);
        self.worked_off();
        for mail in &by_pipe {
            self.world.finish(self.world.command(&["deliver", "--desk", "support"]), mail).ok();
        }
        mails.extend(by_pipe);
        self.worked_off();
        self.ask();
        self.abort(&daemon);
        drop(daemon);
        let rows = self.rows(&planter, &mails);
        self.world.run(&["run", "--once"]).ok();
        let search = Search::new(&planter.tokens);
        assert_eq!(search.below(std::slice::from_ref(&self.world.dir)).hits, [], "after an orderly run");
        (rows, planter)
    }

    fn lay(&self, mailbox: &str, mails: &[Vec<u8>]) {
        for mail in mails {
            self.dovecot.append(mailbox, "INBOX", mail, None);
        }
    }

    /// The daemon at its most talkative, allowed to write core dumps and told of no directory for temporary files.
    fn daemon(&self) -> Server {
        const START: &str = "cd \"$1\" && ulimit -c unlimited && exec env RUST_LOG=trace,async_imap::imap_stream=trace RUST_BACKTRACE=full TMPDIR=\"$2\" \"$3\" --config \"$4\" run";
        let (cores, tmp) = (self.scratch.file("cores"), self.scratch.file("tmp"));
        let program = ["sh", "-c", START, "sh", &cores, &tmp, env!("CARGO_BIN_EXE_postkamer"), self.world.config_path.to_str().unwrap()];
        Server::start(&self.scratch, &program, "TERM")
    }

    #[track_caller]
    fn worked_off(&self) {
        const LEFT: &str = "SELECT 'mail' FROM mail WHERE action_state = 'due' UNION ALL SELECT 'arrival' FROM arrival \
             UNION ALL SELECT 'reply' FROM outbox WHERE state IN ('due', 'claimed')";
        eventually("the daemon is ready", || get(self.port, "/readyz").filter(|(status, _)| *status == 200));
        within(Duration::from_secs(600), "every mail is worked off and every reply sent", || {
            (self.dovecot.count(DESK, "INBOX") == 0 && sql(&self.world, LEFT).unwrap().is_empty()).then_some(())
        });
    }

    /// Everything that can be asked of it, written down.
    fn ask(&self) {
        for page in ["healthz", "readyz", "metrics"] {
            let (_, text) = get(self.port, &format!("/{page}")).unwrap();
            self.scratch.write(&format!("told/{page}"), text);
        }
        let mut commands: Vec<String> = [
            "status",
            "status --json",
            "check --connect",
            "tickets list",
            "tickets list --json",
            "queue list",
            "queue list --json",
            "outbox list",
            "outbox list --json",
            "audit list --json",
            "audit export",
            "audit verify",
            "profiles list --json",
            "contacts requests",
            "portal requests",
            "portal roster --csv",
            "access report",
            "ropa",
            "retention run --dry-run --json",
            "person export a.devries@waterwolde.example --json",
            "person export v.vreemd@elders.example --json",
        ]
        .map(str::to_owned)
        .into();
        for ticket in self.world.run(&["tickets", "list", "--json"]).ok().json() {
            commands.push(format!("tickets show {}", ticket["number"].as_str().unwrap()));
        }
        for command in commands {
            let mut asked = self.world.command(&command.split(' ').collect::<Vec<_>>());
            asked.env("RUST_LOG", "trace");
            let outcome = self.world.finish(asked, b"");
            assert!(matches!(outcome.status, Some(0 | 1)), "{command}: {outcome:?}");
            self.scratch.write(&format!("told/{command}"), format!("{}\n{}", outcome.stdout, outcome.stderr));
        }
    }

    /// The watchdog's way, and that of a mistake in a library: memory with mail in it must not become a file.
    fn abort(&self, daemon: &Server) {
        let limits = fs::read_to_string(format!("/proc/{}/limits", daemon.pid())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
        let aborted = Command::new("kill").args(["-ABRT", &daemon.pid().to_string()]).status().unwrap();
        assert!(aborted.success());
        eventually("the daemon is dead", || (!daemon.is_alive()).then_some(()));
        assert_eq!(fs::read_dir(self.scratch.file("cores")).unwrap().count(), 0, "a core dump");
    }

    /// Every place, searched.
    fn rows(&self, planter: &Planter, mails: &[Vec<u8>]) -> Vec<Row> {
        let (search, kept) = (Search::new(&planter.tokens), Search::new(&planter.welcome));
        let mut rows = Vec::new();
        let mut look = |place: &str, paths: &[PathBuf], kept_here: &[&str]| {
            let (found, seen) = (search.below(paths), kept.below(paths));
            let missed: Vec<_> = kept_here.iter().filter(|token| !seen.planted().contains(**token)).collect();
            assert!(missed.is_empty(), "{place}: the search does not even see {missed:?}");
            let control = (!kept_here.is_empty()).then_some((kept_here.len(), kept_here.len()));
            rows.push(Row { place: place.to_owned(), files: found.files, bytes: found.bytes, control, hits: found.hits });
        };
        let (state, mailbox) = (self.world.state_dir(), self.dovecot.files().join(DESK));
        let mut database: Vec<PathBuf> = fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().path()).collect();
        database.retain(|path| !path.ends_with("attachments"));
        if self.kept == Kept::Sqlite {
            look("SQLite: the database and its write-ahead log", &database, &[KEPT_SUBJECT, KEPT_TEXT]);
        }
        look("stored attachments", &[state.join("attachments")], &[KEPT_FILE]);
        look("the daemon's log at the level trace", &[self.scratch.path().join("stdout")], &[]);
        look("temporary files, core dumps", &[self.scratch.path().join("tmp"), self.scratch.path().join("cores")], &[]);
        let told = self.scratch.path().join("told");
        look("metrics and health pages", &["metrics", "healthz", "readyz"].map(|page| told.join(page)), &[]);
        look("record of decisions, exported", &[told.join("audit export"), told.join("audit list --json")], &[]);
        look("all that the commands say", &[told], &[KEPT_SUBJECT, KEPT_TEXT]);
        look("settings, and all else that lies there", std::slice::from_ref(&self.world.dir), &[KEPT_FILE]);
        look("mail server for replies: queue and logs", &[self.smtp.files()], &[]);
        let log = PathBuf::from(self.scratch.write("dovecot.log", self.dovecot.logs()));
        look("IMAP server: log", &[log], &[]);
        let others: Vec<PathBuf> =
            fs::read_dir(self.dovecot.files()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| *path != mailbox).collect();
        look("mailboxes of those who were answered", &others, &[]);
        if self.store == Store::Mdbox {
            let before = search.below(std::slice::from_ref(&mailbox)).planted().len();
            assert!(before > 0, "what check --connect says of mdbox is not true (any more)");
            self.dovecot.purge(DESK);
        }
        let place = match self.store {
            Store::Maildir => "mail store, Maildir: mails, index and cache",
            Store::Sdbox => "mail store, sdbox: mails, index and cache",
            Store::Mdbox => "mail store, mdbox after `doveadm purge`: mails, index and cache",
        };
        look(place, std::slice::from_ref(&mailbox), &[KEPT_SUBJECT, KEPT_TEXT, KEPT_FILE]);
        // That the search sees what the mails held: the same mails in the same kind of store, where nobody takes them away.
        self.lay(CONTROL, mails);
        let control = search.below(&[self.dovecot.files().join(CONTROL)]);
        let missed: Vec<&Token> = planter.tokens.iter().filter(|token| !control.planted().contains(token.place.as_str())).collect();
        assert!(missed.is_empty(), "{place}: the search does not see {missed:#?}");
        if let Some(row) = rows.last_mut() {
            row.control = Some((distinct(&planter.tokens), distinct(&planter.tokens)));
        }
        rows
    }
}

/// Without what postkamer does against it, such a death leaves memory in a file here: the test above could fail.
#[test]
fn a_program_that_allows_it_leaves_a_core_dump() {
    let scratch = Scratch::new("core");
    let program = "cd \"$1\" && ulimit -c unlimited && exec sh -c 'kill -ABRT $$'";
    let ended = Command::new("sh").args(["-c", program, "sh", &scratch.file("")]).status().unwrap();
    assert_eq!(ended.signal(), Some(libc::SIGABRT));
    // Where the system hands core dumps to a program, or forbids them, only the limit that postkamer sets itself can be checked.
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    if ended.core_dumped() && !pattern.starts_with(['|', '/']) {
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
    }
}

/// One of the kinds of mail store, for all that are killed in it.
fn dovecot(store: Store) -> &'static Dovecot {
    static ALL: [OnceLock<Dovecot>; 3] = [const { OnceLock::new() }; 3];
    ALL[store as usize].get_or_init(|| Dovecot::start(store))
}

#[test]
fn rejected_mail_leaves_nothing_when_the_process_is_killed_at_any_step() {
    let (mut rows, mut tokens, mut welcome) = (Vec::new(), Vec::new(), Vec::new());
    let stores = [Store::Maildir, Store::Sdbox, Store::Mdbox];
    let installations = stores.into_iter().flat_map(|store| [(store, Kept::Sqlite), (store, Kept::Postgres)]);
    std::thread::scope(|scope| {
        let lanes: Vec<_> = installations.map(|(store, kept)| (kept, scope.spawn(move || killed(store, kept)))).collect();
        for (kept, lane) in lanes {
            let (seen, planted) = lane.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause));
            rows.extend(seen);
            if kept == Kept::Postgres {
                tokens.extend(planted.tokens);
                welcome.extend(planted.welcome);
            }
        }
    });
    rows.extend(in_postgres(&tokens, &welcome));
    publish("kills", &merged(rows));
}

/// At 24 steps of those that the servers see, spread over all, other ones for each kind of store (`RESIDUE_KILLS` says at how many; more than
/// there are: at every one): mails come, the process is killed, what lies around is searched; then it is started again, and everything is
/// searched.
fn killed(store: Store, kept: Kept) -> (Vec<Row>, Planter) {
    let here = Installation::on(dovecot(store), postgres, kept, 1);
    let account = here.desks.values().next().unwrap().clone();
    let mut planter = Planter::default();
    here.dovecot.append(&account, "INBOX", &planter.welcome(), None);
    settle(&here);
    // The same tokens at each step: what one of them leaves is seen from then on, at the first of them for the first time.
    let rejected = planter.rejected_in_short();
    let offer = |here: &Installation| {
        for mail in &rejected {
            here.dovecot.append(&account, "INBOX", &sent_anew(mail), None);
        }
    };
    offer(&here);
    let usual = matrix::once(&here, None).seen;
    let steps: Vec<When> = usual.into_iter().flat_map(|(step, times)| (1..=times).map(move |nth| When::At(step.clone(), nth))).collect();
    let wanted: usize = std::env::var("RESIDUE_KILLS").map_or(24, |kills| kills.parse().unwrap());
    let every = steps.len().div_ceil(wanted);
    let (mut dead, mut settled) = (row("files of an installation right after the kill"), row("files of an installation after it went on"));
    let mut store_row = row(&format!("mail store, {store:?}, after it went on"));
    let (installation, mailbox) = ([here.world.dir.clone()], [here.dovecot.files().join(&account)]);
    let search = Search::new(&planter.tokens);
    let mut kills = 0;
    for when in steps.iter().skip(store as usize % every).step_by(every) {
        offer(&here);
        kills += u64::from(matrix::once(&here, Some(when.clone())).killed.is_some());
        dead.add(search.below(&installation), when);
        here.time_passes();
        settle(&here);
        if store == Store::Mdbox {
            here.dovecot.purge(&account);
        }
        settled.add(search.below(&installation), when);
        store_row.add(search.below(&mailbox), when);
    }
    eprintln!("{store:?}, {kept:?}: killed {kills} times, {} steps in a usual run", steps.len());
    assert!(kills > 0);
    // Texts of tickets are in the database, which for PostgreSQL lies elsewhere.
    let here_too: &[&str] = if kept == Kept::Sqlite { &[KEPT_SUBJECT, KEPT_TEXT, KEPT_FILE] } else { &[KEPT_FILE] };
    let control = Search::new(&planter.welcome);
    for (row, places, kept_here) in [
        (&mut dead, &installation, here_too),
        (&mut settled, &installation, here_too),
        (&mut store_row, &mailbox, &[KEPT_SUBJECT, KEPT_TEXT, KEPT_FILE]),
    ] {
        let seen = control.below(places);
        assert!(kept_here.iter().all(|token| seen.planted().contains(*token)), "{}: the search does not see what must be there", row.place);
        row.control = Some((kept_here.len(), kept_here.len()));
    }
    (vec![dead, settled, store_row], planter)
}

/// Runs until nothing is left to do.
fn settle(here: &Installation) {
    for _ in 0..5 {
        assert_eq!(matrix::once(here, None).killed, None);
        if matrix::left(here).is_empty() {
            return;
        }
    }
    panic!("work is left after five runs: {:?}", matrix::left(here));
}

fn row(place: &str) -> Row {
    Row { place: place.to_owned(), files: 0, bytes: 0, control: None, hits: Vec::new() }
}

impl Row {
    fn add(&mut self, found: forms::Found, killed: &When) {
        self.files += found.files;
        self.bytes += found.bytes;
        self.hits.extend(found.hits.into_iter().map(|hit| Hit { planted: format!("{} (killed: {killed:?})", hit.planted), ..hit }));
    }
}
