//! The record of decisions: what it tells, what it never tells, and that nobody can change it unseen.

use crate::support::database::sql;
use crate::support::postgres::Postgres;
use crate::support::world::{World, table};
use serde_json::{Value, json};
use std::fs;

const CONTACT: &str = "a.devries@waterwolde.example";
const NOW: &str = "2026-11-21T10:15:00+01:00";

/// A mail that was authenticated, by its number.
fn mail(from: &str, number: u32) -> Vec<u8> {
    let domain = from.split('@').nth(1).unwrap();
    format!(
        "Authentication-Results: mx.zaakwijs.example; dmarc=pass header.from={domain}\r\n\
         Received: from mx.{domain} by mx.zaakwijs.example; Sat, 21 Nov 2026 10:00:00 +0100\r\n\
         From: Annelies de Vries <{from}>\r\nTo: support@zaakwijs.example\r\nSubject: Zaaktype beheren\r\n\
         Message-ID: <{number}.kenmerk@{domain}>\r\nDate: Sat, 21 Nov 2026 10:00:00 +0100\r\n\r\n\
         Goedemorgen,\r\n\r\nHoe stellen wij de termijn van een zaaktype in? Vraag {number}.\r\n\r\nGroet, Annelies\r\n"
    )
    .into_bytes()
}

/// Three tickets, of which the first was closed and opened again.
fn busy(world: World) -> World {
    for number in 1..=3 {
        let file = world.dir.join(format!("{number}.eml"));
        fs::write(&file, mail(if number == 3 { "tom.reed@brookham.example" } else { CONTACT }, number)).unwrap();
        world.run_at(NOW, &["deliver", "--desk", "support", file.to_str().unwrap()]).ok();
    }
    world.run_at(NOW, &["tickets", "close", "PK-00001"]).ok();
    world.run_at("2026-12-01T09:00:00+01:00", &["tickets", "reopen", "PK-00001"]).ok();
    world
}

fn worlds() -> [World; 2] {
    [World::new(), World::new().with_database(&Postgres::shared().database("record"))]
}

#[test]
fn an_export_that_could_not_be_written_does_not_look_whole() {
    let world = busy(World::new());
    let into = |path: &str| format!("{} --config {} audit export >{path}", env!("CARGO_BIN_EXE_postkamer"), world.config_path.display());
    let ended = |command: &str| std::process::Command::new("sh").args(["-c", command]).output().unwrap();
    let full = ended(&into("/dev/full"));
    assert_eq!(full.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&full.stderr).contains("The output is not whole"), "{full:?}");
    assert_eq!(ended(&into("/dev/null")).status.code(), Some(0));
}

/// Where root works in the service's directory, the service could not open what is left behind.
#[test]
fn a_directory_belongs_to_one_user() {
    const NOBODY: u32 = 65534;
    let world = busy(World::new());
    // Only root can be wrong about this: anybody else is refused by the system.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    std::os::unix::fs::chown(world.state_dir(), Some(NOBODY), None).unwrap();
    let refused = world.run(&["tickets", "note", "PK-00001", "gezien"]).exits(2);
    assert!(refused.stderr.contains("belongs to another user (number 65534)"), "{refused:?}");
}

