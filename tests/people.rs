//! What agents do with tickets and people, by the commands that they use.

use crate::support::database::sql;
use crate::support::files::{Files, How};
use crate::support::postgres::Postgres;
use crate::support::world::World;
use mail_parser::MessageParser;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const NOW: &str = "2026-11-21T10:15:00+01:00";
const ANNELIES: &str = "a.devries@waterwolde.example";
const INEKE: &str = "i.bakker@waterwolde.example";
const JOOST: &str = "j.vandam@waterwolde.example";

/// The fixtures' world with empty mailboxes, once on SQLite and once on PostgreSQL.
fn worlds() -> [World; 2] {
    [with_mailboxes(World::new()), with_mailboxes(World::new().with_database(&Postgres::shared().database("people")))]
}

fn with_mailboxes(world: World) -> World {
    for desk in ["support", "ict", "open", "closed", "nordic"] {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(world.dir.join("mail").join(desk).join(part)).unwrap();
        }
    }
    world
}

/// A mail of a customer as the receiving server hands it on.
struct Letter<'a> {
    from: &'a str,
    name: &'a str,
    subject: &'a str,
    text: &'a str,
    answers: &'a str,
    cc: &'a str,
}

impl Default for Letter<'_> {
    fn default() -> Self {
        Self { from: ANNELIES, name: "", subject: "Vraag", text: "Goedemorgen, hoe werkt dit?", answers: "", cc: "" }
    }
}

impl Letter<'_> {
    fn raw(&self) -> Vec<u8> {
        use sha2::{Digest, Sha256};
        let Self { from, name, subject, text, answers, cc } = self;
        let id: String = Sha256::digest(format!("{from}{subject}{text}{answers}")).iter().take(8).map(|b| format!("{b:02x}")).collect();
        let domain = from.split('@').nth(1).unwrap();
        let mut raw = format!(
            "Authentication-Results: mx.zaakwijs.example; dmarc=pass header.from={domain}\r\n\
             Received: from mx.{domain} by mx.zaakwijs.example; Sat, 21 Nov 2026 10:00:00 +0100\r\n\
             From: {name} <{from}>\r\nTo: support@zaakwijs.example\r\nSubject: {subject}\r\nMessage-ID: <{id}@{domain}>\r\n\
             Date: Sat, 21 Nov 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        );
        for (field, value) in [("Cc", cc), ("In-Reply-To", answers)] {
            if !value.is_empty() {
                raw += &format!("{field}: {value}\r\n");
            }
        }
        raw += &format!("\r\n{}\r\n", text.replace('\n', "\r\n"));
        raw.into_bytes()
    }
}

/// Takes a mail in, as from a pipe.
#[track_caller]
fn deliver(world: &World, now: &str, letter: &Letter<'_>) {
    let mut command = world.command(&["deliver", "--desk", "support"]);
    command.env("POSTKAMER_NOW", now);
    world.finish(command, &letter.raw()).ok();
}

/// A letter of ours that went out.
struct Sent {
    id: String,
    raw: String,
    text: String,
}

/// Sends what waits, and returns all letters that ever went out, in order.
#[track_caller]
fn sent(world: &World, now: &str) -> Vec<Sent> {
    world.run_at(now, &["run", "--once"]).ok();
    let Ok(files) = fs::read_dir(world.dir.join("replies-sent")) else { return Vec::new() };
    let number = |path: &Path| path.file_name().unwrap().to_str().unwrap().split('.').next().unwrap().parse::<u64>().unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort_by_key(|path| number(path));
    files
        .iter()
        .map(|file| {
            let raw = fs::read_to_string(file).unwrap();
            let mail = MessageParser::default().parse(raw.as_bytes()).unwrap();
            let id = format!("<{}>", mail.message_id().unwrap());
            Sent { id, text: mail.body_text(0).unwrap().replace("\r\n", "\n"), raw }
        })
        .collect()
}

fn header(letter: &Sent, line: &str) -> bool {
    letter.raw.replace("\r\n ", " ").contains(&format!("\r\n{line}\r\n")) || letter.raw.starts_with(&format!("{line}\r\n"))
}

fn ticket(world: &World, number: &str) -> Value {
    world.run(&["tickets", "show", number, "--json"]).ok().json().remove(0)
}

