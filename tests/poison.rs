//! Mails that bring trouble: to the process that opens them, to the server that holds them, to the database. After three attempts alone such
//! a mail is stuck; those around it go on, and never are; `status`, the metrics and `queue list` say so, and it can be tried again.

use crate::daemon::{authentic, get, question};
use crate::support::database::sql;
use crate::support::scripted::{Reaction, imap::fetches};
use crate::support::stage::{Memory, Source, Stage};
use crate::support::world::World;
use crate::support::{eventually, free_port};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use toml_edit::value;

const CONTACT: &str = "a.devries@waterwolde.example";
/// The UID of the mail that brings the trouble, among five.
const POISON: u32 = 3;

/// Five mails of a contact, UIDs 1 to 5.
fn five_mails(memory: Memory) -> Stage {
    let mut stage = Stage::new(Source::Able, memory, &BTreeSet::from(["support"]), |_| {});
    let now = "2026-11-18T10:00:00+01:00".parse().unwrap();
    for number in 1..=5 {
        stage.deliver("support", &authentic(&question(CONTACT, "support@zaakwijs.example", number)), now);
    }
    stage.it_is(now);
    stage
}

/// What became of the five.
fn fates(stage: &Stage) -> Vec<(String, usize)> {
    let broken = stage.books().broken(&stage.outside());
    assert!(broken.is_empty(), "{broken:?}");
    stage.books().fates(&stage.outside()).into_iter().collect()
}

fn one_stuck() -> Vec<(String, usize)> {
    vec![("open".to_owned(), 4), ("stuck".to_owned(), 1)]
}

/// `queue list` shows it, `queue retry` has it tried again, and now it goes through.
fn try_again(stage: &Stage) {
    let stuck =
        || stage.world.run(&["queue", "list", "--json"]).ok().json().into_iter().filter(|row| row["stuck"] == true).collect::<Vec<_>>();
    let listed = stuck();
    assert_eq!(listed.len(), 1, "{listed:?}");
    for (field, due) in [("mailbox", json!("support")), ("uidvalidity", json!(7)), ("uid", json!(POISON))] {
        assert_eq!(listed[0][field], due, "{}", listed[0]);
    }
    assert_eq!(stage.world.run(&["status", "--json"]).ok().json()[0]["arrivals"], json!({"stuck": 1}));
    stage.world.run(&["queue", "retry", "support/7/4"]).exits(2);
    stage.world.run(&["queue", "retry", "support/7/3"]).ok();
    assert_eq!(stage.come_to_rest(|_| {}), [""; 0]);
    assert_eq!(fates(stage), [("open".to_owned(), 5)]);
    assert!(stuck().is_empty());
}

#[test]
fn f06_a_mail_that_brings_the_daemon_down_is_stuck_after_three_attempts_alone_and_the_others_arrive_on_time() {
    let stage = five_mails(Memory::Sqlite);
    let daemon = Arc::new(AtomicI32::new(0));
    let victim = daemon.clone();
    stage.imap.interfere(move |command, _| {
        if fetches(command, POISON) {
            // It is gone before it has the mail.
            kill_process(Pid::from_raw(victim.load(Ordering::SeqCst)).unwrap(), Signal::KILL).unwrap();
            return Reaction::CutBefore;
        }
        Reaction::Obey
    });
    let mut told = Vec::new();
    for _ in 1..=8 {
        let mut child = stage.world.command(&["run", "--once"]);
        child.env("POSTKAMER_NOW", "2026-11-18T10:00:00+01:00").stderr(std::process::Stdio::null());
        // The pid is known before the program has begun to sign in: it has its settings to read.
        let mut child = child.spawn().unwrap();
        daemon.store(i32::try_from(child.id()).unwrap(), Ordering::SeqCst);
        let ended = child.wait().unwrap();
        told.push(fates(&stage));
        if ended.success() {
            break;
        }
    }
    // Together, then alone: those that were least in hand come first, and none but the one is ever stuck.
    assert!(told.iter().flatten().all(|(fate, count)| fate != "stuck" || *count == 1), "{told:?}");
    let booked_after = told.iter().position(|fates| fates.contains(&("open".to_owned(), 4))).unwrap_or(usize::MAX);
    assert!(booked_after <= 2, "the others are booked when it was met alone twice: {told:?}");
    assert_eq!(told.len(), 5, "it came down once with all of them, and three times alone: {told:?}");
    assert_eq!(told.last(), Some(&one_stuck()));

    // The daemon says so, and lives with it.
    let port = free_port();
    stage.world.edit(|config| config["health"]["listen"] = value(format!("127.0.0.1:{port}")));
    let watching = stage.world.daemon(Some("2026-11-18T10:00:00+01:00"));
    eventually("the metrics tell of the stuck mail", || {
        get(port, "/metrics").filter(|(_, page)| page.contains("postkamer_mails_without_result{state=\"stuck\"} 1"))
    });
    eventually("the mailbox is watched", || stage.world.daemon_log().contains("Ready.").then_some(()));
    assert!(watching.is_alive());
    drop(watching);
    stage.imap.repair();
    try_again(&stage);
}

