//! The daemon as its users meet it: customers who write and read answers, admins who change settings, servers that go away.

use crate::support::dovecot::{Dovecot, Store};
use crate::support::free_port;
use crate::support::smtp::Smtp;
use crate::support::world::World;
use crate::support::{eventually, within};
use std::fs;
use std::time::Duration;
use toml_edit::value;

const CONTACT: &str = "a.devries@waterwolde.example";

/// A customer's mail as it leaves their client; the number makes it another mail each time.
pub fn question(from: &str, to: &str, number: u32) -> Vec<u8> {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: Vraag over het zaaksysteem\r\nMessage-ID: <{number}@customer.example>\r\n\
         Date: Wed, 18 Nov 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         Goedemorgen,\r\n\r\nHoe stellen wij de standaardtermijn van een zaaktype in? Dit is vraag {number}.\r\n\r\nGroet, Annelies\r\n"
    )
    .into_bytes()
}

/// A world whose mailboxes are looked at once an hour, unless the server says that something arrived.
fn idling_world(dovecot: &Dovecot, smtp: &Smtp) -> World {
    let world = World::on(dovecot, smtp);
    world.edit(|config| {
        for desk in config["desk"].as_array_of_tables_mut().unwrap().iter_mut() {
            desk["mailbox"]["poll"] = value("1 h");
        }
    });
    world
}

fn wait_until_ready(world: &World) {
    eventually("the daemon is ready", || {
        let status = world.run(&["status", "--json"]).status;
        let watching = world.daemon_log().matches("watching the mailbox").count();
        (status == Some(0) && watching >= 5).then_some(())
    });
}

#[test]
fn a_mail_that_arrives_while_the_daemon_idles_is_answered_without_waiting_for_a_poll() {
    let dovecot = Dovecot::start(Store::Maildir);
    let smtp = Smtp::start(&dovecot);
    dovecot.add_user(CONTACT, "contact");
    let world = idling_world(&dovecot, &smtp);
    let _daemon = world.daemon(None);
    wait_until_ready(&world);
    for number in 1..=3 {
        smtp.send_as_customer(&question(CONTACT, &world.desk("support"), number), CONTACT, &[&world.desk("support")]);
        let answers = dovecot.wait_for(CONTACT, "INBOX", number as usize);
        let answer = String::from_utf8_lossy(answers.last().unwrap()).into_owned();
        assert!(answer.contains(&format!("[PK-0000{number}]")), "{answer}");
        assert!(answer.contains(&format!("In-Reply-To: <{number}@customer.example>")), "{answer}");
    }
    eventually("the mails are filed", || (dovecot.count(&world.desk("support"), "INBOX") == 0).then_some(()));
    assert_eq!(world.run(&["tickets", "list", "--json"]).ok().json().len(), 3);
}

#[test]
fn a_mailbox_in_trouble_holds_up_no_other_and_is_opened_again_when_its_server_is_back() {
    let dovecot = Dovecot::start(Store::Maildir);
    let smtp = Smtp::start(&dovecot);
    let elsewhere = Dovecot::start(Store::Maildir);
    dovecot.add_user(CONTACT, "contact");
    let world = idling_world(&dovecot, &smtp);
    // The desk `ict` lies on another server, which is down when the daemon starts.
    let ict = world.desk("ict");
    elsewhere.add_user(&ict, "mailbox-of-ict");
    world.edit(|config| {
        let desk = config["desk"].as_array_of_tables_mut().unwrap().iter_mut().find(|d| d["name"].as_str() == Some("ict")).unwrap();
        desk["mailbox"]["port"] = value(i64::from(elsewhere.imaps_port()));
        desk["mailbox"]["ca_file"] = value(elsewhere.ca_file());
    });
    elsewhere.stop();
    let _daemon = world.daemon(None);
    eventually("the trouble is told", || world.daemon_log().contains("the mailbox is in trouble").then_some(()));
    smtp.send_as_customer(&question(CONTACT, &world.desk("support"), 1), CONTACT, &[&world.desk("support")]);
    dovecot.wait_for(CONTACT, "INBOX", 1);

    elsewhere.start_again();
    elsewhere.append(&ict, "INBOX", &authentic(&question(CONTACT, &ict, 2)), None);
    // The wait between two attempts doubles; a few of them are needed.
    within(Duration::from_secs(180), "the mailbox that was in trouble is worked off", || {
        (world.run(&["tickets", "list", "--json"]).ok().json().len() == 2).then_some(())
    });
}

/// As the receiving server of the fixtures' world hands it on.
pub fn authentic(raw: &[u8]) -> Vec<u8> {
    let top = b"Authentication-Results: mx.zaakwijs.example; dmarc=pass header.from=waterwolde.example\r\n\
        Received: from mail.waterwolde.example by mx.zaakwijs.example; Wed, 18 Nov 2026 10:00:01 +0100\r\n";
    [&top[..], raw].concat()
}