fn kinds(ticket: &Value) -> Vec<&str> {
    ticket["history"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect()
}

fn on_record(world: &World) -> Vec<Value> {
    world.run(&["audit", "verify"]).ok();
    world.run(&["audit", "list", "--json"]).ok().json()
}

#[test]
fn an_agent_writes_to_the_one_who_asked_and_opens_a_change() {
    for world in worlds() {
        deliver(&world, NOW, &Letter::default());
        world.run_at(NOW, &["tickets", "reply", "PK-00001", "Dat doet u zo.\n\nMet vriendelijke groet, Sanne"]).ok();
        let reply = sent(&world, NOW).pop().unwrap();
        assert!(header(&reply, &format!("To: {ANNELIES}")) && header(&reply, "From: \"Zaakwijs Support\" <support@zaakwijs.example>"));
        assert!(reply.text.contains("Dat doet u zo.\n\nMet vriendelijke groet, Sanne") && reply.raw.contains("In-Reply-To: <"));
        assert!(!reply.raw.contains("Auto-Submitted"), "a person wrote it");
        assert_eq!(kinds(&ticket(&world, "PK-00001")), ["mail", "reply"]);
        // The answer to it comes back to the ticket.
        deliver(&world, NOW, &Letter { text: "Dank u wel.", answers: &reply.id, ..Letter::default() });
        assert_eq!(kinds(&ticket(&world, "PK-00001")), ["mail", "reply", "mail"]);
        world.run(&["tickets", "reply", "PK-00001", "  "]).exits(2);

        let new = ["tickets", "new", "--type", "change", "--desk", "support", "--organisation", "waterwolde", "--subject"];
        world.run_at(NOW, &[&new[..], &["Nieuwe kaartlaag", "Oplevering in versie 7."]].concat()).ok();
        let listed = world.run(&["tickets", "list", "--json"]).ok().json();
        assert_eq!(
            listed[1],
            json!({
                "id": 2, "number": "PK-00002", "status": "open", "type": "change", "urgent": false, "organisation": "waterwolde",
                "reasons": [], "opened_at": "2026-11-21T09:15:00Z", "closed_at": null, "entries": 0, "attachments": 0, "cc": [],
                "desk": "support",
            })
        );
        assert_eq!(listed[0]["entries"], 2);
        world.run(&["tickets", "reply", "PK-00002", "Wie leest dit?"]).exits(2);
        world.run(&["tickets", "new", "--type", "change", "--desk", "nowhere", "--subject", "x"]).exits(2);
        let what: Vec<String> = on_record(&world).iter().map(|row| row["what"].as_str().unwrap().to_owned()).collect();
        assert_eq!(what.iter().filter(|what| ["reply", "opened"].contains(&what.as_str())).count(), 2, "{what:?}");
    }
}

#[test]
fn nobody_is_written_to_who_only_claims_to_be_somebody() {
    for world in worlds() {
        let forged = String::from_utf8(Letter::default().raw()).unwrap().replace("dmarc=pass", "dmarc=fail");
        world.finish(world.command(&["deliver", "--desk", "support"]), forged.as_bytes()).ok();
        world.run(&["tickets", "reply", "PK-00001", "Hallo."]).exits(2);
        world.run(&["queue", "refuse", "PK-00001", "--reason", "Vals."]).ok();
        assert_eq!(sent(&world, NOW).len(), 0);
    }
}

#[test]
fn waiting_tickets_are_decided_singly_and_in_bulk_and_each_sender_is_told_once() {
    for world in worlds() {
        for person in ["jan", "piet", "klaas"] {
            deliver(&world, NOW, &Letter { from: &format!("{person}@elders.example"), ..Letter::default() });
        }
        deliver(&world, NOW, &Letter::default());
        let before = sent(&world, NOW).len();
        let all = ["queue", "refuse", "1", "2", "4", "--reason", "U bent geen klant van ons."];
        let refused = world.run_at(NOW, &all).exits(2);
        assert!(refused.stderr.contains("PK-00004") && sent(&world, NOW).len() == before, "all of them wait, or nothing is decided");
        world.run_at(NOW, &["queue", "refuse", "PK-00001", "2", "PK-00001", "--reason", "U bent geen klant van ons.", "--json"]).ok();
        world.run_at(NOW, &["queue", "release", "3", "--reason", "Wij helpen u graag."]).ok();
        world.run_at(NOW, &["queue", "release", "3"]).exits(2);
        let letters = sent(&world, NOW).split_off(before);
        for (letter, (person, words)) in letters.iter().zip([
            ("jan", "U bent geen klant van ons."),
            ("piet", "U bent geen klant van ons."),
            ("klaas", "Wij helpen u graag."),
        ]) {
            assert!(header(letter, &format!("To: {person}@elders.example")) && letter.text.contains(words), "{}", letter.raw);
        }
        assert_eq!(letters.len(), 3);
        let states: Vec<String> =
            world.run(&["tickets", "list", "--json"]).ok().json().iter().map(|t| t["status"].as_str().unwrap().to_owned()).collect();
        assert_eq!(states, ["closed", "closed", "open", "open"]);
        let entry = &ticket(&world, "1")["history"][1];
        assert_eq!((&entry["kind"], &entry["text"]), (&json!("refused"), &json!("U bent geen klant van ons.")));
    }
}

/// Asks for approval on the ticket that a general contact opened, and answers with these mails.
#[test]
fn a_general_contacts_plain_answer_to_a_request_for_approval_counts_and_nothing_else_does() {
    for world in worlds() {
        deliver(&world, NOW, &Letter::default());
        world.run_at(NOW, &["tickets", "ask-approval", "PK-00001", "Offerte 2026-17: 12 uur werk."]).ok();
        let request = sent(&world, NOW).pop().unwrap();
        assert!(header(&request, &format!("To: {ANNELIES}")) && header(&request, &format!("Cc: {INEKE}")), "{}", request.raw);
        assert!(request.text.contains("Offerte 2026-17: 12 uur werk."));
        for (from, text) in [
            (JOOST, "Ja, akkoord."),
            (INEKE, "Wat kost dat per uur?"),
            (INEKE, "Ja, mits het voor de kerst klaar is."),
            ("nieuw@waterwolde.example", "Ja"),
            (INEKE, "Goedemorgen,\n\nNee, dit is te duur."),
            (INEKE, "Zie onder.\n\nOp ma 23 nov 2026 om 09:00 schreef Zaakwijs Support <support@zaakwijs.example>:\n> Ja, akkoord."),
            (ANNELIES, "Ja, akkoord."),
        ] {
            deliver(&world, "2026-11-23T09:00:00+01:00", &Letter { from, text, answers: &request.id, ..Letter::default() });
        }
        let approvals = world.run(&["tickets", "approvals", "1", "--person", ANNELIES, "--json"]).ok().json();
        let told = |field: &str| approvals.iter().map(|approval| approval[field].clone()).collect::<Vec<_>>();
        assert_eq!(told("answer"), ["yes", "unclear", "unclear", "no", "unclear", "yes"]);
        assert_eq!(told("counts"), [false, false, false, true, false, true]);
        assert_eq!(told("is_that_person"), [false, false, false, false, false, true]);
        assert!(approvals[0]["request_digest"].as_str().unwrap().len() == 64);
        let shown = ticket(&world, "1");
        assert_eq!(
            kinds(&shown),
            ["mail", "approval-asked", "mail", "mail", "mail", "mail", "mail", "mail"],
            "a colleague takes no part in it"
        );
        let rows = on_record(&world);
        let approved: Vec<&Value> = rows.iter().filter(|row| row["approval"]["counts"] == json!(true)).collect();
        assert_eq!(approved.len(), 2);
        assert_eq!(approved[1]["approval"], json!({ "request": approvals[5]["request"], "answer": "yes", "counts": true }));
        assert_eq!(world.run(&["audit", "list", "--json", "--person", ANNELIES]).ok().json().last().unwrap()["seq"], approved[1]["seq"]);
    }
}

#[test]
fn an_administrators_own_words_for_yes_and_no_count() {
    let world = with_mailboxes(World::new());
    deliver(&world, NOW, &Letter::default());
    world.run_at(NOW, &["tickets", "ask-approval", "PK-00001", "Offerte 2026-17: 12 uur werk."]).ok();
    let request = sent(&world, NOW).pop().unwrap();
    let answer = |text| deliver(&world, NOW, &Letter { text, answers: &request.id, ..Letter::default() });
    answer("Dat is voor elkaar!");
    answer("Mooi niet!");
    fs::create_dir(world.dir.join("words")).unwrap();
    fs::write(world.dir.join("words/nl.toml"), "[answer]\napproves = [\"voor elkaar\"]\nno = [\"mooi niet\"]\n").unwrap();
    answer("Dat is voor elkaar.");
    answer("Mooi niet.");
    let approvals = world.run(&["tickets", "approvals", "1", "--json"]).ok().json();
    let told: Vec<&str> = approvals.iter().map(|approval| approval["answer"].as_str().unwrap()).collect();
    assert_eq!(told, ["unclear", "unclear", "yes", "no"]);
}

#[test]
fn a_request_for_approval_is_written_in_the_organisations_language() {
    for world in worlds() {
        for (number, (from, answer, words)) in [
            ("mette.soerensen@nordhavn.example", "Ja tak, godkendt.", "Kun svaret fra en generel kontaktperson"),
            ("kari.bo@fjellvik.example", "Hei!\n\nGodkjent.", "Bare svaret fra en generell kontaktperson"),
            ("juergen.weiss@heidetal.example", "Guten Tag,\n\nhiermit genehmigt.", "allgemeinen Ansprechperson"),
            ("emma.clarke@brookham.example", "Approved.", "Only the answer of a general contact person"),
        ]
        .into_iter()
        .enumerate()
        {
            let number = format!("{}", number + 1);
            deliver(&world, NOW, &Letter { from, subject: "1", text: "1", ..Letter::default() });
            world.run_at(NOW, &["tickets", "ask-approval", &number, "12"]).ok();
            let request = sent(&world, NOW).pop().unwrap();
            assert!(request.text.contains(words), "{}", request.text);
            deliver(&world, NOW, &Letter { from, text: answer, answers: &request.id, ..Letter::default() });
            let approval = world.run(&["tickets", "approvals", &number, "--json"]).ok().json().remove(0);
            assert_eq!((&approval["answer"], &approval["counts"]), (&json!("yes"), &json!(true)), "{answer}");
        }
        // Nobody at Strandköping can approve anything.
        deliver(&world, NOW, &Letter { from: "eva@strandkoping.example", ..Letter::default() });
        world.run(&["tickets", "ask-approval", "5", "12"]).exits(2);
    }
}

#[test]
fn a_case_that_needs_data_of_others_is_answered_with_the_way_through_the_portal() {
    for world in worlds() {
        for (number, (from, words)) in [
            (ANNELIES, "klantportaal"),
            ("mette.soerensen@nordhavn.example", "kundeportalen"),
            ("eva@strandkoping.example", "kundportalen"),
            ("juergen.weiss@heidetal.example", "Kundenportal"),
            ("emma.clarke@brookham.example", "customer portal"),
            ("kari.bo@fjellvik.example", "kundeportalen"),
        ]
        .into_iter()
        .enumerate()
        {
            deliver(&world, NOW, &Letter { from, subject: "1", text: "1", ..Letter::default() });
            world.run_at(NOW, &["tickets", "needs-data", &format!("{}", number + 1), "12"]).ok();
            let letter = sent(&world, NOW).pop().unwrap();
            assert!(header(&letter, &format!("To: {from}")), "{}", letter.raw);
            assert!(
                letter.text.contains(words) && letter.text.lines().any(|line| line == "https://portaal.zaakwijs.example"),
                "{}",
                letter.text
            );
        }
        assert_eq!(kinds(&ticket(&world, "1")), ["mail", "third-party-data"]);
    }
}

/// The file of an organisation.
fn file_of(world: &World, organisation: &str) -> std::path::PathBuf {
    world.dir.join("organisations").join(format!("{organisation}.toml"))
}

#[test]
fn somebody_is_put_on_the_list_only_because_a_general_contact_asks_for_it() {
    use std::os::unix::fs::PermissionsExt;
    for world in worlds() {
        let file = file_of(&world, "waterwolde");
        let before = fs::read_to_string(&file).unwrap() + "\n# Klein beginnen. ë\n";
        fs::write(&file, &before).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let ask = Letter { subject: "Nieuwe contactpersoon", text: "Wilt u Karin Smit toevoegen als contactpersoon?", ..Letter::default() };
        deliver(&world, NOW, &ask);
        deliver(
            &world,
            NOW,
            &Letter {
                from: JOOST,
                subject: "De firewall blokkeert DigiD",
                text: "Graag poort 443 openen in de firewall.",
                ..Letter::default()
            },
        );
        let asked = |world: &World| world.run(&["contacts", "requests", "--json"]).ok().json();
        assert_eq!(asked(&world).iter().map(|t| t["number"].clone()).collect::<Vec<_>>(), ["PK-00001"]);

        let add = |organisation: &str, email: &str, ticket: &str, more: &[&str]| {
            let arguments = ["contacts", "add", "--organisation", organisation, "--name", "Karin Smit", "--kind", "ict", "--email", email];
            world.run_at(NOW, &[&arguments[..], &["--ticket", ticket], more].concat())
        };
        for (organisation, email, ticket) in [
            ("waterwolde", "k.smit@waterwolde.example", "2"),
            ("waterwolde", "k.smit@waterwolde.example", "9"),
            ("nordhavn", "k.smit@nordhavn.example", "1"),
            ("waterwolde", "helpdesk@waterwolde.example", "1"),
            ("waterwolde", "k.smit@elders.example", "1"),
            ("waterwolde", INEKE, "1"),
            ("waterwolde", "lars.holm@nordhavn.example", "1"),
            ("nergens", "k.smit@waterwolde.example", "1"),
        ] {
            let refused = add(organisation, email, ticket, &[]).exits(2);
            assert!(!refused.stderr.contains('@') && !refused.stderr.contains("Karin"), "{}", refused.stderr);
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), before, "what is refused changes nothing");
        add("waterwolde", "k.smit@elders.example", "1", &["--foreign-domain", "--phone", "+31 30 555 01 12"]).ok();
        let after = fs::read_to_string(&file).unwrap();
        let added =
            "\n[[contact]]\nname = \"Karin Smit\"\nemail = \"k.smit@elders.example\"\nkind = \"ict\"\nphone = \"+31 30 555 01 12\"\n";
        assert_eq!(after.replace(added, ""), before, "comments and order are kept:\n{after}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 7, "nothing is left lying about");
        world.run(&["check"]).ok();
        assert_eq!(asked(&world), Vec::<Value>::new());
        assert_eq!(kinds(&ticket(&world, "1")), ["mail", "contact-added"]);
        let row = on_record(&world).into_iter().rfind(|row| row["what"] == "contact-added").unwrap();
        assert_eq!(
            (&row["what"], &row["ticket"], &row["organisation"], &row["basis"]),
            (&json!("contact-added"), &json!(1), &json!("waterwolde"), &json!("general-contact"))
        );
        assert!(row["person"].is_string() && row["requested_by"].is_string() && !row.to_string().contains('@'), "{row}");
        assert_eq!(world.run(&["audit", "list", "--json", "--person", "k.smit@elders.example"]).ok().json().len(), 1);
        // Whoever was let go of before is back.
        world.run_at(NOW, &["profiles", "add", "p.bos@waterwolde.example"]).ok();
        world.run_at(NOW, &["profiles", "deactivate", "p.bos@waterwolde.example"]).ok();
        add("waterwolde", "p.bos@waterwolde.example", "1", &[]).ok();
        assert_eq!(world.run(&["profiles", "show", "p.bos@waterwolde.example", "--json"]).ok().json()[0]["deactivated_on"], Value::Null);
        // The new contact is one from now on.
        deliver(
            &world,
            NOW,
            &Letter {
                from: "k.smit@elders.example",
                subject: "Certificaat verlopen",
                text: "Ons TLS-certificaat is verlopen.",
                ..Letter::default()
            },
        );
        assert_eq!(ticket(&world, "3")["reasons"], json!(["approved-ict-contact"]));
    }
}

/// What the list says, what is on record, and what waits to be settled must agree when a command that changes a list was killed anywhere.
fn killed_at_every_step(world: &World) {
    let file = file_of(world, "waterwolde");
    let before = fs::read_to_string(&file).unwrap();
    deliver(world, NOW, &Letter { subject: "Nieuwe contactpersoon", text: "Karin Smit graag.", ..Letter::default() });
    let booked = |world: &World, what: &str| -> usize {
        let rows = sql(world, &format!("SELECT CAST(COUNT(*) AS TEXT) FROM audit WHERE payload LIKE '%{what}%'")).unwrap();
        rows[0].parse().unwrap()
    };
    let add = [
        "contacts",
        "add",
        "--organisation",
        "waterwolde",
        "--name",
        "Karin Smit",
        "--email",
        "k.smit@waterwolde.example",
        "--kind",
        "ict",
        "--ticket",
        "1",
    ];
    let leave = ["contacts", "leave", JOOST, "--told-by", "organisation"];
    let orders = world.dir.join("orders");
    for (deed, arguments, mark) in [("contact-added", &add[..], "k.smit"), ("contact-left", &leave[..], "left = 2026-11-21")] {
        let mut deaths = 0;
        for nth in 1.. {
            fs::write(&file, &before).unwrap();
            let so_far = booked(world, deed);
            let mut command = world.command(arguments);
            command.env("POSTKAMER_NOW", NOW);
            let shimmed = Files::of(&mut command, file.parent().unwrap(), &orders, nth, How::DieBefore);
            if world.finish(command, b"").status.is_some() {
                // Once more, killed when all is written and before it is on record.
                fs::write(&file, &before).unwrap();
                let last = shimmed.seen();
                let mut command = world.command(arguments);
                command.env("POSTKAMER_NOW", NOW);
                Files::of(&mut command, file.parent().unwrap(), &orders, last, How::DieAfter);
                assert_eq!(booked(world, deed), so_far + 1);
                assert_eq!(world.finish(command, b"").status, None);
                world.run_at(NOW, &["run", "--once"]).ok();
                assert_eq!(booked(world, deed), so_far + 2, "the file says so, and now the record does");
                break;
            }
            deaths += 1;
            // A quarter of an hour later it is settled by what the file says, once.
            world.run_at("2026-11-21T10:30:00+01:00", &["run", "--once"]).ok();
            let written = fs::read_to_string(&file).unwrap().contains(mark);
            assert_eq!(booked(world, deed), so_far + usize::from(written), "{deed}, killed before step {nth}");
            assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 7, "nothing is left lying about after step {nth}");
            let open = sql(world, "SELECT CAST(COUNT(*) AS TEXT) FROM contact_change WHERE state = 'planned'").unwrap();
            assert_eq!(open, ["0"], "{deed}, step {nth}");
        }
        assert!(deaths > 4, "{deed}: {deaths}");
        fs::write(&file, &before).unwrap();
        on_record(world);
    }
}

