//! The fault points of THREATS §4, each under its name.
//!
//! | point | injected | shown by |
//! |---|---|---|
//! | F1–F5 | kill before and after each commit | the kill matrix on the real binary; `sweep` fails the calls of these commits |
//! | F6 | kill while a mail is fetched | `poison::f06_…` |
//! | F7, F8 | cut between STORE and EXPUNGE, COPY and delete | `f08_…`; `sweep`, on servers without MOVE and without UIDPLUS |
//! | F9, F10 | cut after the final dot, after 250 | `sweep` (SMTP step MESSAGE, before and after), and T4 failing after it |
//! | F11, F13, F14, F16, F17 | connection cut at greeting, sign-in, SELECT, STORE, EXPUNGE | `sweep`: every command, before and after its effect |
//! | F12 | cut in the TLS handshake | `f12_…` |
//! | F15 | cut in the middle of a literal | `f15_…`; `mailbox/imap/scripted.rs` |
//! | F18, F19 | NO and BAD to each command | `f18_…` |
//! | F20 | BYE while idle, read-only folder | `scripted.rs`: `bye_is_an_error_…`, `a_folder_that_cannot_be_worked_in_…` |
//! | F21, F22 | UIDVALIDITY changes between runs, in a run | `f21_…`, `f22_…` |
//! | F23 | UIDNEXT goes down: a UID is given out again | `f23_…` |
//! | F24 | the server renumbers at once | no sequence number is ever used: the servers of `sweep` answer BAD to commands without UID |
//! | F25, F26 | `\Deleted` lost, cleared by another client | `f25_…`; `scripted.rs`: `removed_is_only_what_…` |
//! | F27 | a person moves or deletes the mail meanwhile | `f27_…` |
//! | F28, F29 | no UIDPLUS, no MOVE | `sweep`; `scripted.rs`: `a_mail_that_was_not_copied_…` |
//! | F30–F32 | a literal that lies, of 4 GiB, one byte a second | `scripted.rs`: `a_literal_that_…`, `one_byte_a_second_…` |
//! | F33–F36 | 421, 450, 550, 554 | `f33_…` to `f36_…`; `sending::what_a_server_says_…` |
//! | F37 | no answer after DATA | `f37_…`; `sending::a_silent_server_…` |
//! | F38 | connection refused for three days | `f38_…` |
//! | F39–F41 | AUTH lost, certificate bad, STARTTLS stripped | `sending::a_wrong_password_…`, `without_starttls_…`, `secrets::certificates_are_always_checked_…` |
//! | F42 | database busy: for a moment, for twenty seconds | `f42_…`, `health::a_database_that_somebody_keeps_busy_…` |
//! | F43–F45 | disk full, fsync fails, read-only | `f43_…`, `f45_…`; `sweep` fails each fsync |
//! | F46 | connection to the database cut inside T1, commit unknown | `sweep`, on PostgreSQL |
//! | F47 | several daemons from the start | `store::mailboxes_are_shared_out_fairly`, `reliability::three_daemons_…`, `health::daemons_that_share_…` |
//! | F48 | one is paused past its lease, and woken | `reliability::three_daemons_…`; `store::a_lost_mailbox_is_not_written_for` |
//! | beyond F66 | one is cut off from the mail servers alone: refused, or not answered | `reliability::three_daemons_…`, `health::a_daemon_that_is_cut_off_…`, `health::a_mailbox_whose_server_falls_silent_…`; `scripted.rs`: `a_server_that_falls_silent_…` |
//! | F49 | the rows of the leases are deleted | `f49_…` |
//! | F50–F52 | the clock jumps a day, DST | `f50_…` to `f52_…` |
//! | F53 | the database's clock is not the host's | `f49_…` (they are days apart); `store::replies_in_doubt_…` |
//! | F54 | SIGTERM in each state | `f54_…` |
//! | F55 | SIGHUP with broken settings | `f55_…` (before they are followed); `check::a_daemon_takes_over_…` |
//! | F56 | OOM kill of the daemon | a SIGKILL like F6 |
//! | F57–F60 | the worker is killed, aborts, hangs, writes garbage | `f57_…` |
//! | F61 | the worker answers for another file | `f61_…` |
//! | F65, F66 | power cut, torn write | the kill matrix, with the power: `support/reliability/disk.rs`; the audit record is checked row by row |
//! | F62–F64 | little memory, few file descriptors, few threads | `f62_…` to `f64_…` |
//!
//! Left out: **F44** as THREATS words it (end the process at once): SQLite writes the frames of a failed commit, and pages of a failed
//! checkpoint, again, so that what the system dropped is dirty anew; `sweep` fails each fsync, and a booking whose fsync failed is not taken for booked.

