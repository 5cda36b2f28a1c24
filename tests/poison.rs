//! Mails that bring trouble: to the process that opens them, to the server that holds them, to the database. After three attempts alone such
//! a mail is stuck; those around it go on, and never are; `status`, the metrics and `queue list` say so, and it can be tried again.

use crate::daemon::{authentic, get, question};
use crate::support::database::sql;
use crate::support::scripted::{Reaction, imap::fetches};
use crate::support::stage::{Memory, Source, Stage};
use crate::support::{eventually, free_port};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
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
