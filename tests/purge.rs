//! What an agent recognises as citizen data later goes from a real server, too: `tickets purge` over IMAP, whatever happens there meanwhile.

use crate::daemon::{authentic, question};
use crate::support::database::sql;
use crate::support::dovecot::{Dovecot, Store};
use crate::support::eventually;
use crate::support::imap::Imap;
use crate::support::postgres::Postgres;
use crate::support::scripted::Reaction;
use crate::support::smtp::Smtp;
use crate::support::stage::{Memory, Source, Stage};
use crate::support::world::{Outcome, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const NOW: &str = "2026-11-20T10:05:00+01:00";

/// A mail with two files; `mark` stands in its text and its files, and nowhere else.
fn mail(mark: &str) -> String {
    format!(
        "Authentication-Results: mx.zaakwijs.example; dmarc=pass header.from=waterwolde.example\r\n\
         Received: from mx.waterwolde.example by mx.zaakwijs.example; Fri, 20 Nov 2026 10:00:00 +0100\r\n\
         From: Annelies <a.devries@waterwolde.example>\r\nTo: support@zaakwijs.example\r\nSubject: Vraag {mark}\r\n\
         Message-ID: <{mark}@waterwolde.example>\r\nDate: Fri, 20 Nov 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nTekst van {mark}.\r\n\
         --b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=een.csv\r\n\r\nlaag;aantal\r\n{mark}-een;12\r\n\
         --b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=twee.csv\r\n\r\nlaag;aantal\r\n{mark}-twee;13\r\n--b--\r\n"
    )
}

struct Desk<'a> {
    dovecot: &'a Dovecot,
    world: World,
    address: String,
}

impl Desk<'_> {
    fn append(&self, mark: &str) {
        let arrived = "2026-11-20T10:00:00+01:00".parse().unwrap();
        self.dovecot.append(&self.address, "INBOX", mail(mark).as_bytes(), Some(arrived));
    }

    /// How many of the files of mailbox and state hold these words: what the server has given up for good is gone from its files.
    fn holding(&self, words: &str) -> usize {
        self.dovecot.purge(&self.address);
        let folders = [self.dovecot.files().join(&self.address), self.world.state_dir()];
        folders.iter().map(|folder| holding(folder, words)).sum()
    }

    fn purge(&self, arguments: &[&str]) -> Outcome {
        self.world.run_at(NOW, &[&["tickets", "purge"], arguments].concat())
    }

    fn ticket_of(&self, mark: &str) -> String {
        let number = sql(&self.world, &format!("SELECT CAST(ticket_id AS TEXT) FROM entry WHERE subject = 'Vraag {mark}'")).unwrap();
        number[0].clone()
    }

    fn settled(&self) -> (usize, usize) {
        let rows = self.world.run(&["audit", "list", "--json"]).ok().json();
        let of = |state: &str| rows.iter().filter(|row| row["what"] == "original" && row["settled"] == state).count();
        (of("gone"), of("absent"))
    }
}

fn holding(directory: &Path, words: &str) -> usize {
    let entries = fs::read_dir(directory).into_iter().flatten().map(Result::unwrap);
    entries
        .map(|entry| match entry.path() {
            path if path.is_dir() => holding(&path, words),
            path => usize::from(fs::read(path).is_ok_and(|bytes| bytes.windows(words.len()).any(|window| window == words.as_bytes()))),
        })
        .sum()
}

/// The UID of the mail with that word in its subject, in the folder that is open.
fn found(imap: &mut Imap, word: &str) -> String {
    let answer = imap.command(&format!("UID SEARCH SUBJECT {word}"));
    answer.iter().find_map(|response| response.line.strip_prefix("* SEARCH ").map(str::to_owned)).unwrap()
}