/// The first rule of THREATS §2 that forbids an answer.
#[test]
fn what_forbids_an_answer_is_on_record() {
    let with = |field: &'static str| move |mail: String| mail.replacen("From:", &format!("{field}\r\nFrom:"), 1);
    let from = |address: &str| {
        let domain = address.split('@').nth(1).unwrap().to_owned();
        let address = address.to_owned();
        move |mail: String| mail.replace(CONTACT, &address).replace("waterwolde.example", &domain)
    };
    type Change = Box<dyn Fn(String) -> String>;
    let rules: [(&str, Change); 13] = [
        ("no-sender", Box::new(|mail| mail.replace(&format!("From: Annelies de Vries <{CONTACT}>"), "From: Annelies"))),
        ("empty-return-path", Box::new(with("Return-Path: <>"))),
        ("report", Box::new(with("X-Failed-Recipients: jan@waterwolde.example"))),
        ("auto-submitted", Box::new(with("Auto-Submitted: auto-notified"))),
        // Two rules forbid it: the first one counts.
        ("auto-submitted", Box::new(with("Precedence: bulk\r\nAuto-Submitted: auto-generated"))),
        ("bulk-header", Box::new(with("Precedence: Bulk"))),
        ("suppress-header", Box::new(with("X-Auto-Response-Suppress: OOF"))),
        ("service-address", Box::new(from("noreply@waterwolde.example"))),
        ("own-loop", Box::new(with("X-Postkamer-Loop: 1; somebody"))),
        ("not-addressed", Box::new(|mail| mail.replace("To: support@zaakwijs.example", "To: undisclosed-recipients:;"))),
        ("not-authentic", Box::new(|mail| mail.replace("dmarc=pass", "dmarc=fail"))),
        ("limit", Box::new(|mail| mail)),
        ("-", Box::new(from("tom.reed@brookham.example"))),
    ];
    for world in worlds() {
        world.edit(|config| config["limits"]["replies_per_recipient_hour"] = toml_edit::value(1));
        let mut number = 1;
        let mut deliver = |change: &dyn Fn(String) -> String| {
            let file = world.dir.join("mail.eml");
            fs::write(&file, change(String::from_utf8(mail(CONTACT, number)).unwrap())).unwrap();
            number += 1;
            world.run_at(NOW, &["deliver", "--desk", "support", file.to_str().unwrap()]).ok();
            let rows = world.run(&["audit", "list", "--json"]).ok();
            let last: Value = serde_json::from_str(rows.stdout.trim().lines().last().unwrap()).unwrap();
            last["silence"].as_str().unwrap_or("-").to_owned()
        };
        assert_eq!(deliver(&|mail| mail), "-", "the first one is answered");
        for (rule, change) in &rules {
            assert_eq!(deliver(change), *rule);
        }
    }
}

fn make_mailboxes(world: &World) {
    for desk in ["support", "ict", "open", "closed", "nordic"] {
        for directory in ["cur", "new", "tmp"] {
            fs::create_dir_all(world.dir.join("mail").join(desk).join(directory)).unwrap();
        }
    }
}

/// A flood of mail is no flood of alarms.
#[test]
fn a_limit_on_replies_is_told_once() {
    let world = World::new();
    world.edit(|config| config["limits"]["replies_per_recipient_hour"] = toml_edit::value(1));
    make_mailboxes(&world);
    for number in 1..=4 {
        fs::write(world.dir.join(format!("mail/support/new/176371290{number}.{number}.mx")), mail(CONTACT, number)).unwrap();
    }
    let run = world.run_at(NOW, &["run", "--once"]).ok();
    assert_eq!(run.stderr.matches("the limit on replies is reached").count(), 1, "{}", run.stderr);
    let list = world.run(&["audit", "list"]).ok();
    assert_eq!(list.stdout.matches("limit").count(), 3, "the record has each: {}", list.stdout);
}

/// The small alarm, of one person, hides no larger one, of their organisation.
#[test]
fn each_limit_on_replies_has_its_alarm() {
    let world = World::new();
    world.edit(|config| {
        config["limits"]["replies_per_recipient_hour"] = toml_edit::value(1);
        config["limits"]["replies_per_organisation_hour"] = toml_edit::value(2);
    });
    make_mailboxes(&world);
    for number in 1..=6 {
        let from = if number <= 3 { CONTACT } else { "i.bakker@waterwolde.example" };
        fs::write(world.dir.join(format!("mail/support/new/176371290{number}.{number}.mx")), mail(from, number)).unwrap();
    }
    let run = world.run_at(NOW, &["run", "--once"]).ok();
    assert_eq!(run.stderr.matches("the limit on replies is reached").count(), 2, "{}", run.stderr);
}