#[test]
fn a_change_of_a_list_that_is_killed_is_in_the_file_and_on_record_or_in_neither() {
    killed_at_every_step(&with_mailboxes(World::new()));
}

#[test]
fn a_change_of_a_list_that_is_killed_is_in_both_or_neither_on_postgresql() {
    killed_at_every_step(&with_mailboxes(World::new().with_database(&Postgres::shared().database("plans"))));
}

#[test]
fn a_contact_leaves_by_their_own_word_a_general_contacts_or_the_organisations_but_never_the_last() {
    for world in worlds() {
        let leave = |arguments: &[&str]| world.run_at(NOW, &[&["contacts", "leave"], arguments].concat());
        deliver(
            &world,
            NOW,
            &Letter { from: JOOST, subject: "Certificaat", text: "Ik ga weg. Het certificaat is geregeld.", ..Letter::default() },
        );
        deliver(
            &world,
            NOW,
            &Letter { from: "tom.reed@brookham.example", subject: "DNS", text: "The DNS records are wrong.", ..Letter::default() },
        );
        leave(&[JOOST]).exits(2);
        leave(&[JOOST, "--ticket", "2"]).exits(2);
        leave(&["nobody@waterwolde.example", "--told-by", "own"]).exits(2);
        leave(&[JOOST, "--ticket", "1", "--on", "2026-12-01"]).ok();
        assert!(fs::read_to_string(file_of(&world, "waterwolde")).unwrap().contains("mobile = \"+31 6 555 014 40\"\nleft = 2026-12-01\n"));
        assert_eq!(on_record(&world).pop().unwrap()["basis"], "own");
        leave(&[INEKE, "--told-by", "organisation"]).ok();
        leave(&[INEKE, "--told-by", "organisation"]).exits(2);
        let last = leave(&[ANNELIES, "--told-by", "own"]).exits(2);
        assert!(last.stderr.contains("last general contact"), "{}", last.stderr);
        // Where there is no list, there is no last one either.
        leave(&["juergen.weiss@heidetal.example", "--told-by", "organisation"]).ok();
        world.run_at(NOW, &["check"]).ok();
    }
}

