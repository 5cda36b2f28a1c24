//! Nothing lost, nothing doubled, whatever dies: the real binary under harm, counted from outside. `make soak` does the same for long.

use crate::support::reliability::installation::Kept;
use crate::support::reliability::matrix::{Catalogue, Until};
use crate::support::reliability::talk::{file, imap, statement};
use crate::support::reliability::wire::{Moment, Server, Step};
use crate::support::reliability::{Report, fleet, matrix};
use std::io::Write;

/// Side by side, since most of the time is waiting; until a process was killed at every kind of step that any of them took.
fn matrix_of(kept: Kept, lanes: u64, kills: u64) -> Report {
    let (mut report, catalogue) = (Report::default(), Catalogue::default());
    std::thread::scope(|scope| {
        let (catalogue, until) = (&catalogue, Until { kills: kills / lanes, complete: true, time: None });
        let lanes: Vec<_> = (0..lanes).map(|lane| scope.spawn(move || matrix::kill(kept, until, lane + 1, catalogue))).collect();
        for lane in lanes {
            report.add(lane.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause)));
        }
    });
    report.steps = catalogue.kills();
    tell(&report);
    report.assert_clean();
    assert!(report.all_faults() >= kills);
    assert_eq!(report.steps_left_out(), [] as [&Step; 0]);
    for fate in ["open", "append", "queue", "reject", "ignore", "deferred", "stuck"] {
        assert!(report.fates.contains_key(fate), "no mail came to {fate}: {:?}", report.fates);
    }
    report
}

/// Past the test's own capture, so that whoever runs the tests sees what they did.
fn tell(report: &Report) {
    let Report { faults, offered, fates, .. } = report;
    let _ = writeln!(std::io::stderr(), "{faults:#?}\n{offered} mails: {fates:?}\n{}", report.table_of_steps());
}

#[test]
fn a_process_that_is_killed_at_any_step_loses_and_doubles_nothing_on_sqlite() {
    let report = matrix_of(Kept::Sqlite, 2, 104);
    assert!(report.steps.len() > 60, "{}", report.table_of_steps());
    for what in ["pwrite of postkamer.db-wal", "fsync of postkamer.db-wal", "pwrite of postkamer.db", "rename of an attachment"] {
        for moment in [Moment::Asked, Moment::Answered] {
            let step = Step { server: Server::Files, what: what.to_owned(), moment };
            assert!(report.steps.get(&step).is_some_and(|kills| *kills > 0), "{step:?}: {}", report.table_of_steps());
        }
    }
}

#[test]
fn a_process_that_is_killed_at_any_step_loses_and_doubles_nothing_on_postgresql() {
    let report = matrix_of(Kept::Postgres, 2, 100);
    assert!(report.steps.len() > 80, "{}", report.table_of_steps());
}

#[test]
fn three_daemons_that_are_killed_paused_cut_off_and_stopped_lose_and_double_nothing() {
    let report = fleet::harm(8, 1, None);
    tell(&report);
    report.assert_clean();
    assert_eq!(report.all_faults(), 8);
    assert!(!report.takeovers.is_empty());
}

#[test]
fn steps_have_names() {
    for (sql, name) in [
        ("COMMIT", "COMMIT"),
        ("SELECT \"mail\".\"id\" FROM \"mail\" WHERE 1=1", "SELECT mail"),
        ("SELECT pg_advisory_xact_lock(7)", "SELECT pg_advisory_xact_lock"),
        ("INSERT INTO \"outbox\" (\"id\") VALUES ($1)", "INSERT outbox"),
        ("UPDATE lease SET expires_at = CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS BIGINT)", "UPDATE lease"),
    ] {
        assert_eq!(statement(sql), name);
    }
    for (line, name) in [
        ("A7 UID FETCH 1:* (UID RFC822.SIZE INTERNALDATE FLAGS)\r\n", Some("UID FETCH of the list")),
        ("A8 UID MOVE 1:3 \"Verwerkt\"\r\n", Some("UID MOVE")),
        ("A9 LOGIN \"u\" \"p\"\r\n", Some("LOGIN")),
        ("AGRlc2s=\r\n", None),
    ] {
        assert_eq!(imap(line.as_bytes()).as_deref(), name);
    }
    for (call, name) in [
        ("pwrite /postkamer.db-wal", "pwrite of postkamer.db-wal"),
        ("rename /attachments/ab/abcd.17.new", "rename of an attachment"),
        ("fsync /attachments/ab", "fsync of a directory of attachments"),
    ] {
        assert_eq!(file(call).as_deref(), Some(name));
    }
}