/// A mail that takes the program some seconds.
fn busy(number: u32) -> Vec<u8> {
    let line = "Waar staat de termijn van zaaktype 12345, en wie is J. Jansen, 1 mei 1980, Dorpsstraat 12?\r\n";
    [authentic(&question(CONTACT, "support@zaakwijs.example", number)), line.repeat(20_000).into_bytes()].concat()
}

#[test]
fn a_mail_from_a_pipe_that_ends_the_program_three_times_is_not_opened_again_before_somebody_says_so() {
    let world = World::new();
    world.edit(|config| config["stall"] = value("1 s"));
    let deliver = |mail: &[u8]| world.finish(world.command(&["deliver", "--desk", "support"]), mail);
    let mail = busy(POISON);
    for _ in 0..3 {
        assert!(deliver(&mail).exits(75).stderr.contains("a mail keeps the program busy without end"));
    }
    let stuck = deliver(&mail).exits(75).stderr;
    assert!(stuck.contains("is stuck") && !stuck.contains("busy"), "{stuck}");
    deliver(&authentic(&question(CONTACT, "support@zaakwijs.example", 1))).ok();
    assert_eq!(world.run(&["status", "--json"]).ok().json()[0]["arrivals"], json!({"stuck": 1}));
    let command = stuck.split('`').nth(1).unwrap().trim_start_matches("postkamer ").to_owned();
    world.run(&command.split(' ').collect::<Vec<_>>()).ok();
    let left = || world.run(&["status", "--json"]).ok().json()[0]["arrivals"].clone();
    assert_eq!(left(), json!({}));
    // The mail server gives it up one day, and nobody says so.
    deliver(&mail).exits(75);
    assert_eq!(left(), json!({"alone-in-hand": 1}));
    for (day, waits) in [("2026-12-01", json!({"alone-in-hand": 1})), ("2027-12-01", json!({}))] {
        world.run_at(&format!("{day}T10:00:00+01:00"), &["run", "--once"]);
        assert_eq!(left(), waits, "on {day}");
    }
}

#[test]
fn a_mail_that_keeps_the_program_busy_ends_it_and_is_stuck_after_three_attempts_alone() {
    // No mail is known that does so without end; this one needs far longer than is allowed here.
    let mut stage = Stage::new(Source::Able, Memory::Sqlite, &BTreeSet::from(["support"]), |world| {
        world.edit(|config| {
            config["stall"] = value("1 s");
        });
    });
    let now = "2026-11-18T10:00:00+01:00".parse().unwrap();
    for number in 1..=5 {
        let raw = if number == POISON { busy(number) } else { authentic(&question(CONTACT, "support@zaakwijs.example", number)) };
        stage.deliver("support", &raw, now);
    }
    stage.it_is(now);
    let mut told = Vec::new();
    for _ in 1..=8 {
        let ended = stage.world.run_at("2026-11-18T10:00:00+01:00", &["run", "--once"]);
        told.push(fates(&stage));
        if ended.status == Some(0) {
            break;
        }
        let ended = ended.exits(75);
        assert!(ended.stderr.contains("a mail keeps the program busy without end"), "{}", ended.stderr);
    }
    assert_eq!(told.len(), 5, "it ended once with all of them, and three times with the one: {told:?}");
    assert_eq!(told.last(), Some(&one_stuck()));
    assert!(told.iter().skip(2).all(|fates| fates.contains(&("open".to_owned(), 4))), "the others wait for two restarts: {told:?}");
}

