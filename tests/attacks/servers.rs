//! Rows 35 to 42: hostile servers, secrets, load and slips of the pen.

use super::{CONTACT, Gate, NOW, authentic, raw, vouched, with_files};
use crate::support::world::World;
use crate::support::{eventually, free_port};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use toml_edit::{Item, Table, value};

/// What the desk's password is in these tests: easy to find wherever it leaks.
const PASSWORD: &str = "wachtwoord-Qx7-niet-lekken";

/// A listener that hands each connection to `play`, on threads of their own, for as long as the test runs. Gives all bytes heard.
fn server(play: impl Fn(TcpStream, &Mutex<Vec<u8>>) + Send + Sync + 'static) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let port = free_port();
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (play, all) = (Arc::new(play), heard.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (play, all) = (play.clone(), all.clone());
            std::thread::spawn(move || play(stream, &all));
        }
    });
    (port, heard)
}

/// One line, remembered; nothing when the client has gone.
fn hear(reader: &mut BufReader<TcpStream>, heard: &Mutex<Vec<u8>>) -> Option<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).ok().filter(|length| *length > 0)?;
    heard.lock().unwrap().extend(&line);
    Some(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// Points the support desk at an IMAP server on this port.
fn on_imap(gate: &Gate, port: u16, tls: &str, folder: &str) {
    let file = gate.world.dir.join("geheim");
    fs::write(&file, PASSWORD).unwrap();
    gate.world.edit(|config| {
        let desk = config["desk"].as_array_of_tables_mut().unwrap().iter_mut().next().unwrap();
        let mut mailbox = Table::new();
        for (key, text) in [("kind", "imap"), ("host", "127.0.0.1"), ("tls", tls), ("username", "support"), ("folder", folder)] {
            mailbox[key] = value(text);
        }
        mailbox["port"] = value(i64::from(port));
        mailbox["password_file"] = value(file.to_str().unwrap());
        desk["mailbox"] = Item::Table(mailbox);
    });
}

/// An IMAP server that is well-behaved but for what `evil` says in answer to a command (`$` stands for its tag).
fn imap(evil: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> u16 {
    // A UID means another mail with each server; once it is moved it is gone.
    static VALIDITY: AtomicUsize = AtomicUsize::new(7);
    let validity = VALIDITY.fetch_add(1, Ordering::Relaxed);
    let (evil, moved) = (Arc::new(evil), AtomicBool::new(false));
    let (port, _) = server(move |stream, heard| {
        let mut writer = stream.try_clone().unwrap();
        let mut reader = BufReader::new(stream);
        let _ = writer.write_all(b"* OK hello\r\n");
        while let Some(line) = hear(&mut reader, heard) {
            let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
            let plain = match command.split(' ').next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "CAPABILITY" => "* CAPABILITY IMAP4rev1 UIDPLUS MOVE\r\n$ OK done\r\n".to_owned(),
                "SELECT" => format!(
                    "* FLAGS (\\Deleted)\r\n* 1 EXISTS\r\n* OK [PERMANENTFLAGS (\\Deleted \\*)] x\r\n* OK [UIDVALIDITY {validity}] x\r\n* OK [UIDNEXT 9] x\r\n$ OK [READ-WRITE] x\r\n"
                ),
                "LIST" => "* LIST () \"/\" Verwerkt\r\n$ OK done\r\n".to_owned(),
                "UID" if command.contains("MOVE") => {
                    moved.store(true, Ordering::Relaxed);
                    "* OK [COPYUID 3 8 1] x\r\n* 1 EXPUNGE\r\n$ OK done\r\n".to_owned()
                }
                "UID" if command.contains("(UID FLAGS)") && !moved.load(Ordering::Relaxed) => {
                    "* 1 FETCH (UID 8 FLAGS ())\r\n$ OK done\r\n".to_owned()
                }
                "UID" if command.contains("BODY.PEEK") => {
                    let mail = String::from_utf8(authentic(CONTACT, "", "Vraag.")).unwrap();
                    format!("* 1 FETCH (UID 8 BODY[] {{{}}}\r\n{mail})\r\n$ OK done\r\n", mail.len())
                }
                "UID" if command.contains("RFC822.SIZE") => {
                    "* 1 FETCH (UID 8 FLAGS () INTERNALDATE \"21-Nov-2026 10:00:00 +0100\" RFC822.SIZE 400)\r\n$ OK done\r\n".to_owned()
                }
                _ => "$ OK done\r\n".to_owned(),
            };
            let answer = evil(command).unwrap_or(plain).replace('$', tag);
            // After a flood the connection ends; a client that believed in it would wait for more.
            if writer.write_all(answer.as_bytes()).is_err() || answer.len() > 500_000 {
                return;
            }
        }
    });
    port
}

/// Runs a command to its end and gives its exit status and the most memory that it ever had in use, in MB.
pub(super) fn measured(world: &World, arguments: &[&str]) -> (Option<i32>, u64) {
    let mut command = world.command(arguments);
    command.env("POSTKAMER_NOW", NOW).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    let (start, mut most) = (Instant::now(), 0);
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        most = most.max(peak.unwrap_or_default() / 1024);
        if let Some(ended) = child.try_wait().unwrap() {
            return (ended.code(), most);
        }
        assert!(start.elapsed() < Duration::from_secs(170), "the command does not end");
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// A server that lies about sizes, numbers and ends costs an error, not the memory; the other desks go on.
#[test]
fn a35_hostile_imap_server() {
    let gate = Gate::new();
    let (_, ordinary) = measured(&gate.world, &["run", "--once"]);
    type Evil = fn(&str) -> Option<String>;
    let scripts: [(&str, i32, Evil); 7] = [
        ("a literal of 4 GiB", 75, |c| c.contains("RFC822.SIZE").then(|| "* 1 FETCH (UID 8 BODY[] {4294967295}\r\nabc".to_owned())),
        ("more mails than there are", 75, |c| c.contains("RFC822.SIZE").then(|| listing(150_000))),
        ("a range of all numbers", 0, |c| {
            c.contains("MOVE")
                .then(|| "* OK [COPYUID 7 1:4294967295 1:4294967295] x\r\n* VANISHED 1:4294967295\r\n$ OK done\r\n".to_owned())
        }),
        ("a mail that is told of without end, and never goes", 0, |c| {
            c.contains("(UID FLAGS)").then(|| "* 1 FETCH (UID 8 FLAGS ())\r\n".repeat(10_000) + "$ OK done\r\n")
        }),
        ("untagged lines without end", 75, |c| c.contains("SELECT").then(|| "* OK still here\r\n".repeat(100_000))),
        ("one line without end", 75, |c| c.contains("SELECT").then(|| format!("* OK {}", "x".repeat(80_000_000)))),
        // Such a mail is stuck in the end, which is no trouble of the mailbox.
        ("a mail of 4 GiB", 0, |c| c.contains("BODY.PEEK").then(|| "* 1 FETCH (UID 8 BODY[] {4294967295}\r\nabc".to_owned())),
    ];
    for (label, due, evil) in scripts {
        let played = Arc::new(AtomicUsize::new(0));
        let count = played.clone();
        let play = move |command: &str| {
            let said = evil(command);
            count.fetch_add(usize::from(said.is_some()), Ordering::Relaxed);
            said
        };
        on_imap(&gate, imap(play), "none", "INBOX");
        gate.deliver_to("open", &authentic(CONTACT, "To: vragen@zaakwijs.example\n", label));
        let before = gate.tickets().len();
        let (status, most) = measured(&gate.world, &["run", "--once"]);
        assert!(played.load(Ordering::Relaxed) > 0, "{label}: it was played");
        assert_eq!(status, Some(due), "{label}");
        assert!(most < ordinary + 64, "{label}: {most} MB in use, {ordinary} MB without a server");
        assert!(gate.tickets().len() > before, "{label}: the other desk's mail is taken in");
    }
}

fn listing(count: u32) -> String {
    let line = |n| format!("* {n} FETCH (UID {n} FLAGS () INTERNALDATE \"21-Nov-2026 10:00:00 +0100\" RFC822.SIZE 400)\r\n");
    (1..=count).map(line).collect::<String>() + "$ OK done\r\n"
}

/// Every way of taking the encryption away ends before a byte of the password is said.
#[test]
fn a36_starttls_stripping_and_injection() {
    const SCRIPTS: &[(&str, &str, &str)] = &[
        ("signed in already", "* PREAUTH hello\r\n", ""),
        ("does not offer it", "* OK hello\r\n", "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nP1 OK done\r\n"),
        ("refuses it", "* OK hello\r\n", "* CAPABILITY IMAP4rev1 STARTTLS\r\nP1 OK done\r\nP2 NO not now\r\n"),
        ("does not know it", "* OK hello\r\n", "* CAPABILITY IMAP4rev1 STARTTLS\r\nP1 OK done\r\nP2 BAD what\r\n"),
        (
            "bytes after the OK",
            "* OK hello\r\n",
            "* CAPABILITY IMAP4rev1 STARTTLS\r\nP1 OK done\r\nP2 OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nP1 OK done\r\n",
        ),
        ("goes on in clear", "* OK hello\r\n", "* CAPABILITY IMAP4rev1 STARTTLS\r\nP1 OK done\r\nP2 OK go\r\n"),
        ("signed in by the greeting's code", "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello\r\n", "* PREAUTH x\r\nP1 OK done\r\n"),
    ];
    let gate = Gate::new();
    for (label, greeting, answers) in SCRIPTS {
        let (port, heard) = server(|mut stream, heard| {
            let _ = stream.write_all(greeting.as_bytes());
            let _ = stream.write_all(answers.as_bytes());
            stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            let mut said = Vec::new();
            let _ = stream.read_to_end(&mut said);
            heard.lock().unwrap().extend(said);
        });
        on_imap(&gate, port, "starttls", "INBOX");
        let outcome = gate.world.run_at(NOW, &["run", "--once"]).exits(75);
        assert_no_secret(label, &heard.lock().unwrap());
        assert_no_secret(label, outcome.stderr.as_bytes());
        assert!(!heard.lock().unwrap().is_empty() || *label == "signed in already", "{label}: the server was not reached");
    }
    let smtp: &[(&str, &str)] = &[
        ("does not offer it", "220 hello\r\n250-lax\r\n250 AUTH PLAIN LOGIN\r\n"),
        ("refuses it", "220 hello\r\n250-lax\r\n250 STARTTLS\r\n454 no\r\n"),
        (
            "bytes after the 220",
            "220 hello\r\n250-lax\r\n250 STARTTLS\r\n220 go\r\n250-lax\r\n250 AUTH PLAIN LOGIN\r\n235 welcome\r\n250 fine\r\n",
        ),
    ];
    for (label, says) in smtp {
        let (port, heard) = server(|mut stream, heard| {
            let _ = stream.write_all(says.as_bytes());
            stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            let mut said = Vec::new();
            let _ = stream.read_to_end(&mut said);
            heard.lock().unwrap().extend(said);
        });
        let gate = Gate::new();
        gate.deliver(&authentic(CONTACT, "", "Vraag."));
        on_smtp(&gate, port, "starttls");
        let outcome = gate.world.run_at(NOW, &["run", "--once"]).ok();
        let heard = heard.lock().unwrap();
        assert_no_secret(label, &heard);
        assert_no_secret(label, outcome.stderr.as_bytes());
        assert!(heard.starts_with(b"EHLO") && !contains(&heard, b"MAIL FROM"), "{label}: {}", String::from_utf8_lossy(&heard));
        assert_eq!(gate.world.run(&["outbox", "list", "--json"]).ok().json().len(), 1, "the answer waits");
    }
}

/// Answers leave by an SMTP server on this port.
fn on_smtp(gate: &Gate, port: u16, tls: &str) {
    let file = gate.world.dir.join("geheim");
    fs::write(&file, PASSWORD).unwrap();
    gate.world.edit(|config| {
        let mut smtp = Table::new();
        for (key, text) in [("host", "127.0.0.1"), ("tls", tls), ("username", "desk")] {
            smtp[key] = value(text);
        }
        smtp["port"] = value(i64::from(port));
        smtp["password_file"] = value(file.to_str().unwrap());
        config["smtp"] = Item::Table(smtp);
    });
}

fn contains(all: &[u8], what: &[u8]) -> bool {
    all.windows(what.len()).any(|window| window == what)
}

/// The password stands nowhere in these bytes: plain, in base64 at any offset, or in a SASL blob.
#[track_caller]
fn assert_no_secret(label: &str, bytes: &[u8]) {
    let encoded = super::base64(format!("\0support\0{PASSWORD}").as_bytes());
    let blobs = [
        super::base64(PASSWORD.as_bytes()),
        encoded,
        super::base64(format!("x{PASSWORD}").as_bytes()),
        super::base64(format!("xx{PASSWORD}").as_bytes()),
    ];
    assert!(!contains(bytes, PASSWORD.as_bytes()), "{label}: the password");
    for blob in blobs {
        // The middle of a blob does not depend on what stands before and behind.
        let blob = blob.trim().trim_end_matches('=');
        let middle = &blob[blob.len() / 3..blob.len() - 6];
        assert!(!contains(bytes, middle.as_bytes()), "{label}: the password in base64");
    }
}

/// Names come from the settings, and none can hold a command.
#[test]
fn a37_commands_in_names() {
    let gate = Gate::new();
    for folder in ["x\r\nA1 DELETE y", "x\u{0}", "x\ny"] {
        on_imap(&gate, free_port(), "none", folder);
        let outcome = gate.world.run(&["check"]).exits(1);
        assert!(outcome.stdout.contains("`folder`"), "{}", outcome.stdout);
        gate.world.run(&["run", "--once"]).exits(2);
    }
    let gate = Gate::new();
    gate.world.edit(|config| {
        let desk = config["desk"].as_array_of_tables_mut().unwrap().iter_mut().next().unwrap();
        desk["display_name"] = value("Support\r\nBcc: v@x.test");
    });
    gate.world.run(&["check"]).exits(1);
}

/// A password is said to the server and to nobody else: not to the log at its most talkative, not in an error, not by `check`.
#[test]
fn a38_secrets_in_logs() {
    let refusing = imap(|command| {
        let signing_in = command.starts_with("LOGIN") || command.starts_with("AUTHENTICATE");
        // Some servers repeat what they were told.
        signing_in.then(|| format!("$ NO [AUTHENTICATIONFAILED] {command} is wrong\r\n"))
    });
    let gate = Gate::new();
    on_imap(&gate, refusing, "none", "INBOX");
    let (port, _) = server(|stream, heard| {
        let mut writer = stream.try_clone().unwrap();
        let mut reader = BufReader::new(stream);
        let _ = writer.write_all(b"220 hello\r\n");
        while let Some(line) = hear(&mut reader, heard) {
            let answer = if line.starts_with("EHLO") {
                "250-lax\r\n250 AUTH PLAIN LOGIN\r\n".to_owned()
            } else {
                format!("535 5.7.8 {line} is wrong\r\n")
            };
            let _ = writer.write_all(answer.as_bytes());
        }
    });
    on_smtp(&gate, port, "none");
    gate.deliver_to("open", &authentic(CONTACT, "To: vragen@zaakwijs.example\n", "Vraag."));
    for arguments in [&["run", "--once"][..], &["check", "--connect"], &["check", "--connect", "--json"], &["status"], &["outbox", "list"]]
    {
        let mut command = gate.world.command(arguments);
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").env("POSTKAMER_NOW", NOW);
        let outcome = gate.world.finish(command, b"");
        let said = outcome.stdout + &outcome.stderr;
        assert_no_secret(&format!("{arguments:?}"), said.as_bytes());
    }
    // Nor is it kept anywhere.
    let mut waiting = vec![gate.world.state_dir()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path());
            } else {
                assert_no_secret(&entry.path().display().to_string(), &fs::read(entry.path()).unwrap());
            }
        }
    }
}