use crate::daemon::{authentic, question};
use crate::stories::script::Story;
use crate::support::database::sql;
use crate::support::files::Errno;
use crate::support::house::{House, Letter};
use crate::support::scripted::imap::fetches;
use crate::support::scripted::{Listener, Reaction};
use crate::support::stage::{Memory, Source, Stage, user};
use crate::support::{checker, eventually, is_root};
use jiff::{SignedDuration, Timestamp};
use postkamer::extract::{Extractor, Limits};
use postkamer::mailbox::{self, Done, ImapSettings, Kind, Password, Secret, Tls};
use postkamer::words::{MailboxId, Redacted};
use sea_orm::ConnectionTrait;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const CONTACT: &str = "a.devries@waterwolde.example";

fn morning() -> Timestamp {
    "2026-11-18T10:00:00+01:00".parse().unwrap()
}

/// One mail of a contact, which opens a ticket and is answered.
fn one_mail() -> Stage {
    let mut stage = Stage::new(Source::Able, Memory::Sqlite, &BTreeSet::from(["support"]), |_| {});
    deliver(&mut stage, 1);
    stage.it_is(morning());
    stage
}

fn deliver(stage: &mut Stage, number: u32) {
    stage.deliver("support", &authentic(&question(CONTACT, "support@zaakwijs.example", number)), morning());
}

#[track_caller]
fn comes_to_rest(stage: &Stage) {
    assert_eq!(stage.come_to_rest(|_| {}), [""; 0]);
}

/// Tickets, replies sent, mails in INBOX and in the done folder.
fn tally(stage: &Stage) -> (usize, usize, usize, usize) {
    let (inbox, done) = stage.imap.with(|accounts| {
        let mut count = |folder| accounts.folder(&user("support"), folder).messages.len();
        // A server that will not have the one may want the other.
        (count("INBOX"), count("Verwerkt") + count("INBOX.Verwerkt"))
    });
    (stage.books().rows("SELECT id || '' FROM ticket").len(), stage.replies().len(), inbox, done)
}

