//! `status` and the health pages tell the truth, whatever state things are in.

use crate::daemon::{authentic, question};
use crate::support::database::sql;
use crate::support::postgres::Postgres;
use crate::support::reliability::installation::{port_of, through};
use crate::support::reliability::wire::Proxy;
use crate::support::scripted::Reaction;
use crate::support::stage::{Memory, Source, Stage};
use crate::support::world::World;
use crate::support::{eventually, free_port};
use crate::upgrade;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use toml_edit::{Item, Table, value};

/// GET over plain HTTP/1.1; status and body.
pub fn get(port: u16, page: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    write!(stream, "GET {page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split("\r\n\r\n").nth(1)?.to_owned()))
}

/// Waits until a page has this status and holds all of these texts.
#[track_caller]
fn page(port: u16, page: &str, status: u16, says: &[&str]) -> String {
    eventually(&format!("{page} answers {status} with {says:?}"), || {
        let (found, text) = get(port, page)?;
        (found == status && says.iter().all(|says| text.contains(says))).then_some(text)
    })
}

/// How many mailboxes this daemon does not see in other hands.
fn held(port: u16) -> Option<usize> {
    let (_, text) = get(port, "/metrics")?;
    Some(text.lines().filter(|line| line.starts_with("postkamer_mailbox_elsewhere{") && line.ends_with(" 0")).count())
}

fn listen(world: &World) -> u16 {
    let port = free_port();
    world.edit(|config| config["health"]["listen"] = value(format!("127.0.0.1:{port}")));
    port
}

fn status(world: &World) -> Value {
    world.run(&["status", "--json"]).ok().json().remove(0)
}

fn state<'a>(status: &'a Value, desk: &str) -> &'a str {
    let mailboxes = status["mailboxes"].as_array().unwrap();
    mailboxes.iter().find(|mailbox| mailbox["desk"] == desk).unwrap()["state"].as_str().unwrap()
}

#[test]
fn whatever_needs_somebody_is_told_by_status_and_the_health_pages() {
    // Mails of `support` wait to be deleted and filed, and its mailbox is gone; a mail of `ict` is stuck; nobody takes replies.
    let world = upgrade::on_sqlite();
    fs::remove_dir_all(world.dir.join("mail/support")).unwrap();
    world.edit(|config| {
        let mut smtp = Table::new();
        smtp["host"] = value("127.0.0.1");
        smtp["port"] = value(i64::from(free_port()));
        smtp["tls"] = value("none");
        config["smtp"] = Item::Table(smtp);
    });
    let port = listen(&world);
    let idle = status(&world);
    assert_eq!((idle["daemons"].as_array().unwrap().len(), state(&idle, "ict")), (0, "nobody"));
    assert!(world.run(&["status"]).ok().stdout.contains("No daemon is at work."));
    sql(&world, "UPDATE arrival SET state = 'stuck'").unwrap();

    let daemon = world.daemon(None);
    let wrong = page(port, "/readyz", 503, &["the mailbox of support is in trouble: ", "replies cannot be sent", "1 mails are stuck"]);
    assert!(wrong.contains("a mail that must be deleted has been waiting for") && !wrong.contains("the mailbox of ict"), "{wrong}");
    let metrics = page(port, "/metrics", 200, &["postkamer_outbox_blocked 1", "postkamer_mails_without_result{state=\"stuck\"} 1"]);
    let overdue = metrics.lines().find_map(|line| line.strip_prefix("postkamer_citizen_bytes_pending_seconds ")).unwrap();
    assert!(overdue.parse::<i64>().unwrap() > 3600, "{metrics}");
    for says in [
        "postkamer_mailbox_in_trouble{desk=\"support\"} 1",
        "postkamer_mailbox_in_trouble{desk=\"ict\"} 0",
        "postkamer_decisions{reason=\"unknown-sender\"} 1",
        "postkamer_replies{state=\"due\"} 6",
        "postkamer_mailbox_backlog{desk=\"ict\"} 0",
        "postkamer_settings_refused 0",
        "postkamer_database_up 1",
    ] {
        assert!(metrics.contains(says), "{says} in {metrics}");
    }
    let told = eventually("status tells", || {
        let told = status(&world);
        (state(&told, "support") == "in-trouble" && state(&told, "ict") == "watched").then_some(told)
    });
    assert_eq!((told["daemons"][0]["at_work"].as_bool(), told["arrivals"]["stuck"].as_i64()), (Some(true), Some(1)));
    let text = world.run(&["status"]).ok().stdout;
    for says in ["in trouble: ", "It cannot send replies", "1 mails are stuck", "The oldest mail that must be deleted waits for"] {
        assert!(text.contains(says), "{says} in {text}");
    }
    assert!(!text.contains('@') && !metrics.contains('@') && !wrong.contains('@'));

    // Settings with a mistake: the daemon goes on under the old ones and says so; others who look see its complaint.
    let good = world.dir.join("good.toml");
    fs::copy(&world.config_path, &good).unwrap();
    world.edit(|config| config["portaal"] = value("https://elders.example"));
    page(port, "/readyz", 503, &["changed settings are refused", "portaal"]);
    page(port, "/metrics", 200, &["postkamer_settings_refused 1"]);
    eventually("status tells why", || {
        let mut command = world.command(&[]);
        command.arg("status").arg("--config").arg(&good);
        let text = world.finish(command, b"").stdout;
        text.contains("Its changed settings are refused").then_some(())
    });
    world.run(&["status"]).exits(2);
    fs::copy(&good, &world.config_path).unwrap();
    page(port, "/metrics", 200, &["postkamer_settings_refused 0"]);

    // A second one waits half a minute for the first to end, and says that it may be tried again.
    let second = world.run(&["run", "--once"]).exits(75);
    assert!(second.stderr.contains("Another postkamer is at work"), "{}", second.stderr);

    // An orderly end is no trouble.
    drop(daemon);
    eventually("it has taken its leave", || status(&world)["daemons"].as_array().unwrap().is_empty().then_some(()));
}