/// Whatever a mail names, nothing is fetched.
#[test]
fn a39_server_side_requests() {
    let called = Arc::new(AtomicUsize::new(0));
    let calls = called.clone();
    let (port, _) = server(move |_, _| {
        calls.fetch_add(1, Ordering::SeqCst);
    });
    let url = format!("http://127.0.0.1:{port}/x");
    let gate = Gate::new();
    let html = format!(
        "<html><head><link rel=stylesheet href=\"{url}\"><base href=\"{url}\"><meta http-equiv=refresh content=\"0;url={url}\"></head><body background=\"{url}\"><img src=\"{url}\"><iframe src=\"{url}\"></iframe><a href=\"{url}\">x</a></body></html>"
    );
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\"><image xlink:href=\"{url}\"/></svg>"
    );
    let xml = format!("<?xml version=\"1.0\"?><!DOCTYPE x SYSTEM \"{url}\"><x/>");
    let pdf = format!("%PDF-1.4\n1 0 obj <</Type/Catalog/OpenAction<</S/URI/URI({url})>>>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF");
    let fields =
        format!("MIME-Version: 1.0\nContent-Type: text/html\nList-Unsubscribe: <{url}>\nDisposition-Notification-To: <{CONTACT}>\n");
    let external = format!("MIME-Version: 1.0\nContent-Type: message/external-body; access-type=URL; URL=\"{url}\"\n");
    gate.live(&[
        authentic(CONTACT, &fields, &html),
        authentic(CONTACT, &external, "Content-Type: text/plain\n\n"),
        with_files(&[
            ("image/svg+xml", "a.svg", svg.as_bytes()),
            ("application/xml", "a.xml", xml.as_bytes()),
            ("application/pdf", "a.pdf", pdf.as_bytes()),
            ("text/html", "a.html", html.as_bytes()),
        ]),
    ]);
    assert_eq!(gate.tickets().len(), 3);
    assert_eq!(called.load(Ordering::SeqCst), 0);
}