#[test]
fn f12_a_line_that_is_cut_in_the_handshake_is_passing_trouble() {
    let server = Listener::start(|stream| {
        let mut hello = [0; 5];
        std::io::Read::read_exact(&mut &stream, &mut hello)
    });
    let imap = ImapSettings {
        host: "127.0.0.1".to_owned(),
        port: server.port,
        tls: Tls::Implicit,
        ca_file: None,
        username: Redacted::new("support".to_owned()),
        secret: Secret::Password(Password::Env("PATH".to_owned())),
    };
    let settings = mailbox::Settings {
        kind: Kind::Imap(imap),
        folder: "INBOX".parse().unwrap(),
        done: Done::Delete,
        poll: Duration::from_secs(60),
        exclusive: false,
        max_mail: 1_000_000,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(mailbox::open(MailboxId::new("support"), &settings)).unwrap_err();
    assert!(error.is_passing(), "{error:?}");
}

#[test]
fn f15_a_line_that_is_cut_in_the_middle_of_an_answer_leaves_nothing_half_done() {
    let stage = one_mail();
    let mut cut = false;
    stage.imap.interfere(move |command, _| match fetches(command, 1) && !std::mem::replace(&mut cut, true) {
        true => Reaction::CutInside,
        false => Reaction::Obey,
    });
    comes_to_rest(&stage);
    assert_eq!(tally(&stage), (1, 1, 0, 1));
}

#[test]
fn f18_f19_no_and_bad_to_any_command_cost_a_round_at_most() {
    for refusal in ["NO [UNAVAILABLE] later", "NO", "BAD what?"] {
        for nth in 1.. {
            let stage = one_mail();
            let mut seen = 0;
            let (reached, reach) = std::sync::mpsc::channel();
            stage.imap.interfere(move |_, _| {
                seen += 1;
                if seen == nth {
                    let _ = reached.send(());
                    return Reaction::Refuse(refusal);
                }
                Reaction::Obey
            });
            comes_to_rest(&stage);
            assert_eq!(tally(&stage), (1, 1, 0, 1), "{refusal} to command {nth}");
            if reach.try_recv().is_err() {
                assert!(nth > 10, "only {nth} commands were given");
                break;
            }
        }
    }
}

#[test]
fn f21_a_new_uidvalidity_between_runs_makes_no_second_ticket() {
    let stage = one_mail();
    stage.imap.interfere(|command, _| if command.starts_with("UID MOVE") { Reaction::CutBefore } else { Reaction::Obey });
    stage.round();
    assert_eq!(tally(&stage), (1, 1, 1, 0));
    stage.imap.repair();
    stage.imap.with(|accounts| {
        let folder = accounts.folder(&user("support"), "INBOX");
        folder.validity += 1;
        folder.messages.iter_mut().for_each(|message| message.uid += 40);
    });
    stage.pass_time(SignedDuration::from_hours(2));
    assert_eq!(stage.round(), [""; 0]);
    assert_eq!(tally(&stage), (1, 1, 0, 1), "the mail is known by its content, and filed under its new number");
    let states = stage.books().rows("SELECT reasons || ' ' || action_state FROM mail ORDER BY id");
    assert_eq!(states, ["[\"approved-contact\"] moot", "[\"duplicate\"] done"]);
}

#[test]
fn f22_a_new_uidvalidity_in_the_middle_of_a_run_files_and_deletes_nothing_by_old_numbers() {
    let stage = one_mail();
    let mut changed = false;
    stage.imap.interfere(move |command, accounts| {
        if !fetches(command, 1) || std::mem::replace(&mut changed, true) {
            return Reaction::Obey;
        }
        let folder = accounts.folder(&user("support"), "INBOX");
        folder.validity += 1;
        // Another mail lies under the number now.
        folder.messages[0].uid = 2;
        folder.messages.insert(
            0,
            crate::support::scripted::imap::Message {
                uid: 1,
                raw: authentic(&question(CONTACT, "support@zaakwijs.example", 2)),
                arrived: morning(),
                deleted: false,
            },
        );
        folder.next_uid = 3;
        Reaction::CutBefore
    });
    stage.round();
    stage.pass_time(SignedDuration::from_hours(2));
    assert_eq!(stage.round(), [""; 0]);
    assert_eq!(tally(&stage), (2, 2, 0, 2));
}

#[test]
fn f23_a_mail_under_a_number_that_was_given_out_before_is_not_passed_over_in_silence() {
    let mut stage = one_mail();
    comes_to_rest(&stage);
    // The server was set back: it gives out the same numbers again, under the same UIDVALIDITY.
    stage.imap.with(|accounts| accounts.folder(&user("support"), "INBOX").next_uid = 1);
    deliver(&mut stage, 2);
    assert_eq!(stage.round(), [""; 0]);
    assert_eq!(tally(&stage), (1, 1, 1, 1), "it is not touched");
    let stuck = stage.world.run(&["queue", "list", "--json"]).ok().json();
    assert_eq!((&stuck[0]["stuck"], &stuck[0]["uid"], &stuck[0]["reason"]), (&true.into(), &1.into(), &"uid-used-before".into()));
}

#[test]
fn f25_f26_a_mark_that_others_take_off_is_put_on_again_and_the_mail_counts_as_deleted_when_it_is_gone() {
    let mut stage = Stage::new(Source::Deleting, Memory::Sqlite, &BTreeSet::from(["support"]), |_| {});
    deliver(&mut stage, 1);
    stage.it_is(morning());
    let mut cleared = 0;
    stage.imap.interfere(move |command, accounts| {
        if command.starts_with("UID EXPUNGE") && cleared < 2 {
            cleared += 1;
            accounts.folder(&user("support"), "INBOX").messages.iter_mut().for_each(|message| message.deleted = false);
        }
        Reaction::Obey
    });
    assert_eq!(stage.round(), [""; 0]);
    assert_eq!(tally(&stage), (1, 1, 0, 0));
}

#[test]
fn f27_a_mail_that_a_person_takes_away_meanwhile_is_left_to_them() {
    for (when, tickets) in [("UID FETCH 1 (UID BODY", 0), ("UID MOVE", 1), ("LIST", 1)] {
        let stage = one_mail();
        stage.imap.interfere(move |command, accounts| {
            if command.starts_with(when) {
                let taken = std::mem::take(&mut accounts.folder(&user("support"), "INBOX").messages);
                accounts.folder(&user("support"), "Behandeld").messages.extend(taken);
            }
            Reaction::Obey
        });
        assert_eq!(stage.round(), [""; 0], "{when}");
        assert_eq!(tally(&stage), (tickets, tickets, 0, 0), "{when}");
        let left = stage.books().rows("SELECT state FROM arrival UNION ALL SELECT action_state FROM mail WHERE action_state = 'due'");
        assert_eq!(left, [""; 0], "{when}");
    }
}

/// What becomes of the reply when the server says so to this step, once.
fn answered_once(step: &'static str, reaction: Reaction) -> Stage {
    let stage = one_mail();
    let mut said = false;
    stage
        .smtp
        .interfere(move |heard| if heard.starts_with(step) && !std::mem::replace(&mut said, true) { reaction } else { Reaction::Obey });
    comes_to_rest(&stage);
    assert_eq!(tally(&stage).0, 1);
    stage
}

fn letters(stage: &Stage) -> Vec<String> {
    stage.books().rows("SELECT state || ' after ' || attempts || ', unclear ' || unclear FROM outbox")
}

fn notes(stage: &Stage) -> usize {
    stage.books().rows("SELECT id || '' FROM entry WHERE kind = 'undeliverable'").len()
}

#[test]
fn f33_421_has_the_reply_sent_later() {
    for step in ["GREETING", "MAIL", "RCPT", "DATA", "MESSAGE"] {
        let stage = answered_once(step, Reaction::Refuse("421 closing"));
        assert_eq!((stage.smtp.letters().len(), notes(&stage)), (1, 0), "{step}");
    }
}

#[test]
fn f34_450_has_the_reply_sent_later() {
    let stage = answered_once("RCPT", Reaction::Refuse("450 4.2.0 greylisted"));
    assert_eq!((stage.smtp.letters().len(), notes(&stage)), (1, 0));
    assert_eq!(letters(&stage), ["sent after 2, unclear 0"]);
}

#[test]
fn f35_550_at_rcpt_ends_the_reply_with_a_note_on_the_ticket() {
    let stage = answered_once("RCPT", Reaction::Refuse("550 5.1.1 nobody"));
    assert_eq!((stage.smtp.letters().len(), notes(&stage)), (0, 1));
    assert_eq!(letters(&stage), ["dead after 1, unclear 0"]);
}

#[test]
fn f36_554_after_data_ends_the_reply_with_a_note_on_the_ticket() {
    let stage = answered_once("MESSAGE", Reaction::Refuse("554 5.7.1 no"));
    assert_eq!((stage.smtp.letters().len(), notes(&stage)), (0, 1));
    assert_eq!(letters(&stage), ["dead after 1, unclear 0"]);
}

#[test]
fn f37_a_lost_answer_to_data_is_repeated_with_the_same_bytes_and_counted() {
    let stage = answered_once("MESSAGE", Reaction::CutAfter);
    let [first, second] = &stage.smtp.letters()[..] else { panic!("{:?}", stage.smtp.letters()) };
    assert_eq!(first, second);
    assert_eq!(letters(&stage), ["sent after 2, unclear 1"]);
}

#[test]
fn f38_a_server_that_is_away_for_three_days_gets_the_reply_and_after_five_it_is_given_up_with_a_note() {
    for (hours, sent) in [(72, 1), (125, 0)] {
        let stage = one_mail();
        stage.smtp.interfere(|_| Reaction::CutBefore);
        for _ in 0..hours / 3 {
            stage.round();
            stage.pass_time(SignedDuration::from_hours(3));
        }
        assert_eq!(stage.smtp.letters().len(), 0);
        stage.smtp.repair();
        comes_to_rest(&stage);
        assert_eq!((stage.smtp.letters().len(), notes(&stage)), (sent, 1 - sent), "after {hours} hours");
    }
}

#[test]
fn f42_a_database_that_is_busy_is_waited_for() {
    let stage = one_mail();
    let url = format!("sqlite://{}", stage.world.state_dir().join("postkamer.db").display());
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (mut held, mut released) = (false, Some(released));
    stage.imap.interfere(move |command, _| {
        if fetches(command, 1) && !std::mem::replace(&mut held, true) {
            // Another program takes the write lock, between T0 and T1, and keeps it until its own work is done.
            let (url, released, taken) = (url.clone(), released.take().unwrap(), std::sync::mpsc::channel());
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let mut options = sea_orm::ConnectOptions::new(url);
                    options.max_connections(1).sqlx_logging(false);
                    let db = sea_orm::Database::connect(options).await.unwrap();
                    db.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
                    taken.0.send(()).unwrap();
                    let _ = released.recv_timeout(Duration::from_millis(700));
                    db.execute_unprepared("ROLLBACK").await.unwrap();
                    db.close().await.unwrap();
                });
            });
            taken.1.recv().unwrap();
        }
        Reaction::Obey
    });
    assert_eq!(stage.round(), [""; 0]);
    drop(release);
    assert_eq!(tally(&stage), (1, 1, 0, 1));
}

