//! Forgetting in time: what goes when its term is over, on both databases, and what a legal hold keeps.

use crate::support::database::sql;
use crate::support::dovecot::{Dovecot, Store};
use crate::support::eventually;
use crate::support::house::{House, Letter};
use crate::support::postgres::Postgres;
use crate::support::smtp::Smtp;
use crate::support::world::World;
use postkamer::mailbox::maildir;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use toml_edit::value;

const FILE: &str = "naam;waarde\r\ntermijn;42\r\n";

fn question() -> Letter {
    Letter::from("a.devries@waterwolde.example", "Annelies de Vries", "Zaaktype beheren")
}

/// One mail with an attachment, and one without, on 20 November; the first ticket is closed on the last day of the month.
fn november(house: &mut House) {
    house.lay("support", "2026-11-20T09:59:59+01:00", &question().with_file("instellingen.csv", FILE));
    house.receive("support", "2026-11-20T10:00:00+01:00", &Letter::from("tom.reed@brookham.example", "Tom Reed", "Server certificate"));
    assert_eq!(house.tickets("attachments"), [1, 0]);
    assert_eq!((house.originals("support"), house.blobs().len()), (2, 1));
    house.at("2026-11-30T15:00:00+01:00", "tickets close PK-00001");
}

#[test]
fn attachments_go_three_months_after_closing_and_not_a_minute_sooner() {
    for mut house in House::both("retention") {
        november(&mut house);
        house.forget("2027-02-28T14:59:00+01:00");
        assert_eq!((house.tickets("attachments"), house.blobs().len()), (vec![json!(1), json!(0)], 1));
        let due = house.at("2027-02-28T15:00:00+01:00", "retention run --dry-run --json").json();
        assert_eq!(
            due,
            [
                json!({ "kind": "attachments", "ticket": "PK-00001", "organisation": "waterwolde", "count": 1, "due": "2027-02-28T14:00:00Z" })
            ]
        );
        assert_eq!(house.tickets("attachments"), [1, 0], "a dry run removes nothing");
        let report = house.forget("2027-02-28T15:00:00+01:00");
        assert_eq!((&report["removed"], &report["files"]), (&json!({ "attachments": 1 }), &json!(1)));
        let booked = house.at("2027-02-28T15:00:00+01:00", "audit list --json").json();
        let [closed, removed] = ["closed", "retention"].map(|what| booked.iter().find(|row| row["what"] == what).unwrap());
        assert_eq!((&removed["agent"], &removed["ticket"]), (&closed["agent"], &json!(1)), "who had it removed");
        assert_eq!((house.tickets("attachments"), house.blobs().len()), (vec![json!(0), json!(0)], 0));
        assert!(!house.whole_database().contains("instellingen"), "the file's name goes with it");
        assert_eq!(house.tickets("status"), ["closed", "open"]);
        assert_eq!(house.forget("2027-02-28T15:00:00+01:00")["removed"], json!({}), "nothing is removed twice");
        house.at("2027-03-01T09:00:00+01:00", "audit verify");
    }
}

#[test]
fn an_attachment_that_another_ticket_has_too_stays_until_that_one_is_due() {
    for mut house in House::both("forgetting") {
        november(&mut house);
        house.receive("support", "2026-12-01T10:00:00+01:00", &question().with_file("kopie.csv", FILE));
        assert_eq!((house.tickets("attachments"), house.blobs().len()), (vec![json!(1), json!(0), json!(1)], 1));
        assert_eq!(house.forget("2027-03-05T09:00:00+01:00")["files"], 0);
        assert_eq!((house.tickets("attachments"), house.blobs().len()), (vec![json!(0), json!(0), json!(1)], 1));
    }
}

