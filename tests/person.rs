//! A person's rights: all that is held is shown, all of it goes, and an objection is kept to; on both databases.

use crate::support::database::sql;
use crate::support::eventually;
use crate::support::house::{House, Letter};
use sea_orm::{ConnectionTrait, Database, TransactionTrait};
use serde_json::json;
use std::fs;
use std::process::Stdio;

const ANNELIES: &str = "a.devries@waterwolde.example";
const NOON: &str = "2026-11-20T12:00:00+01:00";

/// A conversation: Annelies asks and sends a file, her colleague Ineke answers above her words, an agent makes a note, and
/// somebody elsewhere names her.
fn conversation(house: &mut House) {
    let mut question =
        Letter::from(ANNELIES, "Annelies de Vries", "Vraag van Annelies de Vries").with_file("vries.csv", "naam;waarde\r\ntermijn;42\r\n");
    question.text =
        "Goedemorgen,\r\n\r\nDe kaart laadt niet.\r\n\r\nMet vriendelijke groet,\r\nAnnelies de Vries\r\nSenior adviseur belastingen\r\n\
                     tel. 030 - 123 45 67\r\n"
            .to_owned();
    house.receive("support", "2026-11-20T10:00:00+01:00", &question);
    let mut answer = Letter::from("i.bakker@waterwolde.example", "Ineke Bakker", "Re: Vraag van Annelies de Vries");
    answer.answers = Some(format!("<{}>", sql(&house.world, "SELECT message_id FROM outbox WHERE id = 1").unwrap()[0]));
    answer.text = format!(
        "Annelies is er vandaag niet; het zit in de kaartlaag zelf.\r\n\r\nGroet, Ineke\r\n\r\nOp vr 20 nov 2026 om 10:00 schreef Annelies de Vries <{ANNELIES}>:\r\n\
         > Goedemorgen,\r\n>\r\n> De kaart laadt niet.\r\n>\r\n> Met vriendelijke groet,\r\n> Annelies de\r\n> Vries\r\n> Senior adviseur belastingen\r\n> tel. 030 - 123 45 67\r\n"
    );
    house.receive("support", "2026-11-20T11:00:00+01:00", &answer);
    assert_eq!(house.tickets("entries"), [2]);
    house.world.run_at(NOON, &["tickets", "note", "PK-00001", "Mevrouw De Vries gesproken op 030-1234567."]).ok();
    let mut elsewhere = Letter::from("tom.reed@brookham.example", "Tom Reed", "Server certificate expired");
    elsewhere.text = "Annelies de Vries told us to renew it. Annelies from our own team agrees.\r\n".to_owned();
    house.receive("support", "2026-11-20T11:30:00+01:00", &elsewhere);
}

#[test]
fn everything_that_is_held_of_a_person_is_shown() {
    for mut house in House::both("export") {
        conversation(&mut house);
        let files = house.world.dir.join("files");
        let export = format!("person export {ANNELIES} --json --attachments {}", files.display());
        let held = house.at(NOON, &export).json().remove(0);
        assert_eq!(held["contacts"][0]["organisation"], "waterwolde");
        assert_eq!(held["tickets"][0]["roles"], json!(["mentioned", "participant", "requester"]));
        assert_eq!(held["tickets"].as_array().unwrap().len(), 1);
        let entry = &held["tickets"][0]["entries"][0];
        assert!(entry["text"].as_str().unwrap().contains("De kaart laadt niet"), "{entry}");
        assert_eq!(entry["attachments"][0][0], "vries.csv");
        assert_eq!((&held["mails"][0]["verdict"], &held["mails"][0]["original_kept"]), (&json!("open"), &json!(true)));
        assert_eq!((&held["letters"][0]["template"], &held["letters"][0]["state"]), (&json!("received"), &json!("sent")));
        assert!(held["letters"][0]["message"].as_str().unwrap().contains("X-Postkamer-Loop"), "{held}");
        let copied: Vec<_> = fs::read_dir(&files).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect();
        assert_eq!(copied, ["naam;waarde\r\ntermijn;42\r\n"]);
        let read = house.at(NOON, &format!("person export {ANNELIES}")).stdout;
        assert!(read.lines().any(|line| line.starts_with("on the list of contacts: A. de Vries (waterwolde)")), "{read}");
        assert!(read.contains("PK-00001") && read.contains("De kaart laadt niet") && read.contains("vries.csv"), "{read}");
        let (_, letters) = read.split_once("letter of").unwrap();
        assert!(letters.contains(" received\n   ") && letters.contains("Met vriendelijke groet"), "{read}");
        let booked = house.at(NOON, &format!("audit list --json --person {ANNELIES}")).json();
        assert_eq!(booked.iter().filter(|row| row["what"] == "person-exported").count(), 2);
        let nobody = house.at(NOON, "person export nobody@elders.example --json").json().remove(0);
        assert_eq!((&nobody["tickets"], &nobody["mails"]), (&json!([]), &json!([])));
    }
}