/// The fourth letter of a day that would ask a contact about somebody of their name is not sent; whoever wrote is answered all the same.
#[test]
fn who_is_answered_is_not_on_record_as_unanswered() {
    let world = World::new();
    make_mailboxes(&world);
    for number in 1..=4 {
        let stranger = mail(&format!("annelies@elders{number}.example"), number);
        let of_their_name = String::from_utf8(stranger).unwrap().replace("From: Annelies de Vries", "From: A. de Vries");
        fs::write(world.dir.join(format!("mail/support/new/176371290{number}.{number}.mx")), of_their_name).unwrap();
    }
    let run = world.run_at(NOW, &["run", "--once"]).ok();
    assert_eq!(run.stderr.matches("the limit on replies is reached").count(), 1, "{}", run.stderr);
    let rows = world.run(&["audit", "list", "--json"]).ok().json();
    let mails: Vec<&Value> = rows.iter().filter(|row| row["what"] == "mail").collect();
    assert_eq!(mails.len(), 4);
    assert!(mails.iter().all(|row| row["silence"].is_null() && !row["replies"].as_array().unwrap().is_empty()), "{mails:#?}");
}

/// THREATS §1 row 38: mail that is quietly led elsewhere.
#[test]
fn another_server_in_the_settings_is_on_record() {
    for world in worlds() {
        make_mailboxes(&world);
        let noted = || -> Vec<Value> {
            let rows = world.run(&["audit", "list", "--json"]).ok();
            let rows = rows.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            rows.filter(|row| row["what"] == "endpoints").collect()
        };
        let told = || world.run_at(NOW, &["run", "--once"]).ok().stderr.contains("another place than before");
        assert!(!told(), "the first one changes nothing");
        world.edit(|config| config["reopen_days"] = toml_edit::value(20));
        assert!(!told());
        assert_eq!(noted().len(), 1);
        // In another order, or with one desk fewer, no mail goes astray.
        world.edit(|config| {
            let desks = config["desk"].as_array_of_tables_mut().unwrap();
            let (last, first) = (desks.get(desks.len() - 1).unwrap().clone(), desks.get(0).unwrap().clone());
            desks.remove(desks.len() - 1);
            desks.remove(0);
            desks.push(last);
            desks.push(first);
        });
        assert!(!told());
        assert_eq!(noted().len(), 1);
        world.edit(|config| config["smtp"]["path"] = toml_edit::value("elsewhere"));
        assert!(told());
        let rows = noted();
        assert_eq!(rows.len(), 2);
        let places: Vec<&str> = rows.last().unwrap()["endpoints"].as_array().unwrap().iter().map(|place| place.as_str().unwrap()).collect();
        assert!(places.iter().any(|place| place.starts_with("replies: directory, ")), "{places:?}");
        assert!(places.iter().any(|place| place.starts_with("support: maildir, ")), "{places:?}");
        let exported = world.run(&["audit", "export"]).ok().stdout;
        assert!(!exported.contains("elsewhere") && !exported.contains(world.dir.to_str().unwrap()), "a path may name somebody: {exported}");
        // A desk that is gone is on record, and nothing to be warned of.
        world.edit(|config| {
            let desks = config["desk"].as_array_of_tables_mut().unwrap();
            desks.remove(0);
        });
        assert!(!told());
        assert_eq!(noted().len(), 3);
    }
}