#[test]
fn whoever_left_and_is_back_on_the_list_is_not_erased_in_january() {
    for world in worlds() {
        let left_on = |world: &World, who: &str| world.run(&["profiles", "show", who, "--json"]).ok().json()[0]["deactivated_on"].clone();
        let back = |world: &World| {
            let file = file_of(world, "waterwolde");
            let list = fs::read_to_string(&file).unwrap().replace("left = 2026-11-21\n", "");
            fs::write(&file, list).unwrap();
        };
        for who in [INEKE, JOOST] {
            deliver(&world, NOW, &Letter { from: who, subject: "Certificaat", text: "Ons certificaat is verlopen.", ..Letter::default() });
            world.run_at(NOW, &["contacts", "leave", who, "--told-by", "organisation", "--on", "2026-11-21"]).ok();
            assert_eq!(left_on(&world, who), "2026-11-21");
        }
        // Nobody is back by a mail of somebody who has left, nor by one that nobody vouches for.
        deliver(&world, NOW, &Letter { from: INEKE, subject: "Weer een vraag", text: "Hoe werkt dit?", ..Letter::default() });
        back(&world);
        let forged = String::from_utf8(Letter { from: INEKE, subject: "Vals", text: "Hoe werkt dit?", ..Letter::default() }.raw()).unwrap();
        let forged = forged.replace("dmarc=pass", "dmarc=fail");
        let mut command = world.command(&["deliver", "--desk", "support"]);
        command.env("POSTKAMER_NOW", NOW);
        world.finish(command, forged.as_bytes()).ok();
        assert_eq!(left_on(&world, INEKE), "2026-11-21");
        deliver(&world, NOW, &Letter { from: INEKE, subject: "Terug", text: "Ik ben er weer. Hoe werkt dit?", ..Letter::default() });
        assert_eq!(left_on(&world, INEKE), Value::Null, "who writes as a listed contact is back");
        assert_eq!(left_on(&world, JOOST), "2026-11-21", "who does not write is back when it counts");
        world.run_at("2027-01-31T12:00:00+01:00", &["run", "--once"]).ok();
        assert_eq!((left_on(&world, INEKE), left_on(&world, JOOST)), (Value::Null, Value::Null));
        assert!(on_record(&world).iter().any(|row| row["what"] == "profile-reactivated"));
    }
}