#[test]
fn an_erased_person_is_gone_and_the_tickets_stay() {
    for mut house in House::both("erase") {
        conversation(&mut house);
        assert_eq!((house.originals("support"), house.blobs().len()), (3, 1));
        let told = house.at(NOON, &format!("person erase {ANNELIES} --json"));
        let erased = told.json().remove(0);
        assert_eq!((&erased["erased"]["tickets"], &erased["still_listed"]), (&json!(["PK-00001", "PK-00002"]), &json!(["waterwolde"])));
        assert!(told.stderr.contains("still on the list of waterwolde") && !told.stderr.contains('@'), "{}", told.stderr);
        let left = house.whole_database();
        for word in
            ["devries", "De Vries", "de\n> Vries", "123 45 67", "1234567", "Senior adviseur", "vries.csv", "Annelies de", "Annelies is er"]
        {
            assert!(!left.to_lowercase().contains(&word.to_lowercase()), "{word} is left:\n{left}");
        }
        for word in [
            "De kaart laadt niet",
            "vandaag niet; het zit in de kaartlaag zelf",
            "Ineke Bakker",
            "gesproken op",
            "told us to renew",
            "Annelies from our own",
        ] {
            assert!(left.contains(word), "{word} is gone:\n{left}");
        }
        assert_eq!(house.tickets("number"), ["PK-00001", "PK-00002"]);
        assert_eq!(house.tickets("attachments"), [0, 0]);
        // Her own mail, and those in which others wrote about her.
        assert_eq!((house.originals("support"), house.blobs().len()), (0, 0));
        assert_eq!(erased["originals_gone"], 3);
        let held = house.at(NOON, &format!("person export {ANNELIES} --json")).json().remove(0);
        for what in ["tickets", "mails", "letters", "identity_checks"] {
            assert_eq!(held[what], json!([]), "{what}");
        }
        house.at(NOON, "audit verify");
        assert_eq!(house.at(NOON, "tickets show PK-00001 --json").json()[0]["requester"], json!(null));
        // The colleague goes on writing, also on what was sent to her.
        let mut again = Letter::from("i.bakker@waterwolde.example", "Ineke Bakker", "Re: Vraag");
        again.answers = Some(format!("<{}>", sql(&house.world, "SELECT message_id FROM outbox WHERE id = 1").unwrap()[0]));
        house.receive("support", "2026-11-20T15:00:00+01:00", &again);
        assert_eq!(house.tickets("entries"), [3, 1]);
    }
}