#[test]
fn attachments_wait_for_the_change_that_the_ticket_waits_for() {
    for mut house in House::both("forgetting") {
        november(&mut house);
        sql(&house.world, "INSERT INTO link (ticket_id, change_id) VALUES (1, 2)").unwrap();
        house.forget("2027-06-01T09:00:00+02:00");
        assert_eq!(house.tickets("attachments"), [1, 0], "the change is open");
        house.at("2027-06-30T12:00:00+02:00", "tickets close PK-00002");
        house.forget("2027-09-30T11:59:00+02:00");
        assert_eq!(house.tickets("attachments"), [1, 0]);
        house.forget("2027-09-30T12:00:00+02:00");
        assert_eq!(house.tickets("attachments"), [0, 0]);
    }
}

#[test]
fn a_ticket_that_is_opened_again_keeps_its_attachments_until_it_is_closed_anew() {
    for mut house in House::both("forgetting") {
        november(&mut house);
        house.at("2026-12-10T09:00:00+01:00", "tickets reopen PK-00001");
        house.forget("2027-03-01T09:00:00+01:00");
        house.at("2027-03-02T09:00:00+01:00", "tickets close PK-00001");
        house.forget("2027-06-02T08:59:00+02:00");
        assert_eq!(house.tickets("attachments"), [1, 0]);
        house.forget("2027-06-02T09:00:00+02:00");
        assert_eq!(house.tickets("attachments"), [0, 0]);
    }
}

#[test]
fn originals_are_expunged_thirty_days_after_filing() {
    for mut house in House::both("originals") {
        november(&mut house);
        // Somebody's own mail in that folder is nobody's business.
        fs::write(house.world.dir.join("mail/support/.Verwerkt/cur/1795166400.P1Q1.own:2,S"), "Subject: own\r\n\r\nown\r\n").unwrap();
        house.forget("2026-12-20T09:59:00+01:00");
        assert_eq!(house.originals("support"), 3);
        let due = house.at("2026-12-20T10:00:00+01:00", "retention run --dry-run --json").json();
        assert!(due.iter().all(|item| item["kind"] == "originals" && item["mailbox"] == "support"), "{due:?}");
        let report = house.forget("2026-12-20T10:00:00+01:00");
        assert_eq!((&report["originals_gone"], &report["originals_absent"]), (&json!(2), &json!(0)));
        assert_eq!(house.originals("support"), 1);
        let listed = house.at("2026-12-20T10:00:00+01:00", "audit list --json").json();
        let proven = listed.iter().filter(|row| row["what"] == "original" && row["settled"] == "gone").count();
        assert_eq!(proven, 2, "each is on record once it was looked for and is not there");
    }
}

#[test]
fn originals_never_outlive_the_attachments_of_their_ticket() {
    for mut house in House::both("forgetting") {
        house.world.edit(|config| {
            config["retention"]["attachments"] = value("1 week");
            config["retention"]["originals"] = value("10 years");
        });
        november(&mut house);
        house.forget("2026-12-07T14:59:00+01:00");
        assert_eq!(house.originals("support"), 2);
        house.forget("2026-12-07T15:00:00+01:00");
        assert_eq!((house.originals("support"), house.tickets("attachments")), (1, vec![json!(0), json!(0)]));
    }
}

/// Changes the first desk, `support`.
fn with_support(house: &House, change: impl FnOnce(&mut toml_edit::Table)) {
    house.world.edit(|config| change(config["desk"].as_array_of_tables_mut().unwrap().iter_mut().next().unwrap()));
}

/// How many mails lie in a folder of a Maildir.
fn filed_in(house: &House, folder: &str) -> usize {
    fs::read_dir(house.world.dir.join("mail/support").join(folder).join("cur")).map(Iterator::count).unwrap_or_default()
}

#[test]
fn originals_are_found_where_they_were_filed_whatever_the_settings_say_now() {
    for mut house in House::both("shelves") {
        november(&mut house);
        with_support(&house, |desk| desk["mailbox"]["done"] = value("Afgehandeld"));
        // There is no such folder yet: that is no trouble.
        house.forget("2026-12-01T09:00:00+01:00");
        house.receive("support", "2026-12-01T10:00:00+01:00", &question());
        with_support(&house, |desk| desk["mailbox"]["done"] = value("delete"));
        house.receive("support", "2026-12-02T10:00:00+01:00", &question());
        assert_eq!((filed_in(&house, ".Verwerkt"), filed_in(&house, ".Afgehandeld")), (2, 1));
        // The desk has another name, too.
        with_support(&house, |desk| desk["name"] = value("hulp"));
        let report = house.forget("2027-01-15T09:00:00+01:00");
        assert_eq!((&report["originals_gone"], &report["originals_absent"]), (&json!(3), &json!(1)), "one was deleted when it was filed");
        assert_eq!((filed_in(&house, ".Verwerkt"), filed_in(&house, ".Afgehandeld")), (0, 0));
    }
}