#[test]
fn agents_see_their_desks_only_and_every_look_is_on_record() {
    for world in worlds() {
        let mail = String::from_utf8(Letter::default().raw()).unwrap();
        let with_file =
            mail.replace("Content-Type: text/plain; charset=utf-8\r\n", "Content-Type: multipart/mixed; boundary=b\r\n").replace(
                "\r\n\r\nGoedemorgen, hoe werkt dit?",
                "\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nZie bijlage.\r\n--b\r\nContent-Type: text/csv\r\n\
             Content-Disposition: attachment; filename=kaart.csv\r\n\r\nlaag;aantal\r\nwegen;12\r\n--b--",
            );
        world.finish(world.command(&["deliver", "--desk", "support"]), with_file.as_bytes()).ok();
        world.finish(world.command(&["deliver", "--desk", "ict"]), &Letter { subject: "DNS", ..Letter::default() }.raw()).ok();
        world.edit(|config| {
            let agents: toml_edit::DocumentMut =
                "[[agent]]\nname = \"sanne\"\ndesks = [\"support\"]\n[[agent]]\nname = \"omar\"\ndesks = [\"support\", \"ict\"]\n"
                    .parse()
                    .unwrap();
            config["agent"] = agents["agent"].clone();
        });
        let by = |agent: &str, arguments: &[&str]| {
            let mut command = world.command(arguments);
            command.env("SUDO_USER", agent);
            world.finish(command, b"")
        };
        assert_eq!(by("sanne", &["tickets", "list", "--json"]).ok().json().len(), 1);
        assert_eq!(by("omar", &["tickets", "list", "--json"]).ok().json().len(), 2);
        for refused in [
            by("sanne", &["tickets", "show", "2"]),
            by("sanne", &["tickets", "list", "--desk", "ict"]),
            by("sanne", &["tickets", "reply", "2", "Hallo"]),
            by("sanne", &["queue", "retry", "ict/7"]),
            by("eva", &["tickets", "list"]),
            by("eva", &["access", "report"]),
            by("eva", &["audit", "export"]),
            by("eva", &["outbox", "list"]),
            by("eva", &["profiles", "list"]),
            by("eva", &["retention", "run", "--dry-run"]),
            by("eva", &["retention", "holds"]),
            by("eva", &["person", "export", "jan@elders.example"]),
            world.run(&["tickets", "show", "1"]),
        ] {
            refused.exits(2);
        }
        by("eva", &["status"]).ok();
        by("sanne", &["tickets", "show", "1"]).ok();
        by("sanne", &["tickets", "show", "1", "--json"]).ok();
        assert_eq!(by("sanne", &["tickets", "attachment", "1", "1"]).ok().stdout, "laag;aantal\r\nwegen;12");
        by("sanne", &["tickets", "attachment", "1", "2"]).exits(2);
        // Lists name people, too; who asks for a list that there is not sees nothing.
        for shown in [
            &["contacts", "list"][..],
            &["contacts", "list", "--organisation", "waterwolde", "--json"],
            &["organisations", "show", "waterwolde"],
            &["organisations", "list", "--json"],
        ] {
            assert!(by("sanne", shown).ok().stdout.contains("aterwolde"), "{shown:?}");
            by("eva", shown).exits(2);
        }
        by("sanne", &["organisations", "show", "nowhere"]).exits(2);
        by("omar", &["retention", "holds"]).ok();
        by("omar", &["person", "export", ANNELIES]).exits(2);
        by("omar", &["profiles", "list"]).ok();
        let report = by("omar", &["access", "report", "--json"]).ok().json();
        let counts = |line: &Value| ["tickets", "attachments", "profiles", "contacts", "others"].map(|what| line[what].clone());
        let told: Vec<Value> = report.iter().map(|line| json!([line["agent"], line["desks"], counts(line)])).collect();
        assert_eq!(told, [json!(["omar", ["support", "ict"], [0, 0, 1, 0, 1]]), json!(["sanne", ["support"], [2, 1, 0, 4, 0]])]);
        let of_lists = by("omar", &["audit", "list", "--json"]).ok().json();
        let organisations: Vec<&Value> = of_lists.iter().filter(|row| row["seen"] == "contacts").map(|row| &row["organisation"]).collect();
        assert_eq!(organisations.len(), 4, "{of_lists:?}");
        let looks = by("omar", &["audit", "list", "--ticket", "1", "--json"]).ok().json();
        assert_eq!(looks.iter().filter(|row| row["what"] == "looked" && row["agent"] == "sanne").count(), 3);
    }
}

#[test]
fn profiles_are_made_for_who_writes_and_for_colleagues_in_cc_and_erased_in_january() {
    for world in worlds() {
        let roles = ["info", "secretariaat", "ict", "helpdesk", "post", "burgerservice", "stadsbestuur", "team-burgerzaken", "gemeente"];
        let roles: String = roles.iter().map(|role| format!("{role}@waterwolde.example, ")).collect();
        let cc = format!(
            "s.jansen@waterwolde.example, Sanne <support@zaakwijs.example>, {roles}iemand@elders.example, Meldingen <monitor@ict.waterwolde.example>"
        );
        let cc = cc.as_str();
        deliver(&world, NOW, &Letter { from: INEKE, name: "Ineke Bakker", cc, ..Letter::default() });
        deliver(
            &world,
            NOW,
            &Letter { from: JOOST, name: "Joost van Dam", subject: "DNS", text: "De DNS-records kloppen niet.", ..Letter::default() },
        );
        deliver(&world, NOW, &Letter { from: "p.mulder@waterwolde.example", ..Letter::default() });
        deliver(&world, NOW, &Letter { from: "monitor@ict.waterwolde.example", ..Letter::default() });
        let forged = String::from_utf8(Letter { from: "v.alse@waterwolde.example", ..Letter::default() }.raw()).unwrap();
        world.finish(world.command(&["deliver", "--desk", "support"]), forged.replace("dmarc=pass", "dmarc=fail").as_bytes()).ok();
        let made = |world: &World| -> Vec<Value> {
            let profiles = world.run(&["profiles", "list", "--json"]).ok().json();
            profiles.iter().map(|p| json!([p["address"], p["name"], p["organisation"], p["made_by"]])).collect()
        };
        assert_eq!(
            made(&world),
            [
                json!([INEKE, "Ineke Bakker", "waterwolde", "mail"]),
                json!([JOOST, "Joost van Dam", "waterwolde", "mail"]),
                json!(["s.jansen@waterwolde.example", "", "waterwolde", "cc"]),
            ]
        );
        // Who is in Cc takes no part: their answer to our letter begins a ticket of its own.
        let answer = sent(&world, NOW).into_iter().find(|letter| header(letter, &format!("To: {INEKE}"))).unwrap();
        deliver(
            &world,
            NOW,
            &Letter { from: "s.jansen@waterwolde.example", text: "Ook van mij.", answers: &answer.id, ..Letter::default() },
        );
        assert_eq!(kinds(&ticket(&world, "1")), ["mail"]);

        world.run_at(NOW, &["profiles", "set", JOOST, "--phone", "+31 30 555 01 13", "--mobile", ""]).ok();
        world.run_at(NOW, &["profiles", "add", "k.smit@waterwolde.example", "--name", "Karin Smit"]).ok();
        world.run_at(NOW, &["profiles", "add", "k.smit@waterwolde.example"]).exits(2);
        world.run_at(NOW, &["profiles", "show", "niemand@waterwolde.example"]).exits(2);
        let shown = world.run_at(NOW, &["profiles", "show", JOOST, "--json"]).ok().json().remove(0);
        assert_eq!(
            (&shown["phone"], &shown["mobile"], &shown["tickets"]),
            (&json!("+31 30 555 01 13"), &Value::Null, &json!(["PK-00002"]))
        );

        world.run_at(NOW, &["contacts", "leave", JOOST, "--told-by", "organisation", "--on", "2026-12-01"]).ok();
        world.run_at(NOW, &["profiles", "deactivate", "k.smit@waterwolde.example", "--on", "2027-01-01"]).ok();
        let state = |now: &str| {
            world.run_at(now, &["run", "--once"]).ok();
            let profiles = world.run(&["profiles", "list", "--json"]).ok().json();
            let of = |address: &str| profiles.iter().find(|p| p["address"] == address).map(|p| p["deactivated_on"].clone());
            (of(JOOST), of("k.smit@waterwolde.example"))
        };
        let (day, new_year) = (Some(json!("2026-12-01")), Some(json!("2027-01-01")));
        assert_eq!(state("2026-11-30T23:59:00+01:00"), (Some(Value::Null), new_year.clone()));
        assert_eq!(state("2026-12-01T00:01:00+01:00"), (day.clone(), new_year.clone()), "on the first day gone");
        assert_eq!(state("2027-01-01T23:59:00+01:00"), (day, new_year.clone()), "not before the set day");
        for _ in 0..2 {
            assert_eq!(state("2027-01-02T00:01:00+01:00"), (None, new_year.clone()), "who left this year stays until the next");
        }
        let moved = ticket(&world, "2");
        assert_eq!(
            (&moved["requester"], &moved["history"][0]["author"], &moved["organisation"]),
            (&Value::Null, &Value::Null, &json!("waterwolde"))
        );
        assert_eq!(moved["general_profile"], json!(true));
        assert_eq!(on_record(&world).iter().filter(|row| row["what"] == "profile-moved").count(), 1, "once");
        assert_eq!(state("2028-01-05T12:00:00+01:00"), (None, None));
    }
}