/// On a server of many the host stays the same: another user, folder or token endpoint leads mail astray as well. None of them is named.
#[test]
fn another_user_on_the_same_server_is_on_record() {
    let world = World::new();
    let start = || {
        let refused = world.run_at(NOW, &["run", "--once"]).exits(75);
        refused.stderr.contains("another place than before")
    };
    let with = |key: &str, said: &str| {
        world.edit(|config| {
            for desk in config["desk"].as_array_of_tables_mut().unwrap().iter_mut() {
                desk["mailbox"] =
                    table("kind = 'imap'\nhost = '127.0.0.1'\nport = 1\ntls = 'none'\npassword_env = 'PATH'\nfolder = 'INBOX'");
                let name = desk["name"].as_str().unwrap().to_owned();
                desk["mailbox"]["username"] = toml_edit::value(format!("jan.jansen-{name}"));
                if name == "support" {
                    desk["mailbox"][key] = toml_edit::value(said);
                }
            }
        });
    };
    with("username", "piet.pietersen");
    assert!(!start());
    with("username", "karin.smit");
    assert!(start());
    assert!(!start());
    with("folder", "Karin");
    assert!(start());
    let exported = world.run(&["audit", "export"]).ok().stdout;
    assert!(exported.contains("support: imap 127.0.0.1:1 plain, "), "{exported}");
    for name in ["jansen", "pietersen", "smit", "Karin"] {
        assert!(!exported.contains(name), "{name} is on record: {exported}");
    }
}

#[test]
fn a_clock_that_stands_still_is_told_and_must_be_a_moment() {
    let world = World::new();
    assert!(world.run_at(NOW, &["tickets", "list"]).ok().stderr.contains("the clock stands still"));
    let refused = world.run_at("next week", &["tickets", "list"]).exits(2);
    assert!(refused.stderr.contains("POSTKAMER_NOW is no moment such as"), "{refused:?}");
}

#[test]
fn the_record_tells_what_was_decided_and_names_nobody_who_wrote() {
    for world in worlds().map(busy) {
        let listed = world.run(&["audit", "list", "--json"]).ok().json();
        let what: Vec<&str> = listed.iter().map(|row| row["what"].as_str().unwrap()).collect();
        assert_eq!(what, ["mail", "mail", "mail", "closed", "reopened"]);
        assert_eq!(listed[0]["reasons"], json!(["approved-contact"]));
        assert_eq!(listed[3]["at"], json!("2026-11-21T09:15:00Z"));
        let agent = listed[3]["agent"].as_str().unwrap();
        assert_eq!(listed[4]["agent"], json!(agent), "an agent is named, whatever the month");
        assert!(world.run(&["audit", "list"]).ok().stdout.contains(agent));

        let exported = world.run(&["audit", "export"]).ok().stdout;
        for word in ["@", "de Vries", "Annelies", "kenmerk", "zaaktype", agent] {
            assert!(!exported.to_lowercase().contains(&word.to_lowercase()), "{word} is on record: {exported}");
        }
        let rows = |args: &[&str]| -> Vec<Value> {
            let all = [&["audit", "list", "--json"], args].concat();
            world.run(&all).ok().json().iter().map(|row| row["seq"].clone()).collect()
        };
        assert_eq!(rows(&["--person", CONTACT]), [1, 2]);
        assert_eq!(rows(&["--person", "i.bakker@waterwolde.example"]), Vec::<Value>::new());
        assert_eq!(rows(&["--message-id", "<2.kenmerk@waterwolde.example>"]), [2]);
        assert_eq!(rows(&["--ticket", "PK-00001"]), [1, 4, 5]);
        assert_eq!(rows(&["--since", "2026-12-01"]), [5]);
        world.run(&["audit", "list", "--since", "yesterday"]).exits(2);
    }
}

#[test]
fn the_exported_record_can_be_checked_by_its_own_rule() {
    use sha2::{Digest, Sha256};
    for world in worlds().map(busy) {
        let mut before = "0".repeat(64);
        for row in world.run(&["audit", "export"]).ok().json() {
            assert_eq!(row["prev_hash"], json!(before));
            let text = format!("{before}\n{}\n{}\n{}", row["seq"], row["at"], row["payload"].as_str().unwrap());
            before = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(row["hash"], json!(before));
        }
        let verified = world.run(&["audit", "verify", "--json"]).ok().json();
        assert_eq!(verified, [json!({ "whole": true, "rows": 5, "head": before })]);
    }
}

