//! The tests' own servers do what the other tests rely on.

use crate::support::dovecot::{Dovecot, Store};
use crate::support::imap::Security;
use crate::support::postgres::Postgres;
use crate::support::server::{Scratch, Server};
use crate::support::smtp::{Dmarc, PASSWORD, Smtp, USERNAME};
use crate::support::world::World;
use crate::support::{eventually, free_port};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{SmtpTransport, Transport};
use std::path::Path;

const MAIL: &[u8] =
    b"From: Ineke Bakker <i.bakker@waterwolde.example>\r\nTo: support@zaakwijs.example\r\nSubject: vraag\r\n\r\nGoedemorgen.\r\n";

#[test]
fn a_mail_appended_to_dovecot_is_read_back_over_plain_starttls_and_tls() {
    let dovecot = Dovecot::start(Store::Maildir);
    dovecot.add_user("support@zaakwijs.example", "geheim");
    let arrived = "2026-11-21T10:15:00+01:00".parse().unwrap();
    dovecot.append("support@zaakwijs.example", "INBOX", MAIL, Some(arrived));
    for security in [Security::Plain, Security::StartTls, Security::Implicit] {
        let mut imap = dovecot.sign_in("support@zaakwijs.example", "geheim", security);
        let mails = imap.messages("INBOX");
        assert_eq!(mails, [(1, MAIL.to_vec())], "{security:?}");
        imap.command("EXAMINE INBOX");
        let date = imap.command("UID FETCH 1 (INTERNALDATE)");
        assert!(date[0].line.contains("21-Nov-2026 09:15:00 +0000"), "{}", date[0].line);
    }
    // Looking from the server's side leaves no trace.
    let flags = dovecot.with("support@zaakwijs.example", |imap| {
        imap.command("EXAMINE INBOX");
        imap.command("UID FETCH 1 (FLAGS)")
    });
    assert!(!flags[0].line.contains("Seen"), "{}", flags[0].line);
}

#[test]
fn every_store_of_dovecot_keeps_mail_and_folders() {
    for store in [Store::Maildir, Store::Mdbox, Store::Sdbox] {
        let dovecot = Dovecot::start(store);
        assert_eq!(dovecot.count("a@zaakwijs.example", "Verwerkt"), 0, "{store:?}");
        dovecot.with("a@zaakwijs.example", |imap| imap.command("CREATE Verwerkt"));
        dovecot.append("a@zaakwijs.example", "Verwerkt", MAIL, None);
        assert_eq!(dovecot.folder_messages("a@zaakwijs.example", "Verwerkt"), [MAIL], "{store:?}");
        assert!(files_under(&dovecot.files()).iter().any(|file| holds(file, b"Goedemorgen")), "{store:?}");
    }
}

#[test]
fn only_the_right_password_signs_in() {
    let dovecot = Dovecot::start(Store::Maildir);
    dovecot.add_user("a@zaakwijs.example", "geheim");
    let mut imap = crate::support::imap::Imap::connect(dovecot.imap_port(), Security::Plain, dovecot.ca_file());
    let (_, answer) = imap.try_command("LOGIN \"a@zaakwijs.example\" \"anders\"");
    assert!(answer.starts_with("NO"), "{answer}");
    let (_, answer) = imap.try_command("LOGIN \"a@zaakwijs.example\" \"geheim\"");
    assert!(answer.starts_with("OK"), "{answer}");
}

#[test]
fn a_dovecot_that_was_stopped_comes_back_on_its_ports_with_its_mail() {
    let dovecot = Dovecot::start(Store::Maildir);
    dovecot.append("a@zaakwijs.example", "INBOX", MAIL, None);
    dovecot.stop();
    assert!(!dovecot.answers());
    dovecot.start_again();
    assert_eq!(dovecot.folder_messages("a@zaakwijs.example", "INBOX"), [MAIL]);
}

#[test]
fn a_renewed_uid_validity_keeps_the_mails() {
    let dovecot = Dovecot::start(Store::Maildir);
    let user = "a@zaakwijs.example";
    dovecot.append(user, "INBOX", MAIL, None);
    let before = dovecot.with(user, |imap| imap.status("INBOX", "UIDVALIDITY"));
    dovecot.renew_uid_validity(user, "INBOX");
    assert_ne!(dovecot.with(user, |imap| imap.status("INBOX", "UIDVALIDITY")), before);
    assert_eq!(dovecot.folder_messages(user, "INBOX"), [MAIL]);
}

#[test]
fn a_customers_mail_arrives_with_the_servers_verdict_on_top() {
    let dovecot = Dovecot::start(Store::Mdbox);
    let smtp = Smtp::start(&dovecot);
    for (dmarc, result) in [(Dmarc::Pass, "dmarc=pass"), (Dmarc::Fail, "dmarc=fail")] {
        let user = &format!("{result}@zaakwijs.example").replace('=', "-");
        smtp.send_with(dmarc, MAIL, "i.bakker@waterwolde.example", &[user]);
        let mails = dovecot.wait_for(user, "INBOX", 1);
        let mail = String::from_utf8_lossy(&mails[0]);
        let verdict = format!("Authentication-Results: mx.zaakwijs.example; {result} header.from=waterwolde.example\r\n");
        let (top, below) = mail.split_once(&verdict).unwrap_or_else(|| panic!("{mail}"));
        assert!(!top.contains("Received:"), "{mail}");
        assert!(below.starts_with("Received: from mail.customer.example"), "{mail}");
        assert!(mail.starts_with("Return-Path: <i.bakker@waterwolde.example>\r\n"), "{mail}");
        assert!(mail.ends_with("\r\n\r\nGoedemorgen.\r\n"), "{mail}");
    }
    smtp.send_with(Dmarc::None, MAIL, "", &["silent@zaakwijs.example"]);
    let mails = dovecot.wait_for("silent@zaakwijs.example", "INBOX", 1);
    assert!(!String::from_utf8_lossy(&mails[0]).contains("Authentication-Results"));
}