fn played_on(store: Store, on: impl FnOnce(World) -> World) {
    let dovecot = Dovecot::start(store);
    let smtp = Smtp::start(&dovecot);
    let world = on(World::on(&dovecot, &smtp));
    let desk = Desk { dovecot: &dovecot, address: world.desk("support"), world };
    for mark in ["kastanje", "wilgen", "meidoorn", "linde", "essen"] {
        desk.append(mark);
    }
    desk.world.run_at(NOW, &["run", "--once"]).ok();
    assert_eq!(dovecot.count(&desk.address, "Verwerkt"), 5);

    // One file: its original goes as a whole, all others stay.
    assert_eq!(desk.holding("kastanje-twee"), 2);
    desk.purge(&[&desk.ticket_of("kastanje"), "--attachment", "2", "--redirect"]).ok();
    assert_eq!((desk.holding("kastanje-twee"), desk.holding("kastanje-een")), (0, 1));
    assert_eq!((dovecot.count(&desk.address, "Verwerkt"), desk.settled()), (4, (1, 0)));

    // Somebody moved the original of the second and deleted that of the third: it is said plainly that they are for people to look for.
    dovecot.with(&desk.address, |imap| {
        imap.command("CREATE Archief");
        imap.command("SELECT Verwerkt");
        let moved = found(imap, "wilgen");
        imap.command(&format!("UID MOVE {moved} Archief"));
        let gone = found(imap, "meidoorn");
        imap.command(&format!("UID STORE {gone} +FLAGS.SILENT (\\Deleted)"));
        imap.command(&format!("UID EXPUNGE {gone}"));
    });
    for (mark, arguments) in [("wilgen", &["--entry", "1"][..]), ("meidoorn", &[][..])] {
        let told = desk.purge(&[&[desk.ticket_of(mark).as_str()], arguments].concat()).ok();
        assert!(told.stderr.contains("moved or removed them"), "{}", told.stderr);
        assert!(!told.stdout.contains("on the server"), "{}", told.stdout);
    }
    assert_eq!((desk.settled(), desk.holding("meidoorn-een"), holding(&desk.world.state_dir(), "wilgen-een")), ((1, 2), 0, 0));

    // The server is down: gone here at once, and there as soon as it is back, once.
    let linde = desk.ticket_of("linde");
    dovecot.stop();
    let told = desk.purge(&[&linde]).exits(75);
    assert!(told.stderr.contains("not yet on the server") && !told.stderr.contains('@'), "{}", told.stderr);
    assert_eq!(holding(&desk.world.state_dir(), "linde-een"), 0);
    dovecot.start_again();
    {
        let _daemon = desk.world.daemon(Some(NOW));
        eventually("the daemon expunges it", || (desk.settled() == (2, 2)).then_some(()));
        assert_eq!((dovecot.count(&desk.address, "Verwerkt"), desk.holding("linde-een")), (1, 0));
        // While the daemon has the mailbox, an agent purges, and mail goes on coming in.
        desk.append("populier");
        eventually("the mail is filed", || (dovecot.count(&desk.address, "Verwerkt") == 2).then_some(()));
        desk.purge(&[&desk.ticket_of("essen")]).ok();
        // What is being filed right now is said to be so, and can be purged a moment later.
        let populier = desk.ticket_of("populier");
        eventually("the new one can be purged", || (desk.purge(&[&populier]).status == Some(0)).then_some(()));
        assert_eq!((dovecot.count(&desk.address, "Verwerkt"), desk.settled()), (0, (4, 2)));
        desk.append("beuken");
        eventually("the daemon goes on", || (dovecot.count(&desk.address, "Verwerkt") == 1).then_some(()));
    }
    for mark in ["essen", "populier"] {
        assert_eq!(desk.holding(&format!("{mark}-een")), 0, "{mark}");
    }
    let tickets = desk.world.run(&["tickets", "list", "--json"]).ok().json();
    let files: Vec<&Value> = tickets.iter().map(|ticket| &ticket["attachments"]).collect();
    assert_eq!(files.iter().filter(|count| **count == &json!(0)).count(), 5, "{tickets:?}");
    desk.world.run(&["audit", "verify"]).ok();
}

#[test]
fn what_is_found_later_goes_from_a_maildir_server_with_sqlite() {
    played_on(Store::Maildir, |world| world);
}

#[test]
fn what_is_found_later_goes_from_an_mdbox_server_with_postgresql() {
    played_on(Store::Mdbox, |world| world.with_database(&Postgres::shared().database("purge")));
}

/// While the daemon waits for the server's answer to its EXPUNGE, a command that came in beside it would find the mail gone, and book it as absent.
fn never_met_in_the_folder(memory: Memory) {
    let mut stage = Stage::new(Source::Able, memory, &BTreeSet::from(["support"]), |_| {});
    let mail = question("a.devries@waterwolde.example", "support@zaakwijs.example", 1);
    stage.deliver("support", &authentic(&mail), NOW.parse().unwrap());
    stage.it_is(NOW.parse().unwrap());
    assert_eq!(stage.round(), [""; 0]);
    sql(&stage.world, "UPDATE mail SET original = 'due'").unwrap();
    let (looks, expunges) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (looked, expunged) = (looks.clone(), expunges.clone());
    stage.imap.interfere(move |command, _| {
        looked.fetch_add(u32::from(command.starts_with("SELECT") && command.contains("Verwerkt")), Ordering::SeqCst);
        match command.starts_with("UID EXPUNGE") && expunged.fetch_add(1, Ordering::SeqCst) == 0 {
            true => Reaction::Silence,
            false => Reaction::Obey,
        }
    });
    let daemon = stage.world.daemon(Some(NOW));
    eventually("the daemon expunges", || (expunges.load(Ordering::SeqCst) == 1).then_some(()));
    let told = stage.world.run_at(NOW, &["retention", "run"]).exits(75);
    assert!(told.stderr.contains("did not leave it in time"), "{}", told.stderr);
    assert_eq!((looks.load(Ordering::SeqCst), sql(&stage.world, "SELECT original FROM mail").unwrap()), (1, vec!["due".to_owned()]));
    drop(daemon);
    let report = stage.world.run_at(NOW, &["retention", "run", "--json"]).ok().json();
    assert_eq!((&report[0]["originals_gone"], &report[0]["originals_absent"]), (&json!(1), &json!(0)));
}

#[test]
fn an_agent_and_the_daemon_never_meet_in_the_folder_of_filed_mail_on_sqlite() {
    never_met_in_the_folder(Memory::Sqlite);
}

#[test]
fn an_agent_and_the_daemon_never_meet_in_the_folder_of_filed_mail_on_postgresql() {
    never_met_in_the_folder(Memory::Postgres);
}