#[test]
fn what_waits_is_worked_off_once_and_what_is_out_of_reach_is_told_by_the_exit_status() {
    let world = World::new();
    for desk in ["support", "ict", "open", "closed", "nordic"] {
        for directory in ["cur", "new", "tmp"] {
            fs::create_dir_all(world.dir.join("mail").join(desk).join(directory)).unwrap();
        }
    }
    fs::write(world.dir.join("mail/support/new/1.mail"), authentic(&question(CONTACT, &world.desk("support"), 1))).unwrap();
    let [told] = &world.run(&["run", "--once", "--json"]).ok().json()[..] else { panic!("one line a mail") };
    let replies = serde_json::json!([{ "template": "received", "cc": 0 }]);
    let whole = serde_json::json!({
        "verdict": "open", "reasons": ["approved-contact"], "ticket": "PK-00001", "replies": replies, "server": "file",
    });
    assert_eq!(*told, whole);
    world.run(&["run", "--json"]).exits(2);
    for _ in 0..2 {
        world.run(&["run", "--once"]).ok();
        assert_eq!(world.run(&["tickets", "list", "--json"]).ok().json().len(), 1);
        assert_eq!(fs::read_dir(world.dir.join("replies-sent")).unwrap().count(), 1);
    }
    world.edit(|config| config["database"]["url"] = value(format!("postgres://nobody@127.0.0.1:{}/nothing", free_port())));
    world.run(&["run", "--once"]).exits(75);
    world.run(&["tickets", "list"]).exits(75);
}

#[test]
fn a_mail_from_a_pipe_is_booked_once_however_often_it_is_offered() {
    let world = World::new();
    let mail = authentic(&question(CONTACT, &world.desk("support"), 1));
    for told in [1, 0] {
        let lines = world.finish(world.command(&["deliver", "--json", "--desk", "support"]), &mail).ok().json();
        assert_eq!(lines.len(), told);
        assert!(lines.iter().all(|line| line["file"] == "-" && line["ticket"] == "PK-00001"), "{lines:?}");
    }
    let tickets = world.run(&["tickets", "list", "--json"]).ok().json();
    assert_eq!(tickets.len(), 1);
    assert_eq!(tickets[0]["entries"], 1);
    assert_eq!(world.run(&["outbox", "list", "--json"]).ok().json().len(), 1, "the daemon sends the reply");
    world.finish(world.command(&["deliver", "--desk", "nowhere"]), &mail).exits(2);
    world.edit(|config| config["database"]["url"] = value(format!("postgres://nobody@127.0.0.1:{}/nothing", free_port())));
    world.finish(world.command(&["deliver", "--desk", "support"]), &mail).exits(75);
    // At 2 the mail server would send the mail back for a slip of ours.
    world.edit(|config| config["langauge"] = value("nl"));
    let refused = world.finish(world.command(&["deliver", "--desk", "support"]), &mail).exits(75);
    assert!(refused.stderr.contains("langauge"), "{refused:?}");
}

#[test]
fn a_mail_from_a_pipe_that_is_over_the_rate_leaves_no_mark() {
    let world = World::new();
    world.edit(|config| config["limits"]["intake_per_sender_hour"] = value(1));
    let mails = [1, 2].map(|number| authentic(&question(CONTACT, &world.desk("support"), number)));
    world.finish(world.command(&["deliver", "--desk", "support"]), &mails[0]).ok();
    world.finish(world.command(&["deliver", "--desk", "support"]), &mails[1]).exits(75);
    let status = world.run(&["status", "--json"]).ok().json();
    assert_eq!(status[0]["arrivals"], serde_json::json!({}), "nobody comes back for it but the mail server");
    world.edit(|config| config["limits"]["intake_per_sender_hour"] = value(2));
    world.finish(world.command(&["deliver", "--desk", "support"]), &mails[1]).ok();
    assert_eq!(world.run(&["tickets", "list", "--json"]).ok().json().len(), 2);
}