#[test]
fn who_left_is_not_moved_in_january_while_a_legal_hold_keeps_their_ticket_or_organisation() {
    for world in worlds() {
        deliver(&world, NOW, &Letter { from: INEKE, name: "Ineke Bakker", ..Letter::default() });
        deliver(&world, NOW, &Letter { from: "tom.reed@brookham.example", subject: "DNS records are wrong", ..Letter::default() });
        for (contact, on) in [(INEKE, ["--ticket", "1"]), ("tom.reed@brookham.example", ["--organisation", "brookham"])] {
            world.run_at(NOW, &["contacts", "leave", contact, "--told-by", "organisation"]).ok();
            world.run_at(NOW, &[&["retention", "hold"], &on[..]].concat()).ok();
        }
        let there = |now: &str| {
            world.run_at(now, &["run", "--once"]).ok();
            world.run(&["profiles", "list", "--json"]).ok().json().len()
        };
        assert_eq!(there("2027-01-05T10:00:00+01:00"), 2);
        assert_eq!(ticket(&world, "1")["requester"], json!(INEKE));
        world.run_at(NOW, &["retention", "unhold", "--ticket", "1"]).ok();
        assert_eq!(there("2027-01-06T10:00:00+01:00"), 1);
        assert_eq!(ticket(&world, "1")["requester"], Value::Null);
        world.run_at(NOW, &["retention", "unhold", "--organisation", "brookham"]).ok();
        assert_eq!(there("2027-01-07T10:00:00+01:00"), 0);
    }
}

#[test]
fn access_to_the_portal_is_on_request_on_record_and_ends_with_what_it_rests_on() {
    for world in worlds() {
        let ask = "Wilt u Joost van Dam toegang geven tot het klantportaal?";
        deliver(&world, NOW, &Letter { subject: "Portaal", text: ask, ..Letter::default() });
        deliver(
            &world,
            NOW,
            &Letter { from: "tom.reed@brookham.example", subject: "DNS", text: "The DNS records are wrong.", ..Letter::default() },
        );
        deliver(
            &world,
            NOW,
            &Letter { from: "eva@strandkoping.example", text: "Kan ni ge Eva åtkomst till kundportalen?", ..Letter::default() },
        );
        let asking = |world: &World| -> Vec<Value> {
            world.run(&["portal", "requests", "--json"]).ok().json().iter().map(|ticket| ticket["number"].clone()).collect()
        };
        assert_eq!(asking(&world), ["PK-00001", "PK-00003"]);
        let invite =
            |now: &str, number: &str, email: &str| world.run_at(now, &["portal", "invite", number, "--email", email, "--name", "=Joost"]);
        for (number, email) in [
            ("1", "s.jansen@waterwolde.example"),
            ("1", "p.mulder@waterwolde.example"),
            ("2", "emma.clarke@brookham.example"),
            ("2", JOOST),
            ("3", "eva@elders.example"),
            ("9", JOOST),
        ] {
            invite(NOW, number, email).exits(2);
        }
        invite(NOW, "1", JOOST).ok();
        invite(NOW, "1", JOOST).exits(2);
        invite("2026-11-22T10:00:00+01:00", "3", "eva@strandkoping.example").ok();
        assert_eq!(asking(&world), Vec::<Value>::new());
        assert_eq!(kinds(&ticket(&world, "1")), ["mail", "portal-invited"]);
        let row = on_record(&world).into_iter().find(|row| row["what"] == "portal-invited").unwrap();
        assert!(row["person"].is_string() && row["requested_by"].is_string() && row["ticket"] == 1, "{row}");

        let roster = |now: &str, more: &[&str]| world.run_at(now, &[&["portal", "roster"], more].concat()).ok();
        let csv = roster("2026-11-23T10:00:00+01:00", &["--csv"]).stdout;
        assert!(
            csv.starts_with("organisation,email,name,entitled,since,until,why,ticket\nwaterwolde,j.vandam@waterwolde.example,'=Joost,yes,"),
            "{csv}"
        );
        world.run_at(NOW, &["contacts", "leave", JOOST, "--told-by", "own", "--on", "2026-12-01"]).ok();
        assert_eq!(roster("2026-11-30T10:00:00+01:00", &["--json"]).json()[0]["entitled"], true);
        let gone = roster("2026-12-01T10:00:00+01:00", &["--json", "--organisation", "waterwolde"]).json();
        assert_eq!((gone.len(), &gone[0]["entitled"], &gone[0]["why"]), (1, &json!(false), &json!("left")));
        world.run_at("2026-12-02T10:00:00+01:00", &["portal", "withdraw", "eva@strandkoping.example"]).ok();
        world.run_at("2026-12-02T10:00:00+01:00", &["portal", "withdraw", "eva@strandkoping.example"]).exits(2);
        let feed = |since: &str| -> Vec<Value> {
            let changes = roster("2026-12-03T10:00:00+01:00", &["--json", "--since", since]).json();
            changes.iter().map(|change| json!([change["change"], change["organisation"], change["why"]])).collect()
        };
        let ends = [json!(["no-longer-entitled", "waterwolde", "left"]), json!(["no-longer-entitled", "strandkoping", "withdrawn"])];
        assert_eq!(feed("2026-11-23"), ends);
        assert_eq!(feed("2026-11-01").len(), 4);
        assert_eq!(feed("2026-12-03"), Vec::<Value>::new());
    }
}

/// Somebody under Ineke Bakker's name writes from elsewhere; Ineke is asked.
const IMPOSTOR: Letter<'_> = Letter {
    from: "i.bakker@elders.example",
    name: "Ineke Bakker",
    subject: "Vraag",
    text: "Kunt u mijn wachtwoord sturen?",
    answers: "",
    cc: "",
};