/// One half of a double surname, other spellings, files of others and other addresses: on a real installation, by a look at all that is left.
#[test]
fn of_a_double_surname_no_half_is_left_and_a_colleague_of_that_name_stays() {
    const KARIN: &str = "karin.ml@heidetal.example";
    for mut house in House::both("double") {
        let list = house.world.dir.join("organisations/heidetal.toml");
        let peter = "\n[[contact]]\nname = \"Peter Müller\"\nemail = \"peter.mueller@heidetal.example\"\nkind = \"general\"\n";
        fs::write(&list, fs::read_to_string(&list).unwrap() + peter).unwrap();
        let mut asked = Letter::from(KARIN, "=?utf-8?q?M=C3=BCller-L=C3=BCdenscheidt=2C_Karin?=", "Anfrage von Karin Mueller");
        asked.text = "Guten Tag,\r\n\r\nhier Müller, die Karte lädt nicht.\r\n\r\nViele Grüße\r\nK. Müller-Lüdenscheidt\r\n".to_owned();
        house.receive("support", "2026-11-20T10:00:00+01:00", &asked);
        let mut answer = Letter::from("peter.mueller@heidetal.example", "=?utf-8?q?Peter_M=C3=BCller?=", "Re: Anfrage von Karin Mueller")
            .with_file("Protokoll_K.Mueller-Luedenscheidt.csv", "a;b\r\n1;2\r\n");
        answer.answers = Some(format!("<{}>", sql(&house.world, "SELECT message_id FROM outbox WHERE id = 1").unwrap()[0]));
        answer.header = "Cc: \"Frau Müller-Lüdenscheidt\" <karin.ml@heidetal.example>\r\n".to_owned();
        answer.text = "Frau Lüdenscheidt ist krank, Frau Müller-\r\nLüdenscheidts Vertretung bin ich, Peter Müller. Herr Müller ist auch ein Kollege.\r\n\
                       Privat: k.mueller-luedenscheidt@privat.example\r\n\r\nVon: Mueller-Luedenscheidt, Karin\r\n\
                       > hier Müller, die Karte lädt nicht.\r\n> K. Mu\u{308}ller-\r\n> Lüdenscheidt\r\n"
            .to_owned();
        house.receive("support", "2026-11-20T11:00:00+01:00", &answer);
        assert_eq!(house.tickets("entries"), [2]);
        house.world.run_at(NOON, &["tickets", "note", "PK-00001", "Frau MÜLLER angerufen; der Müller-Vertrag gilt."]).ok();
        house.world.run_at(NOON, &["tickets", "reply", "PK-00001", "Guten Tag Frau Müller, wir sehen nach."]).ok();
        let mut elsewhere = Letter::from("tom.reed@brookham.example", "Tom Reed", "Server certificate expired")
            .with_file("mail to Karin Müller-Lüdenscheidt.csv", "a;b\r\n3;4\r\n");
        elsewhere.text = "Ms Müller has left our team, Mr. Muller stays.\r\n".to_owned();
        house.receive("support", "2026-11-20T11:30:00+01:00", &elsewhere);
        house.work(NOON);
        assert_eq!(house.originals("support"), 3);
        house.at(NOON, &format!("person erase {KARIN}"));

        let left = house.whole_database();
        for word in ["denscheidt", "Karin", "K. M", "hier M", "MÜLLER", "Frau M", "Guten Tag Frau M", "karin.ml"] {
            assert!(!left.contains(word), "{word} is left:\n{left}");
        }
        for word in [
            "Peter Müller",
            "peter.mueller@heidetal.example",
            "Herr Müller ist auch",
            "der Müller-Vertrag gilt",
            "Protokoll_[removed].csv",
            "mail to [removed].csv",
            "[removed]@privat.example",
            "Ms Müller has left our team, Mr. Muller stays.",
            "hier [removed], die Karte lädt nicht.",
        ] {
            assert!(left.contains(word), "{word} is gone:\n{left}");
        }
        // The originals of all mails that named her went with it, for what their files are called as well.
        assert_eq!((house.originals("support"), house.tickets("attachments")), (0, vec![json!(1), json!(1)]));
    }
}