#[test]
fn the_database_refuses_to_change_or_remove_what_is_on_record() {
    for world in worlds().map(busy) {
        for statement in ["UPDATE audit SET at = 0 WHERE seq = 2", "DELETE FROM audit WHERE seq = 2", "DELETE FROM audit"] {
            assert!(sql(&world, statement).is_err(), "{statement}");
        }
        world.run(&["audit", "verify"]).ok();
    }
}

#[test]
fn whatever_is_done_to_the_record_behind_the_database_is_found() {
    let swap = "UPDATE audit SET seq = -2 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = -2";
    let damages = [
        ("UPDATE audit SET payload = '{}' WHERE seq = 3", 3, "changed"),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", 1, "changed"),
        ("DELETE FROM audit WHERE seq = 2", 2, "missing"),
        ("DELETE FROM audit WHERE seq = 1", 1, "missing"),
        (swap, 2, "changed"),
        ("DELETE FROM audit WHERE seq = 5", 5, "cut-off"),
        ("DELETE FROM audit", 1, "cut-off"),
    ];
    for world in worlds().map(busy) {
        let whole = world.run(&["audit", "verify", "--json"]).ok().json();
        let anchor = format!("5:{}", whole[0]["head"].as_str().unwrap());
        world.run(&["audit", "verify", "--anchor", &anchor]).ok();
        world.run(&["audit", "verify", "--anchor", &format!("5:{}", "0".repeat(64))]).exits(1);
        world.run(&["audit", "verify", "--anchor", "5"]).exits(2);
        let postgres = fs::read_to_string(&world.config_path).unwrap().contains("postgres://");
        let unguard = if postgres {
            "DROP TRIGGER audit_no_change ON audit; ALTER TABLE audit DROP CONSTRAINT audit_seq_check"
        } else {
            "DROP TRIGGER audit_no_UPDATE; DROP TRIGGER audit_no_DELETE; PRAGMA ignore_check_constraints = ON"
        };
        sql(&world, unguard).unwrap();
        sql(&world, "CREATE TABLE kept AS SELECT * FROM audit").unwrap();
        for (damage, row, name) in damages {
            let harm = if postgres { damage.to_owned() } else { format!("PRAGMA ignore_check_constraints = ON; {damage}") };
            sql(&world, &harm).unwrap();
            let found = world.run(&["audit", "verify", "--json"]).exits(1).json();
            assert_eq!(found, [json!({ "whole": false, "row": row, "damage": name })], "{damage}");
            sql(&world, "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept").unwrap();
        }
        world.run(&["audit", "verify"]).ok();
        // Cut off together with the note of where the end was: only a row noted elsewhere tells.
        sql(&world, "DELETE FROM audit WHERE seq = 5; UPDATE audit_head SET seq = 4, hash = (SELECT hash FROM audit WHERE seq = 4)")
            .unwrap();
        world.run(&["audit", "verify"]).ok();
        world.run(&["audit", "verify", "--anchor", &anchor]).exits(1);
    }
}