#[test]
fn a_folder_that_was_renamed_is_searched_under_its_new_name_and_one_that_is_not_there_holds_nothing() {
    for mut house in House::both("forgetting") {
        november(&mut house);
        let mail = house.world.dir.join("mail/support");
        fs::rename(mail.join(".Verwerkt"), mail.join(".Archief")).unwrap();
        with_support(&house, |desk| desk["mailbox"]["done"] = value("Archief"));
        assert_eq!(house.forget("2026-12-19T09:00:00+01:00")["originals_gone"], 0);
        assert_eq!(house.forget("2026-12-21T09:00:00+01:00")["originals_gone"], 2);
        assert_eq!(filed_in(&house, ".Archief"), 0);
        house.receive("support", "2026-12-21T10:00:00+01:00", &question());
        fs::remove_dir_all(mail.join(".Archief")).unwrap();
        with_support(&house, |desk| desk["mailbox"]["done"] = value("Elders"));
        assert_eq!(house.forget("2027-02-01T09:00:00+01:00")["originals_absent"], 1);
    }
}

#[test]
fn originals_that_nobody_can_look_for_stay_due_until_somebody_says_that_they_are_gone() {
    const LATER: &str = "2027-01-15T09:00:00+01:00";
    for mut house in House::both("lost") {
        november(&mut house);
        let mail = house.world.dir.join("mail");
        let before = fs::read_to_string(&house.world.config_path).unwrap();
        maildir::create(&mail.join("leeg")).unwrap();
        // Once the desk is no more, and once it has another mailbox.
        for other in [false, true] {
            house.world.edit(|config| {
                let desks = config["desk"].as_array_of_tables_mut().unwrap();
                match other {
                    false => drop(desks.remove(0)),
                    true => desks.iter_mut().next().unwrap()["mailbox"]["path"] = value(mail.join("leeg").to_str().unwrap()),
                }
            });
            for _ in 0..2 {
                let told = house.world.run_at(LATER, &["retention", "run", "--json"]).exits(75);
                assert_eq!((&told.json()[0]["originals_gone"], &told.json()[0]["originals_absent"]), (&json!(0), &json!(0)));
                assert!(told.stderr.contains("retention removed support"), "{}", told.stderr);
            }
            if !other {
                fs::write(&house.world.config_path, &before).unwrap();
            }
        }
        house.world.run_at(LATER, &["person", "erase", "tom.reed@brookham.example"]).exits(75);
        house.world.run_at(LATER, &["retention", "removed", "nordic"]).exits(2);
        fs::write(&house.world.config_path, &before).unwrap();
        house.world.run_at(LATER, &["retention", "removed", "support"]).exits(2);
        assert_eq!(house.originals("support"), 0, "what can be looked for is looked for");

        house.receive("support", LATER, &question());
        house.world.edit(|config| drop(config["desk"].as_array_of_tables_mut().unwrap().remove(0)));
        house.world.run_at("2027-03-01T09:00:00+01:00", &["retention", "run"]).exits(75);
        house.at("2027-03-01T09:00:00+01:00", "retention removed support");
        house.forget("2027-03-01T09:00:00+01:00");
        let listed = house.at("2027-03-01T09:00:00+01:00", "audit list --json").json();
        assert!(listed.iter().any(|row| row["what"] == "originals-removed-by-hand" && row["count"] == 1), "{listed:?}");
    }
}