#[test]
fn f43_a_disk_that_is_full_from_any_write_on_loses_and_doubles_nothing() {
    crate::sweep::files_fail(
        "faults::f43_a_disk_that_is_full_from_any_write_on_loses_and_doubles_nothing",
        "clean-statistics-csv-are-kept",
        Errno::NoSpace,
    );
}

#[test]
fn f45_files_that_can_only_be_read_from_any_moment_on_lose_and_double_nothing() {
    crate::sweep::files_fail(
        "faults::f45_files_that_can_only_be_read_from_any_moment_on_lose_and_double_nothing",
        "citizen-data-in-csv-from-a-contact",
        Errno::ReadOnly,
    );
}

#[test]
fn f49_a_daemon_whose_leases_are_deleted_takes_them_anew_and_books_each_mail_once() {
    const NOW: &str = "2026-11-18T10:00:00+01:00";
    let mut house = House::on_postgres("f49");
    let question = |number: u32| Letter::from(CONTACT, "Annelies de Vries", &format!("Zaaktype beheren ({number})"));
    let _daemon = house.world.daemon(Some(NOW));
    let held = |house: &House| {
        let held = "SELECT mailbox FROM lease WHERE expires_at > EXTRACT(EPOCH FROM clock_timestamp()) * 1000";
        sql(&house.world, held).ok().filter(|held| held.len() == 5).map(drop)
    };
    eventually("the daemon holds all mailboxes", || held(&house));
    for number in 1..=2 {
        sql(&house.world, "DELETE FROM lease").unwrap();
        house.lay("support", NOW, &question(number));
        eventually("the mail is booked, and filed", || (house.originals("support") == number as usize).then_some(()));
        eventually("the daemon holds all mailboxes again", || held(&house));
    }
    assert_eq!(house.tickets("entries"), [1, 1]);
    house.world.run(&["audit", "verify"]).ok();
}