#[test]
fn a_mail_that_is_to_be_alone_has_no_neighbour_in_any_mailbox_who_could_be_taken_for_the_guilty_one() {
    let mut stage = Stage::new(Source::Able, Memory::Sqlite, &BTreeSet::from(["support", "ict"]), |_| {});
    let now = "2026-11-18T10:00:00+01:00".parse().unwrap();
    for (number, desk) in (1..).zip(["support", "ict", "support", "ict"]) {
        stage.deliver(desk, &authentic(&question(CONTACT, &format!("{desk}@zaakwijs.example"), number)), now);
    }
    stage.it_is(now);
    // The program went down while the first mail of each mailbox was in hand; the second ones came since.
    for desk in ["support", "ict"] {
        let row = format!(
            "INSERT INTO arrival (mailbox, validity, uid, state, attempts, attempts_alone, since) VALUES ('{desk}', 7, 1, 'in-hand', 1, 0, 0)"
        );
        sql(&stage.world, &row).unwrap();
    }
    let (books, in_hand) = (stage.books().clone(), Arc::new(Mutex::new(Vec::new())));
    let seen = in_hand.clone();
    stage.imap.interfere(move |command, _| {
        if command.starts_with("UID FETCH") && command.contains("BODY.PEEK[]") {
            // Time enough for the other mailbox to take something in hand, if it may.
            std::thread::sleep(Duration::from_millis(300));
            seen.lock().unwrap().push(books.rows("SELECT state FROM arrival WHERE state LIKE '%in-hand' ORDER BY state"));
        }
        Reaction::Obey
    });
    assert_eq!(stage.round(), [""; 0]);
    let in_hand = in_hand.lock().unwrap();
    assert_eq!(in_hand.iter().filter(|states| states.contains(&"alone-in-hand".to_owned())).count(), 2, "{in_hand:?}");
    assert!(in_hand.iter().all(|states| states.len() == 1 || !states.contains(&"alone-in-hand".to_owned())), "{in_hand:?}");
    assert_eq!(fates(&stage), [("open".to_owned(), 4)]);
}

#[test]
fn a_mail_that_the_server_refuses_to_give_or_dies_of_holds_up_no_other() {
    for reaction in
        [Reaction::Refuse("NO [SERVERBUG] internal error"), Reaction::Refuse("BAD what?"), Reaction::CutBefore, Reaction::CutInside]
    {
        let stage = five_mails(Memory::Sqlite);
        stage.imap.interfere(move |command, _| if fetches(command, POISON) { reaction } else { Reaction::Obey });
        // One `run --once` is enough, and the mail that is left is no trouble of the mailbox any more.
        assert_eq!(stage.round(), [""; 0], "{reaction:?}");
        assert_eq!(fates(&stage), one_stuck(), "{reaction:?}");
        stage.imap.repair();
        try_again(&stage);
    }
}

#[test]
fn a_connection_that_ends_at_the_only_mail_says_nothing_about_the_mail() {
    let mut stage = Stage::new(Source::Able, Memory::Sqlite, &BTreeSet::from(["support"]), |_| {});
    stage.deliver("support", &authentic(&question(CONTACT, "support@zaakwijs.example", 1)), "2026-11-18T10:00:00+01:00".parse().unwrap());
    stage.it_is("2026-11-18T10:00:00+01:00".parse().unwrap());
    stage.imap.interfere(|command, _| if fetches(command, 1) { Reaction::CutInside } else { Reaction::Obey });
    for _ in 0..4 {
        assert_eq!(stage.round(), ["support: the connection was lost while fetching mails"]);
    }
    stage.imap.repair();
    assert_eq!(stage.come_to_rest(|_| {}), [""; 0]);
    assert_eq!(fates(&stage), [("open".to_owned(), 1)]);
}

fn a_mail_that_the_database_will_not_hold(memory: Memory, refuse: &str, allow: &str) {
    let stage = five_mails(memory);
    sql(&stage.world, refuse).unwrap();
    assert_eq!(stage.round(), [""; 0]);
    assert_eq!(fates(&stage), one_stuck());
    sql(&stage.world, allow).unwrap();
    try_again(&stage);
}

#[test]
fn a_mail_that_sqlite_will_not_hold_is_stuck_alone() {
    a_mail_that_the_database_will_not_hold(
        Memory::Sqlite,
        "CREATE TRIGGER refuse BEFORE INSERT ON entry WHEN NEW.written LIKE '%vraag 3.%' BEGIN SELECT RAISE(ABORT, 'no'); END",
        "DROP TRIGGER refuse",
    );
}

#[test]
fn a_mail_that_postgresql_will_not_hold_is_stuck_alone() {
    a_mail_that_the_database_will_not_hold(
        Memory::Postgres,
        "ALTER TABLE entry ADD CONSTRAINT refuse CHECK (written NOT LIKE '%vraag 3.%')",
        "ALTER TABLE entry DROP CONSTRAINT refuse",
    );
}