#[test]
fn a_contact_who_does_not_answer_is_asked_once_more_and_then_the_desk_is_told() {
    for world in worlds() {
        world.edit(|config| {
            let desk = config["desk"].as_array_of_tables_mut().unwrap().iter_mut().next().unwrap();
            desk["notify"] = toml_edit::value("teamleider@zaakwijs.example");
        });
        deliver(&world, NOW, &IMPOSTOR);
        let first = sent(&world, NOW);
        assert_eq!(first.len(), 2);
        assert_eq!(sent(&world, "2026-11-24T10:15:00+01:00").len(), 2, "not before three days are over");
        let again = sent(&world, "2026-11-24T10:15:01+01:00");
        let reminder = again.last().unwrap();
        assert!(
            again.len() == 3 && header(reminder, &format!("To: {INEKE}")) && reminder.text.contains("2026-11-28 10:15"),
            "{}",
            reminder.raw
        );
        assert!(!again.iter().any(|letter| header(letter, "To: i.bakker@elders.example") && letter.text.contains("Bakker")));
        // Nothing expires unseen: a day before the question lapses the desk is told until when an answer counts.
        assert_eq!(sent(&world, "2026-11-27T10:14:59+01:00").len(), 3, "the contact is asked again once");
        let warned = sent(&world, "2026-11-27T10:15:00+01:00").pop().unwrap();
        assert!(header(&warned, "To: teamleider@zaakwijs.example") && warned.text.contains("2026-11-28 10:15"), "{}", warned.raw);
        assert_eq!(sent(&world, "2026-11-28T10:15:00+01:00").len(), 4, "once, and nothing has expired yet");
        let all = sent(&world, "2026-11-28T10:15:01+01:00");
        let told: Vec<&Sent> = all.iter().filter(|letter| header(letter, "To: teamleider@zaakwijs.example")).collect();
        // The ticket has waited for a week, and nobody has confirmed it. It is removed three months after its mail, if nobody decides.
        assert_eq!((all.len(), told.len()), (6, 3));
        assert_eq!(told.iter().filter(|letter| letter.text.contains("2027-02-21")).count(), 1);
        for letter in &told {
            assert!(
                letter.text.contains("PK-00001") && !letter.raw.contains("bakker") && letter.raw.contains("Auto-Submitted: auto-generated")
            );
        }
        assert_eq!(sent(&world, "2026-11-29T10:00:00+01:00").len(), 6, "once");
        let shown = ticket(&world, "1");
        let notes = vec!["mail", "identity-expires", "queue-reminder", "identity-expired"];
        assert_eq!((kinds(&shown), &shown["status"]), (notes, &json!("queued")));
        // It is among what is held of her.
        let held = world.run_at("2026-11-29T10:00:00+01:00", &["person", "export", INEKE]).ok().stdout;
        assert!(held.contains("asked whether the mail on PK-00001 was theirs: expired"), "{held}");
        // An answer that comes too late confirms nothing.
        deliver(
            &world,
            "2026-11-29T10:00:00+01:00",
            &Letter { from: INEKE, text: "Ja, dat was ik.", answers: &reminder.id, ..Letter::default() },
        );
        let shown = ticket(&world, "1");
        assert_eq!((&shown["status"], &shown["reasons"]), (&json!("queued"), &json!(["identity-unverified", "follow-up"])));
    }
}

#[test]
fn an_answer_counts_to_the_very_moment_at_which_it_expires_also_to_the_reminder() {
    for (moment, status) in [("2026-11-28T10:15:00+01:00", "open"), ("2026-11-28T10:15:01+01:00", "queued")] {
        for world in worlds() {
            deliver(&world, NOW, &IMPOSTOR);
            let reminder = sent(&world, "2026-11-25T10:00:00+01:00").pop().unwrap();
            deliver(&world, moment, &Letter { from: INEKE, text: "Ja, dat was ik.", answers: &reminder.id, ..Letter::default() });
            assert_eq!(ticket(&world, "1")["status"], status, "at {moment}");
        }
    }
}

#[test]
fn a_refused_sender_is_told_nothing_and_the_desk_is_warned() {
    for world in worlds() {
        world.edit(|config| {
            let desk = config["desk"].as_array_of_tables_mut().unwrap().iter_mut().next().unwrap();
            desk["notify"] = toml_edit::value("teamleider@zaakwijs.example");
        });
        deliver(&world, NOW, &IMPOSTOR);
        let question = sent(&world, NOW).into_iter().find(|letter| header(letter, &format!("To: {INEKE}"))).unwrap();
        deliver(&world, NOW, &Letter { from: INEKE, text: "Nee, dat was ik niet.", answers: &question.id, ..Letter::default() });
        let letters = sent(&world, NOW);
        assert_eq!(letters.len(), 3);
        assert!(header(&letters[2], "To: teamleider@zaakwijs.example") && letters[2].text.contains("PK-00001"), "{}", letters[2].raw);
        let shown = ticket(&world, "1");
        assert_eq!((kinds(&shown), &shown["status"]), (vec!["mail", "mail", "identity-refused"], &json!("closed")));
        assert_eq!(sent(&world, "2026-12-24T10:00:00+01:00").len(), 3, "nobody is asked or told again");
    }
}

/// Every file below a directory.
fn files_below(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().map(Result::unwrap) {
        if entry.path().is_dir() { files.extend(files_below(&entry.path())) } else { files.push(entry.path()) }
    }
    files
}

fn holding(world: &World, words: &str) -> usize {
    let holds = |file: &std::path::PathBuf| fs::read(file).unwrap().windows(words.len()).any(|window| window == words.as_bytes());
    files_below(&world.dir.join("mail")).iter().chain(&files_below(&world.state_dir())).filter(|file| holds(file)).count()
}

/// A mail with two files, as it lies in the mailbox of the desk.
fn with_files(world: &World, subject: &str, marks: [&str; 3]) {
    let [text, one, two] = marks;
    let raw = String::from_utf8(Letter { subject, ..Letter::default() }.raw()).unwrap();
    let raw = raw.replace("Content-Type: text/plain; charset=utf-8\r\n", "Content-Type: multipart/mixed; boundary=b\r\n").replace(
        "\r\n\r\nGoedemorgen, hoe werkt dit?",
        &format!(
            "\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n--b\r\nContent-Type: text/csv\r\n\
             Content-Disposition: attachment; filename=een.csv\r\n\r\nlaag;aantal\r\n{one};12\r\n--b\r\nContent-Type: text/csv\r\n\
             Content-Disposition: attachment; filename=twee.csv\r\n\r\nlaag;aantal\r\n{two};13\r\n--b--"
        ),
    );
    fs::write(world.dir.join("mail/support/new").join(format!("{}.mail", subject.len())), raw).unwrap();
}