#[test]
fn f50_f51_a_clock_that_jumps_a_day_delays_a_reply_at_most() {
    for (jump, at_once) in [(24, 1), (-24, 0)] {
        let stage = one_mail();
        stage.smtp.interfere(|_| Reaction::CutBefore);
        stage.round();
        stage.smtp.repair();
        stage.pass_time(SignedDuration::from_hours(jump));
        assert_eq!(stage.round(), [""; 0]);
        assert_eq!(stage.smtp.letters().len(), at_once, "{jump} hours");
        stage.pass_time(SignedDuration::from_hours(25));
        comes_to_rest(&stage);
        assert_eq!(tally(&stage), (1, 1, 0, 1), "{jump} hours");
    }
}

#[test]
fn f52_the_hour_that_comes_twice_is_an_hour_like_any_other() {
    let mut stage = Stage::new(Source::Able, Memory::Sqlite, &BTreeSet::from(["support"]), |_| {});
    for (number, now) in [(1, "2026-10-25T02:30:00+02:00"), (2, "2026-10-25T02:30:00+01:00"), (3, "2026-10-25T03:10:00+01:00")] {
        deliver(&mut stage, number);
        stage.it_is(now.parse().unwrap());
        assert_eq!(stage.round(), [""; 0]);
    }
    assert_eq!(tally(&stage), (3, 3, 0, 3));
    let opened = stage.books().rows("SELECT opened_at || '' FROM ticket ORDER BY opened_at");
    assert_eq!(opened, stage.books().rows("SELECT opened_at || '' FROM ticket ORDER BY id"));
}