#[test]
fn of_a_very_large_mail_from_a_pipe_only_the_beginning_counts() {
    let world = World::new();
    world.edit(|config| config["attachments"]["max_mail"] = value("300 kB"));
    let line = "Hoe stellen wij de standaardtermijn van een zaaktype in?\r\n";
    let long = line.repeat(8_000);
    let [mut mail, mut other] = [1, 2].map(|number| authentic(&question(CONTACT, &world.desk("support"), number)));
    mail.extend([long.as_bytes(), b"Het gaat om Jan Jansen, BSN 123456782.\r\n"].concat());
    // Another one, which differs far behind what is read of it.
    other.clone_from(&mail);
    other.extend(b"Groet.\r\n");
    let file = world.dir.join("large.eml");
    fs::write(&file, &mail).unwrap();
    let told = world.run(&["explain", "--json", "--desk", "support", file.to_str().unwrap()]).ok().json().remove(0);
    assert_eq!(told["reasons"][0], "attachment-unreadable", "{told}");
    world.finish(world.command(&["deliver", "--desk", "support"]), &mail).ok();
    world.finish(world.command(&["deliver", "--desk", "support", file.to_str().unwrap()]), b"").ok();
    world.finish(world.command(&["deliver", "--desk", "support"]), &other).ok();
    let reasons = crate::support::database::sql(&world, "SELECT reasons FROM mail ORDER BY id").unwrap();
    assert_eq!(reasons.len(), 2, "the same bytes are the same mail, others are not: {reasons:?}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&reasons[0]).unwrap(), told["reasons"], "as explain says");
}

#[test]
fn an_agent_works_through_the_queue() {
    let world = World::new();
    let stranger = question("jan@elders.example", &world.desk("support"), 1);
    let stranger = String::from_utf8(authentic(&stranger)).unwrap().replace("header.from=waterwolde.example", "header.from=elders.example");
    let other = stranger.replace("vraag 1", "vraag 2").replace("<1@", "<2@").replace("jan@", "piet@");
    for mail in [&stranger, &other] {
        world.finish(world.command(&["deliver", "--desk", "support"]), mail.as_bytes()).ok();
    }
    let queue = world.run(&["queue", "list", "--json"]).ok().json();
    assert_eq!(queue.iter().map(|t| t["number"].as_str().unwrap()).collect::<Vec<_>>(), ["PK-00001", "PK-00002"]);
    world.run(&["queue", "release", "PK-00001", "--reason", "Wij helpen u graag."]).ok();
    world.run(&["queue", "refuse", "PK-00002"]).ok();
    world.run(&["queue", "refuse", "PK-00002"]).exits(2);
    let objection = world.run(&["person", "object", "wim@elders.example", "--json"]).ok().json();
    assert_eq!(objection, [serde_json::json!({ "objects": true })]);
    assert!(!world.run(&["audit", "export", "--json"]).ok().json().is_empty());
    let looks = world.run(&["access", "report", "--json"]).ok().json();
    assert!(looks.iter().all(|line| line["listed"] == true), "nobody is named in the settings, so everybody may work: {looks:?}");
    world.run(&["tickets", "note", "1", "teruggebeld"]).ok();
    world.run(&["tickets", "close", "1"]).ok();
    world.run(&["tickets", "reopen", "PK-00001"]).ok();
    world.run(&["tickets", "show", "99"]).exits(2);
    let shown = world.run(&["tickets", "show", "1", "--json"]).ok().json();
    let kinds: Vec<&str> = shown[0]["history"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["mail", "released", "note", "closed", "reopened"]);
    let states: Vec<String> =
        world.run(&["tickets", "list", "--json"]).ok().json().iter().map(|t| t["status"].as_str().unwrap().to_owned()).collect();
    assert_eq!(states, ["open", "closed"]);
    let letters: Vec<String> =
        world.run(&["outbox", "list", "--json"]).ok().json().iter().map(|l| l["template"].as_str().unwrap().to_owned()).collect();
    assert_eq!(letters, ["unknown-sender", "unknown-sender", "released", "refused"]);
}

/// GET, over plain HTTP/1.1; status and body.
pub fn get(port: u16, page: &str) -> Option<(u16, String)> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split("\r\n\r\n").nth(1)?.to_owned()))
}

#[test]
fn the_health_pages_tell_when_a_mailbox_is_in_trouble_and_count_what_was_done() {
    let dovecot = Dovecot::start(Store::Maildir);
    let smtp = Smtp::start(&dovecot);
    dovecot.add_user(CONTACT, "contact");
    let world = idling_world(&dovecot, &smtp);
    let port = free_port();
    world.edit(|config| config["health"]["listen"] = value(format!("127.0.0.1:{port}")));
    let _daemon = world.daemon(None);
    eventually("ready", || get(port, "/readyz").filter(|(status, _)| *status == 200));
    smtp.send_as_customer(&question(CONTACT, &world.desk("support"), 1), CONTACT, &[&world.desk("support")]);
    eventually("a mail is counted", || get(port, "/metrics").filter(|(_, page)| page.contains("postkamer_mails{verdict=\"open\"} 1")));
    let (_, metrics) = get(port, "/metrics").unwrap();
    assert!(!metrics.contains('@') && metrics.contains("postkamer_mailbox_in_trouble{desk=\"support\"} 0"), "{metrics}");
    dovecot.stop();
    let (_, wrong) = eventually("not ready", || get(port, "/readyz").filter(|(status, _)| *status == 503));
    assert!(wrong.contains("is in trouble"), "{wrong}");
    assert_eq!(get(port, "/healthz").unwrap().0, 200);
}