#[test]
fn citizen_data_that_is_found_later_goes_here_and_on_the_server_at_once() {
    for world in worlds() {
        with_files(&world, "a", ["eerste brief", "kaartlaag-een", "kaartlaag-twee"]);
        with_files(&world, "bb", ["tweede brief", "kaartlaag-drie", "kaartlaag-vier"]);
        let before = sent(&world, NOW).len();
        let (first, second) = if ticket(&world, "1")["history"][0]["subject"] == "a" { ("1", "2") } else { ("2", "1") };
        world.run_at(NOW, &["tickets", "purge", first, "--attachment", "3"]).exits(2);
        world.run_at(NOW, &["tickets", "purge", first, "--entry", "2"]).exits(2);
        assert_eq!(holding(&world, "kaartlaag-twee"), 2, "the file, and the original in the folder of filed mail");
        world.run_at(NOW, &["retention", "hold", "--ticket", first, "--reason", "rechtszaak"]).ok();
        let held = world.run_at(NOW, &["tickets", "purge", first, "--attachment", "2"]).exits(2);
        assert!(held.stderr.contains("legal hold") && held.stderr.contains("retention unhold"), "{}", held.stderr);
        assert_eq!(holding(&world, "kaartlaag-twee"), 2);
        world.run_at(NOW, &["retention", "unhold", "--ticket", first]).ok();
        world.run_at(NOW, &["tickets", "purge", first, "--attachment", "2", "--redirect"]).ok();
        assert_eq!(holding(&world, "kaartlaag-twee"), 0);
        assert_eq!(holding(&world, "kaartlaag-een"), 1, "what is no citizen data stays here; the original is gone as a whole");
        let shown = ticket(&world, first);
        assert_eq!((kinds(&shown), &shown["attachments"], &shown["status"]), (vec!["mail", "purged"], &json!(1), &json!("open")));
        assert_eq!(shown["history"][0]["withheld"], json!([{ "index": 1, "format": "csv", "why": "citizen-data" }]));
        let letters = sent(&world, NOW);
        let letter = letters.last().unwrap();
        assert!(letters.len() == before + 1 && header(letter, &format!("To: {ANNELIES}")), "{}", letter.raw);
        assert!(letter.text.lines().any(|line| line == "https://portaal.zaakwijs.example") && letter.text.contains("bijlage 2 (CSV)"));

        world.run_at(NOW, &["tickets", "purge", second, "--entry", "1"]).ok();
        assert_eq!((holding(&world, "tweede brief"), holding(&world, "kaartlaag-drie")), (0, 0));
        let shown = ticket(&world, second);
        assert_eq!(
            (&shown["history"][0]["text"], &shown["history"][0]["purged"], &shown["entries"]),
            (&json!(""), &json!(true), &json!(1))
        );
        world.run_at(NOW, &["tickets", "purge", first]).ok();
        assert_eq!((holding(&world, "eerste brief"), holding(&world, "kaartlaag-een")), (0, 0));
        assert_eq!((&ticket(&world, first)["status"], &ticket(&world, first)["attachments"]), (&json!("closed"), &json!(0)));
        let rows = on_record(&world);
        let purged: Vec<&Value> = rows.iter().filter(|row| row["what"] == "purged").collect();
        assert_eq!((purged.len(), &purged[0]["attachment"], &purged[1]["entry"]), (3, &json!(2), &json!(1)));
        assert_eq!(rows.iter().filter(|row| row["what"] == "original" && row["settled"] == "gone").count(), 2);
        assert_eq!(sent(&world, NOW).len(), before + 1, "nobody is told who was not to be told");
        world.run_at(NOW, &["tickets", "purge", second, "--redirect"]).ok();
        let letter = sent(&world, NOW).pop().unwrap();
        assert!(letter.text.contains(&format!("Ticket PK-0000{second} is gesloten.")), "{}", letter.raw);
    }
}

#[test]
fn a_file_that_is_there_already_is_not_overwritten_by_an_attachment() {
    for world in worlds() {
        with_files(&world, "a", ["eerste brief", "kaartlaag-een", "kaartlaag-twee"]);
        sent(&world, NOW);
        let file = world.dir.join("kaart.csv");
        let hand_out = || world.run_at(NOW, &["tickets", "attachment", "1", "1", "--out", file.to_str().unwrap()]);
        hand_out().ok();
        let kept = fs::read(&file).unwrap();
        let refused = hand_out().exits(1);
        assert!(refused.stderr.contains("kaart.csv") && refused.stderr.contains("name a new file"), "{}", refused.stderr);
        assert_eq!(fs::read(&file).unwrap(), kept);
    }
}

#[test]
fn an_incident_is_linked_to_the_change_that_it_waits_for() {
    for world in worlds() {
        deliver(&world, NOW, &Letter::default());
        deliver(&world, NOW, &Letter { subject: "Nog een", ..Letter::default() });
        world.run_at(NOW, &["tickets", "new", "--type", "change", "--desk", "support", "--subject", "Versie 7"]).ok();
        for _ in 0..2 {
            world.run_at(NOW, &["tickets", "link", "1", "3"]).ok();
        }
        world.run_at(NOW, &["tickets", "link", "1", "2"]).exits(2);
        world.run_at(NOW, &["tickets", "link", "3", "1"]).exits(2);
        world.run_at(NOW, &["tickets", "link", "1", "9"]).exits(2);
        assert_eq!((&ticket(&world, "1")["links"], &ticket(&world, "3")["links"]), (&json!(["PK-00003"]), &json!(["PK-00001"])));
        let row = on_record(&world).into_iter().find(|row| row["what"] == "linked").unwrap();
        assert_eq!((&row["ticket"], &row["other"]), (&json!(1), &json!(3)));
    }
}

#[test]
fn nothing_in_the_queue_expires_before_the_desk_was_reminded_of_it() {
    for world in worlds() {
        deliver(&world, NOW, &Letter { from: "jan@elders.example", ..Letter::default() });
        let emptied = |now: &str| {
            world.run_at(now, &["retention", "run"]).ok();
            ticket(&world, "1")["status"] == "closed"
        };
        // Nothing ran for months; the reminder comes first, and then there is time to decide.
        assert!(!emptied("2027-02-22T09:00:00+01:00"), "nobody was reminded of it");
        world.run_at("2027-02-22T10:00:00+01:00", &["run", "--once"]).ok();
        assert_eq!(kinds(&ticket(&world, "1")), ["mail", "queue-reminder"]);
        assert!(!emptied("2027-02-25T09:59:00+01:00"));
        assert!(emptied("2027-02-25T10:00:00+01:00"), "the reminder itself prolongs nothing");
    }
}

#[test]
fn the_privacy_contact_of_an_organisation_is_told_that_data_was_refused_and_nothing_else() {
    const PRIVACY: &str = "To: fg@waterwolde.example";
    for world in worlds() {
        let file = world.dir.join("organisations/waterwolde.toml");
        let settings = fs::read_to_string(&file).unwrap();
        let refused = |now: &str, subject: &str| {
            deliver(&world, now, &Letter { subject, text: "Het burgerservicenummer is 123456782.", ..Letter::default() });
        };
        let told = |now: &str| sent(&world, now).into_iter().filter(|letter| header(letter, PRIVACY)).collect::<Vec<_>>();
        refused(NOW, "een");
        assert!(told(NOW).is_empty(), "only organisations that want it");

        fs::write(&file, settings.replacen("privacy_contact", "privacy_notices = true\nprivacy_contact", 1)).unwrap();
        let letters = told("2026-11-21T10:20:00+01:00");
        let letter = &letters[0];
        assert_eq!(letters.len(), 1);
        assert!(letter.text.contains("artikel 33 AVG") && letter.text.contains("Gemeente Waterwolde"), "{}", letter.raw);
        for content in ["123456782", "een\n", ANNELIES, "Vraag", "xlsx"] {
            assert!(!letter.text.contains(content), "{content}");
        }
        assert!(letter.raw.contains("Auto-Submitted: auto-generated") && !letter.raw.contains("In-Reply-To"));

        // More on the same day is told the next day; what is no citizen data, or only claims to come from there, never.
        refused("2026-11-21T11:00:00+01:00", "twee");
        assert_eq!(told("2026-11-22T10:00:00+01:00").len(), 1);
        assert_eq!(told("2026-11-22T10:20:01+01:00").len(), 2);
        let forged = String::from_utf8(Letter { subject: "drie", text: "Het BSN is 123456782.", ..Letter::default() }.raw()).unwrap();
        let mut command = world.command(&["deliver", "--desk", "support"]);
        command.env("POSTKAMER_NOW", "2026-11-22T12:00:00+01:00");
        world.finish(command, forged.replace("dmarc=pass", "dmarc=fail").as_bytes()).ok();
        deliver(&world, "2026-11-22T12:00:00+01:00", &Letter { subject: "vier", ..Letter::default() });
        assert_eq!(told("2026-11-24T10:00:00+01:00").len(), 2);
        let rows = on_record(&world);
        let notices: Vec<&Value> = rows.iter().filter(|row| row["what"] == "privacy-notice").collect();
        assert_eq!((notices.len(), &notices[0]["organisation"]), (2, &json!("waterwolde")));
    }
}