#[test]
fn a_purge_does_not_wait_for_a_mailbox_that_is_in_trouble() {
    for mut house in House::both("purge") {
        let done = house.world.dir.join("mail/support/.Verwerkt");
        fs::write(&done, "in the way").unwrap();
        house.lay("support", "2026-11-20T10:00:00+01:00", &question().with_file("instellingen.csv", FILE));
        house.world.run_at("2026-11-20T10:00:00+01:00", &["run", "--once"]).exits(75);
        let told = house.world.run_at("2026-11-20T10:05:00+01:00", &["tickets", "purge", "PK-00001"]).exits(75);
        assert!(told.stderr.contains("not filed yet"), "{}", told.stderr);
        let left = house.whole_database();
        assert!(!left.contains("instellingen") && !left.contains("termijn van een zaaktype"), "{left}");
        assert_eq!(house.blobs().len(), 0);
        let due = house.at("2026-11-20T10:05:00+01:00", "status --json").json();
        assert_eq!(due[0]["actions_due"]["file"], 1, "the server's part is still to be done: {due:?}");
        fs::remove_file(&done).unwrap();
        house.work("2026-11-20T12:00:00+01:00");
        assert_eq!(house.originals("support"), 1);
        assert_eq!(house.forget("2026-11-20T12:01:00+01:00")["originals_gone"], 1, "at once, whatever its term");
        assert_eq!(house.originals("support"), 0);
    }
}

#[test]
fn of_a_stranger_nothing_is_left_when_the_last_ticket_goes() {
    for mut house in House::both("strangers") {
        house.world.edit(|config| config["retention"]["originals"] = value("1 day"));
        let jan = Letter::from("jan@elders.example", "Jan Smit", "Vraag over formulieren");
        house.receive("open", "2026-11-20T10:00:00+01:00", &jan);
        house.receive("open", "2026-11-20T11:00:00+01:00", &Letter::from("piet@elders.example", "Piet Bos", "Nog een vraag"));
        house.at("2026-11-30T15:00:00+01:00", "tickets close PK-00001");
        house.forget("2031-11-30T14:59:00+01:00");
        assert!(house.whole_database().contains("jan@elders"));
        house.forget("2031-11-30T15:00:00+01:00");
        let left = house.whole_database();
        assert!(!left.contains("jan@elders") && !left.contains("Jan Smit"), "{left}");
        assert!(left.contains("piet@elders"), "whose ticket is open stays");
    }
}

#[test]
fn a_notice_to_a_privacy_contact_is_kept_for_as_long_as_the_decision() {
    for mut house in House::both("forgetting") {
        let file = house.world.dir.join("organisations/waterwolde.toml");
        let organisation = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("privacy_notices = true\n{organisation}")).unwrap();
        let bad = Letter { text: "Het gaat om Jan Jansen, BSN 123456782.\r\n".to_owned(), ..question() };
        house.receive("support", "2026-11-20T10:00:00+01:00", &bad);
        assert!(house.whole_database().contains("fg@waterwolde.example"));
        assert_eq!(house.forget("2031-11-20T09:59:00+01:00")["removed"].get("letters"), None);
        assert_eq!(house.forget("2031-11-20T10:01:00+01:00")["removed"]["letters"], 1);
        assert!(!house.whole_database().contains("fg@waterwolde.example"));
    }
}

#[test]
fn originals_that_somebody_removed_are_told_as_absent_and_not_looked_for_again() {
    for mut house in House::both("forgetting") {
        november(&mut house);
        for file in fs::read_dir(house.world.dir.join("mail/support/.Verwerkt/cur")).unwrap() {
            fs::remove_file(file.unwrap().path()).unwrap();
        }
        let report = house.forget("2027-01-01T09:00:00+01:00");
        assert_eq!((&report["originals_gone"], &report["originals_absent"]), (&json!(0), &json!(2)));
        assert_eq!(house.forget("2027-01-01T09:00:00+01:00")["originals_absent"], 0);
    }
}

#[test]
fn originals_are_expunged_from_an_imap_server_and_nothing_else_is() {
    expunged_from_a_server(|world| world);
}