/// Mails that bring a reader down are given up on one by one, and the others do not wait for them. (Mails that bring the whole
/// process down: the kill matrix.)
#[test]
fn a40_poison_pill() {
    let gate = Gate::new();
    let mut mails: Vec<Vec<u8>> = Vec::new();
    for n in 0..6 {
        let deep = format!("%PDF-1.7\n1 0 obj\n{}{n}\nendobj\ntrailer <</Root 1 0 R>>\n%%EOF", "[<<".repeat(200_000));
        mails.push(with_files(&[("application/pdf", "diep.pdf", deep.as_bytes())]));
        mails.push(authentic(CONTACT, "", &format!("Vraag {n}")));
    }
    mails.push((0..=255).cycle().take(300_000).collect());
    mails.push(vec![b'\n'; 100_000]);
    mails.push(b"From: ".repeat(50_000));
    let letters = gate.live(&mails);
    assert_eq!(letters.len(), 12);
    assert_eq!(gate.tickets().len(), 15);
    assert!(gate.world.run(&["queue", "list", "--json"]).ok().json().iter().all(|waiting| waiting["stuck"] != true));
}

/// A flood that nobody vouches for has a share of its own; a contact's mail behind it is taken in at once.
#[test]
fn a41_flooding() {
    let gate = Gate::new();
    let flood = std::env::var("POSTKAMER_FLOOD").map_or(2_000, |mails| mails.parse().unwrap());
    for n in 0..flood {
        gate.deliver(&raw(
            "Received: from evil by mx.zaakwijs.example\n",
            &format!("From: x{n}@evil.example\n"),
            "",
            &format!("Koop nu {n}"),
        ));
    }
    gate.deliver(&authentic(CONTACT, "", "Vraag."));
    let letters = gate.work();
    assert_eq!((letters.len(), letters[0].to()), (1, CONTACT.to_owned()));
    let tickets = gate.tickets();
    assert_eq!(tickets.iter().filter(|ticket| ticket["organisation"] == "waterwolde").count(), 1);
    assert_eq!(tickets.len(), 201, "the share of unauthenticated mail in an hour, and the contact's");
    // One sender, however authentic, has a share as well.
    for n in 0..70 {
        gate.deliver(&raw(&vouched("brookham.example"), "From: emma.clarke@brookham.example\n", "", &format!("Question {n}")));
    }
    assert_eq!(gate.work().len(), 30, "answers in an hour to one person");
    assert_eq!(gate.tickets().len(), 201 + 60);
}

