//! Databases that earlier versions made, with mail in flight: they migrate, and everything in flight comes to its end once.
//!
//! `fixtures/upgrade` was made by the first version (commit f54b3fb): six mails of `support` booked of which none could be filed or
//! deleted and no reply sent, and one of `ict` in hand when the program was killed.

use crate::daemon::{authentic, question};
use crate::health::{listen, page};
use crate::support::database::sql;
use crate::support::postgres::Postgres;
use crate::support::scripted::Reaction;
use crate::support::scripted::imap::fetches;
use crate::support::stage::{Memory, Source, Stage};
use crate::support::world::World;
use crate::support::{DEADLINE, eventually};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::{Duration, UNIX_EPOCH};

/// A minute after the old version was killed.
const NOW: &str = "2026-11-19T10:01:00+01:00";

/// Desk, file name (which begins with the time of the file), and the story whose mail it is.
const MAILS: [(&str, &str, &str); 7] = [
    ("support", "1795075200.M1.mx", "clean-spreadsheet-is-kept"),
    ("support", "1795075201.M2.mx", "stranger-waits"),
    ("support", "1795075202.M3.mx", "citizen-data-in-csv-from-a-contact"),
    ("support", "1795075203.M4.mx", "citizen-number-in-body"),
    ("support", "1795075204.M5.mx", "named-elsewhere-without-accents-da"),
    ("support", "1795075205.M6.mx", "newsletter"),
    ("ict", "1795075206.M7.mx", "clean-pdf-and-screenshot-are-kept"),
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The world of then: its mailboxes and attachments, on whatever database.
fn world() -> World {
    let world = World::new();
    for desk in ["support", "ict", "open", "closed", "nordic"] {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(world.dir.join("mail").join(desk).join(part)).unwrap();
        }
    }
    for (desk, name, story) in MAILS {
        let file = world.dir.join("mail").join(desk).join("new").join(name);
        fs::copy(fixtures().join("mails").join(format!("{story}.eml")), &file).unwrap();
        let seconds = name.split('.').next().unwrap().parse().unwrap();
        File::options().write(true).open(&file).unwrap().set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
    }
    let content = "81/81637c062d5a0139dae4ac56e1899d3cedfc2c3fe2500b00a171d04733c041ce";
    let attachments = world.state_dir().join("attachments");
    fs::create_dir_all(attachments.join("81")).unwrap();
    fs::copy(fixtures().join("upgrade/attachments").join(content), attachments.join(content)).unwrap();
    world
}

/// The old database as it was, in a world of its own.
pub fn on_sqlite() -> World {
    let world = world();
    fs::copy(fixtures().join("upgrade/first.db"), world.state_dir().join("postkamer.db")).unwrap();
    world
}

fn on_postgres() -> World {
    let url = Postgres::shared().database("upgrade");
    Postgres::shared().load(url.rsplit('/').next().unwrap(), &fixtures().join("upgrade/first.sql"));
    world().with_database(&url)
}

fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn what_is_in_flight_comes_to_its_end_once(world: &World) {
    let applied = world.run(&["migrate", "--json"]).ok().json();
    assert!(!applied[0]["applied"].as_array().unwrap().is_empty(), "the schema of then is older");
    let message_ids = sql(world, "SELECT message_id FROM outbox WHERE state = 'due'").unwrap();
    assert_eq!(message_ids.len(), 6);
    let before = world.run(&["tickets", "list", "--json"]).ok().json();
    assert_eq!(before.iter().map(|ticket| ticket["status"].as_str().unwrap()).collect::<Vec<_>>(), ["open", "queued", "open", "queued"]);

    for _ in 0..2 {
        world.run_at(NOW, &["run", "--once"]).ok();
    }
    let support = world.dir.join("mail/support");
    assert_eq!(files(&support.join("new")), Vec::<String>::new());
    let filed: Vec<String> = files(&support.join(".Verwerkt/cur")).iter().map(|name| name.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(filed, ["1795075200.M1.mx", "1795075201.M2.mx", "1795075204.M5.mx", "1795075205.M6.mx"], "the others are deleted");
    assert_eq!(files(&world.dir.join("mail/ict/.Verwerkt/cur")).len(), 1);
    let after = world.run(&["tickets", "list", "--json"]).ok().json();
    assert_eq!(after[..4], before[..], "what was booked stays as it was");
    assert_eq!((after.len(), after[4]["status"].as_str()), (5, Some("open")), "what was in hand is booked once");
    // The mail of `ict` names another desk, so it gets no answer.
    assert_eq!(files(&world.dir.join("replies-sent")).len(), 6);
    let sent: Vec<String> = sql(world, "SELECT message_id FROM outbox WHERE state = 'sent' ORDER BY id").unwrap();
    assert_eq!(sent, message_ids, "replies keep their Message-IDs");
    let status = &world.run(&["status", "--json"]).ok().json()[0];
    assert_eq!((&status["arrivals"], &status["actions_due"]), (&Value::Object(Default::default()), &Value::Object(Default::default())));
    world.run(&["audit", "verify"]).ok();
    world.run(&["tickets", "show", "PK-00001"]).ok();
}

#[test]
fn a_database_of_the_first_version_migrates_with_its_mail_in_flight_on_sqlite() {
    what_is_in_flight_comes_to_its_end_once(&on_sqlite());
}

#[test]
fn a_database_of_the_first_version_migrates_with_its_mail_in_flight_on_postgresql() {
    what_is_in_flight_comes_to_its_end_once(&on_postgres());
}

/// Who migrates has the lock on the connection that does the work: beside another one it would be idle, and after some seconds the server
/// would end it and let a second daemon migrate, too.
#[test]
fn a_long_migration_keeps_its_lock() {
    use sea_orm::{ConnectionTrait, Database, TransactionTrait};
    let url = Postgres::shared().database("upgrade");
    let name = url.rsplit('/').next().unwrap();
    Postgres::shared().load(name, &fixtures().join("upgrade/first.sql"));
    let world = world().with_database(&url);
    let sessions = |which: &str| {
        let own = "datname = current_database() AND application_name = 'postkamer'";
        Postgres::shared().sql(name, &format!("SELECT count(*) FROM pg_stat_activity WHERE {own} AND {which}"))
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    // Somebody else has the table that is to be changed.
    let reader = runtime.block_on(async {
        let reader = Database::connect(&url).await.unwrap().begin().await.unwrap();
        reader.execute_unprepared("LOCK TABLE mail IN ACCESS SHARE MODE").await.unwrap();
        reader
    });
    let mut migrating = world.command(&["migrate"]).spawn().unwrap();
    eventually("it waits for the table", || (sessions("wait_event_type = 'Lock'") == "1").then_some(()));
    let idle = sessions("state = 'idle in transaction'");
    runtime.block_on(reader.rollback()).unwrap();
    assert!(migrating.wait().unwrap().success());
    assert_eq!(idle, "0", "no session with a transaction has nothing to do");
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_left_alone() {
    for world in [on_sqlite(), on_postgres()] {
        world.run(&["migrate"]).ok();
        sql(&world, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m2999_01_01_of_tomorrow', 0)").unwrap();
        for command in [&["run", "--once"][..], &["status"], &["migrate"], &["tickets", "list"]] {
            let refused = world.run_at(NOW, command).exits(2);
            assert!(refused.stderr.contains("made by a newer version of postkamer"), "{}", refused.stderr);
        }
        // A mail server keeps the mail.
        let refused = world.run_at(NOW, &["deliver", "--desk", "support", "-"]).exits(75);
        assert!(refused.stderr.contains("made by a newer version of postkamer"), "{}", refused.stderr);
        assert_eq!(files(&world.dir.join("mail/support/new")).len(), 6, "nothing was touched");
    }
}

/// The daemon has a mail in hand, which its server does not give it: so it is still there to be asked when the newer version comes.
fn it_ends_when_a_newer_version_comes(memory: Memory) {
    let mut stage = Stage::new(Source::Able, memory, &BTreeSet::from(["support"]), |_| {});
    stage.deliver("support", &authentic(&question("a.devries@waterwolde.example", "support@zaakwijs.example", 1)), NOW.parse().unwrap());
    stage.it_is(NOW.parse().unwrap());
    let (tell, in_hand) = mpsc::channel();
    stage.imap.interfere(move |command, _| match fetches(command, 1) && tell.send(()).is_ok() {
        true => Reaction::Silence,
        false => Reaction::Obey,
    });
    let port = listen(&stage.world);
    let log = stage.world.dir.join("log");
    let mut run = stage.world.command(&["run"]);
    run.env("POSTKAMER_NOW", NOW).stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
    let mut daemon = run.spawn().unwrap();
    in_hand.recv_timeout(DEADLINE).expect("the daemon fetches");
    sql(&stage.world, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m2999_01_01_of_tomorrow', 0)").unwrap();
    page(port, "/readyz", 503, &["a newer version of postkamer has brought the database up to date"]);
    let ended = eventually("it ends", || daemon.try_wait().unwrap());
    let said = fs::read_to_string(&log).unwrap();
    assert!(ended.code() == Some(75) && said.contains("This one takes in no more mail and ends"), "{ended}: {said}");
    let refused = stage.world.run(&["status"]).exits(2);
    assert!(refused.stderr.contains("made by a newer version of postkamer"), "{}", refused.stderr);

    // It has booked nothing, and gave the database back; here the newer version is this one.
    sql(&stage.world, "DELETE FROM seaql_migrations WHERE version = 'm2999_01_01_of_tomorrow'").unwrap();
    assert_eq!(sql(&stage.world, "SELECT subject FROM entry").unwrap(), [""; 0]);
    assert_eq!(stage.world.run(&["status", "--json"]).ok().json()[0]["daemons"], serde_json::json!([]), "it ended in order");
    stage.imap.repair();
    assert_eq!(stage.come_to_rest(|_| {}), [""; 0]);
    assert_eq!(sql(&stage.world, "SELECT subject FROM entry WHERE kind = 'mail'").unwrap().len(), 1);
}

#[test]
fn a_daemon_whose_database_a_newer_version_has_migrated_takes_in_nothing_more_on_sqlite() {
    it_ends_when_a_newer_version_comes(Memory::Sqlite);
}

#[test]
fn a_daemon_whose_database_a_newer_version_has_migrated_takes_in_nothing_more_on_postgresql() {
    it_ends_when_a_newer_version_comes(Memory::Postgres);
}