#[test]
fn originals_are_expunged_from_an_imap_server_and_nothing_else_is_with_postgresql() {
    expunged_from_a_server(|world| world.with_database(&Postgres::shared().database("imap")));
}

fn expunged_from_a_server(on: impl FnOnce(World) -> World) {
    let dovecot = Dovecot::start(Store::Maildir);
    let smtp = Smtp::start(&dovecot);
    let world = on(World::on(&dovecot, &smtp));
    let support = world.desk("support");
    let mail = |subject: &str| {
        format!(
            "Authentication-Results: mx.zaakwijs.example; dmarc=pass header.from=waterwolde.example\r\n\
             Received: from mx.waterwolde.example by mx.zaakwijs.example; Fri, 20 Nov 2026 10:00:00 +0100\r\n\
             From: Annelies <a.devries@waterwolde.example>\r\nTo: {support}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@waterwolde.example>\r\n\
             Date: Fri, 20 Nov 2026 10:00:00 +0100\r\n\r\nHoe stellen wij de termijn in?\r\n"
        )
    };
    let arrived = "2026-11-20T10:00:00+01:00";
    for subject in ["eerste", "tweede"] {
        dovecot.append(&support, "INBOX", mail(subject).as_bytes(), Some(arrived.parse().unwrap()));
    }
    world.run_at(arrived, &["run", "--once"]).ok();
    dovecot.append(&support, "Verwerkt", mail("derden").as_bytes(), Some(arrived.parse().unwrap()));
    assert_eq!(dovecot.count(&support, "Verwerkt"), 3);
    world.run_at("2026-12-19T10:00:00+01:00", &["retention", "run"]).ok();
    assert_eq!(dovecot.count(&support, "Verwerkt"), 3);
    let told = world.run_at("2026-12-20T10:00:01+01:00", &["retention", "run"]).ok().stdout;
    assert!(told.contains("originals expunged, and seen to be gone") && told.contains('2'), "{told}");
    let left = dovecot.folder_messages(&support, "Verwerkt");
    assert!(left.len() == 1 && String::from_utf8_lossy(&left[0]).contains("derden"), "only the mail that is not ours is left");

    // A server that is away is trouble, not proof.
    dovecot.append(&support, "INBOX", mail("vierde").as_bytes(), Some("2026-12-21T10:00:00+01:00".parse().unwrap()));
    world.run_at("2026-12-21T10:00:00+01:00", &["run", "--once"]).ok();
    dovecot.stop();
    let told = world.run_at("2027-02-01T10:00:00+01:00", &["retention", "run", "--json"]).exits(75);
    assert_eq!(told.json()[0]["originals_gone"], 0);
    assert!(told.stderr.contains("could not be expunged"), "{}", told.stderr);
    dovecot.start_again();
    assert_eq!(world.run_at("2027-02-01T10:00:00+01:00", &["retention", "run", "--json"]).ok().json()[0]["originals_gone"], 1);
    assert_eq!(dovecot.count(&support, "Verwerkt"), 1);
}