/// The senders of one organisation share its part of an hour; others do not wait for them, and what waited comes in later.
#[test]
fn a41_an_organisation_has_a_share() {
    let gate = Gate::with(|config| config["limits"]["intake_per_organisation_hour"] = value(3));
    for n in 0..2 {
        gate.deliver(&authentic(CONTACT, "", &format!("Vraag {n}.")));
        gate.deliver(&authentic("i.bakker@waterwolde.example", "", &format!("Andere vraag {n}.")));
    }
    gate.deliver(&authentic("tom.reed@brookham.example", "", "Question."));
    let taken_in = |now: &str| {
        gate.world.run_at(now, &["run", "--once"]).ok();
        let tickets = gate.tickets();
        ["waterwolde", "brookham"].map(|id| tickets.iter().filter(|ticket| ticket["organisation"] == id).count())
    };
    assert_eq!(taken_in(NOW), [3, 1]);
    assert_eq!(taken_in("2026-11-21T11:14:00+01:00"), [3, 1]);
    assert_eq!(taken_in("2026-11-21T11:16:00+01:00"), [4, 1]);
}

/// A flood fills the disk at last: before that, mail stays on its server, and everybody is told. Nothing is lost.
#[test]
fn a41_room_is_left_on_the_disk() {
    let gate = Gate::new();
    let port = free_port();
    let keep = |room: &str| {
        gate.world.edit(|config| {
            config["keep_free"] = value(room);
            config["health"]["listen"] = value(format!("127.0.0.1:{port}"));
        });
    };
    keep("900000 TB");
    gate.deliver(&authentic(CONTACT, "", "Vraag."));
    let refused = gate.world.run_at(NOW, &["run", "--once"]).exits(75);
    assert!(refused.stderr.contains("the disk has less room left than `keep_free` says"), "{}", refused.stderr);
    let mail =
        gate.world.finish(gate.world.command(&["deliver", "--desk", "support"]), &authentic(CONTACT, "", "Nog een vraag.")).exits(75);
    assert!(mail.stderr.contains("keep_free"), "the mail server keeps it: {}", mail.stderr);
    assert!(gate.tickets().is_empty());

    let daemon = gate.world.daemon(None);
    let told = |page: &str, status: u16, says: &str| {
        eventually(&format!("{page} says {says}"), || {
            let (found, text) = crate::health::get(port, page)?;
            (found == status && text.contains(says)).then_some(())
        });
    };
    told("/readyz", 503, "the mailbox of support is in trouble: the disk has less room left");
    told("/metrics", 200, "postkamer_disk_short 1");
    eventually("status says it, too", || gate.world.run(&["status"]).ok().stdout.contains("less room left").then_some(()));
    keep("1 MiB");
    told("/readyz", 200, "ready");
    told("/metrics", 200, "postkamer_disk_short 0");
    eventually("the mail has its ticket", || (gate.tickets().len() == 1).then_some(()));
    assert!(daemon.is_alive());
}