#[test]
fn a_reply_submitted_over_each_port_reaches_the_customers_mailbox() {
    let dovecot = Dovecot::start(Store::Maildir);
    let smtp = Smtp::start(&dovecot);
    let ca = Certificate::from_pem(&std::fs::read(smtp.ca_file()).unwrap()).unwrap();
    let tls = TlsParameters::builder("127.0.0.1".to_owned()).add_root_certificate(ca).build().unwrap();
    for (number, security) in [Security::Implicit, Security::StartTls, Security::Plain].into_iter().enumerate() {
        let tls = match security {
            Security::Plain => Tls::None,
            Security::StartTls => Tls::Required(tls.clone()),
            Security::Implicit => Tls::Wrapper(tls.clone()),
        };
        let transport = SmtpTransport::builder_dangerous("127.0.0.1").port(smtp.port(security)).tls(tls);
        let to = ["i.bakker@waterwolde.example", "refused@waterwolde.example", "later@waterwolde.example"];
        let envelope = |to: &str| lettre::address::Envelope::new(None, vec![to.parse().unwrap()]).unwrap();
        if security != Security::Plain {
            let refused = transport.clone().build().send_raw(&envelope(to[0]), MAIL).unwrap_err();
            assert!(refused.is_permanent(), "without signing in: {refused}");
        }
        let transport = transport.credentials(Credentials::new(USERNAME.to_owned(), PASSWORD.to_owned())).build();
        transport.send_raw(&envelope(to[0]), MAIL).unwrap();
        assert!(transport.send_raw(&envelope(to[1]), MAIL).unwrap_err().is_permanent());
        assert!(transport.send_raw(&envelope(to[2]), MAIL).unwrap_err().is_transient());
        let mails = dovecot.wait_for(to[0], "INBOX", number + 1);
        assert!(mails[number].starts_with(b"Return-Path: <>"), "{}", String::from_utf8_lossy(&mails[number]));
    }
}

#[test]
fn postgresql_gives_each_test_a_database_of_its_own() {
    let postgres = Postgres::shared();
    let (one, two) = (postgres.database("servers"), postgres.database("servers"));
    assert_ne!(one, two);
    let name = one.rsplit('/').next().unwrap();
    assert_eq!(postgres.sql(name, "CREATE TABLE t (n int); INSERT INTO t VALUES (7); SELECT n FROM t"), "7");
    assert_eq!(postgres.sql(name, "SHOW fsync"), "on");
}

#[test]
fn a_server_ends_with_its_handle_and_leaves_nothing_behind() {
    let scratch = Scratch::new("guardian");
    let server = Server::start(&scratch, &["sh", "-c", "trap '' TERM; sleep 1000 & sleep 1000"], "KILL");
    let group = server.pid();
    assert!(server.is_alive());
    eventually("the server has started its child", || (members(group) >= 2).then_some(()));
    drop(server);
    assert_eq!(members(group), 0);
    assert!(scratch.path().exists());
}

#[test]
fn the_world_of_the_fixtures_stands_on_these_servers() {
    let dovecot = Dovecot::start(Store::Maildir);
    let smtp = Smtp::start(&dovecot);
    let world = World::on(&dovecot, &smtp).with_database("sqlite://elsewhere.db");
    let config = std::fs::read_to_string(&world.config_path).unwrap();
    let config: toml::Table = config.parse().unwrap();
    for desk in config["desk"].as_array().unwrap() {
        let mailbox = &desk["mailbox"];
        let password = std::fs::read_to_string(mailbox["password_file"].as_str().unwrap()).unwrap();
        let user = mailbox["username"].as_str().unwrap();
        dovecot.sign_in(user, password.trim_end(), Security::Implicit);
        assert_eq!(mailbox["port"].as_integer(), Some(i64::from(dovecot.imaps_port())));
    }
    assert_eq!(config["smtp"]["port"].as_integer(), Some(i64::from(smtp.port(Security::Implicit))));
    assert_eq!(config["database"]["url"].as_str(), Some("sqlite://elsewhere.db"));
    assert_eq!(world.desk("support"), "support@zaakwijs.example");
    if let Err(mistakes) = postkamer::settings::check(&world.config_path) {
        panic!("{}", mistakes.sentence());
    }
}

#[test]
fn free_ports_differ() {
    assert_ne!(free_port(), free_port());
}

/// How many live processes belong to a process group.
fn members(group: i32) -> usize {
    let stats = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let stat = std::fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
        // After the name in brackets: state, parent, group.
        let fields: Vec<String> = stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect();
        (fields[0] != "Z" && fields[2] == group.to_string()).then_some(())
    });
    stats.count()
}

fn files_under(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            files.extend(files_under(&entry.path()));
        } else {
            files.push(entry.path());
        }
    }
    files
}

fn holds(file: &Path, text: &[u8]) -> bool {
    std::fs::read(file).is_ok_and(|bytes| bytes.windows(text.len()).any(|window| window == text))
}