#[test]
fn a_legal_hold_keeps_a_ticket_and_an_organisation_whole_until_it_is_lifted() {
    for mut house in House::both("holds") {
        november(&mut house);
        house.world.run(&["retention", "hold"]).exits(2);
        house.world.run(&["retention", "hold", "--ticket", "PK-00099"]).exits(2);
        house.world.run(&["retention", "hold", "--organisation", "waterwold"]).exits(2);
        house.world.run_at("2026-12-01T09:00:00+01:00", &["retention", "hold", "--ticket", "PK-00001", "--reason", "onderzoek"]).ok();
        house.at("2026-12-01T09:00:00+01:00", "retention hold --organisation brookham");
        let holds = house.world.run(&["retention", "holds", "--json"]).ok().json();
        assert_eq!((&holds[0]["ticket"], &holds[0]["reason"]), (&json!("PK-00001"), &json!("onderzoek")));
        assert_eq!(holds[1]["organisation"], "brookham");
        house.at("2026-12-01T09:00:00+01:00", "tickets close PK-00002");
        let report = house.forget("2033-01-01T09:00:00+01:00");
        assert_eq!((&report["removed"], &report["originals_gone"]), (&json!({ "keys": 2 }), &json!(0)));
        assert_eq!((house.tickets("attachments"), house.originals("support"), house.blobs().len()), (vec![json!(1), json!(0)], 2, 1));
        house.at("2033-01-01T09:00:00+01:00", "retention unhold --ticket PK-00001");
        house.world.run(&["retention", "unhold", "--ticket", "PK-00001"]).exits(2);
        let report = house.forget("2033-01-01T09:00:00+01:00");
        assert_eq!((&report["removed"]["attachments"], &report["originals_gone"]), (&json!(1), &json!(1)));
        assert_eq!(house.tickets("number"), ["PK-00002"]);
        let what: Vec<String> =
            house.world.run(&["audit", "list", "--json"]).ok().json().iter().map(|row| row["what"].to_string()).collect();
        assert_eq!(what.iter().filter(|what| what.contains("hold")).count(), 3, "{what:?}");
    }
}

#[test]
fn an_organisation_whose_contract_has_ended_is_erased_with_its_file() {
    for mut house in House::both("contracts") {
        let wim = Letter::from("w.postma@oudeveen.example", "Wim Postma", "Formulieren van Oudeveen").with_file("wim.csv", FILE);
        house.lay("support", "2026-03-20T09:59:59+01:00", &wim);
        house.receive("support", "2026-03-20T10:00:00+01:00", &question());
        assert_eq!(house.tickets("organisation"), ["oudeveen", "waterwolde"]);
        house.forget("2026-03-31T23:59:59+02:00");
        assert!(house.whole_database().contains("Wim Postma"));
        let due = house.at("2026-04-01T00:00:00+02:00", "retention run --dry-run --json").json();
        assert_eq!((&due[0]["kind"], &due[0]["organisation"], &due[0]["count"]), (&json!("organisations"), &json!("oudeveen"), &json!(1)));
        assert_eq!((&due[1]["kind"], &due[1]["organisation"]), (&json!("organisation-file"), &json!("oudeveen")));
        let report = house.forget("2026-04-01T00:00:00+02:00");
        assert_eq!((&report["originals_gone"], &report["files"], &report["organisation_files"]), (&json!(1), &json!(1), &json!(1)));
        let left = house.whole_database();
        for word in ["Postma", "w.postma", "Formulieren", "wim.csv"] {
            assert!(!left.contains(word), "{word} is left: {left}");
        }
        assert!(left.contains("Annelies de Vries"), "another organisation is untouched");
        assert_eq!((house.tickets("status"), house.originals("support")), (vec![json!("closed"), json!("open")], 1));
        assert!(!house.world.dir.join("organisations/oudeveen.toml").exists());
        assert_eq!(house.forget("2026-04-02T00:00:00+02:00")["removed"], json!({}));
    }
}

#[test]
fn what_waits_in_the_queue_for_too_long_is_emptied() {
    for mut house in House::both("forgetting") {
        let stranger = |text: &str| Letter::from("jan@elders.example", "Jan Smit", text);
        house.lay("support", "2026-11-20T09:59:59+01:00", &stranger("Vraag over formulieren").with_file("jan.csv", FILE));
        house.receive("support", "2026-11-20T10:00:00+01:00", &stranger("Nog een vraag"));
        assert_eq!(house.tickets("status"), ["queued", "queued"]);
        house.work("2026-11-28T10:00:00+01:00");
        house.at("2026-12-24T12:00:00+01:00", "tickets note PK-00002 bekeken");
        house.forget("2027-02-20T09:59:00+01:00");
        assert_eq!(house.tickets("status"), ["queued", "queued"]);
        let report = house.forget("2027-02-20T10:00:00+01:00");
        assert_eq!((&report["removed"], &report["files"]), (&json!({ "queue": 1 }), &json!(1)));
        assert_eq!(
            (house.tickets("status"), house.tickets("attachments")),
            (vec![json!("closed"), json!("queued")], vec![json!(0), json!(0)])
        );
        let left = house.whole_database();
        assert!(!left.contains("formulieren") && left.contains("Nog een vraag"), "{left}");
        assert_eq!(house.forget("2027-03-24T12:00:00+01:00")["removed"], json!({ "queue": 1 }), "a note begins the term anew");
        assert!(!house.whole_database().contains("jan@elders"));
    }
}