/// Texts are looked through before the lock is taken that keeps others from booking. Here the lock is held until the command waits for it, so
/// that what is booked under it came after that look.
#[test]
fn what_is_booked_between_the_look_and_the_lock_is_erased_too() {
    let mut house = House::on_postgres("erase_race");
    conversation(&mut house);
    let settings: toml::Table = fs::read_to_string(&house.world.config_path).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let erased = runtime.block_on(async {
        let db = Database::connect(settings["database"]["url"].as_str().unwrap()).await.unwrap();
        let booking = db.begin().await.unwrap();
        booking.execute_unprepared("SELECT pg_advisory_xact_lock(1886087019, 1)").await.unwrap();
        let mut erase = house.world.command(&["person", "erase", ANNELIES]);
        let erase = erase.env("POSTKAMER_NOW", NOON).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let waiting = "SELECT CAST(COUNT(*) AS TEXT) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'advisory' \
                       AND datname = current_database()";
        eventually("the erasure waits for the lock", || {
            (std::thread::scope(|scope| scope.spawn(|| sql(&house.world, waiting).unwrap()).join().unwrap()) == ["1"]).then_some(())
        });
        // A mail of hers with a signature that nobody knew, one that quotes it, and one elsewhere that names her.
        for (ticket, author, text) in [
            (1, format!("'{ANNELIES}'"), "Het werkt nog niet.\n\nGroet,\nAnnelies de Vries\nHoofd Belastingkamer\n"),
            (1, "'i.bakker@waterwolde.example'".to_owned(), "Zij schreef mij.\n> Hoofd Belastingkamer\n"),
            (2, "NULL".to_owned(), "Mail a.devries@waterwolde.example about this.\n"),
        ] {
            let entry = format!(
                "INSERT INTO entry (id, ticket_id, kind, at, author, author_name, subject, written, quoted) \
                 VALUES ((SELECT MAX(id) + 1 FROM entry), {ticket}, 'note', 0, {author}, '', '', '{text}', '')"
            );
            booking.execute_unprepared(&entry).await.unwrap();
        }
        booking.commit().await.unwrap();
        erase.wait_with_output().unwrap()
    });
    assert!(erased.status.success());
    let left = house.whole_database();
    for word in ["devries", "Belastingkamer", "Annelies de Vries"] {
        assert!(!left.contains(word), "{word} is left:\n{left}");
    }
    assert!(left.contains("Het werkt nog niet.") && left.contains("Zij schreef mij.") && left.contains("about this."), "{left}");
}

#[test]
fn files_stay_where_the_case_needs_them_and_a_legal_hold_keeps_all() {
    for mut house in House::both("erase_files") {
        conversation(&mut house);
        house.at(NOON, "retention hold --ticket PK-00001");
        let erased = house.at(NOON, &format!("person erase {ANNELIES} --json")).json().remove(0);
        assert_eq!((&erased["erased"]["held"], &erased["erased"]["tickets"]), (&json!(["PK-00001"]), &json!(["PK-00002"])));
        assert!(house.whole_database().contains(ANNELIES));
        house.at(NOON, "retention unhold --ticket PK-00001");
        house.at(NOON, &format!("person erase {ANNELIES} --keep-attachments"));
        assert_eq!((house.tickets("attachments"), house.blobs().len()), (vec![json!(1), json!(0)], 1));
        let left = house.whole_database();
        assert!(!left.contains(ANNELIES) && left.contains("[removed].csv"), "the file stays, under a name without hers: {left}");
    }
}