#[test]
fn daemons_that_share_a_database_tell_who_looks_after_what_and_when_it_is_out_of_reach() {
    let url = Postgres::shared().database("health");
    let proxy = Proxy::to(port_of(&url), None);
    let near = World::new().with_database(&url);
    let far = World::new().with_database(&through(&url, proxy.port()));
    for world in [&near, &far] {
        for desk in ["support", "ict", "open", "closed", "nordic"] {
            for part in ["cur", "new", "tmp"] {
                fs::create_dir_all(world.dir.join("mail").join(desk).join(part)).unwrap();
            }
        }
    }
    let (near_port, far_port) = (listen(&near), listen(&far));
    let _near = near.daemon(None);
    page(near_port, "/readyz", 200, &["ready"]);
    let _far = far.daemon(None);
    eventually("both have their share", || {
        let shares = (held(near_port)?, held(far_port)?);
        (shares.0 + shares.1 == 5 && shares.0.min(shares.1) == 2).then_some(())
    });
    for port in [near_port, far_port] {
        page(port, "/readyz", 200, &["ready"]);
    }
    let told = eventually("all mailboxes are looked after", || {
        let told = status(&near);
        ["support", "ict", "open", "closed", "nordic"].iter().all(|desk| state(&told, desk) == "watched").then_some(told)
    });
    assert_eq!(told["daemons"].as_array().unwrap().len(), 2);
    // A single round asks both of them for their mailboxes, and gives them back.
    near.run(&["run", "--once"]).ok();

    proxy.cut();
    page(far_port, "/readyz", 503, &["the database does not answer"]);
    page(far_port, "/metrics", 200, &["postkamer_database_up 0"]);
    assert_eq!(get(far_port, "/healthz").unwrap().0, 200);
    eventually("the other one has taken over", || (held(near_port)? == 5).then_some(()));
    page(near_port, "/readyz", 200, &["ready"]);
    proxy.heal();
    page(far_port, "/readyz", 200, &["ready"]);
}

#[test]
fn mail_that_its_server_keeps_and_a_daemon_that_died_are_told_at_once() {
    const NOW: &str = "2026-11-18T10:00:00+01:00";
    let mut stage = Stage::new(Source::Deleting, Memory::Sqlite, &BTreeSet::from(["support"]), |_| {});
    stage.deliver("support", &authentic(&question("a.devries@waterwolde.example", "support@zaakwijs.example", 1)), NOW.parse().unwrap());
    stage.it_is(NOW.parse().unwrap());
    // It says that it has expunged, and has not.
    stage.imap.interfere(|command, _| if command.starts_with("UID EXPUNGE") { Reaction::Refuse("OK done") } else { Reaction::Obey });
    assert_eq!(stage.round(), [""; 0]);
    assert_eq!(status(&stage.world)["actions_due"], json!({"file": 1}));
    sql(&stage.world, "UPDATE mail SET action_attempts = 5").unwrap();
    assert_eq!(status(&stage.world)["actions_failing"], 1);
    assert!(stage.world.run(&["status"]).ok().stdout.contains("1 mails cannot be filed or deleted on their server"));

    let port = listen(&stage.world);
    let daemon = stage.world.daemon(None);
    page(port, "/readyz", 200, &["ready", "warning: 1 mails cannot be filed or deleted on their server"]);
    page(port, "/metrics", 200, &["postkamer_server_actions_failing 1"]);
    eventually("it is seen at work", || (state(&status(&stage.world), "support") == "watched").then_some(()));
    kill_process(Pid::from_raw(daemon.pid()).unwrap(), Signal::KILL).unwrap();
    eventually("it is gone", || (!daemon.is_alive()).then_some(()));
    let told = status(&stage.world);
    assert_eq!((told["daemons"][0]["at_work"].as_bool(), state(&told, "support")), (Some(false), "nobody"), "{told}");
    let text = stage.world.run(&["status"]).ok().stdout;
    assert!(text.contains("it did not end in order") && text.contains("No daemon is at work."), "{text}");
}