#[test]
fn f54_sigterm_in_any_state_ends_in_order_and_leaves_everything_to_be_gone_on_with() {
    let imap = ["LOGIN", "SELECT", "UID FETCH 1:*", "UID FETCH 1 (UID BODY", "UID MOVE", "IDLE"];
    let smtp = ["EHLO", "RCPT", "MESSAGE"];
    for step in imap.into_iter().chain(smtp) {
        let stage = one_mail();
        let daemon = stage.world.daemon(Some("2026-11-18T10:00:00+01:00"));
        let pid = daemon.pid();
        let mut told = false;
        let mut tell = move |heard: &str| {
            if heard.starts_with(step) && !std::mem::replace(&mut told, true) {
                rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::TERM).unwrap();
            }
            Reaction::Obey
        };
        if smtp.contains(&step) {
            stage.smtp.interfere(tell);
        } else {
            stage.imap.interfere(move |command, _| tell(command));
        }
        eventually(&format!("the daemon ends after SIGTERM at {step}"), || (!daemon.is_alive()).then_some(()));
        drop(daemon);
        let hands = stage.books().rows("SELECT state FROM arrival WHERE state LIKE '%in-hand'");
        assert_eq!(hands, [""; 0], "an orderly stop takes its attempt back: {step}");
        let claims = stage.books().rows("SELECT state FROM outbox WHERE state = 'claimed'");
        assert_eq!(claims, [""; 0], "{step}");
        comes_to_rest(&stage);
        assert_eq!(tally(&stage), (1, 1, 0, 1), "{step}");
        assert_eq!(stage.smtp.letters().len(), 1, "{step}");
    }
}

#[test]
fn f55_sighup_with_broken_settings_while_the_program_is_still_starting_does_not_end_it() {
    let stage = one_mail();
    // A database that must be brought up to date, and somebody else who is at it: the start waits.
    fs::remove_dir_all(stage.world.state_dir()).unwrap();
    fs::create_dir(stage.world.state_dir()).unwrap();
    let migrating = fs::File::create(stage.world.state_dir().join("migrating.lock")).unwrap();
    migrating.lock().unwrap();
    let daemon = stage.world.daemon(Some("2026-11-18T10:00:00+01:00"));
    let catches_hang_up = || {
        let status = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).ok()?;
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        (u64::from_str_radix(caught.trim(), 16).ok()? & 1 == 1).then_some(())
    };
    eventually("SIGHUP is caught", catches_hang_up);
    let config = fs::read_to_string(&stage.world.config_path).unwrap();
    fs::write(&stage.world.config_path, "portal = \n").unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(daemon.pid()).unwrap(), rustix::process::Signal::HUP).unwrap();
    migrating.unlock().unwrap();
    eventually("the mistake is told", || stage.world.daemon_log().contains("The changed settings are refused").then_some(()));
    eventually("work goes on under the good settings", || (tally(&stage).1 == 1).then_some(()));
    assert!(daemon.is_alive());
    drop(daemon);
    fs::write(&stage.world.config_path, config).unwrap();
}