#[test]
fn what_a_legal_hold_keeps_of_a_person_is_told_and_goes_when_the_hold_ends() {
    for mut house in House::both("erase_held") {
        conversation(&mut house);
        house.at(NOON, "retention hold --ticket PK-00001");
        house.at(NOON, "retention hold --organisation waterwolde");
        let told = house.world.run_at(NOON, &["person", "erase", ANNELIES, "--name", "Annelies de Vries"]).ok();
        assert!(told.stderr.contains("article 17(3)") && told.stderr.contains("PK-00001") && told.stderr.contains("waterwolde as a whole"));
        assert!(!told.stderr.contains('@'), "{}", told.stderr);
        let held = |house: &House| house.at(NOON, &format!("person export {ANNELIES} --json")).json().remove(0);
        assert!(held(&house)["erasure_due_since"].is_string() && held(&house)["profile"].is_object());
        let nothing_to_finish =
            |house: &House| house.at(NOON, "retention run --dry-run --json").json().iter().all(|due| due["kind"] != "people");
        house.at(NOON, "retention unhold --organisation waterwolde");
        assert!(nothing_to_finish(&house), "one of two holds is left, and it keeps the ticket");
        assert_eq!(house.forget(NOON)["people"], 0);
        assert_eq!(house.originals("support"), 2);

        house.at(NOON, "retention unhold --ticket PK-00001");
        assert!(!nothing_to_finish(&house));
        let report = house.forget(NOON);
        assert_eq!((&report["people"], &report["originals_gone"], &report["trouble"]), (&json!(1), &json!(2), &json!([])));
        let left = house.whole_database();
        for word in [ANNELIES, "De Vries", "Senior adviseur", "Annelies is er"] {
            assert!(!left.contains(word), "{word} is left");
        }
        assert_eq!((house.originals("support"), house.blobs().len()), (0, 0));
        assert_eq!((&held(&house)["erasure_due_since"], &held(&house)["profile"]), (&json!(null), &json!(null)));
        assert_eq!(sql(&house.world, "SELECT CAST(COUNT(*) AS TEXT) FROM erasure_due").unwrap(), ["0"]);
        assert_eq!(house.forget(NOON)["people"], 0, "once");
        house.at(NOON, "audit verify");
    }
}

#[test]
fn mail_of_somebody_who_objected_is_ignored_until_they_withdraw() {
    for mut house in House::both("objection") {
        let question = |number: u32| Letter::from(ANNELIES, "Annelies de Vries", &format!("Vraag {number}"));
        house.at("2026-11-20T09:00:00+01:00", &format!("person object {ANNELIES}"));
        house.world.run(&["person", "object", ANNELIES]).exits(2);
        house.receive("support", "2026-11-20T10:00:00+01:00", &question(1));
        assert_eq!(house.tickets("number").len(), 0);
        assert!(!house.whole_database().contains("devries"), "a keyed digest stands for the address");
        let held = house.at(NOON, &format!("person export {ANNELIES} --json")).json().remove(0);
        assert_eq!((&held["objected_at"], &held["mails"][0]["reasons"]), (&json!("2026-11-20T08:00:00Z"), &json!(["objection"])));
        house.at(NOON, &format!("person object {ANNELIES} --withdraw"));
        house.world.run(&["person", "object", ANNELIES, "--withdraw"]).exits(2);
        house.receive("support", "2026-11-20T13:00:00+01:00", &question(2));
        assert_eq!(house.tickets("number").len(), 1);
        let booked = house.at(NOON, &format!("audit list --json --person {ANNELIES}")).json();
        let what: Vec<&str> = booked.iter().map(|row| row["what"].as_str().unwrap()).collect();
        assert_eq!(what, ["objection", "mail", "person-exported", "objection-withdrawn", "mail"]);
    }
}

#[test]
fn only_an_agent_of_every_desk_may_act_on_a_person() {
    for house in House::both("act_on_a_person") {
        let path = &house.world.config_path;
        let settings = fs::read_to_string(path).unwrap() + "\n[[agent]]\nname = \"ineke\"\ndesks = [\"support\"]\n";
        fs::write(path, settings).unwrap();
        let mut command = house.world.command(&["person", "export", ANNELIES]);
        command.env("SUDO_USER", "ineke");
        let refused = house.world.finish(command, b"").exits(2).stderr;
        assert!(refused.contains("works at every desk"), "{refused}");
    }
}