/// What an admin may get wrong is refused with its place; while running, the last good settings stay (tests/check.rs), and the record
/// says under which settings a decision was made.
#[test]
fn a42_configuration_mistakes() {
    let mistakes = [
        ("domains = [\"waterwolde.example\", \"ict.waterwolde.example\"]", "domains = [\"waterwolde.example\", \"nordhavn.example\"]"),
        ("domains = [\"waterwolde.example\", \"ict.waterwolde.example\"]", "domains = [\"gmail.com\"]"),
        ("domains = [\"waterwolde.example\", \"ict.waterwolde.example\"]", "domains = [\"*.waterwolde.example\"]"),
        ("domains = [\"waterwolde.example\", \"ict.waterwolde.example\"]", "domains = [\"example\"]"),
    ];
    for (from, to) in mistakes {
        let gate = Gate::new();
        let file = gate.world.dir.join("organisations/waterwolde.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from));
        fs::write(&file, text.replacen(from, to, 1)).unwrap();
        let outcome = gate.world.run(&["check"]).exits(1);
        assert!(outcome.stdout.contains("organisations/waterwolde.toml:"), "{to}: {}", outcome.stdout);
        gate.world.run(&["run", "--once"]).exits(2);
    }
    let gate = Gate::new();
    let organisation = gate.world.dir.join("organisations/waterwolde.toml");
    let as_it_was = fs::read_to_string(&organisation).unwrap();
    let decide = |question: &str| gate.live(&[authentic(CONTACT, "", question)]);
    decide("Vraag 1.");
    decide("Vraag 2.");
    fs::write(&organisation, as_it_was.replacen("Gemeente Waterwolde", "Waterwolde", 1)).unwrap();
    decide("Vraag 3.");
    fs::write(&organisation, as_it_was).unwrap();
    decide("Vraag 4.");
    gate.world.edit(|config| config["reopen_days"] = value(7));
    decide("Vraag 5.");
    let record = gate.world.run(&["audit", "list", "--json"]).ok().json();
    let mails = record.iter().filter(|row| row["what"] == "mail");
    let configurations: Vec<&str> = mails.map(|row| row["configuration"].as_str().unwrap()).collect();
    let [first, same, of_organisation, back, of_main_file] = configurations[..] else { panic!("{record:#?}") };
    assert_eq!((first, first), (same, back), "the same settings");
    let different = BTreeSet::from([first, of_organisation, of_main_file]);
    assert_eq!(different.len(), 3, "each edit of any file: {configurations:?}");
    assert!(different.iter().all(|hash| hash.len() == 64), "{configurations:?}");
}
