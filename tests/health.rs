//! `status` and the health pages tell the truth, whatever state things are in.
//!
//! | state | `/readyz` | `status` | shown by |
//! |---|---|---|---|
//! | all is well | 200 | watched | every test here |
//! | mailbox out of reach, sign-in refused | 503, why | in trouble, why | `a_mailbox_that_…` |
//! | … while it was being watched | 503, why | | `daemon::the_health_pages_tell_…` |
//! | mailbox removed | 503, why | in trouble | `whatever_needs_somebody_…` |
//! | mailbox in other hands | 200 | watched, by the other | `daemons_that_share_…` |
//! | mailbox out of reach for one daemon of several | its own: 503, why; the others': 200 | watched; which daemon cannot reach it, and why | `a_daemon_that_is_cut_off_…` |
//! | … in the midst of a command | its own: 503, why | | `a_mailbox_whose_server_falls_silent_…` |
//! | … for all of them | 503, why | in trouble, why | `a_daemon_that_is_cut_off_…` |
//! | a task that does not look into its mailbox any more | 503 | | `health.rs`: `a_mailbox_that_nobody_looks_into_…` |
//! | a mail that computes without end | the process ends | the daemon is dead | `poison::a_mail_that_keeps_the_program_busy_…`; a death: `mail_that_its_server_keeps_…` |
//! | database out of reach | 503 | 75, why | `daemons_that_share_…` |
//! | database busy | 503 after 20 seconds | at work; later silent | `a_database_that_somebody_keeps_busy_…` |
//! | database read-only, disk full | 503, why | silent: dead, or unable to write | `a_database_that_takes_nothing_…` |
//! | database read-only (PostgreSQL) | 503, why | works | `a_read_only_postgresql_…` |
//! | database of a newer version | no daemon starts | says so | `upgrade::` |
//! | less room than `keep_free` | 503, why | in trouble, why | `attacks::servers::a41_room_…` |
//! | mail stuck | warns | how many | `whatever_needs_somebody_…` |
//! | deletion overdue; server keeps mail | warns | how long; how many | `whatever_needs_somebody_…`; `mail_that_its_server_keeps_…` |
//! | replies cannot be sent | warns, why | why | `whatever_needs_somebody_…` |
//! | changed settings refused | warns, why | why | `whatever_needs_somebody_…` |
//! | token ends soon | warns | days left | `health.rs`: `a_token_that_ends_soon_…` |
//! | stopping, work in hand | 503 | stopping | `a_daemon_that_finishes_…` |
//! | stopped in order | no listener | no daemon | `whatever_needs_somebody_…` |
//! | died | no listener | did not end in order | `mail_that_its_server_keeps_…` |
//! | workers cannot lock themselves in | no daemon starts | no daemon | `workers::where_a_wall_is_missing_…` |