#[test]
fn decisions_stay_five_years_and_then_nothing_ties_the_record_to_anybody() {
    for mut house in House::both("decisions") {
        november(&mut house);
        let person = "audit list --json --person a.devries@waterwolde.example";
        assert_eq!(house.forget("2031-11-30T14:59:00+01:00")["removed"].get("decisions"), None);
        assert_eq!(house.at("2031-11-30T14:59:00+01:00", person).json().len(), 1);
        let report = house.forget("2031-11-30T15:00:00+01:00");
        assert_eq!(report["removed"]["decisions"], 1);
        assert_eq!(house.tickets("number"), ["PK-00002"], "an open ticket stays");
        assert_eq!(house.at("2031-11-30T15:00:00+01:00", person).json().len(), 1, "the month of the decision is not over five years ago");
        assert_eq!(house.forget("2031-12-01T02:00:00+01:00")["removed"]["keys"], 1);
        assert_eq!(house.at("2031-12-01T02:00:00+01:00", person).json().len(), 0);
        let closed = house.at("2031-12-01T02:00:00+01:00", "audit list --json --ticket PK-00001").json();
        let agent = closed.iter().find(|row| row["what"] == "closed").unwrap()["agent"].as_str().unwrap().to_owned();
        assert!(agent.len() == 32 && agent.bytes().all(|b| b.is_ascii_hexdigit()), "an agent's name goes, too: {agent}");
        house.at("2031-12-01T02:00:00+01:00", "audit verify");
        // The number of a ticket that is gone is not given to another.
        house.receive("support", "2031-12-01T10:00:00+01:00", &question());
        assert_eq!(house.tickets("number"), ["PK-00002", "PK-00003"]);
    }
}

#[test]
fn every_term_is_a_setting_and_an_organisation_may_agree_its_own() {
    for mut house in House::both("forgetting") {
        house.world.edit(|config| config["retention"]["attachments"] = value("1 month"));
        let file = house.world.dir.join("organisations/waterwolde.toml");
        let text = fs::read_to_string(&file).unwrap().replacen("[[contact]]", "[retention]\nattachments = \"2 weeks\"\n\n[[contact]]", 1);
        fs::write(&file, text).unwrap();
        house.lay("support", "2026-11-20T09:59:59+01:00", &question().with_file("a.csv", FILE));
        let other =
            Letter::from("tom.reed@brookham.example", "Tom Reed", "Server certificate expired").with_file("b.csv", "x;y\r\n1;2\r\n");
        house.receive("support", "2026-11-20T10:00:00+01:00", &other);
        assert_eq!(house.tickets("attachments"), [1, 1]);
        house.at("2026-11-30T12:00:00+01:00", "tickets close PK-00001");
        house.at("2026-11-30T12:00:00+01:00", "tickets close PK-00002");
        house.forget("2026-12-14T12:00:00+01:00");
        assert_eq!(house.tickets("attachments"), [0, 1]);
        house.forget("2026-12-30T12:00:00+01:00");
        assert_eq!(house.tickets("attachments"), [0, 0]);

        house.world.edit(|config| config["retention"]["attachments"] = value("3 moons"));
        let wrong = house.world.run(&["retention", "run"]).exits(2).stderr;
        assert!(wrong.contains("`attachments` must be a number of days, weeks, months or years"), "{wrong}");
    }
}