#[test]
fn the_record_of_processing_activities_is_made_from_the_settings_in_force() {
    let world = World::new();
    world.edit(|config| config["retention"]["attachments"] = toml_edit::value("6 weeks"));
    let ropa = world.run_at(NOW, &["ropa", "--json"]).ok().json().remove(0);
    assert_eq!(ropa["made_at"], json!("2026-11-21T09:15:00Z"));
    let controllers = ropa["controllers"].as_array().unwrap();
    assert_eq!(controllers.len(), 7);
    let waterwolde = controllers.iter().find(|controller| controller["id"] == "waterwolde").unwrap();
    assert_eq!(waterwolde["name"], "Gemeente Waterwolde");
    assert!(waterwolde["kept"]["attachments"].as_str().unwrap().starts_with("6 weeks"), "{waterwolde}");
    assert_eq!(ropa["processor"][0]["address"], "support@zaakwijs.example");
    let said = world.run_at(NOW, &["ropa"]).ok().stdout;
    for part in [
        "article 30(2)",
        "Zaakwijs Support",
        "Gemeente Waterwolde",
        "(b) Categories of processing",
        "(d) Technical and organisational security measures (article 32(1))",
        "6 weeks",
        "name: not in the settings",
        "data protection officer: none",
        "fg@waterwolde.example",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // In any language; who processes and what leaves the EEA is told where the settings do.
    world.edit(|config| {
        for (key, text) in [("name", "Zaakwijs B.V."), ("data_protection_officer", "Fenna Post"), ("transfers", "geen")] {
            config["processor"][key] = toml_edit::value(text);
        }
    });
    // Of each controller, too: where it sits and who watches over its data, or that its file does not say so.
    let file = world.dir.join("organisations/waterwolde.toml");
    let organisation = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("address = \"Raadhuisplein 1\"\ndata_protection_officer = \"Femke Post\"\n{organisation}")).unwrap();
    let english = world.run_at(NOW, &["ropa"]).ok().stdout;
    let waterwolde = english.split("- controller: ").find(|part| part.starts_with("Gemeente Waterwolde")).unwrap();
    for said in
        ["address: Raadhuisplein 1", "privacy contact: fg@waterwolde.example", "data protection officer: Femke Post", "in the Union: none"]
    {
        assert!(waterwolde.contains(said), "{said}: {waterwolde}");
    }
    assert_eq!(english.matches("    data protection officer: not in its file").count(), 6, "{english}");
    for (language, words) in [
        (
            "nl",
            [
                "artikel 30, lid 2",
                "naam: Zaakwijs B.V.",
                "6 weken na het sluiten",
                "gegevensbescherming: Fenna Post",
                "passende waarborgen daarbij: geen",
            ],
        ),
        (
            "da",
            [
                "artikel 30, stk. 2",
                "navn: Zaakwijs B.V.",
                "6 uger efter",
                "databeskyttelsesrådgiver: Fenna Post",
                "fornødne garantier: geen",
            ],
        ),
        ("nb", ["artikkel 30 nr. 2", "navn: Zaakwijs B.V.", "6 uker etter", "personvernombud: Fenna Post", "nødvendige garantiene: geen"]),
        ("sv", ["artikel 30.2", "namn: Zaakwijs B.V.", "6 veckor efter", "dataskyddsombud: Fenna Post", "lämpliga skyddsåtgärderna: geen"]),
        ("en", ["article 30(2)", "name: Zaakwijs B.V.", "6 weeks after", "data protection officer: Fenna Post", "safeguards: geen"]),
        (
            "de",
            [
                "Artikel 30 Absatz 2",
                "Name: Zaakwijs B.V.",
                "6 Wochen nach",
                "Datenschutzbeauftragte Person: Fenna Post",
                "geeigneten Garantien: geen",
            ],
        ),
    ] {
        let said = world.run_at(NOW, &["ropa", "--language", language]).ok().stdout;
        words.iter().for_each(|words| assert!(said.contains(words), "{language}, {words}: {said}"));
        assert!(!said.contains(['{', '}']), "{said}");
        assert_eq!(said == english, language == "en");
    }
    world.run(&["ropa", "--language", "fr"]).exits(2);
    assert!(!said.contains("a.devries"), "a controller's contacts are counted, not named");
    // What is configured is what is said, and no secret with it.
    world.edit(|config| config["database"]["url"] = toml_edit::value("postgres://desk:geheim@db.zaakwijs.example/postkamer"));
    let said = world.run(&["ropa"]).ok().stdout;
    assert!(said.contains("db.zaakwijs.example") && !said.contains("geheim"), "{said}");
    assert!(!world.state_dir().exists(), "it reads the settings only");
}