use crate::daemon::{authentic, question};
use crate::support::database::sql;
use crate::support::files::{Errno, Files, How};
use crate::support::postgres::Postgres;
use crate::support::reliability::installation::{port_of, through};
use crate::support::reliability::wire::Proxy;
use crate::support::scripted::Reaction;
use crate::support::scripted::imap::Imap;
use crate::support::stage::{Memory, Source, Stage};
use crate::support::world::World;
use crate::support::{eventually, free_port};
use crate::upgrade;
use postkamer::clock::Clock;
use postkamer::mailbox::maildir;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
pub fn page(port: u16, page: &str, status: u16, says: &[&str]) -> String {
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

pub fn listen(world: &World) -> u16 {
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
    assert!(
        wrong.contains("a mail that must be deleted has been waiting for") && !wrong.contains("the mailbox of ict is in trouble"),
        "{wrong}"
    );
    let metrics = page(port, "/metrics", 200, &["postkamer_outbox_blocked 1", "postkamer_mails_without_result{state=\"stuck\"} 1"]);
    let overdue = metrics.lines().find_map(|line| line.strip_prefix("postkamer_citizen_bytes_pending_seconds ")).unwrap();
    assert!(overdue.parse::<i64>().unwrap() > 3600, "{metrics}");
    // Six that waited, and what has come due since: the database is older every day.
    // Some may be in hand at this moment.
    let replies =
        metrics.lines().filter_map(|line| line.strip_prefix("postkamer_replies{state=\"")).filter_map(|rest| rest.split_once("\"} "));
    let waiting = replies.filter(|(state, _)| ["due", "claimed"].contains(state)).map(|(_, many)| many.parse::<u32>().unwrap());
    assert!(waiting.sum::<u32>() >= 6, "{metrics}");
    for says in [
        "postkamer_mailbox_in_trouble{desk=\"support\"} 1",
        "postkamer_mailbox_in_trouble{desk=\"ict\"} 0",
        "postkamer_decisions{reason=\"unknown-sender\"} 1",
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
    let text = eventually("status tells of the replies, too", || {
        Some(world.run(&["status"]).ok().stdout).filter(|text| text.contains("It cannot send replies"))
    });
    for says in ["in trouble: ", "1 mails are stuck", "The oldest mail that must be deleted waits for"] {
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
    assert!(far.run(&["status"]).exits(75).stderr.contains("the database is out of reach"));
    eventually("the other one has taken over", || (held(near_port)? == 5).then_some(()));
    page(near_port, "/readyz", 200, &["ready"]);
    proxy.heal();
    page(far_port, "/readyz", 200, &["ready"]);
}

const DESKS: [&str; 5] = ["support", "ict", "open", "closed", "nordic"];

/// Two daemons with the same mailboxes: the other one sees them by way of a link.
fn with_one_house_of_mail(url: &str) -> (World, World) {
    let (near, far) = (empty_world().with_database(url), World::new().with_database(url));
    symlink(near.dir.join("mail"), far.dir.join("mail")).unwrap();
    for world in [&near, &far] {
        world.edit(|config| {
            for desk in config["desk"].as_array_of_tables_mut().unwrap().iter_mut() {
                desk["mailbox"]["poll"] = value("1 s");
            }
        });
    }
    (near, far)
}

#[test]
fn a_daemon_that_is_cut_off_from_mailboxes_or_from_smtp_leaves_both_to_the_other_and_says_so() {
    let url = Postgres::shared().database("cutoff");
    let (near, far) = with_one_house_of_mail(&url);
    far.edit(|config| {
        let mut smtp = Table::new();
        (smtp["host"], smtp["port"], smtp["tls"]) = (value("127.0.0.1"), value(i64::from(free_port())), value("none"));
        config["smtp"] = Item::Table(smtp);
    });
    let (near_port, far_port) = (listen(&near), listen(&far));
    let _daemons = [near.daemon(None), far.daemon(None)];
    let shared = || {
        let shares = (held(near_port)?, held(far_port)?);
        (shares.0 + shares.1 == DESKS.len() && shares.0.min(shares.1) == 2).then_some(())
    };
    eventually("both have their share", shared);
    let all = |wanted: &str| DESKS.iter().all(|desk| state(&status(&near), desk) == wanted).then_some(());

    // What the one cannot send costs no reply an attempt, nor any time: the other one sends it.
    for (number, desk) in (1..).zip(DESKS) {
        let mail = authentic(&question("a.devries@waterwolde.example", &near.desk(desk), number));
        maildir::deliver(&near.dir.join("mail").join(desk), &mail, Clock::system().now()).unwrap();
    }
    page(far_port, "/readyz", 200, &["warning: replies cannot be sent: "]);
    let letters = eventually("every reply is sent", || {
        let letters = sql(&near, "SELECT state || ' after ' || attempts FROM outbox").unwrap();
        (letters.len() >= 3 && letters.iter().all(|letter| letter.starts_with("sent"))).then_some(letters)
    });
    assert!(letters.iter().all(|letter| letter == "sent after 1"), "{letters:?}");

    let link = far.dir.join("mail");
    fs::remove_file(&link).unwrap();
    // Also what it did not hold: it asks for nothing that it could not read.
    let says: Vec<String> =
        DESKS.map(|desk| format!("the mailbox of {desk} is out of reach from here, and left to other daemons: ")).into();
    let says: Vec<&str> = says.iter().map(String::as_str).collect();
    page(far_port, "/readyz", 503, &says);
    eventually("the other one has all", || (held(near_port)? == DESKS.len()).then_some(()));
    page(near_port, "/readyz", 200, &["ready"]);
    page(far_port, "/metrics", 200, &["postkamer_mailbox_in_trouble{desk=\"support\"} 1"]);
    eventually("status tells that all is looked after, and by whom not", || {
        let text = near.run(&["status"]).ok().stdout;
        (all("watched").is_some() && text.contains("    It cannot reach the mailbox of support: there is no Maildir in ")).then_some(())
    });

    let house = near.dir.join("mail");
    fs::rename(&house, near.dir.join("away")).unwrap();
    page(near_port, "/readyz", 503, &says);
    eventually("nobody holds what nobody can reach", || {
        let held = "SELECT mailbox FROM lease WHERE expires_at > EXTRACT(EPOCH FROM clock_timestamp()) * 1000";
        sql(&near, held).unwrap().is_empty().then_some(())
    });
    eventually("status tells of the trouble", || all("in-trouble"));

    fs::rename(near.dir.join("away"), &house).unwrap();
    symlink(&house, &link).unwrap();
    eventually("both have their share again", shared);
    for port in [near_port, far_port] {
        page(port, "/readyz", 200, &["ready"]);
    }
    eventually("status tells that all is well", || all("watched"));
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
    // The lock that died with it says so, not its silence (which would not be called dead).
    let told = status(&stage.world);
    let daemon = &told["daemons"][0];
    assert_eq!((&daemon["is_dead"], &daemon["at_work"], state(&told, "support")), (&json!(true), &json!(false), "nobody"), "{told}");
    let text = stage.world.run(&["status"]).ok().stdout;
    assert!(text.contains("it did not end in order") && text.contains("No daemon is at work."), "{text}");
}

/// A world whose mailboxes are there, empty.
/// A mailbox on a server of this process.
fn on_imap(port: u16) -> Item {
    let mut mailbox = Table::new();
    (mailbox["kind"], mailbox["host"], mailbox["port"]) = (value("imap"), value("127.0.0.1"), value(i64::from(port)));
    (mailbox["tls"], mailbox["username"], mailbox["password_file"]) = (value("none"), value("desk"), value("password"));
    Item::Table(mailbox)
}

#[test]
fn a_mailbox_whose_server_falls_silent_in_the_midst_of_a_mail_goes_to_the_daemon_that_reaches_it() {
    let url = Postgres::shared().database("silence");
    let imap = Imap::start();
    let proxy = Arc::new(Proxy::to(imap.port(), None));
    let [far, near] = [proxy.port(), imap.port()].map(|port| {
        let world = World::new().with_database(&url);
        fs::write(world.dir.join("password"), "geheim").unwrap();
        // Its contract has ended: retention would remove it, and with the new settings the mailbox would begin anew, perhaps in other hands.
        fs::remove_file(world.dir.join("organisations/oudeveen.toml")).unwrap();
        world.edit(|config| {
            let desks = config["desk"].as_array_of_tables_mut().unwrap();
            desks.retain(|desk| desk["name"].as_str() == Some("support"));
            desks.get_mut(0).unwrap()["mailbox"] = on_imap(port);
        });
        world
    });
    let (far_port, near_port) = (listen(&far), listen(&near));
    let _far = far.daemon(None);
    eventually("the far one has it", || (held(far_port)? == 1).then_some(()));
    let _near = near.daemon(None);
    eventually("the near one leaves it there", || {
        let is_ready = get(near_port, "/readyz")?.0 == 200;
        (is_ready && held(far_port)? == 1 && held(near_port)? == 0).then_some(())
    });

    let way = Arc::clone(&proxy);
    let mut was_cut = false;
    imap.interfere(move |command, _| {
        if command.contains("BODY.PEEK[]") && !std::mem::replace(&mut was_cut, true) {
            way.cut();
        }
        Reaction::Obey
    });
    let mail = authentic(&question("a.devries@waterwolde.example", &far.desk("support"), 1));
    imap.with(|accounts| accounts.deliver("desk", &mail, Clock::system().now()));
    // It does not wait until the time for an answer is over.
    let left = "the mailbox of support is out of reach from here, and left to other daemons: the server fell silent while fetching mails";
    page(far_port, "/readyz", 503, &[left]);
    eventually("the near one has taken it in", || {
        let tickets = sql(&near, "SELECT 'ticket' FROM ticket").unwrap();
        (held(near_port)? == 1 && tickets.len() == 1).then_some(())
    });
    eventually("nothing of it waits, and nothing is stuck", || sql(&near, "SELECT state FROM arrival").unwrap().is_empty().then_some(()));
    proxy.heal();
    page(far_port, "/readyz", 200, &["ready"]);
}

fn empty_world() -> World {
    let world = World::new();
    for desk in ["support", "ict", "open", "closed", "nordic"] {
        postkamer::mailbox::maildir::create(&world.dir.join("mail").join(desk)).unwrap();
    }
    world
}

#[test]
fn a_mailbox_that_is_out_of_reach_or_lets_nobody_in_is_told_by_its_desk() {
    let (world, imap) = (empty_world(), Imap::start());
    let nowhere = free_port();
    world.edit(|config| {
        for desk in config["desk"].as_array_of_tables_mut().unwrap().iter_mut() {
            let port = match desk["name"].as_str().unwrap() {
                "support" => nowhere,
                "ict" => imap.port(),
                _ => continue,
            };
            desk["mailbox"] = on_imap(port);
        }
    });
    fs::write(world.dir.join("password"), "geheim").unwrap();
    imap.interfere(|command, _| match command.starts_with("LOGIN") || command.starts_with("AUTHENTICATE") {
        true => Reaction::Refuse("NO [AUTHENTICATIONFAILED] Sorry."),
        false => Reaction::Obey,
    });
    let port = listen(&world);
    let _daemon = world.daemon(None);
    let troubles = ["the mailbox of support is in trouble: ", "the mailbox of ict is in trouble: "];
    let wrong = page(port, "/readyz", 503, &troubles);
    assert!(!wrong.contains("the mailbox of open is in trouble") && !wrong.contains("geheim"), "{wrong}");
    let told = eventually("status tells", || {
        let told = status(&world);
        (state(&told, "support") == "in-trouble" && state(&told, "ict") == "in-trouble" && state(&told, "open") == "watched")
            .then_some(told)
    });
    let trouble = |desk: &str| told["mailboxes"].as_array().unwrap().iter().find(|m| m["desk"] == desk).unwrap()["trouble"].to_string();
    assert!(trouble("support") != trouble("ict") && trouble("ict").contains("sign"), "{told}");
    imap.repair();
    eventually("one of them is well", || {
        let (_, wrong) = get(port, "/readyz")?;
        (wrong.contains(troubles[0]) && !wrong.contains("the mailbox of ict")).then_some(())
    });
    eventually("status tells that, too", || (state(&status(&world), "ict") == "watched").then_some(()));
}

#[test]
fn a_database_that_takes_nothing_is_told_even_when_nobody_writes() {
    let world = empty_world();
    world.run(&["migrate"]).ok();
    let (files, environment) = Files::of_another(&world.state_dir(), &world.dir.join("orders"));
    let port = listen(&world);
    let daemon = world.daemon_in(&environment);
    page(port, "/readyz", 200, &["ready"]);
    let break_with = |errno: Errno| {
        files.arm(1, How::ForGood, errno);
        files.count(true);
        page(port, "/readyz", 503, &["nothing can be written into the database: "]);
        page(port, "/metrics", 200, &["postkamer_database_unwritable 1"]);
    };
    break_with(Errno::NoSpace);
    files.repair();
    page(port, "/readyz", 200, &["ready"]);
    break_with(Errno::ReadOnly);
    eventually("status does not call it dead", || {
        world.run(&["status"]).ok().stdout.contains("it has died, or cannot write into the database.").then_some(())
    });
    files.repair();
    page(port, "/metrics", 200, &["postkamer_database_unwritable 0"]);
    eventually("it is heard of again", || status(&world)["daemons"][0]["at_work"].as_bool().filter(|at_work| *at_work));
    assert!(daemon.is_alive());
}

#[test]
fn a_database_that_somebody_keeps_busy_is_told() {
    let world = empty_world();
    world.run(&["migrate"]).ok();
    let port = listen(&world);
    let _daemon = world.daemon(None);
    page(port, "/readyz", 200, &["ready"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database =
        runtime.block_on(sea_orm::Database::connect(format!("sqlite://{}", world.state_dir().join("postkamer.db").display()))).unwrap();
    let tell = |sql: &str| runtime.block_on(sea_orm::ConnectionTrait::execute_unprepared(&database, sql)).unwrap();
    tell("BEGIN IMMEDIATE");
    let mail = authentic(&question("a.devries@waterwolde.example", "support@zaakwijs.example", 1));
    maildir::deliver(&world.dir.join("mail/support"), &mail, Clock::system().now()).unwrap();
    // F42: after twenty seconds it is told. The mail has waited as long, and that is no fault of the mail.
    page(port, "/readyz", 503, &["nothing can be written into the database: "]);
    tell("ROLLBACK");
    page(port, "/readyz", 200, &["ready"]);
    eventually("the mail is booked once, and answered", || {
        let letters = sql(&world, "SELECT state FROM outbox").unwrap();
        (letters == ["sent"] && state(&status(&world), "support") == "watched").then_some(())
    });
    let tickets = world.run(&["tickets", "list", "--json"]).ok().json();
    assert_eq!((tickets.len(), &tickets[0]["entries"]), (1, &json!(1)), "{tickets:?}");
}

#[test]
fn a_read_only_postgresql_is_told() {
    let url = Postgres::shared().database("readonly");
    let world = empty_world().with_database(&url);
    let port = listen(&world);
    let _daemon = world.daemon(None);
    page(port, "/readyz", 200, &["ready"]);
    let name = url.rsplit('/').next().unwrap();
    let make = |read_only: &str| {
        let sql = |sql: String| Postgres::shared().sql("postgres", &sql);
        sql(format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = {read_only}"));
        sql(format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
    };
    make("on");
    page(port, "/readyz", 503, &["nothing can be written into the database: "]);
    // It cannot write that it is still there: by now it may count as gone.
    assert!(status(&world)["daemons"].as_array().unwrap().len() <= 1, "status reads all the same");
    make("off");
    page(port, "/readyz", 200, &["ready"]);
}

#[test]
fn a_daemon_that_finishes_what_is_in_hand_is_told_as_stopping() {
    const NOW: &str = "2026-11-18T10:00:00+01:00";
    let mut stage = Stage::new(Source::Able, Memory::Sqlite, &BTreeSet::from(["support"]), |_| {});
    stage.deliver("support", &authentic(&question("a.devries@waterwolde.example", "support@zaakwijs.example", 1)), NOW.parse().unwrap());
    let (waits, go_on) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (waiting, until) = (waits.clone(), go_on.clone());
    stage.imap.interfere(move |command, _| {
        if command.starts_with("UID FETCH 1 (UID BODY") {
            waiting.store(true, Ordering::SeqCst);
            eventually("the server answers", || until.load(Ordering::SeqCst).then_some(()));
        }
        Reaction::Obey
    });
    let port = listen(&stage.world);
    let daemon = stage.world.daemon(None);
    eventually("a mail is in hand", || waits.load(Ordering::SeqCst).then_some(()));
    kill_process(Pid::from_raw(daemon.pid()).unwrap(), Signal::TERM).unwrap();
    page(port, "/readyz", 503, &["stopping: what is in hand is finished first"]);
    assert_eq!(get(port, "/healthz").unwrap().0, 200);
    eventually("status tells", || {
        let told = status(&stage.world);
        (told["daemons"][0]["report"]["stopping"] == true && told["daemons"][0]["at_work"] == true).then_some(())
    });
    assert!(stage.world.run(&["status"]).ok().stdout.contains("is stopping: what is in hand is finished first."));
    go_on.store(true, Ordering::SeqCst);
    eventually("it ends", || (!daemon.is_alive()).then_some(()));
    let told = status(&stage.world);
    assert_eq!((told["daemons"].as_array().unwrap().len(), told["mails"]["open"].as_i64()), (0, Some(1)), "{told}");
}