#[test]
fn the_daemon_removes_what_is_due_by_its_own_clock_and_notes_the_end_of_the_record() {
    for mut house in House::both("forgetting") {
        november(&mut house);
        {
            let _early = house.world.daemon(Some("2027-03-01T03:29:00+01:00"));
            eventually("the daemon works", || house.world.daemon_log().contains("Ready.").then_some(()));
            assert!(!house.world.daemon_log().contains("what was due is removed"));
        }
        let _daemon = house.world.daemon(Some("2027-03-01T03:30:00+01:00"));
        eventually("the run", || house.world.daemon_log().contains("what was due is removed").then_some(()));
        let anchor = eventually("the anchor", || {
            let log = house.world.daemon_log();
            log.split("anchor=\"").nth(1).and_then(|rest| rest.split('"').next()).map(str::to_owned)
        });
        assert_eq!((house.tickets("attachments"), house.originals("support")), (vec![json!(0), json!(0)], 0));
        house.world.run(&["audit", "verify", "--anchor", &anchor]).ok();
    }
}

#[test]
fn in_a_mailbox_expunges_only_who_holds_it_and_a_command_takes_it_for_a_visit() {
    const NOW: &str = "2026-11-20T10:00:00+01:00";
    const DATABASE_NOW: &str = "EXTRACT(EPOCH FROM clock_timestamp()) * 1000";
    let mut house = House::on_postgres("holders");
    let desks = ["closed", "ict", "nordic", "open", "support"];
    for desk in desks {
        house.lay(desk, NOW, &question());
    }
    house.work(NOW);
    let in_state = |house: &House, state: &str| sql(&house.world, &format!("SELECT mailbox FROM mail WHERE original = '{state}'")).unwrap();
    // Another daemon has the first of them.
    sql(&house.world, &format!("UPDATE lease SET holder = 'somebody', expires_at = {DATABASE_NOW} + 3600000 WHERE mailbox = 'closed'"))
        .unwrap();
    sql(&house.world, "UPDATE mail SET original = 'due'").unwrap();
    let _daemon = house.world.daemon(Some(NOW));
    eventually("what it holds is expunged", || (in_state(&house, "gone").len() == 4).then_some(()));
    assert_eq!((in_state(&house, "due"), house.originals("closed")), (vec!["closed".to_owned()], 1), "this one is another's to expunge");
    sql(&house.world, "UPDATE lease SET expires_at = 0 WHERE mailbox = 'closed'").unwrap();
    eventually("it has taken over, and expunged", || (in_state(&house, "gone").len() == 5).then_some(()));

    let epochs = |house: &House| {
        let held = format!("SELECT mailbox || ' ' || epoch FROM lease WHERE expires_at > {DATABASE_NOW}");
        let rows = sql(&house.world, &held).unwrap();
        let epoch = |row: &String| row.split_once(' ').map(|(mailbox, epoch)| (mailbox.to_owned(), epoch.parse().unwrap()));
        (rows.len() == desks.len()).then(|| rows.iter().filter_map(epoch).collect::<BTreeMap<String, u32>>())
    };
    let before = eventually("the daemon holds all", || epochs(&house));
    // The daemon may be about to look itself; it does not look twice in a row.
    let visited = ["ict", "open"].into_iter().find(|desk| {
        let filed = house.originals(desk);
        house.lay(desk, "2026-11-20T10:05:00+01:00", &question());
        eventually("the daemon files it", || (house.originals(desk) > filed).then_some(()));
        let mark = format!("SELECT mailbox FROM mail WHERE mailbox = '{desk}' AND action_state = 'done' AND original IS NULL");
        eventually("that is booked", || (sql(&house.world, &mark).unwrap().len() == 1).then_some(()));
        sql(&house.world, &format!("UPDATE mail SET original = 'due' WHERE mailbox = '{desk}' AND original IS NULL")).unwrap();
        house.forget(NOW)["originals_gone"] == 1
    });
    let after = eventually("the daemon holds all again", || epochs(&house));
    for desk in desks {
        let times = if Some(desk) == visited { 2 } else { 0 };
        assert_eq!(after[desk] - before[desk], times, "{desk}, there and back or left alone: {before:?} {after:?}");
    }
    assert_eq!((visited.is_some(), in_state(&house, "absent")), (true, Vec::new()));
}