/// A program in place of a worker: a shell script.
fn worker(directory: &tempfile::TempDir, script: &str) -> PathBuf {
    let path = directory.path().join("worker");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn f57_to_f60_a_worker_that_is_killed_aborts_hangs_or_writes_garbage_has_the_file_turned_back_unread() {
    let story = Story::all().into_iter().find(|story| story.name == "clean-statistics-csv-are-kept").unwrap();
    for script in ["kill -KILL $$", "kill -ABRT $$", "exec sleep 1000", "head -c 100000 /dev/urandom; exec cat >/dev/null", "exit 0"] {
        let directory = tempfile::tempdir().unwrap();
        let limits = Limits { deadline: Duration::from_millis(500), ..Limits::default() };
        let stage = Stage::new(Source::Able, Memory::Sqlite, &BTreeSet::from(["support"]), |_| {});
        let mut stage = stage.with_workers(&worker(&directory, script), limits);
        stage.deliver("support", &story.mail[0].raw(), story.mail[0].now.parse().unwrap());
        stage.it_is(story.mail[0].now.parse().unwrap());
        assert_eq!(stage.round(), [""; 0], "{script}");
        assert_eq!(stage.books().rows("SELECT why FROM withheld"), ["unreadable"], "{script}");
        assert_eq!(
            stage.books().rows("SELECT outcome || ' ' || server_action || ' ' || action_state FROM mail"),
            ["open delete done"],
            "{script}"
        );
        assert!(checker::files_below(&stage.books().attachments).is_empty(), "{script}");
        assert_eq!(tally(&stage), (1, 1, 0, 0), "{script}");
    }
}

#[test]
fn f61_an_answer_for_another_file_is_not_believed() {
    let answer = |turn: u64| {
        let document = br#"{"document":{"format":"text","pieces":[],"unreadable":null,"pixels":null},"tasks":[]}"#;
        let frame = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_le_bytes()[..], bytes].concat();
        [frame(&turn.to_le_bytes()), frame(document)].concat()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (turn, believed) in [(1, true), (2, false), (0, false)] {
        let directory = tempfile::tempdir().unwrap();
        let said = directory.path().join("answer");
        fs::write(&said, answer(turn)).unwrap();
        let program = worker(&directory, &format!("cat {}; exec cat >/dev/null", said.display()));
        let extractor = Extractor::with_program(program, Limits { deadline: Duration::from_secs(60), ..Limits::default() });
        let document = runtime.block_on(extractor.read(b"Goedemorgen".to_vec(), Some("text/plain"), None));
        assert_eq!(document.unreadable.is_none(), believed, "turn {turn}: {document:?}");
    }
}

/// `run --once` within limits (`prlimit`); then, without them, everything comes to rest. How often it got through at once.
fn within_limits(limits: &[String], program: &Path, prepare: impl Fn(&Stage) -> Command) -> usize {
    let got_through = limits.iter().filter(|limit| {
        let stage = one_mail();
        let mut command = prepare(&stage);
        command.arg("prlimit").arg(limit).arg(program).arg("--config").arg(&stage.world.config_path).args(["run", "--once"]);
        command.env("POSTKAMER_NOW", "2026-11-18T10:00:00+01:00").stderr(Stdio::null());
        let ended = command.status().unwrap();
        let broken = stage.books().broken(&stage.outside());
        assert!(broken.is_empty(), "{limit}: {broken:?}");
        comes_to_rest(&stage);
        assert_eq!(tally(&stage), (1, 1, 0, 1), "{limit}");
        ended.success()
    });
    got_through.count()
}

fn ours() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_postkamer"))
}

#[test]
fn f62_little_memory_costs_time_and_nothing_else() {
    // In MB of address space.
    let limits = [40, 80, 160, 320, 640, 1_280, 2_560, 40_000].map(|limit| format!("--as={limit}000000"));
    let got_through = within_limits(&limits, ours(), |_| Command::new("env"));
    assert!((1..limits.len()).contains(&got_through), "{got_through} of {} got through", limits.len());
}

#[test]
fn f63_few_file_descriptors_cost_time_and_nothing_else() {
    within_limits(&[8, 12, 16, 20, 24, 32].map(|limit| format!("--nofile={limit}")), ours(), |_| Command::new("env"));
}

#[test]
fn f64_few_threads_cost_time_and_nothing_else() {
    // The kernel grants root any number: then it is somebody else's work, who has no other processes.
    const USER: u32 = 61_064;
    let limits = [1, 2, 3, 4, 6, 10, 400].map(|limit| format!("--nproc={limit}"));
    if !is_root() {
        within_limits(&limits, ours(), |_| Command::new("env"));
        return;
    }
    let directory = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
    let program = directory.path().join("postkamer");
    fs::copy(ours(), &program).unwrap();
    let got_through = within_limits(&limits, &program, |stage| {
        let given = Command::new("chown").args(["-R", &USER.to_string()]).arg(&stage.world.dir).status().unwrap();
        assert!(given.success());
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={USER}")).arg(format!("--regid={USER}")).arg("--clear-groups");
        command
    });
    assert!((1..limits.len()).contains(&got_through), "{got_through} of {} got through", limits.len());
}

#[test]
fn f08_a_copy_whose_answer_was_lost_is_not_made_again() {
    for source in [Source::WithoutMove, Source::Bare] {
        for reaction in [Reaction::CutBefore, Reaction::CutAfter, Reaction::CutInside] {
            let mut stage = Stage::new(source, Memory::Sqlite, &BTreeSet::from(["support"]), |_| {});
            // Two mails, and a third that arrives with the copy of another in the done folder.
            for number in 1..=2 {
                deliver(&mut stage, number);
            }
            stage.it_is(morning());
            let mut cut = false;
            stage.imap.interfere(move |command, _| match command.starts_with("UID COPY") && !std::mem::replace(&mut cut, true) {
                true => reaction,
                false => Reaction::Obey,
            });
            comes_to_rest(&stage);
            deliver(&mut stage, 3);
            comes_to_rest(&stage);
            assert_eq!(tally(&stage), (3, 3, 0, 3), "{source:?} {reaction:?}");
        }
    }
}
